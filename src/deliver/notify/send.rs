//! One POST to a webhook. Its address is the only secret of it, so no error holds a word of what the
//! network's own errors say.

use crate::net::{self, Http, Method, Request, Secret};
use serde_json::Value;
use std::fmt;
use std::time::{Duration, Instant};

/// For everything.
const WITHIN: Duration = Duration::from_secs(10);
/// What is believed of a `Retry-After`.
const LONGEST: Duration = Duration::from_secs(3600);
/// Bytes of an answer that are read, so that a connection may be kept.
const ANSWER: u64 = 64 << 10;
const LONGEST_ADDRESS: usize = 4_000;

/// Why a message was not taken, by what is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A person must mend the address.
    Address(&'static str),
    /// There is no such webhook (any more).
    Gone(u16),
    /// Too many messages; not again before this has passed.
    Limited(Duration),
    /// Another answer than that it was taken.
    Refused(u16),
    Unreachable(net::ErrorKind),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Address(what) => f.write_str(what),
            Error::Gone(status) => write!(
                f,
                "there is no such webhook (answer {status}); make a new one and set its address"
            ),
            Error::Limited(after) => {
                write!(f, "the webhook wants a pause of {} s", after.as_secs())
            }
            Error::Refused(status @ 300..=399) => write!(
                f,
                "the webhook points elsewhere (answer {status}), and nobody follows; set the address \
                 that it has now"
            ),
            Error::Refused(status) => {
                write!(f, "the webhook refused the message (answer {status})")
            }
            Error::Unreachable(kind) => f.write_str(match kind {
                net::ErrorKind::Settings => {
                    "the webhook's name leads to this machine or its link, or the proxy or the \
                     certificates cannot be understood"
                }
                net::ErrorKind::Timeout => "the webhook did not answer in time",
                net::ErrorKind::TooLarge | net::ErrorKind::Network => {
                    "the webhook cannot be reached"
                }
            }),
        }
    }
}

impl std::error::Error for Error {}

/// Whether a webhook may have this address: `https://`, and `http://` on this machine alone.
///
/// # Errors
/// What is wrong with it, without a word of it.
pub fn check_address(url: &Secret) -> Result<(), Error> {
    let url = url.expose();
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if url.len() > LONGEST_ADDRESS || url.contains(odd) {
        return Err(Error::Address("its address holds what no address can"));
    }
    let rest = match url.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http", rest)) if net::is_loopback(url) => rest,
        Some(_) | None => {
            return Err(Error::Address(
                "its address does not begin with https:// (http:// is for this machine alone)",
            ));
        }
    };
    if rest.is_empty() || rest.starts_with(['/', '?', '#']) {
        return Err(Error::Address("its address names no host"));
    }
    Ok(())
}

/// Sends it. Redirects are not followed.
///
/// # Errors
/// When it was not taken, or nobody knows whether it was.
pub fn send(http: &Http, url: &Secret, payload: &Value) -> Result<(), Error> {
    check_address(url)?;
    let body = payload.to_string();
    let request = Request {
        method: Method::Post,
        url: url.expose(),
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: body.as_bytes(),
        deadline: Instant::now() + WITHIN,
    };
    let answer = http
        .send(&request)
        .map_err(|fault| Error::Unreachable(fault.kind))?;
    let (status, after) = (answer.status, answer.retry_after);
    // What it says is for nobody; it may hold the address again.
    let _ = answer.bytes(ANSWER);
    match (status, after) {
        (200..=299, _) => Ok(()),
        (404 | 410, _) => Err(Error::Gone(status)),
        (429, after) => Err(Error::Limited(after.unwrap_or_default().min(LONGEST))),
        (_, Some(after)) => Err(Error::Limited(after.min(LONGEST))),
        (_, None) => Err(Error::Refused(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_spoken_to() {
        let check = |url: &str| check_address(&Secret::new(url.to_owned()));
        for good in [
            "https://hooks.example/s3cret",
            "http://127.0.0.1:8080/s3cret",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "http://hooks.example/s3cret",
            "http://127.0.0.1.evil.example/s3cret",
            "ftp://hooks.example/s3cret",
            "hooks.example/s3cret",
            "https:///s3cret",
            "https://hooks.example/s3cret more",
            "https://hooks.example/s3cret\nHost: x",
        ] {
            let told = check(bad).unwrap_err().to_string();
            assert!(
                !told.contains("s3cret") && !told.contains("hooks"),
                "{told}"
            );
        }
    }
}
