//! `autofix fix ID --dry` and `--replay`: an investigation without consequences.

use crate::app::{Error, fix, look};
use crate::investigate::inquiry::Entry;
use crate::log::Log;
use crate::model::{Incident, IncidentId};
use crate::pipeline::drawn::{Again, Drawn};
use crate::pipeline::work::Worker;
use std::path::Path;

/// Longest transcript, in bytes.
const LONGEST: u64 = 64 << 20;

/// What a model would be shown of an incident, and what it would cost.
///
/// # Errors
/// When there is no store, no such incident, or its repository cannot be had.
pub fn dry(state_dir: &Path, id: IncidentId, log: Log) -> Result<Drawn, Error> {
    let (worker, incident) = open(state_dir, id, log)?;
    worker.draw(&incident).map_err(Error::Unfinished)
}

/// Plays an investigation again from its transcript.
///
/// # Errors
/// As [`dry`], and when the transcript is none.
pub fn replay(
    state_dir: &Path,
    id: IncidentId,
    transcript: &Path,
    log: Log,
) -> Result<Again, Error> {
    let past = read(transcript)?;
    let (worker, incident) = open(state_dir, id, log)?;
    worker.again(&incident, &past).map_err(Error::Unfinished)
}

fn open(state_dir: &Path, id: IncidentId, log: Log) -> Result<(Worker, Incident), Error> {
    let worker = fix::worker(state_dir, look::limits(), false, fix::http()?, log)?;
    let incident = worker.store.incident(id).map_err(look::failed)?;
    let incident = incident.ok_or_else(|| {
        Error::Usage(format!(
            "there is no incident {id}; `autofix incidents` lists them"
        ))
    })?;
    Ok((worker, incident))
}

/// The entries of a transcript.
///
/// # Errors
/// With the line that is none.
pub fn read(path: &Path) -> Result<Vec<Entry>, Error> {
    let fail = |fault: &dyn std::fmt::Display| Error::unfinished(path.display(), fault);
    let size = std::fs::metadata(path).map_err(|e| fail(&e))?.len();
    if size > LONGEST {
        return Err(fail(&"longer than 64 MB, which no transcript is"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| fail(&e))?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty());
    lines
        .map(|(at, line)| {
            serde_json::from_str(line).map_err(|fault| {
                fail(&format!(
                    "line {} is no entry of a transcript: {fault}",
                    at + 1
                ))
            })
        })
        .collect()
}
