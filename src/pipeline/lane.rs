//! A thread that is named, has a stated stack, is fenced against panics, and can be asked to
//! end and waited for until a deadline. Every thread of autofix is one of these.

use crate::counters::Counters;
use crate::log::Log;
use crossbeam_channel::{Receiver, bounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Enough for SQLite and libgit2; the default of Rust's std.
const STACK: usize = 2 << 20;

/// How often a lane that panicked is started again before it is given up.
const RESTARTS: u32 = 20;

/// Tells lanes to end. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Halt(Arc<AtomicBool>);

impl Halt {
    pub fn request(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A running lane.
#[derive(Debug)]
pub struct Lane {
    ended: Receiver<()>,
}

impl Lane {
    /// Starts a thread that runs `turn` until it says that it is done. A panic in a turn is
    /// counted and logged, and the next turn begins with the state that the last one left.
    pub fn start<F>(
        name: &'static str,
        log: &Log,
        counters: &Arc<Counters>,
        mut turn: F,
    ) -> std::io::Result<Lane>
    where
        F: FnMut() -> Turn + Send + 'static,
    {
        let (done, ended) = bounded(1);
        let (log, counters) = (log.clone(), Arc::clone(counters));
        thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK)
            .spawn(move || {
                // Dropped when the thread ends, however it ends: that is what `wait` sees.
                let _done = done;
                let mut panics = 0;
                loop {
                    match catch_unwind(AssertUnwindSafe(&mut turn)) {
                        Ok(Turn::Again) => {}
                        Ok(Turn::Done) => return,
                        Err(_) => {
                            counters.panics.add(1);
                            panics += 1;
                            log.error(&format!("{name}: a panic was caught and counted"));
                            if panics > RESTARTS {
                                log.error(&format!("{name}: given up after {panics} panics"));
                                return;
                            }
                        }
                    }
                }
            })?;
        Ok(Lane { ended })
    }

    /// Waits for the end until `deadline`; `false` when it still runs then. It is then left
    /// alone: the library stays mapped (`-z nodelete`), so that this is safe.
    pub fn wait(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        !matches!(
            self.ended.recv_timeout(left.max(Duration::from_millis(1))),
            Err(crossbeam_channel::RecvTimeoutError::Timeout)
        )
    }
}

/// What a lane's turn says at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Again,
    Done,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn a_panic_is_counted_and_the_lane_goes_on() {
        let counters = Arc::new(Counters::default());
        let mut turns = 0;
        let lane = Lane::start("test", &Log::silent(), &counters, move || {
            turns += 1;
            match turns {
                1 => panic!("once"),
                2 => Turn::Again,
                _ => Turn::Done,
            }
        })
        .unwrap();
        assert!(lane.wait(soon()));
        assert_eq!(counters.panics.get(), 1);
    }

    #[test]
    fn a_lane_that_does_not_end_is_left_at_the_deadline() {
        let halt = Halt::default();
        let seen = halt.clone();
        let lane = Lane::start("test", &Log::silent(), &Arc::default(), move || {
            thread::sleep(Duration::from_millis(5));
            if seen.requested() {
                Turn::Done
            } else {
                Turn::Again
            }
        })
        .unwrap();
        assert!(!lane.wait(Instant::now() + Duration::from_millis(30)));
        halt.request();
        assert!(lane.wait(soon()));
    }
}
