//! A commit's files, or those with a diff on top, written into a folder: what tests are run on.
//! Nothing of git's own is run for it: no filters, no hooks, no attributes. A hostile tree can
//! only be too large or refused; it writes nowhere but below the folder. Not here: what runs there.

use crate::source::error::{Error, ErrorKind};
use crate::source::read::is_regular;
use crate::source::repo::{Commit, Repo};
use git2::{ApplyOptions, Diff, ErrorCode, Oid, Tree};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

/// Most files and folders that are written.
const ENTRY_LIMIT: usize = 200_000;
/// Deepest folder.
const DEPTH_LIMIT: usize = 64;
/// What a file takes at least where it is copied to, in bytes.
const BLOCK: u64 = 4096;

/// A tree of files that exists in the repository, or in memory beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot(pub(in crate::source) Oid);

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    pub files: usize,
    /// Bytes, each file rounded up to whole blocks.
    pub bytes: u64,
    /// Links that point out of the tree, and submodules: left out.
    pub left_out: usize,
}

impl Repo {
    /// The files of a commit.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn snapshot(&self, commit: Commit) -> Result<Snapshot, Error> {
        Ok(Snapshot(self.git.find_commit(commit.0)?.tree_id()))
    }

    /// The files of a commit with a diff in git's format on top, or with the part of it that is
    /// about the paths `wanted`.
    ///
    /// # Errors
    /// When the diff does not apply.
    pub fn patched(
        &self,
        base: Commit,
        diff: &str,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Snapshot, Error> {
        let tree = self.git.find_commit(base.0)?.tree()?;
        let diff = Diff::from_buffer(diff.as_bytes())?;
        let mut options = ApplyOptions::new();
        options.delta_callback(|delta| {
            let path = delta.as_ref().and_then(|delta| {
                let new = delta.new_file().path();
                new.or_else(|| delta.old_file().path())?.to_str()
            });
            path.is_some_and(wanted)
        });
        let mut index = self.git.apply_to_tree(&tree, &diff, Some(&mut options))?;
        Ok(Snapshot(index.write_tree_to(&self.git)?))
    }

    /// One file of it with its mode; `None` where there is none.
    ///
    /// # Errors
    /// `TooLarge` beyond `most` bytes, and of what is no regular file.
    pub fn read_in(
        &self,
        files: Snapshot,
        path: &str,
        most: usize,
    ) -> Result<Option<(i32, Vec<u8>)>, Error> {
        let entry = match self.git.find_tree(files.0)?.get_path(Path::new(path)) {
            Ok(entry) => entry,
            Err(e) if e.code() == ErrorCode::NotFound => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        if !is_regular(entry.filemode()) {
            let why = format!("{path} is no regular file");
            return Err(Error::new(ErrorKind::Git, why));
        }
        let (size, _) = self.git.odb()?.read_header(entry.id())?;
        if size > most {
            let why = format!("{path} has {size} bytes, more than the {most} that it may have");
            return Err(Error::new(ErrorKind::TooLarge, why));
        }
        let blob = self.git.find_blob(entry.id())?;
        Ok(Some((entry.filemode(), blob.content().to_vec())))
    }

    /// Writes the files into a folder that exists and is empty.
    ///
    /// # Errors
    /// `TooLarge` beyond `most` bytes, when the deadline passes, and of a tree with names that
    /// no file can have.
    pub fn export(&self, files: Snapshot, into: &Path, most: u64) -> Result<Exported, Error> {
        let mut export = Export {
            repo: self,
            most,
            entries: 0,
            done: Exported::default(),
            links: Vec::new(),
        };
        export.folder(&self.git.find_tree(files.0)?, into, Path::new(""))?;
        // Links come last: nothing is ever written through one.
        for (at, target) in std::mem::take(&mut export.links) {
            symlink(&target, into.join(&at)).map_err(|e| disk(&at, &e))?;
        }
        Ok(export.done)
    }
}

struct Export<'r> {
    repo: &'r Repo,
    most: u64,
    entries: usize,
    done: Exported,
    links: Vec<(PathBuf, PathBuf)>,
}

impl Export<'_> {
    fn folder(&mut self, tree: &Tree<'_>, into: &Path, at: &Path) -> Result<(), Error> {
        if at.components().count() > DEPTH_LIMIT {
            return Err(too_large(format!("folders deeper than {DEPTH_LIMIT}")));
        }
        for entry in tree {
            self.repo.check_deadline()?;
            let path = at.join(name(entry.name_bytes(), at)?);
            match entry.filemode() & 0o170_000 {
                0o040_000 => {
                    self.count(BLOCK)?;
                    let real = into.join(&path);
                    let made = fs::create_dir(&real).and_then(|()| permit(&real, 0o755));
                    made.map_err(|e| disk(&path, &e))?;
                    self.folder(&self.repo.git.find_tree(entry.id())?, into, &path)?;
                }
                0o100_000 => self.file(entry.id(), entry.filemode(), into, &path)?,
                0o120_000 => self.link(entry.id(), path)?,
                _ => self.done.left_out += 1,
            }
        }
        Ok(())
    }

    fn file(&mut self, id: Oid, mode: i32, into: &Path, path: &Path) -> Result<(), Error> {
        let (size, _) = self.repo.git.odb()?.read_header(id)?;
        self.count((size as u64).div_ceil(BLOCK).max(1) * BLOCK)?;
        let blob = self.repo.git.find_blob(id)?;
        let mode = if mode & 0o111 == 0 { 0o644 } else { 0o755 };
        let real = into.join(path);
        File::create_new(&real)
            .and_then(|mut file| file.write_all(blob.content()))
            .and_then(|()| permit(&real, mode))
            .map_err(|e| disk(path, &e))?;
        self.done.files += 1;
        Ok(())
    }

    fn link(&mut self, id: Oid, path: PathBuf) -> Result<(), Error> {
        let (size, _) = self.repo.git.odb()?.read_header(id)?;
        self.count(BLOCK)?;
        let target = match size {
            0..4096 => self.repo.git.find_blob(id)?.content().to_vec(),
            _ => Vec::new(),
        };
        let target = PathBuf::from(OsStr::from_bytes(&target));
        match stays_inside(&path, &target) {
            true => self.links.push((path, target)),
            false => self.done.left_out += 1,
        }
        Ok(())
    }

    fn count(&mut self, bytes: u64) -> Result<(), Error> {
        self.entries += 1;
        self.done.bytes = self.done.bytes.saturating_add(bytes);
        if self.entries > ENTRY_LIMIT {
            return Err(too_large(format!("more than {ENTRY_LIMIT} files")));
        }
        if self.done.bytes > self.most {
            return Err(too_large(format!("more than {} bytes of files", self.most)));
        }
        Ok(())
    }
}

/// The mode that git knows, whatever the umask of this process.
fn permit(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn too_large(what: String) -> Error {
    Error::new(ErrorKind::TooLarge, format!("the commit has {what}"))
}

fn disk(path: &Path, e: &io::Error) -> Error {
    let what = format!("{} cannot be written: {e}", path.display());
    Error::new(ErrorKind::Disk, what)
}

/// Git's own tools make no such names, but a tree is only bytes.
fn name<'n>(bytes: &'n [u8], at: &Path) -> Result<&'n Path, Error> {
    let path = Path::new(OsStr::from_bytes(bytes));
    let strange = matches!(bytes, b"" | b"." | b"..")
        || bytes.contains(&b'/')
        || bytes.contains(&0)
        || bytes.eq_ignore_ascii_case(b".git");
    if strange {
        let what = format!("{:?} is no name that a file may have", at.join(path));
        return Err(Error::new(ErrorKind::Git, what));
    }
    Ok(path)
}

/// Whether a link's target, read as text, lies in the tree that the link lies in.
fn stays_inside(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    if target.as_os_str().is_empty() || target.as_os_str().as_bytes().contains(&0) {
        return false;
    }
    for part in target.components() {
        match part {
            Component::Prefix(_) | Component::RootDir => return false,
            Component::CurDir => {}
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth == 0 => return false,
            Component::ParentDir => depth -= 1,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside_or_are_left_out() {
        for (link, target, inside) in [
            ("a", "b", true),
            ("d/a", "../b", true),
            ("d/a", "../../b", false),
            ("a", "/etc/passwd", false),
            ("a", "..", false),
            ("a", "", false),
            ("d/e/a", "./../x/../../y", true),
        ] {
            let stays = stays_inside(Path::new(link), Path::new(target));
            assert_eq!(stays, inside, "{link} -> {target}");
        }
    }

    #[test]
    fn names_that_leave_their_folder_are_refused() {
        for bytes in [&b".."[..], b".", b"", b"a/b", b"a\0b", b".GIT"] {
            assert!(name(bytes, Path::new("")).is_err(), "{bytes:?}");
        }
        assert!(name(b"...", Path::new("")).is_ok());
        assert!(name(b"\xff.py", Path::new("")).is_ok());
    }
}
