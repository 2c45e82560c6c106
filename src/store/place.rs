//! The folder of the store: made for its owner alone, and refused with a remedy where it is not
//! safe or cannot hold a write-ahead log. Looks at the file system, never at the environment.

use crate::store::error::{Error, ErrorKind};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The database inside the folder.
pub const DATABASE: &str = "autofix.db";

/// File systems where several hosts may see one file, so that SQLite's shared memory and with it
/// WAL cannot work (sqlite.org/wal.html, "Overview").
const NETWORK: [&str; 16] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "ceph",
    "glusterfs",
    "fuse.glusterfs",
    "fuse.sshfs",
    "fuse.s3fs",
    "gfs2",
    "ocfs2",
    "beegfs",
    "lustre",
    "afs",
];

/// File systems that are gone when the container or the machine is.
const FLEETING: [&str; 5] = ["tmpfs", "ramfs", "overlay", "aufs", "rootfs"];

/// What the mount table says of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    Lasting,
    /// In memory, or in a container's own layer.
    Fleeting,
    Network,
    Unknown,
}

/// Makes the folder where it is missing, and checks it.
///
/// # Errors
/// With what is wrong and what to do about it.
pub fn prepare(dir: &Path) -> Result<(), Error> {
    let shown = dir.display();
    if !dir.is_absolute() {
        let what = format!("State_Dir {shown} is not absolute; write the whole path");
        return Err(Error::new(ErrorKind::Place, what));
    }
    if disk(dir) == Disk::Network {
        let what = format!(
            "State_Dir {shown} is on a network file system, where SQLite's write-ahead log does \
             not work; use a local disk or a block volume"
        );
        return Err(Error::new(ErrorKind::Place, what));
    }
    if !dir.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|e| Error::io(format!("State_Dir {shown} cannot be made"), e))?;
    }
    let known = dir.join(DATABASE).exists();
    let about = fs::metadata(dir).map_err(|e| Error::io(format!("State_Dir {shown}"), e))?;
    if !about.is_dir() {
        let what = format!("State_Dir {shown} is not a folder; name a folder");
        return Err(Error::new(ErrorKind::Place, what));
    }
    check_owner(dir, about.uid())?;
    tighten(dir, about.mode(), known)
}

/// The owner of a file that we make must be the folder's owner.
fn check_owner(dir: &Path, owner: u32) -> Result<(), Error> {
    let shown = dir.display();
    let probe = dir.join(format!(".probe-{}", std::process::id()));
    let made = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&probe)
        .and_then(|file| file.metadata());
    // Nothing was written into it; a leftover is harmless.
    let _ = fs::remove_file(&probe);
    let made = made.map_err(|e| {
        let what =
            format!("State_Dir {shown} cannot be written; give its owner the right to write");
        Error::io(what, e)
    })?;
    if made.uid() == owner {
        return Ok(());
    }
    let what = format!(
        "State_Dir {shown} belongs to uid {owner}, but this process runs as uid {}; run it as \
         that user, or chown the folder",
        made.uid()
    );
    Err(Error::new(ErrorKind::Place, what))
}

fn tighten(dir: &Path, mode: u32, known: bool) -> Result<(), Error> {
    let shown = dir.display();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    if mode & 0o022 != 0 {
        let what = format!(
            "State_Dir {shown} can be written by others (mode {:o}); chmod 700 it, or name a \
             folder of its own",
            mode & 0o7777
        );
        return Err(Error::new(ErrorKind::Place, what));
    }
    // A folder with other things in it is not ours to close to its readers.
    let empty = || fs::read_dir(dir).is_ok_and(|mut list| list.next().is_none());
    if !known && !empty() {
        let what = format!(
            "State_Dir {shown} has other files in it and can be read by others; name a folder of \
             its own"
        );
        return Err(Error::new(ErrorKind::Place, what));
    }
    fs::set_permissions(dir, Permissions::from_mode(0o700))
        .map_err(|e| Error::io(format!("State_Dir {shown} cannot be closed to others"), e))
}

/// Makes a file that only its owner may read, or leaves an existing one as it is.
pub fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// What kind of disk a folder (or the nearest one that exists) is on.
pub fn disk(dir: &Path) -> Disk {
    let existing = dir
        .ancestors()
        .find_map(|folder| fs::canonicalize(folder).ok())
        .unwrap_or_else(|| PathBuf::from("/"));
    fs::read_to_string("/proc/self/mountinfo")
        .map_or(Disk::Unknown, |table| disk_in(&table, &existing))
}

fn disk_in(table: &str, dir: &Path) -> Disk {
    let mounts = table.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let point = unescape(left.split(' ').nth(4)?);
        let kind = right.split(' ').next()?;
        dir.starts_with(&point).then_some((point, kind))
    });
    // Of several on one point the last one was mounted over the others.
    match mounts.max_by_key(|(point, _)| point.len()) {
        None => Disk::Unknown,
        Some((_, kind)) if NETWORK.contains(&kind) => Disk::Network,
        Some((_, kind)) if FLEETING.contains(&kind) => Disk::Fleeting,
        Some(_) => Disk::Lasting,
    }
}

/// The kernel writes spaces and the like in a path as `\040`.
fn unescape(path: &str) -> String {
    path.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_decides() {
        let table = "1 0 0:1 / / rw - overlay overlay rw\n\
                     2 1 8:1 / /var/lib/auto\\040fix rw,relatime shared:1 - ext4 /dev/sda rw\n\
                     3 1 0:2 / /mnt rw - nfs4 server:/x rw\n";
        let disk = |path: &str| disk_in(table, Path::new(path));
        assert_eq!(disk("/var/lib/auto fix/x"), Disk::Lasting);
        assert_eq!(disk("/var/lib/autofix"), Disk::Fleeting);
        assert_eq!(disk("/mnt/state"), Disk::Network);
        assert_eq!(disk_in("", Path::new("/")), Disk::Unknown);
    }

    #[test]
    fn a_new_folder_is_private_and_an_open_one_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("a/b");
        prepare(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&dir, Permissions::from_mode(0o777)).unwrap();
        assert!(prepare(&dir).unwrap_err().to_string().contains("chmod 700"));
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        prepare(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_not_closed_to_its_readers() {
        let base = tempfile::tempdir().unwrap();
        fs::set_permissions(base.path(), Permissions::from_mode(0o755)).unwrap();
        fs::write(base.path().join("hosts"), "x").unwrap();
        let fault = prepare(base.path()).unwrap_err();
        assert!(fault.to_string().contains("folder of its own"), "{fault}");
        assert!(prepare(Path::new("relative")).is_err());
        assert!(prepare(&base.path().join("hosts")).is_err());
    }
}
