//! Why a model gave no answer, and what a person can do about it.

use super::Usage;
use crate::net::Secret;
use std::fmt;
use std::time::Duration;

/// A question without an answer, in a sentence without secrets. It may quote a server, in few
/// words that hold no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: ErrorKind,
    words: String,
    more: Box<More>,
}

/// What only some errors know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct More {
    used: Option<Usage>,
    /// What the server itself said of another try.
    again: Option<bool>,
    retry_after: Option<Duration>,
    request: Option<String>,
}

/// What a caller can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// An address or a key that cannot be one.
    Settings,
    /// No connection, or one that broke off.
    Unreachable,
    TimedOut,
    /// Too many ask.
    Busy {
        retry_after: Option<Duration>,
    },
    /// The server is there, the model not yet.
    Loading,
    ModelMissing,
    /// The question does not fit the context.
    TooLong,
    /// The server read only part of the question, and answered that.
    Truncated,
    /// The answer does not fit the limit.
    Cut,
    /// 401 or 403.
    Denied,
    /// There is no money left, or a limit on it was reached. Waiting a little does not help.
    SpendLimit,
    /// The answer had begun and broke off. What it has cost until then is `Error::used`; asking
    /// again is a new turn, which costs anew.
    Interrupted,
    /// The conversation is none that can be sent: a call without its result, a turn out of order.
    Malformed,
    /// The server's own failure (500 and up).
    Server {
        status: u16,
    },
    /// Any other status.
    Refused {
        status: u16,
    },
    /// Not the JSON that was asked for, or too much.
    Garbage,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, words: impl Into<String>) -> Error {
        let words = words.into();
        Error {
            kind,
            words,
            more: Box::default(),
        }
    }

    /// Of whoever has no more to say, such as a recording at its end.
    pub fn ended(words: &str) -> Error {
        Error::new(ErrorKind::Cut, words)
    }

    /// A server may quote the key that it was given.
    pub(super) fn without(mut self, key: Option<&Secret>) -> Error {
        if let Some(key) = key.map(Secret::expose).filter(|key| !key.is_empty()) {
            self.words = self.words.replace(key, "…");
        }
        self
    }

    pub(super) fn having_used(mut self, used: Option<Usage>) -> Error {
        self.more.used = used;
        self
    }

    /// With what the server said of another try.
    pub(super) fn advised(mut self, again: Option<bool>, after: Option<Duration>) -> Error {
        self.more.again = again;
        self.more.retry_after = after;
        self
    }

    pub(super) fn of_request(mut self, request: Option<String>) -> Error {
        self.more.request = request.or(self.more.request);
        self
    }

    /// What had been used when an answer failed after its beginning; `None` where the server had
    /// not said. Output is what it had counted by then, which may be far less than it made: a
    /// book that must not be short takes the limit of the turn instead.
    pub fn used(&self) -> Option<Usage> {
        self.more.used
    }

    /// The provider's name for the request, for its support.
    pub fn request(&self) -> Option<&str> {
        self.more.request.as_deref()
    }

    /// Whether the same question may have an answer later.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ErrorKind::SpendLimit | ErrorKind::Malformed | ErrorKind::Settings => false,
            ErrorKind::Interrupted => true,
            _ => self.more.again.unwrap_or_else(|| self.is_passing()),
        }
    }

    fn is_passing(&self) -> bool {
        match self.kind {
            ErrorKind::Unreachable
            | ErrorKind::TimedOut
            | ErrorKind::Busy { .. }
            | ErrorKind::Loading
            | ErrorKind::Interrupted
            | ErrorKind::Server { .. } => true,
            // Of these statuses, a request that took too long and one that met another.
            ErrorKind::Refused { status } => matches!(status, 408 | 409),
            ErrorKind::Settings
            | ErrorKind::ModelMissing
            | ErrorKind::TooLong
            | ErrorKind::Truncated
            | ErrorKind::Cut
            | ErrorKind::Denied
            | ErrorKind::SpendLimit
            | ErrorKind::Malformed
            | ErrorKind::Garbage => false,
        }
    }

    /// Whether it says something of the server, so that other questions would fare no better: a
    /// breaker counts these. The rest is about the question.
    pub fn is_of_the_server(&self) -> bool {
        match self.kind {
            ErrorKind::Settings
            | ErrorKind::Unreachable
            | ErrorKind::TimedOut
            | ErrorKind::Busy { .. }
            | ErrorKind::Loading
            | ErrorKind::ModelMissing
            | ErrorKind::Denied
            | ErrorKind::SpendLimit
            | ErrorKind::Interrupted
            | ErrorKind::Server { .. } => true,
            // These two are said of a request's body; the rest is said by something else that
            // listens there.
            ErrorKind::Refused { status } => !matches!(status, 400 | 422),
            ErrorKind::TooLong
            | ErrorKind::Truncated
            | ErrorKind::Cut
            | ErrorKind::Malformed
            | ErrorKind::Garbage => false,
        }
    }

    /// How long the server wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            ErrorKind::Busy { retry_after } => retry_after.or(self.more.retry_after),
            _ => self.more.retry_after,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Error {}
