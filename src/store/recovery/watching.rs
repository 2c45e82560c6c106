//! Which services' platforms are asked, by whom and when, what they showed last, and how each release
//! ran while it was looked at.

use crate::model::Timestamp;
use crate::model::recovery::State;
use crate::policy::Health;
use crate::store::error::{Error, ErrorKind};
use crate::store::holder::{Holder, is_alive};
use crate::store::{Store, TERM, lease, rows};
use rusqlite::{OptionalExtension, Transaction, params};
use std::time::Duration;

/// Releases of a service whose health is kept.
const RELEASES: i64 = 200;

/// What a platform showed last.
#[derive(Clone, Debug, PartialEq)]
pub struct Watching {
    pub service: String,
    /// `None`: it never answered.
    pub state: Option<State>,
    /// When it last answered.
    pub asked: Option<Timestamp>,
    /// Why it did not answer since.
    pub fault: Option<String>,
    /// Failed tries since the last that worked.
    pub tries: u32,
}

/// The right to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchLease {
    service: String,
    token: i64,
}

/// Has a service's platform asked from now on, or no longer.
pub(super) fn keep(tx: &Transaction<'_>, service: &str, watched: bool) -> Result<(), Error> {
    let sql = match watched {
        true => "INSERT INTO watched (service) VALUES (?1) ON CONFLICT (service) DO NOTHING",
        false => "DELETE FROM watched WHERE service = ?1",
    };
    tx.prepare_cached(sql)?.execute([service])?;
    Ok(())
}

impl Store {
    /// Takes a service whose platform is to be asked now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn claim_watched(
        &mut self,
        holder: &Holder,
        now: Timestamp,
    ) -> Result<Option<(Watching, WatchLease)>, Error> {
        let due: Option<i64> = self
            .db
            .prepare_cached("SELECT min(due) FROM watched")?
            .query_row([], |row| row.get(0))?;
        // Looking takes no lock on the store.
        if due.is_none_or(|due| due > now.0) {
            return Ok(None);
        }
        let dir = self.dir.clone();
        let tx = self.begin()?;
        let due: Vec<(String, Option<String>, i64)> = tx
            .prepare_cached(
                "SELECT service, lease_holder, lease_until FROM watched WHERE due <= ?1
                 ORDER BY due LIMIT 50",
            )?
            .query_map([now.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        for (service, owner, until) in due {
            if owner.is_some_and(|owner| until > now.0 && is_alive(&dir, &owner)) {
                continue;
            }
            let token = lease::next_token(&tx)?;
            tx.execute(
                "UPDATE watched SET lease = ?2, lease_holder = ?3, lease_until = ?4
                 WHERE service = ?1",
                params![service, token, holder.name(), now.plus(TERM).0],
            )?;
            let watching = read(&tx, &service)?;
            tx.commit()?;
            return Ok(watching.map(|watching| (watching, WatchLease { service, token })));
        }
        Ok(None)
    }

    /// Keeps whether the platform answered, and says when it is asked next. What it showed is kept by
    /// [`Store::note_state`].
    ///
    /// # Errors
    /// `LeaseLost` when someone else asks.
    pub fn save_watched(
        &mut self,
        lease: &WatchLease,
        watching: &Watching,
        due: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        let sql = "SELECT lease, lease_until FROM watched WHERE service = ?1
                   AND lease_holder IS NOT NULL";
        if !lease::holds(&tx, sql, &lease.service, lease.token, now)? {
            let what = format!("somebody else asks the platform of {}", lease.service);
            return Err(Error::new(ErrorKind::LeaseLost, what));
        }
        tx.execute(
            "UPDATE watched SET fault = ?2, tries = ?3, due = ?4, lease_holder = NULL,
             lease_until = 0 WHERE service = ?1",
            params![lease.service, watching.fault, watching.tries, due.0],
        )?;
        Ok(tx.commit()?)
    }

    /// Keeps what a platform shows, whoever asked it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_state(
        &mut self,
        service: &str,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.db.execute(
            "UPDATE watched SET state = ?2, asked = ?3 WHERE service = ?1",
            params![service, rows::to_json(state)?, now.0],
        )?;
        Ok(())
    }

    /// The services that a registry gave a policy.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn recovering(&self, registry: &str) -> Result<Vec<String>, Error> {
        let mut all = self.db.prepare_cached(
            "SELECT service FROM watched JOIN settings USING (service)
             WHERE json_extract(json, '$.registry') = ?1",
        )?;
        let all = all.query_map([registry], |row| row.get(0))?;
        Ok(all.collect::<Result<_, _>>()?)
    }

    /// Allows nothing for a service any more.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn end_policy(&mut self, service: &str) -> Result<(), Error> {
        let Some(mut settings) = self.settings(service)? else {
            return Ok(());
        };
        settings.recovery = None;
        self.save_settings(&settings)
    }

    /// What a service's platform showed last.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn watching(&self, service: &str) -> Result<Option<Watching>, Error> {
        read(&self.db, service)
    }

    /// Has a service's platform asked now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn hurry_watched(&mut self, service: &str, now: Timestamp) -> Result<(), Error> {
        self.db.execute(
            "UPDATE watched SET due = min(due, ?2) WHERE service = ?1",
            params![service, now.0],
        )?;
        Ok(())
    }

    /// Keeps how a release ran: `well` since it was last looked at, or not. A look that is longer ago
    /// than `gap` says nothing of the time between.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_release(
        &mut self,
        service: &str,
        release: &str,
        (well, crashes): (bool, usize),
        gap: Duration,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        let newest: Option<String> = tx
            .prepare_cached(
                "SELECT release FROM releases WHERE service = ?1 ORDER BY last DESC LIMIT 1",
            )?
            .query_row([service], |row| row.get(0))
            .optional()?;
        let again = newest.as_deref() == Some(release);
        let gap = i64::try_from(gap.as_nanos()).unwrap_or(i64::MAX);
        let crashes = rows::number(crashes as u64);
        tx.prepare_cached(
            "INSERT INTO releases (service, release, first, last, streak, crashes)
             VALUES (?1, ?2, ?3, ?3, 0, ?6) ON CONFLICT (service, release) DO UPDATE SET
             first = CASE WHEN ?4 THEN first ELSE ?3 END,
             streak = CASE WHEN NOT ?5 THEN 0
                           WHEN ?4 AND ?3 - last <= ?7 THEN streak + max(0, ?3 - last)
                           ELSE streak END,
             last = ?3, crashes = crashes + ?6",
        )?
        .execute(params![service, release, now.0, again, well, crashes, gap])?;
        tx.prepare_cached(
            "DELETE FROM releases WHERE service = ?1 AND last < (SELECT last FROM releases
             WHERE service = ?1 ORDER BY last DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![service, RELEASES])?;
        Ok(tx.commit()?)
    }

    /// How the releases of a service ran, the one that was seen last first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn release_health(&self, service: &str) -> Result<Vec<Health>, Error> {
        let mut all = self.db.prepare_cached(
            "SELECT release, first, last, streak, crashes FROM releases WHERE service = ?1
             ORDER BY last DESC",
        )?;
        let all = all.query_map([service], |row| {
            let (streak, crashes): (i64, i64) = (row.get(3)?, row.get(4)?);
            Ok(Health {
                release: row.get(0)?,
                first: Timestamp(row.get(1)?),
                last: Timestamp(row.get(2)?),
                well_for: Duration::from_nanos(streak.unsigned_abs()),
                crashes: crashes.unsigned_abs(),
            })
        })?;
        Ok(all.collect::<Result<_, _>>()?)
    }
}

fn read(db: &rusqlite::Connection, service: &str) -> Result<Option<Watching>, Error> {
    let found = db
        .prepare_cached("SELECT state, asked, fault, tries FROM watched WHERE service = ?1")?
        .query_row([service], |row| {
            Ok((
                row.get::<_, Option<String>>(0)?,
                row.get::<_, Option<i64>>(1)?,
                row.get(2)?,
                row.get(3)?,
            ))
        })
        .optional()?;
    let Some((state, asked, fault, tries)) = found else {
        return Ok(None);
    };
    Ok(Some(Watching {
        service: service.to_owned(),
        state: rows::from_json(state)?,
        asked: asked.map(Timestamp),
        fault,
        tries,
    }))
}
