//! Repositories that tests build for themselves, and git's own opinion of a patch.

use autofix::model::{Block, CommitId, Frame, Language, Raised, Settings, Trace};
use autofix::source::{Commit, Repo};
use git2::{Repository, Signature, Time};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The moment that all ages are counted back from.
pub const NOW: i64 = 1_780_000_000;
pub const DAY: f64 = 86_400.0;

/// A file's content; `None` removes it.
pub type File<'a> = (&'a str, Option<&'a str>);

pub struct Sample {
    pub dir: TempDir,
    pub git: Repository,
}

impl Sample {
    pub fn new() -> Sample {
        let dir = TempDir::new().unwrap();
        let mut options = git2::RepositoryInitOptions::new();
        options.initial_head("main").no_reinit(true);
        let git = Repository::init_opts(dir.path().join("repo"), &options).unwrap();
        Sample { dir, git }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    /// A commit on a branch, `days` before [`NOW`], on top of the parents.
    pub fn commit_on(
        &self,
        branch: &str,
        parents: &[&str],
        days: f64,
        message: &str,
        files: &[File<'_>],
    ) -> String {
        let time = Time::new(NOW - (days * DAY) as i64, 0);
        let who = Signature::new("Ada", "ada@example.com", &time).unwrap();
        let parents: Vec<git2::Commit<'_>> = parents
            .iter()
            .map(|id| {
                self.git
                    .find_commit(git2::Oid::from_str(id).unwrap())
                    .unwrap()
            })
            .collect();
        let mut index = git2::Index::new().unwrap();
        if let Some(parent) = parents.first() {
            index.read_tree(&parent.tree().unwrap()).unwrap();
        }
        for (path, content) in files {
            match content {
                None => index.remove_path(Path::new(path)).unwrap(),
                Some(content) => {
                    let id = self.git.blob(content.as_bytes()).unwrap();
                    index.add(&entry(path, id, content.len())).unwrap();
                }
            }
        }
        let tree = index.write_tree_to(&self.git).unwrap();
        let tree = self.git.find_tree(tree).unwrap();
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        let id = self
            .git
            .commit(None, &who, &who, message, &tree, &parents)
            .unwrap();
        self.git
            .reference(&format!("refs/heads/{branch}"), id, true, "test")
            .unwrap();
        id.to_string()
    }

    /// A commit on `main`, on top of what is there.
    pub fn commit(&self, days: f64, message: &str, files: &[File<'_>]) -> String {
        let parent = self
            .git
            .refname_to_id("refs/heads/main")
            .ok()
            .map(|id| id.to_string());
        let parents: Vec<&str> = parent.as_deref().into_iter().collect();
        self.commit_on("main", &parents, days, message, files)
    }

    pub fn open(&self) -> Repo {
        open(&self.path())
    }

    /// Applies the patch with git itself on a checkout of the commit; the folder that results.
    pub fn apply(&self, commit: &str, patch: &str) -> PathBuf {
        let work = self.dir.path().join(format!("work-{}", rand()));
        let file = self.dir.path().join("fix.patch");
        std::fs::write(&file, patch).unwrap();
        git(&self.path(), &["clone", "-q", ".", work.to_str().unwrap()]);
        git(&work, &["checkout", "-q", commit]);
        git(&work, &["apply", "--check", file.to_str().unwrap()]);
        git(&work, &["apply", file.to_str().unwrap()]);
        work
    }
}

fn rand() -> u128 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_nanos()
}

fn entry(path: &str, id: git2::Oid, size: usize) -> git2::IndexEntry {
    git2::IndexEntry {
        ctime: git2::IndexTime::new(0, 0),
        mtime: git2::IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode: 0o100_644,
        uid: 0,
        gid: 0,
        file_size: u32::try_from(size).unwrap(),
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

pub fn open(path: &Path) -> Repo {
    let http = autofix::net::Http::new(&autofix::net::Settings::default()).unwrap();
    let mirrors = autofix::source::Mirrors::new(
        path.join("no-mirrors-here"),
        http,
        autofix::log::Log::silent(),
    );
    mirrors
        .open(path.to_str().unwrap(), &|_| None, soon())
        .unwrap()
}

pub fn at(repo: &Repo, id: &str) -> Commit {
    repo.resolve(&CommitId::parse(id).unwrap(), &[]).unwrap()
}

/// git without any configuration of the user's; panics where git fails.
pub fn git(dir: &Path, arguments: &[&str]) -> Output {
    let out = git_command(dir).args(arguments).output().unwrap();
    assert!(
        out.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    out
}

pub fn git_command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(dir)
        .env("HOME", dir)
        .env("XDG_CONFIG_HOME", dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0");
    command
}

/// A Python trace with these frames (file, line, function), printed outermost first.
pub fn python(message: &str, frames: &[(&str, u32, &str)]) -> Trace {
    trace(Language::Python, message, frames)
}

pub fn trace(language: Language, message: &str, frames: &[(&str, u32, &str)]) -> Trace {
    let frames: Vec<Frame> = frames
        .iter()
        .map(|(file, line, function)| Frame {
            file: Some((*file).to_owned()),
            line: Some(*line),
            function: Some((*function).to_owned()),
        })
        .collect();
    Trace {
        language,
        blocks: vec![Block {
            raised: Raised {
                kind: Some("Error".into()),
                message: Some(message.into()),
            },
            frames: 0..frames.len(),
        }],
        root: 0,
        outermost: 0,
        frames,
    }
}

pub fn settings() -> Settings {
    Settings::default()
}
