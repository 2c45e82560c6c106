//! A small repository with one fault, the trace and log that tell of it, and the answer that
//! mends it. Tests change the answer, or the world around it.

use crate::sample::{git, open, soon};
use autofix::model::{Block, CommitId, Frame, Language, Raised, Settings, Trace};
use autofix::patch::answer::Answer;
use autofix::patch::gate::{Gate, Ground, Judged, ShownLine, Stopped, judge_without};
use autofix::redact::{self, Redactor, Scope};
use autofix::source::{Commit, Repo};
use git2::{Repository, Signature, Time};
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

/// One language's part of a world.
pub struct Shop {
    pub name: &'static str,
    pub language: Language,
    /// Files below the service's folder.
    pub files: &'static [(&'static str, &'static str)],
    /// The file at fault, below the service's folder.
    pub file: &'static str,
    /// From where it was thrown outwards: file as printed, line, function.
    pub frames: &'static [(&'static str, u32, &'static str)],
    /// Line at fault with a piece of it.
    pub cited: (u32, &'static str),
    /// A call that is there: line, caller, callee.
    pub call: (u32, &'static str, &'static str),
    pub search: &'static str,
    /// `@@` stands on a line of its own where more can be put.
    pub replace: &'static str,
    /// A new test: path and content, with `@@` as above.
    pub test: (&'static str, &'static str),
    /// A line of imports, and how one more is written, with `@@` for its name.
    pub import: (&'static str, &'static str),
    /// A package that the repository uses already, one of the standard library, and unknown ones.
    pub known: &'static [&'static str],
    pub unknown: &'static [&'static str],
    /// Lines for `@@`, with the gate that stops them.
    pub bad: &'static [(Gate, &'static str)],
    /// Lines for `@@` of the test.
    pub bad_in_test: &'static [&'static str],
    /// Lines for `@@` after which it does not parse.
    pub broken: &'static [&'static str],
    /// How a text literal stands as a statement, with `@@` for its inside.
    pub literal: &'static str,
}

/// A file of the tree with its mode.
pub struct Entry<'a> {
    pub path: &'a str,
    pub content: &'a [u8],
    pub mode: u32,
}

pub struct World {
    pub dir: TempDir,
    pub shop: &'static Shop,
    pub repo: Repo,
    pub commit: Commit,
    pub settings: Settings,
    pub trace: Option<Trace>,
    pub lines: Vec<(String, String)>,
    pub scope: Scope,
}

/// What stands in every world beside its language's files.
const AROUND: &[(&str, &str)] = &[
    ("other/thing.py", "def thing():\n    return 1\n"),
    (".github/workflows/ci.yml", "on: push\n"),
    ("svc/Makefile", "all:\n\ttrue\n"),
    ("svc/auth/token.txt", "rules of tokens\n"),
    ("svc/notes/windows.txt", "one\r\ntwo\r\nthree\r\n"),
    ("svc/notes/open.txt", "first\nlast"),
    ("svc/notes/twice.txt", "same\nother\nsame\n"),
    ("svc/notes/Mixed.txt", "one\n"),
    (
        "svc/notes/large.txt",
        "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n",
    ),
    ("svc/notes/shown.txt", "user [email-7] wrote\n"),
    ("svc/notes/list.txt", "a\nb\nc\nd\n"),
    ("svc/notes/mail.txt", MAIL),
];

/// A file with values that are redacted when it is shown.
pub const MAIL: &str = "\
from: jane@acme-mail.example
password=hunter2xyz9
to: sam@acme-mail.example
retries: 1
";

impl World {
    pub fn new(shop: &'static Shop) -> World {
        let more: Vec<Entry<'_>> = Vec::new();
        World::with(shop, &more)
    }

    pub fn with(shop: &'static Shop, more: &[Entry<'_>]) -> World {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("repo");
        let mut options = git2::RepositoryInitOptions::new();
        options.initial_head("main").no_reinit(true);
        let git = Repository::init_opts(&path, &options).unwrap();
        let mut index = git2::Index::new().unwrap();
        let own: Vec<(String, &str)> = shop
            .files
            .iter()
            .map(|(path, content)| (format!("svc/{path}"), *content))
            .collect();
        let around = AROUND.iter().map(|(path, content)| (*path, *content));
        let own = own.iter().map(|(path, content)| (path.as_str(), *content));
        let mut add = |path: &str, content: &[u8], mode: u32| {
            let id = git.blob(content).unwrap();
            index.add(&entry(path, id, mode)).unwrap();
        };
        for (path, content) in around.chain(own) {
            add(path, content.as_bytes(), 0o100_644);
        }
        for one in more {
            add(one.path, one.content, one.mode);
        }
        add("svc/notes/link.txt", b"/etc/passwd", 0o120_000);
        add("svc/notes/data.bin", b"a\0b\0c", 0o100_644);
        add("svc/notes/latin.txt", b"caf\xe9\n", 0o100_644);
        let module = git2::Oid::from_str("0123456789012345678901234567890123456789").unwrap();
        index
            .add(&entry("svc/notes/module", module, 0o160_000))
            .unwrap();
        let tree = index.write_tree_to(&git).unwrap();
        let tree = git.find_tree(tree).unwrap();
        let who = Signature::new("Ada", "ada@example.com", &Time::new(1_780_000_000, 0)).unwrap();
        let id = git
            .commit(Some("HEAD"), &who, &who, "all", &tree, &[])
            .unwrap();
        let repo = open(&path);
        let id = CommitId::parse(&id.to_string()).unwrap();
        let commit = repo.resolve(&id, &[]).unwrap();
        let mut scope = Redactor::new(&redact::Settings::default()).unwrap().scope();
        let shown = scope.text(MAIL);
        assert_eq!(
            shown.as_str(),
            "from: [email-1]\npassword=[password-1]\nto: [email-2]\nretries: 1\n"
        );
        World {
            dir,
            shop,
            repo,
            commit,
            settings: Settings {
                root: "svc".to_owned(),
                path_prefixes: vec!["/app".to_owned()],
                protect: vec!["svc/auth".to_owned()],
                ..Settings::default()
            },
            trace: Some(trace(shop.language, shop.frames)),
            lines: vec![
                ("L1".to_owned(), "GET /cart 200 in 3 ms".to_owned()),
                (
                    "L2".to_owned(),
                    "error: the cart of order 17 has no first item".to_owned(),
                ),
            ],
            scope,
        }
    }

    /// The answer that mends the fault.
    pub fn good(&self) -> Value {
        let shop = self.shop;
        let file = format!("svc/{}", shop.file);
        let (path, content) = shop.test;
        let test = format!("svc/{path}");
        let (line, caller, callee) = shop.call;
        json!({
            "cause": "an empty cart has no first item",
            "evidence": [
                {"log": "L2", "quote": "has no first item"},
                {"file": file, "line": shop.cited.0, "quote": shop.cited.1},
            ],
            "calls": [{"file": file, "line": line, "caller": caller, "callee": callee}],
            "confidence": 0.9,
            "edits": [
                {"file": file, "search": shop.search, "replace": without_mark(shop.replace)},
                {"file": test, "content": without_mark(content)},
            ],
            "tests": [test],
            "risk": "an empty cart now costs nothing",
            "verify": "run the tests",
            "unsure": [],
        })
    }

    /// The good answer with a line more in the function.
    pub fn with_line(&self, line: &str) -> Value {
        let mut answer = self.good();
        answer["edits"][0]["replace"] = json!(with_mark(self.shop.replace, line));
        answer
    }

    /// The good answer with a line more in the test.
    pub fn with_line_in_test(&self, line: &str) -> Value {
        let mut answer = self.good();
        answer["edits"][1]["content"] = json!(with_mark(self.shop.test.1, line));
        answer
    }

    /// The good answer with one more import.
    pub fn with_import(&self, name: &str) -> Value {
        let (line, how) = self.shop.import;
        let mut answer = self.good();
        let more = json!({
            "file": format!("svc/{}", self.shop.file),
            "search": line,
            "replace": format!("{line}\n{}", how.replace("@@", name)),
        });
        answer["edits"].as_array_mut().unwrap().push(more);
        answer
    }

    /// The good answer with another edit beside.
    pub fn with_edit(&self, edit: Value) -> Value {
        let mut answer = self.good();
        answer["edits"].as_array_mut().unwrap().push(edit);
        // What is changed beside is explained, so that this is not what stops it.
        answer["elsewhere"] = json!("the notes are read by the same code and say the same thing");
        answer
    }

    pub fn judge(&self, answer: &Value) -> Result<Judged, Stopped> {
        self.judge_without(answer, None)
    }

    pub fn judge_without(&self, answer: &Value, left_out: Option<Gate>) -> Result<Judged, Stopped> {
        let answer = Answer::read(answer).unwrap_or_else(|e| panic!("{e}\n{answer:#}"));
        self.judge_read(&answer, left_out)
    }

    pub fn judge_read(&self, answer: &Answer, left_out: Option<Gate>) -> Result<Judged, Stopped> {
        let lines: Vec<ShownLine<'_>> = self
            .lines
            .iter()
            .map(|(id, text)| ShownLine { id, text })
            .collect();
        let ground = Ground {
            repo: &self.repo,
            commit: self.commit,
            settings: &self.settings,
            trace: self.trace.as_ref(),
            lines: &lines,
            scope: &self.scope,
            deadline: soon(),
        };
        judge_without(&ground, answer, left_out)
    }

    /// Applies the patch with git itself on a clean checkout of the commit; its folder.
    pub fn apply(&self, patch: &str) -> PathBuf {
        let work = self.dir.path().join("work");
        if work.exists() {
            git(&work, &["reset", "-q", "--hard"]);
            git(&work, &["clean", "-fdq"]);
        } else {
            let repo = self.dir.path().join("repo");
            git(&repo, &["clone", "-q", ".", work.to_str().unwrap()]);
            git(&work, &["checkout", "-q", &self.commit.to_string()]);
        }
        let file = self.dir.path().join("fix.patch");
        std::fs::write(&file, patch).unwrap();
        git(&work, &["apply", "--check", file.to_str().unwrap()]);
        git(&work, &["apply", file.to_str().unwrap()]);
        work
    }
}

fn entry(path: &str, id: git2::Oid, mode: u32) -> git2::IndexEntry {
    git2::IndexEntry {
        ctime: git2::IndexTime::new(0, 0),
        mtime: git2::IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}

/// A trace whose frames are given innermost first.
pub fn trace(language: Language, frames: &[(&str, u32, &str)]) -> Trace {
    let mut frames: Vec<Frame> = frames
        .iter()
        .map(|(file, line, function)| Frame {
            file: Some((*file).to_owned()),
            line: Some(*line),
            function: Some((*function).to_owned()),
        })
        .collect();
    if language == Language::Python {
        frames.reverse();
    }
    Trace {
        language,
        blocks: vec![Block {
            raised: Raised {
                kind: Some("Error".into()),
                message: Some("the cart has no first item".into()),
            },
            frames: 0..frames.len(),
        }],
        root: 0,
        outermost: 0,
        frames,
    }
}

/// The text without the line that holds the mark.
pub fn without_mark(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.filter(|line| !line.contains("@@")).collect()
}

/// The text with lines in the place of the mark, indented like it.
pub fn with_mark(text: &str, more: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let Some(at) = line.find("@@") else {
            return line.to_owned();
        };
        let margin = &line[..at];
        more.lines().map(|one| format!("{margin}{one}\n")).collect()
    });
    lines.collect()
}
