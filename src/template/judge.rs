//! Whether two lines that differ in a word say the same thing about two things, or two things.
//! An id can never be taken back, so the second line of a template decides, and all there is to
//! go by is what the two words look like and what stands beside them. Not here: values that are
//! masked whatever stands around them (`mask`).
//!
//! A wrong "same" loses two templates for good, a wrong "different" leaves a template too many:
//! without a reason to merge, words stay.

use super::bytes::{self, UPPER};
use super::mask;

/// What a difference between two words means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Two names in one place: the place varies.
    Parameter,
    /// Nothing speaks for either.
    Unclear,
    /// Two states, verbs or constants: two templates.
    Event,
}

/// What stands beside the place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// The token before; empty for a value and at the start of the line.
    pub(super) before: &'a str,
    /// The token after; empty for a value and at the end.
    pub(super) after: &'a str,
    /// Whether a blank stands between the place and the token after.
    pub(super) blank_after: bool,
}

/// Two words in the same place.
pub(super) fn words(one: &str, other: &str, around: Around<'_>) -> Verdict {
    let (a, b) = (one.as_bytes(), other.as_bytes());
    if is_plural(a, b) || is_plural(b, a) {
        return Verdict::Parameter;
    }
    if is_label(&around) || is_state(one) || is_state(other) || constants(a, b) {
        return Verdict::Event;
    }
    if mask::is_name(a) && mask::is_name(b) {
        return Verdict::Parameter;
    }
    if is_grammar(one) || is_grammar(other) {
        return Verdict::Event;
    }
    if around.before == "=" {
        return if mask::is_name(a) || mask::is_name(b) {
            Verdict::Parameter
        } else {
            Verdict::Event
        };
    }
    if names_what_follows(around.before) {
        return Verdict::Parameter;
    }
    Verdict::Unclear
}

/// A masked value in one line, a word in the other.
pub(super) fn value_and_word(word: &str, around: Around<'_>) -> Verdict {
    if is_label(&around) || is_state(word) || is_grammar(word) {
        return Verdict::Event;
    }
    if around.before == "=" || mask::is_name(word.as_bytes()) {
        return Verdict::Parameter;
    }
    if names_what_follows(around.before) {
        return Verdict::Parameter;
    }
    Verdict::Unclear
}

/// A word that something is said about: `memory: 5`, `open(…)`, `state=up`.
fn is_label(around: &Around<'_>) -> bool {
    !around.blank_after && matches!(around.after, ":" | "(" | "=")
}

/// The same noun, counted: `1 second`, `2 seconds`.
fn is_plural(many: &[u8], one: &[u8]) -> bool {
    one.len() > 2 && many.strip_suffix(b"s") == Some(one)
}

/// Constants of a program stand for themselves.
fn constants(a: &[u8], b: &[u8]) -> bool {
    let upper = |word: &[u8]| word.len() > 1 && mask::is_upper(word);
    upper(a) && upper(b) || mask::is_constant_path(a) || mask::is_constant_path(b)
}

/// Words that a state or an outcome is said with, and verbs in the forms that messages use.
fn is_state(word: &str) -> bool {
    let flags = bytes::all_of(word.as_bytes());
    let lower = word.to_ascii_lowercase();
    let verb = flags & UPPER == 0
        || word
            .get(1..)
            .is_some_and(|w| !w.contains(char::is_uppercase));
    let ending = lower.ends_with("ed") || lower.ends_with("ing");
    verb && ending && lower.len() > 4 && !mask::is_name(word.as_bytes())
        || STATES.binary_search(&lower.as_str()).is_ok()
}

const STATES: &[&str] = &[
    "absent",
    "active",
    "alive",
    "allow",
    "bad",
    "begin",
    "busy",
    "close",
    "complete",
    "correct",
    "dead",
    "deny",
    "disable",
    "disconnect",
    "down",
    "empty",
    "enable",
    "end",
    "error",
    "exit",
    "fail",
    "failure",
    "false",
    "fatal",
    "finish",
    "full",
    "good",
    "high",
    "idle",
    "inactive",
    "incorrect",
    "invalid",
    "login",
    "logout",
    "lost",
    "low",
    "missing",
    "new",
    "no",
    "off",
    "ok",
    "old",
    "on",
    "online",
    "offline",
    "open",
    "pass",
    "present",
    "ready",
    "reject",
    "reset",
    "resume",
    "shutdown",
    "start",
    "startup",
    "stop",
    "success",
    "successful",
    "suspend",
    "timeout",
    "true",
    "unavailable",
    "unknown",
    "up",
    "valid",
    "warning",
    "yes",
];

/// Words that carry a sentence and name nothing.
fn is_grammar(word: &str) -> bool {
    GRAMMAR
        .binary_search(&word.to_ascii_lowercase().as_str())
        .is_ok()
}

const GRAMMAR: &[&str] = &[
    "a", "all", "already", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can",
    "cannot", "could", "did", "do", "does", "for", "from", "had", "has", "have", "if", "in", "is",
    "it", "its", "may", "more", "must", "no", "not", "of", "on", "or", "out", "should", "some",
    "still", "than", "that", "the", "then", "this", "to", "too", "was", "were", "when", "while",
    "will", "with", "without", "would",
];

/// Nouns whose name follows them: `user root`, `host alpha`.
fn names_what_follows(word: &str) -> bool {
    NAMED
        .binary_search(&word.to_ascii_lowercase().as_str())
        .is_ok()
}

const NAMED: &[&str] = &[
    "account",
    "called",
    "client",
    "database",
    "device",
    "domain",
    "host",
    "hostname",
    "interface",
    "job",
    "module",
    "named",
    "node",
    "package",
    "plugin",
    "queue",
    "role",
    "server",
    "service",
    "table",
    "topic",
    "unit",
    "user",
    "username",
    "volume",
    "zone",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        for list in [GRAMMAR, NAMED] {
            assert!(list.is_sorted(), "{list:?}");
        }
        assert!(STATES.is_sorted(), "{STATES:?}");
    }
}
