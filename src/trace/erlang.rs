//! Erlang: reports of crashes and errors (SASL, lager, the logger of OTP), what the shell and
//! escripts print, and stacks that stand as terms in a line.

use super::grammar::{Begin, Grammar, Reading, State, Step, no_frame, no_state};
use super::{erlang_term, text};
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
    erlang_term::holds_stack(line).then(|| of(at, TERM, true))
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
fn shell(own: &str) -> Option<(&'static str, &str)> {
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
        return if state.unsure < 2 {
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
            if says || erlang_term::holds_stack(own) {
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
        TERM if is_dying(own) && !own.starts_with('{') => Step::Part,
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

/// `… mod:fun(1,x) (file.erl, line 3)`, as the shell ends a reason.
fn clause_frame(reason: &str) -> Option<Frame> {
    let (call, place) = reason.trim_end().strip_suffix(')')?.rsplit_once(" (")?;
    let (file, line) = place.split_once(", line ")?;
    let open = call.find('(')?;
    let name = call.get(..open)?.rsplit(' ').next()?;
    let inner = call.get(open + 1..)?.trim_end().strip_suffix(')')?;
    Some(Frame {
        file: Some(file.to_owned()),
        line: line.parse().ok(),
        function: Some(format!("{name}/{}", erlang_term::items(inner))),
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
    let mut frames = Vec::new();
    let mut terms = String::new();
    for line in lines {
        match shell_frame(line.trim()) {
            Some(frame) => frames.push(frame),
            None => {
                terms.push_str(line.trim());
                terms.push('\n');
            }
        }
    }
    let said = reason(lines);
    let mut own = erlang_term::stacks(&terms);
    if own.is_empty() {
        let words = said.as_ref().map_or("", |said| said.text.as_str());
        own.extend(clause_frame(words).or_else(|| lager_frame(words)));
    }
    own.append(&mut frames);
    let raised = said.map_or_else(Raised::default, Said::raised);
    Reading {
        uncaught: Some(lines.first().is_some_and(|line| is_report(line.trim()))),
        loggable: true,
        ..Reading::single(raised, own)
    }
}

/// Whether the line begins a report of a process that has ended.
fn is_report(own: &str) -> bool {
    HEADINGS.iter().any(|mark| own.starts_with(mark))
        || own.starts_with("escript: ")
        || own.starts_with("crasher: ")
        || is_exit_value(own)
        || is_dying(own)
        || lager(own).is_some()
}

/// The reason that a report gives.
struct Said {
    /// `error`, `exit` or `throw`, where it is printed.
    class: Option<&'static str>,
    text: String,
}

impl Said {
    fn of(class: Option<&'static str>, first: &str, rest: &[&str]) -> Option<Said> {
        let text = whole_term(first, rest);
        Some(Said { class, text })
    }

    fn raised(self) -> Raised {
        let kind = kind(&self.text).or(self.class).map(str::to_owned);
        Raised {
            kind,
            message: Some(self.text).filter(|text| !text.is_empty()),
        }
    }
}

fn reason(lines: &[&str]) -> Option<Said> {
    for (at, line) in lines.iter().enumerate() {
        let own = line.trim();
        let rest = lines.get(at + 1..).unwrap_or_default();
        if let Some((class, reason)) = shell(own) {
            return Said::of(Some(class), reason, rest);
        }
        let last = own.starts_with("** Reason for termination") || own == "** Reason ==";
        if last || is_exit_value(own) {
            let after = own.split_once(" with exit value:");
            let after = after.map_or("", |(_, value)| value.trim());
            if !after.is_empty() {
                return Said::of(None, after, rest);
            }
            let (first, rest) = rest.split_first()?;
            let first = first.trim();
            return Said::of(None, first.strip_prefix("** ").unwrap_or(first), rest);
        }
        let short = lager(own).or_else(|| own.split_once(". Reason: ").map(|(_, value)| value));
        if let Some(reason) = short {
            return Said::of(None, reason, &[]);
        }
        if own.starts_with("crasher: ") {
            for (mark, class) in [
                (" error: ", "error"),
                (" exit: ", "exit"),
                (" throw: ", "throw"),
            ] {
                if let Some((_, value)) = own.split_once(mark) {
                    return Said::of(Some(class), value, &[]);
                }
            }
        }
        if is_dying(own) {
            let term = own.split_once(",{").or_else(|| own.split_once(" ({"));
            return Said::of(None, &format!("{{{}", term?.1), rest);
        }
        if at == 0 && own.contains(PLACE) {
            return Said::of(None, own, rest);
        }
    }
    None
}

/// A term that may run over several lines, until its brackets are closed.
fn whole_term(first: &str, rest: &[&str]) -> String {
    let mut text = first.trim().to_owned();
    let open = |text: &str| {
        let count = |set: &[u8]| text.bytes().filter(|b| set.contains(b)).count();
        count(b"{[(") > count(b"}])")
    };
    for line in rest {
        if !open(&text) || text.len() > TERM_BYTES {
            break;
        }
        text.push_str(line.trim());
    }
    text
}

/// Longest reason that is put together from several lines.
const TERM_BYTES: usize = 8 * 1024;

/// The atoms for which Erlang prints words.
const WORDS: [(&str, &str); 11] = [
    ("no match of right hand", "badmatch"),
    ("no function clause matching", "function_clause"),
    ("no case clause matching", "case_clause"),
    ("no true branch found", "if_clause"),
    ("no try clause matching", "try_clause"),
    ("undefined function", "undef"),
    ("call to undefined function", "undef"),
    ("bad argument", "badarg"),
    (
        "an error occurred when evaluating an arithmetic expression",
        "badarith",
    ),
    ("bad function", "badfun"),
    ("bad map", "badmap"),
];

/// The first atom of a term: `{badmatch,…}` → `badmatch`.
fn kind(reason: &str) -> Option<&str> {
    if let Some((_, atom)) = WORDS.iter().find(|(words, _)| reason.starts_with(words)) {
        return Some(atom);
    }
    let term = reason.trim_start_matches(['{', '[']);
    let end = term
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '@'))
        .unwrap_or(term.len());
    let atom = term.get(..end)?;
    let begins = atom.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    let is_term = term.len() < reason.len() || atom.len() == term.len();
    (begins && is_term).then_some(atom)
}
