//! How often what was asked for, by whom, and what came of it.

use crate::store::Store;
use crate::store::error::Error;
use rusqlite::Transaction;

/// One counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TallyRow {
    pub verb: String,
    /// The caller's kind.
    pub caller: String,
    /// A stage's word, `looked`, or what an action led to.
    pub outcome: String,
    pub count: u64,
}

/// A verb that nobody knows is counted under this name: callers choose names, and the table is bounded.
const UNKNOWN: &str = "(unknown)";

pub(super) fn count(
    tx: &Transaction<'_>,
    (verb, known): (&str, bool),
    caller: &str,
    outcome: &str,
) -> Result<(), Error> {
    let verb = if known { verb } else { UNKNOWN };
    tx.prepare_cached(
        "INSERT INTO act_counts (verb, caller, outcome, count) VALUES (?1, ?2, ?3, 1)
         ON CONFLICT (verb, caller, outcome) DO UPDATE SET count = count + 1",
    )?
    .execute([verb, caller, outcome])?;
    Ok(())
}

impl Store {
    /// All counters.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn act_counts(&self) -> Result<Vec<TallyRow>, Error> {
        let mut rows = self.db.prepare_cached(
            "SELECT verb, caller, outcome, count FROM act_counts ORDER BY verb, caller, outcome",
        )?;
        let rows = rows.query_map([], |row| {
            let count: i64 = row.get(3)?;
            Ok(TallyRow {
                verb: row.get(0)?,
                caller: row.get(1)?,
                outcome: row.get(2)?,
                count: count.unsigned_abs(),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
