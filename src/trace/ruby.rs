//! Ruby: `file:3:in 'f': message (Type)` with `from` lines as the interpreter prints it, the
//! reversed order of 2.5 to 2.7, causes, and the bare backtraces that loggers, Rails, Puma and
//! Rake print below a line that names the exception.

use super::grammar::{Begin, Grammar, Reading, State, Step, no_frame};
use super::text;
use crate::model::{Frame, Language, Raised};
use std::hash::{DefaultHasher, Hash, Hasher};

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Ruby,
    begin,
    adopt,
    frame: no_frame,
    step,
    read,
    printed_by_runtime: false,
};

/// The exception was named; frames, code with carets or more of the message follow.
const NAMED: u8 = 0;
/// Below the name, as the interpreter prints it. `flag`: a frame of this exception stands in a
/// `rescue` or `ensure`, so that its cause may follow.
const FRAMES: u8 = 1;
/// The outermost frame was printed first; the name follows.
const REVERSED: u8 = 2;
/// `Caused by:` was printed; a name and its frames follow.
const CAUSED: u8 = 3;

/// Longest line that is read as a frame or a name.
const LONGEST: usize = 8_192;

fn begin(line: &str) -> Option<Begin> {
    if line.len() > LONGEST {
        return None;
    }
    let logger = text::log_prefix(line);
    let indent = text::indent(line);
    let mut starts = [indent, logger].into_iter();
    starts.find_map(|at| {
        let own = line.get(at..)?;
        let state = opening(own)?;
        Some(Begin { at, state })
    })
}

fn opening(own: &str) -> Option<State> {
    let mut state = State::at(NAMED);
    if let Some((frame, said)) = head(own) {
        state.proven = typed(said).is_some() || said == UNHANDLED;
        state.flag = rescues(&frame) || newer(own);
        state.digest = digest(own);
        return Some(state);
    }
    if let Some(frame) = from(own).or_else(|| bare(own)) {
        state = State::at(FRAMES);
        state.flag = rescues(&frame);
        state.named_above = Some(name_above);
        return Some(state);
    }
    let rails = named_with_brackets(own)?.1;
    let known = |kind: &str| kind.ends_with("Error") || kind.ends_with("Exception");
    rails.kind.as_deref().is_some_and(known).then_some(state)
}

/// What Ruby prints for an exception without a message.
const UNHANDLED: &str = "unhandled exception";

fn adopt(line: &str) -> Option<State> {
    let mut state = State::at(FRAMES);
    state.proven = true;
    if numbered(line).is_some() {
        state.phase = REVERSED;
        return Some(state);
    }
    let frame = from(line).or_else(|| bare(line)).or_else(|| jruby(line))?;
    state.flag = rescues(&frame);
    Some(state)
}

fn step(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    if own.is_empty() {
        return if state.unsure < 3 || state.phase == NAMED {
            Step::Maybe
        } else {
            Step::End
        };
    }
    if let Some((frame, _)) = head(own) {
        // The same crash once more.
        let again = state.digest == digest(own);
        return if again {
            Step::End
        } else {
            at_head(state, &frame)
        };
    }
    if state.phase == REVERSED && numbered(own).is_some() {
        return Step::Part;
    }
    let listed = || from(own).or_else(|| bare(own)).or_else(|| jruby(line));
    if let Some(frame) = listed() {
        state.flag |= rescues(&frame) || newer(own);
        (state.phase, state.proven) = (FRAMES, true);
        return Step::Part;
    }
    if is_elision(own) {
        return Step::Part;
    }
    if state.proven && matches!(own, "Caused by:" | "Causes:" | "(cause)") {
        state.phase = CAUSED;
        return Step::Part;
    }
    if text::starts_like_log(line) {
        return Step::End;
    }
    let hint = own.bytes().all(|b| b == b'^' || b == b'~') || own.starts_with("Did you mean?");
    match state.phase {
        NAMED if state.proven && hint => Step::Part,
        CAUSED if name_in(own).is_some() => Step::Part,
        NAMED if typed(own).is_some() => Step::Part,
        NAMED | CAUSED => Step::Maybe,
        _ => Step::End,
    }
}

/// Another name below frames is the cause's, if the exception was raised while one was handled.
fn at_head(state: &mut State, frame: &Frame) -> Step {
    match state.phase {
        REVERSED => Step::Part,
        FRAMES if state.proven && state.flag => {
            (state.phase, state.flag) = (NAMED, rescues(frame));
            Step::Part
        }
        CAUSED => {
            (state.phase, state.flag) = (NAMED, rescues(frame));
            Step::Part
        }
        _ => Step::End,
    }
}

/// Whether Ruby 3.4 or later printed it, which has no frames of `rescue` any more.
fn newer(own: &str) -> bool {
    own.contains(":in '")
}

fn digest(head: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    head.trim_end().hash(&mut hasher);
    hasher.finish()
}

fn rescues(frame: &Frame) -> bool {
    let name = frame.function.as_deref().unwrap_or_default();
    name.starts_with("rescue in ") || name.starts_with("ensure in ")
}

/// `... 10063 levels...`
fn is_elision(own: &str) -> bool {
    own.strip_prefix("... ")
        .and_then(|rest| rest.strip_suffix(" levels..."))
        .is_some_and(|count| count.bytes().all(|b| b.is_ascii_digit()))
}

/// `file:3:in 'f'` → the frame and what follows it.
fn place(own: &str) -> Option<(Frame, &str)> {
    let own = text::floor(own, LONGEST);
    let (mark, at) = [":in `", ":in '"]
        .into_iter()
        .filter_map(|mark| Some((mark, own.find(mark)?)))
        .min_by_key(|(_, at)| *at)?;
    let (file, line) = text::split_number(own.get(..at)?)?;
    if !is_path(file) {
        return None;
    }
    let rest = own.get(at + mark.len()..)?;
    // A name may hold quotes itself: the one that ends it ends the line, or a colon follows.
    let end = match rest.find("': ") {
        Some(end) => end,
        None => rest.trim_end().len().checked_sub(1)?,
    };
    let (name, rest) = (rest.get(..end)?, rest.get(end..)?.strip_prefix('\'')?);
    let frame = Frame {
        file: Some(file.to_owned()),
        line: Some(line),
        function: Some(name.to_owned()),
    };
    (!name.is_empty()).then_some((frame, rest))
}

/// Whether a frame's file can be one: blanks stand only in whole paths.
fn is_path(file: &str) -> bool {
    let drive = |file: &str| {
        file.get(1..)
            .is_some_and(|rest| rest.starts_with([':']) && rest.get(1..2) != Some(" "))
    };
    let whole = file.starts_with(['/', '(']) || drive(file);
    (whole || !file.contains(' ')) && !file.contains(['"', '\'', '`', '{', '\t', '='])
}

/// `file:3:in 'f': message` → the frame and the message, perhaps with the type in brackets.
fn head(own: &str) -> Option<(Frame, &str)> {
    if let Some((frame, rest)) = place(own) {
        let said = rest.strip_prefix(": ")?.trim();
        return (!said.starts_with("warning: ")).then_some((frame, said));
    }
    // No method around it: `file.rb:3: message (Type)`.
    let at = own.find(".rb:")? + 3;
    let (number, said) = own.get(at + 1..)?.split_once(": ")?;
    let (said, file) = (said.trim(), own.get(..at)?);
    typed(said)?;
    let frame = Frame {
        file: Some(file.to_owned()),
        line: Some(number.parse().ok()?),
        function: None,
    };
    is_path(file).then_some((frame, said))
}

/// `file:3:in 'f'` and nothing else.
fn bare(own: &str) -> Option<Frame> {
    let own = own.trim();
    // RSpec and minitest put a mark before it.
    let own = own.strip_prefix("# ").unwrap_or(own);
    let (frame, rest) = place(own)?;
    rest.is_empty().then_some(frame)
}

/// `from file:3:in 'f'`, `from file:3`
fn from(own: &str) -> Option<Frame> {
    let own = own.trim().strip_prefix("from ")?;
    if let Some(frame) = bare(own) {
        return Some(frame);
    }
    // Code that was evaluated may have no line, code outside of methods no name.
    let unnumbered = |mark| own.split_once(mark);
    let (file, name) = unnumbered(":in '")
        .or_else(|| unnumbered(":in `"))
        .unwrap_or((own, ""));
    let (file, line) = match text::split_number(file) {
        Some((file, line)) => (file, Some(line)),
        None => (file, None),
    };
    let function = name.strip_suffix('\'').map(str::to_owned);
    let told = is_path(file) && (line.is_some() || function.is_some());
    told.then(|| Frame {
        file: Some(file.to_owned()),
        line,
        function,
    })
}

/// `2: from file:3:in 'f'`, as 2.5 to 2.7 print it.
fn numbered(line: &str) -> Option<Frame> {
    let (number, rest) = line.trim().split_once(": ")?;
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    from(rest).filter(|_| digits)
}

/// `  f at file.rb:3`, as JRuby prints it.
fn jruby(line: &str) -> Option<Frame> {
    if !line.starts_with([' ', '\t']) {
        return None;
    }
    let (name, place) = line.trim().rsplit_once(" at ")?;
    let (file, line) = text::split_number(place)?;
    let known = file.ends_with(".rb") || file.starts_with("org/jruby/");
    (known && is_path(file) && !name.contains([':', '"'])).then(|| Frame {
        file: Some(file.to_owned()),
        line: Some(line),
        function: Some(name.to_owned()),
    })
}

/// A constant's name: `Type`, `A::Type`.
fn is_type(token: &str) -> bool {
    token.split("::").all(|part| {
        part.as_bytes().first().is_some_and(u8::is_ascii_uppercase)
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// `message (Type)` → both.
fn typed(said: &str) -> Option<Raised> {
    let (message, kind) = said.strip_suffix(')')?.rsplit_once('(')?;
    is_type(kind).then(|| raised(kind, message.trim()))
}

fn raised(kind: &str, message: &str) -> Raised {
    Raised {
        kind: Some(kind.to_owned()),
        message: (!message.is_empty()).then(|| message.to_owned()),
    }
}

/// `Type (message):` as Rails prints it; the offset is 0.
fn named_with_brackets(own: &str) -> Option<(usize, Raised)> {
    let own = own.trim();
    let (kind, rest) = own.split_once(" (")?;
    let message = rest.strip_suffix("):").or_else(|| rest.strip_suffix(')'))?;
    is_type(kind).then(|| (0, raised(kind, message)))
}

/// `Type: message` or `#<Type: message>` somewhere in a line → its offset and both.
fn named_in(line: &str) -> Option<(usize, Raised)> {
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let inner = rest.strip_prefix("#<").and_then(|r| r.strip_suffix('>'));
        let own = inner.unwrap_or(rest);
        let (kind, message) = own
            .split_once(": ")
            .unwrap_or((own.trim_end_matches(':'), ""));
        let known = kind.ends_with("Error") || kind.ends_with("Exception") || kind.contains("::");
        if known && is_type(kind) {
            return Some((at, raised(kind, message.trim())));
        }
        at += rest.find(' ').map_or(rest.len(), |blank| blank + 1);
    }
    None
}

/// What a line above frames names, and where.
fn name_in(line: &str) -> Option<(usize, Raised)> {
    let line = text::floor(line, LONGEST).trim_end();
    let start = text::log_prefix(line).max(text::indent(line));
    let own = line.get(start..)?;
    if let Some((at, named)) = named_with_brackets(own) {
        return Some((start + at, named));
    }
    if let Some(named) = typed(own) {
        return Some((start, named));
    }
    named_in(line)
}

/// Where the name of the exception begins in the line above bare frames.
fn name_above(line: &str) -> Option<usize> {
    let start = text::log_prefix(line).max(text::indent(line));
    name_in(line).map(|(at, _)| at.min(start.max(text::indent(line))))
}

fn read(lines: &[&str]) -> Reading {
    let mut reading = Reading::default();
    let mut named: Option<Raised> = None;
    let mut from_frame = 0;
    let mut native = false;
    let mut seen = false;
    let reversed = lines
        .first()
        .is_some_and(|line| line.starts_with("Traceback ("));
    for line in lines {
        let own = line.trim();
        if let Some((frame, said)) = head(own) {
            native = true;
            let name = typed(said).unwrap_or_else(|| of_head(said));
            if reversed {
                reading.frames.push(frame);
                reading.close_block(name, from_frame);
                from_frame = reading.frames.len();
                continue;
            }
            if seen {
                reading.close_block(named.take().unwrap_or_default(), from_frame);
                from_frame = reading.frames.len();
            }
            (named, seen) = (Some(name), true);
            reading.frames.push(frame);
            continue;
        }
        let frame = from(own).or_else(|| bare(own)).or_else(|| numbered(own));
        if let Some(frame) = frame.or_else(|| jruby(line)) {
            seen = true;
            reading.frames.push(frame);
        } else if matches!(own, "Caused by:" | "Causes:" | "(cause)") {
            reading.close_block(named.take().unwrap_or_default(), from_frame);
            from_frame = reading.frames.len();
            seen = true;
        } else if named.as_ref().is_none_or(|named| named.kind.is_none()) {
            named = name_in(line).map(|(_, name)| name).or(named);
        }
    }
    if named.is_some() || from_frame < reading.frames.len() {
        reading.close_block(named.unwrap_or_default(), from_frame);
    }
    let last = reading.blocks.len().saturating_sub(1);
    if reversed {
        // The cause stands first.
        reading.outermost = last;
    } else {
        reading.root = last;
    }
    reading.uncaught = (!native).then_some(false);
    reading.loggable = !native;
    reading
}

/// A message whose type is missing, or stands on a later line.
fn of_head(said: &str) -> Raised {
    let kind = (said == UNHANDLED).then(|| "RuntimeError".to_owned());
    Raised {
        kind,
        message: Some(said.to_owned()),
    }
}
