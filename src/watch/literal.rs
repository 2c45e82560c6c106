//! Which of very many literals stand in a text, at a cost that hardly grows with their number:
//! each literal is entered under seven bytes of it, chosen where no other has the same, and a
//! text is looked at in steps of four. Only literals that are really there are told.
//!
//! An automaton over all literals would have to be built anew for every new watch, and its
//! thousands of states would not stay in the processor's cache.

use crate::record::{Hashed, text_hash};
use std::collections::HashMap;

/// Bytes of a text that are looked at at once.
const GRAM: usize = 4;
/// Steps in which a text is looked at for literals of at least `LONG` bytes: of four neighbouring
/// grams one is met.
const STEP: usize = 4;
const LONG: usize = GRAM + STEP - 1;
/// Bits that a set of grams may always have: 8 KB.
const MANY_BITS: usize = 1 << 16;

/// Literals with the watches that need them.
#[derive(Debug, Default)]
pub(super) struct Literals {
    texts: Vec<Literal>,
    known: HashMap<(Box<[u8]>, bool), u32>,
    /// Of at least seven bytes.
    long: Grams<LONG>,
    /// Of four to six bytes.
    short: Grams<GRAM>,
    /// Of one to three bytes, entered under their first byte.
    tiny: Vec<(u8, u32)>,
    /// The first bytes of `tiny`.
    first: [u64; 4],
}

#[derive(Debug)]
struct Literal {
    text: Box<[u8]>,
    /// Only at the very start of a text.
    start: bool,
    watches: Vec<u32>,
}

impl Literals {
    /// Enters a watch under a literal, which is not empty.
    pub fn add(&mut self, text: &[u8], start: bool, watch: u32) {
        let key = (Box::from(text), start);
        if let Some(at) = self.known.get(&key) {
            if let Some(literal) = self.texts.get_mut(*at as usize) {
                literal.watches.push(watch);
            }
            return;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.known.insert(key, number);
        self.texts.push(Literal {
            text: Box::from(text),
            start,
            watches: vec![watch],
        });
        if text.len() >= LONG {
            self.long.add(text, number);
        } else if text.len() >= GRAM {
            self.short.add(text, number);
        } else if let Some(byte) = text.first() {
            self.tiny.push((*byte, number));
            self.tiny.sort_unstable();
            if let Some(word) = self.first.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Calls `found` with the watches of every literal that stands in the text; a literal that
    /// stands there twice may be told twice.
    pub fn visit(&self, text: &[u8], found: &mut dyn FnMut(&[u32])) {
        if self.texts.is_empty() {
            return;
        }
        self.grams(&self.long, text, found);
        self.grams(&self.short, text, found);
        if !self.tiny.is_empty() {
            self.tiny(text, found);
        }
    }

    #[inline]
    fn grams<const N: usize>(&self, grams: &Grams<N>, text: &[u8], found: &mut dyn FnMut(&[u32])) {
        if grams.offsets.is_empty() {
            return;
        }
        if Grams::<N>::STEP == GRAM {
            let (steps, _) = text.as_chunks::<GRAM>();
            for (at, gram) in steps.iter().enumerate() {
                self.gram(grams, text, at * GRAM, *gram, found);
            }
            return;
        }
        let windows = text.windows(GRAM).enumerate();
        for (place, window) in windows.step_by(Grams::<N>::STEP) {
            if let Some(gram) = window.first_chunk::<GRAM>() {
                self.gram(grams, text, place, *gram, found);
            }
        }
    }

    #[inline]
    fn gram<const N: usize>(
        &self,
        grams: &Grams<N>,
        text: &[u8],
        place: usize,
        gram: [u8; GRAM],
        found: &mut dyn FnMut(&[u32]),
    ) {
        let gram = u32::from_le_bytes(gram);
        let bit = spread(gram, grams.shift);
        let word = grams.bits.get((bit >> 6) as usize).copied().unwrap_or(0);
        if word >> (bit & 63) & 1 == 1 {
            self.look(grams, text, place, gram, found);
        }
    }

    /// Looks at the windows of which the gram at this place may be a part.
    #[cold]
    fn look<const N: usize>(
        &self,
        grams: &Grams<N>,
        text: &[u8],
        place: usize,
        gram: u32,
        found: &mut dyn FnMut(&[u32]),
    ) {
        let offsets = grams.offsets.get(&key(gram)).copied().unwrap_or(0);
        for before in (0..Grams::<N>::STEP).filter(|before| offsets >> before & 1 == 1) {
            let Some(begin) = place.checked_sub(before) else {
                return;
            };
            for (literal, offset) in grams.at(text, begin) {
                if let Some(begin) = begin.checked_sub(*offset as usize) {
                    self.tell(*literal, text, begin, found);
                }
            }
        }
    }

    fn tiny(&self, text: &[u8], found: &mut dyn FnMut(&[u32])) {
        for (place, byte) in text.iter().enumerate() {
            let word = self.first.get(usize::from(byte >> 6)).copied();
            if word.unwrap_or(0) >> (byte & 63) & 1 == 0 {
                continue;
            }
            let from = self.tiny.partition_point(|(first, _)| first < byte);
            let same = self.tiny.iter().skip(from);
            for (_, literal) in same.take_while(|(first, _)| first == byte) {
                self.tell(*literal, text, place, found);
            }
        }
    }

    fn tell(&self, literal: u32, text: &[u8], begin: usize, found: &mut dyn FnMut(&[u32])) {
        let Some(literal) = self.texts.get(literal as usize) else {
            return;
        };
        let rest = text.get(begin..).unwrap_or_default();
        if (begin == 0 || !literal.start) && rest.starts_with(&literal.text) {
            found(&literal.watches);
        }
    }

    /// Bytes that they take, about.
    pub fn bytes(&self) -> usize {
        let text = |literal: &Literal| 2 * literal.text.len() + 4 * literal.watches.len() + 120;
        self.texts.iter().map(text).sum::<usize>() + self.long.bytes() + self.short.bytes()
    }
}

/// Literals, each under one window of `N` bytes.
#[derive(Debug, Default)]
struct Grams<const N: usize> {
    /// One bit for each gram of a window, by its hash: most places of a text end here.
    bits: Vec<u64>,
    /// Bits of a hash that are left out.
    shift: u32,
    /// The grams whose bits are set, each with a bit for each place that it has in a window.
    offsets: HashMap<u64, u8, Hashed>,
    /// By window: literals, and where in them the window stands.
    windows: HashMap<u64, Vec<(u32, u32)>, Hashed>,
}

impl<const N: usize> Grams<N> {
    /// Grams of a window, and the steps in which a text may be looked at.
    const STEP: usize = N + 1 - GRAM;

    /// Literals whose window stands at this place.
    fn at(&self, text: &[u8], begin: usize) -> &[(u32, u32)] {
        let window = text.get(begin..).and_then(|rest| rest.first_chunk::<N>());
        let known = window.and_then(|window| self.windows.get(&text_hash(window)));
        known.map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, text: &[u8], literal: u32) {
        let crowd = |begin: &usize| {
            let grams = (*begin..begin + Self::STEP).filter_map(|at| gram_at(text, at));
            (
                self.at(text, *begin).len(),
                grams.map(commonness).sum::<usize>(),
            )
        };
        let begin = (0..=text.len().saturating_sub(N)).min_by_key(crowd);
        let begin = begin.unwrap_or(0);
        let Some(window) = text.get(begin..).and_then(|rest| rest.first_chunk::<N>()) else {
            return;
        };
        let offset = u32::try_from(begin).unwrap_or(u32::MAX);
        let entries = self.windows.entry(text_hash(window)).or_default();
        entries.push((literal, offset));
        for offset in 0..Self::STEP {
            let Some(gram) = gram_at(text, begin + offset) else {
                continue;
            };
            *self.offsets.entry(key(gram)).or_default() |= 1 << offset;
            // At least sixteen bits for each gram: few places of a text look like a hit.
            if self.offsets.len() * 16 > self.bits.len() * 64 {
                self.grow();
            }
            self.mark(gram);
        }
    }

    fn grow(&mut self) {
        // More where they stay in the processor's first cache.
        let wide = (self.offsets.len() * 128).min(MANY_BITS);
        let bits = (self.offsets.len() * 32).max(wide).next_power_of_two();
        self.bits = vec![0; bits / 64];
        self.shift = 32 - bits.trailing_zeros().min(31);
        let grams: Vec<u32> = self.offsets.keys().map(|key| gram_of(*key)).collect();
        grams.into_iter().for_each(|gram| self.mark(gram));
    }

    fn mark(&mut self, gram: u32) {
        let bit = spread(gram, self.shift);
        if let Some(word) = self.bits.get_mut((bit >> 6) as usize) {
            *word |= 1 << (bit & 63);
        }
    }

    fn bytes(&self) -> usize {
        self.bits.len() * 8 + self.offsets.len() * 24 + self.windows.len() * 56
    }
}

fn gram_at(text: &[u8], at: usize) -> Option<u32> {
    let bytes = text.get(at..)?.first_chunk::<GRAM>()?;
    Some(u32::from_le_bytes(*bytes))
}

#[inline]
const fn spread(gram: u32, shift: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1) >> shift
}

/// A gram as a key that is its own hash: an odd factor loses nothing and mixes the upper half, which
/// tables look at less than at the lower one.
#[inline]
const fn key(gram: u32) -> u64 {
    (gram as u64).wrapping_mul(FACTOR).rotate_left(32)
}

/// The gram of a key.
const fn gram_of(key: u64) -> u32 {
    key.rotate_left(32).wrapping_mul(INVERSE) as u32
}

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
const INVERSE: u64 = {
    // Newton's method: each step doubles the bits that are right.
    let (mut inverse, mut step) = (FACTOR, 0);
    while step < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(FACTOR.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
};
const _: () = assert!(gram_of(key(0x8765_4321)) == 0x8765_4321);

/// How common a gram is in log text, from nothing but its letters.
fn commonness(gram: u32) -> usize {
    let weight = |byte: &u8| match byte {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 4,
        b' ' | b'0' | b'1' => 3,
        b'a'..=b'z' => 2,
        _ => 1,
    };
    gram.to_le_bytes().iter().map(weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(literals: &Literals, text: &str) -> Vec<u32> {
        let mut all = Vec::new();
        literals.visit(text.as_bytes(), &mut |watches| all.extend(watches));
        all.sort_unstable();
        all.dedup();
        all
    }

    #[test]
    fn literals_of_every_length_are_found_where_they_stand() {
        let mut literals = Literals::default();
        let texts = [
            "a",
            "ab",
            "abc",
            "abcd",
            "abcdef",
            "abcdefg",
            "connection refused",
        ];
        for (number, text) in (0..).zip(texts) {
            literals.add(text.as_bytes(), false, number);
        }
        literals.add(b"start of", true, 90);
        literals.add(b"st", true, 91);
        assert_eq!(found(&literals, "xxabcdefgh"), [0, 1, 2, 3, 4, 5]);
        assert_eq!(found(&literals, "no connection refused"), [6]);
        assert_eq!(found(&literals, "start of it"), [0, 90, 91]);
        assert_eq!(found(&literals, "the start of it"), [0]);
        assert!(found(&literals, "").is_empty());
    }

    #[test]
    fn thousands_that_begin_alike_are_entered_apart() {
        let mut literals = Literals::default();
        for number in 0..2_000u32 {
            literals.add(format!("/api/v2/shop{number:04}").as_bytes(), true, number);
        }
        assert_eq!(found(&literals, "/api/v2/shop0815/cart"), [815]);
        let most = literals.long.windows.values().map(Vec::len).max();
        assert!(most <= Some(2), "{most:?}");
    }

    #[test]
    fn thousands_share_their_beginning() {
        let mut literals = Literals::default();
        for number in 0..5_000u32 {
            literals.add(
                format!("order number {number:05}").as_bytes(),
                false,
                number,
            );
        }
        assert_eq!(found(&literals, "the order number 04711 failed"), [4_711]);
    }

    proptest! {
        #[test]
        fn the_same_as_looking_for_each(
            texts in prop::collection::vec("[ab]{1,9}", 1..20),
            starts in prop::collection::vec(any::<bool>(), 20),
            line in "[abc]{0,40}",
        ) {
            let mut literals = Literals::default();
            let mut wanted = Vec::new();
            for ((number, text), start) in (0..).zip(&texts).zip(starts) {
                literals.add(text.as_bytes(), start, number);
                let holds = if start { line.starts_with(text) } else { line.contains(text) };
                if holds {
                    wanted.push(number);
                }
            }
            prop_assert_eq!(found(&literals, &line), wanted);
        }
    }
}
