//! An answer on its way through the gates: the files that it touches, before and after, with
//! their trees, each made once. Finds no fault by itself.

use super::Ground;
use crate::patch::answer::{Answer, Change};
use crate::patch::code::tokens::Code;
use crate::patch::code::{Grammar, Unparsed, parse};
use crate::source::Tree;
use crate::source::diff::Diffed;
use std::cell::RefCell;
use std::ops::Range;
use std::time::Instant;

/// A side of a file with its tree.
#[derive(Debug)]
pub(super) struct Side {
    pub text: String,
    /// `None`: no grammar.
    pub tree: Option<Result<tree_sitter::Tree, Unparsed>>,
}

impl Side {
    fn new(path: &str, text: String, deadline: Instant) -> Side {
        let tree = Grammar::of(path).map(|grammar| parse(grammar, &text, deadline));
        Side { text, tree }
    }

    pub fn tree(&self) -> Option<&tree_sitter::Tree> {
        self.tree.as_ref().and_then(|tree| tree.as_ref().ok())
    }
}

/// A file that the answer changes or makes.
#[derive(Debug)]
pub(super) struct Touched {
    pub path: String,
    pub grammar: Option<Grammar>,
    /// `None`: a new file.
    pub before: Option<Side>,
    pub after: Side,
    /// What is replaced, as ranges of the text before, in order.
    pub regions: Vec<Range<usize>>,
    pub is_test: bool,
}

impl Touched {
    pub fn code_before(&self) -> Code<'_> {
        self.before
            .as_ref()
            .map_or_else(Code::default, |side| self.code(side))
    }

    pub fn code_after(&self) -> Code<'_> {
        self.code(&self.after)
    }

    fn code<'s>(&self, side: &'s Side) -> Code<'s> {
        Code::read(&side.text, self.grammar.zip(side.tree()))
    }

    pub fn text_before(&self) -> &str {
        self.before.as_ref().map_or("", |side| &side.text)
    }
}

/// An edit with its placeholders mapped back.
#[derive(Clone, Debug)]
pub(super) struct Mapped {
    /// Which edit, from 0.
    pub number: usize,
    pub change: Change,
}

pub(super) struct Case<'a> {
    pub ground: &'a Ground<'a>,
    pub answer: &'a Answer,
    pub tree: Tree<'a>,
    /// Texts at the commit of the files that edits name; `None`: new.
    pub before: Vec<(String, Option<String>)>,
    pub mapped: Vec<Mapped>,
    pub files: Vec<Touched>,
    pub diffed: Option<Diffed>,
    pub notes: RefCell<Vec<String>>,
}

impl<'a> Case<'a> {
    /// The error is for people.
    pub fn open(ground: &'a Ground<'a>, answer: &'a Answer) -> Result<Case<'a>, String> {
        let tree = Tree::read(ground.repo, ground.commit).map_err(|e| e.to_string())?;
        Ok(Case {
            ground,
            answer,
            tree,
            before: Vec::new(),
            mapped: Vec::new(),
            files: Vec::new(),
            diffed: None,
            notes: RefCell::default(),
        })
    }

    pub fn note(&self, note: String) {
        let mut notes = self.notes.borrow_mut();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Paths that edits name, each once, in order.
    pub fn edited(&self) -> Vec<&'a str> {
        let mut paths: Vec<&str> = Vec::new();
        for edit in &self.answer.edits {
            if !paths.contains(&edit.file()) {
                paths.push(edit.file());
            }
        }
        paths
    }

    pub fn text_before(&self, path: &str) -> Option<&str> {
        let found = self.before.iter().find(|(known, _)| known == path)?;
        found.1.as_deref()
    }

    pub fn is_root(&self, path: &str) -> bool {
        let root = self.ground.settings.root.trim_matches('/');
        root.is_empty() || path.strip_prefix(root).is_some_and(|p| p.starts_with('/'))
    }

    /// Adds a file as it is to be.
    pub fn touch(&mut self, path: &str, after: String, regions: Vec<Range<usize>>) {
        let deadline = self.ground.deadline;
        let before = self.text_before(path).map(str::to_owned);
        let listed = self.answer.tests.iter().any(|test| test == path);
        self.files.push(Touched {
            path: path.to_owned(),
            grammar: Grammar::of(path),
            before: before.map(|text| Side::new(path, text, deadline)),
            after: Side::new(path, after, deadline),
            regions,
            is_test: listed || is_test(path),
        });
    }
}

/// Whether a path is that of a test, by the names that test runners go by.
pub(super) fn is_test(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let folder = |part: &&str| {
        let part = part.to_ascii_lowercase();
        matches!(
            part.as_str(),
            "test" | "tests" | "spec" | "specs" | "__tests__"
        )
    };
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let lower = stem.to_ascii_lowercase();
    let Some((_, ending)) = name.rsplit_once('.') else {
        return false;
    };
    let code = Grammar::of(name).is_some()
        || matches!(
            ending,
            "kt" | "scala" | "cs" | "ex" | "exs" | "dart" | "cpp" | "cc" | "c"
        );
    let named = lower.starts_with("test_")
        || ["_test", "_tests", "_spec", ".test", ".spec"]
            .iter()
            .any(|end| lower.ends_with(end))
        || ["Test", "Tests", "IT", "Spec"]
            .iter()
            .any(|end| stem.ends_with(end) && stem != *end);
    code && (named || parts.iter().any(folder))
}
