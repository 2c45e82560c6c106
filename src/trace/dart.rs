//! Dart and Flutter: `Unhandled exception:`, the frames of the virtual machine (`#0  f (uri)`)
//! and of `package:stack_trace` (`uri 3:5  f`), gaps, and the box that Flutter draws around an
//! error of its framework.

use super::grammar::{Begin, Grammar, Reading, State, Step};
use super::{text, thrown};
use crate::model::{Frame, Language, Raised};

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Dart,
    begin,
    adopt,
    frame: is_first,
    step,
    read,
    printed_by_runtime: false,
};

/// The heading was printed; the message, then frames follow.
const MESSAGE: u8 = 0;
const FRAMES: u8 = 1;
/// Inside the box that Flutter draws.
const BOX: u8 = 2;
const DONE: u8 = 3;
/// A dump of code compiled ahead of time.
const DUMP: u8 = 4;

const UNHANDLED: &str = "Unhandled exception:";
const FLUTTER: &str = "Unhandled Exception: ";
const CAUGHT: &str = "EXCEPTION CAUGHT BY ";

fn begin(line: &str) -> Option<Begin> {
    let own = line.trim_end();
    let begun = |at: usize, phase: u8| {
        Some(Begin {
            at,
            state: State::at(phase),
        })
    };
    if let Some(at) = own.find(CAUGHT) {
        let before = own.get(..at)?;
        let edge = before.find('═')?;
        return begun(edge, BOX);
    }
    if let Some(at) = own.find(FLUTTER)
        && own.get(..at)?.contains("flutter")
    {
        return begun(at, MESSAGE);
    }
    if let Some(before) = own.strip_suffix(UNHANDLED) {
        let leads = text::is_blank(before) || text::log_prefix(own) >= before.len();
        return leads
            .then_some(before.len())
            .and_then(|at| begun(at, MESSAGE));
    }
    let at = match own.find("#0 ") {
        Some(at) => at,
        // A frame of `package:stack_trace` begins with its file.
        None => own
            .get(..own.find(".dart ")?)?
            .rfind(' ')
            .map_or(0, |at| at + 1),
    };
    let leads = text::indent(own) >= at || text::is_own_text(own, at);
    if !leads || !is_first(own.get(at..)?) {
        return None;
    }
    Some(Begin {
        at,
        state: State {
            proven: true,
            ..State::at(FRAMES)
        },
    })
}

fn adopt(line: &str) -> Option<State> {
    let own = frame(line).is_some() || is_gap(line.trim()) && line.contains("asynchronous");
    own.then_some(State {
        proven: true,
        ..State::at(FRAMES)
    })
}

fn step(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    match state.phase {
        DONE => return Step::End,
        BOX => return in_box(state, own),
        _ => {}
    }
    // Another stack, with no gap before it.
    if state.phase == FRAMES && own.starts_with("#0 ") && state.flag {
        return Step::End;
    }
    if frame(line).is_some() {
        (state.phase, state.proven, state.flag) = (FRAMES, true, true);
        return Step::Part;
    }
    if state.proven && is_gap(own) {
        state.flag = false;
        return Step::Part;
    }
    if own.starts_with("*** *** ***") {
        (state.phase, state.proven) = (DUMP, true);
        return Step::Part;
    }
    let dumped = state.phase == DUMP && (own.contains(": ") || own.starts_with('#'));
    if dumped {
        return Step::Part;
    }
    if own.is_empty() {
        let waits = state.phase == MESSAGE || state.unsure < 3;
        return if waits { Step::Maybe } else { Step::End };
    }
    if state.phase == MESSAGE && !text::starts_like_log(line) {
        return Step::Maybe;
    }
    Step::End
}

fn in_box(state: &mut State, own: &str) -> Step {
    let edge = own.chars().count() > 8 && own.chars().all(|c| c == '═');
    if edge {
        (state.phase, state.proven) = (DONE, true);
        return Step::Part;
    }
    if own.contains(CAUGHT) {
        return Step::End;
    }
    if vm_frame(own).is_some() {
        state.proven = true;
        return Step::Part;
    }
    Step::Maybe
}

fn is_gap(own: &str) -> bool {
    own == "<asynchronous suspension>"
        || own.starts_with("===== asynchronous gap ====")
        || own.starts_with("(elided ") && own.ends_with(')')
        || own.starts_with("...") && own.trim_start_matches('.').trim_end() == ""
        || own.starts_with("...     (")
}

/// Whether the line is a stack's first frame for certain.
fn is_first(line: &str) -> bool {
    let own = line.trim();
    own.starts_with("#0 ") && vm_frame(own).is_some() || terse(line).is_some()
}

fn frame(line: &str) -> Option<Frame> {
    vm_frame(line.trim()).or_else(|| terse(line))
}

/// `#0      main (package:x/y.dart:3:5)`
fn vm_frame(own: &str) -> Option<Frame> {
    let rest = own.strip_prefix('#')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let rest = rest.get(digits..)?;
    if digits == 0 || digits > 5 || !rest.starts_with(' ') {
        return None;
    }
    let (name, place) = rest.trim().strip_suffix(')')?.rsplit_once(" (")?;
    let (file, line) = match text::location(place) {
        Some((file, line)) => (file, Some(line)),
        None => (place, None),
    };
    is_source(file).then(|| Frame {
        file: Some(file.to_owned()),
        line,
        function: Some(name.trim().to_owned()).filter(|name| !name.is_empty()),
    })
}

/// `package:x/y.dart 3:5   main`, `dart:async  _rootRun`, as `package:stack_trace` prints them.
fn terse(line: &str) -> Option<Frame> {
    let own = line.trim();
    let (file, rest) = own.split_once(' ')?;
    if !is_source(file) || file.contains(['(', ',', '"', '=']) {
        return None;
    }
    let rest = rest.trim_start();
    let place = rest.split_once(' ').unwrap_or((rest, ""));
    let numbers = |text: &str| {
        let (line, column) = text.split_once(':').unwrap_or((text, "1"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        (digits(line) && digits(column))
            .then(|| line.parse().ok())
            .flatten()
    };
    // The name stands in a column of its own.
    let apart = place.1.is_empty() || place.1.starts_with(' ');
    if let Some(number) = numbers(place.0).filter(|_| apart && place.0.contains(':')) {
        return Some(Frame {
            file: Some(file.to_owned()),
            line: Some(number),
            function: Some(place.1.trim().to_owned()).filter(|name| !name.is_empty()),
        });
    }
    // Folded frames of a package or of the core libraries have no place.
    let folded = own
        .get(file.len()..)
        .is_some_and(|rest| rest.starts_with("  "));
    let core = file.starts_with("dart:") || file.starts_with("package:");
    let plain = rest
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_.<>$ ".contains(&b));
    (folded && core && plain).then(|| Frame {
        file: Some(file.to_owned()),
        line: None,
        function: Some(rest.to_owned()),
    })
}

fn is_source(file: &str) -> bool {
    let scheme = ["dart:", "package:", "file:///", "org-dartlang-"]
        .iter()
        .any(|scheme| file.starts_with(scheme));
    (scheme || file.ends_with(".dart")) && !file.contains(' ')
}

fn read(lines: &[&str]) -> Reading {
    let first = lines.first().map(|line| line.trim()).unwrap_or_default();
    let boxed = first.contains(CAUGHT);
    let unhandled = first.starts_with("Unhandled ");
    let stacked = |line: &&&str| frame(line).is_none();
    let frames: Vec<Frame> = lines.iter().filter_map(|line| frame(line)).collect();
    let raised = if boxed {
        boxed_error(lines)
    } else {
        let head = lines.iter().take_while(stacked).map(|line| line.trim());
        let mut head = head.map(|line| line.strip_prefix(FLUTTER).unwrap_or(line));
        let said = head.find(|line| !line.is_empty() && *line != UNHANDLED && !is_gap(line));
        said.map(named).unwrap_or_default()
    };
    Reading {
        // What Flutter draws a box around, its framework has caught.
        uncaught: (unhandled || boxed).then_some(unhandled),
        loggable: !unhandled,
        ..Reading::single(raised, frames)
    }
}

/// `FormatException: no number`; an error without a name prints its message only.
fn named(line: &str) -> Raised {
    let (raised, _) = thrown::raised_in(line);
    if let Some(raised) = thrown::named(line) {
        return raised;
    }
    let ranged = line
        .strip_prefix("RangeError (")
        .and_then(|rest| rest.split_once("): "));
    if let Some((_, message)) = ranged {
        return Raised {
            kind: Some("RangeError".to_owned()),
            message: Some(message.to_owned()),
        };
    }
    if raised.kind.is_some() && text::starts_like_log(line) {
        return raised;
    }
    Raised {
        kind: None,
        message: Some(line.to_owned()),
    }
}

/// `The following StateError was thrown …:`, and the line after it.
fn boxed_error(lines: &[&str]) -> Raised {
    let mut lines = lines.iter().map(|line| line.trim());
    let told = lines.find_map(|line| {
        let rest = line.strip_prefix("The following ")?;
        rest.split_once(" was thrown").map(|(kind, _)| kind)
    });
    let message = lines.find(|line| !line.is_empty());
    let message = message.filter(|line| told.is_some() && vm_frame(line).is_none());
    let kind =
        told.filter(|kind| !kind.contains(' ') && *kind != "message" && *kind != "assertion");
    Raised {
        kind: kind.map(|kind| kind.trim_end_matches(" object").to_owned()),
        message: message.map(str::to_owned),
    }
}
