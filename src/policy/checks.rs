//! The preconditions of an action. Every one is looked at and kept, also after one has failed: whoever
//! reads the record sees all of them. They are looked at when it is asked for, and again when it is
//! released.

use crate::model::Timestamp;
use crate::model::recovery::{
    Action, ActionId, Aftermath, Check, Fact, InstanceState, Permit, Policy, Quiet, Release, Stage,
    State, Task,
};
use crate::policy::release::{Health, fits, is_earlier};
use crate::policy::request::{Request, is_person};
use std::time::Duration;

/// Failures of a verb for one fault after which it is not tried again.
const GIVEN_UP: u32 = 2;
/// How long a failed action keeps others from following by themselves.
const AFTER_FAILURE: Duration = Duration::from_secs(24 * 3600);
/// Actions of a service that may wait for a person: who reads more of them reads none.
const WAITING: u32 = 20;
/// Doublings of the cool-down at most.
const DOUBLINGS: u32 = 6;

/// What was done to the service before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When the newest action that was begun ended.
    pub last_ended: Option<Timestamp>,
    /// Actions begun in the last hour and day.
    pub in_hour: u32,
    pub in_day: u32,
    /// Of them, in the last day, those with this verb.
    pub of_verb: u32,
    /// One that was released and is not over.
    pub under_way: Option<ActionId>,
    /// The newest one that was begun, where it did not help, and when it ended.
    pub failed: Option<(ActionId, Timestamp)>,
    /// How often this verb did not help against this fault.
    pub failed_for_fault: u32,
    /// Others that wait for a person, or are proposed to one.
    pub waiting: u32,
}

impl History {
    /// When the last action ended, where it helped: what was before is what that was for, and no reason for
    /// another.
    fn helped(&self) -> Option<Timestamp> {
        self.last_ended.filter(|_| self.failed.is_none())
    }
}

/// What is known when it is decided.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub state: &'a State,
    /// What the platform told of trouble, over its own interface, lately.
    pub evidence: &'a [Fact],
    /// Only for a roll-back.
    pub releases: &'a [Release],
    pub health: &'a [Health],
    pub history: &'a History,
    pub now: Timestamp,
}

/// Looks at every precondition.
pub fn judge(policy: &Policy, request: &Request, task: &Task, known: &Known<'_>) -> Vec<Check> {
    let mut checks = vec![
        check(
            "verb_allowed",
            policy.allows(&request.verb),
            format!("verbs: {}", policy.verbs.join(", ")),
        ),
        fact(request, task, known),
        unhealthy(policy, request, task, known),
        match &known.state.deploying {
            None => check("no_deploy_under_way", true, "no deploy is under way"),
            Some(what) => check(
                "no_deploy_under_way",
                false,
                format!("a deploy is under way: {what}"),
            ),
        },
        match &known.state.kept_by {
            None => check("not_kept_by_another", true, "nobody else would undo it"),
            Some(who) => check(
                "not_kept_by_another",
                false,
                format!("{who} would undo it; change it there"),
            ),
        },
        not_own(task, known.state),
        radius(policy, task, known.state),
        match known.history.under_way {
            None => check("none_under_way", true, "no other action is under way"),
            Some(id) => check("none_under_way", false, format!("action {id} is under way")),
        },
    ];
    checks.extend(pace(policy, request, known));
    checks.push(failures(request, known));
    checks.push(given_up(request, known.history));
    let waiting = known.history.waiting;
    let why = format!("{waiting} others wait for a person, at most {WAITING}");
    checks.push(check("few_wait", waiting < WAITING, why));
    if let Task::Rollback { to } = task {
        checks.push(release(policy, to, known));
    }
    checks
}

/// The first check that failed.
pub fn refused(checks: &[Check]) -> Option<&Check> {
    checks.iter().find(|check| !check.passed)
}

/// Whether an action that all checks let through still waits for a person: by its mode, or by the time
/// of day.
pub fn waits_for_person(policy: &Policy, now: Timestamp) -> Option<String> {
    match policy.permit {
        Permit::Approve => Some("mode approve: it waits for `autofix approve`".to_owned()),
        Permit::Propose => None,
        Permit::Auto => policy
            .quiet
            .iter()
            .find(|quiet| is_quiet(**quiet, now))
            .map(|quiet| {
                format!(
                    "quiet hours ({}-{} UTC): it waits for `autofix approve`",
                    clock(quiet.from),
                    clock(quiet.to)
                )
            }),
    }
}

fn check(name: &str, passed: bool, why: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        passed,
        why: why.into(),
    }
}

/// Whether the platform itself told of trouble. What was sent to us can start a look, and no more.
fn fact(request: &Request, task: &Task, known: &Known<'_>) -> Check {
    let name = "fact_of_platform";
    let ended = known.history.helped();
    let is_new = |fact: &&Fact| fact.asked && ended.is_none_or(|ended| fact.at > ended);
    let asked = known.evidence.iter().rfind(is_new);
    match asked {
        Some(fact) => {
            let whose = match fact.instance.as_str() {
                "" => String::new(),
                instance => format!("{instance}: "),
            };
            let at = fact.at.to_rfc3339();
            check(name, true, format!("{whose}{} ({at})", fact.text))
        }
        None if needs_none(request, task) => check(name, true, "not needed: a person asks"),
        None if known.evidence.iter().any(|fact| fact.asked) => check(
            name,
            false,
            "all that the platform told was before the end of the last action, which helped",
        ),
        None => check(
            name,
            false,
            "the platform tells of no crash, failed health check or failed deploy; what a log says is \
             not enough",
        ),
    }
}

/// A person may change the number of instances, or start one, without any trouble.
fn needs_none(request: &Request, task: &Task) -> bool {
    match task {
        Task::Scale { .. } | Task::Start { .. } | Task::Own { .. } => is_person(&request.caller),
        Task::Restart { .. } | Task::Rollback { .. } | Task::Stop { .. } => false,
    }
}

/// Whether it is still so.
fn unhealthy(policy: &Policy, request: &Request, task: &Task, known: &Known<'_>) -> Check {
    let name = "unhealthy_now";
    let since = known.now.minus(policy.crash_loop.1.max(policy.well_for));
    let since = since.max(known.history.helped().unwrap_or(since));
    let trouble = known.state.trouble(&request.service, since, known.now);
    match (trouble.last(), task) {
        (Some(fact), _) => check(name, true, fact.text.clone()),
        (None, Task::Start { instance }) => {
            let stopped = known
                .state
                .instances
                .iter()
                .any(|one| one.id == *instance && one.state == InstanceState::Stopped);
            let found = if stopped { "stopped" } else { "running" };
            check(name, stopped, format!("the instance is {found}"))
        }
        (None, _) if needs_none(request, task) => check(name, true, "not needed: a person asks"),
        (None, _) => check(name, false, "the platform shows the service as well"),
    }
}

fn not_own(task: &Task, state: &State) -> Check {
    let name = "not_its_own";
    let own = |id: &str| state.instances.iter().any(|one| one.own && one.id == id);
    let is_own = match task {
        Task::Stop { instance }
        | Task::Restart {
            instance: Some(instance),
        } => own(instance),
        // The platform goes through all of them one after the other. What begins is in the store before,
        // and whoever comes up next to the new one carries it on.
        Task::Restart { instance: None }
        | Task::Rollback { .. }
        | Task::Scale { .. }
        | Task::Start { .. }
        | Task::Own { .. } => false,
    };
    let why = match is_own {
        true => "it is the instance that autofix runs in",
        false => "it is not the instance that autofix runs in",
    };
    check(name, !is_own, why)
}

fn radius(policy: &Policy, task: &Task, state: &State) -> Check {
    let up = |state: InstanceState| match state {
        InstanceState::Starting | InstanceState::Running | InstanceState::Failed => true,
        InstanceState::Stopped => false,
    };
    let all = state.instances.iter().filter(|one| up(one.state)).count();
    let down = match task {
        Task::Restart { instance: None } | Task::Rollback { .. } => all,
        Task::Restart { instance: Some(_) } | Task::Stop { .. } => 1,
        Task::Scale { from, to } => from.saturating_sub(*to) as usize,
        Task::Start { .. } | Task::Own { .. } => 0,
    };
    let name = "blast_radius";
    if let (Task::Stop { .. }, Some((least, _))) = (task, policy.scale)
        && all <= least as usize
    {
        let why = format!("{all} run, and {least} are the fewest");
        return check(name, false, why);
    }
    match policy.max_instances {
        Some(most) if down > most as usize => check(
            name,
            false,
            format!("it takes down {down} instances, max_instances is {most}"),
        ),
        Some(_) | None => check(
            name,
            true,
            format!("it takes down {down} of {all} instances"),
        ),
    }
}

/// Cool-down with back-off, and how many there may be.
fn pace(policy: &Policy, request: &Request, known: &Known<'_>) -> [Check; 3] {
    let history = known.history;
    // The same again and again by itself is put off for longer each time.
    let doublings = match is_person(&request.caller) {
        true => 0,
        false => history.of_verb.saturating_sub(1).min(DOUBLINGS),
    };
    let wait = policy.cool_down.saturating_mul(1 << doublings);
    let cool = match history.last_ended {
        Some(ended) if known.now.since(ended) < wait || known.now < ended => check(
            "cool_down",
            false,
            format!(
                "the last action ended {} s ago, {} s must lie between",
                known.now.since(ended).as_secs(),
                wait.as_secs()
            ),
        ),
        Some(_) | None => check(
            "cool_down",
            true,
            format!("no action in the last {} s", wait.as_secs()),
        ),
    };
    let limit = |name: &str, span: &str, count: u32, most: u32| {
        let why = format!("{count} in the last {span}, at most {most}");
        check(name, count < most, why)
    };
    [
        cool,
        limit("per_hour", "hour", history.in_hour, policy.per_hour),
        limit("per_day", "day", history.in_day, policy.per_day),
    ]
}

/// After an attempt that did not help only a person goes on.
fn failures(request: &Request, known: &Known<'_>) -> Check {
    let name = "last_one_helped";
    match known.history.failed {
        Some((id, at)) if known.now.since(at) < AFTER_FAILURE => {
            let passed = is_person(&request.caller);
            let who = if passed {
                "a person goes on"
            } else {
                "only a person goes on"
            };
            check(name, passed, format!("action {id} did not help: {who}"))
        }
        Some(_) | None => check(name, true, "no action failed lately"),
    }
}

/// Whether a verb is no longer proposed for a fault. `past`: what was released against that fault.
pub fn is_given_up(past: &[Action], verb: &str) -> bool {
    let failed = past.iter().filter(|one| {
        let in_vain = one.stage == Stage::Failed
            || matches!(one.aftermath, Some(Aftermath::NoChange | Aftermath::Worse));
        in_vain && one.task.verb() == verb
    });
    failed.count() >= GIVEN_UP as usize
}

fn given_up(request: &Request, history: &History) -> Check {
    let name = "not_given_up";
    let times = history.failed_for_fault;
    match times >= GIVEN_UP && !is_person(&request.caller) {
        true => check(
            name,
            false,
            format!(
                "{} did not help {times} times against this fault",
                request.verb
            ),
        ),
        false => check(
            name,
            true,
            format!("it failed {times} times against this fault"),
        ),
    }
}

fn release(policy: &Policy, to: &str, known: &Known<'_>) -> Check {
    let name = "release_was_healthy";
    let Some(release) = known.releases.iter().find(|release| release.id == to) else {
        return check(name, false, "the platform does not show it any more");
    };
    if !is_earlier(known.releases, to) {
        return check(name, false, "it is not earlier than the one that runs");
    }
    match fits(policy, release, known.health, known.now) {
        Ok(why) => check(name, true, why),
        Err(why) => check(name, false, why),
    }
}

fn is_quiet(quiet: Quiet, now: Timestamp) -> bool {
    const MINUTE: i64 = 60 * 1_000_000_000;
    let minute = now.0.div_euclid(MINUTE).rem_euclid(24 * 60);
    let (from, to) = (i64::from(quiet.from), i64::from(quiet.to));
    match from < to {
        true => (from..to).contains(&minute),
        false => minute >= from || minute < to,
    }
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
