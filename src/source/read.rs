//! What stands in a repository at a commit: files, paths, and who made the commit.
//! Not here: what changed between commits (`diff`, `history`).

use crate::model::Timestamp;
use crate::source::error::Error;
use crate::source::repo::{Commit, Repo};
use git2::{ErrorCode, ObjectType, Oid, TreeEntry};
use std::path::Path;

/// Longest file that is read, in bytes.
pub const FILE_LIMIT: usize = 4 << 20;
/// Most paths that are listed of one tree.
pub const PATH_LIMIT: usize = 400_000;
/// Longest commit message that is kept, in bytes.
const MESSAGE_LIMIT: usize = 16_384;

/// Who made a commit, when, and what they said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    pub commit: Commit,
    pub author: Option<String>,
    /// The committer's time: when it came to where it is.
    pub time: Timestamp,
    pub summary: String,
    pub message: String,
    pub parents: Vec<Commit>,
}

impl Repo {
    /// A file's bytes at a commit; `None` where there is no regular file of that name, or one
    /// longer than [`FILE_LIMIT`] (which is noted).
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn read_file(&self, commit: Commit, path: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.entry(commit, path)? {
            Some(entry) if is_regular(entry.filemode()) => self.blob(entry.id(), path),
            _ => Ok(None),
        }
    }

    /// A file's mode at a commit, as git writes it (`0o100644`).
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn mode(&self, commit: Commit, path: &str) -> Result<Option<i32>, Error> {
        Ok(self.entry(commit, path)?.map(|entry| entry.filemode()))
    }

    pub(in crate::source) fn entry(
        &self,
        commit: Commit,
        path: &str,
    ) -> Result<Option<TreeEntry<'static>>, Error> {
        if path.is_empty() || path.starts_with('/') || path.contains('\0') {
            return Ok(None);
        }
        let tree = self.git.find_commit(commit.0)?.tree()?;
        match tree.get_path(Path::new(path)) {
            Ok(entry) => Ok(Some(entry)),
            Err(e) if e.code() == ErrorCode::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    pub(in crate::source) fn blob(&self, id: Oid, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let (size, _) = self.git.odb()?.read_header(id)?;
        if size > FILE_LIMIT {
            self.note(format!(
                "{path} is longer than {FILE_LIMIT} bytes and was not read"
            ));
            return Ok(None);
        }
        Ok(Some(self.git.find_blob(id)?.content().to_vec()))
    }

    /// Every file's path at a commit, in git's order; names that are not UTF-8 are left out.
    ///
    /// # Errors
    /// When the deadline passes, or of a damaged repository.
    pub fn paths(&self, commit: Commit) -> Result<Vec<String>, Error> {
        let mut paths = Vec::new();
        let mut folders = vec![(String::new(), self.git.find_commit(commit.0)?.tree_id())];
        while let Some((folder, id)) = folders.pop() {
            self.check_deadline()?;
            let tree = self.git.find_tree(id)?;
            for entry in &tree {
                let Ok(name) = entry.name() else { continue };
                match entry.kind() {
                    Some(ObjectType::Blob) => paths.push(format!("{folder}{name}")),
                    Some(ObjectType::Tree) => {
                        folders.push((format!("{folder}{name}/"), entry.id()));
                    }
                    _ => {}
                }
            }
            if paths.len() > PATH_LIMIT {
                paths.truncate(PATH_LIMIT);
                self.note(format!(
                    "only {PATH_LIMIT} of the repository's paths were looked at"
                ));
                break;
            }
        }
        paths.sort_unstable();
        Ok(paths)
    }

    /// Who made a commit, when, and what they said.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn info(&self, commit: Commit) -> Result<CommitInfo, Error> {
        let found = self.git.find_commit(commit.0)?;
        let name = String::from_utf8_lossy(found.author().name_bytes()).into_owned();
        let bytes = found.message_bytes();
        let message = String::from_utf8_lossy(bytes.get(..MESSAGE_LIMIT).unwrap_or(bytes));
        let summary = found.summary_bytes().unwrap_or_default();
        Ok(CommitInfo {
            commit,
            author: (!name.is_empty()).then_some(name),
            time: Timestamp::from_parts(found.time().seconds(), 0),
            summary: String::from_utf8_lossy(summary.get(..300).unwrap_or(summary)).into_owned(),
            message: message.into_owned(),
            parents: found.parent_ids().map(Commit).collect(),
        })
    }

    /// When a commit came to where it is, in seconds since the epoch.
    pub(in crate::source) fn seconds(&self, commit: Commit) -> Result<i64, Error> {
        Ok(self.git.find_commit(commit.0)?.time().seconds())
    }
}

/// Whether a mode is that of a plain or executable file: no link, no submodule.
pub(in crate::source) fn is_regular(mode: i32) -> bool {
    mode & 0o170_000 == 0o100_000
}
