//! When to ask a server again that has failed: not at all for a while, then once to see, then as
//! before. It knows no clock and never waits; time comes in as a value. One for each server.

use super::{Error, ErrorKind};
use crate::model::Timestamp;
use std::time::Duration;

/// How much a breaker bears.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open at first; twice as long after each probe that fails.
    pub first: Duration,
    /// The longest, also for a server that asks for more.
    pub cap: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            failures: 3,
            first: Duration::from_secs(5),
            cap: Duration::from_secs(300),
        }
    }
}

/// Whether to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    Ask,
    /// Ask, and nobody else until it is known how that went.
    Probe,
    NotBefore(Timestamp),
}

/// What is known of a server.
#[derive(Clone, Debug)]
pub struct Breaker {
    patience: Patience,
    state: State,
    /// How long it was open last.
    wait: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Timestamp },
    Probing { since: Timestamp },
}

impl Breaker {
    pub fn new(patience: Patience) -> Breaker {
        Breaker {
            patience,
            state: State::Closed { failures: 0 },
            wait: Duration::ZERO,
        }
    }

    /// To be asked before each question; `Ask` and `Probe` are to be followed by how it went.
    pub fn leave(&mut self, now: Timestamp) -> Leave {
        let until = match self.state {
            State::Closed { .. } => return Leave::Ask,
            State::Open { until } => until,
            // A probe that was never heard of again must not close the door for good.
            State::Probing { since } => since.plus(self.patience.cap),
        };
        // A clock that was set back leaves an end that lies further off than any can.
        let out_of_reach = until.since(now) > self.patience.cap;
        if now < until && !out_of_reach {
            return Leave::NotBefore(until);
        }
        self.state = State::Probing { since: now };
        Leave::Probe
    }

    /// To be told how each question went.
    pub fn heard<T>(&mut self, now: Timestamp, outcome: &Result<T, Error>) {
        match outcome {
            Err(e) if matches!(e.kind, ErrorKind::TooLong | ErrorKind::Malformed) => {
                self.learnt_nothing(now);
            }
            // Money does not come back by itself within seconds.
            Err(e) if e.kind == ErrorKind::SpendLimit => {
                self.wait = self.patience.cap;
                self.open(now, Some(self.patience.cap));
            }
            Err(e) if e.is_of_the_server() => self.failed(now, e.retry_after()),
            // A server that answers badly is there.
            Ok(_) | Err(_) => *self = Breaker::new(self.patience),
        }
    }

    /// What is too long was perhaps not even sent. A probe is left to the next question.
    fn learnt_nothing(&mut self, now: Timestamp) {
        if let State::Probing { .. } = self.state {
            self.state = State::Open { until: now };
        }
    }

    /// A server that named a time is taken at its word at once.
    fn failed(&mut self, now: Timestamp, retry_after: Option<Duration>) {
        let opens = match &mut self.state {
            State::Closed { failures } => {
                *failures = failures.saturating_add(1);
                *failures >= self.patience.failures || retry_after.is_some()
            }
            State::Probing { .. } => true,
            // One who had asked before it opened.
            State::Open { .. } => retry_after.is_some(),
        };
        if opens {
            self.open(now, retry_after);
        }
    }

    fn open(&mut self, now: Timestamp, retry_after: Option<Duration>) {
        let probed = matches!(self.state, State::Probing { .. });
        let wait = match (probed, self.wait.is_zero()) {
            (true, false) => self.wait.saturating_mul(2),
            (false, false) => self.wait,
            (_, true) => self.patience.first,
        };
        self.wait = wait.min(self.patience.cap);
        let asked = retry_after.unwrap_or_default().min(self.patience.cap);
        self.state = State::Open {
            until: now.plus(self.wait.max(asked)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        failures: 3,
        first: Duration::from_secs(10),
        cap: Duration::from_secs(60),
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(1_000_000 + seconds, 0)
    }

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::new(PATIENCE);
        for _ in 0..3 {
            assert_eq!(breaker.leave(at(0)), Leave::Ask);
            breaker.failed(at(0), None);
        }
        breaker
    }

    #[test]
    fn questions_at_fault_do_not_open_it_and_tell_that_the_server_is_there() {
        let of = |kind| Err::<(), _>(Error::new(kind, ""));
        let mut breaker = Breaker::new(PATIENCE);
        for _ in 0..9 {
            breaker.heard(at(0), &of(ErrorKind::Cut));
            breaker.heard(at(0), &of(ErrorKind::TooLong));
            assert_eq!(breaker.leave(at(0)), Leave::Ask);
        }
        for _ in 0..3 {
            breaker.heard(at(0), &of(ErrorKind::Denied));
        }
        assert_eq!(breaker.leave(at(10)), Leave::Probe);
        breaker.heard(at(10), &of(ErrorKind::TooLong));
        assert_eq!(breaker.leave(at(10)), Leave::Probe, "nothing was learnt");
        breaker.heard(at(10), &of(ErrorKind::Garbage));
        assert_eq!(breaker.leave(at(10)), Leave::Ask);
        let retry_after = seconds(30);
        breaker.heard(at(10), &of(ErrorKind::Busy { retry_after }));
        assert_eq!(breaker.leave(at(11)), Leave::NotBefore(at(40)));
    }

    #[test]
    fn a_spend_limit_opens_it_at_once_and_for_the_longest() {
        let mut breaker = Breaker::new(PATIENCE);
        let spent = Err::<(), _>(Error::new(ErrorKind::SpendLimit, ""));
        breaker.heard(at(0), &spent);
        assert_eq!(breaker.leave(at(59)), Leave::NotBefore(at(60)));
        assert_eq!(breaker.leave(at(60)), Leave::Probe);
        breaker.heard(at(60), &spent);
        assert_eq!(breaker.leave(at(61)), Leave::NotBefore(at(120)));
    }

    #[test]
    fn single_failures_change_nothing() {
        let mut breaker = Breaker::new(PATIENCE);
        for _ in 0..9 {
            breaker.failed(at(0), None);
            breaker.failed(at(0), None);
            breaker.heard(at(0), &Ok::<_, Error>(()));
            assert_eq!(breaker.leave(at(0)), Leave::Ask);
        }
    }

    #[test]
    fn one_probe_closes_it() {
        let mut breaker = opened();
        assert_eq!(breaker.leave(at(9)), Leave::NotBefore(at(10)));
        assert_eq!(breaker.leave(at(10)), Leave::Probe);
        assert!(
            matches!(breaker.leave(at(11)), Leave::NotBefore(_)),
            "one only"
        );
        breaker.heard(at(0), &Ok::<_, Error>(()));
        assert_eq!(breaker.leave(at(11)), Leave::Ask);
        breaker.failed(at(11), None);
        assert_eq!(breaker.leave(at(11)), Leave::Ask, "counted anew");
    }

    #[test]
    fn probes_that_fail_wait_longer_up_to_the_cap() {
        let mut breaker = opened();
        let mut now = 10;
        for wait in [20, 40, 60, 60] {
            assert_eq!(breaker.leave(at(now)), Leave::Probe);
            breaker.failed(at(now), None);
            now += wait;
            assert_eq!(breaker.leave(at(now - 1)), Leave::NotBefore(at(now)));
        }
    }

    #[test]
    fn a_server_that_names_a_time_is_left_alone_so_long() {
        let mut breaker = Breaker::new(PATIENCE);
        breaker.failed(at(0), seconds(30));
        assert_eq!(breaker.leave(at(1)), Leave::NotBefore(at(30)));
        let mut breaker = Breaker::new(PATIENCE);
        breaker.failed(at(0), seconds(u64::MAX));
        assert_eq!(breaker.leave(at(1)), Leave::NotBefore(at(60)), "capped");
        let mut breaker = Breaker::new(PATIENCE);
        breaker.failed(at(0), seconds(0));
        assert_eq!(
            breaker.leave(at(1)),
            Leave::NotBefore(at(10)),
            "never at once"
        );
    }

    #[test]
    fn late_failures_of_others_do_not_lengthen_it() {
        let mut breaker = opened();
        for second in 0..5 {
            breaker.failed(at(second), None);
        }
        assert_eq!(breaker.leave(at(10)), Leave::Probe);
        breaker.failed(at(10), None);
        assert_eq!(breaker.leave(at(11)), Leave::NotBefore(at(30)));
    }

    #[test]
    fn a_lost_probe_and_a_clock_set_back_lock_nobody_out() {
        let mut breaker = opened();
        assert_eq!(breaker.leave(at(10)), Leave::Probe);
        assert_eq!(breaker.leave(at(69)), Leave::NotBefore(at(70)));
        assert_eq!(breaker.leave(at(70)), Leave::Probe);
        let mut breaker = opened();
        assert_eq!(breaker.leave(at(-3600)), Leave::Probe);
    }
}
