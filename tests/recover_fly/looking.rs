//! What is shown: the state, the releases, and that there are no logs.

use crate::played_fly::machine::{V1, V2, exit};
use crate::played_fly::{AUTHORIZATION, Fly as Played};
use crate::world::{at, fly, later, place, token};
use autofix::model::recovery::InstanceState;
use autofix::net::{Http, Settings};
use autofix::recover::{ErrorKind, Fly, Platform};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_service_that_is_well() {
    let played = Played::serve(&["a1", "b2"]);
    let fly = at(&played, token(AUTHORIZATION), Some("b2"));
    let state = fly.state(later()).unwrap();
    assert!(state.is_well());
    assert_eq!(
        (state.release.as_deref(), state.wanted),
        (Some(V2), Some(2))
    );
    let [first, second] = &state.instances[..] else {
        panic!("{state:?}")
    };
    assert_eq!(
        (first.id.as_str(), first.healthy, first.own),
        ("a1", Some(true), false)
    );
    assert!(second.own && second.started.is_some());
}

#[test]
fn a_crash_a_failing_check_and_memory_are_facts() {
    let played = Played::serve(&["a1", "b2", "c3"]);
    let now = played.now();
    played.set("a1", |machine| machine.crash(3, now));
    played.set("b2", |machine| {
        machine.checks = json!([{"name": "x", "status": "critical"}])
    });
    played.set("c3", |machine| {
        let mut event = exit(137, false);
        event["timestamp"] = json!(now);
        event["request"]["exit_event"]["oom_killed"] = json!(true);
        event["request"]["restart_count"] = json!(4);
        // The younger nesting.
        let told = event["request"]["exit_event"].take();
        event["request"] = json!({"MonitorEvent": {"exit_event": told}, "restart_count": 4});
        machine.events.insert(1, event);
    });
    let state = fly(&played).state(later()).unwrap();
    let words: Vec<(InstanceState, Option<bool>)> = state
        .instances
        .iter()
        .map(|one| (one.state, one.healthy))
        .collect();
    assert_eq!(
        words,
        [
            (InstanceState::Failed, None),
            (InstanceState::Running, Some(false)),
            (InstanceState::Running, Some(true)),
        ]
    );
    assert_eq!(state.instances[0].word, "stopped (exit status 3)");
    assert_eq!(state.instances[2].restarts, Some(4));
    let since = autofix::model::Timestamp(0);
    let told: Vec<String> = state
        .trouble("shop", since, since)
        .iter()
        .map(|fact| format!("{} {}", fact.instance, fact.kind.word()))
        .collect();
    for wanted in ["a1 crash", "a1 unhealthy", "b2 unhealthy", "c3 oom"] {
        assert!(told.iter().any(|one| one == wanted), "{told:?}");
    }
    assert!(!state.is_well());
}

#[test]
fn what_changes_it_is_a_deploy() {
    let played = Played::serve(&["a1", "b2", "c3"]);
    let fly = fly(&played);
    assert_eq!(fly.state(later()).unwrap().deploying, None);
    played.set("b2", |machine| machine.config["image"] = json!(V1));
    let said = fly.state(later()).unwrap().deploying.unwrap();
    assert!(
        said.contains(&format!("1 of {V1}")) && said.contains(&format!("2 of {V2}")),
        "{said}"
    );
    played.set("b2", |machine| machine.state = "replacing".to_owned());
    assert_eq!(
        fly.state(later()).unwrap().deploying.unwrap(),
        "machine b2 is replacing"
    );
}

#[test]
fn releases_are_the_images_that_the_machines_had() {
    let played = Played::serve(&["a1", "b2", "c3", "d4", "e5"]);
    let releases = fly(&played).releases(later()).unwrap();
    let ids: Vec<(&str, bool)> = releases
        .iter()
        .map(|one| (one.id.as_str(), one.current))
        .collect();
    assert_eq!(ids, [(V2, true), (V1, false)]);
    assert!(releases[0].made > releases[1].made && releases[1].made.is_some());
    assert_eq!(
        releases[0].commit.as_ref().unwrap().as_str(),
        "3f2c1ab3f2c1ab"
    );
    assert_eq!(releases[1].commit, None);
    assert_eq!(releases[0].good, None);
    // However many machines there are, few are asked.
    assert_eq!(played.asked().len(), 4);
}

#[test]
fn logs_are_elsewhere() {
    let played = Played::serve(&["a1"]);
    let said = fly(&played).logs(None, 10, later()).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Unsupported);
    assert!(said.what.contains("fly logs"));
    assert_eq!(played.asked().len(), 0);
}

#[test]
fn the_token_is_read_each_time_and_shown_nowhere() {
    let played = Played::serve(&["a1"]);
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = reads.clone();
    let fly = at(
        &played,
        Box::new(move || {
            let text = match counted.fetch_add(1, Ordering::SeqCst) {
                0 => "fm2_expired",
                _ => "FlyV1 fm2_played",
            };
            Some(autofix::net::Secret::new(text.to_owned()))
        }),
        None,
    );
    let said = fly.state(later()).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Refused);
    assert!(
        said.what.contains("renew") && !said.what.contains("fm2_"),
        "{said}"
    );
    assert!(fly.state(later()).is_ok());
    assert_eq!(reads.load(Ordering::SeqCst), 2);
}

#[test]
fn a_place_that_cannot_be_spoken_to_is_refused_before_anything_is_sent() {
    let make = |target: &str, api: &str| {
        let mut place = place(api);
        place.target = target.to_owned();
        let http = Http::new(&Settings::default()).unwrap();
        Fly::new(http, &place, token("fm2_x"), None).map(|_| ())
    };
    assert!(make("shop", "http://_api.internal:4280").is_ok());
    for (target, api) in [
        ("shop/../other", "https://api.machines.dev"),
        ("", "https://api.machines.dev"),
        ("shop", "http://api.machines.dev"),
        ("shop", "https://api.machines.dev/v1?x"),
    ] {
        assert_eq!(
            make(target, api).unwrap_err().kind,
            ErrorKind::Settings,
            "{target} {api}"
        );
    }
}
