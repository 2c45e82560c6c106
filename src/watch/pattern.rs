//! A regular expression of a match: checked when it is read, compiled when it is needed, because
//! most of ten thousand never are. Linear in the length of the text, and limited in size; of all
//! patterns together only so many stay compiled.

use super::parse::Refusal;
use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, HirKind};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Compiled size of one pattern, in bytes. A class of Unicode words takes 20 KB.
const LARGEST: usize = 256 << 10;
/// Compiled size of an ordinary pattern, in bytes.
const ORDINARY_SIZE: usize = 32 << 10;
/// Memory of one pattern's cache of states, in bytes.
const CACHE: usize = 32 << 10;
/// Memory of all patterns that are compiled at once, in bytes.
const COMPILED: usize = 6 << 20;
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
    text: Arc<str>,
    /// Bytes that it takes when it is compiled, at most.
    size: usize,
}

/// What a thread has compiled; those that were not used for longest give way.
#[derive(Default)]
struct Pool {
    compiled: HashMap<Arc<str>, Compiled>,
    bytes: usize,
    clock: u64,
}

struct Compiled {
    regex: Option<Regex>,
    bytes: usize,
    used: u64,
}

thread_local! {
    /// Matching is one thread's work: the fast lane's of an instance.
    static POOL: RefCell<Pool> = RefCell::default();
}

impl Pool {
    fn is_match(&mut self, pattern: &Pattern, text: &str) -> bool {
        self.clock += 1;
        if !self.compiled.contains_key(&pattern.text) {
            self.compile(pattern);
        }
        let Some(compiled) = self.compiled.get_mut(&pattern.text) else {
            return false;
        };
        compiled.used = self.clock;
        let regex = compiled.regex.as_ref();
        regex.is_some_and(|regex| regex.is_match(text))
    }

    fn compile(&mut self, pattern: &Pattern) {
        while self.bytes + pattern.size > COMPILED && !self.compiled.is_empty() {
            let mut ages: Vec<u64> = self.compiled.values().map(|one| one.used).collect();
            let eighth = ages.len() / 8;
            let (_, age, _) = ages.select_nth_unstable(eighth);
            let age = *age;
            self.compiled.retain(|_, one| one.used > age);
            self.bytes = self.compiled.values().map(|one| one.bytes).sum();
        }
        let compiled = Compiled {
            regex: build(&pattern.text, LARGEST).ok(),
            bytes: pattern.size,
            used: self.clock,
        };
        self.bytes += pattern.size;
        self.compiled.insert(Arc::clone(&pattern.text), compiled);
    }
}

impl Pattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// It is no pattern, it is too large, or it matches nearly everything.
    pub fn new(text: &str) -> Result<Pattern, Refusal> {
        let small = build(text, ORDINARY_SIZE);
        let size = CACHE
            + if small.is_ok() {
                ORDINARY_SIZE
            } else {
                LARGEST
            };
        let regex =
            small.or_else(|_| build(text, LARGEST)).map_err(|fault| {
                match fault {
            regex::Error::CompiledTooBig(_) => Refusal(
                "regex: too large once repetitions are written out; repeat less, or use contains"
                    .into(),
            ),
            other => Refusal(format!("regex: {}", last_line(&other.to_string()))),
        }
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
            text: text.into(),
            size,
        })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is somewhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        POOL.with_borrow_mut(|pool| pool.is_match(self, text))
    }

    /// Whether it matches at most one of the ordinary texts, and not the empty one.
    pub(super) fn is_rare(&self) -> bool {
        let met = ORDINARY.iter().filter(|line| self.is_match(line)).count();
        met <= 1 && !self.is_match("")
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

fn build(text: &str, size: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text)
        .size_limit(size)
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

    #[test]
    fn of_many_patterns_only_some_stay_compiled() {
        let patterns: Vec<_> = (0..1_000)
            .map(|number| Pattern::new(&format!("took {number} m?s$")).unwrap())
            .collect();
        for (number, pattern) in patterns.iter().enumerate().rev() {
            assert!(pattern.is_match(&format!("it took {number} ms")));
            assert!(!pattern.is_match("it took forever"));
        }
        let (bytes, compiled) = POOL.with_borrow(|pool| (pool.bytes, pool.compiled.len()));
        assert!(
            bytes <= COMPILED && (1..1_000).contains(&compiled),
            "{bytes} {compiled}"
        );
        assert!(patterns[999].is_match("took 999 s"), "compiled again");
    }
}
