//! Whether a text holds one of some literals, at about a quarter of a nanosecond a byte where it
//! holds none: of each literal four bytes that log text has least are entered into a table of bits,
//! and a text is looked at in steps of two. What passes is looked at exactly. Not a search for
//! places.

use aho_corasick::AhoCorasick;

/// Bytes of a text that are looked at at once.
const GRAM: usize = 4;
/// Of two neighbouring grams a text is looked at for one, so of a literal of so many bytes one is
/// met wherever it stands. Shorter ones are told by a byte.
const LONG: usize = GRAM + 1;
/// Words of the table, as a power of two: 4 KB. A gram has two bits of one word.
const WORD_BITS: u32 = 9;
const WORDS: usize = 1 << WORD_BITS;
/// Bytes that short literals may be told by, all at once.
const MARKS: usize = 3;
/// The bit that tells ASCII's lower-case letters from the upper-case ones.
const CASE: u32 = 0x2020_2020;

/// A set of literals.
pub struct Literals {
    grams: Grams,
    short: Short,
    exact: AhoCorasick,
}

impl Literals {
    /// `None` for a set that cannot be searched for. `ignore_case` holds for ASCII.
    pub fn new(literals: &[&str], ignore_case: bool) -> Option<Literals> {
        let exact = AhoCorasick::builder()
            .ascii_case_insensitive(ignore_case)
            .build(literals)
            .ok()?;
        let mut grams = Grams::new(if ignore_case { CASE } else { 0 });
        let mut short = Short::default();
        for literal in literals.iter().map(|literal| literal.as_bytes()) {
            match literal.len() >= LONG {
                true => grams.add(literal),
                false => short.add(literal, ignore_case),
            }
        }
        Some(Literals {
            grams,
            short,
            exact,
        })
    }

    /// Whether most texts are seen to hold none without an exact look.
    #[cfg(test)]
    pub fn are_quick(&self) -> bool {
        !self.short.always
    }

    /// Whether one of them stands in the text.
    pub fn any_in(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        (self.grams.any_in(bytes) || self.short.any_in(bytes)) && self.exact.is_match(text)
    }
}

/// Grams of literals that are long enough.
struct Grams {
    /// Two bits for each gram, by its hash.
    bits: Box<[u64; WORDS]>,
    /// The grams themselves, sorted.
    all: Vec<u32>,
    /// Bits that are set in every gram: letters of both cases are one.
    fold: u32,
}

impl Grams {
    fn new(fold: u32) -> Grams {
        Grams {
            bits: Box::new([0; WORDS]),
            all: Vec::new(),
            fold,
        }
    }

    /// Enters those two neighbours that log text has least.
    fn add(&mut self, literal: &[u8]) {
        let both = |window: &[u8]| {
            let first = window.first_chunk::<GRAM>().copied().unwrap_or_default();
            let last = window.last_chunk::<GRAM>().copied().unwrap_or_default();
            [first, last]
        };
        let often = |gram: &[u8; GRAM]| match self.all.binary_search(&self.folded(*gram)) {
            // It costs nothing more.
            Ok(_) => 0.0,
            Err(_) => gram.iter().map(|byte| share(*byte)).product::<f64>(),
        };
        let windows = literal.windows(LONG).map(both);
        let best = windows.min_by(|a, b| {
            let sum = |both: &[[u8; GRAM]; 2]| both.iter().map(often).sum::<f64>();
            sum(a).total_cmp(&sum(b))
        });
        for gram in best.into_iter().flatten() {
            let gram = self.folded(gram);
            let (word, [one, two]) = place(gram);
            self.bits[word] |= 1 << one | 1 << two;
            if let Err(at) = self.all.binary_search(&gram) {
                self.all.insert(at, gram);
            }
        }
    }

    #[inline]
    fn folded(&self, gram: [u8; GRAM]) -> u32 {
        u32::from_le_bytes(gram) | self.fold
    }

    /// Whether a gram stands in the text where a literal may have it.
    #[inline]
    fn any_in(&self, text: &[u8]) -> bool {
        let [even, odd] = steps(text);
        // Two loops, which cost less than one over both.
        let mut seen = 0;
        for gram in even {
            seen |= self.bit(*gram);
        }
        for gram in odd {
            seen |= self.bit(*gram);
        }
        seen & 1 == 1 && self.looks_like(text)
    }

    /// The lowest bit is set where both bits of the gram are.
    #[inline]
    fn bit(&self, gram: [u8; GRAM]) -> u64 {
        let (word, [one, two]) = place(self.folded(gram));
        let word = self.bits[word];
        word >> one & word >> two
    }

    /// The same without what only shares a bit.
    #[cold]
    fn looks_like(&self, text: &[u8]) -> bool {
        let grams = steps(text).into_iter().flatten();
        let mut folded = grams.map(|gram| self.folded(*gram));
        folded.any(|gram| self.all.binary_search(&gram).is_ok())
    }
}

/// The grams of a text that begin at a multiple of four, and those between them.
#[inline]
fn steps(text: &[u8]) -> [&[[u8; GRAM]]; 2] {
    let (even, _) = text.as_chunks::<GRAM>();
    let (odd, _) = text.get(GRAM / 2..).unwrap_or_default().as_chunks::<GRAM>();
    [even, odd]
}

/// The word of the table and the two bits in it that a gram has.
#[inline]
const fn place(gram: u32) -> (usize, [u32; 2]) {
    let hash = gram.wrapping_mul(0x9e37_79b1);
    let word = hash >> (32 - WORD_BITS);
    (word as usize, [hash >> 12 & 63, hash >> 17 & 63])
}

/// Literals that are too short for that, each told by the byte that log text has least.
#[derive(Default)]
struct Short {
    all: Vec<One>,
    marks: Vec<u8>,
    /// They have too many marks, or letters for them: every text is looked at exactly.
    always: bool,
}

struct One {
    text: Box<[u8]>,
    /// Where its mark stands in it.
    at: usize,
    ignore_case: bool,
}

impl Short {
    fn add(&mut self, literal: &[u8], ignore_case: bool) {
        let marks = literal.iter().enumerate();
        let marks = marks.filter(|(_, byte)| !ignore_case || !byte.is_ascii_alphabetic());
        let rarest = marks.min_by(|a, b| share(*a.1).total_cmp(&share(*b.1)));
        let Some((at, mark)) = rarest else {
            self.always = true;
            return;
        };
        if !self.marks.contains(mark) {
            self.marks.push(*mark);
        }
        self.always |= self.marks.len() > MARKS;
        self.all.push(One {
            text: Box::from(literal),
            at,
            ignore_case,
        });
    }

    #[inline]
    fn any_in(&self, text: &[u8]) -> bool {
        let stand = |at| self.all.iter().any(|one| one.stands(text, at));
        match *self.marks.as_slice() {
            _ if self.always => true,
            [] => false,
            [a] => memchr::memchr_iter(a, text).any(stand),
            [a, b] => memchr::memchr2_iter(a, b, text).any(stand),
            [a, b, c, ..] => memchr::memchr3_iter(a, b, c, text).any(stand),
        }
    }
}

impl One {
    /// Whether it stands in the text with its mark at this place.
    fn stands(&self, text: &[u8], mark: usize) -> bool {
        let found = mark
            .checked_sub(self.at)
            .and_then(|from| text.get(from..from + self.text.len()));
        found.is_some_and(|found| match self.ignore_case {
            true => found.eq_ignore_ascii_case(&self.text),
            false => *found == *self.text,
        })
    }
}

/// How often a byte stands in log text, in thousandths, about. Only the choice of grams and marks
/// rests on it.
fn share(byte: u8) -> f64 {
    match byte {
        b' ' => 120.0,
        b'e' | b't' | b'a' => 60.0,
        b'i' | b'o' | b'n' | b's' | b'r' => 50.0,
        b'd' | b'c' | b'l' => 32.0,
        b'u' | b'm' | b'p' | b'h' | b'0'..=b'9' | b'.' | b'-' | b'/' | b':' => 22.0,
        b'g' | b'f' | b'v' | b'b' | b'y' | b'w' | b',' | b'"' | b'_' | b'=' => 12.0,
        b'k' | b'x' | b'(' | b')' | b'[' | b']' => 5.0,
        b'A'..=b'Z' => 4.0,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SET: &[&str] = &["Error", "#0 ", "tack trace:", "x", "** (", "éa"];

    #[test]
    fn a_literal_is_found_wherever_it_stands() {
        let literals = Literals::new(&SET[..3], false).unwrap();
        for length in 0..40 {
            for at in 0..=length {
                for literal in &SET[..3] {
                    let text = format!("{}{literal}{}", "-".repeat(at), "-".repeat(length - at));
                    assert!(literals.any_in(&text), "{text}");
                    assert!(
                        !literals.any_in(&text.replacen(literal, "Erro", 1)),
                        "{text}"
                    );
                }
            }
        }
    }

    #[test]
    fn few_ordinary_lines_are_looked_at_exactly() {
        let literals = Literals::new(&crate::trace::grammar::NEEDLES, false).unwrap();
        assert!(literals.are_quick());
        let lines = include_str!("../../tests/corpus/plain/dpkg.log").lines();
        let (mut all, mut exact) = (0, 0);
        for line in lines.map(str::as_bytes) {
            all += 1;
            exact += usize::from(literals.grams.any_in(line) || literals.short.any_in(line));
        }
        assert!(all > 100 && exact * 20 <= all, "{exact} of {all}");
        let mixed = ["error", "Error", "x"];
        assert!(!Literals::new(&mixed, true).unwrap().are_quick());
    }

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(
            text in "([ -~]{0,12}|Error|Erro|tack trace|tack trace:|x|é|a|#0|#0 |ERROR|\\*\\* \\(){0,12}"
        ) {
            let exact = Literals::new(SET, false).unwrap();
            let plain = SET.iter().any(|literal| text.contains(literal));
            prop_assert_eq!(exact.any_in(&text), plain);
            let loose = Literals::new(SET, true).unwrap();
            let lower = text.to_ascii_lowercase();
            let plain = SET.iter().any(|l| lower.contains(&l.to_ascii_lowercase()));
            prop_assert_eq!(loose.any_in(&text), plain);
        }
    }
}
