//! A pod as an instance of a service: whether it runs, what its health checks say, and how its
//! containers ended. Read off the pod alone.

use super::object::{condition, count, entry, list, number, text, time};
use crate::model::Timestamp;
use crate::model::recovery::{Exit, Instance, InstanceState};
use crate::recover::LISTED;
use crate::recover::error::shown;
use serde_json::Value;
use std::time::Duration;

/// How long a container without a readiness probe may take to be ready.
const GRACE: u64 = 30;
/// The longest that a probe is waited for.
const LONGEST_GRACE: u64 = 900;

/// What a container waits for where nothing is wrong with it.
const ON_ITS_WAY: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// The container whose start and output are the pod's.
pub(super) fn main_container(template: &Value) -> Option<&str> {
    let names = || {
        let all = list(template, "/spec/containers").iter();
        all.filter_map(|one| text(one, "/name"))
    };
    let default = "kubectl.kubernetes.io/default-container";
    let said = entry(template, "/metadata/annotations", default);
    said.and_then(|said| names().find(|name| *name == said))
        .or_else(|| names().next())
}

/// `release`: the revision of the ReplicaSet that made it.
pub(super) fn instance(
    pod: &Value,
    name: &str,
    release: Option<u64>,
    own: bool,
    now: Timestamp,
) -> Instance {
    let started = started(pod);
    let (state, word, healthy) = standing(pod, now);
    let restarts = statuses(pod).map(|one| u64::from(count(one, "/restartCount")));
    Instance {
        id: name.to_owned(),
        state,
        word: shown(&word),
        healthy,
        release: release.map(|number| number.to_string()),
        restarts: Some(restarts.sum()),
        started,
        exits: exits(pod),
        own,
    }
}

/// Whether it is one of those that count towards what is wanted, and ready.
pub(super) fn is_ready(pod: &Value) -> bool {
    let ready = condition(pod, "Ready").and_then(|one| text(one, "/status"));
    text(pod, "/status/phase") == Some("Running") && ready == Some("True") && !is_ending(pod)
}

/// Whether its deletion was asked for.
pub(super) fn is_ending(pod: &Value) -> bool {
    text(pod, "/metadata/deletionTimestamp").is_some()
}

/// Whether the container is between two runs, so that its output is that of the run before.
pub(super) fn is_looping(pod: &Value, container: &str) -> bool {
    list(pod, "/status/containerStatuses").iter().any(|one| {
        text(one, "/name") == Some(container)
            && text(one, "/state/waiting/reason") == Some("CrashLoopBackOff")
    })
}

fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    let first = list(pod, "/status/initContainerStatuses").iter();
    first.chain(list(pod, "/status/containerStatuses"))
}

fn started(pod: &Value) -> Option<Timestamp> {
    let main = main_container(pod);
    let all = list(pod, "/status/containerStatuses").iter();
    all.filter(|one| text(one, "/name") == main)
        .find_map(|one| time(one, "/state/running/startedAt"))
}

fn standing(pod: &Value, now: Timestamp) -> (InstanceState, String, Option<bool>) {
    let phase = text(pod, "/status/phase").unwrap_or("Unknown");
    if is_ending(pod) {
        return (InstanceState::Stopped, "Terminating".to_owned(), None);
    }
    if matches!(phase, "Failed" | "Succeeded") {
        let reason = text(pod, "/status/reason").unwrap_or(phase);
        return (InstanceState::Stopped, reason.to_owned(), None);
    }
    let before = list(pod, "/status/initContainerStatuses").iter();
    let containers = list(pod, "/status/containerStatuses");
    let mut starting = None;
    for (prefix, one) in before
        .map(|one| ("Init:", one))
        .chain(containers.iter().map(|one| ("", one)))
    {
        match of_container(one, prefix.is_empty()) {
            Some((InstanceState::Failed, word)) => {
                return (
                    InstanceState::Failed,
                    format!("{prefix}{word}"),
                    Some(false),
                );
            }
            Some((_, word)) => starting = starting.or(Some(format!("{prefix}{word}"))),
            None => {}
        }
    }
    if let Some(word) = starting {
        return (InstanceState::Starting, word, None);
    }
    if phase == "Pending" || containers.is_empty() {
        let placed = condition(pod, "PodScheduled").and_then(|one| text(one, "/reason"));
        let word = placed.map_or(phase.to_owned(), |reason| format!("{phase}: {reason}"));
        return (InstanceState::Starting, word, None);
    }
    if is_ready(pod) {
        let healthy = has_checks(pod).then_some(true);
        return (InstanceState::Running, phase.to_owned(), healthy);
    }
    let since = containers
        .iter()
        .filter_map(|one| time(one, "/state/running/startedAt"));
    let is_new = since
        .max()
        .is_some_and(|since| now.since(since) <= grace(pod));
    match is_new {
        true => (InstanceState::Starting, "not ready yet".to_owned(), None),
        false => (
            InstanceState::Running,
            format!("{phase}, not ready"),
            Some(false),
        ),
    }
}

/// What a container keeps its pod from; `None`: it runs, or has done what it is for.
fn of_container(status: &Value, is_main: bool) -> Option<(InstanceState, String)> {
    let waiting = status
        .pointer("/state/waiting")
        .filter(|one| !one.is_null());
    if let Some(waiting) = waiting {
        let reason = text(waiting, "/reason").unwrap_or("waiting");
        let fine = ON_ITS_WAY.contains(&reason) || reason == "waiting";
        let state = match fine {
            true => InstanceState::Starting,
            false => InstanceState::Failed,
        };
        return Some((state, reason.to_owned()));
    }
    let ended = status
        .pointer("/state/terminated")
        .filter(|one| !one.is_null());
    if let Some(ended) = ended {
        let done = number(ended, "/exitCode") == Some(0);
        let reason = text(ended, "/reason").unwrap_or("Error").to_owned();
        // A container of a Deployment is meant to run on; one that prepares it is meant to end.
        return (is_main || !done).then_some((InstanceState::Failed, reason));
    }
    let started = status.get("started") == Some(&Value::Bool(true));
    let word = match is_main {
        true => "its startup probe has not passed",
        false => "running",
    };
    (!started).then(|| (InstanceState::Starting, word.to_owned()))
}

fn has_checks(pod: &Value) -> bool {
    let probes = ["readinessProbe", "livenessProbe", "startupProbe"];
    let probed = |one: &Value| probes.iter().any(|probe| one.get(*probe).is_some());
    list(pod, "/spec/containers").iter().any(probed)
        || !list(pod, "/spec/readinessGates").is_empty()
}

/// How long its containers may take to be ready: until their probes would have said no.
fn grace(pod: &Value) -> Duration {
    let of = |one: &Value| match one.get("readinessProbe") {
        None => GRACE,
        Some(probe) => {
            let part = |path: &str, default: u64| match number(probe, path) {
                None => default,
                Some(value) => u64::try_from(value).unwrap_or(0).min(LONGEST_GRACE),
            };
            let tries = part("/failureThreshold", 3) * part("/periodSeconds", 10);
            part("/initialDelaySeconds", 0) + tries + part("/timeoutSeconds", 1)
        }
    };
    let longest = list(pod, "/spec/containers").iter().map(of).max();
    Duration::from_secs(longest.unwrap_or(GRACE).min(LONGEST_GRACE))
}

fn exits(pod: &Value) -> Vec<Exit> {
    let asked = deletion_asked(pod);
    let mut found = Vec::new();
    for status in statuses(pod) {
        for path in ["/lastState/terminated", "/state/terminated"] {
            let Some(ended) = status.pointer(path) else {
                continue;
            };
            let Some(at) = time(ended, "/finishedAt") else {
                continue;
            };
            let small = |path: &str| number(ended, path).and_then(|n| i32::try_from(n).ok());
            let oom = text(ended, "/reason") == Some("OOMKilled");
            // Programs end in many ways when they are told to; only memory is not asked for.
            let wanted = !oom && asked.is_some_and(|asked| at >= asked);
            found.push(Exit {
                at,
                code: small("/exitCode"),
                signal: small("/signal").filter(|signal| *signal > 0),
                oom,
                wanted,
            });
        }
    }
    found.sort_by_key(|exit| exit.at);
    let many = found.len().saturating_sub(LISTED);
    found.drain(..many);
    found
}

/// When its end was asked for: `deletionTimestamp` is when the time to end in is over.
fn deletion_asked(pod: &Value) -> Option<Timestamp> {
    let over = time(pod, "/metadata/deletionTimestamp")?;
    let grace = count(pod, "/metadata/deletionGracePeriodSeconds");
    Some(over.minus(Duration::from_secs(u64::from(grace))))
}
