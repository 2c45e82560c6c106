//! The files of a folder, or those of a pattern, at a commit. Bounded by a count and a deadline;
//! says which one cut it. Reads no file.

use crate::source::error::Error;
use crate::source::glob;
use crate::source::place::{Found, RepoPath, Stands};
use crate::source::read::is_regular;
use crate::source::repo::{Commit, Repo};
use git2::{ObjectType, Oid};
use std::time::Instant;

/// What one entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Folder,
    File { bytes: usize },
    Symlink,
    Submodule,
}

/// An entry, by its whole path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: String,
    pub kind: EntryKind,
}

/// What cut a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// More entries than were asked for.
    Count,
    /// More bytes than are given.
    Bytes,
    /// The deadline.
    Time,
}

/// Entries in git's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    pub entries: Vec<Entry>,
    pub cut: Option<Cut>,
    /// Entries whose names are not UTF-8, which are left out.
    pub unnamed: usize,
}

impl Repo {
    /// The entries of a folder: with a pattern all below it that fit, else its own. `Err` of the
    /// inner result says what stands there instead of a folder.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn list(
        &self,
        commit: Commit,
        folder: &RepoPath,
        pattern: Option<&str>,
        most: usize,
        deadline: Instant,
    ) -> Result<Result<Listing, Stands>, Error> {
        let id = match self.find_at(commit, folder)? {
            Found::Folder(id) => id,
            Found::File(_) => return Ok(Err(Stands::File)),
            Found::Other(other) => return Ok(Err(other)),
        };
        let mut way = Way {
            repo: self,
            pattern,
            most,
            deadline,
            found: Listing {
                entries: Vec::new(),
                cut: None,
                unnamed: 0,
            },
        };
        let prefix = match folder.is_top() {
            true => String::new(),
            false => format!("{folder}/"),
        };
        way.walk(prefix, id)?;
        Ok(Ok(way.found))
    }
}

struct Way<'a> {
    repo: &'a Repo,
    pattern: Option<&'a str>,
    most: usize,
    deadline: Instant,
    found: Listing,
}

/// One step of the walk: a folder that is still to be opened, or an entry.
enum Step {
    Open(String, Oid),
    Show(Entry),
}

impl Way<'_> {
    /// Depth first and in order, on a stack of its own: trees can be deep.
    fn walk(&mut self, prefix: String, id: Oid) -> Result<(), Error> {
        let mut steps = vec![Step::Open(prefix, id)];
        while let Some(step) = steps.pop() {
            match step {
                Step::Show(entry) if self.found.entries.len() < self.most => {
                    self.found.entries.push(entry);
                }
                Step::Show(_) => {
                    self.found.cut = Some(Cut::Count);
                    return Ok(());
                }
                Step::Open(prefix, id) => {
                    if Instant::now() >= self.deadline {
                        self.found.cut = Some(Cut::Time);
                        return Ok(());
                    }
                    let from = steps.len();
                    self.open(&prefix, id, &mut steps)?;
                    if let Some(new) = steps.get_mut(from..) {
                        new.reverse();
                    }
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, prefix: &str, id: Oid, steps: &mut Vec<Step>) -> Result<(), Error> {
        let odb = self.repo.git.odb()?;
        for entry in &self.repo.git.find_tree(id)? {
            let Ok(name) = entry.name() else {
                self.found.unnamed += 1;
                continue;
            };
            let path = format!("{prefix}{name}");
            let fits = self
                .pattern
                .is_none_or(|pattern| glob::matches(pattern, &path) || by_name(pattern, name));
            let kind = match entry.kind() {
                Some(ObjectType::Tree) => {
                    if self.pattern.is_some() {
                        steps.push(Step::Open(format!("{path}/"), entry.id()));
                        continue;
                    }
                    EntryKind::Folder
                }
                Some(ObjectType::Blob) if !is_regular(entry.filemode()) => EntryKind::Symlink,
                Some(ObjectType::Blob) if fits => EntryKind::File {
                    bytes: odb.read_header(entry.id())?.0,
                },
                Some(ObjectType::Commit) => EntryKind::Submodule,
                Some(ObjectType::Blob | ObjectType::Tag | ObjectType::Any) | None => continue,
            };
            if fits {
                steps.push(Step::Show(Entry { path, kind }));
            }
        }
        Ok(())
    }
}

/// A pattern without a slash is one for names.
fn by_name(pattern: &str, name: &str) -> bool {
    !pattern.contains('/') && glob::matches(pattern, name)
}
