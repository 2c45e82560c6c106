//! Message templates: what lines of one service have in common apart from their varying parts.
//! Text in, ids out, in a single pass. Not here: which template matters (the brain), how often
//! one was seen (`rate`).

mod learnt;
mod miner;

pub use learnt::{Learnt, Refused};
pub use miner::{Limits, Miner, Novelty, Seen};
