//! The files of a patch, whole: what a code host is given that has no `git apply`. Read from the
//! patch laid on its base in memory; nothing is written to the repository's branches.

use crate::model::delivery::FileChange;
use crate::patch::AcceptedPatch;
use crate::patch::port::base_of;
use crate::source::{Error, ErrorKind, Repo};

/// Most bytes of all files of a change together.
pub const BYTES: usize = 4 << 20;

/// Every file that the patch touches as it is after it, in the order of
/// [`AcceptedPatch::files`]; its base commit is the patch's.
///
/// # Errors
/// Where the repository has no such commit or the patch does not apply to it, and `TooLarge`
/// beyond [`BYTES`].
pub fn files(repo: &Repo, patch: &AcceptedPatch) -> Result<Vec<FileChange>, Error> {
    let base = base_of(repo, patch)?;
    let whole = repo.patched(base, patch.text(), &|_| true)?;
    let mut room = BYTES;
    let mut out = Vec::with_capacity(patch.files().len());
    for path in patch.files() {
        let was = repo.mode(base, path)?;
        let is = repo.read_in(whole, path, room).map_err(too_large)?;
        room -= is.as_ref().map_or(0, |(_, content)| content.len());
        let mode = is.as_ref().map(|(mode, _)| *mode).or(was);
        out.push(FileChange {
            path: path.clone(),
            mode: match mode {
                Some(mode) if mode & 0o111 != 0 => 0o100_755,
                _ => 0o100_644,
            },
            content: is.map(|(_, content)| content),
            exists: was.is_some(),
        });
    }
    Ok(out)
}

/// Says whose limit it is.
fn too_large(fault: Error) -> Error {
    if fault.kind != ErrorKind::TooLarge {
        return fault;
    }
    let what = format!("the files of the change have more than {BYTES} bytes together: {fault}");
    Error::new(ErrorKind::TooLarge, what)
}
