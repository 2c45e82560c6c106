//! What the tests share: a platform at a played server, and how it is asked.

use crate::played_fly::{APP, AUTHORIZATION, Fly as Played};
use autofix::model::Timestamp;
use autofix::model::recovery::{Place, PlatformKind, State, Task};
use autofix::net::{Http, Secret, Settings};
use autofix::recover::{Attempt, Error, Fly, Platform, Progress, Token};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Long enough that no test ever waits for it.
pub fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// For requests that are never answered.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_millis(400)
}

pub fn token(text: &'static str) -> Token {
    Box::new(move || Some(Secret::new(text.to_owned())))
}

pub fn place(api: &str) -> Place {
    Place {
        platform: PlatformKind::Fly,
        target: APP.to_owned(),
        api: Some(api.to_owned()),
        region: None,
        token: None,
        ca: None,
        releases: None,
        current: None,
    }
}

pub fn at(played: &Played, token: Token, own: Option<&str>) -> Fly {
    let http = Http::new(&Settings::default()).unwrap();
    let own = own.map(str::to_owned);
    Fly::new(http, &place(&played.server.address), token, own).unwrap()
}

pub fn fly(played: &Played) -> Fly {
    at(played, token(AUTHORIZATION), None)
}

/// One task, from what was seen first to its end.
pub struct Deed {
    pub before: State,
    pub begun: Timestamp,
    pub plan: Result<Vec<String>, Error>,
    pub outcome: Result<Option<Value>, Error>,
}

/// Looks, plans and begins. The requests of the begin alone stay in the server's list.
pub fn begin(played: &Played, fly: &Fly, task: &Task) -> Deed {
    begin_by(played, fly, task, later())
}

pub fn begin_by(played: &Played, fly: &Fly, task: &Task, until: Instant) -> Deed {
    let before = fly.state(later()).unwrap();
    let plan = fly.plan(task, &before);
    let begun = Timestamp(played.now() * 1_000_000);
    played.server.forget();
    let outcome = fly.begin(task, &before, "mark", until);
    Deed {
        before,
        begun,
        plan,
        outcome,
    }
}

impl Deed {
    /// How far it is, for one who knows nothing of what `begin` gave.
    pub fn progress(&self, fly: &Fly, task: &Task) -> Progress {
        let attempt = Attempt {
            task,
            before: &self.before,
            begun: self.begun,
            handle: None,
        };
        fly.poll(&attempt, later()).unwrap()
    }

    pub fn failed(&self) -> &Error {
        self.outcome.as_ref().unwrap_err()
    }

    /// The plan says what was sent, request by request.
    pub fn went_by_plan(&self, played: &Played) {
        let plan = self.plan.as_ref().unwrap();
        let said: Vec<String> = plan
            .iter()
            .map(|line| line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" "))
            .map(|line| line.replace("/NEW/", "/new1/"))
            .collect();
        assert_eq!(said, played.asked());
    }
}

/// Polls until it is over; each poll brings the server one step further.
pub fn end(deed: &Deed, fly: &Fly, task: &Task) -> Progress {
    for _ in 0..30 {
        let progress = deed.progress(fly, task);
        if !matches!(progress, Progress::Going(_)) {
            return progress;
        }
    }
    deed.progress(fly, task)
}

pub fn done(progress: &Progress) -> &str {
    match progress {
        Progress::Done(said) => said,
        other => panic!("{other:?}"),
    }
}

pub fn going(progress: &Progress) -> &str {
    match progress {
        Progress::Going(said) => said,
        other => panic!("{other:?}"),
    }
}

pub fn failed(progress: &Progress) -> &str {
    match progress {
        Progress::Failed(said) => said,
        other => panic!("{other:?}"),
    }
}

pub fn restart(instance: Option<&str>) -> Task {
    Task::Restart {
        instance: instance.map(str::to_owned),
    }
}

pub fn stop(instance: &str) -> Task {
    Task::Stop {
        instance: instance.to_owned(),
    }
}

pub fn start(instance: &str) -> Task {
    Task::Start {
        instance: instance.to_owned(),
    }
}

pub fn rollback(to: &str) -> Task {
    Task::Rollback { to: to.to_owned() }
}

/// No machine has a lease.
pub fn no_leases(played: &Played) {
    for machine in &played.state().machines {
        assert!(machine.lease.is_none(), "{machine:?}");
    }
}
