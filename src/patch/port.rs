//! The same fix on the end of a branch: merged in memory and held to the same rules, or why that
//! cannot be. Where the fault is gone there already it says which commit took it away. It fetches
//! nothing, and knows of the fault only the lines that the fix changes.

use crate::model::CommitId;
use crate::patch::{AcceptedPatch, RefusalKind, Rules, accept};
use crate::source::{Carried, Commit, Error, ErrorKind, Repo};

/// What became of the fix on the branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ported {
    /// It applies there too: the patch for the branch's end.
    Same(AcceptedPatch),
    /// What it would change is not there any more.
    AlreadyGone(String),
    /// It cannot be applied there, or must not.
    Conflict(String),
    /// The deployed commit is the branch's end.
    AtHead,
}

/// Brings a patch to the end of `branch`, or of the default branch.
///
/// # Errors
/// Where there is no such branch, and of a damaged repository.
pub fn port(
    repo: &Repo,
    patch: &AcceptedPatch,
    rules: &Rules<'_>,
    branch: Option<&str>,
) -> Result<Ported, Error> {
    let head = repo.tip(branch)?;
    if head.to_string() == patch.base() {
        return Ok(Ported::AtHead);
    }
    let place = Place {
        repo,
        base: base_of(repo, patch)?,
        head,
    };
    let changed = repo.patched(place.base, patch.text(), &|_| true)?;
    let edits = match repo.carry(place.base, changed, head)? {
        Carried::Clean(edits) => edits,
        Carried::Collides(paths) => return place.collides(patch, &paths),
    };
    Ok(match accept(repo, head, &edits, rules) {
        Ok(ported) => Ported::Same(ported),
        Err(refusal) if refusal.kind == RefusalKind::Empty => place.contained(patch)?,
        Err(refusal) => Ported::Conflict(format!("on {}: {refusal}", head.short())),
    })
}

/// The commit that a patch was made on.
pub(super) fn base_of(repo: &Repo, patch: &AcceptedPatch) -> Result<Commit, Error> {
    let id = CommitId::parse(patch.base());
    id.and_then(|id| repo.lookup(&id)).ok_or_else(|| {
        let what = format!("{} has no commit {}", repo.name(), patch.base());
        Error::new(ErrorKind::UnknownCommit, what)
    })
}

struct Place<'r> {
    repo: &'r Repo,
    base: Commit,
    head: Commit,
}

impl Place<'_> {
    /// Both sides changed the same lines. Where none of what the fix takes away is left, the
    /// fault went with it.
    fn collides(&self, patch: &AcceptedPatch, paths: &[String]) -> Result<Ported, Error> {
        let changes = changes(patch.text());
        let mut by = Vec::new();
        for path in paths {
            let Some(change) = changes.iter().find(|change| change.path == *path) else {
                return Ok(self.conflict(paths));
            };
            if change.removed.is_empty() {
                return Ok(self.conflict(paths));
            }
            let gone = |content: Option<&[u8]>| change.is_gone(content);
            if !gone(self.repo.read_file(self.head, path)?.as_deref()) {
                return Ok(self.conflict(paths));
            }
            by.push(self.who(path, &gone)?);
        }
        // Where another file still has what the fix takes away, the fault may be there.
        for change in changes
            .iter()
            .filter(|change| !paths.contains(&change.path))
        {
            let content = self.repo.read_file(self.head, &change.path)?;
            let content = content.as_deref();
            if !change.removed.is_empty() && !change.is_gone(content) && !change.is_made(content) {
                return Ok(Ported::Conflict(format!(
                    "only a part of the fix fits {}: {} still has the lines that it changes, {} \
                     does not",
                    self.head.short(),
                    change.path,
                    paths.join(", ")
                )));
            }
        }
        let what = format!(
            "the lines that the fix changes in {} are not on {} any more: {}",
            paths.join(", "),
            self.head.short(),
            by.join("; ")
        );
        Ok(Ported::AlreadyGone(what))
    }

    /// The merge changed nothing: all of the fix is there.
    fn contained(&self, patch: &AcceptedPatch) -> Result<Ported, Error> {
        let mut by = Vec::new();
        for change in changes(patch.text()) {
            by.push(self.who(&change.path, &|content| change.is_made(content))?);
        }
        by.dedup();
        let what = format!(
            "{} contains the same change already: {}",
            self.head.short(),
            by.join("; ")
        );
        Ok(Ported::AlreadyGone(what))
    }

    fn conflict(&self, paths: &[String]) -> Ported {
        let (base, head) = (self.base.short(), self.head.short());
        let paths = paths.join(", ");
        Ported::Conflict(format!(
            "{paths} changed between {base} and {head} in the lines that the fix changes"
        ))
    }

    fn who(&self, path: &str, holds: &dyn Fn(Option<&[u8]>) -> bool) -> Result<String, Error> {
        Ok(match self.repo.became(self.base, self.head, path, holds)? {
            Some(commit) => format!("{path} was changed by {}", commit.short()),
            None => format!("which commit changed {path} was not found"),
        })
    }
}

/// What a diff does to one file: runs of lines that it takes away and puts in, without spaces.
#[derive(Debug, Default, PartialEq, Eq)]
struct Change {
    path: String,
    removed: Vec<Vec<String>>,
    added: Vec<Vec<String>>,
}

impl Change {
    /// Each line for itself: the fault may be in any of them, and one that was changed beside it
    /// does not take it away.
    fn is_gone(&self, content: Option<&[u8]>) -> bool {
        let lines = content.map(bare_lines).unwrap_or_default();
        let there = |line: &String| lines.contains(line);
        // Brackets alone stand everywhere; where there is nothing else, they must stand together.
        let tells = |line: &&String| line.chars().any(char::is_alphanumeric);
        let mut telling = self.removed.iter().flatten().filter(tells).peekable();
        match telling.peek() {
            Some(_) => !telling.any(there),
            None => !self.removed.iter().any(|run| stands_in(run, &lines)),
        }
    }

    fn is_made(&self, content: Option<&[u8]>) -> bool {
        let lines = content.map(bare_lines).unwrap_or_default();
        let put = self.added.iter().all(|run| stands_in(run, &lines));
        // What is only taken away is done when it is away.
        put && (!self.added.is_empty() || self.is_gone(content))
    }
}

fn stands_in(run: &[String], lines: &[String]) -> bool {
    !run.is_empty() && lines.windows(run.len()).any(|window| window == run)
}

/// Indentation and empty lines are no difference: a fault that was only moved is still there.
fn bare(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn bare_lines(content: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(content);
    let lines = text.lines().map(bare);
    lines.filter(|line| !line.is_empty()).collect()
}

/// Takes apart a diff that was made here. Lines of hunks are counted, so that a removed line that
/// begins with `--` is no header.
fn changes(diff: &str) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let (mut old, mut new) = (0usize, 0usize);
    let mut last = ' ';
    for line in diff.lines() {
        let mark = line.chars().next().unwrap_or(' ');
        if old == 0 && new == 0 {
            last = ' ';
            if line.starts_with("diff --git ") {
                changes.push(Change::default());
            } else if let Some(change) = changes.last_mut() {
                let named = ["--- a/", "+++ b/"]
                    .iter()
                    .find_map(|head| line.strip_prefix(head));
                if let Some(path) = named {
                    change.path = path.trim_end_matches('\t').to_owned();
                } else if let Some(counts) = line.strip_prefix("@@ -") {
                    (old, new) = counted(counts);
                }
            }
            continue;
        }
        let Some(change) = changes.last_mut() else {
            continue;
        };
        let runs = match mark {
            '-' => {
                old = old.saturating_sub(1);
                &mut change.removed
            }
            '+' => {
                new = new.saturating_sub(1);
                &mut change.added
            }
            '\\' => continue,
            _ => {
                (old, new) = (old.saturating_sub(1), new.saturating_sub(1));
                last = ' ';
                continue;
            }
        };
        let text = bare(&line[1..]);
        if last != mark || runs.is_empty() {
            runs.push(Vec::new());
        }
        last = mark;
        if let Some(run) = runs.last_mut().filter(|_| !text.is_empty()) {
            run.push(text);
        }
    }
    for change in &mut changes {
        change.removed.retain(|run| !run.is_empty());
        change.added.retain(|run| !run.is_empty());
    }
    changes
}

/// The two counts of `@@ -3,7 +3,9 @@`; one that is left out is 1.
fn counted(text: &str) -> (usize, usize) {
    let mut counts = text.split(['+', '@']).map(|side| {
        let count = side.trim().split_once(',').map_or("1", |(_, count)| count);
        count.trim().parse().unwrap_or(1)
    });
    (counts.next().unwrap_or(0), counts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_lines_are_read_from_a_diff() {
        let diff = "diff --git a/a.sql b/a.sql\nindex 1..2 100644\n--- a/a.sql\n+++ b/a.sql\n\
                    @@ -1,3 +1,3 @@\n a\n--- b/x\n++++ c\n \n@@ -9 +9,2 @@\n-x\n+\ty  z\n+q\n";
        let run = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
        let change = Change {
            path: "a.sql".to_owned(),
            removed: vec![run(&["-- b/x"]), run(&["x"])],
            added: vec![run(&["+++ c"]), run(&["y z", "q"])],
        };
        assert_eq!(changes(diff), [change]);
    }

    #[test]
    fn what_only_moved_is_not_gone() {
        let change = Change {
            removed: vec![vec!["x = y[0]".to_owned()]],
            ..Change::default()
        };
        assert!(!change.is_gone(Some(b"def f():\n        x =  y[0]\n")));
        assert!(change.is_gone(Some(b"def f():\n    x = first(y)\n")));
        assert!(change.is_gone(None));
    }

    #[test]
    fn a_fault_beside_a_changed_line_is_not_gone() {
        let run = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
        let change = Change {
            removed: vec![run(&["first = prices[0]", "return first + rest", "}"])],
            ..Change::default()
        };
        assert!(!change.is_gone(Some(b"first = prices[0]\nreturn first + rest + 0\n}\n")));
        assert!(change.is_gone(Some(b"return sum(prices)\n}\n")));
        let brackets = Change {
            removed: vec![run(&["}", "}"])],
            ..Change::default()
        };
        assert!(brackets.is_gone(Some(b"a\n}\nb\n")));
        assert!(!brackets.is_gone(Some(b"a\n}\n}\n")));
    }
}
