//! Incidents of a service around a moment, for what its platform tells of that moment, and the one that
//! a platform's word opened once the log says more. What joins is decided in `incident::platform`.

use crate::incident::platform::{self, JOIN_WITHIN, Near};
use crate::model::recovery::Fact;
use crate::model::{IncidentId, Kind, Signal, Status, Timestamp};
use crate::store::error::Error;
use crate::store::{Store, bound, rows};
use rusqlite::{Connection, Transaction, params};

/// Incidents that are looked at.
const MOST: u32 = 50;

impl Store {
    /// Notes a fact on the incident that tells of the same end; `None` where there is none.
    ///
    /// # Errors
    /// When the store cannot be read or written; nothing was noted then.
    pub fn note_fact(
        &mut self,
        fact: &Fact,
        times: u64,
        now: Timestamp,
    ) -> Result<Option<IncidentId>, Error> {
        let tx = self.begin()?;
        let near = near(&tx, &fact.service, fact.at)?;
        let found = platform::beside(&near, fact);
        if let Some(id) = found {
            rows::event(&tx, id, now, "platform", &platform::sentence(fact, times))?;
        }
        tx.commit()?;
        Ok(found)
    }
}

fn near(db: &Connection, service: &str, at: Timestamp) -> Result<Vec<Near>, Error> {
    let mut found = db.prepare_cached(
        "SELECT id, kind, status, stream, watch, last_seen,
         tries > 0 OR location IS NOT NULL OR proposal IS NOT NULL OR lease_until > 0
         FROM incidents WHERE service = ?1 AND last_seen BETWEEN ?2 AND ?3
         ORDER BY last_seen DESC LIMIT ?4",
    )?;
    let (from, to) = (at.minus(JOIN_WITHIN), at.plus(JOIN_WITHIN));
    let rows = found.query_map(params![service, from.0, to.0, MOST], |row| {
        let (kind, status): (String, String) = (row.get(1)?, row.get(2)?);
        Ok(Near {
            id: IncidentId(row.get(0)?),
            kind: Kind::from_word(&kind).unwrap_or(Kind::Error),
            status: Status::from_word(&status).unwrap_or(Status::Open),
            stream: row.get(3)?,
            watch: row.get(4)?,
            last_seen: Timestamp(row.get(5)?),
            begun: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Gives the incident that a platform's word opened the name and the lines of a signal that tells more
/// of the same end; `None` where there is none. The end that it was opened for is the one that the
/// caller counts then.
pub(super) fn take_over(
    tx: &Transaction<'_>,
    signal: &Signal,
    fingerprint: &str,
    now: Timestamp,
) -> Result<Option<IncidentId>, Error> {
    let near = near(tx, &signal.service, signal.time)?;
    let Some(id) = platform::taken_over(&near, signal) else {
        return Ok(None);
    };
    tx.prepare_cached(
        "UPDATE incidents SET fingerprint = ?2, kind = ?3, title = ?4, reason = ?5, watch = ?6,
         stream = ?7, trace = ?8, lines = ?9, context = ?10, count = max(0, count - 1)
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        fingerprint,
        signal.kind.word(),
        bound::words(&signal.title),
        bound::words(&signal.reason),
        signal.watch,
        bound::words(&signal.stream),
        rows::to_json(&signal.trace.as_ref().map(bound::trace))?,
        rows::to_json(&bound::lines(&signal.lines))?,
        rows::to_json(&bound::context(&signal.context))?,
    ])?;
    let detail = format!("the log tells of the same end: {}", signal.reason);
    rows::event(tx, id, now, "platform", &detail)?;
    Ok(Some(id))
}
