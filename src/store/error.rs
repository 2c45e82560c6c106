//! What can go wrong with the store, told apart by what a caller does about it.

use std::fmt;
use std::io;

/// What a caller may do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The folder cannot be used as it is; a person must act. Retrying is no use.
    Place,
    /// There is no store in the folder.
    Missing,
    /// The disk or `State_Limit` is full.
    Full,
    /// Read-only, or locked for too long; may pass.
    Busy,
    /// A newer autofix wrote it.
    Newer,
    /// The lease on the incident is someone else's now.
    LeaseLost,
    /// The file is damaged, or a defect of ours.
    Broken,
}

/// A fault of the store with its remedy in the text.
#[derive(Debug)]
pub struct Error {
    pub kind: ErrorKind,
    what: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, what: impl Into<String>) -> Error {
        Error {
            kind,
            what: what.into(),
            source: None,
        }
    }

    /// The files of a result could not be written beside the store.
    pub fn result(what: String) -> Error {
        Error::new(ErrorKind::Busy, what)
    }

    pub(super) fn io(what: impl Into<String>, fault: io::Error) -> Error {
        let kind = match fault.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => ErrorKind::Place,
            _ => ErrorKind::Busy,
        };
        Error {
            kind,
            what: what.into(),
            source: Some(Box::new(fault)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(fault: rusqlite::Error) -> Error {
        use rusqlite::ffi::ErrorCode;
        let kind = match fault.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => ErrorKind::Full,
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure,
            ) => ErrorKind::Busy,
            _ => ErrorKind::Broken,
        };
        let what = match kind {
            ErrorKind::Full => "the disk or State_Limit is full; free space or raise State_Limit",
            ErrorKind::Busy => "the store cannot be written now",
            _ => "the store is damaged; move autofix.db away to start with an empty one",
        };
        Error {
            kind,
            what: what.to_owned(),
            source: Some(Box::new(fault)),
        }
    }
}
