//! A request whose answer comes bit by bit over minutes: a model that is read while it writes.
//! Each silence is bounded as well as the whole, so that a connection that died is noticed long
//! before the deadline.

use super::{Error, Http, Request, Response, Silence};
use std::time::Duration;

impl Http {
    /// Sends one request; the answer is read with `Response::into_reader` or `Response::whole`.
    /// `idle` bounds the time to the first byte and between any two. The connection is not kept,
    /// so that a server learns from its end that nobody listens any more, and nothing on the way
    /// packs the answer, which would hold it back.
    ///
    /// # Errors
    /// When no answer begins, in time or at all.
    pub fn flow(&self, mut request: Request<'_>, idle: Duration) -> Result<Response, Error> {
        request.headers.push(("Connection", "close".to_owned()));
        let plain = "identity".to_owned();
        request.headers.push(("Accept-Encoding", plain));
        let silence = Silence {
            response: idle,
            read: idle,
        };
        self.send_within(&request, silence)
    }
}
