//! What an investigating model may look at: files, searches, history and log lines, at the
//! deployed commit and read-only. Input is whatever a model wrote; output is redacted, bounded,
//! and fenced so that nothing in it can pass for words of ours. Not here: what a model is told,
//! and what becomes of its answer.

mod code;
mod files;
mod input;
pub(in crate::investigate) mod logs;
pub(in crate::investigate) mod past;
mod schema;

use crate::investigate::page::Page;
use crate::llm::Tool;
use crate::model::{Settings, Timestamp};
use crate::redact::{Redacted, Scope};
use crate::source::{Commit, Error, Repo};
use input::Input;
use serde_json::Value;
use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// Longest look at files, lists and commits.
const LOOK: Duration = Duration::from_secs(2);
/// Longest walk through the history. What is older is said to be older.
const WALK: Duration = Duration::from_millis(1_500);
/// Longest search. The first one in a commit reads all of it.
const SEARCH: Duration = Duration::from_secs(10);

/// A line of the log that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// What an answer cites it by.
    pub id: String,
    pub time: Option<Timestamp>,
    /// As it was logged; it is redacted when it is shown.
    pub text: String,
}

/// What a result showed, for whoever checks evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Lines of a file at the deployed commit.
    Lines {
        file: String,
        lines: RangeInclusive<u32>,
    },
    Commit(Commit),
    /// A line of the log, by its id.
    Log(String),
}

/// What a tool gave.
#[derive(Clone, Debug)]
pub struct ToolResult {
    pub content: Redacted,
    /// The call could not be done; the content says what to do instead.
    pub is_error: bool,
    pub seen: Vec<Seen>,
}

/// One investigation's place to work.
pub struct Desk<'a> {
    repo: &'a Repo,
    commit: Commit,
    settings: &'a Settings,
    lines: &'a [LogLine],
    /// Commits known to be in the deployed one's history.
    known: HashSet<Commit>,
}

/// A tool, by what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ListFiles,
    ReadFile,
    SearchCode,
    FindSymbol,
    History,
    Blame,
    ShowCommit,
    ReadLogs,
}

impl Kind {
    const ALL: [Kind; 8] = [
        Kind::ListFiles,
        Kind::ReadFile,
        Kind::SearchCode,
        Kind::FindSymbol,
        Kind::History,
        Kind::Blame,
        Kind::ShowCommit,
        Kind::ReadLogs,
    ];
}

/// Why a tool gave no result.
enum Failed {
    /// The call can be mended: what is wrong and what to do, in words of ours.
    Call(Redacted),
    /// The repository cannot be read.
    Source(Error),
}

impl From<Error> for Failed {
    fn from(fault: Error) -> Failed {
        Failed::Source(fault)
    }
}

impl From<&'static str> for Failed {
    fn from(words: &'static str) -> Failed {
        Failed::Call(Redacted::own(words))
    }
}

/// A page that is filled, and what it shows.
type Filled = Result<(Page, Vec<Seen>), Failed>;

impl<'a> Desk<'a> {
    /// A desk at a deployed commit. `lines`: what may be shown of the log, oldest first.
    pub fn new(
        repo: &'a Repo,
        commit: Commit,
        settings: &'a Settings,
        lines: &'a [LogLine],
    ) -> Desk<'a> {
        Desk {
            repo,
            commit,
            settings,
            lines,
            known: HashSet::from([commit]),
        }
    }

    /// The tools, the same in every investigation.
    pub fn tools() -> Vec<Tool> {
        Kind::ALL.into_iter().map(schema::tool).collect()
    }

    /// Whether one of them has this name.
    pub fn has(name: &str) -> bool {
        Kind::ALL.into_iter().any(|kind| kind.name() == name)
    }

    /// Runs a tool by its name. Never fails: what could not be done stands in the result.
    pub fn run(
        &mut self,
        name: &str,
        input: &Value,
        scope: &mut Scope,
        deadline: Instant,
    ) -> ToolResult {
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
        let Some(kind) = kind else {
            let names = "there is no such tool; there are list_files, read_file, search_code, \
                         find_symbol, history, blame, show_commit and read_logs";
            return failed(Redacted::own(names));
        };
        let before = self.repo.deadline();
        let done = match Input::read(input, schema::fields(kind), scope) {
            Ok(input) => self.one(kind, &input, scope, deadline),
            Err(wrong) => Err(Failed::Call(wrong)),
        };
        self.repo.set_deadline(before);
        match done {
            Ok((page, seen)) => {
                self.known.extend(seen.iter().filter_map(|seen| match seen {
                    Seen::Commit(commit) => Some(*commit),
                    Seen::Lines { .. } | Seen::Log(_) => None,
                }));
                ToolResult {
                    content: page.finish(),
                    is_error: false,
                    seen,
                }
            }
            Err(Failed::Call(wrong)) => failed(wrong),
            Err(Failed::Source(fault)) => failed(Redacted::join(&[
                "the repository could not be read: ".into(),
                (&scope.text(&fault.to_string()).quoted(300, 100)).into(),
                "; go on without this, or ask for less".into(),
            ])),
        }
    }

    fn one(
        &mut self,
        kind: Kind,
        input: &Input<'_>,
        scope: &mut Scope,
        deadline: Instant,
    ) -> Filled {
        let (longest, run): (
            Duration,
            fn(&mut Self, &Input<'_>, &mut Scope, Instant) -> Filled,
        ) = match kind {
            Kind::ListFiles => (LOOK, Self::list_files),
            Kind::ReadFile => (LOOK, Self::read_file),
            Kind::SearchCode => (SEARCH, Self::search_code),
            Kind::FindSymbol => (SEARCH, Self::find_symbol),
            Kind::History => (WALK, Self::history),
            Kind::Blame => (WALK, Self::blame),
            Kind::ShowCommit => (LOOK, Self::show_commit),
            Kind::ReadLogs => (LOOK, Self::read_logs),
        };
        let now = Instant::now();
        if now >= deadline {
            return Err("the time for this investigation is over; give your answer now".into());
        }
        let deadline = deadline.min(now + longest);
        self.repo.set_deadline(deadline);
        run(self, input, scope, deadline)
    }
}

fn failed(why: Redacted) -> ToolResult {
    ToolResult {
        content: Redacted::join(&[
            "This call gave no result: ".into(),
            (&why).into(),
            ".".into(),
        ]),
        is_error: true,
        seen: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
