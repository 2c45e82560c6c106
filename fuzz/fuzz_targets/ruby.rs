//! Text behind the first line of a trace of Ruby. Not here: what must hold (`found`).
#![no_main]

mod found;

libfuzzer_sys::fuzz_target!(|data: &[u8]| found::check_after(
    "shop.rb:7:in `fetch': key not found (KeyError)",
    data
));
