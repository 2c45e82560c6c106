//! PHP: fatal errors and uncaught exceptions as the interpreter prints them (also as HTML, behind
//! FPM's and web servers' prefixes, and with Xdebug), the text form of an exception, and the
//! `[object] (…)` form that Monolog and with it Laravel and Symfony write. Warnings and notices
//! are no traces.

use super::grammar::{Begin, Grammar, State, Step, no_frame};
use super::{php_read, text};
use crate::model::{Frame, Language};
use std::borrow::Cow;

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Php,
    begin,
    adopt,
    frame: no_frame,
    step,
    read: php_read::read,
    printed_by_runtime: false,
};

/// The exception was named; more of its message or `Stack trace:` follows.
const NAMED: u8 = 0;
const FRAMES: u8 = 1;
/// `#3 {main}` was printed; where it was thrown, or the next of the chain, may follow.
const BOTTOM: u8 = 2;
/// Nothing belongs to it any more.
const DONE: u8 = 3;
/// Frames without a name above.
const BARE: u8 = 4;

/// Longest line that is read as a name.
const LONGEST: usize = 64 * 1024;

/// What the interpreter prints before an error that ends the program.
const FATAL: [&str; 5] = [
    "Fatal error: ",
    "Fatal error</b>: ",
    "Parse error: ",
    "fatal error: ",
    "Parse error</b>: ",
];

pub(super) const OBJECT: &str = "[object] (";

fn begin(line: &str) -> Option<Begin> {
    let line = text::floor(line, LONGEST);
    if let Some((at, rest)) = fatal(line) {
        let state = after_fatal(rest)?;
        return Some(Begin { at, state });
    }
    if let Some(at) = line.find(OBJECT) {
        let said = line.get(at + OBJECT.len()..)?;
        said.split_once("(code: ")
            .filter(|(kind, _)| is_type(kind))?;
        let mut state = State::at(NAMED);
        state.flag = true;
        if closes_record(line) || line.contains("\\n#") {
            (state.proven, state.phase) = (true, DONE);
        }
        return Some(Begin { at, state });
    }
    let starts = [text::indent(line), text::log_prefix(line)];
    starts.into_iter().find_map(|at| {
        let own = line.get(at..)?;
        let state = opening(own)?;
        Some(Begin { at, state })
    })
}

/// Where `PHP Fatal error: ` stands in a line as the line's own text, and what follows.
pub(super) fn fatal(line: &str) -> Option<(usize, &str)> {
    FATAL.iter().find_map(|mark| {
        let found = line.find(mark)?;
        let mut at = found;
        for word in ["Recoverable ", "Catchable ", "<b>", "PHP "] {
            let before = line.get(..at)?;
            at = before.strip_suffix(word).map_or(at, str::len);
        }
        let before = line.get(..at)?;
        // Go prints `fatal error: ` in small letters.
        let small = mark.starts_with('f') && at == found;
        let passed_on = before.ends_with("PHP message: ") || before.ends_with("stderr: \"");
        if small || !(passed_on || text::is_own_text(line, at)) {
            return None;
        }
        line.get(found + mark.len()..).map(|rest| (at, rest.trim()))
    })
}

fn after_fatal(said: &str) -> Option<State> {
    let mut state = State::at(NAMED);
    let whole = said.contains("\\nStack trace:");
    let untagged = plain(said);
    let (_, place) = split_place(&untagged).unwrap_or_default();
    if whole {
        (state.proven, state.phase) = (true, DONE);
    } else if place.is_some_and(|place| place.on_line) {
        (state.proven, state.phase) = (true, BOTTOM);
    } else if !said.starts_with("Uncaught ") {
        return None;
    }
    Some(state)
}

fn opening(own: &str) -> Option<State> {
    let state = State::at(NAMED);
    if own.starts_with("exception '") && own.contains("' with message '") {
        return Some(state);
    }
    if own.starts_with("#0 ") && frame(own).is_some() {
        let mut state = State::at(BARE);
        state.named_above = Some(name_above);
        return Some(state);
    }
    let (kind, _) = own.split_once(": ")?;
    let spaced = kind.contains('\\') && is_type(kind);
    (spaced && split_place(own)?.1.is_some()).then_some(state)
}

/// `Type: message in file:3` above `#0 …`, or the heading of frames.
fn name_above(line: &str) -> Option<usize> {
    let heading = line.trim_end().strip_suffix("Stack trace:").map(str::len);
    if let Some(at) = heading.filter(|at| text::is_own_text(line, *at)) {
        return Some(at);
    }
    let at = text::log_prefix(line).max(text::indent(line));
    let own = line.get(at..)?;
    let (kind, _) = own.split_once(": ")?;
    (is_type(kind) && split_place(own)?.1.is_some()).then_some(at)
}

fn adopt(line: &str) -> Option<State> {
    let own = line.trim();
    if own == "Stack trace:" {
        return Some(State::at(FRAMES));
    }
    let framed = own.starts_with("#0 ") && (frame(own).is_some() || is_bottom(own));
    framed.then(|| State {
        proven: true,
        ..State::at(FRAMES)
    })
}

/// What FPM puts around each line of a worker.
pub(super) fn unwrapped(line: &str) -> &str {
    let own = line.trim();
    let own = own.strip_prefix('"').unwrap_or(own);
    let own = own.strip_prefix("PHP message: ").unwrap_or(own);
    own.strip_suffix('"').unwrap_or(own).trim()
}

fn step(state: &mut State, line: &str) -> Step {
    let own = unwrapped(line);
    if state.phase == DONE {
        return Step::End;
    }
    if state.flag && closes_record(line) {
        (state.phase, state.proven) = (DONE, true);
        return Step::Part;
    }
    if own.is_empty() {
        return if state.unsure < 3 || state.phase == NAMED {
            Step::Maybe
        } else {
            Step::End
        };
    }
    if is_heading(own) {
        state.phase = FRAMES;
        return Step::Part;
    }
    if is_bottom(own) {
        (state.phase, state.proven) = (BOTTOM, true);
        return Step::Part;
    }
    if frame(own).is_some() || xdebug_frame(own).is_some() {
        let again = state.phase == BOTTOM && own.starts_with("#0 ");
        if again || state.phase == NAMED {
            return Step::End;
        }
        state.proven = true;
        return Step::Part;
    }
    if own.starts_with("thrown in ") && matches!(state.phase, FRAMES | BOTTOM | NAMED) {
        (state.phase, state.proven) = (DONE, true);
        return Step::Part;
    }
    if state.proven && (own.starts_with("Next ") || own.starts_with("[previous exception] ")) {
        state.phase = NAMED;
        return Step::Part;
    }
    let waits = state.phase == NAMED && !text::starts_like_log(own);
    if waits && fatal(own).is_none() {
        return Step::Maybe;
    }
    Step::End
}

/// The heading of frames.
pub(super) fn is_heading(own: &str) -> bool {
    matches!(
        own,
        "Stack trace:" | "[stacktrace]" | "PHP Stack trace:" | "Call Stack:"
    )
}

/// `#3 {main}`
pub(super) fn is_bottom(own: &str) -> bool {
    numbered(own).is_some_and(|rest| rest.starts_with("{main}"))
}

/// `"} []`, as a record of Monolog ends.
fn closes_record(line: &str) -> bool {
    let own = line.trim_end().trim_end_matches("[]").trim_end();
    own == "\"}" || own.ends_with(")\"}")
}

/// `#3 rest` → the rest.
fn numbered(own: &str) -> Option<&str> {
    let (number, rest) = own.strip_prefix('#')?.split_once(' ')?;
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| rest.trim_start())
}

/// `#1 file(3): f(…)`, `#1 [internal function]: f(…)`, `#1  f() called at [file:3]`
pub(super) fn frame(own: &str) -> Option<Frame> {
    let rest = numbered(own)?;
    if let Some(call) = rest.strip_prefix("[internal function]: ") {
        return Some(Frame {
            function: callee(call),
            ..Frame::default()
        });
    }
    if let Some((call, place)) = rest.split_once(" called at [") {
        let (file, line) = text::split_number(place.trim_end().strip_suffix(']')?)?;
        return Some(Frame {
            file: Some(file.to_owned()),
            line: Some(line),
            function: callee(call),
        });
    }
    let (place, call) = rest.split_once("): ")?;
    let (file, line) = place.rsplit_once('(')?;
    let numeric = !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit());
    let line = line.parse().ok().filter(|_| numeric)?;
    (!file.is_empty()).then(|| Frame {
        file: Some(file.to_owned()),
        line: Some(line),
        function: callee(call),
    })
}

/// A call without its arguments. PHP 8.4 names closures after where they stand.
fn callee(call: &str) -> Option<String> {
    let from = call
        .find("{closure:")
        .and_then(|at| Some(at + call.get(at..)?.find('}')?))
        .unwrap_or(0);
    let open = call
        .get(from..)?
        .find('(')
        .map_or(call.len(), |at| from + at);
    call.get(..open)
        .map(str::trim)
        .filter(|name| !name.is_empty())
        // As PHP prints it for browsers.
        .map(|name| name.replace("-&gt;", "->"))
}

/// `PHP   2. f($a = 1) file:3`, `    0.0002     390000   2. f() file:3`, as Xdebug prints it.
pub(super) fn xdebug_frame(own: &str) -> Option<Frame> {
    let own = own.strip_prefix("PHP ").unwrap_or(own);
    let (before, rest) = own.split_once(". ")?;
    let mut words = before.split_ascii_whitespace();
    let numbers = words.all(|word| word.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    if !numbers || before.trim().is_empty() {
        return None;
    }
    let (call, place) = rest.rsplit_once(") ")?;
    let (file, line) = text::split_number(place.trim())?;
    Some(Frame {
        file: Some(file.to_owned()),
        line: Some(line),
        function: callee(call),
    })
}

/// A class's name: `Type`, `A\B\Type`, `class@anonymous`.
fn is_type(token: &str) -> bool {
    let head = |b: &u8| b.is_ascii_alphabetic() || matches!(b, b'_' | b'\\');
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"_\\@".contains(&b) || b >= 0x80;
    token.as_bytes().first().is_some_and(head) && token.bytes().all(inner)
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub file: &'a str,
    pub line: u32,
    /// Printed as `on line 3`.
    pub on_line: bool,
}

/// `text in file:3`, `text in file on line 3` → the text and the place.
pub(super) fn split_place(said: &str) -> Option<(&str, Option<Place<'_>>)> {
    let said = said.trim_end();
    let said = said.strip_suffix('"').unwrap_or(said);
    let (before, file, line, on_line) = match said.rsplit_once(" on line ") {
        Some((rest, number)) if number.bytes().all(|b| b.is_ascii_digit()) => {
            let (before, file) = rest.rsplit_once(" in ")?;
            (before, file, number.parse().ok()?, true)
        }
        _ => {
            let (rest, line) = text::split_number(said)?;
            let (before, file) = rest.rsplit_once(" in ")?;
            (before, file, line, false)
        }
    };
    // `called in a.php on line 3 and defined in b.php:2`
    let before = before
        .strip_suffix(" and defined")
        .map_or(before, |_| before);
    let place = Place {
        file,
        line,
        on_line,
    };
    Some((before.trim_end(), Some(place)))
}

/// Without the tags that PHP prints for browsers.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains("<b>") {
        return Cow::Borrowed(text);
    }
    let text = text.replace("<b>", "").replace("</b>", "");
    Cow::Owned(text.trim_end().trim_end_matches("<br />").to_owned())
}
