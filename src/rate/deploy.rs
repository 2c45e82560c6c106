//! Deploy verdicts: two deployed commits of a service side by side while a rollout runs.
//! Not here: which commit wrote a record (the pipeline), how a verdict is kept (`store`).

use crate::model::{CommitId, Timestamp};
use crate::rate::occurrence::Entry;
use serde::{Deserialize, Serialize};

/// What became of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Worse,
    Same,
    Better,
    /// Too little was seen.
    Undecided,
}

impl Verdict {
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Worse => "worse",
            Verdict::Same => "same",
            Verdict::Better => "better",
            Verdict::Undecided => "undecided",
        }
    }
}

/// What one commit wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    pub records: u64,
    pub errors: u64,
    /// HTTP answers, and those of them with a status of 5xx.
    pub requests: u64,
    pub server_errors: u64,
}

/// An error entry that only the new commit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewError {
    #[serde(flatten)]
    pub entry: Entry,
    pub count: u64,
}

/// One rollout: numbers, ids and commits; never log text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deploy {
    pub old: CommitId,
    pub new: CommitId,
    /// Event time, nanoseconds: the new commit's first record, and the newest one counted here.
    pub started: i64,
    pub until: i64,
    /// Of the old commit: while both ran and, where that is too little, up to two hours before.
    pub before: Tally,
    pub after: Tally,
    /// The most frequent ones, at most twenty.
    pub new_errors: Vec<NewError>,
    pub verdict: Verdict,
    /// Whether the rollout is over: one of the two commits fell silent.
    pub over: bool,
}

/// New error entries that a verdict lists.
#[expect(dead_code)]
const MAX_NEW_ERRORS: usize = 20;

impl Deploy {
    pub fn started(&self) -> Timestamp {
        Timestamp(self.started)
    }

    pub fn until(&self) -> Timestamp {
        Timestamp(self.until)
    }

    /// Whether it is worth a signal of kind rate: it got worse, and this is the first to say so.
    pub fn is_alarming(&self) -> bool {
        self.verdict == Verdict::Worse && !self.told()
    }

    fn told(&self) -> bool {
        false
    }

    /// The rule that decided, as a sentence without log text.
    pub fn reason(&self) -> String {
        String::new()
    }
}
