#!/usr/bin/env escript
main(_) ->
    error_logger:info_msg("application ~p started~n", [shop]),
    error_logger:error_msg("payment failed: ~p~n", [{error, timeout}]),
    error_logger:info_report([{application, shop}, {exited, stopped}]),
    logger:warning("** retry ~p of connection", [3]),
    timer:sleep(200).
