//! Secrets in addresses: `scheme://user:password@host`, tokens in a user's place, and webhooks
//! whose path is the permission to call them. Query strings are pairs, see `field.rs`.

use crate::redact::class::Class;
use crate::redact::cursor::{alnum, base64url, digit};
use crate::redact::redactor::Search;
use crate::redact::{placeholder, random, stand_in};

/// Longest user and password together.
const USERINFO: usize = 300;

/// A service that is called by a secret path.
pub(super) struct Webhook {
    pub(super) host: &'static str,
    /// Parts of the path that say nothing, after the host.
    open: usize,
    /// Bytes of the rest, at least.
    least: usize,
}

const fn hook(host: &'static str, open: usize, least: usize) -> Webhook {
    Webhook { host, open, least }
}

pub(super) const WEBHOOKS: &[Webhook] = &[
    hook("hooks.slack.com/services/", 0, 12),
    hook("hooks.slack.com/workflows/", 0, 12),
    hook("hooks.slack.com/triggers/", 0, 12),
    hook("hooks.slack-gov.com/services/", 0, 12),
    hook("discord.com/api/webhooks/", 1, 16),
    hook("discordapp.com/api/webhooks/", 1, 16),
    hook("discord.com/api/v10/webhooks/", 1, 16),
    hook("webhook.office.com/webhookb2/", 0, 20),
    hook("webhook.office365.com/webhookb2/", 0, 20),
    hook("outlook.office.com/webhook/", 0, 20),
    hook("outlook.office365.com/webhook/", 0, 20),
    hook("hooks.zapier.com/hooks/catch/", 0, 6),
    hook("hook.eu1.make.com/", 0, 16),
    hook("hook.us1.make.com/", 0, 16),
    hook("maker.ifttt.com/use/", 0, 10),
    hook("hooks.teams.com/", 0, 16),
    hook("open.feishu.cn/open-apis/bot/v2/hook/", 0, 16),
    hook("open.larksuite.com/open-apis/bot/v2/hook/", 0, 16),
    hook("events.pagerduty.com/integration/", 0, 16),
    hook("chat.googleapis.com/v1/spaces/", 9, 16),
];

pub(super) fn webhook_at(search: &mut Search<'_>, index: usize, from: usize) {
    let text = search.text;
    let Some(hook) = WEBHOOKS.get(index) else {
        return;
    };
    let mut start = from + hook.host.len();
    for _ in 0..hook.open {
        start = text.run_to(start, 100, |b| b != b'/' && !ends(b)) + 1;
    }
    let end = text.run(start, |b| {
        alnum(b) || matches!(b, b'-' | b'_' | b'/' | b'@' | b'%' | b'.' | b'=')
    });
    let found = text.slice(start, end).trim_end_matches(['.', '/']);
    if found.len() >= hook.least && found.bytes().any(|b| b.is_ascii_digit()) {
        search.add(start, start + found.len(), Class::Webhook);
    }
}

fn ends(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || byte.is_ascii_control()
        || matches!(byte, b'"' | b'<' | b'>' | b'`' | b'|' | b'\\')
}

/// After `://`.
pub(super) fn userinfo_at(search: &mut Search<'_>, from: usize, to: usize) {
    let text = search.text;
    if !alnum(text.before(from)) {
        return;
    }
    let end = text.run_to(to, USERINFO, |b| !ends(b));
    let run = text.bytes(to, end);
    let _ = search.spent(run.len());
    let Some((at, colon)) = userinfo(run) else {
        return;
    };
    match colon {
        Some(colon) => password(search, to + colon + 1, to + at),
        None => user(search, to, to + at),
    }
}

/// Where `@` and the first `:` stand. A password may hold `/`, `?`, `#` and `@` as they are, so the
/// `@` before the first of them is not always the last.
fn userinfo(run: &[u8]) -> Option<(usize, Option<usize>)> {
    let authority = run
        .iter()
        .position(|b| matches!(b, b'/' | b'?' | b'#'))
        .unwrap_or(run.len());
    let head = run.get(..authority).unwrap_or_default();
    let colon = head.iter().position(|b| *b == b':');
    if let Some(at) = head.iter().rposition(|b| *b == b'@') {
        return Some((at, colon.filter(|colon| *colon < at)));
    }
    // `host:8080/path@x` has a port, `user:a/b@host` has not.
    let colon = colon?;
    let after = head.get(colon + 1..).unwrap_or_default();
    if after.iter().all(u8::is_ascii_digit) || run.get(authority) == Some(&b'?') {
        return None;
    }
    let rest = run.get(authority..)?;
    let at = authority + rest.iter().position(|b| *b == b'@')?;
    let host = run
        .get(at + 1..)
        .unwrap_or_default()
        .iter()
        .take_while(|b| alnum(**b) || matches!(b, b'.' | b'-'))
        .count();
    (host >= 3).then_some((at, Some(colon)))
}

fn password(search: &mut Search<'_>, from: usize, to: usize) {
    let text = search.text;
    let found = text.slice(from, to);
    let mine = placeholder::is_one(found);
    if !mine && !stand_in::stands_for_another(found) && !matches!(found, "password>" | "xxxxx") {
        search.add(from, to, Class::Password);
    }
}

/// A user that is a token, as in `https://TOKEN@host`.
fn user(search: &mut Search<'_>, from: usize, to: usize) {
    let found = search.text.slice(from, to);
    if found.len() >= 16
        && found.bytes().all(base64url)
        && (random::drawn(found) || random::is_hex(found))
        && found.bytes().any(digit)
    {
        search.add(from, to, Class::Token);
    }
}

/// `user/password@` after `:thin:` of Oracle's addresses.
pub(super) fn thin_at(search: &mut Search<'_>, to: usize) {
    let text = search.text;
    let user = text.run_to(to, 60, |b| alnum(b) || matches!(b, b'_' | b'$' | b'#'));
    let end = text.run_to(user + 1, 100, |b| b != b'@' && !ends(b));
    if user > to && text.at(user) == b'/' && text.at(end) == b'@' {
        password(search, user + 1, end);
    }
}

/// `user:password@host:5432` and `user:password@tcp(…)`, without a scheme.
pub(super) fn bare_at(search: &mut Search<'_>, at: usize) -> bool {
    let text = search.text;
    let host = text.run_to(at + 1, 100, |b| alnum(b) || matches!(b, b'.' | b'-'));
    let port = text.run_to(host + 1, 6, digit);
    let is_port =
        text.at(host) == b':' && (2..=5).contains(&(port - host - 1)) && !alnum(text.at(port));
    let called = text.starts(at, "@tcp(") || text.starts(at, "@unix(");
    let host_and_port = host > at + 1 && is_port;
    if !called && !host_and_port {
        return false;
    }
    let start = text.back(at, 100, |b| {
        !ends(b) && !matches!(b, b'/' | b'\'' | b'(' | b',')
    });
    let Some(colon) = memchr::memchr(b':', text.bytes(start, at)) else {
        return false;
    };
    if colon == 0 || start + colon + 1 >= at || text.before(start) == b'/' {
        return false;
    }
    password(search, start + colon + 1, at);
    true
}
