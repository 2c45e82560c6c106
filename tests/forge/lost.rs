//! Answers that are lost, and calls that fail, at every single step: the work is repeated as it
//! would be after a kill, and there is exactly one branch and one request.

use crate::github_server::{Fault, Played, play};
use crate::orders::{BRANCH, REPO, client, order};
use autofix::deliver::forge::Forge;

/// Repeats until it is done, with a new client each time.
fn deliver(played: &Played, most: usize) -> usize {
    let order = order(played);
    for tries in 1..=most {
        let client = client(played);
        let done = client
            .make_branch(&order)
            .and_then(|_| client.open(&order))
            .and_then(|opened| client.comment(&order, opened.pull.number, "More.", "m1"));
        match done {
            Ok(()) => return tries,
            Err(e) => assert!(e.is_transient(), "{e}"),
        }
    }
    panic!("not done after {most} tries");
}

fn exactly_one(played: &Played, when: &str) {
    assert_eq!(played.branches(REPO), [BRANCH, "main"], "{when}");
    let pulls = played.pulls(REPO);
    assert_eq!(pulls.len(), 1, "{when}");
    assert_eq!(pulls[0].labels, ["autofix"], "{when}");
    assert_eq!(pulls[0].reviewers, ["ana"], "{when}");
    assert_eq!(pulls[0].comments.len(), 1, "{when}");
}

#[test]
fn one_branch_and_one_request_whichever_answer_is_lost() {
    let whole = play();
    assert_eq!(deliver(&whole, 1), 1);
    exactly_one(&whole, "nothing lost");
    let steps = whole.heard().len();
    assert!(steps >= 12, "{steps}");
    for step in 1..=steps {
        for fault in [
            // Once: the call itself is sent again.
            Fault::LostRun(step, 1),
            Fault::StatusRun(step, 1, 502),
            // As often as a call is sent: the whole is repeated.
            Fault::LostRun(step, 3),
            Fault::StatusRun(step, 3, 502),
            Fault::LostRun(step, 10),
        ] {
            let played = play();
            played.fail(fault.clone());
            let tries = deliver(&played, 6);
            exactly_one(&played, &format!("{fault:?}, {tries} tries"));
        }
    }
}

#[test]
fn one_branch_and_one_request_where_a_third_of_all_calls_fail() {
    for fault in [Fault::Before(3), Fault::Lost(3), Fault::Both(3)] {
        let played = play();
        played.fail(fault.clone());
        deliver(&played, 50);
        exactly_one(&played, &format!("{fault:?}"));
    }
}
