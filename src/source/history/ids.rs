//! Which object stands at a path in one commit after another. Commits share most of their
//! folders, and what was found in one is known for all that have it. Follows nothing.

use crate::source::error::Error;
use crate::source::repo::Repo;
use git2::{ObjectType, Oid};
use std::cell::RefCell;
use std::collections::HashMap;

/// Folders of which the answer is kept.
const KEPT: usize = 8_192;

/// The object of a folder at the path that is left below it.
type Known = HashMap<(Oid, String), Option<(Oid, i32)>>;

pub(super) struct Ids<'r> {
    repo: &'r Repo,
    known: RefCell<Known>,
}

impl<'r> Ids<'r> {
    pub(super) fn new(repo: &'r Repo) -> Ids<'r> {
        Ids {
            repo,
            known: RefCell::default(),
        }
    }

    /// The object at a path, file or folder, with its mode; the tree itself for the top.
    pub(super) fn at(&self, commit: Oid, path: &str) -> Result<Option<(Oid, i32)>, Error> {
        let mut tree = self.repo.git.find_commit(commit)?.tree_id();
        if path.is_empty() {
            return Ok(Some((tree, 0o040_000)));
        }
        let mut passed = Vec::new();
        let mut left = path;
        let found = loop {
            let key = (tree, left.to_owned());
            if let Some(known) = self.known.borrow().get(&key) {
                break *known;
            }
            passed.push(key);
            let (name, rest) = match left.split_once('/') {
                Some((name, rest)) => (name, Some(rest)),
                None => (left, None),
            };
            let folder = self.repo.git.find_tree(tree)?;
            let Some(entry) = folder.get_name(name) else {
                break None;
            };
            match rest {
                None => break Some((entry.id(), entry.filemode())),
                Some(rest) if entry.kind() == Some(ObjectType::Tree) => {
                    (tree, left) = (entry.id(), rest);
                }
                Some(_) => break None,
            }
        };
        let mut known = self.known.borrow_mut();
        if known.len() > KEPT {
            known.clear();
        }
        known.extend(passed.into_iter().map(|key| (key, found)));
        Ok(found)
    }
}
