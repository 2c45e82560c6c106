//! Whether the frames that the case rests on can have been: the function spans the line at the
//! deployed commit, and the line of the caller calls the callee. A trace that somebody wrote into
//! a log does not become a patch. A trace that fits the code in every point passes, true or not.

use super::case::Case;
use super::{Seen, quoted};
use crate::model::{Frame, Language, Trace};
use crate::patch::answer::Call;
use crate::patch::code::spans::{Span, around};
use crate::patch::code::{Grammar, errors, parse};
use crate::source::locate::function::{bare_name, has_word};
use crate::source::locate::statement::statement;
use crate::source::locate::{Files, Located, PathList, THRESHOLD, locate};

/// Own frames that are looked at, best first.
const FRAMES: usize = 12;

/// From here on a path alone says which file it is.
const CERTAIN: f64 = 0.9;

/// Names that are called without being written: operators, constructors, hooks.
const UNWRITTEN: &[&str] = &[
    "initialize",
    "constructor",
    "call",
    "invoke",
    "apply",
    "toString",
    "to_s",
    "to_str",
    "each",
    "next",
    "drop",
    "fmt",
    "deref",
    "deref_mut",
    "index",
    "eq",
    "cmp",
    "partial_cmp",
    "hash",
    "from",
    "into",
    "equals",
    "hashCode",
    "compareTo",
    "compare",
    "method_missing",
    "ServeHTTP",
    "run",
    "Error",
    "String",
    "close",
    "dispose",
    "accept",
    "handle",
    "main",
];

pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    for call in &case.answer.calls {
        if let Some(fault) = claimed(case, call) {
            seen.fault(fault);
        }
    }
    let calls = case.answer.calls.len();
    let Some(trace) = case.ground.trace else {
        return seen.says(format!("no stack trace; {calls} claimed calls are there"));
    };
    let settings = case.ground.settings;
    let located = locate(trace, &case.tree, settings);
    // Where the path alone leaves no doubt, text that says otherwise is no doubt either: the
    // frame cannot have been.
    let named = locate(trace, &PathList(case.tree.paths().to_vec()), settings);
    let mut own: Vec<&Located> = located
        .iter()
        .filter(|one| one.own && one.mapped >= THRESHOLD && one.tied <= 1)
        .collect();
    for one in &named {
        let new = own.iter().all(|other| other.frame != one.frame);
        if new && one.own && one.mapped >= CERTAIN && one.tied <= 1 {
            own.push(one);
        }
    }
    own.sort_by_key(|one| one.rank);
    own.truncate(FRAMES);
    if own.is_empty() {
        seen.fault(
            "no frame of the stack trace lies in the service's own code at the deployed commit, so \
             that nothing can be built on it; give up and say so",
        );
        return seen;
    }
    let checked: Vec<&Located> = own
        .iter()
        .copied()
        .filter(|one| match trace.frames.get(one.frame) {
            Some(frame) => match spans_it(case, one, frame, trace.language) {
                None => true,
                Some(fault) => {
                    seen.fault(fault);
                    false
                }
            },
            None => false,
        })
        .collect();
    let mut pairs = 0;
    for (caller, callee) in adjacent(trace, &checked) {
        match calls_it(case, trace, caller, callee) {
            None => pairs += 1,
            Some(fault) => seen.fault(fault),
        }
    }
    let frames = own.len();
    seen.says(format!(
        "{frames} frames lie in functions of these names, {pairs} calls between them and {calls} \
         claimed calls are there"
    ))
}

/// What is looked at around one line.
struct Spot {
    spans: Vec<Span>,
    statement: String,
    /// All of the innermost function.
    function: String,
}

fn spot(case: &Case<'_>, file: &str, line: u32) -> Result<Spot, String> {
    let Some(text) = case.tree.text(file) else {
        return Err(format!(
            "{} cannot be read at the deployed commit",
            quoted(file)
        ));
    };
    let lines: Vec<&str> = text.lines().collect();
    if usize::try_from(line).is_ok_and(|line| line > lines.len()) || line == 0 {
        return Err(format!(
            "{} has no line {line} at the deployed commit",
            quoted(file)
        ));
    }
    let grammar = Grammar::of(file);
    let tree = grammar.and_then(|grammar| parse(grammar, &text, case.ground.deadline).ok());
    // Where the grammar is lost, indentation says more.
    let whole = |tree: &tree_sitter::Tree| {
        grammar.is_none_or(|grammar| errors(tree, &text, grammar).0 == 0)
    };
    let tree = tree.filter(whole);
    let spans = around(&text, line, grammar.zip(tree.as_ref()));
    let inside = spans.iter().rev().find(|span| span.function);
    let all = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    let inside = inside.map_or(1..=all, |span| span.lines.clone());
    let join = |range: std::ops::RangeInclusive<u32>| {
        let first = range.start().saturating_sub(1) as usize;
        let last = (*range.end() as usize).min(lines.len());
        lines.get(first..last).unwrap_or_default().join("\n")
    };
    Ok(Spot {
        statement: join(statement(&lines, line, &inside)),
        function: join(inside),
        spans,
    })
}

fn claimed(case: &Case<'_>, call: &Call) -> Option<String> {
    let place = format!("{} line {}", quoted(&call.file), call.line);
    let spot = match spot(case, &call.file, call.line) {
        Ok(spot) => spot,
        Err(why) => return Some(format!("a claimed call is not there: {why}")),
    };
    let caller = bare_name(&call.caller).unwrap_or_else(|| call.caller.clone());
    let callee = bare_name(&call.callee).unwrap_or_else(|| call.callee.clone());
    if !spot.spans.iter().any(|span| span.is_called(&caller)) {
        let name = quoted(&call.caller);
        return Some(format!(
            "{place} does not lie in {name}; claim only calls that you have read"
        ));
    }
    (!is_called_in(&spot.statement, &callee)).then(|| {
        let name = quoted(&call.callee);
        format!("{place} does not call {name}; claim only calls that you have read")
    })
}

/// Whether the name stands there with an opening bracket or an argument behind it.
fn is_called_in(statement: &str, name: &str) -> bool {
    statement.match_indices(name).any(|(at, _)| {
        let rest = statement.get(at + name.len()..).unwrap_or_default();
        let rest = rest.trim_start_matches(['!', '?']);
        let opens = rest
            .trim_start()
            .starts_with(['(', '<', '{', '"', '\'', ':', '['])
            || rest.starts_with(' ')
            || rest.is_empty()
            || rest.starts_with(['.', '\n', ')', ',']);
        opens && has_word(statement, name)
    })
}

fn spans_it(case: &Case<'_>, one: &Located, frame: &Frame, language: Language) -> Option<String> {
    let line = one.line?;
    let spot = match spot(case, &one.file, line) {
        Ok(spot) => spot,
        Err(why) => {
            return Some(format!(
                "a frame of the stack trace cannot have been: {why}"
            ));
        }
    };
    let name = name_of(frame, language)?;
    // By indentation a function that is all on one line is not seen.
    if Grammar::of(&one.file).is_none() && is_called_in(&spot.statement, &name) {
        return None;
    }
    (!spot.spans.iter().any(|span| span.is_called(&name))).then(|| {
        format!(
            "a frame of the stack trace cannot have been: {} line {line} does not lie in {} at \
             the deployed commit; give up if the case rests on it",
            quoted(&one.file),
            quoted(&name)
        )
    })
}

/// The name that a frame's function has in the source; `None` where it has none.
fn name_of(frame: &Frame, language: Language) -> Option<String> {
    let function = frame.function.as_deref()?.trim();
    let unnamed = function.starts_with(['<', '{'])
        && !function.starts_with("<class:")
        && !function.starts_with("<module:");
    // What stands before a function without a name is an object or a namespace.
    let inside = match language {
        Language::Javascript => function.contains("<anonymous>"),
        Language::Php => function.contains("{closure"),
        Language::Csharp => function.contains('<'),
        Language::Go => function.contains("glob.."),
        Language::Python
        | Language::Java
        | Language::Rust
        | Language::Ruby
        | Language::Dart
        | Language::Elixir
        | Language::Cpp => false,
    };
    if inside || (unnamed && language != Language::Rust) {
        return None;
    }
    let function = match language {
        Language::Cpp | Language::Csharp | Language::Php => {
            function.split('(').next().unwrap_or(function)
        }
        Language::Python
        | Language::Java
        | Language::Javascript
        | Language::Go
        | Language::Rust
        | Language::Ruby
        | Language::Dart
        | Language::Elixir => function,
    };
    let inner = function
        .trim_start_matches("<class:")
        .trim_start_matches("<module:");
    bare_name(inner).filter(|name| name.chars().any(char::is_alphabetic))
}

/// Callers with what they called, where both are next to each other in a block of the trace.
fn adjacent<'l>(trace: &Trace, own: &[&'l Located]) -> Vec<(&'l Located, &'l Located)> {
    // Calls at the end of a function leave no frame behind in these.
    if matches!(trace.language, Language::Elixir | Language::Cpp) {
        return Vec::new();
    }
    let order = trace.innermost_first();
    let block = |frame: usize| {
        let mut blocks = trace.blocks.iter();
        blocks.position(|block| block.frames.contains(&frame))
    };
    let find = |frame: usize| own.iter().find(|one| one.frame == frame).copied();
    let pairs = order.windows(2).filter_map(|pair| {
        let [callee, caller] = pair else { return None };
        let next = callee.abs_diff(*caller) == 1 && block(*callee) == block(*caller);
        next.then_some(())?;
        Some((find(*caller)?, find(*callee)?))
    });
    pairs.collect()
}

fn calls_it(case: &Case<'_>, trace: &Trace, caller: &Located, callee: &Located) -> Option<String> {
    let line = caller.line?;
    let name = name_of(trace.frames.get(callee.frame)?, trace.language)?;
    let spot = spot(case, &caller.file, line).ok()?;
    let function = trace.frames.get(callee.frame)?.function.as_deref()?;
    let written =
        refers_to(&spot, &name) || name.starts_with("__") || UNWRITTEN.contains(&name.as_str());
    let nameless = ["lambda", "closure", "anonymous", "block in", ".func", "<"]
        .iter()
        .any(|part| function.contains(part));
    if written || (nameless && spot.statement.contains(['(', '.'])) || is_dynamic(&spot) {
        return None;
    }
    Some(format!(
        "a call of the stack trace cannot have been: {} line {line} does not call {} at the \
         deployed commit; give up if the case rests on it",
        quoted(&caller.file),
        quoted(&name)
    ))
}

/// Whether the statement speaks of a function of this name: it calls it, takes it from an object,
/// or hands it on. A variable of the same name is none.
fn refers_to(spot: &Spot, name: &str) -> bool {
    let said = &spot.statement;
    let part = |c: char| c.is_alphanumeric() || c == '_';
    said.match_indices(name).any(|(at, _)| {
        let before = said.get(..at).unwrap_or_default();
        let behind = said.get(at + name.len()..).unwrap_or_default();
        if before.ends_with(part) || behind.starts_with(part) {
            return false;
        }
        let called = behind
            .trim_start_matches(['!', '?'])
            .trim_start()
            .starts_with(['(', '<', '{', '`'])
            || behind.trim_start().starts_with("::<");
        let of_object =
            before.ends_with(['.', '@', '&']) || before.ends_with("->") || before.ends_with("::");
        called || of_object || !is_bound(spot, name)
    })
}

/// Whether the function sets a variable of this name, or has such a parameter.
fn is_bound(spot: &Spot, name: &str) -> bool {
    let header = spot.spans.iter().rev().find(|span| span.function);
    let parameter = header.is_some_and(|span| {
        let behind = span.header.split_once('(').map_or("", |(_, behind)| behind);
        has_word(behind, name)
    });
    let set = spot.function.match_indices(name).any(|(at, _)| {
        let before = spot.function.get(..at).unwrap_or_default();
        let behind = spot.function.get(at + name.len()..).unwrap_or_default();
        let behind = behind.trim_start();
        let sets =
            behind.starts_with('=') && !behind.starts_with("==") && !behind.starts_with("=>");
        let own = !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '>'));
        own && (sets || behind.starts_with(":="))
    });
    parameter || set
}

/// Whether the statement calls what a variable holds, so that any name can be behind it.
fn is_dynamic(spot: &Spot) -> bool {
    let said = &spot.statement;
    let marks = [
        "](", ")(", ".()", ".call(", ".apply(", ".send(", ".invoke(", ".bind(",
    ];
    if marks.iter().any(|mark| said.contains(mark)) || has_word(said, "yield") {
        return true;
    }
    called(said).any(|name| is_bound(spot, name))
}

/// Names with an opening bracket behind them, and none of an object's.
fn called(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('(').filter_map(|(at, _)| {
        let before = text.get(..at)?;
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let start = before
            .char_indices()
            .rev()
            .take_while(|(_, c)| part(*c))
            .last()?
            .0;
        let name = before.get(start..)?;
        let object = before.get(..start)?.ends_with(['.', '>', ':']);
        (!object && !name.is_empty()).then_some(name)
    })
}
