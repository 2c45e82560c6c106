-module(stock).
-behaviour(gen_server).
-export([main/0, init/1, handle_call/3, handle_cast/2]).

init(State) -> {ok, State}.

handle_call(take, _From, State) -> {reply, maps:get(tea, State), State}.

handle_cast({set, Value}, _State) ->
    {ok, Number} = check(Value),
    {noreply, Number}.

check(Value) when is_integer(Value) -> {ok, Value};
check(Value) -> {error, Value}.

main() ->
    {ok, Pid} = gen_server:start({local, stock}, stock, #{coffee => 12}, []),
    gen_server:cast(Pid, {set, "many"}),
    timer:sleep(200),
    io:format("going on~n"),
    proc_lib:spawn(fun() -> binary_to_atom(1) end),
    timer:sleep(200),
    halt().
