//! What the fast lane hands on when something matters. Serialisable and free of pointers into
//! the process, so that a router can send signals instead of logs.

use crate::model::incident::Kind;
use crate::model::service::CommitId;
use crate::model::time::Timestamp;
use crate::model::trace::Trace;
use serde::{Deserialize, Serialize};

/// One line of log text with its event time, as shown in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextLine {
    #[serde(with = "nanos")]
    pub time: Timestamp,
    pub text: String,
    /// Of another stream: its name. `None`: the stream of the fault itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// Something that the rules or a watch found worth an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    pub kind: Kind,
    /// The registered service's name, else the container name or tag.
    pub service: String,
    /// Where the lines came from: tag, container and stdout or stderr. Never log text.
    pub stream: String,
    /// The container as the host names it, to find its image.
    #[serde(default)]
    pub container: Option<String>,
    /// Event time of the first line.
    #[serde(with = "nanos")]
    pub time: Timestamp,
    /// Event time of the last line; the same for a single fault.
    #[serde(with = "nanos")]
    pub last: Timestamp,
    /// One line for people. Log text may stand in it.
    pub title: String,
    /// The rule or watch that decided, in a sentence.
    pub reason: String,
    /// Label of the watch that fired; of a rate, the rule and what it was about.
    pub watch: Option<String>,
    pub trace: Option<Trace>,
    /// The lines that made the signal: header and trace, or the lines that a watch counted.
    pub lines: Vec<String>,
    /// Lines of the same stream before them, oldest first; then what other streams of the service,
    /// and neighbours that may be shown beside it, said around that time.
    pub context: Vec<ContextLine>,
    /// The commit deployed when this happened, as the record or the registry says.
    pub commit: Option<CommitId>,
}

/// Timestamps in what is stored: nanoseconds as a number.
pub mod nanos {
    use super::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(at.0)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(from).map(Timestamp)
    }
}
