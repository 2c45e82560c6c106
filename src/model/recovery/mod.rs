//! Recovery as plain data: what may be done to a service (a task), what a platform shows of it (its
//! state), who asks, and how it ended. A service's own rules are `policy.rs`, a row of the store is
//! `action.rs`. Nothing here decides.

mod action;
mod policy;
mod state;

pub use action::{Action, ActionId, Aftermath, Basis, Check, Stage};
pub use policy::{OwnVerb, Parameter, Permit, Place, Policy, Quiet, Shape};
pub use state::{Exit, Fact, FactKind, Instance, InstanceState, LogText, Release, State};

use serde::{Deserialize, Serialize};
use std::fmt;

/// What runs a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlatformKind {
    /// fly.io, over its Machines API.
    Fly,
    /// Amazon ECS, over its HTTP API.
    Ecs,
    /// supervisord on a single host, over its XML-RPC interface.
    Supervisor,
    /// A Deployment, over the API server.
    Kubernetes,
}

impl PlatformKind {
    pub const ALL: [PlatformKind; 4] = [
        PlatformKind::Fly,
        PlatformKind::Ecs,
        PlatformKind::Supervisor,
        PlatformKind::Kubernetes,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            PlatformKind::Fly => "fly",
            PlatformKind::Ecs => "ecs",
            PlatformKind::Supervisor => "supervisor",
            PlatformKind::Kubernetes => "kubernetes",
        }
    }
}

/// Verbs that every platform has. A team's own verbs stand beside them, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    Status,
    Logs,
    Releases,
    Restart,
    Rollback,
    Scale,
    Stop,
    Start,
}

impl Verb {
    pub const ALL: [Verb; 8] = [
        Verb::Status,
        Verb::Logs,
        Verb::Releases,
        Verb::Restart,
        Verb::Rollback,
        Verb::Scale,
        Verb::Stop,
        Verb::Start,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Verb::Status => "status",
            Verb::Logs => "logs",
            Verb::Releases => "releases",
            Verb::Restart => "restart",
            Verb::Rollback => "rollback",
            Verb::Scale => "scale",
            Verb::Stop => "stop",
            Verb::Start => "start",
        }
    }

    pub fn from_word(word: &str) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| verb.word() == word)
    }

    /// Whether it only looks.
    pub const fn looks(self) -> bool {
        match self {
            Verb::Status | Verb::Logs | Verb::Releases => true,
            Verb::Restart | Verb::Rollback | Verb::Scale | Verb::Stop | Verb::Start => false,
        }
    }
}

/// One change to a service, with everything that it takes: what is approved is this and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "lowercase")]
pub enum Task {
    /// All instances, or one, each after the other where the platform can.
    Restart {
        instance: Option<String>,
    },
    /// To a release, by the platform's id of it.
    Rollback {
        to: String,
    },
    /// From so many instances to so many: where there are others meanwhile, nothing is done.
    Scale {
        from: u32,
        to: u32,
    },
    Stop {
        instance: String,
    },
    Start {
        instance: String,
    },
    /// A team's own verb: a program and its arguments, run without a shell.
    Own {
        name: String,
        argv: Vec<String>,
        seconds: u64,
    },
}

impl Task {
    /// The verb's name, a team's own among them.
    pub fn verb(&self) -> &str {
        match self {
            Task::Restart { .. } => Verb::Restart.word(),
            Task::Rollback { .. } => Verb::Rollback.word(),
            Task::Scale { .. } => Verb::Scale.word(),
            Task::Stop { .. } => Verb::Stop.word(),
            Task::Start { .. } => Verb::Start.word(),
            Task::Own { name, .. } => name,
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Task::Restart { instance: None } => f.write_str("restart all instances"),
            Task::Restart {
                instance: Some(instance),
            } => write!(f, "restart instance {instance}"),
            Task::Rollback { to } => write!(f, "roll back to release {to}"),
            Task::Scale { from, to } => write!(f, "scale from {from} to {to} instances"),
            Task::Stop { instance } => write!(f, "stop instance {instance}"),
            Task::Start { instance } => write!(f, "start instance {instance}"),
            Task::Own { name, argv, .. } => write!(f, "{name}: {}", argv.join(" ")),
        }
    }
}

/// What sort of caller asks. All come through the same door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallerKind {
    /// A rule of our own, over facts of the platform.
    Rule,
    /// The model that investigates.
    Model,
    /// Somebody at the command line.
    Person,
    /// A team's own agent, over the Model Context Protocol.
    Agent,
}

impl CallerKind {
    pub const ALL: [CallerKind; 4] = [
        CallerKind::Rule,
        CallerKind::Model,
        CallerKind::Person,
        CallerKind::Agent,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            CallerKind::Rule => "rule",
            CallerKind::Model => "model",
            CallerKind::Person => "person",
            CallerKind::Agent => "agent",
        }
    }

    pub fn from_word(word: &str) -> Option<CallerKind> {
        CallerKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Who asks. The name of an agent is what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub kind: CallerKind,
    pub name: String,
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.name)
    }
}
