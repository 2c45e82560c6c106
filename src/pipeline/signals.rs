//! The hand-off from the fast lane to the triage lane: bounded in bytes, counted, and folded:
//! the same fault a thousand times in a second is one entry with a count, so that a flood of one
//! fault neither fills the queue nor makes a thousand writes. It judges no fault.

use crate::counters::Counters;
use crate::incident;
use crate::model::{CommitId, Signal, Timestamp};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Signals in the channel at most.
const MAX_WAITING: usize = 4_096;
/// Bytes of all signals that wait, in the channel and folded.
const MAX_BYTES: usize = 8 << 20;
/// Bytes above which signals go without the lines around them.
const CONTEXT_BYTES: usize = 4 << 20;
/// Signals of one chunk that wait for the lines around them.
const MAX_HELD: usize = 64;
/// Faults looked at for one to fold into.
const FOLD_OVER: usize = 64;

/// The fast lane's end.
#[derive(Clone, Debug)]
pub struct SignalsOut {
    to: Sender<Signal>,
    waiting: Arc<AtomicUsize>,
    /// Wait for room (replay) instead of dropping and counting.
    wait: bool,
    /// Signals of this chunk that wait for the lines around them.
    held: RefCell<Vec<Signal>>,
    /// The instance's.
    pub counters: Arc<Counters>,
}

/// The triage lane's end.
#[derive(Debug)]
pub struct SignalsIn {
    from: Receiver<Signal>,
    waiting: Arc<AtomicUsize>,
    folded: VecDeque<Folded>,
    open: bool,
}

/// One fault, seen so many times.
#[derive(Debug)]
pub struct Folded {
    /// Its first occurrence.
    pub signal: Signal,
    pub count: u64,
    /// Event time of the newest occurrence.
    pub last: Timestamp,
    fingerprint: String,
    /// As the record said it; the lane may fill in what it did not say.
    commit: Option<CommitId>,
    bytes: usize,
}

/// Makes the hand-off; `wait`: the sender waits for room.
pub fn signals(wait: bool, counters: Arc<Counters>) -> (SignalsOut, SignalsIn) {
    let (to, from) = bounded(MAX_WAITING);
    let waiting = Arc::new(AtomicUsize::new(0));
    let out = SignalsOut {
        to,
        waiting: Arc::clone(&waiting),
        wait,
        held: RefCell::default(),
        counters,
    };
    let into = SignalsIn {
        from,
        waiting,
        folded: VecDeque::new(),
        open: true,
    };
    (out, into)
}

impl SignalsOut {
    /// Counts a signal and keeps it for [`SignalsOut::release`]: what is said around it is known
    /// only when the chunk was read. In a flood of signals the rest goes without that.
    pub fn send(&self, signal: Signal) {
        self.counters.signals.add(1);
        let held = self.held.borrow().len();
        if held < MAX_HELD {
            self.held.borrow_mut().push(signal);
            return;
        }
        self.release(|_| {});
        self.hand_over(signal);
    }

    /// Hands over what was held, each signal completed first.
    pub fn release(&self, mut complete: impl FnMut(&mut Signal)) {
        for mut signal in self.held.take() {
            complete(&mut signal);
            self.hand_over(signal);
        }
    }

    /// Whether signals wait.
    pub fn holds(&self) -> bool {
        !self.held.borrow().is_empty()
    }

    fn hand_over(&self, mut signal: Signal) {
        while self.wait && self.waiting.load(Ordering::Acquire) > CONTEXT_BYTES {
            std::thread::sleep(Duration::from_millis(1));
        }
        if self.waiting.load(Ordering::Acquire) > CONTEXT_BYTES {
            signal.context.clear();
        }
        let bytes = size_of(&signal);
        if self.waiting.fetch_add(bytes, Ordering::AcqRel) + bytes > MAX_BYTES && !self.wait {
            self.waiting.fetch_sub(bytes, Ordering::AcqRel);
            self.counters.signals_dropped.add(1);
            return;
        }
        let sent = if self.wait {
            self.to.send(signal).is_ok()
        } else {
            match self.to.try_send(signal) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
            }
        };
        if !sent {
            self.waiting.fetch_sub(bytes, Ordering::AcqRel);
            self.counters.signals_dropped.add(1);
        }
    }
}

impl SignalsIn {
    /// Waits for a signal, and takes all that are there. `false` when the fast lane is gone and
    /// everything it sent was taken.
    pub fn wait(&mut self, within: Duration) -> bool {
        match self.from.recv_timeout(within) {
            Ok(signal) => self.fold(signal),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.open = false,
        }
        while let Ok(signal) = self.from.try_recv() {
            self.fold(signal);
        }
        self.open
    }

    /// Takes a signal that did not come through the fast lane.
    pub fn add(&mut self, signal: Signal) {
        self.waiting.fetch_add(size_of(&signal), Ordering::AcqRel);
        self.fold(signal);
    }

    fn fold(&mut self, signal: Signal) {
        let bytes = size_of(&signal);
        let fingerprint = incident::fingerprint(&signal);
        let same = self.folded.iter_mut().rev().take(FOLD_OVER).find(|one| {
            one.fingerprint == fingerprint
                && one.signal.service == signal.service
                && one.commit == signal.commit
        });
        if let Some(one) = same {
            one.count += 1;
            one.last = one.last.max(signal.last);
            self.waiting.fetch_sub(bytes, Ordering::AcqRel);
            return;
        }
        self.folded.push_back(Folded {
            count: 1,
            last: signal.last,
            fingerprint,
            commit: signal.commit.clone(),
            bytes,
            signal,
        });
    }

    /// The oldest fault that waits. It counts as held until it is put back or done.
    pub fn next(&mut self) -> Option<Folded> {
        self.folded.pop_front()
    }

    /// For another try.
    pub fn put_back(&mut self, folded: Folded) {
        self.folded.push_front(folded);
    }

    /// It is in the store: its memory is free.
    pub fn done(&mut self, folded: &Folded) {
        self.waiting.fetch_sub(folded.bytes, Ordering::AcqRel);
    }
}

/// Bytes of a signal in memory, about.
fn size_of(signal: &Signal) -> usize {
    let lines: usize = signal.lines.iter().map(|line| line.len() + 24).sum();
    let context: usize = signal.context.iter().map(|line| line.text.len() + 32).sum();
    let frames = signal.trace.as_ref().map_or(0, |trace| trace.frames.len());
    size_of_val(signal) + lines + context + frames * 160
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContextLine, Kind};

    fn signal(title: &str, at: i64) -> Signal {
        Signal {
            kind: Kind::Exit,
            service: "shop".into(),
            stream: "app".into(),
            container: None,
            time: Timestamp(at),
            last: Timestamp(at),
            title: title.into(),
            reason: "rule".into(),
            watch: None,
            trace: None,
            lines: vec![title.into()],
            context: vec![ContextLine {
                time: Timestamp(0),
                text: "x".repeat(60_000),
                from: None,
            }],
            commit: None,
        }
    }

    #[test]
    fn the_same_fault_is_folded_and_others_are_not() {
        let (out, mut into) = signals(false, Arc::default());
        for at in 0..1_000 {
            out.send(signal("exited with code 1", at));
            if at % 50 == 0 {
                out.release(|_| {});
                assert!(into.wait(Duration::ZERO));
            }
        }
        out.send(signal("killed by signal 11", 5));
        out.release(|_| {});
        assert!(into.wait(Duration::ZERO));
        let (one, two) = (into.next().unwrap(), into.next().unwrap());
        assert_eq!((one.count, one.last), (1_000, Timestamp(999)));
        assert_eq!(two.count, 1);
        assert!(into.next().is_none());
        into.done(&one);
        into.done(&two);
        assert_eq!(into.waiting.load(Ordering::Acquire), 0);
    }

    #[test]
    fn a_flood_loses_its_context_then_is_counted_and_bytes_stay_bounded() {
        let counters = Arc::new(Counters::default());
        let (out, mut into) = signals(false, Arc::clone(&counters));
        for at in 0..10_000 {
            out.send(signal(
                &format!("fault number {at} {}", "y".repeat(2_000)),
                at,
            ));
        }
        assert!(counters.signals_dropped.get() > 0);
        assert!(out.waiting.load(Ordering::Acquire) <= MAX_BYTES);
        out.release(|_| {});
        into.wait(Duration::ZERO);
        assert!(into.folded.iter().any(|one| one.signal.context.is_empty()));
    }

    #[test]
    fn the_end_of_the_sender_is_told_after_its_last_signal() {
        let (out, mut into) = signals(true, Arc::default());
        out.send(signal("exited with code 1", 0));
        assert!(out.holds());
        out.release(|one| one.reason = "completed".into());
        drop(out);
        assert!(into.wait(Duration::ZERO));
        assert_eq!(into.next().unwrap().signal.reason, "completed");
        assert!(!into.wait(Duration::ZERO));
    }
}
