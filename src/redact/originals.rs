//! The values behind a scope's placeholders, in memory, so that an edit which a model wrote with
//! placeholders can be applied to the real file. Only `patch` asks for them, and nothing prints
//! them. Not here: who gets which placeholder (`scope.rs`).

use crate::redact::class::Class;
use crate::redact::placeholder;
use crate::redact::redacted::Redacted;
use crate::redact::scope::Scope;
use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

/// Bytes of values that a scope remembers; those after it cannot be mapped back.
const BYTES: usize = 1 << 20;
/// A value may hold placeholders of the round before; so deep are they followed.
const DEPTH: usize = 6;
/// Shorter values are hidden only where they stand as a word of their own.
const SHORT: usize = 4;

/// Values by their placeholders.
#[derive(Clone, Default)]
pub(super) struct Originals {
    values: HashMap<(Class, u32), Box<str>>,
    bytes: usize,
}

impl fmt::Debug for Originals {
    /// How many, and none of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Originals({})", self.values.len())
    }
}

impl Originals {
    pub(super) fn remember(&mut self, class: Class, number: u32, value: &str) {
        if self.bytes + value.len() <= BYTES {
            self.bytes += value.len();
            self.values.insert((class, number), value.into());
        }
    }

    fn get(&self, text: &str) -> Option<&str> {
        let (word, number) = text
            .strip_prefix('[')?
            .strip_suffix(']')?
            .rsplit_once('-')?;
        let class = Class::ALL.into_iter().find(|class| class.word() == word)?;
        let number = number.parse().ok()?;
        self.values.get(&(class, number)).map(|value| &**value)
    }
}

/// Where placeholders stand in a text, in order.
pub fn placeholders(text: &str) -> Vec<Range<usize>> {
    placeholder::all_in(text)
}

impl Scope {
    /// The value that this placeholder stands for in this scope. For `patch` alone: what comes out
    /// must not leave the host.
    pub fn reveal(&self, placeholder: &str) -> Option<String> {
        let value = self.originals.get(placeholder)?;
        self.inner_values(value, DEPTH)
    }

    fn inner_values(&self, text: &str, depth: usize) -> Option<String> {
        let inside = placeholder::all_in(text);
        if inside.is_empty() {
            return Some(text.to_owned());
        }
        let deeper = depth.checked_sub(1)?;
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for range in inside {
            out.push_str(text.get(from..range.start)?);
            let shown = text.get(range.clone())?;
            match self.originals.get(shown) {
                Some(value) => out.push_str(&self.inner_values(value, deeper)?),
                // What only looks like one stood there before.
                None => out.push_str(shown),
            }
            if out.len() > BYTES {
                return None;
            }
            from = range.end;
        }
        out.push_str(text.get(from..)?);
        Some(out)
    }

    /// A text about values that were revealed, fit to be shown: every value that this scope knows
    /// is replaced wherever it stands, and then what the rules find.
    pub fn hide(&self, text: &str) -> Redacted {
        let mut own = self.clone();
        match self.without_values(text) {
            Some(text) => own.text(&text),
            None => Redacted::own("what was found cannot be shown"),
        }
    }

    fn without_values(&self, text: &str) -> Option<String> {
        let mut known: Vec<(String, String)> = Vec::new();
        for ((class, number), value) in &self.originals.values {
            let mut shown = String::new();
            placeholder::write(&mut shown, *class, Some(*number));
            let whole = self.inner_values(value, DEPTH)?;
            known.push((whole, shown.clone()));
            known.push((value.to_string(), shown));
        }
        known.retain(|(value, _)| !value.is_empty());
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(known.iter().map(|(value, _)| value))
            .ok()?;
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for found in search.find_iter(text) {
            let (value, shown) = known.get(found.pattern().as_usize())?;
            if value.len() < SHORT && !stands_alone(text, found.range()) {
                continue;
            }
            out.push_str(text.get(from..found.start())?);
            out.push_str(shown);
            from = found.end();
        }
        out.push_str(text.get(from..)?);
        Some(out)
    }

    /// The values that rules find in a text, with their classes; `None` where it cannot be
    /// decided. Changes nothing.
    pub fn values(&self, text: &str) -> Option<Vec<(Class, Range<usize>)>> {
        let finds = self.redactor().finds(text)?;
        Some(finds.into_iter().map(|f| (f.class, f.range)).collect())
    }
}

fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let before = text.get(..range.start).and_then(|t| t.chars().next_back());
    let after = text.get(range.end..).and_then(|t| t.chars().next());
    ![before, after]
        .into_iter()
        .flatten()
        .any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Redactor, Settings};

    fn scope() -> Scope {
        Redactor::new(&Settings::default()).unwrap().scope()
    }

    #[test]
    fn placeholders_are_mapped_back_and_never_printed() {
        let mut scope = scope();
        let shown = scope.text("login jane@acme.example password=hunter2xyz");
        assert_eq!(shown.as_str(), "login [email-1] password=[password-1]");
        assert_eq!(
            scope.reveal("[email-1]").as_deref(),
            Some("jane@acme.example")
        );
        assert_eq!(scope.reveal("[password-1]").as_deref(), Some("hunter2xyz"));
        for unknown in [
            "[email-2]",
            "[password-*]",
            "[withheld: 3 bytes]",
            "email-1",
        ] {
            assert_eq!(scope.reveal(unknown), None, "{unknown}");
        }
        let printed = format!("{scope:?}");
        assert!(
            !printed.contains("hunter2xyz") && !printed.contains("jane"),
            "{printed}"
        );
    }

    #[test]
    fn what_is_said_of_revealed_text_is_hidden_again() {
        let mut scope = scope();
        scope.text("password=hunter2xyz password=ab1");
        let said =
            scope.hide("the line `connect(hunter2xyz)` of bob@acme.example, ab1 but not cab12");
        assert!(!said.as_str().contains("hunter2xyz"), "{said}");
        assert!(!said.as_str().contains("bob@"), "{said}");
        assert!(said.as_str().contains("cab12"), "{said}");
        assert!(!said.as_str().contains(", ab1"), "{said}");
    }

    #[test]
    fn past_its_bound_values_are_not_remembered() {
        let mut originals = Originals::default();
        originals.remember(Class::Secret, 1, &"x".repeat(BYTES));
        originals.remember(Class::Secret, 2, "y");
        assert!(originals.get("[secret-1]").is_some());
        assert_eq!(originals.get("[secret-2]"), None);
    }

    #[test]
    fn values_that_hold_placeholders_are_followed() {
        let mut scope = scope();
        scope
            .originals
            .remember(Class::Email, 1, "jane@acme.example");
        scope.originals.remember(Class::Secret, 1, "x[email-1]y");
        scope
            .originals
            .remember(Class::Token, 1, "[token-1][token-1]");
        let whole = scope.reveal("[secret-1]");
        assert_eq!(whole.as_deref(), Some("xjane@acme.exampley"));
        assert_eq!(scope.reveal("[token-1]"), None, "no end of it");
    }
}
