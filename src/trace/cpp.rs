//! C and C++: what the runtimes say when they abort (`terminate called`, glibc's own checks,
//! assertions, `Check failed`), signals as gdb, glog and Abseil report them, and the stacks below.
//! Faults are read in `cpp_fault`, frames in `cpp_frame`, the reports of sanitizers in `sanitizer`.

use super::cpp_fault::{checked_at, fault, received};
use super::grammar::{Begin, Grammar, Reading, State, Step, no_state};
use super::previous::starts_anew;
use super::{cpp_frame, sanitizer, text};
use crate::model::{Frame, Language, Raised};
use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Cpp,
    begin,
    adopt: no_state,
    frame: is_bare,
    step,
    read,
    printed_by_runtime: true,
};

/// The fault was named in a line that may stand alone; a stack may follow.
const NAMED: u8 = 0;
const STACK: u8 = 1;
/// V8 puts a `#` before each line of what it says.
const HASHED: u8 = 2;

/// One of these stands in every first line. `grammar` has them among its needles.
const MARKS: [&str; 28] = [
    "Sanitizer: ",
    "libFuzzer: ",
    ": runtime error: ",
    "terminate called ",
    ": terminating ",
    "Assertion `",
    "Assertion failed: ",
    "Check failed: ",
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
    "#0 ",
    "0# ",
    "[0x",
];

/// Where marks are looked for in a line, in bytes.
const HEAD: usize = 4096;

fn begin(line: &str) -> Option<Begin> {
    static FOUND: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(MARKS).ok());
    let head = text::floor(line, HEAD);
    let found = FOUND.as_ref()?.find_iter(head).take(4);
    let mut begun = found.filter_map(|mark| begin_at(head, mark.start()));
    begun.next().map(|(at, phase, proven)| Begin {
        at,
        state: State {
            proven,
            ..State::at(phase)
        },
    })
}

/// Where the trace's text begins, its phase, and whether it is one for certain.
fn begin_at(line: &str, mark: usize) -> Option<(usize, u8, bool)> {
    let at = start_of(line, mark)?;
    let own = line.get(at..)?;
    if sanitizer::heading(own).is_some() {
        return Some((at, sanitizer::REPORT, true));
    }
    if sanitizer::undefined(own).is_some() {
        return Some((at, sanitizer::UNDEFINED, true));
    }
    if fault(own).is_some() {
        let hashed = own.starts_with('#');
        return Some((at, if hashed { HASHED } else { NAMED }, true));
    }
    let stack = is_heading(own);
    (stack || cpp_frame::is_first(own)).then_some((at, STACK, !stack))
}

/// Where the text that holds the mark begins: after a logger's prefix, whose end the text shows
/// in ways of its own.
fn start_of(line: &str, mark: usize) -> Option<usize> {
    let before = line.get(..mark)?;
    let rest = line.get(mark..)?;
    let at = match rest {
        _ if rest.starts_with("Sanitizer: ") || rest.starts_with("libFuzzer: ") => {
            let warned = before
                .rfind("WARNING: ")
                .or_else(|| before.rfind("ERROR: "))?;
            before.get(..warned)?.rfind("==").map_or(warned, |end| {
                let process = before.get(..end).unwrap_or_default();
                process.rfind("==").unwrap_or(warned)
            })
        }
        _ if rest.starts_with("Assertion `") => asserted_at(before)?,
        _ if rest.starts_with("Check failed: ") => checked_at(before)?,
        _ if rest.starts_with(": runtime error: ") || rest.starts_with(": terminating ") => {
            before.rfind(' ').map_or(0, |at| at + 1)
        }
        _ if rest.starts_with("[0x") => {
            let called = before.trim_end().strip_suffix(')');
            let end = called.map_or(Some(mark), |before| before.rfind('('))?;
            before.get(..end)?.rfind(' ').map_or(0, |at| at + 1)
        }
        _ if rest.starts_with(" signal SIG") => ["Thread ", "Program "]
            .iter()
            .find_map(|word| before.rfind(word))?,
        _ if before.ends_with("*** ") => mark - 4,
        _ => before.rfind("*** ").unwrap_or(mark),
    };
    let at = match (rest.as_bytes().first(), at) {
        // `malloc(): …` and `*** stack smashing …` hold their marks inside a word or a sentence.
        (Some(b'l'), _) => before.rfind(' ').map_or(0, |at| at + 1),
        (Some(b'h'), _) => before.rfind("*** ")?,
        (_, at) => at,
    };
    (leads(line, at)).then_some(at)
}

/// Whether nothing but a logger's prefix stands before `at`.
fn leads(line: &str, at: usize) -> bool {
    text::indent(line) >= at || (text::log_prefix(line) >= at || bracketed(line, at))
}

/// A prefix that ends as loggers' do, with nothing quoted in it.
fn bracketed(line: &str, at: usize) -> bool {
    let before = line.get(..at).unwrap_or_default().trim_end();
    text::is_own_text(line, at) && before.ends_with([']', '|', '-', 'F', ':', '>'])
}

/// `prog: file.c:12: func: ` → where `prog` begins.
fn asserted_at(before: &str) -> Option<usize> {
    let mut at = 0;
    let mut program = None;
    for word in before.split_inclusive(' ') {
        let own = word.trim_end();
        if let Some((_, _)) = own.strip_suffix(':').and_then(text::split_number)
            && program.is_some()
        {
            return program;
        }
        program = own.ends_with(':').then_some(at);
        at += word.len();
    }
    None
}

/// What stands above a stack or between two.
fn is_heading(own: &str) -> bool {
    const STARTS: [&str; 9] = [
        "==== C stack trace ====",
        "*** Check failure stack trace: ***",
        "*** Aborted at ",
        "PC: @ ",
        "======= Backtrace: ====",
        "======= Memory map: ====",
        "[Current thread is ",
        "[Switching to thread ",
        "[end of stack trace]",
    ];
    let backward = own.starts_with("Stack trace (most recent call");
    let thread = own.starts_with("Thread ") && own.contains(" (") && own.ends_with("):")
        || own.starts_with("Thread ") && own.ends_with("\"):");
    thread || backward || received(own) || STARTS.iter().any(|start| own.starts_with(start))
}

fn step(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    if state.phase >= sanitizer::REPORT {
        return sanitizer::step(state, line);
    }
    if sanitizer::heading(own).is_some() {
        state.phase = sanitizer::REPORT;
        state.proven = true;
        return Step::Part;
    }
    if is_last_word(own) && state.proven {
        return Step::Part;
    }
    if killed(own) {
        return Step::Footer;
    }
    let again = state.flag && (own.starts_with("#0 ") || own.starts_with("0# "));
    if again {
        return Step::End;
    }
    state.flag = cpp_frame::frame(line).is_some();
    if state.flag || is_heading(own) {
        state.proven = true;
        state.phase = STACK;
        return Step::Part;
    }
    if state.phase == STACK {
        return in_stack(state, line, own);
    }
    if state.phase == HASHED && own.starts_with('#') && !own.starts_with("# Fatal error in ") {
        return Step::Part;
    }
    // A debugger sees the signal with which the runtime ends what it has named.
    let signal = own.contains(" received signal SIG") && fault(own).is_some();
    if own.starts_with("what():") || signal && state.unsure < 3 {
        return Step::Part;
    }
    // A handler may log, and a debugger prints a line of source, before the stack.
    let ends = text::starts_like_log(line) || starts_anew(line) || state.unsure >= 6;
    if ends { Step::End } else { Step::Maybe }
}

fn in_stack(state: &State, line: &str, own: &str) -> Step {
    // gdb's local variables, backward-cpp's lines of source.
    let deep = line.starts_with("        ") || line.starts_with("      >") || own == "No locals.";
    if deep || is_mapping(own) {
        return Step::Part;
    }
    let rule = !own.is_empty() && own.bytes().all(|b| b == b'=');
    let shown = line.starts_with(|c: char| c.is_ascii_digit()) && line.contains('\t');
    let between = own.ends_with(":DEADLYSIGNAL") || rule || shown || line.starts_with("  ");
    if (own.is_empty() || between) && state.unsure < 6 {
        return Step::Maybe;
    }
    Step::End
}

/// A line of the memory map: `00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/x`.
fn is_mapping(own: &str) -> bool {
    let mut words = own.split_ascii_whitespace();
    let range = words.next().and_then(|word| word.split_once('-'));
    let hex = |text: &str| text.len() >= 6 && text.bytes().all(|b| b.is_ascii_hexdigit());
    range.is_some_and(|(from, to)| hex(from) && hex(to))
        && words
            .next()
            .is_some_and(|mode| mode.len() == 4 && mode.ends_with(['p', 's']))
}

/// What backward-cpp prints below a stack: `Segmentation fault (Address not mapped …)`.
fn is_last_word(own: &str) -> bool {
    own.strip_suffix(")])")
        .or_else(|| own.strip_suffix("])"))
        .and_then(|rest| rest.split_once(" ("))
        .is_some_and(|(words, _)| killed(words))
}

/// What a shell says of the dead program.
fn killed(own: &str) -> bool {
    let words = own.trim_end_matches(" (core dumped)");
    matches!(
        words,
        "Aborted"
            | "Segmentation fault"
            | "Bus error"
            | "Illegal instruction"
            | "Floating point exception"
            | "Trace/breakpoint trap"
    )
}

fn read(lines: &[&str]) -> Reading {
    let mut reading = Reading::default();
    let first = lines.first().copied().unwrap_or_default();
    let (mut raised, place, named) = raised(first);
    let mut sections = 0;
    let mut from = 0;
    for line in lines {
        let own = line.trim();
        if let Some(message) = own.strip_prefix("what():") {
            raised
                .message
                .get_or_insert_with(|| message.trim().to_owned());
            continue;
        }
        if let Some(message) = own.strip_prefix("# Check failed: ") {
            raised.kind = Some("CHECK".to_owned());
            raised.message = Some(message.to_owned());
        }
        if raised.message.is_none() && is_last_word(own) {
            raised.message = Some(own.to_owned());
        }
        if raised.kind.is_none() && received(own) {
            raised.kind = fault(own).and_then(|(raised, _)| raised.kind);
        }
        let Some(frame) = cpp_frame::frame(line) else {
            continue;
        };
        // A report prints where memory came from as well: those stacks are other blocks.
        let again = own.starts_with("#0 ") || own.starts_with("0# ");
        if again && reading.frames.len() > from {
            reading.close_block(std::mem::take(&mut raised), from);
            from = reading.frames.len();
            sections += 1;
        }
        reading.frames.push(frame);
    }
    if reading.frames.is_empty() {
        reading.frames.extend(place);
    }
    if sections == 0 || from < reading.frames.len() {
        reading.close_block(raised, from);
    }
    reading.uncaught = named.then_some(true);
    reading.loggable = !named;
    reading
}

/// A stack whose fault the line before it names.
fn is_bare(line: &str) -> bool {
    cpp_frame::is_first(line)
        || line
            .trim()
            .starts_with("*** Check failure stack trace: ***")
}

/// What the first line names, where it says that stands, and whether the runtime printed it.
fn raised(first: &str) -> (Raised, Option<Frame>, bool) {
    let own = first.trim();
    if let Some(told) = sanitizer::heading(own) {
        return (sanitizer::raised(told), None, true);
    }
    if let Some((file, line, message)) = sanitizer::undefined(own) {
        let frame = Frame {
            file: Some(file.to_owned()),
            line: Some(line),
            function: None,
        };
        let raised = Raised {
            kind: Some("runtime error".to_owned()),
            message: Some(message.trim().to_owned()),
        };
        return (raised, Some(frame), true);
    }
    if let Some((raised, frame)) = fault(own) {
        return (raised, frame, true);
    }
    if cpp_frame::frame(first).is_some() || is_heading(own) {
        return (Raised::default(), None, false);
    }
    // A line of glog at its last level, else whatever stood above the stack.
    let message = own.strip_prefix('F').and_then(|_| own.split_once("] "));
    let fatal =
        message.filter(|(head, _)| text::level_of(head) == Some(crate::model::Level::Fatal));
    let raised = Raised {
        kind: fatal.map(|_| "FATAL".to_owned()),
        message: Some(fatal.map_or(own, |(_, rest)| rest).to_owned()).filter(|m| !m.is_empty()),
    };
    (raised, None, fatal.is_some())
}
