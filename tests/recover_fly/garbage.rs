//! Answers that are no answers: nothing panics, and nothing is made up of them.

use crate::played_fly::Fly as Played;
use crate::played_fly::machine::V1;
use crate::played_fly::wire::{Fault, Reply};
use crate::world::{fly, later, restart, rollback};
use autofix::model::recovery::Task;
use autofix::recover::{Attempt, ErrorKind, Platform};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Bodies that are no list of machines.
fn wrong() -> Vec<Vec<u8>> {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let texts = [
        "",
        " ",
        "null",
        "true",
        "7",
        "\"x\"",
        "{}",
        "[",
        "]",
        "[{]",
        "[{}]",
        "[null]",
        "[1]",
        "[[]]",
        "[\"a1\"]",
        "{\"machines\":[]}",
        "[{\"id\":\"a1\"}]",
        "[{\"state\":\"started\"}]",
        "[{\"id\":1,\"state\":\"started\"}]",
        "[{\"id\":\"a1\",\"state\":1}]",
        "[{\"id\":\"a1\",\"state\":null}]",
        "[{\"id\":\"\",\"state\":\"started\"}]",
        "[{\"id\":\"a/1\",\"state\":\"started\"}]",
        "[{\"id\":\"..\",\"state\":\"started\"}]",
        "[{\"id\":\"a1\",\"state\":\"started\"},{\"id\":\"a1\",\"state\":\"started\"}]",
        "[{\"id\":\"a1\",\"state\":\"started\"},7]",
        "<html></html>",
        "{\"error\":\"x\"}",
        "NaN",
        "[{\"id\":\"a\\u0000\",\"state\":\"started\"}]",
        "[1e999]",
        "[{\"id\":{\"a\":[]},\"state\":{}}]",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    all.push(deep.into_bytes());
    all.push(vec![0xff, 0xfe, 0x00]);
    all.push(vec![b'['; 100]);
    all
}

#[test]
fn what_is_no_list_is_an_error() {
    let played = Played::serve(&["a1"]);
    let fly = fly(&played);
    for body in wrong() {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        played
            .server
            .next("GET", "/machines", Fault::Says(Reply::raw(200, &body)));
        let said = fly.state(later()).unwrap_err();
        assert!(
            matches!(said.kind, ErrorKind::Invalid | ErrorKind::Unreachable),
            "{shown}: {said}"
        );
        played
            .server
            .next("GET", "/machines", Fault::Says(Reply::raw(200, &body)));
        assert!(fly.releases(later()).is_err(), "{shown}");
    }
    let huge = vec![b' '; 5 << 20];
    played
        .server
        .next("GET", "/machines", Fault::Says(Reply::raw(200, &huge)));
    assert_eq!(fly.state(later()).unwrap_err().kind, ErrorKind::Unreachable);
}

/// Every value in a good answer, replaced by each of these or taken out.
fn mutants(whole: &Value) -> Vec<Value> {
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(u64::MAX),
        json!(1.5e300),
        json!(""),
        json!("ü\u{0}\n"),
        json!([]),
        json!({}),
        json!([[null]]),
        json!({"exit_event": 7}),
        json!("x".repeat(3000)),
    ];
    let mut paths = Vec::new();
    places(whole, String::new(), &mut paths);
    let mut all = Vec::new();
    for path in paths {
        for value in &odd {
            let mut mutant = whole.clone();
            *mutant.pointer_mut(&path).unwrap() = value.clone();
            all.push(mutant);
        }
        let (above, name) = path.rsplit_once('/').unwrap_or(("", ""));
        let mut mutant = whole.clone();
        if let Some(object) = mutant.pointer_mut(above).and_then(Value::as_object_mut) {
            object.shift_remove(name);
            all.push(mutant);
        }
    }
    all
}

fn places(value: &Value, at: String, into: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                places(item, format!("{at}/{n}"), into);
            }
        }
        Value::Object(items) => {
            for (key, item) in items {
                places(item, format!("{at}/{key}"), into);
            }
        }
        _ => {}
    }
    into.push(at);
}

/// With an end in each nesting.
fn whole() -> Value {
    let played = Played::serve(&["a1", "b2"]);
    let now = played.now();
    played.set("a1", |machine| machine.crash(3, now));
    let mut list: Vec<Value> = played
        .state()
        .machines
        .iter()
        .map(|one| one.shown())
        .collect();
    list[1]["events"][0] = json!({"type": "exit", "timestamp": now, "request": {"MonitorEvent":
        {"exit_event": {"exit_code": 1, "exited_at": "2026-01-02T03:04:05Z", "signal": 9}}}});
    list[1]["lease"] = json!({"owner": "ann", "description": "deploy", "expires_at": now});
    json!(list)
}

#[test]
fn no_part_of_an_answer_can_make_it_panic() {
    let played = Played::serve(&["a1", "b2"]);
    let fly = fly(&played);
    let before = fly.state(later()).unwrap();
    let tasks = [
        restart(None),
        rollback(V1),
        Task::Scale { from: 2, to: 3 },
        Task::Scale { from: 2, to: 1 },
    ];
    let mutants = mutants(&whole());
    assert!(mutants.len() > 500, "{}", mutants.len());
    // A part of them over the wire, and of those each for all tasks.
    for mutant in mutants.iter().step_by(7) {
        played
            .server
            .next("GET", "/machines", Fault::Says(Reply::new(200, mutant)));
        let Ok(state) = fly.state(later()) else {
            continue;
        };
        for instance in &state.instances {
            assert!(instance.id.bytes().all(|b| b.is_ascii_alphanumeric()));
            assert!(!instance.word.contains(char::is_control) && instance.word.len() < 1000);
        }
        for task in &tasks {
            let _ = fly.plan(task, &state);
            played
                .server
                .next("GET", "/machines", Fault::Says(Reply::new(200, mutant)));
            let attempt = Attempt {
                task,
                before: &before,
                begun: autofix::model::Timestamp(0),
                handle: None,
            };
            let _ = fly.poll(&attempt, later());
        }
    }
}

#[test]
fn garbage_in_the_middle_of_a_task_changes_nothing_more() {
    for body in wrong() {
        let played = Played::serve(&["a1", "b2"]);
        let fly = fly(&played);
        let before = fly.state(later()).unwrap();
        let reply = || Fault::Says(Reply::raw(200, &body));
        for (ending, task) in [
            ("/a1", rollback(V1)),
            ("/machines", Task::Scale { from: 2, to: 1 }),
        ] {
            played.server.forget();
            played.server.next("GET", ending, reply());
            assert!(fly.begin(&task, &before, "m", later()).is_err());
            assert_eq!(played.changes(), Vec::<String>::new());
            crate::world::no_leases(&played);
        }
        played.server.next("POST", "/lease", reply());
        assert!(fly.begin(&rollback(V1), &before, "m", later()).is_err());
        assert_eq!(played.changes(), Vec::<String>::new());
        played.server.next("GET", "/versions", reply());
        assert!(fly.releases(later()).is_err());
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![
            Just("started".to_owned()),
            Just("stopped".to_owned()),
            Just("a1".to_owned()),
            Just("exit".to_owned()),
            Just(V1.to_owned()),
            ".{0,12}",
        ]
        .prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("id"),
        Just("state"),
        Just("events"),
        Just("type"),
        Just("timestamp"),
        Just("request"),
        Just("exit_event"),
        Just("MonitorEvent"),
        Just("exit_code"),
        Just("exited_at"),
        Just("config"),
        Just("image"),
        Just("metadata"),
        Just("checks"),
        Just("status"),
        Just("lease"),
        Just("standbys"),
        Just("user_config"),
        Just("version"),
        Just("image_ref"),
        Just("digest"),
        Just("labels"),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_for_any_request(one in any_json(), two in any_json()) {
        let played = Played::serve(&["a1"]);
        let fly = fly(&played);
        let before = fly.state(later()).unwrap();
        let machine = json!([{"id": "a1", "state": "started", "events": one, "config": two, "checks": one}]);
        played.server.next("GET", "/machines", Fault::Says(Reply::new(200, &machine)));
        let state = fly.state(later()).unwrap();
        prop_assert_eq!(state.instances.len(), usize::from(!state.instances.is_empty()));
        for (method, ending) in [("GET", "/machines"), ("GET", "/versions"), ("GET", "/a1"), ("POST", "/lease")] {
            played.server.next(method, ending, Fault::Says(Reply::new(200, &one)));
        }
        let _ = fly.state(later());
        let _ = fly.releases(later());
        let _ = fly.begin(&rollback(V1), &before, "m", later());
        let _ = fly.begin(&rollback(V1), &before, "m", later());
        for lease in &played.state().machines {
            prop_assert!(lease.lease.is_none());
        }
    }
}
