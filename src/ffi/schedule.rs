//! The processors are the host's: while this holds around a start, every thread started in it
//! inherits the policy SCHED_BATCH (sched(7)), whose threads never interrupt another one when they
//! wake. Under the ordinary policy the fast lane, woken by a flush, took the processor of the host's
//! thread in every third flush until it had read the chunk, with another processor idle beside it.

/// While this lives, the calling thread is of SCHED_BATCH; its former policy comes back on drop.
pub struct Batch {
    changed: bool,
}

/// A thread of a policy other than the ordinary one is left alone: somebody chose it.
pub fn batch() -> Batch {
    // SAFETY: 0 is the calling thread.
    let ordinary = unsafe { libc::sched_getscheduler(0) } == libc::SCHED_OTHER;
    Batch {
        changed: ordinary && set(libc::SCHED_BATCH),
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if self.changed {
            set(libc::SCHED_OTHER);
        }
    }
}

/// `false` where a sandbox refuses it: threads are ordinary ones then.
fn set(policy: libc::c_int) -> bool {
    // SAFETY: an integer or, in some C libraries, integers and times that nothing reads here.
    let mut none: libc::sched_param = unsafe { std::mem::zeroed() };
    none.sched_priority = 0;
    // SAFETY: 0 is the calling thread, and the parameters live through the call.
    unsafe { libc::sched_setscheduler(0, policy, &raw const none) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    // That lanes inherit the policy is seen by the C host of tests/abi.rs.
    #[test]
    fn the_policy_holds_for_new_threads_and_comes_back() {
        let policy = || unsafe { libc::sched_getscheduler(0) };
        let before = policy();
        let batch = batch();
        let inside = std::thread::spawn(policy).join().unwrap();
        drop(batch);
        assert_eq!(inside, libc::SCHED_BATCH);
        assert_eq!(policy(), before);
    }
}
