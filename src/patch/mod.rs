//! The gate that every diff passes: made here from changed files, checked against the deployed
//! commit and the rules about paths and size. Only this room can make an [`AcceptedPatch`].

use serde::Serialize;

/// A diff that applies to its commit and broke no rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcceptedPatch {
    text: String,
    files: Vec<String>,
    added: usize,
    removed: usize,
}

impl AcceptedPatch {
    /// The diff in git's format, as `git apply` takes it.
    pub fn text(&self) -> &str {
        &self.text
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
