//! One pass over the bytes of a line: what is left when every value is masked. Nothing is
//! allocated. The fast way ([`signature`]) and the slow one ([`tokens`]) run the same code, so
//! that they agree. Not here: which words are values (`mask`).

use super::bytes::{self, AT, BACKSLASH, BLANK, DIGIT, DOT, LETTER, NOT_HEX, SLASH, WORDY};
use super::mask;

/// Bytes of a line that are read; what follows counts as one value.
pub(super) const LINE_BYTES: usize = 2048;
/// Tokens of a line; what follows counts as one value.
pub(super) const LINE_TOKENS: usize = 128;

/// The hash that stands for a value in a signature.
pub(super) const VALUE: u64 = 1;

/// Bytes that make a word something else than letters.
const NO_LETTERS: u16 = DIGIT | DOT | SLASH | BACKSLASH | AT;

/// What is left of a piece of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A value, whatever it was.
    Value,
    Word,
    /// A single sign.
    Mark,
}

/// A piece of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether a blank stood before it.
    pub(super) blank: bool,
    /// Says the same as another token's if both say the same.
    pub(super) hash: u64,
}

trait Sink {
    fn take(&mut self, token: Token);
}

struct Signature(u64);

impl Sink for Signature {
    #[inline]
    fn take(&mut self, token: Token) {
        self.0 = bytes::join(self.0, token.hash);
    }
}

impl Sink for Vec<Token> {
    fn take(&mut self, token: Token) {
        self.push(token);
    }
}

/// The signature of a line: the same for lines that differ in values only.
#[inline]
pub(super) fn signature(line: &str) -> u64 {
    let mut sink = Signature(0);
    Scanner::new(line, &mut sink).run();
    sink.0
}

/// The line's tokens, and its signature again.
pub(super) fn tokens(line: &str, into: &mut Vec<Token>) {
    into.clear();
    Scanner::new(line, into).run();
}

/// What stands for a word in a signature: a full stop after it makes it no other word.
#[inline]
pub(super) fn word_hash(word: &[u8]) -> u64 {
    bytes::hash(mask::without_stop(word))
}

/// The same for a sign.
#[inline]
pub(super) fn mark_hash(byte: u8) -> u64 {
    u64::from(byte) << 8 | 2
}

struct Scanner<'a, S> {
    line: &'a [u8],
    at: usize,
    sink: &'a mut S,
    /// Tokens given to the sink.
    count: usize,
    /// A blank was passed since the last token.
    blank: bool,
    /// Last byte read that is no blank.
    before: u8,
    /// The last token was a value.
    after_value: bool,
    /// A sign after a value, which goes if another value follows: lists are one value.
    held: Option<Token>,
    /// The line is longer than what is read of it.
    cut: bool,
}

impl<'a, S: Sink> Scanner<'a, S> {
    fn new(line: &'a str, sink: &'a mut S) -> Scanner<'a, S> {
        Scanner {
            line: readable(line),
            at: 0,
            sink,
            count: 0,
            blank: false,
            before: 0,
            after_value: false,
            held: None,
            cut: line.len() > LINE_BYTES,
        }
    }

    #[inline]
    fn run(mut self) {
        while let Some(byte) = self.line.get(self.at) {
            let class = bytes::of(*byte);
            if class & BLANK != 0 {
                self.blank = true;
                self.at += 1;
            } else if self.count >= LINE_TOKENS {
                self.cut = true;
                break;
            } else if class & WORDY != 0 {
                self.word();
            } else {
                self.sign(*byte);
            }
        }
        if self.cut {
            self.value(self.at, self.line.len());
        }
        self.flush();
    }

    #[inline]
    fn word(&mut self) {
        let start = self.at;
        let rest = self.line.get(start..).unwrap_or_default();
        // Most words are letters and no more, and most others are numbers.
        let (letters, not_hex) = bytes::letters(rest);
        let mut length = letters;
        if !(not_hex && ends_word(rest, letters) && self.ordinary(rest, letters)) {
            let digits = if letters == 0 { bytes::digits(rest) } else { 0 };
            if digits > 0 && matches!(rest.get(digits), None | Some(b' ')) {
                return self.value(start, start + digits);
            }
            let flags;
            (length, flags) = bytes::word(rest);
            let tame = is_tame(rest, length);
            let plain = tame && flags & NO_LETTERS == 0 && flags & NOT_HEX != 0;
            if !(plain && self.ordinary(rest, length)) {
                if tame && digits > 0 && flags & DOT == 0 {
                    return self.value(start, start + length);
                }
                return self.odd_word(start, start + length, flags);
            }
        }
        let word = rest.get(..length).unwrap_or_default();
        self.give(Kind::Word, start, start + length, bytes::hash(word));
        self.passed(start + length);
    }

    /// Whether no rule for single words can have anything to say about these letters: no name of
    /// a month, unit, or word for "no value".
    #[inline]
    fn ordinary(&self, rest: &[u8], length: usize) -> bool {
        let first = rest.first().copied().unwrap_or(0);
        let date = length == 3 && first.is_ascii_uppercase();
        let unit = self.after_value && length <= 5;
        let absent = matches!(first, b'n' | b'N' | b'u') && bytes::of(self.before) & WORDY == 0;
        let sign = !(first.is_ascii_alphabetic() || first >= 0x80);
        !(date || unit || absent || sign) && length < 80
    }

    fn odd_word(&mut self, start: usize, end: usize, mut flags: u16) {
        let mut end = end;
        if flags & DOT != 0 {
            let whole = end;
            end = self.before_dots(start, end);
            if end < whole {
                flags = bytes::all_of(self.line.get(start..end).unwrap_or_default());
            }
        }
        if flags & (LETTER | DIGIT) == 0 {
            let byte = self.line.get(start).copied().unwrap_or(b'.');
            return self.mark(byte, start, end);
        }
        let group = flags & NOT_HEX == 0 && end - start <= 4;
        if group && self.held.is_some_and(|held| held.hash == mark_hash(b':')) {
            return self.value(start, end);
        }
        match mask::end_of_value(self.line, start, end, flags, self.before) {
            Some(end) => self.value(start, end),
            None => self.plain(start, end),
        }
    }

    /// Two dots or more end a word: `exception.....0`.
    fn before_dots(&self, start: usize, end: usize) -> usize {
        let word = self.line.get(start..end).unwrap_or_default();
        let mut last = 0;
        let twice = word.iter().position(|byte| {
            let twice = *byte == b'.' && last == b'.';
            last = *byte;
            twice
        });
        match twice.map(|at| at - 1) {
            Some(0) if word.starts_with(b"../") => end,
            Some(0) => start + word.iter().take_while(|b| **b == b'.').count(),
            Some(at) => start + at,
            None => end,
        }
    }

    fn plain(&mut self, start: usize, end: usize) {
        let word = self.line.get(start..end).unwrap_or_default();
        if self.after_value && self.held.is_none() && word.len() <= 5 {
            let unit = mask::is_unit(word);
            if unit || word == b"bytes" || word == b"byte" {
                let after = mask::restated(self.line, end).unwrap_or(end);
                if !unit {
                    self.give(Kind::Word, start, end, word_hash(word));
                }
                return self.passed(after);
            }
        }
        self.give(Kind::Word, start, end, word_hash(word));
        self.passed(end);
    }

    #[inline]
    fn sign(&mut self, byte: u8) {
        let start = self.at;
        let next = self.line.get(start + 1).copied().unwrap_or(b' ');
        let tame = matches!(
            byte,
            b'=' | b',' | b';' | b')' | b']' | b'}' | b'|' | b'!' | b'#'
        );
        if (tame || byte == b':') && next != byte {
            return self.mark(byte, start, start + 1);
        }
        self.odd_sign(byte, start, next);
    }

    fn odd_sign(&mut self, byte: u8, start: usize, next: u8) {
        match byte {
            b'"' | b'\'' | b'`' => {
                if let Some(end) = mask::quoted(self.line, start) {
                    return self.value(start, end);
                }
            }
            // Already masked, or less than a number.
            b'<' if self.line.get(start..start + 3) == Some(b"<*>") => {
                return self.value(start, start + 3);
            }
            b'<' | b'>' if next.is_ascii_digit() && self.blank => {
                return self.passed(start + 1);
            }
            // No value is a value too, but for the brackets of a call.
            b'(' | b'[' | b'{' | b'<' if next == closing(byte) && self.starts_value() => {
                self.mark(byte, start, start + 1);
                return self.value(start + 1, start + 1);
            }
            b':' if next == b':' => {
                if let Some(end) = self.double_colon(start) {
                    return self.value(start, end);
                }
            }
            _ => {}
        }
        let rest = self.line.get(start..).unwrap_or_default();
        let same = rest.iter().take_while(|b| **b == byte).count();
        self.mark(byte, start, start + same);
    }

    /// `::` by itself, or at the start of an IPv6 address.
    fn double_colon(&self, start: usize) -> Option<usize> {
        let alone = self.blank && bytes::at(self.line, start + 2) & BLANK != 0;
        let address = mask::colons(self.line, start);
        address.or(alone.then_some(start + 2))
    }

    fn starts_value(&self) -> bool {
        self.blank || self.count == 0 || matches!(self.before, b'=' | b':' | b',')
    }

    #[inline]
    fn mark(&mut self, byte: u8, start: usize, end: usize) {
        let hash = mark_hash(byte);
        if self.after_value && self.held.is_none() && self.may_join(byte, end) {
            self.held = Some(Token {
                kind: Kind::Mark,
                start,
                end,
                blank: self.blank,
                hash,
            });
            self.blank = false;
        } else {
            self.give(Kind::Mark, start, end, hash);
        }
        self.passed(end);
    }

    /// Whether the sign can stand between the parts of one value: with blanks after it in a
    /// list, without any in the others.
    fn may_join(&self, byte: u8, end: usize) -> bool {
        let tight = !self.blank && bytes::at(self.line, end) & BLANK == 0;
        match byte {
            b',' | b';' | b'|' => true,
            b':' | b'#' | b'*' | b'~' | b'&' | b'^' | b'-' | b'.' => tight,
            _ => false,
        }
    }

    #[inline]
    fn value(&mut self, start: usize, end: usize) {
        if self.after_value {
            self.held = None;
            self.blank = false;
        } else {
            self.give(Kind::Value, start, end, VALUE);
            self.after_value = true;
        }
        self.passed(end);
    }

    #[inline]
    fn give(&mut self, kind: Kind, start: usize, end: usize, hash: u64) {
        self.flush();
        self.sink.take(Token {
            kind,
            start,
            end,
            blank: self.blank,
            hash,
        });
        self.count += 1;
        self.blank = false;
        self.after_value = false;
    }

    #[inline]
    fn flush(&mut self) {
        if let Some(token) = self.held.take() {
            self.sink.take(token);
            self.count += 1;
        }
    }

    #[inline]
    fn passed(&mut self, end: usize) {
        self.before = self.line.get(end.wrapping_sub(1)).copied().unwrap_or(0);
        self.at = end;
    }
}

/// Whether so many bytes are a whole word that what follows cannot make a part of something else.
#[inline]
fn ends_word(rest: &[u8], length: usize) -> bool {
    match rest.get(length) {
        None | Some(b' ') => true,
        Some(next) => bytes::of(*next) & WORDY == 0 && is_tame(rest, length),
    }
}

/// Whether what follows a word cannot make it a part of something else.
#[inline]
fn is_tame(rest: &[u8], length: usize) -> bool {
    match rest.get(length).copied().unwrap_or(b' ') {
        b':' => !matches!(rest.get(length + 1), Some(b'/' | b'\\')),
        b'[' | b'?' => false,
        _ => true,
    }
}

/// The bytes of a line that are read. A longer line is cut at a blank, where there is one: half
/// a word is another word.
#[inline]
fn readable(line: &str) -> &[u8] {
    if line.len() <= LINE_BYTES {
        return line.as_bytes();
    }
    let head = line
        .get(..line.floor_char_boundary(LINE_BYTES))
        .unwrap_or_default();
    let words = head.rfind(' ').and_then(|at| head.get(..at));
    words.unwrap_or(head).as_bytes()
}

fn closing(bracket: u8) -> u8 {
    match bracket {
        b'(' => b')',
        b'[' => b']',
        b'{' => b'}',
        _ => b'>',
    }
}
