//! Notices when several threads of the host hand over chunks of one instance: with `Workers`
//! above 1 the lines of one stream may arrive out of order. Runs on the host's small stack, so it
//! only compares; saying so is the triage lane's work.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The threads that called so far: none, one, or several.
#[derive(Debug, Default)]
pub struct Callers {
    first: AtomicUsize,
    several: AtomicBool,
}

thread_local! {
    /// Its address tells one thread from another.
    static MARK: u8 = const { 0 };
}

impl Callers {
    /// Notes the thread that calls.
    pub fn note(&self) {
        if self.several.load(Ordering::Relaxed) {
            return;
        }
        // A thread that is being torn down has no address; it is not a new one.
        let Ok(mark) = MARK.try_with(|mark| std::ptr::from_ref(mark).addr()) else {
            return;
        };
        let first = self
            .first
            .compare_exchange(0, mark, Ordering::Relaxed, Ordering::Relaxed);
        if first.is_err_and(|known| known != mark) {
            self.several.store(true, Ordering::Relaxed);
        }
    }

    /// Whether more than one thread called.
    pub fn several(&self) -> bool {
        self.several.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_second_thread_is_noticed() {
        let callers = Arc::new(Callers::default());
        callers.note();
        callers.note();
        assert!(!callers.several());
        let other = Arc::clone(&callers);
        std::thread::spawn(move || other.note()).join().unwrap();
        assert!(callers.several());
    }
}
