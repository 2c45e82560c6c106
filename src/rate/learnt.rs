//! A book as text and back, so that a restart neither calls everything new nor forgets the past;
//! and the log bill, which is read from the same text. Not here: where the text is kept.

use crate::model::{TemplateId, Timestamp};
use crate::rate::book::{Book, Limits};
use crate::rate::occurrence::Entry;
use crate::rate::rollout::Rollout;
use crate::rate::series::{Hour, Series};
use crate::rate::table::{Rest, Row};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Version of [`Learnt`]. Another one is not read.
pub const VERSION: u32 = 1;
/// Bytes of an entry and of an hour as JSON, about.
const ENTRY_TEXT: usize = 280;
const HOUR_TEXT: usize = 28;

/// A book's state for the store: versioned, self-contained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learnt {
    pub version: u32,
    /// Event time of the first record, nanoseconds.
    pub since: Option<i64>,
    /// Lines and bytes of entries that are no longer kept.
    other: (u64, u64),
    places: Vec<(String, Option<String>)>,
    traffic: Vec<Hour>,
    errors: Vec<Hour>,
    rollout: Rollout,
    entries: Vec<Saved>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Saved {
    #[serde(flatten)]
    entry: Entry,
    lines: u64,
    bytes: u64,
    first: i64,
    last: i64,
    #[serde(default)]
    spans: u8,
    #[serde(default)]
    learnt: bool,
    #[serde(default)]
    in_incident: bool,
    #[serde(default)]
    gone: bool,
    #[serde(default)]
    per_hour: f32,
    #[serde(default)]
    hours_seen: u32,
    #[serde(default)]
    place: u8,
    #[serde(default)]
    raised: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hours: Option<Vec<Hour>>,
}

/// One line of the log bill: a template of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `None`: entries that are no longer kept, together.
    pub template: Option<TemplateId>,
    pub lines: u64,
    pub bytes: u64,
    /// Whether one of its records was in an incident.
    pub in_incident: bool,
    /// Whether some of its records are errors.
    pub errors: bool,
    /// The record's key that holds the text, and the key inside where that is JSON.
    pub key: String,
    pub inner: Option<String>,
}

impl Learnt {
    /// Event time of the first record.
    pub fn since(&self) -> Option<Timestamp> {
        self.since.map(Timestamp)
    }

    /// The bill: all templates, those with most bytes first.
    pub fn bill(&self) -> Vec<Line> {
        let mut lines: BTreeMap<TemplateId, Line> = BTreeMap::new();
        for saved in &self.entries {
            let place = self.places.get(usize::from(saved.place));
            let (key, inner) = place.cloned().unwrap_or_else(|| ("log".to_owned(), None));
            let template = saved.entry.template;
            let line = lines.entry(template).or_insert(Line {
                template: Some(template),
                lines: 0,
                bytes: 0,
                in_incident: false,
                errors: false,
                key,
                inner,
            });
            line.lines = line.lines.saturating_add(saved.lines);
            line.bytes = line.bytes.saturating_add(saved.bytes);
            line.in_incident |= saved.in_incident;
            line.errors |= saved.entry.facets.is_error();
        }
        let mut lines: Vec<Line> = lines.into_values().collect();
        if self.other.0 > 0 {
            lines.push(Line {
                template: None,
                lines: self.other.0,
                bytes: self.other.1,
                in_incident: false,
                errors: false,
                key: String::new(),
                inner: None,
            });
        }
        lines.sort_by_key(|line| Reverse((line.bytes, line.lines)));
        lines
    }
}

impl Book {
    /// Its state, for [`Book::load`]; bounded by [`Limits::export`]. What does not fit is what
    /// wrote least, and past hours of errors; its lines are in the rest of the bill.
    pub fn export(&self) -> Learnt {
        let mut room = self.limits.export.saturating_sub(2 * 170 * HOUR_TEXT);
        let mut rows: Vec<&Row> = self.table.rows.iter().collect();
        rows.sort_by_key(|row| Reverse((row.learnt, row.series.is_some(), row.lines)));
        let mut other = self.table.rest;
        let mut entries = Vec::new();
        for row in rows {
            if room < ENTRY_TEXT {
                other.lines = other.lines.saturating_add(row.lines);
                other.bytes = other.bytes.saturating_add(row.bytes);
                continue;
            }
            room -= ENTRY_TEXT;
            let mut saved = of_row(row);
            let size = saved
                .hours
                .as_ref()
                .map_or(0, |hours| hours.len() * HOUR_TEXT);
            // Hours take no more than half, so that entries without any are kept too.
            if size > room.saturating_sub(self.limits.export / 2) {
                saved.hours = saved.hours.map(|_| Vec::new());
            } else {
                room -= size;
            }
            entries.push(saved);
        }
        Learnt {
            version: VERSION,
            since: self.since.map(|since| since.0),
            other: (other.lines, other.bytes),
            places: self.places.clone(),
            traffic: self.traffic.export(),
            errors: self.errors.export(),
            rollout: self.rollout.clone(),
            entries,
        }
    }

    /// A book that goes on where an exported one ended. State of another version is not read.
    pub fn load(limits: Limits, learnt: Learnt) -> Book {
        let mut book = Book::new(limits);
        if learnt.version != VERSION {
            return book;
        }
        book.since = learnt.since();
        book.table.rest = Rest {
            lines: learnt.other.0,
            bytes: learnt.other.1,
        };
        book.places = learnt.places;
        book.places.truncate(crate::rate::book::MAX_PLACES);
        book.traffic = Series::load(&learnt.traffic);
        book.errors = Series::load(&learnt.errors);
        book.rollout = learnt.rollout.bounded();
        for saved in learnt.entries {
            book.take(saved);
        }
        book
    }

    fn take(&mut self, saved: Saved) {
        let full = self.table.rows.len() >= self.limits.rows();
        if full || self.table.find(&saved.entry).is_some() {
            self.table.rest.lines += saved.lines;
            self.table.rest.bytes += saved.bytes;
            return;
        }
        let mut row = Row::new(saved.entry, Timestamp(saved.first), i64::MIN);
        row.last_seen = Timestamp(saved.last);
        (row.lines, row.bytes) = (saved.lines, saved.bytes);
        (row.spans, row.learnt) = (saved.spans, saved.learnt);
        (row.in_incident, row.gone) = (saved.in_incident, saved.gone);
        (row.hours_seen, row.raised) = (saved.hours_seen, saved.raised);
        row.per_hour = if saved.per_hour.is_finite() {
            saved.per_hour.max(0.0)
        } else {
            0.0
        };
        row.place = saved.place;
        let room = self.rated.len() < self.limits.series();
        let series = saved.hours.filter(|_| room);
        row.series = series.map(|hours| Box::new(Series::load(&hours)));
        let has_series = row.series.is_some();
        if let Some(put) = self.table.insert(row)
            && has_series
        {
            self.rated.push(put.at as u32);
        }
    }
}

fn of_row(row: &Row) -> Saved {
    Saved {
        entry: row.entry,
        lines: row.lines,
        bytes: row.bytes,
        first: row.first_seen.0,
        last: row.last_seen.0,
        spans: row.spans,
        learnt: row.learnt,
        in_incident: row.in_incident,
        gone: row.gone,
        per_hour: row.per_hour,
        hours_seen: row.hours_seen,
        place: row.place,
        raised: row.raised,
        hours: row.series.as_ref().map(|series| series.export()),
    }
}
