//! A Deployment that was read and checked, and reading it, its ReplicaSets and its pods.

use super::Kubernetes;
use super::ask::{Ask, Right};
use super::object::{REVISION, controller, list, map, number, revision, selector, text};
use crate::net::encoded;
use crate::recover::error::{Error, ErrorKind};
use serde_json::Value;
use std::time::Instant;

/// `status.phase!=Failed,status.phase!=Succeeded`.
const ALIVE: &str = "&fieldSelector=status.phase%21%3DFailed%2Cstatus.phase%21%3DSucceeded";

/// The Deployment at one moment, with what every change rests on.
pub(super) struct Deployment {
    pub body: Value,
    pub uid: String,
    /// Another with each write, a status among them.
    pub version: String,
    /// Another with each change of what is wanted.
    pub generation: i64,
}

impl Deployment {
    fn of(body: Value, name: &str) -> Result<Deployment, Error> {
        let missing = |what: &str| {
            let what = format!("the answer is no Deployment {name}: {what}");
            Error::new(ErrorKind::Invalid, what)
        };
        if text(&body, "/metadata/name") != Some(name) {
            return Err(missing("its name is another"));
        }
        let part = |path: &str| text(&body, path).map(str::to_owned);
        let uid = part("/metadata/uid").ok_or_else(|| missing("it has no uid"))?;
        let version = part("/metadata/resourceVersion")
            .ok_or_else(|| missing("it has no resourceVersion"))?;
        let generation =
            number(&body, "/metadata/generation").ok_or_else(|| missing("it has no generation"))?;
        if list(&body, "/spec/template/spec/containers").is_empty() {
            return Err(missing("its template has no containers"));
        }
        if map(&body, "/status").is_none() {
            return Err(missing("it has no status"));
        }
        Ok(Deployment {
            body,
            uid,
            version,
            generation,
        })
    }

    /// The number of its revision, as text; `None`: the controller has not given one.
    pub fn release(&self) -> Option<String> {
        revision(&self.body).map(|number| number.to_string())
    }
}

impl Kubernetes {
    pub(super) fn deployment(&self, until: Instant) -> Result<Deployment, Error> {
        let ask = Ask::get(self.site.deployment(), Right::GET);
        Deployment::of(self.ask(&ask, until)?, &self.site.name)
    }

    /// Its ReplicaSets, told by their owner: a label may be on others too.
    pub(super) fn sets(
        &self,
        deployment: &Deployment,
        until: Instant,
    ) -> Result<Vec<Value>, Error> {
        let filter = labels(deployment)?;
        let url = self.site.replica_sets();
        let ours = |set: &Value| controller(set) == Some(&deployment.uid);
        Ok(self.list(&url, Right::REPLICA_SETS, &filter, ours, until)?)
    }

    /// Its pods, each with the revision of the ReplicaSet that made it. One that is over has been
    /// replaced, and stays listed until there are thousands: those are not looked at.
    pub(super) fn pods(
        &self,
        deployment: &Deployment,
        sets: &[Value],
        until: Instant,
    ) -> Result<Vec<(Value, Option<u64>)>, Error> {
        let filter = labels(deployment)? + ALIVE;
        let ours = |pod: &Value| set_of(pod, sets).is_some();
        let found = self.list(&self.site.pods(), Right::PODS, &filter, ours, until)?;
        let with_number = |pod: Value| {
            let number = set_of(&pod, sets).and_then(revision);
            (pod, number)
        };
        Ok(found.into_iter().map(with_number).collect())
    }
}

fn labels(deployment: &Deployment) -> Result<String, Error> {
    let selector = selector(&deployment.body)?;
    Ok(format!("&labelSelector={}", encoded(&selector, "")))
}

/// The ReplicaSet that controls a pod.
pub(super) fn set_of<'a>(pod: &Value, sets: &'a [Value]) -> Option<&'a Value> {
    let owner = controller(pod)?;
    sets.iter()
        .find(|set| text(set, "/metadata/uid") == Some(owner))
}

/// Annotations that stay with the Deployment when its template becomes an older one.
const KEPT: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

/// The annotations of a Deployment that goes back to a ReplicaSet: its own of those that are its
/// controller's business, and the ReplicaSet's of all others, as `kubectl rollout undo` has it.
pub(super) fn annotations(deployment: &Value, set: &Value) -> Value {
    let of = |object| {
        map(object, "/metadata/annotations")
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.clone(), value.clone()))
    };
    let kept = of(deployment).filter(|(key, _)| KEPT.contains(&key.as_str()));
    let taken = of(set).filter(|(key, _)| !KEPT.contains(&key.as_str()));
    Value::Object(kept.chain(taken).collect())
}
