//! One call of GitHub's API: its headers, its time, what limits it ran into, and what its answer
//! says in words without secrets. Writes come one after the other, with a second between them. No
//! redirect is followed, and nothing is asked but what [`Place`] names.

use super::place::Place;
use crate::deliver::forge::{Error, ErrorKind};
use crate::net::{Http, Method, Request, Secret, Whole};
use serde_json::Value;
use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// For one call.
const CALL: Duration = Duration::from_secs(30);
/// For all calls of one task.
const TASK: Duration = Duration::from_secs(600);
/// Between two writes, as GitHub asks for.
const PACE: Duration = Duration::from_secs(1);
/// How often a call is sent before it has failed.
const TRIES: usize = 3;
/// A call that failed later than this is not sent again: the host is slow, and not hiccuping.
const SOON: Duration = Duration::from_secs(10);
/// Longest answer that is read, in bytes.
const ANSWER: u64 = 16 << 20;
/// How long to wait where a limit does not say it.
const LEAST_WAIT: Duration = Duration::from_secs(60);
/// No limit of GitHub's lasts longer.
const LONGEST_WAIT: Duration = Duration::from_secs(2 * 3600);
/// Longest text of the host in an error, in characters.
const SAID: usize = 300;
/// Longest etag that is kept.
const ETAG: usize = 200;

/// Sends calls.
pub(super) struct Calls {
    http: Http,
    place: Place,
    written: Cell<Option<Instant>>,
    until: Cell<Instant>,
}

/// What came back, with a status below 500.
pub(super) struct Answer {
    pub status: u16,
    /// `Null` where there was no JSON.
    pub json: Value,
    pub etag: Option<String>,
    /// `Link`, for the number of its last page.
    pub link: Option<String>,
    /// `X-OAuth-Scopes`, of classic tokens only.
    pub scopes: Option<String>,
    /// What the host said of a failure, cleaned and without the token.
    pub said: String,
    host: String,
}

impl Calls {
    pub fn new(http: Http, place: Place) -> Calls {
        Calls {
            http,
            place,
            written: Cell::new(None),
            until: Cell::new(Instant::now() + TASK),
        }
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// From here on counts the time of one task.
    pub fn begin(&self) {
        self.until.set(Instant::now() + TASK);
    }

    /// Sends one call. Limits, faults of the host and redirects are errors; every other status is
    /// the caller's to judge. Where no answer came it is sent again, because all that the client
    /// sends may come twice: objects are named by their content, a ref or a request that is there
    /// already is found, labels and reviewers are sets. Only a comment is not; it is looked for.
    pub fn once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        etag: Option<&str>,
        token: &Secret,
    ) -> Result<Answer, Error> {
        let mut left = if method == Method::Get || !path.ends_with("/comments") {
            TRIES
        } else {
            1
        };
        loop {
            let begun = Instant::now();
            let answer = self.attempt(method, path, body, etag, token);
            left -= 1;
            match answer {
                Err(e)
                    if e.kind == ErrorKind::Unreachable && left > 0 && begun.elapsed() < SOON =>
                {
                    if !self.place.is_loopback() {
                        std::thread::sleep(PACE);
                    }
                }
                answer => return answer,
            }
        }
    }

    fn attempt(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        etag: Option<&str>,
        token: &Secret,
    ) -> Result<Answer, Error> {
        if method != Method::Get {
            self.pace();
        }
        let url = format!("{}/{path}", self.place.api);
        let mut headers = vec![
            ("Authorization", format!("Bearer {}", token.expose())),
            ("Accept", "application/vnd.github+json".to_owned()),
            ("X-GitHub-Api-Version", "2022-11-28".to_owned()),
        ];
        if let Some(etag) = etag {
            headers.push(("If-None-Match", etag.to_owned()));
        }
        let bytes = body.map(Value::to_string).unwrap_or_default();
        if body.is_some() {
            headers.push(("Content-Type", "application/json".to_owned()));
        }
        let request = Request {
            method,
            url: &url,
            headers,
            body: bytes.as_bytes(),
            deadline: self.until.get().min(Instant::now() + CALL),
        };
        let host = self.place.host();
        let sent = self.http.whole(request, ANSWER);
        if method != Method::Get {
            self.written.set(Some(Instant::now()));
        }
        let whole = sent.map_err(|e| {
            let kind = match e.kind {
                crate::net::ErrorKind::Settings => ErrorKind::Settings,
                crate::net::ErrorKind::Timeout
                | crate::net::ErrorKind::TooLarge
                | crate::net::ErrorKind::Network => ErrorKind::Unreachable,
            };
            Error::new(
                kind,
                format!("{host} cannot be had: {}", hide(&e.to_string(), token)),
            )
        })?;
        judge(whole, host, token)
    }

    fn pace(&self) {
        if self.place.is_loopback() {
            return;
        }
        if let Some(left) = self
            .written
            .get()
            .and_then(|at| PACE.checked_sub(at.elapsed()))
        {
            std::thread::sleep(left);
        }
    }
}

impl Answer {
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The answer, where its status is good.
    pub fn good(self, doing: &str) -> Result<Answer, Error> {
        if self.is_ok() {
            return Ok(self);
        }
        Err(self.error(doing))
    }

    /// A status that is not good, in words.
    pub fn error(&self, doing: &str) -> Error {
        let (kind, what) = match self.status {
            401 => (ErrorKind::Refused, "the token is not taken"),
            403 => (ErrorKind::Refused, "the token may not do this"),
            404 => (
                ErrorKind::Missing,
                "there is no such thing, or the token may not see it",
            ),
            _ => (ErrorKind::Invalid, "it is refused"),
        };
        let said = if self.said.is_empty() {
            String::new()
        } else {
            format!(": {}", self.said)
        };
        let words = format!("{doing} at {}: {what} ({}{said})", self.host, self.status);
        Error::new(kind, words)
    }

    /// An answer that is not what the API promises: the host, or something on the way, is broken.
    pub fn malformed(&self, what: &str) -> Error {
        let words = format!("{} answered without {what} ({})", self.host, self.status);
        Error::new(ErrorKind::Unreachable, words)
    }

    /// A text of the answer that has to be there.
    pub fn text(&self, pointer: &str, what: &str) -> Result<String, Error> {
        let text = self.json.pointer(pointer).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| self.malformed(what))
    }

    /// Whether the host gave this as a reason.
    pub fn says(&self, words: &str) -> bool {
        let (said, words) = (self.said.to_lowercase(), words.to_lowercase());
        said.contains(&words)
    }
}

fn judge(whole: Whole, host: &str, token: &Secret) -> Result<Answer, Error> {
    let json: Result<Value, _> = serde_json::from_slice(&whole.body);
    let said = json
        .as_ref()
        .map(|json| said(json, token))
        .unwrap_or_default();
    let header = |name: &str| whole.headers.get(name).map(str::to_owned);
    let status = whole.status;
    if let Some(wait) = limited(&whole, &said) {
        let words = format!(
            "{host} has had too many calls ({status}): again in {} s",
            wait.as_secs()
        );
        return Err(Error::new(ErrorKind::Limited(wait), words));
    }
    if !(200..500).contains(&status) {
        let words = format!("{host} has a fault of its own ({status}: {said})");
        return Err(Error::new(ErrorKind::Unreachable, words));
    }
    if (300..400).contains(&status) && status != 304 {
        let words = format!(
            "{host} points elsewhere ({status}), and no redirect is followed: if the repository was \
             renamed or moved, write its new address as `repo`"
        );
        return Err(Error::new(ErrorKind::Settings, words));
    }
    let empty = matches!(status, 204 | 304);
    if (200..300).contains(&status) && !empty && json.is_err() {
        let words = format!("{host} answered with what is no JSON ({status})");
        return Err(Error::new(ErrorKind::Unreachable, words));
    }
    let fits = |etag: &String| etag.len() <= ETAG && etag.bytes().all(|b| (32..127).contains(&b));
    Ok(Answer {
        status,
        json: json.unwrap_or(Value::Null),
        etag: header("etag").filter(fits),
        link: header("link"),
        scopes: header("x-oauth-scopes"),
        said,
        host: host.to_owned(),
    })
}

/// How long to wait, where the answer says that there were too many calls.
fn limited(whole: &Whole, said: &str) -> Option<Duration> {
    if !matches!(whole.status, 403 | 429) {
        return None;
    }
    let bounded = |wait: Duration| wait.clamp(Duration::from_secs(1), LONGEST_WAIT);
    if let Some(wait) = whole.retry_after {
        return Some(bounded(wait));
    }
    let number = |name: &str| -> Option<i64> { whole.headers.get(name)?.trim().parse().ok() };
    if number("x-ratelimit-remaining") == Some(0) {
        let left = number("x-ratelimit-reset")
            .map(|reset| reset.saturating_sub(server_clock(whole)))
            .and_then(|left| u64::try_from(left).ok());
        return Some(left.map_or(LEAST_WAIT, |left| bounded(Duration::from_secs(left + 1))));
    }
    let said = said.to_lowercase();
    let told = said.contains("rate limit") || said.contains("abuse detection");
    (whole.status == 429 || told || whole.headers.get("retry-after").is_some())
        .then_some(LEAST_WAIT)
}

/// Seconds since 1970 by the host's clock, else by this machine's.
fn server_clock(whole: &Whole) -> i64 {
    let date = whole.headers.get("date").and_then(|date| {
        let date = date.trim().replace("GMT", "+0000");
        OffsetDateTime::parse(&date, &Rfc2822).ok()
    });
    date.unwrap_or_else(|| SystemTime::now().into())
        .unix_timestamp()
}

/// The reasons that an answer gives: its message, and those of its errors.
fn said(json: &Value, token: &Secret) -> String {
    let mut said: Vec<&str> = Vec::new();
    said.extend(json["message"].as_str());
    for error in json["errors"].as_array().into_iter().flatten().take(5) {
        said.extend(error.as_str());
        said.extend(error["message"].as_str());
    }
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    // Before it is cut: half a token is one too many.
    let said = hide(&said.join("; "), token);
    said.chars().take(SAID).map(clean).collect()
}

/// A text of the host, which might repeat what it was sent.
fn hide(text: &str, token: &Secret) -> String {
    if token.expose().is_empty() {
        return text.to_owned();
    }
    text.replace(token.expose(), "…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reasons_are_bounded_cleaned_and_without_the_token() {
        let token = Secret::new("s3cret".to_owned());
        let told = said(
            &json!({"message": "bad\u{1b}[31m s3cret", "errors": [
            {"message": "worse"}, "worst", {"code": "x"}]}),
            &token,
        );
        assert_eq!(told, "bad [31m …; worse; worst");
        let long = format!("{}s3cret{}", "x".repeat(SAID - 3), "x".repeat(999));
        let long = said(&json!({"message": long}), &token);
        assert_eq!(long.chars().count(), SAID);
        assert!(!long.contains("s3"), "{long}");
    }
}
