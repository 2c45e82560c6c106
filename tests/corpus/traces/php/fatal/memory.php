<?php
function fill(): array {
    $all = [];
    while (true) {
        $all[] = str_repeat('x', 100000);
    }
}
fill();
