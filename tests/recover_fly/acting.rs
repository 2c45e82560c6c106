//! Restart, stop and start.

use crate::played_fly::machine::V2;
use crate::played_fly::{AUTHORIZATION, Fly as Played};
use crate::world::{at, begin, done, end, failed, fly, going, restart, start, stop, token};
use autofix::model::recovery::Task;
use autofix::recover::{ErrorKind, Platform, Progress};

#[test]
fn one_machine_is_restarted() {
    let played = Played::serve(&["a1", "b2"]);
    let fly = fly(&played);
    let task = restart(Some("b2"));
    let deed = begin(&played, &fly, &task);
    deed.went_by_plan(&played);
    let url = format!(
        "{}/v1/apps/my-shop/machines/b2/restart",
        played.server.address
    );
    assert_eq!(deed.plan.as_ref().unwrap(), &[format!("POST {url}")]);
    assert!(deed.outcome.is_ok());
    going(&deed.progress(&fly, &task));
    assert_eq!(done(&end(&deed, &fly, &task)), "1 of 1 machines restarted");
    // The end that the restart brought is nobody's crash.
    let state = fly.state(crate::world::later()).unwrap();
    assert!(state.is_well() && !state.instances[1].exits[0].is_crash());
}

#[test]
fn all_are_restarted_one_after_the_other_and_our_own_last() {
    let played = Played::serve(&["a1", "b2", "c3", "d4"]);
    let now = played.now();
    played.set("c3", |machine| machine.crash(1, now));
    played.set("d4", |machine| {
        machine.stop(now);
        while machine.advance(now) {}
    });
    let fly = at(&played, token(AUTHORIZATION), Some("a1"));
    let task = restart(None);
    let deed = begin(&played, &fly, &task);
    deed.went_by_plan(&played);
    let changes = played.changes();
    let ends: Vec<&str> = changes
        .iter()
        .map(|line| line.rsplit("/machines/").next().unwrap())
        .collect();
    // What ended is started, and what was stopped is left alone.
    assert_eq!(ends, ["b2/restart", "c3/start", "a1/restart"]);
    assert_eq!(done(&end(&deed, &fly, &task)), "3 of 3 machines restarted");
    assert_eq!(played.machine("d4").state, "stopped");
}

#[test]
fn what_does_not_come_back_stops_the_rest() {
    let played = Played::serve(&["a1", "b2"]);
    played.set("a1", |machine| machine.ends_with = Some(1));
    let fly = fly(&played);
    let task = restart(None);
    let deed = begin(&played, &fly, &task);
    let error = deed.failed();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(
        error.what.contains("done before: restart of machine a1"),
        "{error}"
    );
    assert!(
        error
            .what
            .contains("not done, or perhaps: restart of machine b2"),
        "{error}"
    );
    assert_eq!(played.changes().len(), 1);
    assert_eq!(
        failed(&end(&deed, &fly, &task)),
        "machine a1 is stopped (exit status 1)"
    );
}

#[test]
fn a_restart_that_others_made_before_is_not_ours() {
    let played = Played::serve(&["a1"]);
    let fly = fly(&played);
    let task = restart(Some("a1"));
    let mut deed = begin(&played, &fly, &task);
    done(&end(&deed, &fly, &task));
    // The same state, held against a begin that came a minute later.
    let begun = deed.begun;
    deed.begun = begun.plus(std::time::Duration::from_secs(120));
    going(&deed.progress(&fly, &task));
    // And against a state that had this run already.
    deed.begun = begun;
    deed.before = fly.state(crate::world::later()).unwrap();
    going(&deed.progress(&fly, &task));
}

#[test]
fn a_machine_is_stopped_and_started() {
    let played = Played::serve(&["a1", "b2"]);
    let fly = fly(&played);
    let task = stop("a1");
    let deed = begin(&played, &fly, &task);
    deed.went_by_plan(&played);
    assert_eq!(done(&end(&deed, &fly, &task)), "machine a1 is stopped");
    let state = fly.state(crate::world::later()).unwrap();
    assert!(
        state.is_well(),
        "a stop that was asked for is no failure: {state:?}"
    );
    assert_eq!(state.wanted, Some(1));

    let task = start("a1");
    let deed = begin(&played, &fly, &task);
    deed.went_by_plan(&played);
    assert_eq!(done(&end(&deed, &fly, &task)), "1 of 1 machines started");
}

#[test]
fn a_start_that_ends_at_once_has_failed() {
    let played = Played::serve(&["a1"]);
    let now = played.now();
    played.set("a1", |machine| {
        machine.crash(1, now);
        machine.ends_with = Some(7);
    });
    let fly = fly(&played);
    let task = start("a1");
    let deed = begin(&played, &fly, &task);
    going(&deed.progress(&fly, &task));
    assert_eq!(
        failed(&end(&deed, &fly, &task)),
        "machine a1 is stopped (exit status 7)"
    );
}

#[test]
fn a_machine_that_is_gone_is_stopped_and_not_restarted() {
    let played = Played::serve(&["a1", "b2"]);
    let fly = fly(&played);
    let (stopped, restarted) = (stop("a1"), restart(Some("a1")));
    let mut deed = begin(&played, &fly, &stopped);
    played.set("a1", |machine| machine.state = "destroyed".to_owned());
    played.settle();
    played.set("a1", |machine| machine.state = "destroyed".to_owned());
    assert_eq!(done(&deed.progress(&fly, &stopped)), "machine a1 is gone");
    deed.begun = autofix::model::Timestamp(0);
    assert_eq!(
        failed(&deed.progress(&fly, &restarted)),
        "machine a1 is gone"
    );
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_sent() {
    let played = Played::serve(&["a1", "b2", "c3"]);
    let now = played.now();
    played.set("b2", |machine| {
        machine.stop(now);
        while machine.advance(now) {}
    });
    played.set("c3", |machine| machine.crash(1, now));
    let fly = fly(&played);
    let own = Task::Own {
        name: "flush".to_owned(),
        argv: vec!["/bin/flush".to_owned()],
        seconds: 1,
    };
    for (task, kind) in [
        (restart(Some("x9")), ErrorKind::Missing),
        (restart(Some("b2")), ErrorKind::Invalid),
        (restart(Some("../../other/machines/a1")), ErrorKind::Missing),
        (stop("b2"), ErrorKind::Invalid),
        (stop("c3"), ErrorKind::Invalid),
        (stop("a1/../b2"), ErrorKind::Missing),
        (start("a1"), ErrorKind::Invalid),
        (start(""), ErrorKind::Missing),
        (own, ErrorKind::Unsupported),
    ] {
        let deed = begin(&played, &fly, &task);
        assert_eq!(deed.failed().kind, kind, "{task}");
        assert_eq!(deed.plan.as_ref().unwrap_err(), deed.failed(), "{task}");
        assert_eq!(played.asked().len(), 0, "{task}");
    }
}

#[test]
fn an_id_in_a_state_that_was_kept_is_no_way_elsewhere() {
    let played = Played::serve(&["a1"]);
    let fly = fly(&played);
    let mut before = fly.state(crate::world::later()).unwrap();
    for bad in ["../../other/machines/a1", "a1/stop?", "a1 ", "a%31", ""] {
        before.instances[0].id = bad.to_owned();
        let task = restart(Some(bad));
        played.server.forget();
        let said = fly
            .begin(&task, &before, "m", crate::world::later())
            .unwrap_err();
        assert_eq!(said.kind, ErrorKind::Invalid, "{bad}");
        assert_eq!(
            fly.plan(&task, &before).unwrap_err().kind,
            ErrorKind::Invalid
        );
        assert_eq!(played.asked().len(), 0, "{bad}");
    }
}

#[test]
fn a_stop_that_somebody_undoes_is_not_done() {
    let played = Played::serve(&["a1"]);
    let fly = fly(&played);
    let task = stop("a1");
    let deed = begin(&played, &fly, &task);
    let now = played.now();
    played.set("a1", |machine| {
        while machine.advance(now) {}
        machine.start(now);
        while machine.advance(now) {}
    });
    assert!(matches!(deed.progress(&fly, &task), Progress::Going(_)));
    assert_eq!(played.machine("a1").config["image"], V2);
}
