//! A regular expression of a match: checked when it is read, compiled when it is first needed,
//! because most of ten thousand never are. Linear in the length of the text, and limited in size.

use super::parse::Refusal;
use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, HirKind};
use std::sync::OnceLock;

/// Compiled size of one pattern, in bytes; the crate's own limit is ten times that.
const LARGEST: usize = 1 << 20;
/// Memory of one pattern's cache of states, in bytes.
const CACHE: usize = 256 << 10;
const DEEPEST: u32 = 32;
/// Texts of which one must be there, at most.
const MOST_LITERALS: usize = 64;

/// Texts of the kinds that stand in logs. What matches all of them matches nearly everything.
const ORDINARY: [&str; 6] = [
    "x",
    "7",
    "GET /cart 200 12ms",
    "user logged in",
    "[main] WARN pool-2: retry 3 of 5",
    "Überprüfung läuft",
];

/// A pattern that was checked.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// It is no pattern, it is too large, or it matches nearly everything.
    pub fn new(text: &str) -> Result<Pattern, Refusal> {
        let regex = build(text).map_err(|fault| match fault {
            regex::Error::CompiledTooBig(_) => Refusal(
                "regex: too large once repetitions are written out; repeat less, or use contains"
                    .into(),
            ),
            other => Refusal(format!("regex: {}", last_line(&other.to_string()))),
        })?;
        if regex.is_match("") {
            return Err(Refusal(
                "regex: it matches the empty text, so it would match every record; demand a text"
                    .into(),
            ));
        }
        if ORDINARY.iter().all(|line| regex.is_match(line)) {
            return Err(Refusal(
                "regex: it matches nearly every text; demand a word that only the wanted lines have"
                    .into(),
            ));
        }
        Ok(Pattern {
            text: text.to_owned(),
            compiled: OnceLock::new(),
        })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is somewhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| build(&self.text).ok());
        compiled.as_ref().is_some_and(|regex| regex.is_match(text))
    }

    /// Texts of which every match holds one; `None` where none is known.
    pub(super) fn literals(&self) -> Option<Vec<Vec<u8>>> {
        let parsed = ParserBuilder::new().nest_limit(DEEPEST).build();
        let hir = { parsed }.parse(&self.text).ok()?;
        let inner = required(&hir);
        let edges = [ExtractKind::Prefix, ExtractKind::Suffix].map(|kind| edge(&hir, kind));
        let all = edges.into_iter().chain([inner]).flatten();
        all.max_by_key(|texts| (shortest(texts).min(8), usize::MAX - texts.len()))
    }
}

fn build(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text)
        .size_limit(LARGEST)
        .dfa_size_limit(CACHE)
        .nest_limit(DEEPEST)
        .build()
}

/// The crate draws the place with several lines; the last says what is wrong.
fn last_line(text: &str) -> &str {
    let line = text.trim_end().lines().last().unwrap_or(text);
    line.strip_prefix("error: ").unwrap_or(line)
}

fn shortest(texts: &[Vec<u8>]) -> usize {
    texts.iter().map(Vec::len).min().unwrap_or(0)
}

/// Texts with which every match begins or ends.
fn edge(hir: &Hir, kind: ExtractKind) -> Option<Vec<Vec<u8>>> {
    let mut extractor = Extractor::new();
    extractor.kind(kind).limit_total(MOST_LITERALS);
    let found = extractor.extract(hir);
    let texts: Vec<Vec<u8>> = found
        .literals()?
        .iter()
        .map(|literal| literal.as_bytes().to_vec())
        .collect();
    good(texts)
}

fn good(texts: Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    (!texts.is_empty() && shortest(&texts) >= 2 && texts.len() <= MOST_LITERALS).then_some(texts)
}

/// Texts that stand inside a pattern and cannot be left out.
fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(text) => good(vec![text.0.to_vec()]),
        HirKind::Capture(inner) => required(&inner.sub),
        HirKind::Repetition(inner) if inner.min >= 1 => required(&inner.sub),
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(required)
            .max_by_key(|texts| shortest(texts)),
        HirKind::Alternation(parts) => {
            let all: Option<Vec<_>> = parts.iter().map(required).collect();
            good(all?.concat())
        }
        HirKind::Repetition(_) | HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(text: &str) -> Option<Vec<String>> {
        let texts = Pattern::new(text).unwrap().literals()?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Some(texts.into_iter().map(text).collect())
    }

    fn one(text: &str) -> Option<Vec<String>> {
        Some(vec![text.to_owned()])
    }

    #[test]
    fn texts_that_a_match_must_hold() {
        assert_eq!(literals("^conn.*refused$"), one("refused"));
        assert_eq!(literals(r"\d+ timeouts? in \d+"), one(" timeout"));
        assert_eq!(literals(r"(?:(disk) \d)+"), one("disk "));
        assert_eq!(literals(r"x?y?z\d"), None);
        assert_eq!(literals("[0-9]{3}"), None);
        let mut either = literals("OOM|out of memory").unwrap();
        either.sort();
        assert_eq!(either, ["OOM", "out of memory"]);
        let any_case = literals("(?i)oom").unwrap();
        assert_eq!(any_case.len(), 8);
    }

    #[test]
    fn what_matches_nearly_everything_is_refused() {
        for text in ["a*", ".", ".+", r"\w", r"\S+", "(?s).", "x|7|[a-z]|[^a]"] {
            assert!(Pattern::new(text).is_err(), "{text}");
        }
        for text in [r"\d{3}", "[A-Z]{4}", "error", r"^\s"] {
            assert!(Pattern::new(text).is_ok(), "{text}");
        }
        let why = Pattern::new("((a{100}){100}){100}").unwrap_err().0;
        assert!(why.contains("too large"), "{why}");
    }
}
