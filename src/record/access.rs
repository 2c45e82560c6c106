//! Values in plain log lines: access logs and `key=value` pairs. Read only when a watch names one
//! of them; not a parser of whole lines.

use crate::record::clean::head;
use crate::record::value::Value;

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
        "status" | "status_code" | "code" => request(line).map(|request| request.status),
        "method" | "request_method" => request(line).map(|request| request.method),
        "path" | "url" | "uri" => request(line).map(|request| request.path),
        "bytes" | "size" => request(line).and_then(|request| request.bytes),
        _ => None,
    };
    found.map(Value::from_word).or_else(|| pair(line, name))
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
        let (inside, behind) = after.split_once('"')?;
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

/// Status and bytes behind the request, possibly in brackets or after a reason.
fn after_request<'a>(method: &'a str, path: &'a str, behind: &'a str) -> Option<Request<'a>> {
    let mut words = behind.split_ascii_whitespace();
    // Go and gin put `from ADDRESS - ` or `|` between.
    let status = words.by_ref().take(4).find(|word| is_status(word))?;
    let bytes = words.next().and_then(size);
    Some(Request {
        method,
        path,
        status,
        bytes,
    })
}

/// HAProxy: `… 0/0/1/2/3 503 212 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`.
fn before_request<'a>(method: &'a str, path: &'a str, before: &'a str) -> Option<Request<'a>> {
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

/// `GET /path 500 3.2 ms`, also after a time or in gin's columns `| 500 | 3ms | … | GET "/path"`.
fn bare(line: &str) -> Option<Request<'_>> {
    let mut words = line.split_ascii_whitespace().take(24);
    let mut earlier = None;
    let method = words.by_ref().find(|word| {
        if is_status(word) {
            earlier = Some(*word);
        }
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
    // Before the request a number is a status only between gin's bars.
    let status = follows.or(earlier.filter(|_| line.contains(" | ")))?;
    Some(Request {
        method,
        path,
        status,
        bytes: follows.and_then(|_| next.next()).and_then(size),
    })
}

fn is_status(word: &str) -> bool {
    word.len() == 3 && matches!(word.parse(), Ok(100..=599))
}

fn size(word: &str) -> Option<&str> {
    let number = word.bytes().all(|b| b.is_ascii_digit());
    (number && word.len() <= 18).then_some(word)
}

/// The value of `name=value` or `name="quoted value"`, where it begins a word outside quotes.
fn pair<'a>(line: &'a str, name: &str) -> Option<Value<'a>> {
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return None;
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
                (Value::Text(crate::record::json::unescape(inside)), behind)
            }
            None => {
                let end = value
                    .find(|c: char| c.is_ascii_whitespace() || matches!(c, ',' | ';'))
                    .unwrap_or(value.len());
                let (bare, behind) = value.split_at(end);
                (Value::from_word(bare), behind)
            }
        };
        if word == name {
            return Some(found);
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
        ] {
            assert_eq!(int(line, "status"), Some(503), "{line}");
            let method = field(line, "method");
            assert_eq!(method, Some(Value::Text("GET".into())), "{line}");
            let path = field(line, "path").and_then(Value::into_text);
            assert!(path.is_some_and(|path| path.ends_with("/cart")), "{line}");
        }
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
