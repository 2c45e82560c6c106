//! Tokens by the formats that their issuers publish: how each begins, of which letters it is and
//! how long. Tokens of several parts have a function.

use crate::redact::class::Class;
use crate::redact::cursor::{Text, alnum, base64, base64url, digit, hex};
use crate::redact::random;
use crate::redact::redactor::Search;

/// A token of one part.
pub(super) struct Token {
    /// Case counts.
    pub(super) prefix: &'static str,
    class: Class,
    is: fn(u8) -> bool,
    /// Bytes after the prefix, at least.
    least: usize,
    /// Exactly so many, where the issuer says so and nothing else tells it from other words.
    exact: bool,
}

const fn token(prefix: &'static str, class: Class, is: fn(u8) -> bool, least: usize) -> Token {
    Token {
        prefix,
        class,
        is,
        least,
        exact: false,
    }
}

const fn exact(prefix: &'static str, class: Class, is: fn(u8) -> bool, least: usize) -> Token {
    Token {
        prefix,
        class,
        is,
        least,
        exact: true,
    }
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn dotted(byte: u8) -> bool {
    base64url(byte) || byte == b'.'
}

fn padded(byte: u8) -> bool {
    base64(byte) || matches!(byte, b'=' | b'.')
}

use Class::{ApiKey, AwsKey, AzureKey, GithubToken, GitlabToken, GoogleKey, SlackToken, StripeKey};

pub(super) const TABLE: &[Token] = &[
    exact("AKIA", AwsKey, upper, 16),
    exact("ASIA", AwsKey, upper, 16),
    exact("ABIA", AwsKey, upper, 16),
    exact("ACCA", AwsKey, upper, 16),
    token("ABSK", AwsKey, padded, 80),
    token("AIza", GoogleKey, base64url, 30),
    token("GOCSPX-", GoogleKey, base64url, 20),
    token("ya29.", GoogleKey, dotted, 20),
    token("1//0", GoogleKey, base64url, 30),
    token("ghp_", GithubToken, alnum, 20),
    token("gho_", GithubToken, alnum, 20),
    token("ghu_", GithubToken, alnum, 20),
    token("ghs_", GithubToken, dotted, 20),
    token("ghr_", GithubToken, alnum, 20),
    token("github_pat_", GithubToken, base64url, 30),
    token("glpat-", GitlabToken, dotted, 16),
    token("gldt-", GitlabToken, base64url, 16),
    token("glrt-", GitlabToken, dotted, 16),
    token("glptt-", GitlabToken, base64url, 16),
    token("glcbt-", GitlabToken, base64url, 16),
    token("glsoat-", GitlabToken, base64url, 16),
    token("glft-", GitlabToken, base64url, 16),
    token("glimt-", GitlabToken, base64url, 16),
    token("glagent-", GitlabToken, base64url, 16),
    token("gloas-", GitlabToken, base64url, 16),
    token("GR1348941", GitlabToken, base64url, 16),
    token("xoxb-", SlackToken, base64url, 16),
    token("xoxp-", SlackToken, base64url, 16),
    token("xoxa-", SlackToken, base64url, 16),
    token("xoxr-", SlackToken, base64url, 16),
    token("xoxs-", SlackToken, base64url, 16),
    token("xoxo-", SlackToken, base64url, 16),
    token("xoxc-", SlackToken, base64url, 16),
    token(
        "xoxd-",
        SlackToken,
        |b| base64(b) || matches!(b, b'%' | b'='),
        16,
    ),
    token("xoxe-", SlackToken, base64url, 16),
    token("xoxe.", SlackToken, dotted, 16),
    token("xapp-", SlackToken, base64url, 16),
    token("xwfp-", SlackToken, base64url, 16),
    token("sk_live_", StripeKey, alnum, 10),
    token("sk_test_", StripeKey, alnum, 10),
    token("rk_live_", StripeKey, alnum, 10),
    token("rk_test_", StripeKey, alnum, 10),
    token("sk_prod_", StripeKey, alnum, 10),
    token("whsec_", StripeKey, padded, 16),
    token("npm_", ApiKey, alnum, 30),
    token("pypi-", ApiKey, base64url, 50),
    token("sk-ant-", ApiKey, base64url, 20),
    token("sk-proj-", ApiKey, base64url, 20),
    token("sk-svcacct-", ApiKey, base64url, 20),
    token("sk-admin-", ApiKey, base64url, 20),
    token("sk-or-v1-", ApiKey, hex, 32),
    token("sk-None-", ApiKey, base64url, 20),
    token("hf_", ApiKey, alnum, 30),
    token("api_org_", ApiKey, alnum, 30),
    token("dop_v1_", ApiKey, hex, 32),
    token("doo_v1_", ApiKey, hex, 32),
    token("dor_v1_", ApiKey, hex, 32),
    token("shpat_", ApiKey, hex, 24),
    token("shpca_", ApiKey, hex, 24),
    token("shppa_", ApiKey, hex, 24),
    token("shpss_", ApiKey, hex, 24),
    token("EAAA", ApiKey, base64url, 50),
    token("sq0atp-", ApiKey, base64url, 20),
    token("sq0csp-", ApiKey, base64url, 30),
    token("SG.", ApiKey, dotted, 40),
    token("pat-na1-", ApiKey, base64url, 30),
    token("pat-eu1-", ApiKey, base64url, 30),
    token("lin_api_", ApiKey, alnum, 30),
    token("lin_oauth_", ApiKey, alnum, 30),
    token("secret_", ApiKey, alnum, 40),
    token("ntn_", ApiKey, alnum, 40),
    token("figd_", ApiKey, base64url, 30),
    token("dp.pt.", ApiKey, alnum, 30),
    token("dp.st.", ApiKey, dotted, 30),
    token("hvs.", ApiKey, base64url, 20),
    token("hvb.", ApiKey, base64url, 20),
    token("hvr.", ApiKey, base64url, 20),
    token("NRAK-", ApiKey, alnum, 20),
    token("NRII-", ApiKey, base64url, 20),
    token("NRJS-", ApiKey, alnum, 15),
    token("sntrys_", ApiKey, padded, 40),
    token("sntryu_", ApiKey, hex, 40),
    token("glsa_", ApiKey, base64url, 30),
    token("glc_", ApiKey, padded, 30),
    token("PMAK-", ApiKey, base64url, 30),
    token("rubygems_", ApiKey, hex, 32),
    token("dckr_pat_", ApiKey, base64url, 20),
    token("dckr_oat_", ApiKey, base64url, 20),
    token("ATATT3", ApiKey, padded, 40),
    token("ATCTT3", ApiKey, padded, 40),
    token("ATBB", ApiKey, alnum, 24),
    token("pscale_tkn_", ApiKey, dotted, 20),
    token("pscale_pw_", ApiKey, dotted, 20),
    token("pscale_oauth_", ApiKey, dotted, 20),
    token("fo1_", ApiKey, base64url, 30),
    token("FlyV1 ", ApiKey, |b| padded(b) || b == b',', 30),
    token("fm2_", ApiKey, padded, 40),
    token("rnd_", ApiKey, alnum, 24),
    token("nfp_", ApiKey, alnum, 30),
    token("sbp_", ApiKey, hex, 32),
    token("sb_secret_", ApiKey, base64url, 20),
    token("re_", ApiKey, base64url, 30),
    token("gsk_", ApiKey, alnum, 40),
    token("r8_", ApiKey, alnum, 30),
    token("pplx-", ApiKey, alnum, 40),
    token("xai-", ApiKey, alnum, 40),
    token("tskey-", ApiKey, base64url, 16),
    token("xkeysib-", ApiKey, base64url, 50),
    token("CFPAT-", ApiKey, base64url, 30),
    token("AGE-SECRET-KEY-1", Class::PrivateKey, upper, 40),
    token(
        "oy2",
        ApiKey,
        |b| b.is_ascii_lowercase() || b.is_ascii_digit(),
        43,
    ),
    token("ops_eyJ", ApiKey, padded, 100),
    token("A3-", ApiKey, |b| upper(b) || b == b'-', 28),
    token("EZAK", ApiKey, alnum, 50),
    token("live_pk_", ApiKey, alnum, 100),
    token("dapi", ApiKey, |b| hex(b) || b == b'-', 32),
    token("p8e-", ApiKey, alnum, 32),
    token("ddp_", ApiKey, alnum, 30),
    token("crates_", ApiKey, alnum, 30),
    token("cio", ApiKey, alnum, 32),
    token("key-", ApiKey, hex, 32),
    token("ico-", ApiKey, alnum, 32),
    token("AQVN", ApiKey, base64url, 30),
    token("LTAI", ApiKey, alnum, 12),
    token("AKID", ApiKey, alnum, 28),
    token("sess-", ApiKey, alnum, 30),
    token(
        "access_token$production$",
        ApiKey,
        |b| alnum(b) || b == b'$',
        40,
    ),
    token("bkua_", ApiKey, hex, 30),
    token("CCIPAT_", ApiKey, base64url, 30),
    token("jfrt@", ApiKey, dotted, 30),
    token("AKCp", ApiKey, alnum, 50),
    token("cmVmdGtu", ApiKey, alnum, 40),
    token("dvc_server_", ApiKey, base64url, 30),
    token("phc_", ApiKey, alnum, 30),
    token("phx_", ApiKey, alnum, 30),
    token("sk_", ApiKey, hex, 32),
    token("AZDO", AzureKey, alnum, 40),
];

pub(super) fn at(search: &mut Search<'_>, index: usize, from: usize) {
    let text = search.text;
    let Some(token) = TABLE.get(index) else {
        return;
    };
    if !text.starts(from, token.prefix) || !begins(text, from) {
        return;
    }
    let body = from + token.prefix.len();
    let end = text.run(body, token.is);
    let found = text.slice(body, end).trim_end_matches(['.', '-']);
    let _ = search.spent(end - body);
    let fits = match token.exact {
        true => found.len() == token.least && !alnum(text.at(end)) && text.at(end) != b'_',
        false => found.len() >= token.least,
    };
    // Without a digit a long run of letters is a name.
    if fits && (varied(found) || marked(token.prefix, found)) {
        search.add(from, body + found.len(), token.class);
    }
}

/// A prefix begins a word; a letter may also be that of an escaped line end or encoded sign.
fn begins(text: Text<'_>, from: usize) -> bool {
    let before = text.before(from);
    let escaped =
        matches!(before, b'n' | b't' | b'r') && text.before(from.saturating_sub(1)) == b'\\';
    let encoded = hex(before) && text.before(from.saturating_sub(2)) == b'%';
    // `_` and `-` would be inside a name, but for what a command glues to it.
    !(alnum(before) || before == b'_') && before < 0x80 || escaped || encoded
}

/// A prefix that no name begins with, and no words behind it; what only hides a value is no token.
fn marked(prefix: &str, found: &str) -> bool {
    let ends = prefix.ends_with(['_', '-', '.']) && prefix.len() >= 4;
    let plain = !found.contains(['-', '_', '.']) || found.bytes().any(|b| b.is_ascii_digit());
    let hidden = found.bytes().all(|b| matches!(b, b'x' | b'X'));
    ends && plain && !hidden && !matches!(prefix, "secret_" | "key-")
}

/// Not one letter again and again, and with a digit or both cases.
fn varied(found: &str) -> bool {
    let mut seen: Vec<u8> = found.bytes().collect();
    seen.sort_unstable();
    seen.dedup();
    let digits = seen.iter().any(u8::is_ascii_digit);
    let cases = seen.iter().filter(|b| b.is_ascii_uppercase()).count() >= 3
        && seen.iter().any(u8::is_ascii_lowercase);
    let upper = seen.len() >= 6 && seen.iter().all(u8::is_ascii_uppercase);
    seen.len() >= 4 && (digits || cases || upper)
}

/// Tokens of several parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    Jwt,
    OpenAi,
    Telegram,
    Discord,
    AwsSecret,
    Azure,
    Mailchimp,
    Terraform,
    Hash,
}

pub(super) const PARTS: &[(&str, Parts)] = &[
    ("eyJ", Parts::Jwt),
    ("sk-", Parts::OpenAi),
    (":AA", Parts::Telegram),
    ("AKIA", Parts::AwsSecret),
    ("ASIA", Parts::AwsSecret),
    ("8Q~", Parts::Azure),
    ("7Q~", Parts::Azure),
    ("-us", Parts::Mailchimp),
    (".G", Parts::Discord),
    (".Y", Parts::Discord),
    (".X", Parts::Discord),
    ("atlasv1.", Parts::Terraform),
    ("$2a$", Parts::Hash),
    ("$2b$", Parts::Hash),
    ("$2y$", Parts::Hash),
    ("$argon2", Parts::Hash),
    ("$6$", Parts::Hash),
    ("$5$", Parts::Hash),
    ("$y$", Parts::Hash),
    ("$apr1$", Parts::Hash),
    ("{ssha}", Parts::Hash),
    ("pbkdf2_sha256$", Parts::Hash),
    ("pbkdf2:sha256:", Parts::Hash),
    ("scrypt:", Parts::Hash),
];

pub(super) fn parts_at(search: &mut Search<'_>, parts: Parts, from: usize) {
    match parts {
        Parts::Jwt => jwt(search, from),
        Parts::OpenAi => openai(search, from),
        Parts::Telegram => telegram(search, from),
        Parts::Discord => discord(search, from),
        Parts::AwsSecret => aws_secret(search, from),
        Parts::Azure => azure(search, from),
        Parts::Mailchimp => mailchimp(search, from),
        Parts::Terraform => terraform(search, from),
        Parts::Hash => hash(search, from),
    }
}

/// Three parts with points between, five of an encrypted one; the last may be missing or cut.
fn jwt(search: &mut Search<'_>, from: usize) {
    let text = search.text;
    if !text.starts(from, "eyJ") || !begins(text, from) {
        return;
    }
    let head = text.run(from, base64url);
    if head - from < 10 || text.at(head) != b'.' {
        return;
    }
    let mut end = text.run(head + 1, base64url);
    if end - head < 5 {
        return;
    }
    for _ in 0..3 {
        if text.at(end) == b'.' && (base64url(text.at(end + 1)) || text.at(end + 1) == b'.') {
            end = text.run(end + 1, base64url);
        }
    }
    search.add(from, end, Class::Jwt);
}

fn openai(search: &mut Search<'_>, from: usize) {
    let text = search.text;
    let end = text.run(from + 3, base64url);
    let found = text.slice(from + 3, end);
    if text.starts(from, "sk-")
        && begins(text, from)
        && found.len() >= 20
        && (random::mixed(found) || random::is_hex(found))
    {
        search.add(from, end, ApiKey);
    }
}

/// The bot's number, a colon, 35 letters that begin with AA.
fn telegram(search: &mut Search<'_>, from: usize) {
    let text = search.text;
    let start = text.back(from, 12, digit);
    let end = text.run(from + 1, base64url);
    let digits = from - start;
    if (7..=11).contains(&digits)
        && text.starts(from, ":AA")
        && (30..=50).contains(&(end - from - 1))
    {
        search.add(start, end, ApiKey);
    }
}

/// A bot's number in base64, six letters, the rest.
fn discord(search: &mut Search<'_>, from: usize) {
    let text = search.text;
    let start = text.back(from, 40, base64url);
    let middle = text.run_to(from + 1, 8, base64url);
    if !(23..=30).contains(&(from - start))
        || !(6..=7).contains(&(middle - from - 1))
        || text.at(middle) != b'.'
    {
        return;
    }
    let end = text.run(middle + 1, base64url);
    if end - middle > 26 && matches!(text.at(start), b'M' | b'N' | b'O') && alnum(text.at(from + 1))
    {
        search.add(start, end, ApiKey);
    }
}

/// The secret that stands near its access key id: 40 letters of base64 in both cases.
fn aws_secret(search: &mut Search<'_>, from: usize) {
    let text = search.text;
    let id = text.run(from, upper);
    if id - from != 20 {
        return;
    }
    let mut at = id;
    let line = text.line_end(id).saturating_add(200).min(id + 200);
    while at < line {
        let start = text.run_to(at, line - at, |b| !base64(b));
        let end = text.run(start, base64);
        let found = text.slice(start, end);
        let count = |is: fn(&u8) -> bool| found.bytes().filter(&is).count();
        let cases = count(u8::is_ascii_uppercase).min(count(u8::is_ascii_lowercase));
        if found.len() == 40 && cases >= 5 && count(u8::is_ascii_digit) >= 1 {
            return search.add(start, end, AwsKey);
        }
        at = end.max(at + 1);
    }
}

/// A client's secret: three letters before `8Q~`, 31 to 34 after.
fn azure(search: &mut Search<'_>, from: usize) {
    let text = search.text;
    let is = |b: u8| base64url(b) || matches!(b, b'.' | b'~');
    let start = text.back(from, 8, is);
    let end = text.run(from, is);
    if (2..=5).contains(&(from - start))
        && (30..=40).contains(&(end - from))
        && text.at(from + 1) == b'Q'
    {
        search.add(start, end, AzureKey);
    }
}

/// 32 hex digits and the name of a data centre.
fn mailchimp(search: &mut Search<'_>, from: usize) {
    let text = search.text;
    let start = text.back(from, 40, hex);
    let end = text.run_to(from + 3, 2, digit);
    if from - start == 32 && end > from + 3 && !alnum(text.at(end)) && !alnum(text.before(start)) {
        search.add(start, end, ApiKey);
    }
}

/// A password's hash in the forms of `crypt` and of web frameworks.
fn hash(search: &mut Search<'_>, from: usize) {
    let text = search.text;
    let is = |b: u8| base64(b) || matches!(b, b'$' | b'.' | b'=' | b',' | b':' | b'{' | b'}');
    let end = text.run(from, is);
    let found = text.slice(from, end).trim_end_matches(['.', ',', ':', '}']);
    let parts = found.bytes().filter(|b| matches!(b, b'$' | b'}')).count();
    if found.len() >= 30 && parts >= 1 && !alnum(text.before(from)) {
        search.add(from, from + found.len(), Class::Password);
    }
}

/// 14 letters, `.atlasv1.`, 60 or more.
fn terraform(search: &mut Search<'_>, from: usize) {
    let text = search.text;
    let start = text.back(from, 20, |b| alnum(b) || b == b'.');
    let end = text.run(from + "atlasv1.".len(), base64url);
    if from - start == 15 && end - from > 50 {
        search.add(start, end, ApiKey);
    }
}
