//! Takes terminal escapes out of log text, so that a coloured line reads as a plain one. Not for
//! printing safely: other control characters stay.

use std::borrow::Cow;

const ESCAPE: u8 = 0x1b;

/// The text without escape sequences (colours, cursor moves, titles, hyperlinks); borrowed where
/// there are none.
pub fn strip(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(ESCAPE, text.as_bytes()) else {
        return Cow::Borrowed(text);
    };
    let mut clean = String::with_capacity(text.len());
    let (plain, mut rest) = text.split_at(first);
    clean.push_str(plain);
    while !rest.is_empty() {
        let end = sequence_end(rest.as_bytes());
        rest = rest.get(end..).unwrap_or_default();
        let next = memchr::memchr(ESCAPE, rest.as_bytes()).unwrap_or(rest.len());
        let (plain, left) = rest.split_at(next);
        clean.push_str(plain);
        rest = left;
    }
    Cow::Owned(clean)
}

/// Length of the escape sequence that `bytes` begins with. A sequence that does not end is only
/// its introducer, so that one stray byte cannot swallow a line.
fn sequence_end(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        Some(b'[') => {
            let body = bytes.get(2..).unwrap_or_default();
            let parameters = |b: &u8| matches!(b, 0x20..=0x3f);
            let length = body.iter().take_while(|b| parameters(b)).count();
            match body.get(length) {
                Some(0x40..=0x7e) => length + 3,
                _ => 2,
            }
        }
        Some(b']' | b'P' | b'_' | b'^') => {
            let body = bytes.get(2..).unwrap_or_default();
            match memchr::memchr2(0x07, ESCAPE, body) {
                Some(at) if body.get(at) == Some(&0x07) => at + 3,
                Some(at) if body.get(at + 1) == Some(&b'\\') => at + 4,
                _ => 2,
            }
        }
        Some(b'(' | b')') if bytes.get(2).is_some_and(u8::is_ascii) => 3,
        Some(0x20..=0x7e) => 2,
        _ => 1,
    }
}
