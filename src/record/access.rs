//! Values in plain log lines: access logs and `key=value` pairs. Read only when a watch names one
//! of them; not a parser of whole lines.

use crate::record::clean::head;
use crate::record::http;
use crate::record::value::Value;
use aho_corasick::{AhoCorasick, MatchKind};
use std::sync::LazyLock;

/// Bytes of a line that are looked at.
const MAX_LINE: usize = 8 << 10;

/// Methods that make a quoted text a request.
const METHODS: [&str; 9] = [
    "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE",
];

/// The value that a line gives to `name`: `method`, `path`, `status` or `bytes` of an access log,
/// or any key of `key=value` pairs. Names that other loggers give to them count as well.
pub(super) fn field<'a>(line: &'a str, name: &str) -> Option<Value<'a>> {
    let line = head(line, MAX_LINE);
    let found = match name {
        "status" | "status_code" | "code" => request(line)
            .map(|request| request.status)
            .or_else(|| completed(line)),
        "method" | "request_method" => request(line).map(|request| request.method),
        "path" | "url" | "uri" => request(line).map(|request| request.path),
        "bytes" | "size" => request(line).and_then(|request| request.bytes),
        _ => None,
    };
    let named = |word: &str| word == name;
    found.map(Value::from_word).or_else(|| pair(line, named))
}

/// Names under which [`field`] gives values of a request.
const OF_REQUEST: [&[&str]; 4] = [
    &["status", "status_code", "code"],
    &["method", "request_method"],
    &["path", "url", "uri"],
    &["bytes", "size"],
];

/// Whether a line of an access log gives a value to this name.
pub(super) fn is_of_request(name: &str) -> bool {
    OF_REQUEST.iter().any(|names| names.contains(&name))
}

/// Calls `found` with every name and value that [`field`] may give for this line; of a name that
/// repeats with all of them. `requests`: what [`may_be_request`] says of it.
pub(super) fn each<'a>(line: &'a str, requests: bool, mut found: impl FnMut(&'a str, Value<'a>)) {
    let line = head(line, MAX_LINE);
    if memchr::memchr(b'=', line.as_bytes()).is_some() {
        each_pair(line, |name, value| {
            found(name, value.read());
            false
        });
    }
    if !requests {
        return;
    }
    let request = request(line);
    let status = request
        .map(|request| request.status)
        .or_else(|| completed(line));
    let words = [
        status,
        request.map(|request| request.method),
        request.map(|request| request.path),
        request.and_then(|request| request.bytes),
    ];
    for (names, word) in OF_REQUEST.into_iter().zip(words) {
        if let Some(word) = word {
            names
                .iter()
                .for_each(|name| found(name, Value::from_word(word)));
        }
    }
}

/// Whether a line may hold a request or the status of an answer: a cheap look that never says no
/// where there is one.
pub(super) fn may_be_request(line: &str) -> bool {
    SIGNS.find(head(line, MAX_LINE).as_bytes()).is_some()
}

/// Texts without which a line holds neither a request nor a status.
static SIGNS: LazyLock<Searcher> = LazyLock::new(|| {
    let names = ["Completed ", "tatus", "response_code"];
    Searcher::new(METHODS.into_iter().chain(names))
});

/// Looks for any of a few texts at once.
struct Searcher(Option<AhoCorasick>);

impl Searcher {
    fn new<'t>(texts: impl Iterator<Item = &'t str>) -> Searcher {
        // A few short constants: building cannot fail, and if it did every line would be read.
        // Leftmost, because only that kind is searched with vector instructions.
        let kind = MatchKind::LeftmostFirst;
        Searcher(AhoCorasick::builder().match_kind(kind).build(texts).ok())
    }

    fn find(&self, bytes: &[u8]) -> Option<usize> {
        match &self.0 {
            Some(texts) => texts.find(bytes).map(|found| found.start()),
            None => Some(0),
        }
    }
}

/// The status of an HTTP answer in a line, under any of its names.
pub(super) fn http_status(line: &str) -> Option<i64> {
    let line = head(line, MAX_LINE);
    let word = request(line)
        .map(|request| request.status)
        .or_else(|| completed(line));
    match word {
        Some(word) => word.parse().ok(),
        None => pair(line, |name| http::is_status(name.as_bytes()))
            .and_then(|value| http::answer(&value)),
    }
}

/// Rails: `… Completed 500 Internal Server Error in 12ms (…)`.
fn completed(line: &str) -> Option<&str> {
    let (before, behind) = line.split_once("Completed ")?;
    let begins = before.trim_end();
    let (status, behind) = behind.split_at_checked(3)?;
    let (_, took) = behind.split_once(" in ")?;
    let timed = took
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
        .starts_with("ms");
    let whole = begins.is_empty() || begins.ends_with([':', ']']);
    (whole && timed && is_status(status)).then_some(status)
}

/// What an access-log line says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    status: &'a str,
    bytes: Option<&'a str>,
}

/// Finds `"GET /path HTTP/1.1" 500 612` (nginx, Apache, uvicorn, gunicorn, python's http.server),
/// HAProxy's order (status and bytes before the request), or `GET /path 500` at the end of a line
/// (Rails, Express and gin without quotes).
fn request(line: &str) -> Option<Request<'_>> {
    quoted(line).or_else(|| bare(line))
}

fn quoted(line: &str) -> Option<Request<'_>> {
    let mut rest = line;
    // The request stands in one of the first quoted texts.
    for _ in 0..3 {
        let (before, after) = rest.split_once('"')?;
        let (inside, behind) = quoted_text(after);
        if let Some((method, path)) = method_and_path(inside) {
            return after_request(method, path, behind)
                .or_else(|| before_request(method, path, before));
        }
        rest = behind;
    }
    None
}

/// `GET /path HTTP/1.1`; the protocol may be missing.
fn method_and_path(text: &str) -> Option<(&str, &str)> {
    let (method, rest) = text.split_once(' ')?;
    let path = rest.split(' ').next()?;
    let known = METHODS.contains(&method) && path.starts_with(['/', 'h', '*']);
    known.then_some((method, path))
}

/// Status and bytes behind the request: the very next word. A number further on may be anything,
/// such as how long it took.
fn after_request<'a>(method: &'a str, path: &'a str, behind: &'a str) -> Option<Request<'a>> {
    let mut words = behind.split_ascii_whitespace().peekable();
    // chi puts `from ADDRESS - ` between.
    if words.next_if_eq(&"from").is_some() {
        words.next();
    }
    let joins = |word: &&str| matches!(*word, "-" | "|" | "->" | "returned" | "responded");
    while words.next_if(joins).is_some() {}
    let status = words.next().filter(|word| is_status(word))?;
    let next = words.next();
    if next.is_some_and(is_unit) {
        return None;
    }
    Some(Request {
        method,
        path,
        status,
        bytes: next.and_then(size),
    })
}

/// Whether the number before this word was a time or a size.
fn is_unit(word: &str) -> bool {
    let bare = word.trim_end_matches([',', '.', ';', ')']);
    matches!(
        bare,
        "ms" | "s"
            | "us"
            | "µs"
            | "ns"
            | "msec"
            | "sec"
            | "seconds"
            | "milliseconds"
            | "bytes"
            | "B"
            | "kB"
            | "KB"
            | "MB"
    )
}

/// HAProxy: `… 0/0/1/2/3 503 212 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`.
fn before_request<'a>(method: &'a str, path: &'a str, before: &'a str) -> Option<Request<'a>> {
    if let Some(found) = balancer(method, path, before) {
        return Some(found);
    }
    let mut words = before.split_ascii_whitespace();
    let timers = |word: &str| word.matches('/').count() == 4;
    words.by_ref().find(|word| timers(word))?;
    let status = words.next().filter(|word| is_status(word))?;
    let bytes = words.next().and_then(size);
    Some(Request {
        method,
        path,
        status,
        bytes,
    })
}

/// AWS' application balancer: `https TIME app/NAME/ID CLIENT TARGET t t t 502 200 in out "GET …"`.
fn balancer<'a>(method: &'a str, path: &'a str, before: &'a str) -> Option<Request<'a>> {
    let mut words = before.split_ascii_whitespace();
    let scheme = words.next()?;
    let known = matches!(scheme, "http" | "https" | "h2" | "grpcs" | "ws" | "wss");
    let named = words.nth(1).is_some_and(|name| name.starts_with("app/"));
    if !known || !named {
        return None;
    }
    let status = words.nth(5).filter(|word| is_status(word))?;
    Some(Request {
        method,
        path,
        status,
        bytes: words.nth(2).and_then(size),
    })
}

/// `GET /path 500 3.2 ms`, also after a time or in gin's columns `| 500 | 3ms | … | GET "/path"`.
fn bare(line: &str) -> Option<Request<'_>> {
    let mut words = line.split_ascii_whitespace().take(24);
    let mut earlier = None;
    // Before the request a number is a status only alone between gin's bars.
    let (mut second, mut last) = ("", "");
    let method = words.by_ref().find(|word| {
        if second.ends_with('|') && is_status(last) && *word == "|" {
            earlier = earlier.or(Some(last));
        }
        (second, last) = (last, word);
        METHODS.contains(word)
    })?;
    let path = words.next()?.trim_matches('"');
    if !path.starts_with('/') {
        return None;
    }
    let mut next = words
        .by_ref()
        .filter(|word| *word != "-" && !word.starts_with("HTTP/"));
    let follows = next.next().filter(|word| is_status(word));
    let behind = follows.and_then(|_| next.next());
    if behind.is_some_and(is_unit) {
        return None;
    }
    let status = follows.or(earlier)?;
    Some(Request {
        method,
        path,
        status,
        bytes: behind.and_then(size),
    })
}

fn is_status(word: &str) -> bool {
    word.len() == 3 && matches!(word.parse(), Ok(100..=599))
}

fn size(word: &str) -> Option<&str> {
    let number = word.bytes().all(|b| b.is_ascii_digit());
    (number && word.len() <= 18).then_some(word)
}

/// The value of a pair as it stands in the line.
enum Pair<'a> {
    Bare(&'a str),
    Quoted(&'a str),
}

impl<'a> Pair<'a> {
    fn read(&self) -> Value<'a> {
        match self {
            Pair::Bare(word) => Value::from_word(word),
            Pair::Quoted(raw) => Value::Text(crate::record::json::unescape(raw)),
        }
    }
}

/// The value of the first `name=value` or `name="quoted value"` whose name fits.
fn pair<'a>(line: &'a str, named: impl Fn(&str) -> bool) -> Option<Value<'a>> {
    let mut first = None;
    each_pair(line, |name, value| {
        let fits = named(name);
        if fits {
            first = Some(value.read());
        }
        fits
    });
    first
}

/// Every `name=value` and `name="quoted value"` that begins a word outside quotes, until `enough`.
fn each_pair<'a>(line: &'a str, mut enough: impl FnMut(&'a str, Pair<'a>) -> bool) {
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return;
        }
        let word_end = rest
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | ',' | '"'))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        let Some(value) = after.strip_prefix('=') else {
            rest = match after.strip_prefix('"') {
                Some(text) => quoted_text(text).1,
                None => after,
            };
            continue;
        };
        let (found, behind) = match value.strip_prefix('"') {
            Some(text) => {
                let (inside, behind) = quoted_text(text);
                (Pair::Quoted(inside), behind)
            }
            None => {
                let end = value
                    .find(|c: char| c.is_ascii_whitespace() || matches!(c, ',' | ';'))
                    .unwrap_or(value.len());
                let (bare, behind) = value.split_at(end);
                (Pair::Bare(bare), behind)
            }
        };
        if enough(word, found) {
            return;
        }
        rest = behind.strip_prefix(';').unwrap_or(behind);
    }
}

/// The text up to the next quote that is not escaped, and what follows it.
fn quoted_text(text: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return (&text[..at], &text[at + 1..]),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(line: &str, name: &str) -> Option<i64> {
        field(line, name).and_then(|value| value.as_int())
    }

    #[test]
    fn access_logs_of_many_servers() {
        for line in [
            r#"10.0.0.9 - - [01/Mar/2026:12:00:00 +0000] "GET /cart HTTP/1.1" 503 612 "-" "curl/8""#,
            r#"INFO:     10.0.0.9:51000 - "GET /cart HTTP/1.1" 503 Service Unavailable"#,
            r#"127.0.0.1 - - [01/Mar/2026 12:00:00] "GET /cart HTTP/1.1" 503 -"#,
            r#"10.0.0.9:51000 [01/Mar/2026:12:00:00.001] web app/s1 0/0/1/2/3 503 212 - - ---- 1/1/0/0/0 0/0 "GET /cart HTTP/1.1""#,
            r#"[GIN] 2026/03/01 - 12:00:00 | 503 |  1.2ms | 10.0.0.9 | GET      "/cart""#,
            "GET /cart 503 3.217 ms - 612",
            r#"2026/03/01 12:00:00 "GET http://shop/cart HTTP/1.1" from 10.0.0.9:51000 - 503 0B in 1ms"#,
            "level=info method=GET path=/cart status=503",
            r#"https 2026-11-21T10:00:00.1Z app/lb/50dc 10.0.0.1:2817 10.0.0.2:80 0.086 0.048 0.037 503 200 0 57 "GET https://x:443/cart HTTP/1.1" "curl" ECDHE"#,
            r#"[2026-11-21T10:00:00.123Z] "GET /cart HTTP/1.1" 503 UF 0 91 2 - "-" "curl""#,
            r#"2026-11-21T10:00:00Z "GET /cart HTTP/1.1" - 503"#,
        ] {
            assert_eq!(http_status(line), Some(503), "{line}");
            assert_eq!(int(line, "status"), Some(503), "{line}");
            let method = field(line, "method");
            assert_eq!(method, Some(Value::Text("GET".into())), "{line}");
            let path = field(line, "path").and_then(Value::into_text);
            assert!(path.is_some_and(|path| path.ends_with("/cart")), "{line}");
        }
    }

    #[test]
    fn how_long_it_took_is_no_status() {
        for line in [
            r#"2026-11-21T10:00:00Z INFO "GET /cart HTTP/1.1" took 503 ms"#,
            r#"INFO "GET /cart HTTP/1.1" 503 ms"#,
            "INFO GET /cart 503 ms",
            "INFO GET /cart 503ms",
            "2026-11-21T10:00:00Z | 503 ms | GET /cart done | 200",
            "Completed 500 rows of 9 in all",
            "we Completed 500 of them in 12ms",
        ] {
            let status = field(line, "status").and_then(|value| value.as_int());
            assert!(!matches!(status, Some(500..)), "{line}");
            assert!(!matches!(http_status(line), Some(500..)), "{line}");
        }
        let line = "completed GET /cart in 503 ms status=200";
        assert_eq!(http_status(line), Some(200));
    }

    #[test]
    fn a_path_cannot_say_its_own_status() {
        let line = r#"10.0.0.9 - - [x] "GET /x?m=\"GET /y HTTP/1.1\" 500 HTTP/1.1" 200 61"#;
        assert_eq!(http_status(line), Some(200));
        assert_eq!(int(line, "status"), Some(200));
    }

    #[test]
    fn the_status_has_other_names() {
        let rails = "I, [2026-11-21T10:00:00.2 #1]  INFO -- : Completed 500 Internal Server Error in 12ms (ActiveRecord: 1.0ms)";
        assert_eq!(http_status(rails), Some(500));
        assert_eq!(
            http_status("msg=request status_code=502 dur=3ms"),
            Some(502)
        );
        assert_eq!(http_status("msg=\"status_code=502\" code=502"), None);
    }

    #[test]
    fn bytes_where_the_server_says_them() {
        let line = r#"1.2.3.4 - - [x] "POST /a HTTP/1.1" 200 612 "-" "-""#;
        assert_eq!(int(line, "bytes"), Some(612));
        assert_eq!(int(r#"- - [x] "POST /a HTTP/1.1" 304 -"#, "bytes"), None);
    }

    #[test]
    fn prose_and_quoted_values_are_no_fields() {
        for line in [
            r#"user searched "status=503" today"#,
            r#"msg="status=503 seen" level=info"#,
            "we GET 503 complaints",
            "he said GET /x is slow",
            "",
        ] {
            assert_eq!(field(line, "status"), None, "{line}");
        }
    }

    #[test]
    fn pairs_hold_words_and_quoted_text() {
        let line = r#"ts=1 err="no \"route\"" code=E42, took=1.5 ok=true"#;
        let text = |name| field(line, name);
        assert_eq!(text("err"), Some(Value::Text(r#"no "route""#.into())));
        assert_eq!(text("code"), Some(Value::Text("E42".into())));
        assert_eq!(text("took"), Some(Value::Float(1.5)));
        assert_eq!(text("ok"), Some(Value::Bool(true)));
        assert_eq!(text("o"), None);
    }
}
