//! Which commit wrote each line of a range, as it stands at a commit: lines pass to the parent
//! that has them, through renames and merges, until the deadline. A line that was not settled by
//! then is known to be older than a commit. Not here: which of them is to blame for a fault.

use crate::model::Timestamp;
use crate::source::diff::{self, Hunk, is_binary};
use crate::source::error::Error;
use crate::source::history::ids::Ids;
use crate::source::history::lines::{Lines, before, covers};
use crate::source::place::RepoPath;
use crate::source::read::is_regular;
use crate::source::repo::{Commit, Repo};
use git2::Oid;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::ops::RangeInclusive;
use std::time::Instant;

/// Who wrote a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blamed {
    /// The commit, with the line's number and file then.
    Wrote {
        commit: Commit,
        line: u32,
        file: String,
    },
    /// It was there before this commit; there was no time to look further.
    OlderThan { commit: Commit, time: Timestamp },
}

/// Each line of the range, by its number at the commit where it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blames {
    pub lines: BTreeMap<u32, Blamed>,
    /// Whether the deadline passed.
    pub late: bool,
    /// Commits that were looked at.
    pub commits: usize,
}

/// Lines that a commit has: number as asked, number there.
#[derive(Clone, Debug)]
struct Part {
    file: String,
    lines: Vec<(u32, u32)>,
}

impl Repo {
    /// Who wrote the lines of a file; lines that it does not have are left out.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn blame(
        &self,
        from: Commit,
        path: &RepoPath,
        lines: RangeInclusive<u32>,
        deadline: Instant,
    ) -> Result<Blames, Error> {
        let mut walk = Walk {
            repo: self,
            ids: Ids::new(self),
            queue: BinaryHeap::new(),
            waiting: HashMap::new(),
            found: Blames::default(),
        };
        let part = Part {
            file: path.as_str().to_owned(),
            lines: lines.map(|line| (line, line)).collect(),
        };
        walk.give(from.0, part)?;
        while let Some((_, oid)) = walk.queue.pop() {
            let parts = walk.waiting.remove(&oid).unwrap_or_default();
            if Instant::now() >= deadline {
                walk.stop(oid, &parts)?;
                continue;
            }
            walk.found.commits += 1;
            for part in parts {
                walk.visit(oid, part)?;
            }
        }
        Ok(walk.found)
    }
}

struct Walk<'r> {
    repo: &'r Repo,
    ids: Ids<'r>,
    queue: BinaryHeap<(i64, Oid)>,
    waiting: HashMap<Oid, Vec<Part>>,
    found: Blames,
}

impl Walk<'_> {
    fn give(&mut self, to: Oid, part: Part) -> Result<(), Error> {
        if part.lines.is_empty() {
            return Ok(());
        }
        let time = self.repo.seconds(Commit(to))?;
        let waiting = self.waiting.entry(to).or_default();
        if waiting.is_empty() {
            self.queue.push((time, to));
        }
        waiting.push(part);
        Ok(())
    }

    fn stop(&mut self, oid: Oid, parts: &[Part]) -> Result<(), Error> {
        self.found.late = true;
        let time = Timestamp::from_parts(self.repo.seconds(Commit(oid))?, 0);
        for (asked, _) in parts.iter().flat_map(|part| &part.lines) {
            let commit = Commit(oid);
            let blamed = Blamed::OlderThan { commit, time };
            self.found.lines.insert(*asked, blamed);
        }
        Ok(())
    }

    fn visit(&mut self, oid: Oid, mut part: Part) -> Result<(), Error> {
        let Some(id) = self.id(oid, &part.file) else {
            return Ok(());
        };
        let parents: Vec<Oid> = self.repo.git.find_commit(oid)?.parent_ids().collect();
        let mut sides = Vec::new();
        for parent in parents {
            if self.repo.git.find_commit(parent).is_err() {
                // A shallow history ends here.
                continue;
            }
            let (file, old) = match self.id(parent, &part.file) {
                Some(old) => (part.file.clone(), old),
                None => match self.repo.renamed_from(oid, parent, &part.file)? {
                    Some(file) => match self.id(parent, &file) {
                        Some(old) => (file, old),
                        None => continue,
                    },
                    None => continue,
                },
            };
            if old == id {
                part.file = file;
                return self.give(parent, part);
            }
            sides.push((parent, file, old));
        }
        let Some(new) = self.repo.blob(id, &part.file)? else {
            return Ok(());
        };
        for (parent, file, old) in sides {
            let Some(old) = self.repo.blob(old, &file)?.filter(|old| !is_binary(old)) else {
                continue;
            };
            let hunks = diff::hunks(&old, &new)?;
            let passed = pass(&mut part.lines, &hunks, &old, &new);
            let lines = passed;
            self.give(parent, Part { file, lines })?;
        }
        let count = Lines::of(&new).count();
        for (asked, line) in part.lines {
            if line <= count {
                let blamed = Blamed::Wrote {
                    commit: Commit(oid),
                    line,
                    file: part.file.clone(),
                };
                self.found.lines.insert(asked, blamed);
            }
        }
        Ok(())
    }

    fn id(&self, commit: Oid, file: &str) -> Option<Oid> {
        let (id, mode) = self.ids.at(commit, file).ok()??;
        is_regular(mode).then_some(id)
    }
}

/// Takes the lines out that stood before the hunks, with their numbers there.
fn pass(lines: &mut Vec<(u32, u32)>, hunks: &[Hunk], old: &[u8], new: &[u8]) -> Vec<(u32, u32)> {
    let (old, new) = (Lines::of(old), Lines::of(new));
    let count = new.count();
    let mut passed = Vec::new();
    lines.retain(|(asked, line)| {
        let own = *line > count || hunks.iter().any(|hunk| covers(hunk, *line));
        if !own {
            passed.push((*asked, before(hunks, *line, &old, &new)));
        }
        own
    });
    passed
}
