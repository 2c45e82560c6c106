//! What people say of faults and what became of fixes: `mute`, `unmute`, `outcomes`.

use crate::app::Error;
use crate::app::look::{failed, open};
use crate::model::delivery::{Delivery, OutcomeKind};
use crate::model::{IncidentId, Timestamp};
use crate::pipeline::clock;
use crate::store::{Mute, PullRow, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Newest outcomes that are listed one by one.
const LISTED: usize = 20;

/// What a person wants left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The fault of this incident.
    Fault(IncidentId),
    /// Every fault of a service.
    Service(String),
}

impl What {
    /// `12`, `#12`, or the name of a service.
    pub fn parse(text: &str) -> What {
        match IncidentId::parse(text) {
            Some(id) => What::Fault(id),
            None => What::Service(text.to_owned()),
        }
    }

    fn resolve(&self, store: &Store) -> Result<(String, Option<String>), Error> {
        match self {
            What::Fault(id) => {
                let incident = store.incident(*id).map_err(failed)?.ok_or_else(|| {
                    Error::Usage(format!(
                        "there is no incident {id}; `autofix incidents` lists them"
                    ))
                })?;
                Ok((incident.service, Some(incident.fingerprint)))
            }
            What::Service(name) => {
                let known = store.settings(name).map_err(failed)?.is_some()
                    || store
                        .incidents()
                        .map_err(failed)?
                        .iter()
                        .any(|incident| incident.service == *name);
                if known {
                    return Ok((name.clone(), None));
                }
                Err(Error::Usage(format!(
                    "there is no service {name:?} and no incident of it; give an incident's number or a \
                     service's name"
                )))
            }
        }
    }
}

/// Leaves something alone; gives the mute and the number of incidents that it ended.
///
/// # Errors
/// When there is no store or nothing of that name.
pub fn mute(
    state_dir: &Path,
    what: &What,
    within: Option<Duration>,
    who: &str,
    why: &str,
) -> Result<(Mute, usize), Error> {
    let mut store = open(state_dir)?;
    let (service, fingerprint) = what.resolve(&store)?;
    let now = clock::now();
    let mute = Mute {
        service,
        fingerprint,
        until: within.map(|within| now.plus(within)),
        who: who.to_owned(),
        why: why.to_owned(),
        made: now,
    };
    let ended = store.mute(&mute, now).map_err(failed)?;
    Ok((mute, ended))
}

/// Takes that back; `false` where nothing was muted.
///
/// # Errors
/// As [`mute`].
pub fn unmute(state_dir: &Path, what: &What, who: &str) -> Result<bool, Error> {
    let mut store = open(state_dir)?;
    let (service, fingerprint) = what.resolve(&store)?;
    store
        .unmute(&service, fingerprint.as_deref(), who, clock::now())
        .map_err(failed)
}

/// What is muted now.
///
/// # Errors
/// When there is no store or it cannot be read.
pub fn mutes(state_dir: &Path) -> Result<Vec<Mute>, Error> {
    open(state_dir)?.mutes(clock::now()).map_err(failed)
}

/// How often what became of fixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Proposed as a pull request.
    pub proposed: u64,
    /// Of these, opened.
    pub opened: u64,
    pub merged: u64,
    pub held: u64,
    pub came_back: u64,
    pub rejected: u64,
    /// Left to a person: somebody pushed to the branch, or it went away.
    pub theirs: u64,
}

impl Tally {
    fn count(&mut self, row: &PullRow) {
        self.proposed += 1;
        self.opened += u64::from(row.opened.is_some());
        self.merged += u64::from(row.merged.is_some());
        self.theirs += u64::from(row.state == Delivery::Theirs);
        match row.outcome {
            Some(OutcomeKind::Held) => self.held += 1,
            Some(OutcomeKind::CameBack) => self.came_back += 1,
            Some(OutcomeKind::Rejected) => self.rejected += 1,
            None => {}
        }
    }

    fn to_json(self) -> Value {
        json!({
            "proposed": self.proposed,
            "opened": self.opened,
            "merged": self.merged,
            "held": self.held,
            "came_back": self.came_back,
            "rejected": self.rejected,
            "theirs": self.theirs,
        })
    }
}

/// The scorecard.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    pub all: Tally,
    pub services: BTreeMap<String, Tally>,
    pub fixers: BTreeMap<String, Tally>,
    /// The newest requests, newest first.
    pub newest: Vec<PullRow>,
}

impl Outcomes {
    /// The object of `outcomes --json`; stable.
    pub fn to_json(&self) -> Value {
        let of = |map: &BTreeMap<String, Tally>| -> Value {
            map.iter()
                .map(|(name, tally)| (name.clone(), tally.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let time = |time: Option<Timestamp>| time.map(Timestamp::to_rfc3339);
        let newest = self.newest.iter().map(|row| {
            json!({
                "service": row.service,
                "fingerprint": row.fingerprint,
                "round": row.round,
                "incident": row.incident,
                "fixer": row.fixer,
                "state": row.state,
                "why": row.why,
                "url": row.url,
                "branch": row.order.branch,
                "ci": row.ci,
                "made": row.made.to_rfc3339(),
                "opened": time(row.opened),
                "merged": time(row.merged),
                "deployed": time(row.deployed),
                "outcome": row.outcome,
                "returned": row.returned,
            })
        });
        json!({
            "all": self.all.to_json(),
            "services": of(&self.services),
            "fixers": of(&self.fixers),
            "newest": newest.collect::<Vec<_>>(),
        })
    }
}

/// What became of fixes, of one service or of all.
///
/// # Errors
/// When there is no store or it cannot be read.
pub fn outcomes(state_dir: &Path, service: Option<&str>) -> Result<Outcomes, Error> {
    let rows = open(state_dir)?.pulls().map_err(failed)?;
    let mut outcomes = Outcomes::default();
    for row in rows {
        if service.is_some_and(|service| service != row.service) {
            continue;
        }
        outcomes.all.count(&row);
        let of_service = outcomes.services.entry(row.service.clone());
        of_service.or_default().count(&row);
        let of_fixer = outcomes.fixers.entry(row.fixer.clone());
        of_fixer.or_default().count(&row);
        if outcomes.newest.len() < LISTED {
            outcomes.newest.push(row);
        }
    }
    Ok(outcomes)
}
