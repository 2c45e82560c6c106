//! What HTTP's headers say of a caller: `Authorization` with its schemes, schemes that stand
//! alone in a text, and users with passwords among a command's arguments.

use crate::redact::class::Class;
use crate::redact::cursor::{Text, alnum, blank};
use crate::redact::extent::{self, Extent};
use crate::redact::name::{Judgement, Sureness};
use crate::redact::redactor::Search;
use crate::redact::{basic, placeholder, random, stand_in, value};

/// Schemes after which one token stands.
const ONE: &[&str] = &[
    "bearer",
    "basic",
    "token",
    "apikey",
    "api-key",
    "negotiate",
    "ntlm",
    "ssws",
    "key",
    "genie",
    "genieKey",
    "jwt",
    "splunk",
    "bot",
    "dpop",
    "oauth",
    "sso-key",
    "geniekey",
    "klaviyo-api-key",
    "x-api-key",
    "access_token",
    "kerberos",
];
/// Schemes after which a list stands.
const MANY: &[&str] = &[
    "digest",
    "hawk",
    "aws4-hmac-sha256",
    "signature",
    "mac",
    "googlelogin",
    "sharedkey",
    "sharedaccesssignature",
    "aws",
];

/// The value of an `Authorization`.
pub(super) fn authorization_at(search: &mut Search<'_>, extent: &Extent) {
    let text = search.text;
    let mut from = text.run_to(extent.from, 8, |b| {
        blank(b) || matches!(b, b'[' | b'(' | b'"' | b'\'' | b'\\')
    });
    // A placeholder's bracket is not a list's.
    if let Some(at) = (extent.from..from).find(|at| placeholder::begins_at(text.text, *at)) {
        from = at;
    }
    let to = extent.to.max(from);
    let scheme_end = text.run_to(from, 40, |b| alnum(b) || matches!(b, b'-' | b'_'));
    let scheme = text.slice(from, scheme_end).to_ascii_lowercase();
    let after = gap(text, scheme_end);
    if after > scheme_end && MANY.contains(&scheme.as_str()) {
        return add(search, after, to);
    }
    if after > scheme_end && ONE.contains(&scheme.as_str()) {
        let end = text.run(after, |b| !ends(b)).min(to.max(after));
        return add(search, after, end);
    }
    let end = text.run(from, |b| !ends(b)).min(to);
    let found = text.slice(from, end);
    let judged = Judgement {
        class: Class::Authorization,
        sureness: Sureness::Sure,
    };
    if value::is_secret(found, extent, judged)
        && !found.contains('(')
        && (found.len() >= 8 && !found.bytes().all(|b| b.is_ascii_alphabetic()))
    {
        add(search, from, end);
    }
}

/// What ends a token of a header.
fn ends(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b'"' | b'\'' | b',' | b';' | b'<' | b'>' | b'`' | b')' | b'}' | b'\\' | b'|'
        )
}

/// Space in any way of writing it, and the quote that may follow.
fn gap(text: Text<'_>, at: usize) -> usize {
    let spaces = text.run_to(at, 4, blank);
    if spaces == at && text.starts(at, "%20") {
        return at + 3;
    }
    if spaces == at && text.at(at) == b'+' {
        return at + 1;
    }
    if spaces == at && text.at(at) == b':' {
        return text.run_to(at + 1, 4, blank);
    }
    spaces
}

fn add(search: &mut Search<'_>, from: usize, to: usize) {
    let found = search.text.slice(from, to);
    let opens = placeholder::begins_at(search.text.text, from);
    if !opens && !stand_in::stands_for_another(found) && found.len() >= 3 {
        search.add(from, to, Class::Authorization);
    }
}

/// `Bearer x` or `Basic x` anywhere.
pub(super) fn scheme_at(search: &mut Search<'_>, from: usize, to: usize) {
    let text = search.text;
    if alnum(text.before(from)) {
        return;
    }
    let start = gap(text, to);
    if start == to {
        return;
    }
    let quoted = extent::quote(text, start).map_or(start, |quote| quote.end);
    let end = text.run(quoted, |b| {
        alnum(b) || matches!(b, b'-' | b'_' | b'.' | b'~' | b'+' | b'/' | b'=')
    });
    let found = text.slice(quoted, end).trim_end_matches('.');
    let secret = if text.starts_loose(from, "basic") {
        found.len() >= 8 && basic::is_credentials(found)
    } else {
        let digits = found.bytes().any(|b| b.is_ascii_digit());
        let pairs = found.contains('=') && !found.trim_end_matches('=').bytes().all(|b| b != b'=');
        !pairs && (digits && found.len() >= 8 || found.len() >= 24 && random_case(found))
    };
    if secret {
        search.add(quoted, quoted + found.len(), Class::Authorization);
    }
}

fn random_case(found: &str) -> bool {
    random::mixed(found) || found.bytes().filter(u8::is_ascii_uppercase).count() >= 3
}

/// `curl -u user:password`, `mysql -ppassword`, `sshpass -p password`.
pub(super) fn command_at(search: &mut Search<'_>, from: usize, to: usize) {
    let text = search.text;
    let line = text.line_end(to).min(to + 2_000);
    let _ = search.spent(line - to);
    let pairs = text.starts_loose(from, "curl") || text.starts_loose(from, "wget");
    let passwords: &[&str] = if pairs {
        &["-u", "--user", "--proxy-user", "-U"]
    } else if text.starts_loose(from, "ldapsearch") {
        &["-w"]
    } else if text.starts_loose(from, "redis-cli") {
        &["-a"]
    } else {
        &["-p"]
    };
    let begin = to - 1;
    let arguments = text.slice(begin, line);
    for (at, _) in arguments.match_indices(" -") {
        let at = begin + at + 1;
        let Some(flag) = passwords.iter().find(|flag| text.starts(at, flag)) else {
            continue;
        };
        let glued = !flag.starts_with("--") && !pairs;
        let after = at + flag.len();
        let start = text.run_to(after, 4, |b| {
            blank(b) || b == b'=' || matches!(b, b'"' | b'\'' | b'\\')
        });
        if start == after && !glued || start > after && text.starts_loose(from, "mysql") {
            continue;
        }
        argument(search, start, pairs);
    }
}

fn argument(search: &mut Search<'_>, start: usize, pair: bool) {
    let text = search.text;
    let end = text.run(start, |b| {
        !b.is_ascii_whitespace() && !matches!(b, b'"' | b'\'' | b'\\')
    });
    let from = match (pair, memchr::memchr(b':', text.bytes(start, end))) {
        (true, Some(colon)) => start + colon + 1,
        (true, None) => return,
        (false, _) => start,
    };
    let found = text.slice(from, end);
    let numbers = found.bytes().all(|b| b.is_ascii_digit() || b == b':') && !pair;
    if found.len() >= 3
        && !numbers
        && !found.starts_with('-')
        && !stand_in::stands_for_another(found)
        && !placeholder::begins_at(text.text, from)
    {
        search.add(from, end, Class::Password);
    }
}

/// `connect('host', 'user', 'password'`: the third of its arguments in quotes.
pub(super) fn call_at(search: &mut Search<'_>, to: usize) {
    let text = search.text;
    let mut at = to;
    for number in 0..3 {
        at = text.run_to(at, 3, |b| blank(b) || b == b',');
        let Some(open) = extent::quote(text, at) else {
            return;
        };
        let end = extent::closing(text, open);
        let _ = search.spent(end - at);
        let found = text.slice(open.end, end);
        let given = !found.is_empty() && !stand_in::stands_for_another(found);
        if number == 2 && given && !placeholder::is_one(found) {
            search.add(open.end, end, Class::Password);
        }
        at = extent::quote(text, end).map_or(end, |quote| quote.end);
    }
}
