//! Deploy verdicts: the newest word on each pair of commits, and a line in `incidents.jsonl` for
//! each change of it.

use crate::model::Timestamp;
use crate::rate::Deploy;
use crate::store::error::Error;
use crate::store::{Store, journal, rows};
use rusqlite::{Connection, params};

/// Pairs of commits that are kept of one service, and of all together.
const KEPT: i64 = 20;
const KEPT_IN_ALL: i64 = 2_000;
/// Verdicts that `status` shows.
const SHOWN: i64 = 20;

impl Store {
    /// Keeps a verdict, in place of what was kept of the same pair of commits.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn save_deploy(
        &mut self,
        service: &str,
        deploy: &Deploy,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.begin()?;
        tx.prepare_cached(
            "INSERT INTO deploys (service, old, new, updated, json) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (service, old, new) DO UPDATE SET updated = ?4, json = ?5",
        )?
        .execute(params![
            service,
            deploy.old.as_str(),
            deploy.new.as_str(),
            now.0,
            rows::to_json(deploy)?
        ])?;
        let forget = "DELETE FROM deploys WHERE rowid IN (SELECT rowid FROM deploys
             WHERE service = ?1 ORDER BY updated DESC LIMIT -1 OFFSET ?2)";
        tx.prepare_cached(forget)?.execute(params![service, KEPT])?;
        let forget = "DELETE FROM deploys WHERE rowid IN (SELECT rowid FROM deploys
             ORDER BY updated DESC LIMIT -1 OFFSET ?1)";
        tx.prepare_cached(forget)?.execute([KEPT_IN_ALL])?;
        journal::put_deploy(&tx, service, deploy, now)?;
        tx.commit()?;
        self.drain_journal()
    }

    /// The newest verdicts, newest first, by service.
    pub(super) fn deploys(&self) -> Result<Vec<(String, Deploy)>, Error> {
        read(&self.db)
    }
}

fn read(db: &Connection) -> Result<Vec<(String, Deploy)>, Error> {
    let sql = "SELECT service, json FROM deploys ORDER BY updated DESC, rowid DESC LIMIT ?1";
    let mut all = db.prepare_cached(sql)?;
    let all = all.query_map([SHOWN], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut deploys = Vec::new();
    for row in all {
        let (service, json): (String, String) = row?;
        deploys.extend(rows::from_json(Some(json))?.map(|deploy| (service, deploy)));
    }
    Ok(deploys)
}
