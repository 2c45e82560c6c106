//! A platform played in memory: it runs one service, does what it is asked for, remembers each time
//! that it was asked, and lies, hangs, loses answers or refuses where a test says so. What was begun can
//! be kept in a file, so that processes that are killed share one platform. No test stands here.

use autofix::model::Timestamp;
use autofix::model::recovery::{
    Exit, Instance, InstanceState, LogText, Release, State, Task, Verb,
};
use autofix::recover::{self, Attempt, Error, ErrorKind, Progress};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_nanos()).unwrap())
}

pub fn ago(seconds: u64) -> Timestamp {
    now().minus(Duration::from_secs(seconds))
}

/// What can be asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    State,
    Releases,
    Logs,
    Plan,
    Begin,
    /// The same, after it was done.
    Begun,
    Poll,
}

/// One thing that it was asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    pub task: Task,
    pub mark: String,
    pub at: Timestamp,
    /// Whether it did it.
    pub done: bool,
}

/// What it says of itself, whatever is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Truth,
    Well,
    Ill,
}

/// The service, and how the platform behaves.
pub struct Inner {
    pub state: State,
    pub releases: Vec<Release>,
    pub logs: Vec<LogText>,
    /// All that it was asked to do, in order.
    pub begun: Vec<Begun>,
    pub calls: Vec<Call>,
    /// Verbs after which the service is well.
    pub cures: Vec<Verb>,
    /// Verbs after which less of it runs than before.
    pub harms: Vec<Verb>,
    pub says: Says,
    /// Nothing is ever done.
    pub hangs: bool,
    /// It says that it is done, and did nothing.
    pub lies: bool,
    /// The answer to what was done does not arrive.
    pub loses: bool,
    /// Calls that fail, and how often still.
    pub faults: Vec<(Call, u32, Error)>,
    /// Called before each call is answered.
    pub meanwhile: Option<Box<dyn FnMut(Call) + Send>>,
    file: Option<PathBuf>,
}

/// Clones are the same platform.
#[derive(Clone)]
pub struct Played(Arc<Mutex<Inner>>);

pub fn instance(id: &str, state: InstanceState) -> Instance {
    Instance {
        id: id.to_owned(),
        state,
        word: state.word().to_uppercase(),
        healthy: None,
        release: Some("7".to_owned()),
        restarts: None,
        started: None,
        exits: Vec::new(),
        own: false,
    }
}

pub fn exit(seconds_ago: u64) -> Exit {
    Exit {
        at: ago(seconds_ago),
        code: Some(1),
        signal: None,
        oom: false,
        wanted: false,
    }
}

pub fn release(id: &str, days: u64, current: bool, good: Option<bool>) -> Release {
    Release {
        id: id.to_owned(),
        name: format!("shop:{id}"),
        made: Some(ago(days * 86_400 + 60)),
        current,
        commit: None,
        good,
    }
}

impl Played {
    /// Release 7 runs with two instances of which one failed; 6 ran well.
    pub fn ill() -> Played {
        let mut sick = instance("a", InstanceState::Failed);
        sick.exits = vec![exit(30), exit(20), exit(10)];
        Played(Arc::new(Mutex::new(Inner {
            state: State {
                instances: vec![sick, instance("b", InstanceState::Running)],
                release: Some("7".to_owned()),
                wanted: Some(2),
                ..State::default()
            },
            releases: vec![
                release("7", 0, true, None),
                release("6", 1, false, Some(true)),
                release("5", 2, false, Some(false)),
            ],
            logs: Vec::new(),
            begun: Vec::new(),
            calls: Vec::new(),
            cures: vec![Verb::Restart, Verb::Rollback],
            harms: Vec::new(),
            says: Says::Truth,
            hangs: false,
            lies: false,
            loses: false,
            faults: Vec::new(),
            meanwhile: None,
            file: None,
        })))
    }

    /// The same with all instances up.
    pub fn well() -> Played {
        let platform = Played::ill();
        platform.set(|inner| inner.heal());
        platform
    }

    /// One whose deeds are kept in a file: it begins with what was done there.
    pub fn kept(path: &Path) -> Played {
        let platform = Played::ill();
        platform.set(|inner| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            for line in text.lines() {
                let begun: Begun = serde_json::from_str(line).unwrap();
                if begun.done {
                    inner.apply(&begun.task);
                }
                inner.begun.push(begun);
            }
            inner.file = Some(path.to_owned());
        });
        platform
    }

    pub fn set<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.lock())
    }

    /// What it was asked to do.
    pub fn begun(&self) -> Vec<Begun> {
        self.lock().begun.clone()
    }

    pub fn count(&self) -> usize {
        self.lock().begun.len()
    }

    pub fn fails(&self, call: Call, times: u32, kind: ErrorKind, what: &str) {
        self.set(|inner| inner.faults.push((call, times, Error::new(kind, what))));
    }

    pub fn boxed(&self) -> Box<dyn recover::Platform> {
        Box::new(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// What comes before each answer: the call is written down, a test may step in, or it fails.
    fn asked(&self, call: Call) -> Result<(), Error> {
        let meanwhile = self.set(|inner| {
            inner.calls.push(call);
            inner.meanwhile.take()
        });
        if let Some(mut step) = meanwhile {
            step(call);
            self.set(|inner| inner.meanwhile = Some(step));
        }
        let mut inner = self.lock();
        let at = inner
            .faults
            .iter()
            .position(|(one, left, _)| *one == call && *left > 0);
        match at {
            Some(at) => {
                inner.faults[at].1 -= 1;
                Err(inner.faults[at].2.clone())
            }
            None => Ok(()),
        }
    }
}

impl Inner {
    pub fn heal(&mut self) {
        for one in &mut self.state.instances {
            one.state = InstanceState::Running;
            one.healthy = None;
            one.exits.clear();
        }
    }

    fn apply(&mut self, task: &Task) {
        let verb = Verb::from_word(task.verb()).unwrap_or(Verb::Status);
        let stands = |id: &str, state: InstanceState, inner: &mut Inner| {
            let found = inner.state.instances.iter_mut().find(|one| one.id == id);
            found.unwrap_or_else(|| panic!("no instance {id}")).state = state;
        };
        match task {
            Task::Restart { .. } | Task::Own { .. } => {}
            Task::Rollback { to } => {
                assert!(
                    self.releases.iter().any(|one| one.id == *to),
                    "no release {to}"
                );
                self.state.release = Some(to.clone());
                for one in &mut self.releases {
                    one.current = one.id == *to;
                }
                for one in &mut self.state.instances {
                    one.release = Some(to.clone());
                }
            }
            Task::Scale { from, to } => {
                assert_eq!(
                    self.state.wanted,
                    Some(*from),
                    "the precondition of a scale"
                );
                self.state.wanted = Some(*to);
                self.state.instances.truncate(*to as usize);
                while self.state.instances.len() < *to as usize {
                    let id = format!("n{}", self.state.instances.len());
                    self.state
                        .instances
                        .push(instance(&id, InstanceState::Running));
                }
            }
            Task::Stop { instance } => stands(instance, InstanceState::Stopped, self),
            Task::Start { instance } => stands(instance, InstanceState::Running, self),
        }
        if self.cures.contains(&verb) {
            self.heal();
        }
        if self.harms.contains(&verb) {
            for one in &mut self.state.instances {
                one.state = InstanceState::Failed;
            }
        }
    }

    fn shown(&self) -> State {
        let mut state = self.state.clone();
        for one in &mut state.instances {
            match self.says {
                Says::Truth => {}
                Says::Well => {
                    one.state = InstanceState::Running;
                    one.healthy = None;
                    one.exits.clear();
                }
                Says::Ill => one.state = InstanceState::Failed,
            }
        }
        state
    }
}

impl recover::Platform for Played {
    fn state(&self, _until: Instant) -> Result<State, Error> {
        self.asked(Call::State)?;
        Ok(self.lock().shown())
    }

    fn releases(&self, _until: Instant) -> Result<Vec<Release>, Error> {
        self.asked(Call::Releases)?;
        Ok(self.lock().releases.clone())
    }

    fn logs(
        &self,
        instance: Option<&str>,
        lines: usize,
        _until: Instant,
    ) -> Result<Vec<LogText>, Error> {
        self.asked(Call::Logs)?;
        let logs = self.lock().logs.clone();
        let of = |line: &LogText| instance.is_none_or(|id| line.instance == id);
        Ok(logs.into_iter().filter(of).take(lines).collect())
    }

    fn plan(&self, task: &Task, _before: &State) -> Result<Vec<String>, Error> {
        self.asked(Call::Plan)?;
        Ok(vec![format!("POST /{}", task.verb())])
    }

    fn begin(
        &self,
        task: &Task,
        _before: &State,
        mark: &str,
        _until: Instant,
    ) -> Result<Option<serde_json::Value>, Error> {
        self.asked(Call::Begin)?;
        let lost = self.set(|inner| {
            let done = !inner.hangs && !inner.lies;
            let begun = Begun {
                task: task.clone(),
                mark: mark.to_owned(),
                at: now(),
                done,
            };
            if let Some(path) = &inner.file {
                let mut file = std::fs::OpenOptions::new();
                let mut file = file.append(true).create(true).open(path).unwrap();
                writeln!(file, "{}", serde_json::to_string(&begun).unwrap()).unwrap();
            }
            inner.begun.push(begun);
            if done {
                inner.apply(task);
            }
            inner.loses
        });
        self.asked(Call::Begun)?;
        match lost {
            true => Err(Error::new(
                ErrorKind::Unreachable,
                "the connection broke off",
            )),
            false => Ok(Some(serde_json::json!({"ticket": mark}))),
        }
    }

    fn poll(&self, attempt: &Attempt<'_>, _until: Instant) -> Result<Progress, Error> {
        self.asked(Call::Poll)?;
        let inner = self.lock();
        if inner.hangs {
            return Ok(Progress::Going("0 of 2 instances".to_owned()));
        }
        let done = inner
            .begun
            .iter()
            .any(|one| one.task == *attempt.task && one.at >= attempt.begun);
        Ok(match done || inner.lies {
            true => Progress::Done("all instances are new".to_owned()),
            false => Progress::Going("nothing has changed".to_owned()),
        })
    }
}
