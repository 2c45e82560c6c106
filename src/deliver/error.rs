//! Why a result could not be written.

use std::io;
use std::path::PathBuf;

/// A result that could not be written; nothing half-written is left under its final name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("cannot {what} {}: {source}", path.display())]
    Disk {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// Something else than a folder stands where the incident's folder should be.
    #[error("{} is not a folder of its own", .0.display())]
    NotAFolder(PathBuf),
    /// The diff is over [`super::PATCH_LIMIT`].
    #[error("the diff has {0} bytes, more than the limit of {limit}", limit = super::PATCH_LIMIT)]
    PatchTooLarge(usize),
}

impl Error {
    pub(super) fn disk(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Disk { what, path, source }
    }
}
