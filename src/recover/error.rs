//! Why a platform could not be asked or told.

use std::fmt;
use std::time::Duration;

/// What kind of fault it is: it says whether a change may have been made, and who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Something that a person set is missing or wrong.
    Settings,
    /// The platform knows us and says no, or the credentials have expired.
    Refused,
    /// There is no such service, instance or release.
    Missing,
    /// Asked too often; again after that time.
    Limited(Duration),
    /// No answer, or a broken-off one: what was asked may have been done.
    Unreachable,
    /// An answer that cannot be understood, or a task that does not fit.
    Invalid,
    /// The platform cannot do this.
    Unsupported,
}

/// A fault with a sentence for people. Text of the platform in it is cut and has no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: ErrorKind,
    pub what: String,
}

impl Error {
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Error {
        Error {
            kind,
            what: what.into(),
        }
    }

    /// Whether the task may have been begun although this came back.
    pub fn leaves_doubt(&self) -> bool {
        match self.kind {
            ErrorKind::Unreachable => true,
            ErrorKind::Settings
            | ErrorKind::Refused
            | ErrorKind::Missing
            | ErrorKind::Limited(_)
            | ErrorKind::Invalid
            | ErrorKind::Unsupported => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}

/// What is shown of a platform's own text: one line of at most 300 characters, without control
/// characters.
pub fn shown(text: &str) -> String {
    let clean = text.chars().map(|one| match one.is_control() {
        true => ' ',
        false => one,
    });
    clean.take(300).collect::<String>().trim().to_owned()
}
