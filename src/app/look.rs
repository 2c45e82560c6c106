//! The commands that only look: `incidents`, `why`, `status`. They read the store and change
//! nothing in it.

use crate::app::{Error, rehearse};
use crate::config::Options;
use crate::deliver;
use crate::investigate::inquiry::Entry;
use crate::model::{Incident, IncidentId};
use crate::pipeline::clock;
use crate::pipeline::lanes;
use crate::store::{Event, Limits, Occurrence, PastVerdict, StatusReport, Store};
use std::path::{Path, PathBuf};

/// Everything known about one incident.
#[derive(Clone, Debug)]
pub struct Why {
    pub incident: Incident,
    pub events: Vec<Event>,
    pub occurrences: Vec<Occurrence>,
    /// What a model said that led to it: it asked for a look, or installed the watch.
    pub verdict: Option<PastVerdict>,
    /// What was said between us and the model that investigated it.
    pub conversation: Vec<Entry>,
    /// Its report, where there is one.
    pub report: Option<PathBuf>,
}

/// Limits for a command that makes no incidents.
pub fn limits() -> Limits {
    let options = Options::default();
    lanes::limits(options.dedup_window, options.state_limit)
}

/// All incidents, oldest first.
///
/// # Errors
/// When there is no store or it cannot be read.
pub fn incidents(state_dir: &Path) -> Result<Vec<Incident>, Error> {
    let store = open(state_dir)?;
    store.incidents().map_err(failed)
}

/// What happened to one incident and why.
///
/// # Errors
/// When there is no store or no such incident.
pub fn why(state_dir: &Path, id: IncidentId) -> Result<Why, Error> {
    let store = open(state_dir)?;
    let incident = store.incident(id).map_err(failed)?.ok_or_else(|| {
        Error::Usage(format!(
            "there is no incident {id}; `autofix incidents` lists them"
        ))
    })?;
    let folder = deliver::folder_of(&state_dir.join("incidents"), id);
    let report = folder.join("report.md");
    let transcript = folder.join(deliver::TRANSCRIPT);
    let conversation = match transcript.exists() {
        true => rehearse::read(&transcript)?,
        false => Vec::new(),
    };
    Ok(Why {
        events: store.events(id).map_err(failed)?,
        occurrences: store.occurrences(id).map_err(failed)?,
        verdict: store.verdict_behind(&incident).map_err(failed)?,
        conversation,
        report: report.exists().then_some(report),
        incident,
    })
}

/// Counters and incidents by status, as the instances left them.
///
/// # Errors
/// When there is no store or it cannot be read.
pub fn status(state_dir: &Path) -> Result<StatusReport, Error> {
    open(state_dir)?.status(clock::now()).map_err(failed)
}

pub(super) fn open(state_dir: &Path) -> Result<Store, Error> {
    Store::open_existing(state_dir, limits()).map_err(failed)
}

pub(super) fn failed(fault: crate::store::Error) -> Error {
    Error::Unfinished(fault.to_string())
}
