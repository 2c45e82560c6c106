//! What was done to a service before, as the checks want to know it.

use crate::model::Timestamp;
use crate::model::recovery::{ActionId, Aftermath, Stage, Verb};
use crate::policy::History;
use crate::store::error::Error;
use rusqlite::{OptionalExtension, Transaction, params};
use std::time::Duration;

/// Counts within the transaction that decides, so that of two that ask at once the second sees the
/// first. What was released and refused before it began was not done.
pub(super) fn history(
    tx: &Transaction<'_>,
    service: &str,
    verb: &str,
    fingerprint: Option<&str>,
    but: ActionId,
    now: Timestamp,
) -> Result<History, Error> {
    // What a team's own verb did says nothing of the platform's verbs, nor they of it.
    let own = Verb::from_word(verb).is_none();
    let since = |seconds| now.minus(Duration::from_secs(seconds)).0;
    let (hour, day, of_verb, ended): (u32, u32, u32, Option<i64>) = tx
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE released > ?3), count(*) FILTER (WHERE released > ?4),
                    count(*) FILTER (WHERE released > ?4 AND verb = ?2),
                    max(ended) FILTER (WHERE ?6 = (verb NOT IN (
                        'restart', 'rollback', 'scale', 'stop', 'start')))
             FROM actions WHERE service = ?1 AND released IS NOT NULL AND stage <> 'refused'
             AND id <> ?5",
        )?
        .query_row(
            params![service, verb, since(3_600), since(86_400), but.0, own],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
    let under_way = tx
        .prepare_cached(
            "SELECT id FROM actions WHERE service = ?1 AND id <> ?2
             AND stage IN ('approved', 'running', 'watched') LIMIT 1",
        )?
        .query_row(params![service, but.0], |row| row.get(0))
        .optional()?;
    let newest: Option<(i64, String, Option<String>, i64)> = tx
        .prepare_cached(
            "SELECT id, stage, aftermath, ended FROM actions WHERE service = ?1
             AND released IS NOT NULL AND stage <> 'refused' AND ended IS NOT NULL AND id <> ?2
             AND ?3 = (verb NOT IN ('restart', 'rollback', 'scale', 'stop', 'start'))
             ORDER BY ended DESC LIMIT 1",
        )?
        .query_row(params![service, but.0, own], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let failed = newest.and_then(|(id, stage, aftermath, ended)| {
        let helped = Stage::from_word(&stage) == Some(Stage::Done)
            && aftermath.as_deref().and_then(Aftermath::from_word) == Some(Aftermath::Healthy);
        (!helped).then_some((ActionId(id), Timestamp(ended)))
    });
    let failed_for_fault = match fingerprint {
        None => 0,
        Some(fingerprint) => tx
            .prepare_cached(
                "SELECT count(*) FROM actions WHERE service = ?1 AND verb = ?2 AND fingerprint = ?3
                 AND id <> ?4 AND released IS NOT NULL
                 AND (stage = 'failed' OR aftermath IN ('no_change', 'worse'))",
            )?
            .query_row(params![service, verb, fingerprint, but.0], |row| row.get(0))?,
    };
    let waiting = tx
        .prepare_cached(
            "SELECT count(*) FROM actions WHERE service = ?1 AND id <> ?2
             AND stage IN ('pending', 'proposed') AND expires > ?3",
        )?
        .query_row(params![service, but.0, now.0], |row| row.get(0))?;
    Ok(History {
        waiting,
        last_ended: ended.map(Timestamp),
        in_hour: hour,
        in_day: day,
        of_verb,
        under_way: under_way.map(ActionId),
        failed,
        failed_for_fault,
    })
}
