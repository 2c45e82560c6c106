//! JavaScript and TypeScript: the frames of V8 (Node.js, Chrome), and those of Firefox, Safari
//! and React Native (`name@file:1:2`); causes and properties that Node.js prints in braces.

use super::grammar::{Begin, Grammar, Reading, State, Step};
use super::{text, thrown};
use crate::model::{Frame, Language};

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Javascript,
    begin,
    adopt,
    frame: is_frame,
    step,
    read,
    printed_by_runtime: false,
};

const FRAMES: u8 = 0;
/// Inside the braces that Node.js prints after the last frame.
const PROPERTIES: u8 = 1;
/// A cause was named; its frames follow.
const MESSAGE: u8 = 2;

/// Firefox and Safari print no name, only frames.
fn begin(line: &str) -> Option<Begin> {
    browser_line(line)?;
    let state = State::at(FRAMES);
    Some(Begin { at: 0, state })
}

fn adopt(line: &str) -> Option<State> {
    let bare = line.starts_with([' ', '\t']) && v8_frame(line).is_some();
    let browser = matches!(browser_line(line), Some(Browser::Frame(_)));
    (bare || browser).then_some(State {
        proven: true,
        ..after_frame(line)
    })
}

fn after_frame(line: &str) -> State {
    State::at(match line.trim_end().as_bytes().last() {
        Some(b'{') if line.trim_end().ends_with(" {") => PROPERTIES,
        // In a list of errors the next one follows.
        Some(b',') => MESSAGE,
        _ => FRAMES,
    })
}

fn step(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    if state.phase == PROPERTIES {
        return in_properties(state, line, own);
    }
    if browser_line(line).is_some() {
        state.proven = true;
        return Step::Part;
    }
    if !state.proven {
        return Step::End;
    }
    let indented = line.starts_with([' ', '\t']);
    if indented && (own.starts_with("at ") || own.starts_with("eval at ")) {
        state.phase = after_frame(line).phase;
        return Step::Part;
    }
    if own.starts_with("[... lines matching ") || is_emitted(own) {
        return Step::Part;
    }
    let gap =
        own == "From previous event:" || own.starts_with("... ") && own.contains("matching cause");
    if gap || cause(own).is_some() {
        state.phase = MESSAGE;
        return Step::Part;
    }
    if own == "}" || own == "]" {
        return Step::Part;
    }
    if own.is_empty() {
        return if state.unsure < 3 {
            Step::Maybe
        } else {
            Step::End
        };
    }
    if is_footer(own) {
        return Step::Footer;
    }
    if state.phase == MESSAGE && !text::starts_like_log(line) {
        return Step::Maybe;
    }
    Step::End
}

/// What Node.js prints last when nobody caught what was thrown.
pub(super) fn is_footer(own: &str) -> bool {
    own.strip_prefix("Node.js v")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Node.js prints where an `error` event came from below the error's own frames.
fn is_emitted(own: &str) -> bool {
    own.starts_with("Emitted 'error' event") && own.ends_with("at:")
}

fn in_properties(state: &mut State, line: &str, own: &str) -> Step {
    if !line.starts_with([' ', '\t']) && own.starts_with('}') {
        state.phase = FRAMES;
        return Step::Part;
    }
    if line.starts_with([' ', '\t']) {
        return Step::Part;
    }
    // The text of a property may run over several lines.
    if text::starts_like_log(line) {
        Step::End
    } else {
        Step::Maybe
    }
}

/// `Caused by: Error: x`, `[cause]: Error: x` → what follows the mark.
fn cause(own: &str) -> Option<&str> {
    ["Caused by: ", "caused by: ", "[cause]: "]
        .iter()
        .find_map(|mark| own.strip_prefix(mark))
}

fn is_frame(line: &str) -> bool {
    let own = line.trim_start();
    (own.starts_with("at ") || own.starts_with("eval at "))
        && v8_frame(line).is_some_and(|frame| frame.line.is_some())
}

/// `at f (file:1:2)`, `at file:1:2`, `at f`, `at f (native)`, `eval at f (…)`.
fn v8_frame(line: &str) -> Option<Frame> {
    let own = line.trim();
    let own = own.strip_suffix('{').map_or(own, str::trim_end);
    let own = own.trim_end_matches(',');
    let rest = own
        .strip_prefix("at ")
        .or_else(|| own.strip_prefix("eval at "))?;
    if rest.ends_with(')')
        && let Some((name, place)) = split_place(rest)
    {
        let (file, line) = place_of(place, 0);
        return Some(Frame {
            file: file.map(str::to_owned),
            line,
            function: (!name.is_empty()).then(|| name.to_owned()),
        });
    }
    let bare = rest.strip_prefix("async ").unwrap_or(rest);
    if let Some((file, line)) = text::location(bare) {
        return (!file.contains(' ') || file.contains('/')).then(|| Frame {
            file: Some(file.to_owned()),
            line: Some(line),
            function: None,
        });
    }
    let word = bare
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_$.<>#".contains(&b));
    (word && !bare.is_empty() && !bare.ends_with("..")).then(|| Frame {
        function: Some(rest.to_owned()),
        ..Frame::default()
    })
}

/// `f [as g] (place)` or `f(place)` → the name and the place.
fn split_place(rest: &str) -> Option<(&str, &str)> {
    let at = match rest.find(" (") {
        Some(at) => at + 1,
        None => rest.find('(')?,
    };
    let (name, place) = rest.split_at_checked(at)?;
    let place = place.strip_prefix('(')?.strip_suffix(')')?;
    let known = text::location(place).is_some()
        || place.starts_with("eval at ")
        || place.starts_with("index ")
        || matches!(
            place,
            "native" | "<anonymous>" | "unknown location" | "unknown"
        );
    known.then_some((name.trim_end(), place))
}

/// How deep `eval at` may nest.
const EVAL_DEPTH: usize = 8;

/// File and line of a place. Code that was evaluated is placed where `eval` was called.
fn place_of(place: &str, depth: usize) -> (Option<&str>, Option<u32>) {
    if let Some(rest) = place.strip_prefix("eval at ")
        && depth < EVAL_DEPTH
        && let Some(open) = rest.find(" (")
    {
        let inner = rest.get(open + 2..).unwrap_or_default();
        let inner = matching(inner).unwrap_or(inner);
        return place_of(inner, depth + 1);
    }
    match text::location(place) {
        Some((file, line)) => (Some(file), Some(line)),
        None => (None, None),
    }
}

/// The text up to the parenthesis that closes it.
fn matching(inner: &str) -> Option<&str> {
    let mut depth = 0usize;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => return inner.get(..at),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// A line of a stack as Firefox, Safari and React Native print it.
#[derive(Debug, PartialEq)]
enum Browser {
    Frame(Frame),
    /// A place without a name. It belongs to the trace and says too little for a frame.
    Place,
}

fn browser_line(line: &str) -> Option<Browser> {
    let line = line.trim();
    if line.contains(['"', '\t']) || line.len() > 4096 {
        return None;
    }
    let Some((name, place)) = line
        .split_once('@')
        .filter(|(name, _)| !name.contains([' ', ':']))
    else {
        return is_script(line).then_some(Browser::Place);
    };
    if place == "[native code]" {
        return Some(Browser::Frame(Frame {
            function: (!name.is_empty()).then(|| name.to_owned()),
            ..Frame::default()
        }));
    }
    if let Some((file, rest)) = place.split_once(" line ")
        && rest.contains("> ")
    {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest.get(..digits).and_then(|digits| digits.parse().ok());
        return Some(Browser::Frame(browser_frame(name, file, number)));
    }
    let (file, number) = text::location(place).filter(|_| is_script(place))?;
    Some(Browser::Frame(browser_frame(name, file, Some(number))))
}

fn browser_frame(name: &str, file: &str, line: Option<u32>) -> Frame {
    Frame {
        file: Some(file.to_owned()),
        line,
        function: (!name.is_empty()).then(|| name.to_owned()),
    }
}

/// A script's place: `http://a/b:1:2`, `x.js:1:2`, `x.js:1` below a URL.
fn is_script(place: &str) -> bool {
    let Some((rest, _)) = text::split_number(place) else {
        return false;
    };
    let columned = text::split_number(rest);
    let file = columned.map_or(rest, |(file, _)| file);
    const ENDINGS: [&str; 7] = [".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".bundle"];
    let script = ENDINGS.iter().any(|ending| file.ends_with(ending));
    let remote = file.contains("://") || file.starts_with("blob:");
    let known = (script && (columned.is_some() || remote))
        || (remote && columned.is_some() && !file.ends_with('/'));
    known && !file.contains(' ')
}

fn read(lines: &[&str]) -> Reading {
    let mut reading = Reading::default();
    let (mut raised, uncaught) = thrown::raised_before(lines, |line| frame(line).is_some());
    let mut from = 0;
    let mut emitted = false;
    for line in lines {
        emitted = is_emitted(line.trim()) || (emitted && cause(line.trim()).is_none());
        if emitted {
            continue;
        }
        if let Some(name) = cause(line.trim()) {
            reading.close_block(std::mem::take(&mut raised), from);
            from = reading.frames.len();
            raised = thrown::named(name.trim_end_matches(['{', ' '])).unwrap_or_default();
        } else if let Some(frame) = frame(line) {
            reading.frames.extend(frame);
        }
    }
    if raised.kind.is_none() && reading.frames.is_empty() {
        // `throw "text"`.
        raised.message = lines.first().map(|line| line.trim().to_owned());
    }
    reading.close_block(raised, from);
    reading.root = reading.blocks.len() - 1;
    reading.uncaught = Some(uncaught);
    reading.loggable = true;
    reading
}

/// `Some(None)`: a line of a stack that is no frame.
fn frame(line: &str) -> Option<Option<Frame>> {
    let own = line.trim_start();
    if own.starts_with("at ") || own.starts_with("eval at ") {
        return v8_frame(line).map(Some);
    }
    browser_line(line).map(|line| match line {
        Browser::Frame(frame) => Some(frame),
        Browser::Place => None,
    })
}
