//! A Deployment on Kubernetes, over the API server's HTTP interface: what it and its pods show, and the
//! few changes that `kubectl` makes to one. No `kubectl` is run, nothing but this Deployment and what
//! belongs to it is looked at, and nothing here decides whether a change should happen.

mod ask;
mod begin;
mod change;
mod deployment;
mod follow;
mod logs;
mod object;
mod place;
mod pods;
mod releases;
mod rollout;

use crate::model::Timestamp;
use crate::model::recovery::{LogText, Place, Release, State, Task};
use crate::net::Http;
use crate::recover::clock;
use crate::recover::error::{Error, ErrorKind};
use crate::recover::{Attempt, LISTED, Platform, Progress, Token};
use object::{revision, text};
use place::Site;
use rollout::Rollout;
use serde_json::Value;
use std::time::Instant;

/// One Deployment.
pub struct Kubernetes {
    http: Http,
    site: Site,
    /// Read at each call: the kubelet renews it.
    token: Token,
    /// Name of the pod that autofix itself runs in.
    own: Option<String>,
}

impl Kubernetes {
    /// `http` trusts the cluster's own certificate authority; `own` is the pod that we run in.
    ///
    /// # Errors
    /// For a place that names no Deployment or no API server.
    pub fn new(
        http: Http,
        place: &Place,
        token: Token,
        own: Option<String>,
    ) -> Result<Kubernetes, Error> {
        Ok(Kubernetes {
            http,
            site: Site::parse(&place.target, place.api.as_deref())?,
            token,
            own,
        })
    }
}

impl Platform for Kubernetes {
    fn state(&self, until: Instant) -> Result<State, Error> {
        let deployment = self.deployment(until)?;
        let sets = self.sets(&deployment, until)?;
        let mut pods = self.pods(&deployment, &sets, until)?;
        pods.sort_by_cached_key(|(pod, _)| made(pod));
        if pods.len() > LISTED {
            let many = pods.len();
            let what = format!("{many} pods are more than the {LISTED} that are looked after");
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        let now = clock::now();
        let mut instances = Vec::new();
        for (pod, release) in &pods {
            let name = text(pod, "/metadata/name").filter(|name| place::is_name(name));
            let Some(name) = name else {
                return Err(Error::new(ErrorKind::Invalid, "a pod has no name"));
            };
            let own = self.own.as_deref() == Some(name);
            instances.push(pods::instance(pod, name, *release, own, now));
        }
        let rollout = Rollout::of(&deployment.body);
        Ok(State {
            instances,
            release: deployment.release(),
            wanted: Some(rollout::wanted(&deployment.body)),
            deploying: rollout.deploying(&deployment.body),
            deploy_failed: rollout.failed(),
            kept_by: rollout::kept_by(&deployment.body),
        })
    }

    fn releases(&self, until: Instant) -> Result<Vec<Release>, Error> {
        let deployment = self.deployment(until)?;
        let sets = self.sets(&deployment, until)?;
        Ok(releases::releases(&sets, revision(&deployment.body)))
    }

    fn logs(
        &self,
        instance: Option<&str>,
        lines: usize,
        until: Instant,
    ) -> Result<Vec<LogText>, Error> {
        self.lines(instance, lines, until)
    }

    fn plan(&self, task: &Task, before: &State) -> Result<Vec<String>, Error> {
        self.planned(task, before)
    }

    /// The mark is not needed: each change is made on what was read, and on nothing later.
    fn begin(
        &self,
        task: &Task,
        before: &State,
        _mark: &str,
        until: Instant,
    ) -> Result<Option<Value>, Error> {
        self.started(task, before, until)
    }

    fn poll(&self, attempt: &Attempt<'_>, until: Instant) -> Result<Progress, Error> {
        self.follow(attempt, until)
    }
}

/// When a pod was made, the newest first.
fn made(pod: &Value) -> std::cmp::Reverse<Option<Timestamp>> {
    std::cmp::Reverse(object::time(pod, "/metadata/creationTimestamp"))
}
