//! Answers that do not come, break off, refuse or lie.

use crate::played_fly::Fly as Played;
use crate::played_fly::wire::{Fault, Reply};
use crate::world::{begin, begin_by, done, end, fly, going, later, restart, soon, start, stop};
use autofix::recover::{ErrorKind, Platform};
use serde_json::json;
use std::time::Duration;

fn says(status: u16) -> Fault {
    Fault::Says(Reply::error(status, "the words of the platform"))
}

#[test]
fn what_is_refused_has_its_kind_and_its_words() {
    for (status, kind, word) in [
        (401, ErrorKind::Refused, "renew"),
        (403, ErrorKind::Refused, "give them the right"),
        (404, ErrorKind::Missing, "no such thing"),
        (409, ErrorKind::Refused, "holds the lease"),
        (412, ErrorKind::Refused, "the words of the platform"),
        (408, ErrorKind::Unreachable, "the words of the platform"),
        (500, ErrorKind::Unreachable, "has a fault"),
        (503, ErrorKind::Unreachable, "has a fault"),
        (302, ErrorKind::Refused, "says no"),
    ] {
        let played = Played::serve(&["a1"]);
        let fly = fly(&played);
        played.server.next("GET", "/machines", says(status));
        let said = fly.state(later()).unwrap_err();
        assert_eq!(said.kind, kind, "{status}");
        assert!(
            said.what.contains(word) && said.what.contains("the list of machines"),
            "{said}"
        );
        for (task, ending) in [(restart(Some("a1")), "/restart"), (stop("a1"), "/stop")] {
            played.server.next("POST", ending, says(status));
            let deed = begin(&played, &fly, &task);
            assert_eq!(deed.failed().kind, kind, "{task} {status}");
            assert_eq!(played.machine("a1").state, "started");
        }
        played.server.next("GET", "/versions", says(status));
        match kind {
            // Gone since the list was made; what runs is known all the same.
            ErrorKind::Missing => assert_eq!(fly.releases(later()).unwrap().len(), 1),
            _ => assert_eq!(fly.releases(later()).unwrap_err().kind, kind),
        }
    }
}

#[test]
fn too_often_is_limited_where_nothing_was_done_and_doubt_where_something_was() {
    let played = Played::serve(&["a1", "b2"]);
    let fly = fly(&played);
    let before = fly.state(later()).unwrap();
    played.state().limit = Some(1);
    fly.begin(&restart(Some("a1")), &before, "m", later())
        .unwrap();
    let said = fly
        .begin(&restart(Some("a1")), &before, "m", later())
        .unwrap_err();
    assert_eq!(said.kind, ErrorKind::Limited(Duration::from_secs(2)));
    // The first of the two has its restart, the second one is too many.
    let played = Played::serve(&["a1", "b2"]);
    let fly = crate::world::fly(&played);
    let before = fly.state(later()).unwrap();
    played.state().limit = Some(1);
    fly.begin(&restart(Some("b2")), &before, "m", later())
        .unwrap();
    let said = fly
        .begin(&restart(None), &before, "m", later())
        .unwrap_err();
    assert_eq!(said.kind, ErrorKind::Unreachable);
    assert!(
        said.what.contains("asked too often") && said.what.contains("restart of machine a1"),
        "{said}"
    );
    assert!(fly.state(later()).is_ok());
    let said = fly.state(later()).unwrap_err();
    assert!(matches!(said.kind, ErrorKind::Limited(_)), "{said}");
}

#[test]
fn an_answer_that_was_lost_is_found_by_polling() {
    let wide: [(autofix::model::recovery::Task, &str); 2] =
        [(restart(Some("a1")), "/restart"), (stop("a1"), "/stop")];
    for (task, ending) in wide {
        for fault in [Fault::Lost, Fault::Cut] {
            let played = Played::serve(&["a1"]);
            let fly = fly(&played);
            played.server.next("POST", ending, fault);
            let deed = begin(&played, &fly, &task);
            assert!(deed.failed().leaves_doubt(), "{}", deed.failed());
            done(&end(&deed, &fly, &task));
        }
    }
    let played = Played::serve(&["a1"]);
    let fly = fly(&played);
    let task = crate::world::rollback(crate::played_fly::machine::V1);
    played.server.next("POST", "/machines/a1", Fault::Lost);
    let deed = begin(&played, &fly, &task);
    assert!(deed.failed().leaves_doubt());
    done(&end(&deed, &fly, &task));
}

#[test]
fn a_server_that_says_nothing_is_given_up_in_time() {
    let played = Played::serve(&["a1"]);
    let fly = fly(&played);
    played.server.next("GET", "/machines", Fault::Hang);
    assert_eq!(fly.state(soon()).unwrap_err().kind, ErrorKind::Unreachable);
    let task = restart(Some("a1"));
    played.server.next("POST", "/restart", Fault::Hang);
    let deed = begin_by(&played, &fly, &task, soon());
    assert_eq!(deed.failed().kind, ErrorKind::Unreachable);
    // Nothing came of it, and polling does not say otherwise.
    for _ in 0..5 {
        going(&deed.progress(&fly, &task));
    }
}

#[test]
fn leases_are_given_back_when_the_time_is_up() {
    let played = Played::serve(&["a1", "b2"]);
    played.server.next("POST", "/machines/a1", Fault::Hang);
    let task = crate::world::rollback(crate::played_fly::machine::V1);
    let deed = begin_by(&played, &fly(&played), &task, soon());
    assert_eq!(deed.failed().kind, ErrorKind::Unreachable);
    crate::world::no_leases(&played);
}

#[test]
fn a_platform_that_says_yes_and_does_nothing_is_never_done() {
    let lie = || Fault::Says(Reply::new(200, &json!({"ok": true})));
    let played = Played::serve(&["a1", "b2"]);
    let now = played.now();
    played.set("b2", |machine| machine.crash(1, now));
    let fly = fly(&played);
    let rollback = crate::world::rollback(crate::played_fly::machine::V1);
    for (task, ending) in [
        (restart(Some("a1")), "/restart"),
        (stop("a1"), "/stop"),
        (start("b2"), "/start"),
        (
            autofix::model::recovery::Task::Scale { from: 2, to: 1 },
            "/stop",
        ),
    ] {
        played.server.next("POST", ending, lie());
        let deed = begin(&played, &fly, &task);
        assert!(deed.outcome.is_ok(), "{task}");
        for _ in 0..10 {
            going(&deed.progress(&fly, &task));
        }
    }
    for ending in ["/machines/a1", "/machines/b2"] {
        played.server.next("POST", ending, lie());
    }
    let deed = begin(&played, &fly, &rollback);
    assert!(deed.outcome.is_ok());
    for _ in 0..10 {
        going(&deed.progress(&fly, &rollback));
    }
}

#[test]
fn a_wait_that_is_over_too_soon_is_begun_again_a_few_times() {
    let played = Played::serve(&["a1", "b2"]);
    let fly = fly(&played);
    played.server.next("GET", "/wait", says(408));
    played.server.next("GET", "/wait", says(408));
    let deed = begin(&played, &fly, &restart(None));
    assert!(deed.outcome.is_ok());
    assert_eq!(
        played
            .asked()
            .iter()
            .filter(|line| line.contains("/wait?"))
            .count(),
        3
    );
    played.settle();
    for _ in 0..10 {
        played.server.next("GET", "/wait", says(408));
    }
    let deed = begin(&played, &fly, &restart(None));
    assert!(
        deed.failed().what.contains("was not started in time"),
        "{}",
        deed.failed()
    );
}

#[test]
fn words_of_the_platform_are_one_short_line() {
    let played = Played::serve(&["a1"]);
    let long = format!("a\nb\u{7}{}", "x".repeat(5000));
    played
        .server
        .next("GET", "/machines", Fault::Says(Reply::error(400, &long)));
    let said = fly(&played).state(later()).unwrap_err();
    assert!(
        said.what.chars().count() < 400 && !said.what.contains(char::is_control),
        "{said}"
    );
}
