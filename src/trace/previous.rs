//! The plain lines just before a trace: what the engine remembers of them, because one may be the
//! trace's header or name what it is about.

use super::open::LINE_BYTES;
use super::{Kept, Line, text};
use crate::model::{Level, Timestamp};
use std::time::Duration;

/// How far apart in event time a header and its trace may be.
pub(super) const HEADER_GAP: Duration = Duration::from_secs(5);

/// The last plain line: a header, or a name in a form that no language knows.
#[derive(Default)]
pub(super) struct Previous {
    pub text: String,
    pub time: Timestamp,
    pub index: u64,
    pub level: Option<Level>,
    pub set: bool,
    /// Blank lines since.
    pub blanks: u8,
    /// Node.js points at the throwing code with carets, then prints an empty line.
    pub caret: bool,
}

/// Blank lines that may stand between a log line and its trace.
const BLANKS: u8 = 2;

impl Previous {
    pub fn remember(&mut self, clean: &str, line: &Line<'_>) {
        self.caret = points(clean);
        self.text.clear();
        self.text.push_str(text::floor(clean, LINE_BYTES));
        (self.set, self.blanks) = (true, 0);
        (self.time, self.index, self.level) = (line.time, line.index, line.level);
    }

    pub fn pass_blank(&mut self) {
        self.blanks = self.blanks.saturating_add(1);
        self.set &= self.blanks <= BLANKS;
    }

    pub fn forget(&mut self) {
        self.text.clear();
        (self.set, self.caret) = (false, false);
    }

    /// Its text, if the trace follows with no blank line between.
    pub fn direct(&self) -> &str {
        let direct = self.set && self.blanks == 0;
        if direct { &self.text } else { "" }
    }

    /// A line that no logger begins, and that may go on with the message of the line before.
    pub fn continues(&self) -> bool {
        self.set && !text::starts_like_log(&self.text) && text::level_of(&self.text).is_none()
    }

    pub fn kept(&self) -> Kept {
        Kept {
            text: self.text.clone(),
            time: self.time,
            index: self.index,
        }
    }
}

/// Event time between the line before and a trace's first.
pub(super) fn apart(previous: &Previous, first: &Line<'_>) -> Duration {
    let later = first.time.since(previous.time);
    later.max(previous.time.since(first.time))
}

/// Whether the line before may be of the same event as a trace's first.
pub(super) fn near(previous: &Previous, first: &Line<'_>) -> bool {
    previous.set && previous.index != first.index && apart(previous, first) <= HEADER_GAP
}

/// Whether a log line tells of a program's start.
pub(super) fn starts_anew(line: &str) -> bool {
    const WORDS: [&str; 6] = [
        "start",
        "boot",
        "listening",
        "launch",
        "initializ",
        "running on",
    ];
    let lower = text::floor(line, 300).to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

/// Whether the line consists of `^` under code.
fn points(line: &str) -> bool {
    line.as_bytes().last() == Some(&b'^') && line.trim_start().bytes().all(|b| b == b'^')
}
