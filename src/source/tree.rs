//! The files of a repository at one commit, for `locate`: paths read once, texts as needed.

use crate::source::diff::is_binary;
use crate::source::error::Error;
use crate::source::locate::{Files, Shown};
use crate::source::repo::{Commit, Repo};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Instant;

/// Most bytes of text that are kept; beyond them files count as unreadable.
const TEXT_LIMIT: usize = 64 << 20;

/// One commit's files.
pub struct Tree<'r> {
    repo: &'r Repo,
    commit: Commit,
    paths: Vec<String>,
    texts: RefCell<HashMap<String, Option<String>>>,
    held: Cell<usize>,
}

impl<'r> Tree<'r> {
    /// # Errors
    /// When the deadline passes, or of a damaged repository.
    pub fn read(repo: &'r Repo, commit: Commit) -> Result<Tree<'r>, Error> {
        Ok(Tree {
            repo,
            commit,
            paths: repo.paths(commit)?,
            texts: RefCell::default(),
            held: Cell::new(0),
        })
    }

    /// The commit whose files these are.
    pub fn commit(&self) -> Commit {
        self.commit
    }

    fn load(&self, path: &str) -> Option<String> {
        if self.held.get() > TEXT_LIMIT || self.repo.is_late() {
            self.repo
                .note("not every file's text could be looked at".into());
            return None;
        }
        let bytes = self.repo.read_file(self.commit, path).ok()??;
        self.held.set(self.held.get() + bytes.len());
        let text = || String::from_utf8_lossy(&bytes).into_owned();
        (!is_binary(&bytes)).then(text)
    }
}

impl Files for Tree<'_> {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn text(&self, path: &str) -> Option<Cow<'_, str>> {
        if let Some(known) = self.texts.borrow().get(path) {
            return known.clone().map(Cow::Owned);
        }
        let text = self.load(path);
        self.texts
            .borrow_mut()
            .insert(path.to_owned(), text.clone());
        text.map(Cow::Owned)
    }

    fn passing(&self, path: &str) -> Option<Cow<'_, str>> {
        if let Some(known) = self.texts.borrow().get(path) {
            return known.clone().map(Cow::Owned);
        }
        let bytes = self.repo.read_file(self.commit, path).ok()??;
        (!is_binary(&bytes)).then(|| Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn each(&self, deadline: Instant, visit: &mut dyn FnMut(&str, &[u8])) -> Option<Shown> {
        let looked = self.repo.with_texts(self.commit, |texts| {
            texts.each(self.repo, deadline, &mut |text| {
                visit(text.path, text.bytes);
                ControlFlow::Continue(())
            })
        });
        let said = |fault| {
            self.repo
                .note(format!("not all texts could be read: {fault}"))
        };
        let looked = looked.map_err(said).ok()?;
        Some(Shown {
            reached: looked.reached,
            files: looked.files,
        })
    }
}
