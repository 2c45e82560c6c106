//! `locate`: the repository files that a stack trace speaks of, in a repository at a commit or
//! in a bare list of paths.

use crate::app::{Error, checkout};
use crate::model::{CommitId, Settings, Trace};
use crate::source;
use crate::source::locate::{Located, PathList, locate as find};
use crate::trace;
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

/// Largest list of paths, in bytes.
const LIST_LIMIT: u64 = 256 << 20;

/// The frames of the trace in `text` that lie in the repository, best first.
pub fn locate(options: &LocateOptions, text: &str) -> Result<Vec<Located>, Error> {
    let trace = trace::parse(text)
        .ok_or_else(|| Error::Unfinished("no stack trace in the input".to_owned()))?;
    let settings = Settings {
        root: options.root.trim_matches('/').to_owned(),
        path_prefixes: options.path_prefixes.clone(),
        ..Settings::default()
    };
    match &options.tree {
        Tree::List(list) => Ok(find(&trace, &read_list(list)?, &settings)),
        Tree::Repo { folder, commit } => in_repo(folder, commit, &trace, &settings),
    }
}

fn in_repo(
    folder: &Path,
    commit: &str,
    trace: &Trace,
    settings: &Settings,
) -> Result<Vec<Located>, Error> {
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
    Ok(find(trace, &files, settings))
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
