//! What kind of disk a folder lies on, by the kernel's list of mounts: one that lasts, one that
//! goes with the container, or one on the network.

use std::path::{Path, PathBuf};

/// What the mount table says about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disk {
    Lasting,
    /// Gone with the container or the machine's next start; the file system's name.
    Ephemeral(String),
    /// A network file system, where SQLite's WAL cannot work; its name.
    Network(String),
    /// The mount table cannot be read.
    Unknown,
}

/// The disk of a path and whether it is mounted read-only. What does not exist yet counts as its
/// nearest folder that does.
pub fn of(path: &Path) -> (Disk, bool) {
    match std::fs::read_to_string("/proc/self/mountinfo") {
        Ok(table) => classify(&table, &existing(path)),
        Err(_) => (Disk::Unknown, false),
    }
}

/// The nearest folder that exists, with symbolic links resolved.
pub fn existing(path: &Path) -> PathBuf {
    path.ancestors()
        .find_map(|folder| folder.canonicalize().ok())
        .unwrap_or_else(|| PathBuf::from("/"))
}

fn classify(table: &str, path: &Path) -> (Disk, bool) {
    let mounts = table.lines().filter_map(mount);
    // Of equally long mount points the last one covers the others.
    let covering = mounts
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.as_os_str().len());
    let Some(mount) = covering else {
        return (Disk::Unknown, false);
    };
    let kind = mount.kind.to_owned();
    let disk = match mount.kind {
        "tmpfs" | "ramfs" | "overlay" | "aufs" | "rootfs" => Disk::Ephemeral(kind),
        "nfs" | "nfs4" | "cifs" | "smb3" | "smbfs" | "9p" | "afs" | "ceph" | "lustre" | "gfs2"
        | "ocfs2" | "beegfs" | "fuse.sshfs" | "fuse.glusterfs" | "fuse.ceph" | "fuse.s3fs"
        | "fuse.gcsfuse" | "fuse.blobfuse" | "fuse.mountpoint-s3" => Disk::Network(kind),
        _ => Disk::Lasting,
    };
    (disk, mount.read_only)
}

struct Mount<'a> {
    point: PathBuf,
    kind: &'a str,
    read_only: bool,
}

/// `36 35 98:0 /root /point rw,noatime optional… - ext4 /dev/sda1 rw`
fn mount(line: &str) -> Option<Mount<'_>> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(4);
    let point = left.next()?;
    let options = left.next()?;
    let mut right = right.split(' ');
    let kind = right.next()?;
    let super_options = right.nth(1).unwrap_or_default();
    let read_only = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        point: PathBuf::from(unescape(point)),
        kind,
        read_only: read_only(options) || read_only(super_options),
    })
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn unescape(text: &str) -> String {
    let signs = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    signs
        .into_iter()
        .fold(text.to_owned(), |text, (code, sign)| {
            text.replace(code, sign)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_mount_point_decides() {
        let table = "\
            1 0 0:1 / / rw - overlay overlay rw\n\
            2 1 8:1 / /var/lib/autofix rw,noatime shared:1 - ext4 /dev/sda1 rw\n\
            3 1 0:5 / /mnt/a\\040b rw - nfs4 host:/x rw\n\
            4 1 8:2 / /ro ro - ext4 /dev/sdb rw\n\
            5 1 8:2 / /var rw - tmpfs tmpfs rw\n";
        let of = |path: &str| classify(table, Path::new(path));
        assert_eq!(of("/var/lib/autofix/x"), (Disk::Lasting, false));
        assert_eq!(
            of("/var/lib/autofix2"),
            (Disk::Ephemeral("tmpfs".into()), false)
        );
        assert_eq!(of("/srv"), (Disk::Ephemeral("overlay".into()), false));
        assert_eq!(of("/mnt/a b/c"), (Disk::Network("nfs4".into()), false));
        assert_eq!(of("/ro/x"), (Disk::Lasting, true));
        assert_eq!(
            classify("garbage\n", Path::new("/")),
            (Disk::Unknown, false)
        );
    }
}
