//! Rust: panics in the form since 1.73 (the message on a line of its own) and before, with and
//! without a backtrace, and an overflowed stack.

use super::grammar::{Begin, Grammar, Reading, State, Step, no_frame, no_state};
use super::text;
use crate::model::{Frame, Language, Raised};

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Rust,
    begin,
    adopt: no_state,
    frame: no_frame,
    step,
    read,
    printed_by_runtime: true,
};

/// The line after the place is the message.
const MESSAGE: u8 = 0;
/// The message may have further lines.
const MORE: u8 = 1;
const BACKTRACE: u8 = 2;
/// An old message in quotes runs over several lines.
const QUOTED: u8 = 3;
const DONE: u8 = 4;
const OVERFLOWED: u8 = 5;

const PANICKED: &str = "panicked at ";

fn begin(line: &str) -> Option<Begin> {
    let at = line
        .find("thread ")
        .filter(|at| text::is_own_text(line, *at))?;
    let own = line.get(at..)?.trim_end();
    if !own.starts_with("thread '") && !own.starts_with("thread <") {
        return None;
    }
    let phase = match heading(own) {
        Some(Heading::Place(..)) => MESSAGE,
        Some(Heading::Whole(..)) => MORE,
        Some(Heading::Quote(_)) => QUOTED,
        None if own.ends_with(" has overflowed its stack") => OVERFLOWED,
        None => return None,
    };
    let proven = phase != QUOTED;
    let state = State {
        proven,
        ..State::at(phase)
    };
    Some(Begin { at, state })
}

enum Heading<'a> {
    /// `panicked at src/main.rs:2:5:`
    Place(&'a str, u32),
    /// `panicked at 'message', src/main.rs:2:5`
    Whole(&'a str, &'a str, u32),
    /// `panicked at 'message` and more lines.
    Quote(&'a str),
}

fn heading(own: &str) -> Option<Heading<'_>> {
    let (_, rest) = own.split_once(PANICKED)?;
    if let Some(quoted) = rest.strip_prefix('\'') {
        return Some(match end_of_quote(quoted) {
            Some((message, file, line)) => Heading::Whole(message, file, line),
            None => Heading::Quote(quoted),
        });
    }
    let (file, line) = text::location(rest.strip_suffix(':')?)?;
    (!file.contains(' ') || file.contains('/')).then_some(Heading::Place(file, line))
}

/// `message', src/main.rs:2:5` → its parts.
fn end_of_quote(text: &str) -> Option<(&str, &str, u32)> {
    let (message, place) = text.trim_end().rsplit_once("', ")?;
    let (file, line) = text::location(place)?;
    Some((message, file, line))
}

fn step(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    let over = own == "thread caused non-unwinding panic. aborting.";
    if over || own.starts_with("error: process didn't exit successfully") {
        return Step::Footer;
    }
    if aborts(own) && state.unsure <= 1 && state.phase != QUOTED {
        state.phase = MESSAGE;
        return Step::Part;
    }
    if own.is_empty() && state.unsure == 0 && matches!(state.phase, DONE | BACKTRACE) {
        return Step::Maybe;
    }
    match state.phase {
        DONE => Step::End,
        QUOTED => in_quote(state, own),
        OVERFLOWED => in_overflow(state, own),
        BACKTRACE => in_backtrace(state, line, own),
        _ => in_message(state, line, own),
    }
}

/// The runtime panics once more where a panic must not leave: that is the same fault.
fn aborts(own: &str) -> bool {
    let Some(Heading::Place(file, _)) = heading(own) else {
        return false;
    };
    own.starts_with("thread ") && file.ends_with("library/core/src/panicking.rs")
}

fn in_message(state: &mut State, line: &str, own: &str) -> Step {
    if own.starts_with("note: ") {
        state.phase = DONE;
        return Step::Part;
    }
    if own == "stack backtrace:" {
        state.phase = BACKTRACE;
        return Step::Part;
    }
    if state.phase == MESSAGE {
        state.phase = MORE;
        return Step::Part;
    }
    let sides = ["left: ", "right: "]
        .iter()
        .any(|side| own.starts_with(side));
    if sides && line.starts_with(' ') {
        return Step::Part;
    }
    if text::starts_like_log(line) {
        Step::End
    } else {
        Step::Maybe
    }
}

fn in_quote(state: &mut State, own: &str) -> Step {
    if end_of_quote(own).is_some() {
        state.proven = true;
        state.phase = MORE;
        return Step::Part;
    }
    Step::Maybe
}

fn in_overflow(state: &mut State, own: &str) -> Step {
    if own.starts_with("fatal runtime error: stack overflow") {
        state.phase = DONE;
        return Step::Part;
    }
    Step::End
}

fn in_backtrace(state: &mut State, line: &str, own: &str) -> Step {
    if own.starts_with("note: ") {
        state.phase = DONE;
        return Step::Part;
    }
    let place = own.starts_with("at ") && line.starts_with([' ', '\t']);
    if place || numbered(own).is_some() || own.starts_with("[... omitted ") {
        return Step::Part;
    }
    Step::End
}

/// `12: name`, `12:   0x7f00 - name` → the name.
pub(super) fn numbered(own: &str) -> Option<&str> {
    let digits = own.bytes().take_while(u8::is_ascii_digit).count();
    let name = own.get(digits..)?.strip_prefix(": ")?.trim_start();
    let name = match name
        .strip_prefix("0x")
        .and_then(|rest| rest.split_once(" - "))
    {
        Some((_, name)) => name,
        None => name,
    };
    (digits > 0 && digits < 7 && !name.is_empty()).then(|| name.trim_end())
}

/// A function's name without what the compiler adds to it, which changes with every build:
/// `a::b::h0123456789abcdef` → `a::b`, `std[0123456789abcdef]::b` → `std::b`.
fn without_hashes(name: &str) -> String {
    let hash = |text: &str| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let name = match name.rsplit_once("::h") {
        Some((rest, end)) if hash(end) => rest,
        _ => name,
    };
    let mut clean = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        clean.push_str(before);
        rest = match after.split_once(']') {
            Some((inner, tail)) if hash(inner) => tail,
            _ => {
                clean.push('[');
                after
            }
        };
    }
    clean.push_str(rest);
    clean
}

/// Reads a backtrace's lines into frames: a name, then the place where there is one.
pub(super) fn backtrace(lines: &[&str], frames: &mut Vec<Frame>) {
    let mut placed = true;
    for line in lines {
        let own = line.trim();
        if let Some(name) = numbered(own) {
            frames.push(Frame {
                function: Some(without_hashes(name)),
                ..Frame::default()
            });
            placed = false;
        } else if let Some((file, number)) = own.strip_prefix("at ").and_then(text::location)
            && !placed
            && let Some(frame) = frames.last_mut()
        {
            (frame.file, frame.line) = (Some(file.to_owned()), Some(number));
            placed = true;
        }
    }
}

fn read(lines: &[&str]) -> Reading {
    let Some((first, rest)) = lines.split_first() else {
        return Reading::default();
    };
    let (message, place) = match heading(first.trim_end()) {
        Some(Heading::Place(file, line)) => {
            (rest.first().map(|line| line.trim()), Some((file, line)))
        }
        Some(Heading::Whole(text, file, line)) => (Some(text), Some((file, line))),
        Some(Heading::Quote(text)) => {
            let end = rest.iter().find_map(|line| end_of_quote(line));
            (Some(text), end.map(|(_, file, line)| (file, line)))
        }
        None => (Some("stack overflow"), None),
    };
    let at = |(file, line): (&str, u32)| Frame {
        file: Some(file.to_owned()),
        line: Some(line),
        function: None,
    };
    let mut frames: Vec<Frame> = place.map(at).into_iter().collect();
    if let Some(start) = rest
        .iter()
        .position(|line| line.trim() == "stack backtrace:")
    {
        backtrace(rest.get(start..).unwrap_or_default(), &mut frames);
    }
    let raised = Raised {
        kind: Some("panic".to_owned()),
        message: message
            .filter(|text| !text.is_empty() && !text.starts_with("note: "))
            .map(str::to_owned),
    };
    Reading {
        uncaught: Some(true),
        ..Reading::single(raised, frames)
    }
}
