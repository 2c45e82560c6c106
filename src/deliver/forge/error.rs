//! Why a code host did not do what was asked, and what can be done about it.

use std::fmt;
use std::time::Duration;

/// A failed call, in a sentence without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: ErrorKind,
    what: String,
}

/// What a caller can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Settings that cannot be used, or no token. A person has to mend them.
    Settings,
    /// The token is not taken, or may not do this. A person has to mend it.
    Refused,
    /// There is no such repository, branch or request, or the token may not see it.
    Missing,
    /// Too many calls: not again before so long.
    Limited(Duration),
    /// No answer, a broken one, or the host's own fault: worth another try.
    Unreachable,
    /// The host understood and will not do it as asked: the same call will not help.
    Invalid,
}

impl Error {
    pub fn new(kind: ErrorKind, what: String) -> Error {
        Error { kind, what }
    }

    /// Whether the same call may do better later, without anybody's help.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            ErrorKind::Limited(_) | ErrorKind::Unreachable => true,
            ErrorKind::Settings | ErrorKind::Refused | ErrorKind::Missing | ErrorKind::Invalid => {
                false
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}
