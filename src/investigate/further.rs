//! What a fault speaks of beyond its frames: the statement that printed a line, names in its
//! message, callers, files that suspect commits changed. For people and for models to look at; it
//! moves no location and makes no diff.

use super::Findings;
use crate::model::{Incident, Settings};
use crate::source::locate::{Changed, Question, beside};
use crate::source::{Commit, Repo, Tree};
use std::time::Instant;

/// Files of one suspect that are looked at: more are a change of everything.
const FILES: usize = 20;

/// Fills in [`Findings::places`], with what the findings hold already. Files are searched until
/// `until`; what could not be done stands in `notes`.
pub fn look_further(
    findings: &mut Findings,
    repo: &Repo,
    commit: Commit,
    incident: &Incident,
    settings: &Settings,
    until: Instant,
) {
    let tree = match Tree::read(repo, commit) {
        Ok(tree) => tree,
        Err(fault) => {
            let what = format!("nothing beyond the frames was looked for: {fault}");
            findings.notes.push(what);
            return;
        }
    };
    let changed: Vec<Changed> = findings
        .suspects
        .iter()
        .flat_map(|suspect| {
            suspect.files.iter().take(FILES).map(|file| Changed {
                file: file.clone(),
                score: suspect.score,
                why: format!(
                    "{} {}",
                    suspect.commit.get(..12).unwrap_or(&suspect.commit),
                    suspect.summary
                ),
            })
        })
        .collect();
    let title = incident.lines.is_empty() && incident.trace.is_none();
    let question = Question {
        trace: incident.trace.as_ref(),
        message: title.then_some(incident.title.as_str()),
        lines: &incident.lines,
        changed: &changed,
    };
    let found = beside(&question, &findings.located, &tree, settings, until);
    findings.places = found.places;
    findings.notes.extend(found.notes);
    if findings.located.is_empty() && !findings.places.is_empty() {
        findings.tried.push(format!(
            "looked for the message's text and names: {} places speak of them",
            findings.places.len()
        ));
    }
}
