//! A request whose answer is read at once and whole, from a server that may think for as long as
//! the deadline lets it: a model says nothing before its last word. Not for files: those are read
//! as they come.

use super::{Error, Headers, Http, Request, Response, Silence};
use std::time::{Duration, Instant};

/// An answer, read to its end.
#[derive(Debug)]
pub struct Whole {
    pub status: u16,
    /// Where a redirect points; nobody follows it here.
    pub location: Option<String>,
    pub retry_after: Option<Duration>,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Response {
    /// Reads the rest, at most `cap` bytes of it.
    ///
    /// # Errors
    /// When it is longer, breaks off or comes too slowly.
    pub fn whole(self, cap: u64) -> Result<Whole, Error> {
        Ok(Whole {
            status: self.status,
            location: self.location.clone(),
            retry_after: self.retry_after,
            headers: self.headers.clone(),
            body: self.bytes(cap)?,
        })
    }
}

impl Http {
    /// Sends one request and reads the answer, at most `cap` bytes of it. Only the request's
    /// deadline bounds the silence. The connection is not kept: a server that has been thinking
    /// learns from its end that nobody waits any more, and the next request meets no connection
    /// that went stale.
    ///
    /// # Errors
    /// When no answer comes, in time or at all, or a longer one.
    pub fn whole(&self, mut request: Request<'_>, cap: u64) -> Result<Whole, Error> {
        request.headers.push(("Connection", "close".to_owned()));
        let left = request.deadline.saturating_duration_since(Instant::now());
        let silence = Silence {
            response: left,
            read: left,
        };
        self.send_within(&request, silence)?.whole(cap)
    }
}
