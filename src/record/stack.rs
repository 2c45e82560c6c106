//! Stack traces that loggers put into fields of their own, in records and in JSON messages.
//! Finds and joins their text; reading it is the `trace` room's.

use crate::record::decode::{Item, Map};
use crate::record::json::Json;
use crate::record::names;
use std::borrow::Cow;

/// Longest text that is put together out of an array of lines, in bytes.
const MAX_JOINED: usize = 1 << 20;

/// Maps that may hold a stack trace under one of those keys.
pub(super) const HOLDERS: [&str; 7] = [
    "err",
    "error",
    "exception",
    "thrown",
    "attributes",
    "Attributes",
    "message",
];

/// A JSON value's trace text: a string that looks like one, or an array of lines.
pub(super) fn of_json(value: Json<'_>) -> Option<Cow<'_, str>> {
    match value {
        Json::Str(raw) => looks_like_trace(raw).then(|| crate::record::json::unescape(raw)),
        Json::Array(elements) => join(elements.map(|line| line.text())),
        Json::Null
        | Json::Bool(_)
        | Json::Int(_)
        | Json::Unsigned(_)
        | Json::Float(_)
        | Json::Object(_) => None,
    }
}

/// A record field's trace text.
pub(super) fn of_item(value: Item<'_>) -> Option<Cow<'_, str>> {
    match value {
        Item::Str(bytes) | Item::Bin(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            looks_like_trace(&text).then_some(text)
        }
        Item::Array(lines) => join(
            lines
                .iter()
                .map(|line| line.bytes().map(String::from_utf8_lossy)),
        ),
        _ => None,
    }
}

/// The best trace text among a map's own keys.
pub(super) fn of_map(map: Map<'_>) -> Option<Cow<'_, str>> {
    let ranked = map
        .iter()
        .filter_map(|(key, value)| Some((names::of(key).stack_rank()?, value)));
    let usable = ranked.filter_map(|(rank, value)| Some((rank, of_item(value)?)));
    usable.min_by_key(|(rank, _)| *rank).map(|(_, text)| text)
}

/// The trace with `type: message` before it where it begins with a frame; Python's frames get the
/// line before them and the one behind.
pub(super) fn with_header<'t>(
    stack: Cow<'t, str>,
    kind: Option<Cow<'_, str>>,
    reason: Option<Cow<'_, str>>,
) -> Cow<'t, str> {
    let start = stack.trim_start();
    let python = start.starts_with("File \"");
    if !python && !start.starts_with("at ") {
        return stack;
    }
    let header = match (kind, reason) {
        (Some(kind), Some(reason)) => format!("{kind}: {reason}"),
        (Some(word), None) | (None, Some(word)) => word.into_owned(),
        (None, None) => return stack,
    };
    if python {
        let stack = stack.trim_end();
        return Cow::Owned(format!(
            "Traceback (most recent call last):\n{stack}\n{header}"
        ));
    }
    Cow::Owned(format!("{header}\n{stack}"))
}

/// More than one line (raw or escaped), or a frame or header of a known kind.
fn looks_like_trace(text: &str) -> bool {
    let start = text.trim_start();
    ["at ", "File \"", "Traceback (most", "goroutine ", "panic: "]
        .iter()
        .any(|begin| start.starts_with(begin))
        || text.contains('\n')
        || text.contains("\\n")
}

fn join<'a>(lines: impl Iterator<Item = Option<Cow<'a, str>>>) -> Option<Cow<'a, str>> {
    let mut text = String::new();
    for line in lines {
        let line = line?;
        if text.len() + line.len() > MAX_JOINED {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line.trim_end_matches('\n'));
    }
    looks_like_trace(&text).then_some(Cow::Owned(text))
}
