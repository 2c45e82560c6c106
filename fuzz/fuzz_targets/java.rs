//! Text behind the first line of a trace of Java, Kotlin, Scala and Clojure. Not here: what must hold (`found`).
#![no_main]

mod found;

libfuzzer_sys::fuzz_target!(|data: &[u8]| found::check_after(
    "Exception in thread \"main\" java.lang.IllegalStateException: x",
    data
));
