//! Text behind the first line of a trace of C and C++. Not here: what must hold (`found`).
#![no_main]

mod found;

libfuzzer_sys::fuzz_target!(|data: &[u8]| found::check_after(
    "terminate called after throwing an instance of 'std::runtime_error'",
    data
));
