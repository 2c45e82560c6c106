//! Patches verified in the sandbox on this host: real suites of real programs, and suites that
//! try to get out, to stay, or to take all there is. Skipped, aloud, where the sandbox does not
//! work. The rules of the verdict are unit tests.

#[path = "verify/hostile.rs"]
mod hostile;
#[path = "verify/killed.rs"]
mod killed;
#[path = "verify/place.rs"]
mod place;
#[path = "verify/real.rs"]
mod real;
#[allow(dead_code)]
#[path = "source/sample.rs"]
mod sample;
#[path = "verify/traps.rs"]
mod traps;
