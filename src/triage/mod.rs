//! Layer 2: what is worth an incident. The rules judge every trace and every line that looks
//! like the end of a process; they always run, whatever else is configured. Where a small model
//! is, it is shown what is new (`entry`), and its answer is checked (`answer`) before it has any
//! effect: it can add to what the rules see and take nothing away.
//!
//! Not here: putting traces together (`trace`), counting (`watch`), the store, the network.

pub mod answer;
pub mod entry;
pub mod environment;
mod lines;
mod prefix;
pub mod prompt;
pub mod rules;
mod shapes;
mod speaks;

pub use rules::{Verdict, judge_line, judge_trace};
pub use speaks::speaks_to_its_reader;
