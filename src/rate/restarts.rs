//! A service that restarts in a loop, told from ends, from new containers in the place of silent
//! ones, and from the banner that a program prints when it starts. Not here: what a line that
//! tells of an end looks like (`triage`).

use crate::model::{Kind, TemplateId, Timestamp};
use serde::{Deserialize, Serialize};

/// A place in which one program runs after the other. The number is a hash of names that the
/// host set; never of log text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Slot {
    /// A pod's container (hash of namespace, pod and container name): a new container in the
    /// same pod is a restart, however the one before ended.
    Pod(u64),
    /// A name that programs bear one after the other or at once (task family, container name,
    /// systemd unit): a new one may as well be a copy, or the next run of a timer.
    Name(u64),
}

/// A service that restarts in a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    pub slot: Slot,
    /// Restarts within the window.
    pub restarts: u32,
    pub first: Timestamp,
    pub last: Timestamp,
    /// How the program ended, where a line told.
    pub end: Option<Kind>,
}

impl Loop {
    /// The rule that decided, as a sentence.
    pub fn reason(&self) -> String {
        let minutes = self.last.since(self.first).as_secs().div_ceil(60).max(1);
        let unit = if minutes == 1 { "minute" } else { "minutes" };
        let end = match self.end {
            Some(Kind::Oom) => ", killed for its memory",
            Some(Kind::Crash) => ", each time after a crash",
            Some(_) => ", each time with an exit status other than 0",
            None => "",
        };
        format!(
            "restarted {} times within {minutes} {unit}{end}",
            self.restarts
        )
    }
}

/// Starts and ends of one service's programs.
#[derive(Debug, Default)]
pub struct Restarts {
    waiting: u32,
}

impl Restarts {
    /// A program began to write: its stream is new. `instance` is a hash of the container's id
    /// (or of the process id, for a unit of systemd). The same instance again counts once.
    pub fn started(&mut self, slot: Slot, instance: u64, time: Timestamp) -> Option<Loop> {
        let _ = (slot, instance, time);
        None
    }

    /// A line told that a program ended: a crash, a kill for memory, an exit status other than 0.
    pub fn ended(
        &mut self,
        slot: Slot,
        instance: u64,
        kind: Kind,
        time: Timestamp,
    ) -> Option<Loop> {
        let _ = (slot, instance, kind, time);
        None
    }

    /// Whether the next line of some slot may be a banner.
    pub fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// The first line of a slot after an end. `seen`: how often its template was seen at all.
    pub fn banner(
        &mut self,
        slot: Slot,
        template: TemplateId,
        seen: u64,
        time: Timestamp,
    ) -> Option<Loop> {
        let _ = (slot, template, seen, time);
        None
    }
}
