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

/// Calls `take` for the members of the object that `text` holds whose keys `wanted` knows, as
/// [`Members::whole`] would give them; the values of others are only passed over. `wanted` is told
/// each key and where its value begins. Gives the number of all members, in one pass; `None` where
/// the object is not whole: what was taken means nothing.
pub(super) fn walk<'a, N>(
    text: &'a str,
    mut wanted: impl FnMut(&'a str, usize) -> Option<N>,
    mut take: impl FnMut(N, &'a str, Json<'a>),
) -> Option<usize> {
    let blank = text.len() - text.trim_ascii_start().len();
    let text = text.trim_ascii();
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'{') || bytes.last() != Some(&b'}') {
        return None;
    }
    // The outer object is a level of its own.
    let depth = MAX_DEPTH - 1;
    let (mut at, mut members) = (1, 0);
    while let Some((key, begin)) = key_at(text, at) {
        let end = match wanted(key, blank + begin) {
            None => pass(text, begin, depth),
            Some(name) => read_at(text, begin, depth).map(|(value, end)| {
                take(name, key, value);
                end
            }),
        };
        let Some(end) = end else { break };
        at = end;
        members += 1;
    }
    // Usually at the closing bracket; elsewhere what is no member must at least be closed.
    let mut brackets = Depth { open: 1, depth: 1 };
    let end = brackets.end(bytes, at, MAX_DEPTH)?;
    (end + 1 == bytes.len()).then_some(members)
}

/// The value of a member that [`walk`] told of.
pub(super) fn value_at(text: &str, begin: usize) -> Option<Json<'_>> {
    let (value, _) = read_at(text, begin, MAX_DEPTH - 1)?;
    Some(value)
}

/// The next member and the text after it; `None` where there is none.
#[inline]
fn member(rest: &str, depth: usize) -> Option<(&str, Json<'_>, &str)> {
    let (key, at) = key_at(rest, 0)?;
    let (value, at) = read_at(rest, at, depth)?;
    Some((key, value, rest.get(at..)?))
}

/// The key of the member that begins at `at`, a comma before it or not, and where its value does.
#[inline]
fn key_at(text: &str, at: usize) -> Option<(&str, usize)> {
    let bytes = text.as_bytes();
    let mut at = no_space(bytes, at);
    if bytes.get(at) == Some(&b',') {
        at = no_space(bytes, at + 1);
    }
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let end = string_end(bytes, at + 1)?;
    let colon = no_space(bytes, end + 1);
    (bytes.get(colon) == Some(&b':')).then_some(())?;
    Some((text.get(at + 1..end)?, colon + 1))
}

/// Offset of the first byte from `at` on that is no white space.
#[inline]
fn no_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// Passes over the value that begins at `at`; gives its end where [`read_at`] would.
#[inline]
fn pass(text: &str, at: usize, depth: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = no_space(bytes, at);
    match bytes.get(at)? {
        b'"' => Some(string_end(bytes, at + 1)? + 1),
        b'{' | b'[' => Some(container_end(bytes, at, depth)? + 1),
        b'0'..=b'9' => match decimal_end(bytes, at) {
            Some(end) => Some(end),
            None => scalar(text, at).map(|(_, end)| end),
        },
        _ => scalar(text, at).map(|(_, end)| end),
    }
}

/// Where a number of digits, perhaps with a dot among them or behind them, ends; `None` for every
/// other.
#[inline]
fn decimal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = digits_end(bytes, at);
    if bytes.get(end) == Some(&b'.') {
        end = digits_end(bytes, end + 1);
    }
    bytes.get(end).is_none_or(ends_scalar).then_some(end)
}

#[inline]
fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

fn separator(rest: &str) -> &str {
    let rest = rest.trim_ascii_start();
    // Many writers put a blank behind the comma.
    rest.strip_prefix(',').unwrap_or(rest).trim_ascii_start()
}

/// Reads one value and gives the text after it.
fn read(text: &str) -> Option<(Json<'_>, &str)> {
    let (value, end) = read_at(text, 0, MAX_DEPTH)?;
    Some((value, text.get(end..)?))
}

/// Reads the value that begins at `at`, which may be nested `depth` levels deep, its own included;
/// gives where it ends.
#[inline]
fn read_at(text: &str, at: usize, depth: usize) -> Option<(Json<'_>, usize)> {
    let bytes = text.as_bytes();
    let at = no_space(bytes, at);
    match bytes.get(at)? {
        b'"' => {
            let end = string_end(bytes, at + 1)?;
            Some((Json::Str(text.get(at + 1..end)?), end + 1))
        }
        b'{' => {
            let end = container_end(bytes, at, depth)?;
            let rest = text.get(at + 1..=end)?;
            Some((Json::Object(Members { rest }), end + 1))
        }
        b'[' => {
            let end = container_end(bytes, at, depth)?;
            let rest = text.get(at + 1..=end)?;
            Some((Json::Array(Elements { rest }), end + 1))
        }
        _ => scalar(text, at),
    }
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

/// Offset of the bracket that ends the container that begins at `at`.
fn container_end(bytes: &[u8], at: usize, levels: usize) -> Option<usize> {
    Depth::default().end(bytes, at, levels)
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

/// Reads what is neither text nor container; gives where it ends.
fn scalar(text: &str, at: usize) -> Option<(Json<'_>, usize)> {
    let word = text.get(at..)?;
    let end = word.bytes().position(|b| ends_scalar(&b));
    let word = word.get(..end.unwrap_or(word.len()))?;
    let value = match word {
        "null" => Json::Null,
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        _ if !word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => return None,
        _ => number(word)?,
    };
    Some((value, at + word.len()))
}

#[inline]
fn ends_scalar(b: &u8) -> bool {
    matches!(b, b',' | b'}' | b']') || b.is_ascii_whitespace()
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
        let members = walk(
            text,
            |key, _| Some(key),
            |_, key, value| found.push(shown(key, value)),
        );
        // What nobody wants is passed over just as far.
        let passed = walk(text, |_, _| None::<()>, |(), _, _| {});
        assert_eq!(passed, members, "{text}");
        assert!(members.is_none_or(|members| members == found.len()));
        members.map(|_| found)
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
            r#"{"a":12e5,"b":2}"#,
            r#"{"a":1.5e3,"b":12x,"c":3}"#,
            r#"{"a":1.2.3,"b":2}"#,
            r#"{"a":7.,"b":-,"c":3}"#,
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
        fn one_pass_finds_what_two_find(text in r#"\{?([\[\]{}":,\\ a1.\-é]|"a":|"b":"c",|null,|\[1\]|:-?[0-9]{1,25}|[.eE+]|\t){0,40}\}?"#) {
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
        assert!(walk(text, |key, _| Some(key), |_, key, _| walked.push(key)).is_some());
        assert_eq!(walked, keys);
    }
}
