//! Whether two lines that differ in a word say the same thing about two things, or two things.
//! An id can never be taken back, so the second line of a template decides, and all there is to
//! go by is what the two words look like and what stands beside them. Not here: values that are
//! masked whatever stands around them (`mask`).
//!
//! A wrong "same" loses two templates for good, a wrong "different" leaves a template too many:
//! without a reason to merge, words stay.

use super::bytes::{self, UPPER};
use super::cache::AsItIs;
use super::mask;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

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

/// What stands beside the place: words and signs; empty for a value, and outside the line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around<'a> {
    /// The second token before.
    pub(super) earlier: &'a str,
    /// The token before.
    pub(super) before: &'a str,
    /// The token after.
    pub(super) after: &'a str,
    /// The second token after.
    pub(super) later: &'a str,
    /// Whether a blank stands between the place and the token after.
    pub(super) blank_after: bool,
}

/// Two words in the same place.
pub(super) fn words(one: &str, other: &str, around: Around<'_>) -> Verdict {
    let (a, b) = (one.as_bytes(), other.as_bytes());
    if is_plural(a, b) || is_plural(b, a) || is_letter(a) && is_letter(b) {
        return Verdict::Parameter;
    }
    if is_state(one) || is_state(other) || constants(a, b) {
        return Verdict::Event;
    }
    if is_grammar(one) || is_grammar(other) {
        return Verdict::Event;
    }
    let names = mask::is_name(a) && mask::is_name(b);
    if around.before == "=" {
        let either = mask::is_name(a) || mask::is_name(b);
        return if either {
            Verdict::Parameter
        } else {
            Verdict::Event
        };
    }
    beside(around, names)
}

/// A masked value in one line, a word in the other.
pub(super) fn value_and_word(word: &str, around: Around<'_>) -> Verdict {
    if is_state(word) || is_grammar(word) {
        return Verdict::Event;
    }
    beside(
        around,
        around.before == "=" || mask::is_name(word.as_bytes()),
    )
}

/// What the place looks like from outside. `names`: what stands in it are no ordinary words.
fn beside(around: Around<'_>, names: bool) -> Verdict {
    let slot = is_slot(&around);
    if slot && matches!(around.after, ":" | "," | ".") {
        return Verdict::Parameter;
    }
    let object = around.before == "<" && around.after == ":";
    let owner = around.after == "'" && !around.blank_after && around.later == "s";
    let process = around.after == "[" && !around.blank_after && around.later.is_empty();
    if object || owner || process {
        return Verdict::Parameter;
    }
    if is_label(&around) {
        return Verdict::Event;
    }
    if names || slot {
        return Verdict::Parameter;
    }
    Verdict::Unclear
}

/// Whether a name is expected: after the noun it belongs to (`user root`, `client: alpha`), or
/// after a preposition where nothing but a name fits between it and what follows (`for root from
/// 10.0.0.1`, `via lo`).
fn is_slot(around: &Around<'_>) -> bool {
    let preposition = |word| PREPOSITIONS.contains(&word);
    let colon = around.before == ":"
        && (names_what_follows(around.earlier)
            || preposition(around.earlier)
            || around.earlier == "to");
    let noun = names_what_follows(around.before);
    noun || (colon || preposition(around.before)) && ends_name(around.after)
}

/// Prepositions before names. Not `to` (`failed to start`), `of` (`out of memory`), `in`, `with`.
const PREPOSITIONS: [&str; 6] = ["at", "by", "for", "from", "on", "via"];

/// Whether a name may end before this token.
fn ends_name(after: &str) -> bool {
    let sign = matches!(
        after,
        "" | "," | ";" | ":" | "." | "[" | "]" | "(" | ")" | ">" | "'"
    );
    sign || is_grammar(after) || is_state(after)
}

/// A word that something is said about: `memory: 5`, `open(…)`, `state=up`.
fn is_label(around: &Around<'_>) -> bool {
    !around.blank_after && matches!(around.after, ":" | "(" | "=")
}

/// The same noun, counted: `1 second`, `2 seconds`.
fn is_plural(many: &[u8], one: &[u8]) -> bool {
    one.len() > 2 && many.strip_suffix(b"s") == Some(one)
}

/// One letter, perhaps with a sign: `C`, `x+`. They number things.
fn is_letter(word: &[u8]) -> bool {
    word.len() <= 2
        && word.iter().filter(|b| b.is_ascii_alphabetic()).count() == 1
        && !word.eq_ignore_ascii_case(b"a")
}

/// Constants of a program stand for themselves.
fn constants(a: &[u8], b: &[u8]) -> bool {
    let upper = |word: &[u8]| word.len() > 1 && mask::is_upper(word);
    let path = |word: &[u8]| word.contains(&b'.') && mask::is_constant_path(word);
    upper(a) && upper(b) || path(a) || path(b) || exception(a) || exception(b)
}

fn exception(word: &[u8]) -> bool {
    let inner = word.len() > 9 && mask::is_constant_path(word);
    inner && !mask::is_upper(word)
}

/// Words that a state or an outcome is said with, and verbs in the forms that messages use.
fn is_state(word: &str) -> bool {
    let flags = bytes::all_of(word.as_bytes());
    let inner_upper = || word.bytes().skip(1).any(|b| b.is_ascii_uppercase());
    let verb = flags & UPPER == 0 || !inner_upper();
    let ending = word.ends_with("ed") || word.ends_with("ing");
    verb && ending && word.len() > 4 && !mask::is_name(word.as_bytes()) || listed(word) & STATE != 0
}

/// No listed word is longer.
const LONGEST_LISTED: usize = 16;

/// What a listed word is: any of these.
const STATE: u8 = 1;
const CARRIES: u8 = 2;
const NAMES: u8 = 4;

/// Hashes of all listed words with what they are.
static LISTED: LazyLock<HashMap<u64, u8, BuildHasherDefault<AsItIs>>> = LazyLock::new(|| {
    let mut all = HashMap::default();
    for (list, what) in [(STATES, STATE), (GRAMMAR, CARRIES), (NAMED, NAMES)] {
        for word in list {
            *all.entry(bytes::hash(word.as_bytes())).or_default() |= what;
        }
    }
    all
});

/// What lists say of the word, in whatever case it is written.
fn listed(word: &str) -> u8 {
    let mut room = [0; LONGEST_LISTED];
    let Some(lower) = room.get_mut(..word.len()) else {
        return 0;
    };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    LISTED.get(&bytes::hash(lower)).copied().unwrap_or(0)
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
    "offline",
    "ok",
    "old",
    "on",
    "online",
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
    listed(word) & CARRIES != 0
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
    listed(word) & NAMES != 0
}

const NAMED: &[&str] = &[
    "account",
    "app",
    "application",
    "called",
    "class",
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
    "process",
    "program",
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
    use crate::template::{Limits, Miner};

    #[test]
    fn lists_are_sorted() {
        for list in [GRAMMAR, NAMED, STATES] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }

    fn same(one: &str, other: &str) -> bool {
        let mut miner = Miner::new(Limits::default());
        miner.read(one).id == miner.read(other).id
    }

    #[test]
    fn the_second_line_of_a_template_joins_the_first() {
        for (one, other) in [
            (
                "session opened for user root by (uid=0)",
                "session opened for user test by (uid=0)",
            ),
            (
                "Failed password for root from 10.0.0.1",
                "Failed password for admin from 10.0.0.1",
            ),
            ("waited 1 second", "waited 2 seconds"),
            ("loading file a.conf now", "loading file b.conf now"),
            ("failed at host.example:", "failed at 10.0.0.1:"),
            ("DHCPACK to <1> via eth0", "DHCPACK to <1> via lo"),
            ("killed process bash[12] now", "killed process vim[12] now"),
            ("seen Alice's phone near", "seen Bob's phone near"),
            ("client: alpha disconnected", "client: beta disconnected"),
            ("torus x+ input fault", "torus y- input fault"),
        ] {
            assert!(same(one, other), "{one} / {other}");
        }
    }

    #[test]
    fn states_verbs_and_constants_are_events() {
        for (one, other) in [
            ("cupsd startup succeeded", "cupsd shutdown succeeded"),
            ("interface eth0 is up", "interface eth0 is down"),
            (
                "session opened for user root",
                "session closed for user root",
            ),
            ("my state is LOOKING now", "my state is LEADING now"),
            (
                "the disk limit not specified",
                "the vcpu limit not specified",
            ),
            (
                "took 5 s to spawn the instance",
                "took 5 s to destroy the instance",
            ),
            ("data cache parity error", "data TLB parity error"),
            ("kind=open left", "kind=closed left"),
            (
                "got java.io.IOException now",
                "got java.net.ConnectException now",
            ),
            ("alpha: done", "beta: done"),
        ] {
            assert!(!same(one, other), "{one} / {other}");
        }
    }
}
