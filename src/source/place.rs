//! A path inside a repository, checked before anything is looked up, and what stands there at a
//! commit: a file, a folder, or something that is not followed. Not here: what is in it (`text`).

use crate::source::error::Error;
use crate::source::read::is_regular;
use crate::source::repo::{Commit, Repo};
use git2::{ObjectType, Oid};
use std::fmt;

/// Longest path, in bytes.
const LONGEST: usize = 1_024;

/// A path that names something inside the repository or nothing at all. The top folder is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoPath(String);

impl RepoPath {
    /// Reads a path as people and models write it: relative to the top folder, with `/`.
    ///
    /// # Errors
    /// A sentence with its remedy, which repeats nothing of the path.
    pub fn parse(text: &str) -> Result<RepoPath, &'static str> {
        let refuse = |why| Err(why);
        if text.len() > LONGEST {
            return refuse("the path is longer than 1024 bytes; give the path of one file");
        }
        if text.starts_with('/') {
            return refuse(
                "the path begins with /; give it relative to the repository's top folder",
            );
        }
        if text.contains('\\') {
            return refuse("the path holds a backslash; write it with /");
        }
        if text.contains(char::is_control) {
            return refuse(
                "the path holds a control character; files with such names are not read",
            );
        }
        let mut parts = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => return refuse("the path holds ..; it cannot leave the repository"),
                part => parts.push(part),
            }
        }
        // A drive, as another system writes it.
        if parts.first().is_some_and(|part| part.ends_with(':')) {
            return refuse("the path begins with a drive; give it relative to the repository");
        }
        Ok(RepoPath(parts.join("/")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the top folder.
    pub fn is_top(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stands {
    Nothing,
    Folder,
    File,
    /// At the path or at a folder above it; links are not followed.
    Symlink {
        at: RepoPath,
        target: String,
    },
    /// At the path or above it; another repository, whose files are not here.
    Submodule {
        at: RepoPath,
        commit: String,
    },
}

/// What stands there with its object.
pub(in crate::source) enum Found {
    Folder(Oid),
    File(Oid),
    Other(Stands),
}

/// Longest target of a link that is kept, in bytes.
const TARGET: usize = 300;

impl Repo {
    /// What stands at a path of a commit.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn stands(&self, commit: Commit, path: &RepoPath) -> Result<Stands, Error> {
        Ok(match self.find_at(commit, path)? {
            Found::Folder(_) => Stands::Folder,
            Found::File(_) => Stands::File,
            Found::Other(other) => other,
        })
    }

    pub(in crate::source) fn find_at(
        &self,
        commit: Commit,
        path: &RepoPath,
    ) -> Result<Found, Error> {
        let mut tree = self.git.find_commit(commit.0)?.tree()?;
        if path.is_top() {
            return Ok(Found::Folder(tree.id()));
        }
        let mut end = 0;
        for part in path.0.split('/') {
            end += part.len() + usize::from(end > 0);
            let so_far = || RepoPath(path.0.get(..end).unwrap_or(&path.0).to_owned());
            let last = end == path.0.len();
            let Some(entry) = tree.get_name(part) else {
                return Ok(Found::Other(Stands::Nothing));
            };
            let (id, mode) = (entry.id(), entry.filemode());
            match entry.kind() {
                Some(ObjectType::Tree) if last => return Ok(Found::Folder(id)),
                Some(ObjectType::Tree) => {
                    drop(entry);
                    tree = self.git.find_tree(id)?;
                }
                Some(ObjectType::Blob) if is_regular(mode) && last => return Ok(Found::File(id)),
                Some(ObjectType::Blob) if is_regular(mode) => {
                    return Ok(Found::Other(Stands::Nothing));
                }
                Some(ObjectType::Blob) => {
                    return Ok(Found::Other(Stands::Symlink {
                        at: so_far(),
                        target: self.link_target(id)?,
                    }));
                }
                Some(ObjectType::Commit) => {
                    return Ok(Found::Other(Stands::Submodule {
                        at: so_far(),
                        commit: id.to_string(),
                    }));
                }
                Some(ObjectType::Tag | ObjectType::Any) | None => {
                    return Ok(Found::Other(Stands::Nothing));
                }
            }
        }
        Ok(Found::Other(Stands::Nothing))
    }

    fn link_target(&self, id: Oid) -> Result<String, Error> {
        let (size, _) = self.git.odb()?.read_header(id)?;
        if size > TARGET {
            return Ok(String::new());
        }
        let blob = self.git.find_blob(id)?;
        Ok(String::from_utf8_lossy(blob.content()).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_a_path_and_what_is_not() {
        for (text, path) in [
            ("src/a.py", "src/a.py"),
            ("./src//a.py", "src/a.py"),
            ("src/", "src"),
            ("", ""),
            (".", ""),
            ("..a/b..", "..a/b.."),
            ("a:b", "a:b"),
        ] {
            assert_eq!(RepoPath::parse(text).unwrap().as_str(), path, "{text}");
        }
        for text in [
            "/etc/passwd",
            "..",
            "a/../../b",
            "a/..",
            "a\\b",
            "a\0b",
            "a\nb",
            "C:/x",
            "//a",
        ] {
            let why = RepoPath::parse(text).unwrap_err();
            assert!(why.len() > 20, "{text:?}: {why}");
        }
        assert!(RepoPath::parse(&"a/".repeat(600)).is_err());
    }

    proptest! {
        /// Whatever is read stays below the top folder, and reads as itself again.
        #[test]
        fn no_path_leaves_the_repository(text in "[a./\\\\:\\x00\\PC]{0,40}") {
            if let Ok(path) = RepoPath::parse(&text) {
                let mut parts = path.as_str().split('/');
                prop_assert!(path.is_top() || parts.all(|part| !matches!(part, "" | "." | "..")));
                prop_assert!(!path.as_str().contains(['\\', '\0']));
                let again = RepoPath::parse(path.as_str()).unwrap();
                prop_assert_eq!(again, path);
            }
        }
    }
}
