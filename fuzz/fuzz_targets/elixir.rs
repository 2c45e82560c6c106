//! Text behind the first line of a trace of Elixir.
//! Run: `cargo +nightly fuzz run elixir fuzz/corpus/elixir fuzz/seeds/elixir`.
#![no_main]

mod found;

use libfuzzer_sys::fuzz_target;

const OPENING: &str = "[error] GenServer Shop terminating";

fuzz_target!(|data: &[u8]| {
    found::check_after(OPENING, &String::from_utf8_lossy(data));
});
