//! What is told of an action's step beside its own row: the audit, the counters, whoever is to be
//! told, and the history of its incident.

use crate::model::Timestamp;
use crate::model::notify::NoticeEvent;
use crate::model::recovery::{Action, Stage};
use crate::redact::Scope;
use crate::store::error::Error;
use crate::store::recovery::audit::{self, New};
use crate::store::recovery::tally;
use crate::store::{journal, notices, rows};
use rusqlite::Transaction;
use serde_json::json;

/// The audit and the counters about where an action stands now. `noise`: there may be very many of it;
/// how what was released goes on is never left out.
pub(super) fn told(
    tx: &Transaction<'_>,
    action: &Action,
    (known_verb, noise): (bool, bool),
    scope: Option<&mut Scope>,
    now: Timestamp,
) -> Result<(), Error> {
    let kind = action.caller.kind.word();
    let verb = action.task.verb();
    let outcome = match (action.stage, action.aftermath) {
        (Stage::Done, Some(aftermath)) => aftermath.word(),
        (stage, _) => stage.word(),
    };
    tally::count(tx, (verb, known_verb), kind, outcome)?;
    let failed: Vec<&str> = action
        .checks
        .iter()
        .filter(|check| !check.passed)
        .map(|check| check.name.as_str())
        .collect();
    let evidence: Vec<String> = action
        .evidence
        .iter()
        .map(|fact| {
            format!(
                "{} {} at {}",
                fact.kind.word(),
                fact.text,
                fact.at.to_rfc3339()
            )
        })
        .collect();
    let plain = json!({
        "action": action.id,
        "incident": action.incident,
        "fingerprint": action.fingerprint,
        "binding": action.hash,
        "checks_failed": failed,
        "aftermath": action.aftermath,
    });
    let task = action.task.to_string();
    let evidence = evidence.join("; ");
    let by = action.by.as_deref().unwrap_or_default();
    let texts = [
        ("task", task.as_str()),
        ("why", action.why.as_str()),
        ("evidence", evidence.as_str()),
        ("by", by),
        ("said", action.said.as_str()),
    ];
    let new = New {
        event: action.stage.word(),
        service: &action.service,
        verb,
        caller: &action.caller.name,
        kind,
        plain,
        texts: &texts,
        noise,
    };
    audit::put(tx, &new, scope, now)
}

/// Who is told of incidents is told of what waits for them.
pub(super) fn notify(tx: &Transaction<'_>, action: &Action, now: Timestamp) -> Result<(), Error> {
    if let Some(incident) = action.incident {
        notices::put(tx, incident, NoticeEvent::Approval, now)?;
        if let Some(incident) = rows::incident(tx, incident)? {
            journal::put(tx, &incident, now)?;
        }
    }
    Ok(())
}

/// What came of an action, for its incident's history.
pub(super) fn sentence(action: &Action) -> String {
    let outcome = action
        .aftermath
        .map_or(action.stage.word(), |one| one.word());
    format!(
        "action {}: {}: {outcome}: {}",
        action.id, action.task, action.said
    )
}
