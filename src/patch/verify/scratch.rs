//! A folder for one verification, gone when it is over. Beside it stands a file with a lock on it
//! for as long as its process lives: what a killed process left is known by the lock that nobody
//! holds, and is cleared by the next one. Not here: what stands in the folder.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const LOCK: &str = "lock";
/// A lock file may be cleared between its making and its locking; then another name is tried.
const TRIES: usize = 10;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// The folder, and the lock that says that it is in use.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    lock: PathBuf,
    _held: File,
}

impl Scratch {
    /// A new folder in `place`, which is made where it is missing.
    pub fn new(place: &Path) -> io::Result<Scratch> {
        private().recursive(true).create(place)?;
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        for _ in 0..TRIES {
            let count = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("{since:x}-{}-{count}", std::process::id());
            let lock = place.join(format!("{name}.{LOCK}"));
            let held = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&lock)?;
            let locked = held.try_lock().is_ok();
            if locked && fs::metadata(&lock).is_ok_and(|m| same(&m, &held)) {
                let folder = place.join(name);
                private().create(&folder)?;
                return Ok(Scratch {
                    folder,
                    lock,
                    _held: held,
                });
            }
        }
        Err(io::Error::other(
            "its lock file is taken away again and again",
        ))
    }

    /// A new folder in it.
    pub fn folder(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        private().create(&path)?;
        // The folder around it is private; tests may run as another user than this process.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The lock file goes last: where the folder stays, the next one must find it.
        if fs::remove_dir_all(&self.folder).is_ok() {
            let _ = fs::remove_file(&self.lock);
        }
    }
}

/// Clears what processes that are dead left in `place`; gives how many folders that were.
///
/// # Errors
/// When the folder cannot be read, or a leftover cannot be removed.
pub fn sweep(place: &Path) -> io::Result<usize> {
    let entries = match fs::read_dir(place) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut cleared = 0;
    for entry in entries {
        let lock = entry?.path();
        if lock.extension().is_none_or(|ending| ending != LOCK) {
            continue;
        }
        let held = match File::open(&lock) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            held => held?,
        };
        match held.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(e)) => return Err(e),
        }
        let folder = lock.with_extension("");
        match fs::remove_dir_all(&folder) {
            Ok(()) => cleared += 1,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        match fs::remove_file(&lock) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(cleared)
}

fn private() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

fn same(found: &fs::Metadata, held: &File) -> bool {
    held.metadata()
        .is_ok_and(|held| held.ino() == found.ino() && held.dev() == found.dev())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(place: &Path) -> usize {
        fs::read_dir(place).unwrap().count()
    }

    #[test]
    fn a_folder_goes_with_its_value() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a/b");
        let scratch = Scratch::new(&place).unwrap();
        fs::write(scratch.folder("x").unwrap().join("y"), "z").unwrap();
        assert_eq!(names(&place), 2);
        drop(scratch);
        assert_eq!(names(&place), 0);
    }

    #[test]
    fn only_what_nobody_holds_is_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let alive = Scratch::new(dir.path()).unwrap();
        // What a killed process leaves: a folder, and a file without its lock.
        fs::create_dir_all(dir.path().join("dead/deep")).unwrap();
        fs::write(dir.path().join("dead.lock"), "").unwrap();
        fs::write(dir.path().join("alone.lock"), "").unwrap();
        assert_eq!(sweep(dir.path()).unwrap(), 1);
        assert_eq!(names(dir.path()), 2);
        assert!(alive.folder.exists());
        assert_eq!(sweep(&dir.path().join("none")).unwrap(), 0);
    }
}
