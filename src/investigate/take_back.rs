//! A suspect's change taken back on the deployed tree: the whole commit where that comes off
//! cleanly, else only its hunks around the fault. Chooses no suspect, and lets nothing pass the
//! gate of `patch`.

use crate::investigate::dangling::{self, Past, code_words, is_import, plain_words};
use crate::investigate::suspects::{Case, PART};
use crate::model::Settings;
use crate::patch::{self, AcceptedPatch, RefusalKind, Rules};
use crate::source::diff::{self, Changed, Edit, Hunk};
use crate::source::{Commit, Error, Repo, Tree};
use std::collections::{BTreeSet, HashSet};

/// What became of the attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    pub patch: Option<AcceptedPatch>,
    /// What was tried, in order.
    pub tried: Vec<String>,
    pub why: String,
}

/// Why a commit's change is for people only, whatever it looks like.
pub(super) fn is_delicate(repo: &Repo, case: &Case, rules: &Rules<'_>) -> Option<String> {
    let message = case.info.message.to_lowercase();
    let cve = message
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word == "cve" || word == "ghsa");
    if message
        .lines()
        .any(|line| line.starts_with("autofix-fingerprint:"))
    {
        return Some("it is a fix that autofix made".to_owned());
    }
    if cve || message.contains("security") || message.contains("vulnerab") {
        return Some("its message speaks of security".to_owned());
    }
    let changed = match repo.changed(case.info.commit) {
        Ok(changed) => changed,
        Err(e) => return Some(e.to_string()),
    };
    changed
        .iter()
        .flat_map(|one| [one.old.as_deref(), one.new.as_deref()])
        .flatten()
        .find_map(|path| patch::protects(path, rules).map(|what| (path, what)))
        .filter(|(_, what)| {
            ["a migration", "a lock file", "a workflow file"].contains(what)
                || what.starts_with("protected")
        })
        .map(|(path, what)| format!("it touches {path}, {what}"))
}

/// Takes the change back.
pub(super) fn take_back(repo: &Repo, tree: &Tree<'_>, case: &Case, settings: &Settings) -> Attempt {
    let rules = Rules {
        allow: &settings.allow,
        protect: &settings.protect,
    };
    let id = case.info.commit.short();
    let mut tried = Vec::new();
    let whole = whole(repo, tree.commit(), case)
        .and_then(|edits| pass(repo, tree, case, &edits, &rules, true));
    match whole {
        Ok(patch) => {
            tried.push(format!("took the whole of {id} back: it comes off cleanly"));
            let why = format!("takes back {id}: {}", case.suspect.why);
            return Attempt {
                patch: Some(patch),
                tried,
                why,
            };
        }
        Err(Stuck(what)) => tried.push(format!("taking the whole of {id} back: {what}")),
    }
    for only_best in [false, true] {
        let part = parts(repo, tree.commit(), case, only_best)
            .and_then(|edit| pass(repo, tree, case, &[edit], &rules, false));
        match part {
            Ok(patch) => {
                tried.push(format!("took only the hunks of {id} around the fault back"));
                let why = format!(
                    "takes back the part of {id} around the fault, as the whole does not come \
                     off: {}",
                    case.suspect.why
                );
                return Attempt {
                    patch: Some(patch),
                    tried,
                    why,
                };
            }
            Err(Stuck(what)) => tried.push(format!(
                "taking the hunks of {id} around the fault back: {what}"
            )),
        }
    }
    tried.dedup();
    let why = format!(
        "the best suspect is {id}, but its change does not come off the deployed commit: {}",
        tried.first().map_or("", |line| line
            .split_once(": ")
            .map_or("", |(_, what)| what))
    );
    Attempt {
        patch: None,
        tried,
        why,
    }
}

/// Edits that leave nothing behind that is still needed, through the gate.
fn pass(
    repo: &Repo,
    tree: &Tree<'_>,
    case: &Case,
    edits: &[Edit],
    rules: &Rules<'_>,
    whole: bool,
) -> Result<AcceptedPatch, Stuck> {
    let patch = patch::accept(repo, tree.commit(), edits, rules).map_err(|refusal| {
        Stuck(match refusal.kind {
            RefusalKind::Empty => "its change is gone already".to_owned(),
            RefusalKind::Path | RefusalKind::Size | RefusalKind::Unfit => refusal.to_string(),
        })
    })?;
    let parent = case.info.parents.first().copied();
    let before = |path: &str| {
        let content = repo.read_file(parent?, &case.name_then(path)).ok()??;
        Some(String::from_utf8_lossy(&content).into_owned())
    };
    let past = Past {
        introduced: introduced(repo, case)?,
        before: &before,
        whole,
    };
    match dangling::still_used(edits, tree, &past) {
        Some((name, file)) => stuck(format!("{file} still uses {name}, which it brought")),
        None => Ok(patch),
    }
}

/// The names that files have since the commit.
fn introduced(repo: &Repo, case: &Case) -> Result<BTreeSet<String>, Stuck> {
    let words = |at: Option<Commit>, path: &Option<String>| -> Result<HashSet<String>, Stuck> {
        let Some((at, path)) = at.zip(path.as_ref()) else {
            return Ok(HashSet::new());
        };
        let content = repo.read_file(at, path)?.unwrap_or_default();
        Ok(code_words(&String::from_utf8_lossy(&content)))
    };
    let mut introduced = BTreeSet::new();
    for changed in repo.changed(case.info.commit)? {
        let before = words(case.info.parents.first().copied(), &changed.old)?;
        let after = words(Some(case.info.commit), &changed.new)?;
        introduced.extend(after.difference(&before).cloned());
    }
    Ok(introduced)
}

/// Why it does not come off.
struct Stuck(String);

impl From<Error> for Stuck {
    fn from(e: Error) -> Stuck {
        Stuck(e.to_string())
    }
}

fn stuck<T>(what: String) -> Result<T, Stuck> {
    Err(Stuck(what))
}

/// The edits that undo every file's change.
fn whole(repo: &Repo, deployed: Commit, case: &Case) -> Result<Vec<Edit>, Stuck> {
    let Some(parent) = case.info.parents.first().copied() else {
        return stuck("it has no parent".into());
    };
    let mut edits = Vec::new();
    for changed in repo.changed(case.info.commit)? {
        undo(repo, deployed, case, parent, &changed, &mut edits)?;
    }
    if edits.is_empty() {
        return stuck("nothing of it is left".into());
    }
    Ok(edits)
}

fn undo(
    repo: &Repo,
    deployed: Commit,
    case: &Case,
    parent: Commit,
    changed: &Changed,
    edits: &mut Vec<Edit>,
) -> Result<(), Stuck> {
    let read = |at, path: &Option<String>| -> Result<Option<Vec<u8>>, Stuck> {
        let Some(path) = path else { return Ok(None) };
        match repo.read_file(at, path)? {
            Some(content) if diff::is_binary(&content) => stuck(format!("{path} is not text")),
            Some(content) => Ok(Some(content)),
            None => stuck(format!("{path} cannot be read")),
        }
    };
    let (before, after) = (
        read(parent, &changed.old)?,
        read(case.info.commit, &changed.new)?,
    );
    // The file may have another name by now.
    let path = case.name_now(changed.path());
    let now = match &changed.new {
        Some(_) => repo.read_file(deployed, &path)?,
        None => None,
    };
    match (before, after) {
        (Some(before), Some(after)) => {
            let Some(now) = now else {
                return stuck(format!("{path} was moved or removed since"));
            };
            let Some(undone) = repo.merge(&after, &now, &before)? else {
                return stuck(format!("{path} was changed in the same place since"));
            };
            let renamed = changed
                .old
                .as_ref()
                .filter(|old| Some(*old) != changed.new.as_ref());
            let home = renamed.cloned().unwrap_or_else(|| path.clone());
            if home != path {
                edits.push(Edit {
                    path,
                    content: None,
                    new_mode: changed.new_mode,
                });
            }
            edits.push(Edit {
                path: home,
                content: Some(undone),
                new_mode: changed.old_mode,
            });
        }
        (None, Some(after)) => match now {
            Some(now) if now == after => edits.push(Edit {
                path,
                content: None,
                new_mode: 0,
            }),
            Some(_) => return stuck(format!("{path}, which it made, was changed since")),
            None => {}
        },
        (Some(before), None) => {
            if repo.read_file(deployed, &path)?.is_some() {
                return stuck(format!("{path}, which it removed, is there again"));
            }
            edits.push(Edit {
                path,
                content: Some(before),
                new_mode: changed.old_mode,
            });
        }
        (None, None) => {}
    }
    Ok(())
}

/// The edit that undoes the hunks around the fault in the file where it was made.
fn parts(repo: &Repo, deployed: Commit, case: &Case, only_best: bool) -> Result<Edit, Stuck> {
    let Some((_, best)) = case.touches.first() else {
        return stuck("no hunk of it is near the fault".into());
    };
    let Some(parent) = case.info.parents.first().copied() else {
        return stuck("it has no parent".into());
    };
    let mut chosen: Vec<Hunk> = case
        .touches
        .iter()
        .filter(|(score, touch)| *score >= PART && touch.file == best.file && !only_best)
        .map(|(_, touch)| touch.hunk)
        .collect();
    chosen.push(best.hunk);
    let (Some(before), Some(after)) = (
        repo.read_file(parent, &best.old_file)?,
        repo.read_file(case.info.commit, &best.file)?,
    ) else {
        return stuck(format!(
            "it made {}: there is nothing to go back to",
            best.file
        ));
    };
    let imports = imports(&before, &after, &chosen)?;
    chosen.extend(imports);
    chosen.sort_by_key(|hunk| hunk.new_start);
    chosen.dedup();
    let undone = without(&before, &after, &chosen);
    let path = case.name_now(&best.file);
    let Some(now) = repo.read_file(deployed, &path)? else {
        return stuck(format!("{path} was moved or removed since"));
    };
    match repo.merge(&after, &now, &undone)? {
        Some(content) => Ok(Edit {
            path,
            content: Some(content),
            new_mode: 0,
        }),
        None => stuck(format!("{} was changed in the same place since", best.file)),
    }
}

/// The hunks of the same commit that changed only imports, of names that the chosen ones use.
fn imports(before: &[u8], after: &[u8], chosen: &[Hunk]) -> Result<Vec<Hunk>, Stuck> {
    let lines = |hunk: &Hunk| -> Vec<String> {
        let side = |text: &[u8], start: u32, count: u32| -> Vec<String> {
            text.split(|b| *b == b'\n')
                .skip(start.saturating_sub(1) as usize)
                .take(count as usize)
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect()
        };
        let mut lines = side(before, hunk.old_start, hunk.old_lines);
        lines.extend(side(after, hunk.new_start, hunk.new_lines));
        lines.retain(|line| !line.trim().is_empty());
        lines
    };
    let used: HashSet<String> = chosen
        .iter()
        .flat_map(&lines)
        .flat_map(|line| plain_words(&line).collect::<Vec<_>>())
        .collect();
    let mut all = diff::hunks(before, after)?;
    all.retain(|hunk| {
        let lines = lines(hunk);
        let only = !lines.is_empty() && lines.iter().all(|line| is_import(line));
        only && lines
            .iter()
            .any(|line| plain_words(line).any(|word| used.contains(&word)))
    });
    Ok(all)
}

/// The newer text with some hunks as they were in the older one.
fn without(before: &[u8], after: &[u8], hunks: &[Hunk]) -> Vec<u8> {
    let old: Vec<&[u8]> = before.split_inclusive(|b| *b == b'\n').collect();
    let new: Vec<&[u8]> = after.split_inclusive(|b| *b == b'\n').collect();
    let mut out = Vec::with_capacity(after.len());
    let mut at = 0;
    for hunk in hunks {
        // Where a count is 0, the start names the line before.
        let first = if hunk.new_lines == 0 {
            hunk.new_start
        } else {
            hunk.new_start.saturating_sub(1)
        } as usize;
        let from = if hunk.old_lines == 0 {
            hunk.old_start
        } else {
            hunk.old_start.saturating_sub(1)
        } as usize;
        out.extend(new.get(at..first).unwrap_or_default().concat());
        out.extend(
            old.get(from..from + hunk.old_lines as usize)
                .unwrap_or_default()
                .concat(),
        );
        at = first + hunk.new_lines as usize;
    }
    out.extend(new.get(at..).unwrap_or_default().concat());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_are_taken_back_one_by_one() {
        let (before, after) = (b"a\nb\nc\nd\ne\n", b"A\nb\nd\ne\nf\n");
        let hunks = diff::hunks(before, after).unwrap();
        assert_eq!(hunks.len(), 3);
        assert_eq!(without(before, after, &hunks), before);
        assert_eq!(without(before, after, &hunks[1..2]), b"A\nb\nc\nd\ne\nf\n");
        assert_eq!(without(before, after, &hunks[2..]), b"A\nb\nd\ne\n");
        assert_eq!(without(before, after, &[]), after);
    }
}
