//! Scale: up by starting before making, down by stopping, and never a machine destroyed.

use crate::played_fly::machine::{V1, V2};
use crate::played_fly::wire::{Fault, Reply};
use crate::played_fly::{AUTHORIZATION, Fly as Played};
use crate::world::{at, begin, done, end, failed, fly, going, later, token};
use autofix::model::recovery::Task;
use autofix::recover::{ErrorKind, Platform};
use serde_json::json;

fn scale(from: u32, to: u32) -> Task {
    Task::Scale { from, to }
}

fn asleep(played: &Played, id: &str) {
    let now = played.now();
    played.set(id, |machine| {
        machine.stop(now);
        while machine.advance(now) {}
    });
}

fn ends(played: &Played) -> Vec<String> {
    let end = |line: &String| line.rsplit("/my-shop/").next().unwrap().to_owned();
    played.changes().iter().map(end).collect()
}

#[test]
fn up_starts_what_was_stopped_and_then_makes_more() {
    let played = Played::serve(&["a1", "b2", "c3"]);
    asleep(&played, "b2");
    asleep(&played, "c3");
    // On another release it is of no use, and one that stands by is for something else.
    played.set("c3", |machine| machine.config["image"] = json!(V1));
    let fly = fly(&played);
    let task = scale(1, 4);
    let deed = begin(&played, &fly, &task);
    deed.went_by_plan(&played);
    assert_eq!(ends(&played), ["machines/b2/start", "machines", "machines"]);
    let handle = deed.outcome.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(handle["made"], json!(["new1", "new2"]));
    done(&end(&deed, &fly, &task));
    let made = played.machine("new1");
    assert_eq!(
        made.config.to_string(),
        played.machine("a1").config.to_string()
    );
    assert_eq!(fly.state(later()).unwrap().wanted, Some(4));
}

#[test]
fn down_stops_what_serves_least_and_our_own_last() {
    let played = Played::serve(&["a1", "b2", "c3"]);
    played.set("a1", |machine| {
        machine.checks = json!([{"name": "x", "status": "critical"}])
    });
    let own = at(&played, token(AUTHORIZATION), Some("c3"));
    let task = scale(3, 1);
    let deed = begin(&played, &own, &task);
    deed.went_by_plan(&played);
    assert_eq!(ends(&played), ["machines/a1/stop", "machines/b2/stop"]);
    done(&end(&deed, &own, &task));
    let state = own.state(later()).unwrap();
    assert!(state.is_well() && state.instances.len() == 3, "{state:?}");
    // And up again, without a new machine.
    let task = scale(1, 3);
    let deed = begin(&played, &own, &task);
    assert_eq!(ends(&played), ["machines/a1/start", "machines/b2/start"]);
    done(&end(&deed, &own, &task));
}

#[test]
fn where_there_are_others_meanwhile_nothing_is_done() {
    let played = Played::serve(&["a1", "b2"]);
    let fly = fly(&played);
    let before = fly.state(later()).unwrap();
    asleep(&played, "b2");
    played.server.forget();
    let said = fly.begin(&scale(2, 3), &before, "m", later()).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Invalid);
    assert!(
        said.what.contains("meanwhile 1 machines are wanted"),
        "{said}"
    );
    assert_eq!(played.changes(), Vec::<String>::new());
    // Or already when it is planned.
    for task in [scale(1, 3), scale(2, 2), scale(9, 1)] {
        assert_eq!(
            fly.plan(&task, &before).unwrap_err().kind,
            ErrorKind::Invalid,
            "{task}"
        );
    }
}

#[test]
fn volumes_and_process_groups_are_for_a_person() {
    let played = Played::serve(&["a1"]);
    played.set("a1", |machine| {
        machine.config["mounts"] = json!([{"volume": "vol_1"}])
    });
    let deed = begin(&played, &fly(&played), &scale(1, 2));
    assert_eq!(deed.failed().kind, ErrorKind::Unsupported);
    assert!(deed.failed().what.contains("fly scale count"));
    assert_eq!(played.changes(), Vec::<String>::new());

    let played = Played::serve(&["a1", "b2"]);
    played.set("b2", |machine| {
        machine.config["metadata"]["fly_process_group"] = json!("worker")
    });
    for task in [scale(2, 3), scale(2, 1)] {
        let deed = begin(&played, &fly(&played), &task);
        assert_eq!(deed.failed().kind, ErrorKind::Unsupported);
        assert!(
            deed.failed().what.contains("app, worker"),
            "{}",
            deed.failed()
        );
        assert_eq!(played.changes(), Vec::<String>::new());
    }
}

#[test]
fn a_machine_that_stands_by_is_not_started() {
    let played = Played::serve(&["a1", "b2"]);
    asleep(&played, "b2");
    played.set("b2", |machine| machine.config["standbys"] = json!(["a1"]));
    let fly = fly(&played);
    let task = scale(1, 2);
    let deed = begin(&played, &fly, &task);
    assert_eq!(ends(&played), ["machines"]);
    done(&end(&deed, &fly, &task));
    assert_eq!(played.machine("b2").state, "stopped");
}

#[test]
fn a_new_machine_that_fails_has_failed() {
    let played = Played::serve(&["a1"]);
    played.state().bad.insert(V2.to_owned());
    let fly = fly(&played);
    let task = scale(1, 2);
    let deed = begin(&played, &fly, &task);
    going(&deed.progress(&fly, &task));
    assert_eq!(
        failed(&end(&deed, &fly, &task)),
        "machine new1 is stopped (exit status 1)"
    );
}

#[test]
fn what_was_made_before_a_fault_is_told() {
    let played = Played::serve(&["a1", "b2"]);
    asleep(&played, "b2");
    played.server.next(
        "POST",
        "/machines",
        Fault::Says(Reply::error(422, "insufficient_capacity")),
    );
    let deed = begin(&played, &fly(&played), &scale(1, 3));
    assert_eq!(deed.failed().kind, ErrorKind::Unreachable);
    let what = &deed.failed().what;
    assert!(what.contains("insufficient_capacity"), "{what}");
    assert!(what.contains("done before: start of machine b2"), "{what}");
    assert!(
        what.contains("not done, or perhaps: a new machine like a1"),
        "{what}"
    );
    // Alone it is a refusal.
    let played = Played::serve(&["a1"]);
    played.server.next(
        "POST",
        "/machines",
        Fault::Says(Reply::error(422, "insufficient_capacity")),
    );
    let deed = begin(&played, &fly(&played), &scale(1, 2));
    assert_eq!(deed.failed().kind, ErrorKind::Refused);
    // An answer without an id: one was made, and there is no telling which.
    let played = Played::serve(&["a1"]);
    played.server.next(
        "POST",
        "/machines",
        Fault::Says(Reply::new(200, &json!({}))),
    );
    let deed = begin(&played, &fly(&played), &scale(1, 3));
    assert_eq!(deed.failed().kind, ErrorKind::Unreachable);
    assert_eq!(played.changes().len(), 1);
}

#[test]
fn none_is_ever_destroyed() {
    let played = Played::serve(&["a1", "b2", "c3"]);
    begin(&played, &fly(&played), &scale(3, 0)).outcome.unwrap();
    assert_eq!(ends(&played).len(), 3);
    assert!(
        played
            .asked()
            .iter()
            .all(|line| !line.starts_with("DELETE"))
    );
}
