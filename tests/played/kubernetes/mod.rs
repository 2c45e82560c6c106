//! A Kubernetes API server, played on loopback as far as autofix and `kubectl rollout` use it. It keeps
//! Deployments, ReplicaSets and pods of one namespace with their versions and generations, takes
//! patches as the real one does, and refuses what that refuses. Its controller moves one step at a time.

#![allow(dead_code)] // Each test uses a part of it.

mod controller;
mod discovery;
mod patch;
mod select;

use crate::host::{Call, Host, Reply};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

pub const TOKEN: &str = "kubernetes-played";
pub const NAMESPACE: &str = "shop";

#[derive(Debug, Default)]
pub struct Cluster {
    pub deployments: Vec<Value>,
    pub sets: Vec<Value>,
    pub pods: Vec<Value>,
    pub autoscalers: Vec<Value>,
    /// By pod, container and whether it is of the run before.
    pub logs: HashMap<(String, String, bool), String>,
    /// Tokens that are taken; whoever comes with another is unknown.
    pub tokens: Vec<String>,
    /// Where there are any: the only verbs and resources that somebody may.
    pub allowed: Vec<(&'static str, &'static str)>,
    /// Verbs and resources that nobody may.
    pub denied: Vec<(&'static str, &'static str)>,
    /// Images whose containers end at once.
    pub bad_images: Vec<&'static str>,
    /// Most objects that a page of a list has, whatever is asked for.
    pub page: usize,
    /// The controller moves with each Deployment that is read.
    pub moves: bool,
    /// A status is written before so many of the next patches.
    pub restless: usize,
    versions: u64,
    names: u64,
}

pub struct Kubernetes {
    pub host: Host,
    cluster: Arc<Mutex<Cluster>>,
}

impl Kubernetes {
    pub fn serve() -> Kubernetes {
        let cluster = Arc::new(Mutex::new(Cluster {
            tokens: vec![TOKEN.to_owned()],
            page: 500,
            versions: 1000,
            ..Cluster::default()
        }));
        let shared = cluster.clone();
        let host = Host::serve("/", move |call| answer(&mut shared.lock().unwrap(), call));
        Kubernetes { host, cluster }
    }

    pub fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap()
    }
}

impl Cluster {
    pub fn stamp(&mut self, object: &mut Value) {
        self.versions += 1;
        object["metadata"]["resourceVersion"] = json!(self.versions.to_string());
    }

    fn new_name(&mut self, prefix: &str) -> (String, String) {
        self.names += 1;
        let number = self.names;
        (
            format!("{prefix}-{number:05x}"),
            format!("00000000-0000-4000-8000-{number:012x}"),
        )
    }

    pub fn deployment(&mut self, name: &str) -> &mut Value {
        let mut all = self.deployments.iter_mut();
        all.find(|one| one["metadata"]["name"] == name).unwrap()
    }

    pub fn pod(&mut self, name: &str) -> &mut Value {
        let mut all = self.pods.iter_mut();
        all.find(|one| one["metadata"]["name"] == name).unwrap()
    }

    pub fn pod_names(&self) -> Vec<String> {
        let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap().to_owned();
        self.pods.iter().map(name).collect()
    }

    /// A Deployment of one container and two pods, as somebody applies it.
    pub fn apply(&mut self, name: &str, image: &str) {
        let labels = json!({"app": name});
        let template = json!({
            "metadata": {"labels": labels},
            "spec": {
                "containers": [{
                    "name": "app", "image": image, "resources": {},
                    "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 10,
                        "failureThreshold": 3, "timeoutSeconds": 1},
                }],
                "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
            },
        });
        match self
            .deployments
            .iter()
            .position(|one| one["metadata"]["name"] == name)
        {
            Some(at) => {
                let mut new = self.deployments[at].clone();
                new["spec"]["template"] = template;
                let kept = patch::kept(&self.deployments[at], new).unwrap();
                self.save(at, kept);
            }
            None => {
                let uid = self.new_name("").1;
                let mut object = json!({
                    "apiVersion": "apps/v1", "kind": "Deployment",
                    "metadata": {
                        "name": name, "namespace": NAMESPACE, "uid": uid, "generation": 1,
                        "creationTimestamp": "2026-03-01T10:00:00Z", "labels": labels,
                        "annotations": {"kubernetes.io/change-cause": "first"},
                    },
                    "spec": {
                        "replicas": 2, "selector": {"matchLabels": labels}, "template": template,
                        "strategy": {"type": "RollingUpdate",
                            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                        "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
                    },
                    "status": {},
                });
                self.stamp(&mut object);
                self.deployments.push(object);
            }
        }
    }

    fn save(&mut self, at: usize, mut object: Value) {
        self.stamp(&mut object);
        self.deployments[at] = object;
    }
}

/// A refusal, as the API server words it.
pub fn status(code: u16, reason: &str, message: &str) -> Reply {
    Reply::new(
        code,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code}),
    )
}

fn answer(cluster: &mut Cluster, call: &Call) -> Reply {
    let token = call.header("authorization").unwrap_or_default();
    let token = token.strip_prefix("Bearer ").unwrap_or_default();
    // Over plain HTTP kubectl sends no token at all.
    let agent = call.header("user-agent").unwrap_or_default();
    let known = cluster.tokens.iter().any(|one| one == token);
    if !known && !agent.starts_with("kubectl/") {
        return status(401, "Unauthorized", "Unauthorized");
    }
    let parts: Vec<&str> = call.parts.iter().map(String::as_str).collect();
    if let Some(reply) = discovery::answer(&parts) {
        return reply;
    }
    let (group, rest) = match parts[..] {
        ["api", "v1", "namespaces", NAMESPACE, ref rest @ ..] => ("", rest),
        ["apis", "apps", "v1", "namespaces", NAMESPACE, ref rest @ ..] => ("apps", rest),
        [
            "apis",
            "autoscaling",
            "v2",
            "namespaces",
            NAMESPACE,
            ref rest @ ..,
        ] => ("autoscaling", rest),
        _ => {
            return status(
                404,
                "NotFound",
                "the server could not find the requested resource",
            );
        }
    };
    let resource = match rest {
        [kind, _, sub] => format!("{kind}/{sub}"),
        [kind, ..] => (*kind).to_owned(),
        [] => String::new(),
    };
    let verb = match (call.method.as_str(), rest.len()) {
        ("GET", 1) => "list",
        ("GET", _) => "get",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", _) => "delete",
        _ => "create",
    };
    let right = (verb, resource.as_str());
    let allowed = cluster.allowed.is_empty() || cluster.allowed.contains(&right);
    if !allowed || cluster.denied.contains(&right) {
        let message = format!(
            "{resource} is forbidden: User \"system:serviceaccount:shop:autofix\" cannot {verb} \
             resource \"{resource}\" in API group \"{group}\" in the namespace \"shop\""
        );
        return status(403, "Forbidden", &message);
    }
    match (verb, group, rest) {
        ("list", "apps", ["deployments"]) => list(&cluster.deployments, call, cluster.page),
        ("list", "apps", ["replicasets"]) => list(&cluster.sets, call, cluster.page),
        ("list", "", ["pods"]) => list(&cluster.pods, call, cluster.page),
        ("list", "autoscaling", ["horizontalpodautoscalers"]) => {
            list(&cluster.autoscalers, call, cluster.page)
        }
        (_, "apps", ["deployments", name, sub @ ..]) => {
            let mut all = cluster.deployments.iter();
            match all.position(|one| one["metadata"]["name"] == *name) {
                Some(at) => in_deployment(cluster, at, verb, sub, call),
                None => not_found("deployments.apps", name),
            }
        }
        (_, "", ["pods", name, sub @ ..]) => {
            let mut all = cluster.pods.iter();
            match all.position(|one| one["metadata"]["name"] == *name) {
                Some(at) => in_pod(cluster, at, verb, sub, call),
                None => not_found("pods", name),
            }
        }
        _ => status(
            405,
            "MethodNotAllowed",
            "the server does not allow this method",
        ),
    }
}

fn not_found(kind: &str, name: &str) -> Reply {
    status(404, "NotFound", &format!("{kind} \"{name}\" not found"))
}

fn list(all: &[Value], call: &Call, page: usize) -> Reply {
    let terms = match select::parse(call.asked("labelSelector").unwrap_or_default()) {
        Ok(terms) => terms,
        Err(what) => return status(400, "BadRequest", &what),
    };
    let found: Vec<&Value> = all
        .iter()
        .filter(|one| terms.iter().all(|term| term.holds(one)))
        .filter(|one| select::fields_hold(call.asked("fieldSelector"), one))
        .collect();
    let limit = call.asked("limit").and_then(|n| n.parse().ok());
    let limit: usize = limit.unwrap_or(usize::MAX).min(page);
    let from: usize = match call.asked("continue").map(str::parse) {
        None => 0,
        Some(Ok(from)) => from,
        Some(Err(_)) => {
            return status(410, "Expired", "the provided continue parameter is too old");
        }
    };
    let rest = found.len().saturating_sub(from.saturating_add(limit));
    let mark = if rest > 0 {
        (from + limit).to_string()
    } else {
        String::new()
    };
    let items: Vec<&Value> = found.into_iter().skip(from).take(limit).collect();
    let (group, kind) = match call.parts.last().map(String::as_str) {
        Some("pods") => ("v1", "PodList"),
        Some("replicasets") => ("apps/v1", "ReplicaSetList"),
        Some("deployments") => ("apps/v1", "DeploymentList"),
        _ => ("autoscaling/v2", "HorizontalPodAutoscalerList"),
    };
    Reply::new(
        200,
        json!({"kind": kind, "apiVersion": group,
            "metadata": {"resourceVersion": "1", "continue": mark}, "items": items}),
    )
}

fn in_deployment(cluster: &mut Cluster, at: usize, verb: &str, sub: &[&str], call: &Call) -> Reply {
    match (verb, sub) {
        ("get", []) => {
            if cluster.moves {
                cluster.step();
            }
            Reply::new(200, cluster.deployments[at].clone())
        }
        ("get", ["scale"]) => Reply::new(200, patch::scale_of(&cluster.deployments[at])),
        ("patch" | "update", [] | ["scale"]) => {
            if cluster.restless > 0 {
                cluster.restless -= 1;
                let same = cluster.deployments[at].clone();
                cluster.save(at, same);
            }
            let old = cluster.deployments[at].clone();
            let new = match (verb, sub) {
                ("patch", []) => patch::patched(&old, call),
                ("update", []) => patch::kept(&old, call.body.clone()),
                ("patch", _) => {
                    let scale = patch::patched_plain(&patch::scale_of(&old), call);
                    scale.and_then(|scale| patch::scaled(&old, &scale))
                }
                _ => patch::scaled(&old, &call.body),
            };
            let mut new = match new {
                Ok(new) => new,
                Err(reply) => return reply,
            };
            match call.asked("dryRun") {
                None if new != old => {
                    cluster.save(at, new);
                    new = cluster.deployments[at].clone();
                }
                None | Some("All") => {}
                Some(_) => return status(400, "BadRequest", "dryRun: only All"),
            }
            Reply::new(
                200,
                if sub.is_empty() {
                    new
                } else {
                    patch::scale_of(&new)
                },
            )
        }
        _ => status(
            405,
            "MethodNotAllowed",
            "the server does not allow this method",
        ),
    }
}

fn in_pod(cluster: &mut Cluster, at: usize, verb: &str, sub: &[&str], call: &Call) -> Reply {
    match (verb, sub) {
        ("get", []) => Reply::new(200, cluster.pods[at].clone()),
        ("get", ["log"]) => log(cluster, at, call),
        ("delete", []) => {
            let pod = &mut cluster.pods[at];
            let uid = &call.body["preconditions"]["uid"];
            if !uid.is_null() && *uid != pod["metadata"]["uid"] {
                let message = "Operation cannot be fulfilled on pods: Precondition failed: UID";
                return status(409, "Conflict", message);
            }
            controller::end(pod);
            let mut pod = pod.clone();
            cluster.stamp(&mut pod);
            cluster.pods[at] = pod.clone();
            Reply::new(200, pod)
        }
        _ => status(
            405,
            "MethodNotAllowed",
            "the server does not allow this method",
        ),
    }
}

fn log(cluster: &Cluster, at: usize, call: &Call) -> Reply {
    let pod = cluster.pods[at]["metadata"]["name"].as_str().unwrap();
    let container = call.asked("container").unwrap_or_default();
    let previous = call.asked("previous") == Some("true");
    let key = (pod.to_owned(), container.to_owned(), previous);
    let Some(text) = cluster.logs.get(&key) else {
        let message = match previous {
            true => {
                format!("previous terminated container \"{container}\" in pod \"{pod}\" not found")
            }
            false => format!("container \"{container}\" in pod \"{pod}\" is waiting to start"),
        };
        return status(400, "BadRequest", &message);
    };
    let tail: usize = call
        .asked("tailLines")
        .map_or(usize::MAX, |n| n.parse().unwrap());
    let most: usize = call
        .asked("limitBytes")
        .map_or(usize::MAX, |n| n.parse().unwrap());
    assert_eq!(call.asked("timestamps"), Some("true"));
    let lines: Vec<&str> = text.lines().collect();
    let newest = &lines[lines.len().saturating_sub(tail)..];
    let mut text: String = newest.iter().map(|line| format!("{line}\n")).collect();
    text.truncate(most);
    Reply::plain(200, &text)
}
