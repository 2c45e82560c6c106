//! Amazon ECS and CloudWatch Logs, played on loopback as far as autofix uses them: one cluster whose
//! service rolls out deployments, gives them up and goes back as the real scheduler does, whenever a test
//! says that time has passed. It refuses what the real one refuses.

#![allow(dead_code)] // Each test uses a part of it.

mod answers;
pub mod wire;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use wire::{Call, Fault, Reply};

pub const KEY: &str = "AKIDPLAYED";
pub const TOKEN: &str = "token/of+played==";
pub const REGION: &str = "eu-central-1";
/// When a played service begins, in seconds since the epoch.
pub const BEGIN: f64 = 1_700_000_000.25;

/// What the cluster `prod` holds: the service `checkout` and its tasks.
#[derive(Debug)]
pub struct State {
    /// Seconds since the epoch; whoever plays moves it.
    pub clock: f64,
    pub service: Value,
    pub tasks: Vec<Value>,
    /// By `family:revision`.
    pub definitions: BTreeMap<String, Value>,
    /// Lines with their milliseconds, by group and stream.
    pub streams: BTreeMap<(String, String), Vec<(i64, String)>>,
    /// Most names in one part of a list.
    pub page: usize,
    pub count: u64,
}

pub struct Played {
    /// `http://127.0.0.1:PORT`
    pub address: String,
    state: Arc<Mutex<State>>,
    calls: Arc<Mutex<Vec<Call>>>,
    faults: Arc<Mutex<Vec<(String, Fault)>>>,
}

impl Played {
    /// With the service at `checkout:3` of `wanted` tasks that run.
    pub fn serve(wanted: u32) -> Played {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let played = Played {
            address: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::new(Mutex::new(State::new(wanted))),
            calls: Arc::default(),
            faults: Arc::default(),
        };
        let (state, calls, faults) = (
            played.state.clone(),
            played.calls.clone(),
            played.faults.clone(),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
                let Some(call) = wire::read(&stream) else {
                    continue;
                };
                calls.lock().unwrap().push(call.clone());
                let fault = take(&faults, &call.operation);
                let answer = || answers::answer(&mut state.lock().unwrap(), &call);
                match fault {
                    None => wire::write(&stream, &answer(), true),
                    Some(Fault::Lost) => drop(answer()),
                    Some(Fault::Cut) => wire::write(&stream, &answer(), false),
                    Some(Fault::Silent) => wire::wait_for_the_end(&stream),
                    Some(Fault::Says(reply)) => wire::write(&stream, &reply, true),
                }
            }
        });
        played
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next request of this operation meets this fault.
    pub fn next(&self, operation: &str, fault: Fault) {
        let fault = (operation.to_owned(), fault);
        self.faults.lock().unwrap().push(fault);
    }

    /// The next request of this operation is refused so.
    pub fn refuse(&self, operation: &str, status: u16, named: &str, message: &str) {
        let reply = Reply::fault(status, named, message);
        self.next(operation, Fault::Says(reply));
    }

    /// No further request meets a fault.
    pub fn mend(&self) {
        self.faults.lock().unwrap().clear();
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// The requests so far that change something, as a plan shows them.
    pub fn changes(&self) -> Vec<String> {
        let changes = |call: &Call| matches!(&*call.operation, "UpdateService" | "StopTask");
        let calls = self.calls();
        calls
            .iter()
            .filter(|c| changes(c))
            .map(Call::line)
            .collect()
    }
}

fn take(faults: &Mutex<Vec<(String, Fault)>>, operation: &str) -> Option<Fault> {
    let mut faults = faults.lock().unwrap();
    let at = faults.iter().position(|(named, _)| named == operation)?;
    Some(faults.remove(at).1)
}

pub fn definition_arn(release: &str) -> String {
    format!("arn:aws:ecs:{REGION}:123456789012:task-definition/{release}")
}

pub fn task_arn(id: &str) -> String {
    format!("arn:aws:ecs:{REGION}:123456789012:task/prod/{id}")
}

impl State {
    fn new(wanted: u32) -> State {
        let mut state = State {
            clock: BEGIN,
            service: json!({
                "serviceName": "checkout", "status": "ACTIVE", "desiredCount": wanted,
                "runningCount": 0, "pendingCount": 0, "taskDefinition": definition_arn("checkout:3"),
                "deployments": [], "events": [], "schedulingStrategy": "REPLICA",
                "deploymentController": {"type": "ECS"},
                "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100,
                    "deploymentCircuitBreaker": {"enable": true, "rollback": true}},
            }),
            tasks: Vec::new(),
            definitions: BTreeMap::new(),
            streams: BTreeMap::new(),
            page: 2,
            count: 0,
        };
        for (revision, commit) in [(1, "1a1a1a1"), (2, "2b2b2b2"), (3, "3c3c3c3")] {
            state.define("checkout", revision, &format!("acme/checkout:{commit}"));
        }
        state.define("billing", 7, "acme/billing:7f7f7f7");
        state.deploy("checkout:3");
        state.settle();
        state
    }

    pub fn define(&mut self, family: &str, revision: u64, image: &str) {
        let release = format!("{family}:{revision}");
        let logs = json!({"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/prod",
            "awslogs-region": REGION, "awslogs-stream-prefix": "svc"}});
        let definition = json!({
            "taskDefinitionArn": definition_arn(&release), "family": family, "revision": revision,
            "status": "ACTIVE", "registeredAt": BEGIN - 1000.0 + revision as f64,
            "containerDefinitions": [
                {"name": "log_router", "image": "acme/fluent-bit:9", "essential": true,
                    "firelensConfiguration": {"type": "fluentbit"}, "logConfiguration": logs},
                {"name": "app", "image": image, "essential": true, "logConfiguration": logs},
            ],
        });
        self.definitions.insert(release, definition);
    }

    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// The ids of the tasks that are to run.
    pub fn running(&self) -> Vec<String> {
        let runs = |task: &&Value| task["desiredStatus"] == "RUNNING";
        let id = |task: &Value| {
            task["taskArn"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        };
        self.tasks.iter().filter(runs).map(id).collect()
    }

    pub fn task(&mut self, id: &str) -> &mut Value {
        let arn = task_arn(id);
        self.tasks
            .iter_mut()
            .find(|it| it["taskArn"] == arn.as_str())
            .unwrap()
    }

    pub fn deployments(&mut self) -> &mut Vec<Value> {
        self.service["deployments"].as_array_mut().unwrap()
    }

    fn event(&mut self, message: String) {
        let event =
            json!({"id": message.len().to_string(), "createdAt": self.clock, "message": message});
        self.service["events"]
            .as_array_mut()
            .unwrap()
            .insert(0, event);
    }

    /// A new deployment becomes the primary one.
    pub fn deploy(&mut self, release: &str) -> String {
        let id = format!("ecs-svc/{:019}", self.number());
        let (desired, clock) = (self.service["desiredCount"].clone(), self.clock);
        for one in self.deployments() {
            one["status"] = "ACTIVE".into();
        }
        let new = json!({"id": id, "status": "PRIMARY", "taskDefinition": definition_arn(release),
            "desiredCount": desired, "runningCount": 0, "pendingCount": desired, "failedTasks": 0,
            "createdAt": clock, "updatedAt": clock, "rolloutState": "IN_PROGRESS",
            "rolloutStateReason": format!("ECS deployment {id} in progress.")});
        self.deployments().insert(0, new);
        self.service["taskDefinition"] = definition_arn(release).into();
        id
    }

    /// Time passes, and all goes well: the primary deployment has all its tasks, others have none.
    pub fn settle(&mut self) {
        self.clock += 300.0;
        let wanted = self.service["desiredCount"].as_u64().unwrap();
        let primary = self.deployments()[0]["id"].as_str().unwrap().to_owned();
        let release = self.deployments()[0]["taskDefinition"].clone();
        let clock = self.clock;
        for task in &mut self.tasks {
            let old = task["startedBy"] != primary.as_str();
            if task["desiredStatus"] == "RUNNING" && old {
                let reason = format!("Scaling activity initiated by (deployment {primary})");
                end(task, clock, "ServiceSchedulerInitiated", &reason, 0);
            }
            if task["desiredStatus"] == "STOPPED" {
                task["lastStatus"] = "STOPPED".into();
            }
        }
        while (self.running().len() as u64) < wanted {
            let id = format!("{:032x}", 0xabc0_0000 + self.number());
            self.tasks.push(json!({"taskArn": task_arn(&id), "taskDefinitionArn": release,
                "group": "service:checkout", "startedBy": primary, "lastStatus": "RUNNING",
                "desiredStatus": "RUNNING", "healthStatus": "HEALTHY", "createdAt": clock - 9.0,
                "startedAt": clock, "containers": [
                    {"name": "app", "lastStatus": "RUNNING", "runtimeId": format!("{id}-1")},
                    {"name": "log_router", "lastStatus": "RUNNING", "runtimeId": format!("{id}-2")}]}));
        }
        while (self.running().len() as u64) > wanted {
            let id = self.running().pop().unwrap();
            end(
                self.task(&id),
                clock,
                "ServiceSchedulerInitiated",
                "Scaling activity",
                0,
            );
        }
        self.deployments().truncate(1);
        let one = &mut self.deployments()[0];
        one["rolloutState"] = "COMPLETED".into();
        one["rolloutStateReason"] = format!("ECS deployment {primary} completed.").into();
        one["runningCount"] = wanted.into();
        one["desiredCount"] = wanted.into();
        self.service["runningCount"] = wanted.into();
        self.event(format!(
            "(service checkout) (deployment {primary}) deployment completed."
        ));
    }

    /// Time passes, and the tasks of the primary deployment do not come up: the breaker gives it up,
    /// and goes back where that is set.
    pub fn give_up(&mut self) {
        self.clock += 300.0;
        let breaker = self.service["deploymentConfiguration"]["deploymentCircuitBreaker"].clone();
        let one = &mut self.deployments()[0];
        one["failedTasks"] = 3.into();
        if breaker["enable"] != true {
            return;
        }
        let failed = one["id"].as_str().unwrap().to_owned();
        one["rolloutState"] = "FAILED".into();
        one["rolloutStateReason"] = "ECS deployment circuit breaker: tasks failed to start.".into();
        self.event(format!(
            "(service checkout) (deployment {failed}) deployment failed: tasks failed to start."
        ));
        if breaker["rollback"] != true {
            return;
        }
        let before = self.deployments()[1].clone();
        let old = before["id"].as_str().unwrap().to_owned();
        let release = before["taskDefinition"].as_str().unwrap().to_owned();
        let release = release.rsplit('/').next().unwrap();
        self.event(format!(
            "(service checkout) rolling back to deployment {old}."
        ));
        self.deploy(release);
        // The very deployment of before is made the primary one.
        let mut back = self.deployments().remove(0);
        back["id"] = old.clone().into();
        back["createdAt"] = before["createdAt"].clone();
        back["rolloutStateReason"] =
            format!("ECS deployment circuit breaker: rolling back to deploymentId {old}.").into();
        self.deployments().retain(|one| one["id"] != old.as_str());
        self.deployments().insert(0, back);
    }
}

/// A task ends.
pub fn end(task: &mut Value, at: f64, code: &str, reason: &str, exit: i32) {
    task["lastStatus"] = "STOPPED".into();
    task["desiredStatus"] = "STOPPED".into();
    task["stopCode"] = code.into();
    task["stoppedReason"] = reason.into();
    task["stoppingAt"] = (at - 2.0).into();
    task["stoppedAt"] = at.into();
    for container in task["containers"].as_array_mut().unwrap() {
        container["lastStatus"] = "STOPPED".into();
        container["exitCode"] = match container["name"] == "app" {
            true => exit,
            false => 0,
        }
        .into();
    }
}
