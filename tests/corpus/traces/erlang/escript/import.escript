#!/usr/bin/env escript
main(Names) ->
    io:format("import of ~p~n", [Names]),
    [read(Name) || Name <- Names].

read(Name) ->
    {ok, Text} = file:read_file(Name),
    Text.
