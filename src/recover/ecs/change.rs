//! A change to a service of ECS: whether the state fits it, and the request that makes it. ECS knows no
//! condition that a change could carry, so that what it depends on is asked right before.

use super::Ecs;
use super::shapes::{Definition, Service, family_of};
use super::show;
use crate::model::recovery::{InstanceState, State, Task};
use crate::recover::clock;
use crate::recover::error::shown;
use crate::recover::{Error, ErrorKind};
use serde_json::{Value, json};
use std::time::Instant;

/// Longest id of a deployment that is kept.
const LONGEST_ID: usize = 255;

/// One request that changes something.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    operation: &'static str,
    body: Value,
}

impl Change {
    /// As it is shown to whoever approves it.
    fn line(&self) -> String {
        format!("{} {}", self.operation, self.body)
    }
}

fn refuse<T>(kind: ErrorKind, why: impl Into<String>) -> Result<T, Error> {
    Err(Error::new(kind, why))
}

/// Whether a task can be done to a service in this state.
fn check(task: &Task, state: &State) -> Result<(), Error> {
    match task {
        Task::Restart { instance: None } => {
            if let Some(who) = &state.kept_by {
                let why =
                    format!("{who} rolls out this service: restart it there, or one instance");
                return refuse(ErrorKind::Unsupported, why);
            }
            quiet(state)
        }
        Task::Restart {
            instance: Some(instance),
        }
        | Task::Stop { instance } => running(instance, state),
        Task::Rollback { to } => rollback(to, state),
        Task::Scale { from, to } => {
            if from == to {
                let why = format!("the service is to have {to} tasks already");
                return refuse(ErrorKind::Invalid, why);
            }
            match state.wanted {
                Some(now) if now == *from => Ok(()),
                now => refuse(
                    ErrorKind::Invalid,
                    format!(
                        "the service is to have {} tasks by now, not {from}: ask for its state again",
                        now.map_or("an unknown number of".to_owned(), |now| now.to_string())
                    ),
                ),
            }
        }
        Task::Start { .. } => refuse(
            ErrorKind::Unsupported,
            "the scheduler of ECS starts the tasks of a service: scale or restart the service",
        ),
        Task::Own { name, .. } => refuse(
            ErrorKind::Unsupported,
            format!("{} is no verb of ECS: it runs as a program", shown(name)),
        ),
    }
}

/// No deployment may be under way.
fn quiet(state: &State) -> Result<(), Error> {
    match &state.deploying {
        None => Ok(()),
        Some(what) => refuse(
            ErrorKind::Invalid,
            format!(
                "a deployment is under way, which its circuit breaker may undo by itself: {what}"
            ),
        ),
    }
}

/// A task of the service that runs, and is not the one that autofix itself runs in.
fn running(instance: &str, state: &State) -> Result<(), Error> {
    let Some(found) = state.instances.iter().find(|one| one.id == instance) else {
        let why = format!("the service has no task {}", shown(instance));
        return refuse(ErrorKind::Invalid, why);
    };
    if found.own {
        let why =
            "autofix itself runs in this task, and would end with it: restart the whole service";
        return refuse(ErrorKind::Invalid, why);
    }
    match found.state {
        InstanceState::Starting | InstanceState::Running | InstanceState::Failed => Ok(()),
        InstanceState::Stopped => {
            let why = format!("the task {instance} has been stopped already");
            refuse(ErrorKind::Invalid, why)
        }
    }
}

fn rollback(to: &str, state: &State) -> Result<(), Error> {
    let Some((family, _)) = family_of(to) else {
        let why = format!(
            "{} is no release of ECS: one is named FAMILY:REVISION",
            shown(to)
        );
        return refuse(ErrorKind::Invalid, why);
    };
    if let Some(who) = &state.kept_by {
        let why = format!("{who} rolls out this service and would refuse it: roll back there");
        return refuse(ErrorKind::Unsupported, why);
    }
    let Some(now) = state.release.as_deref() else {
        return refuse(ErrorKind::Invalid, "the service shows no task definition");
    };
    if now == to {
        return refuse(ErrorKind::Invalid, format!("the service runs {to} already"));
    }
    if family_of(now).map(|(family, _)| family) != Some(family) {
        let why = format!("{to} is of another family than {now}, which the service runs");
        return refuse(ErrorKind::Invalid, why);
    }
    quiet(state)
}

impl Ecs {
    /// The request, once `check` has let the task pass.
    fn change(&self, task: &Task, mark: &str) -> Result<Change, Error> {
        let (cluster, service) = (&self.place.cluster, &self.place.service);
        let update = |body| Change {
            operation: "UpdateService",
            body,
        };
        Ok(match task {
            Task::Restart { instance: None } => {
                update(json!({"cluster": cluster, "service": service, "forceNewDeployment": true}))
            }
            Task::Rollback { to } => {
                update(json!({"cluster": cluster, "service": service, "taskDefinition": to}))
            }
            Task::Scale { to, .. } => {
                update(json!({"cluster": cluster, "service": service, "desiredCount": to}))
            }
            Task::Restart {
                instance: Some(instance),
            }
            | Task::Stop { instance } => Change {
                operation: "StopTask",
                body: json!({"cluster": cluster, "task": instance,
                    "reason": format!("autofix {}", shown(mark))}),
            },
            Task::Start { .. } | Task::Own { .. } => {
                return refuse(ErrorKind::Unsupported, "ECS cannot do this");
            }
        })
    }

    pub(super) fn planned(&self, task: &Task, before: &State) -> Result<Vec<String>, Error> {
        check(task, before)?;
        Ok(vec![self.change(task, "MARK")?.line()])
    }

    pub(super) fn begun(
        &self,
        task: &Task,
        mark: &str,
        until: Instant,
    ) -> Result<Option<Value>, Error> {
        self.fits(task, until).map_err(|fault| match fault.kind {
            // Only looked at so far: nothing can have been done.
            ErrorKind::Unreachable => Error::new(
                ErrorKind::Refused,
                format!("nothing was changed, as the state could not be asked for: {fault}"),
            ),
            ErrorKind::Settings
            | ErrorKind::Refused
            | ErrorKind::Missing
            | ErrorKind::Limited(_)
            | ErrorKind::Invalid
            | ErrorKind::Unsupported => fault,
        })?;
        let change = self.change(task, mark)?;
        // Whatever the answer looks like: it says that it was done.
        let answer: Value = self.ask(change.operation, &change.body, until)?;
        let begins_a_deployment = matches!(
            task,
            Task::Restart { instance: None } | Task::Rollback { .. }
        );
        let service = answer.get("service").filter(|_| begins_a_deployment);
        let service: Option<Service> =
            service.and_then(|one| serde_json::from_value(one.clone()).ok());
        let id = service.and_then(|one| one.primary().map(|primary| primary.id.clone()));
        let id = id.filter(|id| id.len() <= LONGEST_ID);
        Ok(id.map(|id| json!({ "deployment": id })))
    }

    /// Whether the task fits what ECS shows at this moment.
    fn fits(&self, task: &Task, until: Instant) -> Result<(), Error> {
        // What no state could make possible needs no question.
        if matches!(task, Task::Start { .. } | Task::Own { .. }) {
            return check(task, &State::default());
        }
        let service = self.service(until)?;
        let tasks = match task {
            Task::Restart {
                instance: Some(instance),
            }
            | Task::Stop { instance } => self.task(&service, instance, until)?,
            Task::Restart { instance: None }
            | Task::Rollback { .. }
            | Task::Scale { .. }
            | Task::Start { .. }
            | Task::Own { .. } => Vec::new(),
        };
        let state = show::state(&service, &tasks, self.own.as_deref(), clock::now());
        check(task, &state)?;
        match task {
            Task::Rollback { to } => self.is_active(to, until),
            Task::Scale { .. } if service.scheduling_strategy.as_deref() == Some("DAEMON") => {
                refuse(
                    ErrorKind::Unsupported,
                    "a service of the strategy DAEMON has one task on each machine and no number of them",
                )
            }
            Task::Scale { .. }
            | Task::Restart { .. }
            | Task::Stop { .. }
            | Task::Start { .. }
            | Task::Own { .. } => Ok(()),
        }
    }

    /// Whether a task definition can still be deployed.
    fn is_active(&self, release: &str, until: Instant) -> Result<(), Error> {
        let found: Definition = self.definition(release, until)?;
        match found.status.as_deref() {
            Some("ACTIVE") => Ok(()),
            other => refuse(
                ErrorKind::Invalid,
                format!(
                    "{release} is {} and can no longer be deployed: register it anew",
                    shown(other.unwrap_or("in no state"))
                ),
            ),
        }
    }
}
