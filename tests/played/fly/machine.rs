//! The machines of the played API, and what becomes of them: each look brings what is under way one
//! step further.

use crate::played_fly::wire::Reply;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

pub const V1: &str = "registry.fly.io/my-shop:deployment-01HQ73A7BFFDF1B6WMGHFZZ4E7";
pub const V2: &str = "registry.fly.io/my-shop:deployment-01HQ8VTGBFFDF1B6WMGHFZZ4E7";

#[derive(Clone, Debug)]
pub struct Lease {
    pub nonce: String,
    pub owner: String,
    pub description: String,
    /// Seconds since 1970.
    pub expires: i64,
}

/// What comes next of a machine: its state, and the event that says so.
type Next = (&'static str, Value);

#[derive(Clone, Debug)]
pub struct Machine {
    pub id: String,
    pub state: String,
    pub region: String,
    pub config: Value,
    pub image_ref: Value,
    /// Newest first.
    pub events: Vec<Value>,
    pub checks: Value,
    pub lease: Option<Lease>,
    pub version: String,
    pub versions: Vec<Value>,
    pub host_status: &'static str,
    /// Its program ends with this as soon as it was started.
    pub ends_with: Option<i64>,
    ahead: VecDeque<Next>,
}

#[derive(Debug)]
pub struct State {
    pub machines: Vec<Machine>,
    /// Milliseconds since 1970.
    pub clock: i64,
    /// Images that can be pulled.
    pub images: BTreeSet<String>,
    /// The program in these images ends with 1 as soon as it was started.
    pub bad: BTreeSet<String>,
    /// So many requests of one kind are taken of one machine.
    pub limit: Option<u32>,
    asked: BTreeMap<(String, String), u32>,
    made: u32,
}

impl Default for State {
    fn default() -> State {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        State {
            machines: Vec::new(),
            clock: i64::try_from(now.as_millis()).unwrap() - 600_000,
            images: [V1, V2].map(str::to_owned).into(),
            bad: BTreeSet::new(),
            limit: None,
            asked: BTreeMap::new(),
            made: 0,
        }
    }
}

impl State {
    pub fn find(&mut self, id: &str) -> Option<&mut Machine> {
        self.machines.iter_mut().find(|one| one.id == id)
    }

    /// A second passes.
    pub fn tick(&mut self) -> i64 {
        self.clock += 1000;
        self.clock
    }

    pub fn look(&mut self) {
        let clock = self.tick();
        for machine in &mut self.machines {
            machine.advance(clock);
        }
    }

    pub fn settle(&mut self) {
        for _ in 0..20 {
            self.look();
        }
    }

    /// A machine that was deployed with `V1` and then with `V2`, and runs.
    pub fn add(&mut self, id: &str) {
        let config = json!({
            "image": V2,
            "env": {"PORT": "8080"},
            "guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": 256},
            "metadata": {"fly_platform_version": "v2", "fly_process_group": "app", "fly_release_version": "2"},
            "services": [{"internal_port": 8080, "autostop": "off", "concurrency": {"soft_limit": 20.5}}],
            "tomorrow": {"unknown": [1, 18446744073709551615u64, null, {"deep": "x"}]},
        });
        let mut old = config.clone();
        old["image"] = json!(V1);
        let (first, second) = (ulid(self.tick()), ulid(self.tick()));
        let machine = Machine {
            id: id.to_owned(),
            state: "started".to_owned(),
            region: "cdg".to_owned(),
            image_ref: image_ref(V2),
            events: vec![
                event("start", "started", "flyd", self.clock),
                event("launch", "created", "user", self.clock - 900),
            ],
            checks: json!([{"name": "servicecheck-00-http-8080", "status": "passing"}]),
            lease: None,
            versions: vec![
                json!({"version": second, "user_config": config}),
                json!({"version": first, "user_config": old}),
            ],
            version: second,
            config,
            host_status: "ok",
            ends_with: None,
            ahead: VecDeque::new(),
        };
        self.machines.push(machine);
    }

    pub fn too_often(&mut self, id: &str, action: &str) -> Option<Reply> {
        let limit = self.limit?;
        let key = (id.to_owned(), action.to_owned());
        let count = self.asked.entry(key).or_default();
        *count += 1;
        (*count > limit).then(|| {
            let mut reply = Reply::error(429, "rate limit exceeded");
            reply.headers.push(("Retry-After", "2".to_owned()));
            reply
        })
    }

    fn pulled(&self, config: &Value) -> Result<String, &'static str> {
        let image = config["image"].as_str().ok_or("config.image is missing")?;
        match self.images.contains(image) {
            true => Ok(image.to_owned()),
            false => Err("failed to pull image: manifest unknown"),
        }
    }

    /// The whole configuration is replaced: what is left out is lost.
    pub fn update(&mut self, id: &str, body: &Value) -> Result<Machine, &'static str> {
        let image = self.pulled(&body["config"])?;
        let clock = self.clock;
        let ends_with = self.bad.contains(&image).then_some(1);
        let machine = self.find(id).unwrap();
        if body["region"].as_str() != Some(&machine.region) {
            return Err("region of an existing machine cannot be changed");
        }
        machine.config = body["config"].clone();
        machine.image_ref = image_ref(&image);
        machine.version = ulid(clock);
        let version = json!({"version": machine.version, "user_config": machine.config});
        machine.versions.insert(0, version);
        machine.ends_with = ends_with;
        machine
            .events
            .insert(0, event("update", "replacing", "user", clock));
        let ran = machine.state == "started";
        machine.ahead.clear();
        if ran {
            machine.ahead.push_back(("replacing", exit(0, true)));
        }
        if body["skip_launch"] == json!(true) {
            machine.state = "stopped".to_owned();
        } else {
            machine.state = "replacing".to_owned();
            machine.begins();
        }
        Ok(machine.clone())
    }

    pub fn make(&mut self, body: &Value) -> Result<Machine, &'static str> {
        let image = self.pulled(&body["config"])?;
        let mounts = body["config"]["mounts"].as_array();
        if mounts.is_some_and(|mounts| !mounts.is_empty()) {
            return Err("volume is attached to another machine");
        }
        self.made += 1;
        let id = format!("new{}", self.made);
        self.add(&id);
        let clock = self.clock;
        let ends_with = self.bad.contains(&image).then_some(1);
        let machine = self.machines.last_mut().unwrap();
        machine.config = body["config"].clone();
        machine.image_ref = image_ref(&image);
        machine.ends_with = ends_with;
        machine.state = "created".to_owned();
        machine.events = vec![event("launch", "created", "user", clock)];
        machine.versions.truncate(1);
        machine.begins();
        Ok(machine.clone())
    }
}

impl Machine {
    pub fn shown(&self) -> Value {
        let mut shown = json!({
            "id": self.id, "name": format!("name-{}", self.id), "state": self.state,
            "region": self.region, "instance_id": self.version, "config": self.config,
            "image_ref": self.image_ref, "events": self.events, "checks": self.checks,
            "host_status": self.host_status, "created_at": "2026-01-02T03:04:05Z",
        });
        if self.host_status != "ok" {
            shown["incomplete_config"] = shown["config"].take();
        }
        if let Some(lease) = &self.lease {
            shown["lease"] = json!({"owner": lease.owner, "description": lease.description,
                "expires_at": lease.expires});
        }
        shown
    }

    /// One step further, where something is under way.
    pub fn advance(&mut self, clock: i64) -> bool {
        let Some((state, mut event)) = self.ahead.pop_front() else {
            return false;
        };
        self.state = state.to_owned();
        event["timestamp"] = json!(clock);
        self.events.insert(0, event);
        true
    }

    pub fn restart(&mut self, clock: i64) -> bool {
        if self.state != "started" {
            return false;
        }
        self.state = "stopping".to_owned();
        self.events
            .insert(0, event("restart", "stopping", "user", clock));
        self.ahead.clear();
        self.ahead.push_back(("stopped", exit(0, true)));
        self.ahead
            .push_back(("starting", event("restart", "starting", "flyd", 0)));
        self.begins();
        true
    }

    pub fn start(&mut self, _: i64) -> bool {
        let may = ["stopped", "suspended", "created", "failed"].contains(&self.state.as_str());
        if may {
            self.state = "starting".to_owned();
            self.ahead.clear();
            self.begins();
        }
        may
    }

    pub fn stop(&mut self, clock: i64) -> bool {
        let may = ["started", "starting"].contains(&self.state.as_str());
        if may {
            self.state = "stopping".to_owned();
            self.events
                .insert(0, event("stop", "stopping", "user", clock));
            self.ahead.clear();
            self.ahead.push_back(("stopped", exit(130, true)));
        }
        may
    }

    /// It ended by itself, and the platform gave it up.
    pub fn crash(&mut self, code: i64, clock: i64) {
        self.state = "stopped".to_owned();
        let mut event = exit(code, false);
        event["timestamp"] = json!(clock);
        self.events.insert(0, event);
    }

    fn begins(&mut self) {
        match self.ends_with {
            None => self
                .ahead
                .push_back(("started", event("start", "started", "flyd", 0))),
            Some(code) => {
                self.ahead
                    .push_back(("starting", event("start", "starting", "flyd", 0)));
                self.ahead.push_back(("stopped", exit(code, false)));
            }
        }
    }
}

pub fn event(kind: &str, status: &str, source: &str, at: i64) -> Value {
    json!({"id": format!("e{at}"), "type": kind, "status": status, "source": source, "timestamp": at})
}

pub fn exit(code: i64, requested: bool) -> Value {
    let mut event = event("exit", "stopped", "flyd", 0);
    event["request"] = json!({"restart_count": i64::from(!requested), "exit_event": {
        "exit_code": code, "guest_exit_code": 0, "guest_signal": -1, "signal": -1,
        "oom_killed": false, "requested_stop": requested, "restarting": false}});
    event
}

fn image_ref(image: &str) -> Value {
    let (name, tag) = image.rsplit_once(':').unwrap();
    let (registry, repository) = name.split_once('/').unwrap();
    json!({"registry": registry, "repository": repository, "tag": tag,
        "digest": format!("sha256:{}", "0123456789abcdef".repeat(4)),
        "labels": {"org.opencontainers.image.revision": "3f2c1ab3f2c1ab"}})
}

/// An id that begins with its time, and is unlike any other of that time.
pub fn ulid(millis: i64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let time: String = (0..10)
        .rev()
        .map(|at| char::from(DIGITS[usize::try_from((millis >> (5 * at)) & 31).unwrap()]))
        .collect();
    format!("{time}TSV4RRFFQ69G5FAV")
}
