//! C# and other languages of .NET: frames after the exception's name as .NET, Mono, Unity and
//! the Demystifier print them, inner exceptions (`--->`), aggregates, and what the runtime prints
//! when nobody caught one.

use super::grammar::{Begin, Grammar, Reading, State, Step};
use super::{text, thrown};
use crate::model::{Frame, Language, Raised};

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Csharp,
    begin,
    adopt,
    frame: is_frame,
    step,
    read,
    printed_by_runtime: false,
};

const FRAMES: u8 = 0;
/// An inner exception was named; its message may run over several lines before its frames.
const MESSAGE: u8 = 1;
/// The runtime said that it is over; a name or frames follow.
const OVER: u8 = 2;
/// Frames that the runtime itself prints: their parameters have types and no names.
const TYPED: u8 = 3;

/// Where a logger's exception is looked for in a line, in bytes.
const HEAD: usize = 1024;

/// Mono prints what nobody caught once more, after this.
const AGAIN: &str = "[ERROR] FATAL UNHANDLED EXCEPTION: ";

/// What the runtime prints without an exception's name in the same line.
const ENDINGS: [&str; 4] = [
    "Unhandled Exception:",
    "Stack overflow.",
    "Process terminated.",
    "Fatal error. ",
];

fn begin(line: &str) -> Option<Begin> {
    let own = line.trim_end();
    let begun = |at: usize| {
        Some(Begin {
            at,
            state: State::at(OVER),
        })
    };
    if let Some(at) = own.find(AGAIN) {
        return begun(at);
    }
    if let Some(at) = barred(own) {
        return Some(Begin {
            at,
            state: State::at(MESSAGE),
        });
    }
    let at = ENDINGS.iter().find_map(|words| {
        let at = own.find(words)?;
        let rest = own.get(at + words.len()..)?;
        let alone = rest.is_empty() || !words.ends_with(':') && !words.starts_with("Stack");
        alone.then_some(at)
    })?;
    let leads = text::indent(line) >= at || text::log_prefix(line) >= at;
    if leads { begun(at) } else { None }
}

fn adopt(line: &str) -> Option<State> {
    if inner(line).is_some() {
        return Some(State::at(MESSAGE));
    }
    let own = is_indented(line) && frame(line).is_some() || unity(line).is_some();
    own.then_some(State {
        proven: true,
        ..State::at(FRAMES)
    })
}

fn step(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    if is_indented(line) && frame(line).is_some() || unity(line).is_some() {
        (state.phase, state.proven, state.flag) = (FRAMES, true, false);
        return Step::Part;
    }
    if matches!(state.phase, OVER | TYPED) && typed(line).is_some() {
        (state.phase, state.proven) = (TYPED, true);
        return Step::Part;
    }
    if state.proven && own.starts_with(AGAIN) {
        state.phase = MESSAGE;
        return Step::Part;
    }
    if inner(line).is_some() {
        (state.phase, state.flag) = (MESSAGE, false);
        return if state.proven {
            Step::Part
        } else {
            Step::Maybe
        };
    }
    if own.starts_with("--- End of ") && own.ends_with("---") || is_remark(state, line, own) {
        return Step::Part;
    }
    if own.is_empty() {
        return if state.unsure < 2 {
            Step::Maybe
        } else {
            Step::End
        };
    }
    let told = matches!(state.phase, OVER | MESSAGE) && !text::starts_like_log(line);
    if told { Step::Maybe } else { Step::End }
}

/// What the runtime and drivers print between or below the frames.
fn is_remark(state: &mut State, line: &str, own: &str) -> bool {
    const STARTS: [&str; 5] = [
        "ClientConnectionId:",
        "ClientConnectionId before routing:",
        "Error Number:",
        "Inner exception type: ",
        "<---",
    ];
    // Npgsql names the server's words in lines of their own.
    if own == "Exception data:" && is_indented(line) {
        state.flag = true;
        return true;
    }
    let data = state.flag && is_indented(line) && own.contains(": ");
    let repeated = own.starts_with("Repeat ") && own.ends_with(" times:")
        || own.len() > 8 && own.bytes().all(|b| b == b'-');
    let unnamed = own.starts_with("at ") && own.contains("!<BaseAddress>+0x");
    data || unnamed
        || state.phase != MESSAGE && repeated
        || state.proven && STARTS.iter().any(|start| own.starts_with(start))
}

fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// ` ---> Inner: m`, `---> (Inner Exception #0) Inner: m` → what follows.
fn inner(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("---> ")?;
    let rest = match rest.strip_prefix("(Inner Exception #") {
        Some(rest) => rest.split_once(") ")?.1,
        None => rest,
    };
    let name = rest.split([' ', ':']).next().unwrap_or_default();
    let typed = name.contains('.') || thrown::is_exception(name);
    (typed && name.bytes().all(is_name)).then_some(rest)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || b"_.+`<>[],&*$|@".contains(&byte)
}

/// Whether the line can only be a frame of .NET's.
fn is_frame(line: &str) -> bool {
    let own = line.trim();
    let placed = own.contains(":line ") || own.contains("] in ") || own.ends_with("()");
    own.starts_with("at ") && (placed || own.ends_with(')')) && {
        let plain = frame(line).and_then(|frame| frame.function);
        plain.is_some_and(|name| name.contains('.') && !name.contains(' '))
    }
}

/// `at Ns.Class.Method(String a) in /src/x.cs:line 3`, and the forms of Mono and Demystifier.
fn frame(line: &str) -> Option<Frame> {
    let rest = line.trim().trim_end_matches("<---").trim_end();
    let rest = rest.strip_prefix("at ")?;
    let (call, place) = split_place(rest);
    let call = without_offset(call);
    let (name, spaced, parameters) = call_of(call)?;
    // V8 prints a blank before the brackets, and so does Mono, with an offset behind them.
    if spaced && call.len() == rest.len() {
        return None;
    }
    let demystified = !spaced && (name.contains(' ') || name.starts_with('('));
    let signed = demystified || place.is_some() || call.len() < rest.len();
    if !signed && !are_parameters(parameters) {
        return None;
    }
    let function = if demystified { call.trim_end() } else { name };
    let named = demystified || name.bytes().all(is_name);
    let known = name.contains(['.', ' ']) || place.is_some() || name.starts_with("lambda_method");
    let place = place.filter(|(file, _)| !file.starts_with('<'));
    (named && known && !name.is_empty()).then(|| Frame {
        file: place.map(|(file, _)| file.to_owned()),
        line: place.map(|(_, line)| line),
        function: Some(function.to_owned()),
    })
}

/// `at Shop.Cart.Total(Int32)`: only after the runtime's own words.
fn typed(line: &str) -> Option<Frame> {
    let rest = line
        .trim()
        .strip_prefix("at ")
        .filter(|_| is_indented(line))?;
    let (name, _, parameters) = call_of(rest)?;
    let plain = name.contains('.') && name.bytes().all(is_name);
    let types = parameters.bytes().all(|b| b == b' ' || is_name(b));
    (plain && types).then(|| Frame {
        function: Some(name.to_owned()),
        ..Frame::default()
    })
}

/// The call, and the file and line after it.
fn split_place(rest: &str) -> (&str, Option<(&str, u32)>) {
    if let Some((call, place)) = rest.rsplit_once(" in ") {
        if let Some((file, number)) = place.rsplit_once(":line ")
            && let Ok(number) = number.trim().parse()
        {
            return (call, Some((file, number)));
        }
        let offset = call.trim_end().ends_with(']') && call.contains(" [0x");
        if offset && let Some(place) = text::split_number(place) {
            return (call, Some(place));
        }
    }
    (rest, None)
}

/// A call without ` [0x00000]` (Mono), ` + 0x1c` (compiled ahead of time), ` [0]` (a lambda).
fn without_offset(call: &str) -> &str {
    let call = call.trim_end();
    if let Some(at) = call.rfind(" + 0x").filter(|at| *at > 0) {
        return call.get(..at).unwrap_or(call);
    }
    match call.strip_suffix(']').and_then(|_| call.rfind(" [0x")) {
        Some(at) => call.get(..at).unwrap_or(call).trim_end(),
        None => call,
    }
}

/// A call's name, whether a blank follows it, and its parameters without the brackets around
/// them.
fn call_of(call: &str) -> Option<(&str, bool, &str)> {
    // What the Demystifier adds for lambdas and local functions follows the brackets.
    let own = call.trim_end();
    let own = match own
        .strip_suffix(']')
        .and_then(|text| text.rsplit_once(" ["))
    {
        Some((before, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => before,
        Some(_) | None => own,
    };
    let lambda = own.ends_with("=>{}");
    if lambda {
        return Some((own, false, ""));
    }
    let inner = own.strip_suffix(')')?;
    let mut depth = 0usize;
    for (at, byte) in inner.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' if depth == 0 => {
                let name = inner.get(..at)?;
                let spaced = name.ends_with(' ');
                return Some((name.trim_end(), spaced, inner.get(at + 1..)?));
            }
            b'(' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `String a, Int32& b`, or nothing: what no other runtime prints in brackets.
fn are_parameters(text: &str) -> bool {
    let foreign = matches!(text, "Native Method" | "Unknown Source")
        || text.starts_with("index ")
        || text.contains([':', '/', '"', '=', ';']);
    if text.is_empty() {
        return true;
    }
    let named = |part: &str| {
        let part = part.trim_start();
        let words = part.split(' ').filter(|word| !word.is_empty()).count();
        words == 2 && part.bytes().all(|b| b == b' ' || is_name(b)) || part.ends_with(' ')
    };
    // Commas stand in the brackets of generic types too.
    let mut depth = 0usize;
    let mut parts = text.split(|c: char| {
        match c {
            '[' | '<' => depth += 1,
            ']' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    !foreign && parts.all(named)
}

/// Unity: `Player.Update () (at Assets/Player.cs:12)`, `Shop.Cart:Price(String) (at …)`.
fn unity(line: &str) -> Option<Frame> {
    let (call, place) = line.trim().strip_suffix(')')?.rsplit_once(" (at ")?;
    let name = call.strip_suffix(')')?.split('(').next()?.trim_end();
    let plain = !name.is_empty() && name.bytes().all(|b| is_name(b) || b == b':');
    let (file, number) = text::split_number(place)?;
    (plain && !is_indented(line)).then(|| Frame {
        file: Some(file.to_owned()).filter(|file| !file.starts_with('<')),
        line: (!file.starts_with('<')).then_some(number),
        function: Some(name.to_owned()),
    })
}

fn frame_of(line: &str) -> Option<Frame> {
    frame(line).or_else(|| unity(line))
}

fn read(lines: &[&str]) -> Reading {
    let mut reading = Reading::default();
    let (head, uncaught) = head(lines);
    // Named from the outside in; their frames are printed from the inside out.
    let mut chain: Vec<Raised> = head;
    let mut blocks: Vec<(usize, Raised, usize)> = Vec::new();
    let mut from = 0;
    let mut framed = false;
    let said = lines.first().map(|line| line.trim()).unwrap_or_default();
    let ended = ENDINGS.iter().any(|words| said.starts_with(words));
    for line in lines {
        let own = line.trim();
        if own.starts_with(AGAIN) && framed {
            break;
        }
        let typed = || typed(line).filter(|_| ended);
        if let Some(frame) = frame_of(line).or_else(typed) {
            reading.frames.push(frame);
            framed = true;
            continue;
        }
        if let Some(rest) = inner(line) {
            if framed && from < reading.frames.len() && !chain.is_empty() {
                let raised = chain.remove(0);
                blocks.push((0, raised, from));
                from = reading.frames.len();
            }
            chain.extend(names(rest));
        } else if own.starts_with("--- End of inner exception") && chain.len() > 1 {
            let depth = chain.len() - 1;
            let raised = chain.pop().unwrap_or_default();
            blocks.push((depth, raised, from));
            from = reading.frames.len();
        }
    }
    while let Some(raised) = chain.pop() {
        blocks.push((chain.len(), raised, from));
        from = reading.frames.len();
    }
    close(&mut reading, blocks);
    reading.uncaught = Some(uncaught);
    reading.loggable = true;
    reading
}

/// Puts the blocks into the order in which they were named: the outermost first.
fn close(reading: &mut Reading, blocks: Vec<(usize, Raised, usize)>) {
    let total = reading.frames.len();
    let ends: Vec<usize> = blocks
        .iter()
        .skip(1)
        .map(|(_, _, from)| *from)
        .chain([total])
        .collect();
    let mut closed: Vec<(usize, crate::model::Block)> = blocks
        .into_iter()
        .zip(ends)
        .map(|((depth, raised, from), to)| {
            let frames = from.min(to)..to;
            (depth, crate::model::Block { raised, frames })
        })
        .collect();
    closed.sort_by_key(|(depth, _)| *depth);
    let deepest = closed.iter().map(|(depth, _)| *depth).max().unwrap_or(0);
    let root = closed.iter().position(|(depth, _)| *depth == deepest);
    reading.root = root.unwrap_or(0);
    reading.blocks = closed.into_iter().map(|(_, block)| block).collect();
}

/// What the lines before the first frame name, from the outermost in, and whether they say that
/// nobody caught it. Older runtimes print the whole chain in one line.
fn head(lines: &[&str]) -> (Vec<Raised>, bool) {
    let mut uncaught = false;
    for line in lines.iter().take_while(|line| frame_of(line).is_none()) {
        let own = line.trim();
        if inner(line).is_some() {
            break;
        }
        uncaught |= own.starts_with(AGAIN) || ENDINGS.iter().any(|words| own.starts_with(words));
        if ENDINGS.contains(&own) {
            continue;
        }
        let (first, rest) = own.split_once(" ---> ").unwrap_or((own, ""));
        let (raised, says) = thrown::raised_in(first);
        uncaught |= says;
        let raised = if raised.kind.is_some() {
            raised
        } else {
            logged(first)
        };
        if raised.kind.is_some() {
            let mut chain = vec![raised];
            if !rest.is_empty() {
                chain.extend(names(rest));
            }
            return (chain, uncaught);
        }
    }
    let said = lines.first().map(|line| line.trim()).unwrap_or_default();
    let ended = ENDINGS.iter().any(|words| said.starts_with(words));
    let raised = Raised {
        kind: None,
        message: ended.then(|| said.trim_start_matches("Fatal error. ").to_owned()),
    };
    (vec![raised], uncaught)
}

/// The exceptions of a chain in one line.
fn names(text: &str) -> Vec<Raised> {
    text.split(" ---> ").map(named).collect()
}

fn named(text: &str) -> Raised {
    let text = text.trim().trim_end_matches("<---");
    thrown::named(text).unwrap_or_else(|| {
        let (kind, message) = text.split_once(": ").unwrap_or((text, ""));
        Raised {
            kind: Some(kind.trim_end_matches(':').to_owned()),
            message: Some(message.trim().to_owned()).filter(|message| !message.is_empty()),
        }
    })
}

/// NLog puts bars between its parts: `…|ERROR|Shop.Jobs|cannot price|System.FormatException: …`.
fn barred(line: &str) -> Option<usize> {
    const LEVELS: [&str; 3] = ["|WARN|", "|ERROR|", "|FATAL|"];
    let line = text::floor(line, HEAD);
    let level = LEVELS.iter().find_map(|level| line.find(level))?;
    let (at, _) = line
        .match_indices('|')
        .filter(|(at, _)| *at > level)
        .find(|(at, _)| line.get(at + 1..).and_then(thrown::named).is_some())?;
    Some(at + 1)
}

fn logged(line: &str) -> Raised {
    let at = barred(line).unwrap_or(line.len());
    line.get(at..).and_then(thrown::named).unwrap_or_default()
}
