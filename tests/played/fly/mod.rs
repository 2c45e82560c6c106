//! fly.io's Machines API, played on loopback as far as autofix uses it: machines with states, events
//! and leases that change as they are looked at. It refuses unknown routes, wrong methods, requests
//! without the token, changes of a machine that somebody else has leased, and what comes too often.

#![allow(dead_code)] // Each test uses a part of it.

pub mod machine;
pub mod wire;

use machine::{Lease, Machine, State};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard};
use wire::{Call, Reply, Server};

pub const APP: &str = "my-shop";
/// As it has to stand in the header.
pub const AUTHORIZATION: &str = "FlyV1 fm2_played";

pub struct Fly {
    pub server: Server,
    state: Arc<Mutex<State>>,
}

impl Fly {
    /// Machines with these ids, started, all with the release `v2` and `v1` before it.
    pub fn serve(ids: &[&str]) -> Fly {
        let mut state = State::default();
        for id in ids {
            state.add(id);
        }
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        let server = Server::serve(move |call| answer(&mut shared.lock().unwrap(), call));
        Fly { server, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn machine(&self, id: &str) -> Machine {
        self.state().find(id).unwrap().clone()
    }

    /// Changes one machine as it stands.
    pub fn set(&self, id: &str, change: impl FnOnce(&mut Machine)) {
        change(self.state().find(id).unwrap());
    }

    /// Everything that is under way comes to its end.
    pub fn settle(&self) {
        self.state().settle();
    }

    /// The server's clock, in milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.state().clock
    }

    /// What was asked, as `METHOD URL` with the server's address.
    pub fn asked(&self) -> Vec<String> {
        let address = &self.server.address;
        let calls = self.server.calls();
        calls
            .iter()
            .map(|call| format!("{} {address}{}", call.method, call.target))
            .collect()
    }

    /// Those requests that change what runs.
    pub fn changes(&self) -> Vec<String> {
        let change = |line: &String| !line.starts_with("GET ") && !line.ends_with("/lease");
        self.asked().into_iter().filter(change).collect()
    }
}

fn answer(state: &mut State, call: &Call) -> Reply {
    if call.header("authorization") != Some(AUTHORIZATION) {
        return Reply::error(401, "unauthorized");
    }
    let base = format!("/v1/apps/{APP}/machines");
    let Some(rest) = call.path().strip_prefix(&base) else {
        return Reply::error(404, "app not found");
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let method = call.method.as_str();
    let (id, action) = match parts[..] {
        [""] => return all(state, method, call),
        ["", id] => (id, ""),
        ["", id, action] => (id, action),
        _ => return Reply::error(404, "page not found"),
    };
    let known = [
        ("GET", ""),
        ("POST", ""),
        ("GET", "versions"),
        ("GET", "wait"),
        ("POST", "restart"),
        ("POST", "start"),
        ("POST", "stop"),
        ("POST", "lease"),
        ("DELETE", "lease"),
    ];
    if !known.iter().any(|(_, name)| *name == action) {
        return Reply::error(404, "page not found");
    }
    if !known.contains(&(method, action)) {
        return Reply::error(405, "method not allowed");
    }
    if state.find(id).is_none() {
        return Reply::error(404, "machine not found");
    }
    if let Some(refusal) = state.too_often(id, &format!("{method} {action}")) {
        return refusal;
    }
    one(state, id, (method, action), call)
}

fn all(state: &mut State, method: &str, call: &Call) -> Reply {
    match method {
        "GET" => {
            if let Some(refusal) = state.too_often(APP, "list") {
                return refusal;
            }
            state.look();
            let shown: Vec<Value> = state.machines.iter().map(Machine::shown).collect();
            Reply::new(200, &json!(shown))
        }
        "POST" => {
            if let Some(refusal) = state.too_often(APP, "create") {
                return refusal;
            }
            let Some(body) = call.body() else {
                return Reply::error(400, "bad request: no JSON");
            };
            match state.make(&body) {
                Ok(machine) => Reply::new(200, &machine.shown()),
                Err(why) => Reply::error(400, why),
            }
        }
        _ => Reply::error(405, "method not allowed"),
    }
}

fn one(state: &mut State, id: &str, what: (&str, &str), call: &Call) -> Reply {
    let clock = state.tick();
    let nonce = call.header("fly-machine-lease-nonce");
    let machine = state.find(id).unwrap();
    let change = what.0 != "GET" && what != ("POST", "lease");
    let foreign = machine
        .lease
        .as_ref()
        .is_some_and(|lease| nonce != Some(&lease.nonce));
    if change && foreign {
        return Reply::error(
            409,
            "failed to get lease: lease currently held by somebody else",
        );
    }
    let ok = || Reply::new(200, &json!({"ok": true}));
    match what {
        ("GET", "") => {
            let shown = machine.shown();
            machine.advance(clock);
            Reply::new(200, &shown)
        }
        ("GET", "versions") => Reply::new(200, &json!(machine.versions)),
        ("GET", "wait") => {
            if call.asked("state") != Some("started") || call.asked("timeout").is_none() {
                return Reply::error(400, "bad request: state and timeout");
            }
            while machine.state != "started" && machine.advance(clock) {}
            match machine.state.as_str() {
                "started" => ok(),
                _ => Reply::error(408, "deadline_exceeded: timed out"),
            }
        }
        ("POST", "restart" | "start" | "stop") if !call.bytes.is_empty() => {
            Reply::error(400, "bad request: a body")
        }
        ("POST", "restart") => match machine.restart(clock) {
            true => ok(),
            false => Reply::error(412, "failed_precondition: unable to restart machine"),
        },
        ("POST", "start") => {
            let previous = machine.state.clone();
            match machine.start(clock) {
                true => Reply::new(200, &json!({"previous_state": previous, "migrated": false})),
                false => Reply::error(412, "failed_precondition: unable to start machine"),
            }
        }
        ("POST", "stop") => match machine.stop(clock) {
            true => ok(),
            false => Reply::error(412, "failed_precondition: unable to stop machine"),
        },
        ("POST", "lease") => {
            if foreign {
                return Reply::error(409, "lease currently held by somebody else");
            }
            let body = call.body().unwrap_or_default();
            let Some(ttl) = body["ttl"].as_i64() else {
                return Reply::error(400, "bad request: ttl");
            };
            let lease = Lease {
                nonce: format!("nonce{clock}"),
                owner: "autofix@shop".to_owned(),
                description: body["description"].as_str().unwrap_or_default().to_owned(),
                expires: clock / 1000 + ttl,
            };
            let data = json!({"nonce": lease.nonce, "expires_at": lease.expires,
                "owner": lease.owner, "description": lease.description});
            machine.lease = Some(lease);
            Reply::new(201, &json!({"status": "success", "data": data}))
        }
        ("DELETE", "lease") => match machine.lease.take() {
            Some(_) => Reply::new(200, &json!({"status": "success", "data": {"ok": true}})),
            None => Reply::error(404, "lease not found"),
        },
        ("POST", "") => {
            let Some(body) = call.body() else {
                return Reply::error(400, "bad request: no JSON");
            };
            match state.update(id, &body) {
                Ok(machine) => Reply::new(200, &machine.shown()),
                Err(why) => Reply::error(400, why),
            }
        }
        _ => Reply::error(405, "method not allowed"),
    }
}
