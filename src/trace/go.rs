//! Go: panics, fatal errors, dumps of goroutines, and panics that `net/http` recovered.

use super::grammar::{Begin, Grammar, Reading, State, Step, no_frame, no_state};
use super::text;
use crate::model::{Frame, Language, Raised, Trace};

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Go,
    begin,
    adopt: no_state,
    frame: no_frame,
    step,
    read,
    printed_by_runtime: true,
};

/// The panic was named; `goroutine 1 [running]:` proves it.
const MESSAGE: u8 = 0;
const FRAMES: u8 = 1;
/// A goroutine's heading with no panic before it.
const DUMP: u8 = 2;

/// gin's middleware caught a panic: the request, the message, then frames of its own form.
const RECOVERY: u8 = 3;

const SERVING: &str = "http: panic serving ";

fn begin(line: &str) -> Option<Begin> {
    if let Some(at) = line.find("[Recovery] ")
        && line.trim_end().ends_with(" panic recovered:")
    {
        let state = State::at(RECOVERY);
        return Some(Begin { at, state });
    }
    for mark in ["panic: ", "fatal error: ", SERVING] {
        if let Some(at) = line.find(mark)
            && text::is_own_text(line, at)
        {
            return Some(Begin {
                at,
                state: State::at(MESSAGE),
            });
        }
    }
    let at = line
        .find("goroutine ")
        .filter(|at| text::is_own_text(line, *at))?;
    is_goroutine(line.get(at..)?).then_some(Begin {
        at,
        state: State::at(DUMP),
    })
}

fn step(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    if state.phase == RECOVERY {
        return in_recovery(state, line);
    }
    if is_goroutine(own) || own == "runtime stack:" {
        state.proven |= state.phase == MESSAGE;
        state.phase = if state.proven { FRAMES } else { DUMP };
        return Step::Part;
    }
    match state.phase {
        MESSAGE => in_message(line, own),
        DUMP if function(own).is_some() || own.starts_with("goroutine running on other thread") => {
            state.phase = FRAMES;
            state.proven = true;
            Step::Part
        }
        DUMP => Step::End,
        _ => in_frames(state, line, own),
    }
}

/// `/src/cart.go:12 (0x8d1b2c)` → the file and the line.
fn recovered(line: &str) -> Option<(&str, u32)> {
    let (place, address) = line.trim_end().strip_suffix(')')?.rsplit_once(" (0x")?;
    let hex = address.bytes().all(|b| b.is_ascii_hexdigit());
    text::split_number(place).filter(|_| hex)
}

fn in_recovery(state: &mut State, line: &str) -> Step {
    if recovered(line).is_some() {
        state.proven = true;
        return Step::Part;
    }
    if state.proven {
        let code = line.starts_with('\t') && line.contains(": ");
        return if code { Step::Part } else { Step::End };
    }
    // The request stands in full before the frames.
    let logged = line.starts_with("[GIN]") || text::starts_like_log(line);
    if logged { Step::End } else { Step::Maybe }
}

fn read_recovered(lines: &[&str]) -> Reading {
    let frame = |at: usize, line: &str| {
        let (file, number) = recovered(line)?;
        let code = lines.get(at + 1).and_then(|below| below.strip_prefix('\t'));
        let name = code.and_then(|code| code.split_once(": "));
        Some(Frame {
            file: Some(file.to_owned()),
            line: Some(number),
            function: name.map(|(name, _)| name.to_owned()),
        })
    };
    let all = lines.iter().enumerate();
    let frames = all.filter_map(|(at, line)| frame(at, line)).collect();
    let before = lines
        .iter()
        .skip(1)
        .take_while(|line| recovered(line).is_none());
    let message = before.filter(|line| !line.trim().is_empty()).last();
    Reading {
        uncaught: Some(false),
        loggable: true,
        ..Reading::single(of("panic", message.unwrap_or(&"")), frames)
    }
}

fn in_message(line: &str, own: &str) -> Step {
    let again = own.starts_with("panic: ") && line.starts_with([' ', '\t']);
    if own.starts_with("[signal ") || again {
        return Step::Part;
    }
    if text::starts_like_log(line) {
        Step::End
    } else {
        Step::Maybe
    }
}

fn in_frames(state: &State, line: &str, own: &str) -> Step {
    if own.is_empty() {
        return if state.unsure < 2 {
            Step::Maybe
        } else {
            Step::End
        };
    }
    if place(own).is_some() || function(line).is_some() {
        return Step::Part;
    }
    let remark = own.starts_with("goroutine running on other thread")
        || own.starts_with("...additional frames elided...")
        || own.starts_with("[originating from goroutine");
    if remark || is_register(own) {
        return Step::Part;
    }
    if own
        .strip_prefix("exit status ")
        .is_some_and(|code| code.bytes().all(|b| b.is_ascii_digit()))
    {
        return Step::Footer;
    }
    Step::End
}

/// `goroutine 7 [running, locked to thread]:`
fn is_goroutine(own: &str) -> bool {
    let Some(rest) = own.trim_end().strip_prefix("goroutine ") else {
        return false;
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let rest = rest.get(digits..).unwrap_or_default();
    digits > 0 && rest.ends_with("]:") && rest.contains(" [")
}

/// `rax    0xca`, as a dump after a signal prints registers.
fn is_register(own: &str) -> bool {
    let mut words = own.split_ascii_whitespace();
    let name = words.next().is_some_and(|name| name.len() <= 8);
    let value = words.next().is_some_and(|value| value.starts_with("0x"));
    name && value && words.next().is_none()
}

/// A call: `main.f(0x1, {…})`, `created by main.f in goroutine 1` → the function's name.
fn function(own: &str) -> Option<&str> {
    let own = own.trim_end();
    if let Some(name) = own.strip_prefix("created by ") {
        let name = name.split(" in goroutine ").next().unwrap_or(name);
        return (!name.contains(' ')).then_some(name);
    }
    let inner = own.strip_suffix(')')?;
    let name = inner.get(..opening(inner)?)?;
    // Type parameters in brackets are the only place where a name has blanks.
    let outside = name.split('[').next().unwrap_or(name);
    let plain = !name.is_empty() && !outside.contains([' ', '\t', '"', '=', ',']);
    plain.then_some(name)
}

/// Where the parenthesis stands that the text's end would close.
fn opening(inner: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in inner.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' if depth == 0 => return Some(at),
            b'(' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `/src/main.go:12 +0x1d`, with addresses after the offset or without any.
fn place(own: &str) -> Option<(&str, u32)> {
    let end = own
        .find(" +0x")
        .or_else(|| own.find(" fp="))
        .unwrap_or(own.len());
    let (file, line) = text::split_number(own.get(..end)?)?;
    let source = [".go", ".s", ".c", ".h", ".cc", ".cpp", ".S", ".y", ".rl"]
        .iter()
        .any(|ending| file.ends_with(ending));
    let made = file == "<autogenerated>" || file == "??" || end < own.len();
    let pathlike = !file.contains(['"', '=', '(']) && !file.contains(": ");
    ((source || made) && pathlike).then_some((file, line))
}

fn read(lines: &[&str]) -> Reading {
    let Some((first, rest)) = lines.split_first() else {
        return Reading::default();
    };
    if first.starts_with("[Recovery] ") {
        return read_recovered(lines);
    }
    let (raised, uncaught) = raised(first);
    let mut frames = Vec::new();
    let mut called = function(first);
    for line in rest {
        match (place(line.trim()), called) {
            (Some((file, number)), Some(name)) => {
                frames.push(Frame {
                    file: Some(file.to_owned()),
                    line: Some(number),
                    function: Some(name.to_owned()),
                });
                called = None;
            }
            _ => called = function(line.trim()),
        }
    }
    let mut reading = Reading {
        uncaught: Some(uncaught),
        // A stack that the program asked for, perhaps to log it.
        loggable: raised.kind.is_none() && first.contains("[running"),
        ..Reading::single(raised, frames)
    };
    for again in rest.iter().take_while(|line| !is_goroutine(line.trim())) {
        if let Some(message) = again.trim().strip_prefix("panic: ") {
            // The one before was recovered, and this one came of it.
            if let Some(before) = reading.blocks.last_mut() {
                let message = before.raised.message.as_deref().map(without_remark);
                before.raised.message = message.map(str::to_owned);
            }
            reading.close_block(of("panic", message), usize::MAX);
        }
    }
    reading.outermost = reading.blocks.len().saturating_sub(1);
    reading
}

/// Reads frames that stand in a text without a goroutine's heading, as loggers write them into a
/// field: the function, and the place on the next line.
pub(super) fn listed(text: &str) -> Option<Trace> {
    let mut frames = Vec::new();
    let mut called = "";
    for line in text.lines() {
        if line.starts_with('\t')
            && let Some((file, number)) = place(line.trim())
            && !called.is_empty()
        {
            frames.push(Frame {
                file: Some(file.to_owned()),
                line: Some(number),
                function: Some(called.to_owned()),
            });
            called = "";
            continue;
        }
        let own = line.trim_end();
        let name = function(own).unwrap_or(own);
        let plain = name.contains('.') && !name.contains([' ', '\t', '"']);
        called = if plain { name } else { "" };
    }
    (!frames.is_empty())
        .then(|| Reading::single(Raised::default(), frames).into_trace(Language::Go))
}

fn of(kind: &str, message: &str) -> Raised {
    Raised {
        kind: Some(kind.to_owned()),
        message: Some(message.trim().to_owned()).filter(|message| !message.is_empty()),
    }
}

/// A panic's message without ` [recovered]`.
fn without_remark(message: &str) -> &str {
    message.strip_suffix(" [recovered]").unwrap_or(message)
}

fn raised(first: &str) -> (Raised, bool) {
    if let Some((_, rest)) = first.split_once(SERVING) {
        let message = rest.split_once(": ").map_or(rest, |(_, message)| message);
        return (of("panic", message), false);
    }
    if let Some(message) = first.strip_prefix("panic: ") {
        return (of("panic", message), true);
    }
    match first.strip_prefix("fatal error: ") {
        Some(message) => (of("fatal error", message), true),
        None => (Raised::default(), false),
    }
}
