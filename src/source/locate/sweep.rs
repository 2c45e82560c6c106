//! One bounded look through the text of a repository's files for many words at once: the likeliest
//! files first, within bytes and time. In a large repository all texts are gone through in one pass,
//! in whatever order is fastest, and what holds a word is told of in the order of likeliness after
//! it. What the words mean is `places`'.

use super::role;
use crate::model::{Language, Settings};
use crate::source::locate::{Files, Shown};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Instant;

/// Longest file that is searched, in bytes: longer ones are generated or data.
const FILE_LIMIT: usize = 512 << 10;
/// Longest line that is looked at, in bytes: a statement is shorter, what was packed is not.
const LINE_LIMIT: usize = 4 << 10;
/// Most words of one file, and most lines with any, that are looked at.
const WORDS_LIMIT: usize = 4_000;
const LINES_LIMIT: usize = 400;

/// In a repository of more files all texts are gone through in one pass.
const FEW: usize = 1_000;
/// So many likely ones are searched before that: the pass may be cut, and these must not be missed.
const LIKELIEST: usize = 100;
/// Most bytes of text that a pass holds; beyond them the likelier files stay, and the others are
/// read again.
const HELD: usize = 32 << 20;

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
        .kind(Some(AhoCorasickKind::DFA))
        .build(words);
    let Ok(searcher) = built.map_err(|_| ()) else {
        allowance.cut = Some("the message's words could not be searched for".to_owned());
        return;
    };
    if words.is_empty() {
        return;
    }
    let likeliest = match order.len() > FEW {
        true => LIKELIEST,
        false => order.len(),
    };
    let (first, rest) = order.split_at(likeliest);
    let mut searched = 0;
    let done = one_by_one(
        files,
        first.iter().copied(),
        &searcher,
        allowance,
        tell,
        &mut searched,
    );
    if !done {
        return cut(allowance, searched, order.len());
    }
    if rest.is_empty() {
        return;
    }
    let Some(found) = pass(files, rest, &searcher, allowance.deadline) else {
        let rest = rest.iter().copied();
        if !one_by_one(files, rest, &searcher, allowance, tell, &mut searched) {
            cut(allowance, searched, order.len());
        }
        return;
    };
    for (at, text) in &found.held {
        if let Some(file) = rest.get(*at) {
            in_file(file, text, &searcher, tell);
        }
    }
    let others = found.others.iter().filter_map(|at| rest.get(*at).copied());
    let mut read = 0;
    let done = one_by_one(files, others, &searcher, allowance, tell, &mut read);
    if found.shown.reached < found.shown.files {
        allowance.cut = Some(format!(
            "the search for the message's words ran out of time: {likeliest} likely files and {} of \
             all {} were searched",
            found.shown.reached, found.shown.files
        ));
    } else if !done {
        cut(
            allowance,
            order.len() - (found.others.len() - read),
            order.len(),
        );
    }
}

fn cut(allowance: &mut Allowance, searched: usize, of: usize) {
    let what = match allowance.bytes {
        0 => "bytes",
        _ => "time",
    };
    allowance.cut = Some(format!(
        "the search for the message's words ran out of {what}: {searched} of {of} files were \
         searched, likely ones first"
    ));
}

/// Reads and searches files in this order; `false` where the allowance ended first.
fn one_by_one<'f>(
    files: &dyn Files,
    order: impl Iterator<Item = &'f str>,
    searcher: &AhoCorasick,
    allowance: &mut Allowance,
    tell: &mut dyn FnMut(&Hit<'_>),
    searched: &mut usize,
) -> bool {
    for file in order {
        if Instant::now() >= allowance.deadline || allowance.bytes == 0 {
            return false;
        }
        *searched += 1;
        let Some(text) = files.passing(file) else {
            continue;
        };
        allowance.bytes = allowance.bytes.saturating_sub(text.len());
        if text.len() <= FILE_LIMIT {
            in_file(file, &text, searcher, tell);
        }
    }
    true
}

/// What one pass over all texts found.
struct Found {
    /// Texts that hold a word, by their file's place in the order.
    held: BTreeMap<usize, String>,
    /// Files that hold one too; there was no room for their texts.
    others: BTreeSet<usize>,
    shown: Shown,
}

/// Goes through all texts once; `None` where that is no faster than asking for each.
fn pass(
    files: &dyn Files,
    order: &[&str],
    searcher: &AhoCorasick,
    deadline: Instant,
) -> Option<Found> {
    let places: HashMap<&str, usize> = order
        .iter()
        .enumerate()
        .map(|(at, one)| (*one, at))
        .collect();
    let mut held: BTreeMap<usize, String> = BTreeMap::new();
    let mut others = BTreeSet::new();
    let mut bytes = 0;
    let shown = files.each(deadline, &mut |path, text| {
        let Some(at) = places.get(path).copied() else {
            return;
        };
        if text.len() > FILE_LIMIT || !holds_any(text, searcher) {
            return;
        }
        bytes += text.len();
        held.insert(at, String::from_utf8_lossy(text).into_owned());
        while bytes > HELD
            && let Some((last, text)) = held.pop_last()
        {
            bytes = bytes.saturating_sub(text.len());
            others.insert(last);
        }
    })?;
    Some(Found {
        held,
        others,
        shown,
    })
}

fn holds_any(text: &[u8], searcher: &AhoCorasick) -> bool {
    searcher
        .find_overlapping_iter(text)
        .any(|one| is_whole(text, one.start(), one.end()))
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
