//! The walk behind [`History`]: from the newest commit to its parents, carrying where the asked
//! lines stood. Lines pass to the parent that has them unchanged; the rest is a [`Touch`].

use crate::source::diff::{self, Hunk};
use crate::source::error::Error;
use crate::source::history::ids::Ids;
use crate::source::history::lines::{Lines, before, covers};
use crate::source::history::{History, Question, Touch, TouchKind, Window};
use crate::source::repo::{Commit, Repo};
use git2::{DiffFindOptions, Oid};
use std::collections::{BinaryHeap, HashMap, HashSet};

/// Most commits that are looked at.
const COMMIT_LIMIT: usize = 400_000;
/// Most lines of a function that are followed, the statement's own always among them.
const ZONE_LIMIT: u32 = 400;
/// Most hunks of one commit in one file that are looked at: beyond, it is a rewrite.
const HUNK_LIMIT: usize = 2_000;

/// A file before and after.
type Texts = (Vec<u8>, Vec<u8>);

/// Where the lines of one question stand in one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    question: usize,
    file: String,
    /// Followed lines: where they stand, whether they belong to the statement, and whether they
    /// were found to be written by a newer commit.
    lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    at: u32,
    statement: bool,
    settled: bool,
}

impl Repo {
    /// The past of the asked lines, from a commit back to the end of the window.
    ///
    /// # Errors
    /// Of a damaged repository. A passed deadline is no error: the history is not complete.
    pub fn history(
        &self,
        from: Commit,
        questions: &[Question],
        window: &Window,
    ) -> Result<History, Error> {
        let mut walk = Walk::new(self, window)?;
        let places = questions.iter().enumerate().map(|(at, q)| start(at, q));
        walk.give(from.0, places.collect())?;
        walk.run()
    }

    /// What a file was called before a commit that made it out of another one.
    pub(super) fn renamed_from(
        &self,
        oid: Oid,
        parent: Oid,
        file: &str,
    ) -> Result<Option<String>, Error> {
        let tree = |oid| self.git.find_commit(oid).and_then(|c| c.tree());
        let (old, new) = (tree(parent)?, tree(oid)?);
        let mut diff = self.git.diff_tree_to_tree(Some(&old), Some(&new), None)?;
        if diff.deltas().len() > diff::CHANGED_FILE_LIMIT {
            return Ok(None);
        }
        diff.find_similar(Some(DiffFindOptions::new().renames(true).rename_limit(200)))?;
        let path = |file: git2::DiffFile<'_>| Some(file.path()?.to_str()?.to_owned());
        let renamed = diff.deltas().find(|delta| {
            delta.status() == git2::Delta::Renamed
                && path(delta.new_file()).as_deref() == Some(file)
        });
        Ok(renamed.and_then(|delta| path(delta.old_file())))
    }
}

fn start(question: usize, asked: &Question) -> Place {
    let (first, last) = (*asked.lines.start(), *asked.lines.end());
    let low = (*asked.zone.start())
        .max(first.saturating_sub(ZONE_LIMIT))
        .min(first);
    let high = (*asked.zone.end())
        .min(last.saturating_add(ZONE_LIMIT))
        .max(last);
    let line = |at| Line {
        at,
        statement: asked.lines.contains(&at),
        settled: false,
    };
    Place {
        question,
        file: asked.file.clone(),
        lines: (low.max(1)..=high).map(line).collect(),
    }
}

struct Walk<'r> {
    repo: &'r Repo,
    ids: Ids<'r>,
    window: &'r Window,
    /// Newer than the last good commit; `None`: time alone decides.
    news: Option<HashSet<Oid>>,
    queue: BinaryHeap<(i64, Oid)>,
    waiting: HashMap<Oid, Vec<Place>>,
    found: History,
}

impl<'r> Walk<'r> {
    fn new(repo: &'r Repo, window: &'r Window) -> Result<Walk<'r>, Error> {
        Ok(Walk {
            repo,
            ids: Ids::new(repo),
            window,
            news: None,
            queue: BinaryHeap::new(),
            waiting: HashMap::new(),
            found: History::default(),
        })
    }

    /// The commits that came since the last good one.
    fn since(&self, good: Commit, from: Oid) -> Result<HashSet<Oid>, Error> {
        let mut walk = self.repo.git.revwalk()?;
        walk.push(from)?;
        walk.hide(good.0)?;
        let mut news = HashSet::new();
        for oid in walk.take(COMMIT_LIMIT) {
            news.insert(oid?);
            if self.repo.is_late() {
                break;
            }
        }
        Ok(news)
    }

    fn run(mut self) -> Result<History, Error> {
        self.found.complete = true;
        while let Some((_, oid)) = self.queue.pop() {
            let Some(places) = self.waiting.remove(&oid) else {
                continue;
            };
            if self.repo.is_late() || self.found.commits >= COMMIT_LIMIT {
                self.found.complete = false;
                self.found.older_than = Some(Commit(oid));
                break;
            }
            self.found.commits += 1;
            self.visit(oid, places)?;
        }
        Ok(self.found)
    }

    /// Hands places to a commit, unless it lies outside the window.
    fn give(&mut self, to: Oid, places: Vec<Place>) -> Result<(), Error> {
        if let (None, Some(good)) = (&self.news, self.window.known_good) {
            self.news = Some(self.since(good, to)?);
        }
        if places.is_empty() || self.news.as_ref().is_some_and(|news| !news.contains(&to)) {
            return Ok(());
        }
        let time = self.repo.seconds(Commit(to))?;
        if time < self.window.not_before && !self.misdated(to)? {
            return Ok(());
        }
        let waiting = self.waiting.entry(to).or_default();
        if waiting.is_empty() {
            self.queue.push((time, to));
        }
        for place in places {
            if !waiting.contains(&place) {
                waiting.push(place);
            }
        }
        Ok(())
    }

    /// Whether a commit that is too old by its date has a parent that is not: its clock was wrong.
    fn misdated(&self, oid: Oid) -> Result<bool, Error> {
        for parent in self.repo.git.find_commit(oid)?.parent_ids() {
            // A parent may be missing where a shallow history ends.
            let seconds = self.repo.seconds(Commit(parent));
            if seconds.is_ok_and(|time| time >= self.window.not_before) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn visit(&mut self, oid: Oid, places: Vec<Place>) -> Result<(), Error> {
        let commit = self.repo.git.find_commit(oid)?;
        let parents: Vec<Oid> = commit.parent_ids().collect();
        match parents[..] {
            [] => {
                let open = |place: &Place| place.lines.iter().any(|l| l.statement && !l.settled);
                self.found.reached_root |= places.iter().any(open);
                Ok(())
            }
            [parent] => {
                let mut on = Vec::new();
                for place in places {
                    on.extend(self.through_commit(oid, parent, place)?);
                }
                self.give(parent, on)
            }
            _ => {
                for place in places {
                    self.through_merge(oid, &parents, place)?;
                }
                Ok(())
            }
        }
    }

    fn blob_id(&self, commit: Oid, file: &str) -> Result<Option<Oid>, Error> {
        Ok(self.ids.at(commit, file)?.map(|(id, _)| id))
    }

    /// The texts of a file before and after; `None` where one cannot be read.
    fn texts(&self, old: Oid, new: Oid, file: &str) -> Result<Option<Texts>, Error> {
        let (old, new) = (self.repo.blob(old, file)?, self.repo.blob(new, file)?);
        Ok(old
            .zip(new)
            .filter(|(old, new)| !diff::is_binary(old) && !diff::is_binary(new)))
    }

    /// What a commit with one parent did to the lines, and where they stood before.
    fn through_commit(
        &mut self,
        oid: Oid,
        parent: Oid,
        place: Place,
    ) -> Result<Option<Place>, Error> {
        let Some(new_id) = self.blob_id(oid, &place.file)? else {
            return Ok(None);
        };
        let mut old_file = place.file.clone();
        let mut old_id = self.blob_id(parent, &old_file)?;
        if old_id.is_none()
            && let Some(from) = self.repo.renamed_from(oid, parent, &place.file)?
        {
            old_id = self.blob_id(parent, &from)?;
            old_file = from;
        }
        if old_id == Some(new_id) {
            return Ok(Some(Place {
                file: old_file,
                ..place
            }));
        }
        let texts = match old_id {
            Some(old) => self.texts(old, new_id, &place.file)?,
            None => self
                .repo
                .blob(new_id, &place.file)?
                .map(|new| (Vec::new(), new)),
        };
        let Some((old, new)) = texts else {
            return Ok(None);
        };
        let hunks = diff::hunks(&old, &new)?;
        if hunks.len() > HUNK_LIMIT {
            return Ok(None);
        }
        let (old, new) = (Lines::of(&old), Lines::of(&new));
        let commit = Commit(oid);
        let ignored = self.window.ignored.contains(&commit);
        let mut lines = place.lines.clone();
        for hunk in &hunks {
            let quiet = ignored || old.only_spacing(&new, hunk, &place.file);
            if !quiet && let Some(touch) = touch(commit, &place, hunk, &old, &new, &old_file) {
                self.found.touches.push(touch);
            }
            for line in lines.iter_mut().filter(|line| covers(hunk, line.at)) {
                line.settled |= !quiet || hunk.old_lines == 0;
            }
        }
        for line in &mut lines {
            line.at = before(&hunks, line.at, &old, &new);
        }
        let gone = old_id.is_none() || lines.iter().all(|line| line.settled && line.statement);
        let before = Place {
            file: old_file,
            lines,
            question: place.question,
        };
        Ok((!gone).then_some(before))
    }

    /// Lines of a merge come from the parents that have them; the merge itself is never blamed.
    fn through_merge(&mut self, oid: Oid, parents: &[Oid], place: Place) -> Result<(), Error> {
        let Some(new_id) = self.blob_id(oid, &place.file)? else {
            return Ok(());
        };
        let mut ways = Vec::new();
        for parent in parents {
            let mut old_file = place.file.clone();
            let mut old_id = self.blob_id(*parent, &old_file)?;
            if old_id.is_none()
                && let Some(from) = self.repo.renamed_from(oid, *parent, &place.file)?
            {
                old_id = self.blob_id(*parent, &from)?;
                old_file = from;
            }
            let Some(old_id) = old_id else {
                continue;
            };
            if let Some((old, new)) = self.texts(old_id, new_id, &place.file)? {
                let hunks = diff::hunks(&old, &new)?;
                let changed = hunks.iter().filter(|hunk| near(hunk, &place)).count();
                ways.push((changed, *parent, hunks, old, new, old_file));
            }
        }
        // The side whose function is as merged holds its whole past; where none is, each side
        // holds the past of what it did to the function.
        ways.sort_by_key(|way| (way.0, way.2.len()));
        let as_merged = ways.first().is_some_and(|way| way.0 == 0);
        let mut left = place.lines.clone();
        for (_, parent, hunks, old, new, file) in ways {
            let has = |line: &Line| !hunks.iter().any(|h| covers(h, line.at));
            let (pass, keep): (Vec<Line>, Vec<Line>) = if as_merged {
                left.into_iter().partition(|line| line.settled || has(line))
            } else {
                let pass = place.lines.iter().filter(|line| line.settled || has(line));
                let keep = left.iter().filter(|line| !line.settled && !has(line));
                (pass.copied().collect(), keep.copied().collect())
            };
            left = keep;
            let (old, new) = (Lines::of(&old), Lines::of(&new));
            let mut lines = pass;
            for line in &mut lines {
                line.at = before(&hunks, line.at, &old, &new);
            }
            if lines.iter().any(|line| line.statement) {
                let place = Place {
                    lines,
                    file,
                    question: place.question,
                };
                self.give(parent, vec![place])?;
            }
        }
        if left.iter().any(|line| line.statement && !line.settled) {
            self.found.by_merge.get_or_insert(Commit(oid));
        }
        Ok(())
    }
}

/// Whether a hunk lies in the followed lines or beside them.
fn near(hunk: &Hunk, place: &Place) -> bool {
    let (Some(first), Some(last)) = (
        place.lines.iter().map(|l| l.at).min(),
        place.lines.iter().map(|l| l.at).max(),
    ) else {
        return false;
    };
    let end = hunk.new_start + hunk.new_lines;
    end >= first && hunk.new_start <= last
}

fn touch(
    commit: Commit,
    place: &Place,
    hunk: &Hunk,
    old: &Lines<'_>,
    new: &Lines<'_>,
    old_file: &str,
) -> Option<Touch> {
    let statement = || place.lines.iter().filter(|line| line.statement);
    let wrote = statement().any(|line| covers(hunk, line.at));
    let overwritten = statement().all(|line| line.settled)
        || (wrote
            && statement()
                .filter(|l| covers(hunk, l.at))
                .all(|line| line.settled));
    if !wrote && !near(hunk, place) {
        return None;
    }
    let (first, last) = (
        statement().map(|line| line.at).min()?,
        statement().map(|line| line.at).max()?,
    );
    let distance = if wrote {
        0
    } else if hunk.new_lines == 0 {
        // It stood between its start and the line after.
        if hunk.new_start < first {
            first - hunk.new_start - 1
        } else {
            (hunk.new_start).saturating_sub(last)
        }
    } else if hunk.new_start < first {
        first.saturating_sub(hunk.new_start + hunk.new_lines)
    } else {
        hunk.new_start.saturating_sub(last + 1)
    };
    let kind = if wrote {
        TouchKind::Covers
    } else if hunk.new_lines < hunk.old_lines {
        TouchKind::Removes
    } else {
        TouchKind::Near
    };
    Some(Touch {
        commit,
        question: place.question,
        kind,
        distance,
        overwritten,
        hunk: *hunk,
        file: place.file.clone(),
        old_file: old_file.to_owned(),
        removed: old.range(hunk.old_start, hunk.old_lines),
        added: new.range(hunk.new_start, hunk.new_lines),
    })
}
