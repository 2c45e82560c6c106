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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    /// As it is at noon.
    fn of(pod: &Value) -> Instance {
        instance(pod, "p", Some(3), false, at("2026-03-01T12:00:00Z"))
    }

    fn running(since: &str, ready: bool) -> Value {
        json!({
            "spec": {"containers": [{"name": "app"}]},
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
                "containerStatuses": [{"name": "app", "ready": ready, "started": true,
                    "state": {"running": {"startedAt": since}}}],
            },
        })
    }

    fn with(mut pod: Value, path: &str, value: Value) -> Value {
        *pod.pointer_mut(path).unwrap() = value;
        pod
    }

    #[test]
    fn what_a_pod_shows_becomes_a_state() {
        use InstanceState::{Failed, Running, Starting, Stopped};
        let long = "2026-03-01T11:00:00Z";
        let state = "/status/containerStatuses/0/state";
        let waits = |reason: &str| {
            with(
                running(long, false),
                state,
                json!({"waiting": {"reason": reason}}),
            )
        };
        let ended = |code: i32, reason: &str| {
            let ended = json!({"terminated": {"exitCode": code, "reason": reason}});
            with(running(long, false), state, ended)
        };
        let probed = |pod: Value| {
            let probe = json!([{"name": "app", "readinessProbe":
                {"initialDelaySeconds": 60, "periodSeconds": 5, "failureThreshold": 2}}]);
            with(pod, "/spec/containers", probe)
        };
        let init = |one: Value| {
            let mut pod = waits("PodInitializing");
            pod["status"]["initContainerStatuses"] = json!([one]);
            pod
        };
        let mut ending = running(long, true);
        ending["metadata"] = json!({"deletionTimestamp": "2026-03-01T12:00:20Z"});
        let mut pending = json!({"spec": {"containers": [{"name": "app"}]},
            "status": {"phase": "Pending"}});
        pending["status"]["conditions"] =
            json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]);
        let started = "/status/containerStatuses/0/started";
        for (pod, state, word, healthy) in [
            (running(long, true), Running, "Running", None),
            (probed(running(long, true)), Running, "Running", Some(true)),
            (
                running(long, false),
                Running,
                "Running, not ready",
                Some(false),
            ),
            (
                running("2026-03-01T11:59:40Z", false),
                Starting,
                "not ready yet",
                None,
            ),
            (
                running("2026-03-01T11:59:29Z", false),
                Running,
                "Running, not ready",
                Some(false),
            ),
            // Its probe says no after 60 + 2 times 5 + 1 seconds at the soonest.
            (
                probed(running("2026-03-01T11:58:50Z", false)),
                Starting,
                "not ready yet",
                None,
            ),
            (
                probed(running("2026-03-01T11:58:48Z", false)),
                Running,
                "Running, not ready",
                Some(false),
            ),
            (
                with(running(long, false), started, json!(false)),
                Starting,
                "its startup probe has not passed",
                None,
            ),
            (
                waits("ContainerCreating"),
                Starting,
                "ContainerCreating",
                None,
            ),
            (
                waits("CrashLoopBackOff"),
                Failed,
                "CrashLoopBackOff",
                Some(false),
            ),
            (
                waits("ImagePullBackOff"),
                Failed,
                "ImagePullBackOff",
                Some(false),
            ),
            (
                waits("CreateContainerConfigError"),
                Failed,
                "CreateContainerConfigError",
                Some(false),
            ),
            (ended(1, "Error"), Failed, "Error", Some(false)),
            (ended(0, "Completed"), Failed, "Completed", Some(false)),
            (
                init(json!({"name": "m", "state": {"waiting": {"reason": "CrashLoopBackOff"}}})),
                Failed,
                "Init:CrashLoopBackOff",
                Some(false),
            ),
            (
                init(json!({"name": "m", "state": {"terminated": {"exitCode": 0}}})),
                Starting,
                "PodInitializing",
                None,
            ),
            (
                init(json!({"name": "m", "state": {"running": {}}})),
                Starting,
                "Init:running",
                None,
            ),
            (pending, Starting, "Pending: Unschedulable", None),
            (ending, Stopped, "Terminating", None),
            (
                json!({"status": {"phase": "Failed", "reason": "Evicted"}}),
                Stopped,
                "Evicted",
                None,
            ),
            (json!({}), Starting, "Unknown", None),
        ] {
            let shown = of(&pod);
            assert_eq!(
                (shown.state, shown.word.as_str(), shown.healthy),
                (state, word, healthy)
            );
        }
    }

    #[test]
    fn exits_come_from_all_containers_and_say_who_asked() {
        let ended = |code: i32, reason: &str, at: &str| json!({"terminated": {"exitCode": code, "reason": reason, "finishedAt": at}});
        let mut pod = running("2026-03-01T11:30:00Z", true);
        pod["status"]["containerStatuses"] = json!([
            {"name": "app", "restartCount": 4, "started": true,
                "state": ended(1, "Error", "2026-03-01T11:59:55Z"),
                "lastState": ended(137, "OOMKilled", "2026-03-01T11:40:00Z")},
            {"name": "side", "restartCount": 1,
                "lastState": {"terminated": {"exitCode": 139, "signal": 11,
                    "finishedAt": "2026-03-01T11:41:00Z"}}},
            {"name": "lost", "state": {"terminated": {"exitCode": 137, "finishedAt": null}}},
        ]);
        pod["status"]["initContainerStatuses"] = json!([
            {"name": "m", "restartCount": 2, "state": ended(0, "Completed", "2026-03-01T11:00:00Z"),
                "lastState": ended(3, "Error", "2026-03-01T10:59:00Z")}]);
        let shown = of(&pod);
        assert_eq!(shown.restarts, Some(7));
        let exits: Vec<_> = shown
            .exits
            .iter()
            .map(|exit| (exit.code, exit.signal, exit.oom, exit.is_crash()))
            .collect();
        let crashes = [
            (Some(3), None, false, true),
            (Some(0), None, false, false),
            (Some(137), None, true, true),
            (Some(139), Some(11), false, true),
            (Some(1), None, false, true),
        ];
        assert_eq!(exits, crashes);
        // Told to end at 11:59:50, with 30 seconds to do so.
        pod["metadata"] = json!({"deletionTimestamp": "2026-03-01T12:00:20Z",
            "deletionGracePeriodSeconds": 30});
        let wanted: Vec<bool> = of(&pod).exits.iter().map(|exit| exit.wanted).collect();
        assert_eq!(wanted, [false, false, false, false, true]);
        for (code, reason, wanted) in [
            (143, "Error", true),
            (137, "Error", true),
            (137, "OOMKilled", false),
        ] {
            let pod = with(
                pod.clone(),
                "/status/containerStatuses/0/state",
                ended(code, reason, "2026-03-01T12:00:10Z"),
            );
            assert_eq!(of(&pod).exits[4].wanted, wanted, "{code} {reason}");
        }
    }

    #[test]
    fn the_container_that_is_the_pods_is_the_first_or_the_one_that_is_named() {
        let mut pod = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}});
        assert_eq!(main_container(&pod), Some("a"));
        let name = "kubectl.kubernetes.io/default-container";
        pod["metadata"] = json!({"annotations": {name: "b"}});
        assert_eq!(main_container(&pod), Some("b"));
        pod["metadata"] = json!({"annotations": {name: "c"}});
        assert_eq!(main_container(&pod), Some("a"));
        assert_eq!(main_container(&json!({})), None);
    }
}
