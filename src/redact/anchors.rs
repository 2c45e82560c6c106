//! The anchors: short texts of which at least one stands beside whatever a rule finds, all looked
//! for in one pass. Each says which rule looks closer.

use crate::redact::{tokens, url};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::sync::LazyLock;

/// The rule that an anchor calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A word that the name of a secret holds.
    Name,
    /// A token by its issuer's format: the place in the table.
    Token(usize),
    /// The same with a format of several parts.
    Parts(tokens::Parts),
    /// An address whose path is the secret: the place in the table.
    Webhook(usize),
    /// `://`, and so perhaps `user:password@`.
    Authority,
    At,
    Pem,
    Scheme,
    Identified,
    Command,
    Thin,
    Call,
}

/// Words of names: what `name.rs` takes for one must hold one of these.
const NAMES: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "auth",
    "cred",
    "cookie",
    "sess",
    "sid",
    "sig",
    "otp",
    "pin",
    "cvv",
    "cvc",
    "jwt",
    "bearer",
    "kennwort",
    "contrase",
    "senha",
    "motdepasse",
    "mot_de_passe",
    "mnemonic",
    "seed",
    "salt",
    "nonce",
    "hmac",
    "csrf",
    "xsrf",
    "dsn",
    "psk",
    "code",
    "_pat",
    "clave",
    "wachtwoord",
];

const OTHERS: &[(&str, Rule)] = &[
    ("://", Rule::Authority),
    ("@", Rule::At),
    ("%40", Rule::At),
    ("\\u0040", Rule::At),
    ("-----begin", Rule::Pem),
    ("putty-user-key-file", Rule::Pem),
    ("bearer", Rule::Scheme),
    ("basic", Rule::Scheme),
    ("identified", Rule::Identified),
    ("password '", Rule::Identified),
    (":thin:", Rule::Thin),
    ("sqlplus ", Rule::Thin),
    ("curl ", Rule::Command),
    ("mysql", Rule::Command),
    ("sshpass", Rule::Command),
    ("docker login", Rule::Command),
    ("podman login", Rule::Command),
    ("az login", Rule::Command),
    ("oc login", Rule::Command),
    ("registry login", Rule::Command),
    ("new pdo(", Rule::Call),
    ("mysqli_connect(", Rule::Call),
    ("mysqli(", Rule::Call),
    ("getconnection(", Rule::Call),
    ("wget ", Rule::Command),
    ("ldapsearch", Rule::Command),
    ("redis-cli", Rule::Command),
    ("htpasswd", Rule::Command),
];

/// The same for every redactor; the automaton is large, and takes its time to make.
static ALL: LazyLock<Option<Anchors>> = LazyLock::new(Anchors::new);

pub(super) struct Anchors {
    search: AhoCorasick,
    rules: Vec<Rule>,
}

impl std::fmt::Debug for Anchors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} anchors", self.rules.len())
    }
}

impl Anchors {
    /// `None` where they cannot be searched for, which no set of this size meets.
    pub(super) fn all() -> Option<&'static Anchors> {
        ALL.as_ref()
    }

    fn new() -> Option<Anchors> {
        let mut all: Vec<(&str, Rule)> = NAMES.iter().map(|name| (*name, Rule::Name)).collect();
        all.extend_from_slice(OTHERS);
        let tokens = tokens::TABLE.iter().enumerate();
        all.extend(tokens.map(|(at, token)| (token.prefix, Rule::Token(at))));
        all.extend(
            tokens::PARTS
                .iter()
                .map(|(prefix, parts)| (*prefix, Rule::Parts(*parts))),
        );
        let hooks = url::WEBHOOKS.iter().enumerate();
        all.extend(hooks.map(|(at, hook)| (hook.host, Rule::Webhook(at))));
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(all.iter().map(|(text, _)| *text))
            .ok()?;
        Some(Anchors {
            search,
            rules: all.into_iter().map(|(_, rule)| rule).collect(),
        })
    }

    /// Every anchor with where it begins and ends, in the order of their ends.
    pub(super) fn all_in<'a>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = (Rule, usize, usize)> {
        self.search.find_overlapping_iter(text).filter_map(|hit| {
            let rule = self.rules.get(hit.pattern().as_usize())?;
            Some((*rule, hit.start(), hit.end()))
        })
    }
}
