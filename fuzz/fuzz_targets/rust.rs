//! Text behind the first line of a trace of Rust. Not here: what must hold (`found`).
#![no_main]

mod found;

libfuzzer_sys::fuzz_target!(|data: &[u8]| found::check_after(
    "thread 'main' panicked at src/main.rs:3:5:",
    data
));
