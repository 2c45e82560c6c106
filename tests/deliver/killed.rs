//! kill -9 at each step: whoever comes next leads it to the same end.

use crate::world::{DAY, NAME, World, hurry, incidents, now, open, pulls, signal, start};
use autofix::model::delivery::{Delivery, OutcomeKind};
use autofix::model::{CommitId, Status, Timestamp};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Calls of one delivery, and some more.
const CALLS: usize = 14;

#[test]
fn kill_9_in_each_call_to_the_code_host_leaves_one_branch_and_one_request() {
    let mut reached = 0;
    for call in 1..=CALLS {
        let world = World::new(1);
        let state = world.seen("state", 1, 1);
        world
            .github
            .set(|knobs| knobs.slow = Some(Duration::from_millis(60)));
        let mut child = world.fixing(&state).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        let ended = loop {
            if world.github.heard().len() + 1 >= call {
                break None;
            }
            if let Some(ended) = child.try_wait().unwrap() {
                break Some(ended);
            }
            assert!(Instant::now() < end);
            std::thread::sleep(Duration::from_millis(5));
        };
        if ended.is_none() {
            // In the call, or before it.
            std::thread::sleep(Duration::from_millis(20));
            child.kill().unwrap();
            child.wait().unwrap();
            reached = call;
        }
        world.github.set(|knobs| knobs.slow = None);
        hurry(&state);
        world.fix(&state);
        let rows = pulls(&state);
        assert_eq!(rows.len(), 1, "call {call}");
        assert_eq!(
            rows[0].state,
            Delivery::Open,
            "call {call}: {}",
            rows[0].why
        );
        let branches = world.github.branches(NAME);
        assert_eq!(branches.len(), 2, "call {call}: {branches:?}");
        assert_eq!(world.github.pulls(NAME).len(), 1, "call {call}");
        assert_eq!(
            incidents(&state)[0].status,
            Status::Delivered,
            "call {call}"
        );
    }
    assert!(reached >= 8, "only {reached} calls were made");
}

/// Runs the program until so many calls were made, and kills it in the last; `false` where it ended
/// before.
fn killed_in(world: &World, state: &Path, call: usize) -> bool {
    world.github.take_heard();
    world
        .github
        .set(|knobs| knobs.slow = Some(Duration::from_millis(60)));
    let mut child = world.fixing(state).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let killed = loop {
        if world.github.heard().len() + 1 >= call {
            std::thread::sleep(Duration::from_millis(20));
            child.kill().unwrap();
            break true;
        }
        if child.try_wait().unwrap().is_some() {
            break false;
        }
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(5));
    };
    child.wait().unwrap();
    // What was sent arrives before anybody comes next: nobody can know of a comment on its way.
    std::thread::sleep(Duration::from_millis(150));
    world.github.set(|knobs| knobs.slow = None);
    killed
}

/// A merged fix whose commit the service was seen running for longer than a day.
fn merged(world: &World) -> PathBuf {
    let state = world.seen("state", 1, 1);
    world.fix(&state);
    let commit = world.github.merge(NAME, 1, false);
    let commit = CommitId::parse(&commit).unwrap();
    let day = |days: i64| Timestamp(start().0 + days * DAY * 1_000_000_000);
    open(&state)
        .note_running("shop", &commit, day(1), day(3))
        .unwrap();
    hurry(&state);
    state
}

#[test]
fn kill_9_in_each_call_after_the_merge_still_says_once_that_the_fix_held() {
    for call in 1..=8 {
        let world = World::new(1);
        let state = merged(&world);
        killed_in(&world, &state, call);
        for _ in 0..3 {
            hurry(&state);
            world.fix(&state);
        }
        let row = pulls(&state).remove(0);
        assert_eq!(
            row.outcome,
            Some(OutcomeKind::Held),
            "call {call}: {}",
            row.why
        );
        assert_eq!(incidents(&state)[0].status, Status::Resolved, "call {call}");
        let comments = world.github.pulls(NAME).remove(0).comments;
        let held = comments.iter().filter(|said| said.contains("0 in 24 h at"));
        assert_eq!(held.count(), 1, "call {call}: {comments:?}");
    }
}

#[test]
fn kill_9_in_each_call_after_the_merge_still_opens_one_incident_for_what_came_back() {
    for call in 1..=8 {
        let world = World::new(1);
        let state = merged(&world);
        let commit = world.github.tip(NAME, "main").unwrap();
        let at = Timestamp(start().0 + 2 * DAY * 1_000_000_000);
        open(&state).record(&signal(0, at, &commit), now()).unwrap();
        killed_in(&world, &state, call);
        for _ in 0..3 {
            hurry(&state);
            world.fix(&state);
        }
        let row = pulls(&state)
            .into_iter()
            .find(|row| row.round == 0)
            .unwrap();
        assert_eq!(
            row.outcome,
            Some(OutcomeKind::CameBack),
            "call {call}: {}",
            row.why
        );
        assert_eq!(incidents(&state).len(), 2, "call {call}");
        let comments = world.github.pulls(NAME).remove(0).comments;
        let back = comments.iter().filter(|said| said.contains("came back"));
        assert_eq!(back.count(), 1, "call {call}: {comments:?}");
    }
}
