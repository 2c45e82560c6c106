//! Signals are the host's: while ours are blocked around a start, every thread started in it
//! inherits the blocked mask. Hosts of the 2.1 series run a whole reload inside the handler, on
//! whichever thread the signal reached.

use std::mem::MaybeUninit;

/// Raised by a thread's own fault. Left alone, so that the host's crash report still works.
const OWN_FAULTS: [libc::c_int; 6] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
];

/// While this lives, the calling thread takes no signal; its former mask comes back on drop.
pub struct Blocked {
    before: Option<libc::sigset_t>,
}

pub fn block() -> Blocked {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset initialises the set, pthread_sigmask the former one when it says 0.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        for signal in OWN_FAULTS {
            libc::sigdelset(all.as_mut_ptr(), signal);
        }
        let done = libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
        Blocked {
            before: (done == 0).then(|| before.assume_init()),
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // SAFETY: a mask that the system gave, put back on the thread that it is of.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hangup_is_blocked() -> bool {
        let mut now = MaybeUninit::<libc::sigset_t>::uninit();
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), now.as_mut_ptr());
            libc::sigismember(now.as_ptr(), libc::SIGHUP) == 1
        }
    }

    // That lanes inherit the mask is seen by the C host of tests/abi.rs.
    #[test]
    fn the_caller_gets_its_own_mask_back() {
        assert!(!hangup_is_blocked());
        let blocked = block();
        assert!(hangup_is_blocked());
        drop(blocked);
        assert!(!hangup_is_blocked());
    }
}
