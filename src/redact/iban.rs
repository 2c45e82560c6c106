//! International bank account numbers, by their length and checksum, together or in groups.

use crate::redact::class::Class;
use crate::redact::cursor::{Text, alnum};
use crate::redact::redactor::Search;

const LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VG", 24),
    ("XK", 20),
];

/// A country's letters and two digits begin there. Says whether an account does.
pub(super) fn at(search: &mut Search<'_>, from: usize) -> bool {
    let text = search.text;
    let country = text.slice(from, from + 2).to_ascii_uppercase();
    let Some((_, length)) = LENGTHS.iter().find(|(code, _)| *code == country) else {
        return false;
    };
    let Some((account, end)) = gathered(text, from, *length) else {
        return false;
    };
    if !checks(&account) {
        return false;
    }
    search.add(from, end, Class::Iban);
    true
}

/// Letters and digits, with single spaces or hyphens between groups.
fn gathered(text: Text<'_>, from: usize, length: usize) -> Option<(Vec<u8>, usize)> {
    let mut account = Vec::with_capacity(length);
    let mut at = from;
    while account.len() < length {
        let byte = text.at(at);
        match byte {
            _ if alnum(byte) => account.push(byte.to_ascii_uppercase()),
            b' ' | b'-' if alnum(text.at(at + 1)) => {}
            _ => return None,
        }
        at += 1;
    }
    (!alnum(text.at(at))).then_some((account, at))
}

fn checks(account: &[u8]) -> bool {
    let turned = account.iter().skip(4).chain(account.iter().take(4));
    let rest = turned.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    rest == 1
}
