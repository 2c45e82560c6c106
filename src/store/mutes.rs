//! What somebody said not to bother with: a fault, or a whole service, until a time or until it is
//! taken back. A muted fault goes on counting in its last incident, and nothing else comes of it.

use crate::model::{IncidentId, Status, Timestamp};
use crate::store::error::Error;
use crate::store::{Store, journal, rows};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// One such word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    pub service: String,
    /// `None`: every fault of the service.
    pub fingerprint: Option<String>,
    /// Wall clock; `None`: until it is taken back.
    pub until: Option<Timestamp>,
    pub who: String,
    pub why: String,
    /// Wall clock.
    pub made: Timestamp,
}

impl Store {
    /// Keeps it, in place of an earlier one for the same; gives the number of incidents that it ended.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn mute(&mut self, mute: &Mute, now: Timestamp) -> Result<usize, Error> {
        let tx = self.begin()?;
        let ended = put(&tx, mute, now)?;
        tx.commit()?;
        let _ = self.drain_journal();
        Ok(ended)
    }

    /// Takes it back: what was muted is over, and the next time that it is seen is news. `false` where
    /// nothing was muted.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn unmute(
        &mut self,
        service: &str,
        fingerprint: Option<&str>,
        who: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let tx = self.begin()?;
        let gone = tx.execute(
            "DELETE FROM mutes WHERE service = ?1 AND fingerprint = ?2",
            params![service, fingerprint.unwrap_or_default()],
        )?;
        release(
            &tx,
            service,
            fingerprint,
            &format!("no longer muted, by {who}"),
            now,
        )?;
        tx.commit()?;
        let _ = self.drain_journal();
        Ok(gone > 0)
    }

    /// What holds now, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn mutes(&self, now: Timestamp) -> Result<Vec<Mute>, Error> {
        let mut all = self.db.prepare(
            "SELECT service, fingerprint, until, who, why, made FROM mutes
             WHERE until IS NULL OR until > ?1 ORDER BY made, service, fingerprint",
        )?;
        let all = all.query_map([now.0], |row| {
            let fingerprint: String = row.get(1)?;
            Ok(Mute {
                service: row.get(0)?,
                fingerprint: Some(fingerprint).filter(|text| !text.is_empty()),
                until: row.get::<_, Option<i64>>(2)?.map(Timestamp),
                who: row.get(3)?,
                why: row.get(4)?,
                made: Timestamp(row.get(5)?),
            })
        })?;
        Ok(all.collect::<Result<_, _>>()?)
    }

    /// Ends those whose time is over.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn end_mutes(&mut self, now: Timestamp) -> Result<(), Error> {
        let over = "SELECT service, fingerprint FROM mutes WHERE until <= ?1";
        let over: Vec<(String, String)> = self
            .db
            .prepare_cached(over)?
            .query_map([now.0], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if over.is_empty() {
            return Ok(());
        }
        let tx = self.begin()?;
        for (service, fingerprint) in over {
            tx.execute(
                "DELETE FROM mutes WHERE service = ?1 AND fingerprint = ?2 AND until <= ?3",
                params![service, fingerprint, now.0],
            )?;
            let fingerprint = Some(fingerprint.as_str()).filter(|text| !text.is_empty());
            release(
                &tx,
                &service,
                fingerprint,
                "the time of its mute is over",
                now,
            )?;
        }
        tx.commit()?;
        let _ = self.drain_journal();
        Ok(())
    }
}

/// The same in a transaction of others.
pub(super) fn put(tx: &Transaction<'_>, mute: &Mute, now: Timestamp) -> Result<usize, Error> {
    tx.execute(
        "INSERT INTO mutes (service, fingerprint, until, who, why, made)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (service, fingerprint) DO UPDATE SET until = ?3, who = ?4, why = ?5, made = ?6",
        params![
            mute.service,
            mute.fingerprint.as_deref().unwrap_or_default(),
            mute.until.map(|until| until.0),
            mute.who,
            mute.why,
            mute.made.0
        ],
    )?;
    // What is being worked on loses its lease, and delivers nothing.
    let ids = moved(
        tx,
        "UPDATE incidents SET status = 'muted', lease = NULL, lease_holder = NULL, lease_until = 0
         WHERE service = ?1 AND (?2 = '' OR fingerprint = ?2)
         AND status IN ('open', 'investigating', 'proposed', 'reported') RETURNING id",
        &mute.service,
        mute.fingerprint.as_deref(),
    )?;
    let until = match mute.until {
        Some(until) => format!("until {}", until.to_rfc3339()),
        None => "until it is taken back".to_owned(),
    };
    let why = match mute.why.as_str() {
        "" => String::new(),
        why => format!(": {why}"),
    };
    tell(
        tx,
        &ids,
        &format!("muted {until} by {}{why}", mute.who),
        now,
    )?;
    Ok(ids.len())
}

/// Whether a fault of a service is muted.
pub(super) fn holds(
    db: &Connection,
    service: &str,
    fingerprint: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let found = db
        .prepare_cached(
            "SELECT 1 FROM mutes WHERE service = ?1 AND fingerprint IN ('', ?2)
             AND (until IS NULL OR until > ?3)",
        )?
        .query_row(params![service, fingerprint, now.0], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Muted incidents are over, and rejected ones, which were muted by that.
fn release(
    tx: &Transaction<'_>,
    service: &str,
    fingerprint: Option<&str>,
    why: &str,
    now: Timestamp,
) -> Result<(), Error> {
    // Those of a fault that is muted by another word stay so.
    let ids = moved(
        tx,
        "UPDATE incidents SET status = 'resolved' WHERE service = ?1
         AND (?2 = '' OR fingerprint = ?2) AND status IN ('muted', 'rejected') AND NOT EXISTS
             (SELECT 1 FROM mutes WHERE mutes.service = incidents.service
              AND mutes.fingerprint IN ('', incidents.fingerprint)) RETURNING id",
        service,
        fingerprint,
    )?;
    tell(tx, &ids, why, now)
}

fn moved(
    tx: &Transaction<'_>,
    sql: &str,
    service: &str,
    fingerprint: Option<&str>,
) -> Result<Vec<IncidentId>, Error> {
    let mut moved = tx.prepare_cached(sql)?;
    let ids = moved.query_map([service, fingerprint.unwrap_or_default()], |row| {
        row.get(0).map(IncidentId)
    })?;
    Ok(ids.collect::<Result<_, _>>()?)
}

fn tell(tx: &Transaction<'_>, ids: &[IncidentId], why: &str, now: Timestamp) -> Result<(), Error> {
    for id in ids {
        let Some(incident) = rows::incident(tx, *id)? else {
            continue;
        };
        rows::event(tx, *id, now, incident.status.word(), why)?;
        journal::put(tx, &incident, now)?;
    }
    Ok(())
}

/// A new incident of a muted fault: it is counted in, and nothing else comes of it.
pub(super) fn begin_muted(
    tx: &Transaction<'_>,
    id: IncidentId,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE incidents SET status = 'muted' WHERE id = ?1",
        [id.0],
    )?;
    rows::event(
        tx,
        id,
        now,
        Status::Muted.word(),
        "its service or fault is muted",
    )
}
