//! What changed: between two texts, by a commit, and by edits on top of a commit, as hunks or
//! as a diff in git's format. Decides nothing about which change is good.

use crate::source::error::{Error, ErrorKind};
use crate::source::read::is_regular;
use crate::source::repo::{Commit, Repo};
use git2::build::TreeUpdateBuilder;
use git2::{
    Diff, DiffFindOptions, DiffOptions, FileMode, MergeFileInput, MergeFileOptions, Oid, Patch,
    Tree,
};

/// Most files of one commit that are looked at.
pub const CHANGED_FILE_LIMIT: usize = 2_000;

/// Lines that differ between two texts. Lines count from 1; where a count is 0, its start is
/// the line before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hunk {
    pub old_start: u32,
    pub old_lines: u32,
    pub new_start: u32,
    pub new_lines: u32,
}

/// What a commit did to one file, against its only parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// `None` where the commit made the file.
    pub old: Option<String>,
    /// `None` where the commit removed it.
    pub new: Option<String>,
    pub old_mode: i32,
    pub new_mode: i32,
}

impl Changed {
    /// The path after the commit, or before it where it removed the file.
    pub fn path(&self) -> &str {
        self.new
            .as_deref()
            .or(self.old.as_deref())
            .unwrap_or_default()
    }
}

/// A file as it is to be; `None` removes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub path: String,
    pub content: Option<Vec<u8>>,
    /// Mode of a file that the commit does not have.
    pub new_mode: i32,
}

/// A diff in git's format that was seen to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diffed {
    pub text: String,
    /// Paths that it touches, sorted.
    pub files: Vec<String>,
    pub added: usize,
    pub removed: usize,
}

/// The lines in which two texts differ.
pub fn hunks(old: &[u8], new: &[u8]) -> Result<Vec<Hunk>, Error> {
    let mut options = DiffOptions::new();
    options
        .context_lines(0)
        .interhunk_lines(0)
        .force_text(true)
        .indent_heuristic(true);
    let patch = Patch::from_buffers(old, None, new, None, Some(&mut options))?;
    let mut hunks = Vec::with_capacity(patch.num_hunks());
    for at in 0..patch.num_hunks() {
        let (hunk, _) = patch.hunk(at)?;
        hunks.push(Hunk {
            old_start: hunk.old_start(),
            old_lines: hunk.old_lines(),
            new_start: hunk.new_start(),
            new_lines: hunk.new_lines(),
        });
    }
    Ok(hunks)
}

/// Whether git would call it binary: a NUL byte near the start.
pub fn is_binary(content: &[u8]) -> bool {
    content.get(..8_000).unwrap_or(content).contains(&0)
}

impl Repo {
    /// The three-way merge of two changes to one text; `None` where they collide. A method,
    /// because libgit2 merges only after something has set it up, as an open repository has.
    ///
    /// # Errors
    /// When libgit2 has no memory.
    pub fn merge(
        &self,
        ancestor: &[u8],
        ours: &[u8],
        theirs: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        if ancestor == ours {
            return Ok(Some(theirs.to_vec()));
        }
        if ancestor == theirs || ours == theirs {
            return Ok(Some(ours.to_vec()));
        }
        let mut inputs = [(); 3].map(|()| MergeFileInput::new());
        for (input, text) in inputs.iter_mut().zip([ancestor, ours, theirs]) {
            // Without a path libgit2 has nothing to call the result and fails.
            input.content(text).path("file");
        }
        let [ancestor, ours, theirs] = &inputs;
        let mut options = MergeFileOptions::new();
        let merged = git2::merge_file(ancestor, ours, theirs, Some(&mut options))?;
        Ok(merged.is_automergeable().then(|| merged.content().to_vec()))
    }

    /// The files that a commit changed against its only parent, renames followed. Empty for
    /// merges and for commits without a parent.
    ///
    /// # Errors
    /// `TooLarge` beyond [`CHANGED_FILE_LIMIT`] files, or of a damaged repository.
    pub fn changed(&self, commit: Commit) -> Result<Vec<Changed>, Error> {
        let found = self.git.find_commit(commit.0)?;
        if found.parent_count() != 1 {
            return Ok(Vec::new());
        }
        let (old, new) = (found.parent(0)?.tree()?, found.tree()?);
        let mut diff = self.git.diff_tree_to_tree(Some(&old), Some(&new), None)?;
        if diff.deltas().len() > CHANGED_FILE_LIMIT {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "{} changes more than {CHANGED_FILE_LIMIT} files",
                    commit.short()
                ),
            ));
        }
        diff.find_similar(Some(DiffFindOptions::new().renames(true).rename_limit(200)))?;
        let mut files = Vec::new();
        for delta in diff.deltas() {
            let side = |file: git2::DiffFile<'_>| {
                let path = file.exists().then(|| file.path()?.to_str()).flatten();
                (path.map(str::to_owned), i32::from(file.mode()))
            };
            let strange = |file: git2::DiffFile<'_>| {
                let bytes = file.path_bytes().filter(|_| file.exists());
                bytes.is_some_and(|bytes| std::str::from_utf8(bytes).is_err())
            };
            if strange(delta.old_file()) || strange(delta.new_file()) {
                let what = format!("{} changes a file whose name is not UTF-8", commit.short());
                return Err(Error::new(ErrorKind::Git, what));
            }
            let (old, old_mode) = side(delta.old_file());
            let (new, new_mode) = side(delta.new_file());
            files.push(Changed {
                old,
                new,
                old_mode,
                new_mode,
            });
        }
        Ok(files)
    }

    /// The diff that makes these edits on top of a commit. It is applied to the commit's tree
    /// again, in memory, and must give the same tree.
    ///
    /// # Errors
    /// When a file is binary, is no regular file, or the diff would not apply.
    pub fn diff_edits(&self, base: Commit, edits: &[Edit]) -> Result<Diffed, Error> {
        let old = self.git.find_commit(base.0)?.tree()?;
        let new = self.git.find_tree(self.edited_tree(base, &old, edits)?)?;
        let mut options = DiffOptions::new();
        options
            .context_lines(3)
            .interhunk_lines(0)
            .old_prefix("a")
            .new_prefix("b");
        options.id_abbrev(40).indent_heuristic(true);
        let diff = self
            .git
            .diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options))?;
        let mut diffed = render(&diff)?;
        diffed.files.sort_unstable();
        let parsed = Diff::from_buffer(diffed.text.as_bytes())?;
        let mut index = self.git.apply_to_tree(&old, &parsed, None)?;
        if index.write_tree_to(&self.git)? != new.id() {
            let why = "the diff does not give the files that it was made from";
            return Err(Error::new(ErrorKind::Git, why));
        }
        Ok(diffed)
    }

    fn edited_tree(&self, base: Commit, old: &Tree<'_>, edits: &[Edit]) -> Result<Oid, Error> {
        let mut update = TreeUpdateBuilder::new();
        for edit in edits {
            let present = self.entry(base, &edit.path)?.map(|entry| entry.filemode());
            if present.is_some_and(|mode| !is_regular(mode)) {
                let why = format!("{} is no regular file", edit.path);
                return Err(Error::new(ErrorKind::Git, why));
            }
            match &edit.content {
                Some(content) => {
                    let mode = match present.unwrap_or(edit.new_mode) {
                        0o100_755 => FileMode::BlobExecutable,
                        _ => FileMode::Blob,
                    };
                    update.upsert(edit.path.as_str(), self.git.blob(content)?, mode);
                }
                None if present.is_some() => {
                    update.remove(edit.path.as_str());
                }
                None => {}
            }
        }
        Ok(update.create_updated(&self.git, old)?)
    }
}

fn render(diff: &Diff<'_>) -> Result<Diffed, Error> {
    let mut out = Diffed {
        text: String::new(),
        files: Vec::new(),
        added: 0,
        removed: 0,
    };
    for at in 0..diff.deltas().len() {
        let path = diff.get_delta(at).and_then(|delta| {
            let path = delta
                .new_file()
                .path()
                .or_else(|| delta.old_file().path())?;
            path.to_str().map(str::to_owned)
        });
        let (Some(path), Some(mut patch)) = (path, Patch::from_diff(diff, at)?) else {
            return Err(Error::new(ErrorKind::Git, "a file in the diff is not text"));
        };
        if patch.delta().flags().is_binary() {
            return Err(Error::new(ErrorKind::Git, format!("{path} is not text")));
        }
        let (_, added, removed) = patch.line_stats()?;
        out.added += added;
        out.removed += removed;
        // Old encodings come through byte for byte only in UTF-8; anything else is refused.
        let text = patch.to_buf()?;
        let Ok(text) = std::str::from_utf8(&text) else {
            return Err(Error::new(
                ErrorKind::Git,
                format!("{path} is not UTF-8 text"),
            ));
        };
        out.text.push_str(text);
        out.files.push(path);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_name_the_lines_that_differ() {
        let found = hunks(b"a\nb\nc\nd\n", b"a\nB\nB\nc\n").unwrap();
        let hunk = |a, b, c, d| Hunk {
            old_start: a,
            old_lines: b,
            new_start: c,
            new_lines: d,
        };
        assert_eq!(found, [hunk(2, 1, 2, 2), hunk(4, 1, 4, 0)]);
        assert!(hunks(b"", b"").unwrap().is_empty());
    }
}
