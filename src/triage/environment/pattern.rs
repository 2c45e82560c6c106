//! Patterns of which each is made when the first text asks for it, and for texts in ASCII without
//! the tables of all other letters: making those took a fast lane longer than a hundred thousand
//! lines. A text in ASCII cannot tell the two apart. Not here: what a pattern is for.

use regex::{Captures, Regex, bytes};
use std::sync::OnceLock;

/// One pattern, in its two forms.
#[derive(Debug)]
pub(super) struct Pattern {
    text: &'static str,
    ascii: OnceLock<Option<bytes::Regex>>,
    any: OnceLock<Option<Regex>>,
}

/// Where a pattern stands in a text.
pub(super) enum Found<'t> {
    Ascii(&'t str, bytes::Captures<'t>),
    Any(Captures<'t>),
}

impl Pattern {
    pub const fn new(text: &'static str) -> Pattern {
        Pattern {
            text,
            ascii: OnceLock::new(),
            any: OnceLock::new(),
        }
    }

    /// Every place where it stands, in order.
    pub fn all<'t>(&self, text: &'t str) -> impl Iterator<Item = Found<'t>> {
        let is_ascii = text.is_ascii();
        let ascii = is_ascii.then(|| self.ascii()).flatten();
        let any = (!is_ascii).then(|| self.any()).flatten();
        let ascii = ascii
            .into_iter()
            .flat_map(|pattern| pattern.captures_iter(text.as_bytes()))
            .map(|found| Found::Ascii(text, found));
        let any = any.into_iter().flat_map(|pattern| {
            let found = pattern.captures_iter(text);
            found.map(Found::Any)
        });
        ascii.chain(any)
    }

    /// Whether both forms can be made.
    #[cfg(test)]
    pub fn compiles(&self) -> bool {
        self.ascii().is_some() && self.any().is_some()
    }

    fn ascii(&self) -> Option<&bytes::Regex> {
        let make = || {
            let mut builder = bytes::RegexBuilder::new(self.text);
            builder.unicode(false).build().ok()
        };
        self.ascii.get_or_init(make).as_ref()
    }

    fn any(&self) -> Option<&Regex> {
        self.any.get_or_init(|| Regex::new(self.text).ok()).as_ref()
    }
}

impl<'t> Found<'t> {
    /// What a group of that name holds.
    pub fn name(&self, name: &str) -> Option<&'t str> {
        match self {
            Found::Ascii(text, found) => text.get(found.name(name)?.range()),
            Found::Any(found) => Some(found.name(name)?.as_str()),
        }
    }

    /// Where it begins.
    pub fn start(&self) -> usize {
        match self {
            Found::Ascii(_, found) => found.get(0).map_or(0, |whole| whole.start()),
            Found::Any(found) => found.get(0).map_or(0, |whole| whole.start()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::neighbour::PATTERNS;
    use super::*;

    const TEXTS: &[&str] = &[
        "dial tcp 10.0.0.7:5432: connect: connection refused",
        "HTTPConnectionPool(host='pay.example', port=443): Max retries exceeded",
        "lookup db.internal on 10.0.0.2:53: no such host",
        "could not resolve host: pay.example; open '/var/lib/app/x.db': read-only",
        "upstream: \"http://web_1:80/\" \t (Service: DynamoDB v2;\x0bport 80\x0c",
        "HikariPool-1 - Connection is not available, perform: s3:GetObject",
        "(10.0.0.1) [::1]:80 redis://u:p@cache:6379/0 server at \"db\" (1.2.3.4), port 5432",
    ];

    #[test]
    fn texts_in_ascii_cannot_tell_the_two_forms_apart() {
        let mut told = 0;
        for pattern in PATTERNS.iter().copied().flatten() {
            let (ascii, any) = (pattern.ascii().unwrap(), pattern.any().unwrap());
            let names: Vec<&str> = any.capture_names().flatten().collect();
            for text in TEXTS {
                let ascii = ascii
                    .captures_iter(text.as_bytes())
                    .map(|found| Found::Ascii(text, found));
                let any = any.captures_iter(text).map(Found::Any);
                let tell = |found: Found<'_>| {
                    let groups: Vec<_> = names.iter().map(|name| found.name(name)).collect();
                    (found.start(), format!("{groups:?}"))
                };
                let (ascii, any): (Vec<_>, Vec<_>) =
                    (ascii.map(tell).collect(), any.map(tell).collect());
                assert_eq!(ascii, any, "{} in {text}", pattern.text);
                told += ascii.len();
            }
        }
        assert!(told > 20, "{told}");
    }

    #[test]
    fn other_texts_are_read_with_all_letters() {
        let pattern = Pattern::new(r"(?P<name>\w+):");
        let names = |text| -> Vec<_> {
            let found = pattern.all(text);
            found
                .map(|found| (found.start(), found.name("name")))
                .collect()
        };
        assert_eq!(names("an ab: cd:"), [(3, Some("ab")), (7, Some("cd"))]);
        assert_eq!(names("an üb: cd:"), [(3, Some("üb")), (8, Some("cd"))]);
    }
}
