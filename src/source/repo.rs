//! An open repository: commits, and the files at a commit. Everything is bounded by the
//! deadline given when it was opened, and what a limit cut is said in [`Repo::notes`].
//! Not here: where repositories come from (`mirror`), who changed a line (`history`).

use crate::model::CommitId;
use crate::source::error::{Error, ErrorKind};
use git2::{ErrorCode, Oid, Repository, RepositoryOpenFlags};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::Path;
use std::time::Instant;

/// Longest file that is read, in bytes.
pub const FILE_LIMIT: usize = 4 << 20;
/// Most paths that are listed of one tree.
pub const PATH_LIMIT: usize = 400_000;

/// A commit that exists in the repository it was resolved in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Commit(pub(in crate::source) Oid);

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A repository opened for reading. What libgit2 writes while it merges stays in memory.
pub struct Repo {
    pub(in crate::source) git: Repository,
    name: String,
    deadline: Cell<Instant>,
    notes: RefCell<Vec<String>>,
}

impl Repo {
    pub(in crate::source) fn open_local(path: &Path, deadline: Instant) -> Result<Repo, Error> {
        let none: [&Path; 0] = [];
        let git = Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, none)
            .map_err(|e| explain_open(path, &e))?;
        git.odb()?.add_new_mempack_backend(1_000)?;
        Ok(Repo {
            git,
            name: path.display().to_string(),
            deadline: Cell::new(deadline),
            notes: RefCell::default(),
        })
    }

    /// The commit that these digits name.
    ///
    /// # Errors
    /// `UnknownCommit`, `AmbiguousCommit`, `OutsideBranches`, and what fetching may meet.
    pub fn resolve(&self, id: &CommitId, branches: &[String]) -> Result<Commit, Error> {
        let _ = branches;
        match self.git.find_commit_by_prefix(id.as_str()) {
            Ok(commit) => Ok(Commit(commit.id())),
            Err(_) => Err(Error::new(
                ErrorKind::UnknownCommit,
                format!("repository {} has no commit {id}", self.name),
            )),
        }
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// In a repository without commits.
    pub fn head(&self) -> Result<Commit, Error> {
        Ok(Commit(self.git.head()?.peel_to_commit()?.id()))
    }

    /// A file's bytes at a commit; `None` where there is none, or no regular one, or a longer
    /// one than [`FILE_LIMIT`] (which is noted).
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn read_file(&self, commit: Commit, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let tree = self.git.find_commit(commit.0)?.tree()?;
        let entry = match tree.get_path(Path::new(path)) {
            Ok(entry) => entry,
            Err(e) if e.code() == ErrorCode::NotFound => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        match self.git.find_blob(entry.id()) {
            Ok(blob) => Ok(Some(blob.content().to_vec())),
            Err(_) => Ok(None),
        }
    }

    /// Every file's path at a commit.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn paths(&self, commit: Commit) -> Result<Vec<String>, Error> {
        let tree = self.git.find_commit(commit.0)?.tree()?;
        let mut paths = Vec::new();
        tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
            if entry.kind() == Some(git2::ObjectType::Blob)
                && let Ok(name) = entry.name()
            {
                paths.push(format!("{folder}{name}"));
            }
            git2::TreeWalkResult::Ok
        })?;
        Ok(paths)
    }

    /// What limits cut so far, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }

    /// How the repository is called in messages: its path or address.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Time for everything that follows.
    pub fn set_deadline(&self, deadline: Instant) {
        self.deadline.set(deadline);
    }
}

impl fmt::Debug for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repo").field("name", &self.name).finish()
    }
}

fn explain_open(path: &Path, e: &git2::Error) -> Error {
    let path = path.display();
    match e.code() {
        ErrorCode::Owner => Error::new(
            ErrorKind::NotOwner,
            format!(
                "repository {path} belongs to another user; allow it with: \
                 git config --global --add safe.directory {path}"
            ),
        ),
        ErrorCode::NotFound => Error::new(
            ErrorKind::NoRepository,
            format!("{path} is no git repository"),
        ),
        _ => Error::new(
            ErrorKind::Git,
            format!("repository {path}: {}", e.message()),
        ),
    }
}
