//! supervisord on a single host: processes over its XML-RPC interface, releases as folders with a link
//! to the one that runs. Crashes are told by supervisord's own log, and never by the programs'.

mod ends;
mod files;
mod rpc;

use super::{Attempt, Error, ErrorKind, LISTED, Platform, Progress, Token, error::shown};
use crate::model::Timestamp;
use crate::model::recovery::{Instance, InstanceState, LogText, Place, Release, State, Task};
use crate::net::Http;
use ends::{Log, SECOND, Spawned, TAIL};
use files::Releases;
use rpc::{ALREADY_STARTED, Answer, NOT_RUNNING, Rpc, Value, fault};
use std::path::Path;
use std::time::Instant;

/// Where Debian's supervisord listens.
const SOCKET: &str = "unix:///var/run/supervisor.sock";
/// Bytes of a line of a program's output, as far as it is guessed how many lines fit.
const LINE: usize = 400;
/// The most that is read of a program's output.
const OUTPUT: usize = 512 << 10;

/// One program, or a group of them.
pub struct Supervisor {
    rpc: Rpc,
    target: String,
    releases: Option<Releases>,
}

/// A process as supervisord shows it.
struct Process {
    id: String,
    name: String,
    state: i64,
    word: String,
    start: i64,
    pid: i64,
}

// supervisord's numbers for a process's state.
const STOPPED: i64 = 0;
const STARTING: i64 = 10;
const RUNNING: i64 = 20;
const STOPPING: i64 = 40;
const EXITED: i64 = 100;

impl Supervisor {
    /// A client; nothing is asked yet. `token`: `user:password`, where supervisord asks for one.
    ///
    /// # Errors
    /// When the target or the address cannot be one.
    pub fn new(http: Http, place: &Place, token: Token) -> Result<Supervisor, Error> {
        let good =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':' | b'*');
        if !place.target.bytes().all(good) || place.target.is_empty() {
            let what = format!("`{}` is no program of supervisord", shown(&place.target));
            return Err(Error::new(ErrorKind::Settings, what));
        }
        let api = place.api.as_deref().unwrap_or(SOCKET);
        let (http, url) = match api.strip_prefix("unix://") {
            Some(path) => {
                let http = Http::unix(Path::new(path));
                let http = http.map_err(|e| Error::new(ErrorKind::Settings, e.to_string()))?;
                (http, "http://127.0.0.1/RPC2".to_owned())
            }
            None => (http, format!("{}/RPC2", api.trim_end_matches('/'))),
        };
        Ok(Supervisor {
            rpc: Rpc { http, url, token },
            target: place.target.clone(),
            releases: Releases::of(place),
        })
    }

    fn processes(&self, until: Instant) -> Result<(Vec<Process>, Vec<String>), Error> {
        let broken = || {
            let what = "supervisord's list of processes cannot be understood";
            Error::new(ErrorKind::Invalid, what)
        };
        let Value::List(all) = self.rpc.call("supervisor.getAllProcessInfo", &[], until)? else {
            return Err(broken());
        };
        let (mut ours, mut names) = (Vec::new(), Vec::new());
        for one in &all {
            let (name, group) = one.text("name").zip(one.text("group")).ok_or_else(broken)?;
            names.push(name.to_owned());
            if !self.is_ours(group, name) || ours.len() >= LISTED {
                continue;
            }
            let number = |field| one.number(field).ok_or_else(broken);
            ours.push(Process {
                id: format!("{group}:{name}"),
                name: name.to_owned(),
                state: number("state")?,
                word: shown(one.text("statename").unwrap_or_default()),
                start: number("start")?,
                pid: number("pid")?,
            });
        }
        if ours.is_empty() {
            let what = format!("supervisord has no program {}", self.target);
            return Err(Error::new(ErrorKind::Missing, what));
        }
        Ok((ours, names))
    }

    fn is_ours(&self, group: &str, name: &str) -> bool {
        match self.target.split_once(':') {
            Some((wanted, "*")) => group == wanted,
            Some((wanted, one)) => group == wanted && name == one,
            None => group == self.target || name == self.target,
        }
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
        let arguments = [Value::Text(id.to_owned()), Value::Truth(true)];
        match self.rpc.ask("supervisor.stopProcess", &arguments, until)? {
            Answer::Value(_) | Answer::Fault(NOT_RUNNING, _) => Ok(()),
            Answer::Fault(code, said) => Err(fault("supervisor.stopProcess", code, &said)),
        }
    }

    fn start(&self, id: &str, until: Instant) -> Result<(), Error> {
        let arguments = [Value::Text(id.to_owned()), Value::Truth(false)];
        match self.rpc.ask("supervisor.startProcess", &arguments, until)? {
            Answer::Value(_) | Answer::Fault(ALREADY_STARTED, _) => Ok(()),
            Answer::Fault(code, said) => Err(fault("supervisor.startProcess", code, &said)),
        }
    }

    fn releases_or(&self) -> Result<&Releases, Error> {
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

impl Platform for Supervisor {
    fn state(&self, until: Instant) -> Result<State, Error> {
        let (processes, names) = self.processes(until)?;
        let current = match &self.releases {
            Some(releases) => Some(releases.current()?),
            None => None,
        };
        let arguments = [Value::Number(-TAIL), Value::Number(0)];
        let text = match self.rpc.ask("supervisor.readLog", &arguments, until)? {
            Answer::Value(Value::Text(text)) => text,
            // It keeps no log, or not in a file: then it tells of no ends.
            Answer::Value(_) | Answer::Fault(..) => String::new(),
        };
        let spawned: Vec<Spawned<'_>> = processes
            .iter()
            .map(|one| Spawned {
                name: &one.name,
                pid: one.pid,
                start: one.start,
            })
            .collect();
        let log = Log::read(&text, &spawned);
        let mut state = State {
            wanted: u32::try_from(processes.len()).ok(),
            release: current.as_ref().map(|current| current.id.clone()),
            ..State::default()
        };
        for one in &processes {
            let (known, word) = (one.state, one.word.clone());
            let started = (one.start > 0).then(|| Timestamp::from_parts(one.start, 0));
            // The log names processes without their group.
            let alone = names.iter().filter(|name| **name == one.name).count() == 1;
            let exits = match &log {
                Some(log) if alone => log.exits(&one.name),
                Some(_) | None => Vec::new(),
            };
            let crashed = exits.last().is_none_or(|exit| exit.is_crash());
            let is = match known {
                RUNNING => InstanceState::Running,
                STARTING => InstanceState::Starting,
                STOPPED | STOPPING => InstanceState::Stopped,
                EXITED if !crashed => InstanceState::Stopped,
                _ => InstanceState::Failed,
            };
            if let (Some(current), Some(started)) = (&current, started)
                && let Some(since) = current.since
                && one.pid > 0
                && started.plus(SECOND) <= since
            {
                // A restart now would bring up other code than what runs.
                state.deploying = Some(format!(
                    "the link points to {} since {}, and {} runs since before",
                    current.id,
                    since.to_rfc3339(),
                    one.id
                ));
            }
            state.instances.push(Instance {
                id: one.id.clone(),
                state: is,
                word,
                healthy: None,
                release: state.release.clone(),
                restarts: None,
                started,
                exits,
                own: false,
            });
        }
        Ok(state)
    }

    fn releases(&self, _until: Instant) -> Result<Vec<Release>, Error> {
        self.releases_or()?.all()
    }

    fn logs(
        &self,
        instance: Option<&str>,
        lines: usize,
        until: Instant,
    ) -> Result<Vec<LogText>, Error> {
        let (processes, _) = self.processes(until)?;
        let ours = processes
            .iter()
            .filter(|one| instance.is_none_or(|id| id == one.id));
        let bytes = (lines.saturating_mul(LINE)).clamp(LINE, OUTPUT);
        let bytes = Value::Number(i64::try_from(bytes).unwrap_or(i64::MAX));
        let mut all = Vec::new();
        for one in ours {
            let mut of_one = Vec::new();
            for method in [
                "supervisor.tailProcessStdoutLog",
                "supervisor.tailProcessStderrLog",
            ] {
                let arguments = [Value::Text(one.id.clone()), Value::Number(0), bytes.clone()];
                // Where its output goes nowhere there is a fault, and no line.
                let Answer::Value(Value::List(parts)) = self.rpc.ask(method, &arguments, until)?
                else {
                    continue;
                };
                let Some(Value::Text(text)) = parts.first() else {
                    continue;
                };
                of_one.extend(text.lines().map(|line| LogText {
                    at: None,
                    instance: one.id.clone(),
                    text: line.to_owned(),
                }));
            }
            let from = of_one.len().saturating_sub(lines);
            all.extend(of_one.split_off(from));
        }
        Ok(all)
    }

    fn plan(&self, task: &Task, before: &State) -> Result<Vec<String>, Error> {
        let named = self.named(task, before);
        let stop = named
            .iter()
            .map(|id| format!("supervisor.stopProcess(\"{id}\", true)"));
        let start = named
            .iter()
            .map(|id| format!("supervisor.startProcess(\"{id}\", false)"));
        match task {
            Task::Restart { .. } => Ok(stop.chain(start).collect()),
            Task::Rollback { to } => {
                let switch = self.releases_or()?.plan(to);
                Ok(stop.chain([switch]).chain(start).collect())
            }
            Task::Stop { .. } => Ok(stop.collect()),
            Task::Start { .. } => Ok(start.collect()),
            Task::Scale { .. } | Task::Own { .. } => Err(unsupported(task)),
        }
    }

    fn begin(
        &self,
        task: &Task,
        before: &State,
        _mark: &str,
        until: Instant,
    ) -> Result<Option<serde_json::Value>, Error> {
        let named = self.named(task, before);
        let mut done = false;
        let (stops, starts) = match task {
            Task::Restart { .. } | Task::Rollback { .. } => (true, true),
            Task::Stop { .. } => (true, false),
            Task::Start { .. } => (false, true),
            Task::Scale { .. } | Task::Own { .. } => return Err(unsupported(task)),
        };
        let releases = match task {
            Task::Rollback { .. } => Some(self.releases_or()?),
            _ => None,
        };
        if stops {
            for id in &named {
                self.stop(id, until)
                    .map_err(|fault| doubtful(done, fault))?;
                done = true;
            }
        }
        let switched = match (task, releases) {
            (Task::Rollback { to }, Some(releases)) => {
                releases.switch(before.release.as_deref(), to)
            }
            _ => Ok(()),
        };
        if starts {
            // Also where the link could not be switched: what was stopped runs again.
            for id in &named {
                self.start(id, until)
                    .map_err(|fault| doubtful(done, fault))?;
                done = true;
            }
        }
        switched.map(|()| None)
    }

    fn poll(&self, attempt: &Attempt<'_>, until: Instant) -> Result<Progress, Error> {
        let state = self.state(until)?;
        let named = self.named(attempt.task, attempt.before);
        let again = attempt.begun.minus(SECOND);
        if let Task::Rollback { to } = attempt.task
            && state.release.as_deref() != Some(to)
        {
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
            match (attempt.task, one.state) {
                (Task::Stop { .. }, InstanceState::Stopped) => {}
                (Task::Stop { .. }, _) => {
                    return Ok(Progress::Going(format!("{id} is {}", one.word)));
                }
                (_, InstanceState::Running) if begun => {}
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
}
