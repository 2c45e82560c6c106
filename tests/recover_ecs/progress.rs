//! How far a change is, with the handle of its beginning and without.

use crate::played::wire::Fault;
use crate::played::{BEGIN, Played};
use crate::world::{done, ecs, failed, going, poll, restart, rollback, seconds, stop, until};
use autofix::model::recovery::{State, Task};
use autofix::recover::{Attempt, Ecs, ErrorKind, Platform};
use serde_json::Value;

/// The service before, and the handle of what was begun.
fn begin(ecs: &Ecs, task: &Task) -> (State, Option<Value>) {
    let before = ecs.state(until()).unwrap();
    let handle = ecs.begin(task, &before, "mark", until()).unwrap();
    (before, handle)
}

#[test]
fn a_played_roll_out_is_followed_to_its_end_with_and_without_a_handle() {
    for task in [restart(None), rollback("checkout:2")] {
        let played = Played::serve(2);
        let ecs = ecs(&played.address);
        let (before, handle) = begin(&ecs, &task);
        assert!(handle.is_some());
        let both = [None, handle.as_ref()];
        for handle in both {
            going(&poll(&ecs, &task, &before, handle), "0 of 2 tasks");
        }
        played.state().settle();
        for handle in both {
            done(&poll(&ecs, &task, &before, handle), "2 of 2 tasks");
        }
    }
}

#[test]
fn a_played_restart_of_which_nothing_is_known_is_not_done_while_a_task_of_before_runs() {
    let played = Played::serve(2);
    let ecs = ecs(&played.address);
    let task = restart(None);
    let (before, _) = begin(&ecs, &task);
    let old = played.state().running()[0].clone();
    played.state().settle();
    let task_of_before = played.state().task(&old).clone();
    for (name, value) in [("lastStatus", "RUNNING"), ("desiredStatus", "RUNNING")] {
        played.state().task(&old)[name] = value.into();
    }
    going(
        &poll(&ecs, &task, &before, None),
        "tasks of before still run",
    );
    *played.state().task(&old) = task_of_before;
    done(&poll(&ecs, &task, &before, None), "2 of 2");
}

#[test]
fn a_played_roll_out_that_the_breaker_undoes_has_failed() {
    for task in [restart(None), rollback("checkout:2")] {
        for back in [true, false] {
            let played = Played::serve(2);
            played.state().service["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] =
                back.into();
            let ecs = ecs(&played.address);
            let (before, handle) = begin(&ecs, &task);
            played.state().give_up();
            for handle in [None, handle.as_ref()] {
                let progress = poll(&ecs, &task, &before, handle);
                failed(&progress, "tasks failed to start");
                if back && handle.is_some() {
                    failed(&progress, "the circuit breaker goes back by itself");
                }
            }
            if back {
                // The deployment is no longer shown; its event is.
                played.state().settle();
                for handle in [None, handle.as_ref()] {
                    let progress = poll(&ecs, &task, &before, handle);
                    failed(&progress, "deployment failed: tasks failed to start");
                }
                // The event is forgotten, too.
                played.state().service["events"] = Value::Array(Vec::new());
                let progress = poll(&ecs, &task, &before, handle.as_ref());
                failed(&progress, "gone, undone or replaced by one of checkout:3");
            }
        }
    }
}

#[test]
fn a_played_roll_out_that_another_replaces_has_failed() {
    let played = Played::serve(2);
    let ecs = ecs(&played.address);
    let task = rollback("checkout:2");
    let (before, handle) = begin(&ecs, &task);
    played.state().deploy("checkout:1");
    for handle in [None, handle.as_ref()] {
        let progress = poll(&ecs, &task, &before, handle);
        failed(
            &progress,
            "another deployment has taken its place, of checkout:1",
        );
    }
    played.state().settle();
    failed(
        &poll(&ecs, &task, &before, None),
        "set to checkout:1 meanwhile",
    );
}

#[test]
fn what_was_never_begun_on_a_played_service_is_never_done() {
    let played = Played::serve(2);
    let ecs = ecs(&played.address);
    let before = ecs.state(until()).unwrap();
    // The only deployment is of long before.
    played.state().deployments()[0]["createdAt"] = BEGIN.into();
    for task in [restart(None), rollback("checkout:2")] {
        going(
            &poll(&ecs, &task, &before, None),
            "no deployment that began since",
        );
    }
    let scale = Task::Scale { from: 2, to: 3 };
    going(&poll(&ecs, &scale, &before, None), "still to have 2 tasks");
    let id = played.state().running()[0].clone();
    for task in [restart(Some(&id)), stop(&id)] {
        going(&poll(&ecs, &task, &before, None), "still runs");
    }
}

#[test]
fn an_answer_that_was_lost_leaves_doubt_and_the_played_service_tells_what_was_done() {
    for fault in [Fault::Lost, Fault::Cut] {
        let played = Played::serve(2);
        let ecs = ecs(&played.address);
        let before = ecs.state(until()).unwrap();
        let task = rollback("checkout:1");
        played.next("UpdateService", fault);
        let error = ecs.begin(&task, &before, "mark", until()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.leaves_doubt());
        going(
            &poll(&ecs, &task, &before, None),
            "0 of 2 tasks of checkout:1",
        );
        played.state().settle();
        done(&poll(&ecs, &task, &before, None), "2 of 2");
        assert_eq!(played.changes().len(), 1);
    }
}

#[test]
fn a_played_service_is_scaled_when_as_many_tasks_run() {
    let played = Played::serve(2);
    let ecs = ecs(&played.address);
    let task = Task::Scale { from: 2, to: 3 };
    let (before, handle) = begin(&ecs, &task);
    assert_eq!(handle, None);
    going(
        &poll(&ecs, &task, &before, None),
        "2 tasks run, 3 are wanted",
    );
    played.state().settle();
    done(&poll(&ecs, &task, &before, None), "3 tasks run");
    played.state().service["desiredCount"] = 9.into();
    failed(
        &poll(&ecs, &task, &before, None),
        "set the service to 9 tasks",
    );
}

#[test]
fn a_played_task_has_been_restarted_when_another_runs_in_its_place() {
    let played = Played::serve(2);
    let ecs = ecs(&played.address);
    let id = played.state().running()[0].clone();
    let task = restart(Some(&id));
    let (before, _) = begin(&ecs, &task);
    let reason = played.state().task(&id)["stoppedReason"].clone();
    assert_eq!(reason, "autofix mark");
    going(&poll(&ecs, &task, &before, None), "is ending: DEACTIVATING");
    played.state().task(&id)["lastStatus"] = "STOPPED".into();
    going(
        &poll(&ecs, &task, &before, None),
        "has ended; 1 of 2 tasks run",
    );
    done(
        &poll(&ecs, &stop(&id), &before, None),
        "starts another in its place",
    );
    played.state().settle();
    done(
        &poll(&ecs, &task, &before, None),
        "has ended and 2 of 2 tasks run",
    );
    // An hour later nobody remembers it.
    played
        .state()
        .tasks
        .retain(|one| !one["taskArn"].as_str().unwrap().ends_with(&id));
    done(&poll(&ecs, &task, &before, None), "has ended");
    done(&poll(&ecs, &stop(&id), &before, None), "has ended");
}

#[test]
fn a_played_service_without_a_roll_out_state_is_judged_by_its_tasks() {
    let played = Played::serve(2);
    let ecs = ecs(&played.address);
    let task = rollback("checkout:2");
    let (before, handle) = begin(&ecs, &task);
    let forget = || {
        for one in played.state().deployments() {
            one.as_object_mut().unwrap().remove("rolloutState");
        }
    };
    forget();
    going(&poll(&ecs, &task, &before, handle.as_ref()), "0 of 2");
    played.state().settle();
    forget();
    done(&poll(&ecs, &task, &before, handle.as_ref()), "2 of 2");
}

#[test]
fn a_played_deployment_is_ours_although_our_clock_is_a_little_ahead() {
    let played = Played::serve(2);
    let ecs = ecs(&played.address);
    let task = restart(None);
    let (before, _) = begin(&ecs, &task);
    played.state().settle();
    let at = |begun| {
        let attempt = Attempt {
            task: &task,
            before: &before,
            begun: seconds(begun),
            handle: None,
        };
        ecs.poll(&attempt, until()).unwrap()
    };
    done(&at(BEGIN + 330.0), "2 of 2");
    going(&at(BEGIN + 390.0), "no deployment that began since");
}
