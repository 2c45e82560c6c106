//! What the API server does with a change: the three kinds of patch, the scale subresource, versions
//! that must not be older than what is there, and what nobody may set.

use super::status;
use crate::host::{Call, Reply};
use serde_json::{Value, json};

type Changed = Result<Value, Reply>;

/// A Deployment after a patch.
pub fn patched(old: &Value, call: &Call) -> Changed {
    kept(old, patched_plain(old, call)?)
}

pub fn patched_plain(old: &Value, call: &Call) -> Changed {
    let mut new = old.clone();
    match call.header("content-type").unwrap_or_default() {
        // Lists are merged by their keys here and by nobody who patches annotations.
        "application/strategic-merge-patch+json" | "application/merge-patch+json" => {
            if !call.body.is_object() {
                return Err(status(400, "BadRequest", "the patch is no object"));
            }
            merge(&mut new, &call.body);
        }
        "application/json-patch+json" => {
            let Some(steps) = call.body.as_array() else {
                return Err(status(400, "BadRequest", "the patch is no array"));
            };
            for step in steps {
                apply(&mut new, step).map_err(|_| {
                    let message = "the server rejected our request due to an error in our request";
                    status(422, "Invalid", message)
                })?;
            }
        }
        _ => {
            let message = "the body of the request was in an unknown format";
            return Err(status(415, "UnsupportedMediaType", message));
        }
    }
    Ok(new)
}

fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch {
        match value {
            Value::Null => drop(into.as_object_mut().unwrap().shift_remove(key)),
            _ => merge(&mut into[key], value),
        }
    }
}

fn apply(object: &mut Value, step: &Value) -> Result<(), ()> {
    let path = step["path"].as_str().ok_or(())?;
    let (parent, key) = path.rsplit_once('/').ok_or(())?;
    let key = key.replace("~1", "/").replace("~0", "~");
    let there = object.pointer(path).cloned();
    let value = step.get("value").cloned();
    let parent = object
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .ok_or(())?;
    match (step["op"].as_str(), there, value) {
        (Some("test"), there, Some(value)) => {
            return (there == Some(value)).then_some(()).ok_or(());
        }
        (Some("replace"), Some(_), Some(value)) | (Some("add"), _, Some(value)) => {
            parent.insert(key, value);
        }
        (Some("remove"), Some(_), _) => drop(parent.shift_remove(&key)),
        _ => return Err(()),
    }
    Ok(())
}

/// What becomes of a Deployment that is written over another.
pub fn kept(old: &Value, mut new: Value) -> Changed {
    let (before, after) = (&old["metadata"], new["metadata"].clone());
    let version = &after["resourceVersion"];
    if !version.is_null() && *version != before["resourceVersion"] {
        let message = "Operation cannot be fulfilled on deployments.apps \"checkout\": the object \
                       has been modified; please apply your changes to the latest version and try again";
        return Err(status(409, "Conflict", message));
    }
    if after["uid"] != before["uid"] || after["name"] != before["name"] {
        let message = "Precondition failed: UID in precondition";
        return Err(status(409, "Conflict", message));
    }
    let invalid = |what: &str| {
        let message = format!("Deployment.apps \"checkout\" is invalid: {what}");
        Err(status(422, "Invalid", &message))
    };
    for (key, value) in new["spec"]["selector"]["matchLabels"].as_object().unwrap() {
        if new["spec"]["template"]["metadata"]["labels"][key] != *value {
            return invalid("`selector` does not match template `labels`");
        }
    }
    let containers = new["spec"]["template"]["spec"]["containers"].as_array();
    if containers.is_none_or(Vec::is_empty) {
        return invalid("spec.template.spec.containers: Required value");
    }
    if new["spec"]["selector"] != old["spec"]["selector"] {
        return invalid("spec.selector: field is immutable");
    }
    if new["spec"]["replicas"].as_i64().is_none_or(|n| n < 0) {
        return invalid("spec.replicas: must be greater than or equal to 0");
    }
    for key in ["creationTimestamp", "generation", "resourceVersion"] {
        new["metadata"][key] = before[key].clone();
    }
    new["status"] = old["status"].clone();
    if new["spec"] != old["spec"] {
        let next = before["generation"].as_u64().unwrap() + 1;
        new["metadata"]["generation"] = json!(next);
    }
    Ok(new)
}

pub fn scale_of(deployment: &Value) -> Value {
    let of = &deployment["metadata"];
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": of["name"], "namespace": of["namespace"], "uid": of["uid"],
            "resourceVersion": of["resourceVersion"],
            "creationTimestamp": of["creationTimestamp"]},
        "spec": {"replicas": deployment["spec"]["replicas"]},
        "status": {"replicas": deployment["status"]["replicas"], "selector": "app=checkout"},
    })
}

pub fn scaled(old: &Value, scale: &Value) -> Changed {
    let mut new = old.clone();
    new["spec"]["replicas"] = scale["spec"]["replicas"].clone();
    if !scale["metadata"]["resourceVersion"].is_null() {
        new["metadata"]["resourceVersion"] = scale["metadata"]["resourceVersion"].clone();
    }
    kept(old, new)
}
