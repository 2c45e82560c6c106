//! What a model was shown and what it answered: the batch before it is sent, so that one that was
//! under way is read after a restart, and each verdict with what became of it. What a verdict
//! means is for triage.

use crate::model::{CommitId, Facets, Incident, Status, TemplateId, Timestamp};
use crate::store::error::Error;
use crate::store::{Store, holder, rows};
use crate::triage::entry::Batch;
use rusqlite::{Connection, params};
use std::time::Duration;

/// Readings that are kept.
const KEPT: i64 = 5_000;
/// A batch that nobody read for a day is no news any more.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// Verdicts of one owner that are looked at for those that are like an entry.
const PAST: i64 = 500;

/// A batch in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadingId(i64);

/// How a reading ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The service's owner, or its name where it has none: verdicts do not cross it.
    pub owner: String,
    pub model: String,
    /// SHA-256 of system prompt and prompt, in hexadecimal digits.
    pub prompt_hash: String,
    /// Characters of system prompt and prompt, of all tries.
    pub prompt_chars: u64,
    /// As the server counted, of all tries.
    pub prompt_tokens: u64,
    pub answer_tokens: u64,
    pub millis: u64,
    /// The last answer as it came, bounded by whoever read it.
    pub answer: String,
    /// Why no answer could be used; the built-in rules decided alone then.
    pub fault: Option<String>,
}

/// One verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct VerdictRow {
    pub service: String,
    pub template: TemplateId,
    pub facets: Facets,
    /// The template's text.
    pub text: String,
    /// `ignore`, `watch` or `investigate`.
    pub action: String,
    /// Of the watch; of an investigation the label of its signal.
    pub label: Option<String>,
    pub summary: Option<String>,
    /// Wall clock: until when an `ignore` holds.
    pub until: Option<Timestamp>,
    pub commit: Option<CommitId>,
}

/// A verdict with what is known of it since.
#[derive(Clone, Debug, PartialEq)]
pub struct PastVerdict {
    pub verdict: VerdictRow,
    /// Wall clock.
    pub made: Timestamp,
    pub reading: Reading,
    /// How often its watch fired.
    pub fired: Option<u64>,
    /// Of the newest incident that came of it.
    pub incident: Option<Status>,
    /// It was ignored, and then came far more often than before.
    pub rose: bool,
}

impl Store {
    /// Keeps a batch that is about to be read.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn begin_reading(
        &mut self,
        batch: &Batch,
        holder: &str,
        now: Timestamp,
    ) -> Result<ReadingId, Error> {
        let tx = self.begin()?;
        tx.prepare_cached(
            "INSERT INTO readings (service, holder, made, batch) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![batch.service, holder, now.0, rows::to_json(batch)?])?;
        let id = ReadingId(tx.last_insert_rowid());
        tx.prepare_cached(
            "DELETE FROM readings WHERE id IN
                 (SELECT id FROM readings ORDER BY id DESC LIMIT -1 OFFSET ?1)",
        )?
        .execute([KEPT])?;
        tx.commit()?;
        Ok(id)
    }

    /// Keeps how a reading ended. The batch itself is no longer needed.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn end_reading(
        &mut self,
        id: ReadingId,
        reading: &Reading,
        verdicts: &[VerdictRow],
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        tx.prepare_cached(
            "UPDATE readings SET batch = NULL, owner = ?2, model = ?3, prompt_hash = ?4,
             prompt_chars = ?5, prompt_tokens = ?6, answer_tokens = ?7, millis = ?8, answer = ?9,
             fault = ?10 WHERE id = ?1",
        )?
        .execute(params![
            id.0,
            reading.owner,
            reading.model,
            reading.prompt_hash,
            number(reading.prompt_chars),
            number(reading.prompt_tokens),
            number(reading.answer_tokens),
            number(reading.millis),
            reading.answer,
            reading.fault,
        ])?;
        for verdict in verdicts {
            insert(&tx, id, verdict, now)?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Takes over the batches of processes that are gone; they are begun anew by whoever reads
    /// them.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn take_over_readings(&mut self, now: Timestamp) -> Result<Vec<Batch>, Error> {
        let dir = self.dir.clone();
        let tx = self.begin()?;
        let mut found = Vec::new();
        {
            let mut all = tx.prepare_cached(
                "SELECT id, holder, made, batch FROM readings WHERE batch IS NOT NULL ORDER BY id",
            )?;
            let all = all.query_map([], |row| {
                let id: i64 = row.get(0)?;
                let holder: String = row.get(1)?;
                let made: i64 = row.get(2)?;
                let batch: String = row.get(3)?;
                Ok((id, holder, made, batch))
            })?;
            for row in all {
                let (id, holder, made, batch) = row?;
                if !holder::is_alive(&dir, &holder) {
                    found.push((id, Timestamp(made), batch));
                }
            }
        }
        let mut batches = Vec::new();
        for (id, made, batch) in found {
            tx.prepare_cached("DELETE FROM readings WHERE id = ?1")?
                .execute([id])?;
            if now.since(made) < STALE
                && let Some(batch) = rows::from_json(Some(batch))?
            {
                batches.push(batch);
            }
        }
        tx.commit()?;
        Ok(batches)
    }

    /// Verdicts of one owner, newest first, with what became of them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn past_verdicts(&self, owner: &str) -> Result<Vec<PastVerdict>, Error> {
        let clause = "WHERE readings.owner = ?1 ORDER BY verdicts.id DESC LIMIT ?2";
        select(&self.db, clause, params![owner, PAST])
    }

    /// The verdict that an incident came of, or that installed the watch that it came of.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn verdict_behind(&self, incident: &Incident) -> Result<Option<PastVerdict>, Error> {
        let Some(label) = &incident.watch else {
            return Ok(None);
        };
        let clause = "WHERE verdicts.service = ?1 AND verdicts.label = ?2
             ORDER BY verdicts.id DESC LIMIT 1";
        let found = select(&self.db, clause, params![incident.service, label])?;
        Ok(found.into_iter().next())
    }

    /// What an `ignore` that still holds said of a service's entries.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn settled(&self, service: &str, now: Timestamp) -> Result<Vec<VerdictRow>, Error> {
        let clause = "WHERE verdicts.service = ?1 AND verdicts.until > ?2
             ORDER BY verdicts.id DESC LIMIT 10000";
        let found = select(&self.db, clause, params![service, now.0])?;
        Ok(found.into_iter().map(|past| past.verdict).collect())
    }

    /// An entry that was ignored is ignored no longer: it rose.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn unsettle(
        &mut self,
        service: &str,
        template: TemplateId,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.db
            .prepare_cached(
                "UPDATE verdicts SET until = ?3, rose = 1
                 WHERE service = ?1 AND template = ?2 AND until > ?3",
            )?
            .execute(params![service, template.to_string(), now.0])?;
        Ok(())
    }

    /// The newest readings, newest first: their services and how they ended.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn readings(&self, most: u32) -> Result<Vec<(String, Reading)>, Error> {
        let mut all = self.db.prepare_cached(
            "SELECT service, owner, model, prompt_hash, prompt_chars, prompt_tokens,
             answer_tokens, millis, answer, fault FROM readings
             WHERE batch IS NULL ORDER BY id DESC LIMIT ?1",
        )?;
        let all = all.query_map([most], |row| Ok((row.get(0)?, reading(row, 1)?)))?;
        Ok(all.collect::<Result<_, _>>()?)
    }
}

fn insert(db: &Connection, id: ReadingId, row: &VerdictRow, now: Timestamp) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO verdicts (reading, service, template, facets, text, action, label, summary,
         until, commit_id, made) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        id.0,
        row.service,
        row.template.to_string(),
        rows::to_json(&row.facets)?,
        row.text,
        row.action,
        row.label,
        row.summary,
        row.until.map(|until| until.0),
        row.commit.as_ref().map(CommitId::as_str),
        now.0,
    ])?;
    Ok(())
}

fn select(
    db: &Connection,
    clause: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<PastVerdict>, Error> {
    // An incident that a verdict led to carries the verdict's label; so does one of its watch.
    let sql = format!(
        "SELECT verdicts.service, verdicts.template, verdicts.facets, verdicts.text,
             verdicts.action, verdicts.label, verdicts.summary, verdicts.until,
             verdicts.commit_id, verdicts.made,
             (SELECT sum(fired) FROM watches WHERE watches.label = verdicts.label
                  AND watches.service = verdicts.service AND watches.owner = 'model'),
             (SELECT status FROM incidents WHERE incidents.service = verdicts.service
                  AND incidents.watch = verdicts.label AND incidents.created >= verdicts.made
                  ORDER BY incidents.id DESC LIMIT 1),
             readings.owner, readings.model, readings.prompt_hash, readings.prompt_chars,
             readings.prompt_tokens, readings.answer_tokens, readings.millis, readings.answer,
             readings.fault, verdicts.rose
         FROM verdicts JOIN readings ON readings.id = verdicts.reading {clause}"
    );
    let mut all = db.prepare_cached(&sql)?;
    let all = all.query_map(values, |row| {
        let facets: String = row.get(2)?;
        let template: String = row.get(1)?;
        let status: Option<String> = row.get(11)?;
        let commit: Option<String> = row.get(8)?;
        let fired: Option<i64> = row.get(10)?;
        let verdict = VerdictRow {
            service: row.get(0)?,
            template: TemplateId::parse(&template).unwrap_or(TemplateId::new(0)),
            facets: Facets::default(),
            text: row.get(3)?,
            action: row.get(4)?,
            label: row.get(5)?,
            summary: row.get(6)?,
            until: row.get::<_, Option<i64>>(7)?.map(Timestamp),
            commit: commit.as_deref().and_then(CommitId::parse),
        };
        let past = PastVerdict {
            verdict,
            made: Timestamp(row.get(9)?),
            reading: reading(row, 12)?,
            fired: fired.and_then(|fired| u64::try_from(fired).ok()),
            incident: status.as_deref().and_then(Status::from_word),
            rose: row.get(21)?,
        };
        Ok((past, facets))
    })?;
    let mut found = Vec::new();
    for row in all {
        let (mut past, facets) = row?;
        past.verdict.facets = rows::from_json(Some(facets))?.unwrap_or_default();
        found.push(past);
    }
    Ok(found)
}

/// The columns of a reading from `at` on.
fn reading(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Reading> {
    let count = |at| {
        let count: i64 = row.get(at)?;
        Ok::<u64, rusqlite::Error>(u64::try_from(count).unwrap_or(0))
    };
    Ok(Reading {
        owner: row.get(at)?,
        model: row.get(at + 1)?,
        prompt_hash: row.get(at + 2)?,
        prompt_chars: count(at + 3)?,
        prompt_tokens: count(at + 4)?,
        answer_tokens: count(at + 5)?,
        millis: count(at + 6)?,
        answer: row.get(at + 7)?,
        fault: row.get(at + 8)?,
    })
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident;
    use crate::store::{Holder, Limits};

    fn store(dir: &std::path::Path) -> Store {
        let limits = Limits {
            admission: incident::Limits::default(),
            bytes: 64 << 20,
        };
        Store::open(dir, limits).unwrap()
    }

    fn batch(service: &str) -> Batch {
        Batch {
            service: service.to_owned(),
            since: Timestamp(1),
            entries: Vec::new(),
        }
    }

    fn verdict(action: &str, until: Option<i64>) -> VerdictRow {
        VerdictRow {
            service: "shop".to_owned(),
            template: TemplateId::new(7),
            facets: Facets {
                status_class: Some(5),
                ..Facets::default()
            },
            text: "GET <*>".to_owned(),
            action: action.to_owned(),
            label: Some("spike".to_owned()),
            summary: Some("watching".to_owned()),
            until: until.map(Timestamp),
            commit: CommitId::parse("abcdef1"),
        }
    }

    #[test]
    fn a_batch_that_was_under_way_is_read_after_its_reader_died() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = store(dir.path());
        let (alive, dead) = (Holder::new(dir.path()).unwrap(), Holder::new(dir.path()).unwrap());
        let now = Timestamp(1_000);
        store.begin_reading(&batch("a"), alive.name(), now).unwrap();
        store.begin_reading(&batch("b"), dead.name(), now).unwrap();
        let ended = store.begin_reading(&batch("c"), dead.name(), now).unwrap();
        store.end_reading(ended, &Reading::default(), &[], now).unwrap();
        drop(dead);
        let taken = store.take_over_readings(now).unwrap();
        assert_eq!(taken, [batch("b")]);
        assert!(store.take_over_readings(now).unwrap().is_empty());
        drop(alive);
        let late = now.plus(STALE);
        assert!(store.take_over_readings(late).unwrap().is_empty(), "no news any more");
    }

    #[test]
    fn verdicts_are_kept_with_how_they_were_made_and_end_at_their_time() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = store(dir.path());
        let now = Timestamp(1_000);
        let id = store.begin_reading(&batch("shop"), "x", now).unwrap();
        let reading = Reading {
            owner: "team".to_owned(),
            model: "m".to_owned(),
            prompt_hash: "ab".to_owned(),
            prompt_chars: 4_000,
            prompt_tokens: 900,
            answer_tokens: 40,
            millis: 1_500,
            answer: "{}".to_owned(),
            fault: None,
        };
        let rows = [verdict("watch", None), verdict("ignore", Some(5_000))];
        store.end_reading(id, &reading, &rows, now).unwrap();
        let past = store.past_verdicts("team").unwrap();
        assert_eq!(past.len(), 2);
        assert_eq!(past[1].verdict, rows[0]);
        assert_eq!((&past[1].reading, past[1].made), (&reading, now));
        assert!(store.past_verdicts("other team").unwrap().is_empty());
        assert_eq!(store.settled("shop", Timestamp(4_999)).unwrap(), [rows[1].clone()]);
        assert!(store.settled("shop", Timestamp(5_000)).unwrap().is_empty());
        store.unsettle("shop", TemplateId::new(7), Timestamp(2_000)).unwrap();
        assert!(store.settled("shop", Timestamp(2_000)).unwrap().is_empty());
        assert!(store.past_verdicts("team").unwrap()[0].rose);
        assert_eq!(store.readings(10).unwrap(), [("shop".to_owned(), reading)]);
    }
}
