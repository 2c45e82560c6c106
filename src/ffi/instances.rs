//! The instances that are open in this process, by the handle that the host keeps. A handle is
//! never used twice, so a stale one (old hosts pass one more than once) finds nothing.

use super::abi::Handle;
use super::sink::Gate;
use crate::plugin::{Flush, Instance};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

static OPEN: RwLock<Vec<Open>> = RwLock::new(Vec::new());
static NEXT: AtomicUsize = AtomicUsize::new(1);

struct Open {
    handle: Handle,
    /// The N of the host's name for it, `autofix.N`.
    number: usize,
    /// `None`: it is disabled and drops what it gets.
    instance: Option<Box<Instance>>,
    gate: Gate,
}

/// The lowest number that no open instance has: after a reload the host counts from 0 again.
pub fn free_number() -> usize {
    let open = OPEN.read().unwrap_or_else(PoisonError::into_inner);
    (0..=open.len())
        .find(|number| open.iter().all(|other| other.number != *number))
        .unwrap_or_default()
}

pub fn add(number: usize, instance: Option<Box<Instance>>, gate: Gate) -> Handle {
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let handle = Handle(NonZeroUsize::new(next).unwrap_or(NonZeroUsize::MIN));
    let mut open = OPEN.write().unwrap_or_else(PoisonError::into_inner);
    open.push(Open {
        handle,
        number,
        instance,
        gate,
    });
    handle
}

/// Hands a chunk to its instance. On the host's small stack: a short shared lock, no more.
/// Without a handle (hosts that know no contexts) it goes to the first one.
pub fn flush(handle: Option<Handle>, tag: &[u8], data: &[u8]) -> Flush {
    let open = OPEN.read().unwrap_or_else(PoisonError::into_inner);
    let found = open
        .iter()
        .find(|one| handle.is_none_or(|handle| one.handle == handle));
    match found.and_then(|one| one.instance.as_deref()) {
        Some(instance) => instance.flush(tag, data),
        None => Flush::Taken,
    }
}

/// When the exits that are going on began: a host ends its instances one after another, and
/// together they may take what one may.
static EXITS_SINCE: Mutex<Option<Instant>> = Mutex::new(None);

/// What an instance gets at least, to persist, when others before it took all the time.
const LEAST: Duration = Duration::from_millis(500);

/// What is left of `budget` for an exit that begins now. Exits that follow each other closely
/// share one budget; the next ones (after a reload) have their own.
fn share(budget: Duration) -> Duration {
    let mut since = EXITS_SINCE.lock().unwrap_or_else(PoisonError::into_inner);
    let spent = since.map(|began| began.elapsed());
    match spent.filter(|spent| *spent < budget + LEAST) {
        Some(spent) => budget.saturating_sub(spent).max(LEAST),
        None => {
            *since = Some(Instant::now());
            budget
        }
    }
}

/// Ends one instance within the time given; nothing if it has already ended.
pub fn end(handle: Handle, budget: Duration) {
    let within = share(budget);
    let mut open = OPEN.write().unwrap_or_else(PoisonError::into_inner);
    let ended = open.iter().position(|one| one.handle == handle);
    let ended = ended.map(|at| open.remove(at));
    drop(open);
    if let Some(ended) = ended {
        ended.end(within);
    }
}

/// Ends all of them, together within the time given.
pub fn end_all(within: Duration) {
    let started = Instant::now();
    let open = std::mem::take(&mut *OPEN.write().unwrap_or_else(PoisonError::into_inner));
    for one in open {
        one.end(within.saturating_sub(started.elapsed()));
    }
}

/// Whether any instance is open.
pub fn any() -> bool {
    !OPEN
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .is_empty()
}

impl Open {
    fn end(self, within: Duration) {
        if let Some(instance) = &self.instance {
            instance.stop(within);
        }
        self.gate.shut();
    }
}
