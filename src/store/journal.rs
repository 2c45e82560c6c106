//! `incidents.jsonl`: each change of an incident and each deploy verdict as one JSON line, for
//! whoever carries logs away. A line stands in the database (`outbox`) in the same transaction as the change, and is
//! removed from there once it is in the file; a crash between the two writes it twice, which its
//! `seq` tells. It leaves the host: text out of the log waits apart from the rest, is redacted when the
//! line is written, and is left out where that cannot be done.

use crate::model::Settings as OfService;
use crate::model::{Incident, Kind, Level, Timestamp};
use crate::rate::Deploy;
use crate::redact::{Redacted, Redactor, Scope, Settings};
use crate::store::error::Error;
use crate::store::place::private_file;
use crate::store::rows;
use rusqlite::{Connection, OptionalExtension, Transaction};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

const FILE: &str = "incidents.jsonl";
const OLD: &str = "incidents.jsonl.1";
const LOCK: &str = ".incidents.lock";

/// The file is rotated at this size; one old file is kept.
const MAX_BYTES: u64 = 10 << 20;
/// How far back the end of the last whole line is looked for; lines are far shorter.
const TAIL: u64 = 64 << 10;
/// Lines written at once.
const BATCH: usize = 500;

/// Text out of the log, as it stands in the outbox only.
const TEXT: &str = "text";
/// Longest text of a line, in bytes; the whole stands in the report.
const TEXT_BYTES: usize = 2_000;
/// Redactors that are kept for services; with more services all are made anew.
const REDACTORS: usize = 100;

/// Puts the line about a change into the transaction that makes the change.
pub fn put(tx: &Transaction<'_>, incident: &Incident, now: Timestamp) -> Result<(), Error> {
    let location = incident.location.as_ref();
    let line = json!({
        "time": now.to_rfc3339(),
        "id": incident.id,
        "service": incident.service,
        "fingerprint": incident.fingerprint,
        "kind": incident.kind,
        "status": incident.status,
        "count": incident.count,
        "first_seen": incident.first_seen.to_rfc3339(),
        "last_seen": incident.last_seen.to_rfc3339(),
        "commit": incident.commit,
        "watch": label(incident),
        "previous": incident.previous,
        "parent": incident.parent,
        // Paths and lines of the repository, not of the log.
        "location": location.map(|at| json!({"file": at.file, "line": at.line})),
        "files": incident.proposal.as_ref().map(|proposal| &proposal.files),
        // As the code host names it.
        "pr": incident.proposal.as_ref().and_then(|proposal| proposal.pr.as_ref()),
        TEXT: {
            "title": incident.title,
            "reason": incident.reason,
            "exception": incident.exception(),
        },
    });
    put_line(tx, &line)
}

/// The label of what found it. A neighbour's name comes out of a log, and stays here.
fn label(incident: &Incident) -> Option<&str> {
    let label = incident.watch.as_deref()?;
    match incident.kind {
        Kind::Environment => label.split(':').next(),
        Kind::Crash | Kind::Error | Kind::Oom | Kind::Exit | Kind::Watch | Kind::Rate => {
            Some(label)
        }
    }
}

/// Puts the line about a rollout into the transaction that keeps its verdict. Of the error
/// entries only what is no log text: results and codes come out of records.
pub fn put_deploy(
    tx: &Transaction<'_>,
    service: &str,
    deploy: &Deploy,
    now: Timestamp,
) -> Result<(), Error> {
    let new_errors = deploy.new_errors.iter().map(|error| {
        json!({
            "template": error.entry.template,
            "level": error.entry.facets.level.map(Level::word),
            "status_class": error.entry.facets.status_class,
            "count": error.count,
        })
    });
    let line = json!({
        "event": "deploy",
        "time": now.to_rfc3339(),
        "service": service,
        "old": deploy.old,
        "new": deploy.new,
        "verdict": deploy.verdict,
        "over": deploy.over,
        "started": deploy.started().to_rfc3339(),
        "until": deploy.until().to_rfc3339(),
        "before": deploy.before,
        "after": deploy.after,
        "new_errors": new_errors.collect::<Vec<_>>(),
    });
    put_line(tx, &line)
}

/// Puts the head of the audit into the transaction that adds the entry: what leaves the host shows
/// when the rest was changed.
pub fn put_audit(
    tx: &Transaction<'_>,
    (entry, hash): (i64, &str),
    service: &str,
    (what, action): (&str, Value),
    now: Timestamp,
) -> Result<(), Error> {
    let line = json!({
        "event": "audit",
        "time": now.to_rfc3339(),
        "service": service,
        "what": what,
        "action": action,
        "entry": entry,
        "hash": hash,
    });
    put_line(tx, &line)
}

fn put_line(tx: &Transaction<'_>, line: &serde_json::Value) -> Result<(), Error> {
    tx.prepare_cached("INSERT INTO outbox (json) VALUES (?1)")?
        .execute([line.to_string()])?;
    Ok(())
}

/// Writes what waits in the outbox to the file. Another process may be at it: then it does.
pub fn drain(db: &mut Connection, dir: &Path, redactors: &mut Redactors) -> Result<(), Error> {
    let failed = |e| Error::io(format!("{}", dir.join(FILE).display()), e);
    let waits = "SELECT EXISTS (SELECT 1 FROM outbox)";
    if !db.query_row(waits, [], |row| row.get::<_, bool>(0))? {
        return Ok(());
    }
    let lock = private_file(&dir.join(LOCK)).map_err(failed)?;
    if lock.try_lock().is_err() {
        return Ok(());
    }
    loop {
        let rows = waiting(db)?;
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        let mut text = String::new();
        for (seq, line) in &rows {
            let line = redactors.line(db, line)?;
            // The object's first member, so that a reader sees a line that came twice.
            let rest = line.strip_prefix('{').unwrap_or(&line);
            text.push_str(&format!("{{\"seq\":{seq},{rest}\n"));
        }
        append(dir, &text).map_err(failed)?;
        db.execute("DELETE FROM outbox WHERE seq <= ?1", [last])?;
    }
}

fn waiting(db: &Connection) -> Result<Vec<(i64, String)>, Error> {
    let mut rows = db.prepare_cached("SELECT seq, json FROM outbox ORDER BY seq LIMIT ?1")?;
    let rows = rows.query_map([BATCH as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A redactor for each service, by its settings; `None` where there can be none.
#[derive(Debug, Default)]
pub struct Redactors(HashMap<Settings, Option<Redactor>>);

impl Redactors {
    /// The line as it leaves the host.
    fn line(&mut self, db: &Connection, line: &str) -> Result<String, Error> {
        // What is no object holds no text that could be told apart, and stands here as none.
        let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(line) else {
            return Ok("{}".to_owned());
        };
        if let Some(text) = fields.shift_remove(TEXT) {
            let service = fields.get("service").and_then(Value::as_str);
            if let Some(redactor) = self.of(db, service.unwrap_or_default())? {
                let mut scope = redactor.scope();
                fields.extend(redacted(&mut scope, &text));
            }
        }
        Ok(Value::Object(fields).to_string())
    }

    pub(super) fn of(&mut self, db: &Connection, service: &str) -> Result<Option<Redactor>, Error> {
        let settings = "SELECT json FROM settings WHERE service = ?1";
        let mut settings = db.prepare_cached(settings)?;
        let json = settings.query_row([service], |row| row.get(0)).optional()?;
        // Settings that cannot be read make no redactor.
        let Ok(of_service) = rows::from_json::<OfService>(json) else {
            return Ok(None);
        };
        let settings = Settings::from(&of_service.unwrap_or_default().redact);
        if self.0.len() >= REDACTORS {
            self.0.clear();
        }
        let made = self.0.entry(settings);
        let made = made.or_insert_with_key(|settings| Redactor::new(settings).ok());
        Ok(made.clone())
    }
}

/// The fields of the text, redacted.
fn redacted(scope: &mut Scope, text: &Value) -> Map<String, Value> {
    let mut one = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str);
        text.map(|text| scope.text(text).cut(TEXT_BYTES))
    };
    let (title, reason) = (one(text.get("title")), one(text.get("reason")));
    let exception = text.get("exception").filter(|raised| raised.is_object());
    let exception = exception.map(|raised| {
        let (kind, message) = (one(raised.get("type")), one(raised.get("message")));
        json!({"type": shown(kind), "message": shown(message)})
    });
    let mut fields = Map::new();
    fields.insert("title".to_owned(), shown(title));
    fields.insert("reason".to_owned(), shown(reason));
    fields.insert("exception".to_owned(), exception.unwrap_or_default());
    fields
}

fn shown(text: Option<Redacted>) -> Value {
    text.map_or(Value::Null, |text| Value::String(text.as_str().to_owned()))
}

fn append(dir: &Path, text: &str) -> std::io::Result<()> {
    let path = dir.join(FILE);
    let mut file = private_file(&path)?;
    let mut size = whole_lines(&mut file)?;
    if size > 0 && size + text.len() as u64 > MAX_BYTES {
        fs::rename(&path, dir.join(OLD))?;
        file = private_file(&path)?;
        size = whole_lines(&mut file)?;
    }
    file.write_all(text.as_bytes()).inspect_err(|_| {
        // A full disk took a part of it. The fault that is told is the write's.
        let _ = file.set_len(size);
    })?;
    file.sync_data()
}

/// Takes away the piece of a line that a crash left at the end, which is still in the outbox.
/// Says how long the file is then.
fn whole_lines(file: &mut File) -> std::io::Result<u64> {
    let size = file.metadata()?.len();
    let from = size.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    (&*file).take(TAIL).read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|byte| *byte == b'\n');
    let whole = from + end.map_or(0, |at| at as u64 + 1);
    if whole < size {
        file.set_len(whole)?;
    }
    Ok(whole)
}
