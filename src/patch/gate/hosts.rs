//! Whether an edit brings an address of a host that the file did not name before: where data
//! could go, or where something could come from.

use super::case::Case;
use super::{Seen, quoted};
use crate::patch::code::tokens::Token;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Endings of names that are hosts when a literal is nothing but such a name.
const ENDINGS: &[&str] = &[
    "com", "net", "org", "io", "dev", "app", "xyz", "info", "biz", "co", "me", "ru", "cn", "de",
    "uk", "us", "eu", "fr", "nl", "in", "ai", "sh", "gg", "top", "site", "online", "cloud", "tech",
    "link", "live", "pro", "onion", "su", "tk", "ml", "ga", "cf", "pw", "cc", "ws", "to", "ly",
    "gl",
];

pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    for file in &case.files {
        let before = hosts(file.text_before(), &file.code_before().tokens);
        let after = hosts(&file.after.text, &file.code_after().tokens);
        for host in after.difference(&before) {
            seen.fault(format!(
                "{} would name the host {}, which it did not before; use what the service is \
                 configured with, and in a test a name under example.com",
                quoted(&file.path),
                quoted(host)
            ));
        }
    }
    seen.says("no new host")
}

/// Hosts that a text names, those left out that nobody can have.
fn hosts(text: &str, tokens: &[Token<'_>]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let plain = unescaped(text);
    for text in [text, plain.as_str()] {
        for (at, _) in text.match_indices("//") {
            let scheme = text.get(..at).unwrap_or_default();
            let rest = text.get(at + 2..).unwrap_or_default();
            let quoted = scheme.ends_with(['"', '\'', '`', '=']) || scheme.ends_with("url(");
            let named = scheme.ends_with(':')
                && scheme
                    .trim_end_matches(':')
                    .ends_with(|c: char| c.is_ascii_alphanumeric());
            if named || quoted {
                found.extend(authority(rest));
            }
        }
        found.extend(
            text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
                .filter_map(address),
        );
    }
    for token in tokens {
        if let Token::Literal(text) = token {
            found.extend(whole(&unescaped(text)));
        }
    }
    found.retain(|host| !is_reserved(host));
    found
}

/// The host at the beginning of what follows `//`.
fn authority(rest: &str) -> Option<String> {
    let end = rest
        .find(|c: char| {
            c.is_whitespace()
                || matches!(
                    c,
                    '/' | '?' | '#' | '"' | '\'' | '`' | '<' | '>' | '\\' | ')' | ',' | ';'
                )
        })
        .unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = if host.starts_with('[') {
        host.split(']').next().unwrap_or(host)
    } else {
        host.split(':').next().unwrap_or(host)
    };
    let host = host.trim_matches(['.', '[']).to_lowercase();
    // What is put in while the program runs is no new name.
    let made = host.starts_with(['{', '$', '%', '#', '+']);
    (!host.is_empty() && !made).then_some(host)
}

/// A dotted address that stands in a text.
fn address(word: &str) -> Option<String> {
    let parsed: Ipv4Addr = word.trim_matches('.').parse().ok()?;
    let [a, b, c, _] = parsed.octets();
    let documentation = matches!((a, b, c), (192, 0, 2) | (198, 51, 100) | (203, 0, 113));
    let harmless = documentation || parsed == Ipv4Addr::LOCALHOST || parsed.is_unspecified();
    (!harmless).then(|| parsed.to_string())
}

/// A literal that is nothing but a host, perhaps with port and path.
fn whole(text: &str) -> Option<String> {
    let name = text.trim().split('/').next()?;
    let (name, port) = name.split_once(':').unwrap_or((name, "0"));
    let labels: Vec<&str> = name.split('.').collect();
    let good = |label: &&str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let ending = labels.last()?.to_ascii_lowercase();
    let is_host = labels.len() >= 2
        && labels.iter().all(good)
        && port.bytes().all(|b| b.is_ascii_digit())
        && ENDINGS.contains(&ending.as_str());
    is_host.then(|| name.to_lowercase())
}

/// Names that belong to nobody, by RFC 2606, and the own host.
pub(super) fn is_reserved(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let ends = |name: &str| host == name || host.ends_with(&format!(".{name}"));
    [
        "example.com",
        "example.org",
        "example.net",
        "example",
        "test",
        "invalid",
        "localhost",
    ]
    .iter()
    .any(|name| ends(name))
        || host == "127.0.0.1"
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|_| address(&host).is_none())
}

/// With `\xHH`, `\uHHHH`, `\u{H}` and `\NNN` written out.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        out.push_str(before);
        let (c, length) = escape(behind);
        match c {
            Some(c) => out.push(c),
            None => out.push('\\'),
        }
        rest = behind.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn escape(behind: &str) -> (Option<char>, usize) {
    let hex = |digits: Option<&str>| {
        digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32)
    };
    let bytes = behind.as_bytes();
    match (bytes.first(), bytes.get(1)) {
        (Some(b'x'), _) => match hex(behind.get(1..3)) {
            Some(c) => (Some(c), 3),
            None => (None, 0),
        },
        (Some(b'u'), Some(b'{')) => {
            let end = behind.find('}').filter(|end| *end <= 9).unwrap_or(0);
            match hex(behind.get(2..end)) {
                Some(c) => (Some(c), end + 1),
                None => (None, 0),
            }
        }
        (Some(b'u'), _) => match hex(behind.get(1..5)) {
            Some(c) => (Some(c), 5),
            None => (None, 0),
        },
        (Some(b'U'), _) => match hex(behind.get(1..9)) {
            Some(c) => (Some(c), 9),
            None => (None, 0),
        },
        (Some(b'0'..=b'3'), Some(b'0'..=b'7')) => {
            let digits = behind
                .get(..3)
                .filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
            let value = digits.and_then(|digits| u32::from_str_radix(digits, 8).ok());
            match value.and_then(char::from_u32) {
                Some(c) => (Some(c), 3),
                None => (None, 0),
            }
        }
        _ => (None, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        hosts(text, &[Token::Literal(text)]).into_iter().collect()
    }

    #[test]
    fn hosts_are_found_however_they_are_written() {
        for (text, host) in [
            ("see https://a.evil.io/x", "a.evil.io"),
            ("ftp://u:p@evil.io:21", "evil.io"),
            ("\"//evil.io/x\"", "evil.io"),
            (r"\x68ttps:\x2f\x2fevil.io", "evil.io"),
            (r"https://\u0065vil.io", "evil.io"),
            ("evil.io:443/x", "evil.io"),
            ("169.254.169.254", "169.254.169.254"),
            ("http://[::1]:80/", "::1"),
        ] {
            assert!(
                named(text).contains(&host.to_owned()),
                "{text}: {:?}",
                named(text)
            );
        }
        for text in [
            "https://api.example.com/x",
            "http://localhost:80",
            "127.0.0.1",
            "user.name",
            "a // b",
            "https://{host}/x",
            "1.2.3",
            "cart.items",
            "192.0.2.7",
        ] {
            assert_eq!(named(text), Vec::<String>::new(), "{text}");
        }
    }
}
