//! Whether a text holds one of some literals, at about a nanosecond a byte where it holds none:
//! four bytes of each literal, those that log text has least, are looked for first, all at once
//! and with a table look-up a byte. What passes is looked at exactly. Not a search for places.

use aho_corasick::AhoCorasick;

/// Literals that share a bit of the table.
const GROUPS: usize = 16;
/// Bytes of a literal that are looked for first.
const WINDOW: usize = 4;
/// Pieces of a text that are read side by side, since a step waits for the one before.
const LANES: usize = 4;
/// A literal of one group ends here.
const ENDS: u64 = u64::MAX << (GROUPS * (WINDOW - 1));
/// In every group a literal may begin anywhere.
const BEGINS: u64 = (1 << GROUPS) - 1;

/// A set of literals.
pub struct Literals {
    /// For each byte one bit for each place in the window and each group.
    table: Box<[u64; 256]>,
    exact: AhoCorasick,
}

impl Literals {
    /// `None` for a set that cannot be searched for. `ignore_case` holds for ASCII.
    pub fn new(literals: &[&str], ignore_case: bool) -> Option<Literals> {
        let exact = AhoCorasick::builder()
            .ascii_case_insensitive(ignore_case)
            .build(literals)
            .ok()?;
        let mut groups = Groups::default();
        for literal in literals {
            groups.add(literal.as_bytes());
        }
        Some(Literals {
            table: groups.table(ignore_case),
            exact,
        })
    }

    /// Whether one of them stands in the text.
    pub fn any_in(&self, text: &str) -> bool {
        self.may_be_in(text.as_bytes()) && self.exact.is_match(text)
    }

    fn step(&self, state: u64, byte: u8) -> u64 {
        (state << GROUPS | BEGINS) & self.table[usize::from(byte)]
    }

    /// Whether the window of a literal stands in the text; a group mixes its literals, so it may
    /// say so where none does.
    fn may_be_in(&self, text: &[u8]) -> bool {
        // Four pieces of one length; each goes into the next as far as a window does.
        let step = text.len().saturating_sub(WINDOW - 1).div_ceil(LANES);
        let length = (step + WINDOW - 1).min(text.len());
        let piece = |from: usize| text.get(from..from + length).unwrap_or_default();
        let (first, second, third) = (piece(0), piece(step), piece(2 * step));
        let last = piece(text.len() - length);
        if second.len() < length || third.len() < length {
            return self.may_be_in_short(text, 0, 0);
        }
        let (mut states, mut seen) = ([0; LANES], 0);
        for (((a, b), c), d) in first.iter().zip(second).zip(third).zip(last) {
            states = [
                self.step(states[0], *a),
                self.step(states[1], *b),
                self.step(states[2], *c),
                self.step(states[3], *d),
            ];
            seen |= states[0] | states[1] | states[2] | states[3];
        }
        self.may_be_in_short(&[], states[3], seen)
    }

    /// One byte after the other, and what stands at the end of the text.
    fn may_be_in_short(&self, text: &[u8], mut state: u64, mut seen: u64) -> bool {
        for byte in text.iter().chain(&[0; WINDOW - 1]) {
            state = self.step(state, *byte);
            seen |= state;
        }
        seen & ENDS != 0
    }
}

/// How often a byte stands in log text, in thousandths, about. Only the choice of windows rests
/// on it.
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

/// Bytes at each place of the windows of one group; all, where a literal is shorter.
#[derive(Clone)]
struct Group {
    places: [[bool; 256]; WINDOW],
    /// How much of log text the bytes of a place are.
    shares: [f64; WINDOW],
}

impl Group {
    /// How often one of its windows stands at a place of log text, about, without and with one
    /// window more.
    fn grown(&self, window: &[u8]) -> (f64, f64) {
        let (mut now, mut then) = (1.0, 1.0);
        for (at, (place, own)) in self.places.iter().zip(self.shares).enumerate() {
            now *= own;
            then *= match window.get(at) {
                Some(byte) if place[usize::from(*byte)] => own,
                Some(byte) => own + share(*byte) / 1_000.0,
                None => 1.0,
            };
        }
        (now, then)
    }

    fn add(&mut self, window: &[u8]) {
        for (at, (place, own)) in self.places.iter_mut().zip(&mut self.shares).enumerate() {
            match window.get(at) {
                Some(byte) if place[usize::from(*byte)] => {}
                Some(byte) => {
                    place[usize::from(*byte)] = true;
                    *own += share(*byte) / 1_000.0;
                }
                None => {
                    place.fill(true);
                    *own = 1.0;
                }
            }
        }
    }
}

struct Groups(Vec<Group>);

impl Default for Groups {
    fn default() -> Groups {
        let empty = Group {
            places: [[false; 256]; WINDOW],
            shares: [0.0; WINDOW],
        };
        Groups(vec![empty; GROUPS])
    }
}

impl Groups {
    /// Adds a literal with the window, and to the group, that lets through least.
    fn add(&mut self, literal: &[u8]) {
        let mut best: Option<(f64, usize, &[u8])> = None;
        for window in literal.windows(WINDOW.min(literal.len()).max(1)) {
            for (number, group) in self.0.iter().enumerate() {
                let (now, then) = group.grown(window);
                if best.is_none_or(|(least, ..)| then - now < least) {
                    best = Some((then - now, number, window));
                }
            }
        }
        if let Some((_, number, window)) = best
            && let Some(group) = self.0.get_mut(number)
        {
            group.add(window);
        }
    }

    fn table(&self, ignore_case: bool) -> Box<[u64; 256]> {
        let mut table = Box::new([0; 256]);
        for (number, group) in self.0.iter().enumerate() {
            for (at, place) in group.places.iter().enumerate() {
                let bit = 1 << (at * GROUPS + number);
                for (byte, _) in (0..=u8::MAX).zip(place).filter(|(_, set)| **set) {
                    table[usize::from(byte)] |= bit;
                    if ignore_case {
                        table[usize::from(byte.to_ascii_uppercase())] |= bit;
                        table[usize::from(byte.to_ascii_lowercase())] |= bit;
                    }
                }
            }
        }
        table
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
