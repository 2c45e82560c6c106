//! Money and tokens: a call is booked at the most that it can cost before it is made, and corrected
//! afterwards. What a process booked and never corrected counts in full, so that a crash in the
//! middle of a call cannot spend twice what the limits allow.

use crate::model::service::{Budget, Usd};
use crate::model::{IncidentId, Timestamp};
use crate::store::error::Error;
use crate::store::lease::{Lease, check};
use crate::store::{Store, conversation};
use rusqlite::{Connection, Transaction, params};
use std::fmt;
use std::time::Duration;

/// Seconds of a day. Days are those of UTC.
const DAY: i64 = 24 * 3_600;
/// How long after a call's deadline its lease still holds.
const MARGIN: Duration = Duration::from_secs(120);

/// What one call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
    pub cache_write: u64,
    pub cache_read: u64,
}

impl Tokens {
    pub const fn all(self) -> u64 {
        self.input + self.output + self.cache_write + self.cache_read
    }
}

/// A call that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct Booking<'a> {
    pub service: &'a str,
    /// The service's owner, or its name where it has none: budgets do not cross it.
    pub owner: &'a str,
    pub model: &'a str,
    /// The most that it can cost and use.
    pub most: Usd,
    pub tokens: Tokens,
    /// For how long the call may take.
    pub within: Duration,
}

/// A booked call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booked(i64);

/// Why a call may not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverBudget {
    /// With what was spent of the limit, today.
    Day(Usd, Usd),
    /// Only what is kept for services that spent nothing today is left.
    Kept(Usd, Usd),
    /// This incident has had its share.
    Incident(Usd, Usd),
    /// What was spent would be forgotten with the disk.
    Ephemeral,
}

impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OverBudget::Day(spent, limit) => write!(
                f,
                "the day's budget is used up ({spent} of {limit}, Budget_Per_Day)"
            ),
            OverBudget::Kept(spent, limit) => write!(
                f,
                "{spent} of {limit} are spent today; the rest is kept for services that spent \
                 nothing yet (Budget_Per_Day)"
            ),
            OverBudget::Incident(spent, limit) => write!(
                f,
                "the incident's budget is used up ({spent} of {limit}, a fifth of Budget_Per_Day)"
            ),
            OverBudget::Ephemeral => f.write_str(
                "State_Dir is on a disk that does not last, where a restart would forget what was \
                 spent; name one that lasts, or set Spend_On_Ephemeral on",
            ),
        }
    }
}

/// What was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub usd: Usd,
    pub tokens: u64,
    pub calls: u64,
}

impl Store {
    /// Books a call at its most, and makes the lease last for it. The inner result says why the
    /// call may not be made.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has the incident, or when the store cannot be written.
    pub fn book(
        &mut self,
        lease: &Lease,
        call: &Booking<'_>,
        budget: Budget,
        now: Timestamp,
    ) -> Result<Result<Booked, OverBudget>, Error> {
        let tx = self.begin()?;
        check(&tx, lease, now)?;
        if let Some(over) = over(&tx, lease.incident, call, budget, now)? {
            return Ok(Err(over));
        }
        tx.prepare_cached(
            "INSERT INTO spend (incident, service, owner, day, made, model, usd, settled, input,
                                output, cache_write, cache_read)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            lease.incident.0,
            call.service,
            call.owner,
            day(now),
            now.0,
            call.model,
            int(call.most.0),
            int(call.tokens.input),
            int(call.tokens.output),
            int(call.tokens.cache_write),
            int(call.tokens.cache_read),
        ])?;
        let booked = Booked(tx.last_insert_rowid());
        tx.execute(
            "UPDATE incidents SET lease_until = ?2 WHERE id = ?1",
            params![lease.incident.0, now.plus(call.within + MARGIN).0],
        )?;
        tx.commit()?;
        Ok(Ok(booked))
    }

    /// Corrects a booked call to what it cost, and keeps what was said in it. The money is corrected
    /// though the lease be lost.
    ///
    /// # Errors
    /// `LeaseLost` when someone else has the incident by now, or when the store cannot be written.
    pub fn settle(
        &mut self,
        lease: &Lease,
        booked: Booked,
        used: (Tokens, Usd),
        entries: &[String],
        now: Timestamp,
    ) -> Result<(), Error> {
        let (tokens, usd) = used;
        let tx = self.begin()?;
        tx.prepare_cached(
            "UPDATE spend SET settled = 1, usd = ?2, input = ?3, output = ?4, cache_write = ?5,
                              cache_read = ?6 WHERE id = ?1",
        )?
        .execute(params![
            booked.0,
            int(usd.0),
            int(tokens.input),
            int(tokens.output),
            int(tokens.cache_write),
            int(tokens.cache_read),
        ])?;
        let held = check(&tx, lease, now);
        if held.is_ok() {
            conversation::add(&tx, lease.incident, entries)?;
        }
        tx.commit()?;
        held
    }

    /// What an incident cost so far, calls that were cut off at their most.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spent_on(&self, incident: IncidentId) -> Result<Spent, Error> {
        sum(&self.db, "incident = ?1", &[&incident.0])
    }

    /// What was spent on a day of UTC, by owner and service.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spent_today(&self, now: Timestamp) -> Result<Vec<(String, String, Spent)>, Error> {
        let mut rows = self.db.prepare_cached(&format!(
            "SELECT owner, service, {SUMS} FROM spend WHERE day = ?1
             GROUP BY owner, service ORDER BY owner, service"
        ))?;
        let rows = rows.query_map([day(now)], |row| {
            Ok((row.get(0)?, row.get(1)?, spent(row, 2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What was spent ever.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spent_ever(&self) -> Result<Spent, Error> {
        sum(&self.db, "1", &[])
    }

    /// What of an owner's day is left for a service, as if its next call were for this incident.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn left_for(
        &self,
        incident: IncidentId,
        owner: &str,
        service: &str,
        budget: Budget,
        now: Timestamp,
    ) -> Result<Usd, Error> {
        let at = Standing::of(&self.db, incident, owner, service, now)?;
        let of_day = at.limit(budget).minus(at.day);
        Ok(of_day.min(budget.per_incident().minus(at.incident)))
    }
}

/// What counts against the limits before a call.
struct Standing {
    /// The owner's, today.
    day: Usd,
    /// Of the service on other incidents, today.
    others: Usd,
    /// Of the incident, ever.
    incident: Usd,
}

impl Standing {
    fn of(
        db: &Connection,
        incident: IncidentId,
        owner: &str,
        service: &str,
        now: Timestamp,
    ) -> Result<Standing, Error> {
        let today = day(now);
        let others = "owner = ?1 AND day = ?2 AND service = ?3 AND incident <> ?4";
        Ok(Standing {
            day: sum(db, "owner = ?1 AND day = ?2", &[&owner, &today])?.usd,
            others: sum(db, others, &[&owner, &today, &service, &incident.0])?.usd,
            incident: sum(db, "incident = ?1", &[&incident.0])?.usd,
        })
    }

    /// How far the owner's day may go for this service.
    fn limit(&self, budget: Budget) -> Usd {
        match self.others {
            Usd(0) => budget.per_day,
            Usd(_) => budget.shared_per_day(),
        }
    }
}

fn over(
    tx: &Transaction<'_>,
    incident: IncidentId,
    call: &Booking<'_>,
    budget: Budget,
    now: Timestamp,
) -> Result<Option<OverBudget>, Error> {
    if call.most == Usd(0) {
        return Ok(None);
    }
    let at = Standing::of(tx, incident, call.owner, call.service, now)?;
    let day = at.day.plus(call.most);
    Ok(if day > budget.per_day {
        Some(OverBudget::Day(at.day, budget.per_day))
    } else if day > at.limit(budget) {
        Some(OverBudget::Kept(at.day, budget.per_day))
    } else if at.incident.plus(call.most) > budget.per_incident() {
        Some(OverBudget::Incident(at.incident, budget.per_incident()))
    } else {
        None
    })
}

const SUMS: &str = "coalesce(sum(usd), 0), coalesce(sum(input + output + cache_write + cache_read), 0), \
                    count(*)";

fn sum(db: &Connection, condition: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Spent, Error> {
    let mut row = db.prepare_cached(&format!("SELECT {SUMS} FROM spend WHERE {condition}"))?;
    Ok(row.query_row(values, |row| spent(row, 0))?)
}

fn spent(row: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Spent> {
    let number = |at: usize| -> rusqlite::Result<u64> {
        let number: i64 = row.get(from + at)?;
        Ok(u64::try_from(number).unwrap_or(0))
    };
    Ok(Spent {
        usd: Usd(number(0)?),
        tokens: number(1)?,
        calls: number(2)?,
    })
}

fn day(now: Timestamp) -> i64 {
    now.0.div_euclid(1_000_000_000).div_euclid(DAY)
}

fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
