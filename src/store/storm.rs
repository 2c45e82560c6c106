//! Storms as the store knows them: which parent an owner has, when its last new fault came, and
//! which incidents are its children. The brain decides; this counts and writes, in the
//! transaction that makes the incident, so that a process that is killed loses none of it.

use crate::incident::storm::{self, Fault, SPAN, Storm, Weather};
use crate::incident::{self};
use crate::model::{IncidentId, Settings, Signal, Timestamp};
use crate::store::error::Error;
use crate::store::{Store, bound, journal, notices, rows};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::BTreeSet;
use std::time::Duration;

/// A storm as `status` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StormState {
    /// Empty: of services that name no owner.
    pub owner: String,
    pub parent: IncidentId,
    /// Children in all, and those that are not worked on yet.
    pub faults: u64,
    pub waiting: u64,
    /// When its last new fault came, by the wall clock.
    pub last: Timestamp,
}

/// Says what a new incident means to its owner's storm, and writes it down.
pub fn take(
    tx: &Transaction<'_>,
    id: IncidentId,
    signal: &Signal,
    now: Timestamp,
) -> Result<(), Error> {
    let owner = owner(tx, &signal.service)?;
    tx.prepare_cached("UPDATE incidents SET owner = ?2 WHERE id = ?1")?
        .execute(params![id.0, owner])?;
    match storm::weather(known(tx, &owner)?, newest(tx, &owner, now)?, now) {
        Weather::Calm => Ok(()),
        Weather::Breaks => begin(tx, &owner, signal, now),
        Weather::Goes(parent) => go_on(tx, &owner, parent, id, signal, now),
    }
}

/// Services without an owner, registered or not, are one: the store is one instance's.
pub(super) fn owner(tx: &Connection, service: &str) -> Result<String, Error> {
    let json = tx
        .prepare_cached("SELECT json FROM settings WHERE service = ?1")?
        .query_row([service], |row| row.get(0))
        .optional()?;
    let settings: Option<Settings> = rows::from_json(json)?;
    Ok(settings.and_then(|known| known.owner).unwrap_or_default())
}

fn known(tx: &Connection, owner: &str) -> Result<Option<Storm>, Error> {
    let found = tx
        .prepare_cached("SELECT parent, last FROM storms WHERE owner = ?1")?
        .query_row([owner], |row| {
            Ok(Storm {
                parent: IncidentId(row.get(0)?),
                last: Timestamp(row.get(1)?),
            })
        })
        .optional()?;
    Ok(found)
}

/// What counts as new: made lately, and no storm's parent.
const NEW: &str = "owner = ?1 AND created > ?2 AND created <= ?3 
    AND NOT (kind = 'rate' AND watch IS 'storm')";

fn newest(tx: &Connection, owner: &str, now: Timestamp) -> Result<u32, Error> {
    let (after, until) = storm::on_between(now);
    let sql = format!("SELECT count(*) FROM incidents WHERE {NEW}");
    let count = tx
        .prepare_cached(&sql)?
        .query_row(params![owner, after.0, until.0], |row| row.get(0))?;
    Ok(count)
}

/// Makes the parent, and takes in what came before it.
fn begin(tx: &Transaction<'_>, owner: &str, signal: &Signal, now: Timestamp) -> Result<(), Error> {
    let none = storm::words(0, SPAN, &[], &BTreeSet::new());
    let made = storm::parent(signal, none);
    let fingerprint = incident::fingerprint(&made);
    let previous = tx
        .prepare_cached("SELECT max(id) FROM incidents WHERE service = ?1 AND fingerprint = ?2")?
        .query_row([&made.service, &fingerprint], |row| {
            row.get::<_, Option<i64>>(0)
        })?;
    let parent = rows::insert(tx, &made, &fingerprint, previous.map(IncidentId), now)?;
    rows::occurrence(tx, parent, &made)?;
    tx.execute(
        "INSERT INTO storms (owner, parent, last) VALUES (?1, ?2, ?3)
         ON CONFLICT (owner) DO UPDATE SET parent = ?2, last = ?3",
        params![owner, parent.0, now.0],
    )?;
    let (after, until) = storm::on_between(now);
    // What is worked on already, or was, is counted and goes its way.
    let sql = format!(
        "UPDATE incidents SET parent = ?4,
         reason = CASE WHEN status = 'open' AND tries = 0 THEN reason || ?5 ELSE reason END
         WHERE {NEW} AND parent IS NULL"
    );
    let waits = waits(parent);
    tx.execute(&sql, params![owner, after.0, until.0, parent.0, waits])?;
    let reason = describe(tx, parent, signal, now)?;
    rows::event(tx, parent, now, "open", &reason)?;
    notices::storm(tx, parent, now)?;
    tell(tx, parent, now)
}

/// One more child.
fn go_on(
    tx: &Transaction<'_>,
    owner: &str,
    parent: IncidentId,
    id: IncidentId,
    signal: &Signal,
    now: Timestamp,
) -> Result<(), Error> {
    tx.prepare_cached("UPDATE incidents SET parent = ?2, reason = reason || ?3 WHERE id = ?1")?
        .execute(params![id.0, parent.0, waits(parent)])?;
    tx.prepare_cached("UPDATE storms SET last = max(last, ?2) WHERE owner = ?1")?
        .execute(params![owner, now.0])?;
    describe(tx, parent, signal, now)?;
    Ok(())
}

fn waits(parent: IncidentId) -> String {
    format!("; part of the storm #{parent}: waits until it is over")
}

/// Writes the parent's words for what it has now. Gives its reason.
fn describe(
    tx: &Connection,
    parent: IncidentId,
    newest: &Signal,
    now: Timestamp,
) -> Result<String, Error> {
    let (count, since): (i64, i64) = tx
        .prepare_cached(
            "SELECT count(*), coalesce(min(created), ?2) FROM incidents WHERE parent = ?1",
        )?
        .query_row(params![parent.0, now.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let services = services(tx, parent)?;
    let count = u64::try_from(count).unwrap_or(0);
    let span = now.since(Timestamp(since)).max(Duration::from_secs(1));
    let words = storm::words(count, span, &first_faults(tx, parent)?, &services);
    tx.prepare_cached(
        "UPDATE incidents SET title = ?2, lines = ?3, count = ?4,
         last_seen = max(last_seen, ?5),
         reason = CASE WHEN status = 'open' THEN ?6 ELSE reason END WHERE id = ?1",
    )?
    .execute(params![
        parent.0,
        bound::words(&words.title),
        rows::to_json(&bound::lines(&words.lines))?,
        i64::try_from(count.max(1)).unwrap_or(i64::MAX),
        newest.last.0,
        words.reason,
    ])?;
    Ok(words.reason)
}

pub(super) fn services(tx: &Connection, parent: IncidentId) -> Result<BTreeSet<String>, Error> {
    let mut rows = tx.prepare_cached("SELECT DISTINCT service FROM incidents WHERE parent = ?1")?;
    let rows = rows.query_map([parent.0], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn first_faults(tx: &Connection, parent: IncidentId) -> Result<Vec<Fault>, Error> {
    let mut rows = tx.prepare_cached(
        "SELECT service, title FROM incidents WHERE parent = ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = rows.query_map(params![parent.0, storm::LISTED as i64], |row| {
        Ok(Fault {
            service: row.get(0)?,
            title: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn tell(tx: &Transaction<'_>, id: IncidentId, now: Timestamp) -> Result<(), Error> {
    match rows::incident(tx, id)? {
        Some(incident) => journal::put(tx, &incident, now),
        None => Ok(()),
    }
}

impl Store {
    /// The newest storm of each owner.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn storms(&self) -> Result<Vec<StormState>, Error> {
        let mut rows = self.db.prepare(
            "SELECT owner, parent, last,
             (SELECT count(*) FROM incidents WHERE incidents.parent = storms.parent),
             (SELECT count(*) FROM incidents WHERE incidents.parent = storms.parent
              AND status = 'open')
             FROM storms ORDER BY last DESC",
        )?;
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        let rows = rows.query_map([], |row| {
            Ok(StormState {
                owner: row.get(0)?,
                parent: IncidentId(row.get(1)?),
                last: Timestamp(row.get(2)?),
                faults: count(row.get(3)?),
                waiting: count(row.get(4)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
