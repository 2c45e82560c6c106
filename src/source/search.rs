//! A regular expression over all texts of a commit, in time linear in their length. Bounded in
//! hits, and says how much it looked at. Not here: where the texts come from (`texts`).

use crate::source::error::Error;
use crate::source::glob;
use crate::source::repo::Repo;
use crate::source::texts::{Looked, Text, Texts};
use regex::bytes::{Regex, RegexBuilder};
use std::ops::ControlFlow;
use std::time::Instant;

/// Longest pattern, in bytes.
const PATTERN: usize = 1_000;
/// Bytes that a compiled pattern may take.
const SIZE: usize = 1 << 20;
/// Hits of one file that are shown.
const OF_A_FILE: usize = 20;
/// Hits that are counted before the search ends.
const COUNTED: usize = 10_000;
/// Bytes of a line that are shown, from shortly before the hit.
const WIDTH: usize = 300;
const BEFORE_HIT: usize = 100;

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Asked {
    regex: Regex,
    /// Only files whose path fits.
    paths: Option<String>,
    /// Hits that are shown.
    most: usize,
}

impl Asked {
    /// # Errors
    /// A sentence with its remedy, where the pattern is none or too large.
    pub fn new(
        pattern: &str,
        ignore_case: bool,
        paths: Option<String>,
        most: usize,
    ) -> Result<Asked, String> {
        if pattern.is_empty() {
            return Err("the pattern is empty; say what to search for".to_owned());
        }
        if pattern.len() > PATTERN {
            return Err(format!(
                "the pattern is longer than {PATTERN} bytes; search for a part of it"
            ));
        }
        let regex = RegexBuilder::new(pattern)
            .case_insensitive(ignore_case)
            .multi_line(true)
            .size_limit(SIZE)
            .dfa_size_limit(SIZE)
            .build()
            .map_err(|e| {
                let e = e.to_string();
                let last = e.lines().last().unwrap_or_default().trim();
                format!(
                    "the pattern is no regular expression of Rust's regex crate ({last}); \
                     escape ( ) [ ] {{ }} . * + ? | with a backslash, and use no look-around or \
                     back-references"
                )
            })?;
        if regex.is_match(b"") {
            return Err("the pattern fits the empty text, so every line; ask for more".to_owned());
        }
        Ok(Asked { regex, paths, most })
    }
}

/// A line with a hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// From 1.
    pub line: u32,
    pub text: String,
    /// Whether the line is longer than what is shown.
    pub cut: bool,
}

/// The hits in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundIn {
    pub path: String,
    pub generated: bool,
    pub hits: Vec<Hit>,
    /// Lines with hits beyond those.
    pub more: usize,
}

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    pub files: Vec<FoundIn>,
    /// Lines with hits that are not shown, in these files and others.
    pub more: usize,
    /// Files whose paths did not fit the pattern for paths.
    pub passed_over: usize,
    pub looked: Looked,
}

/// Searches the texts.
///
/// # Errors
/// Of a damaged repository.
pub fn search(
    texts: &mut Texts,
    repo: &Repo,
    asked: &Asked,
    deadline: Instant,
) -> Result<Hits, Error> {
    let mut hits = Hits::default();
    let mut shown = 0;
    hits.looked = texts.each(repo, deadline, &mut |text| {
        if asked
            .paths
            .as_deref()
            .is_some_and(|p| !glob::covers(p, text.path))
        {
            hits.passed_over += 1;
            return ControlFlow::Continue(());
        }
        let mut found = FoundIn {
            path: text.path.to_owned(),
            generated: text.generated,
            hits: Vec::new(),
            more: 0,
        };
        in_text(asked, &text, shown, &mut found);
        shown += found.hits.len();
        hits.more += found.more;
        if !found.hits.is_empty() {
            hits.files.push(found);
        }
        match hits.more > COUNTED {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    Ok(hits)
}

fn in_text(asked: &Asked, text: &Text<'_>, shown: usize, found: &mut FoundIn) {
    let mut line = 1;
    let mut counted = 0;
    let mut from = 0;
    while let Some(hit) = asked.regex.find_at(text.bytes, from) {
        let start = memchr::memrchr(b'\n', &text.bytes[..hit.start()]).map_or(0, |at| at + 1);
        let end = memchr::memchr(b'\n', &text.bytes[hit.start()..])
            .map_or(text.bytes.len(), |at| hit.start() + at);
        line += memchr::memchr_iter(b'\n', &text.bytes[counted..start]).count();
        counted = start;
        if found.hits.len() < OF_A_FILE && shown + found.hits.len() < asked.most {
            found
                .hits
                .push(shorten(text.bytes, start, end, hit.start(), line));
        } else {
            found.more += 1;
        }
        // One hit for a line; what goes over several ends where it ends.
        from = end.max(hit.end()) + 1;
        if from >= text.bytes.len() || found.more > COUNTED {
            return;
        }
    }
}

fn shorten(bytes: &[u8], start: usize, end: usize, hit: usize, line: usize) -> Hit {
    let whole = &bytes[start..end];
    let cut = whole.len() > WIDTH;
    let from = match cut {
        true => (hit - start)
            .saturating_sub(BEFORE_HIT)
            .min(whole.len() - WIDTH),
        false => 0,
    };
    let piece = whole.get(from..).unwrap_or_default();
    let piece = piece.get(..WIDTH).unwrap_or(piece);
    Hit {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        text: String::from_utf8_lossy(piece)
            .trim_end_matches('\r')
            .to_owned(),
        cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str, most: usize) -> FoundIn {
        let asked = Asked::new(pattern, false, None, most).unwrap();
        let mut found = FoundIn {
            path: "a".to_owned(),
            generated: false,
            hits: Vec::new(),
            more: 0,
        };
        let text = Text {
            path: "a",
            bytes: text.as_bytes(),
            generated: false,
        };
        in_text(&asked, &text, 0, &mut found);
        found
    }

    #[test]
    fn a_line_is_a_hit_once_and_has_its_number() {
        let found = found("to.al", "a\ntotal = total\r\n\n  total", 10);
        let shown: Vec<_> = found
            .hits
            .iter()
            .map(|h| (h.line, h.text.as_str()))
            .collect();
        assert_eq!(shown, [(2, "total = total"), (4, "  total")]);
        assert_eq!(found.more, 0);
    }

    #[test]
    fn hits_and_lines_are_bounded_and_counted() {
        let many = found("x", &"x\n".repeat(100), 50);
        assert_eq!((many.hits.len(), many.more), (OF_A_FILE, 80));
        let wide = format!("{}needle{}", "é".repeat(400), "é".repeat(400));
        let found = found("needle", &wide, 10);
        let hit = &found.hits[0];
        assert!(hit.cut && hit.text.contains("needle") && hit.text.len() <= WIDTH + 6);
    }

    #[test]
    fn what_is_no_pattern_says_what_to_do() {
        for pattern in ["", "(", "a*", "(?=x)", "(\\w{500}){500}"] {
            let why = Asked::new(pattern, false, None, 1).unwrap_err();
            assert!(why.contains(';'), "{why}");
        }
    }

    /// A pattern that is slow for engines that try every way.
    #[test]
    fn no_pattern_is_slow() {
        let found = found("(a+)+$x", &"a".repeat(50_000), 10);
        assert!(found.hits.is_empty());
    }
}
