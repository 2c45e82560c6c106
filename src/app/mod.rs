//! One function per command of the command line: each takes checked arguments and gives back
//! data. Nothing here parses arguments or prints.

pub mod act;
pub mod audit;
pub mod bill;
pub mod check;
pub mod checkout;
pub mod eval;
pub mod fate;
pub mod fix;
pub mod init;
pub mod inspect;
pub mod locate;
pub mod look;
pub mod mcp;
pub mod rehearse;
pub mod replay;
pub mod selftest;
pub mod watches;

use crate::registry::Complaint;
use std::fmt;

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub enum Error {
    /// Wrong use: the arguments do not fit together.
    Usage(String),
    /// The configuration cannot be used.
    Complaints(Vec<Complaint>),
    /// It began, and could not finish.
    Unfinished(String),
}

impl Error {
    /// With what was being done, and the cause.
    pub fn unfinished(what: impl fmt::Display, cause: impl fmt::Display) -> Error {
        Error::Unfinished(format!("{what}: {cause}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage(what) | Error::Unfinished(what) => f.write_str(what),
            Error::Complaints(complaints) => {
                for (at, complaint) in complaints.iter().enumerate() {
                    let end = if at + 1 < complaints.len() { "\n" } else { "" };
                    write!(f, "{complaint}{end}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<Vec<Complaint>> for Error {
    fn from(complaints: Vec<Complaint>) -> Error {
        Error::Complaints(complaints)
    }
}

impl From<Complaint> for Error {
    fn from(complaint: Complaint) -> Error {
        Error::Complaints(vec![complaint])
    }
}
