//! The gate that every diff passes: made here from changed files, applied to the deployed
//! commit in memory, checked against the rules about paths and size; what a model answers passes
//! many more (`gate`). Only this room can make an [`AcceptedPatch`]. Whether the change is a good
//! idea is decided elsewhere.

pub mod answer;
mod code;
pub mod files;
pub mod gate;
mod paths;
pub mod port;
pub mod verify;

use crate::source::diff::{Diffed, Edit, is_binary};
use crate::source::{Commit, Repo};
pub use paths::{Rules, protects};
use serde::Serialize;
use std::fmt;

/// Most lines that a patch may add and remove together.
pub const LINE_LIMIT: usize = 200;
/// Most files that a patch may touch.
pub const FILE_LIMIT: usize = 30;

/// A diff that applies to its commit and broke no rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcceptedPatch {
    text: String,
    /// Full id of the commit that it applies to.
    base: String,
    files: Vec<String>,
    added: usize,
    removed: usize,
}

impl AcceptedPatch {
    /// The diff in git's format, as `git apply` takes it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Full id of the commit that it applies to.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Paths that it touches, sorted.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Lines added.
    pub fn added(&self) -> usize {
        self.added
    }

    /// Lines removed.
    pub fn removed(&self) -> usize {
        self.removed
    }
}

/// Why a change is no patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub kind: RefusalKind,
    what: String,
}

/// What a caller can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// It touches what patches must not touch.
    Path,
    /// More than [`LINE_LIMIT`] lines or [`FILE_LIMIT`] files.
    Size,
    /// Nothing would change.
    Empty,
    /// It is not text, or would not apply.
    Unfit,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Refusal {}

fn refuse(kind: RefusalKind, what: impl Into<String>) -> Refusal {
    let what = what.into();
    Refusal { kind, what }
}

/// Makes the patch that turns a commit's files into the edited ones.
///
/// # Errors
/// When a rule forbids it or it would not apply.
pub fn accept(
    repo: &Repo,
    base: Commit,
    edits: &[Edit],
    rules: &Rules<'_>,
) -> Result<AcceptedPatch, Refusal> {
    for edit in edits {
        if let Some(why) = paths::forbids(&edit.path, rules) {
            return Err(refuse(RefusalKind::Path, why));
        }
        if edit.content.as_deref().is_some_and(is_binary) {
            let what = format!("{} is not text", edit.path);
            return Err(refuse(RefusalKind::Unfit, what));
        }
    }
    let diffed = repo
        .diff_edits(base, edits)
        .map_err(|e| refuse(RefusalKind::Unfit, e.to_string()))?;
    if diffed.files.is_empty() {
        return Err(refuse(RefusalKind::Empty, "it would change nothing"));
    }
    if let Some(what) = too_large(&diffed) {
        return Err(refuse(RefusalKind::Size, what));
    }
    Ok(AcceptedPatch {
        text: diffed.text,
        base: base.to_string(),
        files: diffed.files,
        added: diffed.added,
        removed: diffed.removed,
    })
}

/// What is too large about a diff.
fn too_large(diffed: &Diffed) -> Option<String> {
    let (lines, files) = (diffed.added + diffed.removed, diffed.files.len());
    if lines > LINE_LIMIT {
        return Some(format!(
            "it would change {lines} lines, more than {LINE_LIMIT}"
        ));
    }
    (files > FILE_LIMIT).then(|| format!("it would touch {files} files, more than {FILE_LIMIT}"))
}
