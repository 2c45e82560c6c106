//! What the fast lane learnt of each service, so that a restart does not call everything new.
//! Two texts a service; what stands in them is the business of who wrote them.

use crate::model::Timestamp;
use crate::store::Store;
use crate::store::error::{Error, ErrorKind};
use rusqlite::params;

/// Of `State_Limit`, one part in this many is for learnt state.
const SHARE: u64 = 8;

/// What was learnt of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learnt {
    pub service: String,
    /// The miner's state: JSON Lines.
    pub templates: String,
    /// The book's state: JSON.
    pub book: String,
}

impl Store {
    /// Keeps what was learnt of a service, in place of what was kept before. Services that were
    /// not written for longest give way where all together are too large.
    ///
    /// # Errors
    /// When the store cannot be written, or this one alone is too large.
    pub fn save_learnt(&mut self, learnt: &Learnt, now: Timestamp) -> Result<(), Error> {
        let share = self.limits.bytes / SHARE;
        let size = (learnt.templates.len() + learnt.book.len()) as u64;
        if size > share {
            let what = format!("what was learnt of {} is too large to keep", learnt.service);
            return Err(Error::new(ErrorKind::Full, what));
        }
        let tx = self.begin()?;
        tx.prepare_cached(
            "INSERT INTO learnt (service, templates, book, updated) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (service) DO UPDATE SET templates = ?2, book = ?3, updated = ?4",
        )?
        .execute(params![
            learnt.service,
            learnt.templates,
            learnt.book,
            now.0
        ])?;
        // The newest ones that fit together stay.
        tx.prepare_cached(
            "DELETE FROM learnt WHERE service IN (
                 SELECT service FROM (
                     SELECT service, sum(octet_length(templates) + octet_length(book))
                         OVER (ORDER BY service <> ?1, updated DESC, service) AS total FROM learnt
                 ) WHERE total > ?2)",
        )?
        .execute(params![
            learnt.service,
            i64::try_from(share).unwrap_or(i64::MAX)
        ])?;
        tx.commit()?;
        Ok(())
    }

    /// What was learnt of each service.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn learnt(&self) -> Result<Vec<Learnt>, Error> {
        let sql = "SELECT service, templates, book FROM learnt ORDER BY service";
        let mut rows = self.db.prepare_cached(sql)?;
        let rows = rows.query_map([], |row| {
            Ok(Learnt {
                service: row.get(0)?,
                templates: row.get(1)?,
                book: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
