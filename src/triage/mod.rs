//! Layer 2: what is worth an incident. The rules judge every trace and every line that looks
//! like the end of a process; they always run, whatever else is configured.
//!
//! Not here: putting traces together (`trace`), counting (`watch`), the store.

pub mod environment;
mod lines;
mod prefix;
pub mod rules;
mod shapes;

pub use rules::{Verdict, judge_line, judge_trace};
