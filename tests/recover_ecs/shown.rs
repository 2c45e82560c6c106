//! What is read: the state of a service, its releases, its logs.

use crate::played::{self, BEGIN, Played, end, task_arn};
use crate::world::{ecs, ecs_in, seconds, until};
use autofix::model::recovery::{FactKind, InstanceState};
use autofix::recover::{ErrorKind, LISTED, Platform};
use serde_json::json;
use std::time::SystemTime;

#[test]
fn a_played_service_that_is_well_shows_its_tasks_and_its_release() {
    let played = Played::serve(3);
    let own = played.state().running()[1].clone();
    let ecs = ecs_in(&played.address, Some(task_arn(&own)));
    let state = ecs.state(until()).unwrap();
    assert!(state.is_well(), "{state:#?}");
    assert_eq!(state.release.as_deref(), Some("checkout:3"));
    assert_eq!(state.wanted, Some(3));
    assert_eq!((&state.deploying, &state.deploy_failed), (&None, &None));
    assert_eq!(state.kept_by, None);
    assert_eq!(state.instances.len(), 3);
    for one in &state.instances {
        assert_eq!(one.state, InstanceState::Running);
        assert_eq!(one.healthy, Some(true));
        assert_eq!(one.release.as_deref(), Some("checkout:3"));
        assert_eq!(one.started, Some(seconds(BEGIN + 300.0)));
        assert_eq!(one.own, one.id == own);
    }
    // Two names a part: the list was read to its end.
    let parts = played
        .calls()
        .into_iter()
        .filter(|call| call.operation == "ListTasks");
    assert_eq!(
        parts
            .filter(|call| call.body.get("nextToken").is_some())
            .count(),
        1
    );
}

#[test]
fn ends_of_played_tasks_are_told_apart() {
    let cases: &[(&str, &str, i32, Option<&str>, Option<FactKind>)] = &[
        (
            "EssentialContainerExited",
            "Essential container in task exited",
            1,
            None,
            Some(FactKind::Crash),
        ),
        (
            "EssentialContainerExited",
            "Essential container in task exited",
            0,
            None,
            None,
        ),
        (
            "EssentialContainerExited",
            "Essential container in task exited",
            137,
            Some("OutOfMemoryError: Container killed due to memory usage"),
            Some(FactKind::Oom),
        ),
        (
            "EssentialContainerExited",
            "Essential container in task exited",
            137,
            None,
            Some(FactKind::Crash),
        ),
        (
            "TaskFailedToStart",
            "CannotPullContainerError: no such image",
            255,
            None,
            Some(FactKind::Crash),
        ),
        (
            "ServiceSchedulerInitiated",
            "Scaling activity initiated by (deployment x)",
            143,
            None,
            None,
        ),
        (
            "ServiceSchedulerInitiated",
            "Task failed container health checks",
            0,
            None,
            Some(FactKind::Exit),
        ),
        (
            "ServiceSchedulerInitiated",
            "Task failed ELB health checks in (target-group x)",
            137,
            None,
            Some(FactKind::Crash),
        ),
        ("UserInitiated", "autofix 7", 143, None, None),
        (
            "SpotInterruption",
            "Your Spot Task was interrupted.",
            143,
            None,
            None,
        ),
        ("SomethingNew", "who knows", 3, None, Some(FactKind::Crash)),
    ];
    for (code, reason, exit, container, kind) in cases {
        let played = Played::serve(2);
        let id = played.state().running()[0].clone();
        let at = played.state().clock + 60.0;
        end(played.state().task(&id), at, code, reason, *exit);
        if let Some(container) = container {
            played.state().task(&id)["containers"][0]["reason"] = (*container).into();
        }
        let state = ecs(&played.address).state(until()).unwrap();
        let ended = state.instances.iter().find(|one| one.id == id).unwrap();
        assert_eq!(ended.state, InstanceState::Stopped, "{code}");
        assert_eq!(ended.healthy, None);
        assert!(ended.word.contains(code), "{}", ended.word);
        assert_eq!(ended.exits[0].at, seconds(at));
        let facts = state.trouble("shop", seconds(BEGIN), seconds(at));
        let kinds: Vec<FactKind> = facts.iter().map(|fact| fact.kind).collect();
        assert_eq!(kinds, Vec::from_iter(*kind), "{code} {reason} {exit}");
        assert!(!state.is_well(), "one of two runs");
    }
}

#[test]
fn a_played_task_that_was_replaced_does_not_make_the_service_look_failed() {
    let played = Played::serve(2);
    let id = played.state().running()[0].clone();
    let at = played.state().clock;
    end(
        played.state().task(&id),
        at,
        "EssentialContainerExited",
        "it exited",
        1,
    );
    played.state().task(&id)["healthStatus"] = "UNHEALTHY".into();
    played.state().settle();
    let state = ecs(&played.address).state(until()).unwrap();
    assert!(state.is_well(), "{state:#?}");
    assert_eq!(state.instances.len(), 3);
    assert_eq!(state.trouble("shop", seconds(BEGIN), seconds(at)).len(), 1);
}

#[test]
fn played_tasks_that_come_up_or_are_unwell_or_go_are_no_running_ones() {
    let played = Played::serve(4);
    let ids = played.state().running();
    {
        let mut state = played.state();
        state.task(&ids[0])["lastStatus"] = "PROVISIONING".into();
        state.task(&ids[1])["healthStatus"] = "UNHEALTHY".into();
        state.task(&ids[2])["lastStatus"] = "DEPROVISIONING".into();
        state.task(&ids[3])["healthStatus"] = "UNKNOWN".into();
        // Somebody's own task, which says that it is the deployment's.
        let mut odd = state.task(&ids[3]).clone();
        odd["taskArn"] = task_arn("0dd").into();
        odd["group"] = "family:checkout".into();
        state.tasks.push(odd);
    }
    let state = ecs(&played.address).state(until()).unwrap();
    let of = |id: &str| state.instances.iter().find(|one| one.id == id);
    assert_eq!(of(&ids[0]).unwrap().state, InstanceState::Starting);
    assert_eq!(of(&ids[1]).unwrap().healthy, Some(false));
    assert_eq!(of(&ids[2]).unwrap().state, InstanceState::Stopped);
    assert_eq!(of(&ids[3]).unwrap().healthy, None);
    assert!(of("0dd").is_none());
}

#[test]
fn only_tasks_of_the_service_count_whatever_a_list_holds() {
    let played = Played::serve(1);
    {
        let mut state = played.state();
        let id = state.running()[0].clone();
        let mut odd = state.task(&id).clone();
        odd["taskArn"] = task_arn("0dd").into();
        odd["startedBy"] = "ecs-svc/0".into();
        state.tasks.push(odd.clone());
        // Older tasks say only who started them.
        odd.as_object_mut().unwrap().remove("group");
        odd["taskArn"] = task_arn("01d").into();
        state.tasks.push(odd);
    }
    // A list that holds more than was asked for.
    let ids = ["0dd", "01d"].map(task_arn);
    let list = json!({ "taskArns": ids });
    let says = played::wire::Reply::new(200, &list);
    played.next("ListTasks", played::wire::Fault::Says(says));
    let state = ecs(&played.address).state(until()).unwrap();
    let found: Vec<&str> = state.instances.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(found, ["0dd"]);
}

#[test]
fn a_played_roll_out_shows_as_one_and_its_failure_as_what_it_is() {
    let played = Played::serve(2);
    let ecs = ecs(&played.address);
    let state = || ecs.state(until()).unwrap();
    played.state().deploy("checkout:2");
    let deploying = state().deploying.unwrap();
    assert!(
        deploying.contains("checkout:2: 0 of 2 tasks"),
        "{deploying}"
    );
    assert_eq!(state().deploy_failed, None);
    // The breaker goes back, and says so while it does and afterwards.
    played.state().give_up();
    let deploying = state().deploying.unwrap();
    assert!(
        deploying.contains("circuit breaker goes back to checkout:3"),
        "{deploying}"
    );
    let failed = state().deploy_failed.unwrap();
    assert!(
        failed.contains("checkout:2: ECS deployment circuit breaker: tasks failed"),
        "{failed}"
    );
    played.state().settle();
    assert_eq!(state().deploying, None);
    assert_eq!(state().release.as_deref(), Some("checkout:3"));
    // It was long ago, and the service has been well since.
    assert_eq!(state().deploy_failed, None);
    let lately = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64() - 60.0;
    for event in played.state().service["events"].as_array_mut().unwrap() {
        event["createdAt"] = lately.into();
    }
    let failed = state().deploy_failed.unwrap();
    assert!(
        failed.contains("deployment failed: tasks failed to start"),
        "{failed}"
    );
    played.state().clock = lately + 1.0;
    // The next deployment is another.
    played.state().deploy("checkout:1");
    played.state().settle();
    assert_eq!((state().deploying, state().deploy_failed), (None, None));
}

#[test]
fn a_played_roll_out_that_nobody_ends_is_not_under_way_for_ever() {
    let played = Played::serve(2);
    let ecs = ecs(&played.address);
    let breaker = |enable: bool, rollback: bool| {
        played.state().service["deploymentConfiguration"] =
            json!({"deploymentCircuitBreaker": {"enable": enable, "rollback": rollback}});
    };
    breaker(false, false);
    played.state().deploy("checkout:2");
    assert!(ecs.state(until()).unwrap().deploying.is_some());
    played.state().give_up();
    let state = ecs.state(until()).unwrap();
    assert_eq!(state.deploying, None);
    let failed = state.deploy_failed.unwrap();
    assert!(
        failed.contains("3 tasks in a row failed, and no circuit breaker"),
        "{failed}"
    );
    // The breaker stops a deployment, and leaves it so.
    breaker(true, false);
    played.state().give_up();
    let stopped = || {
        let state = ecs.state(until()).unwrap();
        assert_eq!(state.deploying, None);
        state.deploy_failed.unwrap()
    };
    assert!(stopped().contains("checkout:2: ECS deployment circuit breaker: tasks failed"));
    // It would go back, and has nothing to go back to.
    breaker(true, true);
    assert!(
        ecs.state(until())
            .unwrap()
            .deploying
            .unwrap()
            .contains("by itself")
    );
    played.state().deployments()[1]["rolloutState"] = "FAILED".into();
    assert!(stopped().contains("checkout:2"));
    // Somebody mends it: then the newest deployment is another.
    played.state().clock += 1.0;
    played.state().deploy("checkout:1");
    assert_eq!(ecs.state(until()).unwrap().deploy_failed, None);
}

#[test]
fn a_played_service_of_another_controller_is_said_to_be_kept_by_it() {
    let played = Played::serve(1);
    for (kind, who) in [("CODE_DEPLOY", "CodeDeploy"), ("EXTERNAL", "external")] {
        played.state().service["deploymentController"]["type"] = kind.into();
        let kept = ecs(&played.address)
            .state(until())
            .unwrap()
            .kept_by
            .unwrap();
        assert!(kept.contains(who) && kept.contains(kind), "{kept}");
    }
}

#[test]
fn of_many_played_tasks_the_newest_ends_are_kept_and_too_many_that_run_are_an_error() {
    let played = Played::serve(1);
    let many = |played: &Played, count: usize, running: bool| {
        let mut state = played.state();
        let id = state.running()[0].clone();
        for n in 0..count {
            let mut task = state.task(&id).clone();
            // No order at all.
            let at = BEGIN + ((n * 7919) % count) as f64;
            task["taskArn"] = task_arn(&format!("{n:x}-{running}")).into();
            if !running {
                end(&mut task, at, "EssentialContainerExited", "it exited", 1);
            }
            state.tasks.push(task);
        }
        state.page = 100;
    };
    many(&played, 420, false);
    let state = ecs(&played.address).state(until()).unwrap();
    assert_eq!(state.instances.len(), LISTED);
    let ended: Vec<_> = state.instances.iter().flat_map(|one| &one.exits).collect();
    assert_eq!(ended.len(), LISTED - 1);
    assert!(ended.is_sorted_by_key(|exit| exit.at));
    assert_eq!(ended[0].at, seconds(BEGIN + 420.0 - (LISTED - 1) as f64));
    many(&played, LISTED, true);
    let error = ecs(&played.address).state(until()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.what.contains("more than 200 tasks"), "{error}");
}

#[test]
fn releases_of_a_played_service_are_the_newest_and_the_one_that_runs() {
    let played = Played::serve(1);
    played.state().deploy("checkout:2");
    played.state().give_up();
    let ecs = ecs(&played.address);
    let releases = ecs.releases(until()).unwrap();
    let shown: Vec<_> = releases
        .iter()
        .map(|one| (one.id.as_str(), one.name.as_str(), one.current, one.good))
        .collect();
    assert_eq!(
        shown,
        [
            ("checkout:3", "acme/checkout:3c3c3c3", true, None),
            ("checkout:2", "acme/checkout:2b2b2b2", false, Some(false)),
            ("checkout:1", "acme/checkout:1a1a1a1", false, None),
        ]
    );
    assert_eq!(releases[2].made, Some(seconds(BEGIN - 999.0)));
    assert_eq!(releases[2].commit.as_ref().unwrap().as_str(), "1a1a1a1");
    played.state().settle();
    assert_eq!(ecs.releases(until()).unwrap()[0].good, Some(true));
    // It runs on although nobody may deploy it any more, and is far from the newest.
    for revision in 4..40 {
        played
            .state()
            .define("checkout", revision, "acme/checkout:latest");
    }
    played.state().definitions.get_mut("checkout:3").unwrap()["status"] = "INACTIVE".into();
    let releases = ecs.releases(until()).unwrap();
    let ids: Vec<&str> = releases.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(
        (ids.len(), ids[0], ids[19], ids[20]),
        (21, "checkout:39", "checkout:20", "checkout:3")
    );
    assert!(releases[20].current && releases[0].commit.is_none());
}

#[test]
fn played_logs_are_read_back_to_the_lines_asked_for() {
    let played = Played::serve(2);
    let ids = played.state().running();
    for (at, id) in ids.iter().enumerate() {
        let stream = ("/ecs/prod".to_owned(), format!("svc/app/{id}"));
        let lines = (0..5).map(|n| (1000 * n + at as i64, format!("{n} of {at}")));
        played.state().streams.insert(stream, lines.collect());
    }
    let ecs = ecs(&played.address);
    let texts = |instance: Option<&str>, lines| {
        let lines = ecs.logs(instance, lines, until()).unwrap();
        lines.into_iter().map(|line| line.text).collect::<Vec<_>>()
    };
    // The side car has no stream yet: that takes nothing away.
    assert_eq!(texts(Some(&ids[1]), 3), ["2 of 1", "3 of 1", "4 of 1"]);
    assert_eq!(texts(None, 4), ["3 of 0", "3 of 1", "4 of 0", "4 of 1"]);
    assert_eq!(texts(None, 100).len(), 10);
    let lines = ecs.logs(Some(&ids[0]), 1, until()).unwrap();
    assert_eq!(
        (lines[0].instance.as_str(), lines[0].at),
        (ids[0].as_str(), Some(seconds(4.0)))
    );
    // Signed for the service that is asked.
    assert!(played.calls().iter().any(|call| call.service == "logs"));
    let error = ecs.logs(Some("0dd"), 5, until()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Missing);
    played.state().streams.clear();
    let error = ecs.logs(None, 5, until()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Missing);
    assert!(error.what.contains("log stream does not exist"), "{error}");
}

#[test]
fn played_logs_that_go_elsewhere_are_named_with_the_remedy() {
    let played = Played::serve(1);
    let id = played.state().running()[0].clone();
    let set = |log: serde_json::Value| {
        let mut state = played.state();
        let definition = state.definitions.get_mut("checkout:3").unwrap();
        for container in definition["containerDefinitions"].as_array_mut().unwrap() {
            container["logConfiguration"] = log.clone();
        }
    };
    set(json!({"logDriver": "awsfirelens", "options": {}}));
    let error = ecs(&played.address).logs(None, 5, until()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.what.contains("awsfirelens") && error.what.contains("set logDriver awslogs"));
    // Without a prefix the stream is called as the container's runtime calls it.
    set(json!({"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/prod"}}));
    let stream = ("/ecs/prod".to_owned(), format!("{id}-1"));
    played
        .state()
        .streams
        .insert(stream, vec![(1, "here".to_owned())]);
    let lines = ecs(&played.address).logs(Some(&id), 5, until()).unwrap();
    assert_eq!(lines[0].text, "here");
}
