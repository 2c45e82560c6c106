//! What can go wrong between here and a server.

use std::fmt;
use std::io;

/// A failed request, in a sentence without secrets.
#[derive(Debug)]
pub struct Error {
    pub kind: ErrorKind,
    what: String,
}

/// What a caller can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Proxy or certificates cannot be understood, or a name leads to where only an address may.
    Settings,
    /// A time limit passed.
    Timeout,
    /// More than the cap.
    TooLarge,
    /// No connection, a broken one, or no HTTP.
    Network,
}

impl Error {
    pub fn new(kind: ErrorKind, what: String) -> Error {
        Error { kind, what }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}

impl From<ureq::Error> for Error {
    fn from(e: ureq::Error) -> Error {
        let kind = match &e {
            ureq::Error::Timeout(_) => ErrorKind::Timeout,
            ureq::Error::Other(other) if other.is::<super::guard::Refused>() => ErrorKind::Settings,
            ureq::Error::BodyExceedsLimit(_) => ErrorKind::TooLarge,
            ureq::Error::Io(io)
                if matches!(
                    io.kind(),
                    io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
                ) =>
            {
                ErrorKind::Timeout
            }
            _ => ErrorKind::Network,
        };
        Error::new(kind, e.to_string())
    }
}

/// A body's reader hides in these what ureq found: a deadline that passed, first of all.
impl From<io::Error> for Error {
    fn from(e: io::Error) -> Error {
        Error::from(ureq::Error::from(e))
    }
}
