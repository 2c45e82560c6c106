//! The line that names an exception (`Type: message`), as Java and JavaScript print it. Which
//! of them it was shows only in the frames after it.

use super::text;
use crate::model::Raised;

/// Whether the token is an exception's type by its name: `TypeError`, `a.b.SomeException`.
pub(super) fn is_exception(token: &str) -> bool {
    if !is_name(token) {
        return false;
    }
    let last = token.rsplit('.').next().unwrap_or_default();
    if token == "UnhandledPromiseRejection" {
        return true;
    }
    ["Error", "Exception", "Throwable"]
        .iter()
        .any(|end| last.ends_with(end))
}

/// A name, perhaps with dots: `Type`, `a.b.Type$Inner`.
fn is_name(token: &str) -> bool {
    let mut bytes = token.bytes();
    let head = bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b'$');
    head && !token.ends_with('.')
        && !token.contains("..")
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"_$.+".contains(&b))
}

/// `a.b.Type`: dots, and a last part that begins as types do.
fn is_qualified_type(token: &str) -> bool {
    is_name(token)
        && token.matches('.').count() >= 2
        && token
            .rsplit('.')
            .next()
            .is_some_and(|last| last.as_bytes().first().is_some_and(u8::is_ascii_uppercase))
        && token.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
}

/// Reads `Type: message`, `Type [CODE]: message` or a bare `Type` at the beginning of `text`.
pub(super) fn named(text: &str) -> Option<Raised> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "_$.+".contains(c)))
        .unwrap_or(text.len());
    let (token, rest) = text.split_at_checked(end)?;
    if !is_exception(token) && !is_qualified_type(token) {
        return None;
    }
    let rest = without_code(rest);
    let message = match rest.strip_prefix(':') {
        Some(after) if after.is_empty() || after.starts_with([' ', '\t']) => after.trim(),
        Some(_) => return None,
        None if rest.trim().is_empty() => "",
        None => return None,
    };
    let message = message.strip_suffix("] {").unwrap_or(message);
    Some(Raised {
        kind: Some(token.to_owned()),
        message: (!message.is_empty()).then(|| message.to_owned()),
    })
}

/// Node.js prints an error's code between type and message, .NET a number:
/// ` [ERR_ASSERTION]: …`, ` (0x80004005): …`.
fn without_code(rest: &str) -> &str {
    let inner = rest
        .strip_prefix(" [")
        .and_then(|inner| inner.split_once(']'))
        .or_else(|| {
            let (code, after) = rest.strip_prefix(" (")?.split_once(')')?;
            after.starts_with(": ").then_some((code, after))
        });
    inner
        .filter(|(code, _)| code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        .map_or(rest, |(_, after)| after)
}

/// Words that runtimes print before the name of an exception that nobody caught.
const UNCAUGHT: [&str; 10] = [
    "Uncaught exception: ",
    "Uncaught Exception: ",
    "Uncaught (in promise) ",
    "Uncaught ",
    "uncaughtException: ",
    "Unhandled rejection ",
    "Unhandled Rejection: ",
    "Unhandled exception: ",
    "Unhandled exception. ",
    "Unhandled Exception: ",
];

/// Longest introduction, a thread's name included.
const INTRODUCTION_MAX: usize = 256;

/// What stands before the exception's name in the line, in bytes, and whether it says that nobody
/// caught it.
pub(super) fn introduction(line: &str) -> (usize, bool) {
    for words in UNCAUGHT {
        if line.starts_with(words) {
            return (words.len(), true);
        }
    }
    if let Some(rest) = line.strip_prefix("Exception in thread \"")
        && let Some(end) = text::floor(rest, INTRODUCTION_MAX).find("\" ")
    {
        return (line.len() - rest.len() + end + 2, true);
    }
    const REJECTED: &str = ") UnhandledPromiseRejectionWarning: ";
    if line.starts_with("(node:")
        && let Some(at) = text::floor(line, INTRODUCTION_MAX).find(REJECTED)
    {
        return (at + REJECTED.len(), true);
    }
    // Node.js prints an error without frames in brackets.
    (usize::from(line.starts_with('[')), false)
}

/// Whether the line says that nobody caught the exception that the next line names.
pub(super) fn announces(line: &str) -> bool {
    let (raised, uncaught) = raised_in(line);
    uncaught && raised.kind.is_none()
}

/// Offset of the trace's text in a line that begins with an exception's name, after a logger's
/// prefix. `None` when it does not.
pub(super) fn begins(line: &str) -> Option<usize> {
    let end = text::log_prefix(line);
    let mut at = text::indent(line);
    loop {
        let own = line.get(at..).filter(|own| !own.is_empty())?;
        let (skip, _) = introduction(own);
        if named(own.get(skip..)?).is_some() {
            return Some(at);
        }
        at += own.find([' ', '\t'])?;
        at += text::indent(line.get(at..)?);
        if at > end {
            return None;
        }
    }
}

/// Longest line in which an exception's name is looked for.
const NAME_MAX: usize = 4096;

/// What the lines before the first frame name, and whether they say that nobody caught it.
pub(super) fn raised_before(lines: &[&str], is_frame: impl Fn(&str) -> bool) -> (Raised, bool) {
    let mut uncaught = false;
    for line in lines.iter().take_while(|line| !is_frame(line)) {
        let (raised, says) = raised_in(line);
        uncaught |= says;
        if raised.kind.is_some() {
            return (raised, uncaught);
        }
    }
    (Raised::default(), uncaught)
}

/// What the line names, wherever in the line, and whether it says that nobody caught it.
pub(super) fn raised_in(line: &str) -> (Raised, bool) {
    let line = text::floor(line, NAME_MAX);
    let mut uncaught = false;
    let mut at = text::indent(line);
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let (skip, says) = introduction(rest);
        uncaught |= says;
        if let Some(raised) = rest.get(skip..).and_then(named) {
            return (raised, uncaught);
        }
        let word = rest.find([' ', '\t']).unwrap_or(rest.len());
        at += word.max(skip);
        at += text::indent(line.get(at..).unwrap_or_default());
    }
    (Raised::default(), uncaught)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_exceptions() {
        let kind = |text| named(text).and_then(|raised| raised.kind);
        assert_eq!(kind("TypeError: x").as_deref(), Some("TypeError"));
        assert_eq!(kind("Error").as_deref(), Some("Error"));
        assert_eq!(
            kind("AssertionError [ERR_ASSERTION]: x").as_deref(),
            Some("AssertionError")
        );
        assert_eq!(kind("a.b.Problem: x").as_deref(), Some("a.b.Problem"));
        assert_eq!(kind("Error handling is fun"), None);
        assert_eq!(kind("ERROR: x"), None);
        assert_eq!(kind("INFO: Error"), None);
    }

    #[test]
    fn names_after_words() {
        let (raised, uncaught) = raised_in("Exception in thread \"a b\" java.lang.E: m");
        assert_eq!(raised.message.as_deref(), Some("m"));
        assert!(uncaught);
        let (raised, _) = raised_in("12:00 ERROR Shop - failed: java.io.IOException: gone");
        assert_eq!(raised.kind.as_deref(), Some("java.io.IOException"));
    }
}
