//! What each byte can be in a log line, and the hash that signatures and ids are made of. Not
//! here: what a whole word means (`mask`).

/// Separates tokens and is not one: blanks and control characters.
pub(super) const BLANK: u16 = 1;
/// May stand in a word.
pub(super) const WORDY: u16 = 1 << 1;
pub(super) const DIGIT: u16 = 1 << 2;
pub(super) const UPPER: u16 = 1 << 3;
/// Lower-case letters, and every byte above ASCII.
pub(super) const LOWER: u16 = 1 << 4;
/// A letter that is no hexadecimal digit, or any sign.
pub(super) const NOT_HEX: u16 = 1 << 5;
pub(super) const DOT: u16 = 1 << 6;
pub(super) const SLASH: u16 = 1 << 7;
pub(super) const BACKSLASH: u16 = 1 << 8;
pub(super) const AT: u16 = 1 << 9;
/// `+`, `%`.
pub(super) const SIGN: u16 = 1 << 10;

pub(super) const LETTER: u16 = UPPER | LOWER;

const fn class(byte: u8) -> u16 {
    match byte {
        0..=b' ' | 0x7f => BLANK,
        b'0'..=b'9' => WORDY | DIGIT,
        b'A'..=b'F' => WORDY | UPPER,
        b'G'..=b'Z' => WORDY | UPPER | NOT_HEX,
        b'a'..=b'f' => WORDY | LOWER,
        b'g'..=b'z' | 0x80.. => WORDY | LOWER | NOT_HEX,
        b'.' => WORDY | NOT_HEX | DOT,
        b'/' => WORDY | NOT_HEX | SLASH,
        b'\\' => WORDY | NOT_HEX | BACKSLASH,
        b'@' => WORDY | NOT_HEX | AT,
        b'_' | b'-' | b'$' => WORDY | NOT_HEX,
        b'+' | b'%' => WORDY | NOT_HEX | SIGN,
        _ => 0,
    }
}

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = class(byte as u8);
        byte += 1;
    }
    table
}

static CLASS: [u16; 256] = table();

/// What the byte can be.
#[inline]
pub(super) fn of(byte: u8) -> u16 {
    CLASS[usize::from(byte)]
}

/// What the byte at `at` can be; past the end it is blank.
#[inline]
pub(super) fn at(line: &[u8], at: usize) -> u16 {
    line.get(at).map_or(BLANK, |byte| of(*byte))
}

/// What any byte of a word can be.
pub(super) fn all_of(word: &[u8]) -> u16 {
    word.iter().fold(0, |flags, byte| flags | of(*byte))
}

/// With how many ASCII letters a text begins, and whether one of them is no hexadecimal digit;
/// eight bytes at once.
#[inline]
pub(super) fn letters(text: &[u8]) -> (usize, bool) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    // The high bit of each byte from `least` on; both are ASCII.
    let from = |bytes: u64, least: u8| bytes + ONES * u64::from(0x80 - least);
    let (mut length, mut not_hex) = (0, false);
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let lower = (word | ONES << 5) & !HIGHS;
        let others = (!from(lower, b'a') | from(lower, b'z' + 1) | word) & HIGHS;
        let own = others.trailing_zeros() / 8;
        let letters = 1_u64.checked_shl(own * 8).map_or(u64::MAX, |end| end - 1);
        not_hex |= from(lower, b'g') & HIGHS & letters != 0;
        length += own as usize;
        if own < 8 {
            return (length, not_hex);
        }
    }
    for byte in rest {
        if !byte.is_ascii_alphabetic() {
            break;
        }
        not_hex |= of(*byte) & NOT_HEX != 0;
        length += 1;
    }
    (length, not_hex)
}

/// With how many digits a text begins.
#[inline]
pub(super) fn digits(text: &[u8]) -> usize {
    let other = text.iter().position(|byte| !byte.is_ascii_digit());
    other.unwrap_or(text.len())
}

/// How long the word is that a text begins with, and what any byte of it can be.
#[inline]
pub(super) fn word(text: &[u8]) -> (usize, u16) {
    let mut flags = 0;
    for (at, byte) in text.iter().enumerate() {
        let class = of(*byte);
        if class & WORDY == 0 {
            return (at, flags);
        }
        flags |= class;
    }
    (text.len(), flags)
}

// The fractional digits of the square roots of 2 and 3: numbers with nothing up their sleeve.
const FIRST: u64 = 0x6a09_e667_f3bc_c909;
const SECOND: u64 = 0xbb67_ae85_84ca_a73b;

/// Joins a value to a hash. The same on every host and in every run, so that ids are.
#[inline]
pub(super) fn join(hash: u64, value: u64) -> u64 {
    let wide = u128::from(hash ^ FIRST) * u128::from(value ^ SECOND);
    (wide as u64) ^ ((wide >> 64) as u64) ^ hash.rotate_left(23)
}

/// The hash of a word: eight bytes at a time, the last of them once more where they do not fill.
#[inline]
pub(super) fn hash(word: &[u8]) -> u64 {
    let mut hash = word.len() as u64;
    if let Some(last) = word.last_chunk::<8>() {
        let mut rest = word;
        while let Some((eight, after)) = rest.split_first_chunk::<8>() {
            hash = join(hash, u64::from_le_bytes(*eight));
            rest = after;
        }
        if rest.is_empty() {
            return hash;
        }
        return join(hash, u64::from_le_bytes(*last));
    }
    join(hash, short(word))
}

/// Up to seven bytes as one number.
#[inline]
fn short(word: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (word.first_chunk::<4>(), word.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    }
    let middle = word.get(word.len() / 2).copied().unwrap_or(0);
    let first = word.first().copied().unwrap_or(0);
    let last = word.last().copied().unwrap_or(0);
    u64::from(first) | u64::from(middle) << 8 | u64::from(last) << 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn letters_are_counted_as_one_by_one(
            text in "[a-gA-GyzYZ]{0,18}[`@\\[{ 0é\u{7f}-]?[a-z]{0,9}",
            bytes in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            for text in [text.as_bytes(), &bytes] {
                let own = text.iter().take_while(|byte| byte.is_ascii_alphabetic());
                let not_hex = own.clone().any(|byte| !byte.is_ascii_hexdigit());
                prop_assert_eq!(letters(text), (own.count(), not_hex));
            }
        }
    }

    #[test]
    fn hashes_are_the_same_on_every_host() {
        assert_eq!(hash(b"session"), hash(b"session"));
        assert_ne!(hash(b"session"), hash(b"sessions"));
        assert_ne!(hash(b"abcdefgh"), hash(b"abcdefgh\0"));
        assert_ne!(join(1, 2), join(2, 1));
    }
}
