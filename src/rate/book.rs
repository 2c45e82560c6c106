//! The book of one service: every entry with its counts, and what a record changes in it. A
//! record costs one look-up; what is surprising is asked when a minute ends. Not here: the
//! asking (`judge`), the statistics (`series`, `chance`).

use crate::model::{Kind, TemplateId, Timestamp};
use crate::rate::clock::{Clock, Step};
use crate::rate::occurrence::{Change, Entry, Gone, News, Occurrence, Place, What};
use crate::rate::restarts::{Loop, Restarts, Slot};
use crate::rate::rollout::{Counted, Rollout, Side};
use crate::rate::series::Series;
use crate::rate::table::{Put, Row, Table};
use crate::template::Novelty;
use std::collections::VecDeque;

/// News that wait for triage.
const MAX_NEWS: usize = 256;
/// Changes that wait to be taken.
const MAX_CHANGES: usize = 256;
/// An error entry's counts over time are kept from its so-manieth record on: entries that come
/// once would take the room of those that matter.
const SERIES_FROM: u64 = 3;
/// Places of text that are told apart.
pub(super) const MAX_PLACES: usize = 32;
/// What a series takes when its week is full.
const SERIES_BYTES: usize = 4_600;

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

impl Limits {
    /// Rows that fit: the smaller of the limit and of three fifths of the memory.
    pub(super) fn rows(&self) -> usize {
        self.entries.min(self.bytes / 5 * 3 / Table::ROW_BYTES)
    }

    /// Series that fit into the rest.
    pub(super) fn series(&self) -> usize {
        self.bytes / 5 * 2 / SERIES_BYTES
    }
}

/// Everything that was counted of one service.
#[derive(Debug)]
pub struct Book {
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    pub(super) table: Table,
    /// All records but errors, in which empty hours are kept: the measure of what was seen.
    pub(super) traffic: Series,
    /// All errors.
    pub(super) errors: Series,
    /// Rows that have a series.
    pub(super) rated: Vec<u32>,
    pub(super) rollout: Rollout,
    pub(super) restarts: Restarts,
    found_loop: Option<Loop>,
    pub(super) places: Vec<(String, Option<String>)>,
    pub(super) changes: VecDeque<Change>,
    news: VecDeque<News>,
    news_lost: u64,
    /// Event time of the first record.
    pub(super) since: Option<Timestamp>,
    /// Minute in which a program last started or a commit first came.
    pub(super) disturbed: Option<i64>,
    /// Minute of the last rate signal.
    pub(super) signalled: Option<i64>,
    /// Dispersion of the middle one of the error entries.
    pub(super) usual_dispersion: f32,
    /// Records that came too late or too early to be counted in a minute.
    astray: u64,
}

impl Book {
    pub fn new(limits: Limits) -> Book {
        Book {
            limits,
            clock: Clock::default(),
            table: Table::new(limits.rows()),
            traffic: Series::default(),
            errors: Series::default(),
            rated: Vec::new(),
            rollout: Rollout::default(),
            restarts: Restarts::default(),
            found_loop: None,
            places: Vec::new(),
            changes: VecDeque::new(),
            news: VecDeque::new(),
            news_lost: 0,
            since: None,
            disturbed: None,
            signalled: None,
            usual_dispersion: 1.0,
            astray: 0,
        }
    }

    /// Counts a record. What it (or the minute that it ended) changed comes back one by one:
    /// after a `Some`, ask [`Book::next_change`] until there is none.
    pub fn observe(&mut self, record: &Occurrence<'_>) -> Option<Change> {
        let in_time = self.keep_time(record.time);
        let entry = Entry {
            template: record.template,
            facets: record.facets,
        };
        let found = self.table.find(&entry);
        let Some(at) = found.or_else(|| self.unknown(entry, record)) else {
            self.table.rest.lines += 1;
            self.table.rest.bytes += u64::from(record.bytes);
            return self.changes.pop_front();
        };
        let minute = self.clock.minute();
        let side = self.count_commit(record);
        if let Some(row) = self.table.rows.get_mut(at) {
            row.lines += 1;
            row.bytes += u64::from(record.bytes);
            row.last_seen = row.last_seen.max(record.time);
            row.fresh = true;
            if in_time {
                row.hour = row.hour.saturating_add(1);
                if let Some(series) = &mut row.series {
                    series.add();
                }
            }
            if side != Side::Neither {
                if row.rollout != self.rollout.number {
                    (row.rollout, row.sides) = (self.rollout.number, [0; 2]);
                }
                let side = &mut row.sides[usize::from(side == Side::New)];
                *side = side.saturating_add(1);
            }
            if row.minute != minute {
                row.minute = minute;
                self.table.seen_again(at);
            }
        }
        if record.error {
            self.count_error(at, in_time);
        } else if in_time {
            self.traffic.add();
        }
        if record.novelty == Novelty::Changed {
            self.tell(What::Changed, at);
        }
        if self.restarts.is_waiting() {
            self.listen_for_banner(record, at);
        }
        self.changes.pop_front()
    }

    /// Counts a line that goes on with what a record of this entry began, such as the frames of a
    /// stack trace: for the bill only, it is no record of its own.
    pub fn follow(&mut self, entry: &Entry, bytes: u32) {
        let at = self.table.find(entry);
        let at = at.or_else(|| self.table.find(&self.table.folded(*entry)));
        if let Some(row) = at.and_then(|at| self.table.rows.get_mut(at)) {
            row.lines += 1;
            row.bytes += u64::from(bytes);
        } else {
            self.table.rest.lines += 1;
            self.table.rest.bytes += u64::from(bytes);
        }
    }

    fn keep_time(&mut self, time: Timestamp) -> bool {
        match self.clock.step(time) {
            Step::Now => true,
            Step::Astray => {
                self.astray += 1;
                false
            }
            Step::Forward(minutes) => {
                self.close_minutes(minutes);
                true
            }
            Step::Rebased => {
                self.rebase();
                true
            }
        }
    }

    fn rebase(&mut self) {
        self.traffic.rebase();
        self.errors.rebase();
        for at in &self.rated {
            if let Some(row) = self.table.rows.get_mut(*at as usize)
                && let Some(series) = &mut row.series
            {
                series.rebase();
            }
        }
        for row in &mut self.table.rows {
            row.hour = 0;
        }
        self.rollout.rebase(self.clock.minute());
    }

    /// A row for a record whose entry is in none; `None` when there is no room for it.
    fn unknown(&mut self, entry: Entry, record: &Occurrence<'_>) -> Option<usize> {
        let folded = self.table.folded(entry);
        if folded != entry
            && let Some(at) = self.table.find(&folded)
        {
            return Some(at);
        }
        self.since = Some(self.since.unwrap_or(record.time));
        let place = self.place(record.place);
        let mut row = Row::new(folded, record.time, self.clock.minute());
        row.place = place;
        let Put { at, had_series } = self.table.insert(row)?;
        if had_series {
            self.rated.retain(|rated| *rated as usize != at);
        }
        if record.novelty != Novelty::Full {
            self.tell(What::Novel, at);
        }
        Some(at)
    }

    fn place(&mut self, place: Place<'_>) -> u8 {
        let same = |known: &(String, Option<String>)| {
            known.0 == place.key && known.1.as_deref() == place.inner
        };
        if let Some(at) = self.places.iter().position(same) {
            return at as u8;
        }
        let short = |text: &str| text[..text.floor_char_boundary(128)].to_owned();
        if self.places.len() >= MAX_PLACES {
            return 0;
        }
        self.places.push((short(place.key), place.inner.map(short)));
        (self.places.len() - 1) as u8
    }

    fn count_commit(&mut self, record: &Occurrence<'_>) -> Side {
        let Some(commit) = record.commit else {
            return Side::Neither;
        };
        let counted = Counted {
            error: record.error,
            request: record.request,
            server_error: record.facets.is_server_error(),
        };
        let number = self.rollout.number;
        let minute = self.clock.minute();
        let side = self.rollout.count(commit, counted, record.time, minute);
        if self.rollout.number != number {
            self.disturbed = Some(minute);
        }
        side
    }

    fn count_error(&mut self, at: usize, in_time: bool) {
        if in_time {
            self.errors.add();
        }
        let room = self.rated.len() < self.limits.series();
        let Some(row) = self.table.rows.get_mut(at) else {
            return;
        };
        if row.series.is_none() && row.lines >= SERIES_FROM && room {
            row.series = Some(Box::default());
            self.rated.push(at as u32);
        }
    }

    fn listen_for_banner(&mut self, record: &Occurrence<'_>, at: usize) {
        if record.error || record.request {
            return;
        }
        let seen = self.table.rows.get(at).map_or(0, |row| row.lines);
        let found = self
            .restarts
            .line(record.slot, record.template, seen, record.time);
        self.found_loop = found.or(self.found_loop);
    }

    /// Puts an entry into the news and the changes.
    pub(super) fn tell(&mut self, what: What, at: usize) {
        self.put_news(what, at);
        let Some(row) = self.table.rows.get(at) else {
            return;
        };
        let change = match what {
            What::Novel => Change::Novel(row.entry),
            What::Changed => Change::Changed(row.entry),
            What::Gone => Change::Gone(Gone {
                entry: row.entry,
                last_seen: row.last_seen,
                per_hour: f64::from(row.per_hour),
            }),
            // It is told with its statistics.
            What::Rising => return,
        };
        self.change(change);
    }

    fn put_news(&mut self, what: What, at: usize) {
        let Some(row) = self.table.rows.get(at) else {
            return;
        };
        let past = (row.per_hour > 0.0).then(|| f64::from(row.last_hour) / f64::from(row.per_hour));
        let news = News {
            what,
            entry: row.entry,
            count: row.lines,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
            against_past: past,
            in_incident: row.in_incident,
        };
        if self.news.len() < MAX_NEWS {
            self.news.push_back(news);
        } else {
            self.news_lost += 1;
        }
    }

    pub(super) fn change(&mut self, change: Change) {
        if self.changes.len() < MAX_CHANGES {
            self.changes.push_back(change);
        }
    }

    /// What else was noticed.
    pub fn next_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// A restart loop that a banner gave away, once.
    pub fn take_loop(&mut self) -> Option<Loop> {
        self.found_loop.take()
    }

    /// A program began to write: a stream of the service is new. See [`Restarts::started`].
    pub fn started(&mut self, slot: Slot, instance: u64, time: Timestamp) -> Option<Loop> {
        self.disturbed = Some(self.clock.minute());
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

    /// Novel, changed and gone entries since the last call, oldest first, with their counts by
    /// now. Bounded; what did not fit is counted in [`Book::news_lost`].
    pub fn take_news(&mut self) -> Vec<News> {
        let mut all: Vec<News> = self.news.drain(..).collect();
        for news in &mut all {
            let row = self.table.find(&news.entry);
            if let Some(row) = row.and_then(|at| self.table.rows.get(at)) {
                (news.count, news.last_seen) = (row.lines, row.last_seen);
                news.in_incident = row.in_incident;
            }
        }
        all
    }

    /// News that wait.
    pub fn news(&self) -> usize {
        self.news.len()
    }

    pub fn news_lost(&self) -> u64 {
        self.news_lost
    }

    /// Records that came too early or too late to be counted in their minute. Totals and the
    /// bill have them.
    pub fn astray(&self) -> u64 {
        self.astray
    }

    /// Entries that gave way to others.
    pub fn evicted(&self) -> u64 {
        self.table.evicted
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.table.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.table.rows.is_empty()
    }

    /// Notes that a record of this template was in an incident.
    pub fn mark(&mut self, template: TemplateId) {
        for row in &mut self.table.rows {
            row.in_incident |= row.entry.template == template;
        }
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        let series = self.rated.iter().filter_map(|at| {
            let row = self.table.rows.get(*at as usize)?;
            row.series.as_ref().map(|series| series.bytes())
        });
        let waiting = self.news.len() * size_of::<News>() + self.changes.len() * 96;
        size_of::<Book>()
            + self.table.rows.len() * Table::ROW_BYTES
            + series.sum::<usize>()
            + waiting
            + self.restarts.bytes()
    }
}

#[cfg(test)]
mod tests;
