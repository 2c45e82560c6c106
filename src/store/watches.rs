//! The table of watches: what each instance's engine counted, for `autofix watches` and for the
//! next process. Not here: what a watch means.

use crate::model::{Status, Timestamp};
use crate::store::error::Error;
use crate::store::{Store, rows};
use crate::watch::{Owner, Refusal, Scope, Watch, WatchState};
use rusqlite::{Connection, params};

/// Watches of models that are kept.
const MOST_OF_MODELS: i64 = 2_000;

/// A watch as instances left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchRow {
    /// Twelve hexadecimal digits.
    pub id: String,
    /// `None`: everywhere.
    pub service: Option<String>,
    pub label: String,
    pub owner: Owner,
    /// As it is written in a team's file.
    pub json: String,
    /// Wall clock.
    pub installed: Timestamp,
    /// Wall clock.
    pub expires: Option<Timestamp>,
    /// Records matched: to be added when saved, the sum when read.
    pub matched: u64,
    /// The same for how often it fired.
    pub fired: u64,
    /// Event time.
    pub last_fired: Option<Timestamp>,
    /// Incidents that were found right: proposed, reported, delivered, merged or resolved.
    /// Ignored when saved.
    pub right: u64,
    /// Incidents that were rejected or muted. Ignored when saved.
    pub wrong: u64,
    /// To be taken out when saved; never set when read.
    pub gone: bool,
}

impl From<WatchState> for WatchRow {
    fn from(state: WatchState) -> WatchRow {
        let service = match state.scope {
            Scope::Everywhere => None,
            Scope::Service(name) => Some(name),
        };
        WatchRow {
            id: state.id,
            service,
            label: state.label,
            owner: state.owner,
            json: state.json,
            installed: state.installed,
            expires: state.expires,
            matched: state.matched,
            fired: state.fired,
            last_fired: state.last_fired,
            right: 0,
            wrong: 0,
            gone: state.gone,
        }
    }
}

impl WatchRow {
    /// The watch itself, to be installed again: that of a model outlives the process.
    ///
    /// # Errors
    /// It was written by another version that allowed what this one refuses.
    pub fn restore(&self) -> Result<Watch, Refusal> {
        let watch = Watch::parse(&self.json, self.owner, self.installed)?;
        Ok(Watch {
            expires: self.expires,
            ..watch
        })
    }
}

/// Statuses of incidents that were found right, and wrong; the others are undecided.
const RIGHT: [Status; 5] = [
    Status::Proposed,
    Status::Reported,
    Status::Delivered,
    Status::Merged,
    Status::Resolved,
];
const WRONG: [Status; 2] = [Status::Rejected, Status::Muted];

impl Store {
    /// Adds what engines counted since they last reported.
    ///
    /// # Errors
    /// When the store cannot be written; nothing was then.
    pub fn save_watches(&mut self, rows: &[WatchRow]) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let tx = self.begin()?;
        for row in rows {
            save(&tx, row)?;
        }
        if rows.iter().any(|row| row.owner == Owner::Model) {
            forget_expired(&tx)?;
        }
        for row in rows.iter().filter(|row| row.fired > 0) {
            let (right, _) = judged(&tx, row)?;
            tx.prepare_cached(
                "UPDATE watches SET found_right = max(found_right, ?2) WHERE id = ?1",
            )?
            .execute(params![row.id, rows::number(right)])?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Every watch that is known, by owner and label.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn watches(&self) -> Result<Vec<WatchRow>, Error> {
        let mut rows = self.db.prepare(
            "SELECT id, service, label, owner, json, installed, expires, matched, fired,
             last_fired, found_right FROM watches ORDER BY owner, label, service",
        )?;
        let rows = rows.query_map([], |row| {
            let owner: String = row.get(3)?;
            Ok(WatchRow {
                id: row.get(0)?,
                service: row.get(1)?,
                label: row.get(2)?,
                owner: Owner::from_word(&owner).unwrap_or(Owner::Team),
                json: row.get(4)?,
                installed: Timestamp(row.get(5)?),
                expires: row.get::<_, Option<i64>>(6)?.map(Timestamp),
                matched: row.get::<_, i64>(7)?.unsigned_abs(),
                fired: row.get::<_, i64>(8)?.unsigned_abs(),
                last_fired: row.get::<_, Option<i64>>(9)?.map(Timestamp),
                right: row.get::<_, i64>(10)?.unsigned_abs(),
                wrong: 0,
                gone: false,
            })
        })?;
        let mut rows: Vec<WatchRow> = rows.collect::<Result<_, _>>()?;
        for row in rows.iter_mut().filter(|row| row.fired > 0) {
            let (right, wrong) = judged(&self.db, row)?;
            row.right = row.right.max(right);
            row.wrong = wrong;
        }
        Ok(rows)
    }
}

fn save(db: &Connection, row: &WatchRow) -> Result<(), Error> {
    if row.gone {
        db.prepare_cached("DELETE FROM watches WHERE id = ?1")?
            .execute([&row.id])?;
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO watches VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0)
         ON CONFLICT (id) DO UPDATE SET json = ?5, expires = ?7, matched = matched + ?8,
         fired = fired + ?9, last_fired = max(coalesce(last_fired, ?10), coalesce(?10, last_fired))",
    )?
    .execute(params![
        row.id,
        row.service,
        row.label,
        row.owner.word(),
        row.json,
        row.installed.0,
        row.expires.map(|at| at.0),
        rows::number(row.matched),
        rows::number(row.fired),
        row.last_fired.map(|at| at.0),
    ])?;
    Ok(())
}

/// Watches of models stay after their end, to be promoted, but not without bound.
fn forget_expired(db: &Connection) -> Result<(), Error> {
    db.prepare_cached(
        "DELETE FROM watches WHERE owner = 'model' AND id NOT IN
         (SELECT id FROM watches WHERE owner = 'model' ORDER BY expires DESC LIMIT ?1)",
    )?
    .execute([MOST_OF_MODELS])?;
    Ok(())
}

/// Incidents of a watch that were found right and wrong.
fn judged(db: &Connection, row: &WatchRow) -> Result<(u64, u64), Error> {
    let mut found = db.prepare_cached(
        "SELECT status, count(*) FROM incidents
         WHERE watch = ?1 AND (?2 IS NULL OR service = ?2) GROUP BY status",
    )?;
    let found = found.query_map(params![row.label, row.service], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    let (mut right, mut wrong) = (0, 0);
    for pair in found {
        let (word, count) = pair?;
        match Status::from_word(&word) {
            Some(status) if RIGHT.contains(&status) => right += count.unsigned_abs(),
            Some(status) if WRONG.contains(&status) => wrong += count.unsigned_abs(),
            _ => {}
        }
    }
    Ok((right, wrong))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident;
    use crate::store::Limits;
    use crate::watch::{Caps, Engine};

    const fn limits() -> Limits {
        Limits {
            admission: incident::Limits {
                dedup_window: std::time::Duration::from_secs(3600),
                new_per_service_hour: 100,
                new_per_service_wall_hour: 100,
                storms: false,
            },
            bytes: 64 << 20,
        }
    }

    const JSON: &str =
        r#"{"label":"a","match":{"field":"n","eq":1},"window_seconds":60,"threshold":1}"#;

    #[test]
    fn counts_add_up_over_processes_and_what_is_gone_goes() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("state"), limits()).unwrap();
        let now = Timestamp(5);
        let mut engine = Engine::with_built_in(Caps::default());
        let of = |owner| Watch::parse(JSON, owner, now).unwrap();
        engine.install(of(Owner::Model), now).unwrap();
        engine.replace_team(vec![of(Owner::Team)]).unwrap();
        let rows: Vec<WatchRow> = engine.report().into_iter().map(WatchRow::from).collect();
        store.save_watches(&rows).unwrap();
        let saved = |store: &Store| {
            let rows = store.watches().unwrap();
            let row = |row: &WatchRow| (row.owner.word(), row.matched, row.fired, row.last_fired);
            rows.iter().map(row).collect::<Vec<_>>()
        };
        let new = ["built-in", "model", "team"].map(|owner| (owner, 0, 0, None));
        assert_eq!(saved(&store), new);
        let model = rows.iter().find(|row| row.owner == Owner::Model).unwrap();
        for (matched, fired, last) in [(7, 1, Some(9)), (2, 1, Some(4)), (1, 0, None)] {
            let last_fired = last.map(Timestamp);
            let row = WatchRow {
                matched,
                fired,
                last_fired,
                ..model.clone()
            };
            store.save_watches(&[row]).unwrap();
        }
        assert_eq!(saved(&store)[1], ("model", 10, 2, Some(Timestamp(9))));
        let again = store.watches().unwrap()[1].restore().unwrap();
        assert_eq!(again.expires, model.expires);
        engine.replace_team(Vec::new()).unwrap();
        let rows: Vec<WatchRow> = engine.report().into_iter().map(WatchRow::from).collect();
        store.save_watches(&rows).unwrap();
        assert_eq!(saved(&store).len(), 2);
    }
}
