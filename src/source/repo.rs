//! An open repository and the commits it may speak of. Everything is bounded by the deadline
//! given when it was opened, and what a limit cut is said in [`Repo::notes`].
//! Not here: where repositories come from (`mirror`), files (`read`), changes (`diff`).

use crate::model::CommitId;
use crate::source::error::{Error, ErrorKind};
use crate::source::mirror::Refetch;
use crate::source::texts::Texts;
use git2::{ErrorCode, ObjectType, Oid, Repository, RepositoryOpenFlags};
use std::cell::{Cell, RefCell};
use std::collections::{BinaryHeap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Most notes kept; they are few sentences, each said once.
const NOTE_LIMIT: usize = 50;

/// A commit that exists in the repository it was resolved in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Commit(pub(in crate::source) Oid);

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Commit {
    /// The first 12 digits, for people.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(12);
        text
    }
}

/// A repository opened for reading. What libgit2 writes while it merges stays in memory.
pub struct Repo {
    pub(in crate::source) git: Repository,
    name: String,
    deadline: Cell<Instant>,
    notes: RefCell<Vec<String>>,
    refetch: Option<Refetch>,
    /// What files beside the mirror begin with; none is written in a user's repository.
    beside: Option<Beside>,
    /// The texts that were searched last: searches of one commit share them.
    texts: RefCell<Option<Texts>>,
}

/// Where files beside a mirror go.
#[derive(Debug)]
pub(in crate::source) struct Beside {
    /// What their paths begin with.
    pub prefix: PathBuf,
    /// Most bytes of all of them, those of other repositories included.
    pub limit: u64,
}

impl Repo {
    /// Opens the repository in this very folder. `name`: what messages call it.
    pub(in crate::source) fn open(
        path: &Path,
        name: &str,
        deadline: Instant,
        refetch: Option<Refetch>,
        beside: Option<Beside>,
    ) -> Result<Repo, Error> {
        let none: [&Path; 0] = [];
        let git = Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, none)
            .map_err(|e| explain_open(path, name, &e))?;
        // Merges and new trees are objects too: this keeps them out of the user's repository.
        git.odb()?.add_new_mempack_backend(1_000)?;
        Ok(Repo {
            git,
            name: name.to_owned(),
            deadline: Cell::new(deadline),
            notes: RefCell::default(),
            refetch,
            beside,
            texts: RefCell::default(),
        })
    }

    /// Looks at the texts of a commit. What one look has read is there for the next.
    pub fn with_texts<T>(&self, commit: Commit, look: impl FnOnce(&mut Texts) -> T) -> T {
        let last = self.texts.take().filter(|texts| texts.commit() == commit);
        let mut texts = last.unwrap_or_else(|| Texts::of(self, commit));
        let done = look(&mut texts);
        self.texts.replace(Some(texts));
        done
    }

    /// Goes on with what a search has begun to keep, so that the next one is fast.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn finish_texts(&self, deadline: Instant) -> Result<(), Error> {
        let Some(mut texts) = self.texts.take() else {
            return Ok(());
        };
        let done = texts.finish(self, deadline);
        self.texts.replace(Some(texts));
        done
    }

    /// The path of a file that is kept beside the mirror; `None` where nothing is kept.
    pub(in crate::source) fn beside(&self, ending: &str) -> Option<PathBuf> {
        let prefix = &self.beside.as_ref()?.prefix;
        let mut name = prefix.file_name()?.to_owned();
        name.push(".");
        name.push(ending);
        Some(prefix.with_file_name(name))
    }

    /// Most bytes of what is kept beside mirrors.
    pub(in crate::source) fn kept_limit(&self) -> u64 {
        self.beside.as_ref().map_or(0, |beside| beside.limit)
    }

    /// The commit that these digits name, if an allowed branch contains it. `branches` are
    /// names or patterns with `*`; empty means any branch or tag of the repository's own. A
    /// mirror is brought up to date when the commit is not there.
    ///
    /// # Errors
    /// `UnknownCommit`, `AmbiguousCommit`, `OutsideBranches`, and what fetching may meet.
    pub fn resolve(&self, id: &CommitId, branches: &[String]) -> Result<Commit, Error> {
        match (self.resolve_here(id, branches), &self.refetch) {
            (Err(e), Some(refetch))
                if matches!(
                    e.kind,
                    ErrorKind::UnknownCommit | ErrorKind::OutsideBranches
                ) && !refetch.is_fresh() =>
            {
                for note in refetch.run(self.deadline.get())? {
                    self.note(note);
                }
                self.resolve_here(id, branches)
            }
            (found, _) => found,
        }
    }

    fn resolve_here(&self, id: &CommitId, branches: &[String]) -> Result<Commit, Error> {
        let tips = self.tips(branches)?;
        match self.find(id)? {
            Found::One(commit) => {
                if self.walk_to(&tips, |oid| oid == commit)?.is_some() {
                    return Ok(Commit(commit));
                }
                Err(self.outside(id, branches, tips.is_empty()))
            }
            Found::Several => self.only_one(id, &tips),
            Found::None => Err(Error::new(
                ErrorKind::UnknownCommit,
                format!("repository {} has no commit {id}", self.name),
            )),
        }
    }

    /// The commit of these digits, wherever it is in the repository.
    pub fn lookup(&self, id: &CommitId) -> Option<Commit> {
        match self.find(id) {
            Ok(Found::One(oid)) => Some(Commit(oid)),
            Ok(Found::Several | Found::None) | Err(_) => None,
        }
    }

    fn find(&self, id: &CommitId) -> Result<Found, Error> {
        let object = if id.as_str().len() == 40 {
            let oid = Oid::from_str(id.as_str())?;
            self.git.find_object(oid, None)
        } else {
            match self.git.find_commit_by_prefix(id.as_str()) {
                Ok(commit) => return Ok(Found::One(commit.id())),
                Err(e) => Err(e),
            }
        };
        match object {
            Ok(object) => Ok(match object.peel(ObjectType::Commit) {
                Ok(commit) => Found::One(commit.id()),
                Err(_) => Found::None,
            }),
            Err(e) if e.code() == ErrorCode::Ambiguous => Ok(Found::Several),
            Err(e) if e.code() == ErrorCode::NotFound => Ok(Found::None),
            Err(e) => Err(e.into()),
        }
    }

    /// Few digits can name a commit and other objects; among allowed commits one may remain.
    fn only_one(&self, id: &CommitId, tips: &[Oid]) -> Result<Commit, Error> {
        let mut matches = Vec::new();
        self.walk_to(tips, |oid| {
            if oid.to_string().starts_with(id.as_str()) {
                matches.push(oid);
            }
            matches.len() > 1
        })?;
        match matches[..] {
            [only] => Ok(Commit(only)),
            _ => Err(Error::new(
                ErrorKind::AmbiguousCommit,
                format!(
                    "{id} is not one commit in {}: give more of its digits",
                    self.name
                ),
            )),
        }
    }

    fn outside(&self, id: &CommitId, branches: &[String], no_tips: bool) -> Error {
        let which = if branches.is_empty() {
            "any branch or tag".to_owned()
        } else {
            format!("the allowed branches ({})", branches.join(", "))
        };
        let hint = if no_tips && !branches.is_empty() {
            "; none of them exists"
        } else {
            ""
        };
        Error::new(
            ErrorKind::OutsideBranches,
            format!(
                "commit {id} of {} cannot be reached from {which}{hint}",
                self.name
            ),
        )
    }

    /// The commits at the ends of the allowed branches.
    fn tips(&self, branches: &[String]) -> Result<Vec<Oid>, Error> {
        let mut tips = Vec::new();
        for reference in self.git.references()? {
            let Ok(reference) = reference else { continue };
            let Ok(name) = reference.name() else { continue };
            if is_allowed(name, branches)
                && let Ok(commit) = reference.peel_to_commit()
            {
                tips.push(commit.id());
            }
        }
        // A build's checkout often has nothing but a detached HEAD.
        if branches.is_empty()
            && self.refetch.is_none()
            && let Ok(head) = self.head()
        {
            tips.push(head.0);
        }
        tips.sort_unstable();
        tips.dedup();
        Ok(tips)
    }

    /// Walks from the tips, the newest commit first, to the first one that the test accepts.
    fn walk_to(
        &self,
        tips: &[Oid],
        mut test: impl FnMut(Oid) -> bool,
    ) -> Result<Option<Oid>, Error> {
        let mut seen = HashSet::new();
        let mut queue = BinaryHeap::new();
        for tip in tips {
            if seen.insert(*tip) {
                queue.push((self.git.find_commit(*tip)?.time().seconds(), *tip));
            }
        }
        while let Some((_, oid)) = queue.pop() {
            if test(oid) {
                return Ok(Some(oid));
            }
            self.check_deadline()?;
            for parent in self.git.find_commit(oid)?.parent_ids() {
                // A shallow history names parents that are not there.
                if seen.insert(parent)
                    && let Ok(parent) = self.git.find_commit(parent)
                {
                    queue.push((parent.time().seconds(), parent.id()));
                }
            }
        }
        Ok(None)
    }

    /// Whether a commit is this one or in its history.
    ///
    /// # Errors
    /// When the deadline passes first, or of a damaged repository.
    pub fn is_in_history(&self, commit: Commit, of: Commit) -> Result<bool, Error> {
        Ok(self.walk_to(&[of.0], |oid| oid == commit.0)?.is_some())
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// In a repository without commits.
    pub fn head(&self) -> Result<Commit, Error> {
        let head = self.git.head().and_then(|head| head.peel_to_commit());
        match head {
            Ok(commit) => Ok(Commit(commit.id())),
            Err(_) => Err(Error::new(
                ErrorKind::UnknownCommit,
                format!("repository {} has no commit yet", self.name),
            )),
        }
    }

    /// What brings it up to date; a local repository has none.
    pub(in crate::source) fn refetch(&self) -> Option<&Refetch> {
        self.refetch.as_ref()
    }

    /// Whether part of the history is missing.
    pub fn is_shallow(&self) -> bool {
        self.git.is_shallow()
    }

    /// What limits cut so far, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }

    /// Adds a sentence to [`Repo::notes`], once.
    pub(in crate::source) fn note(&self, note: String) {
        let mut notes = self.notes.borrow_mut();
        if notes.len() < NOTE_LIMIT && !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// How the repository is called in messages: its path or address, without credentials.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets the time for everything that follows.
    pub fn set_deadline(&self, deadline: Instant) {
        self.deadline.set(deadline);
    }

    /// The time that was set.
    pub fn deadline(&self) -> Instant {
        self.deadline.get()
    }

    pub(in crate::source) fn is_late(&self) -> bool {
        Instant::now() >= self.deadline.get()
    }

    pub(in crate::source) fn check_deadline(&self) -> Result<(), Error> {
        if self.is_late() {
            return Err(Error::new(
                ErrorKind::Deadline,
                format!("no time left for reading {}", self.name),
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repo").field("name", &self.name).finish()
    }
}

enum Found {
    One(Oid),
    Several,
    None,
}

/// The top folder of the repository that a path lies in.
pub fn top_of(path: &Path) -> Option<PathBuf> {
    let git = Repository::discover(path).ok()?;
    let top = git.workdir().unwrap_or_else(|| git.path());
    Some(top.to_path_buf())
}

/// Whether a reference is one of the branches, or with none named, a branch or tag of the
/// repository's own. Other people's proposals that a checkout may hold are not.
fn is_allowed(reference: &str, branches: &[String]) -> bool {
    let branch = reference
        .strip_prefix("refs/heads/")
        .or_else(|| reference.strip_prefix("refs/remotes/origin/"));
    if branches.is_empty() {
        let foreign = ["pr/", "pull/", "merge-requests/"];
        return reference.starts_with("refs/tags/")
            || branch.is_some_and(|name| !foreign.iter().any(|f| name.starts_with(f)));
    }
    branches.iter().any(|pattern| {
        crate::source::glob::matches(pattern, reference)
            || branch.is_some_and(|name| crate::source::glob::matches(pattern, name))
    })
}

pub(super) fn explain_open(path: &Path, name: &str, e: &git2::Error) -> Error {
    match e.code() {
        ErrorCode::Owner => {
            let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
            Error::new(
                ErrorKind::NotOwner,
                format!(
                    "repository {name} belongs to another user than the one running autofix; \
                     give it to that user, or allow it with: \
                     git config --system --add safe.directory {}",
                    real.display()
                ),
            )
        }
        ErrorCode::NotFound if !path.exists() => Error::new(
            ErrorKind::NoRepository,
            format!("repository {name}: there is no such folder"),
        ),
        ErrorCode::NotFound => {
            let hint = match top_of(path) {
                Some(top) => format!("; the repository around it is {}", top.display()),
                None => String::new(),
            };
            Error::new(
                ErrorKind::NoRepository,
                format!("repository {name}: this folder is no git repository{hint}"),
            )
        }
        _ => Error::new(
            ErrorKind::Git,
            format!("repository {name}: {}", e.message()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_references_count_unless_branches_are_named() {
        for name in ["refs/heads/x", "refs/tags/v1", "refs/remotes/origin/main"] {
            assert!(is_allowed(name, &[]), "{name}");
        }
        for name in [
            "refs/remotes/fork/x",
            "refs/pull/1/head",
            "refs/remotes/origin/pr/7",
        ] {
            assert!(!is_allowed(name, &[]), "{name}");
        }
        let release = ["release/*".to_owned()];
        assert!(is_allowed("refs/heads/release/2", &release));
        assert!(!is_allowed("refs/heads/main", &release));
        assert!(!is_allowed("refs/tags/release/2", &release));
    }
}
