//! E-mail addresses, also percent-encoded. Not: images' `@2x`, packages with a version, units of
//! systemd, hosts in addresses.

use crate::redact::class::Class;
use crate::redact::cursor::{Text, alnum};
use crate::redact::redactor::Search;

/// Longest local part and longest domain, in bytes.
const LOCAL: usize = 64;
const DOMAIN: usize = 253;

/// Ends of names that are no domain: files, units, hosts of one's own network.
const NO_DOMAIN: &[&str] = &[
    "service",
    "socket",
    "timer",
    "target",
    "mount",
    "slice",
    "scope",
    "device",
    "swap",
    "path",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "webp",
    "js",
    "mjs",
    "cjs",
    "ts",
    "tsx",
    "jsx",
    "css",
    "json",
    "html",
    "yml",
    "yaml",
    "toml",
    "tgz",
    "gz",
    "zip",
    "jar",
    "so",
    "py",
    "rb",
    "go",
    "java",
    "php",
    "exs",
    "conf",
    "log",
    "lock",
    "local",
    "internal",
    "localdomain",
    "lan",
    "cluster",
    "localhost",
    "svc",
    "tar",
    "whl",
    "class",
    "xml",
    "txt",
    "md",
    "rc",
    "alpha",
    "beta",
    "next",
    "dev0",
    "home",
    "corp",
    "intra",
    "arpa",
];

pub(super) fn at(search: &mut Search<'_>, from: usize, to: usize) {
    let text = search.text;
    let encoded = to - from > 1;
    if !encoded && crate::redact::url::bare_at(search, from) {
        return;
    }
    let start = local_start(text, from);
    let end = domain_end(text, to);
    let _ = search.spent(end - start);
    let (local, domain) = (text.slice(start, from), text.slice(to, end));
    if local.is_empty()
        || !is_domain(domain)
        || !is_local(local)
        || is_host_of(text, start, from, encoded)
    {
        return;
    }
    // git@host:owner/name
    if local == "git" && matches!(text.at(end), b':' | b'/') {
        return;
    }
    if is_login(text, start, end) {
        return;
    }
    search.add(start, end, Class::Email);
}

/// `ssh deploy@host.example`, `deploy@host.example:/srv`.
fn is_login(text: Text<'_>, start: usize, end: usize) -> bool {
    let path = text.at(end) == b':' && matches!(text.at(end + 1), b'/' | b'~');
    let context = text.context(start, 24);
    let commands = ["ssh ", "scp ", "rsync ", "sftp "];
    let command = commands.iter().any(|command| context.contains(command));
    path || command
}

fn local_start(text: Text<'_>, from: usize) -> usize {
    let in_local = |b: u8| {
        alnum(b)
            || matches!(
                b,
                b'.' | b'_' | b'+' | b'-' | b'%' | b'\'' | b'&' | b'!' | b'#' | b'~'
            )
            || b >= 0x80
    };
    let start = text.back(from, LOCAL, in_local);
    // What stands before it: an escaped line end, `&amp;`, an encoded sign, a quote.
    let mut local = start;
    if text.before(start) == b'\\' && matches!(text.at(start), b'n' | b't' | b'r') {
        local += 1;
    }
    let head = text.slice(local, from);
    let cut = [
        "%3A", "%3D", "%22", "%20", "%26", "%3C", "%2C", "%3a", "%3d", "%3c", "%2c", "&", "#", "'",
    ];
    let after = cut
        .iter()
        .filter_map(|sign| head.rfind(sign).map(|at| at + sign.len()))
        .max();
    local += after.unwrap_or(0);
    text.run_to(local, LOCAL, |b| {
        matches!(b, b'.' | b'-' | b'\'' | b'!' | b'~' | b'%')
    })
}

fn domain_end(text: Text<'_>, to: usize) -> usize {
    let end = text.run_to(to, DOMAIN, |b| {
        alnum(b) || matches!(b, b'.' | b'-') || b >= 0x80
    });
    end - text
        .bytes(to, end)
        .iter()
        .rev()
        .take_while(|b| matches!(b, b'.' | b'-'))
        .count()
}

fn is_local(local: &str) -> bool {
    !local.starts_with('.')
        && !local.contains("..")
        && local
            .bytes()
            .any(|b| b.is_ascii_alphanumeric() || b >= 0x80)
}

fn is_domain(domain: &str) -> bool {
    let Some((rest, top)) = domain.rsplit_once('.') else {
        return false;
    };
    let letters =
        top.chars().count() >= 2 && top.chars().all(char::is_alphabetic) || top.starts_with("xn--");
    let labels = rest.split('.').all(|label| !label.is_empty());
    let begins = rest
        .trim_start_matches('v')
        .split('.')
        .next()
        .unwrap_or_default();
    let version = rest.contains('.') && begins.bytes().all(|b| b.is_ascii_digit());
    letters
        && labels
        && top.len() <= 24
        && !version
        && !NO_DOMAIN.contains(&top.to_ascii_lowercase().as_str())
}

/// `user@host` of an address: `url.rs` looks at those. With a second `@` behind it is a user.
fn is_host_of(text: Text<'_>, start: usize, at: usize, encoded: bool) -> bool {
    if encoded {
        return false;
    }
    let authority = text.back(start, 200, |b| {
        !b.is_ascii_whitespace()
            && !matches!(b, b'/' | b'"' | b'\'' | b'<' | b'>' | b'?' | b'#' | b'(')
    });
    if !text.starts(authority.saturating_sub(3), "://") {
        return false;
    }
    let end = text.run_to(at + 1, 300, |b| {
        !b.is_ascii_whitespace() && !matches!(b, b'/' | b'"' | b'\'' | b'?')
    });
    !text.bytes(at + 1, end).contains(&b'@')
}
