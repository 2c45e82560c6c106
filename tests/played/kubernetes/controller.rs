//! The controllers behind the API server, a step at a time: ReplicaSets and their revisions, pods that
//! are made, get ready or end again and again, and what the Deployment's status says of all that.

use super::{Cluster, NAMESPACE};
use serde_json::{Value, json};

const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";

/// Marks a pod as one that ends.
pub fn end(pod: &mut Value) {
    if pod["metadata"]["deletionTimestamp"].is_null() {
        pod["metadata"]["deletionTimestamp"] = json!("2026-03-01T12:00:30Z");
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    }
}

fn bare(template: &Value) -> Value {
    let mut bare = template.clone();
    if let Some(labels) = bare["metadata"]["labels"].as_object_mut() {
        labels.shift_remove("pod-template-hash");
    }
    bare
}

fn number(object: &Value) -> u64 {
    let text = object["metadata"]["annotations"][REVISION].as_str();
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn owner(kind: &str, of: &Value) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": kind, "name": of["metadata"]["name"],
        "uid": of["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true}])
}

pub fn belongs(object: &Value, to: &Value) -> bool {
    object["metadata"]["ownerReferences"][0]["uid"] == to["metadata"]["uid"]
}

fn is_ending(pod: &Value) -> bool {
    !pod["metadata"]["deletionTimestamp"].is_null()
}

fn is_ready(pod: &Value) -> bool {
    pod["status"]["conditions"][0]["status"] == "True" && !is_ending(pod)
}

impl Cluster {
    /// Everything moves once.
    pub fn step(&mut self) {
        for at in 0..self.deployments.len() {
            let mut deployment = self.deployments[at].clone();
            let before = deployment.clone();
            self.move_on(&mut deployment);
            if deployment != before {
                self.stamp(&mut deployment);
                self.deployments[at] = deployment;
            }
        }
    }

    /// Until nothing moves.
    pub fn settle(&mut self) {
        for _ in 0..200 {
            let before = (
                self.deployments.clone(),
                self.sets.clone(),
                self.pods.clone(),
            );
            self.step();
            if before
                == (
                    self.deployments.clone(),
                    self.sets.clone(),
                    self.pods.clone(),
                )
            {
                return;
            }
        }
        panic!("it never settles");
    }

    /// The newest rollout has made no progress for too long.
    pub fn time_out(&mut self, name: &str, at: &str) {
        let deployment = self.deployment(name);
        deployment["status"]["conditions"] = json!([{"type": "Progressing", "status": "False",
            "reason": "ProgressDeadlineExceeded", "lastUpdateTime": at,
            "message": "ReplicaSet \"checkout\" has timed out progressing."}]);
    }

    fn move_on(&mut self, deployment: &mut Value) {
        let seen =
            deployment["status"]["observedGeneration"] == deployment["metadata"]["generation"];
        let new = self.newest_set(deployment);
        if !seen {
            deployment["status"]["observedGeneration"] =
                deployment["metadata"]["generation"].clone();
        }
        let old: Vec<Value> = self
            .sets
            .iter()
            .filter(|set| belongs(set, deployment))
            .cloned()
            .collect();
        let wanted = deployment["spec"]["replicas"].as_u64().unwrap() as usize;
        self.pods.retain(|pod| !is_ending(pod));
        let ours = |pod: &Value| old.iter().any(|set| belongs(pod, set));
        for pod in self.pods.iter_mut().filter(|pod| ours(pod)) {
            run(pod, &self.bad_images);
        }
        if seen {
            self.scale(&new, &old, wanted);
        }
        self.show(deployment, &new, &old, wanted);
    }

    /// The ReplicaSet with the Deployment's template, made or found again, under the newest number.
    fn newest_set(&mut self, deployment: &mut Value) -> Value {
        let template = bare(&deployment["spec"]["template"]);
        let ours = |set: &&mut Value| belongs(set, deployment);
        let most = self
            .sets
            .iter_mut()
            .filter(ours)
            .map(|set| number(set))
            .max();
        let most = most.unwrap_or(0);
        let mut ours = self.sets.iter_mut().filter(ours);
        let set = match ours.find(|set| bare(&set["spec"]["template"]) == template) {
            Some(set) if number(set) == most => set.clone(),
            Some(set) => {
                let had = set["metadata"]["annotations"][REVISION]
                    .as_str()
                    .unwrap()
                    .to_owned();
                let history = match set["metadata"]["annotations"][HISTORY].as_str() {
                    Some(before) => format!("{before},{had}"),
                    None => had,
                };
                set["metadata"]["annotations"][HISTORY] = json!(history);
                set["metadata"]["annotations"][REVISION] = json!((most + 1).to_string());
                set.clone()
            }
            None => self.new_set(deployment, &template, most + 1),
        };
        let revision = set["metadata"]["annotations"][REVISION].clone();
        deployment["metadata"]["annotations"][REVISION] = revision;
        set
    }

    fn new_set(&mut self, deployment: &Value, template: &Value, number: u64) -> Value {
        let name = deployment["metadata"]["name"].as_str().unwrap();
        let (name, uid) = self.new_name(name);
        let hash = name.rsplit('-').next().unwrap().to_owned();
        let mut template = template.clone();
        template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
        let mut annotations = deployment["metadata"]["annotations"].clone();
        annotations
            .as_object_mut()
            .unwrap()
            .shift_remove("kubectl.kubernetes.io/last-applied-configuration");
        annotations[REVISION] = json!(number.to_string());
        let mut selector = deployment["spec"]["selector"].clone();
        selector["matchLabels"]["pod-template-hash"] = json!(hash);
        let mut set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": name, "namespace": NAMESPACE, "uid": uid,
                "labels": template["metadata"]["labels"], "annotations": annotations,
                "creationTimestamp": format!("2026-03-01T11:{:02}:00Z", number % 60),
                "ownerReferences": owner("Deployment", deployment)},
            "spec": {"replicas": 0, "selector": selector, "template": template},
            "status": {"replicas": 0},
        });
        self.stamp(&mut set);
        self.sets.push(set.clone());
        set
    }

    /// One pod more of the newest revision, or one too many ends.
    fn scale(&mut self, new: &Value, all: &[Value], wanted: usize) {
        let live = |pod: &&mut Value| all.iter().any(|set| belongs(pod, set)) && !is_ending(pod);
        let of_new = self
            .pods
            .iter_mut()
            .filter(live)
            .filter(|pod| belongs(pod, new))
            .count();
        let total = self.pods.iter_mut().filter(live).count();
        let ready = self
            .pods
            .iter_mut()
            .filter(live)
            .filter(|pod| is_ready(pod))
            .count();
        if of_new < wanted && total <= wanted {
            let pod = self.new_pod(new);
            self.pods.push(pod);
            return;
        }
        let mut live = self.pods.iter_mut().filter(live);
        let too_many = match of_new > wanted {
            true => live.rfind(|pod| belongs(pod, new)),
            false => live.find(|pod| !belongs(pod, new) && (ready > wanted || !is_ready(pod))),
        };
        if let Some(pod) = too_many {
            end(pod);
        }
    }

    fn new_pod(&mut self, set: &Value) -> Value {
        let (name, uid) = self.new_name(set["metadata"]["name"].as_str().unwrap());
        let template = &set["spec"]["template"];
        let mut metadata = template["metadata"].clone();
        metadata["name"] = json!(name);
        metadata["namespace"] = json!(NAMESPACE);
        metadata["uid"] = json!(uid);
        metadata["creationTimestamp"] = json!("2026-03-01T11:00:00Z");
        metadata["ownerReferences"] = owner("ReplicaSet", set);
        let container = &template["spec"]["containers"][0];
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"],
            "status": {"phase": "Pending",
                "conditions": [{"type": "Ready", "status": "False"}],
                "containerStatuses": [{"name": container["name"], "image": container["image"],
                    "restartCount": 0, "ready": false, "started": false,
                    "state": {"waiting": {"reason": "ContainerCreating"}}, "lastState": {}}]},
        });
        self.stamp(&mut pod);
        pod
    }

    fn show(&self, deployment: &mut Value, new: &Value, all: &[Value], wanted: usize) {
        let live: Vec<&Value> = self
            .pods
            .iter()
            .filter(|pod| all.iter().any(|set| belongs(pod, set)) && !is_ending(pod))
            .collect();
        let updated = live.iter().filter(|pod| belongs(pod, new)).count();
        let ready = live.iter().filter(|pod| is_ready(pod)).count();
        let fresh = live
            .iter()
            .filter(|pod| belongs(pod, new) && is_ready(pod))
            .count();
        let status = &mut deployment["status"];
        let was = status["updatedReplicas"].as_u64().unwrap_or(0) as usize;
        status["replicas"] = json!(live.len());
        status["updatedReplicas"] = json!(updated);
        status["readyReplicas"] = json!(ready);
        status["availableReplicas"] = json!(ready);
        let reason = status["conditions"][0]["reason"]
            .as_str()
            .unwrap_or_default();
        let complete = updated == wanted && fresh == wanted && live.len() == wanted;
        let reason = match (complete, reason) {
            (true, _) => "NewReplicaSetAvailable",
            // A condition stays until there is progress.
            (false, "ProgressDeadlineExceeded") if updated <= was => return,
            (false, "NewReplicaSetAvailable") if updated == wanted && live.len() == wanted => {
                return;
            }
            (false, _) => "ReplicaSetUpdated",
        };
        status["conditions"] = json!([{"type": "Progressing", "status": "True", "reason": reason,
            "lastUpdateTime": "2026-03-01T11:30:00Z", "message": "played"}]);
    }
}

fn run(pod: &mut Value, bad: &[&str]) {
    let image = pod["spec"]["containers"][0]["image"]
        .as_str()
        .unwrap()
        .to_owned();
    if pod["status"]["containerStatuses"][0]["state"]["running"].is_object() {
        return;
    }
    let container = &mut pod["status"]["containerStatuses"][0];
    if bad.contains(&image.as_str()) {
        let ended = json!({"exitCode": 1, "reason": "Error", "startedAt": "2026-03-01T11:59:58Z",
            "finishedAt": "2026-03-01T12:00:00Z"});
        container["state"] = json!({"waiting": {"reason": "CrashLoopBackOff",
            "message": "back-off 5m0s restarting failed container"}});
        container["lastState"] = json!({"terminated": ended});
        container["restartCount"] = json!(5);
        pod["status"]["phase"] = json!("Running");
        return;
    }
    container["state"] = json!({"running": {"startedAt": "2026-03-01T11:00:05Z"}});
    container["ready"] = json!(true);
    container["started"] = json!(true);
    pod["status"]["phase"] = json!("Running");
    pod["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
}
