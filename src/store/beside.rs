//! What stands beside an incident: earlier ones of its service that are like it, and the deploy
//! before it that ran without it. What that means is for whoever asks.

use crate::model::{CommitId, Incident, IncidentId};
use crate::store::error::Error;
use crate::store::{Store, rows};
use rusqlite::{OptionalExtension, params};

/// Incidents that are looked at for those that are like one.
const LOOKED_AT: i64 = 500;
/// Incidents that are like one, at most.
const ALIKE: usize = 5;

impl Store {
    /// Earlier incidents of the same service that are like this one, the likeliest first: the same
    /// fault, then the same exception in the same file, then the same exception.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn alike(&self, incident: &Incident) -> Result<Vec<Incident>, Error> {
        let mut ids = self.db.prepare_cached(
            "SELECT id FROM incidents WHERE id < ?1 AND service = ?2 ORDER BY id DESC LIMIT ?3",
        )?;
        let ids = ids.query_map(params![incident.id.0, incident.service, LOOKED_AT], |row| {
            row.get(0).map(IncidentId)
        })?;
        let mut found: Vec<(u8, Incident)> = Vec::new();
        for id in ids {
            let Some(one) = rows::incident(&self.db, id?)? else {
                continue;
            };
            let likeness = likeness(incident, &one);
            if likeness > 0 {
                found.push((likeness, one));
            }
        }
        // Newest first among equals, as they were read.
        found.sort_by_key(|(likeness, _)| std::cmp::Reverse(*likeness));
        found.truncate(ALIKE);
        Ok(found.into_iter().map(|(_, one)| one).collect())
    }

    /// The commit that ran before an incident's own, and in which its fault was not seen.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_good(&self, incident: &Incident) -> Result<Option<CommitId>, Error> {
        let Some(commit) = &incident.commit else {
            return Ok(None);
        };
        // Digits may be fewer in one place than in the other.
        let old: Option<String> = self
            .db
            .prepare_cached(
                "SELECT old FROM deploys WHERE service = ?1
                 AND (new LIKE ?2 || '%' OR ?2 LIKE new || '%') ORDER BY updated DESC LIMIT 1",
            )?
            .query_row(params![incident.service, commit.as_str()], |row| row.get(0))
            .optional()?;
        let Some(old) = old.as_deref().and_then(CommitId::parse) else {
            return Ok(None);
        };
        let seen: i64 = self
            .db
            .prepare_cached(
                "SELECT count(*) FROM occurrences JOIN incidents ON incidents.id = incident
                 WHERE service = ?1 AND fingerprint = ?2 AND
                 (occurrences.commit_id LIKE ?3 || '%' OR ?3 LIKE occurrences.commit_id || '%')",
            )?
            .query_row(
                params![incident.service, incident.fingerprint, old.as_str()],
                |row| row.get(0),
            )?;
        Ok((seen == 0).then_some(old))
    }
}

/// 0: not at all.
fn likeness(one: &Incident, other: &Incident) -> u8 {
    if one.fingerprint == other.fingerprint {
        return 3;
    }
    let kinds = one.exception().zip(other.exception());
    let same = kinds.is_some_and(|(a, b)| a.kind.is_some() && a.kind == b.kind);
    let file = |of: &Incident| of.location.as_ref().map(|place| place.file.clone());
    let files = file(one).is_some() && file(one) == file(other);
    match (same, files) {
        (true, true) => 2,
        (true, false) => 1,
        (false, _) => 0,
    }
}
