//! Calls of a code host's JSON interface: one host, one prefix, every answer bounded, every fault
//! told apart. A call that found no answer is made again a few times: each of ours may be repeated.
//! A redirect is not followed, and a token stands in one header and nowhere else.

use super::{Error, ErrorKind};
use crate::deliver::markdown::{shortened, visible};
use crate::net::{Headers, Http, Method, Request, Secret};
use serde_json::Value;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time for one call.
const WITHIN: Duration = Duration::from_secs(30);
/// Bytes of an answer.
const LONGEST: u64 = 16 << 20;
/// Tries of a call that finds no answer.
const TRIES: u32 = 4;
/// Pause before the second try; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(150);
/// How long to stay away where the host does not say it.
const AWAY: Duration = Duration::from_secs(60);
/// The longest that a host's word for it is taken.
const LONGEST_AWAY: Duration = Duration::from_secs(24 * 3600);
/// Characters kept of a host's words.
const SAID: usize = 300;

/// One host.
pub(super) struct Wire {
    http: Http,
    /// Without a slash at its end.
    base: String,
    /// As people call it, for errors.
    name: &'static str,
}

/// What a call brought.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub json: Value,
    pub headers: Headers,
}

impl Answer {
    /// A text in the answer; `""` where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.json
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The host's own words for what went wrong, bounded.
    pub fn words(&self) -> String {
        let main = [self.text("/message"), self.text("/error")];
        let mut words: Vec<String> = main
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| (*text).to_owned())
            .collect();
        if let Some(list) = self.json.pointer("/message").and_then(Value::as_array) {
            words.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        if let Some(errors) = self.json.pointer("/errors").and_then(Value::as_array) {
            let said = |error: &Value| {
                let message = error.get("message").or(Some(error));
                message.and_then(Value::as_str).map(str::to_owned)
            };
            words.extend(errors.iter().filter_map(said));
        }
        visible(&shortened(&words.join("; "), SAID)).into_owned()
    }
}

/// One call.
pub(super) struct Call<'a> {
    pub method: Method,
    /// Behind the base, with a slash.
    pub path: &'a str,
    pub body: Option<&'a Value>,
    /// Beside those that every call has.
    pub headers: Vec<(&'static str, String)>,
}

impl Wire {
    pub fn new(http: Http, base: &str, name: &'static str) -> Wire {
        Wire {
            http,
            base: base.trim_end_matches('/').to_owned(),
            name,
        }
    }

    /// Makes a call. Statuses of 200 to 299, 304, 400, 404, 405, 409 and 422 come back as they are: what they
    /// mean depends on the call.
    pub fn call(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.once(call) {
                Err(fault) if fault.kind == ErrorKind::Unreachable => {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                done => return done,
            }
        }
        self.once(call)
    }

    fn once(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let url = format!("{}{}", self.base, call.path);
        let body = call.body.map(Value::to_string).unwrap_or_default();
        let mut headers = call.headers.clone();
        if call.body.is_some() {
            headers.push(("Content-Type", "application/json".to_owned()));
        }
        let request = Request {
            method: call.method,
            url: &url,
            headers,
            body: body.as_bytes(),
            deadline: Instant::now() + WITHIN,
        };
        let what =
            |said: &str| format!("{}: {} {}: {said}", self.name, verb(call.method), call.path);
        let answer = self
            .http
            .send(&request)
            .and_then(|answer| answer.whole(LONGEST))
            .map_err(|fault| Error::new(ErrorKind::Unreachable, what(&fault.to_string())))?;
        let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        let answer = Answer {
            status: answer.status,
            json,
            headers: answer.headers,
        };
        let said = |kind: &str| what(&format!("{kind} ({}) {}", answer.status, answer.words()));
        match answer.status {
            200..300 | 304 | 400 | 404 | 405 | 409 | 422 => {
                if (200..300).contains(&answer.status)
                    && answer.status != 204
                    && answer.json.is_null()
                {
                    let what = what("an answer that is no JSON");
                    return Err(Error::new(ErrorKind::Unreachable, what));
                }
                Ok(answer)
            }
            300..400 => Err(Error::new(
                ErrorKind::Settings,
                said("a redirect, which is not followed; set `api` of [service.forge]"),
            )),
            401 => Err(Error::new(
                ErrorKind::Refused,
                said("the token is not taken"),
            )),
            403 | 429 => Err(match limited(&answer) {
                Some(after) => Error::new(ErrorKind::Limited(after), said("too many calls")),
                None => Error::new(ErrorKind::Refused, said("the token may not do this")),
            }),
            _ => Err(Error::new(ErrorKind::Unreachable, said("no answer"))),
        }
    }

    /// An error of a call that the host understood and did not do.
    pub fn invalid(&self, doing: &str, answer: &Answer) -> Error {
        let what = format!(
            "{}: {doing}: ({}) {}",
            self.name,
            answer.status,
            answer.words()
        );
        let kind = match answer.status {
            404 => ErrorKind::Missing,
            _ => ErrorKind::Invalid,
        };
        Error::new(kind, what)
    }
}

fn verb(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

/// How long to stay away, where the answer says that there were too many calls. A primary limit tells
/// when it ends, a secondary one how long it lasts or nothing but its name.
fn limited(answer: &Answer) -> Option<Duration> {
    let number = |name: &str| -> Option<u64> { answer.headers.get(name)?.trim().parse().ok() };
    if let Some(seconds) = number("retry-after") {
        return Some(Duration::from_secs(seconds).min(LONGEST_AWAY));
    }
    let used_up =
        number("x-ratelimit-remaining") == Some(0) || number("ratelimit-remaining") == Some(0);
    if used_up {
        let reset = number("x-ratelimit-reset").or_else(|| number("ratelimit-reset"));
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let left = reset.map(|at| at.saturating_sub(now.as_secs()));
        let left = left.map_or(AWAY, |left| Duration::from_secs(left.max(1)));
        return Some(left.min(LONGEST_AWAY));
    }
    let words = answer.words().to_ascii_lowercase();
    let named = words.contains("rate limit") || words.contains("abuse") || answer.status == 429;
    named.then_some(AWAY)
}

/// A bearer token's header.
pub(super) fn bearer(token: &Secret) -> (&'static str, String) {
    ("Authorization", format!("Bearer {}", token.expose()))
}

/// `OWNER/NAME` or deeper, without `.git`, of an `https://` address; `http://` only towards this
/// machine, as everywhere.
pub(super) fn path_of(address: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    if scheme != "https" && !(scheme == "http" && crate::net::is_loopback(address)) {
        return None;
    }
    let (host, path) = rest.split_once('/')?;
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !host.contains('@') && path.contains('/')).then_some((host, path))
}

/// A part of a path, percent-encoded.
pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The same for a path whose slashes stay.
pub(super) fn encoded_path(text: &str) -> String {
    let parts: Vec<String> = text.split('/').map(encoded).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_repository() {
        for (address, found) in [
            (
                "https://github.com/acme/shop.git",
                Some(("github.com", "acme/shop")),
            ),
            ("https://git.example/a/b/c/", Some(("git.example", "a/b/c"))),
            ("http://127.0.0.1:8/a/b", Some(("127.0.0.1:8", "a/b"))),
            ("http://git.example/a/b", None),
            ("https://u:p@git.example/a/b", None),
            ("https://git.example/a", None),
            ("/srv/a/b", None),
        ] {
            assert_eq!(path_of(address), found, "{address}");
        }
    }

    #[test]
    fn parts_of_a_path_stay_parts() {
        assert_eq!(encoded("a b/c?#ü"), "a%20b%2Fc%3F%23%C3%BC");
        assert_eq!(encoded_path("a b/c"), "a%20b/c");
    }
}
