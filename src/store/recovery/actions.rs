//! Actions: one row each, from the request to what came of it. Whether it may happen is decided by the
//! caller's function inside the transaction that writes it, over what was done before: of two that ask
//! at once the second sees the first. Whoever carries one out holds its lease.

use crate::model::Timestamp;
use crate::model::recovery::{Action, ActionId, Caller, Stage};
use crate::policy::History;
use crate::redact::Scope;
use crate::store::error::{Error, ErrorKind};
use crate::store::holder::{Holder, is_alive};
use crate::store::recovery::audit::{self, New};
use crate::store::recovery::history::history;
use crate::store::recovery::tally;
use crate::store::recovery::telling::{notify, sentence, told};
use crate::store::{Store, TERM, lease, rows};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde_json::json;
use std::time::Duration;

/// Actions of a service that came to nothing and are kept.
const REFUSED: i64 = 200;
/// How long after an action that helped a new crash is held against it.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

/// The right to carry an action on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionLease {
    action: ActionId,
    token: i64,
}

/// An action that was taken to be carried on.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub action: Action,
    pub lease: ActionLease,
    /// Failed steps since the last that worked.
    pub tries: u32,
}

impl Store {
    /// Writes a new action. `decide` gets what was done before and sets the stage and the checks. Where
    /// the very same waits for approval already, that one is given instead.
    ///
    /// # Errors
    /// When the store cannot be written; nothing was then, and nothing may be done.
    pub fn put_action(
        &mut self,
        mut action: Action,
        known_verb: bool,
        decide: impl FnOnce(&History, &mut Action),
        now: Timestamp,
    ) -> Result<Action, Error> {
        let mut scope = self.scope(&action.service)?;
        let tx = begin(&mut self.db)?;
        let verb = action.task.verb().to_owned();
        if let Some(same) = pending(&tx, &action)? {
            // It is written down who asks for it as well.
            let asked = Action {
                caller: action.caller,
                why: action.why,
                ..same.clone()
            };
            told(&tx, &asked, (known_verb, true), scope.as_mut(), now)?;
            tx.commit()?;
            let _ = self.drain_journal();
            return Ok(same);
        }
        let fingerprint = action.fingerprint.as_deref();
        let before = history(&tx, &action.service, &verb, fingerprint, ActionId(0), now)?;
        decide(&before, &mut action);
        let released = (action.stage == Stage::Approved).then_some(now.0);
        tx.execute(
            "INSERT INTO actions (service, verb, caller, fingerprint, incident, hash, stage, made,
             expires, released, due, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, '')",
            params![
                action.service,
                verb,
                action.caller.kind.word(),
                action.fingerprint,
                action.incident.map(|id| id.0),
                action.hash,
                action.stage.word(),
                now.0,
                action.expires.0,
                released,
                due_of(&action, now).map_or(i64::MAX, |due| due.0),
            ],
        )?;
        action.id = ActionId(tx.last_insert_rowid());
        write(&tx, &action)?;
        let noise = action.stage == Stage::Refused;
        told(&tx, &action, (known_verb, noise), scope.as_mut(), now)?;
        if action.stage == Stage::Pending {
            notify(&tx, &action, now)?;
        }
        tx.execute(
            "DELETE FROM actions WHERE stage IN ('refused', 'proposed', 'expired', 'denied')
             AND service = ?1 AND id <= (SELECT id FROM actions
                 WHERE stage IN ('refused', 'proposed', 'expired', 'denied') AND service = ?1
                 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            params![action.service, REFUSED],
        )?;
        tx.commit()?;
        let _ = self.drain_journal();
        Ok(action)
    }

    /// What `put_action` would write, and writes nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn try_action(
        &mut self,
        mut action: Action,
        decide: impl FnOnce(&History, &mut Action),
        now: Timestamp,
    ) -> Result<Action, Error> {
        let tx = self.db.transaction()?;
        let (verb, fingerprint) = (action.task.verb(), action.fingerprint.as_deref());
        let before = history(&tx, &action.service, verb, fingerprint, ActionId(0), now)?;
        decide(&before, &mut action);
        Ok(action)
    }

    /// Writes down a request that means no action at all, or a look.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_request(
        &mut self,
        (service, verb, known_verb): (&str, &str, bool),
        caller: &Caller,
        (event, said): (&'static str, &str),
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut scope = self.scope(service)?;
        let tx = begin(&mut self.db)?;
        tally::count(&tx, (verb, known_verb), caller.kind.word(), event)?;
        let new = New {
            event,
            service,
            verb,
            caller: &caller.name,
            kind: caller.kind.word(),
            plain: json!({}),
            texts: &[("said", said)],
            noise: true,
        };
        audit::put(&tx, &new, scope.as_mut(), now)?;
        tx.commit()?;
        let _ = self.drain_journal();
        Ok(())
    }

    /// Releases or refuses an action that waits for approval. `decide` gets what was done before and
    /// sets the stage. Only one of two that come at once finds it waiting.
    ///
    /// # Errors
    /// `Missing` where there is no such action, `LeaseLost` where it does not wait any more.
    pub fn settle_action(
        &mut self,
        id: ActionId,
        decide: impl FnOnce(&History, &mut Action),
        now: Timestamp,
    ) -> Result<Action, Error> {
        let service = self.action(id)?.map(|action| action.service);
        let mut scope = self.scope(service.as_deref().unwrap_or_default())?;
        let tx = begin(&mut self.db)?;
        let Some(mut action) = by_id(&tx, id)? else {
            let what = format!("there is no action {id}; `autofix act` lists them");
            return Err(Error::new(ErrorKind::Missing, what));
        };
        if action.stage != Stage::Pending {
            let what = format!(
                "action {id} does not wait for approval: it is {}; ask for a new one",
                action.stage.word()
            );
            return Err(Error::new(ErrorKind::LeaseLost, what));
        }
        let fingerprint = action.fingerprint.as_deref();
        let before = history(
            &tx,
            &action.service,
            action.task.verb(),
            fingerprint,
            id,
            now,
        )?;
        decide(&before, &mut action);
        let released = (action.stage == Stage::Approved).then_some(now.0);
        tx.execute(
            "UPDATE actions SET released = ?2, due = ?3, lease_holder = NULL, lease_until = 0
             WHERE id = ?1",
            params![
                id.0,
                released,
                due_of(&action, now).map_or(i64::MAX, |due| due.0)
            ],
        )?;
        write(&tx, &action)?;
        told(&tx, &action, (true, false), scope.as_mut(), now)?;
        tx.commit()?;
        let _ = self.drain_journal();
        Ok(action)
    }

    /// Takes an action whose next step is due: this one, or any.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn claim_action(
        &mut self,
        which: Option<ActionId>,
        holder: &Holder,
        now: Timestamp,
    ) -> Result<Option<Claimed>, Error> {
        let due: Option<i64> = self
            .db
            .prepare_cached("SELECT min(due) FROM actions WHERE due < 9223372036854775807")?
            .query_row([], |row| row.get(0))?;
        // Looking takes no lock on the store.
        if due.is_none_or(|due| due > now.0) {
            return Ok(None);
        }
        let dir = self.dir.clone();
        let tx = begin(&mut self.db)?;
        let due: Vec<(i64, Option<String>, i64, u32)> = tx
            .prepare_cached(
                "SELECT id, lease_holder, lease_until, tries FROM actions
                 WHERE due <= ?1 AND (?2 IS NULL OR id = ?2) ORDER BY due LIMIT 50",
            )?
            .query_map(params![now.0, which.map(|id| id.0)], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?
            .collect::<Result<_, _>>()?;
        for (id, owner, until, tries) in due {
            if owner.is_some_and(|owner| until > now.0 && is_alive(&dir, &owner)) {
                continue;
            }
            let token = lease::next_token(&tx)?;
            tx.execute(
                "UPDATE actions SET lease = ?2, lease_holder = ?3, lease_until = ?4 WHERE id = ?1",
                params![id, token, holder.name(), now.plus(TERM).0],
            )?;
            let action = match by_id(&tx, ActionId(id)) {
                // It is left as it is, and holds up no other.
                Err(fault) if fault.kind == ErrorKind::Broken => {
                    tx.execute(
                        "UPDATE actions SET stage = 'failed', due = ?2, lease_holder = NULL,
                         lease_until = 0 WHERE id = ?1",
                        params![id, i64::MAX],
                    )?;
                    continue;
                }
                action => action?,
            };
            tx.commit()?;
            return Ok(action.map(|action| Claimed {
                lease: ActionLease {
                    action: action.id,
                    token,
                },
                action,
                tries,
            }));
        }
        tx.commit()?;
        Ok(None)
    }

    /// Writes how far an action is. `keep`: the lease lasts for another term; else it ends, and the
    /// next step is due then (`None`: never).
    ///
    /// # Errors
    /// `LeaseLost` when someone else carries it on: nothing was written then.
    pub fn save_action(
        &mut self,
        lease: &ActionLease,
        action: &Action,
        next: Next,
        tries: u32,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut scope = self.scope(&action.service)?;
        let tx = begin(&mut self.db)?;
        let sql =
            "SELECT lease, lease_until FROM actions WHERE id = ?1 AND lease_holder IS NOT NULL";
        if !lease::holds(&tx, sql, lease.action.0, lease.token, now)? {
            let what = format!("action {}: the lease ended before the step did", action.id);
            return Err(Error::new(ErrorKind::LeaseLost, what));
        }
        let before = by_id(&tx, action.id)?;
        match next {
            Next::Keep => tx.execute(
                "UPDATE actions SET lease_until = ?2 WHERE id = ?1",
                params![action.id.0, now.plus(TERM).0],
            )?,
            Next::Due(due) => tx.execute(
                "UPDATE actions SET due = ?2, tries = ?3, lease_holder = NULL, lease_until = 0
                 WHERE id = ?1",
                params![action.id.0, due.map_or(i64::MAX, |due| due.0), tries],
            )?,
        };
        write(&tx, action)?;
        let moved = before.is_none_or(|before| {
            before.stage != action.stage || before.aftermath != action.aftermath
        });
        if moved {
            told(&tx, action, (true, false), scope.as_mut(), now)?;
            if let (Stage::Done | Stage::Failed, Some(incident)) = (action.stage, action.incident) {
                rows::event(&tx, incident, now, "recovery", &sentence(action))?;
            }
        }
        tx.commit()?;
        let _ = self.drain_journal();
        Ok(())
    }

    /// Notes which actions helped for a time only: since when the service crashed again, or the fault
    /// was seen again.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_recurred(&mut self, service: &str, now: Timestamp) -> Result<(), Error> {
        self.db
            .prepare_cached(
                "UPDATE actions SET recurred = (SELECT min(t) FROM (
                     SELECT min(at) AS t FROM facts WHERE facts.service = actions.service
                         AND asked = 1 AND kind IN ('crash', 'exit', 'oom') AND at > ended
                     UNION ALL
                     SELECT min(time) FROM occurrences JOIN incidents
                         ON incidents.id = occurrences.incident
                         WHERE incidents.service = actions.service
                         AND incidents.fingerprint = actions.fingerprint AND time > ended))
                 WHERE service = ?1 AND aftermath = 'healthy' AND recurred IS NULL AND ended > ?2
                 AND verb IN ('restart', 'rollback', 'scale', 'stop', 'start')",
            )?
            .execute(params![service, now.minus(REMEMBERED).0])?;
        Ok(())
    }

    /// Gives back the leases of a holder, as an orderly exit does.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn release_actions(&mut self, holder: &str) -> Result<(), Error> {
        for table in ["actions", "watched"] {
            let sql = format!(
                "UPDATE {table} SET lease_holder = NULL, lease_until = 0 WHERE lease_holder = ?1"
            );
            self.db.execute(&sql, [holder])?;
        }
        Ok(())
    }

    /// What redacts text of a service; `None` where its settings make none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn scope(&mut self, service: &str) -> Result<Option<Scope>, Error> {
        let redactor = self.redactors.of(&self.db, service)?;
        Ok(redactor.map(|redactor| redactor.scope()))
    }
}

/// What becomes of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Keep,
    Due(Option<Timestamp>),
}

fn begin(db: &mut Connection) -> Result<Transaction<'_>, Error> {
    Ok(db.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// When something is to be done with an action.
fn due_of(action: &Action, now: Timestamp) -> Option<Timestamp> {
    match action.stage {
        Stage::Approved | Stage::Running | Stage::Watched => Some(now),
        Stage::Pending => Some(action.expires),
        Stage::Refused
        | Stage::Proposed
        | Stage::Expired
        | Stage::Denied
        | Stage::Done
        | Stage::Failed => None,
    }
}

fn pending(tx: &Transaction<'_>, action: &Action) -> Result<Option<Action>, Error> {
    let found = tx
        .prepare_cached(
            "SELECT json, recurred FROM actions WHERE hash = ?1
             AND stage IN ('pending', 'proposed') AND expires > ?2 LIMIT 1",
        )?
        .query_row(params![action.hash, action.made.0], |row| Ok(read(row)))
        .optional()?;
    found.transpose()
}

pub(super) fn by_id(db: &Connection, id: ActionId) -> Result<Option<Action>, Error> {
    let found = db
        .prepare_cached("SELECT json, recurred FROM actions WHERE id = ?1")?
        .query_row([id.0], |row| Ok(read(row)))
        .optional()?;
    found.transpose()
}

pub(super) fn read(row: &Row<'_>) -> Result<Action, Error> {
    let action: Option<Action> = rows::from_json(row.get(0)?)?;
    let mut action = action.ok_or_else(|| rows::damaged("action"))?;
    action.recurred = row.get::<_, Option<i64>>(1)?.map(Timestamp);
    Ok(action)
}

fn write(tx: &Transaction<'_>, action: &Action) -> Result<(), Error> {
    tx.execute(
        "UPDATE actions SET stage = ?2, aftermath = ?3, ended = ?4, json = ?5 WHERE id = ?1",
        params![
            action.id.0,
            action.stage.word(),
            action.aftermath.map(|one| one.word()),
            action.ended.map(|at| at.0),
            rows::to_json(action)?
        ],
    )?;
    Ok(())
}
