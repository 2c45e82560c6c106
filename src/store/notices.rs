//! What people are to be told: a row for a target, an incident and an event, written in the
//! transaction of what happened, and kept after it was sent as the mark that it was told. A row holds
//! no text; what is said is read when a message is made of what waits. Whoever sends a target's
//! message holds its lease.

use crate::model::notify::{NoticeEvent, Target};
use crate::model::service::Redact;
use crate::model::{Incident, IncidentId, Settings, Timestamp};
use crate::store::error::{Error, ErrorKind};
use crate::store::holder::{Holder, is_alive};
use crate::store::{Store, lease, mutes, pull_rows, rows, storm};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::time::Duration;

/// How long a lease lasts; longer than the deadline of one message.
const TERM: Duration = Duration::from_secs(60);
/// Rows that wait for one target; older ones are dropped and counted.
const MOST_WAITING: i64 = 200;
/// How long rows are kept, sent or not.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// One thing to be told.
#[derive(Clone, Debug)]
pub struct Notice {
    pub event: NoticeEvent,
    pub incident: Incident,
    /// The pull request that it is about.
    pub url: Option<String>,
    /// What its service adds to redaction; `None`: that cannot be known, and nothing of the log may
    /// be said.
    pub redact: Option<Redact>,
}

/// What waits for one target, for one message.
#[derive(Debug)]
pub struct Waiting {
    pub target: Target,
    pub lease: NoticeLease,
    /// The first of them, oldest first.
    pub notices: Vec<Notice>,
    /// Those after them.
    pub more: u64,
    /// Those that had no room.
    pub dropped: u64,
    /// Messages that failed since the last that was taken.
    pub tries: u32,
}

/// The right to send a target's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeLease {
    target: String,
    token: i64,
    /// The last row that the message speaks of.
    last: i64,
    dropped: i64,
}

impl Store {
    /// Keeps the targets that a registry names, in place of those that it named before.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_targets(
        &mut self,
        registry: &str,
        targets: &[Target],
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        let known: Vec<String> = tx
            .prepare_cached("SELECT target FROM notified WHERE registry = ?1")?
            .query_map([registry], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let is_named = |name: &&String| targets.iter().any(|target| target.name == **name);
        for gone in known.iter().filter(|name| !is_named(name)) {
            // What waits for it stays for a while: a registry may be unreadable for an hour.
            tx.execute("DELETE FROM notified WHERE target = ?1", [gone])?;
        }
        tx.execute(
            "DELETE FROM notices WHERE made < ?1
             AND target NOT IN (SELECT target FROM notified)",
            [now.minus(KEPT).0],
        )?;
        for target in targets {
            // What failed may be mended by what changed.
            tx.execute(
                "INSERT INTO notified (target, registry, json) VALUES (?1, ?2, ?3)
                 ON CONFLICT (target) DO UPDATE SET registry = ?2, json = ?3,
                 not_before = CASE WHEN json = ?3 THEN not_before ELSE 0 END,
                 tries = CASE WHEN json = ?3 THEN tries ELSE 0 END",
                params![target.name, registry, rows::to_json(target)?],
            )?;
        }
        Ok(tx.commit()?)
    }

    /// The targets that a message is due for.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn due_targets(&self, now: Timestamp) -> Result<Vec<Target>, Error> {
        let due = |row: &Row| row.is_due(now);
        let all = all(&self.db, "")?;
        Ok(all.into_iter().filter(due).map(|row| row.target).collect())
    }

    /// Takes what waits for a target, `full` of it with all that is known. `None` where nothing is due,
    /// or another holder is at it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn claim_notices(
        &mut self,
        target: &str,
        full: usize,
        holder: &Holder,
        now: Timestamp,
    ) -> Result<Option<Waiting>, Error> {
        let dir = self.dir.clone();
        let tx = self.begin()?;
        let Some(row) = all(&tx, target)?.into_iter().find(|row| row.is_due(now)) else {
            return Ok(None);
        };
        let held = row.holder.as_ref();
        if held.is_some_and(|held| row.until > now.0 && is_alive(&dir, held)) {
            return Ok(None);
        }
        let old = now.minus(KEPT).0;
        let late = tx.execute(
            "DELETE FROM notices WHERE target = ?1 AND made < ?2 AND sent IS NULL",
            params![target, old],
        )?;
        tx.execute(
            "DELETE FROM notices WHERE target = ?1 AND made < ?2",
            params![target, old],
        )?;
        let dropped = row.dropped + i64::try_from(late).unwrap_or(i64::MAX);
        let (mut notices, mut more, mut last) = (Vec::new(), 0, 0);
        for (id, incident, event) in waiting(&tx, target)? {
            let Some(notice) = said(&tx, &row.target, incident, &event, now)? else {
                tx.execute("DELETE FROM notices WHERE id = ?1", [id])?;
                continue;
            };
            last = id;
            match notices.len() < full {
                true => notices.push(notice),
                false => more += 1,
            }
        }
        let token = lease::next_token(&tx)?;
        // Where everything that waited is of no use any more, nothing is sent and nobody waits.
        let until = if notices.is_empty() {
            0
        } else {
            now.plus(TERM).0
        };
        tx.execute(
            "UPDATE notified SET dropped = ?2, lease = ?3, lease_holder = ?4, lease_until = ?5
             WHERE target = ?1",
            params![target, dropped, token, holder.name(), until],
        )?;
        tx.commit()?;
        if notices.is_empty() {
            return Ok(None);
        }
        Ok(Some(Waiting {
            target: row.target,
            lease: NoticeLease {
                target: target.to_owned(),
                token,
                last,
                dropped,
            },
            notices,
            more,
            dropped: u64::try_from(dropped).unwrap_or(0),
            tries: row.tries,
        }))
    }

    /// Writes down that the message was taken, `at`; ends the lease.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has it by `now`.
    pub fn told(
        &mut self,
        lease: &NoticeLease,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        check(&tx, lease, now)?;
        tx.execute(
            "UPDATE notices SET sent = ?3 WHERE target = ?1 AND sent IS NULL AND id <= ?2",
            params![lease.target, lease.last, at.0],
        )?;
        tx.execute(
            "UPDATE notified SET last = ?2, not_before = 0, tries = 0, dropped = max(0, dropped - ?3),
             lease = NULL, lease_holder = NULL, lease_until = 0 WHERE target = ?1",
            params![lease.target, at.0, lease.dropped],
        )?;
        Ok(tx.commit()?)
    }

    /// The message was not taken, and is not sent again before `until`; ends the lease.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has it by `now`.
    pub fn not_told(
        &mut self,
        lease: &NoticeLease,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        check(&tx, lease, now)?;
        tx.execute(
            "UPDATE notified SET not_before = ?2, tries = min(tries, 1000) + 1, lease = NULL,
             lease_holder = NULL, lease_until = 0 WHERE target = ?1",
            params![lease.target, until.0],
        )?;
        Ok(tx.commit()?)
    }
}

/// Has everyone told who wants to be: at most once of an incident's event.
pub(super) fn put(
    tx: &Transaction<'_>,
    id: IncidentId,
    event: NoticeEvent,
    now: Timestamp,
) -> Result<(), Error> {
    for row in all(tx, "")? {
        if said(tx, &row.target, id.0, event.word(), now)?.is_none() {
            continue;
        }
        let name = &row.target.name;
        // Each action is asked for anew; everything else is told once.
        tx.prepare_cached(
            "INSERT INTO notices (target, incident, event, made) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (target, incident, event) DO UPDATE SET sent = NULL, made = ?4
             WHERE event = 'approval'",
        )?
        .execute(params![name, id.0, event.word(), now.0])?;
        let dropped = tx
            .prepare_cached(
                "DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE target = ?1
                 AND sent IS NULL ORDER BY id DESC LIMIT -1 OFFSET ?2)",
            )?
            .execute(params![name, MOST_WAITING])?;
        if dropped > 0 {
            tx.execute(
                "UPDATE notified SET dropped = dropped + ?2 WHERE target = ?1",
                params![name, i64::try_from(dropped).unwrap_or(i64::MAX)],
            )?;
        }
    }
    Ok(())
}

/// The fault came back: that says more than that there is a new incident.
pub(super) fn came_back(tx: &Transaction<'_>, id: IncidentId, now: Timestamp) -> Result<(), Error> {
    for row in all(tx, "")? {
        if row.target.events.contains(&NoticeEvent::CameBack) {
            tx.execute(
                "DELETE FROM notices WHERE target = ?1 AND incident = ?2 AND event = ?3
                 AND sent IS NULL",
                params![row.target.name, id.0, NoticeEvent::Incident.word()],
            )?;
        }
    }
    put(tx, id, NoticeEvent::CameBack, now)
}

/// A storm broke: it is told of, and no more of those that it is made of.
pub(super) fn storm(tx: &Transaction<'_>, parent: IncidentId, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM notices WHERE event = ?2 AND sent IS NULL
         AND incident IN (SELECT id FROM incidents WHERE parent = ?1)",
        params![parent.0, NoticeEvent::Incident.word()],
    )?;
    put(tx, parent, NoticeEvent::Incident, now)
}

/// A target as it stands.
struct Row {
    target: Target,
    last: i64,
    not_before: i64,
    tries: u32,
    dropped: i64,
    holder: Option<String>,
    until: i64,
    waits: bool,
}

impl Row {
    fn is_due(&self, now: Timestamp) -> bool {
        let every = Duration::from_secs(self.target.every);
        // A clock that was set back holds nobody up.
        let quiet = now.0 >= Timestamp(self.last).plus(every).0 || now.0 < self.last;
        self.waits && quiet && now.0 >= self.not_before
    }
}

/// All targets, or the one of a name. Settings that cannot be read are those of another version: they
/// are written anew when an instance starts, and until then nobody is told by them.
fn all(db: &Connection, name: &str) -> Result<Vec<Row>, Error> {
    let mut rows = db.prepare_cached(
        "SELECT json, last, not_before, tries, dropped, lease_holder, lease_until,
         EXISTS (SELECT 1 FROM notices WHERE notices.target = notified.target AND sent IS NULL)
         FROM notified WHERE ?1 = '' OR target = ?1 ORDER BY last, target",
    )?;
    let rows = rows.query_map([name], |row| {
        let json: String = row.get(0)?;
        Ok(match serde_json::from_str::<Target>(&json) {
            Err(_) => None,
            Ok(target) => Some(Row {
                target,
                last: row.get(1)?,
                not_before: row.get(2)?,
                tries: row.get(3)?,
                dropped: row.get(4)?,
                holder: row.get(5)?,
                until: row.get(6)?,
                waits: row.get(7)?,
            }),
        })
    })?;
    let rows: Vec<Option<Row>> = rows.collect::<Result<_, _>>()?;
    Ok(rows.into_iter().flatten().collect())
}

fn waiting(tx: &Transaction<'_>, target: &str) -> Result<Vec<(i64, i64, String)>, Error> {
    let mut rows = tx.prepare_cached(
        "SELECT id, incident, event FROM notices WHERE target = ?1 AND sent IS NULL ORDER BY id",
    )?;
    let rows = rows.query_map([target], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What there is to say to a target; `None` where it is not to be told, or not any more.
fn said(
    tx: &Transaction<'_>,
    target: &Target,
    incident: i64,
    event: &str,
    now: Timestamp,
) -> Result<Option<Notice>, Error> {
    let Some(event) = NoticeEvent::from_word(event) else {
        return Ok(None);
    };
    let Some(incident) = rows::incident(tx, IncidentId(incident))? else {
        return Ok(None);
    };
    let (service, fingerprint) = (&incident.service, &incident.fingerprint);
    // The storm that it is part of is told of instead.
    let is_child = event == NoticeEvent::Incident && incident.parent.is_some();
    if is_child || mutes::holds(tx, service, fingerprint, now)? {
        return Ok(None);
    }
    let owner = storm::owner(tx, service)?;
    let owner = Some(owner.as_str()).filter(|owner| !owner.is_empty());
    let wants = |service: &str| target.wants(owner, service, event);
    // A storm is whichever of its services the target is told of.
    let wanted = wants(service)
        || incident.is_storm()
            && storm::services(tx, incident.id)?
                .iter()
                .any(|service| wants(service));
    if !wanted {
        return Ok(None);
    }
    let url = match event {
        NoticeEvent::Incident | NoticeEvent::Approval => None,
        NoticeEvent::Proposed => incident.proposal.as_ref().and_then(|made| made.pr.clone()),
        NoticeEvent::CameBack => {
            pull_rows::newest(tx, service, fingerprint)?.and_then(|pull| pull.url)
        }
    };
    let redact = redact(tx, service)?;
    Ok(Some(Notice {
        event,
        incident,
        url,
        redact,
    }))
}

fn redact(tx: &Connection, service: &str) -> Result<Option<Redact>, Error> {
    let json: Option<String> = tx
        .prepare_cached("SELECT json FROM settings WHERE service = ?1")?
        .query_row([service], |row| row.get(0))
        .optional()?;
    // Settings that cannot be read make no redactor.
    Ok(match json {
        None => Some(Redact::default()),
        Some(json) => serde_json::from_str::<Settings>(&json)
            .ok()
            .map(|settings| settings.redact),
    })
}

/// The lease on a target's message, or the fault that it is lost.
fn check(tx: &Transaction<'_>, lease: &NoticeLease, now: Timestamp) -> Result<(), Error> {
    let sql =
        "SELECT lease, lease_until FROM notified WHERE target = ?1 AND lease_holder IS NOT NULL";
    if lease::holds(tx, sql, &lease.target, lease.token, now)? {
        return Ok(());
    }
    let what = "the lease on a notification ended before it was sent".to_owned();
    Err(Error::new(ErrorKind::LeaseLost, what))
}
