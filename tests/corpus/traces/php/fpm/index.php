<?php
function page(array $parts): int {
    return intdiv(count($parts), 0);
}
error_log("page asked for");
page([1]);
