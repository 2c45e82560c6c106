//! Text behind the first line of a trace of Erlang. Not here: what must hold (`found`).
#![no_main]

mod found;

libfuzzer_sys::fuzz_target!(|data: &[u8]| found::check_after(
    "=CRASH REPORT==== 1-Jan-2026::10:00:00 ===",
    data
));
