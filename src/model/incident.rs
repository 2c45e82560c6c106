//! An incident: one fault of one service, from its first occurrence to what became of it.

use crate::model::service::CommitId;
use crate::model::signal::ContextLine;
use crate::model::time::Timestamp;
use crate::model::trace::{Frame, Raised, Trace};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A number in the store, shown as `#12` and accepted as `12` or `#12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub i64);

impl IncidentId {
    pub fn parse(text: &str) -> Option<IncidentId> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        digits.parse().ok().filter(|id| *id > 0).map(IncidentId)
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An exception or panic that nobody caught, or a fatal signal.
    Crash,
    /// A trace at error level that the program caught and logged.
    Error,
    /// The kernel or the platform killed it for its memory.
    Oom,
    /// It said that it ended with a status other than 0.
    Exit,
    /// A watch reached its threshold.
    Watch,
    /// A rate left its own past behind.
    Rate,
    /// Not the program's fault: a neighbour, a disk, a certificate.
    Environment,
}

impl Kind {
    pub const ALL: [Kind; 7] = [
        Kind::Crash,
        Kind::Error,
        Kind::Oom,
        Kind::Exit,
        Kind::Watch,
        Kind::Rate,
        Kind::Environment,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Kind::Crash => "crash",
            Kind::Error => "error",
            Kind::Oom => "oom",
            Kind::Exit => "exit",
            Kind::Watch => "watch",
            Kind::Rate => "rate",
            Kind::Environment => "environment",
        }
    }

    pub fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Open,
    Investigating,
    Proposed,
    Reported,
    Delivered,
    Merged,
    Rejected,
    Resolved,
    Muted,
}

impl Status {
    pub const ALL: [Status; 9] = [
        Status::Open,
        Status::Investigating,
        Status::Proposed,
        Status::Reported,
        Status::Delivered,
        Status::Merged,
        Status::Rejected,
        Status::Resolved,
        Status::Muted,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Investigating => "investigating",
            Status::Proposed => "proposed",
            Status::Reported => "reported",
            Status::Delivered => "delivered",
            Status::Merged => "merged",
            Status::Rejected => "rejected",
            Status::Resolved => "resolved",
            Status::Muted => "muted",
        }
    }

    pub fn from_word(word: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// Where in the repository the fault was thrown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Path inside the repository, with `/`.
    pub file: String,
    pub line: Option<u32>,
    pub function: Option<String>,
    /// 0 to 1; set on an incident only above the documented threshold.
    pub confidence: f64,
}

/// What a fixer proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub fixer: String,
    /// Absolute path of the diff.
    pub patch: String,
    /// Repository paths that it touches.
    pub files: Vec<String>,
    pub pr: Option<String>,
}

/// One row of the store, with what its first occurrence looked like.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    pub id: IncidentId,
    pub service: String,
    /// With the version of its algorithm: `v1:…`.
    pub fingerprint: String,
    pub kind: Kind,
    pub title: String,
    pub trace: Option<Trace>,
    pub lines: Vec<String>,
    pub context: Vec<ContextLine>,
    pub stream: String,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    pub count: u64,
    /// Of the newest occurrence that had one.
    pub commit: Option<CommitId>,
    pub status: Status,
    /// Why it became an incident, then why it stands where it stands.
    pub reason: String,
    pub watch: Option<String>,
    pub location: Option<Location>,
    pub proposal: Option<Proposal>,
    /// The earlier incident of the same fault, outside the dedup window.
    pub previous: Option<IncidentId>,
    /// The storm that it is part of.
    pub parent: Option<IncidentId>,
}

impl Incident {
    /// Whether it stands for many that came at once.
    pub fn is_storm(&self) -> bool {
        self.kind == Kind::Rate && self.watch.as_deref() == Some("storm")
    }

    /// The root cause, where there is a trace.
    pub fn exception(&self) -> Option<&Raised> {
        self.trace.as_ref().map(Trace::root_cause)
    }

    /// The outermost exception, where it is another than the root cause.
    pub fn raised_as(&self) -> Option<&Raised> {
        self.trace.as_ref().and_then(Trace::raised_as)
    }

    /// The object that `incidents --json`, `incidents.jsonl` and reports print; stable.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "id": self.id,
            "service": self.service,
            "fingerprint": self.fingerprint,
            "kind": self.kind,
            "title": self.title,
            "exception": self.exception(),
            "raised_as": self.raised_as(),
            "frames": self.frames(),
            "first_seen": self.first_seen.to_rfc3339(),
            "last_seen": self.last_seen.to_rfc3339(),
            "count": self.count,
            "commit": self.commit,
            "status": self.status,
            "reason": self.reason,
            "watch": self.watch,
            "location": self.location,
            "proposal": self.proposal,
            "parent": self.parent,
        })
    }

    /// The frames as printed.
    pub fn frames(&self) -> &[Frame] {
        self.trace.as_ref().map_or(&[], |trace| &trace.frames)
    }
}
