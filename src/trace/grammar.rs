//! What the engine asks of a language, and the list of languages. No language's own rules.

use super::literals::Literals;
use super::{cpp, csharp, dart, elixir, erlang, go, java, javascript, php, python, ruby};
use super::{rust, rust_report};
use crate::model::{Block, Frame, Language, Raised, Trace};
use std::sync::LazyLock;

/// Where a language stands inside a trace. The meaning of `phase` and `flag` is the language's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    pub phase: u8,
    pub flag: bool,
    /// It is a trace for certain; before that, lines are only held.
    pub proven: bool,
    /// Lines since the last that certainly belonged; kept by the engine.
    pub unsure: usize,
    /// A digest of what heads the trace, for languages that must know it again.
    pub digest: u64,
    /// Of a trace that begins at a frame: where the line above names the exception, if it does.
    pub named_above: Option<fn(&str) -> Option<usize>>,
}

impl State {
    pub const fn at(phase: u8) -> State {
        State {
            phase,
            flag: false,
            proven: false,
            unsure: 0,
            digest: 0,
            named_above: None,
        }
    }
}

/// How a trace begins in a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begin {
    /// Byte offset of the trace's own text; before it stands a prefix or indentation.
    pub at: usize,
    pub state: State,
}

/// Whether the next line belongs to the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It does, and so do the lines before it that were unsure.
    Part,
    /// It does if a later line proves it.
    Maybe,
    /// Printed by the runtime after the trace (`exit status 2`): swallowed, and the trace is over.
    Footer,
    /// It does not; the trace is over.
    End,
}

/// What the finished text says.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    pub blocks: Vec<Block>,
    pub root: usize,
    pub outermost: usize,
    pub frames: Vec<Frame>,
    /// `Some` where the text itself tells whether anybody caught it.
    pub uncaught: Option<bool>,
    /// A logger or a handler may have printed it: it does not look as the runtime prints what
    /// nobody caught.
    pub loggable: bool,
}

impl Reading {
    /// A trace with one exception.
    pub fn single(raised: Raised, frames: Vec<Frame>) -> Reading {
        let block = Block {
            raised,
            frames: 0..frames.len(),
        };
        Reading {
            blocks: vec![block],
            frames,
            ..Reading::default()
        }
    }

    /// Closes the block whose frames begin at `from`.
    pub fn close_block(&mut self, raised: Raised, from: usize) {
        let frames = from.min(self.frames.len())..self.frames.len();
        self.blocks.push(Block { raised, frames });
    }

    pub fn into_trace(mut self, language: Language) -> Trace {
        if self.blocks.is_empty() {
            self.close_block(Raised::default(), 0);
        }
        let last = self.blocks.len() - 1;
        Trace {
            language,
            root: self.root.min(last),
            outermost: self.outermost.min(last),
            blocks: self.blocks,
            frames: self.frames,
        }
    }
}

/// One way in which a language prints traces.
pub(super) struct Grammar {
    pub language: Language,
    /// Whether the line begins a trace by itself.
    pub begin: fn(&str) -> Option<Begin>,
    /// Whether the line, after a held line that names an exception, makes it a trace of this
    /// language; gives the state after it.
    pub adopt: fn(&str) -> Option<State>,
    /// Whether the line can only be a frame, so that it opens a trace with no name before it.
    pub frame: fn(&str) -> bool,
    /// Whether the line belongs to the trace.
    pub step: fn(&mut State, &str) -> Step,
    /// Reads the finished lines.
    pub read: fn(&[&str]) -> Reading,
    /// The runtime prints it itself, so that a log line before it is another event.
    pub printed_by_runtime: bool,
}

/// In the order in which they are asked.
pub(super) static GRAMMARS: [&Grammar; 13] = [
    &php::GRAMMAR,
    &python::GRAMMAR,
    &go::GRAMMAR,
    &rust::GRAMMAR,
    &rust_report::GRAMMAR,
    &cpp::GRAMMAR,
    &dart::GRAMMAR,
    &csharp::GRAMMAR,
    &java::GRAMMAR,
    &javascript::GRAMMAR,
    &ruby::GRAMMAR,
    &erlang::GRAMMAR,
    &elixir::GRAMMAR,
];

/// Without one of these a line begins no trace, apart from the shapes in [`may_begin`].
pub(super) const NEEDLES: [&str; 68] = [
    "Traceback (most recent call last)",
    "tack trace:",
    "tacktrace:",
    ", line ",
    "panic: ",
    "panic serving ",
    "fatal error: ",
    "goroutine ",
    "panicked",
    "overflowed its stack",
    "Error",
    "Exception",
    "Throwable",
    "UnhandledPromiseRejection",
    "   0: ",
    "panic recovered:",
    // Clojure
    "Execution error ",
    "Syntax error ",
    // Ruby
    ":in `",
    ":in '",
    // PHP
    "Fatal error: ",
    "Fatal error</b>: ",
    "Parse error: ",
    "[object] (",
    "exception '",
    "#0 ",
    // Elixir
    "** (",
    " terminating",
    " terminated",
    "raised an exception",
    // Erlang
    " REPORT",
    "exception error: ",
    "exception exit: ",
    "[{file,\"",
    "[file: ",
    // C and C++
    "Sanitizer: ",
    "libFuzzer: ",
    ": runtime error: ",
    "terminate called ",
    "Assertion `",
    "Assertion failed: ",
    "heck failed: ",
    "heck failure stack trace: ***",
    " signal SIG",
    "*** SIG",
    "*** Aborted at ",
    "*** Error in `",
    "smashing detected ***",
    "overflow detected ***",
    "double free or corruption",
    "corrupted size vs. prev_size",
    "corrupted double-linked list",
    "free(): ",
    "lloc(): ",
    "munmap_chunk(): ",
    "malloc_consolidate(): ",
    "Fatal glibc error: ",
    "Stack trace (most recent call",
    "# Fatal error in ",
    "0# ",
    "[0x",
    // Dart
    "nhandled exception",
    ".dart ",
    "EXCEPTION CAUGHT BY ",
    // C#
    "Stack overflow.",
    "Process terminated.",
    "Fatal error. ",
    "FATAL UNHANDLED EXCEPTION",
];

static PREFILTER: LazyLock<Option<Literals>> = LazyLock::new(|| Literals::new(&NEEDLES, false));

/// Byte-level check that nearly all plain lines fail.
pub(super) fn may_begin(line: &str) -> bool {
    if PREFILTER
        .as_ref()
        .is_none_or(|needles| needles.any_in(line))
    {
        return true;
    }
    may_be_browser_frame(line)
}

/// `name@file.js:1:2` and bare `file.js:1:2` end in a number and hold no blank.
fn may_be_browser_frame(line: &str) -> bool {
    let bytes = line.as_bytes();
    let digits = bytes
        .iter()
        .rev()
        .take(10)
        .take_while(|b| b.is_ascii_digit())
        .count();
    let before = bytes.len().checked_sub(digits + 1);
    let numbered = digits > 0 && before.and_then(|at| bytes.get(at)) == Some(&b':');
    (numbered || line.ends_with("[native code]")) && memchr::memchr(b' ', bytes).is_none()
}

/// Nothing begins, for languages that have no line of that kind.
pub(super) fn no_state(_: &str) -> Option<State> {
    None
}

/// Never a frame by itself.
pub(super) fn no_frame(_: &str) -> bool {
    false
}
