//! The cases of `cases/`, built in by `build.rs`, so that the program has them wherever it runs.
//! Nothing is decided here.

use crate::app::Error;
use flate2::read::GzDecoder;
use std::path::Path;

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

/// Writes those that autofix ships into a folder.
pub(super) fn unpack(to: &Path) -> Result<(), Error> {
    for (name, packed) in CASES {
        let path = to.join(name);
        let failed = |fault| Error::unfinished(path.display(), fault);
        let folder = path.parent().unwrap_or(to);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut file = std::fs::File::create(&path).map_err(failed)?;
        std::io::copy(&mut GzDecoder::new(*packed), &mut file).map_err(failed)?;
    }
    Ok(())
}
