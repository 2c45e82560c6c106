//! Text behind the first line of a trace of Erlang.
//! Run: `cargo +nightly fuzz run erlang fuzz/corpus/erlang fuzz/seeds/erlang`.
#![no_main]

mod found;

use libfuzzer_sys::fuzz_target;

const OPENING: &str = "=CRASH REPORT==== 1-Jan-2026::10:00:00 ===";

fuzz_target!(|data: &[u8]| {
    found::check_after(OPENING, &String::from_utf8_lossy(data));
});
