//! How far a Deployment's rollout is, and who else keeps the Deployment as it is. Both are read off the
//! Deployment alone, the first by the rules of `kubectl rollout status`.

use super::object::{condition, count, entry, list, map, number, text, time};
use crate::model::Timestamp;
use crate::recover::error::shown;
use serde_json::Value;

/// How far a rollout is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rollout {
    /// The controller has not looked at the newest change.
    Unseen,
    /// Pods are being made or ended.
    Moving(String),
    /// All pods are of the newest revision, and not all are available.
    Unavailable(String),
    /// It made no progress within its deadline; since when.
    TimedOut(String, Option<Timestamp>),
    Complete(String),
}

/// How many pods it is meant to have.
pub(super) fn wanted(deployment: &Value) -> u32 {
    match number(deployment, "/spec/replicas") {
        None => 1,
        Some(_) => count(deployment, "/spec/replicas"),
    }
}

impl Rollout {
    pub fn of(deployment: &Value) -> Rollout {
        let generation = number(deployment, "/metadata/generation").unwrap_or(0);
        if number(deployment, "/status/observedGeneration").unwrap_or(0) < generation {
            return Rollout::Unseen;
        }
        let timed_out = condition(deployment, "Progressing")
            .filter(|one| text(one, "/reason") == Some("ProgressDeadlineExceeded"));
        if let Some(one) = timed_out {
            let said = text(one, "/message").unwrap_or("no progress within its deadline");
            let at = time(one, "/lastUpdateTime").or(time(one, "/lastTransitionTime"));
            return Rollout::TimedOut(shown(said), at);
        }
        let wanted = wanted(deployment);
        let all = count(deployment, "/status/replicas");
        let updated = count(deployment, "/status/updatedReplicas");
        let available = count(deployment, "/status/availableReplicas");
        if updated < wanted {
            let said = format!("{updated} of {wanted} pods are of the newest revision");
            return Rollout::Moving(said);
        }
        if all > updated {
            let said = format!("{} pods that are too many are being ended", all - updated);
            return Rollout::Moving(said);
        }
        if available < updated {
            let said =
                format!("{available} of {updated} pods of the newest revision are available");
            return Rollout::Unavailable(said);
        }
        Rollout::Complete(format!(
            "all {wanted} pods are of the newest revision and available"
        ))
    }

    /// What is said of a deploy that is under way.
    pub fn deploying(&self, deployment: &Value) -> Option<String> {
        match self {
            Rollout::Unseen => Some("the newest change has not been taken up".to_owned()),
            Rollout::Moving(said) => Some(said.clone()),
            // Once a rollout was complete, pods that fail are no rollout.
            Rollout::Unavailable(said) => {
                let reason = condition(deployment, "Progressing").and_then(|c| text(c, "/reason"));
                (reason != Some("NewReplicaSetAvailable")).then(|| said.clone())
            }
            Rollout::TimedOut(..) | Rollout::Complete(_) => None,
        }
    }

    pub fn failed(&self) -> Option<String> {
        match self {
            Rollout::TimedOut(said, _) => Some(said.clone()),
            Rollout::Unseen
            | Rollout::Moving(_)
            | Rollout::Unavailable(_)
            | Rollout::Complete(_) => None,
        }
    }
}

/// Names under which GitOps controllers write to objects.
const WRITERS: [(&str, &str); 4] = [
    ("argocd-controller", "Argo CD"),
    ("argocd-application-controller", "Argo CD"),
    ("kustomize-controller", "Flux"),
    ("helm-controller", "Flux"),
];

/// Who would undo a change of the Deployment.
pub(super) fn kept_by(deployment: &Value) -> Option<String> {
    let (labels, annotations) = ("/metadata/labels", "/metadata/annotations");
    let either = |name: &str| {
        entry(deployment, annotations, name).or_else(|| entry(deployment, labels, name))
    };
    let argo = |key: &String| key.starts_with("argocd.argoproj.io/");
    let has_argo = [labels, annotations]
        .iter()
        .any(|path| map(deployment, path).is_some_and(|all| all.keys().any(argo)));
    if has_argo || either("app.kubernetes.io/managed-by") == Some("argocd") {
        let name = either("argocd.argoproj.io/instance")
            .or_else(|| either("argocd.argoproj.io/tracking-id")?.split(':').next())
            .or_else(|| either("app.kubernetes.io/instance"));
        return Some(named("Argo CD", name));
    }
    for (prefix, what) in [
        ("kustomize.toolkit.fluxcd.io/name", "Flux, Kustomization"),
        ("helm.toolkit.fluxcd.io/name", "Flux, HelmRelease"),
    ] {
        if let Some(name) = either(prefix) {
            return Some(named(what, Some(name)));
        }
    }
    for one in list(deployment, "/metadata/managedFields") {
        let manager = text(one, "/manager").unwrap_or_default();
        let known = WRITERS.iter().find(|(writer, _)| *writer == manager);
        if let Some((writer, who)) = known.filter(|_| text(one, "/subresource").is_none()) {
            return Some(format!("{who}, which wrote it as {writer}"));
        }
    }
    let mut owners = list(deployment, "/metadata/ownerReferences").iter();
    if let Some(owner) = owners.find(|owner| owner.get("controller") == Some(&Value::Bool(true))) {
        let kind = shown(text(owner, "/kind").unwrap_or("an object"));
        return Some(named(
            &format!("the controller of {kind}"),
            text(owner, "/name"),
        ));
    }
    let paused = deployment.pointer("/spec/paused") == Some(&Value::Bool(true));
    paused.then(|| "whoever paused its rollout".to_owned())
}

fn named(who: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{who} {}", shown(name)),
        None => who.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(status: Value) -> Value {
        json!({"metadata": {"generation": 4}, "spec": {"replicas": 3}, "status": status})
    }

    fn status(all: u32, updated: u32, available: u32, reason: &str) -> Value {
        deployment(json!({
            "observedGeneration": 4, "replicas": all, "updatedReplicas": updated,
            "availableReplicas": available,
            "conditions": [{"type": "Available", "status": "True", "reason": "x"},
                {"type": "Progressing", "status": "True", "reason": reason}],
        }))
    }

    #[test]
    fn a_rollout_is_judged_as_kubectl_judges_it() {
        let (going, done) = ("ReplicaSetUpdated", "NewReplicaSetAvailable");
        for (object, deploying) in [
            (
                deployment(json!({})),
                Some("the newest change has not been taken up"),
            ),
            (
                deployment(json!({"observedGeneration": 3})),
                Some("the newest change has not been taken up"),
            ),
            (
                status(3, 1, 3, going),
                Some("1 of 3 pods are of the newest revision"),
            ),
            (
                status(4, 3, 3, going),
                Some("1 pods that are too many are being ended"),
            ),
            (
                status(3, 3, 2, going),
                Some("2 of 3 pods of the newest revision are available"),
            ),
            // It was complete once: pods that fail later are no deploy.
            (status(3, 3, 2, done), None),
            (status(3, 3, 3, done), None),
            (status(3, 1, 2, "ProgressDeadlineExceeded"), None),
        ] {
            let rollout = Rollout::of(&object);
            assert_eq!(rollout.deploying(&object).as_deref(), deploying, "{object}");
            let failed = matches!(rollout, Rollout::TimedOut(..));
            assert_eq!(rollout.failed().is_some(), failed);
        }
        // A Deployment without a number wants one pod.
        assert_eq!(wanted(&json!({"spec": {}})), 1);
        assert_eq!(wanted(&json!({"spec": {"replicas": 0}})), 0);
    }

    #[test]
    fn who_keeps_a_deployment_is_told_from_who_only_made_it() {
        let labels = |key: &str, value: &str| json!({"metadata": {"labels": {key: value}}});
        let notes = |key: &str, value: &str| json!({"metadata": {"annotations": {key: value}}});
        let wrote = |manager: &str| json!({"metadata": {"managedFields": [{"manager": manager}]}});
        for (object, keeper) in [
            (
                labels("argocd.argoproj.io/instance", "shop"),
                "Argo CD shop",
            ),
            (
                notes("argocd.argoproj.io/tracking-id", "shop:apps/Deployment:x/y"),
                "Argo CD shop",
            ),
            (notes("argocd.argoproj.io/sync-wave", "2"), "Argo CD"),
            (labels("app.kubernetes.io/managed-by", "argocd"), "Argo CD"),
            (
                labels("kustomize.toolkit.fluxcd.io/name", "apps"),
                "Flux, Kustomization apps",
            ),
            (
                labels("helm.toolkit.fluxcd.io/name", "shop"),
                "Flux, HelmRelease shop",
            ),
            (
                wrote("argocd-controller"),
                "Argo CD, which wrote it as argocd-controller",
            ),
            (
                wrote("kustomize-controller"),
                "Flux, which wrote it as kustomize-controller",
            ),
            (
                wrote("helm-controller"),
                "Flux, which wrote it as helm-controller",
            ),
            (
                json!({"metadata": {"ownerReferences": [{"kind": "Shop", "name": "a", "controller": true}]}}),
                "the controller of Shop a",
            ),
            (
                json!({"spec": {"paused": true}}),
                "whoever paused its rollout",
            ),
        ] {
            assert_eq!(kept_by(&object).as_deref(), Some(keeper), "{object}");
        }
        for object in [
            json!({}),
            labels("app.kubernetes.io/instance", "shop"),
            labels("app.kubernetes.io/managed-by", "Helm"),
            wrote("kubectl-client-side-apply"),
            json!({"metadata": {"managedFields": [
                {"manager": "argocd-controller", "subresource": "status"}]}}),
            json!({"metadata": {"ownerReferences": [{"kind": "Shop", "name": "a"}]}}),
            json!({"spec": {"paused": false}}),
        ] {
            assert_eq!(kept_by(&object), None, "{object}");
        }
        let argo = json!({"metadata": {
            "labels": {"app.kubernetes.io/instance": "shop"},
            "annotations": {"argocd.argoproj.io/sync-options": "Prune=false"}}});
        assert_eq!(kept_by(&argo).as_deref(), Some("Argo CD shop"));
    }
}
