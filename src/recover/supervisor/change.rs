//! What is changed at supervisord: a process is stopped and started, a link is pointed elsewhere. An
//! answer that is lost in the middle leaves nothing down, and whoever takes over from a process that died
//! in it starts what that had stopped.

use super::ends::SECOND;
use super::files::Releases;
use super::rpc::{ALREADY_STARTED, Answer, NOT_RUNNING, Value, broken, fault};
use super::{EXITED, FATAL, RUNNING, STARTING, STOPPED, STOPPING, Supervisor};
use crate::model::recovery::{Instance, InstanceState, State, Task};
use crate::recover::{Attempt, Error, ErrorKind, Platform as _, Progress};
use std::time::{Duration, Instant};

/// Between two looks at whether a process is down.
const PAUSE: Duration = Duration::from_millis(200);
/// As it calls that of one that was told to stop and did.
const DOWN: &str = "STOPPED";
const ON_ITS_WAY: &str = "STOPPING";
const ENDED: &str = "EXITED";
const GIVEN_UP: &str = "FATAL";
/// What `begin` gives once all of it was asked: one without it was broken off, and may have left processes
/// down.
pub(super) const WHOLE: &str = "asked";

impl Supervisor {
    /// The calls that a task means.
    pub(super) fn planned(&self, task: &Task, before: &State) -> Result<Vec<String>, Error> {
        let named = self.named(task, before);
        let stop = |id: &&str| format!("supervisor.stopProcess(\"{id}\", true)");
        let start = |id: &&str| format!("supervisor.startProcess(\"{id}\", false)");
        match task {
            Task::Restart { .. } => Ok(named.iter().flat_map(|id| [stop(id), start(id)]).collect()),
            Task::Rollback { to } => {
                let switch = self.releases_or()?.plan(to);
                let stops = named.iter().map(stop);
                let starts = named.iter().map(start);
                Ok(stops.chain([switch]).chain(starts).collect())
            }
            Task::Stop { .. } => Ok(named.iter().map(stop).collect()),
            Task::Start { .. } => Ok(named.iter().map(start).collect()),
            Task::Scale { .. } | Task::Own { .. } => Err(unsupported(task)),
        }
    }

    /// Asks for all of it.
    pub(super) fn begun(&self, task: &Task, before: &State, until: Instant) -> Result<(), Error> {
        let named = self.named(task, before);
        let mut done = false;
        let mut each = |id: &str, stops: bool| {
            let asked = match stops {
                true => self.stop(id, until),
                false => self.start(id, until),
            };
            asked.map_err(|fault| doubtful(done, fault))?;
            done = true;
            Ok::<(), Error>(())
        };
        match task {
            // One after the other, so that as few as can be are down at once.
            Task::Restart { .. } => {
                for id in &named {
                    each(id, true)?;
                    each(id, false)?;
                }
            }
            Task::Stop { .. } => named.iter().try_for_each(|id| each(id, true))?,
            Task::Start { .. } => named.iter().try_for_each(|id| each(id, false))?,
            Task::Rollback { to } => {
                let (releases, from) = (self.releases_or()?, before.release.as_deref());
                // Nothing is stopped for a release that cannot be gone back to.
                releases.ready(from, to)?;
                named.iter().try_for_each(|id| each(id, true))?;
                let switched = releases.switch(from, to);
                // Also where the link could not be switched: what was stopped runs again.
                named.iter().try_for_each(|id| each(id, false))?;
                switched?;
            }
            Task::Scale { .. } | Task::Own { .. } => return Err(unsupported(task)),
        }
        Ok(())
    }

    /// How far it is.
    pub(super) fn polled(&self, attempt: &Attempt<'_>, until: Instant) -> Result<Progress, Error> {
        let state = self.state(until)?;
        let named = self.named(attempt.task, attempt.before);
        let again = attempt.begun.minus(SECOND);
        if let Task::Rollback { to } = attempt.task
            && state.release.as_deref() != Some(to)
        {
            if attempt.handle.is_none() {
                let stops =
                    |one: &&Instance| named.contains(&one.id.as_str()) && one.word == ON_ITS_WAY;
                if let Some(one) = state.instances.iter().find(stops) {
                    return Ok(Progress::Going(format!("{} is {}", one.id, one.word)));
                }
                self.bring_up(&named, attempt.before, &state, until)?;
            }
            let runs = state.release.as_deref().unwrap_or("none");
            return Ok(Progress::Failed(format!(
                "the link points to {runs}, not to {to}"
            )));
        }
        for id in named {
            let Some(one) = state.instances.iter().find(|one| one.id == id) else {
                return Ok(Progress::Failed(format!("{id} is no longer there")));
            };
            let begun = one.started.is_some_and(|started| started > again);
            let is_down = [DOWN, ENDED, GIVEN_UP].contains(&one.word.as_str());
            // What was stopped begins by itself no more, however short before it had begun.
            let broken_off = attempt.handle.is_none() && is_down && (!begun || one.word == DOWN);
            match (attempt.task, one.state) {
                (Task::Stop { .. }, InstanceState::Stopped) if one.word != ON_ITS_WAY => {}
                // It is not run again by itself.
                (Task::Stop { .. }, _) if [ENDED, GIVEN_UP].contains(&one.word.as_str()) => {}
                (Task::Stop { .. }, _) => {
                    return Ok(Progress::Going(format!("{id} is {}", one.word)));
                }
                (Task::Restart { .. } | Task::Rollback { .. }, _) if broken_off => {
                    // Whoever began it got no further; it was not started since.
                    return match self.start(id, until) {
                        Ok(()) => Ok(Progress::Going(format!("{id} was down and is started"))),
                        Err(fault) if fault.leaves_doubt() => Err(fault),
                        Err(fault) => Ok(Progress::Failed(fault.what)),
                    };
                }
                (_, InstanceState::Running) if begun => {}
                // It ran to its end.
                (_, InstanceState::Stopped) if begun && one.word == ENDED => {}
                (_, InstanceState::Failed) if begun => {
                    return Ok(Progress::Failed(format!(
                        "{id} does not stay up: {}",
                        one.word
                    )));
                }
                (_, _) => return Ok(Progress::Going(format!("{id} is {}", one.word))),
            }
        }
        Ok(Progress::Done(match &state.release {
            Some(release) => format!("the processes run at release {release}"),
            None => "the processes are as asked for".to_owned(),
        }))
    }

    /// Processes by the ids that an action names; all where it names none.
    fn named<'a>(&self, task: &'a Task, state: &'a State) -> Vec<&'a str> {
        match task {
            Task::Restart {
                instance: Some(instance),
            }
            | Task::Stop { instance }
            | Task::Start { instance } => vec![instance],
            Task::Restart { instance: None }
            | Task::Rollback { .. }
            | Task::Scale { .. }
            | Task::Own { .. } => state.instances.iter().map(|one| one.id.as_str()).collect(),
        }
    }

    fn stop(&self, id: &str, until: Instant) -> Result<(), Error> {
        const METHOD: &str = "supervisor.stopProcess";
        let arguments = [Value::Text(id.to_owned()), Value::Truth(true)];
        match self.rpc.ask(METHOD, &arguments, until) {
            Ok(Answer::Value(_) | Answer::Fault(NOT_RUNNING, _)) => Ok(()),
            Ok(Answer::Fault(code, said)) => Err(fault(METHOD, code, &said)),
            Ok(Answer::Broken) => self.told(broken(METHOD), id, &[STOPPED, EXITED, FATAL], until),
            Err(lost) if lost.leaves_doubt() => {
                self.told(lost, id, &[STOPPED, EXITED, FATAL], until)
            }
            Err(fault) => Err(fault),
        }
    }

    fn start(&self, id: &str, until: Instant) -> Result<(), Error> {
        const METHOD: &str = "supervisor.startProcess";
        let arguments = [Value::Text(id.to_owned()), Value::Truth(false)];
        match self.rpc.ask(METHOD, &arguments, until) {
            Ok(Answer::Value(_) | Answer::Fault(ALREADY_STARTED, _)) => Ok(()),
            Ok(Answer::Fault(code, said)) => Err(fault(METHOD, code, &said)),
            Ok(Answer::Broken) => self.told(broken(METHOD), id, &[STARTING, RUNNING], until),
            Err(lost) if lost.leaves_doubt() => self.told(lost, id, &[STARTING, RUNNING], until),
            Err(fault) => Err(fault),
        }
    }

    /// After a lost answer: whether it was done all the same, so that a process that was stopped is not
    /// left so.
    fn told(&self, lost: Error, id: &str, wanted: &[i64], until: Instant) -> Result<(), Error> {
        loop {
            let arguments = [Value::Text(id.to_owned())];
            let asked = self
                .rpc
                .call("supervisor.getProcessInfo", &arguments, until);
            match asked.ok().and_then(|one| one.number("state")) {
                Some(state) if wanted.contains(&state) => return Ok(()),
                Some(STOPPING) if Instant::now() < until => std::thread::sleep(PAUSE),
                Some(_) | None => return Err(lost),
            }
        }
    }

    /// Starts what was up before and was left down.
    fn bring_up(
        &self,
        named: &[&str],
        before: &State,
        state: &State,
        until: Instant,
    ) -> Result<(), Error> {
        let of = |state: &State, id: &str| {
            let found = state.instances.iter().find(|one| one.id == id);
            found.is_some_and(|one| one.word == DOWN)
        };
        let left = named.iter().filter(|id| of(state, id) && !of(before, id));
        for id in left {
            self.start(id, until)?;
        }
        Ok(())
    }

    /// Where its releases are.
    pub(super) fn releases_or(&self) -> Result<&Releases, Error> {
        self.releases.as_ref().ok_or_else(|| {
            let what =
                "supervisord knows no releases; set `releases` and `current` of [service.recover]";
            Error::new(ErrorKind::Unsupported, what)
        })
    }
}

fn unsupported(task: &Task) -> Error {
    let what = match task {
        Task::Scale { .. } => {
            "the number of processes stands in supervisord's own file (numprocs) and is not changed here"
        }
        _ => "supervisord cannot do this",
    };
    Error::new(ErrorKind::Unsupported, what)
}

/// Once something was done, a fault leaves doubt, whatever it is.
fn doubtful(done: bool, fault: Error) -> Error {
    match done {
        true => Error::new(ErrorKind::Unreachable, fault.what),
        false => fault,
    }
}
