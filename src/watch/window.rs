//! Counting in event time: an exact sliding window for one watch in one service.
//! Not here: which records count.

use crate::model::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Time bases that one window follows at once. Two streams of a service may be far apart (one
/// catches up on a backlog, a replayed file starts again at midnight, a clock was set back):
/// each then counts in its own run, and none empties the other's.
const RUNS: usize = 4;

/// Events of the last `window`, up to the threshold.
#[derive(Debug, Default)]
pub(super) struct Window {
    runs: Vec<Run>,
    /// Grows with every event; tells which run was used last.
    clock: u64,
}

#[derive(Debug)]
struct Run {
    /// Ascending; never longer than the threshold.
    times: VecDeque<Timestamp>,
    newest: Timestamp,
    fired: Option<Timestamp>,
    used: u64,
}

/// The events of a window that was full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub first: Timestamp,
    pub last: Timestamp,
}

impl Window {
    /// Counts an event at `time`. `Some` when `threshold` events lie less than `length` apart,
    /// and none was reported for the `length` before. An event that is late by less than
    /// `length` is counted where it belongs; one that is later starts or joins another run.
    pub(super) fn count(
        &mut self,
        time: Timestamp,
        length: Duration,
        threshold: usize,
    ) -> Option<Full> {
        self.clock += 1;
        let clock = self.clock;
        let run = self.run_for(time, length);
        run.used = clock;
        run.newest = run.newest.max(time);
        let at = run.times.partition_point(|known| *known <= time);
        run.times.insert(at, time);
        while run.times.len() > threshold
            || run
                .times
                .front()
                .is_some_and(|first| run.newest.since(*first) >= length)
        {
            run.times.pop_front();
        }
        let quiet = run
            .fired
            .is_none_or(|fired| run.newest.since(fired) >= length);
        if run.times.len() < threshold || !quiet {
            return None;
        }
        run.fired = Some(run.newest);
        Some(Full {
            first: *run.times.front()?,
            last: run.newest,
        })
    }

    /// Bytes that it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let times = |run: &Run| run.times.capacity() * size_of::<Timestamp>();
        let runs: usize = self.runs.iter().map(times).sum();
        runs + self.runs.capacity() * size_of::<Run>()
    }

    fn run_for(&mut self, time: Timestamp, length: Duration) -> &mut Run {
        let near = self.runs.iter().position(|run| {
            let apart = time.since(run.newest).max(run.newest.since(time));
            apart < length
        });
        let at = near.unwrap_or_else(|| self.free_run(time));
        &mut self.runs[at]
    }

    /// A new run, in the place of the one that was idle longest where there are enough.
    fn free_run(&mut self, time: Timestamp) -> usize {
        let fresh = Run {
            times: VecDeque::new(),
            newest: time,
            fired: None,
            used: 0,
        };
        if self.runs.len() < RUNS {
            self.runs.push(fresh);
            return self.runs.len() - 1;
        }
        let oldest = (0..self.runs.len())
            .min_by_key(|at| self.runs[*at].used)
            .unwrap_or(0);
        self.runs[oldest] = fresh;
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(1_700_000_000 + seconds, 0)
    }

    fn fires(window: &mut Window, seconds: impl IntoIterator<Item = i64>) -> Vec<i64> {
        seconds
            .into_iter()
            .filter(|s| window.count(at(*s), MINUTE, 3).is_some())
            .collect()
    }

    #[test]
    fn exactly_the_threshold_within_the_window() {
        assert_eq!(fires(&mut Window::default(), [0, 30, 59]), [59]);
        assert_eq!(fires(&mut Window::default(), [0, 30, 60, 89]), [89]);
        assert!(fires(&mut Window::default(), [0, 30, 60, 91, 121]).is_empty());
    }

    #[test]
    fn once_per_window_while_it_goes_on() {
        let steady = (0..200).step_by(5);
        assert_eq!(fires(&mut Window::default(), steady), [10, 70, 130, 190]);
    }

    #[test]
    fn late_events_count_where_they_belong() {
        assert_eq!(fires(&mut Window::default(), [10, 50, 20]), [20]);
    }

    #[test]
    fn a_jump_back_starts_again_without_forgetting_the_other_stream() {
        let mut window = Window::default();
        let mixed = [0, 36_000, 10, 36_010, 20, 36_020];
        assert_eq!(fires(&mut window, mixed), [20, 36_020]);
        let mut window = Window::default();
        assert_eq!(fires(&mut window, [90_000, 90_001, 90_002]), [90_002]);
        assert_eq!(fires(&mut window, [0, 1, 2]), [2]);
    }

    #[test]
    fn hostile_times_do_not_panic_or_grow() {
        let mut window = Window::default();
        for step in 0..10_000i64 {
            let time = Timestamp(step.wrapping_mul(i64::MAX / 7));
            window.count(time, MINUTE, 3);
        }
        assert!(window.runs.len() <= RUNS);
        assert!(window.runs.iter().all(|run| run.times.len() <= 3));
    }
}
