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
        if grams.all.is_empty() {
            return;
        }
        let (bits, shift) = (grams.bits.as_slice(), grams.shift);
        let windows = text.windows(GRAM).enumerate();
        for (place, window) in windows.step_by(Grams::<N>::STEP) {
            let Some(gram) = window.first_chunk::<GRAM>() else {
                continue;
            };
            let bit = spread(u32::from_le_bytes(*gram), shift);
            let word = bits.get((bit >> 6) as usize).copied().unwrap_or(0);
            if word >> (bit & 63) & 1 == 1 {
                self.look(grams, text, place, found);
            }
        }
    }

    /// Looks at the windows of which the gram at this place may be a part.
    #[cold]
    fn look<const N: usize>(
        &self,
        grams: &Grams<N>,
        text: &[u8],
        place: usize,
        found: &mut dyn FnMut(&[u32]),
    ) {
        for before in 0..Grams::<N>::STEP {
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
    /// The grams whose bits are set.
    all: Vec<u32>,
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
        for gram in (begin..begin + Self::STEP).filter_map(|at| gram_at(text, at)) {
            self.all.push(gram);
            // At least sixteen bits for each gram: few places of a text look like a hit.
            if self.all.len() * 16 > self.bits.len() * 64 {
                self.grow();
            }
            self.mark(gram);
        }
    }

    fn grow(&mut self) {
        self.all.sort_unstable();
        self.all.dedup();
        // More where they stay in the processor's first cache.
        let wide = (self.all.len() * 128).min(MANY_BITS);
        let bits = (self.all.len() * 32).max(wide).next_power_of_two();
        self.bits = vec![0; bits / 64];
        self.shift = 32 - bits.trailing_zeros().min(31);
        let all = std::mem::take(&mut self.all);
        all.iter().for_each(|gram| self.mark(*gram));
        self.all = all;
    }

    fn mark(&mut self, gram: u32) {
        let bit = spread(gram, self.shift);
        if let Some(word) = self.bits.get_mut((bit >> 6) as usize) {
            *word |= 1 << (bit & 63);
        }
    }

    fn bytes(&self) -> usize {
        self.bits.len() * 8 + self.all.len() * 4 + self.windows.len() * 56
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
