//! Layer 1: watches. A watch counts the records of a service that match it, in exact sliding
//! windows of event time, and fires when its threshold is reached. The built-in watches run on
//! the same engine that teams and models program.
//!
//! Not here: what happens when a watch fires (triage, the pipeline), reading the file of a
//! team's watches, the clock.

mod anchor;
mod breadth;
mod built_in;
mod count;
mod engine;
mod fields;
mod group;
mod index;
mod language;
mod literal;
mod memo;
mod number;
mod parse;
mod pattern;
mod range;
mod read;
mod report;
mod window;
mod write;

pub use anchor::{Anchor, HIGHEST_COST, Plan};
pub use built_in::{HTTP_5XX, built_in};
pub use engine::{Caps, Engine, Tally};
pub use fields::{Fields, Templated, Value};
pub use language::{MESSAGE, Match, Operand, Test};
pub use parse::{HIGHEST_THRESHOLD, LONGEST_WINDOW, Refusal, Watch, WatchText, parse_list};
pub use pattern::Pattern;
pub use report::{Fired, WatchState, id_of};

/// Who installed a watch; caps are kept apart by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Part of autofix.
    BuiltIn,
    /// A person, by the file that `Watches` names.
    Team,
    /// A model's verdict.
    Model,
}

impl Owner {
    /// The word of lists and of the store: `built-in`, `team`, `model`.
    pub const fn word(self) -> &'static str {
        match self {
            Owner::BuiltIn => "built-in",
            Owner::Team => "team",
            Owner::Model => "model",
        }
    }

    /// Reads what [`Owner::word`] gives.
    pub fn from_word(word: &str) -> Option<Owner> {
        [Owner::BuiltIn, Owner::Team, Owner::Model]
            .into_iter()
            .find(|owner| owner.word() == word)
    }
}

/// Where a watch looks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Every service, each counted for itself.
    Everywhere,
    /// One service by name.
    Service(String),
}
