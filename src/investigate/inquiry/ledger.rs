//! Who is asked before money is spent, and told what was said. The corridor makes it from the store;
//! a replay's remembers nothing.

use super::entry::Entry;
use crate::llm::Usage;
use crate::model::service::Usd;
use std::time::Duration;

/// A call that is about to be made, at its most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Tokens of the whole prompt.
    pub prompt: u64,
    /// Tokens of thinking and answer.
    pub output: u64,
    /// For how long it may take.
    pub within: Duration,
}

/// Why there is no call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A limit on money, in words for people.
    OverBudget(String),
    Halted(Halted),
}

/// The work has to end at once; what was said so far is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halted {
    /// The process ends; another takes it up.
    Ending,
    /// Somebody else has the incident by now.
    Lost,
    /// The store refuses, in its words.
    Store(String),
}

/// Books, corrects and remembers.
pub trait Ledger {
    /// Books a call at its most, before it is made.
    ///
    /// # Errors
    /// When it may not be made.
    fn book(&mut self, call: Estimate) -> Result<(), Denied>;

    /// Corrects the last booked call to what it used, and keeps what was said. `None`: it may have
    /// cost its most. Gives what it cost.
    ///
    /// # Errors
    /// When the work has to end.
    fn settle(
        &mut self,
        used: Option<Usage>,
        entries: &mut dyn FnMut(Usd) -> Vec<Entry>,
    ) -> Result<(), Halted>;

    /// Keeps what was said outside a call.
    ///
    /// # Errors
    /// When the work has to end.
    fn keep(&mut self, entries: Vec<Entry>) -> Result<(), Halted>;

    /// Whether a call like this one could be followed by another.
    fn has_room_after(&self, call: Estimate) -> bool;
}
