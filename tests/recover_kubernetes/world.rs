//! A Deployment `checkout` on a played API server, and a client for it.

use crate::host::Call;
use crate::played_kubernetes::{Kubernetes as Played, TOKEN};
use autofix::model::Timestamp;
use autofix::model::recovery::{Place, PlatformKind, State, Task};
use autofix::net::{Http, Secret, Settings};
use autofix::recover::{Attempt, Error, Kubernetes, Platform, Progress, Token};
use serde_json::Value;
use std::time::{Duration, Instant, SystemTime};

pub const GOOD: &str = "registry.example/checkout:0123456789abcdef0123456789abcdef01234567";
pub const BAD: &str = "registry.example/checkout:bad";

pub struct World {
    pub played: Played,
    pub client: Kubernetes,
}

pub fn place(target: &str, api: &str) -> Place {
    Place {
        platform: PlatformKind::Kubernetes,
        target: target.to_owned(),
        api: Some(api.to_owned()),
        region: None,
        token: None,
        ca: None,
        releases: None,
        current: None,
    }
}

pub fn client(played: &Played, token: Token, own: Option<&str>) -> Kubernetes {
    let http = Http::new(&Settings::default()).unwrap();
    let place = place("shop/checkout", &played.host.address);
    Kubernetes::new(http, &place, token, own.map(str::to_owned)).unwrap()
}

pub fn token() -> Token {
    Box::new(|| Some(Secret::new(TOKEN.to_owned())))
}

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp(i64::try_from(since.unwrap().as_nanos()).unwrap())
}

impl World {
    /// One release that runs well.
    pub fn new() -> World {
        let played = Played::serve();
        played.cluster().bad_images = vec![BAD];
        played.cluster().apply("checkout", GOOD);
        played.cluster().settle();
        let client = client(&played, token(), None);
        World { played, client }
    }

    /// A good release, and a newer one that crashes.
    pub fn crashing() -> World {
        let world = World::new();
        world.deploy(BAD, "second");
        world.played.cluster().settle();
        world
    }

    pub fn deploy(&self, image: &str, cause: &str) {
        let mut cluster = self.played.cluster();
        cluster.apply("checkout", image);
        let cause_of = "kubernetes.io/change-cause";
        cluster.deployment("checkout")["metadata"]["annotations"][cause_of] = cause.into();
    }

    pub fn state(&self) -> State {
        self.client.state(soon()).unwrap()
    }

    pub fn begin(&self, task: &Task) -> Result<Option<Value>, Error> {
        self.client.begin(task, &self.state(), "mark-1", soon())
    }

    pub fn poll(&self, task: &Task, before: &State, handle: Option<&Value>) -> Progress {
        self.poll_begun(task, before, handle, now())
    }

    pub fn poll_begun(
        &self,
        task: &Task,
        before: &State,
        handle: Option<&Value>,
        begun: Timestamp,
    ) -> Progress {
        let attempt = Attempt {
            task,
            before,
            begun,
            handle,
        };
        self.client.poll(&attempt, soon()).unwrap()
    }

    pub fn deployment(&self) -> Value {
        self.played.cluster().deployment("checkout").clone()
    }

    /// Requests that were to change something.
    pub fn writes(&self) -> Vec<Call> {
        let mut calls = self.played.host.calls();
        calls.retain(|call| call.method != "GET");
        calls
    }
}

pub fn restart(instance: Option<&str>) -> Task {
    Task::Restart {
        instance: instance.map(str::to_owned),
    }
}

pub fn rollback(to: &str) -> Task {
    Task::Rollback { to: to.to_owned() }
}
