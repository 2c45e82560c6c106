//! A client of ECS for a test, and what it is asked with.

use autofix::model::Timestamp;
use autofix::model::recovery::{Place, PlatformKind, State, Task};
use autofix::net::aws::Keys;
use autofix::net::{Http, Secret, Settings};
use autofix::recover::{Attempt, Ecs, Platform, Progress};
use serde_json::Value;
use std::time::{Duration, Instant};

use crate::played::{BEGIN, KEY, REGION, TOKEN};

pub fn place(address: &str, target: &str) -> Place {
    Place {
        platform: PlatformKind::Ecs,
        target: target.to_owned(),
        api: Some(address.to_owned()),
        region: Some(REGION.to_owned()),
        token: None,
        ca: None,
        releases: None,
        current: None,
    }
}

pub fn keys(id: &str, secret: &str, token: Option<&str>) -> Keys {
    Keys {
        id: id.to_owned(),
        secret: Secret::new(secret.to_owned()),
        token: token.map(|token| Secret::new(token.to_owned())),
        expires: None,
    }
}

pub fn client(place: &Place, keys: Keys, own: Option<String>) -> Ecs {
    let http = Http::new(&Settings::default()).unwrap();
    Ecs::new(http, place, Box::new(move || Ok(keys.clone())), own).unwrap()
}

/// Of the played service.
pub fn ecs(address: &str) -> Ecs {
    ecs_in(address, None)
}

pub fn ecs_in(address: &str, own: Option<String>) -> Ecs {
    let place = place(address, "prod/checkout");
    client(&place, keys(KEY, "played/secret", Some(TOKEN)), own)
}

pub fn until() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub fn seconds(at: f64) -> Timestamp {
    Timestamp((at * 1e3).round() as i64 * 1_000_000)
}

pub fn restart(instance: Option<&str>) -> Task {
    let instance = instance.map(str::to_owned);
    Task::Restart { instance }
}

pub fn rollback(to: &str) -> Task {
    Task::Rollback { to: to.to_owned() }
}

pub fn stop(instance: &str) -> Task {
    let instance = instance.to_owned();
    Task::Stop { instance }
}

/// How far a task is that began when the played service had settled.
pub fn poll(ecs: &Ecs, task: &Task, before: &State, handle: Option<&Value>) -> Progress {
    let attempt = Attempt {
        task,
        before,
        begun: seconds(BEGIN + 300.0),
        handle,
    };
    ecs.poll(&attempt, until()).unwrap()
}

#[track_caller]
pub fn done(progress: &Progress, says: &str) {
    assert!(
        matches!(progress, Progress::Done(it) if it.contains(says)),
        "{progress:?}"
    );
}

#[track_caller]
pub fn going(progress: &Progress, says: &str) {
    assert!(
        matches!(progress, Progress::Going(it) if it.contains(says)),
        "{progress:?}"
    );
}

#[track_caller]
pub fn failed(progress: &Progress, says: &str) {
    assert!(
        matches!(progress, Progress::Failed(it) if it.contains(says)),
        "{progress:?}"
    );
}
