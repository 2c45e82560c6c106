//! How far a change is, told from what ECS shows now, so that it can be told also where the answer to
//! the change was lost. A deployment that we began is known by its id, or else by its release and time.

use super::Ecs;
use super::shapes::{Deployment, Service, Task as Shown, release_of};
use crate::model::Timestamp;
use crate::model::recovery::{InstanceState, State, Task};
use crate::recover::clock;
use crate::recover::error::shown;
use crate::recover::{Attempt, Error, ErrorKind, Progress};
use std::time::{Duration, Instant};

/// How far the clocks of AWS and of this host may be apart, and how long ECS may show what was before.
const SLACK: Duration = Duration::from_secs(60);

impl Ecs {
    pub(super) fn polled(&self, attempt: &Attempt<'_>, until: Instant) -> Result<Progress, Error> {
        let unfit = |what: &str| Err(Error::new(ErrorKind::Unsupported, what));
        match attempt.task {
            Task::Restart { instance: None } => {
                let service = self.service(until)?;
                let tasks = match id_of(attempt) {
                    Some(_) => Vec::new(),
                    None => self.tasks(&service, until)?,
                };
                Ok(restart(attempt, &service, &tasks, clock::now()))
            }
            Task::Rollback { to } => Ok(rollback(attempt, to, &self.service(until)?, clock::now())),
            Task::Scale { from, to } => Ok(scale(*from, *to, &self.service(until)?)),
            Task::Restart {
                instance: Some(instance),
            } => {
                let gone = self.task_if_there(instance, until)?;
                Ok(match left(instance, gone.as_ref()) {
                    Some(going) => going,
                    None => replaced(instance, &self.service(until)?),
                })
            }
            Task::Stop { instance } => {
                let gone = self.task_if_there(instance, until)?;
                Ok(left(instance, gone.as_ref()).unwrap_or_else(|| {
                    Progress::Done(format!(
                        "task {instance} has ended; the scheduler starts another in its place"
                    ))
                }))
            }
            Task::Start { .. } => unfit("ECS starts no single task of a service"),
            Task::Own { .. } => unfit("a team's own verb is no matter of ECS"),
        }
    }
}

/// The id of the deployment that we began.
fn id_of<'a>(attempt: &Attempt<'a>) -> Option<&'a str> {
    attempt.handle?.get("deployment")?.as_str()
}

/// How far a task is on its way out; `None`: it has ended.
fn left(instance: &str, task: Option<&Shown>) -> Option<Progress> {
    let task = task.filter(|task| task.last_status != "STOPPED")?;
    Some(Progress::Going(match task.stays() {
        true => format!("task {instance} still runs"),
        false => format!("task {instance} is ending: {}", shown(&task.last_status)),
    }))
}

fn replaced(instance: &str, service: &Service) -> Progress {
    let far = format!(
        "{} of {} tasks run",
        service.running_count, service.desired_count
    );
    match service.running_count >= service.desired_count {
        true => Progress::Done(format!("task {instance} has ended and {far}")),
        false => Progress::Going(format!("task {instance} has ended; {far}")),
    }
}

fn scale(from: u32, to: u32, service: &Service) -> Progress {
    let (wanted, run) = (service.desired_count, service.running_count);
    match (wanted == to, run == to, wanted == from) {
        (true, true, _) => Progress::Done(format!("{to} tasks run")),
        (true, false, _) => Progress::Going(format!("{run} tasks run, {to} are wanted")),
        (false, _, true) => Progress::Going(format!("the service is still to have {from} tasks")),
        (false, _, false) => Progress::Failed(format!(
            "somebody else has set the service to {wanted} tasks meanwhile"
        )),
    }
}

fn restart(attempt: &Attempt<'_>, service: &Service, tasks: &[Shown], now: Timestamp) -> Progress {
    let Some(primary) = service.primary() else {
        return Progress::Going("the service shows no deployment".to_owned());
    };
    if let Some(id) = id_of(attempt) {
        return match service.deployments.iter().find(|one| one.id == id) {
            Some(found) => rollout(found, primary, service),
            None => vanished(attempt, primary, service, now),
        };
    }
    if !began_since(primary, attempt.begun) {
        return nothing_shows(attempt, service);
    }
    match rollout(primary, primary, service) {
        Progress::Done(_) if any_left(attempt.before, tasks) => {
            Progress::Going("tasks of before still run".to_owned())
        }
        other => other,
    }
}

fn rollback(attempt: &Attempt<'_>, to: &str, service: &Service, now: Timestamp) -> Progress {
    let Some(primary) = service.primary() else {
        return Progress::Going("the service shows no deployment".to_owned());
    };
    let of = |one: &&Deployment| one.release() == to;
    let found = match id_of(attempt) {
        Some(id) => service.deployments.iter().find(|one| one.id == id),
        None => Some(primary).filter(of).or_else(|| {
            let mut all = service.deployments.iter().filter(of);
            all.find(|one| began_since(one, attempt.begun))
        }),
    };
    let set = service.task_definition.as_deref().map(release_of);
    match found {
        Some(found) if found.release() == to => rollout(found, primary, service),
        Some(_) if set == Some(to) => Progress::Going(format!(
            "the service is set to {to}, and no deployment of it shows yet"
        )),
        Some(found) => Progress::Failed(format!(
            "the deployment is of {}, not of {to}: somebody else has begun it",
            shown(found.release())
        )),
        None if id_of(attempt).is_some() => vanished(attempt, primary, service, now),
        None if attempt.before.release.as_deref() == Some(primary.release()) => {
            nothing_shows(attempt, service)
        }
        None => Progress::Failed(format!(
            "the service has been set to {} meanwhile, not to {to}",
            shown(primary.release())
        )),
    }
}

/// How far a deployment is that ECS shows.
fn rollout(found: &Deployment, primary: &Deployment, service: &Service) -> Progress {
    let far = format!(
        "{} of {} tasks of {} run",
        found.running_count,
        found.desired_count,
        shown(found.release())
    );
    if found.is("FAILED") {
        let why = shown(found.rollout_state_reason.as_deref().unwrap_or_default());
        let then = match service.will_go_back() || primary.goes_back() {
            true => "; the circuit breaker goes back by itself",
            false => "",
        };
        return Progress::Failed(format!("the deployment failed: {why}{then}"));
    }
    if found.id != primary.id {
        let by = match primary.goes_back() {
            true => "the circuit breaker has undone the deployment and goes back to",
            false => "another deployment has taken its place, of",
        };
        return Progress::Failed(format!("{by} {}", shown(primary.release())));
    }
    let alone = service
        .deployments
        .iter()
        .filter(|one| one.status != "INACTIVE")
        .count()
        == 1;
    match found.rollout_state.as_deref() {
        Some("COMPLETED") => Progress::Done(far),
        // Not every service has a state of its roll-outs.
        None if alone && service.running_count == service.desired_count => Progress::Done(far),
        Some("IN_PROGRESS") | None => Progress::Going(far),
        Some(other) => Progress::Going(format!("{}: {far}", shown(other))),
    }
}

/// Our deployment was there and is no longer shown.
fn vanished(
    attempt: &Attempt<'_>,
    primary: &Deployment,
    service: &Service,
    now: Timestamp,
) -> Progress {
    if let Some(why) = failure_since(attempt, service) {
        return Progress::Failed(format!("the deployment failed: {why}"));
    }
    if now.since(attempt.begun) < SLACK && !primary.goes_back() {
        return Progress::Going("ECS does not show the deployment yet".to_owned());
    }
    Progress::Failed(format!(
        "the deployment is gone, undone or replaced by one of {}",
        shown(primary.release())
    ))
}

/// Whether we began anything is not known, and nothing tells of it.
fn nothing_shows(attempt: &Attempt<'_>, service: &Service) -> Progress {
    match failure_since(attempt, service) {
        Some(why) => Progress::Failed(format!("the deployment failed: {why}")),
        None => Progress::Going("the service shows no deployment that began since".to_owned()),
    }
}

/// The event that tells of a deployment's failure, of ours where we know which it is.
fn failure_since(attempt: &Attempt<'_>, service: &Service) -> Option<String> {
    let of = id_of(attempt).map(|id| format!("(deployment {id})"));
    let found = service.events.iter().find(|one| {
        let at = one.created_at.map(|at| at.timestamp());
        one.message.contains("deployment failed")
            && at.is_some_and(|at| at >= attempt.begun.minus(SLACK))
            && of
                .as_ref()
                .is_none_or(|of| one.message.contains(of.as_str()))
    });
    found.map(|one| shown(&one.message))
}

fn began_since(deployment: &Deployment, begun: Timestamp) -> bool {
    let at = deployment.created_at.map(|at| at.timestamp());
    at.is_some_and(|at| at >= begun.minus(SLACK))
}

/// Whether a task that ran before still does.
fn any_left(before: &State, tasks: &[Shown]) -> bool {
    let ran = |id: &str| {
        before.instances.iter().any(|one| {
            one.id == id && matches!(one.state, InstanceState::Running | InstanceState::Starting)
        })
    };
    tasks.iter().any(|task| task.stays() && ran(task.id()))
}
