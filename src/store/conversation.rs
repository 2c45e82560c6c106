//! What was said between us and the model that investigates an incident, entry by entry, so that
//! work that was cut off goes on where it was. What an entry holds is for the one who keeps it.

use crate::model::{IncidentId, Timestamp};
use crate::store::error::Error;
use crate::store::lease::{Lease, check};
use crate::store::{Store, room};
use rusqlite::{Transaction, params};

/// Entries of one incident; those of a conversation that has more were written by no one here.
const MOST: i64 = 1_000;

impl Store {
    /// Adds entries to an incident's conversation.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has it, or when the store cannot be written.
    pub fn keep(&mut self, lease: &Lease, entries: &[String], now: Timestamp) -> Result<(), Error> {
        let bytes = self.limits.bytes;
        let tx = self.begin()?;
        check(&tx, lease, now)?;
        room::check(&tx, bytes)?;
        add(&tx, lease.incident, entries)?;
        Ok(tx.commit()?)
    }

    /// An incident's conversation, from its beginning.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn conversation(&self, incident: IncidentId) -> Result<Vec<String>, Error> {
        let mut rows = self.db.prepare_cached(
            "SELECT entry FROM conversations WHERE incident = ?1 ORDER BY seq LIMIT ?2",
        )?;
        let rows = rows.query_map(params![incident.0, MOST], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets an incident's conversation: another one begins.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has it, or when the store cannot be written.
    pub fn forget_conversation(&mut self, lease: &Lease, now: Timestamp) -> Result<(), Error> {
        let tx = self.begin()?;
        check(&tx, lease, now)?;
        tx.execute(
            "DELETE FROM conversations WHERE incident = ?1",
            [lease.incident.0],
        )?;
        Ok(tx.commit()?)
    }
}

/// Forgets a conversation that is over, in the transaction that keeps its result: whoever works on the
/// incident again begins another. One that broke off is gone on with.
pub(super) fn forget_closed(tx: &Transaction<'_>, incident: IncidentId) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM conversations WHERE incident = ?1 AND EXISTS (
             SELECT 1 FROM conversations
             WHERE incident = ?1 AND json_valid(entry)
             AND json_extract(entry, '$.entry') = 'closed')",
        [incident.0],
    )?;
    Ok(())
}

pub(super) fn add(
    tx: &Transaction<'_>,
    incident: IncidentId,
    entries: &[String],
) -> Result<(), Error> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO conversations (incident, seq, entry)
         SELECT ?1, coalesce(max(seq), 0) + 1, ?2 FROM conversations WHERE incident = ?1",
    )?;
    for entry in entries {
        insert.execute(params![incident.0, entry])?;
    }
    Ok(())
}
