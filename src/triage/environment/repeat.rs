//! How often a neighbour must fail in single lines before it is an incident. One refused
//! connection that is tried again is noise; a neighbour that is down is not. Bounded in
//! neighbours; time is the events'. Not here: lines of which one is enough.

use crate::model::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Three failures of one neighbour in a minute: a client that retries at once has given up by
/// then, and a restart of the neighbour seldom takes longer.
const BURST: usize = 3;
const BURST_SPAN: Duration = Duration::from_secs(60);
/// Five in ten minutes: who backs off to a minute or two never makes three in one.
const STEADY: usize = 5;
const STEADY_SPAN: Duration = Duration::from_secs(600);
/// Neighbours that are remembered of one service; the one that failed longest ago gives way.
const MAX_NEIGHBOURS: usize = 64;
/// Bytes kept of a line that may become one of an incident's.
const LINE: usize = 400;

/// What one service's neighbours failed at lately.
#[derive(Debug, Default)]
pub struct Repeats {
    all: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    label: String,
    seen: VecDeque<(Timestamp, String)>,
}

/// A neighbour that failed often enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Often {
    pub times: usize,
    /// Event times of the first and the last that were counted.
    pub first: Timestamp,
    pub last: Timestamp,
    pub lines: Vec<String>,
}

impl Often {
    /// The rule that decided, as a sentence.
    pub fn reason(&self) -> String {
        let seconds = self.last.since(self.first).as_secs().max(1);
        format!("{} such lines within {seconds} s", self.times)
    }
}

impl Repeats {
    /// Counts a line. What was counted is forgotten when it was enough: more of it is counted
    /// anew, so that an outage goes on being seen.
    pub fn count(&mut self, label: &str, line: &str, at: Timestamp) -> Option<Often> {
        let entry = self.entry(label);
        // A clock that was set, or another file that is replayed: what was before says nothing.
        if entry
            .seen
            .back()
            .is_some_and(|(last, _)| last.since(at) > BURST_SPAN)
        {
            entry.seen.clear();
        }
        entry
            .seen
            .retain(|(time, _)| at.since(*time) <= STEADY_SPAN);
        let kept = &line[..line.floor_char_boundary(LINE)];
        entry.seen.push_back((at, kept.to_owned()));
        let near = entry
            .seen
            .iter()
            .filter(|(time, _)| at.since(*time) <= BURST_SPAN);
        if near.count() < BURST && entry.seen.len() < STEADY {
            return None;
        }
        let seen = std::mem::take(&mut entry.seen);
        let times = || seen.iter().map(|(time, _)| *time);
        Some(Often {
            times: seen.len(),
            first: times().min().unwrap_or(at),
            last: times().max().unwrap_or(at),
            lines: seen.into_iter().map(|(_, line)| line).collect(),
        })
    }

    /// The neighbour's entry, moved to the end: those that failed lately stand there.
    fn entry(&mut self, label: &str) -> &mut Entry {
        let entry = match self.all.iter().position(|entry| entry.label == label) {
            Some(at) => self.all.remove(at),
            None => Entry {
                label: label.to_owned(),
                seen: VecDeque::new(),
            },
        };
        if self.all.len() >= MAX_NEIGHBOURS {
            self.all.remove(0);
        }
        let at = self.all.len();
        self.all.push(entry);
        &mut self.all[at]
    }

    /// Bytes that it holds, about.
    pub fn bytes(&self) -> usize {
        let lines = self.all.iter().flat_map(|entry| &entry.seen);
        lines.map(|(_, line)| line.len() + 64).sum::<usize>() + self.all.len() * 200
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [i64; 0] = [];

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(1_700_000_000 + seconds, 0)
    }

    /// Which of the lines, by their seconds, were enough.
    fn fired(seconds: &[i64]) -> Vec<i64> {
        let mut repeats = Repeats::default();
        let enough = |second: &&i64| repeats.count("unreachable:db", "x", at(**second)).is_some();
        seconds.iter().filter(enough).copied().collect()
    }

    #[test]
    fn three_in_a_minute_or_five_in_ten() {
        assert_eq!(fired(&[0, 30]), NONE);
        assert_eq!(fired(&[0, 30, 60]), [60]);
        assert_eq!(fired(&[0, 30, 61]), NONE);
        assert_eq!(fired(&[0, 90, 180, 270, 360]), [360]);
        assert_eq!(fired(&[0, 200, 400, 601, 801]), NONE);
        assert_eq!(fired(&[0, 1, 2, 3, 4, 5]), [2, 5]);
    }

    #[test]
    fn neighbours_count_apart_and_are_bounded() {
        let mut repeats = Repeats::default();
        for n in 0..1_000 {
            assert_eq!(
                repeats.count(&format!("dns:h{n}"), &"é".repeat(9_000), at(n)),
                None
            );
        }
        assert_eq!(repeats.all.len(), MAX_NEIGHBOURS);
        assert!(repeats.bytes() < 64 << 10);
    }

    #[test]
    fn a_clock_set_back_begins_anew() {
        assert_eq!(fired(&[0, 1, -4_000]), NONE);
        assert_eq!(fired(&[0, 1, -4_000, -3_999, -3_998]), [-3_998]);
        assert_eq!(fired(&[0, 2, 1]), [1]);
    }

    #[test]
    fn what_was_counted_is_told() {
        let mut repeats = Repeats::default();
        repeats.count("a", "one", at(0));
        repeats.count("a", "two", at(9));
        let often = repeats.count("a", "three", at(5)).unwrap();
        assert_eq!((often.first, often.last, often.times), (at(0), at(9), 3));
        assert_eq!(often.lines, ["one", "two", "three"]);
        assert_eq!(often.reason(), "3 such lines within 9 s");
    }
}
