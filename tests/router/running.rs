//! Real Fluent Bits at work: those on PATH and those that AUTOFIX_FLUENT_BIT names, each started in a
//! folder of its own with a configuration that a test makes, watched, and ended. What they are held
//! to is said by the tests.

#![allow(dead_code)] // Each test uses a part of it.

use super::host::{library, text};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longest wait for anything that a router does.
pub const PATIENCE: Duration = Duration::from_secs(40);

#[derive(Clone, Debug)]
pub struct Router {
    pub program: PathBuf,
    pub version: (u32, u32, u32),
}

/// The routers from version `least` on; says so when there are none.
pub fn routers(test: &str, least: (u32, u32, u32)) -> Vec<Router> {
    let found: Vec<Router> = programs()
        .into_iter()
        .filter_map(|program| {
            let version = version(&program)?;
            Some(Router { program, version })
        })
        .filter(|router| router.version >= least)
        .collect();
    if found.is_empty() {
        println!("SKIPPED {test}: no Fluent Bit of {least:?} or later on PATH");
    }
    found
}

fn programs() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::var_os("AUTOFIX_FLUENT_BIT").unwrap_or_default();
    let on_path = std::env::split_paths(&path).flat_map(|folder| {
        ["fluent-bit", "fluent-bit-1.9", "fluent-bit-2.2"].map(|name| folder.join(name))
    });
    let mut found: Vec<PathBuf> = on_path
        .chain(std::env::split_paths(&named))
        .filter_map(|program| fs::canonicalize(program).ok())
        .collect();
    found.sort();
    found.dedup();
    found
}

fn version(program: &Path) -> Option<(u32, u32, u32)> {
    let done = Command::new(program).arg("--version").output().ok()?;
    let said = text(&done.stdout);
    let number = said.split_once("Fluent Bit v")?.1;
    let mut parts = number.split(|c: char| !c.is_ascii_digit());
    let mut part = || parts.next()?.parse().ok();
    Some((part()?, part()?, part()?))
}

/// A router at work in a folder of its own. Killed when dropped.
pub struct Running {
    pub child: Child,
    log: PathBuf,
}

/// What a test's router works in.
pub struct Place {
    pub folder: TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place {
            folder: TempDir::new().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn append(&self, name: &str, lines: &str) {
        let mut file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.path(name))
            .unwrap();
        file.write_all(lines.as_bytes()).unwrap();
    }

    /// A configuration: files tailed into tags, an output beside ours that shows the records,
    /// and one block of ours for each set of lines.
    pub fn configure(&self, router: &Router, tails: &[&str], ours: &[&str]) -> String {
        let mut all = String::from("[SERVICE]\n    Flush 1\n    Grace 3\n    Log_Level info\n");
        if router.version >= (2, 1, 0) {
            all += "    Hot_Reload On\n";
        }
        for name in tails {
            self.append(name, "");
            all += &format!(
                "[INPUT]\n    Name tail\n    Path {}\n    Tag app.{}\n    Read_from_Head On\n    \
                 DB {}\n    Refresh_Interval 1\n",
                self.path(name).display(),
                name.trim_end_matches(".log"),
                self.path(&format!("{name}.db")).display(),
            );
        }
        all += "[OUTPUT]\n    Name stdout\n    Match *\n    Format json_lines\n";
        for block in ours {
            all += "[OUTPUT]\n    Name autofix\n    Match *\n";
            for line in block.lines() {
                all += &format!("    {line}\n");
            }
        }
        all
    }

    /// Starts the router with the library given by `-e`.
    pub fn start(&self, router: &Router, configuration: &str) -> Running {
        fs::write(self.path("router.conf"), configuration).unwrap();
        let library = library().to_str().unwrap();
        let conf = self.path("router.conf");
        self.run(router, &["-e", library, "-c", conf.to_str().unwrap()])
    }

    pub fn run(&self, router: &Router, arguments: &[&str]) -> Running {
        let log = self.path("router.log");
        let to = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&log)
            .unwrap();
        let child = Command::new(&router.program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(to.try_clone().unwrap())
            .stderr(to)
            .spawn()
            .unwrap();
        Running { child, log }
    }

    pub fn state(&self, name: &str) -> String {
        format!("State_Dir {}", self.path(name).display())
    }

    /// What `autofix incidents` lists.
    pub fn incidents(&self, state: &str) -> Vec<Value> {
        let done = Command::new(env!("CARGO_BIN_EXE_autofix"))
            .args(["incidents", "--json", "--state"])
            .arg(self.path(state))
            .env("HOME", self.folder.path())
            .output()
            .unwrap();
        text(&done.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

impl Running {
    pub fn said(&self) -> String {
        text(&fs::read(&self.log).unwrap_or_default())
    }

    /// Waits for words in the router's output, the `nth` time that they stand there.
    pub fn wait_for(&mut self, words: &str, nth: usize) {
        self.wait(words, |running| {
            running.said().matches(words).count() >= nth
        });
    }

    pub fn wait(&mut self, what: &str, done: impl Fn(&Running) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !done(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < until,
                "no {what:?}; ended: {ended:?}\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn signal(&self, number: libc::c_int) {
        // SAFETY: a signal to a child that this test started and has not reaped.
        unsafe { libc::kill(self.child.id() as libc::pid_t, number) };
    }

    /// Ends it as a platform does, and how it took that.
    pub fn terminate(mut self) -> (ExitStatus, Duration, String) {
        let began = Instant::now();
        self.signal(libc::SIGTERM);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it hangs\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        };
        (status, began.elapsed(), self.said())
    }

    pub fn end_well(self, router: &Router) {
        let (status, took, said) = self.terminate();
        assert_eq!(status.code(), Some(0), "{router:?}\n{said}");
        assert!(
            took < Duration::from_secs(12),
            "{router:?} took {took:?}\n{said}"
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub const STARTED: &str = "[output:autofix:autofix.0] autofix";
