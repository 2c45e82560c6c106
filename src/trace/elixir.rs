//! Elixir: `** (Type) message` with frames, the titles that its logger prints above it
//! (`GenServer x terminating`), exits that wrap other exceptions, and the lines about the process
//! below it (`Last message:`, `State:`).

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

/// The logger's title was printed; `** (` follows.
const TITLE: u8 = 0;
/// The exception was named; frames or more of the message follow.
const NAMED: u8 = 1;
const FRAMES: u8 = 2;
/// What the process was and held.
const TAIL: u8 = 3;

fn begin(line: &str) -> Option<Begin> {
    if let Some(at) = line.find("** (")
        && text::is_own_text(line, at)
        && banner(line.get(at..)?).is_some()
    {
        let mut state = State::at(NAMED);
        state.proven = true;
        return Some(Begin { at, state });
    }
    let at = title_at(line)?;
    let state = State::at(TITLE);
    Some(Begin { at, state })
}

/// `** (Type) message` → both.
fn banner(own: &str) -> Option<Raised> {
    let (kind, message) = own.strip_prefix("** (")?.split_once(')')?;
    let kind = match kind.split_once(" from #PID<") {
        Some((kind, _)) => kind,
        None => kind,
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.:".contains(&b);
    let spaced = message.is_empty() || message.starts_with(' ');
    let message = message.trim();
    (spaced && !kind.is_empty() && kind.bytes().all(plain)).then(|| Raised {
        kind: Some(kind.to_owned()),
        message: (!message.is_empty()).then(|| message.to_owned()),
    })
}

/// What the title of a process's exception begins with.
const STARTS: [&str; 11] = [
    "GenServer ",
    "Task ",
    "Process ",
    "Agent ",
    "GenEvent ",
    ":gen_event ",
    ":gen_statem ",
    ":gen_fsm ",
    "Ranch ",
    "Child ",
    "#PID<",
];

/// Where the line's title begins, if it is one that Elixir's logger prints above the exception of
/// a process.
fn title_at(line: &str) -> Option<usize> {
    const ENDS: [&str; 3] = [" terminating", " terminated", " raised an exception"];
    let plain = line.trim_end();
    let ends = ENDS.iter().any(|end| plain.ends_with(end));
    if !ends && !plain.contains(" terminated with reason: ") {
        return None;
    }
    let own = |start: &str| line.find(start).filter(|at| text::is_own_text(line, *at));
    STARTS.iter().filter_map(|start| own(start)).min()
}

fn step(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    if own.is_empty() {
        let few = state.unsure < 3 || state.phase == NAMED;
        return if few { Step::Maybe } else { Step::End };
    }
    let indented = line.starts_with([' ', '\t']);
    if banner(own).is_some() && (indented || state.phase == TITLE) {
        (state.phase, state.proven) = (NAMED, true);
        return Step::Part;
    }
    if frame(own).is_some() || is_remark(line) {
        (state.phase, state.proven) = (FRAMES, true);
        return Step::Part;
    }
    if is_tail(own) {
        state.phase = TAIL;
        return if state.proven {
            Step::Part
        } else {
            Step::Maybe
        };
    }
    match state.phase {
        TAIL if indented || own.starts_with(['}', ']', ')', '%', '>']) => Step::Part,
        TITLE | NAMED if !text::starts_like_log(line) && title_at(own).is_none() => Step::Maybe,
        _ => Step::End,
    }
}

/// A line of a stack without a place: `(elixir) expanding macro: Kernel.<>/2`.
fn is_remark(line: &str) -> bool {
    let own = line.trim();
    let indented = line.starts_with([' ', '\t']);
    let listed =
        own.starts_with('(') && (own.contains(") expanding macro: ") || own.ends_with("/0"));
    indented && (listed || own.starts_with("iex:") || own == "(stop)" || own == "stacktrace:")
}

/// What is printed about the process below the frames.
fn is_tail(own: &str) -> bool {
    const KEYS: [&str; 27] = [
        "Last message",
        "State",
        "Function",
        "Args",
        "Client ",
        "Pid",
        "Start Call",
        "Start Module",
        "Start Function",
        "Restart",
        "Shutdown",
        "Type",
        "Initial Call",
        "Ancestors",
        "Neighbours",
        "Message Queue Length",
        "Messages",
        "Links",
        "Dictionary",
        "Trapping Exits",
        "Status",
        "Heap Size",
        "Stack Size",
        "Reductions",
        "Queue",
        "Postponed",
        "Callback mode",
    ];
    let key = KEYS.iter().find_map(|key| own.strip_prefix(key));
    key.is_some_and(|rest| {
        rest.starts_with(':') || rest.starts_with(" (from ") || rest.starts_with("#PID<")
    })
}

/// `(app 0.1.0) lib/x.ex:3: Mod.fun/1`, `lib/x.ex:3: Mod.fun/1`
fn frame(own: &str) -> Option<Frame> {
    let own = match own.strip_prefix('(') {
        Some(rest) => {
            let (app, rest) = rest.split_once(") ")?;
            let named = |b: u8| b.is_ascii_alphanumeric() || b"_ .-+".contains(&b);
            if !app.bytes().all(named) {
                return None;
            }
            rest
        }
        None => own,
    };
    let (place, function) = own.split_once(": ")?;
    let (file, line) = text::split_number(place)?;
    let source = [
        ".ex", ".exs", ".erl", ".eex", ".heex", ".leex", ".yrl", ".xrl", ".hrl",
    ]
    .iter()
    .any(|end| file.ends_with(end));
    let plain = !file.contains([' ', '"', '(']);
    (source && plain && !function.is_empty()).then(|| Frame {
        file: Some(file.to_owned()),
        line: Some(line),
        function: Some(function.to_owned()),
    })
}

/// An exception and how far in its name stands.
struct Level {
    raised: Raised,
    indent: usize,
    /// Its frames.
    frames: Vec<Frame>,
}

fn read(lines: &[&str]) -> Reading {
    let mut reading = Reading::default();
    let mut frames: Vec<(usize, Frame)> = Vec::new();
    let mut levels: Vec<Level> = Vec::new();
    // Where the process stood that had called the one that failed.
    let mut client: Option<Vec<Frame>> = None;
    let mut titled = false;
    for line in lines {
        let own = line.trim();
        let indent = text::indent(line);
        if let Some(raised) = banner(own) {
            levels.push(Level {
                raised,
                indent,
                frames: Vec::new(),
            });
        } else if let Some(frame) = frame(own) {
            match &mut client {
                Some(frames) => frames.push(frame),
                None => frames.push((indent, frame)),
            }
        } else if own.starts_with("Client #PID<") {
            client = Some(Vec::new());
        } else if levels.is_empty() {
            titled |= title_at(own).is_some();
        }
    }
    for (indent, frame) in frames {
        // A frame is further in than its exception's name.
        let owner = levels.iter_mut().rev().find(|level| level.indent < indent);
        match owner {
            Some(level) => level.frames.push(frame),
            None => reading.frames.push(frame),
        }
    }
    reading.root = levels.len().saturating_sub(1);
    reading.uncaught = titled.then_some(true);
    reading.loggable = true;
    close_levels(&mut reading, levels);
    reading.frames.extend(client.unwrap_or_default());
    reading
}

/// An exit prints the exception that it wraps, with its frames, before its own frames.
fn close_levels(reading: &mut Reading, levels: Vec<Level>) {
    let mut ranges = Vec::new();
    for level in levels.into_iter().rev() {
        let from = reading.frames.len();
        reading.frames.extend(level.frames);
        ranges.push((level.raised, from..reading.frames.len()));
    }
    for (raised, frames) in ranges.into_iter().rev() {
        reading.blocks.push(crate::model::Block { raised, frames });
    }
}
