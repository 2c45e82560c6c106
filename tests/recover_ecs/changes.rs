//! What is changed: the request is the planned one, and what does not fit is refused before it.

use crate::played::{Played, task_arn};
use crate::world::{ecs, ecs_in, restart, rollback, stop, until};
use autofix::model::recovery::Task;
use autofix::recover::{ErrorKind, Platform};
use serde_json::json;

#[test]
fn what_is_sent_to_a_played_service_is_what_was_planned() {
    let scale = Task::Scale { from: 2, to: 5 };
    for (task, line) in [
        (
            restart(None),
            r#"UpdateService {"cluster":"prod","service":"checkout","forceNewDeployment":true}"#,
        ),
        (
            rollback("checkout:2"),
            r#"UpdateService {"cluster":"prod","service":"checkout","taskDefinition":"checkout:2"}"#,
        ),
        (
            scale,
            r#"UpdateService {"cluster":"prod","service":"checkout","desiredCount":5}"#,
        ),
        (
            stop("ID"),
            r#"StopTask {"cluster":"prod","task":"ID","reason":"autofix MARK"}"#,
        ),
        (
            restart(Some("ID")),
            r#"StopTask {"cluster":"prod","task":"ID","reason":"autofix MARK"}"#,
        ),
    ] {
        let played = Played::serve(2);
        let ecs = ecs(&played.address);
        let id = played.state().running()[0].clone();
        let task = match task {
            Task::Stop { .. } => stop(&id),
            Task::Restart { instance: Some(_) } => restart(Some(&id)),
            other => other,
        };
        let before = ecs.state(until()).unwrap();
        let looked = played.calls().len();
        let plan = ecs.plan(&task, &before).unwrap();
        assert_eq!(plan, [line.replace("ID", &id)]);
        assert_eq!(played.calls().len(), looked, "a plan asks nobody");
        let handle = ecs.begin(&task, &before, "7-c0ffee", until()).unwrap();
        let sent: Vec<String> = plan
            .iter()
            .map(|line| line.replace("MARK", "7-c0ffee"))
            .collect();
        assert_eq!(played.changes(), sent);
        // A deployment was begun where the request begins one.
        let newest = played.state().deployments()[0]["id"].clone();
        let begins = matches!(
            task,
            Task::Restart { instance: None } | Task::Rollback { .. }
        );
        assert_eq!(handle, begins.then(|| json!({"deployment": newest})));
        assert_eq!(played.state().deployments().len(), 1 + usize::from(begins));
    }
}

/// A task, what it meets, and what is said of it.
type Refused = (Task, fn(&Played), ErrorKind, &'static str);

fn as_it_is(_: &Played) {}

fn deploying(played: &Played) {
    played.state().deploy("checkout:2");
}

fn code_deploy(played: &Played) {
    played.state().service["deploymentController"]["type"] = "CODE_DEPLOY".into();
}

#[test]
fn what_does_not_fit_a_played_service_is_refused_in_the_plan_and_at_the_beginning() {
    let scale = |from, to| Task::Scale { from, to };
    let start = Task::Start {
        instance: "a".to_owned(),
    };
    let own = Task::Own {
        name: "flush".to_owned(),
        argv: vec!["/bin/true".to_owned()],
        seconds: 1,
    };
    let cases: Vec<Refused> = vec![
        (
            rollback("checkout:3"),
            as_it_is,
            ErrorKind::Invalid,
            "runs checkout:3 already",
        ),
        (
            rollback("billing:7"),
            as_it_is,
            ErrorKind::Invalid,
            "another family",
        ),
        (
            rollback("checkout"),
            as_it_is,
            ErrorKind::Invalid,
            "FAMILY:REVISION",
        ),
        (
            rollback("checkout:+1"),
            as_it_is,
            ErrorKind::Invalid,
            "FAMILY:REVISION",
        ),
        (
            rollback("checkout:1\", \"x"),
            as_it_is,
            ErrorKind::Invalid,
            "FAMILY:REVISION",
        ),
        (
            rollback("checkout:1"),
            deploying,
            ErrorKind::Invalid,
            "a deployment is under way",
        ),
        (
            rollback("checkout:2"),
            code_deploy,
            ErrorKind::Unsupported,
            "CodeDeploy",
        ),
        (
            restart(None),
            deploying,
            ErrorKind::Invalid,
            "a deployment is under way",
        ),
        (
            restart(None),
            code_deploy,
            ErrorKind::Unsupported,
            "CodeDeploy",
        ),
        (
            restart(Some("0dd")),
            as_it_is,
            ErrorKind::Invalid,
            "no task 0dd",
        ),
        (stop("../0dd"), as_it_is, ErrorKind::Invalid, "../0dd"),
        (
            scale(1, 3),
            as_it_is,
            ErrorKind::Invalid,
            "to have 2 tasks by now, not 1",
        ),
        (scale(2, 2), as_it_is, ErrorKind::Invalid, "2 tasks already"),
        (start, as_it_is, ErrorKind::Unsupported, "scheduler"),
        (
            own,
            as_it_is,
            ErrorKind::Unsupported,
            "flush is no verb of ECS",
        ),
    ];
    for (task, meets, kind, says) in cases {
        let played = Played::serve(2);
        meets(&played);
        let ecs = ecs(&played.address);
        let before = ecs.state(until()).unwrap();
        let planned = ecs.plan(&task, &before).unwrap_err();
        assert_eq!(planned.kind, kind, "{task:?}: {planned}");
        assert!(planned.what.contains(says), "{task:?}: {planned}");
        let begun = ecs.begin(&task, &before, "mark", until()).unwrap_err();
        // ECS itself says that a task is not there.
        let missing = begun.kind == ErrorKind::Missing && task == restart(Some("0dd"));
        assert!(begun.kind == kind || missing, "{task:?}: {begun}");
        assert_eq!(played.changes(), [""; 0]);
    }
}

#[test]
fn what_changed_since_the_plan_is_found_right_before_a_played_change() {
    type Case = (Task, fn(&Played), ErrorKind, &'static str);
    let cases: Vec<Case> = vec![
        (
            Task::Scale { from: 2, to: 3 },
            |played| played.state().service["desiredCount"] = 4.into(),
            ErrorKind::Invalid,
            "to have 4 tasks by now, not 2",
        ),
        (
            Task::Scale { from: 2, to: 3 },
            |played| played.state().service["schedulingStrategy"] = "DAEMON".into(),
            ErrorKind::Unsupported,
            "DAEMON",
        ),
        (
            rollback("checkout:2"),
            deploying,
            ErrorKind::Invalid,
            "already",
        ),
        (
            rollback("checkout:1"),
            deploying,
            ErrorKind::Invalid,
            "under way",
        ),
        (
            rollback("checkout:2"),
            |played| {
                let mut state = played.state();
                state.definitions.get_mut("checkout:2").unwrap()["status"] = "INACTIVE".into();
            },
            ErrorKind::Invalid,
            "checkout:2 is INACTIVE",
        ),
        (
            rollback("checkout:2"),
            |played| drop(played.state().definitions.remove("checkout:2")),
            ErrorKind::Missing,
            "no such task definition",
        ),
        (
            restart(None),
            code_deploy,
            ErrorKind::Unsupported,
            "CodeDeploy",
        ),
        (
            restart(None),
            |p| p.state().service["status"] = "INACTIVE".into(),
            ErrorKind::Missing,
            "deleted",
        ),
    ];
    for (task, meanwhile, kind, says) in cases {
        let played = Played::serve(2);
        let ecs = ecs(&played.address);
        let before = ecs.state(until()).unwrap();
        ecs.plan(&task, &before).unwrap();
        meanwhile(&played);
        let error = ecs.begin(&task, &before, "mark", until()).unwrap_err();
        assert_eq!(error.kind, kind, "{task:?}: {error}");
        assert!(error.what.contains(says), "{task:?}: {error}");
        assert_eq!(played.changes(), [""; 0]);
    }
}

#[test]
fn a_played_task_is_stopped_only_if_it_is_the_services_and_not_our_own() {
    let played = Played::serve(2);
    let ids = played.state().running();
    let ecs = ecs_in(&played.address, Some(task_arn(&ids[0])));
    let before = ecs.state(until()).unwrap();
    for task in [stop(&ids[0]), restart(Some(&ids[0]))] {
        for error in [
            ecs.plan(&task, &before).unwrap_err(),
            ecs.begin(&task, &before, "mark", until()).unwrap_err(),
        ] {
            assert_eq!(error.kind, ErrorKind::Invalid);
            assert!(
                error.what.contains("autofix itself runs in this task"),
                "{error}"
            );
        }
    }
    // Of another service by now, whatever was shown before.
    played.state().task(&ids[1])["group"] = "service:billing".into();
    let error = ecs
        .begin(&stop(&ids[1]), &before, "mark", until())
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert_eq!(played.changes(), [""; 0]);
    // The whole service may be restarted: its scheduler does that, and our own task with it.
    ecs.begin(&restart(None), &before, "mark", until()).unwrap();
    assert_eq!(played.changes().len(), 1);
}
