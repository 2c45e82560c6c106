//! Where a model is, and how it is spoken to: one address, JSON there and bytes back. The key
//! goes to this address's host and nowhere else.

use super::{Error, ErrorKind};
use crate::net::{self, Http, Method, Request, Secret, Whole};
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

/// One server.
pub(super) struct Server {
    http: Http,
    /// Without a slash at its end.
    base: String,
    /// Host and port; what errors name.
    pub host: String,
    keys: Keys,
}

impl Server {
    /// `suffix` is what people leave at the end of an address, though paths bring it: `/v1`.
    pub fn new(http: Http, url: &str, suffix: &str, keys: Keys) -> Result<Server, Error> {
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
        if rest.contains(['?', '#']) || rest.contains(|c: char| c.is_control() || c.is_whitespace())
        {
            return bad("holds more than a host and a path");
        }
        Ok(Server {
            http,
            base: base.to_owned(),
            host: host.to_owned(),
            keys,
        })
    }

    pub fn get(&self, path: &str, until: Instant) -> Result<Whole, Error> {
        self.send(Method::Get, path, &[], until)
    }

    pub fn post(&self, path: &str, body: &Value, until: Instant) -> Result<Whole, Error> {
        self.send(Method::Post, path, body.to_string().as_bytes(), until)
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: &[u8],
        until: Instant,
    ) -> Result<Whole, Error> {
        let mut headers = vec![("Accept", "application/json".to_owned())];
        if method == Method::Post {
            headers.push(("Content-Type", "application/json".to_owned()));
        }
        let key = (self.keys)(&self.host);
        if let Some(key) = &key {
            headers.push(("Authorization", bearer(key)?));
        }
        let url = format!("{}{path}", self.base);
        let request = Request {
            method,
            url: &url,
            headers,
            body,
            deadline: until,
        };
        let answer = self.http.whole(request, CAP);
        let mut answer = answer.map_err(|e| self.unanswered(&e))?;
        // A server may quote the key that it was given.
        if let Some(key) = key.filter(|_| answer.status != 200) {
            let text = String::from_utf8_lossy(&answer.body).replace(key.expose(), "…");
            answer.body = text.into_bytes();
        }
        Ok(answer)
    }

    fn unanswered(&self, e: &net::Error) -> Error {
        let host = &self.host;
        match e.kind {
            net::ErrorKind::Settings => Error::new(ErrorKind::Settings, e.to_string()),
            net::ErrorKind::Timeout => Error::new(
                ErrorKind::TimedOut,
                format!(
                    "the model at {host} did not answer in time; \
                     a longer deadline, fewer lines at once or a smaller model help"
                ),
            ),
            net::ErrorKind::TooLarge => Error::new(
                ErrorKind::Garbage,
                format!("the model at {host} answered with more than {CAP} bytes"),
            ),
            net::ErrorKind::Network => Error::new(
                ErrorKind::Unreachable,
                format!("no answer from the model at {host} ({e}); is the server running there?"),
            ),
        }
    }
}

fn bearer(key: &Secret) -> Result<String, Error> {
    let text = key.expose();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
        let words = "the model's key holds what no header can; is it the right variable or file?";
        return Err(Error::new(ErrorKind::Settings, words));
    }
    Ok(format!("Bearer {text}"))
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
            let e = bearer(&Secret::new(text.to_owned())).unwrap_err();
            assert!(!e.to_string().contains("s3"), "{e}");
        }
        assert_eq!(bearer(&Secret::new("k".to_owned())).unwrap(), "Bearer k");
    }
}
