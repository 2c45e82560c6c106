//! Leases: who works on an incident, until when. Every result names its lease, and one whose
//! lease is no longer the newest delivers nothing.

use crate::incident::storm;
use crate::model::delivery::Order;
use crate::model::notify::NoticeEvent;
use crate::model::{Incident, IncidentId, Location, Proposal, Status, Timestamp};
use crate::store::error::{Error, ErrorKind};
use crate::store::holder::{Holder, is_alive};
use crate::store::{Store, conversation, journal, notices, pulls, rows};
use rusqlite::{OptionalExtension, ToSql, Transaction, TransactionBehavior, params};
use std::time::Duration;

/// How long a lease lasts unless it is renewed. Longer than the deadline of one investigation.
pub const TERM: Duration = Duration::from_secs(300);

/// Incidents looked at for one that is free.
const CANDIDATES: i64 = 200;

/// The right to work on one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub incident: IncidentId,
    token: i64,
}

/// Which incidents a worker wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Whatever is open, but not of services whose fixer is off.
    Open,
    /// Whatever is open, where no plugin works: a process beside it does.
    OpenBeside,
    /// Whatever is open: a person asked for it.
    OpenAll,
    /// This one, unless someone else works on it now, whatever its status.
    This(IncidentId),
}

impl Store {
    /// Takes an incident that wants work. `None` when there is none. Services take turns: the
    /// one that was worked on least in the last hour comes first, there the oldest incident, so
    /// that one service's many faults do not keep the others waiting. A storm's parent comes before
    /// all, its children when it is over; only who asks for all or for one does not wait.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn claim(
        &mut self,
        want: Want,
        holder: &Holder,
        now: Timestamp,
    ) -> Result<Option<(Incident, Lease)>, Error> {
        let dir = self.dir.clone();
        let tx = self.begin()?;
        for (id, owner, until) in candidates(&tx, want, now)? {
            let held = owner.is_some_and(|owner| until > now.0 && is_alive(&dir, &owner));
            if held {
                continue;
            }
            let lease = grant(&tx, id, holder, now)?;
            let incident = rows::incident(&tx, id)?;
            rows::event(&tx, id, now, "claimed", "work began")?;
            tell(&tx, id, now)?;
            tx.commit()?;
            let _ = self.drain_journal();
            return Ok(incident.map(|incident| (incident, lease)));
        }
        Ok(None)
    }

    /// Makes the lease last for another term.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has it.
    pub fn renew(&mut self, lease: &Lease, now: Timestamp) -> Result<(), Error> {
        self.renew_for(lease, TERM, now)
    }

    /// The same for work that takes longer.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has it.
    pub fn renew_for(
        &mut self,
        lease: &Lease,
        within: Duration,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        check(&tx, lease, now)?;
        tx.execute(
            "UPDATE incidents SET lease_until = ?2 WHERE id = ?1",
            params![lease.incident.0, now.plus(within).0],
        )?;
        Ok(tx.commit()?)
    }

    /// Gives an incident back without a result; it is open again, not before `until`.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has it.
    pub fn postpone(
        &mut self,
        lease: &Lease,
        until: Timestamp,
        why: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        check(&tx, lease, now)?;
        tx.execute(
            "UPDATE incidents SET status = 'open', not_before = ?2, lease_holder = NULL,
             lease_until = 0 WHERE id = ?1",
            params![lease.incident.0, until.0],
        )?;
        rows::event(&tx, lease.incident, now, "postponed", why)?;
        tell(&tx, lease.incident, now)?;
        tx.commit()?;
        let _ = self.drain_journal();
        Ok(())
    }

    /// Writes a result and ends the lease, in one transaction.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has it: nothing was written then.
    pub fn finish(&mut self, lease: &Lease, result: &Ending, now: Timestamp) -> Result<(), Error> {
        self.shelve(lease, result, Timestamp(0), now)
    }

    /// The same for a result that is not the last one: the incident is taken up again, but not
    /// before `until`.
    ///
    /// # Errors
    /// As [`Store::finish`].
    pub fn shelve(
        &mut self,
        lease: &Lease,
        result: &Ending,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        check(&tx, lease, now)?;
        tx.execute(
            "UPDATE incidents SET status = ?2, location = ?3, proposal = ?4, reason = ?5,
             not_before = ?6, lease_holder = NULL, lease_until = 0 WHERE id = ?1",
            params![
                lease.incident.0,
                result.status.word(),
                rows::to_json(&result.location)?,
                rows::to_json(&result.proposal)?,
                result.reason,
                until.0,
            ],
        )?;
        if result.status != Status::Open {
            conversation::forget_closed(&tx, lease.incident)?;
        }
        rows::event(
            &tx,
            lease.incident,
            now,
            result.status.word(),
            &result.reason,
        )?;
        if let (Some(order), Some(proposal)) = (&result.order, &result.proposal) {
            pulls::order(&tx, order, &proposal.fixer, now)?;
        } else if result.status == Status::Proposed {
            // With an order it is told once the pull request is open.
            notices::put(&tx, lease.incident, NoticeEvent::Proposed, now)?;
        }
        tell(&tx, lease.incident, now)?;
        tx.commit()?;
        // The lines wait where they cannot be written now.
        let _ = self.drain_journal();
        Ok(())
    }

    /// Gives back every lease of a holder, as an orderly exit does.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn release_all(&mut self, holder: &str, now: Timestamp) -> Result<usize, Error> {
        let tx = self.begin()?;
        let freed = {
            let mut freed = tx.prepare(
                "UPDATE incidents SET status = 'open', lease = NULL, lease_holder = NULL,
                 lease_until = 0 WHERE lease_holder = ?1 RETURNING id",
            )?;
            let freed = freed.query_map([holder], |row| row.get(0))?;
            freed.collect::<Result<Vec<i64>, _>>()?
        };
        for id in &freed {
            rows::event(&tx, IncidentId(*id), now, "given back", "the process ended")?;
            tell(&tx, IncidentId(*id), now)?;
        }
        tx.commit()?;
        let _ = self.drain_journal();
        Ok(freed.len())
    }

    pub(super) fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        let begun = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate);
        Ok(begun?)
    }
}

/// How the work on an incident ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    pub status: Status,
    pub reason: String,
    pub location: Option<Location>,
    pub proposal: Option<Proposal>,
    /// The pull request that the proposal is to become.
    pub order: Option<Order>,
}

/// Puts the incident as it now is into the transaction, for `incidents.jsonl`.
fn tell(tx: &Transaction<'_>, id: IncidentId, now: Timestamp) -> Result<(), Error> {
    match rows::incident(tx, id)? {
        Some(incident) => journal::put(tx, &incident, now),
        None => Ok(()),
    }
}

type Candidate = (IncidentId, Option<String>, i64);

fn candidates(tx: &Transaction<'_>, want: Want, now: Timestamp) -> Result<Vec<Candidate>, Error> {
    let (condition, id) = match want {
        Want::Open => (
            "status IN ('open', 'investigating') AND not_before <= ?1 AND NOT EXISTS
             (SELECT 1 FROM settings WHERE settings.service = incidents.service AND fixer_off)
             AND ?2 = 0",
            0,
        ),
        Want::OpenBeside => (
            "status IN ('open', 'investigating') AND not_before <= ?1 AND ?2 = 0",
            0,
        ),
        Want::OpenAll => (
            "status IN ('open', 'investigating') AND ?1 = ?1 AND ?2 = 0",
            0,
        ),
        Want::This(id) => ("?1 = ?1 AND id = ?2", id.0),
    };
    let waits = match want {
        Want::Open | Want::OpenBeside => "1",
        Want::OpenAll | Want::This(_) => "0",
    };
    let sql = format!(
        "SELECT id, lease_holder, lease_until FROM incidents WHERE {condition}
         AND NOT ({waits} AND EXISTS (SELECT 1 FROM storms WHERE storms.parent = incidents.parent
                  AND storms.last > ?4 AND storms.last <= ?5))
         ORDER BY NOT (kind = 'rate' AND watch IS 'storm'), (SELECT count(*) FROM incidents AS done
                    WHERE done.service = incidents.service AND done.claimed > ?3), id
         LIMIT {CANDIDATES}"
    );
    let hour = now.minus(Duration::from_secs(3600));
    let mut rows = tx.prepare_cached(&sql)?;
    let (after, until) = storm::on_between(now);
    let rows = rows.query_map(params![now.0, id, hour.0, after.0, until.0], |row| {
        Ok((IncidentId(row.get(0)?), row.get(1)?, row.get(2)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A token that is newer than every other of the store.
pub(super) fn next_token(tx: &Transaction<'_>) -> Result<i64, Error> {
    Ok(tx.query_row(
        "UPDATE tokens SET last = last + 1 RETURNING last",
        [],
        |row| row.get(0),
    )?)
}

/// Whether a lease holds, of whatever it is: its token is the newest of what is leased, and its term has
/// not ended. `sql`: gives both for `id`, and nothing where nobody holds it.
pub(super) fn holds<I: ToSql>(
    tx: &Transaction<'_>,
    sql: &str,
    id: I,
    token: i64,
    now: Timestamp,
) -> Result<bool, Error> {
    let held: Option<(Option<i64>, i64)> = tx
        .query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(matches!(held, Some((Some(newest), until)) if newest == token && until > now.0))
}

fn grant(
    tx: &Transaction<'_>,
    id: IncidentId,
    holder: &Holder,
    now: Timestamp,
) -> Result<Lease, Error> {
    let token = next_token(tx)?;
    tx.execute(
        "UPDATE incidents SET status = 'investigating', lease = ?2, lease_holder = ?3,
         lease_until = ?4, tries = tries + 1, claimed = ?5 WHERE id = ?1",
        params![id.0, token, holder.name(), now.plus(TERM).0, now.0],
    )?;
    Ok(Lease {
        incident: id,
        token,
    })
}

/// The lease on an incident, or the fault that it is lost.
pub(super) fn check(tx: &Transaction<'_>, lease: &Lease, now: Timestamp) -> Result<(), Error> {
    let sql = "SELECT lease, lease_until FROM incidents WHERE id = ?1 AND lease_holder IS NOT NULL";
    if holds(tx, sql, lease.incident.0, lease.token, now)? {
        return Ok(());
    }
    let what = format!(
        "incident {}: the lease ended before the work did",
        lease.incident
    );
    Err(Error::new(ErrorKind::LeaseLost, what))
}
