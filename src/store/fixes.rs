//! Where a merged fix runs, and whether its fault came back there: which commits run, which of them
//! hold the fix, and what was seen from those. Which commit holds it is found out by others.

use crate::incident::outcome::{Counts, Running};
use crate::model::{CommitId, Signal, Timestamp};
use crate::store::error::Error;
use crate::store::{PullRow, Store};
use rusqlite::{OptionalExtension, Transaction, params};

/// How often a fault was seen from commits that hold its fix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    pub times: u64,
    /// Event times.
    pub first: Timestamp,
    pub last: Timestamp,
}

impl Store {
    /// How often a fault was seen, in all its incidents.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn counts(&self, service: &str, fingerprint: &str) -> Result<Counts, Error> {
        let (times, last): (i64, i64) = self
            .db
            .prepare_cached(
                "SELECT coalesce(sum(count), 0), coalesce(max(last_seen), 0) FROM incidents
                 WHERE service = ?1 AND fingerprint = ?2",
            )?
            .query_row([service, fingerprint], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Counts {
            times: u64::try_from(times).unwrap_or(0),
            last: Timestamp(last),
        })
    }

    /// Commits that run, or in which the fault was seen, and of which it is not known whether they
    /// hold the fix.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn commits_to_judge(&self, row: &PullRow) -> Result<Vec<CommitId>, Error> {
        let mut all = self.db.prepare_cached(
            "SELECT commit_id FROM running WHERE service = ?1 AND commit_id NOT IN
                 (SELECT commit_id FROM fixed_in WHERE pull = ?3)
             UNION SELECT occurrences.commit_id FROM occurrences
                 JOIN incidents ON incidents.id = incident
                 WHERE service = ?1 AND fingerprint = ?2 AND occurrences.commit_id NOT NULL
                 AND occurrences.commit_id NOT IN (SELECT commit_id FROM fixed_in WHERE pull = ?3)
             LIMIT 200",
        )?;
        let all = all.query_map(params![row.service, row.fingerprint, row.id], |found| {
            found.get::<_, String>(0)
        })?;
        let mut commits = Vec::new();
        for one in all {
            commits.extend(CommitId::parse(&one?));
        }
        Ok(commits)
    }

    /// Whether a commit holds a pull request's fix; `None`: that is not known yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_fixed_in(&self, pull: i64, commit: &CommitId) -> Result<Option<bool>, Error> {
        let found = self
            .db
            .prepare_cached("SELECT fixed FROM fixed_in WHERE pull = ?1 AND commit_id = ?2")?
            .query_row(params![pull, commit.as_str()], |row| row.get(0))
            .optional()?;
        Ok(found)
    }

    /// Keeps whether a commit holds a pull request's fix.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn judge(&mut self, pull: i64, commit: &CommitId, fixed: bool) -> Result<(), Error> {
        self.db.execute(
            "INSERT OR REPLACE INTO fixed_in (pull, commit_id, fixed) VALUES (?1, ?2, ?3)",
            params![pull, commit.as_str(), fixed],
        )?;
        Ok(())
    }

    /// Since when, and until when, a commit with the fix was seen running.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn fix_running(&self, row: &PullRow) -> Result<Option<Running>, Error> {
        let found: Option<(String, i64, i64)> = self
            .db
            .prepare_cached(
                "SELECT commit_id, min(first), (SELECT max(last) FROM running JOIN fixed_in
                     USING (commit_id) WHERE service = ?1 AND pull = ?2 AND fixed)
                 FROM running JOIN fixed_in USING (commit_id)
                 WHERE service = ?1 AND pull = ?2 AND fixed GROUP BY service",
            )?
            .query_row(params![row.service, row.id], |found| {
                Ok((found.get(0)?, found.get(1)?, found.get(2)?))
            })
            .optional()?;
        Ok(found.and_then(|(commit, first, last)| {
            Some(Running {
                commit: CommitId::parse(&commit)?,
                first: Timestamp(first),
                last: Timestamp(last),
            })
        }))
    }

    /// How often the fault was seen from commits that hold the fix.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn returned(&self, row: &PullRow) -> Result<Returned, Error> {
        let (times, first, last): (i64, i64, i64) = self
            .db
            .prepare_cached(
                "SELECT count(*), coalesce(min(time), 0), coalesce(max(time), 0) FROM occurrences
                 JOIN incidents ON incidents.id = incident
                 JOIN fixed_in ON fixed_in.commit_id = occurrences.commit_id
                 WHERE service = ?1 AND fingerprint = ?2 AND pull = ?3 AND fixed",
            )?
            .query_row(params![row.service, row.fingerprint, row.id], |found| {
                Ok((found.get(0)?, found.get(1)?, found.get(2)?))
            })?;
        Ok(Returned {
            times: u64::try_from(times).unwrap_or(0),
            first: Timestamp(first),
            last: Timestamp(last),
        })
    }

    /// Notes that a service was seen running a commit between two event times.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_running(
        &mut self,
        service: &str,
        commit: &CommitId,
        first: Timestamp,
        last: Timestamp,
    ) -> Result<(), Error> {
        self.db
            .prepare_cached(
                "INSERT INTO running (service, commit_id, first, last) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (service, commit_id) DO UPDATE
                 SET first = min(first, ?3), last = max(last, ?4)",
            )?
            .execute(params![service, commit.as_str(), first.0, last.0])?;
        self.db
            .prepare_cached(
                "DELETE FROM running WHERE rowid IN (SELECT rowid FROM running
                 WHERE service = ?1 ORDER BY last DESC LIMIT -1 OFFSET 50)",
            )?
            .execute([service])?;
        Ok(())
    }
}

/// Whether a signal comes from a commit that holds a merged fix of its fault.
pub(super) fn is_fixed(
    tx: &Transaction<'_>,
    signal: &Signal,
    fingerprint: &str,
) -> Result<bool, Error> {
    let Some(commit) = &signal.commit else {
        return Ok(false);
    };
    let found = tx
        .prepare_cached(
            // Of the newest round alone: a commit with the fix of an earlier one, which did not
            // hold, may run for a while beside that with the new fix.
            "SELECT 1 FROM fixed_in WHERE commit_id = ?3 AND fixed AND pull =
             (SELECT id FROM pulls WHERE service = ?1 AND fingerprint = ?2
              ORDER BY round DESC LIMIT 1)",
        )?
        .query_row(
            params![signal.service, fingerprint, commit.as_str()],
            |_| Ok(()),
        )
        .optional()?;
    Ok(found.is_some())
}
