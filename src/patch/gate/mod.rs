//! Whether a model's answer becomes a patch: one gate after the other, each for one kind of
//! fault, and the first that finds one stops it. A gate believes nothing that the answer says of
//! the repository; it looks. What it says back names the fault and the remedy, and no value that
//! was redacted. Whether the fix is right is found out by tests, not here.

mod applies;
mod case;
pub(in crate::patch) mod characters;
mod evidence;
mod frames;
mod hosts;
mod imports;
mod location;
mod place;
mod placeholders;
mod powers;
mod regression;
mod secrets;
mod size;
mod stdlib;
mod syntax;
mod target;

use crate::model::{Settings, Trace};
use crate::patch::answer::Answer;
use crate::patch::{AcceptedPatch, Rules};
use crate::redact::Scope;
use crate::source::{Commit, Repo};
use case::Case;
use serde::Serialize;
use std::fmt;
use std::time::Instant;

/// Most faults that are named at once.
const FAULTS: usize = 12;
/// Longest text of one fault, in characters.
const FAULT: usize = 400;

/// A line of the log as it was shown to the model, redacted.
#[derive(Clone, Copy, Debug)]
pub struct ShownLine<'a> {
    pub id: &'a str,
    pub text: &'a str,
}

/// What an answer is held against.
pub struct Ground<'a> {
    pub repo: &'a Repo,
    /// The deployed commit.
    pub commit: Commit,
    pub settings: &'a Settings,
    pub trace: Option<&'a Trace>,
    pub lines: &'a [ShownLine<'a>],
    /// In which the model was shown everything.
    pub scope: &'a Scope,
    pub deadline: Instant,
}

/// The kinds of fault, in the order in which they are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// Cited lines exist and say what is claimed.
    Evidence,
    /// Functions span the lines of the trace, and callers call.
    Frames,
    /// No path that must not be touched.
    Paths,
    /// Plain text files, and new ones where none is.
    Target,
    /// Placeholders stay where they are.
    Placeholders,
    /// Every edit fits exactly once.
    Applies,
    /// Not too much.
    Size,
    /// It still parses.
    Syntax,
    /// Nothing that is not seen as it is read.
    Characters,
    /// No new secret.
    Secrets,
    /// No new host.
    Hosts,
    /// No new package.
    Imports,
    /// No new eval, process or network.
    Powers,
    /// A regression test where there are tests, and one that keeps to itself.
    Regression,
    /// The cited place is touched, or it is said why not.
    Place,
}

impl Gate {
    pub const ALL: [Gate; 15] = [
        Gate::Evidence,
        Gate::Frames,
        Gate::Paths,
        Gate::Target,
        Gate::Placeholders,
        Gate::Applies,
        Gate::Size,
        Gate::Syntax,
        Gate::Characters,
        Gate::Secrets,
        Gate::Hosts,
        Gate::Imports,
        Gate::Powers,
        Gate::Regression,
        Gate::Place,
    ];

    /// The word of reports and transcripts.
    pub const fn word(self) -> &'static str {
        match self {
            Gate::Evidence => "evidence",
            Gate::Frames => "frames",
            Gate::Paths => "paths",
            Gate::Target => "target",
            Gate::Placeholders => "placeholders",
            Gate::Applies => "applies",
            Gate::Size => "size",
            Gate::Syntax => "syntax",
            Gate::Characters => "characters",
            Gate::Secrets => "secrets",
            Gate::Hosts => "hosts",
            Gate::Imports => "imports",
            Gate::Powers => "powers",
            Gate::Regression => "regression",
            Gate::Place => "place",
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// An answer that passed every gate.
#[derive(Clone, Debug)]
pub struct Judged {
    pub patch: AcceptedPatch,
    /// Paths of the regression test.
    pub tests: Vec<String>,
    /// What each gate saw.
    pub passed: Vec<(Gate, String)>,
    /// What could not be looked at, a sentence each.
    pub notes: Vec<String>,
}

/// An answer that did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    pub gate: Gate,
    /// Every fault that this gate found, and what to do otherwise. Redacted.
    pub why: String,
    pub passed: Vec<(Gate, String)>,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.gate, self.why)
    }
}

impl std::error::Error for Stopped {}

/// What one gate found.
#[derive(Debug, Default)]
struct Seen {
    faults: Vec<String>,
    /// What it looked at, for the report.
    said: String,
}

impl Seen {
    fn fault(&mut self, what: impl Into<String>) {
        if self.faults.len() <= FAULTS {
            self.faults.push(what.into());
        }
    }

    fn says(mut self, said: impl Into<String>) -> Seen {
        self.said = said.into();
        self
    }
}

/// Makes the patch of an answer that passes every gate.
///
/// # Errors
/// With the first gate that stops it.
pub fn judge(ground: &Ground<'_>, answer: &Answer) -> Result<Judged, Stopped> {
    judge_without(ground, answer, None)
}

/// [`judge`] with one gate left out, so that a test can show what that one is for.
#[doc(hidden)]
pub fn judge_without(
    ground: &Ground<'_>,
    answer: &Answer,
    left_out: Option<Gate>,
) -> Result<Judged, Stopped> {
    let mut way = Way {
        ground,
        left_out,
        passed: Vec::new(),
    };
    ground.repo.set_deadline(ground.deadline);
    let mut case = Case::open(ground, answer).map_err(|why| way.stopped(Gate::Evidence, &why))?;
    for gate in Gate::ALL {
        let seen = match gate {
            Gate::Evidence => evidence::check(&case),
            Gate::Frames => frames::check(&case),
            Gate::Paths => location::check(&case),
            Gate::Target => target::check(&mut case),
            Gate::Placeholders => placeholders::check(&mut case),
            Gate::Applies => applies::check(&mut case),
            Gate::Size => size::check(&case),
            Gate::Syntax => syntax::check(&case),
            Gate::Characters => characters::check(&case),
            Gate::Secrets => secrets::check(&case),
            Gate::Hosts => hosts::check(&case),
            Gate::Imports => imports::check(&case),
            Gate::Powers => powers::check(&case),
            Gate::Regression => regression::check(&case),
            Gate::Place => place::check(&case),
        };
        way.pass(gate, seen)?;
    }
    let patch = case.diffed.take().map(|diffed| AcceptedPatch {
        text: diffed.text,
        base: ground.commit.to_string(),
        files: diffed.files,
        added: diffed.added,
        removed: diffed.removed,
    });
    let Some(patch) = patch else {
        let why = "the edits give no diff; look at the file again and quote it exactly";
        return Err(way.stopped(Gate::Applies, why));
    };
    Ok(Judged {
        patch,
        tests: answer.tests.clone(),
        passed: way.passed,
        notes: case.notes.take(),
    })
}

/// The gates so far.
struct Way<'a> {
    ground: &'a Ground<'a>,
    left_out: Option<Gate>,
    passed: Vec<(Gate, String)>,
}

impl Way<'_> {
    fn pass(&mut self, gate: Gate, seen: Seen) -> Result<(), Stopped> {
        if self.left_out == Some(gate) {
            return Ok(());
        }
        // What is found when time is over may be half of it.
        if Instant::now() >= self.ground.deadline {
            return Err(self.stopped(gate, "there was no time left to look at the answer"));
        }
        if seen.faults.is_empty() {
            let said = self.ground.scope.hide(&seen.said);
            self.passed.push((gate, said.as_str().to_owned()));
            return Ok(());
        }
        let more = seen.faults.len() > FAULTS;
        let shown = seen.faults.iter().take(FAULTS).map(|f| cut(f, FAULT));
        let mut why = shown.collect::<Vec<String>>().join("\n");
        if more {
            why.push_str("\nand more of the kind");
        }
        Err(self.stopped(gate, &why))
    }

    fn stopped(&mut self, gate: Gate, why: &str) -> Stopped {
        Stopped {
            gate,
            why: self.ground.scope.hide(why).as_str().to_owned(),
            passed: std::mem::take(&mut self.passed),
        }
    }
}

fn cut(text: &str, most: usize) -> String {
    let mut cut: String = text.chars().take(most).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// A piece of untrusted text in a fault: short, on one line, with everything that is not seen
/// escaped.
fn quoted(text: &str) -> String {
    format!("`{}`", cut(text.trim(), 80).escape_debug())
}

fn rules(settings: &Settings) -> Rules<'_> {
    Rules {
        allow: &settings.allow,
        protect: &settings.protect,
    }
}
