//! Where a model is, and how it is spoken to: one address, JSON there and bytes back. The key
//! goes to this address's host and nowhere else.

use super::{Error, ErrorKind};
use crate::net::{self, Http, Method, Request, Response, Secret, Whole};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Answers are a few kilobytes.
const CAP: u64 = 1 << 20;
/// Longer deadlines are taken for this one; a cold start of a large model takes minutes.
const LONGEST: Duration = Duration::from_secs(3600);

/// Reads the key for a host (with its port, where the address has one), each time it is needed,
/// so that a new one is taken up. `None` where there is none.
pub type Keys = Box<dyn Fn(&str) -> Option<Secret> + Send + Sync>;

/// When a request that begins now has to be over.
pub(super) fn until(deadline: Duration) -> Instant {
    Instant::now() + deadline.min(LONGEST)
}

/// The same for one that has to be over at a moment.
pub(super) fn no_later_than(deadline: Instant) -> Instant {
    deadline.min(Instant::now() + LONGEST)
}

/// Most bytes of a question; larger ones no provider takes.
pub(super) const QUESTION: usize = 32 << 20;

/// Most bytes of a turn's answer that does not come as a stream.
pub(super) const WHOLE: u64 = 16 << 20;

/// Headers, and the key in them.
type Headed = (Vec<(&'static str, String)>, Option<Secret>);

/// What came of asking for a stream.
pub(super) enum Opened {
    /// With the key, which no word of an error may hold.
    Stream(Response, Option<Secret>),
    /// A fault, or an answer of a server that does not stream.
    Whole(Whole),
}

/// The header that a key goes into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyHeader {
    /// `Authorization: Bearer`
    #[default]
    Bearer,
    /// `x-api-key`, as Anthropic wants it.
    ApiKey,
}

/// One server.
pub(super) struct Server {
    http: Http,
    key_header: KeyHeader,
    /// Without a slash at its end.
    base: String,
    /// Host and port; what errors name.
    pub host: String,
    keys: Keys,
}

impl Server {
    /// `suffix` is what people leave at the end of an address, though paths bring it: `/v1`.
    pub fn new(http: Http, url: &str, suffix: &str, keys: Keys) -> Result<Server, Error> {
        let (base, host) = address(url, suffix)?;
        Ok(Server {
            http,
            key_header: KeyHeader::Bearer,
            base,
            host,
            keys,
        })
    }

    pub fn get(&self, path: &str, until: Instant) -> Result<Whole, Error> {
        self.send(Method::Get, path, &[], CAP, until)
    }

    pub fn post(&self, path: &str, body: &Value, until: Instant) -> Result<Whole, Error> {
        self.post_long(path, body, CAP, until)
    }

    /// For answers that may be longer than a verdict on a batch of lines.
    pub fn post_long(
        &self,
        path: &str,
        body: &Value,
        cap: u64,
        until: Instant,
    ) -> Result<Whole, Error> {
        self.send(Method::Post, path, body.to_string().as_bytes(), cap, until)
    }

    pub fn with_key_in(mut self, header: KeyHeader) -> Server {
        self.key_header = header;
        self
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: &[u8],
        cap: u64,
        until: Instant,
    ) -> Result<Whole, Error> {
        let (headers, key) = self.headers(method, "application/json")?;
        let url = format!("{}{path}", self.base);
        let request = Request {
            method,
            url: &url,
            headers,
            body,
            deadline: until,
        };
        let answer = self.http.whole(request, cap);
        let answer = answer.map_err(|e| self.unanswered(&e))?;
        Ok(hidden(answer, key.as_ref()))
    }

    /// Asks for an answer that comes bit by bit. One that is no stream is read whole.
    pub fn open(
        &self,
        path: &str,
        more: &[(&'static str, &str)],
        body: &Value,
        (idle, until): (Duration, Instant),
    ) -> Result<Opened, Error> {
        let (mut headers, key) = self.headers(Method::Post, "text/event-stream")?;
        let more = more
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        headers.extend(more);
        let body = body.to_string();
        if body.len() > QUESTION {
            return Err(Error::new(
                ErrorKind::TooLong,
                format!(
                    "a question of {} bytes is more than a server takes",
                    body.len()
                ),
            ));
        }
        let request = Request {
            method: Method::Post,
            url: &format!("{}{path}", self.base),
            headers,
            body: body.as_bytes(),
            deadline: until,
        };
        let response = self.http.flow(request, idle);
        let response = response.map_err(|e| self.unanswered(&e))?;
        if response.status == 200 && !response.content_type.starts_with("application/json") {
            return Ok(Opened::Stream(response, key));
        }
        let answer = response.whole(WHOLE).map_err(|e| self.unanswered(&e))?;
        Ok(Opened::Whole(hidden(answer, key.as_ref())))
    }

    fn headers(&self, method: Method, accept: &str) -> Result<Headed, Error> {
        let mut headers = vec![("Accept", accept.to_owned())];
        if method == Method::Post {
            headers.push(("Content-Type", "application/json".to_owned()));
        }
        let key = (self.keys)(&self.host);
        if let Some(key) = &key {
            headers.push(match self.key_header {
                KeyHeader::Bearer => ("Authorization", format!("Bearer {}", printable(key)?)),
                KeyHeader::ApiKey => ("x-api-key", printable(key)?.to_owned()),
            });
        }
        Ok((headers, key))
    }

    pub fn unanswered(&self, e: &net::Error) -> Error {
        unanswered(&self.host, e)
    }
}

/// The base of an address, without a slash at its end, and its host and port.
pub(super) fn address(url: &str, suffix: &str) -> Result<(String, String), Error> {
    let bad = |why: &str| {
        Err(Error::new(
            ErrorKind::Settings,
            format!("the model's address {why}"),
        ))
    };
    let url = url.trim().trim_end_matches('/');
    let base = url
        .strip_suffix(suffix)
        .unwrap_or(url)
        .trim_end_matches('/');
    let Some(("http" | "https", rest)) = base.split_once("://") else {
        return bad("does not begin with http:// or https://");
    };
    let host = rest.split('/').next().unwrap_or(rest);
    if host.is_empty() || host.starts_with(':') {
        return bad("names no host");
    }
    if host.contains('@') {
        return bad("holds a name or password; keys are read from a variable or a file");
    }
    if rest.contains(['?', '#']) || rest.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return bad("holds more than a host and a path");
    }
    Ok((base.to_owned(), host.to_owned()))
}

/// Why no answer came.
pub(super) fn unanswered(host: &str, e: &net::Error) -> Error {
    match e.kind {
        net::ErrorKind::Settings => Error::new(ErrorKind::Settings, e.to_string()),
        net::ErrorKind::Timeout => Error::new(
            ErrorKind::TimedOut,
            format!(
                "the model at {host} did not answer in time; \
                 a longer deadline, a shorter question or a smaller model help"
            ),
        ),
        net::ErrorKind::TooLarge => Error::new(
            ErrorKind::Garbage,
            format!("the model at {host} answered with more than it may ({e})"),
        ),
        net::ErrorKind::Network => Error::new(
            ErrorKind::Unreachable,
            format!("no answer from the model at {host} ({e}); is the server running there?"),
        ),
    }
}

/// A server may quote the key that it was given.
pub(super) fn hidden(mut answer: Whole, key: Option<&Secret>) -> Whole {
    if let Some(key) = key.filter(|_| answer.status != 200) {
        let text = String::from_utf8_lossy(&answer.body).replace(key.expose(), "…");
        answer.body = text.into_bytes();
    }
    answer
}

fn printable(key: &Secret) -> Result<&str, Error> {
    let text = key.expose();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
        let words = "the model's key holds what no header can; is it the right variable or file?";
        return Err(Error::new(ErrorKind::Settings, words));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Result<Server, Error> {
        let http = Http::new(&net::Settings::default()).unwrap();
        Server::new(http, url, "/v1", Box::new(|_| None))
    }

    #[test]
    fn an_address_has_v1_or_not() {
        for url in [
            "http://h:1",
            "http://h:1/",
            "http://h:1/v1",
            " http://h:1/v1/ ",
        ] {
            assert_eq!(server(url).unwrap().base, "http://h:1", "{url}");
        }
        assert_eq!(server("https://h/a/v1").unwrap().base, "https://h/a");
    }

    #[test]
    fn what_is_no_address_is_told_without_repeating_it() {
        for url in [
            "",
            "h:1",
            "ftp://h",
            "http://",
            "http://:80",
            "http://me:pw@h",
            "http://h?k=pw",
            "http://h/a b",
        ] {
            let e = server(url).err().expect(url);
            assert_eq!(e.kind, ErrorKind::Settings, "{url}");
            assert!(!e.to_string().contains("pw"), "{e}");
        }
    }

    #[test]
    fn a_key_that_no_header_can_hold_is_told_without_it() {
        for text in ["", "s3cret\nX: y", "s3 cret", "s3crét"] {
            let e = printable(&Secret::new(text.to_owned())).unwrap_err();
            assert!(!e.to_string().contains("s3"), "{e}");
        }
        assert_eq!(printable(&Secret::new("k".to_owned())).unwrap(), "k");
    }
}
