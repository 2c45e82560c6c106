//! Private keys as blocks: PEM, OpenSSH, PGP, PuTTY, over lines or with `\n` written out. Not
//! certificates or public keys.

use crate::redact::class::Class;
use crate::redact::cursor::{Text, base64, blank};
use crate::redact::redactor::Search;

/// Longest label, such as `ENCRYPTED PRIVATE KEY`.
const LABEL: usize = 60;

pub(super) fn at(search: &mut Search<'_>, from: usize) {
    let text = search.text;
    if text.starts_loose(from, "putty-user-key-file") {
        return putty(search, from);
    }
    let label = text.run_to(from + "-----begin".len(), LABEL, |b| {
        b.is_ascii_alphanumeric() || b == b' '
    });
    if !text
        .slice(from, label)
        .to_ascii_uppercase()
        .contains("PRIVATE KEY")
    {
        return;
    }
    let body = text.run_to(label, 5, |b| b == b'-');
    let rest = text.slice(body, text.len());
    // A block that is cut off ends where its letters do.
    let found = rest.find("-----END");
    // Also where it is not found: a text of beginnings alone would take the square of its length.
    let _ = search.spent(found.unwrap_or(rest.len()));
    let end = match found {
        Some(end) if !rest.get(..end).unwrap_or_default().contains("-----BEGIN") => {
            let label = text.run_to(body + end + 8, LABEL, |b| {
                b.is_ascii_alphanumeric() || b == b' '
            });
            text.run_to(label, 5, |b| b == b'-')
        }
        _ => body_end(text, body),
    };
    let _ = search.spent(end.saturating_sub(body));
    search.add(from, end, Class::PrivateKey);
}

/// Where base64, headers, and ends of lines in any way of writing them end.
fn body_end(text: Text<'_>, from: usize) -> usize {
    text.run(from, |b| {
        base64(b) || blank(b) || matches!(b, b'=' | b'\n' | b'\r' | b'\\' | b':' | b',' | b'.')
    })
}

/// The lines after `Private-Lines:`, and the line with the hash.
fn putty(search: &mut Search<'_>, from: usize) {
    let text = search.text;
    let rest = text.slice(from, text.len());
    let Some(lines) = rest.find("Private-Lines:") else {
        return;
    };
    let start = from + lines + "Private-Lines:".len();
    let end = rest.find("Private-MAC").map_or(text.len(), |at| from + at);
    let _ = search.spent(text.len() - from);
    search.add(start.min(end), end, Class::PrivateKey);
}
