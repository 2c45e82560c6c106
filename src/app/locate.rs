//! `locate`: the places in a repository at a commit, or in a bare list of paths, that a stack
//! trace or the lines of a log without one speak of.

use crate::app::{Error, checkout};
use crate::model::{CommitId, Settings};
use crate::source;
use crate::source::locate::{Files, PathList, Places, Question, places};
use crate::template::Miner;
use crate::trace;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the files are.
#[derive(Clone, Debug)]
pub enum Tree {
    /// A local repository at a commit.
    Repo { folder: PathBuf, commit: String },
    /// A file with one repository path a line, without their text.
    List(PathBuf),
}

/// What `locate` was asked for.
#[derive(Clone, Debug)]
pub struct LocateOptions {
    pub tree: Tree,
    /// Folder of the service inside the repository; empty: the top.
    pub root: String,
    /// Prefixes of printed paths that stand for `root`.
    pub path_prefixes: Vec<String>,
}

/// Time for reading the repository.
const WITHIN: Duration = Duration::from_secs(60);

/// Time for searching its files: whoever asks by hand can wait longer than the slow lane.
const SEARCH: Duration = Duration::from_secs(10);

/// Largest list of paths, in bytes.
const LIST_LIMIT: u64 = 256 << 20;

/// Most lines of a log without a trace that are looked for, each of another form.
const LINES: usize = 20;
/// Most lines of a log that are read for them.
const READ: usize = 100_000;

/// What of the repository the trace in `text`, or its lines where there is none, speaks of, best
/// first.
pub fn locate(options: &LocateOptions, text: &str) -> Result<Places, Error> {
    let trace = trace::parse(text);
    let lines = match trace {
        Some(_) => Vec::new(),
        None => telling(text),
    };
    if trace.is_none() && lines.is_empty() {
        let what = "no stack trace and no line of text in the input";
        return Err(Error::Unfinished(what.to_owned()));
    }
    let question = Question {
        trace: trace.as_ref(),
        lines: &lines,
        ..Question::default()
    };
    let settings = Settings {
        root: options.root.trim_matches('/').to_owned(),
        path_prefixes: options.path_prefixes.clone(),
        ..Settings::default()
    };
    match &options.tree {
        Tree::List(list) => Ok(find(&question, &read_list(list)?, &settings)),
        Tree::Repo { folder, commit } => in_repo(folder, commit, &question, &settings),
    }
}

fn find(question: &Question<'_>, files: &dyn Files, settings: &Settings) -> Places {
    places(question, files, settings, Instant::now() + SEARCH)
}

/// The lines of a log that a fault may stand in: those that speak of one, else all, one of each
/// form.
fn telling(text: &str) -> Vec<String> {
    const WORDS: &[&str] = &[
        "error",
        "fatal",
        "fail",
        "critical",
        "panic",
        "exception",
        "warn",
    ];
    let all = || {
        text.lines()
            .take(READ)
            .filter(|line| !line.trim().is_empty())
    };
    let speaks = |line: &&str| {
        let line = line.to_lowercase();
        WORDS.iter().any(|word| line.contains(word))
    };
    let mut forms = HashSet::new();
    let mut kept: Vec<String> = Vec::new();
    for line in all().filter(speaks).chain(all()) {
        if kept.len() == LINES {
            break;
        }
        if forms.insert(Miner::masked(line)) {
            kept.push(line.to_owned());
        }
    }
    kept
}

fn in_repo(
    folder: &Path,
    commit: &str,
    question: &Question<'_>,
    settings: &Settings,
) -> Result<Places, Error> {
    let fail = |error: crate::source::Error| Error::Unfinished(error.to_string());
    let repo = checkout::open(folder, Instant::now() + WITHIN)?;
    let commit = if commit == "HEAD" {
        repo.head().map_err(fail)?
    } else {
        let id = CommitId::parse(commit).ok_or_else(|| {
            Error::Usage(format!(
                "`{}` is no commit: write 7 to 40 hexadecimal digits or HEAD",
                commit.escape_debug()
            ))
        })?;
        repo.resolve(&id, &[]).map_err(fail)?
    };
    let files = source::Tree::read(&repo, commit).map_err(fail)?;
    let mut places = find(question, &files, settings);
    places.notes.extend(repo.notes());
    Ok(places)
}

fn read_list(path: &Path) -> Result<PathList, Error> {
    let fail = |cause: &dyn std::fmt::Display| Error::unfinished(path.display(), cause);
    let size = std::fs::metadata(path).map_err(|e| fail(&e))?.len();
    if size > LIST_LIMIT {
        return Err(fail(&"larger than 256 MB"));
    }
    let bytes = std::fs::read(path).map_err(|e| fail(&e))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(PathList(lines.map(str::to_owned).collect()))
}
