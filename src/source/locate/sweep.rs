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
/// Most lines of one file that are looked at.
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
    if searcher.find(text).is_none() {
        return;
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut told = 0;
    let mut words: Vec<usize> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        words.clear();
        for found in searcher.find_overlapping_iter(line).take(64) {
            let word = found.pattern().as_usize();
            if !words.contains(&word) {
                words.push(word);
            }
        }
        if words.is_empty() {
            continue;
        }
        tell(&Hit {
            file,
            line: u32::try_from(number + 1).unwrap_or(u32::MAX),
            text: line,
            lines: &lines,
            words: &words,
        });
        told += 1;
        if told == LINES_LIMIT {
            return;
        }
    }
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
