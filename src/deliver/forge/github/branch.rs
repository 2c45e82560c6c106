//! A branch with one commit, made by the API alone: blobs, a tree on the base's, a commit on the
//! base commit, and last the ref, which is the lock. Everything before the ref is without effect,
//! so a call that was cut off is repeated from its beginning.

use super::Github;
use super::place::in_path;
use crate::deliver::forge::ours::{Whose, whose};
use crate::deliver::forge::{Branch, Error, ErrorKind};
use crate::model::delivery::Order;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Most files of one change; the gate takes far fewer.
const FILES: usize = 300;
/// Most bytes of one change.
const BYTES: usize = 32 << 20;

pub(super) fn make(github: &Github, order: &Order) -> Result<Branch, Error> {
    check(order)?;
    if let Some(tip) = tip(github, &order.branch)? {
        return judged(github, order, tip);
    }
    let commit = commit(github, order)?;
    let repo = github.branches();
    let body = json!({"ref": format!("refs/heads/{}", order.branch), "sha": commit});
    let made = github.post(&format!("{repo}/git/refs"), &body)?;
    if made.status == 422 && made.says("already exists") {
        return match tip(github, &order.branch)? {
            Some(tip) => judged(github, order, tip),
            None => Err(Error::new(
                ErrorKind::Unreachable,
                format!("the branch {} came and went", order.branch.escape_debug()),
            )),
        };
    }
    made.good("making the branch")?;
    Ok(Branch::Made { tip: commit })
}

/// What must not be sent at all.
fn check(order: &Order) -> Result<(), Error> {
    let invalid = |words: String| Err(Error::new(ErrorKind::Invalid, words));
    let commit = &order.base_commit;
    if commit.len() < 40 || !commit.bytes().all(|b| b.is_ascii_hexdigit()) {
        return invalid("the base commit is no full commit id".to_owned());
    }
    if order.files.is_empty() || order.files.len() > FILES {
        return invalid(format!(
            "{} files are changed; 1 to {FILES} can be",
            order.files.len()
        ));
    }
    let bytes = order.files.iter().flat_map(|file| &file.content);
    if bytes.map(Vec::len).sum::<usize>() > BYTES {
        return invalid(format!("the change is larger than {} MB", BYTES >> 20));
    }
    for file in &order.files {
        let shown = file.path.escape_debug();
        let path = file.path.to_ascii_lowercase();
        if path == ".github/workflows" || path.starts_with(".github/workflows/") {
            return invalid(format!(
                "{shown} is a workflow, which autofix never changes"
            ));
        }
        if !matches!(file.mode, 0o100_644 | 0o100_755) {
            return invalid(format!("{shown} is no plain file"));
        }
        let parts: Vec<&str> = path.split('/').collect();
        if parts
            .iter()
            .any(|part| matches!(*part, "" | "." | ".." | ".git"))
        {
            return invalid(format!("{shown} is no path inside a repository"));
        }
    }
    Ok(())
}

/// The newest commit of a branch, where there is one.
fn tip(github: &Github, branch: &str) -> Result<Option<String>, Error> {
    let path = format!(
        "{}/git/ref/{}",
        github.branches(),
        in_path(&format!("heads/{branch}"))
    );
    let answer = github.get(&path)?;
    match answer.status {
        404 => Ok(None),
        409 => Err(empty(github)),
        _ => {
            let answer = answer.good("looking for the branch")?;
            answer.text("/object/sha", "the ref's commit").map(Some)
        }
    }
}

fn empty(github: &Github) -> Error {
    let words = format!(
        "{} is an empty repository: push its first commit",
        github.branches()
    );
    Error::new(ErrorKind::Invalid, words)
}

/// Whose a branch is that was there.
fn judged(github: &Github, order: &Order, tip: String) -> Result<Branch, Error> {
    let path = format!("{}/git/commits/{}", github.branches(), in_path(&tip));
    let answer = github.get(&path)?.good("reading the branch's commit")?;
    let message = answer.text("/message", "the commit's message")?;
    let parents = answer.json["parents"].as_array().map_or(0, Vec::len);
    Ok(match whose(&order.message, &message, parents) {
        Whose::Ours { same } => Branch::Ours { tip, same },
        Whose::Theirs => Branch::Theirs { tip },
    })
}

/// The commit, which nothing points to yet.
fn commit(github: &Github, order: &Order) -> Result<String, Error> {
    let repo = github.branches();
    let path = format!("{repo}/git/commits/{}", order.base_commit);
    let base = github.get(&path)?;
    match base.status {
        409 => return Err(empty(github)),
        404 | 422 => {
            let words = format!(
                "{repo} has no commit {}, or the token may not see it: check that the deployed \
                 commit was pushed there (a fork is brought up to date with `Sync fork`) and that \
                 the token may read it",
                order.base_commit
            );
            return Err(Error::new(ErrorKind::Missing, words));
        }
        _ => {}
    }
    let base = base.good("reading the base commit")?;
    let base_tree = base.text("/tree/sha", "the base commit's tree")?;
    let mut entries = Vec::with_capacity(order.files.len());
    for file in &order.files {
        let blob = match &file.content {
            None => Value::Null,
            Some(bytes) => {
                let body = json!({"content": STANDARD.encode(bytes), "encoding": "base64"});
                let made = github.post(&format!("{repo}/git/blobs"), &body)?;
                if made.status == 409 {
                    return Err(empty(github));
                }
                let made = made.good("sending a file")?;
                Value::String(made.text("/sha", "the blob's id")?)
            }
        };
        entries.push(json!({
            "path": file.path,
            "mode": format!("{:06o}", file.mode),
            "type": "blob",
            "sha": blob,
        }));
    }
    let body = json!({"base_tree": base_tree, "tree": entries});
    let tree = github.post(&format!("{repo}/git/trees"), &body)?;
    let tree = tree
        .good("making the tree")?
        .text("/sha", "the tree's id")?;
    // Without author and committer: what an App commits is then shown as verified.
    let body = json!({"message": order.message, "tree": tree, "parents": [order.base_commit]});
    let commit = github.post(&format!("{repo}/git/commits"), &body)?;
    commit
        .good("making the commit")?
        .text("/sha", "the commit's id")
}
