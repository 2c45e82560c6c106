//! Text behind the first line of a trace of PHP.
//! Run: `cargo +nightly fuzz run php fuzz/corpus/php fuzz/seeds/php`.
#![no_main]

mod found;

use libfuzzer_sys::fuzz_target;

const OPENING: &str = "PHP Fatal error:  Uncaught Exception: x in /app/a.php:3";

fuzz_target!(|data: &[u8]| {
    found::check_after(OPENING, &String::from_utf8_lossy(data));
});
