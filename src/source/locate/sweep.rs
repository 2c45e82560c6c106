//! One bounded pass over the text of a repository's files for many words at once: the likeliest
//! files first, within bytes and time. What the words mean is `places`'.

use super::role;
use crate::model::{Language, Settings};
use crate::source::locate::Files;
use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::HashSet;
use std::time::Instant;

/// Longest file that is searched, in bytes: longer ones are generated or data.
const FILE_LIMIT: usize = 512 << 10;
/// Longest line that is looked at, in bytes: a statement is shorter, what was packed is not.
const LINE_LIMIT: usize = 4 << 10;
/// Most words of one file, and most lines with any, that are looked at.
const WORDS_LIMIT: usize = 4_000;
const LINES_LIMIT: usize = 400;

/// What searching may still cost, shared by the passes of one question.
#[derive(Debug)]
pub(super) struct Allowance {
    /// Bytes of text that may still be read.
    pub bytes: usize,
    pub deadline: Instant,
    /// What was left out, in a sentence.
    pub cut: Option<String>,
}

/// A line of a file with the words that stand in it.
pub(super) struct Hit<'t> {
    pub file: &'t str,
    /// From 1.
    pub line: u32,
    pub text: &'t str,
    /// All lines of the file.
    pub lines: &'t [&'t str],
    /// Indices of the words.
    pub words: &'t [usize],
}

/// Looks for the words in the files, in this order, and tells of each line that has some.
pub(super) fn sweep(
    files: &dyn Files,
    order: &[&str],
    words: &[String],
    allowance: &mut Allowance,
    tell: &mut dyn FnMut(&Hit<'_>),
) {
    let built = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .build(words);
    let Ok(searcher) = built.map_err(|_| ()) else {
        allowance.cut = Some("the message's words could not be searched for".to_owned());
        return;
    };
    if words.is_empty() {
        return;
    }
    let known = holding(files, words);
    for (at, file) in order.iter().enumerate() {
        if known.as_ref().is_some_and(|known| !known.contains(*file)) {
            continue;
        }
        let late = Instant::now() >= allowance.deadline;
        if late || allowance.bytes == 0 {
            let what = if late { "time" } else { "bytes" };
            allowance.cut = Some(format!(
                "the search for the message's words ran out of {what}: {at} of {} files were \
                 searched, likely ones first",
                order.len()
            ));
            return;
        }
        let Some(text) = files.passing(file) else {
            continue;
        };
        allowance.bytes = allowance.bytes.saturating_sub(text.len());
        if text.len() <= FILE_LIMIT {
            in_file(file, &text, &searcher, tell);
        }
    }
}

/// The files that an index names for any of the words; `None` where there is no index.
fn holding(files: &dyn Files, words: &[String]) -> Option<HashSet<String>> {
    let mut all = HashSet::new();
    for word in words {
        all.extend(files.holding(word)?);
    }
    Some(all)
}

fn in_file(file: &str, text: &str, searcher: &AhoCorasick, tell: &mut dyn FnMut(&Hit<'_>)) {
    let bytes = text.as_bytes();
    let mut found: Vec<(usize, usize)> = searcher
        .find_overlapping_iter(bytes)
        .filter(|one| is_whole(bytes, one.start(), one.end()))
        .take(WORDS_LIMIT)
        .map(|one| (one.start(), one.pattern().as_usize()))
        .collect();
    if found.is_empty() {
        return;
    }
    found.sort_unstable();
    let lines: Vec<&str> = text.lines().collect();
    let mut rest = found.as_slice();
    let (mut number, mut counted, mut told) = (0, 0, 0);
    while let Some((first, _)) = rest.first()
        && told < LINES_LIMIT
    {
        number +=
            memchr::memchr_iter(b'\n', bytes.get(counted..*first).unwrap_or_default()).count();
        counted = *first;
        let end = memchr::memchr(b'\n', bytes.get(*first..).unwrap_or_default())
            .map_or(bytes.len(), |length| first + length);
        let on_line = rest.partition_point(|(at, _)| *at < end);
        let mut words: Vec<usize> = rest.iter().take(on_line).map(|(_, word)| *word).collect();
        rest = rest.get(on_line..).unwrap_or_default();
        words.sort_unstable();
        words.dedup();
        let Some(line) = lines.get(number).filter(|line| line.len() <= LINE_LIMIT) else {
            continue;
        };
        tell(&Hit {
            file,
            line: u32::try_from(number + 1).unwrap_or(u32::MAX),
            text: line,
            lines: &lines,
            words: &words,
        });
        told += 1;
    }
}

/// Whether no letter, digit or `_` stands beside a word.
fn is_whole(bytes: &[u8], start: usize, end: usize) -> bool {
    let part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    !part(before) && !part(bytes.get(end))
}

/// The files worth searching, likeliest first: of the trace's language, in the service's folder,
/// near the files that frames lie in, and no tests.
pub(super) fn order<'f>(
    files: &'f dyn Files,
    language: Option<Language>,
    settings: &Settings,
    near: &HashSet<&str>,
) -> Vec<&'f str> {
    let root = settings.root.trim_matches('/');
    let mut keyed: Vec<(u32, &str)> = files
        .paths()
        .iter()
        .map(String::as_str)
        .filter(|path| !role::is_copied(path))
        .filter_map(|path| {
            let kind = role::source(path)?;
            let mut key = 0;
            let named = near.contains(path);
            key += u32::from(!named) * 2;
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            key += u32::from(!named && !near_folder(near, folder)) * 2;
            key += u32::from(language.is_some_and(|language| kind != Some(language))) * 8;
            let inside = root.is_empty()
                || path
                    .strip_prefix(root)
                    .is_some_and(|rest| rest.starts_with('/'));
            key += u32::from(!inside) * 16;
            key += u32::from(role::is_test(path)) * 32;
            Some((key, path))
        })
        .collect();
    keyed.sort();
    keyed.into_iter().map(|(_, path)| path).collect()
}

fn near_folder(near: &HashSet<&str>, folder: &str) -> bool {
    near.iter()
        .take(50)
        .any(|file| file.rsplit_once('/').map_or("", |(f, _)| f) == folder)
}
