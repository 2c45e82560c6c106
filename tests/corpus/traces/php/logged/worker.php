<?php
function charge(int $order): void {
    if ($order === 2) {
        throw new DomainException("card of order $order declined");
    }
}

function line(string $level, string $text): void {
    echo '[2026-03-02 10:00:00] shop.', $level, ': ', $text, "\n";
}

foreach ([1, 2, 3] as $order) {
    try {
        charge($order);
        line('INFO', "order $order charged");
    } catch (DomainException $error) {
        line('ERROR', $error);
        line('WARNING', get_class($error) . ': ' . $error->getMessage());
    }
}

function lose(): void {
    line('ERROR', "lost\nStack trace:\n" . (new Exception('x'))->getTraceAsString());
    line('INFO', 'end');
}
lose();
