//! What platforms told of trouble. The same kind of thing at the same instance and time is the same
//! fact, whoever saw it first.

use crate::model::Timestamp;
use crate::model::recovery::{Fact, FactKind};
use crate::store::Store;
use crate::store::error::Error;
use rusqlite::{Connection, params};
use std::time::Duration;

/// Facts of one service that are kept and given, the newest; those that were sent are counted apart and
/// come behind, so that no sender can push out what a platform told.
pub const MOST_FACTS: usize = 500;
/// How long they are kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

impl Store {
    /// Keeps what platforms told; says how many of it are news.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn save_facts(&mut self, facts: &[Fact], now: Timestamp) -> Result<usize, Error> {
        if facts.is_empty() {
            return Ok(0);
        }
        let tx = self.begin()?;
        let mut news = 0;
        for fact in facts {
            // What was asked for counts for more than what was sent: it takes its place.
            news += tx
                .prepare_cached(
                    "INSERT INTO facts (service, instance, at, kind, release, text, asked, made)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                     ON CONFLICT (service, instance, at, kind) DO UPDATE SET asked = 1,
                     text = excluded.text, release = excluded.release
                     WHERE excluded.asked = 1 AND asked = 0",
                )?
                .execute(params![
                    fact.service,
                    fact.instance,
                    fact.at.0,
                    fact.kind.word(),
                    fact.release,
                    fact.text,
                    fact.asked,
                    now.0
                ])?;
            tx.prepare_cached(
                "DELETE FROM facts WHERE service = ?1 AND (made < ?2 OR asked = ?4 AND at <=
                 (SELECT at FROM facts WHERE service = ?1 AND asked = ?4
                 ORDER BY at DESC LIMIT 1 OFFSET ?3))",
            )?
            .execute(params![
                fact.service,
                now.minus(KEPT).0,
                i64::try_from(MOST_FACTS).unwrap_or(i64::MAX),
                fact.asked
            ])?;
        }
        tx.commit()?;
        Ok(news)
    }

    /// What was told of a service since a moment, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn facts_since(&self, service: &str, since: Timestamp) -> Result<Vec<Fact>, Error> {
        facts_since(&self.db, service, since)
    }
}

fn facts_since(db: &Connection, service: &str, since: Timestamp) -> Result<Vec<Fact>, Error> {
    let mut rows = db.prepare_cached(
        "SELECT instance, at, kind, release, text, asked FROM facts
         WHERE service = ?1 AND at >= ?2 ORDER BY asked DESC, at DESC LIMIT ?3",
    )?;
    let most = i64::try_from(MOST_FACTS).unwrap_or(i64::MAX);
    let rows = rows.query_map(params![service, since.0, most], |row| {
        let kind: String = row.get(2)?;
        Ok(FactKind::from_word(&kind).map(|kind| {
            Ok::<_, rusqlite::Error>(Fact {
                service: service.to_owned(),
                kind,
                instance: row.get(0)?,
                at: Timestamp(row.get(1)?),
                release: row.get(3)?,
                text: row.get(4)?,
                asked: row.get(5)?,
            })
        }))
    })?;
    let mut facts = Vec::new();
    for row in rows {
        if let Some(fact) = row? {
            facts.push(fact?);
        }
    }
    facts.sort_by_key(|fact| fact.at);
    Ok(facts)
}
