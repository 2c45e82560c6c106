//! The investigation by a model: one conversation, from the dossier to a patch that every gate let
//! through, or to a reason why there is none. It answers the tools, keeps to its limits, and can be
//! played again from what was kept. It sleeps for nobody: whoever calls decides when to come back.

mod course;
mod entry;
mod failed;
mod ledger;
mod propose;
mod remedies;
mod words;

pub use entry::{Called, Entry, Spoken};
pub use ledger::{Denied, Estimate, Halted, Ledger};
pub use remedies::{Remedies, fenced, newest};
pub use words::{Prompt, system, tools};

use crate::investigate::tools::LogLine;
use crate::llm::Talker;
use crate::model::{Settings, Trace};
use crate::patch::answer::{Answer, GaveUp};
use crate::patch::gate::{Judged, Stopped};
use crate::redact::{Redacted, Scope};
use crate::source::{Commit, Repo};
use course::Course;
use std::time::{Duration, Instant};

/// How far a conversation may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls to the model.
    pub turns: u32,
    /// Tokens of one answer, thinking included.
    pub max_tokens: u32,
    /// For one call.
    pub call: Duration,
    /// For all of it.
    pub until: Instant,
}

/// What is investigated.
pub struct Inquiry<'a> {
    pub repo: &'a Repo,
    /// The deployed commit.
    pub commit: Commit,
    pub settings: &'a Settings,
    pub trace: Option<&'a Trace>,
    /// What may be shown of the log.
    pub lines: &'a [LogLine],
    /// The first message.
    pub dossier: Redacted,
    /// In which the dossier was redacted.
    pub scope: Scope,
    /// What may be asked for beside looking; `None`: nothing.
    pub remedies: Option<&'a mut (dyn Remedies + 'a)>,
    pub limits: Limits,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// A patch that every gate let through.
    Patch(Box<(Answer, Judged)>),
    /// The model came to an end without one.
    NoPatch(Box<NoPatch>),
    /// The model cannot be asked now, but may be later; the conversation goes on then.
    Later { after: Duration, why: String },
    /// The model cannot be asked: another fixer has to do.
    Unavailable(String),
}

/// An end without a patch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NoPatch {
    pub why: String,
    /// The last proposal, which was refused: its words are claims.
    pub answer: Option<Answer>,
    pub gave_up: Option<GaveUp>,
    /// What stopped the proposals, in turn.
    pub stopped: Vec<Stopped>,
}

/// Holds the conversation. `past`: what was kept of it, if it was begun before.
///
/// # Errors
/// When the work has to end at once; what was said is kept.
pub fn run<'a>(
    inquiry: Inquiry<'a>,
    talker: &'a dyn Talker,
    past: &[Entry],
    ledger: &'a mut (dyn Ledger + 'a),
) -> Result<Outcome, Halted> {
    let mut course = Course::new(inquiry, talker, past, ledger);
    let outcome = course.hold()?;
    let why = match &outcome {
        Outcome::Patch(_) => "a patch that every check let through".to_owned(),
        Outcome::NoPatch(end) => end.why.clone(),
        Outcome::Unavailable(why) => why.clone(),
        // It is not over.
        Outcome::Later { .. } => return Ok(outcome),
    };
    let closed = Entry::Closed { why };
    // It may have been closed before, by a process that could not deliver what came of it.
    if past.last() != Some(&closed) {
        course.ledger.keep(vec![closed])?;
    }
    Ok(outcome)
}
