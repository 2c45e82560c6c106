//! A change carried from the commit it was made on to another one: the end of a branch, the
//! three-way merge in memory, and which commit made a text become what it is. Whether the result
//! may be a patch is for `patch` to say.

use crate::source::diff::Edit;
use crate::source::error::{Error, ErrorKind};
use crate::source::export::Snapshot;
use crate::source::read::is_regular;
use crate::source::repo::{Commit, Repo};
use git2::{MergeOptions, Oid, Sort, Tree};
use std::path::Path;

/// Most commits that are looked at for the one that changed a text.
const COMMIT_LIMIT: usize = 5_000;
/// Most files that a merge may differ in from where it goes to.
const FILE_LIMIT: usize = 200;

/// What became of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// What is to be edited on the target. Empty: it has all of it.
    Clean(Vec<Edit>),
    /// Paths in which both sides changed the same lines.
    Collides(Vec<String>),
}

impl Repo {
    /// Brings a mirror up to date, unless that was just done. A local repository is as it is.
    ///
    /// # Errors
    /// What fetching may meet.
    pub fn refresh(&self) -> Result<(), Error> {
        if let Some(refetch) = self.refetch().filter(|refetch| !refetch.is_fresh()) {
            for note in refetch.run(self.deadline())? {
                self.note(note);
            }
        }
        Ok(())
    }

    /// The end of a branch, or of the default one: of a mirror, what its server calls so; of a
    /// local repository, what `origin` calls so, else what is checked out.
    ///
    /// # Errors
    /// `UnknownCommit` where there is no such branch.
    pub fn tip(&self, branch: Option<&str>) -> Result<Commit, Error> {
        let Some(branch) = branch else {
            return self.default_tip();
        };
        for place in ["refs/heads/", "refs/remotes/origin/"] {
            let found = self.git.find_reference(&format!("{place}{branch}"));
            if let Ok(commit) = found.and_then(|found| found.peel_to_commit()) {
                return Ok(Commit(commit.id()));
            }
        }
        let what = format!("repository {} has no branch {branch:?}", self.name());
        Err(Error::new(ErrorKind::UnknownCommit, what))
    }

    fn default_tip(&self) -> Result<Commit, Error> {
        if self.refetch().is_none()
            && let Ok(head) = self.git.find_reference("refs/remotes/origin/HEAD")
            && let Ok(commit) = head.peel_to_commit()
        {
            return Ok(Commit(commit.id()));
        }
        self.head().map_err(|_| {
            let what = format!(
                "what the default branch of {} is cannot be told: name it",
                self.name()
            );
            Error::new(ErrorKind::UnknownCommit, what)
        })
    }

    /// What `changed`, made on top of `base`, comes to on top of another commit. Renames on
    /// the way there are followed.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn carry(&self, base: Commit, changed: Snapshot, onto: Commit) -> Result<Carried, Error> {
        let ancestor = self.git.find_commit(base.0)?.tree()?;
        let ours = self.git.find_commit(onto.0)?.tree()?;
        let theirs = self.git.find_tree(changed.0)?;
        let mut options = MergeOptions::new();
        options.find_renames(true).target_limit(500);
        let merged = self
            .git
            .merge_trees(&ancestor, &ours, &theirs, Some(&options));
        let mut merged = merged?;
        if merged.has_conflicts() {
            let mut paths = Vec::new();
            for conflict in merged.conflicts()? {
                let conflict = conflict?;
                let sides = [conflict.our, conflict.their, conflict.ancestor];
                let path = sides.into_iter().flatten().next().map(|side| side.path);
                paths.extend(path.map(|path| String::from_utf8_lossy(&path).into_owned()));
            }
            paths.sort_unstable();
            paths.dedup();
            return Ok(Carried::Collides(paths));
        }
        let merged = self.git.find_tree(merged.write_tree_to(&self.git)?)?;
        self.edits_between(&ours, &merged).map(Carried::Clean)
    }

    fn edits_between(&self, old: &Tree<'_>, new: &Tree<'_>) -> Result<Vec<Edit>, Error> {
        let diff = self.git.diff_tree_to_tree(Some(old), Some(new), None)?;
        if diff.deltas().len() > FILE_LIMIT {
            let what = format!("the merge would touch more than {FILE_LIMIT} files");
            return Err(Error::new(ErrorKind::TooLarge, what));
        }
        let mut edits = Vec::new();
        for delta in diff.deltas() {
            let (before, after) = (delta.old_file(), delta.new_file());
            let path = after.path().or_else(|| before.path());
            let Some(path) = path.and_then(Path::to_str) else {
                let what = "the merge touches a file whose name is not UTF-8";
                return Err(Error::new(ErrorKind::Git, what));
            };
            let mode = i32::from(after.mode());
            let content = match after.exists() {
                true if is_regular(mode) => {
                    let content = self.blob(after.id(), path)?;
                    let long = || Error::new(ErrorKind::TooLarge, format!("{path} is too long"));
                    Some(content.ok_or_else(long)?)
                }
                true => {
                    let what = format!("{path} is no regular file");
                    return Err(Error::new(ErrorKind::Git, what));
                }
                false => None,
            };
            edits.push(Edit {
                path: path.to_owned(),
                content,
                new_mode: mode,
            });
        }
        Ok(edits)
    }

    /// The newest commit after `base`, up to `head`, that made a file such that `holds` is true
    /// of it, where its parents' were not. `None`: no single commit did within the limits.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn became(
        &self,
        base: Commit,
        head: Commit,
        path: &str,
        holds: &dyn Fn(Option<&[u8]>) -> bool,
    ) -> Result<Option<Commit>, Error> {
        let mut walk = self.git.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
        walk.push(head.0)?;
        walk.hide(base.0)?;
        for oid in walk.take(COMMIT_LIMIT) {
            if self.is_late() {
                return Ok(None);
            }
            let commit = self.git.find_commit(oid?)?;
            let id = self.id_at(commit.id(), path)?;
            let mut turned = commit.parent_count() > 0;
            for parent in commit.parent_ids() {
                // The cheap question first: most commits leave the file alone.
                let before = self.id_at(parent, path)?;
                turned &= before != id && !self.holds_at(parent, path, holds)?;
            }
            if turned && self.holds_at(commit.id(), path, holds)? {
                return Ok(Some(Commit(commit.id())));
            }
        }
        Ok(None)
    }

    fn holds_at(
        &self,
        commit: Oid,
        path: &str,
        holds: &dyn Fn(Option<&[u8]>) -> bool,
    ) -> Result<bool, Error> {
        Ok(holds(self.read_file(Commit(commit), path)?.as_deref()))
    }
}
