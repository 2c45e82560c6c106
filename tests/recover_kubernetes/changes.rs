//! Changes: planned, tried, made, refused, and made by two at once.

use crate::host::{Call, Fault};
use crate::played_kubernetes::status;
use crate::world::{BAD, World, client, restart, rollback, soon, token};
use autofix::model::Timestamp;
use autofix::model::recovery::{State, Task};
use autofix::recover::{ErrorKind, Platform};
use serde_json::{Value, json};
use std::sync::Barrier;

fn scale(from: u32, to: u32) -> Task {
    Task::Scale { from, to }
}

/// A request as a plan writes it, with what only sending knows taken out of both.
fn written(call: &Call, address: &str) -> String {
    let target = call.head.split_whitespace().nth(1).unwrap();
    let mut line = format!("{} {address}{target}", call.method);
    let mut body = call.body.clone();
    let blank = |at: Option<&mut Value>, what: &str| {
        if let Some(value) = at {
            *value = json!(what);
        }
    };
    let version = "<resourceVersion of the Deployment as read>";
    blank(body.pointer_mut("/metadata/resourceVersion"), version);
    blank(body.pointer_mut("/0/value"), version);
    let template = "<template of revision 1 without pod-template-hash>";
    blank(body.pointer_mut("/1/value"), template);
    blank(body.pointer_mut("/2/value"), "<annotations of revision 1>");
    let uid = "<uid of the pod as read>";
    blank(body.pointer_mut("/preconditions/uid"), uid);
    let at = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt";
    blank(body.pointer_mut(at), "<time of sending>");
    if !body.is_null() {
        let kind = call.header("content-type").unwrap();
        line = format!("{line} {kind} {body}");
    }
    line.replace(
        "labelSelector=app%3Dcheckout",
        "labelSelector=<selector of the Deployment as read>",
    )
}

#[test]
fn a_plan_is_what_the_played_server_gets() {
    for task in [
        |_: &State| restart(None),
        |before: &State| restart(Some(&before.instances[0].id)),
        |_: &State| rollback("1"),
        |_: &State| scale(2, 3),
    ] {
        let world = World::crashing();
        let before = world.state();
        let task = task(&before);
        let asked = world.played.host.calls().len();
        let plan = world.client.plan(&task, &before).unwrap();
        assert_eq!(world.played.host.calls().len(), asked, "a plan asks nobody");
        world.client.begin(&task, &before, "m", soon()).unwrap();
        let address = &world.played.host.address;
        let calls = world.played.host.calls();
        let sent: Vec<String> = calls[asked..].iter().map(|c| written(c, address)).collect();
        assert_eq!(plan, sent);
    }
}

#[test]
fn every_change_is_tried_without_effect_first_on_the_played_server() {
    for task in [restart(None), rollback("1"), scale(2, 3)] {
        let world = World::crashing();
        let before = world.deployment();
        let refuses = Fault::Says(status(422, "Invalid", "admission webhook says no"));
        world.played.host.next("PATCH", "", refuses);
        let fault = world.begin(&task).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Invalid);
        assert!(fault.what.contains("admission webhook says no"), "{fault}");
        assert_eq!(world.deployment(), before);
        let writes = world.writes();
        assert_eq!(writes.len(), 1);
        assert_eq!(writes[0].asked("dryRun"), Some("All"));
        world.begin(&task).unwrap();
        let writes = world.writes();
        assert_eq!(writes.len(), 3);
        assert_eq!(writes[1].asked("dryRun"), Some("All"));
        assert_eq!(writes[2].asked("dryRun"), None);
        assert_eq!(writes[1].body, writes[2].body);
        assert_ne!(world.deployment(), before);
    }
}

#[test]
fn of_two_at_once_one_wins_on_the_played_server() {
    for task in [restart(None), rollback("1"), scale(2, 3)] {
        for _ in 0..8 {
            let world = World::crashing();
            let before = world.state();
            let generation = |world: &World| world.deployment()["metadata"]["generation"].clone();
            let first = generation(&world).as_u64().unwrap();
            let barrier = Barrier::new(2);
            let (task, before, barrier) = (&task, &before, &barrier);
            let address = &world.played;
            let one = || {
                let client = client(address, token(), None);
                move || {
                    barrier.wait();
                    client.begin(task, before, "m", soon())
                }
            };
            let (a, b) = (one(), one());
            let (a, b) = std::thread::scope(|scope| {
                let (a, b) = (scope.spawn(a), scope.spawn(b));
                (a.join().unwrap(), b.join().unwrap())
            });
            let faults: Vec<_> = [&a, &b]
                .into_iter()
                .filter_map(|r| r.as_ref().err())
                .collect();
            let [fault] = faults[..] else {
                panic!("{task}: {a:?} {b:?}");
            };
            assert_eq!(fault.kind, ErrorKind::Invalid, "{fault}");
            assert_eq!(generation(&world).as_u64(), Some(first + 1), "{task}");
        }
    }
}

#[test]
fn a_status_that_is_written_meanwhile_stops_nothing_on_the_played_server() {
    for task in [restart(None), rollback("1"), scale(2, 3)] {
        let world = World::crashing();
        world.played.cluster().restless = 3;
        world.begin(&task).unwrap();
        let world = World::crashing();
        let before = world.deployment()["spec"].clone();
        world.played.cluster().restless = 100;
        let fault = world.begin(&task).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Invalid);
        assert!(fault.what.contains("written so often"), "{fault}");
        assert_eq!(world.deployment()["spec"], before);
    }
}

#[test]
fn a_change_that_was_decided_on_something_older_is_refused_by_the_played_server() {
    for task in [restart(None), rollback("1"), scale(2, 3)] {
        let world = World::crashing();
        let before = world.state();
        world.deploy("registry.example/checkout:three", "third");
        let fault = world.client.begin(&task, &before, "m", soon()).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Invalid);
        assert!(fault.what.contains("being taken up"), "{fault}");
        world.played.cluster().settle();
        let fault = world.client.begin(&task, &before, "m", soon()).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Invalid);
        assert!(
            fault
                .what
                .contains("revision 3 was deployed since; it was 2"),
            "{fault}"
        );
        assert!(world.writes().is_empty());
    }
}

#[test]
fn gitops_is_left_alone_but_for_single_pods_on_the_played_server() {
    let marks: [(&str, Value); 3] = [
        (
            "/metadata/annotations/argocd.argoproj.io~1tracking-id",
            json!("shop:apps/x"),
        ),
        (
            "/metadata/labels/kustomize.toolkit.fluxcd.io~1name",
            json!("shop"),
        ),
        (
            "/metadata/managedFields",
            json!([{"manager": "helm-controller"}]),
        ),
    ];
    for (path, mark) in marks {
        let world = World::crashing();
        let unkept = world.state();
        let mut cluster = world.played.cluster();
        let object = cluster.deployment("checkout");
        let (parent, key) = path.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[key.replace("~1", "/")] = mark;
        drop(cluster);
        let kept = world.state();
        assert!(kept.kept_by.is_some(), "{path}");
        for task in [restart(None), rollback("1"), scale(2, 3)] {
            let fault = world.client.plan(&task, &kept).unwrap_err();
            assert_eq!(fault.kind, ErrorKind::Invalid);
            assert!(fault.what.contains("kept as it is"), "{fault}");
            // Also where nobody kept it when it was decided.
            for before in [&kept, &unkept] {
                let fault = world.client.begin(&task, before, "m", soon()).unwrap_err();
                assert_eq!(fault.kind, ErrorKind::Invalid);
            }
        }
        assert!(world.writes().is_empty());
        world.begin(&restart(Some(&kept.instances[0].id))).unwrap();
        assert_eq!(world.writes().len(), 1);
    }
}

#[test]
fn a_paused_rollout_is_left_alone_on_the_played_server() {
    let world = World::crashing();
    world.played.cluster().deployment("checkout")["spec"]["paused"] = json!(true);
    let state = world.state();
    assert_eq!(state.kept_by.as_deref(), Some("whoever paused its rollout"));
    let fault = world.begin(&rollback("1")).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Invalid);
    assert!(world.writes().is_empty());
}

fn autoscaler(kind: &str, name: &str) -> Value {
    json!({
        "metadata": {"name": "keeper", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": name},
            "minReplicas": 2, "maxReplicas": 9},
    })
}

#[test]
fn an_autoscaler_keeps_the_number_of_pods_on_the_played_server() {
    let world = World::new();
    world.played.cluster().autoscalers = vec![
        autoscaler("StatefulSet", "checkout"),
        autoscaler("Deployment", "cart"),
    ];
    world.begin(&scale(2, 3)).unwrap();
    assert_eq!(world.deployment()["spec"]["replicas"], 3);
    world.played.cluster().settle();
    world
        .played
        .cluster()
        .autoscalers
        .push(autoscaler("Deployment", "checkout"));
    let fault = world.begin(&scale(3, 4)).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Invalid);
    assert!(
        fault
            .what
            .contains("keeper keeps the number of pods (2 to 9)"),
        "{fault}"
    );
    assert_eq!(world.deployment()["spec"]["replicas"], 3);
    // It keeps the number and nothing else.
    world.begin(&restart(None)).unwrap();
}

#[test]
fn a_scale_compares_the_number_first_on_the_played_server() {
    let world = World::new();
    let before = world.state();
    world.played.cluster().deployment("checkout")["spec"]["replicas"] = json!(5);
    let fault = world
        .client
        .begin(&scale(2, 3), &before, "m", soon())
        .unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Invalid);
    assert!(
        fault.what.contains("5 pods are wanted now, not 2"),
        "{fault}"
    );
    for wrong in [scale(3, 4), scale(2, 2)] {
        let fault = world.client.plan(&wrong, &before).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Invalid);
    }
    assert!(world.writes().is_empty());
}

#[test]
fn a_rollback_goes_to_a_revision_that_is_there_on_the_played_server() {
    let world = World::crashing();
    for (to, kind) in [
        ("2", ErrorKind::Invalid),
        ("7", ErrorKind::Missing),
        ("0", ErrorKind::Missing),
        ("", ErrorKind::Invalid),
        ("+1", ErrorKind::Invalid),
        ("1;reboot", ErrorKind::Invalid),
        ("99999999999999999999999", ErrorKind::Invalid),
    ] {
        assert_eq!(world.begin(&rollback(to)).unwrap_err().kind, kind, "{to}");
    }
    assert!(world.writes().is_empty());
    let before = world.state();
    world.begin(&rollback("1")).unwrap();
    let template = world.deployment()["spec"]["template"].clone();
    assert_eq!(template["metadata"]["labels"], json!({"app": "checkout"}));
    assert_ne!(template["spec"]["containers"][0]["image"], BAD);
    // Once more, on what was decided before: nothing is done twice.
    world.played.cluster().settle();
    let fault = world.client.begin(&rollback("1"), &before, "m", soon());
    assert_eq!(fault.unwrap_err().kind, ErrorKind::Invalid);
}

#[test]
fn one_pod_of_the_deployment_is_made_anew_on_the_played_server() {
    let world = World::new();
    let before = world.state();
    let name = before.instances[0].id.clone();
    let uid = world.played.cluster().pod(&name)["metadata"]["uid"].clone();
    let handle = world.begin(&restart(Some(&name))).unwrap().unwrap();
    assert_eq!(handle["pod"], uid);
    let [call] = &world.writes()[..] else {
        panic!()
    };
    assert_eq!(call.method, "DELETE");
    assert_eq!(call.body["preconditions"]["uid"], uid);
    // It is on its way out already.
    let fault = world
        .client
        .begin(&restart(Some(&name)), &before, "m", soon());
    assert_eq!(fault.unwrap_err().kind, ErrorKind::Invalid);
    assert_eq!(world.writes().len(), 1);
}

#[test]
fn a_pod_of_somebody_else_is_left_alone_on_the_played_server() {
    let world = World::new();
    let mut before = world.state();
    let mut cluster = world.played.cluster();
    let mut pod = cluster.pods[0].clone();
    pod["metadata"]["name"] = json!("database-0");
    pod["metadata"]["ownerReferences"][0]["uid"] = json!("another");
    cluster.pods.push(pod);
    drop(cluster);
    for name in ["database-0", "../deployments/checkout", "a?b", ""] {
        let fault = world.begin(&restart(Some(name))).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Missing, "{name}");
    }
    // Even where the state names it.
    before.instances[0].id = "database-0".to_owned();
    let fault = world
        .client
        .begin(&restart(Some("database-0")), &before, "m", soon());
    assert_eq!(fault.unwrap_err().kind, ErrorKind::Invalid);
    before.instances[0].id = "../x".to_owned();
    let fault = world
        .client
        .begin(&restart(Some("../x")), &before, "m", soon());
    assert_eq!(fault.unwrap_err().kind, ErrorKind::Invalid);
    // The one that we run in would take us along.
    let own = before.instances[1].id.clone();
    let client = client(&world.played, token(), Some(&own));
    let before = client.state(soon()).unwrap();
    let fault = client.begin(&restart(Some(&own)), &before, "m", soon());
    assert_eq!(fault.unwrap_err().kind, ErrorKind::Invalid);
    assert!(world.writes().is_empty());
}

#[test]
fn what_a_deployment_cannot_do_is_unsupported_on_the_played_server() {
    let world = World::new();
    let before = world.state();
    let instance = before.instances[0].id.clone();
    for task in [
        Task::Stop {
            instance: instance.clone(),
        },
        Task::Start { instance },
        Task::Own {
            name: "drain".to_owned(),
            argv: vec!["/bin/true".to_owned()],
            seconds: 1,
        },
    ] {
        let plan = world.client.plan(&task, &before).unwrap_err();
        assert_eq!(plan.kind, ErrorKind::Unsupported);
        let begin = world.client.begin(&task, &before, "m", soon()).unwrap_err();
        assert_eq!(begin, plan);
    }
    assert!(world.writes().is_empty());
}

#[test]
fn a_restart_changes_nothing_but_its_time_on_the_played_server() {
    let world = World::new();
    let mut before = world.deployment();
    let from = crate::world::now();
    world.begin(&restart(None)).unwrap();
    let mut after = world.deployment();
    let annotations = after["spec"]["template"]["metadata"]
        .as_object_mut()
        .unwrap()
        .shift_remove("annotations")
        .unwrap();
    let at = annotations["kubectl.kubernetes.io/restartedAt"]
        .as_str()
        .unwrap();
    let at = Timestamp::parse_rfc3339(at).unwrap();
    assert!(at.0 / 1_000_000 >= from.0 / 1_000_000 && at <= crate::world::now());
    for object in [&mut before, &mut after] {
        object["metadata"]["generation"] = Value::Null;
        object["metadata"]["resourceVersion"] = Value::Null;
    }
    assert_eq!(before, after);
}
