//! `autofix incidents`: the list that `replay` and `fix` print too.

use crate::app::{self, look};
use crate::cli::Outcome;
use crate::cli::arguments::ListArguments;
use crate::cli::output::{BAD, GOOD, ODD, Out, STRONG, safe};
use crate::model::{Incident, Location, Status};
use anstyle::Style;

/// Longest title in a list, in characters.
const TITLE: usize = 160;

pub(super) fn run(arguments: &ListArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let incidents = look::incidents(&arguments.state.folder()?)?;
    if arguments.json {
        print_json(&incidents, out);
    } else {
        print(&incidents, out);
    }
    Ok(Outcome::Done)
}

pub(super) fn print_json(incidents: &[Incident], out: &mut Out) {
    for incident in incidents {
        out.json(&incident.to_json());
    }
}

pub(super) fn print(incidents: &[Incident], out: &mut Out) {
    if incidents.is_empty() {
        out.line("no incidents");
    }
    for incident in incidents {
        print_one(incident, out);
    }
}

/// Two to four lines: what, why or where, and the diff.
pub(super) fn print_one(incident: &Incident, out: &mut Out) {
    let status = out.paint(style(incident.status), incident.status.word());
    let number = out.paint(STRONG, &format!("#{}", incident.id));
    let times = if incident.count == 1 {
        String::new()
    } else {
        format!(", {} times", incident.count)
    };
    let what = format!(
        "{} in {}: {}",
        incident.kind.word(),
        incident.service,
        cut(&incident.title)
    );
    out.line(&format!("{number} {status}  {}", safe(&what)));
    let last = incident.last_seen.to_rfc3339();
    out.line(&safe(&format!(
        "    last seen {last}{times}; {}",
        incident.reason
    )));
    if let Some(location) = &incident.location {
        out.line(&safe(&format!("    at {}", place(location))));
    }
    if let Some(proposal) = &incident.proposal {
        out.line(&safe(&format!("    patch: {}", proposal.patch)));
        if let Some(pr) = &proposal.pr {
            out.line(&safe(&format!("    pull request: {pr}")));
        }
    }
}

/// `file:line in function (0.9)`.
pub(super) fn place(location: &Location) -> String {
    let line = location
        .line
        .map_or(String::new(), |line| format!(":{line}"));
    let function = location.function.as_deref();
    let function = function.map_or(String::new(), |name| format!(" in {name}"));
    format!(
        "{}{line}{function} (confidence {:.2})",
        location.file, location.confidence
    )
}

const fn style(status: Status) -> Style {
    match status {
        Status::Open | Status::Investigating => BAD,
        Status::Reported | Status::Rejected => ODD,
        Status::Proposed | Status::Delivered | Status::Merged | Status::Resolved => GOOD,
        Status::Muted => Style::new(),
    }
}

fn cut(title: &str) -> String {
    let mut letters = title.chars();
    let mut short: String = letters.by_ref().take(TITLE).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short
}
