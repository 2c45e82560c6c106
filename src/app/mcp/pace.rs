//! How often an agent may have a platform asked: one that goes round in circles must not use up what the
//! platform allows, which whoever brings the service back needs too.

use std::time::{Duration, Instant};

/// Calls that reach a platform, within that time.
const MOST: u32 = 120;
const SPAN: Duration = Duration::from_secs(60);

/// Counts calls in spans that follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    since: Instant,
    calls: u32,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace {
            since: now,
            calls: 0,
        }
    }

    /// Counts one more call.
    ///
    /// # Errors
    /// Where it is one too many: in how many seconds there may be another.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), u64> {
        let passed = now.saturating_duration_since(self.since);
        if passed >= SPAN {
            *self = Pace::new(now);
        } else if self.calls >= MOST {
            return Err((SPAN - passed).as_secs() + 1);
        }
        self.calls += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_calls_wait_for_the_next_span() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..MOST {
            assert_eq!(pace.take(at(1)), Ok(()));
        }
        assert_eq!(pace.take(at(1)), Err(60));
        assert_eq!(pace.take(at(50)), Err(11));
        assert_eq!(pace.take(at(60)), Ok(()));
        assert_eq!(pace.calls, 1);
    }
}
