//! Python: `Traceback (most recent call last)`, chains, exception groups, syntax errors, and the
//! form of IPython and Jupyter. The exception is named after its frames.

use super::grammar::{Begin, Grammar, Reading, State, Step, no_frame, no_state};
use super::text;
use crate::model::{Frame, Language, Raised};

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Python,
    begin,
    adopt: no_state,
    frame: no_frame,
    step,
    read,
    printed_by_runtime: false,
};

const HEADING: &str = "Traceback (most recent call last)";

/// The heading was printed; frames follow.
const HEAD: u8 = 0;
const FRAMES: u8 = 1;
/// The exception was named; what follows may be more of its message, or a chain.
const NAMED: u8 = 2;
/// `During handling of …` was printed; another heading follows.
const CHAINED: u8 = 3;
/// A syntax error without heading: one frame, code, then the name.
const SYNTAX: u8 = 4;
/// Inside the box that an exception group draws.
const GROUP: u8 = 5;
/// Frames under some other heading, without an exception.
const LISTED: u8 = 6;

fn begin(line: &str) -> Option<Begin> {
    let plain = line.trim_end();
    if let Some(at) = plain.find(HEADING) {
        let rest = plain.get(at + HEADING.len()..)?;
        if !(rest.is_empty() || rest == ":") || !text::is_own_text(plain, at) {
            return None;
        }
        if let Some(group) = plain.find("+ Exception Group ") {
            return Some(Begin {
                at: group.saturating_sub(2),
                state: State::at(GROUP),
            });
        }
        // IPython prints the type before the heading, far left.
        let before = plain.get(..at)?.trim_end();
        let alone = !before.is_empty() && is_type(before) && rest.is_empty();
        let at = if alone { text::indent(plain) } else { at };
        return Some(Begin {
            at,
            state: State::at(HEAD),
        });
    }
    if let Some(at) = bare_syntax_error(plain) {
        return Some(Begin {
            at,
            state: State::at(SYNTAX),
        });
    }
    let listed = plain.ends_with("tacktrace:") || plain.ends_with("tack trace:");
    listed.then_some(Begin {
        at: text::indent(line),
        state: State::at(LISTED),
    })
}

/// Where `  File "x.py", line 3` stands in a line, if only a logger's prefix is before it: a
/// script that cannot be parsed has no heading.
fn bare_syntax_error(line: &str) -> Option<usize> {
    let file = line.find("File \"")?;
    let at = file.checked_sub(2)?;
    let own = line.get(at..).filter(|own| own.starts_with("  File"))?;
    let alone = at == 0 || text::log_prefix(line) == file;
    (alone && is_file_line(own) && !own.contains(", in ")).then_some(at)
}

fn step(state: &mut State, line: &str) -> Step {
    match state.phase {
        HEAD => after_heading(state, line),
        FRAMES => in_frames(state, line),
        NAMED => after_name(state, line),
        CHAINED => in_chain(state, line),
        SYNTAX => in_syntax(state, line),
        GROUP => in_group(state, line),
        _ => in_list(state, line),
    }
}

fn proven(state: &mut State, phase: u8) -> Step {
    state.phase = phase;
    state.proven = true;
    Step::Part
}

fn after_heading(state: &mut State, line: &str) -> Step {
    if text::is_blank(line) {
        return Step::Maybe;
    }
    if is_file_line(line) {
        // Some collectors strip every line, so that code is not indented.
        state.flag = !line.starts_with([' ', '\t']);
        return proven(state, FRAMES);
    }
    if is_notebook_frame(line) {
        return proven(state, FRAMES);
    }
    if split_name(line).is_some() {
        return proven(state, NAMED);
    }
    Step::End
}

fn in_frames(state: &mut State, line: &str) -> Step {
    if text::is_blank(line) {
        return Step::Maybe;
    }
    if is_file_line(line) || is_notebook_frame(line) {
        return Step::Part;
    }
    let repeated = line.trim_start().starts_with("[Previous line repeated ");
    if line.starts_with([' ', '\t']) || line.starts_with("--") || line.starts_with("->") || repeated
    {
        return Step::Part;
    }
    if line.starts_with("Traceback ") || text::starts_like_log(line) {
        return Step::End;
    }
    if split_name(line).is_some() {
        state.phase = NAMED;
        return Step::Part;
    }
    if line.starts_with("...") {
        return Step::Part;
    }
    if state.flag { Step::Maybe } else { Step::End }
}

fn after_name(state: &mut State, line: &str) -> Step {
    if text::is_blank(line) {
        state.flag = false;
        return if state.unsure < 4 {
            Step::Maybe
        } else {
            Step::End
        };
    }
    if is_link(line) {
        state.phase = CHAINED;
        return Step::Maybe;
    }
    // What another process raised stands in quotes, and the chain goes on below them.
    if line.trim_end() == "\"\"\"" && state.unsure == 0 {
        return Step::Maybe;
    }
    let direct = state.unsure == 0 && bare_syntax_error(line).is_none();
    if direct && continues_message(line) {
        return Step::Part;
    }
    Step::End
}

/// A further line of the message that Python prints after the exception's name: indented text,
/// a note (PEP 678), or what well-known libraries add.
fn continues_message(line: &str) -> bool {
    const STARTS: [&str; 12] = [
        "[SQL: ",
        "[parameters: ",
        "(Background on this error at",
        "Reason: ",
        "HTTP response headers: ",
        "HTTP response body: ",
        "DETAIL: ",
        "HINT: ",
        "CONTEXT: ",
        "LINE ",
        "note",
        "hint",
    ];
    let indented = line.starts_with([' ', '\t']);
    let note = text::floor(line, 4).eq_ignore_ascii_case("note");
    indented || note || STARTS.iter().any(|start| line.starts_with(start))
}

fn is_link(line: &str) -> bool {
    let line = line.trim();
    line.ends_with("another exception occurred:")
        || line.ends_with("was the direct cause of the following exception:")
}

fn in_chain(state: &mut State, line: &str) -> Step {
    if text::is_blank(line) {
        return if state.unsure < 8 {
            Step::Maybe
        } else {
            Step::End
        };
    }
    let plain = line.trim();
    if plain.starts_with("+ Exception Group ") {
        return proven(state, GROUP);
    }
    let heading = plain.find(HEADING).is_some_and(|at| {
        let before = plain.get(..at).unwrap_or_default().trim();
        before.is_empty() || is_type(before)
    });
    if heading {
        state.flag = false;
        return proven(state, HEAD);
    }
    Step::End
}

fn in_syntax(state: &mut State, line: &str) -> Step {
    if line.starts_with([' ', '\t']) && !is_file_line(line) {
        return Step::Maybe;
    }
    let kind = split_name(line).map(|(kind, _)| kind);
    match kind {
        Some("SyntaxError" | "IndentationError" | "TabError") => proven(state, NAMED),
        _ => Step::End,
    }
}

/// A box drawn with `|` and `+-`.
fn in_group(state: &mut State, line: &str) -> Step {
    let plain = line.trim_start();
    if text::is_blank(line) {
        return Step::Maybe;
    }
    if !plain.starts_with(['|', '+']) {
        if is_link(line) {
            state.phase = CHAINED;
            return Step::Maybe;
        }
        return Step::End;
    }
    if state.flag && plain.starts_with("+ Exception Group ") {
        return Step::End;
    }
    // The box's lower edge.
    state.flag = plain
        .trim_end()
        .trim_start_matches('+')
        .bytes()
        .all(|b| b == b'-');
    state.proven |= is_file_line(unboxed(line)) || plain.starts_with("+-");
    Step::Part
}

fn in_list(state: &mut State, line: &str) -> Step {
    if is_file_line(line) && line.starts_with([' ', '\t']) {
        return proven(state, LISTED);
    }
    if state.proven && line.starts_with("    ") {
        return Step::Part;
    }
    Step::End
}

/// What stands inside a group's box.
fn unboxed(line: &str) -> &str {
    let plain = line.trim_start();
    let inner = plain
        .strip_prefix("| ")
        .or_else(|| plain.strip_prefix("+ "));
    inner.unwrap_or_else(|| plain.strip_prefix('|').unwrap_or(line))
}

/// `File "x.py", line 3`, with or without `, in f`.
fn is_file_line(line: &str) -> bool {
    file_line(line).is_some()
}

fn file_line(line: &str) -> Option<Frame> {
    let rest = line.trim_start().strip_prefix("File \"")?;
    let at = rest.find("\", line ")?;
    let (file, rest) = (rest.get(..at)?, rest.get(at + 8..)?);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let line = rest.get(..digits)?.parse().ok();
    let function = rest
        .get(digits..)?
        .trim_end()
        .strip_prefix(", in ")
        .map(str::to_owned);
    (digits > 0).then(|| Frame {
        file: Some(file.to_owned()),
        line,
        function,
    })
}

fn is_notebook_frame(line: &str) -> bool {
    notebook_frame(line).is_some()
}

/// A frame's heading in IPython: `Cell In[6], line 8`, `File ~/x.py:12, in f(a)`, and the older
/// `~/x.py in f(a)`, whose line number stands beside an arrow below it.
fn notebook_frame(line: &str) -> Option<Frame> {
    if line.starts_with([' ', '\t']) {
        return None;
    }
    let line = line.trim_end();
    if line.starts_with("Cell In[") || line.starts_with("Input In [") {
        let (_, rest) = line.split_once(']')?;
        let at = rest.strip_prefix(", line ").unwrap_or_default();
        let digits = at.bytes().take_while(u8::is_ascii_digit).count();
        return Some(Frame {
            file: None,
            line: at.get(..digits).and_then(|number| number.parse().ok()),
            function: rest
                .split_once(", in ")
                .map(|(_, name)| without_arguments(name)),
        });
    }
    if let Some(rest) = line.strip_prefix("File ") {
        let (place, name) = match rest.split_once(", in ") {
            Some((place, name)) => (place, Some(without_arguments(name))),
            None => (rest, None),
        };
        let (file, number) = text::split_number(place)?;
        return Some(Frame {
            file: Some(file.to_owned()),
            line: Some(number),
            function: name,
        });
    }
    let (file, name) = line.split_once(" in ")?;
    let pathlike =
        file.ends_with(".py") || file.starts_with("<ipython-input") || file.ends_with(".pyx");
    (pathlike && name.ends_with(')') && !file.contains(' ')).then(|| Frame {
        file: Some(file.to_owned()),
        line: None,
        function: Some(without_arguments(name)),
    })
}

fn without_arguments(name: &str) -> String {
    name.split('(').next().unwrap_or(name).trim().to_owned()
}

/// `---> 12 code` → 12.
fn arrow(line: &str) -> Option<u32> {
    let rest = line
        .trim_start()
        .trim_start_matches('-')
        .strip_prefix("> ")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest.get(..digits)?.parse().ok()
}

/// An exception's type as Python prints it: a dotted name, perhaps with `<locals>`.
fn is_type(token: &str) -> bool {
    let head = token
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b >= 0x80);
    head && token
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b >= 0x80 || b"_.<>".contains(&b))
}

/// `Type: message` or `Type` → both parts.
fn split_name(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (kind, message) = match line.split_once(':') {
        Some((kind, rest)) if rest.is_empty() || rest.starts_with(' ') => (kind, rest.trim()),
        Some(_) => return None,
        None => (line, ""),
    };
    is_type(kind).then_some((kind, message))
}

fn read(lines: &[&str]) -> Reading {
    let mut reading = Reading::default();
    let mut from = 0;
    let mut depths = Vec::new();
    let mut named = true;
    let mut group = false;
    for line in lines {
        let boxed = matches!(line.trim_start().as_bytes().first(), Some(b'|' | b'+'));
        group |= boxed;
        let own = if boxed { unboxed(line) } else { line };
        if own.contains(HEADING) {
            named = false;
            from = reading.frames.len();
            continue;
        }
        if own.trim_start().starts_with("+-") || line.trim_start().starts_with("+-") {
            named = false;
            from = reading.frames.len();
            continue;
        }
        if let Some(frame) = file_line(own).or_else(|| notebook_frame(own)) {
            named = false;
            reading.frames.push(frame);
            continue;
        }
        if let (Some(number), Some(frame)) = (arrow(own), reading.frames.last_mut()) {
            frame.line.get_or_insert(number);
        }
        if named || own.starts_with([' ', '\t']) {
            continue;
        }
        if let Some((kind, message)) = split_name(own) {
            let raised = Raised {
                kind: Some(kind.to_owned()),
                message: (!message.is_empty()).then(|| message.to_owned()),
            };
            reading.close_block(raised, from);
            depths.push(if boxed { text::indent(line) } else { 0 });
            from = reading.frames.len();
            named = true;
        }
    }
    if !named && from < reading.frames.len() {
        reading.close_block(Raised::default(), from);
        depths.push(0);
    }
    choose(&mut reading, &depths, group);
    reading.loggable = !from_the_bottom(&reading);
    reading
}

/// Whether the frames reach down to where the program, a thread or a process began, as the
/// interpreter prints what nobody caught. A handler's trace begins at the handler.
fn from_the_bottom(reading: &Reading) -> bool {
    let Some(block) = reading.blocks.get(reading.outermost) else {
        return true;
    };
    let Some(frame) = reading.frames.get(block.frames.start) else {
        return true;
    };
    let name = frame.function.as_deref();
    let file = frame.file.as_deref().unwrap_or_default();
    let starter = ["threading.py", "process.py", "runpy.py", "<frozen runpy>"];
    let started = starter.iter().any(|end| file.ends_with(end))
        && name.is_some_and(|name| name.starts_with("_bootstrap") || name.starts_with("_run_"));
    started || name.is_none_or(|name| name == "<module>")
}

/// A chain prints the first exception first. A group prints itself, then what it holds.
fn choose(reading: &mut Reading, depths: &[usize], group: bool) {
    let last = depths.len().saturating_sub(1);
    (reading.root, reading.outermost) = (0, last);
    if !group {
        return;
    }
    let least = depths.iter().min().copied().unwrap_or(0);
    let outer = depths
        .iter()
        .rposition(|depth| *depth == least)
        .unwrap_or(last);
    reading.outermost = outer;
    if outer == 0 {
        reading.root = 1.min(last);
    }
}
