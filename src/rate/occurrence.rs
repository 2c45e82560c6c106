//! What goes into a book and what comes out of it: nouns only.

use crate::model::{CommitId, Facets, TemplateId, Timestamp};
use crate::rate::deploy::Deploy;
use crate::rate::restarts::Slot;
use crate::template::Novelty;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One record, as a book sees it. Borrowed: nothing of it is kept for an entry that is known.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'a> {
    pub template: TemplateId,
    pub facets: Facets,
    /// Level error or above, or an HTTP answer of 5xx ([`Facets::is_error`]).
    pub error: bool,
    /// Event time.
    pub time: Timestamp,
    /// Size of the line, as the bill counts it.
    pub bytes: u32,
    /// The commit that wrote it, where that is known.
    pub commit: Option<&'a CommitId>,
    /// Whether it is a line of access: an HTTP answer with a status.
    pub request: bool,
    pub novelty: Novelty,
    /// Whose start-up banner it may be; see [`crate::rate::Restarts`].
    pub slot: Slot,
    /// Where in the record the text stood; read only when the entry is new.
    pub place: Place<'a>,
}

/// The key that holds a line's text, so that a filter can be written for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Key of the record: `log`, `message`; a dotted path where maps are nested.
    pub key: &'a str,
    /// Where the value of that key is JSON in a text: the key inside it.
    pub inner: Option<&'a str>,
}

impl Default for Place<'_> {
    fn default() -> Self {
        Place {
            key: "log",
            inner: None,
        }
    }
}

/// One entry: a template with its facets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    pub template: TemplateId,
    #[serde(flatten)]
    pub facets: Facets,
}

/// What a book noticed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An entry that was not in the book.
    Novel(Entry),
    /// An entry whose template became more general.
    Changed(Entry),
    /// A regular entry that fell silent while the service went on.
    Gone(Gone),
    /// An error entry that left its own past behind; worth a signal of kind rate.
    Rate(Rate),
    /// Two commits, side by side. Worth a line in the store each time, and a signal of kind rate
    /// where [`Deploy::is_alarming`] says so (once for each pair of commits).
    Deploy(Box<Deploy>),
}

/// A regular entry that fell silent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gone {
    pub entry: Entry,
    pub last_seen: Timestamp,
    /// Records an hour, before.
    pub per_hour: f64,
}

/// An error entry that left its own past behind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub entry: Entry,
    /// Records in the window.
    pub seen: u64,
    /// Records that its own past would have let expect in such a window.
    pub expected: f64,
    pub window: Duration,
    /// Event time of the window's beginning and of its end.
    pub first: Timestamp,
    pub last: Timestamp,
    /// Whether the entry first appeared within the last hour.
    pub novel: bool,
    /// Natural logarithm of the bound on the chance of this; below zero.
    pub ln_chance: f64,
    /// Other error entries that rose in the same minute; they make no signal of their own.
    pub also: u32,
}

impl Rate {
    /// The rule that decided, as a sentence without log text.
    pub fn reason(&self) -> String {
        let minutes = self.window.as_secs() / 60;
        let also = match self.also {
            0 => String::new(),
            1 => "; one other error rose with it".to_owned(),
            n => format!("; {n} other errors rose with it"),
        };
        if self.novel {
            return format!(
                "an error that was not there before was logged {} times in {minutes} minutes{also}",
                self.seen
            );
        }
        format!(
            "logged {} times in {minutes} minutes, where its own past lets expect {:.1}{also}",
            self.seen, self.expected
        )
    }
}

/// What triage reads in batches.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    pub what: What,
    pub entry: Entry,
    /// Records so far.
    pub count: u64,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// Records of the last full hour over the mean of the hours before; `None` without a past.
    pub against_past: Option<f64>,
    /// A record of it was in an incident.
    pub in_incident: bool,
}

/// Why an entry is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    Novel,
    Changed,
    Gone,
    /// An error entry that left its own past behind.
    Rising,
}
