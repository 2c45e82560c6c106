//! A text by byte positions, where a position beyond it is no fault: what is not there is the
//! byte 0. Runs end before an ASCII byte or before the first byte of a letter, so that what is
//! cut out is text again.

use std::cell::Cell;

/// A text that rules look at.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    bytes: &'a [u8],
    /// The line that was looked at last. Without it each value of a long line would look for its end.
    line: &'a Cell<(usize, usize)>,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str, line: &'a Cell<(usize, usize)>) -> Text<'a> {
        Text {
            text,
            bytes: text.as_bytes(),
            line,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn at(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The byte before.
    pub(super) fn before(&self, at: usize) -> u8 {
        at.checked_sub(1).map_or(0, |at| self.at(at))
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    pub(super) fn bytes(&self, from: usize, to: usize) -> &'a [u8] {
        self.bytes.get(from..to.min(self.len())).unwrap_or_default()
    }

    /// Where a run of such bytes ends.
    pub(super) fn run(&self, from: usize, is: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(|b| !is(*b)).unwrap_or(rest.len())
    }

    /// The same, but no longer than `most`.
    pub(super) fn run_to(&self, from: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes(from, from.saturating_add(most));
        from + rest.iter().position(|b| !is(*b)).unwrap_or(rest.len())
    }

    /// Where a run of such bytes that ends before `to` begins, `most` bytes back at most.
    pub(super) fn back(&self, to: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
        let head = self.bytes(to.saturating_sub(most), to);
        to - head
            .iter()
            .rev()
            .position(|b| !is(*b))
            .unwrap_or(head.len())
    }

    pub(super) fn starts(&self, at: usize, with: &str) -> bool {
        self.bytes
            .get(at..)
            .is_some_and(|rest| rest.starts_with(with.as_bytes()))
    }

    /// The same for ASCII of either case.
    pub(super) fn starts_loose(&self, at: usize, with: &str) -> bool {
        let near = self.bytes(at, at + with.len());
        near.eq_ignore_ascii_case(with.as_bytes())
    }

    /// Where the line ends.
    pub(super) fn line_end(&self, from: usize) -> usize {
        let (start, end) = self.line.get();
        if start <= from && from <= end && end > 0 {
            return end;
        }
        let rest = self.bytes.get(from..).unwrap_or_default();
        let end = from + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        self.line.set((from, end));
        end
    }

    /// The text of at most so many bytes before, in lower case, of the same line.
    pub(super) fn context(&self, to: usize, most: usize) -> String {
        let near = self.bytes(to.saturating_sub(most), to);
        let start = near
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        let near = near.get(start..).unwrap_or_default();
        String::from_utf8_lossy(near).to_ascii_lowercase()
    }
}

pub(super) fn alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// A letter, digit or `_`, also beyond ASCII.
pub(super) fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

pub(super) fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// Base64 in either alphabet, without its padding.
pub(super) fn base64(byte: u8) -> bool {
    alnum(byte) || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

pub(super) fn base64url(byte: u8) -> bool {
    alnum(byte) || matches!(byte, b'-' | b'_')
}

pub(super) fn hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}
