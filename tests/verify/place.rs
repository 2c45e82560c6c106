//! A repository with a patch and a place to verify it in, and what must be left afterwards:
//! nothing.

use crate::sample::{self, File, Sample};
use autofix::patch::verify::{Limits, Ran, Request, Verified, hindrance, verify};
use autofix::patch::{AcceptedPatch, Rules, accept};
use autofix::source::diff::Edit;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where the state would be; a folder in it is for work trees.
pub struct Place {
    pub state: TempDir,
}

impl Place {
    /// `None`, said aloud, where the sandbox does not work.
    pub fn new(name: &str) -> Option<Place> {
        let state = TempDir::new().unwrap();
        fs::write(state.path().join("secret"), "of the host").unwrap();
        let place = Place { state };
        match hindrance(&place.scratch(), &Limits::default()) {
            None => Some(place),
            Some(why) => {
                println!("SKIPPED {name}: {why}");
                None
            }
        }
    }

    pub fn scratch(&self) -> PathBuf {
        self.state.path().join("verify")
    }

    pub fn verify(&self, sample: &Sample, patch: &AcceptedPatch, asked: &Asked<'_>) -> Verified {
        let repo = sample.open();
        let marked = format!(": {}; {}", asked.mark, asked.command);
        let tests: Vec<String> = asked.tests.iter().map(|t| (*t).to_owned()).collect();
        let verified = verify(&Request {
            repo: &repo,
            patch,
            tests: &tests,
            command: &marked,
            root: asked.root,
            scratch: &self.scratch(),
            limits: asked.limits.clone(),
            deadline: Instant::now() + Duration::from_secs(400),
        });
        self.nothing_is_left(asked.mark);
        verified
    }

    pub fn nothing_is_left(&self, mark: &str) {
        let left: Vec<_> = fs::read_dir(self.scratch()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(running(mark), Vec::<String>::new());
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(self.state.path().to_str().unwrap()));
    }
}

/// What is asked of a verification. The mark stands in the command line of its processes.
pub struct Asked<'a> {
    pub mark: &'a str,
    pub command: &'a str,
    pub tests: &'a [&'a str],
    pub root: &'a str,
    pub limits: Limits,
}

impl<'a> Asked<'a> {
    pub fn new(mark: &'a str, command: &'a str) -> Asked<'a> {
        Asked {
            mark,
            command,
            tests: &[],
            root: "",
            limits: Limits::default(),
        }
    }
}

pub fn ran(verified: Verified) -> Ran {
    match verified {
        Verified::Ran(ran) => *ran,
        Verified::NotRunHere(why) => panic!("not run: {why}"),
    }
}

/// The patch that writes these files on top of the newest commit.
pub fn patch(sample: &Sample, files: &[File<'_>]) -> AcceptedPatch {
    let repo = sample.open();
    let head = repo.head().unwrap();
    let edits: Vec<Edit> = files
        .iter()
        .map(|(path, content)| Edit {
            path: (*path).to_owned(),
            content: content.map(|text| text.as_bytes().to_vec()),
            new_mode: 0o100_644,
        })
        .collect();
    accept(&repo, head, &edits, &Rules::default()).unwrap()
}

/// Processes on this host whose command line holds the mark.
pub fn running(mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(mark) {
            found.push(line);
        }
    }
    found
}

/// A mark that no other test and no other run has.
pub fn mark(name: &str) -> String {
    format!("mark-{name}-{}-{}", std::process::id(), sample::NOW)
}

pub fn has(program: &str) -> bool {
    Path::new("/usr/bin").join(program).exists()
}
