//! The record: whole, or where it is not, said so; and as JSON Lines for whoever keeps it elsewhere.

use crate::ALL;
use crate::daemon::is_absent;
use crate::world::{World, keys};
use serde_json::Value;

/// A store with some entries: looks, an action that was denied, one that was refused.
fn world() -> World {
    let world = World::new(ALL);
    world.given_up();
    world.run(&["act", "web", "status"]);
    world.run(&[
        "act",
        "web",
        "restart",
        "--why",
        "password=hunter2hunter2 and \u{1b}[31m",
    ]);
    world.run(&["deny", "1", "--reason", "no"]);
    world.run(&["act", "pair", "restart"]);
    world.run(&["act", "web", "nonsense"]);
    world
}

fn change(world: &World, sql: &str) {
    let db = rusqlite::Connection::open(world.state.join("autofix.db")).unwrap();
    // Whoever can write the file can take away what keeps its rows.
    let mut guards = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit'")
        .unwrap();
    let guards: Vec<String> = guards
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for guard in guards {
        db.execute_batch(&format!("DROP TRIGGER \"{guard}\""))
            .unwrap();
    }
    assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
}

#[test]
fn it_is_whole_until_somebody_changes_it() {
    let test = "it_is_whole_until_somebody_changes_it";
    if is_absent(test) {
        return;
    }
    let world = world();
    let verified = world.json(0, &["audit", "verify"]);
    assert_eq!(keys(&verified), ["entries", "heads", "whole", "faults"]);
    assert_eq!(verified["whole"], true);
    assert!(verified["entries"].as_u64().unwrap() >= 4, "{verified}");
    assert!(verified["heads"].as_u64().unwrap() >= 1, "{verified}");
    let said = world.run(&["audit", "verify"]);
    assert!(
        said.status == 0 && said.out.contains("the audit is whole"),
        "{}",
        said.out
    );

    let heads = world.place.path("heads.jsonl");
    std::fs::copy(world.state.join("incidents.jsonl"), &heads).unwrap();
    let heads = heads.to_str().unwrap().to_owned();
    // The last entry is taken out, and what left the host with it.
    std::fs::write(world.state.join("incidents.jsonl"), "").unwrap();
    change(
        &world,
        "DELETE FROM audit WHERE entry = (SELECT max(entry) FROM audit)",
    );
    let found = world.run(&["audit", "verify", "--heads", &heads]);
    assert_eq!(found.status, 1, "{}{}", found.out, found.err);
    assert!(found.out.contains("not whole"), "{}", found.out);
    let found = world.json(1, &["audit", "verify", "--heads", &heads]);
    assert_eq!(keys(&found["faults"][0]), ["entry", "what"]);
    let gone = world.run(&["audit", "verify", "--heads", "/no/such/file"]);
    assert_eq!(gone.status, 1);
    assert!(gone.err.contains("/no/such/file"), "{}", gone.err);
}

#[test]
fn an_entry_that_was_changed_by_hand_is_found() {
    let test = "an_entry_that_was_changed_by_hand_is_found";
    if is_absent(test) {
        return;
    }
    let world = world();
    change(
        &world,
        "UPDATE audit SET json = replace(json, 'denied', 'agreed') WHERE json LIKE '%denied%'",
    );
    let found = world.json(1, &["audit", "verify"]);
    assert_eq!(found["whole"], false);
}

#[test]
fn the_export_is_json_lines_without_secrets() {
    let test = "the_export_is_json_lines_without_secrets";
    if is_absent(test) {
        return;
    }
    let world = world();
    let export = world.run(&["audit", "export"]);
    assert_eq!(export.status, 0, "{}", export.err);
    let all: Vec<Value> = export
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    assert!(all.len() >= 4, "{}", export.out);
    let first = keys(&all[0]);
    for entry in &all {
        assert_eq!(keys(entry), first);
    }
    assert!(!export.out.contains("hunter2hunter2"), "{}", export.out);
    assert!(!export.out.contains('\u{1b}'));
    let journal = std::fs::read_to_string(world.state.join("incidents.jsonl")).unwrap();
    assert!(!journal.contains("hunter2hunter2"), "{journal}");
    // Where there is no store there is nothing to verify.
    let place = crate::place::Place::new();
    for what in ["verify", "export"] {
        assert_eq!(place.run(&["audit", what, "--state", "nowhere"]).status, 1);
    }
}
