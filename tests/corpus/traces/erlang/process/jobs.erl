-module(jobs).
-export([main/0, run/1]).

run(Count) -> 10 / Count.

main() ->
    spawn(jobs, run, [0]),
    timer:sleep(200),
    spawn(fun() -> exit({shutdown, lists:nth(3, [1])}) end),
    timer:sleep(200),
    halt().
