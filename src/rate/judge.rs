//! What is asked when a minute or an hour ends: which regular entries fell silent, which commit
//! is worse, which entries are no longer worth a place. Not here: which errors left their own
//! past behind (`rise`).

use crate::model::Timestamp;
use crate::rate::book::Book;
use crate::rate::deploy::NewError;
use crate::rate::occurrence::{Change, What};
use crate::rate::series::Close;
use crate::rate::table::Row;
use std::time::Duration;

/// An entry that was not missed within so many hours is not missed any more.
const LONGEST_SILENCE: u32 = 8;
/// Of the last 24 hours, in how many a regular entry was seen.
const REGULAR: u32 = 20;
pub(super) const ALWAYS: i64 = i64::MIN;
/// Records that are missed before a regular entry counts as gone.
const MISSED: f32 = 20.0;
/// Hours without a record after which an entry is no longer kept for its past.
const FORGOTTEN: Duration = Duration::from_secs(8 * 24 * 3600);

impl Book {
    /// Ends so many minutes. Only the first of them had records.
    pub(super) fn close_minutes(&mut self, minutes: i64) {
        for nth in 0..minutes {
            let minute = self.clock.minute();
            self.close_minute(minute);
            if nth == 0 {
                self.judge_rates(minute);
                self.judge_rollout(minute);
            }
            if minute.rem_euclid(60) == 59 {
                self.close_hour(minute);
            }
            self.clock.next();
        }
    }

    fn close_minute(&mut self, minute: i64) {
        self.traffic.close_minute(minute);
        self.errors.close_minute(minute);
        for at in &self.rated {
            let row = self.table.rows.get_mut(*at as usize);
            if let Some(series) = row.and_then(|row| row.series.as_mut()) {
                series.close_minute(minute);
            }
        }
        self.rollout.close_minute(minute);
    }

    fn close_hour(&mut self, minute: i64) {
        let hour = minute.div_euclid(60);
        let whole = if self.clock.saw_hour(minute) {
            Close::Whole
        } else {
            Close::Part
        };
        self.traffic.close_hour(hour, whole, true);
        self.errors.close_hour(hour, whole, false);
        let alive = self.traffic.last(minute, 30) + self.errors.last(minute, 30) > 0;
        let mut gone = Vec::new();
        for (at, row) in self.table.rows.iter_mut().enumerate() {
            // The first hour of a rise is learnt: what comes in bursts is known by its bursts.
            let odd = row.raised.is_some_and(|since| since.div_euclid(60) < hour);
            if let Some(series) = &mut row.series {
                let close = if odd && whole == Close::Whole {
                    Close::Odd
                } else {
                    whole
                };
                series.close_hour(hour, close, false);
            }
            row.last_hour = std::mem::take(&mut row.hour);
            if whole == Close::Part {
                continue;
            }
            if alive && falls_silent(row) {
                row.gone = true;
                gone.push(at);
            }
        }
        for at in gone {
            self.tell(What::Gone, at);
        }
        self.forget(minute);
        self.usual_dispersion = self.median_dispersion(hour + 1);
    }

    /// How much the errors of this service come in clumps: of those with a past, the middle one.
    fn median_dispersion(&self, hour: i64) -> f32 {
        let rows = self
            .rated
            .iter()
            .filter_map(|at| self.table.rows.get(*at as usize));
        let series = rows.filter_map(|row| row.series.as_ref());
        let pasts = series.map(|series| series.past(&self.traffic, ALWAYS, hour).dispersion);
        let mut all: Vec<f64> = pasts.collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).map_or(1.0, |middle| *middle as f32)
    }

    /// Entries that were not seen for more than a week give way like any other.
    fn forget(&mut self, minute: i64) {
        let now = start_of(minute);
        for at in 0..self.table.rows.len() {
            let old = self
                .table
                .rows
                .get(at)
                .is_some_and(|row| now.since(row.last_seen) > FORGOTTEN);
            if old {
                self.table.unlearn(at);
                if let Some(row) = self.table.rows.get_mut(at) {
                    row.series = None;
                }
            }
        }
        let rows = &self.table.rows;
        self.rated.retain(|at| {
            rows.get(*at as usize)
                .is_some_and(|row| row.series.is_some())
        });
    }

    fn judge_rollout(&mut self, minute: i64) {
        if !self.rollout.wants_judging(minute) {
            return;
        }
        let started = self.rollout.started().unwrap_or_default();
        let number = self.rollout.number;
        let only_new =
            |row: &&Row| row.rollout == number && row.sides[0] == 0 && row.first_seen >= started;
        let errors = self
            .rated
            .iter()
            .filter_map(|at| self.table.rows.get(*at as usize));
        let errors = errors.filter(only_new).map(|row| NewError {
            entry: row.entry,
            count: u64::from(row.sides[1]),
        });
        let new_errors = errors.filter(|error| error.count > 0).collect();
        let past = self
            .errors
            .past(&self.traffic, ALWAYS, minute.div_euclid(60));
        let clump = past.dispersion.clamp(1.0, 20.0);
        if let Some(deploy) = self.rollout.judge(minute, new_errors, clump) {
            self.change(Change::Deploy(Box::new(deploy)));
        }
    }
}

/// Takes the hour that ended into account; whether a regular entry is missed since.
fn falls_silent(row: &mut Row) -> bool {
    let seen = row.last_hour > 0;
    row.gone &= !seen;
    row.hours_seen = row.hours_seen << 1 | u32::from(seen);
    let silent = row.hours_seen.trailing_zeros();
    if seen || silent > LONGEST_SILENCE {
        let by = if row.per_hour == 0.0 { 1.0 } else { 1.0 / 12.0 };
        row.per_hour += (row.last_hour as f32 - row.per_hour) * by;
        return false;
    }
    let day_before = (row.hours_seen >> silent & 0x00ff_ffff).count_ones();
    !row.gone && day_before >= REGULAR && row.per_hour * silent as f32 >= MISSED
}

pub(super) fn start_of(minute: i64) -> Timestamp {
    Timestamp::from_parts(minute.saturating_mul(60), 0)
}
