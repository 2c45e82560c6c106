//! Any text, as lines and as one record, with seeds of all languages.
//! Run: `cargo +nightly fuzz run traces fuzz/corpus/traces fuzz/seeds/traces`.
#![no_main]

mod found;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| found::check(&String::from_utf8_lossy(data)));
