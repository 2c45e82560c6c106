//! What a model is to be shown and what it answered: news until they are read, so that a restart
//! loses none, and each verdict with what became of it. What a verdict means is for triage.

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

impl VerdictRow {
    /// Whether it is an `ignore` that holds for a record of `commit` at this moment of the wall
    /// clock: what another commit logs may mean something else.
    pub fn holds(&self, commit: Option<&CommitId>, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now < until) && self.commit.as_ref() == commit
    }
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
    /// Keeps the news of a service that wait to be read, in place of those before; none: nothing
    /// waits any more.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn save_unread(
        &mut self,
        holder: &str,
        service: &str,
        batch: Option<&Batch>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(batch) = batch else {
            self.db
                .prepare_cached("DELETE FROM unread WHERE holder = ?1 AND service = ?2")?
                .execute([holder, service])?;
            return Ok(());
        };
        self.db
            .prepare_cached(
                "INSERT INTO unread (holder, service, batch, made) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (holder, service) DO UPDATE SET batch = ?3, made = ?4",
            )?
            .execute(params![holder, service, rows::to_json(batch)?, now.0])?;
        Ok(())
    }

    /// Takes over the news that processes left unread that are gone. What waited for a day is no
    /// news any more.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn take_over_unread(&mut self, now: Timestamp) -> Result<Vec<Batch>, Error> {
        let dir = self.dir.clone();
        let tx = self.begin()?;
        let mut batches = Vec::new();
        for (holder, made, batch) in unread(&tx)? {
            if holder::is_alive(&dir, &holder) {
                continue;
            }
            tx.prepare_cached("DELETE FROM unread WHERE holder = ?1")?
                .execute([holder])?;
            if now.since(made) < STALE
                && let Some(batch) = rows::from_json(Some(batch))?
            {
                batches.push(batch);
            }
        }
        tx.commit()?;
        Ok(batches)
    }

    /// Keeps how a reading ended, and its verdicts.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn save_reading(
        &mut self,
        service: &str,
        reading: &Reading,
        verdicts: &[VerdictRow],
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        tx.prepare_cached(
            "INSERT INTO readings (service, made, owner, model, prompt_hash, prompt_chars,
             prompt_tokens, answer_tokens, millis, answer, fault)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            service,
            now.0,
            reading.owner,
            reading.model,
            reading.prompt_hash,
            rows::number(reading.prompt_chars),
            rows::number(reading.prompt_tokens),
            rows::number(reading.answer_tokens),
            rows::number(reading.millis),
            reading.answer,
            reading.fault,
        ])?;
        let id = tx.last_insert_rowid();
        for verdict in verdicts {
            insert(&tx, id, verdict, now)?;
        }
        tx.prepare_cached(
            "DELETE FROM readings WHERE id IN
                 (SELECT id FROM readings ORDER BY id DESC LIMIT -1 OFFSET ?1)",
        )?
        .execute([KEPT])?;
        tx.commit()?;
        Ok(())
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
        let sql = format!(
            "SELECT {VERDICT} FROM verdicts WHERE service = ?1 AND until > ?2
             ORDER BY id DESC LIMIT 10000"
        );
        let mut all = self.db.prepare_cached(&sql)?;
        let all = all.query_map(params![service, now.0], verdict)?;
        all.map(|row| whole(row?)).collect()
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
             ORDER BY id DESC LIMIT ?1",
        )?;
        let all = all.query_map([most], |row| Ok((row.get(0)?, reading(row, 1)?)))?;
        Ok(all.collect::<Result<_, _>>()?)
    }
}

fn unread(db: &Connection) -> Result<Vec<(String, Timestamp, String)>, Error> {
    let mut all = db.prepare_cached("SELECT holder, made, batch FROM unread ORDER BY made")?;
    let all = all.query_map([], |row| {
        Ok((row.get(0)?, Timestamp(row.get(1)?), row.get(2)?))
    })?;
    Ok(all.collect::<Result<_, _>>()?)
}

fn insert(db: &Connection, reading: i64, row: &VerdictRow, now: Timestamp) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO verdicts (reading, service, template, facets, text, action, label, summary,
         until, commit_id, made) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        reading,
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
        "SELECT {VERDICT}, verdicts.made,
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
        let status: Option<String> = row.get(11)?;
        let fired: Option<i64> = row.get(10)?;
        let (verdict, facets) = verdict(row)?;
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
        let (past, facets) = row?;
        let verdict = whole((past.verdict, facets))?;
        found.push(PastVerdict { verdict, ..past });
    }
    Ok(found)
}

/// The columns that [`verdict`] reads, in its order.
const VERDICT: &str = "verdicts.service, verdicts.template, verdicts.facets, verdicts.text,
    verdicts.action, verdicts.label, verdicts.summary, verdicts.until, verdicts.commit_id";

/// A verdict, and the JSON of its few-valued fields, for [`whole`].
fn verdict(row: &rusqlite::Row<'_>) -> rusqlite::Result<(VerdictRow, String)> {
    let template: String = row.get(1)?;
    let commit: Option<String> = row.get(8)?;
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
    Ok((verdict, row.get(2)?))
}

fn whole((verdict, facets): (VerdictRow, String)) -> Result<VerdictRow, Error> {
    let facets = rows::from_json(Some(facets))?.unwrap_or_default();
    Ok(VerdictRow { facets, ..verdict })
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
    fn an_ignore_holds_for_its_time_and_commit() {
        let (ignore, commit) = (verdict("ignore", Some(10)), CommitId::parse("abcdef1"));
        assert!(ignore.holds(commit.as_ref(), Timestamp(9)));
        assert!(!ignore.holds(commit.as_ref(), Timestamp(10)));
        assert!(!ignore.holds(None, Timestamp(9)));
    }

    #[test]
    fn what_a_dead_process_left_unread_is_taken_over_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = store(dir.path());
        let holder = || Holder::new(dir.path()).unwrap();
        let (alive, dead) = (holder(), holder());
        let now = Timestamp(1_000);
        let mut save = |name: &str, service: &str, batch: Option<&Batch>| {
            store.save_unread(name, service, batch, now).unwrap();
        };
        save(alive.name(), "a", Some(&batch("a")));
        save(dead.name(), "b", Some(&batch("b")));
        save(dead.name(), "c", Some(&batch("c")));
        save(dead.name(), "c", None);
        drop(dead);
        assert_eq!(store.take_over_unread(now).unwrap(), [batch("b")]);
        assert!(store.take_over_unread(now).unwrap().is_empty());
        drop(alive);
        let late = now.plus(STALE);
        let taken = store.take_over_unread(late).unwrap();
        assert!(taken.is_empty(), "no news any more");
    }

    #[test]
    fn verdicts_are_kept_with_how_they_were_made_and_end_at_their_time() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = store(dir.path());
        let now = Timestamp(1_000);
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
        store.save_reading("shop", &reading, &rows, now).unwrap();
        let past = store.past_verdicts("team").unwrap();
        assert_eq!(past.len(), 2);
        assert_eq!(past[1].verdict, rows[0]);
        assert_eq!((&past[1].reading, past[1].made), (&reading, now));
        assert!(store.past_verdicts("other team").unwrap().is_empty());
        assert_eq!(
            store.settled("shop", Timestamp(4_999)).unwrap(),
            [rows[1].clone()]
        );
        assert!(store.settled("shop", Timestamp(5_000)).unwrap().is_empty());
        store
            .unsettle("shop", TemplateId::new(7), Timestamp(2_000))
            .unwrap();
        assert!(store.settled("shop", Timestamp(2_000)).unwrap().is_empty());
        assert!(store.past_verdicts("team").unwrap()[0].rose);
        assert_eq!(store.readings(10).unwrap(), [("shop".to_owned(), reading)]);
    }
}
