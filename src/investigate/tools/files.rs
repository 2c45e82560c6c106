//! `list_files` and `read_file`.

use super::input::Input;
use super::{Desk, Failed, Filled, Redacted, Scope, Seen};
use crate::investigate::page::{Page, cut_by, id, named};
use crate::investigate::within::redacted;
use crate::source::{Content, EntryKind, FileText, RepoPath, Stands};
use std::time::Instant;

/// Entries of one list.
const ENTRIES: usize = 500;
/// Lines that are read where none were asked for, and at most.
const LINES: u32 = 400;
const MOST: u32 = 800;

impl Desk<'_> {
    pub(super) fn list_files(
        &mut self,
        input: &Input<'_>,
        scope: &mut Scope,
        deadline: Instant,
    ) -> Filled {
        let folder = match input.text("folder") {
            Some(folder) => RepoPath::parse(folder)?,
            None => RepoPath::parse(&self.settings.root)?,
        };
        let pattern = input.text("pattern");
        let listed = self
            .repo
            .list(self.commit, &folder, pattern, ENTRIES, deadline)?;
        let listing = match listed {
            Ok(listing) => listing,
            Err(stands) => return Err(no_folder(&stands, scope)),
        };
        let count = i64::try_from(listing.entries.len()).unwrap_or(i64::MAX);
        let mut page = Page::new(&[
            count.into(),
            match pattern {
                Some(_) => " files that fit the pattern below ".into(),
                None => " entries of folder ".into(),
            },
            (&folder_name(scope, &folder)).into(),
            " at commit ".into(),
            (&id(scope, self.commit)).into(),
        ]);
        for entry in &listing.entries {
            let tail = match entry.kind {
                EntryKind::Folder => "/".to_owned(),
                EntryKind::File { bytes } => format!("  ({bytes} bytes)"),
                EntryKind::Symlink => "  (link, not followed)".to_owned(),
                EntryKind::Submodule => "  (submodule: files are in another repository)".to_owned(),
            };
            let line = scope.text(&format!("{}{tail}", entry.path));
            if !page.data(None, &line) {
                break;
            }
        }
        if listing.unnamed > 0 {
            page.own(&[
                i64::try_from(listing.unnamed).unwrap_or(i64::MAX).into(),
                " entries whose names are not UTF-8 are left out.".into(),
            ]);
        }
        let cut = match page.is_full() {
            true => Some(crate::source::Cut::Bytes),
            false => listing.cut,
        };
        if let Some(cut) = cut {
            page.own(&[
                "The list is cut: ".into(),
                cut_by(cut).into(),
                ". Ask for a folder below it, or with a narrower pattern.".into(),
            ]);
        }
        Ok((page, Vec::new()))
    }

    pub(super) fn read_file(
        &mut self,
        input: &Input<'_>,
        scope: &mut Scope,
        _deadline: Instant,
    ) -> Filled {
        let path = input.path("path")?;
        let file = self.file(&path, scope)?;
        let all: Vec<&str> = lines(&file.text);
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let from = input.line("from").unwrap_or(1);
        let asked = input
            .line("to")
            .unwrap_or(from.saturating_add(LINES - 1))
            .min(count);
        if count == 0 {
            return Err("the file is empty".into());
        }
        if from > asked {
            return Err(Failed::Call(Redacted::join(&[
                "there are no lines from ".into(),
                i64::from(from).into(),
                " to ".into(),
                i64::from(input.line("to").unwrap_or(asked)).into(),
                "; the file has ".into(),
                i64::from(count).into(),
                " lines".into(),
            ])));
        }
        let to = asked.min(from.saturating_add(MOST - 1));
        let shown = redacted(scope, &file.text, from, to);
        let mut page = Page::new(&[
            "File ".into(),
            (&named(scope, path.as_str())).into(),
            " at commit ".into(),
            (&id(scope, self.commit)).into(),
            ", lines from ".into(),
            i64::from(from).into(),
            " of ".into(),
            i64::from(count).into(),
        ]);
        remarks(&mut page, &file);
        let mut last = from;
        let mut over = false;
        for (number, line) in (from..=to).zip(&shown) {
            match line {
                Some(line) if page.data(Some(number), line) => {}
                Some(_) => break,
                // The value stands in a line above.
                None => over = true,
            }
            last = number;
        }
        if over {
            page.own(&[
                "Numbers that are left out belong to a value of several lines that was replaced \
                 by a placeholder."
                    .into(),
            ]);
        }
        if last < asked || (page.is_full() && last == from) {
            page.own(&[
                "Cut after line ".into(),
                i64::from(last).into(),
                " because one result holds no more; go on with from=".into(),
                i64::from(last.saturating_add(1)).into(),
                ".".into(),
            ]);
        }
        let seen = Seen::Lines {
            file: path.as_str().to_owned(),
            lines: from..=last,
        };
        Ok((page, vec![seen]))
    }

    /// A file's text, or why there is none to show.
    pub(super) fn file(&self, path: &RepoPath, scope: &mut Scope) -> Result<FileText, Failed> {
        let say = |words: &'static str| Err(Failed::from(words));
        match self.repo.content(self.commit, path)? {
            Content::Text(file) => Ok(file),
            Content::Binary { .. } => say("the file is binary; only text can be read"),
            Content::Lfs { .. } => say(
                "the file is kept in Git LFS: the repository holds only a pointer to it, so it \
                 cannot be read",
            ),
            Content::TooLong { .. } => say(
                "the file is longer than 4 MB and is not read; find_symbol and search_code may help",
            ),
            Content::Other(stands) => Err(no_file(&stands, scope)),
        }
    }
}

/// What is to be known of a file before its text is read.
fn remarks(page: &mut Page, file: &FileText) {
    if let Some(why) = file.generated {
        page.own(&[
            "The file counts as generated (".into(),
            why.into(),
            "): change its source, not this file.".into(),
        ]);
    }
    if !file.exact {
        page.own(&["It is not UTF-8: some characters are not as in the file.".into()]);
    }
    if file.text.contains("\r\n") {
        page.own(&["Its lines end with CR LF.".into()]);
    }
    if !file.text.ends_with('\n') {
        page.own(&["Its last line has no line end.".into()]);
    }
}

/// Lines without their ends.
pub(super) fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

fn folder_name(scope: &mut Scope, folder: &RepoPath) -> Redacted {
    match folder.is_top() {
        true => Redacted::own("the repository's top"),
        false => named(scope, folder.as_str()),
    }
}

fn no_folder(stands: &Stands, scope: &mut Scope) -> Failed {
    match stands {
        Stands::File => "this is a file; read it with read_file".into(),
        Stands::Folder => "this is a folder".into(),
        Stands::Nothing => {
            "there is no such folder at the deployed commit; list the folder above it".into()
        }
        Stands::Symlink { .. } | Stands::Submodule { .. } => not_followed(stands, scope),
    }
}

fn no_file(stands: &Stands, scope: &mut Scope) -> Failed {
    match stands {
        Stands::Folder => "this is a folder; list it with list_files".into(),
        Stands::Nothing | Stands::File => {
            "there is no such file at the deployed commit; list_files with a pattern finds names"
                .into()
        }
        Stands::Symlink { .. } | Stands::Submodule { .. } => not_followed(stands, scope),
    }
}

fn not_followed(stands: &Stands, scope: &mut Scope) -> Failed {
    let pieces = match stands {
        Stands::Symlink { at, target } => [
            named(scope, at.as_str()),
            Redacted::own(" is a symbolic link to "),
            named(scope, target),
            Redacted::own("; links are not followed, give the path that it means"),
        ],
        Stands::Submodule { at, commit } => [
            named(scope, at.as_str()),
            Redacted::own(" is a submodule at "),
            scope.text(commit).plain(40, 40),
            Redacted::own("; its files are in another repository and cannot be read"),
        ],
        Stands::Nothing | Stands::Folder | Stands::File => [(); 4].map(|()| Redacted::default()),
    };
    Failed::Call(Redacted::join(&pieces.each_ref().map(Into::into)))
}
