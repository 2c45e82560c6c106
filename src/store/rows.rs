//! Rows of the store as nouns and back. No decision and no transaction of its own.

use crate::model::{CommitId, ContextLine, Incident, IncidentId, Kind, Signal, Status, Timestamp};
use crate::store::bound;
use crate::store::error::{Error, ErrorKind};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The columns that [`read`] reads, in its order.
const COLUMNS: &str = "id, service, fingerprint, kind, title, reason, watch, stream, trace, lines,
    context, first_seen, last_seen, count, commit_id, status, location, proposal, previous,
    parent";

/// Events kept for one incident.
const MAX_EVENTS: i64 = 200;
/// Occurrences kept for one incident; the count goes on.
const MAX_OCCURRENCES: i64 = 200;

/// One entry of an incident's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Wall clock.
    pub time: Timestamp,
    pub what: String,
    pub detail: String,
}

/// One time that a fault was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Event time.
    pub time: Timestamp,
    pub commit: Option<CommitId>,
    pub stream: String,
}

/// A new incident's row.
pub fn insert(
    db: &Connection,
    signal: &Signal,
    fingerprint: &str,
    previous: Option<IncidentId>,
    now: Timestamp,
) -> Result<IncidentId, Error> {
    db.prepare_cached(
        "INSERT INTO incidents (service, fingerprint, kind, title, reason, watch, stream, trace,
         lines, context, first_seen, last_seen, count, commit_id, status, previous, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, 1, ?12, 'open', ?13, ?14)",
    )?
    .execute(params![
        signal.service,
        fingerprint,
        signal.kind.word(),
        bound::words(&signal.title),
        bound::words(&signal.reason),
        signal.watch,
        bound::words(&signal.stream),
        to_json(&signal.trace.as_ref().map(bound::trace))?,
        to_json(&bound::lines(&signal.lines))?,
        to_json(&bound::context(&signal.context))?,
        signal.time.0,
        signal.commit.as_ref().map(CommitId::as_str),
        previous.map(|id| id.0),
        now.0,
    ])?;
    Ok(IncidentId(db.last_insert_rowid()))
}

/// A new incident of the same fault, with what is known of it from the one before.
pub fn open_again(
    db: &Connection,
    before: IncidentId,
    reason: &str,
    now: Timestamp,
) -> Result<IncidentId, Error> {
    db.prepare_cached(
        "INSERT INTO incidents (service, fingerprint, kind, title, reason, watch, stream, trace,
         lines, context, first_seen, last_seen, count, commit_id, status, previous, created, owner)
         SELECT service, fingerprint, kind, title, ?2, watch, stream, trace, lines, context,
         last_seen, last_seen, 1, commit_id, 'open', id, ?3, owner FROM incidents WHERE id = ?1",
    )?
    .execute(params![before.0, bound::words(reason), now.0])?;
    Ok(IncidentId(db.last_insert_rowid()))
}

/// One more time that an incident was seen.
pub fn occurrence(db: &Connection, id: IncidentId, signal: &Signal) -> Result<(), Error> {
    let commit = signal.commit.as_ref().map(CommitId::as_str);
    db.prepare_cached(
        "INSERT INTO occurrences (incident, time, commit_id, stream) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        id.0,
        signal.time.0,
        commit,
        bound::words(&signal.stream)
    ])?;
    db.prepare_cached(
        "DELETE FROM occurrences WHERE incident = ?1 AND rowid <= (SELECT rowid FROM occurrences
         WHERE incident = ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![id.0, MAX_OCCURRENCES])?;
    Ok(())
}

/// Adds to an incident's history.
pub fn event(
    db: &Connection,
    id: IncidentId,
    now: Timestamp,
    what: &str,
    detail: &str,
) -> Result<(), Error> {
    db.prepare_cached("INSERT INTO events (incident, time, what, detail) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id.0, now.0, what, detail])?;
    db.prepare_cached(
        "DELETE FROM events WHERE incident = ?1 AND rowid <= (SELECT rowid FROM events
         WHERE incident = ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![id.0, MAX_EVENTS])?;
    Ok(())
}

/// One incident.
pub fn incident(db: &Connection, id: IncidentId) -> Result<Option<Incident>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM incidents WHERE id = ?1");
    let found = db
        .prepare_cached(&sql)?
        .query_row([id.0], |row| Ok(read(row)))
        .optional()?;
    found.transpose()
}

/// All incidents, oldest first.
pub fn incidents(db: &Connection) -> Result<Vec<Incident>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM incidents ORDER BY id");
    let mut rows = db.prepare(&sql)?;
    let rows = rows.query_map([], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

/// The newest of a service, newest first.
pub fn newest_incidents(
    db: &Connection,
    service: &str,
    status: Option<Status>,
    most: usize,
) -> Result<Vec<Incident>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM incidents WHERE service = ?1 AND (?2 IS NULL OR status = ?2)
         ORDER BY id DESC LIMIT ?3"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = db.prepare_cached(&sql)?;
    let rows = rows.query_map(params![service, status.map(Status::word), most], |row| {
        Ok(read(row))
    })?;
    rows.map(|row| row?).collect()
}

/// An incident's history, oldest first.
pub fn events(db: &Connection, id: IncidentId) -> Result<Vec<Event>, Error> {
    let mut rows =
        db.prepare("SELECT time, what, detail FROM events WHERE incident = ?1 ORDER BY rowid")?;
    let rows = rows.query_map([id.0], |row| {
        Ok(Event {
            time: Timestamp(row.get(0)?),
            what: row.get(1)?,
            detail: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The times that an incident was seen, oldest first; only the newest are kept.
pub fn occurrences(db: &Connection, id: IncidentId) -> Result<Vec<Occurrence>, Error> {
    let mut rows = db.prepare(
        "SELECT time, commit_id, stream FROM occurrences WHERE incident = ?1 ORDER BY rowid",
    )?;
    let rows = rows.query_map([id.0], |row| {
        Ok(Occurrence {
            time: Timestamp(row.get(0)?),
            commit: row
                .get::<_, Option<String>>(1)?
                .and_then(|id| CommitId::parse(&id)),
            stream: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> Result<Incident, Error> {
    let kind: String = row.get(3)?;
    let status: String = row.get(15)?;
    let lines: Option<Vec<String>> = from_json(row.get(9)?)?;
    let context: Option<Vec<ContextLine>> = from_json(row.get(10)?)?;
    Ok(Incident {
        id: IncidentId(row.get(0)?),
        service: row.get(1)?,
        fingerprint: row.get(2)?,
        kind: Kind::from_word(&kind).ok_or_else(|| damaged("kind"))?,
        title: row.get(4)?,
        reason: row.get(5)?,
        watch: row.get(6)?,
        stream: row.get(7)?,
        trace: from_json(row.get(8)?)?,
        lines: lines.unwrap_or_default(),
        context: context.unwrap_or_default(),
        first_seen: Timestamp(row.get(11)?),
        last_seen: Timestamp(row.get(12)?),
        count: u64::try_from(row.get::<_, i64>(13)?).unwrap_or(0),
        commit: row
            .get::<_, Option<String>>(14)?
            .and_then(|id| CommitId::parse(&id)),
        status: Status::from_word(&status).ok_or_else(|| damaged("status"))?,
        location: from_json(row.get(16)?)?,
        proposal: from_json(row.get(17)?)?,
        previous: row.get::<_, Option<i64>>(18)?.map(IncidentId),
        parent: row.get::<_, Option<i64>>(19)?.map(IncidentId),
    })
}

/// A value as a JSON column.
pub fn to_json<T: Serialize>(value: &T) -> Result<Option<String>, Error> {
    let text = serde_json::to_string(value)
        .map_err(|e| Error::new(ErrorKind::Broken, format!("cannot be written as JSON: {e}")))?;
    Ok((text != "null").then_some(text))
}

/// A JSON column as a value.
pub fn from_json<T: DeserializeOwned>(text: Option<String>) -> Result<Option<T>, Error> {
    let Some(text) = text else { return Ok(None) };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|_| damaged("JSON"))
}

pub fn damaged(what: &str) -> Error {
    let what = format!("a row of the store is damaged ({what}); move State_Dir away to start anew");
    Error::new(ErrorKind::Broken, what)
}

/// A count as SQLite holds one.
pub fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
