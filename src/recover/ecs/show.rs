//! What the services and tasks of ECS say about one service: its state, as every platform shows one.
//! Pure: the answers are handed in.

use super::shapes::{Breaker, Deployment, Event, Seconds, Service, Task, release_of};
use crate::model::Timestamp;
use crate::model::recovery::{Exit, Instance, InstanceState, State};
use crate::recover::LISTED;
use crate::recover::error::shown;
use std::time::Duration;

/// Fewest and most failed tasks at which ECS's own circuit breaker gives a deployment up.
const BREAKS_AT: (u32, u32) = (3, 200);

/// How long after its end a failed deployment is told of that the breaker has undone.
const TOLD: Duration = Duration::from_secs(15 * 60);

/// The state of a service with its tasks; `own`: the id of the task that autofix runs in.
pub(super) fn state(service: &Service, tasks: &[Task], own: Option<&str>, now: Timestamp) -> State {
    let (mut there, mut gone): (Vec<&Task>, Vec<&Task>) = tasks.iter().partition(|one| one.stays());
    there.sort_by_key(|one| one.started_at.or(one.created_at).map(|at| at.timestamp()));
    gone.sort_by_key(|one| one.ended().map(|at| at.timestamp()));
    // Of those that ended the newest are kept.
    let room = LISTED.saturating_sub(there.len());
    let old = gone.len().saturating_sub(room);
    let kept = there.into_iter().chain(gone.into_iter().skip(old));
    State {
        instances: kept.map(|task| instance(task, own)).collect(),
        release: service
            .task_definition
            .as_deref()
            .map(|arn| release_of(arn).to_owned()),
        wanted: Some(service.desired_count),
        deploying: service.deploying(),
        deploy_failed: service.deploy_failed(now),
        kept_by: kept_by(service),
    }
}

fn instance(task: &Task, own: Option<&str>) -> Instance {
    let state = match (task.stays(), task.last_status.as_str()) {
        (false, _) => InstanceState::Stopped,
        (true, "RUNNING") => InstanceState::Running,
        (true, _) => InstanceState::Starting,
    };
    let said = [
        Some(task.last_status.as_str()),
        task.stop_code.as_deref(),
        task.stopped_reason.as_deref(),
        task.containers.iter().find_map(|one| one.reason.as_deref()),
    ];
    let said: Vec<&str> = said
        .into_iter()
        .flatten()
        .filter(|s| !s.is_empty())
        .collect();
    Instance {
        id: task.id().to_owned(),
        state,
        word: shown(&said.join(": ")),
        // What the checks of a task said that has ended says nothing of the service.
        healthy: match (state, task.health_status.as_deref()) {
            (InstanceState::Stopped, _) => None,
            (_, Some("HEALTHY")) => Some(true),
            (_, Some("UNHEALTHY")) => Some(false),
            (_, _) => None,
        },
        release: Some(task.release().to_owned()),
        restarts: None,
        started: task.started_at.map(|at| at.timestamp()),
        exits: exit(task).into_iter().collect(),
        own: own == Some(task.id()),
    }
}

/// How a task ended. One that has no time of its end says nothing that could be told from an earlier
/// end, and gives none.
fn exit(task: &Task) -> Option<Exit> {
    let at = task.ended().filter(|_| task.last_status == "STOPPED")?;
    let oom = |reason: &String| reason.starts_with("OutOfMemory");
    let killed = task
        .containers
        .iter()
        .find(|one| one.reason.as_ref().is_some_and(oom));
    let unwell = task.failed_its_checks();
    let wanted = match task.stop_code.as_deref() {
        Some("UserInitiated" | "SpotInterruption" | "TerminationNotice") => true,
        Some("ServiceSchedulerInitiated") => !unwell,
        _ => false,
    };
    let code = match killed {
        Some(container) => container.exit_code,
        None => task.exit_code(),
    };
    Some(Exit {
        at: at.timestamp(),
        // It ended because its checks failed; the status 0 only says that it obeyed.
        code: code.filter(|code| !(unwell && *code == 0)),
        signal: None,
        oom: killed.is_some(),
        wanted,
    })
}

impl Task {
    /// When it ended, as exactly as ECS says.
    fn ended(&self) -> Option<Seconds> {
        self.stopped_at
            .or(self.execution_stopped_at)
            .or(self.stopping_at)
    }

    /// The scheduler took it down for what its container or load balancer said of it.
    fn failed_its_checks(&self) -> bool {
        let reason = self.stopped_reason.as_deref().unwrap_or_default();
        reason.contains("health check")
    }

    /// The exit status of what ended first. When one essential container ends, ECS ends the others: a
    /// status of their own making is then 143 or 137, or 0.
    fn exit_code(&self) -> Option<i32> {
        let codes = || self.containers.iter().filter_map(|one| one.exit_code);
        let first = codes().find(|code| !matches!(code, 0 | 137 | 143));
        first
            .or_else(|| codes().find(|code| *code != 0))
            .or_else(|| codes().next())
    }
}

impl Service {
    /// What is being rolled out, and how far that is.
    pub fn deploying(&self) -> Option<String> {
        let primary = self.primary()?;
        let many = self
            .deployments
            .iter()
            .filter(|one| one.status != "INACTIVE");
        let many = many.count() > 1;
        if primary.is("FAILED") {
            let release = primary.release();
            return self.will_go_back().then(|| {
                format!(
                    "the deployment of {release} failed; the circuit breaker goes back by itself"
                )
            });
        }
        if self.is_stuck() || !(many || primary.is("IN_PROGRESS")) {
            return None;
        }
        let release = primary.release();
        let far = format!(
            "{} of {} tasks run",
            primary.running_count, primary.desired_count
        );
        Some(match primary.goes_back() {
            true => format!("the circuit breaker goes back to {release}: {far}"),
            false => format!("deployment {} of {release}: {far}", shown(&primary.id)),
        })
    }

    /// Why the newest deployment failed.
    pub fn deploy_failed(&self, now: Timestamp) -> Option<String> {
        let primary = self.primary()?;
        let newest = |one: &&Deployment| one.id == primary.id || one.is_since(primary);
        let failed = |one: &&Deployment| one.is("FAILED") && (newest(one) || primary.goes_back());
        if let Some(failed) = self.deployments.iter().find(failed) {
            let why = failed.rollout_state_reason.as_deref();
            let why = shown(why.unwrap_or("ECS says no more"));
            return Some(format!("of {}: {why}", failed.release()));
        }
        if primary.goes_back() {
            let why = primary.rollout_state_reason.as_deref();
            return Some(shown(why.unwrap_or_default()));
        }
        if self.is_stuck() {
            return Some(format!(
                "of {}: {} tasks in a row failed, and no circuit breaker ends it",
                primary.release(),
                primary.failed_tasks
            ));
        }
        self.failure_event(primary, now).map(shown)
    }

    /// The newest event that tells of a failed deployment, where no other has begun since. The breaker
    /// makes a deployment of before the first again: that is no other. It may be done within seconds,
    /// so that only the event tells; later on the service is well, and its past no trouble.
    fn failure_event(&self, primary: &Deployment, now: Timestamp) -> Option<&str> {
        let time = |one: &Event| one.created_at.map(|at| at.timestamp());
        let failed = self
            .events
            .iter()
            .filter(|one| one.message.contains("deployment failed"))
            .max_by_key(|one| time(one))?;
        let begun = primary.created_at.map(|at| at.timestamp());
        let (Some(at), Some(begun)) = (time(failed), begun) else {
            return None;
        };
        (at >= begun && now.since(at) <= TOLD).then_some(failed.message.as_str())
    }

    /// Whether the circuit breaker will undo the deployment that failed. Without one that was complete
    /// it leaves everything as it is.
    pub fn will_go_back(&self) -> bool {
        let complete = self.deployments.iter().any(|one| one.is("COMPLETED"));
        self.breaker().rollback && complete
    }

    /// Whether so many tasks of a deployment failed that ECS would have given it up, were its breaker
    /// on. Without it a deployment whose tasks never come up is under way for ever.
    fn is_stuck(&self) -> bool {
        let Breaker { enable, .. } = self.breaker();
        let (least, most) = BREAKS_AT;
        self.primary().is_some_and(|primary| {
            let limit = primary.desired_count.div_ceil(2).clamp(least, most);
            !enable && primary.is("IN_PROGRESS") && primary.failed_tasks >= limit
        })
    }
}

impl Deployment {
    /// Whether the circuit breaker, or an alarm, made it to undo another.
    pub fn goes_back(&self) -> bool {
        let reason = self.rollout_state_reason.as_deref().unwrap_or_default();
        reason.contains("rolling back")
    }

    /// Whether it began after another, as where that one is of before and was made the first again.
    fn is_since(&self, other: &Deployment) -> bool {
        let at = |one: &Deployment| one.created_at.map(|at| at.timestamp());
        matches!((at(self), at(other)), (Some(at), Some(other)) if at >= other)
    }
}

/// Who but ECS itself rolls out the service's releases.
fn kept_by(service: &Service) -> Option<String> {
    match service.controller() {
        "ECS" => None,
        "CODE_DEPLOY" => Some("AWS CodeDeploy (deployment controller CODE_DEPLOY)".to_owned()),
        "EXTERNAL" => Some("an external deployment controller (EXTERNAL)".to_owned()),
        other => Some(format!("the deployment controller {}", shown(other))),
    }
}
