//! Which commits changed a file or a folder, newest first, renames followed. A side of a merge
//! that left it as it is merged holds its whole past, so the other sides are not looked at. Stops
//! at its deadline and says where.

use crate::model::Timestamp;
use crate::source::error::Error;
use crate::source::history::ids::Ids;
use crate::source::listing::Cut;
use crate::source::place::RepoPath;
use crate::source::repo::{Commit, Repo};
use git2::Oid;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::Instant;

/// What a commit did to the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Did {
    Made,
    Changed,
    Removed,
    /// From the path that is named.
    Renamed(String),
    /// It brought sides together that differ from what it made of them.
    Merged,
}

/// A commit that changed the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub commit: Commit,
    pub time: Timestamp,
    pub author: Option<String>,
    pub summary: String,
    /// What the path was called then.
    pub path: String,
    pub did: Did,
}

/// The commits, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    pub entries: Vec<LogEntry>,
    pub cut: Option<Cut>,
    /// Where it was cut: what is missing is this old, or older.
    pub older_than: Option<(Commit, Timestamp)>,
    /// Commits that were looked at.
    pub commits: usize,
}

impl Repo {
    /// The commits that changed a path, from a commit back.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn log(
        &self,
        from: Commit,
        path: &RepoPath,
        most: usize,
        deadline: Instant,
    ) -> Result<Log, Error> {
        let ids = Ids::new(self);
        let mut log = Log::default();
        let mut queue = BinaryHeap::new();
        let mut names: HashMap<Oid, String> = HashMap::new();
        let mut seen = HashSet::new();
        queue.push((self.seconds(from)?, from.0));
        names.insert(from.0, path.as_str().to_owned());
        seen.insert(from.0);
        while let Some((time, oid)) = queue.pop() {
            let Some(name) = names.remove(&oid) else {
                continue;
            };
            let cut = match () {
                () if log.entries.len() >= most => Some(Cut::Count),
                () if Instant::now() >= deadline => Some(Cut::Time),
                () => None,
            };
            if cut.is_some() {
                log.cut = cut;
                log.older_than = Some((Commit(oid), Timestamp::from_parts(time, 0)));
                break;
            }
            log.commits += 1;
            for (parent, name) in self.before(&ids, oid, name, &mut log)? {
                // Where a shallow history ends, a parent is named and not there.
                if let Ok(time) = self.seconds(Commit(parent))
                    && seen.insert(parent)
                {
                    names.insert(parent, name);
                    queue.push((time, parent));
                }
            }
        }
        Ok(log)
    }

    /// Notes what a commit did; gives the parents to go on with and the path's name there.
    fn before(
        &self,
        ids: &Ids<'_>,
        oid: Oid,
        name: String,
        log: &mut Log,
    ) -> Result<Vec<(Oid, String)>, Error> {
        let now = ids.at(oid, &name)?;
        let parents: Vec<Oid> = self.git.find_commit(oid)?.parent_ids().collect();
        let mut differ = Vec::new();
        for parent in &parents {
            // A missing parent ends the history as a first commit does.
            let Ok(then) = ids.at(*parent, &name) else {
                continue;
            };
            if then == now {
                return Ok(vec![(*parent, name)]);
            }
            differ.push((*parent, then));
        }
        let had = differ.iter().any(|(_, then)| then.is_some());
        let mut from = None;
        if let (false, true, [(parent, _), ..]) = (had, now.is_some(), differ.as_slice()) {
            from = self
                .renamed_from(oid, *parent, &name)?
                .map(|old| (*parent, old));
        }
        let did = match (&from, now, had) {
            (Some((_, old)), _, _) => Some(Did::Renamed(old.clone())),
            (None, None, true) => Some(Did::Removed),
            (None, None, false) => None,
            (None, Some(_), false) => Some(Did::Made),
            (None, Some(_), true) if parents.len() > 1 => Some(Did::Merged),
            (None, Some(_), true) => Some(Did::Changed),
        };
        if let Some(did) = did {
            let info = self.info(Commit(oid))?;
            log.entries.push(LogEntry {
                commit: info.commit,
                time: info.time,
                author: info.author,
                summary: info.summary,
                path: name.clone(),
                did,
            });
        }
        Ok(match from {
            Some(from) => vec![from],
            None => differ
                .into_iter()
                .map(|(parent, _)| (parent, name.clone()))
                .collect(),
        })
    }

    /// The object at a path, file or folder; the tree itself for the top.
    pub(in crate::source) fn id_at(&self, commit: Oid, path: &str) -> Result<Option<Oid>, Error> {
        if path.is_empty() {
            return Ok(Some(self.git.find_commit(commit)?.tree_id()));
        }
        Ok(self.entry(Commit(commit), path)?.map(|entry| entry.id()))
    }
}
