//! Amazon ECS by way of EventBridge: a task that stopped, a deployment that failed. What stopped a task
//! is told by `stopCode`, and within the stops of the service's own scheduler by the fixed beginning of
//! `stoppedReason`.

use super::{Failure, Fields, ended};
use crate::model::recovery::FactKind;

pub(super) fn read(event: &Fields<'_>) -> Vec<Failure> {
    if event.text("source") != Some("aws.ecs") {
        return Vec::new();
    }
    let failure = match event.text("detail-type") {
        Some("ECS Task State Change") => task(event),
        Some("ECS Deployment State Change") => deployment(event),
        Some(_) | None => None,
    };
    failure.into_iter().collect()
}

fn task(event: &Fields<'_>) -> Option<Failure> {
    let detail = event.inside("detail")?;
    if detail.text("lastStatus") != Some("STOPPED") {
        return None;
    }
    let instance = detail.id("taskArn")?;
    let reason = detail.text("stoppedReason").unwrap_or_default();
    let (kind, text) = match detail.text("stopCode") {
        Some("EssentialContainerExited") => containers(&detail)?,
        Some("TaskFailedToStart") => {
            let text = "a task could not be started".to_owned();
            (FactKind::DeployFailed, text)
        }
        Some("ServiceSchedulerInitiated") if is_unhealthy(reason) => {
            (FactKind::Unhealthy, "its health check failed".to_owned())
        }
        // Agents that write no code.
        None if reason.starts_with("Essential container in task exited") => containers(&detail)?,
        // Somebody asked for it, or the capacity was taken away.
        Some(_) | None => return None,
    };
    Some(Failure {
        kind,
        instance,
        at: detail.time("stoppedAt").or_else(|| event.time("time")),
        release: detail.id("taskDefinitionArn"),
        text,
    })
}

/// `Task failed ELB health checks in (…)`, `Task failed container health checks`.
fn is_unhealthy(reason: &str) -> bool {
    reason
        .strip_prefix("Task failed ")
        .is_some_and(|rest| rest.contains("health checks"))
}

/// The worst of a stopped task's containers: one that was killed for its memory, else the first that
/// did not end well. A task of which no container says how it ended has ended all the same.
fn containers(detail: &Fields<'_>) -> Option<(FactKind, String)> {
    let mut worst = None;
    let mut told = false;
    for container in detail.list("containers") {
        let reason = container.text("reason").unwrap_or_default();
        let oom = reason.starts_with("OutOfMemoryError");
        let code = container.int("exitCode");
        told |= code.is_some();
        if code.is_none() && !oom {
            continue;
        }
        match ended(code, None, oom) {
            Some(end) if oom => return Some(end),
            end => worst = worst.or(end),
        }
    }
    match told {
        true => worst,
        false => ended(None, None, false),
    }
}

fn deployment(event: &Fields<'_>) -> Option<Failure> {
    let detail = event.inside("detail")?;
    if detail.text("eventName") != Some("SERVICE_DEPLOYMENT_FAILED") {
        return None;
    }
    Some(Failure {
        kind: FactKind::DeployFailed,
        instance: String::new(),
        at: detail.time("updatedAt").or_else(|| event.time("time")),
        release: None,
        text: "a deploy failed".to_owned(),
    })
}
