//! How far a task is, with and without what `begin` gave.

use crate::host::Fault;
use crate::world::{World, now, restart, rollback, soon};
use autofix::model::Timestamp;
use autofix::model::recovery::{State, Task};
use autofix::recover::{ErrorKind, Platform, Progress};
use serde_json::{Value, json};
use std::time::Duration;

fn tasks(before: &State) -> [Task; 4] {
    [
        restart(None),
        restart(Some(&before.instances[0].id)),
        rollback("1"),
        Task::Scale { from: 2, to: 4 },
    ]
}

/// Two releases that run well, the second now.
fn two_releases() -> World {
    let world = World::new();
    world.deploy("registry.example/checkout:two", "second");
    world.played.cluster().settle();
    world
}

fn is_going(progress: &Progress) -> bool {
    matches!(progress, Progress::Going(_))
}

/// A step of the controllers with each look, until it is over; how often it was under way.
fn follow(
    world: &World,
    task: &Task,
    before: &State,
    handle: Option<&Value>,
    begun: Timestamp,
) -> (usize, Progress) {
    for times in 0..100 {
        let progress = world.poll_begun(task, before, handle, begun);
        if !is_going(&progress) {
            return (times, progress);
        }
        world.played.cluster().step();
    }
    panic!("{task} is never over");
}

#[test]
fn each_task_comes_to_its_end_on_the_played_server() {
    for at in 0..4 {
        let world = two_releases();
        let before = world.state();
        let task = &tasks(&before)[at];
        let begun = now();
        let handle = world.begin(task).unwrap();
        // Begun and under way, whatever the clock said.
        let (times, end) = follow(&world, task, &before, handle.as_ref(), begun);
        assert!(times > 0, "{task} was over at once");
        assert!(matches!(end, Progress::Done(_)), "{task}: {end:?}");
        assert!(world.state().is_well());
    }
}

#[test]
fn a_lost_answer_is_made_up_for_by_asking_the_played_server() {
    for at in 0..4 {
        for fault in [Fault::Lost, Fault::Cut] {
            let world = two_releases();
            let before = world.state();
            let task = &tasks(&before)[at];
            let begun = now();
            // A trial that works, and a change whose answer does not arrive.
            let deletes = matches!(task, Task::Restart { instance: Some(_) });
            if deletes {
                world.played.host.next("DELETE", "", fault);
            } else {
                world.played.cluster().moves = false;
                let trial = Fault::Lost;
                world.played.host.next("PATCH", "", trial);
                let lost = world.client.begin(task, &before, "m", soon()).unwrap_err();
                assert_eq!(lost.kind, ErrorKind::Unreachable);
                // Of the trial nothing stays.
                let progress = world.poll_begun(task, &before, None, begun);
                assert!(is_going(&progress), "{progress:?}");
                let early = begun.minus(Duration::from_secs(60));
                let progress = world.poll_begun(task, &before, None, early);
                assert!(matches!(progress, Progress::Failed(_)), "{progress:?}");
                lose_the_second(&world, fault);
            }
            let lost = world.client.begin(task, &before, "m", soon()).unwrap_err();
            assert!(lost.leaves_doubt(), "{lost}");
            let (mut end, mut times) = (Progress::Going(String::new()), 0);
            while is_going(&end) && times < 100 {
                end = world.poll_begun(task, &before, None, begun);
                world.played.cluster().step();
                times += 1;
            }
            assert!(matches!(end, Progress::Done(_)), "{task}: {end:?}");
        }
    }
}

/// The next change that is no trial loses its answer.
fn lose_the_second(world: &World, fault: Fault) {
    world.played.host.after_one("PATCH", fault);
}

#[test]
fn a_change_that_never_arrived_is_told_from_one_that_did_by_the_played_server() {
    for at in 0..4 {
        let world = two_releases();
        let before = world.state();
        let task = &tasks(&before)[at];
        let progress = world.poll(task, &before, None);
        assert!(is_going(&progress), "it may still arrive: {progress:?}");
        let begun = now().minus(Duration::from_secs(31));
        let progress = world.poll_begun(task, &before, None, begun);
        let Progress::Failed(why) = progress else {
            panic!("{task}: {progress:?}");
        };
        assert!(why.contains("never reached"), "{why}");
    }
}

#[test]
fn a_change_that_somebody_undid_failed_on_the_played_server() {
    let world = two_releases();
    let before = world.state();
    let template = world.deployment()["spec"]["template"].clone();
    let handle = world.begin(&restart(None)).unwrap();
    let begun = now();
    world.played.cluster().deployment("checkout")["spec"]["template"] = template;
    let progress = world.poll_begun(&restart(None), &before, handle.as_ref(), begun);
    assert_eq!(
        progress,
        Progress::Failed("somebody undid the change".to_owned())
    );

    let world = two_releases();
    let task = Task::Scale { from: 2, to: 4 };
    let before = world.state();
    let handle = world.begin(&task).unwrap();
    world.played.cluster().deployment("checkout")["spec"]["replicas"] = json!(9);
    let progress = world.poll(&task, &before, handle.as_ref());
    let said = "9 pods are wanted now, not 4: somebody else scaled it";
    assert_eq!(progress, Progress::Failed(said.to_owned()));

    let world = two_releases();
    let before = world.state();
    let handle = world.begin(&rollback("1")).unwrap();
    world.deploy("registry.example/checkout:three", "third");
    world.played.cluster().settle();
    let progress = world.poll(&rollback("1"), &before, handle.as_ref());
    let said = "revision 3 was deployed since, which is not revision 1";
    assert_eq!(progress, Progress::Failed(said.to_owned()));
}

#[test]
fn a_deployment_that_went_away_failed_on_the_played_server() {
    let world = two_releases();
    let before = world.state();
    let handle = world.begin(&restart(None)).unwrap();
    world.played.cluster().deployment("checkout")["metadata"]["uid"] = json!("another");
    let progress = world.poll(&restart(None), &before, handle.as_ref());
    let said = "the Deployment was deleted and made anew";
    assert_eq!(progress, Progress::Failed(said.to_owned()));
    world.played.cluster().deployments.clear();
    let progress = world.poll(&restart(None), &before, handle.as_ref());
    assert_eq!(
        progress,
        Progress::Failed("the Deployment was deleted".to_owned())
    );
}

#[test]
fn a_rollout_that_times_out_failed_and_an_older_one_did_not_on_the_played_server() {
    let world = World::crashing();
    let early = now().minus(Duration::from_secs(3600));
    let stamp = |at: Timestamp| at.to_rfc3339();
    world.played.cluster().time_out("checkout", &stamp(early));
    let before = world.state();
    assert!(before.deploy_failed.is_some());
    let begun = now();
    let handle = world.begin(&rollback("1")).unwrap();
    world.played.cluster().step();
    // The condition of the deploy that failed stays until the new one has moved.
    world.played.cluster().time_out("checkout", &stamp(early));
    let progress = world.poll_begun(&rollback("1"), &before, handle.as_ref(), begun);
    assert!(is_going(&progress), "{progress:?}");
    // One that came later is about this rollout.
    let late = begun.plus(Duration::from_secs(590));
    world.played.cluster().time_out("checkout", &stamp(late));
    let progress = world.poll_begun(&rollback("1"), &before, handle.as_ref(), begun);
    let said = "ReplicaSet \"checkout\" has timed out progressing.";
    assert_eq!(progress, Progress::Failed(said.to_owned()));
    // With a deadline of its own.
    world.played.cluster().deployment("checkout")["spec"]["progressDeadlineSeconds"] = json!(20);
    let late = begun.plus(Duration::from_secs(15));
    world.played.cluster().time_out("checkout", &stamp(late));
    let progress = world.poll_begun(&rollback("1"), &before, handle.as_ref(), begun);
    assert_eq!(progress, Progress::Failed(said.to_owned()));
}

#[test]
fn a_service_that_crashes_is_brought_back_by_the_played_server() {
    let world = World::crashing();
    let before = world.state();
    let task = rollback("1");
    let begun = now();
    let handle = world.begin(&task).unwrap();
    let (_, end) = follow(&world, &task, &before, handle.as_ref(), begun);
    let said = "all 2 pods are of the newest revision and available";
    assert_eq!(end, Progress::Done(said.to_owned()));
    let state = world.state();
    assert!(state.is_well(), "{state:?}");
    assert_eq!(state.release.as_deref(), Some("3"));
    let releases = world.client.releases(soon()).unwrap();
    let ids: Vec<&str> = releases.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["3", "2"], "revision 1 is revision 3 now");
}

#[test]
fn it_is_said_where_an_autoscaler_could_not_be_seen_on_the_played_server() {
    let world = World::new();
    let denied = ("list", "horizontalpodautoscalers");
    world.played.cluster().denied.push(denied);
    let before = world.state();
    let task = Task::Scale { from: 2, to: 0 };
    let begun = now();
    let handle = world.begin(&task).unwrap();
    let (_, end) = follow(&world, &task, &before, handle.as_ref(), begun);
    let Progress::Done(said) = end else {
        panic!("{end:?}")
    };
    let note = "0 pods are there and available; whether an autoscaler keeps their number could \
                not be seen";
    assert_eq!(said, note);
}

#[test]
fn a_pod_whose_successor_is_not_ready_is_under_way_on_the_played_server() {
    let world = World::new();
    let before = world.state();
    let task = restart(Some(&before.instances[0].id));
    let handle = world.begin(&task).unwrap();
    let going = |said: &str| Progress::Going(said.to_owned());
    let name = &before.instances[0].id;
    let progress = world.poll(&task, &before, handle.as_ref());
    assert_eq!(progress, going(&format!("pod {name} is being ended")));
    world.played.cluster().step();
    let progress = world.poll(&task, &before, handle.as_ref());
    assert_eq!(
        progress,
        going(&format!("pod {name} is gone; 1 of 2 pods are ready"))
    );
    world.played.cluster().settle();
    let progress = world.poll(&task, &before, handle.as_ref());
    assert!(matches!(progress, Progress::Done(_)), "{progress:?}");
}
