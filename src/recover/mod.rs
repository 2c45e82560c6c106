//! The platforms that run services: what they show, and the few typed changes that may be asked of
//! them. One file or folder a platform. Nothing here decides whether a change should happen: `policy/`
//! does, and only the door in `pipeline/acting/` calls what changes something.

mod call;
mod clock;
pub mod command;
pub mod ecs;
pub mod error;
pub mod fly;
pub mod kubernetes;
pub mod supervisor;

pub use ecs::Ecs;
pub use error::{Error, ErrorKind};
pub use fly::Fly;
pub use kubernetes::Kubernetes;
pub use supervisor::Supervisor;

use crate::model::Timestamp;
use crate::model::recovery::{LogText, Release, State, Task};
use crate::net;
use std::time::Instant;

/// Reads a platform's token, at each use.
pub type Token = Box<dyn Fn() -> Option<net::Secret> + Send>;

/// Longest answer of a platform that is read, in bytes.
pub const ANSWER_LIMIT: u64 = 4 << 20;
/// Most instances, releases or exits of an instance that are kept of an answer.
pub const LISTED: usize = 200;

/// One service on its platform.
pub trait Platform: Send {
    /// What the platform shows of it now.
    ///
    /// # Errors
    /// When the platform does not answer, refuses, or answers what cannot be understood. A part of an
    /// answer is an error too: half of a state is no state.
    fn state(&self, until: Instant) -> Result<State, Error>;

    /// What it could run, newest first; the one that runs is among them.
    ///
    /// # Errors
    /// As [`Platform::state`].
    fn releases(&self, until: Instant) -> Result<Vec<Release>, Error>;

    /// The newest lines of its output, oldest first, of one instance or of all.
    ///
    /// # Errors
    /// `Unsupported` where the platform keeps none; else as [`Platform::state`].
    fn logs(
        &self,
        instance: Option<&str>,
        lines: usize,
        until: Instant,
    ) -> Result<Vec<LogText>, Error>;

    /// The requests that a task would send, one a line, exact; nothing is asked or changed.
    ///
    /// # Errors
    /// `Unsupported` where the platform cannot do it, `Invalid` where the state does not fit the task.
    fn plan(&self, task: &Task, before: &State) -> Result<Vec<String>, Error>;

    /// Asks the platform to begin. It is called once: whoever takes over from a process that died in
    /// it polls instead. `mark` is unlike that of any other action, for platforms that take a token
    /// against doing a thing twice.
    ///
    /// # Errors
    /// `Unreachable` and `Limited` where it may have been done or not; any other: it was not.
    fn begin(
        &self,
        task: &Task,
        before: &State,
        mark: &str,
        until: Instant,
    ) -> Result<Option<serde_json::Value>, Error>;

    /// How far it is. Judged by what the platform shows now against what it showed before, so that it
    /// can be told also where the answer to `begin` was lost.
    ///
    /// # Errors
    /// As [`Platform::state`]; it is asked again.
    fn poll(&self, attempt: &Attempt<'_>, until: Instant) -> Result<Progress, Error>;
}

/// A task that was begun, perhaps.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub task: &'a Task,
    pub before: &'a State,
    /// When it was written down that it begins.
    pub begun: Timestamp,
    /// What `begin` gave; `None`: nothing, or its answer was lost.
    pub handle: Option<&'a serde_json::Value>,
}

/// How far a task is on its platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Under way: how far, in a sentence.
    Going(String),
    /// The platform is done with it. Whether it helped is another question.
    Done(String),
    /// The platform gave it up, or undid it.
    Failed(String),
}
