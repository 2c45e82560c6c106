//! Every form of an event with what is read of it, and whatever else comes.

use super::*;
use crate::record::decode::Record;
use crate::record::encode;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const NOON: Timestamp = Timestamp::from_parts(1_772_366_400, 0);
const LATER: Timestamp = Timestamp::from_parts(1_772_370_000, 0);
const MACHINE: &str = "148ed123c67289";

fn pack(value: &Json, out: &mut Vec<u8>) {
    match value {
        Json::Null => encode::nil(out),
        Json::Bool(truth) => encode::bool(out, *truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => encode::int(out, number),
            (None, Some(number)) => encode::unsigned(out, number),
            (None, None) => encode::float(out, number.as_f64().unwrap()),
        },
        Json::String(text) => encode::text(out, text.as_bytes()),
        Json::Array(items) => {
            encode::array(out, items.len());
            items.iter().for_each(|item| pack(item, out));
        }
        Json::Object(fields) => {
            encode::map(out, fields.len());
            for (name, value) in fields {
                encode::text(out, name.as_bytes());
                pack(value, out);
            }
        }
    }
}

fn with_view<T>(body: &Json, look: impl FnOnce(&View<'_>) -> T) -> T {
    let mut bytes = Vec::new();
    pack(body, &mut bytes);
    let record = Record {
        time: LATER,
        metadata: None,
        body: Map::from_bytes(&bytes).unwrap_or_default(),
        group: None,
    };
    look(&View::new("hook.checkout", record))
}

fn of(body: &Json) -> Vec<Failure> {
    with_view(body, read)
}

fn one(body: &Json) -> Failure {
    let mut found = of(body);
    assert_eq!(found.len(), 1, "{body}: {found:?}");
    found.remove(0)
}

fn told(body: &Json) -> (FactKind, String) {
    let one = one(body);
    (one.kind, one.text)
}

fn crash(text: &str) -> (FactKind, String) {
    (FactKind::Crash, text.to_owned())
}

#[test]
fn the_generic_form() {
    let whole = one(
        &json!({"event": "crash", "instance": "web-1", "at": "2026-03-01T13:00:00+01:00",
        "exit_code": 1, "release": "v42"}),
    );
    let wanted = Failure {
        kind: FactKind::Crash,
        instance: "web-1".to_owned(),
        at: Some(NOON),
        release: Some("v42".to_owned()),
        text: "exit status 1".to_owned(),
    };
    assert_eq!(whole, wanted);
    assert_eq!(
        told(&json!({"event": "crash", "signal": 9})),
        crash("killed by signal 9")
    );
    assert_eq!(
        told(&json!({"event": "exit", "exit_code": "3"})),
        crash("exit status 3")
    );
    assert_eq!(told(&json!({"event": "crash"})), crash("it crashed"));
    assert_eq!(
        told(&json!({"event": "exit"})),
        (FactKind::Exit, "it ended".to_owned())
    );
    assert_eq!(
        told(&json!({"event": "oom", "exit_code": 0})).0,
        FactKind::Oom
    );
    assert_eq!(told(&json!({"event": "unhealthy"})).0, FactKind::Unhealthy);
    assert_eq!(
        told(&json!({"event": "deploy_failed"})).0,
        FactKind::DeployFailed
    );
    let nameless = one(&json!({"event": "oom", "at": 1_772_366_400_000_i64, "release": "v 42"}));
    assert_eq!((nameless.instance.as_str(), nameless.at), ("", Some(NOON)));
    assert_eq!(nameless.release, None);
    for none in [
        json!({"event": "exit", "exit_code": 0}),
        json!({"event": "crash", "exit_code": 0, "signal": -1}),
        json!({"event": "started"}),
        json!({"event": ["crash"]}),
        json!({"event": "crash", "instance": "web 1"}),
        json!({"event": "crash", "instance": "x".repeat(201)}),
        json!({"event": "crash", "instance": {"id": "web-1"}}),
        json!({"log": "{\"event\":\"crash\"}"}),
        json!({}),
    ] {
        assert_eq!(of(&none), [], "{none}");
    }
}

fn task(detail: Json) -> Json {
    let mut whole = json!({
        "taskArn": "arn:aws:ecs:eu-west-1:123456789012:task/shop/0123456789abcdef0123456789abcdef",
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/checkout:7",
        "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited",
        "stoppedAt": "2026-03-01T12:00:00Z", "group": "service:checkout",
        "stoppedReason": "Essential container in task exited",
    });
    for (name, value) in detail.as_object().unwrap() {
        whole[name] = value.clone();
    }
    json!({"version": "0", "detail-type": "ECS Task State Change", "source": "aws.ecs",
        "time": "2026-03-01T12:00:02Z", "resources": [], "detail": whole})
}

#[test]
fn tasks_of_ecs_that_stopped() {
    let ended = task(
        json!({"containers": [{"name": "log", "exitCode": 0}, {"name": "web", "exitCode": 1}]}),
    );
    let found = one(&ended);
    assert_eq!(
        (found.kind, found.text.as_str()),
        (FactKind::Crash, "exit status 1")
    );
    assert!(
        found
            .instance
            .ends_with("task/shop/0123456789abcdef0123456789abcdef")
    );
    assert!(found.release.unwrap().ends_with("checkout:7"));
    assert_eq!(found.at, Some(NOON));
    let oom = "OutOfMemoryError: Container killed due to memory usage";
    let oom = task(json!({"containers": [{"exitCode": 1}, {"exitCode": 137, "reason": oom}]}));
    assert_eq!(
        told(&oom),
        (FactKind::Oom, "killed for its memory".to_owned())
    );
    let silent = task(json!({"containers": [{"name": "web"}]}));
    assert_eq!(told(&silent).0, FactKind::Exit);
    let old = task(json!({"stopCode": null, "containers": [{"exitCode": 2}]}));
    assert_eq!(told(&old), crash("exit status 2"));
    let start = task(
        json!({"stopCode": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError: no"}),
    );
    assert_eq!(told(&start).0, FactKind::DeployFailed);
    let reason = "Task failed ELB health checks in (target-group arn:aws:x)";
    let sick = task(json!({"stopCode": "ServiceSchedulerInitiated", "stoppedReason": reason}));
    assert_eq!(told(&sick).0, FactKind::Unhealthy);
    for none in [
        json!({"containers": [{"exitCode": 0}, {"exitCode": 0}]}),
        json!({"lastStatus": "DEPROVISIONING", "containers": [{"exitCode": 1}]}),
        json!({"stopCode": "UserInitiated", "containers": [{"exitCode": 1}]}),
        json!({"stopCode": "SpotInterruption", "containers": [{"exitCode": 1}]}),
        json!({"stopCode": "ServiceSchedulerInitiated", "containers": [{"exitCode": 143}],
            "stoppedReason": "Scaling activity initiated by (deployment ecs-svc/1)"}),
        json!({"taskArn": "a b", "containers": [{"exitCode": 1}]}),
    ] {
        assert_eq!(of(&task(none.clone())), [], "{none}");
    }
    let mut other = ended;
    other["source"] = json!("my.own");
    assert_eq!(of(&other), []);
}

#[test]
fn deployments_of_ecs_that_failed() {
    let event = |name: &str| {
        json!({"detail-type": "ECS Deployment State Change", "source": "aws.ecs",
            "time": "2026-03-01T12:00:00Z", "detail": {"eventType": "ERROR", "eventName": name,
            "deploymentId": "ecs-svc/1", "reason": "ECS deployment circuit breaker: x"}})
    };
    let failed = one(&event("SERVICE_DEPLOYMENT_FAILED"));
    assert_eq!(
        (failed.kind, failed.at),
        (FactKind::DeployFailed, Some(NOON))
    );
    assert_eq!(failed.text, "a deploy failed");
    assert_eq!(of(&event("SERVICE_DEPLOYMENT_COMPLETED")), []);
    assert_eq!(of(&event("SERVICE_DEPLOYMENT_IN_PROGRESS")), []);
}

#[test]
fn warnings_of_kubernetes() {
    let event = |reason: &str, message: &str| {
        json!({"metadata": {"name": "checkout-7d9.1"}, "reason": reason, "message": message,
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "checkout-7d9c5b-x2x4z"},
            "firstTimestamp": "2026-03-01T11:00:00Z", "lastTimestamp": "2026-03-01T12:00:00Z",
            "eventTime": null, "count": 9, "type": "Warning"})
    };
    let back_off = event(
        "BackOff",
        "Back-off restarting failed container web in pod x",
    );
    let found = one(&back_off);
    assert_eq!((found.kind, found.at), (FactKind::Crash, Some(NOON)));
    assert_eq!(found.instance, "checkout-7d9c5b-x2x4z");
    for (reason, message, kind) in [
        (
            "BackOff",
            "Back-off pulling image \"x\"",
            FactKind::DeployFailed,
        ),
        ("OOMKilling", "Memory cgroup out of memory", FactKind::Oom),
        ("Unhealthy", "Liveness probe failed: x", FactKind::Unhealthy),
        ("Killing", "", FactKind::Exit),
        ("Failed", "Error: ImagePullBackOff", FactKind::DeployFailed),
        ("FailedCreate", "exceeded quota", FactKind::DeployFailed),
        ("ProgressDeadlineExceeded", "", FactKind::DeployFailed),
    ] {
        assert_eq!(told(&event(reason, message)).0, kind, "{reason}");
    }
    let newer = json!({"reason": "FailedCreate", "note": "x", "type": "Warning",
        "regarding": {"kind": "ReplicaSet", "name": "checkout-7d9c5b"},
        "series": {"lastObservedTime": "2026-03-01T12:00:00.000000Z"}});
    let found = one(&newer);
    assert_eq!((found.instance.as_str(), found.at), ("", Some(NOON)));
    let with = |key: &str, value: Json| {
        let mut changed = back_off.clone();
        changed[key] = value;
        changed
    };
    for none in [
        with("type", json!("Normal")),
        with("reason", json!("Scheduled")),
        with("involvedObject", json!({"kind": "Node", "name": "n1"})),
        with("involvedObject", json!({"kind": "Pod", "name": "a\nb"})),
        with("involvedObject", json!("Pod")),
    ] {
        assert_eq!(of(&none), [], "{none}");
    }
}

fn ending(exit: Json) -> Json {
    json!({"type": "exit", "status": "stopped", "source": "flyd", "timestamp": 1_772_366_405_000_i64,
        "request": {"exit_event": exit, "restart_count": 1}})
}

#[test]
fn machines_of_fly() {
    for at in [json!(1_772_366_400_000_i64), json!("2026-03-01T12:00:00Z")] {
        let exit = json!({"exit_code": 1, "guest_exit_code": 1, "guest_signal": -1, "signal": -1,
            "oom_killed": false, "requested_stop": false, "exited_at": at});
        let nested = json!({"type": "exit", "request": {"MonitorEvent": {"exit_event": exit}}});
        let machine = json!({"id": MACHINE, "state": "stopped", "events": [ending(exit.clone()),
            {"type": "start", "status": "started"}, nested],
            "image_ref": {"tag": "deployment-01HXYZ"}});
        let found = of(&machine);
        assert_eq!(found.len(), 2);
        for one in found {
            let named = (one.instance.as_str(), one.release.as_deref());
            assert_eq!(named, (MACHINE, Some("deployment-01HXYZ")));
            assert_eq!((one.at, one.text.as_str()), (Some(NOON), "exit status 1"));
        }
    }
    let alone = |exit: Json| {
        let mut event = ending(exit);
        event["machine_id"] = json!(MACHINE);
        event
    };
    assert_eq!(
        told(&alone(json!({"exit_code": 0, "oom_killed": true}))).0,
        FactKind::Oom
    );
    let signal = alone(json!({"exit_code": 0, "guest_signal": 11, "signal": -1}));
    assert_eq!(told(&signal), crash("killed by signal 11"));
    // What the program said counts before what the machine did.
    let both = alone(json!({"exit_code": 1, "guest_exit_code": 78}));
    assert_eq!(told(&both), crash("exit status 78"));
    let undated = one(&alone(
        json!({"exit_code": 1, "exited_at": "0001-01-01T00:00:00Z"}),
    ));
    assert_eq!(undated.at, Some(Timestamp::from_parts(1_772_366_405, 0)));
    for none in [
        alone(json!({"exit_code": 0, "guest_exit_code": 0, "signal": -1, "guest_signal": -1})),
        alone(json!({"exit_code": 143, "requested_stop": true})),
        ending(json!({"exit_code": 1})),
        json!({"machine_id": MACHINE, "type": "exit"}),
        json!({"machine_id": MACHINE, "type": "start", "request": {"exit_event": {"exit_code": 1}}}),
    ] {
        assert_eq!(of(&none), [], "{none}");
    }
    let many: Vec<Json> = (0..1_000)
        .map(|_| ending(json!({"exit_code": 1})))
        .collect();
    assert_eq!(of(&json!({"id": MACHINE, "events": many})).len(), MOST);
}

#[test]
fn lines_of_flys_log_shipper_count_only_where_the_runner_wrote_them() {
    let line = |provider: &str, message: &str| {
        json!({"event": {"provider": provider}, "fly": {"app": {"instance": MACHINE, "name": "shop"},
            "region": "ams"}, "host": "1a2b", "log": {"level": "info"}, "message": message,
            "timestamp": "2026-03-01T12:00:00.000Z"})
    };
    let exited = "machine exited with exit code 1, not restarting";
    let found = one(&line("runner", exited));
    assert_eq!((found.kind, found.at), (FactKind::Crash, Some(NOON)));
    assert_eq!(
        (found.instance.as_str(), found.text.as_str()),
        (MACHINE, "exit status 1")
    );
    let flat = json!({"event.provider": "runner", "fly.app.instance": MACHINE, "message": exited});
    assert_eq!(told(&flat), crash("exit status 1"));
    let oom = "Process appears to have been OOM killed!";
    assert_eq!(told(&line("runner", oom)).0, FactKind::Oom);
    let often = "machine has reached its max restart count (10)";
    assert_eq!(told(&line("runner", often)).0, FactKind::Crash);
    for none in [
        line("app", exited),
        line("app", oom),
        line("proxy", exited),
        line("runner", "machine exited with exit code 0, not restarting"),
        line("runner", "the exit code is unknown"),
        line("runner", "Machine started in 412ms"),
        json!({"event": {"provider": "runner"}, "message": exited}),
    ] {
        assert_eq!(of(&none), [], "{none}");
    }
}

#[test]
fn a_secret_is_compared_whole_and_never_printed() {
    let presented = |body: Json| with_view(&body, Presented::of);
    let right = presented(json!({"autofix_secret": "s3cret", "event": "crash"})).unwrap();
    assert!(right.fits("s3cret"));
    for wrong in ["s3cre", "s3cret ", "S3cret", "", "3"] {
        assert!(!right.fits(wrong), "{wrong}");
    }
    assert!(!format!("{right:?}").contains("s3"));
    for none in [
        json!({"event": "crash"}),
        json!({"autofix_secret": ""}),
        json!({"autofix_secret": 3}),
        json!({"autofix_secret": "x".repeat(5_000)}),
        json!({"detail": {"autofix_secret": "s3cret"}}),
    ] {
        assert!(presented(none.clone()).is_none(), "{none}");
    }
}

/// Any JSON, of names and words that the forms know among others.
fn any_json() -> impl Strategy<Value = Json> {
    const WORDS: &str = "crash|exit|oom|aws\\.ecs|ECS Task State Change|STOPPED|runner|Pod|Warning|BackOff|\
        exit code 9{1,30}|EssentialContainerExited|\\PC{0,20}|[0-9]{1,25}|2026-03-01T12:00:00Z|x{300}";
    const NAMES: &str = "event|provider|instance|at|exit_code|signal|source|detail|detail-type|taskArn|\
        containers|lastStatus|stopCode|id|events|type|request|exit_event|MonitorEvent|exited_at|\
        involvedObject|reason|kind|name|fly|app|message|event\\.provider|machine_id|[a-z.]{0,8}";
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        WORDS.prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Json::from),
            prop::collection::vec((NAMES, inner), 0..12)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_comes_is_bounded_and_safe(body in any_json()) {
        let found = of(&body);
        prop_assert!(found.len() <= MOST);
        for one in found {
            prop_assert!(one.instance.is_empty() || is_safe(&one.instance));
            prop_assert!(one.release.is_none_or(|release| is_safe(&release)));
            let words = |c: char| c.is_ascii_alphanumeric() || " ,-".contains(c);
            prop_assert!(one.text.len() < 80 && one.text.chars().all(words), "{}", one.text);
        }
    }

    #[test]
    fn bytes_that_are_no_map_give_nothing_wrong(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(body) = Map::from_bytes(&bytes) {
            let record = Record { time: NOON, metadata: None, body, group: None };
            let view = View::new("hook", record);
            prop_assert!(read(&view).len() <= MOST);
            let _ = Presented::of(&view);
        }
    }
}
