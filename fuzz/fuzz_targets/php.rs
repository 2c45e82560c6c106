//! Text behind the first line of a trace of PHP. Not here: what must hold (`found`).
#![no_main]

mod found;

libfuzzer_sys::fuzz_target!(|data: &[u8]| found::check_after(
    "PHP Fatal error:  Uncaught Exception: x in /app/a.php:3",
    data
));
