//! Bytes of log lines as text that reads well: valid, without colours, without the newline at the
//! end, bounded. What the text means is for others.

use crate::record::ansi;
use crate::record::document;
use std::borrow::Cow;

/// At most `limit` bytes of a text, whole characters.
pub(super) fn head(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
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
