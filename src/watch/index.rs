//! The watches of one scope by what a record must have for them to match: a record is looked at
//! once, and only the watches that could match it come back. Not here: whether they do.

use super::anchor::Anchor;
use super::fields::{Fields, Found};
use super::language::MESSAGE;
use super::literal::Literals;
use super::number;
use super::range::Ranges;
use crate::model::Level;
use crate::record::{Hashed, Wanted, mix};
use std::collections::{HashMap, HashSet};

/// The watches of one scope.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Records of the scope that were looked at.
    pub shown: u64,
    wanted: Wanted,
    /// By the number of a path in `wanted`.
    fields: Vec<Field>,
    /// The message, which is asked for by name whatever key the record keeps it under.
    message: Option<Field>,
    /// By field and value.
    equal: Equal,
    templates: HashMap<u64, Vec<u32>, Hashed>,
    levels: [Vec<u32>; 6],
    has_levels: bool,
    always: Vec<u32>,
    /// Entered and not taken out.
    members: HashSet<u32>,
    /// Taken out since the index was made; their entries are still there.
    gone: usize,
}

/// What is asked of one field.
#[derive(Debug, Default)]
struct Field {
    equal: bool,
    ranges: Ranges,
    literals: Literals,
    present: Vec<u32>,
}

impl Field {
    #[inline(never)]
    fn of_range(&self, value: &Found<'_>, out: &mut Vec<u32>) {
        if let Some(real) = number::real(value) {
            self.ranges.visit(real, &mut |watch| out.push(watch));
        }
    }

    #[inline(never)]
    fn of_text(&self, value: &Found<'_>, out: &mut Vec<u32>) {
        if let Some(text) = number::bytes(value) {
            let found = &mut |watches: &[u32]| out.extend_from_slice(watches);
            self.literals.visit(&text, found);
        }
    }
}

/// Keeps the values of the message apart from those of fields.
const OF_MESSAGE: u32 = u32::MAX;

impl Index {
    /// Enters a watch under its anchors.
    pub fn add(&mut self, anchors: &[Anchor], watch: u32) {
        self.members.insert(watch);
        for anchor in anchors {
            self.enter(anchor, watch);
        }
    }

    fn enter(&mut self, anchor: &Anchor, watch: u32) {
        match anchor {
            Anchor::Template(id) => {
                let key = mix(id.number() ^ 0x7465_6d70, 0x9e37_79b9_7f4a_7c15);
                self.templates.entry(key).or_default().push(watch);
            }
            Anchor::Equal(path, keys) => {
                let (number, field) = self.field(path);
                field.equal = true;
                for key in keys {
                    self.equal.add(place(number, *key), watch);
                }
            }
            Anchor::Range(path, low, high) => self.field(path).1.ranges.add(*low, *high, watch),
            Anchor::Text { path, texts, start } => {
                let (_, field) = self.field(path);
                for text in texts {
                    field.literals.add(text, *start, watch);
                }
            }
            Anchor::Present(path) => self.field(path).1.present.push(watch),
            Anchor::Level(level) => {
                self.has_levels = true;
                if let Some(list) = self.levels.get_mut(*level as usize) {
                    list.push(watch);
                }
            }
            Anchor::Always => self.always.push(watch),
        }
    }

    fn field(&mut self, path: &str) -> (u32, &mut Field) {
        if path == MESSAGE {
            return (OF_MESSAGE, self.message.get_or_insert_default());
        }
        let number = self.wanted.add(path);
        let at = number as usize;
        if self.fields.len() <= at {
            self.fields.resize_with(at + 1, Field::default);
        }
        // Just made where it was not there.
        (number, &mut self.fields[at])
    }

    /// Counts a watch out; whether it is time to make the index anew.
    pub fn forget(&mut self, watch: u32) -> bool {
        self.members.remove(&watch);
        self.gone += 1;
        self.gone > 64 + self.members.len() / 2
    }

    /// The watches in it.
    pub fn members(&self) -> Vec<u32> {
        self.members.iter().copied().collect()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// A value was found under the path of that number.
    fn value(&self, number: u32, value: &Found<'_>, out: &mut Vec<u32>) {
        if let Some(field) = self.fields.get(number as usize) {
            self.of_field(field, number, value, out);
        }
    }

    /// Most values are nobody's, and most fields are asked for in one way.
    #[inline]
    fn of_field(&self, field: &Field, number: u32, value: &Found<'_>, out: &mut Vec<u32>) {
        if !field.present.is_empty() {
            out.extend_from_slice(&field.present);
        }
        if field.equal
            && let Some(key) = number::key(value)
            && let place = place(number, key)
            && self.equal.may_have(place)
        {
            out.extend_from_slice(self.equal.get(place));
        }
        if !field.ranges.is_empty() {
            field.of_range(value, out);
        }
        if !field.literals.is_empty() {
            field.of_text(value, out);
        }
    }

    /// What does not hang on a field of the record.
    fn whole(&self, record: &dyn Fields, out: &mut Vec<u32>) {
        out.extend_from_slice(&self.always);
        if !self.templates.is_empty()
            && let Some(id) = record.template()
        {
            let key = mix(id.number() ^ 0x7465_6d70, 0x9e37_79b9_7f4a_7c15);
            out.extend_from_slice(self.templates.get(&key).map_or(&[], Vec::as_slice));
        }
        if self.has_levels
            && let Some(level) = record.level()
        {
            let lists = self.levels.iter().take(level as usize + 1);
            lists.for_each(|list| out.extend_from_slice(list));
        }
        if let Some(field) = &self.message {
            let message = record.message();
            let value = Found::Text(message.as_bytes());
            self.of_field(field, OF_MESSAGE, &value, out);
        }
    }

    /// Bytes that it takes, about.
    pub fn bytes(&self) -> usize {
        let field = |field: &Field| {
            field.ranges.bytes() + field.literals.bytes() + 4 * field.present.len() + 300
        };
        let fields: usize = self.fields.iter().chain(&self.message).map(field).sum();
        fields
            + 64 * (self.equal.watches.len() + self.templates.len())
            + 12 * self.members.len()
            + 500
    }
}

/// Watches by field and value, behind a filter of one bit for each place: most values are
/// nobody's, and the filter stays in the processor's cache.
#[derive(Debug, Default)]
struct Equal {
    watches: HashMap<u64, Vec<u32>, Hashed>,
    bits: Vec<u64>,
}

impl Equal {
    /// Bits for each place, at least.
    const BITS: usize = 16;

    fn add(&mut self, place: u64, watch: u32) {
        self.watches.entry(place).or_default().push(watch);
        if self.watches.len() * Self::BITS > self.bits.len() * 64 {
            let words = (self.watches.len() * Self::BITS / 32).next_power_of_two();
            self.bits = vec![0; words];
            for place in self.watches.keys() {
                set(&mut self.bits, *place);
            }
        }
        set(&mut self.bits, place);
    }

    #[inline]
    fn may_have(&self, place: u64) -> bool {
        let (word, bit) = bit_of(&self.bits, place);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }

    #[cold]
    fn get(&self, place: u64) -> &[u32] {
        self.watches.get(&place).map_or(&[], Vec::as_slice)
    }
}

fn set(bits: &mut [u64], place: u64) {
    let (word, bit) = bit_of(bits, place);
    if let Some(word) = bits.get_mut(word) {
        *word |= bit;
    }
}

/// Word and bit of a place; the number of words is a power of two, or none.
#[inline]
fn bit_of(bits: &[u64], place: u64) -> (usize, u64) {
    let word = (place >> 6) as usize & bits.len().wrapping_sub(1);
    (word, 1 << (place & 63))
}

fn place(number: u32, key: u64) -> u64 {
    mix(key ^ u64::from(number), 0xc2b2_ae3d_27d4_eb4f)
}

/// The watches that could match a record, of up to two scopes; some may be named twice.
pub(super) fn candidates(record: &dyn Fields, scopes: &[&Index], out: &mut Vec<u32>) {
    for index in scopes {
        index.whole(record, out);
    }
    let mut found = |which: usize, number: u32, value: &Found<'_>| {
        if let Some(index) = scopes.get(which) {
            index.value(number, value, out);
        }
    };
    match scopes {
        [one] => record.visit(&[&one.wanted], &mut found),
        [one, two] => record.visit(&[&one.wanted, &two.wanted], &mut found),
        _ => {}
    }
}

const _: () = assert!(Level::Trace as usize == 0 && Level::Fatal as usize == 5);
