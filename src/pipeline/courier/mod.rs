//! The lane that delivers: takes pull requests that are due from the store, one at a time, and
//! does their next step at the code host, from the branch to what became of the fix. Every step may
//! be repeated by whoever takes over. What a step means is decided in `incident::outcome`, what it
//! changes for incidents stands in the store.

mod making;
mod watching;
mod words;

use crate::deliver::forge::{self, ErrorKind, Forge};
use crate::log::Log;
use crate::model::delivery::Delivery;
use crate::model::{Level, Settings, Timestamp};
use crate::net::Http;
use crate::pipeline::clock;
use crate::pipeline::lane::{Halt, Turn};
use crate::pipeline::work::Credentials;
use crate::source::Mirrors;
use crate::store::{self, Holder, PullLease, PullRow, Store};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Makes the client for a service's code host.
pub type Forges = Box<dyn Fn(&Settings) -> Result<Box<dyn Forge>, forge::Error> + Send>;

/// Makes that from what a door knows, once the mirrors are there.
pub type MakeForges = Box<dyn FnOnce(Http, Mirrors) -> Forges + Send>;

/// Pause after a first failed step; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(900);
/// How often it is looked whether somebody mended what only a person can.
const MENDED: Duration = Duration::from_secs(3600);

/// Whoever delivers.
pub struct Courier {
    pub store: Store,
    pub mirrors: Mirrors,
    pub credentials: Arc<Credentials>,
    pub forges: Forges,
    pub holder: Arc<Holder>,
    pub halt: Halt,
    pub log: Log,
}

/// How long the lane sleeps at most before it looks for due steps.
const PAUSE: Duration = Duration::from_secs(1);
/// How long it leaves a store alone that refused it.
const STORE_PAUSE: Duration = Duration::from_secs(10);

/// Why a step was not done.
enum Fault {
    Forge(forge::Error),
    Store(store::Error),
    /// The process ends; the step is done by the next.
    Ending,
}

impl From<forge::Error> for Fault {
    fn from(fault: forge::Error) -> Fault {
        Fault::Forge(fault)
    }
}

impl From<store::Error> for Fault {
    fn from(fault: store::Error) -> Fault {
        Fault::Store(fault)
    }
}

/// When a row is looked after again; `None`: never.
type Due = Option<Timestamp>;

impl Courier {
    /// A turn of the lane: one step, or a pause.
    pub fn turn(&mut self) -> Turn {
        if self.halt.requested() {
            return Turn::Done;
        }
        let pause = match self.work() {
            Ok(true) => return Turn::Again,
            Ok(false) => PAUSE,
            Err(fault) => {
                let line = format!("pull requests wait: {fault}");
                self.log.once("courier", Level::Error, &line);
                STORE_PAUSE
            }
        };
        let end = Instant::now() + pause;
        while Instant::now() < end && !self.halt.requested() {
            std::thread::sleep(PAUSE / 10);
        }
        Turn::Again
    }

    /// Does one step where one is due.
    ///
    /// # Errors
    /// As [`Courier::step`].
    pub fn work(&mut self) -> Result<bool, store::Error> {
        let now = clock::now();
        // Looking takes no lock on the store.
        match self.store.next_pull()? {
            Some(due) if due <= now => self.step(now),
            Some(_) | None => Ok(false),
        }
    }

    /// Does one due step; `false` where nothing is due.
    ///
    /// # Errors
    /// When the store refuses; what was done at the code host is found again by the next try.
    pub fn step(&mut self, now: Timestamp) -> Result<bool, store::Error> {
        let Some((mut row, lease)) = self.store.claim_pull(&self.holder, now)? else {
            return Ok(false);
        };
        let due = match self.advance(&mut row, &lease) {
            Ok(due) => {
                row.tries = 0;
                due
            }
            Err(Fault::Ending) => Some(now),
            Err(Fault::Forge(fault)) => Some(self.failed(&mut row, &fault)),
            // What another process does now.
            Err(Fault::Store(fault)) if fault.kind == store::ErrorKind::LeaseLost => {
                return Ok(true);
            }
            Err(Fault::Store(fault)) => return Err(fault),
        };
        match self.store.save_pull(&lease, &row, due, clock::now()) {
            Err(fault) if fault.kind == store::ErrorKind::LeaseLost => Ok(true),
            Err(fault) => Err(fault),
            Ok(()) => Ok(true),
        }
    }

    fn advance(&mut self, row: &mut PullRow, lease: &PullLease) -> Result<Due, Fault> {
        let now = clock::now();
        let settings = self.store.settings(&row.service)?.unwrap_or_default();
        if !settings.deliver {
            "its service's mode is no longer pr".clone_into(&mut row.why);
            return Ok(Some(now.plus(MENDED)));
        }
        match row.state {
            Delivery::Making | Delivery::Failed => {
                let forge = (self.forges)(&settings)?;
                self.make(row, lease, forge.as_ref())
            }
            Delivery::Open => {
                let forge = (self.forges)(&settings)?;
                self.look(row, lease, forge.as_ref())
            }
            Delivery::Merged => {
                let forge = (self.forges)(&settings)?;
                self.watch(row, lease, &settings, forge.as_ref())
            }
            Delivery::Closed | Delivery::Theirs => Ok(None),
        }
    }

    /// Before each word to a code host: whoever lost the lease says nothing more.
    fn go_on(&mut self, lease: &PullLease) -> Result<(), Fault> {
        if self.halt.requested() {
            return Err(Fault::Ending);
        }
        Ok(self.store.renew_pull(lease, clock::now())?)
    }

    /// What is known to do about a failed step, and when.
    fn failed(&mut self, row: &mut PullRow, fault: &forge::Error) -> Timestamp {
        let now = clock::now();
        let line = format!(
            "the pull request for incident {} of {} waits: {fault}",
            row.incident, row.service
        );
        self.log
            .once(&format!("pull-{}", row.id), Level::Warn, &line);
        row.why = fault.to_string();
        let pause = FIRST_PAUSE.saturating_mul(1 << row.tries.min(16));
        let pause = pause.min(LONGEST_PAUSE);
        row.tries = row.tries.saturating_add(1);
        match fault.kind {
            ErrorKind::Limited(after) => now.plus(after.max(pause)),
            ErrorKind::Unreachable => now.plus(pause),
            ErrorKind::Settings | ErrorKind::Refused | ErrorKind::Missing | ErrorKind::Invalid => {
                if row.state == Delivery::Making {
                    row.state = Delivery::Failed;
                }
                now.plus(MENDED)
            }
        }
    }
}
