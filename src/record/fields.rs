//! Every field that somebody asked for, in one pass over a record: its own keys, and values inside
//! its message only where one of the wanted names may stand there. Finds at least what
//! [`View::field`] gives; it decides nothing about precedence.

use crate::record::access;
use crate::record::decode::{Item, Map};
use crate::record::http;
use crate::record::json::{self, Json, unescape};
use crate::record::path::MAX_DOTS;
use crate::record::value::Value;
use crate::record::view::View;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Tables that one pass serves at most.
const MAX_TABLES: usize = 4;

/// The dotted paths that somebody looks for, each with a number. A name of a record costs one
/// probe, however many paths there are.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    paths: Vec<String>,
    marks: HashMap<u64, Mark, Hashed>,
    /// The number of [`http::HTTP_STATUS`], which stands under many names.
    status: Option<u32>,
    /// Some other path is wanted.
    others: bool,
}

/// What a name means to whoever asked.
#[derive(Clone, Debug, Default)]
struct Mark {
    /// Paths that end here; several only where hashes collide.
    numbers: Vec<u32>,
    /// Some path goes on inside a map of this name.
    goes_on: bool,
}

impl Wanted {
    /// Adds a path, or finds it where it is there already; gives its number, counted from 0.
    pub fn add(&mut self, path: &str) -> u32 {
        if let Some(number) = self.number(path) {
            return number;
        }
        let number = u32::try_from(self.paths.len()).unwrap_or(u32::MAX);
        self.paths.push(path.to_owned());
        if path == http::HTTP_STATUS {
            self.status = Some(number);
            return number;
        }
        self.others = true;
        let mark = self.marks.entry(text_hash(path.as_bytes())).or_default();
        mark.numbers.push(number);
        if path.bytes().filter(|b| *b == b'.').count() <= MAX_DOTS {
            for (at, _) in path.match_indices('.') {
                let prefix = path.as_bytes().get(..at).unwrap_or_default();
                self.marks.entry(text_hash(prefix)).or_default().goes_on = true;
            }
        }
        number
    }

    /// The number of a path.
    pub fn number(&self, path: &str) -> Option<u32> {
        if path == http::HTTP_STATUS {
            return self.status;
        }
        let mark = self.marks.get(&text_hash(path.as_bytes()))?;
        let is_it = |number: &&u32| self.path(**number) == Some(path);
        mark.numbers.iter().find(is_it).copied()
    }

    /// Every path with its number.
    pub fn paths(&self) -> impl Iterator<Item = (u32, &str)> {
        (0..).zip(self.paths.iter().map(String::as_str))
    }

    pub fn len(&self) -> usize {
        self.paths.len()
    }

    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    fn path(&self, number: u32) -> Option<&str> {
        self.paths.get(number as usize).map(String::as_str)
    }

    #[inline]
    fn mark(&self, name: &[u8]) -> Option<&Mark> {
        self.marks.get(&text_hash(name))
    }
}

impl View<'_> {
    /// Calls `found` with the place of a table in `wanted` (the first four count), the number of
    /// a path in it, and a value under that path. The value that [`View::field`] gives is always
    /// among them; where a name stands several times the others may be too.
    pub fn visit(&self, wanted: &[&Wanted], found: &mut dyn FnMut(usize, u32, &Value<'_>)) {
        let wanted = wanted.get(..wanted.len().min(MAX_TABLES));
        let wanted = wanted.unwrap_or_default();
        if wanted.iter().all(|table| table.is_empty()) {
            return;
        }
        let mut visitor = Visitor {
            others: wanted.iter().any(|table| table.others),
            status: wanted.iter().any(|table| table.status.is_some()),
            wanted,
            found,
            prefix: Vec::new(),
        };
        if visitor.status {
            // Gathered when the record was read.
            let status = self.field_status();
            visitor.answer(status);
            visitor.status = status.is_none();
        }
        visitor.map(self.body());
        if let Some(otlp) = self.otlp() {
            if let Some(attributes) = otlp.get("attributes").and_then(|found| found.map()) {
                visitor.map(attributes);
            }
            visitor.map(otlp);
        }
        let Some(document) = self.document() else {
            return visitor.text(self.line());
        };
        visitor.json(self.line());
        if let Some(inner) = &document.inner {
            visitor.json(&inner.text);
        }
        if let Some(raw) = document.message_text(self.line())
            // An escape may stand for any sign.
            && (raw.contains('\\') || visitor.may_hold(raw))
        {
            visitor.text(&unescape(raw));
        }
    }
}

struct Visitor<'w, 'f> {
    wanted: &'w [&'w Wanted],
    found: &'f mut dyn FnMut(usize, u32, &Value<'_>),
    /// Some table wants more than the status of an answer.
    others: bool,
    /// Some table wants that, and it was not found yet.
    status: bool,
    /// Names of the maps around the one that is visited, each with a dot behind it.
    prefix: Vec<u8>,
}

impl Visitor<'_, '_> {
    fn map(&mut self, map: Map<'_>) {
        if !self.others {
            return;
        }
        for (name, item) in map.iter() {
            let inside = self.name(name, || Value::from_item(item));
            if let (true, Item::Map(inner)) = (inside, item) {
                let before = self.enter(name);
                self.map(inner);
                self.prefix.truncate(before);
            }
        }
    }

    /// JSON, in which the values of names that nobody wants are only passed over. That it is whole
    /// was seen when the message was looked for.
    fn json(&mut self, text: &str) {
        if !self.others {
            return;
        }
        let tables = self.wanted;
        let wanted = |name: &str| {
            let is_known = |table: &&Wanted| table.mark(name.as_bytes()).is_some();
            tables.iter().any(is_known).then_some(())
        };
        json::walk(text, wanted, |(), name, value| self.member(name, value));
    }

    fn member(&mut self, name: &str, value: Json<'_>) {
        let inside = self.name(name.as_bytes(), || value.value());
        if let (true, Json::Object(inner)) = (inside, value) {
            let before = self.enter(name.as_bytes());
            for (name, value) in inner {
                self.member(name, value);
            }
            self.prefix.truncate(before);
        }
    }

    /// Access-log and `key=value` values.
    fn text(&mut self, line: &str) {
        if !self.may_hold(line) {
            return;
        }
        if self.status {
            self.answer(access::http_status(line));
        }
        if self.others {
            access::each(line, |name, value| {
                self.name(name.as_bytes(), || value.clone());
            });
        }
    }

    /// A cheap look at whether a line can hold any value at all.
    fn may_hold(&self, line: &str) -> bool {
        (self.others || self.status) && access::may_hold(line, self.others)
    }

    fn answer(&mut self, status: Option<i64>) {
        let Some(status) = status else { return };
        for (which, table) in self.wanted.iter().enumerate() {
            if let Some(number) = table.status {
                (self.found)(which, number, &Value::Int(status));
            }
        }
    }

    /// Tells of a value where its name is wanted; whether some path goes on inside it.
    #[inline]
    fn name<'v>(&mut self, name: &[u8], value: impl Fn() -> Value<'v>) -> bool {
        let mut goes_on = false;
        let nested = !self.prefix.is_empty();
        let before = self.prefix.len();
        if nested {
            self.prefix.extend_from_slice(name);
        }
        let whole = if nested { &self.prefix } else { name };
        let mut made = None;
        for (which, table) in self.wanted.iter().enumerate() {
            let Some(mark) = table.mark(whole) else {
                continue;
            };
            goes_on |= mark.goes_on;
            for number in &mark.numbers {
                let value = made.get_or_insert_with(&value);
                (self.found)(which, *number, value);
            }
        }
        self.prefix.truncate(before);
        goes_on
    }

    fn enter(&mut self, name: &[u8]) -> usize {
        let before = self.prefix.len();
        self.prefix.extend_from_slice(name);
        self.prefix.push(b'.');
        before
    }
}

/// For maps whose keys are hashes already.
pub type Hashed = BuildHasherDefault<AsItIs>;

/// A hash as its own hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = mix(self.0 ^ text_hash(bytes), SEEDS[0]);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

const SEEDS: [u64; 3] = [
    0x9e37_79b9_7f4a_7c15,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
];

/// A quick hash of a short text. Not for tables that a stranger fills: whoever knows it can make
/// texts that collide.
#[inline]
pub fn text_hash(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let seed = mix(len as u64 ^ SEEDS[0], SEEDS[1]);
    if len > 16 {
        return long_hash(bytes, seed);
    }
    let (low, high) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(low), Some(high)) => (u64::from_le_bytes(*low), u64::from_le_bytes(*high)),
        _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(low), Some(high)) => (
                u64::from(u32::from_le_bytes(*low)),
                u64::from(u32::from_le_bytes(*high)),
            ),
            _ => (short(bytes), 0),
        },
    };
    mix(low ^ seed, high ^ SEEDS[2])
}

/// At most three bytes as a number.
fn short(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, b| sum << 8 | u64::from(*b))
}

fn long_hash(bytes: &[u8], seed: u64) -> u64 {
    let mut state = seed;
    let (chunks, _) = bytes.as_chunks::<16>();
    for chunk in chunks {
        state = mix_sixteen(chunk, state);
    }
    // The end overlaps the last whole chunk; the length is in the seed.
    bytes
        .last_chunk::<16>()
        .map_or(state, |end| mix_sixteen(end, state))
}

fn mix_sixteen(chunk: &[u8; 16], state: u64) -> u64 {
    let number = u128::from_le_bytes(*chunk);
    let (low, high) = (number as u64, (number >> 64) as u64);
    mix(low ^ state, high ^ SEEDS[1])
}

/// Two numbers folded into one; never zero for both.
#[inline]
pub fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}
