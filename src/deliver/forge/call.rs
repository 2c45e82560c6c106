//! One call to a code host's API: JSON in and out, the token read for each call and put into one
//! header, no redirects, everything bounded; and what a status that nobody foresaw means. What is
//! asked, and what an answer says, is for each host's own file.

use super::again::again;
use super::{Error, ErrorKind, Reader};
use crate::net::{self, Http, Method, Request, Whole};
use serde_json::Value;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long one call may take, its answer included.
const TIME: Duration = Duration::from_secs(90);
/// Longest answer that is read.
const ANSWER_LIMIT: u64 = 32 << 20;
/// How much of what a host says about an error is passed on, in characters.
const SAID_LIMIT: usize = 300;
/// How long to wait where a host says that it is too much, but not for how long.
const PAUSE: Duration = Duration::from_secs(60);
/// The longest wait that a host can impose.
const PAUSE_LIMIT: Duration = Duration::from_secs(3600);

/// A code host's API, and who speaks to it.
pub(super) struct Api {
    http: Http,
    /// Without a slash at its end.
    base: String,
    /// How the host is called in messages: `GitLab`.
    host: &'static str,
    header: &'static str,
    /// What stands before the token in its header.
    before: &'static str,
    token: Reader,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub etag: Option<String>,
    /// `Null` where the body is no JSON.
    pub body: Value,
    /// What the host says is wrong, bounded and without the token.
    said: String,
    pause: Option<Duration>,
    redirect: Option<String>,
}

impl Api {
    pub fn new(
        http: Http,
        base: String,
        host: &'static str,
        (header, before): (&'static str, &'static str),
        token: Reader,
    ) -> Api {
        Api {
            http,
            base,
            host,
            header,
            before,
            token,
        }
    }

    pub fn get(&self, path: &str) -> Result<Answer, Error> {
        self.get_since(path, None)
    }

    /// `seen`: the mark of an earlier answer; the status is 304 where nothing is new since.
    pub fn get_since(&self, path: &str, seen: Option<&str>) -> Result<Answer, Error> {
        again(|| self.call(Method::Get, path, seen, &[]))
    }

    /// For what the host refuses to do twice: an answer that was lost is asked for again.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer, Error> {
        again(|| self.post_once(path, body))
    }

    /// For what the host would do twice: whoever tries again looks first.
    pub fn post_once(&self, path: &str, body: &Value) -> Result<Answer, Error> {
        let bytes = serde_json::to_vec(body).map_err(|e| {
            let what = format!("a request to {} cannot be written: {e}", self.host);
            Error::new(ErrorKind::Invalid, what)
        })?;
        self.call(Method::Post, path, None, &bytes)
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        seen: Option<&str>,
        body: &[u8],
    ) -> Result<Answer, Error> {
        let Some(token) = (self.token)() else {
            let what = format!("there is no token for {} at {}", self.host, self.base);
            return Err(Error::new(ErrorKind::Settings, what));
        };
        let token = token.expose().trim();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            let what = format!("the token for {} is empty or no token", self.host);
            return Err(Error::new(ErrorKind::Settings, what));
        }
        let mut headers = vec![
            (self.header, format!("{}{token}", self.before)),
            ("accept", "application/json".to_owned()),
        ];
        if method != Method::Get {
            headers.push(("content-type", "application/json".to_owned()));
        }
        if let Some(seen) = seen {
            headers.push(("if-none-match", seen.to_owned()));
        }
        let url = format!("{}/{path}", self.base);
        let request = Request {
            method,
            url: &url,
            headers,
            body,
            deadline: Instant::now() + TIME,
        };
        let whole = self
            .http
            .whole(request, ANSWER_LIMIT)
            .map_err(|e| self.unreachable(&e, token))?;
        let answer = read(whole, token);
        match answer.status {
            500.. => Err(self.refusal(&answer, "asking")),
            _ => Ok(answer),
        }
    }

    fn unreachable(&self, e: &net::Error, token: &str) -> Error {
        let kind = match e.kind {
            net::ErrorKind::Settings => ErrorKind::Settings,
            net::ErrorKind::Timeout | net::ErrorKind::Network => ErrorKind::Unreachable,
            net::ErrorKind::TooLarge => ErrorKind::Invalid,
        };
        let said = printable(&e.to_string(), token);
        Error::new(kind, format!("{} at {}: {said}", self.host, self.base))
    }

    /// What an answer means that its caller has no use for. `doing`: what was tried, as in
    /// "opening a merge request".
    pub fn refusal(&self, answer: &Answer, doing: &str) -> Error {
        let Answer { status, said, .. } = answer;
        let host = self.host;
        let (kind, what) = match status {
            200..=299 => (
                ErrorKind::Unreachable,
                format!("{doing}: {host} answers {status}, but not with what its API promises"),
            ),
            300..=399 => (
                ErrorKind::Settings,
                format!(
                    "{doing}: {host} redirects to {}; nothing follows that. Name the address in \
                     the registry if it is right",
                    answer.redirect.as_deref().unwrap_or("nowhere")
                ),
            ),
            401 => (
                ErrorKind::Refused,
                format!("{doing}: {host} does not take the token: {said}"),
            ),
            403 => (
                ErrorKind::Refused,
                format!("{doing}: the token may not do this at {host}: {said}"),
            ),
            404 | 410 => (
                ErrorKind::Missing,
                format!("{doing}: {host} has no such thing, or the token may not see it: {said}"),
            ),
            429 => {
                let pause = answer.pause.unwrap_or(PAUSE);
                let what = format!(
                    "{doing}: too many calls for {host}: again in {} s",
                    pause.as_secs()
                );
                (ErrorKind::Limited(pause), what)
            }
            408 | 423 | 425 | 500..=599 => (
                ErrorKind::Unreachable,
                format!("{doing}: {host} answers with status {status}: {said}"),
            ),
            _ => (
                ErrorKind::Invalid,
                format!("{doing}: {host} refuses with status {status}: {said}"),
            ),
        };
        // A server that is too busy may say for how long.
        let kind = match (kind, answer.pause) {
            (ErrorKind::Unreachable, Some(pause)) if *status == 503 => ErrorKind::Limited(pause),
            (kind, _) => kind,
        };
        Error::new(kind, what)
    }
}

impl Answer {
    pub fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn said(&self) -> &str {
        &self.said
    }
}

fn read(whole: Whole, token: &str) -> Answer {
    let body: Value = serde_json::from_slice(&whole.body).unwrap_or(Value::Null);
    let said = match whole.status {
        200..=299 => String::new(),
        _ => printable(&words_of(&body), token),
    };
    Answer {
        status: whole.status,
        etag: whole
            .headers
            .get("etag")
            .filter(|tag| tag.len() <= 256)
            .map(str::to_owned),
        body,
        said,
        pause: pause(&whole),
        redirect: whole.location.map(|to| printable(&to, token)),
    }
}

/// For how long a host wants to be left alone: in seconds, else until a second of its clock.
fn pause(whole: &Whole) -> Option<Duration> {
    let until = whole.headers.get("ratelimit-reset");
    let until = until.and_then(|text| text.trim().parse().ok());
    let left = until.and_then(|seconds| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Duration::from_secs(seconds).checked_sub(now)
    });
    let pause = whole.retry_after.or(left)?;
    Some(pause.clamp(Duration::from_secs(1), PAUSE_LIMIT))
}

/// `message` or `error` of an answer, whatever form it has.
fn words_of(body: &Value) -> String {
    let said = [
        body.get("message"),
        body.get("error_description"),
        body.get("error"),
    ];
    match said.into_iter().flatten().next() {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "it does not say why".to_owned(),
    }
}

/// A host may say anything, also the token back.
fn printable(text: &str, token: &str) -> String {
    let text = text.replace(token, "…");
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SAID_LIMIT)
        .collect()
}

/// A text of an answer.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// A number of an answer.
pub(super) fn number(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer).and_then(Value::as_u64)
}

/// A list of an answer; what is none has no entries.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// A full commit id of an answer.
pub(super) fn commit(value: &Value, pointer: &str) -> Option<String> {
    let id = text(value, pointer)?;
    let full = matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit());
    full.then(|| id.to_ascii_lowercase())
}

/// What tells a comment that is there already. Nothing in it can end the HTML comment.
pub(super) fn mark_line(mark: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '.' | '/');
    let mark: String = mark
        .chars()
        .map(|c| if plain(&c) { c } else { '_' })
        .take(200)
        .collect();
    format!("<!-- autofix:{mark} -->")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_host_says_is_short_and_holds_no_token() {
        let body = json!({"message": {"base": [format!("no s3cret here\n{}", "x".repeat(900))]}});
        let said = printable(&words_of(&body), "s3cret");
        assert!(
            said.contains("no … here") && !said.contains("s3cret"),
            "{said}"
        );
        assert!(said.chars().count() <= SAID_LIMIT);
    }

    #[test]
    fn only_full_ids_are_commits() {
        let body = json!({"a": "ABCDEF0123456789abcdef0123456789abcdef01", "b": "abc", "c": 4});
        assert_eq!(
            commit(&body, "/a").unwrap(),
            "abcdef0123456789abcdef0123456789abcdef01"
        );
        assert!(commit(&body, "/b").is_none() && commit(&body, "/c").is_none());
    }

    #[test]
    fn a_mark_cannot_end_its_comment() {
        assert_eq!(mark_line("a --> b"), "<!-- autofix:a_____b -->");
        assert_eq!(mark_line("counts:2026"), "<!-- autofix:counts:2026 -->");
    }
}
