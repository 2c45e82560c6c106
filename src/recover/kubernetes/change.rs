//! The requests that change something, exactly as they are sent: the same code writes a plan and the
//! request. What is only known when it is sent stands in a plan in angle brackets.

use super::ask::{Ask, Right};
use super::deployment::annotations;
use super::object::TEMPLATE_HASH;
use super::place::Site;
use crate::net::Method;
use serde_json::{Value, json};

pub(super) const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
/// Who the API server is told writes.
const MANAGER: &str = "fieldManager=autofix";

const STRATEGIC: &str = "application/strategic-merge-patch+json";
const MERGE: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
const JSON: &str = "application/json";

/// A change of the Deployment, to be tried without effect first.
#[derive(Clone, Debug)]
pub(super) struct Change {
    url: String,
    right: Right,
    kind: &'static str,
    body: Value,
}

impl Change {
    /// The pods are made anew, since their template is another.
    pub fn restart(site: &Site, version: &str, at: &str) -> Change {
        Change {
            url: site.deployment(),
            right: Right::PATCH,
            kind: STRATEGIC,
            body: json!({
                "metadata": { "resourceVersion": version },
                "spec": { "template": { "metadata": { "annotations": { RESTARTED_AT: at } } } },
            }),
        }
    }

    pub fn rollback(site: &Site, version: &str, template: Value, annotations: Value) -> Change {
        Change {
            url: site.deployment(),
            right: Right::PATCH,
            kind: JSON_PATCH,
            body: json!([
                { "op": "test", "path": "/metadata/resourceVersion", "value": version },
                { "op": "replace", "path": "/spec/template", "value": template },
                { "op": "add", "path": "/metadata/annotations", "value": annotations },
            ]),
        }
    }

    pub fn scale(site: &Site, version: &str, to: u32) -> Change {
        Change {
            url: format!("{}/scale", site.deployment()),
            right: Right::SCALE,
            kind: MERGE,
            body: json!({
                "metadata": { "resourceVersion": version },
                "spec": { "replicas": to },
            }),
        }
    }

    /// `dry`: everything is checked as it would be, and nothing is kept.
    pub fn ask(&self, dry: bool) -> Ask {
        let dry = if dry { "&dryRun=All" } else { "" };
        Ask {
            method: Method::Patch,
            url: format!("{}?{MANAGER}{dry}", self.url),
            right: self.right,
            body: Some((self.kind, self.body.to_string())),
        }
    }
}

/// The template of a ReplicaSet as its Deployment had it.
pub(super) fn template_of(set: &Value) -> Option<Value> {
    let mut template = set.pointer("/spec/template")?.clone();
    if let Some(Value::Object(labels)) = template.pointer_mut("/metadata/labels") {
        labels.shift_remove(TEMPLATE_HASH);
    }
    Some(template)
}

/// The rollback to a ReplicaSet.
pub(super) fn rollback_to(
    site: &Site,
    version: &str,
    deployment: &Value,
    set: &Value,
) -> Option<Change> {
    let template = template_of(set)?;
    let annotations = annotations(deployment, set);
    Some(Change::rollback(site, version, template, annotations))
}

/// Ends this very pod and none that has its name later.
pub(super) fn removal(site: &Site, pod: &str, uid: &str) -> Ask {
    let body = json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": { "uid": uid },
    });
    Ask {
        method: Method::Delete,
        url: site.pod(pod),
        right: Right::DELETE_POD,
        body: Some((JSON, body.to_string())),
    }
}

/// A request in one line.
pub(super) fn line(ask: &Ask) -> String {
    let method = match ask.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    match &ask.body {
        None => format!("{method} {}", ask.url),
        Some((kind, text)) => format!("{method} {} {kind} {text}", ask.url),
    }
}
