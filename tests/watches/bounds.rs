//! What hostile files, clocks and records do to the engine: nothing that grows, fires falsely or
//! panics.

use crate::chunk::Chunk;
use autofix::model::Timestamp;
use autofix::watch::{Caps, Engine, Owner, Watch, parse_list};
use serde_json::json;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_parts(1_772_366_400 + seconds, 0)
}

fn watch(json: serde_json::Value) -> Watch {
    Watch::parse(&json.to_string(), Owner::Team, at(0)).unwrap()
}

fn grouped(threshold: u64) -> Watch {
    watch(json!({
        "label": "logins", "match": {"field": "event", "eq": "login failed"},
        "window_seconds": 60, "threshold": threshold, "group_by": ["user", "host"],
    }))
}

fn show(
    engine: &mut Engine,
    body: serde_json::Value,
    time: Timestamp,
) -> Vec<autofix::watch::Fired> {
    let chunk = Chunk::of(body);
    engine.on_record("shop", &chunk.view("app"), time)
}

#[test]
fn each_group_counts_for_itself_and_values_stay_out_of_the_reason() {
    let mut engine = Engine::new(Caps::default());
    engine.install(grouped(3), at(0)).unwrap();
    let mut fired = Vec::new();
    for second in 0..3 {
        for user in ["ann", "7", "bob"] {
            let user = if user == "7" { json!(7) } else { json!(user) };
            let host = if second == 1 && user == "bob" {
                "h2"
            } else {
                "h1"
            };
            let body = json!({"event": "login failed", "user": user, "host": host});
            fired.extend(show(&mut engine, body, at(second)));
        }
        show(
            &mut engine,
            json!({"event": "login failed", "user": "ann"}),
            at(second),
        );
        show(
            &mut engine,
            json!({"event": "login failed", "user": {"x": 1}, "host": 1}),
            at(second),
        );
    }
    let groups: Vec<&str> = fired.iter().map(|f| f.group[0].1.as_str()).collect();
    assert_eq!(groups, ["ann", "7"]);
    let reason = fired[0].reason();
    assert!(reason.contains("with the same user and host"), "{reason}");
    assert!(!reason.contains("ann"), "{reason}");
    assert_eq!(engine.tally().ungrouped, 6);
}

#[test]
fn a_hundred_thousand_groups_are_bounded_and_counted() {
    let caps = Caps {
        groups: 500,
        ..Caps::default()
    };
    let mut engine = Engine::new(caps);
    engine.install(grouped(3), at(0)).unwrap();
    let mut most = 0;
    for number in 0..100_000i64 {
        let body = json!({"event": "login failed", "user": number, "host": "h"});
        assert!(show(&mut engine, body, at(number / 1_000)).is_empty());
        most = most.max(engine.bytes());
        if number % 100 == 0 {
            // One that goes on counting is not among those that were idle longest.
            let body = json!({"event": "login failed", "user": "ann", "host": "h"});
            show(&mut engine, body, at(number / 1_000));
        }
    }
    assert!(engine.tally().groups_dropped >= 99_000);
    assert_eq!(engine.tally().fired, 2, "once a minute");
    assert!(most < 1 << 20, "{most}");
}

#[test]
fn bytes_are_bounded_and_the_idle_give_way() {
    let caps = Caps {
        bytes: 200_000,
        ..Caps::default()
    };
    let mut engine = Engine::new(caps);
    engine.install(grouped(1_000), at(0)).unwrap();
    let long = "x".repeat(3_000);
    for number in 0..5_000i64 {
        let body = json!({"event": "login failed", "user": number % 700, "host": "h", "log": long});
        show(&mut engine, body, at(number / 100));
        assert!(engine.bytes() < 230_000, "{}", engine.bytes());
    }
    assert!(engine.tally().windows_dropped > 500);
}

#[test]
fn clocks_that_jump_neither_fire_nor_grow() {
    let mut engine = Engine::new(Caps::default());
    let plain = watch(json!({
        "label": "x", "match": {"field": "n", "gte": 1}, "window_seconds": 60, "threshold": 3,
    }));
    engine.install(plain, at(0)).unwrap();
    for step in 0..10_000i64 {
        let time = Timestamp(step.wrapping_mul(i64::MAX / 7));
        show(&mut engine, json!({"n": step + 1}), time);
    }
    assert!(engine.bytes() < 20_000, "{}", engine.bytes());
    let mut engine = Engine::new(Caps::default());
    engine.install(grouped(2), at(0)).unwrap();
    let body = || json!({"event": "login failed", "user": 1, "host": 1});
    assert!(show(&mut engine, body(), at(100)).is_empty());
    assert!(show(&mut engine, body(), at(0)).is_empty(), "far apart");
    assert_eq!(show(&mut engine, body(), at(90)).len(), 1, "late, but near");
}

#[test]
fn a_file_that_is_read_again_keeps_what_did_not_change() {
    let text = |threshold: u32| {
        json!([
            {"label": "a", "match": {"field": "n", "eq": 1}, "window_seconds": 60, "threshold": 3},
            {"label": "b", "match": {"field": "n", "eq": 1}, "window_seconds": 60,
             "threshold": threshold},
        ])
        .to_string()
    };
    let mut engine = Engine::new(Caps::default());
    let read = |threshold| parse_list(&text(threshold), at(0)).unwrap();
    engine.replace_team(read(3)).unwrap();
    show(&mut engine, json!({"n": 1}), at(0));
    show(&mut engine, json!({"n": "1"}), at(1));
    engine.replace_team(read(2)).unwrap();
    let fired = show(&mut engine, json!({"n": 1.0}), at(2));
    let labels: Vec<&str> = fired.iter().map(|f| f.label.as_str()).collect();
    assert_eq!(labels, ["a"], "b began anew");
    engine.replace_team(Vec::new()).unwrap();
    assert!(engine.is_empty());
    let gone: Vec<bool> = engine.report().iter().map(|state| state.gone).collect();
    assert_eq!(gone.iter().filter(|gone| **gone).count(), 2, "{gone:?}");
    assert!(engine.report().is_empty());
}

#[test]
fn caps_refuse_with_words_and_the_old_ones_stay() {
    let always = |number: usize| {
        json!({"label": format!("w{number}"), "match": {"not": {"field": "n", "eq": number}},
            "window_seconds": 60, "threshold": 3})
    };
    let many: Vec<_> = (0..40).map(always).collect();
    let faults = parse_list(&json!(many).to_string(), at(0)).unwrap_err();
    assert!(
        faults[0].0.contains("together the watches cost"),
        "{faults:?}"
    );
    let cheap = |number: usize| {
        json!({"label": format!("w{number}"), "match": {"field": "n", "eq": number},
            "window_seconds": 60, "threshold": 3})
    };
    let many: Vec<_> = (0..10_001).map(cheap).collect();
    let faults = parse_list(&json!(many).to_string(), at(0)).unwrap_err();
    assert!(faults[0].0.contains("at most 10000"), "{faults:?}");
    let mut engine = Engine::new(Caps {
        model: 2,
        ..Caps::default()
    });
    let model =
        |json: serde_json::Value| Watch::parse(&json.to_string(), Owner::Model, at(0)).unwrap();
    for number in 0..2 {
        engine.install(model(cheap(number)), at(0)).unwrap();
    }
    assert!(engine.install(model(cheap(2)), at(0)).is_err());
    engine.install(watch(cheap(2)), at(0)).unwrap();
    engine.install(model(cheap(1)), at(0)).unwrap();
    assert_eq!(engine.len(), 3);
}

#[test]
fn ten_thousand_are_installed_one_by_one_and_found() {
    let mut engine = Engine::with_built_in(Caps::default());
    for number in 0..10_000 {
        let json = json!({
            "label": format!("w{number}"), "window_seconds": 60, "threshold": 1,
            "match": {"any": [
                {"field": "customer", "eq": number},
                {"field": "message", "contains": format!("order {number} lost")},
            ]},
        });
        engine.install(watch(json), at(0)).unwrap();
        // A record between: an index that is made anew each time would take minutes.
        let fired = show(&mut engine, json!({"customer": number}), at(number));
        assert_eq!(fired.len(), 1);
    }
    let fired = show(
        &mut engine,
        json!({"log": "the order 777 lost its way"}),
        at(20_000),
    );
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].label, "w777");
}
