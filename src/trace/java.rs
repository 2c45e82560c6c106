//! Java, Kotlin, Scala and other languages of the JVM: frames after the exception's name,
//! `Caused by:`, `Suppressed:`, `... 23 more`, and the shortened forms of logback.

use super::grammar::{Begin, Grammar, Reading, State, Step};
use super::{text, thrown};
use crate::model::{Frame, Language, Raised};

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Java,
    begin,
    adopt,
    frame: is_frame,
    step,
    read,
    printed_by_runtime: false,
};

const FRAMES: u8 = 0;
/// A cause was named; its message may run over several lines before its frames.
const MESSAGE: u8 = 1;

/// What Clojure's tools print in place of a stack: `Execution error (X) at f (shop.clj:2).`
const REPORT: u8 = 2;

fn begin(line: &str) -> Option<Begin> {
    let at = ["Execution error ", "Syntax error "]
        .iter()
        .find_map(|words| line.find(words))?;
    let leads = text::indent(line) >= at || text::log_prefix(line) >= at;
    report(line.get(at..)?).filter(|_| leads)?;
    Some(Begin {
        at,
        state: State {
            proven: true,
            ..State::at(REPORT)
        },
    })
}

/// The type and the place that such a report names.
fn report(own: &str) -> Option<(Option<&str>, Frame)> {
    let own = own.trim_end().strip_suffix(").")?;
    let (head, place) = own.rsplit_once(" (")?;
    let (file, number) = text::location(place)?;
    let (what, function) = head.rsplit_once(" at").unwrap_or((head, ""));
    let kind = what
        .split_once('(')
        .and_then(|(_, kind)| kind.strip_suffix(')'));
    let function = function.trim();
    Some((
        kind,
        Frame {
            file: Some(file.to_owned()),
            line: Some(number),
            function: Some(function.to_owned()).filter(|name| !name.is_empty()),
        },
    ))
}

/// The message, then where the whole report was written.
fn in_report(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    let told = std::mem::replace(&mut state.flag, true);
    let written = own.starts_with("Full report at:") || own.ends_with(".edn");
    if written || !told && !own.is_empty() && !text::starts_like_log(line) {
        return Step::Part;
    }
    let waits = own.is_empty() && state.unsure < 2;
    if waits { Step::Maybe } else { Step::End }
}

fn read_report(lines: &[&str], first: (Option<&str>, Frame)) -> Reading {
    let (kind, frame) = first;
    let message = lines.get(1).map(|line| line.trim().to_owned());
    let raised = Raised {
        kind: Some(kind.unwrap_or("Syntax error").to_owned()),
        message: message.filter(|message| !message.is_empty()),
    };
    Reading {
        uncaught: Some(true),
        ..Reading::single(raised, vec![frame])
    }
}

fn adopt(line: &str) -> Option<State> {
    let bare = || bare_frame(line).is_some_and(|name| !name.contains(' '));
    let own = is_frame(line) || elided(line);
    (own || bare() && line.starts_with([' ', '\t'])).then_some(State {
        proven: true,
        ..State::at(FRAMES)
    })
}

fn step(state: &mut State, line: &str) -> Step {
    if state.phase == REPORT {
        return in_report(state, line);
    }
    let own = line.trim_start();
    let indented = own.len() < line.len();
    if is_frame(line) || elided(line) || (indented && own.starts_with("at ")) {
        state.phase = FRAMES;
        return Step::Part;
    }
    if own.starts_with("(Coroutine boundary") {
        return Step::Part;
    }
    if cause(line).is_some() || own.starts_with("[CIRCULAR REFERENCE") {
        state.phase = MESSAGE;
        return Step::Part;
    }
    if text::is_blank(line) {
        return if state.unsure < 2 {
            Step::Maybe
        } else {
            Step::End
        };
    }
    if state.phase == MESSAGE && !text::starts_like_log(line) {
        return Step::Maybe;
    }
    Step::End
}

/// `Caused by: `, `Suppressed: `, `Wrapped by: ` → what follows.
fn cause(line: &str) -> Option<(Link, &str)> {
    let own = line.trim_start();
    let own = own.strip_prefix("[CIRCULAR REFERENCE: ").unwrap_or(own);
    [
        ("Caused by: ", Link::Cause),
        ("Suppressed: ", Link::Suppressed),
        ("Wrapped by: ", Link::Wrapper),
    ]
    .into_iter()
    .find_map(|(word, link)| own.strip_prefix(word).map(|rest| (link, rest)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    Cause,
    Suppressed,
    Wrapper,
}

/// `... 23 more`, `... 4 common frames omitted`, `... 7 frames truncated (…)`.
fn elided(line: &str) -> bool {
    let Some(rest) = line.trim().strip_prefix("... ") else {
        return false;
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let words = rest.get(digits..).unwrap_or_default();
    digits > 0
        && [" more", " common ", " frame"]
            .iter()
            .any(|word| words.starts_with(word))
}

fn is_frame(line: &str) -> bool {
    frame(line).is_some()
}

/// `at a.b.C.d(C.java:12)`, perhaps with a module before and the jar after it.
fn frame(line: &str) -> Option<Frame> {
    let rest = line.trim().strip_prefix("at ")?;
    let open = rest.find('(')?;
    let (name, rest) = rest.split_at_checked(open)?;
    let close = rest.find(')')?;
    let (inner, after) = (rest.get(1..close)?, rest.get(close + 1..)?.trim_start());
    // Packaging data of logback: ` ~[shop.jar:1.2]`; Scala and Kotlin print nothing there.
    let packaged = after.is_empty() || after.starts_with("~[") || after.starts_with('[');
    if name.contains([' ', '\t', ':']) || !name.contains('.') || !packaged {
        return None;
    }
    let (file, line) = source(inner)?;
    Some(Frame {
        file,
        line,
        function: Some(without_module(name).to_owned()),
    })
}

/// What stands in a frame's parentheses. `None` when no JVM prints that.
fn source(inner: &str) -> Option<(Option<String>, Option<u32>)> {
    if inner == "Native Method" || inner.starts_with("Unknown Source") {
        return Some((None, None));
    }
    if inner.is_empty() || inner.contains([' ', '/', ',', '(']) {
        return None;
    }
    if let Some((file, line)) = text::split_number(inner) {
        return (!file.contains(':')).then(|| (Some(file.to_owned()), Some(line)));
    }
    let named = inner.starts_with('<')
        || [".java", ".kt", ".scala", ".groovy", ".clj"]
            .iter()
            .any(|end| inner.ends_with(end));
    (named && !inner.contains(':')).then(|| (Some(inner.to_owned()), None))
}

/// `java.base/java.lang.Thread.run` → `java.lang.Thread.run`.
fn without_module(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// `at bar`: only a name.
fn bare_frame(line: &str) -> Option<&str> {
    let name = line.trim().strip_prefix("at ")?;
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_$.<>".contains(&b));
    (plain && !name.is_empty() && !name.ends_with("..")).then_some(name)
}

fn read(lines: &[&str]) -> Reading {
    if let Some(first) = lines.first().and_then(|line| report(line)) {
        return read_report(lines, first);
    }
    let mut reading = Reading::default();
    let mut links = vec![(Link::Cause, 0)];
    let (mut raised, uncaught) = thrown::raised_before(lines, is_frame);
    let mut from = 0;
    for line in lines {
        if let Some((link, name)) = cause(line) {
            reading.close_block(std::mem::take(&mut raised), from);
            from = reading.frames.len();
            raised = cause_name(name);
            links.push((link, text::indent(line)));
        } else if let Some(frame) = frame(line) {
            reading.frames.push(frame);
        } else if let Some(name) = bare_frame(line) {
            reading.frames.push(Frame {
                function: Some(name.to_owned()),
                ..Frame::default()
            });
        }
    }
    reading.close_block(raised, from);
    let (root, outermost) = ends(&links);
    (reading.root, reading.outermost) = (root, outermost);
    reading.uncaught = Some(uncaught);
    reading.loggable = true;
    reading
}

/// Which blocks hold the root cause and the outermost exception. `Wrapped by:` prints the root
/// cause first; everywhere else the last cause is the root, unless it is further in than a
/// suppressed exception and so belongs to that.
fn ends(links: &[(Link, usize)]) -> (usize, usize) {
    let suppressed = links
        .iter()
        .filter(|(link, _)| *link == Link::Suppressed)
        .map(|(_, indent)| *indent)
        .min();
    let last_of = |wanted| {
        let own = |(link, indent): &(Link, usize)| {
            *link == wanted && suppressed.is_none_or(|least| *indent < least)
        };
        links.iter().rposition(own).unwrap_or(0)
    };
    match last_of(Link::Wrapper) {
        0 => (last_of(Link::Cause), 0),
        wrapper => (0, wrapper),
    }
}

fn cause_name(text: &str) -> Raised {
    thrown::named(text).unwrap_or_else(|| {
        let (kind, message) = text.split_once(": ").unwrap_or((text, ""));
        let message = message.trim();
        Raised {
            kind: Some(kind.trim_end_matches([':', ']']).to_owned()),
            message: (!message.is_empty()).then(|| message.to_owned()),
        }
    })
}
