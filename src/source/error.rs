//! Why a repository, a commit or a file cannot be had, in words that say what to do about it.

use std::fmt;

/// A failed look at a repository. Prints as one sentence with its remedy, without secrets.
#[derive(Clone, Debug)]
pub struct Error {
    pub kind: ErrorKind,
    what: String,
}

/// What a caller can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The address is of no form that is understood, or names nothing.
    NoRepository,
    /// It belongs to another user.
    NotOwner,
    /// The server wants other credentials.
    Denied,
    /// The server could not be reached or spoke nonsense; may be better later.
    Network,
    /// The time given is over; may be better later.
    Deadline,
    /// More than the size limit.
    TooLarge,
    /// No such commit, even after looking again.
    UnknownCommit,
    /// Several commits begin with these digits.
    AmbiguousCommit,
    /// The commit exists, but no allowed branch contains it.
    OutsideBranches,
    /// The mirror folder cannot be written or read.
    Disk,
    /// libgit2 says otherwise.
    Git,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Error {
        let what = what.into();
        Error { kind, what }
    }

    /// For what should be the id of a commit and is none.
    pub fn not_a_commit(text: &str) -> Error {
        let text: String = text.chars().take(80).collect();
        Error::new(
            ErrorKind::UnknownCommit,
            format!("{text:?} is no commit id"),
        )
    }

    /// Whether trying again later can help without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Network | ErrorKind::Deadline)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}

impl From<git2::Error> for Error {
    fn from(e: git2::Error) -> Error {
        Error::new(ErrorKind::Git, format!("git: {}", e.message()))
    }
}
