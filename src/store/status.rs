//! What `status` shows: counters that every instance leaves behind, incidents by status, deploys. Kept
//! in the store, so that it can be read after the host has gone.

use crate::model::{Status, Timestamp};
use crate::rate::Deploy;
use crate::store::error::Error;
use crate::store::{Spent, Store, StormState, TallyRow, rows};
use rusqlite::params;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Rows of instances that were not seen for this long are folded into one.
const FOLD_AFTER: Duration = Duration::from_secs(24 * 3600);
const FOLDED: &str = "earlier";

/// The counters that are levels of the moment, not sums: those of the dead do not count.
const LEVELS: [&str; 6] = [
    "queue_bytes",
    "templates",
    "watches",
    "memory_bytes",
    "news_waiting",
    "watches_too_broad",
];

/// The state of everything in one `State_Dir`.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusReport {
    /// Sums over all instances, by name.
    pub counters: BTreeMap<String, u64>,
    /// Number of incidents by status; only those that occur.
    pub incidents: Vec<(Status, u64)>,
    /// New incidents that the cap refused, by service.
    pub capped: Vec<(String, u64)>,
    /// Rollouts with their verdicts, newest first, by service.
    pub deploys: Vec<(String, Deploy)>,
    /// The newest storm of each owner.
    pub storms: Vec<StormState>,
    /// On models that investigate, ever.
    pub spent: Spent,
    /// The same today (UTC), by owner and service.
    pub today: Vec<(String, String, Spent)>,
    /// What was asked for to bring services back, by verb, caller and outcome.
    pub acts: Vec<TallyRow>,
    /// When an instance last wrote its counters.
    pub updated: Option<Timestamp>,
}

impl StatusReport {
    /// The object of `status --json`; stable.
    pub fn to_json(&self) -> Value {
        let counter = |name: &str| self.counters.get(name).copied().unwrap_or(0);
        let incidents: Map<String, Value> = self
            .incidents
            .iter()
            .map(|(status, count)| (status.word().to_owned(), json!(count)))
            .collect();
        let of = |names: &[&str]| -> Map<String, Value> {
            names
                .iter()
                .map(|name| ((*name).to_owned(), json!(counter(name))))
                .collect()
        };
        let capped: Map<String, Value> = self
            .capped
            .iter()
            .map(|(service, count)| (service.clone(), json!(count)))
            .collect();
        json!({
            "records": {
                "seen": counter("records_seen"),
                "dropped": counter("records_dropped"),
            },
            "incidents": incidents,
            "lanes": {
                "fast": of(&["chunks_seen", "chunks_dropped", "bytes_dropped", "queue_bytes",
                    "decode_faults", "cut_by_limit", "traces", "templates", "watches",
                    "watches_fired", "windows_dropped", "memory_bytes", "notes_dropped", "panics"]),
                "triage": of(&["signals", "signals_dropped", "events", "events_refused",
                    "events_dropped", "incidents_capped", "store_faults"]),
                "reader": of(&["news_waiting", "news_dropped", "entries_read", "entries_given_up",
                    "triage_requests", "triage_characters", "triage_tokens", "triage_failed",
                    "watches_refused", "watches_too_broad"]),
                "slow": of(&["investigations", "proposals", "postponed"]),
            },
            "capped": capped,
            "deploys": self.deploys.iter().map(of_deploy).collect::<Vec<_>>(),
            "storms": self.storms.iter().map(of_storm).collect::<Vec<_>>(),
            "spend": {
                "usd": self.spent.usd.as_f64(),
                "tokens": self.spent.tokens,
                "today": self.today.iter().map(of_spend).collect::<Vec<_>>(),
            },
            "acts": self.acts.iter().map(|row| json!({
                "verb": row.verb,
                "caller": row.caller,
                "outcome": row.outcome,
                "count": row.count,
            })).collect::<Vec<_>>(),
            "updated": self.updated.map(Timestamp::to_rfc3339),
        })
    }
}

impl Store {
    /// Leaves an instance's counters in the store.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn save_counters(
        &mut self,
        instance: &str,
        counters: &[(&'static str, u64)],
        now: Timestamp,
    ) -> Result<(), Error> {
        let map: BTreeMap<&str, u64> = counters.iter().copied().collect();
        let json = rows::to_json(&map)?;
        let tx = self.begin()?;
        tx.execute(
            "INSERT INTO counters (instance, updated, json) VALUES (?1, ?2, ?3)
             ON CONFLICT (instance) DO UPDATE SET updated = ?2, json = ?3",
            params![instance, now.0, json],
        )?;
        fold(&tx, now)?;
        tx.commit()?;
        self.drain_journal()
    }

    /// Everything that `status` shows.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn status(&self, now: Timestamp) -> Result<StatusReport, Error> {
        let (mut counters, mut updated) = (BTreeMap::new(), None);
        for (_, at, map) in counter_rows(&self.db)? {
            updated = updated.max(Some(at));
            add(&mut counters, map);
        }
        let mut by_status = self
            .db
            .prepare("SELECT status, count(*) FROM incidents GROUP BY status")?;
        let by_status = by_status.query_map([], |row| {
            let word: String = row.get(0)?;
            let count: i64 = row.get(1)?;
            Ok((Status::from_word(&word), u64::try_from(count).unwrap_or(0)))
        })?;
        let mut incidents: Vec<(Status, u64)> = by_status
            .filter_map(|row| {
                row.map(|(status, count)| Some((status?, count)))
                    .transpose()
            })
            .collect::<Result<_, _>>()?;
        incidents.sort_by_key(|(status, _)| *status as u8);
        let mut capped = self
            .db
            .prepare("SELECT service, count FROM capped ORDER BY count DESC LIMIT 50")?;
        let capped = capped.query_map([], |row| {
            let count: i64 = row.get(1)?;
            Ok((row.get(0)?, u64::try_from(count).unwrap_or(0)))
        })?;
        Ok(StatusReport {
            counters,
            incidents,
            capped: capped.collect::<Result<_, _>>()?,
            deploys: self.deploys()?,
            storms: self.storms()?,
            spent: self.spent_ever()?,
            today: self.spent_today(now)?,
            acts: self.act_counts()?,
            updated,
        })
    }
}

fn of_spend((owner, service, spent): &(String, String, Spent)) -> Value {
    json!({
        "owner": owner,
        "service": service,
        "usd": spent.usd.as_f64(),
        "tokens": spent.tokens,
        "calls": spent.calls,
    })
}

fn of_storm(storm: &StormState) -> Value {
    json!({
        "owner": storm.owner,
        "parent": storm.parent,
        "faults": storm.faults,
        "waiting": storm.waiting,
        "last": storm.last.to_rfc3339(),
    })
}

fn of_deploy((service, deploy): &(String, Deploy)) -> Value {
    json!({
        "service": service,
        "old": deploy.old,
        "new": deploy.new,
        "verdict": deploy.verdict,
        "over": deploy.over,
        "started": deploy.started().to_rfc3339(),
        "until": deploy.until().to_rfc3339(),
        "before": deploy.before,
        "after": deploy.after,
        "new_errors": deploy.new_errors,
    })
}

type CounterRow = (String, Timestamp, BTreeMap<String, u64>);

fn counter_rows(db: &rusqlite::Connection) -> Result<Vec<CounterRow>, Error> {
    let mut all = db.prepare("SELECT instance, updated, json FROM counters")?;
    let all = all.query_map([], |row| {
        Ok((
            row.get(0)?,
            Timestamp(row.get(1)?),
            row.get::<_, String>(2)?,
        ))
    })?;
    all.map(|row| {
        let (instance, updated, json) = row?;
        let map = rows::from_json(Some(json))?.unwrap_or_default();
        Ok((instance, updated, map))
    })
    .collect()
}

fn add(sums: &mut BTreeMap<String, u64>, map: BTreeMap<String, u64>) {
    for (name, value) in map {
        let sum: &mut u64 = sums.entry(name).or_default();
        *sum = sum.saturating_add(value);
    }
}

/// Every start adds a row: old ones become one sum, so that the table stays small.
fn fold(tx: &rusqlite::Transaction<'_>, now: Timestamp) -> Result<(), Error> {
    let limit = now.minus(FOLD_AFTER);
    let all = counter_rows(tx)?;
    let old = |row: &&CounterRow| row.0 != FOLDED && row.1 < limit;
    if !all.iter().any(|row| old(&row)) {
        return Ok(());
    }
    let (mut sums, mut newest) = (BTreeMap::new(), Timestamp::default());
    for row in all.iter().filter(|row| row.0 == FOLDED || old(row)) {
        newest = newest.max(row.1);
        add(&mut sums, row.2.clone());
    }
    for level in LEVELS {
        sums.remove(level);
    }
    tx.execute(
        "DELETE FROM counters WHERE updated < ?1 OR instance = ?2",
        params![limit.0, FOLDED],
    )?;
    tx.execute(
        "INSERT INTO counters (instance, updated, json) VALUES (?1, ?2, ?3)",
        params![FOLDED, newest.0, rows::to_json(&sums)?],
    )?;
    Ok(())
}
