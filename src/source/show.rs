//! A commit as people read it: who, when, what they said, and its diff against its first parent,
//! bounded in files and bytes and by a deadline. Decides nothing about the change.

use crate::source::error::Error;
use crate::source::listing::Cut;
use crate::source::place::RepoPath;
use crate::source::read::CommitInfo;
use crate::source::repo::{Commit, Repo};
use git2::{Delta, DiffOptions, Patch};
use std::time::Instant;

/// Longest file of which a diff is made, in bytes.
const FILE: i64 = 1 << 20;

/// A commit and what it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub info: CommitInfo,
    pub files: Vec<ShownFile>,
    /// Files that it changed, or that lie under the path that was asked for.
    pub changed: usize,
    pub cut: Option<Cut>,
}

/// One file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownFile {
    pub path: String,
    /// Where it was before, if elsewhere.
    pub from: Option<String>,
    /// `added`, `deleted`, `changed`, `renamed`.
    pub did: &'static str,
    /// Hunks as git prints them. Empty where there is no text to show.
    pub diff: String,
    /// Why there is none, or not all of it.
    pub why: Option<&'static str>,
}

impl Repo {
    /// Shows a commit; with a path only what it did there.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn show(
        &self,
        commit: Commit,
        path: Option<&RepoPath>,
        bytes: usize,
        deadline: Instant,
    ) -> Result<Shown, Error> {
        let found = self.git.find_commit(commit.0)?;
        let parent = match found.parent_count() {
            0 => None,
            // A shallow history ends here, as a first commit does.
            _ => found
                .parent(0)
                .ok()
                .map(|parent| parent.tree())
                .transpose()?,
        };
        let mut options = DiffOptions::new();
        options
            .context_lines(3)
            .max_size(FILE)
            .indent_heuristic(true)
            .disable_pathspec_match(true);
        if let Some(path) = path.filter(|path| !path.is_top()) {
            options.pathspec(path.as_str());
        }
        let tree = found.tree()?;
        let mut diff =
            self.git
                .diff_tree_to_tree(parent.as_ref(), Some(&tree), Some(&mut options))?;
        // Pairing renames costs by the square of the files.
        if diff.deltas().len() <= 200 {
            diff.find_similar(None)?;
        }
        let mut shown = Shown {
            info: self.info(commit)?,
            files: Vec::new(),
            changed: diff.deltas().len(),
            cut: None,
        };
        let mut left = bytes;
        for at in 0..shown.changed {
            if Instant::now() >= deadline {
                shown.cut = Some(Cut::Time);
                break;
            }
            if left == 0 {
                shown.cut = Some(Cut::Bytes);
                break;
            }
            let Some(mut file) = about(&diff, at) else {
                continue;
            };
            text(&diff, at, &mut file, left)?;
            left = left.saturating_sub(file.diff.len() + file.path.len() + 16);
            shown.files.push(file);
        }
        Ok(shown)
    }
}

fn about(diff: &git2::Diff<'_>, at: usize) -> Option<ShownFile> {
    let delta = diff.get_delta(at)?;
    let name = |file: git2::DiffFile<'_>| {
        let bytes = file.path_bytes()?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    };
    let (old, new) = (name(delta.old_file()), name(delta.new_file()));
    let did = match delta.status() {
        Delta::Added => "added",
        Delta::Deleted => "deleted",
        Delta::Renamed => "renamed",
        Delta::Copied => "copied",
        Delta::Modified
        | Delta::Typechange
        | Delta::Unmodified
        | Delta::Ignored
        | Delta::Untracked
        | Delta::Unreadable
        | Delta::Conflicted => "changed",
    };
    let path = new.clone().or_else(|| old.clone())?;
    Some(ShownFile {
        from: old.filter(|old| *old != path && matches!(did, "renamed" | "copied")),
        path,
        did,
        diff: String::new(),
        why: None,
    })
}

fn text(diff: &git2::Diff<'_>, at: usize, file: &mut ShownFile, most: usize) -> Result<(), Error> {
    let Some(mut patch) = Patch::from_diff(diff, at)? else {
        file.why = Some("binary, or too long to compare");
        return Ok(());
    };
    if patch.delta().flags().is_binary() {
        file.why = Some("binary, or too long to compare");
        return Ok(());
    }
    let whole = patch.to_buf()?;
    let whole = String::from_utf8_lossy(&whole);
    // What comes before the first hunk says what stands in the other fields.
    let Some(from) = whole.find("\n@@ ") else {
        file.why = Some("only its name or mode changed");
        return Ok(());
    };
    let hunks = whole.get(from + 1..).unwrap_or_default();
    let end = hunks.floor_char_boundary(most);
    let end = match end == hunks.len() {
        true => end,
        false => {
            file.why = Some("the rest of its diff is cut");
            let head = hunks.get(..end).unwrap_or_default();
            head.rfind('\n').map_or(end, |at| at + 1)
        }
    };
    hunks
        .get(..end)
        .unwrap_or_default()
        .clone_into(&mut file.diff);
    Ok(())
}
