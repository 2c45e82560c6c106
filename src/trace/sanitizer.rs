//! The reports of the sanitizers (address, leak, thread, memory, undefined behaviour) and of
//! libFuzzer: how they begin, which lines are theirs, and where they end.

use super::grammar::{State, Step};
use super::{cpp_frame, text};
use crate::model::Raised;

/// Inside a report; its summary is still to come.
pub(super) const REPORT: u8 = 10;
/// After the summary: the shadow bytes, or nothing.
const SUMMED: u8 = 11;
/// One line of undefined behaviour; frames may follow.
pub(super) const UNDEFINED: u8 = 12;
const DONE: u8 = 13;

/// `==12==ERROR: AddressSanitizer: …`, `WARNING: ThreadSanitizer: …` → what follows the level.
pub(super) fn heading(own: &str) -> Option<&str> {
    let rest = after_process(own).unwrap_or(own);
    let rest = rest.trim_start();
    let told = rest
        .strip_prefix("ERROR: ")
        .or_else(|| rest.strip_prefix("WARNING: "))?;
    let (tool, _) = told.split_once(": ")?;
    let known = tool.ends_with("Sanitizer") || tool == "libFuzzer";
    let name = tool.bytes().all(|b| b.is_ascii_alphanumeric());
    let numbered = rest.len() < own.len() || tool == "ThreadSanitizer";
    (known && name && numbered).then_some(told)
}

/// `==12==rest` → the rest.
fn after_process(own: &str) -> Option<&str> {
    let rest = own.strip_prefix("==")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let rest = rest.get(digits..)?.strip_prefix("==")?;
    (digits > 0).then_some(rest)
}

/// `x.c:4:41: runtime error: …` → where it stands and what it says.
pub(super) fn undefined(own: &str) -> Option<(&str, u32, &str)> {
    let (place, message) = own.split_once(": runtime error: ")?;
    let (file, line) = text::location(place)?;
    let source = !file.contains([' ', '"', '=']) && file.contains('.');
    source.then_some((file, line, message))
}

/// What the heading names. The address is left out: it differs from run to run.
pub(super) fn raised(told: &str) -> Raised {
    let (tool, message) = told.split_once(": ").unwrap_or((told, ""));
    let end = [" on address 0x", " on unknown address"]
        .iter()
        .filter_map(|words| message.find(words))
        .min();
    let message = message.get(..end.unwrap_or(message.len()));
    let message = message.unwrap_or_default().trim();
    Raised {
        kind: Some(tool.to_owned()),
        message: (!message.is_empty()).then(|| message.to_owned()),
    }
}

pub(super) fn step(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    if after_process(own).is_some_and(|rest| rest.trim() == "ABORTING") && state.phase != DONE {
        state.phase = DONE;
        return Step::Part;
    }
    match state.phase {
        DONE => Step::End,
        SUMMED => after_summary(state, line, own),
        UNDEFINED => after_undefined(state, line, own),
        _ => in_report(state, line, own),
    }
}

fn in_report(state: &mut State, line: &str, own: &str) -> Step {
    if is_summary(own) {
        state.phase = SUMMED;
        return Step::Part;
    }
    if heading(own).is_some() {
        return Step::End;
    }
    if cpp_frame::frame(line).is_some() || after_process(own).is_some() || is_remark(own) {
        return Step::Part;
    }
    if text::starts_like_log(line) {
        return Step::End;
    }
    Step::Maybe
}

fn is_summary(own: &str) -> bool {
    own.strip_prefix("SUMMARY: ")
        .and_then(|rest| rest.split_once(": "))
        .is_some_and(|(tool, _)| tool.ends_with("Sanitizer") || tool == "libFuzzer")
}

/// What the reports say between their stacks.
fn is_remark(own: &str) -> bool {
    const STARTS: [&str; 14] = [
        "READ of size ",
        "WRITE of size ",
        "freed by thread ",
        "previously allocated by ",
        "allocated by thread ",
        "Direct leak of ",
        "Indirect leak of ",
        "Address 0x",
        "This frame has ",
        "HINT: ",
        "SCARINESS: ",
        "Thread T",
        "Uninitialized value was ",
        "NOTE: ",
    ];
    let located = own.starts_with("0x") && own.contains(" is located ");
    located || STARTS.iter().any(|start| own.starts_with(start))
}

fn after_summary(state: &mut State, line: &str, own: &str) -> Step {
    if own.starts_with("Shadow byte") || own.starts_with("=>0x") || own.starts_with("->0x") {
        state.flag = true;
        return Step::Part;
    }
    // Below it stand the bytes and their legend, each indented.
    if state.flag && line.starts_with("  ") && (own.starts_with("0x") || own.contains(": ")) {
        return Step::Part;
    }
    if own == "Exiting" {
        state.phase = DONE;
        return Step::Part;
    }
    // A warning of its own (a register dump, an address) may stand before the last word.
    if after_process(own).is_some() && heading(own).is_none() {
        return Step::Part;
    }
    let waits = own.is_empty() && state.unsure < 2;
    if waits { Step::Maybe } else { Step::End }
}

fn after_undefined(state: &mut State, line: &str, own: &str) -> Step {
    if is_summary(own) {
        state.phase = SUMMED;
        return Step::Part;
    }
    let note = own.starts_with("0x") && own.contains(": note: ");
    // The bytes of memory at that place, and a caret below them.
    let bytes = own
        .split_ascii_whitespace()
        .all(|word| word.len() == 2 && word.bytes().all(|b| b.is_ascii_hexdigit()));
    let caret = own.starts_with('^') && own.bytes().all(|b| matches!(b, b'^' | b'~' | b' '));
    let below = (bytes || caret) && line.starts_with(' ') && !own.is_empty();
    let note_of = own.contains(": note: ") && undefined(own).is_none() && own.contains(".c");
    if note || below || note_of || cpp_frame::frame(line).is_some() {
        return Step::Part;
    }
    let waits = own.is_empty() && state.unsure < 2;
    if waits { Step::Maybe } else { Step::End }
}
