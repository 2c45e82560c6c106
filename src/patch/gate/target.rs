//! Whether what an edit names can be edited as text: a regular file in UTF-8 that is no pointer
//! to something else, or nothing at all where a new file is to be.

use super::case::Case;
use super::{Seen, quoted};
use crate::patch::answer::Change;
use crate::source::diff::is_binary;
use crate::source::locate::Files;

/// How a pointer to a file in large-file storage begins.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
const FOLDER: i32 = 0o040_000;

pub(super) fn check(case: &mut Case<'_>) -> Seen {
    let mut seen = Seen::default();
    let edits = &case.answer.edits;
    let mut before = Vec::new();
    for path in case.edited() {
        let own = || edits.iter().filter(|edit| edit.file() == path);
        let creates = own()
            .filter(|edit| matches!(edit, Change::Create { .. }))
            .count();
        let replaces = own().count() - creates;
        if creates > 1 || (creates > 0 && replaces > 0) {
            seen.fault(format!(
                "{} is made as a new file and edited besides; give a new file whole and once",
                quoted(path)
            ));
        }
        match text(case, path) {
            Ok(Some(_)) if creates > 0 => {
                seen.fault(format!(
                    "{} exists; edit it with `search` and `replace`",
                    quoted(path)
                ));
                before.push((path.to_owned(), None));
            }
            Ok(None) if replaces > 0 => {
                seen.fault(missing(case, path));
                before.push((path.to_owned(), None));
            }
            Ok(text) => before.push((path.to_owned(), text)),
            Err(why) => {
                seen.fault(format!("{} {why}; leave it as it is", quoted(path)));
                before.push((path.to_owned(), lossy(case, path)));
            }
        }
    }
    let new = before.iter().filter(|(_, text)| text.is_none()).count();
    let old = before.len() - new;
    case.before = before;
    seen.says(format!("{old} text files, {new} new"))
}

fn missing(case: &Case<'_>, path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let same = case
        .tree
        .paths()
        .iter()
        .find(|other| other.rsplit('/').next() == Some(name));
    match same {
        Some(other) => format!(
            "{} does not exist at the deployed commit; there is {}",
            quoted(path),
            quoted(other)
        ),
        None => format!(
            "{} does not exist at the deployed commit; give `content` for a new file",
            quoted(path)
        ),
    }
}

/// The file's text, `None` where there is none; the error says what stands there instead.
fn text(case: &Case<'_>, path: &str) -> Result<Option<String>, String> {
    let (repo, commit) = (case.ground.repo, case.ground.commit);
    let mode = |path: &str| repo.mode(commit, path).map_err(|e| e.to_string());
    for (at, _) in path.match_indices('/') {
        let folder = path.get(..at).unwrap_or_default();
        match mode(folder)? {
            None | Some(FOLDER) => {}
            Some(other) => return Err(format!("lies below {folder}, which {}", kind(other))),
        }
    }
    match mode(path)? {
        None => return Ok(None),
        Some(0o100_644 | 0o100_755 | 0o100_664) => {}
        Some(other) => return Err(kind(other).to_owned()),
    }
    let Some(bytes) = repo.read_file(commit, path).map_err(|e| e.to_string())? else {
        return Err("is too long to be read".to_owned());
    };
    if bytes.starts_with(POINTER) {
        return Err("is a pointer to a file in large-file storage".to_owned());
    }
    if is_binary(&bytes) || bytes.contains(&0) {
        return Err("is binary".to_owned());
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err("is not UTF-8 text".to_owned()),
    }
}

fn kind(mode: i32) -> &'static str {
    match mode {
        0o120_000 => "is a symbolic link",
        0o160_000 => "is a submodule",
        FOLDER => "is a folder",
        _ => "is no regular file",
    }
}

/// Of a file that was refused, what later gates can be shown.
fn lossy(case: &Case<'_>, path: &str) -> Option<String> {
    let read = case.ground.repo.read_file(case.ground.commit, path);
    read.ok()
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok())
}
