//! An action as the store keeps it: what is to be done and why, how far it is, and how it ended.

use crate::model::incident::IncidentId;
use crate::model::recovery::{Caller, Fact, State, Task};
use crate::model::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A number in the store, shown and accepted as `7` or `#7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(pub i64);

impl ActionId {
    pub fn parse(text: &str) -> Option<ActionId> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        digits.parse().ok().filter(|id| *id > 0).map(ActionId)
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How far an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// A check refused it: nothing was done.
    Refused,
    /// Only said, by `mode = "propose"`.
    Proposed,
    /// It waits for `autofix approve`.
    Pending,
    /// Nobody approved it in time.
    Expired,
    /// A person said no.
    Denied,
    /// Released; it is about to begin.
    Approved,
    /// Begun on the platform, perhaps: it is written down before the platform is told.
    Running,
    /// The platform is done; whether it helped is watched.
    Watched,
    /// It is over; the aftermath says whether it helped.
    Done,
    /// The platform refused it, or did not get it done.
    Failed,
}

impl Stage {
    pub const ALL: [Stage; 10] = [
        Stage::Refused,
        Stage::Proposed,
        Stage::Pending,
        Stage::Expired,
        Stage::Denied,
        Stage::Approved,
        Stage::Running,
        Stage::Watched,
        Stage::Done,
        Stage::Failed,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Stage::Refused => "refused",
            Stage::Proposed => "proposed",
            Stage::Pending => "pending",
            Stage::Expired => "expired",
            Stage::Denied => "denied",
            Stage::Approved => "approved",
            Stage::Running => "running",
            Stage::Watched => "watched",
            Stage::Done => "done",
            Stage::Failed => "failed",
        }
    }

    pub fn from_word(word: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.word() == word)
    }

    /// Whether it has been released and is not over.
    pub const fn is_under_way(self) -> bool {
        match self {
            Stage::Approved | Stage::Running | Stage::Watched => true,
            Stage::Refused
            | Stage::Proposed
            | Stage::Pending
            | Stage::Expired
            | Stage::Denied
            | Stage::Done
            | Stage::Failed => false,
        }
    }
}

/// Whether an action helped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aftermath {
    /// The service is well and the fault was not seen again.
    Healthy,
    /// As before.
    NoChange,
    /// More is broken than before.
    Worse,
}

impl Aftermath {
    pub const ALL: [Aftermath; 3] = [Aftermath::Healthy, Aftermath::NoChange, Aftermath::Worse];

    pub const fn word(self) -> &'static str {
        match self {
            Aftermath::Healthy => "healthy",
            Aftermath::NoChange => "no_change",
            Aftermath::Worse => "worse",
        }
    }

    pub fn from_word(word: &str) -> Option<Aftermath> {
        Aftermath::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// One precondition, as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub passed: bool,
    /// What was found, in a sentence.
    pub why: String,
}

/// What an approval rests on beside the task: where one of these is another, it is void.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The release that ran.
    pub release: Option<String>,
    /// How many instances were wanted.
    pub wanted: Option<u32>,
    /// Hash of the policy that allowed it.
    pub policy: String,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    pub id: ActionId,
    pub service: String,
    pub task: Task,
    pub caller: Caller,
    /// Why it is asked for; redacted when it leaves the store.
    pub why: String,
    /// The incident that it is for, and its fault.
    pub incident: Option<IncidentId>,
    pub fingerprint: Option<String>,
    /// What the platform told, at most a few.
    pub evidence: Vec<Fact>,
    /// What can go wrong, in a sentence.
    pub risk: String,
    pub checks: Vec<Check>,
    pub basis: Basis,
    /// SHA-256 over service, task and basis, in hexadecimal.
    pub hash: String,
    pub stage: Stage,
    /// Why it stands where it stands.
    pub said: String,
    pub made: Timestamp,
    pub expires: Timestamp,
    /// Who released or denied it.
    pub by: Option<String>,
    pub begun: Option<Timestamp>,
    /// When the platform was done.
    pub acted: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// The service as it was when it began.
    pub before: Option<State>,
    /// What the platform gave to ask by.
    pub handle: Option<serde_json::Value>,
    /// Since when the service has been well, while it is watched.
    pub well_since: Option<Timestamp>,
    pub aftermath: Option<Aftermath>,
    /// When the fault was seen again after it had helped.
    pub recurred: Option<Timestamp>,
}
