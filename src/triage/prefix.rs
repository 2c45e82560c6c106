//! Where a record's own message may begin in a line: behind the time, level, host and program
//! that loggers print before it. Not here: what the message says.

use crate::model::Level;

/// Words of prefix that are skipped at most.
const PREFIX_WORDS: usize = 12;

/// Where the record's own message may begin: at 0, and behind each run of words that only a
/// logger prints before a message.
pub(super) fn starts(text: &str) -> Vec<usize> {
    let lead = text.len() - text.trim_start().len();
    let mut starts = vec![lead];
    let mut at = lead;
    let mut dated = false;
    let mut host = false;
    for _ in 0..PREFIX_WORDS {
        let rest = text.get(at..).unwrap_or_default();
        let Some(word) = prefix_word(rest) else { break };
        match shape(word) {
            Shape::Time => dated = true,
            Shape::Mark => {}
            // A bare word is syslog's host, or the compose service before a bar: only behind a
            // time or before a bar, and only once.
            Shape::Bare if !host && (dated || followed_by_bar(rest, word)) => host = true,
            Shape::Program if dated || known_program(word) => {}
            Shape::Bare | Shape::Program | Shape::Other => break,
        }
        at += word.len();
        at += rest.get(word.len()..).map_or(0, leading_space);
        starts.push(at);
    }
    starts
}

fn leading_space(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// The next word; a bracketed group counts as one.
fn prefix_word(rest: &str) -> Option<&str> {
    let close = match rest.as_bytes().first()? {
        b'[' => Some(']'),
        b'(' => Some(')'),
        b'<' => Some('>'),
        _ => None,
    };
    let end = match close {
        Some(close) => {
            let end = rest.find(close).filter(|end| *end < 80)? + 1;
            let tail = rest.get(end..)?;
            end + usize::from(tail.starts_with(':'))
        }
        None => rest.find(char::is_whitespace).unwrap_or(rest.len()),
    };
    rest.get(..end)
}

fn followed_by_bar(rest: &str, word: &str) -> bool {
    rest.get(word.len()..)
        .is_some_and(|tail| tail.trim_start().starts_with("| "))
}

enum Shape {
    /// A date, a time, a month or a day.
    Time,
    /// A bracketed group, a level, a bar, a dash, an output's name, a process number.
    Mark,
    /// A plain word without any sign.
    Bare,
    /// `name:` or `name[123]:`.
    Program,
    Other,
}

fn shape(word: &str) -> Shape {
    let bare = word.trim_end_matches([':', ',']);
    if word.starts_with(['[', '(', '<']) || matches!(word, "|" | "-" | "--" | "::" | "F" | "P") {
        return Shape::Mark;
    }
    if matches!(bare, "stdout" | "stderr") || Level::from_word(bare).is_some() {
        return Shape::Mark;
    }
    if is_time(bare) {
        return Shape::Time;
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-/@".contains(&b);
    if let Some(name) = word.strip_suffix(':') {
        let name = name
            .strip_suffix(']')
            .and_then(|name| name.split_once('['))
            .map_or(name, |(name, _)| name);
        if !name.is_empty() && name.bytes().all(plain) {
            return Shape::Program;
        }
        return Shape::Other;
    }
    if !word.is_empty() && word.bytes().all(plain) {
        return Shape::Bare;
    }
    Shape::Other
}

fn is_time(word: &str) -> bool {
    const NAMES: &[&str] = &[
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mon",
        "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "UTC", "GMT",
    ];
    let digits = word.bytes().any(|b| b.is_ascii_digit());
    let clock = |b: u8| b.is_ascii_digit() || b"-:/.,TZ+".contains(&b);
    NAMES.contains(&word) || (digits && word.bytes().all(clock))
}

/// Programs that print without a time before their name.
fn known_program(word: &str) -> bool {
    let name = word.split(['[', ':']).next().unwrap_or_default();
    matches!(
        name,
        "kernel" | "systemd" | "supervisord" | "runner" | "npm" | "error" | "dockerd" | "kubelet"
    )
}
