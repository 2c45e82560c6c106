//! Text behind the first line of a trace of Ruby.
//! Run: `cargo +nightly fuzz run ruby fuzz/corpus/ruby fuzz/seeds/ruby`.
#![no_main]

mod found;

use libfuzzer_sys::fuzz_target;

const OPENING: &str = "shop.rb:7:in `fetch': key not found (KeyError)";

fuzz_target!(|data: &[u8]| {
    found::check_after(OPENING, &String::from_utf8_lossy(data));
});
