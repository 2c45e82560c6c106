//! The pairs of a record's own map, kept as they were met when its end was looked for: whoever
//! reads the record need not take its bytes apart once more. Bounded: a record with more pairs is
//! read from its bytes each time. Not here: what a name means (`names`, `fields`).

use crate::record::hash::text_hash;
use crate::record::msgpack::{Item, Map};

/// Pairs of one record that are kept.
const MOST: usize = 64;

/// A key and its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair<'a> {
    /// Empty where the key is no text.
    pub name: &'a [u8],
    /// [`text_hash`] of the name.
    pub hash: u64,
    pub value: Item<'a>,
}

impl<'a> Pair<'a> {
    #[inline]
    fn new(name: &'a [u8], value: Item<'a>) -> Pair<'a> {
        Pair {
            name,
            hash: text_hash(name),
            value,
        }
    }
}

/// Room for the pairs of one record after the other.
#[derive(Clone, Debug, Default)]
pub struct Pairs<'a> {
    all: Vec<Pair<'a>>,
    most: usize,
}

impl<'a> Pairs<'a> {
    pub fn new() -> Pairs<'a> {
        Pairs {
            all: Vec::with_capacity(MOST),
            most: MOST,
        }
    }

    /// Keeps nothing.
    pub(super) fn none() -> Pairs<'a> {
        Pairs::default()
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
    }

    #[inline]
    pub(super) fn push(&mut self, name: &'a [u8], value: Item<'a>) {
        if self.all.len() < self.most {
            self.all.push(Pair::new(name, value));
        }
    }

    pub(super) fn all(&self) -> &[Pair<'a>] {
        &self.all
    }
}

/// Calls `take` with each pair of a map in order. `kept` are its pairs, all or some.
#[inline]
pub(super) fn each<'a>(kept: &[Pair<'a>], map: Map<'a>, mut take: impl FnMut(&Pair<'a>)) {
    if kept.len() == map.len() {
        return kept.iter().for_each(take);
    }
    for (name, value) in map.iter() {
        take(&Pair::new(name, value));
    }
}
