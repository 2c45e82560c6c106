//! Kubernetes' own events, as the API server gives them (`involvedObject`, or `regarding` in the newer
//! group) and as exporters pass them on. Only warnings, and only of a few reasons. An event about a
//! node is of no one service.

use super::{Failure, Fields};
use crate::model::recovery::FactKind;

/// Objects that belong to a service. Those that stand for all of its pods name no instance.
const WHOLE: [&str; 7] = [
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "ReplicationController",
    "Job",
    "Rollout",
];

pub(super) fn read(event: &Fields<'_>) -> Vec<Failure> {
    failure(event).into_iter().collect()
}

fn failure(event: &Fields<'_>) -> Option<Failure> {
    let object = event
        .inside("involvedObject")
        .or_else(|| event.inside("regarding"))?;
    if event.text("type") != Some("Warning") {
        return None;
    }
    let instance = match object.text("kind") {
        Some("Pod") => object.id("name")?,
        Some(kind) if WHOLE.contains(&kind) => String::new(),
        Some(_) | None => return None,
    };
    let (kind, text) = told(event)?;
    Some(Failure {
        kind,
        instance,
        at: newest(event),
        release: None,
        text: text.to_owned(),
    })
}

fn told(event: &Fields<'_>) -> Option<(FactKind, &'static str)> {
    let message = event.text("message").or_else(|| event.text("note"));
    let message = message.unwrap_or_default();
    Some(match event.text("reason")? {
        "BackOff" if message.contains("pulling image") => {
            (FactKind::DeployFailed, "its image cannot be pulled")
        }
        "BackOff" => (
            FactKind::Crash,
            "it ends again and again, and is restarted more and more slowly",
        ),
        "OOMKilling" => (FactKind::Oom, "killed for its memory"),
        "Unhealthy" => (FactKind::Unhealthy, "its health check fails"),
        "Killing" => (FactKind::Exit, "the platform killed it"),
        "Failed" => (FactKind::DeployFailed, "a container could not be started"),
        "FailedCreate" => (FactKind::DeployFailed, "a pod could not be made"),
        "ProgressDeadlineExceeded" => (FactKind::DeployFailed, "a deploy did not get on in time"),
        _ => return None,
    })
}

/// When it was last seen: an event that repeats is one object whose count grows.
fn newest(event: &Fields<'_>) -> Option<crate::model::Timestamp> {
    [
        "series.lastObservedTime",
        "lastTimestamp",
        "deprecatedLastTimestamp",
        "eventTime",
        "firstTimestamp",
        "metadata.creationTimestamp",
    ]
    .into_iter()
    .filter_map(|path| event.time(path))
    .max()
}
