//! A case's work tree and its hidden test: git lays the deployed commit and applies the diff, the
//! language's own runtime runs the test as a child process with limits on time and output. It
//! isolates nothing: cases are written by people whom the caller trusts.

use crate::app::Error;
use crate::app::eval::fix::case::{self, Case};
use crate::config::environment;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Time for one run of git.
const GIT: Duration = Duration::from_secs(120);
/// What a child may write to one file, in blocks of 512 bytes: 64 MiB.
const FILE_BLOCKS: &str = "131072";
/// The end of a test's output that is told.
const TAIL: u64 = 2000;
/// The exit status of `timeout` where it had to end its program.
const TIMED_OUT: i32 = 124;
const KILLED: i32 = 137;

/// What is done to the deployed commit before the test.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    None,
    Diff(&'a Path),
}

/// What the hidden test said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    /// Why, in a line.
    Failed(String),
}

/// What the case needs and this host has not.
pub(super) fn missing(case: &Case) -> Option<String> {
    let path = environment::variable("PATH").unwrap_or_default();
    let there = |program: &str| {
        path.split(':').any(|folder| {
            let about = fs::metadata(Path::new(folder).join(program));
            about.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
        })
    };
    let own = case.test.first().into_iter().chain(&case.needs);
    let mut wanted = ["git", "timeout"]
        .into_iter()
        .chain(own.map(String::as_str));
    let missing = wanted.find(|program| !there(program))?;
    Some(format!("there is no `{missing}` on this host"))
}

/// A case's repository, and room for work trees.
#[derive(Debug)]
pub(super) struct Tree {
    scratch: PathBuf,
    repository: PathBuf,
}

impl Tree {
    /// Reads the history in where it is a stream.
    pub(super) fn lay(case: &Case, scratch: &Path) -> Result<Tree, Error> {
        let stream = case.folder.join(case::HISTORY);
        let named = case
            .service
            .repo
            .as_deref()
            .filter(|repo| repo.starts_with('/'));
        let repository = match named {
            Some(repo) if !stream.is_file() => PathBuf::from(repo),
            _ => scratch.join("repository.git"),
        };
        let tree = Tree {
            scratch: scratch.to_owned(),
            repository,
        };
        if stream.is_file() {
            let to = tree.repository.to_string_lossy().into_owned();
            tree.git(case, scratch, &["init", "-q", "--bare", &to], None)?;
            tree.git(
                case,
                &tree.repository,
                &["fast-import", "--quiet"],
                Some(&stream),
            )?;
        }
        Ok(tree)
    }

    pub(super) fn repository(&self) -> &Path {
        &self.repository
    }

    /// Whether the file was there in the last work tree.
    pub(super) fn has(&self, file: &str) -> bool {
        self.scratch.join("tree").join(file).is_file()
    }

    /// Runs the hidden test on the deployed commit, changed or as it is.
    pub(super) fn judge(&self, case: &Case, change: Change<'_>) -> Result<Verdict, Error> {
        let tree = self.work_tree(case)?;
        if let Change::Diff(diff) = change {
            let diff = diff
                .canonicalize()
                .map_err(|why| Error::unfinished(diff.display(), why))?;
            let diff = diff.to_string_lossy();
            if let Verdict::Failed(why) = self.try_git(&tree, &["apply", &diff], None)? {
                return Ok(Verdict::Failed(format!("the diff does not apply: {why}")));
            }
        }
        copy(&case.folder.join(case::HIDDEN), &tree)?;
        let words: Vec<&str> = case.test.iter().map(String::as_str).collect();
        self.child(&tree, &words, None, case.within)
    }

    fn work_tree(&self, case: &Case) -> Result<PathBuf, Error> {
        let tree = self.scratch.join("tree");
        let failed = |fault| Error::unfinished(tree.display(), fault);
        if tree.exists() {
            fs::remove_dir_all(&tree).map_err(failed)?;
        }
        let (from, to) = (self.repository.to_string_lossy(), tree.to_string_lossy());
        let clone = ["clone", "-q", "--no-checkout", "--no-hardlinks", &from, &to];
        self.git(case, &self.scratch, &clone, None)?;
        self.git(
            case,
            &tree,
            &["checkout", "-q", "--detach", &case.commit],
            None,
        )?;
        Ok(tree)
    }

    fn git(
        &self,
        case: &Case,
        folder: &Path,
        words: &[&str],
        input: Option<&Path>,
    ) -> Result<(), Error> {
        match self.try_git(folder, words, input)? {
            Verdict::Passed => Ok(()),
            Verdict::Failed(why) => {
                let what = format!("{}: git {}", case.name, words.first().unwrap_or(&""));
                Err(Error::unfinished(what, why))
            }
        }
    }

    fn try_git(
        &self,
        folder: &Path,
        words: &[&str],
        input: Option<&Path>,
    ) -> Result<Verdict, Error> {
        let own = [
            "git",
            "-c",
            "safe.directory=*",
            "-c",
            "core.hooksPath=/dev/null",
        ];
        self.child(folder, &[&own, words].concat(), input, GIT)
    }

    /// A child process in a folder, with what it may take: `timeout` ends it with its children,
    /// the kernel bounds what it writes.
    fn child(
        &self,
        folder: &Path,
        words: &[&str],
        input: Option<&Path>,
        within: Duration,
    ) -> Result<Verdict, Error> {
        let name = words.first().copied().unwrap_or_default();
        let failed = |fault| Error::unfinished(name, fault);
        let said = self.scratch.join("said");
        let out = File::create(&said).map_err(failed)?;
        let input = match input {
            Some(path) => Stdio::from(File::open(path).map_err(failed)?),
            None => Stdio::null(),
        };
        let seconds = within.as_secs().to_string();
        let mut command = Command::new("timeout");
        command
            .args(["-k", "2", &seconds, "sh", "-c"])
            .args([r#"ulimit -f "$1"; shift; exec "$@""#, "sh", FILE_BLOCKS])
            .args(words)
            .current_dir(folder)
            .env_clear()
            .env("LANG", "C.UTF-8")
            .env("TMPDIR", &self.scratch)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GOPROXY", "off")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(input)
            .stderr(out.try_clone().map_err(failed)?)
            .stdout(out);
        // Runtimes that a user installed for themselves are found by these.
        for key in ["PATH", "HOME", "GOCACHE", "RUSTUP_HOME", "CARGO_HOME"] {
            if let Some(value) = environment::variable(key) {
                command.env(key, value);
            }
        }
        let status = command.status().map_err(failed)?;
        if status.success() {
            return Ok(Verdict::Passed);
        }
        Ok(Verdict::Failed(match status.code() {
            Some(TIMED_OUT | KILLED) => format!("not done within {seconds} s"),
            _ => last_line(&said).map_err(failed)?,
        }))
    }
}

/// The last line that says something.
fn last_line(said: &Path) -> std::io::Result<String> {
    let mut file = File::open(said)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let tail = String::from_utf8_lossy(&tail);
    let last = tail.lines().rev().find(|line| !line.trim().is_empty());
    Ok(last.unwrap_or("it said nothing").trim().to_owned())
}

/// Copies a folder's files over another; links are not followed and not copied.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |fault: std::io::Error| Error::unfinished(from.display(), fault);
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).map_err(failed)?;
        }
    }
    Ok(())
}
