//! The ReplicaSets of a Deployment as the releases that it can run.

use super::object::{entry, list, revision, text, time};
use super::pods::main_container;
use crate::model::CommitId;
use crate::model::recovery::Release;
use crate::recover::LISTED;
use crate::recover::error::shown;
use crate::registry::commit_of_image;
use serde_json::Value;

/// Where a pod's template may name the commit, the most exact first.
const NAMES: [&str; 2] = [
    "org.opencontainers.image.revision",
    "app.kubernetes.io/version",
];

/// Newest first. `current`: the Deployment's revision.
pub(super) fn releases(sets: &[Value], current: Option<u64>) -> Vec<Release> {
    let mut found: Vec<(u64, &Value)> = sets
        .iter()
        .filter_map(|set| Some((revision(set)?, set)))
        .collect();
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    found.truncate(LISTED);
    let release = |(number, set): (u64, &Value)| Release {
        id: number.to_string(),
        name: images(set),
        made: time(set, "/metadata/creationTimestamp"),
        current: Some(number) == current,
        commit: commit(set),
        good: None,
    };
    found.into_iter().map(release).collect()
}

fn images(set: &Value) -> String {
    let all = list(set, "/spec/template/spec/containers").iter();
    let names: Vec<&str> = all.filter_map(|one| text(one, "/image")).collect();
    shown(&names.join(", "))
}

fn commit(set: &Value) -> Option<CommitId> {
    let template = set.pointer("/spec/template")?;
    let main = main_container(template);
    let mut all = list(template, "/spec/containers").iter();
    let image = all
        .find(|one| text(one, "/name") == main)
        .and_then(|one| text(one, "/image"));
    image.and_then(commit_of_image).or_else(|| {
        NAMES.iter().find_map(|name| {
            let said = ["/metadata/annotations", "/metadata/labels"]
                .iter()
                .find_map(|path| entry(template, path, name))?;
            CommitId::parse(said).or_else(|| commit_of_image(said))
        })
    })
}
