//! Who changed a line, and what else was changed around it: blame that goes on behind the
//! newest change, through renames, merges, ignored commits and pure reformatting, within a
//! window of time. Says what happened to lines; who is to blame is decided elsewhere.

mod blame;
mod ids;
mod lines;
mod log;
mod walk;

pub use blame::{Blamed, Blames};
pub use log::{Did, Log, LogEntry};

use crate::source::diff::Hunk;
use crate::source::repo::Commit;
use std::collections::HashSet;
use std::ops::RangeInclusive;

/// Lines of one file whose past is asked for, at the commit where the walk begins.
#[derive(Clone, Debug)]
pub struct Question {
    pub file: String,
    /// The statement that a frame names; 1-based.
    pub lines: RangeInclusive<u32>,
    /// The function around it; contains `lines`.
    pub zone: RangeInclusive<u32>,
}

/// How far back to look.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Commits older than this, in seconds since the epoch, are not looked at.
    pub not_before: i64,
    /// Commits that are in this one's history are not looked at.
    pub known_good: Option<Commit>,
    /// Commits through which blame passes on to their parent.
    pub ignored: HashSet<Commit>,
}

/// One hunk of one commit in or near the lines of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    pub commit: Commit,
    /// Index of the question.
    pub question: usize,
    pub kind: TouchKind,
    /// Lines between the hunk and the statement; 0: it covers it or stands beside it.
    pub distance: u32,
    /// Whether a newer commit has rewritten the statement since.
    pub overwritten: bool,
    pub hunk: Hunk,
    /// The file's path after the commit, and before it.
    pub file: String,
    pub old_file: String,
    /// The lines that the hunk took away and put in.
    pub removed: Vec<String>,
    pub added: Vec<String>,
}

/// What a hunk has to do with the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TouchKind {
    /// It wrote a line of the statement, as blame says.
    Covers,
    /// It took lines away in the function, and put fewer in.
    Removes,
    /// It wrote other lines of the function.
    Near,
}

/// What the walk found.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Newest commit first.
    pub touches: Vec<Touch>,
    /// Whether the walk saw the whole window.
    pub complete: bool,
    /// Where the walk stopped for want of time: what is not found is older than this commit.
    pub older_than: Option<Commit>,
    /// Commits that were looked at.
    pub commits: usize,
    /// A line of a statement was written by the first commit there is, or where a shallow
    /// history ends.
    pub reached_root: bool,
    /// A merge that itself wrote a line of a statement: no parent has it.
    pub by_merge: Option<Commit>,
}
