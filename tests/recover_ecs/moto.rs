//! Against moto: services, tasks, task definitions and logs that really change, and signatures and
//! policies that are really checked. What is there is made and looked at over requests of the test's own.

use crate::played::REGION;
use crate::world::{client, done, going, keys, place, restart, rollback, stop, until};
use autofix::model::Timestamp;
use autofix::model::recovery::{InstanceState, State, Task};
use autofix::net::{Http, Method, Request, Settings};
use autofix::recover::{Attempt, Ecs, ErrorKind, Platform, Progress};
use serde_json::{Value, json};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Whether moto checks signatures is one setting for all of it: who changes that is alone.
static MOTO: RwLock<()> = RwLock::new(());

const ECS: &str = "AmazonEC2ContainerServiceV20141113";
const LOGS: &str = "Logs_20140328";

/// The least that must be allowed.
const POLICY: &str = include_str!("../../examples/recovery/ecs-policy.json");

struct Moto<G> {
    address: String,
    cluster: String,
    _guard: G,
}

type Shared = Moto<RwLockReadGuard<'static, ()>>;
type Alone = Moto<RwLockWriteGuard<'static, ()>>;

/// A cluster for one test; `None`: moto is absent, and that is said.
fn moto<G>(test: &str, guard: impl FnOnce() -> G) -> Option<Moto<G>> {
    let Ok(address) = std::env::var("AUTOFIX_MOTO_URL") else {
        println!("SKIPPED {test}: no AUTOFIX_MOTO_URL (run it with `sh scripts/moto.sh`)");
        return None;
    };
    let moto = Moto {
        address,
        // Of this run alone: moto may have been there before.
        cluster: format!("{test}-{}", std::process::id()),
        _guard: guard(),
    };
    // Otherwise each look at a task would bring it nearer to its end.
    let stay = json!({"model_name": "ecs::task",
        "transition": {"progression": "manual", "times": 1_000_000}});
    let url = format!("{}/moto-api/state-manager/set-transition", moto.address);
    send(&url, vec![], stay.to_string().as_bytes());
    moto.ask(ECS, "CreateCluster", json!({"clusterName": moto.cluster}));
    Some(moto)
}

fn shared(test: &str) -> Option<Shared> {
    moto(test, || MOTO.read().unwrap_or_else(|it| it.into_inner()))
}

fn send(url: &str, headers: Vec<(&'static str, String)>, body: &[u8]) -> String {
    let http = Http::new(&Settings::default()).unwrap();
    let request = Request {
        method: Method::Post,
        url,
        headers,
        body,
        deadline: until(),
    };
    let answer = http.send(&request).unwrap();
    let status = answer.status;
    let text = String::from_utf8(answer.bytes(1 << 22).unwrap()).unwrap();
    assert!(status < 300, "{status} {text}");
    text
}

impl<G> Moto<G> {
    fn ask(&self, target: &str, operation: &str, body: Value) -> Value {
        let service = if target == ECS { "ecs" } else { "logs" };
        let sign = format!(
            "AWS4-HMAC-SHA256 Credential=outside/20260101/{REGION}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0"
        );
        let headers = vec![
            ("X-Amz-Target", format!("{target}.{operation}")),
            ("Content-Type", "application/x-amz-json-1.1".to_owned()),
            ("Authorization", sign),
        ];
        let text = send(&self.address, headers, body.to_string().as_bytes());
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    fn in_cluster(&self, operation: &str, mut body: Value) -> Value {
        body["cluster"] = self.cluster.clone().into();
        self.ask(ECS, operation, body)
    }

    /// Revisions of a family of this test's own, each of an image that names a commit.
    fn define(&self, revisions: usize) -> String {
        let family = format!("{}-app", self.cluster);
        for n in 1..=revisions {
            let logs = json!({"logDriver": "awslogs", "options": {"awslogs-group": self.cluster,
                "awslogs-region": REGION, "awslogs-stream-prefix": "svc"}});
            let app = json!({"name": "app", "image": format!("acme/app:{n}a1b2c3"), "memory": 64,
                "logConfiguration": logs});
            let body = json!({"family": family, "containerDefinitions": [app]});
            self.ask(ECS, "RegisterTaskDefinition", body);
        }
        family
    }

    /// The service `checkout` with so many tasks, and a task that is not its.
    fn serve(&self, release: &str, tasks: usize) {
        let body = json!({"serviceName": "checkout", "taskDefinition": release, "desiredCount": 2});
        self.in_cluster("CreateService", body);
        for (group, count) in [("service:checkout", tasks), ("family:checkout", 1)] {
            let body = json!({"taskDefinition": release, "count": count, "launchType": "FARGATE",
                "group": group, "startedBy": "somebody"});
            self.in_cluster("RunTask", body);
        }
    }

    fn service(&self) -> Value {
        self.in_cluster("DescribeServices", json!({"services": ["checkout"]}))["services"][0]
            .clone()
    }

    fn task(&self, id: &str) -> Value {
        self.in_cluster("DescribeTasks", json!({"tasks": [id]}))["tasks"][0].clone()
    }

    fn ecs(&self) -> Ecs {
        let place = place(&self.address, &format!("{}/checkout", self.cluster));
        client(&place, keys("AKIDMOTO", "secret", None), None)
    }
}

fn begin(ecs: &Ecs, task: &Task) -> (State, Progress) {
    let before = ecs.state(until()).unwrap();
    let handle = ecs.begin(task, &before, "7-mark", until()).unwrap();
    let attempt = Attempt {
        task,
        before: &before,
        begun: Timestamp(0),
        handle: handle.as_ref(),
    };
    let progress = ecs.poll(&attempt, until()).unwrap();
    (before, progress)
}

#[test]
fn a_service_of_moto_really_changes_by_each_verb() {
    let Some(moto) = shared("a_service_of_moto_really_changes_by_each_verb") else {
        return;
    };
    let family = moto.define(4);
    let release = |n: usize| format!("{family}:{n}");
    moto.serve(&release(3), 2);
    let ecs = moto.ecs();
    let state = ecs.state(until()).unwrap();
    assert!(state.is_well(), "{state:#?}");
    assert_eq!(state.release, Some(release(3)));
    assert_eq!((state.wanted, state.instances.len()), (Some(2), 2));
    let releases = ecs.releases(until()).unwrap();
    let shown: Vec<_> = releases
        .iter()
        .map(|one| (one.id.clone(), one.current, one.good))
        .collect();
    assert_eq!(
        shown,
        [
            (release(4), false, None),
            (release(3), true, Some(true)),
            (release(2), false, None),
            (release(1), false, None),
        ]
    );
    assert_eq!(releases[3].commit.as_ref().unwrap().as_str(), "1a1b2c3");

    // moto's deployments do not follow; the service does.
    let (_, progress) = begin(&ecs, &rollback(&release(1)));
    going(&progress, "is set to");
    assert_eq!(moto.service()["taskDefinition"], release(1));
    assert_eq!(ecs.state(until()).unwrap().release, Some(release(1)));

    let old = moto.service()["deployments"][0]["id"].clone();
    let (_, progress) = begin(&ecs, &restart(None));
    done(&progress, "2 of 2 tasks");
    assert_ne!(moto.service()["deployments"][0]["id"], old);

    let scale = Task::Scale { from: 2, to: 4 };
    let (before, progress) = begin(&ecs, &scale);
    done(&progress, "4 tasks run");
    assert_eq!(moto.service()["desiredCount"], 4);
    let again = Task::Scale { from: 2, to: 9 };
    let error = ecs.begin(&again, &before, "mark", until()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
    assert_eq!(moto.service()["desiredCount"], 4);

    let ids: Vec<String> = before.instances.iter().map(|one| one.id.clone()).collect();
    let (_, progress) = begin(&ecs, &stop(&ids[0]));
    done(&progress, "has ended");
    let (_, progress) = begin(&ecs, &restart(Some(&ids[1])));
    done(&progress, "has ended and 4 of 4 tasks run");
    for id in &ids {
        assert_eq!(moto.task(id)["desiredStatus"], "STOPPED");
        assert_eq!(moto.task(id)["stoppedReason"], "autofix 7-mark");
    }
    let state = ecs.state(until()).unwrap();
    assert!(
        state
            .instances
            .iter()
            .all(|one| one.state == InstanceState::Stopped)
    );
    assert_eq!(state.instances.len(), 2);
}

#[test]
fn what_does_not_fit_a_service_of_moto_changes_nothing() {
    let Some(moto) = shared("what_does_not_fit_a_service_of_moto_changes_nothing") else {
        return;
    };
    let family = moto.define(2);
    let release = |n: usize| format!("{family}:{n}");
    moto.serve(&release(2), 1);
    let ecs = moto.ecs();
    let before = ecs.state(until()).unwrap();
    let was = moto.service();
    // The task that is not the service's.
    let all = moto.in_cluster("ListTasks", json!({}))["taskArns"].clone();
    let foreign = all.as_array().unwrap().iter().find_map(|arn| {
        let id = arn.as_str()?.rsplit('/').next()?;
        before
            .instances
            .iter()
            .all(|one| one.id != id)
            .then(|| id.to_owned())
    });
    let foreign = foreign.unwrap();
    moto.ask(
        ECS,
        "DeregisterTaskDefinition",
        json!({"taskDefinition": release(1)}),
    );
    for (task, kind) in [
        (rollback(&release(1)), ErrorKind::Invalid),
        (rollback(&release(9)), ErrorKind::Missing),
        (rollback("other:1"), ErrorKind::Invalid),
        (stop(&foreign), ErrorKind::Invalid),
        (restart(Some(&foreign)), ErrorKind::Invalid),
        (Task::Scale { from: 1, to: 2 }, ErrorKind::Invalid),
        (
            Task::Start {
                instance: foreign.clone(),
            },
            ErrorKind::Unsupported,
        ),
    ] {
        let error = ecs.begin(&task, &before, "mark", until()).unwrap_err();
        assert_eq!(error.kind, kind, "{task:?}: {error}");
    }
    assert_eq!(moto.service(), was);
    assert_eq!(moto.task(&foreign)["desiredStatus"], "RUNNING");
    // Deregistered, it may still be the one that runs.
    moto.ask(
        ECS,
        "DeregisterTaskDefinition",
        json!({"taskDefinition": release(2)}),
    );
    let releases = ecs.releases(until()).unwrap();
    assert_eq!(releases.len(), 1);
    assert!(releases[0].current && releases[0].id == release(2));
}

#[test]
fn what_moto_does_not_have_is_missing() {
    let Some(moto) = shared("what_moto_does_not_have_is_missing") else {
        return;
    };
    let family = moto.define(1);
    moto.serve(&format!("{family}:1"), 1);
    for (target, says) in [
        ("nowhere/checkout", "no such cluster"),
        ("", "service/nobody"),
    ] {
        let own = format!("{}/nobody", moto.cluster);
        let target = if target.is_empty() { &own } else { target };
        let ecs = client(
            &place(&moto.address, target),
            keys("AKIDMOTO", "s", None),
            None,
        );
        let error = ecs.state(until()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Missing);
        assert!(error.what.contains(says), "{error}");
    }
    moto.in_cluster(
        "DeleteService",
        json!({"service": "checkout", "force": true}),
    );
    let error = moto.ecs().state(until()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Missing);
    assert!(error.what.contains("INACTIVE"), "{error}");
}

#[test]
fn more_tasks_of_moto_than_one_request_may_name_are_all_shown() {
    let Some(moto) = shared("more_tasks_of_moto_than_one_request_may_name_are_all_shown") else {
        return;
    };
    let family = moto.define(1);
    moto.serve(&format!("{family}:1"), 130);
    let state = moto.ecs().state(until()).unwrap();
    assert_eq!(state.instances.len(), 130);
}

#[test]
fn lines_of_a_task_are_read_from_the_logs_of_moto() {
    let Some(moto) = shared("lines_of_a_task_are_read_from_the_logs_of_moto") else {
        return;
    };
    let family = moto.define(1);
    moto.serve(&format!("{family}:1"), 2);
    let ecs = moto.ecs();
    let error = ecs.logs(None, 5, until()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Missing, "{error}");
    write_lines(&moto, &ecs, 30);
    let state = ecs.state(until()).unwrap();
    let lines = ecs.logs(Some(&state.instances[1].id), 3, until()).unwrap();
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["line 27", "line 28", "line 29"]);
    assert_eq!(ecs.logs(None, 1000, until()).unwrap().len(), 60);
}

/// So many lines of each task.
fn write_lines<G>(moto: &Moto<G>, ecs: &Ecs, count: i64) {
    let group = &moto.cluster;
    moto.ask(LOGS, "CreateLogGroup", json!({"logGroupName": group}));
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_millis() as i64;
    for one in ecs.state(until()).unwrap().instances {
        let stream = format!("svc/app/{}", one.id);
        let names = json!({"logGroupName": group, "logStreamName": stream});
        moto.ask(LOGS, "CreateLogStream", names.clone());
        let line = |n| json!({"timestamp": now - 1000 + n, "message": format!("line {n}")});
        let mut body = names;
        body["logEvents"] = (0..count).map(line).collect();
        moto.ask(LOGS, "PutLogEvents", body);
    }
}

/// Puts the check of signatures and policies off again.
struct Checked<'a>(&'a Alone);

impl Checked<'_> {
    fn set(address: &str, free: &str) {
        send(
            &format!("{address}/moto-api/reset-auth"),
            vec![],
            free.as_bytes(),
        );
    }
}

impl Drop for Checked<'_> {
    fn drop(&mut self) {
        Checked::set(&self.0.address, "inf");
    }
}

/// The id and the secret of a user who may do what the policy allows.
fn user(moto: &Alone, name: &str, policy: &str) -> (String, String) {
    let sign = "AWS4-HMAC-SHA256 Credential=outside/20260101/us-east-1/iam/aws4_request, \
                SignedHeaders=host, Signature=0";
    let ask = |form: String| {
        let headers = vec![
            (
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
            ("Authorization", sign.to_owned()),
        ];
        send(&moto.address, headers, form.as_bytes())
    };
    let policy = autofix::net::encoded(policy, "");
    let version = "Version=2010-05-08";
    ask(format!("Action=CreateUser&UserName={name}&{version}"));
    ask(format!(
        "Action=PutUserPolicy&UserName={name}&PolicyName=p&PolicyDocument={policy}&{version}"
    ));
    let text = ask(format!("Action=CreateAccessKey&UserName={name}&{version}"));
    let of = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>")).unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    (of("AccessKeyId"), of("SecretAccessKey"))
}

#[test]
fn moto_takes_our_signature_and_the_smallest_policy_suffices() {
    let test = "moto_takes_our_signature_and_the_smallest_policy_suffices";
    let alone = || MOTO.write().unwrap_or_else(|it| it.into_inner());
    let Some(moto) = moto(test, alone) else {
        return;
    };
    let family = moto.define(2);
    moto.serve(&format!("{family}:2"), 2);
    write_lines(&moto, &moto.ecs(), 3);
    let (id, secret) = user(&moto, &format!("all-{}", std::process::id()), POLICY);
    // Of a group that only looks.
    let looks = POLICY.replace("\"ecs:UpdateService\", \"ecs:StopTask\"", "\"ecs:Nothing\"");
    assert_ne!(looks, POLICY);
    let (other, other_secret) = user(&moto, &format!("looks-{}", std::process::id()), &looks);
    let place = place(&moto.address, &format!("{}/checkout", moto.cluster));
    let with = |id: &str, secret: &str| client(&place, keys(id, secret, None), None);

    let checked = Checked(&moto);
    Checked::set(&moto.address, "0");
    let looking = with(&other, &other_secret);
    let state = looking.state(until()).unwrap();
    let instance = state.instances[0].id.clone();
    for task in [restart(None), stop(&instance)] {
        let error = looking.begin(&task, &state, "mark", until()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(
            error.what.contains("is not authorized to perform"),
            "{error}"
        );
    }
    for (id, secret, says) in [
        (id.as_str(), "another", "SignatureDoesNotMatch"),
        ("AKIDNOBODY", secret.as_str(), "InvalidClientTokenId"),
    ] {
        let error = with(id, secret).state(until()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.what.contains(says), "{error}");
    }
    let ecs = with(&id, &secret);
    assert_eq!(ecs.releases(until()).unwrap().len(), 2);
    assert_eq!(ecs.logs(Some(&instance), 9, until()).unwrap().len(), 3);
    for task in [
        restart(None),
        rollback(&format!("{family}:1")),
        Task::Scale { from: 2, to: 3 },
        stop(&instance),
    ] {
        begin(&ecs, &task);
    }
    drop(checked);
    assert_eq!(moto.service()["taskDefinition"], format!("{family}:1"));
    assert_eq!(moto.service()["desiredCount"], 3);
    assert_eq!(moto.task(&instance)["desiredStatus"], "STOPPED");
}
