//! Looking at actions and at what they are about.

use crate::model::recovery::{Action, ActionId};
use crate::model::{IncidentId, Timestamp};
use crate::store::Store;
use crate::store::error::{Error, ErrorKind};
use crate::store::recovery::actions::{by_id, read};
use rusqlite::{OptionalExtension, params};
use std::time::Duration;

impl Store {
    /// # Errors
    /// When the store cannot be read.
    pub fn action(&self, id: ActionId) -> Result<Option<Action>, Error> {
        by_id(&self.db, id)
    }

    /// The newest actions, newest first, of one service or of all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn actions(&self, service: Option<&str>, most: usize) -> Result<Vec<Action>, Error> {
        let mut all = self.db.prepare_cached(
            "SELECT json, recurred FROM actions WHERE (?1 IS NULL OR service = ?1)
             ORDER BY id DESC LIMIT ?2",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let all = all.query_map(params![service, most], |row| Ok(read(row)))?;
        // One that is damaged is no reason to show none.
        let whole = |row: Result<Result<Action, Error>, rusqlite::Error>| match row {
            Ok(Err(fault)) if fault.kind == ErrorKind::Broken => None,
            Ok(action) => Some(action),
            Err(fault) => Some(Err(fault.into())),
        };
        all.filter_map(whole).collect()
    }

    /// What was tried against a fault, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn actions_against(&self, service: &str, fingerprint: &str) -> Result<Vec<Action>, Error> {
        let mut all = self.db.prepare_cached(
            "SELECT json, recurred FROM actions WHERE service = ?1 AND fingerprint = ?2
             AND released IS NOT NULL AND stage <> 'refused' ORDER BY id DESC LIMIT 20",
        )?;
        let all = all.query_map([service, fingerprint], |row| Ok(read(row)))?;
        let mut all: Vec<Action> = all.map(|row| row?).collect::<Result<_, Error>>()?;
        all.reverse();
        Ok(all)
    }

    /// How often a fault was seen since a moment, by event time.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn seen_since(
        &self,
        service: &str,
        fingerprint: &str,
        since: Timestamp,
    ) -> Result<u64, Error> {
        let count: i64 = self
            .db
            .prepare_cached(
                "SELECT count(*) FROM occurrences JOIN incidents ON incidents.id = incident
                 WHERE service = ?1 AND fingerprint = ?2 AND time > ?3",
            )?
            .query_row(params![service, fingerprint, since.0], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// The newest incident of a service in the last hour that tells of an end or an error.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn incident_of_late(
        &self,
        service: &str,
        now: Timestamp,
    ) -> Result<Option<(IncidentId, String)>, Error> {
        let hour = now.minus(Duration::from_secs(3_600));
        let found = self
            .db
            .prepare_cached(
                "SELECT id, fingerprint FROM incidents WHERE service = ?1 AND last_seen > ?2
                 AND kind IN ('crash', 'oom', 'exit', 'error') ORDER BY
                 CASE kind WHEN 'crash' THEN 0 WHEN 'oom' THEN 1 WHEN 'exit' THEN 2 ELSE 3 END,
                 last_seen DESC LIMIT 1",
            )?
            .query_row(params![service, hour.0], |row| {
                Ok((IncidentId(row.get(0)?), row.get(1)?))
            })
            .optional()?;
        Ok(found)
    }
}
