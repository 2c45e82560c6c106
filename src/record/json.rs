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
        let Some((key, value, rest)) = member(self.rest, MAX_DEPTH) else {
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

/// Calls `take` for each member of the object that `text` holds, as [`Members::whole`] would give
/// them, and says whether it is whole, in one pass: where it is not, what was taken means nothing.
pub(super) fn walk<'a>(text: &'a str, mut take: impl FnMut(&'a str, Json<'a>)) -> bool {
    let text = text.trim_ascii();
    let Some(mut rest) = text.strip_prefix('{') else {
        return false;
    };
    if !text.ends_with('}') {
        return false;
    }
    // The outer object is a level of its own.
    while let Some((key, value, after)) = member(rest, MAX_DEPTH - 1) {
        take(key, value);
        rest = after;
    }
    // Usually at the closing bracket; elsewhere what is no member must at least be closed.
    let mut depth = Depth { open: 1, depth: 1 };
    let end = depth.end(rest.as_bytes(), 0, MAX_DEPTH);
    end.is_some_and(|end| rest.len() == end + 1)
}

/// The next member and the text after it; `None` where there is none.
#[inline]
fn member(rest: &str, depth: usize) -> Option<(&str, Json<'_>, &str)> {
    let rest = separator(rest).trim_ascii_start();
    let (key, rest) = match rest.as_bytes().first()? {
        b'"' => string(rest)?,
        _ => return None,
    };
    let rest = rest.trim_ascii_start().strip_prefix(':')?;
    let (value, rest) = read_within(rest, depth)?;
    Some((key, value, rest))
}

fn separator(rest: &str) -> &str {
    let rest = rest.trim_ascii_start();
    // Many writers put a blank behind the comma.
    rest.strip_prefix(',').unwrap_or(rest).trim_ascii_start()
}

/// Reads one value and gives the text after it.
fn read(text: &str) -> Option<(Json<'_>, &str)> {
    read_within(text, MAX_DEPTH)
}

/// [`read`] for a value that may be nested `depth` levels deep, its own included.
fn read_within(text: &str, depth: usize) -> Option<(Json<'_>, &str)> {
    let text = text.trim_ascii_start();
    match text.as_bytes().first()? {
        b'"' => {
            let (raw, rest) = string(text)?;
            Some((Json::Str(raw), rest))
        }
        b'{' => {
            let end = container_end(text.as_bytes(), depth)?;
            let rest = text.get(1..=end)?;
            Some((Json::Object(Members { rest }), text.get(end + 1..)?))
        }
        b'[' => {
            let end = container_end(text.as_bytes(), depth)?;
            let rest = text.get(1..=end)?;
            Some((Json::Array(Elements { rest }), text.get(end + 1..)?))
        }
        _ => scalar(text),
    }
}

/// The content of the string that `text` begins with, and what follows it.
#[inline]
fn string(text: &str) -> Option<(&str, &str)> {
    let end = string_end(text.as_bytes(), 1)?;
    Some((text.get(1..end)?, text.get(end + 1..)?))
}

/// Words of eight bytes that are looked at before `memchr` is worth its call.
const SHORT: usize = 4;

/// Offset of the first quote or backslash from `at` on.
#[inline]
fn quote_or_backslash(bytes: &[u8], mut at: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    for _ in 0..SHORT {
        let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) else {
            break;
        };
        let word = u64::from_le_bytes(*word);
        // The lowest bit that is left stands in the first byte that is zero after the exclusive or.
        let zero = |of: u64| of.wrapping_sub(ONES) & !of & HIGHS;
        let quote = zero(word ^ (ONES * b'"' as u64));
        let found = quote | zero(word ^ (ONES * b'\\' as u64));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    Some(at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?)
}

/// Offset of the quote that ends the string whose content begins at `at`.
#[inline]
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = quote_or_backslash(bytes, at)?;
        if bytes.get(found) == Some(&b'"') {
            return Some(found);
        }
        at = found + 2;
    }
}

/// Offset of the bracket that ends the container that `bytes` begins with.
fn container_end(bytes: &[u8], levels: usize) -> Option<usize> {
    Depth::default().end(bytes, 0, levels)
}

/// The brackets that are open.
#[derive(Default)]
struct Depth {
    /// One bit a level: set for an object.
    open: u64,
    depth: usize,
}

impl Depth {
    fn open(&mut self, bracket: u8, levels: usize) -> Option<()> {
        if self.depth == levels {
            return None;
        }
        self.open = self.open << 1 | u64::from(bracket == b'{');
        self.depth += 1;
        Some(())
    }

    /// Offset of the bracket that closes the outermost one, looked for from `at` on.
    fn end(&mut self, bytes: &[u8], mut at: usize, levels: usize) -> Option<usize> {
        loop {
            match *bytes.get(at)? {
                b'"' => at = string_end(bytes, at + 1)?,
                bracket @ (b'{' | b'[') => self.open(bracket, levels)?,
                bracket @ (b'}' | b']') => {
                    if (self.open & 1 == 1) != (bracket == b'}') {
                        return None;
                    }
                    self.open >>= 1;
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }
}

fn scalar(text: &str) -> Option<(Json<'_>, &str)> {
    let ends = |b: &u8| matches!(b, b',' | b'}' | b']') || b.is_ascii_whitespace();
    let end = text.bytes().position(|b| ends(&b)).unwrap_or(text.len());
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
    if word.as_bytes().contains(&b'.') {
        return word.parse().map(Json::Float).ok();
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What two passes find: one that looks for the end, one that looks at the members.
    fn in_two_passes(text: &str) -> Option<Vec<(String, String)>> {
        let members = Members::whole(text)?;
        Some(members.map(|(key, value)| shown(key, value)).collect())
    }

    fn shown(key: &str, value: Json<'_>) -> (String, String) {
        (key.to_owned(), format!("{value:?}"))
    }

    fn in_one_pass(text: &str) -> Option<Vec<(String, String)>> {
        let mut found = Vec::new();
        walk(text, |key, value| found.push(shown(key, value))).then_some(found)
    }

    #[test]
    fn white_space_may_stand_on_both_sides_of_every_sign() {
        let text = "{ \"a\" : 1 , \"b\" : [ 1 , 2 ] ,\n\t\"c\": {\"d\": null, \"e\": 2} }";
        let found = in_one_pass(text).unwrap();
        let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["a", "b", "c"]);
        let members = Members::whole(text).unwrap();
        assert_eq!(members.get("b").map(|_| ()), Some(()));
        let inner = members.get("c").and_then(Json::object).unwrap();
        assert_eq!(inner.get("e"), Some(Json::Int(2)));
    }

    #[test]
    fn one_pass_finds_what_two_find_in_what_is_broken_too() {
        for text in [
            r#"{"a":1,"b":[1,{"c":"}"}],"d":"\"x"}"#,
            r#"{"a":1,,"b":2}"#,
            r#"{"a" 1,"b":2}"#,
            r#"{"a":1}{"b":2}"#,
            r#"{"a":1]}"#,
            r#"{"a":tru,"b":"}"}"#,
            r#"{"a":"b}"#,
            r#"{"a":1} x}"#,
            "{}",
            "{",
            " { \"a\" : -1.5e3 } \n",
        ] {
            assert_eq!(in_one_pass(text), in_two_passes(text), "{text}");
        }
        let deep = |levels: usize| {
            format!(
                "{}\"a\":1{}",
                "{\"k\":{".repeat(levels),
                "}}".repeat(levels)
            )
        };
        for levels in [31, 32, 33] {
            let text = format!("{{{}}}", deep(levels).trim_start_matches('{'));
            assert_eq!(in_one_pass(&text), in_two_passes(&text), "{levels}");
        }
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_two_find(text in r#"\{?([\[\]{}":,\\ a1.\-é]|"a":|"b":"c",|null,|\[1\]){0,40}\}?"#) {
            prop_assert_eq!(in_one_pass(&text), in_two_passes(&text));
        }

        #[test]
        fn strings_end_at_the_first_quote_that_is_not_escaped(text in r#"[a-c"\\é]{0,80}"#) {
            let bytes = text.as_bytes();
            let mut at = 0;
            let mut slow = None;
            while let Some(byte) = bytes.get(at) {
                if *byte == b'"' {
                    slow = Some(at);
                    break;
                }
                at += 1 + usize::from(*byte == b'\\');
            }
            prop_assert_eq!(string_end(bytes, 0), slow);
        }
    }

    #[test]
    fn blanks_may_stand_anywhere_between() {
        let text = "{ \"a\" : 1 , \"b\": { \"c\": 2 },\n  \"status\": 503 , \"l\": [1, 2] }";
        let keys: Vec<_> = Members::whole(text).unwrap().map(|(key, _)| key).collect();
        assert_eq!(keys, ["a", "b", "status", "l"]);
        let mut walked = Vec::new();
        assert!(walk(text, |key, _| walked.push(key)));
        assert_eq!(walked, keys);
    }
}
