//! Who holds leases: a file with a lock on it for as long as the process lives. The kernel
//! gives the lock up when the process ends, however it ends, and across containers on one host,
//! where a process id would say nothing.

use crate::store::error::Error;
use crate::store::place::private_file;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const FOLDER: &str = "holders";

/// Someone who may hold leases; alive as long as this value is.
#[derive(Debug)]
pub struct Holder {
    name: String,
    path: PathBuf,
    _lock: File,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Holder {
    /// A new holder in this `State_Dir`.
    ///
    /// # Errors
    /// When its file cannot be made or locked.
    pub fn new(dir: &Path) -> Result<Holder, Error> {
        let folder = dir.join(FOLDER);
        let failed = |e| Error::io(format!("{}", folder.display()), e);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(failed)?;
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let name = format!(
            "{:x}-{}-{}",
            since.as_nanos(),
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = folder.join(&name);
        let file = private_file(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Holder {
            name,
            path,
            _lock: file,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Left behind it would only be found dead and removed later.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether a holder lives. One whose file is gone does not.
pub fn is_alive(dir: &Path, name: &str) -> bool {
    // Names are ours, but they stand in a file: no path out of the folder.
    if name.is_empty() || name.contains(['/', '.']) {
        return false;
    }
    let path = dir.join(FOLDER).join(name);
    let Ok(file) = File::open(&path) else {
        return false;
    };
    match file.try_lock() {
        Ok(()) => {
            let _ = fs::remove_file(&path);
            false
        }
        Err(TryLockError::WouldBlock) => true,
        // Where locks do not work only the lease's end counts.
        Err(TryLockError::Error(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_lives_as_long_as_its_value() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (
            Holder::new(dir.path()).unwrap(),
            Holder::new(dir.path()).unwrap(),
        );
        let name = one.name().to_owned();
        assert_ne!(name, two.name());
        assert!(is_alive(dir.path(), &name));
        drop(one);
        assert!(!is_alive(dir.path(), &name));
        assert!(is_alive(dir.path(), two.name()));
        assert!(!is_alive(dir.path(), "../holders"));
    }

    #[test]
    fn a_file_without_its_lock_is_a_dead_holder_and_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join(FOLDER)).unwrap();
        let path = dir.path().join(FOLDER).join("dead");
        fs::write(&path, "").unwrap();
        assert!(!is_alive(dir.path(), "dead"));
        assert!(!path.exists());
    }
}
