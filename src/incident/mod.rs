//! What makes two signals the same fault, and what becomes of a signal: a new incident, one
//! more occurrence of a known one, or nothing because of a cap. Pure: time and what the store
//! knows are values.
//!
//! Not here: keeping any of it (`store`).

mod admit;
mod beam;
mod fingerprint;
mod frames;
mod mask;
pub mod outcome;
pub mod platform;
pub mod storm;

pub use admit::{Effect, Known, Limits, Recent, admit};
pub use fingerprint::fingerprint;
pub use mask::mask;
