//! Pull requests: one row for a fault and a round, from the order to what became of the fix. Whoever
//! does a step holds the row's lease, as with incidents. What a step means for the incidents of the
//! fault is written in the transaction that ends it.

use crate::model::delivery::{Ci, Delivery, Order, OutcomeKind};
use crate::model::notify::NoticeEvent;
use crate::model::{Incident, IncidentId, Status, Timestamp};
use crate::store::error::Error;
use crate::store::holder::{Holder, is_alive};
use crate::store::pull_rows::{COLUMNS, by_id, check, due, newest, read, write};
use crate::store::{Mute, Store, TERM, journal, lease, mutes, notices, rows};
use rusqlite::{OptionalExtension, Transaction, params};

/// One pull request.
#[derive(Clone, Debug, PartialEq)]
pub struct PullRow {
    pub id: i64,
    pub service: String,
    pub fingerprint: String,
    /// Rounds of the fault before it.
    pub round: u32,
    /// The newest incident of the fault.
    pub incident: IncidentId,
    pub fixer: String,
    pub order: Order,
    pub state: Delivery,
    /// Why it stands where it stands.
    pub why: String,
    pub number: Option<u64>,
    pub url: Option<String>,
    /// Full id of the newest commit of its branch.
    pub tip: Option<String>,
    pub ci: Ci,
    /// The host's word for what was seen last.
    pub seen: Option<String>,
    /// Wall clock, as the next two.
    pub made: Timestamp,
    pub opened: Option<Timestamp>,
    pub merged: Option<Timestamp>,
    pub merged_commit: Option<String>,
    /// Event time: when a commit with the fix was first seen running.
    pub deployed: Option<Timestamp>,
    pub deployed_commit: Option<String>,
    pub outcome: Option<OutcomeKind>,
    /// Times that the fault came back from a commit with the fix.
    pub returned: u64,
    /// Wall clock of the last comment on counts; 0: none yet.
    pub told: Timestamp,
    pub told_count: u64,
    /// Failed steps since the last that worked.
    pub tries: u32,
}

/// The right to do a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullLease {
    pub(super) pull: i64,
    pub(super) token: i64,
}

impl Store {
    /// Takes a row that is due. Services take turns by how much of them was done.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn claim_pull(
        &mut self,
        holder: &Holder,
        now: Timestamp,
    ) -> Result<Option<(PullRow, PullLease)>, Error> {
        let dir = self.dir.clone();
        let tx = self.begin()?;
        for (id, owner, until) in due(&tx, now)? {
            let held = owner.is_some_and(|owner| until > now.0 && is_alive(&dir, &owner));
            if held {
                continue;
            }
            let token = lease::next_token(&tx)?;
            tx.execute(
                "UPDATE pulls SET lease = ?2, lease_holder = ?3, lease_until = ?4 WHERE id = ?1",
                params![id, token, holder.name(), now.plus(TERM).0],
            )?;
            let row = by_id(&tx, id)?;
            tx.commit()?;
            return Ok(row.map(|row| (row, PullLease { pull: id, token })));
        }
        Ok(None)
    }

    /// When the next row is due that nobody has now; `None`: none ever is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn next_pull(&self) -> Result<Option<Timestamp>, Error> {
        let due: Option<i64> = self
            .db
            .query_row("SELECT min(due) FROM pulls", [], |row| row.get(0))?;
        Ok(due.filter(|due| *due < i64::MAX).map(Timestamp))
    }

    /// Makes the lease last for another term.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has it.
    pub fn renew_pull(&mut self, lease: &PullLease, now: Timestamp) -> Result<(), Error> {
        let tx = self.begin()?;
        check(&tx, lease, now)?;
        tx.execute(
            "UPDATE pulls SET lease_until = ?2 WHERE id = ?1",
            params![lease.pull, now.plus(TERM).0],
        )?;
        Ok(tx.commit()?)
    }

    /// Writes a step's result and ends the lease. `due`: when the next step is; `None`: never.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has it: nothing was written then.
    pub fn save_pull(
        &mut self,
        lease: &PullLease,
        row: &PullRow,
        due: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        check(&tx, lease, now)?;
        let before = by_id(&tx, lease.pull)?;
        write(&tx, lease.pull, row, due)?;
        if let Some(before) = before {
            told(&tx, &before, row, now)?;
        }
        tx.commit()?;
        let _ = self.drain_journal();
        Ok(())
    }

    /// Gives back the leases of a holder, as an orderly exit does.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn release_pulls(&mut self, holder: &str) -> Result<(), Error> {
        self.db.execute(
            "UPDATE pulls SET lease = NULL, lease_holder = NULL, lease_until = 0
             WHERE lease_holder = ?1",
            [holder],
        )?;
        Ok(())
    }

    /// The newest round of a fault.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn pull_of(&self, service: &str, fingerprint: &str) -> Result<Option<PullRow>, Error> {
        newest(&self.db, service, fingerprint)
    }

    /// All rounds of a fault, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn rounds(&self, service: &str, fingerprint: &str) -> Result<Vec<PullRow>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM pulls WHERE service = ?1 AND fingerprint = ?2 ORDER BY round"
        );
        let mut all = self.db.prepare(&sql)?;
        let all = all.query_map([service, fingerprint], |row| Ok(read(row)))?;
        all.map(|row| row?).collect()
    }

    /// All rows, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn pulls(&self) -> Result<Vec<PullRow>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM pulls ORDER BY id DESC");
        let mut all = self.db.prepare(&sql)?;
        let all = all.query_map([], |row| Ok(read(row)))?;
        all.map(|row| row?).collect()
    }

    /// Has the rows of merged requests looked after now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn hurry_merged(&mut self, now: Timestamp) -> Result<(), Error> {
        self.db.execute(
            "UPDATE pulls SET due = min(due, ?1) WHERE state = 'merged' AND due < ?2",
            params![now.0, i64::MAX],
        )?;
        Ok(())
    }

    /// Has a row looked after now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn hurry_pull(&mut self, pull: i64, now: Timestamp) -> Result<(), Error> {
        self.db.execute(
            "UPDATE pulls SET due = min(due, ?2) WHERE id = ?1",
            params![pull, now.0],
        )?;
        Ok(())
    }
}

/// Puts an order into the transaction that writes its proposal. Where the fault has a row of this
/// round, by this process or another one, the first order stays, and the incident joins it.
pub(super) fn order(
    tx: &Transaction<'_>,
    order: &Order,
    fixer: &str,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO pulls (service, fingerprint, round, incident, fixer, order_json, state, why,
         made, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'making', 'to be opened', ?7, ?7)
         ON CONFLICT (service, fingerprint, round) DO UPDATE SET incident = max(incident, ?4)",
        params![
            order.service,
            order.fingerprint,
            order.round,
            order.incident.0,
            fixer,
            rows::to_json(order)?,
            now.0
        ],
    )?;
    Ok(())
}

/// What is different now, for the incidents of the fault.
fn told(
    tx: &Transaction<'_>,
    before: &PullRow,
    row: &PullRow,
    now: Timestamp,
) -> Result<(), Error> {
    let same = before.state == row.state
        && before.why == row.why
        && before.ci == row.ci
        && before.outcome == row.outcome
        && before.url == row.url;
    if same {
        return Ok(());
    }
    let status = match (row.state, row.outcome) {
        (_, Some(OutcomeKind::Held)) => Some(Status::Resolved),
        (Delivery::Open, _) => Some(Status::Delivered),
        (Delivery::Merged, _) => Some(Status::Merged),
        (Delivery::Closed, _) => Some(Status::Rejected),
        (Delivery::Making | Delivery::Theirs | Delivery::Failed, _) => None,
    };
    for mut incident in of_fault(tx, row)? {
        let moved = status.filter(|status| *status != incident.status);
        if let Some(proposal) = &mut incident.proposal {
            proposal.pr.clone_from(&row.url);
        }
        set(tx, &incident, moved)?;
        let what = moved.map_or("pull request", Status::word);
        let mut detail = match &row.url {
            Some(url) => format!("{}: {url}", row.why),
            None => row.why.clone(),
        };
        if before.ci != row.ci {
            detail = format!("{detail}; its checks: {}", row.ci.word());
        }
        rows::event(tx, incident.id, now, what, &detail)?;
        incident.status = moved.unwrap_or(incident.status);
        journal::put(tx, &incident, now)?;
    }
    if row.state == Delivery::Open && before.state != Delivery::Open {
        notices::put(tx, row.incident, NoticeEvent::Proposed, now)?;
    }
    if row.outcome == before.outcome {
        return Ok(());
    }
    match row.outcome {
        Some(OutcomeKind::CameBack) => open_again(tx, row, now),
        Some(OutcomeKind::Rejected) => {
            let mute = Mute {
                service: row.service.clone(),
                fingerprint: Some(row.fingerprint.clone()),
                until: None,
                who: "its code host".to_owned(),
                why: format!(
                    "{} was closed without being merged",
                    row.url.as_deref().unwrap_or("its pull request")
                ),
                made: now,
            };
            mutes::put(tx, &mute, now).map(drop)
        }
        Some(OutcomeKind::Held) | None => Ok(()),
    }
}

fn set(tx: &Transaction<'_>, incident: &Incident, status: Option<Status>) -> Result<(), Error> {
    tx.prepare_cached(
        "UPDATE incidents SET status = coalesce(?2, status), proposal = ?3 WHERE id = ?1",
    )?
    .execute(params![
        incident.id.0,
        status.map(Status::word),
        rows::to_json(&incident.proposal)?
    ])?;
    Ok(())
}

/// The incidents whose fix this is: those of the fault that stand as proposed, delivered or merged,
/// and are no earlier round's.
fn of_fault(tx: &Transaction<'_>, row: &PullRow) -> Result<Vec<Incident>, Error> {
    let mut ids = tx.prepare_cached(
        "SELECT id FROM incidents WHERE service = ?1 AND fingerprint = ?2
         AND status IN ('proposed', 'delivered', 'merged') AND id >
             (SELECT coalesce(max(incident), 0) FROM pulls
              WHERE service = ?1 AND fingerprint = ?2 AND round < ?3)
         ORDER BY id DESC LIMIT 50",
    )?;
    let ids = ids.query_map(params![row.service, row.fingerprint, row.round], |found| {
        found.get(0).map(IncidentId)
    })?;
    let mut all = Vec::new();
    for id in ids {
        all.extend(rows::incident(tx, id?)?);
    }
    Ok(all)
}

/// The fault came back with its fix: a new incident, unless the occurrence that showed it opened one.
fn open_again(tx: &Transaction<'_>, row: &PullRow, now: Timestamp) -> Result<(), Error> {
    match newest_again(tx, row, now)? {
        Some(id) => notices::came_back(tx, id, now),
        None => Ok(()),
    }
}

fn newest_again(
    tx: &Transaction<'_>,
    row: &PullRow,
    now: Timestamp,
) -> Result<Option<IncidentId>, Error> {
    let newest: Option<(i64, String)> = tx
        .prepare_cached(
            "SELECT id, status FROM incidents WHERE service = ?1 AND fingerprint = ?2
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row([&row.service, &row.fingerprint], |found| {
            Ok((found.get(0)?, found.get(1)?))
        })
        .optional()?;
    let Some((newest, status)) = newest else {
        return Ok(None);
    };
    let is_over = match Status::from_word(&status) {
        Some(Status::Merged | Status::Resolved) => true,
        Some(
            Status::Open
            | Status::Investigating
            | Status::Proposed
            | Status::Reported
            | Status::Delivered
            | Status::Rejected
            | Status::Muted,
        )
        | None => false,
    };
    if !is_over {
        return Ok(Some(IncidentId(newest)));
    }
    let reason = format!(
        "it came back {} times from a commit with the fix of {}, which did not hold",
        row.returned,
        row.url.as_deref().unwrap_or("its pull request")
    );
    let id = rows::open_again(tx, IncidentId(newest), &reason, now)?;
    // What was seen from commits with the fix is of the new one.
    tx.execute(
        "UPDATE occurrences SET incident = ?1 WHERE incident = ?2 AND commit_id IN
         (SELECT commit_id FROM fixed_in WHERE pull = ?3 AND fixed)",
        params![id.0, newest, row.id],
    )?;
    tx.execute(
        "UPDATE incidents SET
             count = max(1, (SELECT count(*) FROM occurrences WHERE incident = ?1)),
             first_seen = coalesce((SELECT min(time) FROM occurrences WHERE incident = ?1), first_seen),
             commit_id = coalesce((SELECT commit_id FROM occurrences WHERE incident = ?1
                                   ORDER BY time DESC LIMIT 1), commit_id)
         WHERE id = ?1",
        [id.0],
    )?;
    rows::event(tx, id, now, Status::Open.word(), &reason)?;
    if let Some(incident) = rows::incident(tx, id)? {
        journal::put(tx, &incident, now)?;
    }
    Ok(Some(id))
}
