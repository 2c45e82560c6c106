//! The store: incidents and everything known about them, in one SQLite file per `State_Dir`,
//! shared by every lane, instance and process. It performs what the brain decided and decides
//! nothing itself; the clock comes in as a value.

mod beside;
mod bound;
mod conversation;
mod deploys;
mod error;
mod fixes;
mod holder;
mod journal;
mod learnt;
mod lease;
mod mutes;
mod notices;
pub mod place;
mod platform;
mod pull_rows;
mod pulls;
mod readings;
mod recovery;
mod room;
mod rows;
mod schema;
mod spend;
mod status;
mod storm;
mod watches;

pub use error::{Error, ErrorKind};
pub use fixes::Returned;
pub use holder::Holder;
pub use learnt::Learnt;
pub use lease::{Ending, Lease, TERM, Want};
pub use mutes::Mute;
pub use notices::{Notice, NoticeLease, Waiting};
pub use pulls::{PullLease, PullRow};
pub use readings::{PastVerdict, Reading, VerdictRow};
pub use recovery::{
    ActionLease, AuditEntry, AuditFault, Claimed, Head, Next, TallyRow, WatchLease, Watching,
};
pub use rows::{Event, Occurrence};
pub use spend::{Booked, Booking, OverBudget, Spent, Tokens};
pub use status::StatusReport;
pub use storm::StormState;
pub use watches::WatchRow;

use crate::incident::{self, Effect, Known, Recent};
use crate::model::notify::NoticeEvent;
use crate::model::service::Fixer;
use crate::model::{Incident, IncidentId, Settings, Signal, Status, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a writer waits for another one.
const BUSY: Duration = Duration::from_secs(5);

/// What the store may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub admission: incident::Limits,
    /// Bytes of the database, at most.
    pub bytes: u64,
}

/// What became of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    New(IncidentId),
    /// One more occurrence of a known incident.
    Again(IncidentId),
    /// A new one over the limit; counted.
    Capped,
}

/// One connection to the store of a `State_Dir`. Every lane has its own.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    dir: PathBuf,
    limits: Limits,
    redactors: journal::Redactors,
}

impl Store {
    /// Opens the store of a folder, which is made where it is missing.
    ///
    /// # Errors
    /// When the folder is not safe or cannot be used; the text holds the remedy.
    pub fn open(dir: &Path, limits: Limits) -> Result<Store, Error> {
        place::prepare(dir)?;
        let path = dir.join(place::DATABASE);
        // Made before SQLite makes it, so that it and its log are private from the start.
        place::private_file(&path)
            .and_then(|file| file.set_permissions(fs::Permissions::from_mode(0o600)))
            .map_err(|e| Error::io(format!("{}", path.display()), e))?;
        let mut db = Connection::open_with_flags(
            &path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        db.busy_timeout(BUSY)?;
        let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            let what = format!(
                "State_Dir {} cannot hold a write-ahead log (SQLite stays in mode {mode}); use a \
                 local disk",
                dir.display()
            );
            return Err(Error::new(ErrorKind::Place, what));
        }
        // What is committed survives the process. A new incident also survives the machine,
        // because a checkpoint follows it; a crash loop need not wait for the disk each time.
        db.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;")?;
        schema::migrate(&mut db)?;
        let page: i64 = db.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let pages = limits.bytes / u64::try_from(page).unwrap_or(4096).max(512);
        db.pragma_update(None, "max_page_count", pages.clamp(64, 1 << 31) as i64)?;
        Ok(Store {
            db,
            dir: dir.to_owned(),
            limits,
            redactors: journal::Redactors::default(),
        })
    }

    /// Opens a store that is there already, to look at it or to work on it.
    ///
    /// # Errors
    /// `Missing` when there is none.
    pub fn open_existing(dir: &Path, limits: Limits) -> Result<Store, Error> {
        if dir.join(place::DATABASE).exists() {
            return Store::open(dir, limits);
        }
        let what = format!(
            "there is no autofix store in {}; name the State_Dir with --state",
            dir.display()
        );
        Err(Error::new(ErrorKind::Missing, what))
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Takes a signal in: the brain decides, in the transaction that writes what it decided.
    ///
    /// # Errors
    /// When it cannot be written; nothing was then.
    pub fn record(&mut self, signal: &Signal, now: Timestamp) -> Result<Outcome, Error> {
        self.record_times(signal, 1, signal.last, now)
    }

    /// The same for a fault that was seen `times`, the last time at `last` (event time).
    ///
    /// # Errors
    /// When it cannot be written; nothing was then.
    pub fn record_times(
        &mut self,
        signal: &Signal,
        times: u64,
        last: Timestamp,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let done = loop {
            match self.try_record(signal, times, last, now) {
                Err(fault) if fault.kind == ErrorKind::Full && self.prune()? => {}
                done => break done?,
            }
        };
        if let Outcome::New(_) = done {
            // The log is synced first. Where a reader holds it up the next one carries it.
            let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
            let _ = self.db.query_row(checkpoint, [], |_| Ok(()));
        }
        // What is committed is done; lines that cannot be written now wait, and the next tick
        // of the triage lane tries again and says so.
        let _ = self.drain_journal();
        Ok(done)
    }

    fn try_record(
        &mut self,
        signal: &Signal,
        times: u64,
        last: Timestamp,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        let fingerprint = incident::fingerprint(signal);
        let (limits, bytes) = (self.limits.admission, self.limits.bytes);
        let tx = self.begin()?;
        let muted = mutes::holds(&tx, &signal.service, &fingerprint, now)?;
        let known = known(&tx, signal, &fingerprint, muted)?;
        let recent = recent(&tx, signal, now)?;
        let mut effect = incident::admit(&known, signal.time, recent, &limits);
        if let (Effect::Open { .. }, false) = (&effect, muted)
            && let Some(id) = platform::take_over(&tx, signal, &fingerprint, now)?
        {
            effect = Effect::Append(id);
        }
        let (outcome, id, count) = match effect {
            Effect::Append(id) => {
                let count = append(&tx, id, signal, times, last)?;
                (Outcome::Again(id), id, count)
            }
            Effect::Open { previous } => {
                room::check(&tx, bytes)?;
                let id = rows::insert(&tx, signal, &fingerprint, previous, now)?;
                rows::event(&tx, id, now, "open", &signal.reason)?;
                if times > 1 || last > signal.time {
                    append(&tx, id, signal, times - 1, last)?;
                }
                if muted {
                    mutes::begin_muted(&tx, id, now)?;
                } else {
                    if limits.storms {
                        storm::take(&tx, id, signal, now)?;
                    }
                    notices::put(&tx, id, NoticeEvent::Incident, now)?;
                }
                (Outcome::New(id), id, times)
            }
            Effect::Capped => {
                tx.execute(
                    "INSERT INTO capped (service, count, last) VALUES (?1, 1, ?2)
                     ON CONFLICT (service) DO UPDATE SET count = count + 1, last = ?2",
                    params![signal.service, now.0],
                )?;
                tx.commit()?;
                return Ok(Outcome::Capped);
            }
        };
        rows::occurrence(&tx, id, signal)?;
        if worth_a_line(&outcome, count)
            && let Some(incident) = rows::incident(&tx, id)?
        {
            journal::put(&tx, &incident, now)?;
        }
        tx.commit()?;
        Ok(outcome)
    }

    /// All incidents, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn incidents(&self) -> Result<Vec<Incident>, Error> {
        rows::incidents(&self.db)
    }

    /// The newest incidents of a service, newest first; with one status, or with any.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn newest_incidents(
        &self,
        service: &str,
        status: Option<Status>,
        most: usize,
    ) -> Result<Vec<Incident>, Error> {
        rows::newest_incidents(&self.db, service, status, most)
    }

    /// # Errors
    /// When the store cannot be read.
    pub fn incident(&self, id: IncidentId) -> Result<Option<Incident>, Error> {
        rows::incident(&self.db, id)
    }

    /// What happened to an incident, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn events(&self, id: IncidentId) -> Result<Vec<Event>, Error> {
        rows::events(&self.db, id)
    }

    /// The newest times that it was seen, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn occurrences(&self, id: IncidentId) -> Result<Vec<Occurrence>, Error> {
        rows::occurrences(&self.db, id)
    }

    /// How often work on it was begun.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn tries(&self, id: IncidentId) -> Result<u32, Error> {
        let tries = self
            .db
            .query_row("SELECT tries FROM incidents WHERE id = ?1", [id.0], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(tries.unwrap_or(0))
    }

    /// Diffs proposed since a moment of the wall clock.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn proposals_since(&self, since: Timestamp) -> Result<u32, Error> {
        let count = self.db.query_row(
            "SELECT count(*) FROM events WHERE what = ?1 AND time >= ?2",
            params![Status::Proposed.word(), since.0],
            |row| row.get(0),
        )?;
        Ok(count)
    }

    /// Adds a sentence to an incident's history.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note(
        &mut self,
        id: IncidentId,
        what: &str,
        detail: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        rows::event(&self.db, id, now, what, detail)
    }

    /// Keeps what holds for a service, for whoever finishes its incidents.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn save_settings(&mut self, settings: &Settings) -> Result<(), Error> {
        let off = settings.fixer == Fixer::Off || settings.verify;
        let tx = self.begin()?;
        tx.execute(
            "INSERT INTO settings (service, fixer_off, json) VALUES (?1, ?2, ?3)
             ON CONFLICT (service) DO UPDATE SET fixer_off = ?2, json = ?3",
            params![settings.service, off, rows::to_json(settings)?],
        )?;
        recovery::keep_watched(&tx, &settings.service, settings.recovery.is_some())?;
        Ok(tx.commit()?)
    }

    /// What was kept for a service.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn settings(&self, service: &str) -> Result<Option<Settings>, Error> {
        let json = self
            .db
            .query_row(
                "SELECT json FROM settings WHERE service = ?1",
                [service],
                |row| row.get(0),
            )
            .optional()?;
        rows::from_json(json)
    }

    /// What was kept for every service, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn services(&self) -> Result<Vec<Settings>, Error> {
        let sql = "SELECT json FROM settings ORDER BY service";
        let mut all = self.db.prepare_cached(sql)?;
        let all = all.query_map([], |row| row.get(0))?;
        let all = all.map(|json| rows::from_json(json?));
        let all: Vec<Option<Settings>> = all.collect::<Result<_, Error>>()?;
        Ok(all.into_iter().flatten().collect())
    }

    /// Writes to `incidents.jsonl` what waits for it.
    ///
    /// # Errors
    /// When the file cannot be written; the lines wait on.
    pub fn drain_journal(&mut self) -> Result<(), Error> {
        journal::drain(&mut self.db, &self.dir, &mut self.redactors)
    }
}

/// A fault seen a million times is no million lines: the first ten, then each power of two.
fn worth_a_line(outcome: &Outcome, count: u64) -> bool {
    matches!(outcome, Outcome::New(_)) || count <= 10 || count.is_power_of_two()
}

/// The newest incidents of the same fault, as they stand for an occurrence: the newest of a muted
/// fault takes it, and one whose fix was merged takes none from a commit with that fix.
fn known(
    tx: &Transaction<'_>,
    signal: &Signal,
    fingerprint: &str,
    muted: bool,
) -> Result<Vec<Known>, Error> {
    let mut rows = tx.prepare_cached(
        "SELECT id, first_seen, last_seen, status FROM incidents
         WHERE service = ?1 AND fingerprint = ?2 ORDER BY id DESC LIMIT 10",
    )?;
    let rows = rows.query_map([&signal.service, fingerprint], |row| {
        let status: String = row.get(3)?;
        Ok(Known {
            id: IncidentId(row.get(0)?),
            first_seen: Timestamp(row.get(1)?),
            last_seen: Timestamp(row.get(2)?),
            status: Status::from_word(&status).unwrap_or(Status::Open),
        })
    })?;
    let mut known: Vec<Known> = rows.collect::<Result<_, _>>()?;
    let merged = |one: &Known| one.status == Status::Merged;
    let fixed = known.iter().any(merged) && fixes::is_fixed(tx, signal, fingerprint)?;
    for one in &mut known {
        if one.status == Status::Muted || (fixed && merged(one)) {
            one.status = Status::Resolved;
        }
    }
    if let (true, Some(newest)) = (muted, known.first_mut()) {
        newest.status = Status::Muted;
    }
    Ok(known)
}

/// New incidents of the signal's service in the last hour, by both clocks.
fn recent(tx: &Transaction<'_>, signal: &Signal, now: Timestamp) -> Result<Recent, Error> {
    let hour = Duration::from_secs(3600);
    let event_hour = tx
        .prepare_cached(
            "SELECT count(*) FROM incidents
             WHERE service = ?1 AND first_seen > ?2 AND first_seen <= ?3",
        )?
        .query_row(
            params![signal.service, signal.time.minus(hour).0, signal.time.0],
            |row| row.get(0),
        )?;
    let wall_hour = tx
        .prepare_cached("SELECT count(*) FROM incidents WHERE service = ?1 AND created > ?2")?
        .query_row(params![signal.service, now.minus(hour).0], |row| row.get(0))?;
    Ok(Recent {
        event_hour,
        wall_hour,
    })
}

/// Counts occurrences; gives how many there are now.
fn append(
    tx: &Transaction<'_>,
    id: IncidentId,
    signal: &Signal,
    times: u64,
    last: Timestamp,
) -> Result<u64, Error> {
    let commit = signal.commit.as_ref().map(crate::model::CommitId::as_str);
    let times = i64::try_from(times).unwrap_or(i64::MAX);
    let count: i64 = tx
        .prepare_cached(
            // Out of order, the newest occurrence's commit stays.
            "UPDATE incidents SET count = count + ?4, first_seen = min(first_seen, ?2),
         commit_id = CASE WHEN ?5 >= last_seen THEN coalesce(?3, commit_id)
                          ELSE coalesce(commit_id, ?3) END,
         last_seen = max(last_seen, ?5) WHERE id = ?1 RETURNING count",
        )?
        .query_row(params![id.0, signal.time.0, commit, times, last.0], |row| {
            row.get(0)
        })?;
    Ok(u64::try_from(count).unwrap_or(0))
}
