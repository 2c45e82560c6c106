//! Why a model gave no answer, and what a person can do about it.

use std::fmt;
use std::time::Duration;

/// A question without an answer, in a sentence without secrets. It may quote a server, in few
/// words that hold no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: ErrorKind,
    words: String,
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
        Error { kind, words }
    }

    /// Whether the same question may have an answer later.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ErrorKind::Unreachable
            | ErrorKind::TimedOut
            | ErrorKind::Busy { .. }
            | ErrorKind::Loading
            | ErrorKind::Server { .. } => true,
            ErrorKind::Settings
            | ErrorKind::ModelMissing
            | ErrorKind::TooLong
            | ErrorKind::Truncated
            | ErrorKind::Cut
            | ErrorKind::Denied
            | ErrorKind::Refused { .. }
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
            | ErrorKind::Server { .. } => true,
            // These two are said of a request's body; the rest is said by something else that
            // listens there.
            ErrorKind::Refused { status } => !matches!(status, 400 | 422),
            ErrorKind::TooLong | ErrorKind::Truncated | ErrorKind::Cut | ErrorKind::Garbage => {
                false
            }
        }
    }

    /// How long the server wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            ErrorKind::Busy { retry_after } => retry_after,
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Error {}
