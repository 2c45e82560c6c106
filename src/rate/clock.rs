//! The book's own time: the minute of event time that is open, moved by the records. A record
//! that is a little late counts now; one that is far off counts in no minute, until enough of
//! them in a row agree on another time. Not here: what happens when a minute ends.

use crate::model::Timestamp;

/// A gap of so many minutes is a gap; a longer one is a jump of the clock.
const MAX_GAP: i64 = 60;
/// Records in a row that agree on another time, before it is believed.
const VOTES: u32 = 8;
/// Hours that end within so many minutes after a jump were not seen as a whole.
const AFTERMATH: i64 = 60;

/// What a record does to the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It belongs to the open minute.
    Now,
    /// So many minutes end before it.
    Forward(i64),
    /// The clock starts anew with it.
    Rebased,
    /// It belongs to no minute that is counted.
    Astray,
}

/// Minutes since the epoch, in event time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    minute: i64,
    running: bool,
    other: i64,
    votes: u32,
    rebased: i64,
}

impl Clock {
    /// The open minute.
    pub fn minute(&self) -> i64 {
        self.minute
    }

    /// Since when it runs without a jump, in minutes.
    pub fn started(&self) -> i64 {
        self.rebased
    }

    /// Whether the hour that ends with this minute was seen from its beginning to its end.
    pub fn saw_hour(&self, minute: i64) -> bool {
        minute - self.rebased >= AFTERMATH - 1
    }

    pub fn step(&mut self, time: Timestamp) -> Step {
        let minute = time.0.div_euclid(60_000_000_000);
        let ahead = minute - self.minute;
        if ahead == 0 && self.running {
            self.votes = 0;
            return Step::Now;
        }
        self.step_off(minute, ahead)
    }

    fn step_off(&mut self, minute: i64, ahead: i64) -> Step {
        if !self.running {
            self.running = true;
            return self.rebase(minute);
        }
        match ahead {
            -1 => {
                self.votes = 0;
                Step::Now
            }
            1..=MAX_GAP => {
                self.votes = 0;
                Step::Forward(ahead)
            }
            _ => self.vote(minute),
        }
    }

    fn vote(&mut self, minute: i64) -> Step {
        // A group of late records may itself go forward.
        if self.votes > 0 && (-1..=MAX_GAP).contains(&(minute - self.other)) {
            self.votes += 1;
        } else {
            self.votes = 1;
        }
        self.other = minute;
        if self.votes < VOTES {
            return Step::Astray;
        }
        self.rebase(minute)
    }

    fn rebase(&mut self, minute: i64) -> Step {
        self.minute = minute;
        self.rebased = minute;
        self.votes = 0;
        Step::Rebased
    }

    /// Moves on by one minute.
    pub fn next(&mut self) {
        self.minute += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp(minute * 60_000_000_000 + 5)
    }

    #[test]
    fn time_goes_on_and_a_late_record_counts_now() {
        let mut clock = Clock::default();
        assert_eq!(clock.step(at(1_000)), Step::Rebased);
        assert_eq!(clock.step(at(1_000)), Step::Now);
        assert_eq!(clock.step(at(999)), Step::Now);
        assert_eq!(clock.step(at(1_003)), Step::Forward(3));
        assert_eq!(clock.step(at(990)), Step::Astray);
        assert_eq!(clock.minute(), 1_000, "the book moves it, minute by minute");
    }

    #[test]
    fn a_jump_is_believed_when_records_agree_on_it() {
        for jump in [-500, 500] {
            let mut clock = Clock::default();
            clock.step(at(10_000));
            for _ in 1..VOTES {
                assert_eq!(clock.step(at(10_000 + jump)), Step::Astray);
            }
            assert_eq!(clock.step(at(10_000 + jump)), Step::Rebased);
            assert_eq!(clock.minute(), 10_000 + jump);
            assert!(!clock.saw_hour(10_000 + jump + 30));
        }
    }

    #[test]
    fn two_streams_of_which_one_is_wrong_do_not_move_it() {
        let mut clock = Clock::default();
        clock.step(at(10_000));
        for _ in 0..100 {
            assert_eq!(clock.step(at(10_500)), Step::Astray);
            assert_eq!(clock.step(at(10_000)), Step::Now);
        }
    }

    #[test]
    fn hostile_times_do_not_panic() {
        let mut clock = Clock::default();
        for step in 0..10_000i64 {
            clock.step(Timestamp(step.wrapping_mul(i64::MAX / 7)));
        }
        clock.step(Timestamp(i64::MIN));
        clock.step(Timestamp(i64::MAX));
    }
}
