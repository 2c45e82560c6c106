//! Which resources there are, as `kubectl` asks before anything else.

use crate::host::Reply;
use serde_json::{Value, json};

pub fn answer(parts: &[&str]) -> Option<Reply> {
    let body = match parts {
        ["version"] => json!({"major": "1", "minor": "34", "gitVersion": "v1.34.0"}),
        ["api"] => json!({"kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": []}),
        ["apis"] => json!({"kind": "APIGroupList", "apiVersion": "v1",
            "groups": [group("apps", "v1"), group("autoscaling", "v2")]}),
        ["api", "v1"] => resources("v1", &[("pods", "Pod")], json!([])),
        ["apis", "apps", "v1"] => resources(
            "apps/v1",
            &[("deployments", "Deployment"), ("replicasets", "ReplicaSet")],
            json!([{"name": "deployments/scale", "singularName": "", "namespaced": true,
                "group": "autoscaling", "version": "v1", "kind": "Scale",
                "verbs": ["get", "patch", "update"]}]),
        ),
        ["apis", "autoscaling", "v2"] => resources(
            "autoscaling/v2",
            &[("horizontalpodautoscalers", "HorizontalPodAutoscaler")],
            json!([]),
        ),
        _ => return None,
    };
    Some(Reply::new(200, body))
}

fn group(name: &str, version: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/{version}"), "version": version});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

fn resources(version: &str, kinds: &[(&str, &str)], more: Value) -> Value {
    let of = |(name, kind): &(&str, &str)| {
        json!({"name": name, "singularName": kind.to_lowercase(), "namespaced": true,
            "kind": kind, "verbs": ["delete", "get", "list", "patch", "update", "watch"]})
    };
    let mut all: Vec<Value> = kinds.iter().map(of).collect();
    all.extend(more.as_array().unwrap().iter().cloned());
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
        "resources": all})
}
