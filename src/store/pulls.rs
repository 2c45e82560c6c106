//! Pull requests: one row for a fault and a round, from the order to what became of the fix. Whoever
//! does a step holds the row's lease, as with incidents. What a step means for the incidents of the
//! fault is written in the transaction that ends it.

use crate::incident::outcome::{Counts, Running};
use crate::model::delivery::{Ci, Delivery, Order, OutcomeKind};
use crate::model::{CommitId, Incident, IncidentId, Signal, Status, Timestamp};
use crate::store::error::{Error, ErrorKind};
use crate::store::holder::{Holder, is_alive};
use crate::store::{Mute, Store, TERM, journal, mutes, rows};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

/// Rows looked at for one that is free.
const CANDIDATES: i64 = 200;

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
    pull: i64,
    token: i64,
}

/// How often a fault was seen from commits that hold its fix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    pub times: u64,
    /// Event times.
    pub first: Timestamp,
    pub last: Timestamp,
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
            let token: i64 = tx.query_row(
                "UPDATE tokens SET last = last + 1 RETURNING last",
                [],
                |row| row.get(0),
            )?;
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

    /// How often a fault was seen, in all its incidents.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn counts(&self, service: &str, fingerprint: &str) -> Result<Counts, Error> {
        let (times, last): (i64, i64) = self
            .db
            .prepare_cached(
                "SELECT coalesce(sum(count), 0), coalesce(max(last_seen), 0) FROM incidents
                 WHERE service = ?1 AND fingerprint = ?2",
            )?
            .query_row([service, fingerprint], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Counts {
            times: u64::try_from(times).unwrap_or(0),
            last: Timestamp(last),
        })
    }

    /// Commits that run, or in which the fault was seen, and of which it is not known whether they
    /// hold the fix.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn commits_to_judge(&self, row: &PullRow) -> Result<Vec<CommitId>, Error> {
        let mut all = self.db.prepare_cached(
            "SELECT commit_id FROM running WHERE service = ?1 AND commit_id NOT IN
                 (SELECT commit_id FROM fixed_in WHERE pull = ?3)
             UNION SELECT occurrences.commit_id FROM occurrences
                 JOIN incidents ON incidents.id = incident
                 WHERE service = ?1 AND fingerprint = ?2 AND occurrences.commit_id NOT NULL
                 AND occurrences.commit_id NOT IN (SELECT commit_id FROM fixed_in WHERE pull = ?3)
             LIMIT 200",
        )?;
        let all = all.query_map(params![row.service, row.fingerprint, row.id], |found| {
            found.get::<_, String>(0)
        })?;
        let mut commits = Vec::new();
        for one in all {
            commits.extend(CommitId::parse(&one?));
        }
        Ok(commits)
    }

    /// Whether a commit holds a pull request's fix; `None`: that is not known yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_fixed_in(&self, pull: i64, commit: &CommitId) -> Result<Option<bool>, Error> {
        let found = self
            .db
            .prepare_cached("SELECT fixed FROM fixed_in WHERE pull = ?1 AND commit_id = ?2")?
            .query_row(params![pull, commit.as_str()], |row| row.get(0))
            .optional()?;
        Ok(found)
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

    /// Keeps whether a commit holds a pull request's fix.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn judge(&mut self, pull: i64, commit: &CommitId, fixed: bool) -> Result<(), Error> {
        self.db.execute(
            "INSERT OR REPLACE INTO fixed_in (pull, commit_id, fixed) VALUES (?1, ?2, ?3)",
            params![pull, commit.as_str(), fixed],
        )?;
        Ok(())
    }

    /// Since when, and until when, a commit with the fix was seen running.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn fix_running(&self, row: &PullRow) -> Result<Option<Running>, Error> {
        let found: Option<(String, i64, i64)> = self
            .db
            .prepare_cached(
                "SELECT commit_id, min(first), (SELECT max(last) FROM running JOIN fixed_in
                     USING (commit_id) WHERE service = ?1 AND pull = ?2 AND fixed)
                 FROM running JOIN fixed_in USING (commit_id)
                 WHERE service = ?1 AND pull = ?2 AND fixed GROUP BY service",
            )?
            .query_row(params![row.service, row.id], |found| {
                Ok((found.get(0)?, found.get(1)?, found.get(2)?))
            })
            .optional()?;
        Ok(found.and_then(|(commit, first, last)| {
            Some(Running {
                commit: CommitId::parse(&commit)?,
                first: Timestamp(first),
                last: Timestamp(last),
            })
        }))
    }

    /// How often the fault was seen from commits that hold the fix.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn returned(&self, row: &PullRow) -> Result<Returned, Error> {
        let (times, first, last): (i64, i64, i64) = self
            .db
            .prepare_cached(
                "SELECT count(*), coalesce(min(time), 0), coalesce(max(time), 0) FROM occurrences
                 JOIN incidents ON incidents.id = incident
                 JOIN fixed_in ON fixed_in.commit_id = occurrences.commit_id
                 WHERE service = ?1 AND fingerprint = ?2 AND pull = ?3 AND fixed",
            )?
            .query_row(params![row.service, row.fingerprint, row.id], |found| {
                Ok((found.get(0)?, found.get(1)?, found.get(2)?))
            })?;
        Ok(Returned {
            times: u64::try_from(times).unwrap_or(0),
            first: Timestamp(first),
            last: Timestamp(last),
        })
    }

    /// Notes that a service was seen running a commit between two event times.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_running(
        &mut self,
        service: &str,
        commit: &CommitId,
        first: Timestamp,
        last: Timestamp,
    ) -> Result<(), Error> {
        self.db
            .prepare_cached(
                "INSERT INTO running (service, commit_id, first, last) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (service, commit_id) DO UPDATE
                 SET first = min(first, ?3), last = max(last, ?4)",
            )?
            .execute(params![service, commit.as_str(), first.0, last.0])?;
        self.db
            .prepare_cached(
                "DELETE FROM running WHERE rowid IN (SELECT rowid FROM running
                 WHERE service = ?1 ORDER BY last DESC LIMIT -1 OFFSET 50)",
            )?
            .execute([service])?;
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

/// Whether a signal comes from a commit that holds a merged fix of its fault.
pub(super) fn is_fixed(
    tx: &Transaction<'_>,
    signal: &Signal,
    fingerprint: &str,
) -> Result<bool, Error> {
    let Some(commit) = &signal.commit else {
        return Ok(false);
    };
    let found = tx
        .prepare_cached(
            "SELECT 1 FROM fixed_in JOIN pulls ON pulls.id = pull WHERE service = ?1
             AND fingerprint = ?2 AND commit_id = ?3 AND fixed LIMIT 1",
        )?
        .query_row(
            params![signal.service, fingerprint, commit.as_str()],
            |_| Ok(()),
        )
        .optional()?;
    Ok(found.is_some())
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
        let detail = match &row.url {
            Some(url) => format!("{}: {url}", row.why),
            None => row.why.clone(),
        };
        rows::event(tx, incident.id, now, what, &detail)?;
        incident.status = moved.unwrap_or(incident.status);
        journal::put(tx, &incident, now)?;
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

/// The incidents whose fix this is: those of the fault that stand as proposed, delivered or merged.
fn of_fault(tx: &Transaction<'_>, row: &PullRow) -> Result<Vec<Incident>, Error> {
    let mut ids = tx.prepare_cached(
        "SELECT id FROM incidents WHERE service = ?1 AND fingerprint = ?2
         AND status IN ('proposed', 'delivered', 'merged') ORDER BY id DESC LIMIT 50",
    )?;
    let ids = ids.query_map([&row.service, &row.fingerprint], |found| {
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
        return Ok(());
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
        return Ok(());
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
    Ok(())
}

const COLUMNS: &str = "id, service, fingerprint, round, incident, fixer, order_json, state, why, number, \
    url, tip, ci, seen, made, opened, merged, merged_commit, deployed, deployed_commit, outcome, \
    returned, told, told_count, tries";

fn read(row: &Row<'_>) -> Result<PullRow, Error> {
    let state: String = row.get(7)?;
    let ci: String = row.get(12)?;
    let outcome: Option<String> = row.get(20)?;
    let number = |at: usize| -> Result<u64, Error> {
        Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
    };
    let time = |at: usize| -> Result<Option<Timestamp>, Error> {
        Ok(row.get::<_, Option<i64>>(at)?.map(Timestamp))
    };
    let damaged = |what| rows::damaged(what);
    Ok(PullRow {
        id: row.get(0)?,
        service: row.get(1)?,
        fingerprint: row.get(2)?,
        round: row.get(3)?,
        incident: IncidentId(row.get(4)?),
        fixer: row.get(5)?,
        order: rows::from_json(row.get(6)?)?.ok_or_else(|| damaged("order"))?,
        state: Delivery::from_word(&state).ok_or_else(|| damaged("state"))?,
        why: row.get(8)?,
        number: row
            .get::<_, Option<i64>>(9)?
            .and_then(|number| u64::try_from(number).ok()),
        url: row.get(10)?,
        tip: row.get(11)?,
        ci: Ci::from_word(&ci).unwrap_or_default(),
        seen: row.get(13)?,
        made: Timestamp(row.get(14)?),
        opened: time(15)?,
        merged: time(16)?,
        merged_commit: row.get(17)?,
        deployed: time(18)?,
        deployed_commit: row.get(19)?,
        outcome: outcome.as_deref().and_then(OutcomeKind::from_word),
        returned: number(21)?,
        told: Timestamp(row.get(22)?),
        told_count: number(23)?,
        tries: row.get(24)?,
    })
}

fn write(
    tx: &Transaction<'_>,
    id: i64,
    row: &PullRow,
    due: Option<Timestamp>,
) -> Result<(), Error> {
    let time = |time: Option<Timestamp>| time.map(|time| time.0);
    tx.prepare_cached(
        "UPDATE pulls SET state = ?2, why = ?3, number = ?4, url = ?5, tip = ?6, ci = ?7, seen = ?8,
         opened = ?9, merged = ?10, merged_commit = ?11, deployed = ?12, deployed_commit = ?13,
         outcome = ?14, returned = ?15, told = ?16, told_count = ?17, tries = ?18, due = ?19,
         lease = NULL, lease_holder = NULL, lease_until = 0 WHERE id = ?1",
    )?
    .execute(params![
        id,
        row.state.word(),
        row.why,
        row.number.map(rows::number),
        row.url,
        row.tip,
        row.ci.word(),
        row.seen,
        time(row.opened),
        time(row.merged),
        row.merged_commit,
        time(row.deployed),
        row.deployed_commit,
        row.outcome.map(OutcomeKind::word),
        rows::number(row.returned),
        row.told.0,
        rows::number(row.told_count),
        row.tries,
        due.map_or(i64::MAX, |due| due.0),
    ])?;
    Ok(())
}

fn by_id(tx: &Transaction<'_>, id: i64) -> Result<Option<PullRow>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM pulls WHERE id = ?1");
    let found = tx
        .prepare_cached(&sql)?
        .query_row([id], |row| Ok(read(row)))
        .optional()?;
    found.transpose()
}

fn newest(db: &Connection, service: &str, fingerprint: &str) -> Result<Option<PullRow>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM pulls WHERE service = ?1 AND fingerprint = ?2
         ORDER BY round DESC LIMIT 1"
    );
    let found = db
        .prepare_cached(&sql)?
        .query_row([service, fingerprint], |row| Ok(read(row)))
        .optional()?;
    found.transpose()
}

type Candidate = (i64, Option<String>, i64);

/// Rows that are due, of each service the one that waits longest first.
fn due(tx: &Transaction<'_>, now: Timestamp) -> Result<Vec<Candidate>, Error> {
    let mut all = tx.prepare_cached(
        "SELECT id, lease_holder, lease_until FROM pulls WHERE due <= ?1
         ORDER BY row_number() OVER (PARTITION BY service ORDER BY due, id), due, id LIMIT ?2",
    )?;
    let all = all.query_map(params![now.0, CANDIDATES], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(all.collect::<Result<_, _>>()?)
}

/// A lease holds while its token is the row's newest and its term has not ended.
fn check(tx: &Transaction<'_>, lease: &PullLease, now: Timestamp) -> Result<(), Error> {
    let held: Option<(Option<i64>, i64)> = tx
        .query_row(
            "SELECT lease, lease_until FROM pulls WHERE id = ?1 AND lease_holder IS NOT NULL",
            [lease.pull],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match held {
        Some((Some(token), until)) if token == lease.token && until > now.0 => Ok(()),
        _ => {
            let what = "the lease on a pull request ended before the step did".to_owned();
            Err(Error::new(ErrorKind::LeaseLost, what))
        }
    }
}
