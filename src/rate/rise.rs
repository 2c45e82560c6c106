//! Error entries that leave their own past behind. A count is compared with the same hour of
//! other days, scaled with the traffic; the bound on its chance is that of a negative binomial
//! with the dispersion of its own past, corrected for the number of entries, looks and minutes
//! in a week. One signal tells of all that rose together. Not here: the past (`series`), the
//! bound (`chance`).

use crate::rate::book::Book;
use crate::rate::chance::ln_tail;
use crate::rate::judge::{ALWAYS, start_of};
use crate::rate::occurrence::{Change, Rate, What};
use crate::rate::series::{BIN, Past, Series};
use crate::rate::table::Row;
use std::time::Duration;

/// False signals that chance may make in a service-week.
const PER_WEEK: f64 = 0.1;
const MINUTES_PER_WEEK: f64 = 10_080.0;

/// A rate is looked at over a short and over a long window, in minutes.
const SHORT: Window = Window {
    minutes: BIN,
    least: 20,
};
const LONG: Window = Window {
    minutes: 30,
    least: 24,
};
/// A rate matters when it is so many times what is expected, and in the first day, when no hour
/// of yesterday is known.
const FACTOR: f64 = 2.5;
const FACTOR_UNSETTLED: f64 = 6.0;
/// Comparable hours had bursts: a rate must be above the largest by this factor.
const ABOVE_PEAK: f64 = 1.25;
/// An error that was not there before, in the first day and in the first hours.
const LEAST_UNSETTLED: u32 = 100;
/// The same after a deploy, when texts change; or half as many again as all errors together.
const LEAST_REWORDED: u32 = 100;
/// The same without any past: its share of all records.
const SHARE_WITHOUT_PAST: f64 = 0.2;
const FULL_MINUTES: i64 = 10;
/// The share from which an error fills the log: it need not last as long to be believed.
const HALF: f64 = 0.5;
/// After a start or a first record of a commit, so many minutes are noisy.
const DISTURBED: i64 = 20;
/// One signal tells of a rise; whoever is still up after this long makes the next one.
const BETWEEN: i64 = 60;
/// A raised entry is normal again after so many calm minutes.
const CALM: u16 = 30;
/// What lasts longer is the new normal.
const NEW_NORMAL: i64 = 24 * 60;
/// More traffic explains more errors, up to this factor.
const MAX_SCALE: f64 = 20.0;

/// An error is new in the hour in which it came and in the next one.
const NEW_HOURS: i64 = 2;
/// From this many hours on the same hour of yesterday is known.
const SETTLED_HOURS: i64 = 26;
#[derive(Clone, Copy)]
struct Window {
    minutes: usize,
    least: u32,
}

/// What one minute's look at an entry found.
struct Found {
    at: usize,
    rate: Rate,
    excess: f64,
}

/// How long an entry is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// An hour or two.
    New,
    /// Not a day, or its service is not.
    Young,
    Settled,
}

/// What an entry's own past lets expect.
struct Aged {
    age: Age,
    per_minute: f64,
    dispersion: f64,
    peak: f64,
    fullest: f64,
}

/// The service as a whole, in the minute that ended.
struct Whole {
    minute: i64,
    /// Records a minute now, beside errors.
    traffic: f64,
    /// How much more traffic than expected there is, at least 1.
    scale: f64,
    errors: Past,
    /// Whether most of a day is known.
    settled: bool,
    hours: u32,
    disturbed: bool,
    /// Whether a program started or a commit came within a day.
    deployed: bool,
    /// ln of the chance below which a count is no chance.
    limit: f64,
}

impl Book {
    pub(super) fn judge_rates(&mut self, minute: i64) {
        let mut whole = None;
        let mut found: Vec<Found> = Vec::new();
        for nth in 0..self.rated.len() {
            let at = self.rated.get(nth).map_or(usize::MAX, |at| *at as usize);
            let Some(row) = self.table.rows.get(at) else {
                continue;
            };
            let Some(series) = &row.series else { continue };
            let short = series.last(minute, SHORT.minutes);
            let long = series.last(minute, LONG.minutes);
            if row.raised.is_none() && short < SHORT.least && long < LONG.least {
                continue;
            }
            let whole = whole.get_or_insert_with(|| self.whole(minute));
            let past = self.past_of(row, series, whole);
            if row.raised.is_some() {
                let usual = past.per_minute * whole.scale * LONG.minutes as f64;
                self.settle(at, minute, f64::from(long) <= 2.0 * usual + 10.0);
                continue;
            }
            let looks = [SHORT, LONG].map(|window| self.look(at, window, &past, whole));
            let best = looks.into_iter().flatten();
            found.extend(best.max_by(|one, two| one.excess.total_cmp(&two.excess)));
        }
        self.signal(minute, found);
    }

    fn whole(&self, minute: i64) -> Whole {
        let hour = minute.div_euclid(60);
        let past = self.traffic.past(&self.traffic, ALWAYS, hour);
        let now = f64::from(self.traffic.last(minute, 10)) / 10.0;
        let scale = if past.hours == 0 {
            1.0
        } else {
            now / past.per_minute
        };
        let tests = MINUTES_PER_WEEK * 2.0 * self.rated.len().max(1) as f64;
        let since = self.disturbed.map_or(i64::MAX, |at| minute - at);
        Whole {
            minute,
            traffic: now,
            scale: scale.clamp(1.0, MAX_SCALE),
            errors: self.errors.past(&self.traffic, ALWAYS, hour),
            settled: past.settled,
            hours: past.hours,
            disturbed: (0..DISTURBED).contains(&since),
            deployed: (0..NEW_NORMAL).contains(&since),
            limit: (PER_WEEK / tests).ln(),
        }
    }

    /// What an entry's own past lets expect, at its age.
    fn past_of(&self, row: &Row, series: &Series, whole: &Whole) -> Aged {
        let hour = whole.minute.div_euclid(60);
        let born = row.first_seen.0.div_euclid(3_600_000_000_000);
        let age = match hour - born {
            0..NEW_HOURS => Age::New,
            age if age >= SETTLED_HOURS && whole.settled => Age::Settled,
            _ => Age::Young,
        };
        let from = if age == Age::New { ALWAYS } else { born };
        let past = series.past(&self.traffic, from, hour);
        let clumps = 2.0 * f64::from(self.usual_dispersion);
        let (per_minute, dispersion, peak) = match age {
            // What is new is expected to come in clumps as other errors do.
            Age::New => (past.per_minute, clumps.clamp(3.0, 12.0), past.peak),
            // Of less than a day the fullest hour counts, and its share of the traffic.
            Age::Young => {
                let most = past.per_minute.max(past.fullest / 60.0);
                let spread = past.dispersion.max(clumps.clamp(3.0, 12.0));
                (most.max(past.share * whole.traffic), spread, past.peak)
            }
            Age::Settled => (past.per_minute, past.dispersion, past.peak),
        };
        Aged {
            age,
            per_minute,
            dispersion,
            peak,
            fullest: past.fullest,
        }
    }

    fn look(&self, at: usize, window: Window, past: &Aged, whole: &Whole) -> Option<Found> {
        let row = self.table.rows.get(at)?;
        let series = row.series.as_ref()?;
        let minutes = window.minutes as f64;
        let all = series.last(whole.minute, window.minutes);
        // An error that was put into other words took the place of one that is missed.
        let seen = f64::from(all) - self.missing(all, window, whole);
        let expected = past.per_minute * minutes * whole.scale;
        let settled = past.age == Age::Settled || past.age == Age::New && whole.settled;
        let factor = if settled { FACTOR } else { FACTOR_UNSETTLED };
        let peak = match window.minutes {
            BIN => past.peak,
            // No half hour had more than its hour; a steady hour has twice as much.
            _ => (past.fullest / 2.0).max(past.peak),
        };
        let reworded = past.age == Age::New && whole.deployed;
        let enough = if !settled {
            f64::from(LEAST_UNSETTLED)
        } else if reworded {
            let usual = 1.5 * whole.errors.usual * minutes;
            usual.max(f64::from(LEAST_REWORDED))
        } else {
            f64::from(window.least)
        };
        if seen < enough || seen < factor * expected || seen < ABOVE_PEAK * peak {
            return None;
        }
        let fills = whole.hours == 0 && self.fills_the_log(seen, window, whole);
        if !self.lasts(at, window, expected / minutes, settled, fills, whole) {
            return None;
        }
        if whole.hours == 0 && !self.is_strong(at, seen, window, whole) {
            return None;
        }
        let ln_chance = ln_tail(seen, expected, past.dispersion);
        (ln_chance <= whole.limit).then(|| Found {
            at,
            excess: -ln_chance,
            rate: Rate {
                entry: row.entry,
                seen: u64::from(all),
                expected,
                window: Duration::from_secs(60 * window.minutes as u64),
                first: start_of(whole.minute - window.minutes as i64 + 1),
                last: row.last_seen,
                novel: past.age == Age::New,
                ln_chance,
                also: 0,
            },
        })
    }

    /// Errors that should be there beside this entry's and are not.
    fn missing(&self, own: u32, window: Window, whole: &Whole) -> f64 {
        let all = self.errors.last(whole.minute, window.minutes);
        let others = f64::from(all.saturating_sub(own));
        // After a deploy it is likely that texts changed.
        let expected = if whole.deployed {
            whole.errors.usual
        } else {
            whole.errors.least
        };
        (expected * window.minutes as f64 - others).max(0.0)
    }

    /// One minute's burst is no rate. After a deploy or a start, and while no day is known, it
    /// has to last longer.
    fn lasts(
        &self,
        at: usize,
        window: Window,
        per_minute: f64,
        settled: bool,
        fills: bool,
        whole: &Whole,
    ) -> bool {
        let series = self.table.rows.get(at).and_then(|row| row.series.as_ref());
        let Some(series) = series else { return false };
        let careful = whole.disturbed || !settled;
        let (of, need) = match (window.minutes, careful) {
            (BIN, false) => (BIN, 4),
            (BIN, true) if fills => (10, 6),
            (BIN, true) => (10, 8),
            (all, false) => (all, 8),
            (all, true) => (all, 15),
        };
        series.minutes_above(whole.minute, of, 2.0 * per_minute) >= need
    }

    /// Whether half of all that is logged is this.
    fn fills_the_log(&self, seen: f64, window: Window, whole: &Whole) -> bool {
        let (minutes, minute) = (window.minutes, whole.minute);
        let all = self.traffic.last(minute, minutes) + self.errors.last(minute, minutes);
        seen >= HALF * f64::from(all)
    }

    /// Without any past: only what began after the first minutes and is a good part of all that
    /// is logged.
    fn is_strong(&self, at: usize, seen: f64, window: Window, whole: &Whole) -> bool {
        let Some(row) = self.table.rows.get(at) else {
            return false;
        };
        let began = row.first_seen.0.div_euclid(60_000_000_000) - self.clock.started();
        let minutes = window.minutes;
        let all =
            self.traffic.last(whole.minute, minutes) + self.errors.last(whole.minute, minutes);
        began >= FULL_MINUTES && seen >= SHARE_WITHOUT_PAST * f64::from(all)
    }

    /// One signal for all that rose together: the least likely.
    fn signal(&mut self, minute: i64, found: Vec<Found>) {
        let recent = self.signalled.map_or(i64::MAX, |at| minute - at);
        if (0..BETWEEN).contains(&recent) {
            return;
        }
        let also = found.len().saturating_sub(1) as u32;
        let mut worst: Option<Found> = None;
        for one in found {
            if let Some(row) = self.table.rows.get_mut(one.at) {
                (row.raised, row.calm) = (Some(minute), 0);
            }
            if worst.as_ref().is_none_or(|worst| one.excess > worst.excess) {
                worst = Some(one);
            }
        }
        if let Some(worst) = worst {
            self.signalled = Some(minute);
            self.tell(What::Rising, worst.at);
            self.change(Change::Rate(Rate { also, ..worst.rate }));
        }
    }

    /// Whether a raised entry is normal again, or what it does now is the new normal.
    fn settle(&mut self, at: usize, minute: i64, calm: bool) {
        let Some(row) = self.table.rows.get_mut(at) else {
            return;
        };
        row.calm = if calm { row.calm + 1 } else { 0 };
        let since = row.raised.map_or(0, |since| minute - since);
        if row.calm >= CALM || !(0..NEW_NORMAL).contains(&since) {
            (row.raised, row.calm) = (None, 0);
        }
    }
}
