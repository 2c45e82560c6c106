//! Stores with policies in them, as a plugin leaves them.

use crate::place::Place;
use autofix::app::look::limits;
use autofix::model::recovery::{
    OwnVerb, Parameter, Permit, Place as Where, PlatformKind, Policy, Shape,
};
use autofix::model::{IncidentId, Kind, Settings, Signal, Timestamp};
use autofix::store::{Outcome, Store};
use std::time::Duration;

pub fn open(place: &Place) -> Store {
    Store::open(&place.path("state"), limits()).unwrap()
}

/// A policy for a program of a supervisord that listens on this socket.
pub fn policy(socket: &str, program: &str, verbs: &[&str]) -> Policy {
    Policy {
        permit: Permit::Auto,
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..Policy::of(Where {
            platform: PlatformKind::Supervisor,
            target: program.to_owned(),
            api: Some(format!("unix://{socket}")),
            region: None,
            token: None,
            ca: None,
            releases: None,
            current: None,
        })
    }
}

pub fn settings(service: &str, owner: Option<&str>, policy: Option<Policy>) -> Settings {
    Settings {
        service: service.to_owned(),
        owner: owner.map(str::to_owned),
        recovery: policy,
        ..Settings::default()
    }
}

pub fn flush(shards: i64) -> OwnVerb {
    OwnVerb {
        name: "flush-cache".to_owned(),
        about: "empties the cache".to_owned(),
        argv: vec![
            "/bin/echo".to_owned(),
            "shard={shard}".to_owned(),
            "{mode}".to_owned(),
        ],
        parameters: vec![
            Parameter {
                name: "shard".to_owned(),
                shape: Shape::Integer(0, shards),
            },
            Parameter {
                name: "mode".to_owned(),
                shape: Shape::Choice(vec!["soft".to_owned(), "hard".to_owned()]),
            },
            Parameter {
                name: "tag".to_owned(),
                shape: Shape::Word(8),
            },
        ],
        within: Duration::from_secs(10),
    }
}

/// Two services of one owner with different policies, one with none, and another owner's.
pub fn shop(place: &Place) -> Store {
    let mut store = open(place);
    let nowhere = place.path("no.sock");
    let nowhere = nowhere.to_str().unwrap();
    let mut cart = policy(
        nowhere,
        "cart",
        &["status", "logs", "restart", "scale", "flush-cache"],
    );
    cart.scale = Some((1, 4));
    cart.own.push(flush(7));
    let mut pay = policy(
        nowhere,
        "pay",
        &["status", "rollback", "scale", "stop", "start"],
    );
    pay.permit = Permit::Approve;
    pay.scale = Some((2, 9));
    // It is described, but not allowed.
    pay.own.push(flush(3));
    let all = [
        settings("cart", Some("shop"), Some(cart)),
        settings("pay", Some("shop"), Some(pay)),
        settings("quiet", Some("shop"), None),
        settings(
            "vault",
            Some("bank"),
            Some(policy(nowhere, "vault", &["status", "restart"])),
        ),
    ];
    for one in &all {
        store.save_settings(one).unwrap();
    }
    store
}

pub fn incident(store: &mut Store, service: &str, title: &str, lines: &[&str]) -> IncidentId {
    let at = Timestamp::from_parts(1_750_000_000, 0);
    let signal = Signal {
        kind: Kind::Exit,
        service: service.to_owned(),
        stream: "s".to_owned(),
        container: None,
        time: at,
        last: at,
        title: title.to_owned(),
        reason: "it ended".to_owned(),
        watch: None,
        trace: None,
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        context: Vec::new(),
        commit: None,
    };
    match store.record(&signal, at).unwrap() {
        Outcome::New(id) => id,
        other => panic!("{other:?}"),
    }
}

/// How often that was counted of agents.
pub fn counted(store: &Store, verb: &str, outcome: &str) -> u64 {
    let rows = store.act_counts().unwrap();
    let found = rows
        .iter()
        .find(|row| row.verb == verb && row.caller == "agent" && row.outcome == outcome);
    found.map_or(0, |row| row.count)
}

/// The audit's entries as text.
pub fn audit(store: &Store) -> Vec<String> {
    let mut all = Vec::new();
    store
        .audit(|entry| {
            all.push(entry.json);
            true
        })
        .unwrap();
    all
}
