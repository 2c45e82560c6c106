//! Message templates: what lines of one service have in common apart from their varying parts.
//! Text in, ids out, in a single pass. Not here: which template matters (the brain), how often
//! one was seen (`rate`).

mod bytes;
mod cache;
mod cluster;
mod judge;
mod learnt;
mod mask;
mod miner;
mod scan;
mod store;

pub use learnt::{Learnt, Refused};
pub use miner::{Limits, Miner, Novelty, Seen};
