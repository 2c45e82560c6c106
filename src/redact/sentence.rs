//! Names and values as people write them: names of two words, sentences that say a value, and
//! words that only look like names.

use crate::redact::class::Class;
use crate::redact::cursor::{Text, alnum, blank, word};
use crate::redact::extent::{self, Extent, Sign};
use crate::redact::name::{Judgement, Sureness};
use crate::redact::{placeholder, random};

/// `api key` and `verification code` are written as two words where people read them.
pub(super) fn with_word_before<'a>(
    text: Text<'a>,
    start: usize,
    whole: &'a str,
) -> std::borrow::Cow<'a, str> {
    let short = ["key", "code", "phrase", "id"]
        .iter()
        .any(|word| whole.eq_ignore_ascii_case(word));
    if !short || text.before(start) != b' ' {
        return whole.into();
    }
    let before = text.back(start - 1, 24, alnum);
    format!("{}_{whole}", text.slice(before, start - 1)).into()
}

/// `Session ID: x`: the second word is a part of the name.
pub(super) fn with_word_after(text: Text<'_>, start: usize, end: usize) -> usize {
    let first = ["session", "secret", "access", "auth", "api"];
    let first = first
        .iter()
        .any(|word| text.slice(start, end).eq_ignore_ascii_case(word));
    let second = text.run_to(end + 1, 8, |b| b.is_ascii_alphabetic());
    let word = text.slice(end + 1, second).to_ascii_lowercase();
    let sign = matches!(text.at(second), b':' | b'=');
    let is =
        first && text.at(end) == b' ' && sign && matches!(word.as_str(), "id" | "key" | "token");
    if is { second } else { end }
}

/// `PASS: TestX`, `pass=12`, `pass: 3`.
pub(super) fn of_tests(text: Text<'_>, end: usize) -> bool {
    let (sign, value) = (text.at(end), text.run_to(end + 1, 3, blank));
    let number = text.run_to(value, 8, |b| b.is_ascii_digit());
    let shouted = text.before(end) == b'S' && sign == b':';
    let counted = number > value && !word(text.at(number)) && !text.starts(number, "-");
    matches!(sign, b':' | b'=') && (shouted || counted)
}

/// `password for jane is 'x'`, `password is generated for root@localhost: x`: what a sentence
/// ends in.
pub(super) fn told(text: Text<'_>, at: usize, base: Extent) -> Option<Extent> {
    if let Some(old) = text
        .starts(at, "from ")
        .then(|| extent::quote(text, at + 5))
        .flatten()
    {
        let to = extent::closing(text, old);
        if !placeholder::is_one(text.slice(old.end, to)) {
            let quoted = Extent {
                from: old.end,
                to,
                sign: Sign::Space,
                quoted: true,
                flag: true,
                ..base
            };
            return Some(quoted);
        }
    }
    let begins = ["from ", "for ", "is generated", "has been", "of ", "was "];
    if !begins.iter().any(|begin| text.starts(at, begin)) {
        return None;
    }
    let line = text.line_end(at).min(at + 160);
    let sentence = text.slice(at, line);
    let after = [": ", " is ", " to "]
        .iter()
        .filter_map(|sign| Some(sentence.rfind(sign)? + sign.len()))
        .max()?;
    let from = at + after;
    let (from, to, quoted) = match extent::quote(text, from) {
        Some(open) => (open.end, extent::closing(text, open), true),
        None => (from, line, false),
    };
    let value = text.slice(from, to);
    let odd = value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
        && !value.contains([' ', '/', '=', ':']);
    let code = (4..=8).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    (quoted && !value.is_empty() || odd && value.len() >= 8 || code).then_some(Extent {
        from,
        to,
        sign: Sign::Space,
        quoted,
        flag: true,
        ..base
    })
}

/// Whether a sentence says a value: `password is 'x'`, `with token 3f2c…`.
pub(super) fn said(text: Text<'_>, found: &Extent, judged: Judgement, verb: bool) -> bool {
    let value = text.slice(found.from, found.to);
    let odd =
        value.bytes().any(|b| b.is_ascii_digit()) && value.bytes().any(|b| b.is_ascii_alphabetic());
    match judged.class {
        Class::Password => {
            verb && (found.quoted && !value.contains(' ') || odd)
                || odd
                    && value.len() >= 6
                    && !value.contains('=')
                    && !random::is_hex(value)
                    && !value.contains(':')
        }
        Class::Secret | Class::Token | Class::ApiKey | Class::Session => {
            judged.sureness != Sureness::Drawn
                && random::drawn(value)
                && !value.starts_with("0x")
                && !value.contains('.')
        }
        _ => false,
    }
}
