<?php
function read(string $path): string {
    throw new InvalidArgumentException("no file:\n  $path");
}

function load(string $path): string {
    try {
        return read($path);
    } catch (InvalidArgumentException $error) {
        throw new RuntimeException('cannot load', 3, $error);
    }
}

try {
    load('/nowhere');
} catch (RuntimeException $error) {
    throw new LogicException('start failed', 0, $error);
}
