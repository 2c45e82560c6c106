//! The one door to recovery. A rule, the model that investigates, a person and a team's agent all come
//! through here: a request becomes a task, the task is checked, written down, released, carried out and
//! watched. What may happen is decided in `policy/`, inside the transaction that writes it.

mod asking;
mod by_model;
mod carrying;
mod looking;
mod offered;
mod releasing;
mod told;
mod watching;

pub use asking::{Answer, Asked};
pub use by_model::{ModelsDoor, tools};
pub use carrying::Carried;
pub use told::{asked_for, story};
pub use watching::{Recovery, Tell};

use crate::log::Log;
use crate::model::recovery::{Policy, State};
use crate::model::{Settings, Timestamp};
use crate::pipeline::lane::Halt;
use crate::pipeline::lanes::SWITCH;
use crate::recover::{self, Platform};
use crate::store::{self, Holder, Store};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Speaks to a service's platform; only a door knows where its secrets are read from.
pub type Platforms = Box<dyn Fn(&Policy) -> Result<Box<dyn Platform>, recover::Error> + Send>;

/// What a team's own verbs get of the environment.
pub type Environment = Vec<(String, String)>;

/// How long one question to a platform may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How far back what a platform told counts as evidence.
const LATELY: Duration = Duration::from_secs(3_600);
/// What is kept of it with an action.
const EVIDENCE: usize = 8;

/// The door.
pub struct Door {
    pub store: Store,
    pub platforms: Platforms,
    pub environment: Environment,
    pub holder: Arc<Holder>,
    pub halt: Halt,
    pub log: Log,
}

/// Why a request could not even be judged.
#[derive(Debug)]
pub enum Fault {
    /// There is no such service, no policy, no such action.
    Unknown(String),
    Platform(recover::Error),
    Store(store::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unknown(what) => f.write_str(what),
            Fault::Platform(fault) => fault.fmt(f),
            Fault::Store(fault) => fault.fmt(f),
        }
    }
}

impl From<recover::Error> for Fault {
    fn from(fault: recover::Error) -> Fault {
        Fault::Platform(fault)
    }
}

impl From<store::Error> for Fault {
    fn from(fault: store::Error) -> Fault {
        Fault::Store(fault)
    }
}

impl Door {
    /// Whether the file that turns everything off is there: then nothing is done.
    fn is_off(&self) -> bool {
        self.store.dir().join(SWITCH).exists()
    }

    fn must_be_on(&self) -> Result<(), Fault> {
        match self.is_off() {
            false => Ok(()),
            true => Err(Fault::Unknown(format!(
                "autofix is turned off by the file {SWITCH} in its State_Dir: nothing is done"
            ))),
        }
    }

    /// A service's settings and its policy.
    fn policy(&self, service: &str) -> Result<(Settings, Policy), Fault> {
        let settings = self.store.settings(service)?;
        let shown: String = service.chars().take(100).collect();
        let shown = shown.escape_debug();
        let Some(settings) = settings else {
            let what = format!(
                "there is no service {shown} here; services are those of the registry that the plugin reads"
            );
            return Err(Fault::Unknown(what));
        };
        match settings.recovery.clone() {
            Some(policy) => Ok((settings, policy)),
            None => Err(Fault::Unknown(format!(
                "nothing is allowed for {shown}: it has no [service.recover] in the registry"
            ))),
        }
    }

    /// What the platform shows now.
    fn state(&self, platform: &dyn Platform) -> Result<State, Fault> {
        Ok(platform.state(Instant::now() + ANSWER)?)
    }
}

/// The earlier of two times.
fn until(limit: Timestamp, now: Timestamp, pause: Duration) -> Timestamp {
    now.plus(pause).min(limit.max(now))
}
