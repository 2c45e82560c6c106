//! What a platform shows of a service at one moment. These are facts: they come from the platform's
//! own interface and from nowhere else, least of all from a log.

use crate::model::service::CommitId;
use crate::model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A service as its platform shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub instances: Vec<Instance>,
    /// The release that it is meant to run, by the platform's id.
    pub release: Option<String>,
    /// How many instances it is meant to have.
    pub wanted: Option<u32>,
    /// A deploy is under way: what the platform says of it.
    pub deploying: Option<String>,
    /// The newest deploy failed: what the platform says of it.
    pub deploy_failed: Option<String>,
    /// Somebody else keeps the service as it is and would undo a change: a GitOps controller, another
    /// deployment controller.
    pub kept_by: Option<String>,
}

/// One instance: a machine, a task, a process, a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub id: String,
    pub state: InstanceState,
    /// As the platform calls that state, with its reason.
    pub word: String,
    /// What its health checks say; `None`: there are none.
    pub healthy: Option<bool>,
    pub release: Option<String>,
    /// Restarts that the platform counted, where it counts.
    pub restarts: Option<u64>,
    /// When this run of it began.
    pub started: Option<Timestamp>,
    /// Its newest ends, oldest first, as far as the platform remembers.
    pub exits: Vec<Exit>,
    /// It is the one that autofix itself runs in.
    pub own: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstanceState {
    Starting,
    Running,
    /// It was stopped, and nobody restarts it.
    Stopped,
    /// It ended by itself and is being restarted, or was given up.
    Failed,
}

impl InstanceState {
    pub const fn word(self) -> &'static str {
        match self {
            InstanceState::Starting => "starting",
            InstanceState::Running => "running",
            InstanceState::Stopped => "stopped",
            InstanceState::Failed => "failed",
        }
    }
}

/// How a run of an instance ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    pub at: Timestamp,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// It was killed for its memory.
    pub oom: bool,
    /// Somebody asked for it: a stop, a deploy, a restart.
    pub wanted: bool,
}

impl Exit {
    /// Whether it counts as a crash.
    pub fn is_crash(&self) -> bool {
        !self.wanted && (self.oom || self.signal.is_some() || self.code != Some(0))
    }
}

/// What kind of trouble a platform tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// A process ended with a status other than 0, or by a signal.
    Crash,
    /// It ended, and the platform does not say how.
    Exit,
    Oom,
    /// A health check fails.
    Unhealthy,
    DeployFailed,
}

impl FactKind {
    pub const ALL: [FactKind; 5] = [
        FactKind::Crash,
        FactKind::Exit,
        FactKind::Oom,
        FactKind::Unhealthy,
        FactKind::DeployFailed,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            FactKind::Crash => "crash",
            FactKind::Exit => "exit",
            FactKind::Oom => "oom",
            FactKind::Unhealthy => "unhealthy",
            FactKind::DeployFailed => "deploy_failed",
        }
    }

    pub fn from_word(word: &str) -> Option<FactKind> {
        FactKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// One thing that a platform told: over its interface, or over an input that the registry declares.
/// Kept in the store; the same instance and time is the same fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub service: String,
    pub kind: FactKind,
    /// Empty where it is about the whole service.
    pub instance: String,
    pub at: Timestamp,
    /// The release that ran then, where it is known.
    pub release: Option<String>,
    /// In words of ours with the platform's numbers: `exit status 1`, `killed by signal 9`.
    pub text: String,
    /// It was asked for over the platform's own interface, and not sent to us.
    pub asked: bool,
}

/// A release that a service can run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// As the platform's interface takes it.
    pub id: String,
    /// For people: an image, a version.
    pub name: String,
    pub made: Option<Timestamp>,
    pub current: bool,
    pub commit: Option<CommitId>,
    /// Whether the platform itself says that it ran well; `None`: it does not say.
    pub good: Option<bool>,
}

/// A line of a service's own output, as its platform keeps it. Hostile text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogText {
    pub at: Option<Timestamp>,
    pub instance: String,
    pub text: String,
}

impl State {
    /// What is wrong with it now, newest last: crashes since a moment, instances that failed or whose
    /// checks fail, a deploy that failed. `now` is the time of those that have none of their own.
    pub fn trouble(&self, service: &str, since: Timestamp, now: Timestamp) -> Vec<Fact> {
        let mut facts = Vec::new();
        let fact = |kind, instance: &Instance, at, text| Fact {
            service: service.to_owned(),
            kind,
            instance: instance.id.clone(),
            at,
            release: instance.release.clone().or_else(|| self.release.clone()),
            text,
            asked: true,
        };
        for instance in &self.instances {
            for exit in instance.exits.iter().filter(|exit| exit.is_crash()) {
                if exit.at >= since {
                    facts.push(fact(exit.kind(), instance, exit.at, exit.to_string()));
                }
            }
            if instance.state == InstanceState::Failed {
                let text = format!("the platform shows it as {}", instance.word);
                facts.push(fact(FactKind::Unhealthy, instance, now, text));
            } else if instance.healthy == Some(false) {
                let text = "its health check fails".to_owned();
                facts.push(fact(FactKind::Unhealthy, instance, now, text));
            }
        }
        if let Some(why) = &self.deploy_failed {
            facts.push(Fact {
                service: service.to_owned(),
                kind: FactKind::DeployFailed,
                instance: String::new(),
                at: now,
                release: self.release.clone(),
                text: format!("a deploy failed: {why}"),
                asked: true,
            });
        }
        facts.sort_by_key(|fact| fact.at);
        facts
    }

    /// Whether an instance is shown as stopped.
    pub fn is_stopped(&self, id: &str) -> bool {
        self.instances
            .iter()
            .any(|one| one.id == id && one.state == InstanceState::Stopped)
    }

    /// The same service with one instance fewer, which is not wanted either.
    pub fn without(&self, id: &str) -> State {
        let mut fewer = self.clone();
        fewer.instances.retain(|one| one.id != id);
        fewer.wanted = self.wanted.map(|wanted| wanted.saturating_sub(1));
        fewer
    }

    /// Whether every instance that is wanted runs and no check fails.
    pub fn is_well(&self) -> bool {
        let running =
            |one: &&Instance| one.state == InstanceState::Running && one.healthy != Some(false);
        let failed =
            |one: &Instance| one.state == InstanceState::Failed || one.healthy == Some(false);
        let run = self.instances.iter().filter(running).count();
        let wanted = self.wanted.map_or(1, |wanted| wanted as usize);
        run >= wanted && !self.instances.iter().any(failed) && self.deploying.is_none()
    }
}

impl Exit {
    fn kind(&self) -> FactKind {
        match (self.oom, self.code, self.signal) {
            (true, _, _) => FactKind::Oom,
            (false, None, None) => FactKind::Exit,
            (false, _, _) => FactKind::Crash,
        }
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.oom, self.code, self.signal) {
            (true, _, _) => f.write_str("killed for its memory"),
            (false, _, Some(signal)) => write!(f, "killed by signal {signal}"),
            (false, Some(code), None) => write!(f, "exit status {code}"),
            (false, None, None) => f.write_str("it ended"),
        }
    }
}
