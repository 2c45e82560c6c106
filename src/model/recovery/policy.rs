//! `[service.recover]`, resolved: where a service runs and what may be done to it. Deny by default: no
//! verb that is not named here is ever carried out.

use crate::model::recovery::PlatformKind;
use crate::model::service::TokenSource;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Who releases an action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permit {
    /// It waits for `autofix approve`.
    #[default]
    Approve,
    /// It is only said what would be done.
    Propose,
    /// It is carried out when every check passes.
    Auto,
}

impl Permit {
    pub const fn word(self) -> &'static str {
        match self {
            Permit::Approve => "approve",
            Permit::Propose => "propose",
            Permit::Auto => "auto",
        }
    }
}

/// Where a service runs, and how its platform is spoken to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub platform: PlatformKind,
    /// fly: the app. ECS: `cluster/service`. supervisor: the program, or `group:*`. Kubernetes:
    /// `namespace/deployment`.
    pub target: String,
    /// Address of the platform's interface; `None`: the platform's usual one.
    pub api: Option<String>,
    /// ECS only.
    pub region: Option<String>,
    /// Where its token is read from, at each use.
    pub token: Option<TokenSource>,
    /// Kubernetes: the file with the API server's own certificate authority.
    pub ca: Option<PathBuf>,
    /// supervisor: the folder in which each release is a folder.
    pub releases: Option<PathBuf>,
    /// supervisor: the symbolic link to the release that runs.
    pub current: Option<PathBuf>,
}

/// What may be done to a service. Times are durations, counts are instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub place: Place,
    pub permit: Permit,
    /// Names of verbs, a team's own among them; empty: none.
    pub verbs: Vec<String>,
    pub own: Vec<OwnVerb>,
    /// Fewest and most instances that `scale` may ask for; `None`: it may not scale.
    pub scale: Option<(u32, u32)>,
    /// Most instances that one action may take down; `None`: any number.
    pub max_instances: Option<u32>,
    /// Between the end of an action and the next.
    pub cool_down: Duration,
    pub per_hour: u32,
    pub per_day: u32,
    /// Times of day, UTC, in which nothing happens without a person.
    pub quiet: Vec<Quiet>,
    /// A release older than this is not gone back to.
    pub oldest_release: Duration,
    /// How long a release must have run well to be gone back to.
    pub healthy_after: Duration,
    /// How long an action may take on the platform.
    pub act_within: Duration,
    /// How long the service may take to be well after an action.
    pub well_within: Duration,
    /// How long it must stay well then, with the fault not seen.
    pub well_for: Duration,
    /// How long an action waits for approval.
    pub approve_within: Duration,
    /// So many crashes within that time are a crash loop, which is restarted; 0: never.
    pub crash_loop: (u32, Duration),
    /// So many crashes within that time after a deploy are rolled back; 0: never.
    pub bad_deploy: (u32, Duration),
    /// How often the platform is asked.
    pub every: Duration,
}

impl Policy {
    /// What holds where `[service.recover]` says nothing else.
    pub fn of(place: Place) -> Policy {
        const MINUTE: u64 = 60;
        Policy {
            place,
            permit: Permit::default(),
            verbs: Vec::new(),
            own: Vec::new(),
            scale: None,
            max_instances: None,
            cool_down: Duration::from_secs(5 * MINUTE),
            per_hour: 3,
            per_day: 10,
            quiet: Vec::new(),
            oldest_release: Duration::from_secs(30 * 24 * 60 * MINUTE),
            healthy_after: Duration::from_secs(10 * MINUTE),
            act_within: Duration::from_secs(10 * MINUTE),
            well_within: Duration::from_secs(5 * MINUTE),
            well_for: Duration::from_secs(MINUTE),
            approve_within: Duration::from_secs(60 * MINUTE),
            crash_loop: (5, Duration::from_secs(10 * MINUTE)),
            bad_deploy: (3, Duration::from_secs(15 * MINUTE)),
            every: Duration::from_secs(30),
        }
    }

    /// Whether a verb is named.
    pub fn allows(&self, verb: &str) -> bool {
        self.verbs.iter().any(|one| one == verb)
    }
}

/// A time of day, in minutes after midnight UTC; an end before its begin is on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    pub from: u16,
    pub to: u16,
}

/// A verb that a team adds: `[[service.recover.verb]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnVerb {
    pub name: String,
    /// What it does, for whoever approves it.
    pub about: String,
    /// A program by its absolute path, and its arguments; `{name}` is replaced by a parameter's value.
    pub argv: Vec<String>,
    pub parameters: Vec<Parameter>,
    /// How long the program may run.
    pub within: Duration,
}

/// A parameter of such a verb. It must be given unless it has a value of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    pub shape: Shape,
}

/// What a parameter's value may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// One of these.
    Choice(Vec<String>),
    /// Letters, digits, `.`, `_` and `-`, at most so many; it never begins with `-`.
    Word(usize),
}
