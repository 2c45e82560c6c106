//! Looks for a few keys in JSON text without building a tree: borrowed, bounded, forgiving.
//! Not a validator (what no query touches is only skipped) and not a writer.

use crate::record::decode::MAX_DEPTH;
use crate::record::value::Value;
use std::borrow::Cow;

/// One JSON value inside a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Json<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// Only numbers above `i64::MAX`.
    Unsigned(u64),
    Float(f64),
    /// Between the quotes, escapes not yet resolved.
    Str(&'a str),
    Array(Elements<'a>),
    Object(Members<'a>),
}

impl<'a> Json<'a> {
    pub fn value(self) -> Value<'a> {
        match self {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(value),
            Json::Int(value) => Value::Int(value),
            Json::Unsigned(value) => Value::Unsigned(value),
            Json::Float(value) => Value::Float(value),
            Json::Str(raw) => Value::Text(unescape(raw)),
            Json::Array(_) | Json::Object(_) => Value::Nested,
        }
    }

    /// The text of a string, escapes resolved.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Json::Str(raw) => Some(unescape(raw)),
            _ => None,
        }
    }

    pub fn object(self) -> Option<Members<'a>> {
        match self {
            Json::Object(members) => Some(members),
            _ => None,
        }
    }
}

/// The members of an object, keys as written. Ends early where the text is no JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Members<'a> {
    /// After `{`, up to and with `}`.
    rest: &'a str,
}

impl<'a> Members<'a> {
    /// The object that `text` holds: it must begin and end with braces and be well formed as far
    /// as quotes and brackets go.
    pub fn whole(text: &'a str) -> Option<Members<'a>> {
        let text = text.trim_ascii();
        if !text.starts_with('{') || !text.ends_with('}') {
            return None;
        }
        parse(text)?.object()
    }

    /// The first member under `key`.
    pub fn get(self, key: &str) -> Option<Json<'a>> {
        self.into_iter()
            .find_map(|(name, value)| (name == key).then_some(value))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = separator(self.rest);
        let Some((Json::Str(key), rest)) = read(rest) else {
            self.rest = "";
            return None;
        };
        let value = rest.trim_ascii_start().strip_prefix(':').and_then(read);
        let Some((value, rest)) = value else {
            self.rest = "";
            return None;
        };
        self.rest = rest;
        Some((key, value))
    }
}

/// The elements of an array in order. Ends early where the text is no JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elements<'a> {
    /// After `[`, up to and with `]`.
    rest: &'a str,
}

impl<'a> Elements<'a> {
    /// The array that `text` holds.
    pub fn whole(text: &'a str) -> Option<Elements<'a>> {
        match parse(text)? {
            Json::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The text after the opening bracket, with the closing one.
    pub fn raw(&self) -> &'a str {
        self.rest
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        let Some((value, rest)) = read(separator(self.rest)) else {
            self.rest = "";
            return None;
        };
        self.rest = rest;
        Some(value)
    }
}

fn separator(rest: &str) -> &str {
    let rest = rest.trim_ascii_start();
    rest.strip_prefix(',').unwrap_or(rest)
}

/// Reads one value and gives the text after it.
fn read(text: &str) -> Option<(Json<'_>, &str)> {
    let text = text.trim_ascii_start();
    match text.as_bytes().first()? {
        b'"' => {
            let end = string_end(text.as_bytes(), 1)?;
            Some((Json::Str(text.get(1..end)?), text.get(end + 1..)?))
        }
        b'{' => {
            let end = container_end(text.as_bytes())?;
            let rest = text.get(1..=end)?;
            Some((Json::Object(Members { rest }), text.get(end + 1..)?))
        }
        b'[' => {
            let end = container_end(text.as_bytes())?;
            let rest = text.get(1..=end)?;
            Some((Json::Array(Elements { rest }), text.get(end + 1..)?))
        }
        _ => scalar(text),
    }
}

/// Offset of the quote that ends the string whose content begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at + found) == Some(&b'"') {
            return Some(at + found);
        }
        at += found + 2;
    }
}

/// Offset of the bracket that ends the container that `bytes` begins with.
fn container_end(bytes: &[u8]) -> Option<usize> {
    // One bit a level: set for an object.
    let mut open = 0u64;
    let mut depth = 0;
    let mut at = 0;
    loop {
        match *bytes.get(at)? {
            b'"' => at = string_end(bytes, at + 1)?,
            bracket @ (b'{' | b'[') => {
                if depth == MAX_DEPTH {
                    return None;
                }
                open = open << 1 | u64::from(bracket == b'{');
                depth += 1;
            }
            bracket @ (b'}' | b']') => {
                if (open & 1 == 1) != (bracket == b'}') {
                    return None;
                }
                open >>= 1;
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

fn scalar(text: &str) -> Option<(Json<'_>, &str)> {
    let end = text
        .find(|c: char| matches!(c, ',' | '}' | ']') || c.is_ascii_whitespace())
        .unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    let value = match word {
        "null" => Json::Null,
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        _ if !word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => return None,
        _ => number(word)?,
    };
    Some((value, rest))
}

fn number(word: &str) -> Option<Json<'_>> {
    let whole = word.parse().map(Json::Int);
    let whole = whole.or_else(|_| word.parse().map(Json::Unsigned));
    whole.or_else(|_| word.parse().map(Json::Float)).ok()
}

/// Resolves the escapes of a string's raw text; borrowed where there are none.
pub fn unescape(raw: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', raw.as_bytes()) else {
        return Cow::Borrowed(raw);
    };
    let mut text = String::with_capacity(raw.len());
    let (plain, mut rest) = raw.split_at(first);
    text.push_str(plain);
    while let Some(escaped) = rest.strip_prefix('\\') {
        rest = push_escape(&mut text, escaped);
        let next = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
        let (plain, left) = rest.split_at(next);
        text.push_str(plain);
        rest = left;
    }
    Cow::Owned(text)
}

/// Resolves one escape, given the text after its backslash, and gives what follows it.
fn push_escape<'a>(text: &mut String, escaped: &'a str) -> &'a str {
    let mut chars = escaped.chars();
    match chars.next() {
        Some('n') => text.push('\n'),
        Some('t') => text.push('\t'),
        Some('r') => text.push('\r'),
        Some('b') => text.push('\u{8}'),
        Some('f') => text.push('\u{c}'),
        Some('u') => {
            let (found, rest) = unicode(chars.as_str());
            text.push(found);
            return rest;
        }
        Some(other) => text.push(other),
        None => {}
    }
    chars.as_str()
}

/// The character of a `\u` escape, surrogate pairs included, given the text after the `u`.
fn unicode(text: &str) -> (char, &str) {
    let Some((high, rest)) = hex4(text) else {
        return (char::REPLACEMENT_CHARACTER, text);
    };
    if let Some(found) = char::from_u32(high) {
        return (found, rest);
    }
    let pair = rest.strip_prefix("\\u").and_then(hex4);
    if let (0xD800..=0xDBFF, Some((low @ 0xDC00..=0xDFFF, after))) = (high, pair) {
        let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        return (
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
            after,
        );
    }
    (char::REPLACEMENT_CHARACTER, rest)
}

fn hex4(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let code = hex
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()?;
    Some((code, rest))
}

/// Reads the value that a text holds.
pub fn parse(text: &str) -> Option<Json<'_>> {
    match read(text)? {
        (value, rest) if rest.trim_ascii().is_empty() => Some(value),
        _ => None,
    }
}
