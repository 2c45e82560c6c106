//! Whether what stands in a secret's place is one: not a placeholder of somebody else, a
//! variable, code that fetches it, a word of prose or nothing.

use crate::redact::class::Class;
use crate::redact::code::is_code;
use crate::redact::extent::{Extent, Sign};
use crate::redact::name::{Judgement, Sureness};
use crate::redact::stand_in::{is_reference, stands_for_another};
use crate::redact::{placeholder, random};

/// Words that stand where a value would, of no secret.
const NOT_VALUES: &str = "null nil none undefined true false yes no on off empty n/a na unset redacted masked \
    hidden filtered removed scrubbed omitted sanitized protected nan nothing string str int \
    integer bool boolean any bytes varchar text object buffer char required optional missing \
    invalid valid expired incorrect wrong changed updated reset ok failed failure success \
    accepted rejected denied mismatch error unknown unauthorized disabled enabled present \
    absent set not must is are was has the a an for cannot could should too authentication \
    bad blank authorization revoked weak unexpected malformed function default this self new \
    await can't does may your our please method publickey password keyboard-interactive used \
    generated rotated created deleted refreshed loaded configured provided found not_found \
    bearer basic cleared see using from with and or to in of at by if when only validation \
    verification";

pub(super) fn is_secret(value: &str, extent: &Extent, judged: Judgement) -> bool {
    let quoted = extent.quoted;
    if !value
        .bytes()
        .any(|b| b.is_ascii_alphanumeric() || b >= 0x80)
        && value.len() < 6
    {
        return false;
    }
    if stands_for_another(value) || placeholder::is_one(value) || is_reference(value) {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    // Between quotes behind a quoted name any word is a value.
    let data = quoted && extent.name_quoted;
    let listed = listed(&lower);
    if listed
        && !(data
            && judged.class == Class::Password
            && matches!(lower.as_str(), "password" | "reset" | "default"))
    {
        return false;
    }
    if !quoted && is_code(value, extent) {
        return false;
    }
    match judged.sureness {
        Sureness::Sure => sure(value, extent, judged.class),
        Sureness::Likely => likely(value, extent, judged),
        Sureness::Drawn => in_query(value, extent) || random::mixed(value) && !value.contains('.'),
        Sureness::Digits => {
            (3..=8).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit())
        }
        Sureness::Header => true,
    }
}

/// A signature or key of a query, with its signs encoded.
fn in_query(value: &str, extent: &Extent) -> bool {
    extent.query && {
        let plain = ["%2B", "%2F", "%3D", "%2b", "%2f", "%3d"];
        let plain = plain
            .iter()
            .fold(value.to_owned(), |text, sign| text.replace(sign, "+"));
        random::drawn(&plain) && !random::is_uuid(value) && !value.contains('.')
    }
}

fn listed(lower: &str) -> bool {
    let word = lower.trim_end_matches(['.', ',', '!', ':']);
    NOT_VALUES.split(' ').any(|listed| listed == word)
}

fn letters(value: &str) -> bool {
    value
        .bytes()
        .all(|b| b.is_ascii_alphabetic() || b >= 0x80 || b == b'\'')
}

fn sure(value: &str, extent: &Extent, class: Class) -> bool {
    if extent.quoted {
        let prose = extent.sign == Sign::Colon && !extent.name_quoted && is_prose(value);
        return !prose && !says_what_is_wrong(value);
    }
    // `password: must be set` goes on in words; `password: hunter` ends there.
    if extent.sign == Sign::Colon && extent.spaced && letters(value) {
        return !extent.prose_follows && (class == Class::Password || value.len() >= 16);
    }
    if extent.sign == Sign::Space {
        return extent.flag || !letters(value) && (value.len() >= 8 || class == Class::Password);
    }
    true
}

fn likely(value: &str, extent: &Extent, judged: Judgement) -> bool {
    let number = value
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'%'));
    if number {
        let code = judged.class == Class::Token && value.len() >= 6 && extent.quoted;
        return code || value.len() >= 20;
    }
    // Durations, ratios, versions: short things that begin with a digit.
    let short = value.len() < 8;
    let plain_name = value
        .bytes()
        .all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_' | b'/' | b'.' | b' ' | b':'));
    let shouted = value.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let data = extent.quoted && extent.name_quoted || extent.query || extent.flag;
    match extent.sign {
        _ if shouted || value.starts_with("S-1-") || is_counter(value) => false,
        _ if !data && random::wordy(value) => false,
        Sign::Space if !extent.flag => random::drawn(value) && !random::is_uuid(value),
        _ if value.contains(' ') && is_prose(value) => false,
        _ if plain_name && !data => value.len() >= 20 && letters(value) && !extent.prose_follows,
        _ if plain_name && short => false,
        _ if plain_name => value.len() >= 8,
        _ if short && judged.class == Class::Session => false,
        _ if short && value.bytes().any(|b| b.is_ascii_digit()) => {
            value.len() >= 4 && data || value.len() >= 6
        }
        _ => true,
    }
}

/// `0x14f05578bd80001`: counted, not drawn.
fn is_counter(value: &str) -> bool {
    let digits = value.strip_prefix("0x").unwrap_or_default();
    (1..=16).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A sentence of a form's check about what was given.
pub(super) fn says_what_is_wrong(value: &str) -> bool {
    const WORDS: [&str; 18] = [
        "not",
        "may",
        "be",
        "is",
        "must",
        "can't",
        "cannot",
        "required",
        "invalid",
        "should",
        "least",
        "field",
        "too",
        "does",
        "incorrect",
        "has",
        "please",
        "missing",
    ];
    let lower = value.to_ascii_lowercase();
    let words = || {
        lower
            .split_whitespace()
            .map(|word| word.trim_end_matches(['.', ',', '!']))
    };
    words().count() >= 3 && words().filter(|word| WORDS.contains(word)).count() >= 1
        || words().count() == 2 && words().all(letters) && words().any(|word| WORDS.contains(&word))
        || words().count() >= 2 && lower.starts_with("can't ")
}

/// Several words in lower case.
fn is_prose(value: &str) -> bool {
    let words: Vec<&str> = value.split_whitespace().collect();
    words.len() >= 3
        && words
            .iter()
            .all(|word| letters(word.trim_end_matches(['.', ',', ':', ';'])))
}
