<?php
require_once '/usr/share/php/Monolog/autoload.php';

use Monolog\Formatter\LineFormatter;
use Monolog\Handler\StreamHandler;
use Monolog\Logger;

function rate(string $country): int {
    throw new OutOfRangeException("no rate for $country");
}

function order(string $country): int {
    try {
        return rate($country);
    } catch (OutOfRangeException $error) {
        throw new RuntimeException('order failed', 7, $error);
    }
}

$whole = new LineFormatter(null, null, true, true);
$whole->includeStacktraces();
foreach ([$whole, new LineFormatter()] as $formatter) {
    $handler = new StreamHandler('php://stdout');
    $handler->setFormatter($formatter);
    $log = new Logger('shop', [$handler]);
    $log->info('order comes in', ['country' => 'xx']);
    try {
        order('xx');
    } catch (RuntimeException $error) {
        $log->error($error->getMessage(), ['exception' => $error]);
        $log->warning('will try again', ['exception' => $error]);
    }
    $log->info('next order', ['country' => 'de']);
}
