//! The audit: who asked for what and why, what was decided, done, and came of it. Entries are only
//! added; each holds the hash of the one before, and each head goes through `incidents.jsonl`, so that
//! what leaves the host shows when the rest was changed. Its text is redacted when it is written.

use crate::model::Timestamp;
use crate::redact::Scope;
use crate::store::Store;
use crate::store::error::Error;
use crate::store::journal;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;

/// What stands before the first entry.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Entries about refused requests and looks of one kind of caller in an hour; what is more is counted.
const NOISE: i64 = 200;
/// Longest text of an entry, in bytes.
const TEXT: usize = 1_000;

/// One entry as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub entry: i64,
    pub prev: String,
    pub hash: String,
    /// The object that the hash is over, as text.
    pub json: String,
}

impl AuditEntry {
    /// The line of `audit export`.
    pub fn to_json(&self) -> Value {
        let body = serde_json::from_str(&self.json).unwrap_or(Value::Null);
        json!({"entry": self.entry, "prev": self.prev, "hash": self.hash, "body": body,
               "text": self.json})
    }
}

/// What left the host of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub entry: i64,
    pub hash: String,
}

/// What is wrong with an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFault {
    pub entry: i64,
    pub what: String,
}

/// An entry that is to be written. Text of others is redacted here.
pub(super) struct New<'a> {
    pub event: &'static str,
    pub service: &'a str,
    pub verb: &'a str,
    pub caller: &'a str,
    pub kind: &'static str,
    /// Numbers and words of ours.
    pub plain: Value,
    /// Text of others, by field.
    pub texts: &'a [(&'static str, &'a str)],
    /// Whether there may be very many of it.
    pub noise: bool,
}

/// Adds an entry to the transaction that makes what it tells of.
pub(super) fn put(
    tx: &Transaction<'_>,
    new: &New<'_>,
    scope: Option<&mut Scope>,
    now: Timestamp,
) -> Result<(), Error> {
    if new.noise && is_too_much(tx, new, now)? {
        return Ok(());
    }
    let mut body = Map::new();
    body.insert("time".to_owned(), json!(now.to_rfc3339()));
    body.insert("event".to_owned(), json!(new.event));
    let service = name(tx, new.service)?;
    body.insert("service".to_owned(), json!(service));
    body.insert("caller_kind".to_owned(), json!(new.kind));
    if let Value::Object(plain) = &new.plain {
        body.extend(plain.clone());
    }
    let suppressed: i64 = tx.query_row(
        "SELECT coalesce(sum(count), 0) FROM audit_left_out",
        [],
        |row| row.get(0),
    )?;
    if suppressed > 0 {
        body.insert("left_out_before".to_owned(), json!(suppressed));
        tx.execute("DELETE FROM audit_left_out", [])?;
    }
    let named = [("verb", new.verb), ("caller", new.caller)];
    match scope {
        Some(scope) => {
            for (field, text) in named.iter().chain(new.texts) {
                let text = scope.text(text).cut(TEXT);
                body.insert((*field).to_owned(), json!(seen(text.as_str())));
            }
        }
        // Without its service's rules of redaction no text is written.
        None => {
            body.insert("text".to_owned(), json!("withheld: it cannot be redacted"));
        }
    }
    let text = Value::Object(body).to_string();
    let prev = newest(tx)?.map_or_else(|| GENESIS.to_owned(), |head| head.hash);
    let hash = chained(&prev, &text);
    let entry: i64 = tx
        .prepare_cached(
            "INSERT INTO audit (made, kind, event, prev, hash, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             RETURNING entry",
        )?
        .query_row(
            params![now.0, new.kind, new.event, prev, hash, text],
            |row| row.get(0),
        )?;
    let action = new.plain.get("action").cloned().unwrap_or_default();
    journal::put_audit(tx, (entry, &hash), service, (new.event, action), now)
}

/// Text without what a terminal does not show, or shows in another order than it stands.
fn seen(text: &str) -> String {
    let hides = |one: char| {
        matches!(one, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
            | '\u{E0000}'..='\u{E007F}')
    };
    let shown = text.chars().map(|one| match hides(one) {
        true => char::REPLACEMENT_CHARACTER,
        false => one,
    });
    shown.collect()
}

/// A service's name where it is one of ours: it may come from a model, and is not redacted.
fn name<'a>(tx: &Transaction<'_>, service: &'a str) -> Result<&'a str, Error> {
    let ours: bool = tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM settings WHERE service = ?1)
             OR EXISTS (SELECT 1 FROM actions WHERE service = ?1)",
        )?
        .query_row([service], |row| row.get(0))?;
    Ok(match ours && crate::registry::check_name(service).is_ok() {
        true => service,
        false => "(unknown)",
    })
}

fn is_too_much(tx: &Transaction<'_>, new: &New<'_>, now: Timestamp) -> Result<bool, Error> {
    let hour = now.minus(Duration::from_secs(3_600));
    let count: i64 = tx
        .prepare_cached("SELECT count(*) FROM audit WHERE kind = ?1 AND event = ?2 AND made > ?3")?
        .query_row(params![new.kind, new.event, hour.0], |row| row.get(0))?;
    if count < NOISE {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO audit_left_out (kind, count) VALUES (?1, 1)
         ON CONFLICT (kind) DO UPDATE SET count = count + 1",
        [new.kind],
    )?;
    Ok(true)
}

fn newest(db: &Connection) -> Result<Option<Head>, Error> {
    let found = db
        .prepare_cached("SELECT entry, hash FROM audit ORDER BY entry DESC LIMIT 1")?
        .query_row([], |row| {
            Ok(Head {
                entry: row.get(0)?,
                hash: row.get(1)?,
            })
        });
    Ok(found.optional()?)
}

fn chained(prev: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(prev);
    hash.update("\n");
    hash.update(text);
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Store {
    /// Every entry, oldest first; `each` ends it by `false`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn audit(&self, mut each: impl FnMut(AuditEntry) -> bool) -> Result<(), Error> {
        let mut rows = self
            .db
            .prepare("SELECT entry, prev, hash, json FROM audit ORDER BY entry")?;
        let rows = rows.query_map([], |row| {
            Ok(AuditEntry {
                entry: row.get(0)?,
                prev: row.get(1)?,
                hash: row.get(2)?,
                json: row.get(3)?,
            })
        })?;
        for row in rows {
            if !each(row?) {
                break;
            }
        }
        Ok(())
    }

    /// Checks the chain, and that it holds what left the host; gives the number of entries.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn verify_audit(&self, heads: &[Head]) -> Result<(u64, Vec<AuditFault>), Error> {
        let mut faults = Vec::new();
        let (mut count, mut prev, mut next) = (0, GENESIS.to_owned(), 1);
        // All of them: whoever can add a line of his own has not taken the first one back.
        let mut wanted: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
        for head in heads {
            wanted.entry(head.entry).or_default().push(&head.hash);
        }
        self.audit(|one| {
            let mut fault = |what: &str| {
                faults.push(AuditFault {
                    entry: one.entry,
                    what: what.to_owned(),
                });
            };
            if one.entry != next {
                fault("entries before it are missing");
            }
            if one.prev != prev {
                fault("it does not follow the entry before it");
            }
            if chained(&one.prev, &one.json) != one.hash {
                fault("its text is not what was hashed");
            }
            if wanted
                .remove(&one.entry)
                .is_some_and(|left| left.iter().any(|hash| **hash != one.hash))
            {
                fault("it is not the entry whose head left the host");
            }
            count += 1;
            next = one.entry + 1;
            prev.clone_from(&one.hash);
            true
        })?;
        for entry in wanted.keys() {
            faults.push(AuditFault {
                entry: *entry,
                what: "its head left the host, and it is not here".to_owned(),
            });
        }
        Ok((count, faults))
    }
}
