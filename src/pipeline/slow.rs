//! The slow lane: takes open incidents from the store, one at a time, and works on them. It can
//! be dead for a day and the other lanes do not notice. One thread per instance.

use crate::log::Log;
use crate::model::{Level, Timestamp};
use crate::pipeline::clock;
use crate::pipeline::lane::{Halt, Turn};
use crate::pipeline::work::{Worked, Worker};
use crate::store::{Error, ErrorKind, Holder, Want};
use crossbeam_channel::Receiver;
use std::sync::Arc;
use std::time::Duration;

/// How long the lane sleeps at most before it looks for work again: leases of dead processes,
/// incidents that waited for a remote.
const PAUSE: Duration = Duration::from_secs(2);
/// How long it leaves a store alone that refused it.
const STORE_PAUSE: Duration = Duration::from_secs(10);

/// The state of the lane.
pub struct Slow {
    pub worker: Worker,
    pub holder: Arc<Holder>,
    pub wake: Receiver<()>,
    pub halt: Halt,
    pub log: Log,
    pub again: Timestamp,
    /// End when no open incident is left (replay) instead of waiting for more.
    pub until_done: bool,
}

impl Slow {
    /// Works on one incident, or waits for one.
    pub fn turn(&mut self) -> Turn {
        if self.halt.requested() && !self.until_done {
            return Turn::Done;
        }
        let now = clock::now();
        if now < self.again && self.again.since(now) <= STORE_PAUSE {
            // Woken early is no harm: the time is looked at again.
            let _ = self.wake.recv_timeout(Duration::from_millis(200));
            return Turn::Again;
        }
        match self.step(now) {
            Ok(true) => Turn::Again,
            Ok(false) if self.until_done && self.halt.requested() => Turn::Done,
            Ok(false) => {
                let _ = self.wake.recv_timeout(PAUSE);
                Turn::Again
            }
            Err(fault) => {
                let line = format!("an incident waits: {fault}");
                self.log.once("slow", Level::Error, &line);
                if self.until_done {
                    return Turn::Done;
                }
                self.again = now.plus(STORE_PAUSE);
                Turn::Again
            }
        }
    }

    /// `true` when there was something to do.
    fn step(&mut self, now: Timestamp) -> Result<bool, Error> {
        let claimed = self.worker.store.claim(Want::Open, &self.holder, now)?;
        let Some((incident, lease)) = claimed else {
            return Ok(false);
        };
        match self.worker.work(&incident, &lease) {
            Ok(Worked::Done(status)) => {
                let line = format!(
                    "incident {} of {}: {}",
                    incident.id,
                    incident.service,
                    status.word()
                );
                self.log.info(&line);
            }
            Ok(Worked::Later(until, why)) => {
                let line = format!(
                    "incident {} waits until {}: {why}",
                    incident.id,
                    until.to_rfc3339()
                );
                self.log.warn(&line);
            }
            Ok(Worked::Lost) => {}
            Err(fault) => {
                // Given back, so that it is not held until the lease ends.
                let later = now.plus(STORE_PAUSE);
                let why = format!("the result could not be written: {fault}");
                match self
                    .worker
                    .store
                    .postpone(&lease, later, &why, clock::now())
                {
                    Err(lost) if lost.kind == ErrorKind::LeaseLost => {}
                    Err(_) | Ok(()) => return Err(fault),
                }
            }
        }
        Ok(true)
    }
}
