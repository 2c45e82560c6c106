//! Text behind the first line of a trace of Python. Not here: what must hold (`found`).
#![no_main]

mod found;

libfuzzer_sys::fuzz_target!(|data: &[u8]| found::check_after(
    "Traceback (most recent call last):",
    data
));
