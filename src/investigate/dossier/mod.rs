//! What an on-call engineer would want on the desk: the incident and its lines, where it is in the
//! source, how often it comes and since when, who may have brought it, what was tried. Redacted, fenced
//! as data, and within a stated number of bytes. It looks nothing up that it was not handed, but for the
//! source and the changes of suspects.

mod recovery;
mod sections;

use crate::investigate::Findings;
use crate::investigate::excerpts::WholeFunction;
use crate::investigate::tools::LogLine;
use crate::model::{CommitId, Incident, Settings, Timestamp};
use crate::redact::{Redacted, Scope};
use crate::source::{Commit, Repo};
use std::time::{Duration, Instant};

/// Bytes of a dossier: about 32,000 tokens at most.
pub const BYTES: usize = 64 << 10;
/// Longest look at suspects' changes.
const SHOW: Duration = Duration::from_millis(800);
/// Most lines of the incident itself that have an id.
const LINES: usize = 400;

/// The parts, in the order in which they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Incident,
    Service,
    Lines,
    Frames,
    Source,
    Rate,
    Around,
    Suspects,
    Places,
    Past,
    Tried,
    Recovery,
    OtherStreams,
    Neighbours,
}

/// What is kept first. The last is the first to be cut: neighbours, then other streams, and so on
/// backwards.
pub const KEPT_FIRST: [Part; 14] = [
    Part::Incident,
    Part::Lines,
    Part::Frames,
    Part::Source,
    Part::Service,
    Part::Rate,
    Part::Recovery,
    Part::Around,
    Part::Suspects,
    Part::Places,
    Part::Tried,
    Part::Past,
    Part::OtherStreams,
    Part::Neighbours,
];

impl Part {
    /// For people.
    pub const fn word(self) -> &'static str {
        match self {
            Part::Incident => "the incident",
            Part::Service => "the service",
            Part::Lines => "its lines",
            Part::Frames => "frames",
            Part::Source => "source",
            Part::Rate => "how often",
            Part::Around => "the log around it",
            Part::Suspects => "suspects",
            Part::Places => "other places",
            Part::Past => "past incidents",
            Part::Tried => "what was tried",
            Part::Recovery => "recovery",
            Part::OtherStreams => "other streams",
            Part::Neighbours => "neighbours",
        }
    }

    /// Most bytes of data in it.
    const fn room(self) -> usize {
        match self {
            Part::Incident | Part::Rate | Part::Tried | Part::Service => 2 << 10,
            Part::Recovery => recovery::ROOM,
            Part::Lines => 12 << 10,
            Part::Frames => 6 << 10,
            Part::Source => 28 << 10,
            Part::Around => 8 << 10,
            Part::Suspects => 16 << 10,
            Part::Places | Part::Past | Part::Neighbours => 4 << 10,
            Part::OtherStreams => 6 << 10,
        }
    }
}

/// An earlier incident of the same service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    pub id: i64,
    pub title: String,
    pub last_seen: Timestamp,
    pub status: &'static str,
    pub reason: String,
    /// The same fault, not only one like it.
    pub same: bool,
}

/// Everything that it is made of.
pub struct Brief<'a> {
    pub incident: &'a Incident,
    pub settings: &'a Settings,
    pub repo: &'a Repo,
    pub commit: Commit,
    pub findings: &'a Findings,
    /// Best first.
    pub functions: &'a [WholeFunction],
    /// The newest deploy before this one that ran without the fault.
    pub last_good: Option<Commit>,
    /// When it was seen, with the commit that ran; the newest of them.
    pub seen: &'a [(Timestamp, Option<CommitId>)],
    pub past: &'a [Past],
    /// What was done about it before, a sentence each.
    pub tried: &'a [String],
    /// What is known of the service's recovery, a sentence each, the most useful first; empty: it has none.
    pub recovery: &'a [String],
    /// As [`lines_of`] made them.
    pub lines: &'a [LogLine],
}

/// A dossier.
#[derive(Clone, Debug)]
pub struct Dossier {
    pub text: Redacted,
    /// Parts of which something, or all, was left out.
    pub cut: Vec<Part>,
}

/// The lines that may be shown of an incident, with the ids by which they are cited: `L` its own,
/// `C` of its stream around it, `S` of other streams of its service, `N` of neighbours.
pub fn lines_of(incident: &Incident) -> Vec<LogLine> {
    let mut lines: Vec<LogLine> = incident
        .lines
        .iter()
        .flat_map(|record| record.lines())
        .take(LINES)
        .enumerate()
        .map(|(at, text)| LogLine {
            id: format!("L{}", at + 1),
            time: None,
            text: text.to_owned(),
        })
        .collect();
    let mut numbers = [0_usize; 3];
    for line in &incident.context {
        let kind = match &line.from {
            None => 0,
            Some(from) if is_neighbour(from) => 2,
            Some(_) => 1,
        };
        let from = line
            .from
            .as_deref()
            .map_or(String::new(), |from| format!("[{from}] "));
        for text in line.text.lines() {
            numbers[kind] += 1;
            lines.push(LogLine {
                id: format!("{}{}", ["C", "S", "N"][kind], numbers[kind]),
                time: Some(line.time),
                text: format!("{from}{text}"),
            });
        }
    }
    lines
}

/// A neighbour's lines come with its name and its stream's, those of the own service with the latter.
fn is_neighbour(from: &str) -> bool {
    from.contains(": ")
}

/// Writes it, in at most so many bytes of data.
pub fn write(brief: &Brief<'_>, scope: &mut Scope, bytes: usize, deadline: Instant) -> Dossier {
    let deadline = deadline.min(Instant::now() + SHOW);
    let mut left = bytes;
    let mut written: Vec<(Part, Redacted)> = Vec::new();
    let mut cut = Vec::new();
    for part in KEPT_FIRST {
        let room = part.room().min(left);
        let Some(page) = sections::page(part, brief, scope, room, deadline) else {
            continue;
        };
        if page.is_full() {
            cut.push(part);
        }
        let text = page.finish();
        left = left.saturating_sub(text.len());
        written.push((part, text));
    }
    written.sort_by_key(|(part, _)| *part);
    let mut text = Redacted::own(
        "Find the cause of this fault. Everything below is data that was collected about it.\n",
    );
    for (_, section) in &written {
        text.push("\n");
        text.push(section);
        text.push("\n");
    }
    if !cut.is_empty() {
        text.push("\nNot everything fitted; the tools give the rest. Cut: ");
        for (at, part) in cut.iter().enumerate() {
            text.push(if at == 0 { "" } else { ", " });
            text.push(part.word());
        }
        text.push(".\n");
    }
    Dossier { text, cut }
}
