//! Erlang: reports of crashes and errors (SASL, lager, the logger of OTP), what the shell and
//! escripts print, and stacks that stand as terms in a line.

use super::grammar::{Begin, Grammar, Reading, State, Step, no_frame, no_state};
use super::text;
use crate::model::{Frame, Language, Raised};

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Elixir,
    begin,
    adopt: no_state,
    frame: no_frame,
    step,
    read,
    printed_by_runtime: false,
};

/// A heading was printed: `=CRASH REPORT====`.
const HEADING: u8 = 0;
/// Inside a report.
const REPORT: u8 = 1;
/// `exception error: …` of the shell; `in function …` follows.
const SHELL: u8 = 2;
/// A term that may run over several lines.
const TERM: u8 = 3;
/// `Error in process <0.1.0> with exit value:`; the term follows.
const VALUE: u8 = 4;

const HEADINGS: [&str; 3] = [
    "=CRASH REPORT====",
    "=ERROR REPORT====",
    "=SUPERVISOR REPORT====",
];

/// Where a stack stands in a term.
const PLACE: &str = "[{file,";

fn begin(line: &str) -> Option<Begin> {
    let of = |at, phase, proven| Begin {
        at,
        state: State {
            proven,
            ..State::at(phase)
        },
    };
    let own_at = |mark: &str| line.find(mark).filter(|at| text::is_own_text(line, *at));
    if let Some(at) = HEADINGS.iter().find_map(|mark| own_at(mark)) {
        return Some(of(at, HEADING, false));
    }
    if let Some(at) = own_at("** exception ").or_else(|| own_at("escript: exception ")) {
        shell(line.get(at..)?)?;
        return Some(of(at, SHELL, true));
    }
    let at = text::log_prefix(line).max(text::indent(line));
    let own = line.get(at..)?;
    if is_exit_value(own) {
        return Some(of(at, VALUE, own.contains(PLACE)));
    }
    if own.starts_with("crasher: initial call: ") || is_dying(own) || lager(own).is_some() {
        return Some(of(at, TERM, true));
    }
    let stacked = line.contains(PLACE) && !frames_in(line).is_empty();
    stacked.then(|| of(at, TERM, true))
}

/// `Error in process <0.84.0> with exit value:`
fn is_exit_value(own: &str) -> bool {
    own.starts_with("Error in process ") && own.contains(" with exit value:")
}

/// What the runtime prints when the whole node ends.
fn is_dying(own: &str) -> bool {
    let quoted = own.strip_prefix("{\"").unwrap_or(own);
    let init = quoted.starts_with("init terminating in do_boot")
        || quoted.starts_with("Runtime terminating during boot");
    init && own.contains('{')
}

/// `** exception error: reason` → class and reason.
fn shell(own: &str) -> Option<(&str, &str)> {
    let own = own.trim();
    let rest = own
        .strip_prefix("** exception ")
        .or_else(|| own.strip_prefix("escript: exception "))
        .or_else(|| own.strip_prefix("exception "))?;
    ["error", "exit", "throw"].into_iter().find_map(|class| {
        let reason = rest.strip_prefix(class)?.strip_prefix(':')?;
        Some((class, reason.trim()))
    })
}

/// lager's short forms: `CRASH REPORT Process x with 0 neighbours crashed with reason: …`,
/// `gen_server x terminated with reason: …` → the reason.
fn lager(own: &str) -> Option<&str> {
    let at = own.find("CRASH REPORT Process ").or_else(|| {
        ["gen_server ", "gen_fsm ", "gen_event ", "gen_statem "]
            .iter()
            .find_map(|behaviour| own.find(behaviour))
    })?;
    // Before it stands at most the process that wrote it.
    let writer = own.get(..at)?;
    let process =
        writer.is_empty() || (writer.starts_with('<') && !writer.trim_end().contains(' '));
    let rest = own.get(at..).filter(|_| process)?;
    [
        " crashed with reason: ",
        " exited with reason: ",
        " terminated with reason: ",
    ]
    .iter()
    .find_map(|mark| rest.split_once(mark))
    .map(|(_, reason)| reason)
}

fn step(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    let indented = line.starts_with([' ', '\t']);
    if own.is_empty() {
        return if state.unsure < 2 && state.phase != TERM {
            Step::Maybe
        } else {
            Step::End
        };
    }
    let term = own.starts_with(['{', '[']);
    match state.phase {
        HEADING => {
            let says = own.starts_with("crasher:")
                || own.starts_with("Supervisor:")
                || own.starts_with("supervisor:")
                || own.starts_with("** ")
                || own.starts_with("Error in process ");
            if says || frames_in(own).len() > 1 {
                (state.phase, state.proven) = (REPORT, true);
                return Step::Part;
            }
            Step::End
        }
        REPORT if indented || own.starts_with("** ") || term => Step::Part,
        VALUE if term || indented => {
            state.proven = true;
            Step::Part
        }
        SHELL if indented && is_shell_line(own) => Step::Part,
        SHELL if indented => Step::Maybe,
        TERM if indented && (term || own.starts_with("error_info")) => Step::Part,
        TERM if own.starts_with("Crash dump is being written to: ") => Step::Part,
        _ => Step::End,
    }
}

/// A line below `exception error: `.
fn is_shell_line(own: &str) -> bool {
    [
        "in function ",
        "in call from ",
        "called as ",
        "*** argument ",
        "in operator ",
    ]
    .iter()
    .any(|start| own.starts_with(start))
}

/// The frames of stacks that were printed as terms: `{mod,fun,1,[{file,"x.erl"},{line,12}]}`.
fn frames_in(text: &str) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut done = 0;
    while let Some(found) = text.get(done..).and_then(|rest| rest.find(PLACE)) {
        let at = done + found;
        let before = text.get(done..at).unwrap_or_default();
        let after = text.get(at + PLACE.len()..).unwrap_or_default();
        frames.extend(term_frame(before, after));
        done = at + PLACE.len();
    }
    frames
}

fn term_frame(before: &str, after: &str) -> Option<Frame> {
    let (file, rest) = after.trim_start().strip_prefix('"')?.split_once('"')?;
    let line = rest
        .trim_start_matches(|c: char| c.is_whitespace() || "},".contains(c))
        .strip_prefix("{line,")
        .and_then(|number| {
            let digits = number.bytes().take_while(u8::is_ascii_digit).count();
            number.get(..digits)?.parse().ok()
        });
    let call = before.trim_end().strip_suffix(',')?;
    Some(Frame {
        file: Some(file.to_owned()),
        line,
        function: Some(called(call)?),
    })
}

/// `…{mod,fun,1` or `…{mod,fun,[a,b]` → `mod:fun/1`.
fn called(call: &str) -> Option<String> {
    let call = call.trim_end();
    let (before, arity) = if call.ends_with(']') {
        let open = opening(call)?;
        let inner = call.get(open + 1..call.len() - 1)?;
        (call.get(..open)?, items(inner))
    } else {
        let (before, digits) = call.rsplit_once(',')?;
        (before, digits.trim().parse().ok()?)
    };
    let head = before.trim_end().trim_end_matches(',');
    let open = head.rfind('{')?;
    let (module, function) = head.get(open + 1..)?.split_once(',')?;
    let function = function.trim();
    let plain = !module.is_empty() && !function.is_empty() && !function.contains([' ', '"']);
    plain.then(|| format!("{}:{function}/{arity}", module.trim()))
}

/// Where the bracket stands that the text's last one closes.
fn opening(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate().rev() {
        match byte {
            b']' | b'}' | b')' => depth += 1,
            b'[' | b'{' | b'(' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// How many items a list's inside has.
fn items(inner: &str) -> usize {
    let (mut depth, mut quoted, mut commas) = (0usize, false, 0);
    for byte in inner.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => commas += 1,
            _ => {}
        }
    }
    if inner.trim().is_empty() {
        0
    } else {
        commas + 1
    }
}

/// `in function  mod:fun/1 (file.erl, line 3)`, `in call from mod:fun/1 (file.erl, line 3)`
fn shell_frame(own: &str) -> Option<Frame> {
    let rest = own
        .strip_prefix("in function ")
        .or_else(|| own.strip_prefix("in call from "))?
        .trim();
    let (name, place) = match rest.split_once(" (") {
        Some((name, place)) => (
            name,
            place
                .strip_suffix(')')
                .and_then(|p| p.split_once(", line ")),
        ),
        None => (rest, None),
    };
    Some(Frame {
        file: place.map(|(file, _)| file.to_owned()),
        line: place.and_then(|(_, line)| line.parse().ok()),
        function: Some(name.trim().to_owned()),
    })
}

/// ` in mod:fun/1 line 3`, as lager ends a reason.
fn lager_frame(reason: &str) -> Option<Frame> {
    let (before, line) = reason.trim_end().rsplit_once(" line ")?;
    let (_, name) = before.rsplit_once(' ')?;
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    name.contains(':').then(|| Frame {
        file: None,
        line: line.get(..digits).and_then(|number| number.parse().ok()),
        function: Some(name.to_owned()),
    })
}

fn read(lines: &[&str]) -> Reading {
    let text = lines.join("\n");
    let mut frames = frames_in(&text);
    frames.extend(lines.iter().filter_map(|line| shell_frame(line.trim())));
    let reason = reason(lines);
    if frames.is_empty() {
        frames.extend(reason.as_deref().and_then(lager_frame));
    }
    let raised = Raised {
        kind: reason.as_deref().and_then(kind).map(str::to_owned),
        message: reason,
    };
    Reading {
        // The process ended of it.
        uncaught: lines
            .first()
            .map(|line| !line.trim_start().starts_with("** exception ")),
        loggable: true,
        ..Reading::single(raised, frames)
    }
}

/// What the report gives as the reason.
fn reason(lines: &[&str]) -> Option<String> {
    let mut rest = lines.iter().map(|line| line.trim());
    while let Some(own) = rest.next() {
        if let Some((_, reason)) = shell(own) {
            return Some(reason.to_owned());
        }
        if own.starts_with("** Reason for termination") || is_exit_value(own) {
            let after = own
                .split_once(" with exit value:")
                .map_or("", |(_, value)| value.trim());
            let value = if after.is_empty() {
                rest.next()?
            } else {
                after
            };
            return Some(value.strip_prefix("** ").unwrap_or(value).to_owned());
        }
        if let Some(reason) = lager(own) {
            return Some(reason.to_owned());
        }
        if let Some((_, reason)) = own.split_once(". Reason: ") {
            return Some(reason.to_owned());
        }
        let error = ["error: ", "exit: ", "throw: "];
        if own.starts_with("crasher: ")
            && let Some((_, value)) = error.iter().find_map(|mark| own.split_once(mark))
        {
            return Some(value.to_owned());
        }
        if is_dying(own) || own.contains(PLACE) && lines.len() == 1 {
            return Some(own.to_owned());
        }
    }
    None
}

/// The first atom of a term: `{badmatch,…}` → `badmatch`. A reason in words has none.
fn kind(reason: &str) -> Option<&str> {
    let term = reason.trim_start_matches(['{', '[']);
    let end = term
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '@'))
        .unwrap_or(term.len());
    let atom = term.get(..end)?;
    let begins = atom.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    let is_term = term.len() < reason.len() || atom.len() == term.len();
    (begins && is_term).then_some(atom)
}
