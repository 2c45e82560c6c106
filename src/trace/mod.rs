//! Stack traces in streams of log lines: which lines are one trace, and what it says.
//!
//! One small engine ([`Assembler`], one per stream) and one file a language. A language's file
//! says how a trace begins, whether the next line belongs to it, and what the finished text
//! means; a new language is such a file and one line in `grammar.rs`. Splitting streams,
//! unwrapping containers and JSON is the caller's work, judging what was found the brain's.

mod cpp;
mod cpp_fault;
mod cpp_frame;
mod csharp;
mod dart;
mod elixir;
mod engine;
mod erlang;
mod erlang_term;
mod go;
mod grammar;
mod inspect;
mod java;
mod javascript;
mod literals;
mod open;
mod php;
mod php_read;
mod previous;
mod python;
mod ruby;
mod rust;
mod rust_report;
mod sanitizer;
mod text;
mod thrown;

pub use engine::{Assembler, IDLE, LONGEST};
pub use inspect::{Inspected, InspectedFrame, Inspector};
pub use literals::Literals;
pub use open::{BYTES_KEPT, BYTES_MAX, HELD_BYTES, HELD_LINES, LINES_KEPT, LINES_MAX};

use crate::model::{Level, Timestamp, Trace};

/// One message of a stream. Usually a line; a whole trace with `\n` inside works as well.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Without its line end. ANSI colours are ignored.
    pub text: &'a str,
    /// Event time.
    pub time: Timestamp,
    /// The record's own level, where it has one.
    pub level: Option<Level>,
    /// The caller's number of this line; comes back in [`Kept`].
    pub index: u64,
}

/// A line that was kept, without colours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub text: String,
    pub time: Timestamp,
    pub index: u64,
}

/// What became of a pushed line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It has nothing to do with a trace, as far as one can tell now.
    Plain,
    /// It is part of a trace, or held back because it may begin one. A held line that turns out
    /// to be plain comes back from [`Assembler::take_plain`].
    Inside,
}

/// A trace that was put together.
#[derive(Clone, Debug)]
pub struct Found {
    /// The log line just before the trace that belongs to the same event.
    pub header: Option<Kept>,
    /// The trace's own lines, from the one that names the exception to the last; the first
    /// [`LINES_KEPT`] of them.
    pub lines: Vec<Kept>,
    /// Index of the trace's last line, also where `lines` was cut.
    pub last: u64,
    pub trace: Trace,
    /// Nobody caught it: it ended the thread or the program.
    pub uncaught: bool,
    /// Level of the header, else of the trace's first line.
    pub level: Option<Level>,
    /// A limit cut it.
    pub cut: bool,
    /// Event time of the first line.
    pub time: Timestamp,
}

/// Reads a text that holds one trace, such as the value of a `stack` field. The first trace
/// counts. `None` when there is none.
pub fn parse(text: &str) -> Option<Trace> {
    let mut assembler = Assembler::default();
    let line = Line {
        text,
        time: Timestamp(0),
        level: None,
        index: 0,
    };
    assembler.push(line, Timestamp(0));
    assembler.finish();
    let found = assembler.take().next().map(|found| found.trace);
    found.or_else(|| go::listed(text))
}
