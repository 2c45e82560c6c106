//! Room on the disk: the database stays within its limit, and the oldest incidents that nobody
//! works on any more give way, with their files. The last tenth of the limit is for work on
//! what is there: were new incidents to fill it, none could be finished and so none pruned.

use crate::model::IncidentId;
use crate::store::Store;
use crate::store::error::{Error, ErrorKind};
use rusqlite::Connection;
use std::fs;

/// Fails where the limit leaves no room for one more incident.
pub fn check(db: &Connection, limit: u64) -> Result<(), Error> {
    if used(db)? < limit / 10 * 9 {
        return Ok(());
    }
    let what = "State_Limit is reached; have open incidents worked on (autofix fix), or raise it";
    Err(Error::new(ErrorKind::Full, what))
}

/// Bytes of the pages that hold something.
fn used(db: &Connection) -> Result<u64, Error> {
    let number = |pragma: &str| -> Result<u64, Error> {
        let value: i64 = db.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
        Ok(value.unsigned_abs())
    };
    let pages = number("page_count")?.saturating_sub(number("freelist_count")?);
    Ok(pages.saturating_mul(number("page_size")?))
}

impl Store {
    /// Makes room: the oldest tenth of the incidents that nobody works on any more. `false`:
    /// there was none.
    pub(super) fn prune(&mut self) -> Result<bool, Error> {
        let tx = self.begin()?;
        let removed: Vec<i64> = tx
            .prepare(
                "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents
                 WHERE status NOT IN ('open', 'investigating', 'muted') ORDER BY last_seen
                 LIMIT max(10, (SELECT count(*) / 10 FROM incidents))) RETURNING id",
            )?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        tx.commit()?;
        for id in &removed {
            // Numbers are never used again: a folder that stays is only in the way.
            let folder = IncidentId(*id).to_string();
            let _ = fs::remove_dir_all(self.dir.join("incidents").join(folder));
        }
        Ok(!removed.is_empty())
    }
}
