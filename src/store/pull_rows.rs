//! Rows of pull requests as values and back, and the lease on one. No transaction of its own.

use crate::model::IncidentId;
use crate::model::Timestamp;
use crate::model::delivery::{Ci, Delivery, OutcomeKind};
use crate::store::error::{Error, ErrorKind};
use crate::store::pulls::{PullLease, PullRow};
use crate::store::{lease, rows};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

/// Rows looked at for one that is free.
const CANDIDATES: i64 = 200;

/// The columns that [`read`] reads, in its order.
pub const COLUMNS: &str = "id, service, fingerprint, round, incident, fixer, order_json, state, why, number, \
    url, tip, ci, seen, made, opened, merged, merged_commit, deployed, deployed_commit, outcome, \
    returned, told, told_count, tries";

pub fn read(row: &Row<'_>) -> Result<PullRow, Error> {
    let state: String = row.get(7)?;
    let ci: String = row.get(12)?;
    let outcome: Option<String> = row.get(20)?;
    let number = |at: usize| -> Result<u64, Error> {
        Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
    };
    let time = |at: usize| -> Result<Option<Timestamp>, Error> {
        Ok(row.get::<_, Option<i64>>(at)?.map(Timestamp))
    };
    let damaged = |what| rows::damaged(what);
    Ok(PullRow {
        id: row.get(0)?,
        service: row.get(1)?,
        fingerprint: row.get(2)?,
        round: row.get(3)?,
        incident: IncidentId(row.get(4)?),
        fixer: row.get(5)?,
        order: rows::from_json(row.get(6)?)?.ok_or_else(|| damaged("order"))?,
        state: Delivery::from_word(&state).ok_or_else(|| damaged("state"))?,
        why: row.get(8)?,
        number: row
            .get::<_, Option<i64>>(9)?
            .and_then(|number| u64::try_from(number).ok()),
        url: row.get(10)?,
        tip: row.get(11)?,
        ci: Ci::from_word(&ci).unwrap_or_default(),
        seen: row.get(13)?,
        made: Timestamp(row.get(14)?),
        opened: time(15)?,
        merged: time(16)?,
        merged_commit: row.get(17)?,
        deployed: time(18)?,
        deployed_commit: row.get(19)?,
        outcome: outcome.as_deref().and_then(OutcomeKind::from_word),
        returned: number(21)?,
        told: Timestamp(row.get(22)?),
        told_count: number(23)?,
        tries: row.get(24)?,
    })
}

pub fn write(
    tx: &Transaction<'_>,
    id: i64,
    row: &PullRow,
    due: Option<Timestamp>,
) -> Result<(), Error> {
    let time = |time: Option<Timestamp>| time.map(|time| time.0);
    tx.prepare_cached(
        "UPDATE pulls SET state = ?2, why = ?3, number = ?4, url = ?5, tip = ?6, ci = ?7, seen = ?8,
         opened = ?9, merged = ?10, merged_commit = ?11, deployed = ?12, deployed_commit = ?13,
         outcome = ?14, returned = ?15, told = ?16, told_count = ?17, tries = ?18, due = ?19,
         lease = NULL, lease_holder = NULL, lease_until = 0 WHERE id = ?1",
    )?
    .execute(params![
        id,
        row.state.word(),
        row.why,
        row.number.map(rows::number),
        row.url,
        row.tip,
        row.ci.word(),
        row.seen,
        time(row.opened),
        time(row.merged),
        row.merged_commit,
        time(row.deployed),
        row.deployed_commit,
        row.outcome.map(OutcomeKind::word),
        rows::number(row.returned),
        row.told.0,
        rows::number(row.told_count),
        row.tries,
        due.map_or(i64::MAX, |due| due.0),
    ])?;
    Ok(())
}

pub fn by_id(tx: &Transaction<'_>, id: i64) -> Result<Option<PullRow>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM pulls WHERE id = ?1");
    let found = tx
        .prepare_cached(&sql)?
        .query_row([id], |row| Ok(read(row)))
        .optional()?;
    found.transpose()
}

pub fn newest(db: &Connection, service: &str, fingerprint: &str) -> Result<Option<PullRow>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM pulls WHERE service = ?1 AND fingerprint = ?2
         ORDER BY round DESC LIMIT 1"
    );
    let found = db
        .prepare_cached(&sql)?
        .query_row([service, fingerprint], |row| Ok(read(row)))
        .optional()?;
    found.transpose()
}

pub type Candidate = (i64, Option<String>, i64);

/// Rows that are due, of each service the one that waits longest first. What is not open yet waits
/// for as long as its fault is muted; what is open is watched on.
pub fn due(tx: &Transaction<'_>, now: Timestamp) -> Result<Vec<Candidate>, Error> {
    let mut all = tx.prepare_cached(
        "SELECT id, lease_holder, lease_until FROM pulls WHERE due <= ?1
         AND NOT (state IN ('making', 'failed') AND EXISTS
             (SELECT 1 FROM mutes WHERE mutes.service = pulls.service
              AND mutes.fingerprint IN ('', pulls.fingerprint)
              AND (until IS NULL OR until > ?1)))
         ORDER BY row_number() OVER (PARTITION BY service ORDER BY due, id), due, id LIMIT ?2",
    )?;
    let all = all.query_map(params![now.0, CANDIDATES], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(all.collect::<Result<_, _>>()?)
}

/// The lease on a row, or the fault that it is lost.
pub fn check(tx: &Transaction<'_>, lease: &PullLease, now: Timestamp) -> Result<(), Error> {
    let sql = "SELECT lease, lease_until FROM pulls WHERE id = ?1 AND lease_holder IS NOT NULL";
    if lease::holds(tx, sql, lease.pull, lease.token, now)? {
        return Ok(());
    }
    let what = "the lease on a pull request ended before the step did".to_owned();
    Err(Error::new(ErrorKind::LeaseLost, what))
}
