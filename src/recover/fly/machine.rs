//! One machine, read from the API's answer: what it is called, what it runs, how it is. What belongs to
//! the platform and not to the service (the machine of a release command, a console) is told apart.

use crate::model::recovery::{Instance, InstanceState};
use crate::recover::error::{Error, ErrorKind, shown};
use crate::recover::fly::address::is_id;
use crate::recover::fly::{events, image};
use serde_json::Value;

/// Ends the word of a machine that stands by for another.
const STANDBY: &str = " (standby)";
/// Longest part of a reason that is shown.
const REASON: usize = 120;

/// A machine of the app.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub instance: Instance,
    /// The process group of `fly.toml`.
    pub group: String,
    /// A deploy changes it, or somebody holds its lease: what is said of that.
    pub changing: Option<String>,
    /// The id of its version, which grows with each.
    pub version: String,
    /// When it was made, as the API writes it; all in one form, so that they can be compared.
    pub created: String,
    /// Labels of the image that it runs.
    pub labels: Value,
}

/// What an entry of the list is.
pub(super) enum Entry {
    Machine(Box<Machine>),
    /// A machine in which a deploy's release command runs now.
    ReleaseCommand,
    /// Nothing that is there to run the service.
    Other,
}

/// Reads an entry. `own`: the machine that we run in; `now`: seconds since 1970, to tell whether a
/// lease still holds.
///
/// # Errors
/// When it is no machine: half of a list is no list.
pub(super) fn entry(value: &Value, own: Option<&str>, now: i64) -> Result<Entry, Error> {
    let id = value["id"].as_str().filter(|id| is_id(id));
    let word = value["state"].as_str().filter(|word| !word.is_empty());
    let (Some(id), Some(word)) = (id, word) else {
        let what = "the list of machines has one without id or state";
        return Err(Error::new(ErrorKind::Invalid, what));
    };
    let config = config(value);
    let metadata = &config["metadata"];
    let group = metadata["fly_process_group"].as_str().unwrap_or("app");
    let command = metadata["process_group"].as_str() == Some("release_command");
    if matches!(word, "destroyed" | "destroying" | "replaced" | "migrated") {
        return Ok(Entry::Other);
    }
    if command || group == "fly_app_release_command" {
        let busy = matches!(word, "created" | "creating" | "starting" | "started");
        return Ok(if busy {
            Entry::ReleaseCommand
        } else {
            Entry::Other
        });
    }
    if matches!(group, "fly_app_console" | "fly_app_test_machine_command") {
        return Ok(Entry::Other);
    }
    let past = events::past(&value["events"]);
    let standby = config["standbys"]
        .as_array()
        .is_some_and(|ids| !ids.is_empty());
    let away = value["host_status"].as_str() == Some("unreachable");
    let state = match state(word, &past, standby) {
        // What is shown of it is what was last heard.
        InstanceState::Running if away => InstanceState::Failed,
        state => state,
    };
    let runs = state == InstanceState::Running;
    let updated = || {
        let text = value["updated_at"].as_str()?;
        crate::model::Timestamp::parse_rfc3339(text)
    };
    let started = match past.told {
        true => past.started,
        false => updated().filter(|_| runs),
    };
    let instance = Instance {
        id: id.to_owned(),
        state,
        word: match away {
            true => format!("{} (its host is unreachable)", shown(word)),
            false => worded(word, &past, state, standby),
        },
        healthy: healthy(&value["checks"]).filter(|_| runs),
        release: release(value),
        restarts: past.restarts,
        started,
        exits: past.exits,
        own: own == Some(id),
    };
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Ok(Entry::Machine(Box::new(Machine {
        changing: changing(id, word, &value["lease"], now),
        instance,
        group: group.to_owned(),
        version: text("instance_id"),
        created: text("created_at"),
        labels: value["image_ref"]["labels"].clone(),
    })))
}

/// The configuration, which the API cannot give whole while the host of a machine is away.
fn config(machine: &Value) -> &Value {
    match &machine["config"] {
        Value::Null => &machine["incomplete_config"],
        config => config,
    }
}

/// The release with which a machine is configured.
pub(super) fn release(machine: &Value) -> Option<String> {
    let found = &machine["image_ref"];
    let digest = found["digest"].as_str();
    match config(machine)["image"].as_str() {
        Some(reference) => image::release(reference, digest),
        None => image::release(&image::of_image_ref(found)?, digest),
    }
}

/// What a machine's state means. What is under way, or a word that is new to us, neither runs nor has
/// failed.
fn state(word: &str, past: &events::Past, standby: bool) -> InstanceState {
    match word {
        "started" => InstanceState::Running,
        "failed" | "launch_failed" => InstanceState::Failed,
        // A machine stays `created` until somebody starts it.
        "created" | "suspended" => InstanceState::Stopped,
        // Between the two halves of a restart.
        "stopped" if past.again => InstanceState::Starting,
        // A program that ends with 0 has ended its work: the platform lets it be, and so do we.
        "stopped" => match past.exits.last() {
            // What stands by for another machine has done nothing wrong.
            Some(exit) if !standby && !past.asked && exit.is_crash() => InstanceState::Failed,
            _ => InstanceState::Stopped,
        },
        _ => InstanceState::Starting,
    }
}

fn worded(word: &str, past: &events::Past, state: InstanceState, standby: bool) -> String {
    let word = shown(word);
    match past.ended() {
        _ if standby => format!("{word}{STANDBY}"),
        Some(exit) if state == InstanceState::Failed => format!("{word} ({exit})"),
        _ => word,
    }
}

/// Whether a machine is to be started only when another one's host is lost.
pub(super) fn is_standby(instance: &Instance) -> bool {
    instance.word.ends_with(STANDBY)
}

/// Whether nothing of it runs, so that it is started and not restarted.
pub(super) fn is_down(instance: &Instance) -> bool {
    let words = ["stopped", "suspended", "created"];
    words.iter().any(|word| instance.word.starts_with(word))
}

/// One check that fails is enough. A warning is what a check says before it was carried out.
fn healthy(checks: &Value) -> Option<bool> {
    let named = |check: &&Value| {
        // Made by the API for old clients; they are never carried out.
        let name = check["name"].as_str().unwrap_or_default();
        !name.starts_with("bg_deployments_compat")
    };
    let mut passing = None;
    for check in checks.as_array()?.iter().filter(named) {
        match check["status"].as_str() {
            Some("critical" | "failing") => return Some(false),
            Some("passing") => passing = Some(true),
            _ => {}
        }
    }
    passing
}

fn changing(id: &str, word: &str, lease: &Value, now: i64) -> Option<String> {
    if matches!(word, "updating" | "replacing") {
        return Some(format!("machine {id} is {word}"));
    }
    if lease["expires_at"].as_i64().is_some_and(|at| at <= now) || !lease.is_object() {
        return None;
    }
    let said = |name: &str| -> Option<String> {
        let text: String = shown(lease[name].as_str()?).chars().take(REASON).collect();
        (!text.is_empty()).then_some(text)
    };
    let owner = said("owner").unwrap_or_else(|| "somebody".to_owned());
    let about = said("description").map_or_else(String::new, |about| format!(": {about}"));
    Some(format!("{owner} holds the lease of machine {id}{about}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Machine {
        match entry(&value, Some("me1"), 1_000).unwrap() {
            Entry::Machine(machine) => *machine,
            _ => panic!("{value}"),
        }
    }

    fn exit(code: i64, requested: bool) -> Value {
        json!([{"type": "exit", "timestamp": 1_700_000_000_000i64, "request": {"exit_event":
            {"exit_code": code, "signal": -1, "requested_stop": requested}}}])
    }

    /// With somebody's wish as the newest event.
    fn after(mut events: Value, kind: &str) -> Value {
        let event = json!({"type": kind, "source": "user", "timestamp": 1_700_000_001_000i64});
        if let Some(events) = events.as_array_mut() {
            events.insert(0, event);
        }
        events
    }

    #[test]
    fn each_state_has_its_meaning() {
        use InstanceState::{Failed, Running, Starting, Stopped};
        for (word, events, wanted) in [
            ("started", json!([]), Running),
            ("created", json!([]), Stopped),
            ("creating", json!([]), Starting),
            ("starting", json!([]), Starting),
            ("restarting", json!([]), Starting),
            ("replacing", json!([]), Starting),
            ("updating", json!([]), Starting),
            ("stopping", json!([]), Starting),
            ("unheard_of", json!([]), Starting),
            ("suspended", json!([]), Stopped),
            ("stopped", json!([]), Stopped),
            ("stopped", exit(0, true), Stopped),
            ("stopped", exit(130, true), Stopped),
            ("stopped", exit(0, false), Stopped),
            ("stopped", exit(1, false), Failed),
            ("stopped", after(exit(1, false), "update"), Stopped),
            ("stopped", after(exit(1, false), "stop"), Stopped),
            ("stopped", after(exit(1, false), "restart"), Starting),
            ("failed", json!([]), Failed),
            ("launch_failed", json!([]), Failed),
        ] {
            let machine = read(json!({"id": "a1", "state": word, "events": events}));
            assert_eq!(machine.instance.state, wanted, "{word}");
        }
        let crashed = read(json!({"id": "me1", "state": "stopped", "events": exit(3, false)}));
        assert_eq!(crashed.instance.word, "stopped (exit status 3)");
        assert!(is_down(&crashed.instance) && crashed.instance.own);
        let away = read(json!({"id": "a1", "state": "started", "host_status": "unreachable"}));
        assert_eq!(away.instance.state, Failed);
        assert_eq!(away.instance.word, "started (its host is unreachable)");
    }

    #[test]
    fn one_failing_check_is_enough_and_only_of_what_runs() {
        let of = |state: &str, all: &[(&str, &str)]| {
            let checks: Vec<Value> = all
                .iter()
                .map(|(name, status)| json!({"name": name, "status": status}))
                .collect();
            read(json!({"id": "a1", "state": state, "checks": checks}))
                .instance
                .healthy
        };
        assert_eq!(of("started", &[]), None);
        assert_eq!(
            of("started", &[("a", "passing"), ("b", "warning")]),
            Some(true)
        );
        assert_eq!(
            of("started", &[("a", "passing"), ("b", "critical")]),
            Some(false)
        );
        assert_eq!(of("started", &[("a", "warning")]), None);
        assert_eq!(
            of("started", &[("bg_deployments_compat_a", "critical")]),
            None
        );
        assert_eq!(of("stopped", &[("a", "critical")]), None);
    }

    #[test]
    fn what_is_no_part_of_the_service_is_left_out() {
        let kind = |value: Value| match entry(&value, None, 0).unwrap() {
            Entry::Machine(_) => "machine",
            Entry::ReleaseCommand => "command",
            Entry::Other => "other",
        };
        let group = |state: &str, group: &str| {
            kind(json!({"id": "a", "state": state,
                "config": {"metadata": {"fly_process_group": group}}}))
        };
        assert_eq!(group("started", "worker"), "machine");
        assert_eq!(group("destroyed", "worker"), "other");
        assert_eq!(group("started", "fly_app_console"), "other");
        assert_eq!(group("started", "fly_app_release_command"), "command");
        assert_eq!(group("stopped", "fly_app_release_command"), "other");
        let old = json!({"id": "a", "state": "starting",
            "config": {"metadata": {"process_group": "release_command"}}});
        assert_eq!(kind(old), "command");
    }

    #[test]
    fn a_lease_that_holds_is_a_change_under_way() {
        let of =
            |lease: Value| read(json!({"id": "a1", "state": "started", "lease": lease})).changing;
        let held = json!({"owner": "ann@shop", "description": "deploy\n7", "expires_at": 1_001});
        assert_eq!(
            of(held).unwrap(),
            "ann@shop holds the lease of machine a1: deploy 7"
        );
        assert_eq!(of(json!({"owner": "ann", "expires_at": 1_000})), None);
        assert_eq!(
            of(json!({})).unwrap(),
            "somebody holds the lease of machine a1"
        );
        assert_eq!(of(Value::Null), None);
        let updating = read(json!({"id": "a1", "state": "replacing"}));
        assert_eq!(updating.changing.unwrap(), "machine a1 is replacing");
    }

    #[test]
    fn a_standby_is_neither_failed_nor_starting() {
        for word in ["created", "stopped"] {
            let standby = read(json!({"id": "a1", "state": word, "events": exit(1, false),
                "config": {"standbys": ["b2"]}}));
            assert_eq!(standby.instance.state, InstanceState::Stopped);
            assert!(is_standby(&standby.instance));
        }
    }

    #[test]
    fn when_it_began_is_its_event_or_else_its_update() {
        let at = "2026-01-02T03:04:05Z";
        let none = read(json!({"id": "a1", "state": "started", "updated_at": at}));
        assert_eq!(none.instance.started.unwrap().to_rfc3339(), at);
        let event = json!([{"type": "start", "timestamp": 1_700_000_000_000i64}]);
        let told = read(json!({"id": "a1", "state": "started", "updated_at": at, "events": event}));
        assert_eq!(told.instance.started.unwrap().seconds(), 1_700_000_000);
        let down = read(json!({"id": "a1", "state": "stopped", "updated_at": at}));
        assert_eq!(down.instance.started, None);
    }

    #[test]
    fn no_machine_is_an_error() {
        for bad in [
            json!(1),
            json!({}),
            json!({"id": "a"}),
            json!({"id": "a/b", "state": "x"}),
            json!({"id": "a", "state": ""}),
            json!({"id": 7, "state": "started"}),
        ] {
            let said = entry(&bad, None, 0).map(|_| ()).unwrap_err();
            assert_eq!(said.kind, ErrorKind::Invalid, "{bad}");
        }
    }

    #[test]
    fn the_release_is_what_it_is_configured_with() {
        let of = |value: Value| release(&value);
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(
            of(json!({"config": {"image": "r/shop:v1"}, "image_ref": {"tag": "v0"}})).unwrap(),
            "r/shop:v1"
        );
        assert_eq!(
            of(json!({"image_ref": {"registry": "r", "repository": "shop", "digest": digest}})),
            Some(format!("r/shop@{digest}"))
        );
        let incomplete = json!({"config": null, "incomplete_config": {"image": "r/shop:v2"}});
        assert_eq!(of(incomplete).unwrap(), "r/shop:v2");
        assert_eq!(of(json!({"config": {"image": "r/shop:latest"}})), None);
    }
}
