//! Many incidents, few faults: as many requests as faults.

use crate::played_github::Fault;
use crate::world::{NAME, World, incidents, pulls};
use autofix::model::Status;
use autofix::model::delivery::Delivery;
use std::collections::BTreeSet;
use std::path::Path;

const FAULTS: usize = 50;
const TIMES: usize = 20;

/// One branch and one request for each fault, and every incident knows its own.
fn hold(world: &World, states: &[&Path]) {
    let branches = world.github.branches(NAME);
    let ours = branches.iter().filter(|name| name.starts_with("autofix/"));
    assert_eq!(ours.count(), FAULTS, "{branches:?}");
    let requests = world.github.pulls(NAME);
    assert_eq!(requests.len(), FAULTS);
    let distinct: BTreeSet<&str> = requests.iter().map(|pull| pull.branch.as_str()).collect();
    assert_eq!(distinct.len(), FAULTS);
    for state in states {
        let all = incidents(state);
        assert_eq!(all.len(), FAULTS * TIMES);
        assert_eq!(pulls(state).len(), FAULTS);
        for incident in all {
            let proposal = incident.proposal.as_ref();
            let pr = proposal.and_then(|proposal| proposal.pr.as_ref());
            assert!(pr.is_some(), "{incident:?}");
            assert_eq!(incident.status, Status::Delivered);
        }
    }
}

#[test]
fn a_thousand_incidents_of_fifty_faults_are_fifty_requests_over_two_processes_on_one_store() {
    let world = World::new(FAULTS);
    let state = world.seen("state", FAULTS, TIMES);
    world.github.fail(Fault::Both(3));
    world.fix_until(&[&state], |row| row.state == Delivery::Open);
    world.github.fail(Fault::None);
    hold(&world, &[&state]);
}

#[test]
fn a_thousand_incidents_of_fifty_faults_are_fifty_requests_over_two_stores() {
    let world = World::new(FAULTS);
    let one = world.seen("one", FAULTS, TIMES);
    let other = world.seen("other", FAULTS, TIMES);
    world.github.fail(Fault::Both(3));
    world.fix_until(&[&one, &other], |row| row.state == Delivery::Open);
    world.github.fail(Fault::None);
    hold(&world, &[&one, &other]);
}
