//! kill -9 at each step: whoever comes next leads it to the same end.

use crate::world::{NAME, World, hurry, incidents, pulls};
use autofix::model::Status;
use autofix::model::delivery::Delivery;
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
