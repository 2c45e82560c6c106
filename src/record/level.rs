//! How severe a record says it is: level fields in the conventions of many loggers, and the
//! level word at the start of a plain text line. A word inside prose is no level.

use crate::model::Level;
use crate::record::clean::head;
use crate::record::decode::Item;
use crate::record::names::{self, Name};
use crate::record::value::Value;

/// Names of level fields, in records and in JSON messages.
pub(super) fn is_level_key(name: &[u8]) -> bool {
    names::of(name) == Name::Level
}

/// [`from_value`] of what stands under a record's key.
pub(super) fn from_item(item: Item<'_>) -> Option<Level> {
    let usual = item.bytes().and_then(Level::from_usual);
    usual.or_else(|| from_value(&Value::from_item(item)))
}

/// The level that a field's value stands for: a word, or pino's, bunyan's and monolog's numbers.
pub(super) fn from_value(value: &Value<'_>) -> Option<Level> {
    match value {
        // Most are words, which no number begins like.
        Value::Text(text) if text.starts_with(|c: char| c.is_ascii_alphabetic()) => from_word(text),
        Value::Text(text) => match text.trim().parse() {
            Ok(number) => from_number(number),
            Err(_) => from_word(text),
        },
        Value::Int(number) => from_number(*number),
        Value::Float(number) => from_number(*number as i64),
        Value::Null | Value::Bool(_) | Value::Unsigned(_) | Value::Nested => None,
    }
}

fn from_number(number: i64) -> Option<Level> {
    match number {
        10..=69 => Level::from_pino(number / 10 * 10),
        100 => Some(Level::Debug),
        200 | 250 => Some(Level::Info),
        300 => Some(Level::Warn),
        400 => Some(Level::Error),
        500 | 550 | 600 => Some(Level::Fatal),
        _ => None,
    }
}

/// A logger's word, with those that only a console prints.
fn from_word(word: &str) -> Option<Level> {
    Level::from_word(word).or_else(|| word.eq_ignore_ascii_case("fail").then_some(Level::Error))
}

/// Bytes of a line in which a level word may stand.
const START: usize = 200;
/// Words of a line's head (time, thread, logger) that are looked at.
const WORDS: usize = 14;
/// Of those, plain words, which may also be the beginning of a sentence.
const PLAIN: u32 = 2;

/// The level that a text line begins with: `2026-03-01 12:00:00,123 ERROR [main] …`, `[error] …`,
/// `ERROR:app:…`, `E0301 12:…`, `time=… level=error …`.
pub(super) fn from_text(line: &str) -> Option<Level> {
    let first = line.lines().next()?;
    let head = head(first, START);
    if let Some(level) = glog(head) {
        return Some(level);
    }
    let mut dated = false;
    let mut plain = 0;
    for (at, word) in head.split_ascii_whitespace().take(WORDS).enumerate() {
        // winston prints `TIME warn: …`, with or without a label between.
        let marks = at == 0 || dated && plain == 0 && word.ends_with(':');
        match classify(word, marks) {
            Word::Level(level) => return Some(level),
            Word::Head => {}
            Word::Date => dated = true,
            Word::Plain => {
                plain += 1;
                // Without a time before it a word begins a sentence.
                if !dated || plain > PLAIN {
                    return None;
                }
            }
        }
    }
    None
}

enum Word {
    Level(Level),
    Date,
    /// Brackets, separators, logger names, key=value pairs.
    Head,
    Plain,
}

fn classify(word: &str, first: bool) -> Word {
    if let Some(level) = key_value(word) {
        return Word::Level(level);
    }
    if let Some(level) = level_word(word, first) {
        return Word::Level(level);
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits * 2 >= word.len() {
        return Word::Date;
    }
    let month = |name: &str| word.starts_with(name) && word.len() <= 4;
    if MONTHS.iter().any(|name| month(name)) {
        return Word::Date;
    }
    let name_like = word.contains([
        '.', '[', ']', '(', ')', '=', ':', '|', '<', '>', '/', '_', '@',
    ]) || !word.contains(|c: char| c.is_ascii_alphanumeric());
    if name_like || word == "UTC" {
        return Word::Head;
    }
    Word::Plain
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `level=error`, `severity=ERROR`, `lvl=eror`.
fn key_value(word: &str) -> Option<Level> {
    let (key, value) = word.split_once('=')?;
    is_level_key(key.as_bytes())
        .then(|| from_word(value))
        .flatten()
}

/// A level word, alone (upper case) or in brackets or before a colon (any case), also with a
/// module beside it: `[core:error]`, `ERROR:app:boom`, `ERROR/MainProcess]`.
fn level_word(word: &str, first: bool) -> Option<Level> {
    let bracketed = word.starts_with(['[', '<', '(']) || word.ends_with(']');
    let inner = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let mut parts = inner.split([':', '/', '|', ']', '[', ',']);
    let head = parts.next()?;
    let delimited = bracketed || word.len() > head.len() && word.starts_with(head);
    if let Some(level) = marked(head, bracketed || first && delimited) {
        return Some(level);
    }
    // `[core:error]`: the level is the bracket's last part.
    let last = parts.next_back().filter(|_| bracketed)?;
    marked(last, true)
}

/// A level word in upper case, or in any case where something marks it as one.
fn marked(word: &str, any_case: bool) -> Option<Level> {
    // One letter says too little, except `[E …]`.
    if word.len() < 3 && !(any_case && word.len() == 1) {
        return None;
    }
    let upper = word.bytes().all(|b| b.is_ascii_uppercase());
    (upper || any_case && word.len() > 1)
        .then(|| from_word(word))
        .flatten()
}

/// `E0301 12:00:00.123456 …` of glog and klog.
fn glog(head: &str) -> Option<Level> {
    let mut chars = head.chars();
    let first = chars.next()?;
    let (day, rest) = chars.as_str().split_at_checked(4)?;
    let clock = rest.strip_prefix(' ')?.trim_start();
    let numeric = day.bytes().all(|b| b.is_ascii_digit());
    let timed =
        clock.as_bytes().get(2) == Some(&b':') && clock.starts_with(|c: char| c.is_ascii_digit());
    if !numeric || !timed {
        return None;
    }
    match first {
        'I' => Some(Level::Info),
        'W' => Some(Level::Warn),
        'E' => Some(Level::Error),
        'F' => Some(Level::Fatal),
        _ => None,
    }
}
