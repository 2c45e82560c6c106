//! A call that found no answer is made again at once, a few times: each of ours may be repeated, and a
//! branch of six calls would hardly ever be made where every third gets lost.

use super::{Error, ErrorKind};
use std::time::Duration;

/// Tries of one call.
const TRIES: u32 = 4;
/// Pause before the second; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(100);

/// Makes a call until it has an answer or has been tried often enough.
pub(super) fn again<T>(mut call: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match call() {
            Err(fault) if fault.kind == ErrorKind::Unreachable => {
                std::thread::sleep(pause);
                pause *= 2;
            }
            done => return done,
        }
    }
    call()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(kind: ErrorKind, works_at: u32) -> (u32, bool) {
        let mut count = 0;
        let done = again(|| {
            count += 1;
            if count >= works_at {
                return Ok(());
            }
            Err(Error::new(kind, String::new()))
        });
        (count, done.is_ok())
    }

    #[test]
    fn only_what_found_no_answer_is_tried_again() {
        assert_eq!(tried(ErrorKind::Unreachable, 3), (3, true));
        assert_eq!(tried(ErrorKind::Unreachable, 9), (TRIES, false));
        assert_eq!(tried(ErrorKind::Invalid, 3), (1, false));
        assert_eq!(tried(ErrorKind::Limited(PAUSE), 3), (1, false));
    }
}
