//! One request to a platform that answers with JSON, and what its status means. Bounded in bytes and
//! time. A request is sent once: whoever asks decides whether to ask again.

use crate::net::{self, Http, Method, Request};
use crate::recover::ANSWER_LIMIT;
use crate::recover::error::{Error, ErrorKind, shown};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long one that asks too often leaves a platform alone, where that does not say how long.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest that a platform may ask to be left alone for.
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// One request.
pub(super) struct Call<'a> {
    pub method: Method,
    pub url: &'a str,
    pub headers: Vec<(&'static str, String)>,
    pub body: &'a [u8],
    pub until: Instant,
}

/// A status of 300 or more, with the body as it came.
pub(super) struct Refusal {
    pub status: u16,
    pub retry_after: Option<Duration>,
    pub body: String,
}

impl Refusal {
    /// What it means where a platform has no words of its own for it. `what` names what was asked.
    pub(super) fn error(&self, what: &str) -> Error {
        let said = shown(&self.body);
        let sentence = |middle: &str| match said.as_str() {
            "" => format!("{what}: {middle} (status {})", self.status),
            said => format!("{what}: {middle} (status {}): {said}", self.status),
        };
        match self.status {
            401 => Error::new(
                ErrorKind::Refused,
                sentence("the platform does not take the credentials; renew them"),
            ),
            403 => Error::new(
                ErrorKind::Refused,
                sentence("the credentials may not do this; give them the right"),
            ),
            404 | 410 => Error::new(ErrorKind::Missing, sentence("there is no such thing")),
            429 => {
                let after = self.retry_after.unwrap_or(PAUSE).min(LONGEST_PAUSE);
                Error::new(ErrorKind::Limited(after), sentence("asked too often"))
            }
            500..=599 => Error::new(ErrorKind::Unreachable, sentence("the platform has a fault")),
            _ => Error::new(ErrorKind::Refused, sentence("the platform says no")),
        }
    }
}

/// Sends it; gives the body of an answer with a status below 300, null where there is none. The outer
/// error: no answer that can be understood.
pub(super) fn send(
    http: &Http,
    call: Call<'_>,
    what: &str,
) -> Result<Result<Value, Refusal>, Error> {
    let bytes = match whole(http, call, what)? {
        Ok(answer) => answer,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let body = match bytes.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&bytes).map_err(|_| {
            // Half an answer looks like this. A change may have been made.
            let what = format!("{what}: the answer is no JSON, or a part of it");
            Error::new(ErrorKind::Unreachable, what)
        })?,
    };
    Ok(Ok(body))
}

/// As [`send`], for an answer that is plain text; what is no UTF-8 in it is replaced.
pub(super) fn text(
    http: &Http,
    call: Call<'_>,
    what: &str,
) -> Result<Result<String, Refusal>, Error> {
    let answer = whole(http, call, what)?;
    Ok(answer.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn whole(http: &Http, call: Call<'_>, what: &str) -> Result<Result<Vec<u8>, Refusal>, Error> {
    let unreachable = |fault: net::Error| {
        let kind = match fault.kind {
            net::ErrorKind::Settings => ErrorKind::Settings,
            _ => ErrorKind::Unreachable,
        };
        Error::new(kind, format!("{what}: {fault}"))
    };
    let request = Request {
        method: call.method,
        url: call.url,
        headers: call.headers,
        body: call.body,
        deadline: call.until,
    };
    let response = http.send(&request).map_err(unreachable)?;
    let (status, retry_after) = (response.status, response.retry_after);
    let bytes = response.bytes(ANSWER_LIMIT).map_err(unreachable)?;
    if status >= 300 {
        let body = String::from_utf8_lossy(&bytes).into_owned();
        return Ok(Err(Refusal {
            status,
            retry_after,
            body,
        }));
    }
    Ok(Ok(bytes))
}
