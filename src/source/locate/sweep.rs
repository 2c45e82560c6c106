//! One bounded look through the text of a repository's files for many words at once: the likeliest
//! files first, within bytes and time. In a large repository all texts are gone through in one pass,
//! in whatever order is fastest, and those that share the rarest words are read closer after it. What
//! the words mean is `places`'.

use super::role;
use crate::model::{Language, Settings};
use crate::source::locate::{Files, Shown};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::collections::{HashMap, HashSet};
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
/// A word that stands in no more files than this leads to each of them: what stands in more says too
/// little about any of them to become a place.
const RARE: usize = 40;
/// Most files that are looked at closer after a pass.
const CLOSER: usize = 1_000;

/// What searching may still cost, shared by the passes of one question.
#[derive(Debug)]
pub(super) struct Allowance {
    /// Bytes of text that may still be read.
    pub bytes: usize,
    pub deadline: Instant,
    /// What was left out, in a sentence.
    pub cut: Option<String>,
    /// How files were chosen where too many held the words.
    pub narrowed: Option<String>,
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
    let Some(pass) = Pass::of(files, rest, words.len(), &searcher, allowance.deadline) else {
        let rest = rest.iter().copied();
        if !one_by_one(files, rest, &searcher, allowance, tell, &mut searched) {
            cut(allowance, searched, order.len());
        }
        return;
    };
    let worth = pass.worth();
    let hold = pass.hold.len();
    if worth.len() < hold {
        allowance.narrowed = Some(format!(
            "words of the message stand in {hold} files; the {} that share the rarest of them were \
             looked at",
            worth.len()
        ));
    }
    let mut read = 0;
    let chosen = worth.iter().filter_map(|at| rest.get(*at).copied());
    let done = one_by_one(files, chosen, &searcher, allowance, tell, &mut read);
    if pass.shown.reached < pass.shown.files {
        allowance.cut = Some(format!(
            "the search for the message's words ran out of time: {likeliest} likely files and {} of \
             all {} were searched",
            pass.shown.reached, pass.shown.files
        ));
    } else if !done {
        cut(allowance, likeliest + read, likeliest + worth.len());
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

/// Words, a bit each.
type Words = [u64; 3];

/// A file that holds words.
struct Holder {
    /// Its place in the order.
    at: usize,
    words: Words,
    /// Those of the line that has most of them.
    line: Words,
}

/// Which files hold which words, by one pass over all texts.
struct Pass {
    hold: Vec<Holder>,
    /// For each word, how many files hold it.
    counts: Vec<usize>,
    shown: Shown,
}

impl Pass {
    /// `None` where going through all texts is no faster than asking for each.
    fn of(
        files: &dyn Files,
        order: &[&str],
        words: usize,
        searcher: &AhoCorasick,
        deadline: Instant,
    ) -> Option<Pass> {
        let places: HashMap<&str, usize> = order
            .iter()
            .enumerate()
            .map(|(at, one)| (*one, at))
            .collect();
        let mut hold = Vec::new();
        let mut counts = vec![0; words];
        let shown = files.each(deadline, &mut |path, text| {
            let Some(at) = places.get(path).copied() else {
                return;
            };
            if text.len() > FILE_LIMIT {
                return;
            }
            if let Some(holder) = Holder::of(at, text, searcher) {
                for word in held(&holder.words) {
                    if let Some(count) = counts.get_mut(word) {
                        *count += 1;
                    }
                }
                hold.push(holder);
            }
        })?;
        Some(Pass {
            hold,
            counts,
            shown,
        })
    }

    /// The files worth a closer look, likeliest first: those with a rare word, then those where the
    /// words of one line are rare together.
    fn worth(&self) -> Vec<usize> {
        let of = self.shown.files.max(1) as f64;
        let count = |word: usize| self.counts.get(word).copied().unwrap_or_default().max(1);
        let rarity = |words: &Words| -> f64 {
            let all = held(words).map(|word| (of / count(word) as f64).ln());
            all.sum()
        };
        let mut weighed: Vec<(bool, [f64; 2], usize)> = self
            .hold
            .iter()
            .map(|one| {
                let rare = held(&one.words).any(|word| count(word) <= RARE);
                (!rare, [rarity(&one.line), rarity(&one.words)], one.at)
            })
            .collect();
        weighed.sort_by(|a, b| {
            let [by_line, by_file] = [0, 1].map(|nth| b.1[nth].total_cmp(&a.1[nth]));
            a.0.cmp(&b.0)
                .then(by_line)
                .then(by_file)
                .then(a.2.cmp(&b.2))
        });
        weighed.truncate(CLOSER);
        let mut worth: Vec<usize> = weighed.into_iter().map(|(_, _, at)| at).collect();
        worth.sort_unstable();
        worth
    }
}

impl Holder {
    /// `None` where it holds none of the words.
    fn of(at: usize, text: &[u8], searcher: &AhoCorasick) -> Option<Holder> {
        let (mut words, mut line, mut best) =
            (Words::default(), Words::default(), Words::default());
        let count = |words: &Words| words.iter().map(|bits| bits.count_ones()).sum::<u32>();
        let mut from = 0;
        for one in searcher.find_overlapping_iter(text) {
            if !is_whole(text, one.start(), one.end()) {
                continue;
            }
            let between = text.get(from..one.start()).unwrap_or_default();
            if memchr::memchr(b'\n', between).is_some() {
                line = Words::default();
            }
            from = one.end();
            let word = one.pattern().as_usize();
            for bits in [&mut words, &mut line] {
                if let Some(bits) = bits.get_mut(word / 64) {
                    *bits |= 1 << (word % 64);
                }
            }
            if count(&line) > count(&best) {
                best = line;
            }
        }
        (words != Words::default()).then_some(Holder {
            at,
            words,
            line: best,
        })
    }
}

fn held(words: &Words) -> impl Iterator<Item = usize> + '_ {
    let bits = words.iter().enumerate();
    bits.flat_map(|(nth, bits)| {
        let of_one = (0..64).filter(move |bit| bits & (1 << bit) != 0);
        of_one.map(move |bit| nth * 64 + bit)
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::locate::{Place, Places, Question, places};
    use std::borrow::Cow;
    use std::cell::Cell;
    use std::time::Duration;

    /// Many files that hold the words without printing them, and one that does.
    struct Many {
        paths: Vec<String>,
        /// Texts that one pass reaches; `None`: there is no pass.
        reached: Option<usize>,
        read: Cell<usize>,
    }

    const PRINTS: &str =
        "def pay(order):\n    log(\"payment of order %s was declined: %s\", order)\n";
    const HOLDS: &str = "payment = order\n# it was declined\n";

    impl Many {
        fn new(reached: Option<usize>) -> Many {
            let mut paths: Vec<String> = (0..1_500).map(|n| format!("a/f{n}.py")).collect();
            paths.push("z/pay.py".to_owned());
            let read = Cell::new(0);
            Many {
                paths,
                reached,
                read,
            }
        }

        fn ask(&self, line: &str) -> Places {
            let question = Question {
                lines: &[line.to_owned()],
                ..Question::default()
            };
            let until = Instant::now() + Duration::from_secs(60);
            places(&question, self, &Settings::default(), until)
        }
    }

    fn text(path: &str) -> &'static str {
        match path.ends_with("/pay.py") {
            true => PRINTS,
            false => HOLDS,
        }
    }

    impl Files for Many {
        fn paths(&self) -> &[String] {
            &self.paths
        }
        fn text(&self, path: &str) -> Option<Cow<'_, str>> {
            self.read.set(self.read.get() + 1);
            Some(Cow::Borrowed(text(path)))
        }
        fn each(&self, _: Instant, visit: &mut dyn FnMut(&str, &[u8])) -> Option<Shown> {
            let reached = self.reached?;
            for path in self.paths.iter().take(reached) {
                visit(path, text(path).as_bytes());
            }
            let files = self.paths.len();
            Some(Shown { reached, files })
        }
    }

    const LINE: &str = "payment of order A-17 was declined: no funds";

    #[test]
    fn one_pass_finds_what_reading_every_file_finds() {
        let (all, passed) = (Many::new(None), Many::new(Some(1_501)));
        let (slow, fast) = (all.ask(LINE), passed.ask(LINE));
        let best = |found: &Places| -> Option<Place> { found.places.first().cloned() };
        assert_eq!(best(&slow), best(&fast));
        assert_eq!(slow.places, fast.places);
        assert_eq!(best(&fast).map(|one| one.file).as_deref(), Some("z/pay.py"));
        assert_eq!(all.read.get(), 2 * 1_501, "both searches read every file");
        assert!(
            passed.read.get() <= 2 * (LIKELIEST + CLOSER),
            "{}",
            passed.read.get()
        );
        assert_eq!(slow.notes, Vec::<String>::new());
        let note = "words of the message stand in 1401 files; the 1000 that share the rarest of \
                    them were looked at";
        assert_eq!(fast.notes, [note]);
    }

    #[test]
    fn a_pass_that_was_cut_says_how_far_it_came() {
        let found = Many::new(Some(1_200)).ask(LINE);
        assert!(found.places.iter().all(|one| one.file != "z/pay.py"));
        let note = "100 likely files and 1200 of all 1501 were searched";
        assert!(
            found.notes.iter().any(|said| said.contains(note)),
            "{:?}",
            found.notes
        );
    }

    #[test]
    fn likely_files_are_searched_before_a_pass() {
        let mut files = Many::new(Some(0));
        files.paths.insert(0, "0/pay.py".to_owned());
        let found = files.ask(LINE);
        let best = found.places.first().map(|one| one.file.as_str());
        assert_eq!(best, Some("0/pay.py"));
        assert_eq!(files.read.get(), 100);
        assert_eq!(found.notes.len(), 1);
    }
}
