//! `autofix watches`: a file tried out, and what the store holds.

use crate::place::Place;
use autofix::app::look::limits;
use autofix::model::Timestamp;
use autofix::store::{Store, WatchRow};
use autofix::watch::{Caps, Engine, Owner, Watch};
use serde_json::{Value, json};
use std::fs;

const FILE: &str = r#"[
  {"label": "errors", "match": {"field": "status", "gte": 500}, "window_seconds": 60, "threshold": 2},
  {"label": "per_user", "match": {"field": "status", "in": [401, "403"]}, "group_by": "user",
   "window_seconds": 60, "threshold": 2, "service": "accounts"}]"#;

#[test]
fn a_file_is_tried_out_on_a_log() {
    let place = Place::new();
    let file = place.path("watches.json");
    fs::write(&file, FILE).unwrap();
    let mut log = String::new();
    for (second, status, user) in [(0, 500, "a"), (1, 503, "b"), (2, 401, "c"), (3, 403, "c")] {
        let line = json!({"time": format!("2026-03-01T12:00:0{second}Z"), "level": "info",
            "message": "done", "status": status, "user": user});
        log += &format!("{line}\n");
    }
    let no_user = json!({"time": "2026-03-01T12:00:09Z", "message": "x", "status": 401});
    log += &format!("{no_user}\n");
    fs::write(place.path("shop.log"), log).unwrap();
    let log = place.path("shop.log");
    let (file, log) = (file.to_str().unwrap(), log.to_str().unwrap());
    let ran = place.run(&["watches", "test", file, "--log", log]);
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    for part in [
        "errors: everywhere, 2 in 60 s\n    found by status from 500; cost 2\n    matched 2, fired 1\n",
        "per_user: accounts, 2 in 60 s with the same user\n    found by 2 values of user"
            .replace("of user", "of status")
            .as_str(),
        "    matched 3, 1 of them without a field of group_by, fired 1\n",
        "2 watches, cost 4, 0 faults, 5 records\n",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
}

#[test]
fn faults_of_a_file_are_told_with_their_watch_and_status_1() {
    let place = Place::new();
    let file = place.path("watches.json");
    let broken = r#"[{"label":"a","match":{"field":"s","eq":1},"window_seconds":31536000,"threshold":1},
        {"label":"b","match":{"field":"s","eq":1},"window_seconds":60,"threshold":0}]"#;
    fs::write(&file, broken).unwrap();
    let name = file.to_str().unwrap();
    let ran = place.run(&["watches", "test", name]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.out
            .contains("watches.json: watch 1 (a): window_seconds"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("watch 2 (b): threshold"), "{}", ran.out);
    let set = format!("Watches={name}");
    let ran = place.run(&["check", "--set", &set, "--offline"]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("watch 2 (b): threshold"), "{}", ran.out);
    fs::write(&file, FILE).unwrap();
    let ran = place.run(&["check", "--set", &set, "--offline"]);
    assert!(ran.out.contains("2 watches"), "{}", ran.out);
}

#[test]
fn watches_of_the_store_are_listed_and_a_model_s_is_promoted() {
    let place = Place::new();
    let state = place.path("state");
    let mut store = Store::open(&state, limits()).unwrap();
    let mut engine = Engine::with_built_in(Caps::default());
    let text = r#"{"label":"spike","match":{"field":"code","eq":"E42"},"window_seconds":60,"threshold":3}"#;
    let now = Timestamp::from_parts(1_772_366_400, 0);
    let watch = Watch::parse(text, Owner::Model, now).unwrap();
    engine.install(watch, now).unwrap();
    let mut rows: Vec<WatchRow> = engine.report().into_iter().map(WatchRow::from).collect();
    for row in &mut rows {
        (row.matched, row.fired, row.last_fired) = (9, 2, Some(now));
    }
    store.save_watches(&rows).unwrap();
    drop(store);
    let state = state.to_str().unwrap();
    let ran = place.run(&["watches", "list", "--json", "--state", state]);
    let listed: Vec<Value> = ran
        .out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(listed.len(), 2, "{}{}", ran.out, ran.err);
    assert_eq!(listed[1]["owner"], "model");
    assert_eq!(listed[1]["fired"], 2);
    assert_eq!(listed[1]["watch"]["match"]["eq"], "E42");
    let id = listed[1]["id"].as_str().unwrap();
    for name in [id, "spike"] {
        let ran = place.run(&["watches", "promote", name, "--state", state]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        let promoted: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(promoted, serde_json::from_str::<Value>(text).unwrap());
        assert!(ran.err.contains("fired 2"), "{}", ran.err);
    }
    let id = listed[0]["id"].as_str().unwrap();
    let ran = place.run(&["watches", "promote", id, "--state", state]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("built in"), "{}", ran.err);
}
