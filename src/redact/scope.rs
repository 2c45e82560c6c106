//! A scope: texts in, redacted texts out, where the same value always has the same placeholder,
//! so that a reader sees that it is the same. It knows values by their hashes; what they were is
//! kept apart (`originals.rs`).

use crate::redact::class::Class;
use crate::redact::find::Find;
use crate::redact::originals::Originals;
use crate::redact::placeholder;
use crate::redact::redacted::Redacted;
use crate::redact::redactor::Redactor;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// Longest text that is read, in bytes.
const LONGEST: usize = 4 << 20;
/// Values that a scope tells apart; those after it get a placeholder without a number.
const VALUES: usize = 10_000;
/// What is replaced can bring forth what is found; after so many rounds a text is withheld.
const ROUNDS: usize = 6;

/// How many values of each class were replaced, and how many texts or parts withheld.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub replaced: BTreeMap<Class, u64>,
    pub withheld: u64,
}

/// One incident's, batch's or dossier's texts.
#[derive(Clone, Debug)]
pub struct Scope {
    redactor: Redactor,
    known: HashMap<[u8; 16], (Class, u32)>,
    numbers: HashMap<Class, u32>,
    report: Report,
    pub(super) originals: Originals,
}

/// What becomes of the line breaks in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breaks {
    Replaced,
    Kept,
}

impl Scope {
    pub(super) fn new(redactor: Redactor) -> Scope {
        Scope {
            redactor,
            known: HashMap::new(),
            numbers: HashMap::new(),
            report: Report::default(),
            originals: Originals::default(),
        }
    }

    /// The text with every value that the rules find replaced.
    pub fn text(&mut self, text: &str) -> Redacted {
        self.through(text, Breaks::Replaced)
    }

    /// The same; line breaks within a value stay behind its placeholder if they are to.
    pub(super) fn through(&mut self, text: &str, breaks: Breaks) -> Redacted {
        if text.len() > LONGEST {
            return self.withhold(text);
        }
        let Some(mut finds) = self.redactor.finds(text) else {
            return self.withhold(text);
        };
        let mut now = text.to_owned();
        for _ in 0..ROUNDS {
            if finds.is_empty() {
                return Redacted::new(now);
            }
            let Some(next) = self.replaced(&now, &finds, breaks) else {
                return self.withhold(text);
            };
            now = next;
            match self.redactor.finds(&now) {
                Some(more) => finds = more,
                None => return self.withhold(text),
            }
        }
        self.withhold(text)
    }

    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// What was done in this scope so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    fn withhold(&mut self, text: &str) -> Redacted {
        self.report.withheld += 1;
        Redacted::new(placeholder::withheld(text.len()))
    }

    /// `None` where a range is none of the text.
    fn replaced(&mut self, text: &str, finds: &[Find], breaks: Breaks) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for find in finds {
            out.push_str(text.get(from..find.range.start)?);
            let value = text.get(find.range.clone())?;
            let (class, number) = self.number(value, find.class);
            placeholder::write(&mut out, class, number);
            if breaks == Breaks::Kept {
                out.extend(value.chars().filter(|c| *c == '\n'));
            }
            from = find.range.end;
        }
        out.push_str(text.get(from..)?);
        Some(out)
    }

    /// The class of a known value is that of its first find: one value, one placeholder.
    fn number(&mut self, value: &str, class: Class) -> (Class, Option<u32>) {
        let mut key = [0; 16];
        let hash = Sha256::digest(value.as_bytes());
        key.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        let (class, number) = match self.known.get(&key) {
            Some((class, number)) => (*class, Some(*number)),
            None if self.known.len() >= VALUES => (class, None),
            None => {
                let number = self.numbers.entry(class).or_default();
                *number += 1;
                self.known.insert(key, (class, *number));
                self.originals.remember(class, *number, value);
                (class, Some(*number))
            }
        };
        *self.report.replaced.entry(class).or_default() += 1;
        (class, number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Settings;
    use proptest::prelude::*;

    fn scope() -> Scope {
        static MADE: std::sync::OnceLock<Redactor> = std::sync::OnceLock::new();
        let made = MADE.get_or_init(|| Redactor::new(&Settings::default()).unwrap());
        made.scope()
    }

    #[test]
    fn one_value_has_one_placeholder() {
        let mut scope = scope();
        let text = scope.text("jane@acme.example and sam@acme.example, again jane@acme.example");
        assert_eq!(text.as_str(), "[email-1] and [email-2], again [email-1]");
        assert_eq!(scope.text("to sam@acme.example").as_str(), "to [email-2]");
        assert_eq!(scope.report().replaced[&Class::Email], 4);
        // Under another name it is the same value still.
        assert_eq!(
            scope.text("password=sam@acme.example").as_str(),
            "password=[email-2]"
        );
    }

    #[test]
    fn what_cannot_be_decided_is_withheld() {
        let mut scope = scope();
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(
            scope.text(&long).as_str(),
            format!("[withheld: {} bytes]", long.len())
        );
        assert_eq!(scope.report().withheld, 1);
    }

    #[test]
    fn past_its_bound_a_scope_counts_no_more() {
        let mut scope = scope();
        for number in 0..VALUES {
            scope.text(&format!("a{number}@b.example"));
        }
        assert_eq!(
            scope.text("password=hunter2").as_str(),
            "password=[password-*]"
        );
        assert_eq!(scope.text("a7@b.example").as_str(), "[email-8]");
    }

    #[test]
    fn patterns_and_allowed_values() {
        let settings = Settings {
            ip: true,
            patterns: vec!["ACME-[0-9]+".to_owned(), "[a-z]+-1".to_owned()],
            allow: vec!["help@acme.example".to_owned(), "/ACME-0+/".to_owned()],
        };
        let mut scope = Redactor::new(&settings).unwrap().scope();
        let text =
            scope.text("ACME-17 ACME-00 help@acme.example jane@acme.example 198.51.100.7 10.0.0.1");
        let wanted = "[custom-1] ACME-00 help@acme.example [email-1] [ip-1] 10.0.0.1";
        assert_eq!(text.as_str(), wanted);
        assert_eq!(scope.text(wanted).as_str(), wanted, "placeholders stay");
    }

    /// What takes too much work is withheld, and what merely looks so is not.
    #[test]
    fn work_is_bounded() {
        let begins = "-----BEGIN PRIVATE KEY----- ".repeat(20_000);
        assert!(scope().text(&begins).len() < 60);
        for piece in [
            "password='\"",
            "Authorization: '",
            "[é",
            "[email-1]a@b.example ",
            "a://b:",
            "1 ",
            "key=\\\"",
            "<password>",
        ] {
            let text = piece.repeat(200_000 / piece.len());
            assert!(scope().text(&text).len() <= 3 * text.len(), "{piece}");
        }
    }

    fn pieces() -> impl Strategy<Value = String> {
        let words = prop::sample::select(vec![
            "password",
            "token",
            "=",
            ":",
            " ",
            "\"",
            "\\\"",
            "'",
            "\n",
            "\\n",
            "[email-1]",
            "[password-1]",
            "[",
            "]",
            "jane@acme.example",
            "https://",
            "bob:",
            "hunter2",
            "@",
            "/",
            "?",
            "&",
            ",",
            "{",
            "}",
            "4111 1111 1111 1111",
            "+49 171 1234567",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
            "Authorization",
            "Bearer ",
            "Basic ",
            "Cookie",
            "; ",
            "é",
            "078-05-1120",
            "198.51.100.7",
            "AKIA",
            "IOSFODNN7EXAMPLE",
            "-----BEGIN RSA PRIVATE KEY-----",
            "-----END RSA PRIVATE KEY-----",
            "MIIB",
            "name",
            "value",
            "Some(",
            "IDENTIFIED BY ",
            "curl -u ",
            "%40",
            "\\u0040",
            "&quot;",
        ]);
        prop::collection::vec(words, 0..24).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn a_second_time_changes_nothing(text in pieces(), any in "\\PC{0,80}") {
            for text in [text, any] {
                let once = scope().text(&text);
                let twice = scope().text(once.as_str());
                prop_assert_eq!(once.as_str(), twice.as_str());
            }
        }
    }
}
