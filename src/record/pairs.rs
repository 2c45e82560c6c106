//! The pairs of a record's own map, kept as they were met when its end was looked for: whoever
//! reads the record need not take its bytes apart once more. Bounded: a record with more pairs is
//! read from its bytes each time. Not here: what a name means (`names`, `fields`).

use crate::record::hash::text_hash;
use crate::record::msgpack::{Item, Map};
use crate::record::names::{self, Name};

/// Pairs of one record that are kept.
const MOST: usize = 64;

/// A key and its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair<'a> {
    /// Empty where the key is no text.
    pub name: &'a [u8],
    /// [`text_hash`] of the name.
    pub hash: u64,
    /// What the name is for.
    pub(super) what: Name,
    pub value: Item<'a>,
}

impl<'a> Pair<'a> {
    #[inline]
    fn new(name: &'a [u8], value: Item<'a>) -> Pair<'a> {
        let hash = text_hash(name);
        Pair {
            name,
            hash,
            what: names::of_hashed(name, hash),
            value,
        }
    }
}

/// Room for the pairs of one record after the other. Records of one program mostly have the same
/// names in the same places, so what stood there before is asked first.
#[derive(Clone, Debug, Default)]
pub struct Pairs<'a> {
    /// Those of this record, and behind them what earlier ones left.
    all: Vec<Pair<'a>>,
    len: usize,
    most: usize,
}

impl<'a> Pairs<'a> {
    pub fn new() -> Pairs<'a> {
        Pairs {
            all: Vec::with_capacity(MOST),
            len: 0,
            most: MOST,
        }
    }

    /// Keeps nothing.
    pub(super) fn none() -> Pairs<'a> {
        Pairs::default()
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    #[inline]
    pub(super) fn push(&mut self, name: &'a [u8], value: Item<'a>) {
        match self.all.get_mut(self.len) {
            Some(pair) if same(pair.name, name) => (pair.name, pair.value) = (name, value),
            Some(pair) => *pair = Pair::new(name, value),
            None if self.len < self.most => self.all.push(Pair::new(name, value)),
            None => return,
        }
        self.len += 1;
    }

    pub(super) fn all(&self) -> &[Pair<'a>] {
        self.all.get(..self.len).unwrap_or_default()
    }
}

/// Whether two names are the same; names are short, for which a call would cost more.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() || a.len() > 16 {
        return a == b;
    }
    let eights = |name: &[u8]| Some((*name.first_chunk::<8>()?, *name.last_chunk::<8>()?));
    let fours = |name: &[u8]| Some((*name.first_chunk::<4>()?, *name.last_chunk::<4>()?));
    match (eights(a), eights(b), fours(a), fours(b)) {
        (Some(a), Some(b), ..) => a == b,
        (.., Some(a), Some(b)) => a == b,
        _ => a.iter().zip(b).all(|(a, b)| a == b),
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_are_the_same_where_their_bytes_are(a in "[ab]{0,20}", b in "[ab]{0,20}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            prop_assert_eq!(same(a, b), a == b);
            prop_assert!(same(a, a));
            for at in 0..a.len() {
                let mut other = a.to_vec();
                other[at] ^= 1;
                prop_assert!(!same(a, &other));
            }
        }
    }

    #[test]
    fn what_stood_in_a_place_before_is_not_taken_for_what_stands_there() {
        let mut pairs = Pairs::new();
        for names in [["log", "status"], ["msg", "status"], ["status", "other"]] {
            pairs.clear();
            for (value, name) in (0..).zip(names) {
                pairs.push(name.as_bytes(), Item::Int(value));
            }
            let expected = names.map(|name| names::of(name.as_bytes()));
            let found: Vec<Name> = pairs.all().iter().map(|pair| pair.what).collect();
            assert_eq!(found, expected);
            assert!(
                pairs
                    .all()
                    .iter()
                    .all(|pair| pair.hash == text_hash(pair.name))
            );
            let values = pairs.all().iter().map(|pair| pair.value);
            assert!(values.eq([Item::Int(0), Item::Int(1)]));
        }
        pairs.clear();
        assert!(pairs.all().is_empty());
    }
}
