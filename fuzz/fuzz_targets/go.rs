//! Text behind the first line of a trace of Go. Not here: what must hold (`found`).
#![no_main]

mod found;

libfuzzer_sys::fuzz_target!(|data: &[u8]| found::check_after(
    "panic: runtime error: index out of range [5] with length 3",
    data
));
