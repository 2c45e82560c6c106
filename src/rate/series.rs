//! Counts of one thing over time: the last minutes one by one, a week of hours, and what that
//! past lets expect. Time is a number of minutes since the epoch. Not here: what is surprising.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Minutes that are kept one by one.
pub const MINUTES: usize = 32;
/// Hours that are kept: a week, and the hours beside the same one of last week.
const HOURS: i64 = 170;
/// A count is compared within bins of this many minutes.
pub const BIN: usize = 5;
const BINS: f64 = 12.0;
/// An hour had a clump where one bin has so many times the mean of its bins.
const CLUMP: f64 = 4.0;
/// Hours that make a week, nearly.
const WEEK: u32 = 160;
/// The dispersion that a past with nothing in it lets expect, and the events that this is worth.
const PRIOR: (f64, f64) = (2.0, 5.0);

/// One hour, in bins of five minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "(i64, u32, u32, f32)", from = "(i64, u32, u32, f32)")]
pub struct Hour {
    /// Hours since the epoch.
    at: i64,
    /// `u32::MAX`: not to be learnt from.
    sum: u32,
    /// The largest bin.
    peak: u32,
    /// Sum of the squares of the bins.
    squares: f32,
}

impl From<Hour> for (i64, u32, u32, f32) {
    fn from(hour: Hour) -> Self {
        (hour.at, hour.sum, hour.peak, hour.squares)
    }
}

impl From<(i64, u32, u32, f32)> for Hour {
    fn from((at, sum, peak, squares): (i64, u32, u32, f32)) -> Hour {
        let squares = if squares.is_finite() { squares } else { 0.0 };
        Hour {
            at,
            sum,
            peak,
            squares,
        }
    }
}

impl Hour {
    fn is_known(&self) -> bool {
        self.sum != u32::MAX
    }
}

/// How an hour is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// All of it was seen.
    Whole,
    /// Something was going on that is not to be taken for normal.
    Odd,
    /// Only a part of it was seen.
    Part,
}

/// Counts of one thing.
#[derive(Clone, Debug, Default)]
pub struct Series {
    minutes: [u32; MINUTES],
    /// The minute that is still open.
    open: u32,
    sum: u32,
    peak: u32,
    squares: f32,
    /// Ascending. An hour of nothing is left out, see [`Series::past`].
    hours: VecDeque<Hour>,
}

/// What a past lets expect of an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Past {
    /// Per minute: the most that the same hour of other days or the last day lets expect.
    pub per_minute: f64,
    /// The least of the same.
    pub least: f64,
    /// The mean of the same.
    pub usual: f64,
    /// Events for each one of the series that tells which hours were seen.
    pub share: f64,
    /// The largest bin of comparable hours.
    pub peak: f64,
    /// The largest comparable hour.
    pub fullest: f64,
    /// Variance of the bins over their mean, at least 1.
    pub dispersion: f64,
    /// Hours that were seen.
    pub hours: u32,
    /// Whether the same hour of another day is among them, and most of a day.
    pub settled: bool,
}

impl Series {
    pub fn add(&mut self) {
        self.open = self.open.saturating_add(1);
    }

    /// Ends the open minute.
    pub fn close_minute(&mut self, minute: i64) {
        let count = std::mem::take(&mut self.open);
        self.minutes[index(minute)] = count;
        self.sum = self.sum.saturating_add(count);
        if minute.rem_euclid(BIN as i64) == BIN as i64 - 1 {
            let bin = self.last(minute, BIN);
            self.peak = self.peak.max(bin);
            self.squares += bin as f32 * bin as f32;
        }
    }

    /// Ends the open hour.
    pub fn close_hour(&mut self, at: i64, close: Close, keep_empty: bool) {
        let mut hour = Hour {
            at,
            sum: self.sum.min(u32::MAX - 1),
            peak: self.peak,
            squares: self.squares,
        };
        (self.sum, self.peak, self.squares) = (0, 0, 0.0);
        match close {
            Close::Part => return,
            Close::Odd => hour.sum = u32::MAX,
            Close::Whole => {}
        }
        // After a jump back hours come again: what was first seen of them stays.
        let newer = self.hours.back().is_none_or(|last| last.at < at);
        if newer && (keep_empty || hour.sum > 0) {
            self.hours.push_back(hour);
        }
        while self
            .hours
            .front()
            .is_some_and(|first| first.at < at - HOURS)
        {
            self.hours.pop_front();
        }
    }

    /// Forgets the minutes, as after a jump of the clock.
    pub fn rebase(&mut self) {
        *self = Series {
            hours: std::mem::take(&mut self.hours),
            ..Series::default()
        };
    }

    /// Records of the last `minutes` closed minutes, `minute` being the newest.
    pub fn last(&self, minute: i64, minutes: usize) -> u32 {
        (0..minutes.min(MINUTES) as i64)
            .map(|back| self.minutes[index(minute - back)])
            .fold(0, u32::saturating_add)
    }

    /// How many of the last closed minutes had more than `limit` records.
    pub fn minutes_above(&self, minute: i64, minutes: usize, limit: f64) -> usize {
        (0..minutes.min(MINUTES) as i64)
            .filter(|back| f64::from(self.minutes[index(minute - back)]) > limit)
            .count()
    }

    /// What is to be expected in the hour `at`, by the hours from `born` on. `seen` tells which
    /// hours were seen at all: this series, or one that keeps empty hours.
    pub fn past(&self, seen: &Series, born: i64, at: i64) -> Past {
        let mut sums = Sums::default();
        let mut own = self.hours.iter().peekable();
        for hour in &seen.hours {
            while own.next_if(|mine| mine.at < hour.at).is_some() {}
            let nothing = Hour {
                at: hour.at,
                sum: 0,
                peak: 0,
                squares: 0.0,
            };
            let mine = own.peek().filter(|mine| mine.at == hour.at);
            let mine = mine.map_or(nothing, |mine| **mine);
            if mine.is_known() && (born..at).contains(&mine.at) {
                sums.add(&mine, at - mine.at);
                sums.beside += f64::from(hour.sum);
            }
        }
        sums.past()
    }

    pub fn bytes(&self) -> usize {
        size_of::<Series>() + self.hours.capacity() * size_of::<Hour>()
    }

    /// What is worth keeping over a restart.
    pub fn export(&self) -> Vec<Hour> {
        self.hours.iter().copied().collect()
    }

    pub fn load(hours: &[Hour]) -> Series {
        let mut series = Series::default();
        for hour in hours.iter().rev().take(HOURS as usize + 1) {
            if series.hours.front().is_none_or(|next| next.at > hour.at) {
                series.hours.push_front(*hour);
            }
        }
        series
    }
}

fn index(minute: i64) -> usize {
    minute.rem_euclid(MINUTES as i64) as usize
}

/// Hours of a past, as they are gone through.
#[derive(Default)]
struct Sums {
    hours: u32,
    events: f64,
    /// Events of the series that tells which hours were seen.
    beside: f64,
    /// Sum of squared deviations of bins within their hours.
    spread: f64,
    day: (f64, u32),
    /// Largest hour among those of the same time of other days, and how many there are.
    same: (f64, u32),
    sum_same: f64,
    least_same: Option<f64>,
    recent: f64,
    last: Option<f64>,
    peak: f64,
    any_peak: f64,
    fullest: f64,
    any_fullest: f64,
}

impl Sums {
    fn add(&mut self, hour: &Hour, back: i64) {
        let sum = f64::from(hour.sum);
        let peak = f64::from(hour.peak);
        self.hours += 1;
        self.events += sum;
        self.spread += (f64::from(hour.squares) - sum * sum / BINS).max(0.0);
        if back <= 24 {
            self.day = (self.day.0 + sum, self.day.1 + 1);
        }
        if back <= 3 {
            self.recent = self.recent.max(sum);
        }
        if back == 1 {
            self.last = Some(sum);
        }
        let beside = back.rem_euclid(24).min(24 - back.rem_euclid(24)) <= 1 && back > 2;
        if beside && (back <= 26 || back >= 166) {
            self.same = (self.same.0.max(sum), self.same.1 + 1);
            self.sum_same += sum;
            self.least_same = Some(self.least_same.map_or(sum, |least| least.min(sum)));
        }
        if beside || back <= 2 {
            self.peak = self.peak.max(peak);
            self.fullest = self.fullest.max(sum);
        }
        // Records that came in one clump, whenever that was.
        if peak >= CLUMP * sum / BINS {
            self.peak = self.peak.max(peak);
        }
        self.any_peak = self.any_peak.max(peak);
        self.any_fullest = self.any_fullest.max(sum);
    }

    fn past(self) -> Past {
        let settled = self.same.1 > 0 && self.day.1 >= 18;
        let hours = f64::from(self.hours.max(1));
        let mean = self.events / hours;
        let day = self.day.0 / f64::from(self.day.1.max(1));
        let most = if settled {
            // Before a week is known the same hour may have been one of another kind of day.
            let other_days = if self.hours < WEEK {
                self.any_fullest / 2.0
            } else {
                0.0
            };
            self.same.0.max(day).max(mean).max(other_days)
        } else {
            self.recent.max(mean)
        };
        let candidates = [self.least_same, self.last, (self.day.1 > 0).then_some(day)];
        let least = candidates.into_iter().flatten().fold(most, f64::min);
        let usual = if settled {
            self.sum_same / f64::from(self.same.1)
        } else {
            day
        };
        let (prior, worth) = PRIOR;
        let variance = self.spread * BINS / (BINS - 1.0);
        let dispersion = (variance + prior * worth) / (self.events + worth);
        Past {
            // Nothing seen in so many minutes is not never.
            per_minute: (most / 60.0).max(1.0 / (hours * 60.0)),
            least: least / 60.0,
            usual: usual / 60.0,
            share: self.events / self.beside.max(1.0),
            peak: if settled { self.peak } else { self.any_peak },
            fullest: if settled {
                self.fullest
            } else {
                self.any_fullest
            },
            dispersion: dispersion.max(1.0),
            hours: self.hours,
            settled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A series that had `per_minute(minute)` records in each minute of so many hours.
    fn lived(hours: i64, per_minute: impl Fn(i64) -> u32) -> Series {
        let mut series = Series::default();
        for minute in 0..hours * 60 {
            for _ in 0..per_minute(minute) {
                series.add();
            }
            series.close_minute(minute);
            if minute % 60 == 59 {
                series.close_hour(minute / 60, Close::Whole, true);
            }
        }
        series
    }

    #[test]
    fn a_steady_past_is_expected_to_go_on() {
        let series = lived(50, |_| 3);
        let past = series.past(&series, 0, 50);
        assert_eq!(past.per_minute, 3.0);
        assert_eq!(past.peak, 15.0);
        assert_eq!(past.hours, 50);
        assert!(past.settled);
        assert!(past.dispersion < 1.01, "{past:?}");
        assert_eq!(series.last(50 * 60 - 1, 5), 15);
        assert!(!lived(10, |_| 3).past(&series, 0, 10).settled);
    }

    #[test]
    fn the_same_hour_of_yesterday_counts_and_bursts_spread() {
        // Ten a minute from 3 to 4, nothing else.
        let series = lived(180, |minute| if minute / 60 % 24 == 3 { 10 } else { 0 });
        assert_eq!(series.past(&series, 0, 171).per_minute, 10.0);
        let quiet = series.past(&series, 0, 180);
        assert!(quiet.per_minute < 0.5, "{quiet:?}");
        assert_eq!(quiet.peak, 0.0);
        // All of an hour's records in one minute.
        let bursty = lived(72, |minute| if minute % 60 == 7 { 60 } else { 0 });
        let past = bursty.past(&bursty, 0, 72);
        assert!(past.dispersion > 40.0, "{past:?}");
    }

    #[test]
    fn hours_without_records_were_seen_where_others_saw_them() {
        let traffic = lived(30, |_| 1);
        let mut rare = Series::default();
        rare.hours.push_back(Hour {
            at: 10,
            sum: 6,
            peak: 6,
            squares: 36.0,
        });
        let past = rare.past(&traffic, 0, 30);
        assert_eq!(past.hours, 30);
        assert!(past.per_minute <= 0.05, "{past:?}");
        rare.hours[0].sum = u32::MAX;
        assert_eq!(rare.past(&traffic, 0, 30).hours, 29);
    }

    #[test]
    fn a_week_is_kept_and_survives() {
        let series = lived(400, |_| 1);
        assert!(series.hours.len() <= HOURS as usize + 1);
        assert!(series.bytes() < 8_192);
        let again = Series::load(&series.export());
        assert_eq!(again.past(&again, 0, 400), series.past(&series, 0, 400));
    }
}
