//! Every field that somebody asked for, in one pass over a record: its own keys, and values inside
//! its message only for what those do not give. Finds at least what [`View::field`] gives; it
//! decides nothing about precedence.

use crate::record::access;
use crate::record::decode::{Item, Map};
use crate::record::document::Document;
use crate::record::hash::text_hash;
use crate::record::json::{Json, unescape};
use crate::record::pairs::Pair;
use crate::record::value::{Found, Value};
use crate::record::view::View;
use crate::record::wanted::{Wanted, filter_bit};

/// Tables that one pass serves at most.
const MAX_TABLES: usize = 4;

/// Paths of a table of which it is remembered whether they were found; others are looked for to
/// the end.
const REMEMBERED: usize = 256;

impl View<'_> {
    /// Calls `found` with the place of a table in `wanted` (the first four count), the number of
    /// a path in it, and a value under that path. The value that [`View::field`] gives is always
    /// among them; where a name stands several times the others may be too.
    pub fn visit(&self, wanted: &[&Wanted], found: &mut dyn FnMut(usize, u32, &Found<'_>)) {
        let wanted = wanted.get(..wanted.len().min(MAX_TABLES));
        let wanted = wanted.unwrap_or_default();
        let named = wanted.iter().map(|table| table.named()).sum();
        let status = wanted.iter().any(|table| table.status.is_some());
        if named == 0 && !status {
            return;
        }
        let mut visitor = Visitor {
            wanted,
            filter: wanted.iter().fold(0, |all, table| all | table.filter),
            found,
            open: named,
            settled: [[0; REMEMBERED / 64]; MAX_TABLES],
            status,
            prefix: Vec::new(),
        };
        if visitor.status {
            // Gathered when the record was read.
            let status = self.field_status();
            visitor.answer(status);
            visitor.status = status.is_none();
        }
        if visitor.open > 0 {
            let filter = visitor.filter;
            self.each_pair(|pair| {
                // Most names are nobody's.
                if filter & filter_bit(pair.hash) != 0 {
                    visitor.outermost(pair);
                }
            });
            if let Some(otlp) = self.otlp() {
                if let Some(attributes) = otlp.get("attributes").and_then(|found| found.map()) {
                    visitor.map(attributes);
                }
                visitor.map(otlp);
            }
        }
        if visitor.is_done() {
            return;
        }
        let Some(document) = self.document() else {
            return visitor.text(self.line());
        };
        visitor.json(document, self.line());
        if let Some(inner) = &document.inner {
            visitor.json(&inner.document, &inner.text);
        }
        if !visitor.is_done()
            && let Some(raw) = document.message_text(self.line())
        {
            visitor.text(&unescape(raw));
        }
    }
}

struct Visitor<'w, 'f> {
    wanted: &'w [&'w Wanted],
    /// Of all tables.
    filter: u64,
    found: &'f mut dyn FnMut(usize, u32, &Found<'_>),
    /// Named paths that were not found yet.
    open: usize,
    /// A bit for each path that was found: what comes later is not what a field gives.
    settled: [[u64; REMEMBERED / 64]; MAX_TABLES],
    /// Some table wants the status of an answer, and it was not found yet.
    status: bool,
    /// Names of the maps around the one that is visited, each with a dot behind it.
    prefix: Vec<u8>,
}

impl Visitor<'_, '_> {
    /// Whether nothing is left to be found.
    fn is_done(&self) -> bool {
        self.open == 0 && !self.status
    }

    /// A pair of the record's own map. Apart from the loop over all of them, which stays small so.
    #[inline(never)]
    fn outermost(&mut self, pair: &Pair<'_>) {
        let inside = self.known(pair.hash, true, || Found::from_item(pair.value));
        if let (true, Item::Map(inner)) = (inside, pair.value) {
            let before = self.enter(pair.name);
            self.map(inner);
            self.prefix.truncate(before);
        }
    }

    fn map(&mut self, map: Map<'_>) {
        for (name, item) in map.iter() {
            self.pair(name, text_hash(name), item);
        }
    }

    fn pair(&mut self, name: &[u8], hash: u64, item: Item<'_>) {
        let inside = self.name(name, hash, || Found::from_item(item));
        if let (true, Item::Map(inner)) = (inside, item) {
            let before = self.enter(name);
            self.map(inner);
            self.prefix.truncate(before);
        }
    }

    /// The members of JSON in the line. That it is whole was seen when the message was looked for.
    fn json(&mut self, document: &Document, text: &str) {
        if self.open == 0 {
            return;
        }
        let tables = self.wanted;
        let filter = self.filter;
        let wanted = |hash: u64| {
            filter & filter_bit(hash) != 0 && tables.iter().any(|table| table.mark(hash).is_some())
        };
        document.each_member(text, wanted, |name, hash, value| {
            self.member(name, hash, value);
        });
    }

    fn member(&mut self, name: &str, hash: u64, value: Json<'_>) {
        // Held here, so that what was found may borrow from it.
        let mut text = None;
        let text = &mut text;
        let inside = match value {
            Json::Str(raw) => {
                let text = text.get_or_insert_with(|| unescape(raw));
                self.name(name.as_bytes(), hash, || Found::Text(text.as_bytes()))
            }
            other => self.name(name.as_bytes(), hash, || Found::Other(other.value())),
        };
        if let (true, Json::Object(inner)) = (inside, value) {
            let before = self.enter(name.as_bytes());
            for (name, value) in inner {
                self.member(name, text_hash(name.as_bytes()), value);
            }
            self.prefix.truncate(before);
        }
    }

    /// Access-log and `key=value` values.
    fn text(&mut self, line: &str) {
        let requests = (self.status || self.wants_of_request()) && access::may_be_request(line);
        if self.status && requests {
            self.answer(access::http_status(line));
        }
        if self.open > 0 {
            access::each(line, requests, |name, value| {
                let hash = text_hash(name.as_bytes());
                self.name(name.as_bytes(), hash, || Found::from_value(&value));
            });
        }
    }

    /// Whether a path that an access log may give was not found yet.
    fn wants_of_request(&self) -> bool {
        let mut tables = self.wanted.iter().zip(&self.settled);
        tables.any(|(table, settled)| {
            let mut numbers = table.of_requests.iter();
            numbers.any(|number| !is_set(settled, *number))
        })
    }

    fn answer(&mut self, status: Option<i64>) {
        let Some(status) = status else { return };
        for (which, table) in self.wanted.iter().enumerate() {
            if let Some(number) = table.status {
                (self.found)(which, number, &Found::Other(Value::Int(status)));
            }
        }
    }

    /// Tells of a value where its name is wanted; whether some path goes on inside it.
    #[inline]
    fn name<'v>(&mut self, name: &[u8], hash: u64, value: impl Fn() -> Found<'v>) -> bool {
        if self.prefix.is_empty() {
            return self.filter & filter_bit(hash) != 0 && self.known(hash, true, value);
        }
        let before = self.prefix.len();
        let mut whole = std::mem::take(&mut self.prefix);
        whole.extend_from_slice(name);
        // A field looks into the first map of a name only; this may be another.
        let goes_on = self.known(text_hash(&whole), false, value);
        whole.truncate(before);
        self.prefix = whole;
        goes_on
    }

    /// `outermost`: the name is the record's own, or the JSON object's.
    #[inline]
    fn known<'v>(&mut self, hash: u64, outermost: bool, value: impl Fn() -> Found<'v>) -> bool {
        // Nearly always there is one table, and one path of a name.
        if let [table] = self.wanted {
            return self.known_in(0, table, hash, outermost, value);
        }
        let mut goes_on = false;
        for (which, table) in self.wanted.iter().enumerate() {
            goes_on |= self.known_in(which, table, hash, outermost, &value);
        }
        goes_on
    }

    #[inline]
    fn known_in<'v>(
        &mut self,
        which: usize,
        table: &Wanted,
        hash: u64,
        outermost: bool,
        value: impl Fn() -> Found<'v>,
    ) -> bool {
        let Some(mark) = table.mark(hash) else {
            return false;
        };
        let settles = outermost && mark.settles;
        match mark.numbers.as_slice() {
            [] => {}
            [number] => self.tell(which, *number, settles, &value()),
            all => all
                .iter()
                .for_each(|number| self.tell(which, *number, settles, &value())),
        }
        mark.goes_on
    }

    #[inline]
    fn tell(&mut self, which: usize, number: u32, settles: bool, value: &Found<'_>) {
        (self.found)(which, number, value);
        if settles && let Some(settled) = self.settled.get_mut(which) {
            self.open -= usize::from(set(settled, number));
        }
    }

    fn enter(&mut self, name: &[u8]) -> usize {
        let before = self.prefix.len();
        self.prefix.extend_from_slice(name);
        self.prefix.push(b'.');
        before
    }
}

type Bits = [u64; REMEMBERED / 64];

fn is_set(bits: &Bits, number: u32) -> bool {
    let word = bits.get(number as usize / 64);
    word.is_some_and(|word| word >> (number % 64) & 1 == 1)
}

/// Sets a bit; whether it was not set before.
fn set(bits: &mut Bits, number: u32) -> bool {
    let Some(word) = bits.get_mut(number as usize / 64) else {
        return false;
    };
    let before = *word;
    *word |= 1 << (number % 64);
    *word != before
}
