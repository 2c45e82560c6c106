//! Runs a service's own tests on a patch, in a sandbox: on the deployed commit as it is, with the
//! patch's new tests alone, and with all of the patch. What the tests do is strangers' code and
//! what they print is hostile text. A test that passes proves what it tests and no more; whether
//! the patch is a good idea is decided elsewhere. Never called inside a router's process.

mod guard;
mod output;
mod sandbox;
mod scratch;

use crate::patch::AcceptedPatch;
use crate::patch::port::base_of;
use crate::source::{Error, Repo, Snapshot};
use guard::Bounds;
pub use guard::How;
use sandbox::{NOT_BEGUN, Sandbox};
use scratch::Scratch;
pub use scratch::sweep;
use serde::Serialize;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest time in which a sandbox that does nothing must have come and gone.
const PROBE: Duration = Duration::from_secs(20);

/// What one run of the tests may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time for each run.
    pub step: Duration,
    /// Bytes of memory of all processes together, without what they write to files.
    pub memory: u64,
    /// Processes and threads.
    pub processes: usize,
    /// Bytes of files: the work tree and all that is written. They are held in memory.
    pub disk: u64,
    /// Bytes of output.
    pub output: u64,
    /// Folders of toolchains that are not below `/usr` or `/opt`.
    pub readable: Vec<PathBuf>,
    /// What tests must not see although it lies in a folder that they see.
    pub hidden: Vec<PathBuf>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            step: Duration::from_secs(300),
            memory: 2 << 30,
            processes: 512,
            disk: 1 << 30,
            output: 16 << 20,
            readable: Vec::new(),
            hidden: Vec::new(),
        }
    }
}

/// What is to be verified.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub repo: &'a Repo,
    pub patch: &'a AcceptedPatch,
    /// The files of the patch that are tests.
    pub tests: &'a [String],
    /// The command that runs the service's tests, in the words of a shell.
    pub command: &'a str,
    /// The service's folder in the repository; empty for the top.
    pub root: &'a str,
    /// Where folders for the time of a run are made. They are cleared in any case; the folder
    /// around it is never shown to the tests.
    pub scratch: &'a Path,
    pub limits: Limits,
    /// For all runs together.
    pub deadline: Instant,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Verified {
    /// No test was run; why, and what helps.
    NotRunHere(String),
    Ran(Box<Ran>),
}

/// Runs of the whole test command, as there is no way in general to name one test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ran {
    /// The deployed commit as it is.
    pub before: Run,
    /// With the patch's tests and nothing else of it; none where it brings no test.
    pub without_fix: Option<Run>,
    /// With all of the patch.
    pub with_fix: Run,
    pub verdict: Verdict,
    /// What the work tree lacked.
    pub notes: Vec<String>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// The command ended by itself, and well.
    pub passed: bool,
    /// Its exit status; none where it was ended.
    pub status: Option<i32>,
    pub seconds: f64,
    /// The end of what it printed, without control characters. Text of strangers all the same.
    pub output: String,
    pub ended: How,
}

/// What the runs say about the patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// Something failed without the fix, and all passes with it.
    Proven,
    /// All passes with the fix, and nothing failed without it.
    Unproven(String),
    /// What passed before fails with the fix.
    Fails(String),
    /// The runs say nothing about the fix.
    Inconclusive(String),
}

/// Verifies a patch. Every failure to run anything is a [`Verified::NotRunHere`].
pub fn verify(request: &Request<'_>) -> Verified {
    let before = request.repo.deadline();
    request.repo.set_deadline(request.deadline);
    let ran = runs(request);
    request.repo.set_deadline(before);
    match ran {
        Ok(ran) => Verified::Ran(Box::new(ran)),
        Err(NotRun(why)) => Verified::NotRunHere(why),
    }
}

/// Why tests cannot be run on this host; `None` where they can. It tries.
pub fn hindrance(scratch: &Path, limits: &Limits) -> Option<String> {
    let probe = || -> Result<(), NotRun> {
        let sandbox = find(scratch, limits)?;
        sweep(scratch)?;
        probe(&sandbox, &make(scratch)?, limits)
    };
    probe().err().map(|NotRun(why)| why)
}

struct NotRun(String);

impl From<Error> for NotRun {
    fn from(e: Error) -> NotRun {
        NotRun(e.to_string())
    }
}

impl From<String> for NotRun {
    fn from(why: String) -> NotRun {
        NotRun(why)
    }
}

impl From<io::Error> for NotRun {
    fn from(e: io::Error) -> NotRun {
        NotRun(format!("the tests cannot be run: {e}"))
    }
}

fn make(scratch: &Path) -> Result<Scratch, NotRun> {
    Scratch::new(scratch).map_err(|e| {
        let place = scratch.display();
        NotRun(format!("no work tree can be made in {place}: {e}"))
    })
}

fn find(scratch: &Path, limits: &Limits) -> Result<Sandbox, NotRun> {
    // Before it is there it hides nothing.
    std::fs::create_dir_all(scratch)
        .map_err(|e| NotRun(format!("{} cannot be made: {e}", scratch.display())))?;
    let around = scratch.parent().unwrap_or(scratch);
    Ok(Sandbox::find(limits, &[around])?)
}

fn probe(sandbox: &Sandbox, scratch: &Scratch, limits: &Limits) -> Result<(), NotRun> {
    let source = scratch.folder("probe")?;
    let output = scratch.file("probe.out");
    let mut command = sandbox.command(&source, ".", "exit 0", limits);
    let bounds = Bounds {
        until: Instant::now() + PROBE,
        memory: limits.memory,
        processes: limits.processes,
        output: limits.output,
    };
    let over = guard::run(&mut command, &output, &bounds)?;
    match over.status.success() {
        true => Ok(()),
        false => Err(NotRun(sandbox::explain(&output::tail(&output)?))),
    }
}

fn runs(request: &Request<'_>) -> Result<Ran, NotRun> {
    let root = checked_root(request.root)?;
    let (repo, patch) = (request.repo, request.patch);
    let sandbox = find(request.scratch, &request.limits)?;
    sweep(request.scratch)?;
    let scratch = make(request.scratch)?;
    probe(&sandbox, &scratch, &request.limits)?;

    let base = base_of(repo, patch)?;
    let brought = |path: &str| request.tests.iter().any(|test| test == path);
    let mut notes = Vec::new();
    let mut step = |name: &str, files: Snapshot| -> Result<Run, NotRun> {
        let source = scratch.folder(name)?;
        // Half of the space is left for what tests write.
        let exported = repo.export(files, &source, request.limits.disk / 2)?;
        if exported.left_out > 0 && notes.is_empty() {
            notes.push(format!(
                "{} links that lead out of the repository, or submodules, were left out",
                exported.left_out
            ));
        }
        let limits = &request.limits;
        let output = scratch.file(&format!("{name}.out"));
        let mut command = sandbox.command(&source, root, request.command, limits);
        let bounds = Bounds {
            until: request.deadline.min(Instant::now() + limits.step),
            memory: limits.memory,
            processes: limits.processes,
            output: limits.output,
        };
        let over = guard::run(&mut command, &output, &bounds)?;
        let output = output::tail(&output)?;
        std::fs::remove_dir_all(&source)?;
        if over.status.code() == Some(NOT_BEGUN) && output.contains("autofix: ") {
            return Err(NotRun(format!("the tests could not be begun: {output}")));
        }
        Ok(Run {
            passed: over.ended == How::Exited && over.status.success(),
            status: over.status.code(),
            seconds: over.seconds,
            output,
            ended: over.ended,
        })
    };
    let before = step("before", repo.snapshot(base)?)?;
    let without_fix = match patch.files().iter().any(|path| brought(path)) {
        true => Some(step("tests", repo.patched(base, patch.text(), &brought)?)?),
        false => None,
    };
    let with_fix = step("fix", repo.patched(base, patch.text(), &|_| true)?)?;
    let late = Instant::now() >= request.deadline;
    let verdict = decide(&before, without_fix.as_ref(), &with_fix, late);
    Ok(Ran {
        before,
        without_fix,
        with_fix,
        verdict,
        notes,
    })
}

fn decide(before: &Run, without: Option<&Run>, with: &Run, late: bool) -> Verdict {
    let inconclusive = |why: &str| Verdict::Inconclusive(why.to_owned());
    // What a shell says of a command that is not there or cannot be run.
    let missing = |run: &Run| matches!(run.status, Some(126 | 127));
    if late && !with.passed {
        return inconclusive("the time for all runs together was over");
    }
    if missing(before) || missing(with) {
        return inconclusive("the test command, or a program of it, is not there in the sandbox");
    }
    match (before.passed, with.passed) {
        (true, false) => Verdict::Fails(match with.ended {
            How::Exited => "the tests pass before the fix and fail with it".to_owned(),
            ended => format!("with the fix the tests were stopped: {}", ended.words()),
        }),
        (false, false) => inconclusive("the tests fail before the fix as well"),
        (false, true) if before.ended != How::Exited => Verdict::Inconclusive(format!(
            "the tests were stopped before the fix: {}",
            before.ended.words()
        )),
        (false, true) => Verdict::Proven,
        (true, true) => match without {
            Some(run) if run.passed => Verdict::Unproven(
                "the new test passes without the fix as well: it does not show the fault".into(),
            ),
            Some(_) => Verdict::Proven,
            None => Verdict::Unproven(
                "the patch brings no test, and the tests pass before it and with it".into(),
            ),
        },
    }
}

/// A folder in the work tree, as a shell takes it behind `./`.
fn checked_root(root: &str) -> Result<&str, NotRun> {
    let inside = Path::new(root)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    match inside && !root.contains('\0') {
        true => Ok(root),
        false => Err(NotRun(format!("{root:?} is no folder of the repository"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(status: i32) -> Run {
        Run {
            passed: status == 0,
            status: Some(status),
            seconds: 0.1,
            output: String::new(),
            ended: How::Exited,
        }
    }

    fn stopped(ended: How) -> Run {
        Run {
            passed: false,
            status: None,
            ended,
            ..run(1)
        }
    }

    #[test]
    fn verdicts_follow_from_the_runs() {
        let verdict = |before: Run, without: Option<Run>, with: Run, late: bool| match decide(
            &before,
            without.as_ref(),
            &with,
            late,
        ) {
            Verdict::Proven => "proven",
            Verdict::Unproven(_) => "unproven",
            Verdict::Fails(_) => "fails",
            Verdict::Inconclusive(_) => "inconclusive",
        };
        for (before, without, with, late, expected) in [
            (run(0), Some(run(1)), run(0), false, "proven"),
            (run(0), Some(run(1)), run(0), true, "proven"),
            (run(0), Some(run(0)), run(0), false, "unproven"),
            (run(0), None, run(0), false, "unproven"),
            (run(0), Some(run(1)), run(1), false, "fails"),
            (run(0), Some(run(1)), stopped(How::TimedOut), false, "fails"),
            (
                run(0),
                Some(run(1)),
                stopped(How::TimedOut),
                true,
                "inconclusive",
            ),
            (
                run(0),
                Some(stopped(How::TimedOut)),
                run(0),
                false,
                "proven",
            ),
            (run(1), Some(run(1)), run(1), false, "inconclusive"),
            (run(1), None, run(0), false, "proven"),
            (run(127), Some(run(127)), run(127), false, "inconclusive"),
            (
                stopped(How::TooMuchMemory),
                None,
                run(0),
                false,
                "inconclusive",
            ),
        ] {
            let said = format!("{before:?} {without:?} {with:?} {late}");
            assert_eq!(verdict(before, without, with, late), expected, "{said}");
        }
    }

    #[test]
    fn the_service_lies_in_the_work_tree() {
        for root in ["", ".", "a/b", "a b"] {
            assert!(checked_root(root).is_ok(), "{root}");
        }
        for root in ["/", "/a", "..", "a/../..", "a\0"] {
            assert!(checked_root(root).is_err(), "{root}");
        }
    }
}
