//! supervisord on a single host: processes over its XML-RPC interface, releases as folders with a link
//! to the one that runs. Crashes are told by supervisord's own log, and never by the programs'.

mod change;
mod ends;
mod files;
mod rpc;

use super::{Attempt, Error, ErrorKind, LISTED, Platform, Progress, Token, error::shown};
use crate::model::Timestamp;
use crate::model::recovery::{Instance, InstanceState, LogText, Place, Release, State, Task};
use crate::net::Http;
use ends::{Log, SECOND, Spawned, TAIL};
use files::Releases;
use rpc::{Answer, Rpc, Value};
use std::collections::BTreeSet;
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
    /// Of its last run that came to be up; a signal is -1.
    status: i64,
}

// supervisord's numbers for a process's state.
const STOPPED: i64 = 0;
const STARTING: i64 = 10;
const RUNNING: i64 = 20;
const STOPPING: i64 = 40;
const EXITED: i64 = 100;
const FATAL: i64 = 200;

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
        let (mut ours, mut named) = (Vec::new(), Vec::new());
        for one in &all {
            named.push(one.text("group").zip(one.text("name")).ok_or_else(broken)?);
        }
        let is_ours = self.ours(&named)?;
        for (one, (group, name)) in all.iter().zip(&named) {
            if !is_ours(group, name) || ours.len() >= LISTED {
                continue;
            }
            let number = |field| one.number(field).ok_or_else(broken);
            ours.push(Process {
                id: format!("{group}:{name}"),
                name: (*name).to_owned(),
                state: number("state")?,
                word: shown(one.text("statename").ok_or_else(broken)?),
                start: number("start")?,
                pid: number("pid")?,
                status: number("exitstatus")?,
            });
        }
        if ours.is_empty() {
            let what = format!("supervisord has no program {}", self.target);
            return Err(Error::new(ErrorKind::Missing, what));
        }
        let names = named.iter().map(|(_, name)| (*name).to_owned()).collect();
        Ok((ours, names))
    }

    /// Which processes are meant. A name without a group means a group, else the one process of that name.
    fn ours(&self, named: &[(&str, &str)]) -> Result<impl Fn(&str, &str) -> bool, Error> {
        let (group, name) = match self.target.split_once(':') {
            Some((group, "*")) => (Some(group), None),
            Some((group, name)) => (Some(group), Some(name)),
            None if named.iter().any(|(group, _)| *group == self.target) => {
                (Some(self.target.as_str()), None)
            }
            None => (None, Some(self.target.as_str())),
        };
        let groups: BTreeSet<&str> = named
            .iter()
            .filter(|(of, one)| group.is_none_or(|group| group == *of) && name == Some(one))
            .map(|(of, _)| *of)
            .collect();
        if group.is_none() && groups.len() > 1 {
            let groups: Vec<String> = groups.iter().map(|group| shown(group)).collect();
            let what = format!(
                "supervisord has {0} in more than one group ({1}); write target = \"GROUP:{0}\"",
                self.target,
                shown(&groups.join(", "))
            );
            return Err(Error::new(ErrorKind::Settings, what));
        }
        Ok(move |of: &str, one: &str| {
            group.is_none_or(|group| group == of) && name.is_none_or(|name| name == one)
        })
    }
}

impl Platform for Supervisor {
    fn state(&self, until: Instant) -> Result<State, Error> {
        let (processes, names) = self.processes(until)?;
        let current = match &self.releases {
            Some(releases) => Some(releases.current()?),
            None => None,
        };
        let arguments = |length: i64| vec![Value::Number(-length), Value::Number(0)];
        let text = match self
            .rpc
            .tail("supervisor.readLog", TAIL, arguments, until)?
        {
            Answer::Value(Value::Text(text)) => text,
            // It keeps no log, or not in a file, or one that is no text: then it tells of no ends.
            Answer::Value(_) | Answer::Fault(..) | Answer::Broken => String::new(),
        };
        // The log names processes without their group.
        let alone = |wanted: &str| names.iter().filter(|name| *name == wanted).count() == 1;
        let spawned: Vec<Spawned<'_>> = processes
            .iter()
            .filter(|one| one.pid > 0 || alone(&one.name))
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
            let exits = match &log {
                Some(log) if alone(&one.name) => log.exits(&one.name, one.pid),
                Some(_) | None => Vec::new(),
            };
            let last = exits.last().map(|exit| exit.is_crash());
            let crashed = last.unwrap_or(one.status != 0);
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
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let mut all = Vec::new();
        for one in ours {
            let mut of_one = Vec::new();
            for method in [
                "supervisor.tailProcessStdoutLog",
                "supervisor.tailProcessStderrLog",
            ] {
                let arguments = |length: i64| {
                    let id = Value::Text(one.id.clone());
                    vec![id, Value::Number(0), Value::Number(length)]
                };
                let parts = match self.rpc.tail(method, bytes, arguments, until)? {
                    Answer::Value(Value::List(parts)) => parts,
                    // Where its output goes nowhere there is a fault, and no line.
                    Answer::Value(_) | Answer::Fault(..) => continue,
                    Answer::Broken => {
                        let what = format!(
                            "supervisord cannot show what {} printed last: it is no UTF-8",
                            one.id
                        );
                        return Err(Error::new(ErrorKind::Invalid, what));
                    }
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
        self.planned(task, before)
    }

    fn begin(
        &self,
        task: &Task,
        before: &State,
        _mark: &str,
        until: Instant,
    ) -> Result<Option<serde_json::Value>, Error> {
        self.begun(task, before, until)?;
        Ok(Some(serde_json::Value::from(change::WHOLE)))
    }

    fn poll(&self, attempt: &Attempt<'_>, until: Instant) -> Result<Progress, Error> {
        self.polled(attempt, until)
    }
}
