//! Bytes of log lines as text that reads well: valid, without colours, without the newline at the
//! end, bounded. What the text means is for others.

use crate::record::ansi;
use crate::record::document;
use std::borrow::Cow;

/// At most `limit` bytes of a text, whole characters.
pub(super) fn head(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// Whether all bytes are ASCII, eight at once: most texts are short, for which the standard
/// library's look at each byte costs more.
#[inline]
pub(super) fn is_ascii(bytes: &[u8]) -> bool {
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let Some(last) = bytes.last_chunk::<8>() else {
        return match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                (u32::from_le_bytes(*first) | u32::from_le_bytes(*last)) & HIGHS as u32 == 0
            }
            _ => bytes.iter().all(u8::is_ascii),
        };
    };
    let (words, _) = bytes.as_chunks::<8>();
    let word = |all, word: &[u8; 8]| all | u64::from_le_bytes(*word);
    words.iter().fold(u64::from_le_bytes(*last), word) & HIGHS == 0
}

/// Bytes as text; what is not UTF-8 is replaced. Looks at whole words first, since nearly all text
/// is valid.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// Bytes of a log line as text: valid, without colours, without the newline at the end, and out
/// of the string that it may be wrapped in.
pub(super) fn clean(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    let text = match bytes {
        Cow::Borrowed(bytes) => text(bytes),
        Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(wrong) => String::from_utf8_lossy(wrong.as_bytes()).into_owned(),
        }),
    };
    let text = match text {
        Cow::Borrowed(text) => clean_text(text),
        Cow::Owned(text) => match clean_text(&text) {
            Cow::Borrowed(same) if same.len() == text.len() => Cow::Owned(text),
            other => Cow::Owned(other.into_owned()),
        },
    };
    match document::decode_line(&text) {
        Some(decoded) => Cow::Owned(decoded),
        None => text,
    }
}

pub(super) fn clean_text(text: &str) -> Cow<'_, str> {
    ansi::strip(text.trim_end_matches(['\n', '\r']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ascii_is_what_the_standard_library_calls_so(
            text in "[a-z]{0,40}",
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = text.into_bytes();
            prop_assert!(is_ascii(&bytes));
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                prop_assert_eq!(is_ascii(&bytes), byte.is_ascii());
            }
        }
    }
}
