//! Placeholders: `[email-1]`, `[email-*]`, `[withheld: 12 bytes]`. How they are written and where
//! they stand, so that what was redacted is not redacted again.

use crate::redact::class::Class;
use std::fmt::Write;
use std::ops::Range;

/// Digits of a placeholder's number. More would be a place to hide a value in.
const DIGITS: usize = 6;

/// Longest of all, in bytes.
const LONGEST: usize = 40;

pub(super) fn write(out: &mut String, class: Class, number: Option<u32>) {
    out.push('[');
    out.push_str(class.word());
    // Writing to a string does not fail.
    let _ = match number {
        Some(number) => write!(out, "-{number}"),
        None => write!(out, "-*"),
    };
    out.push(']');
}

pub(super) fn withheld(bytes: usize) -> String {
    format!("[withheld: {bytes} bytes]")
}

/// The placeholder that begins at a `[`: where it ends.
fn end_at(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?.strip_prefix('[')?;
    let near = rest.as_bytes().get(..LONGEST.min(rest.len()))?;
    let inner = rest.get(..memchr::memchr(b']', near)?)?;
    let end = from + inner.len() + 2;
    if let Some(rest) = inner.strip_prefix("withheld: ") {
        return number(rest.strip_suffix(" bytes")?, 20).then_some(end);
    }
    let is_class = |word: &str| Class::ALL.iter().any(|class| class.word() == word);
    let (word, digits) = inner.rsplit_once('-')?;
    (is_class(word) && (digits == "*" || number(digits, DIGITS))).then_some(end)
}

fn number(digits: &str, most: usize) -> bool {
    (1..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the whole text is one.
pub(super) fn is_one(text: &str) -> bool {
    end_at(text, 0) == Some(text.len())
}

/// Whether one begins there.
pub(super) fn begins_at(text: &str, from: usize) -> bool {
    end_at(text, from).is_some()
}

/// All of them, in order.
pub(super) fn all_in(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    for at in memchr::memchr_iter(b'[', text.as_bytes()) {
        if at >= from
            && let Some(end) = end_at(text, at)
        {
            found.push(at..end);
            from = end;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_here_is_one() {
        for class in Class::ALL {
            for number in [None, Some(1), Some(999_999)] {
                let mut text = String::new();
                write(&mut text, class, number);
                assert!(is_one(&text), "{text}");
            }
        }
        assert!(is_one(&withheld(usize::MAX)));
        let others = [
            "[phone-4915112345678]",
            "[email-]",
            "[email]",
            "[mail-1]",
            "[]",
            "[email-1",
            "[withheld: bytes]",
        ];
        for other in others {
            assert!(!is_one(other), "{other}");
        }
        assert_eq!(
            all_in("a [email-1] é [x] [ip-*][card-2]"),
            [2..11, 19..25, 25..33]
        );
    }
}
