//! What a scenario's incidents are worth beside its right decisions: found, missed, false alarms.
//! Pure: nothing runs here. The rules stand in `scenarios/README.md` for those who write scenarios.

use crate::model::{Incident, Kind, Timestamp};

/// What is right about something in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It becomes an incident.
    Investigate,
    /// It is counted from some point on, and becomes an incident when the count says so.
    Watch,
    /// It becomes none.
    Ignore,
}

impl Action {
    pub const WORDS: [(&'static str, Action); 3] = [
        ("investigate", Action::Investigate),
        ("watch", Action::Watch),
        ("ignore", Action::Ignore),
    ];

    pub fn word(self) -> &'static str {
        match self {
            Action::Investigate => "investigate",
            Action::Watch => "watch",
            Action::Ignore => "ignore",
        }
    }
}

/// One right decision: what it is about, and until when it must be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub action: Action,
    pub service: Option<String>,
    pub kind: Option<Kind>,
    /// One of them stands in the incident; empty: whatever stands there.
    pub contains: Vec<String>,
    /// An incident before this is about something else.
    pub from: Option<Timestamp>,
    /// An incident after this comes too late. `None` only for what is ignored.
    pub by: Option<Timestamp>,
    pub why: String,
}

impl Decision {
    fn is_about(&self, incident: &Incident) -> bool {
        let service = self.service.as_ref();
        service.is_none_or(|service| *service == incident.service)
            && self.kind.is_none_or(|kind| kind == incident.kind)
            && self.from.is_none_or(|from| incident.first_seen >= from)
            && (self.contains.is_empty() || self.contains.iter().any(|text| says(incident, text)))
    }

    fn is_in_time(&self, incident: &Incident) -> bool {
        self.by.is_none_or(|by| incident.first_seen <= by)
    }

    pub fn is_ignore(&self) -> bool {
        self.action == Action::Ignore
    }
}

/// Whether a text stands in the incident's title, exceptions or lines.
fn says(incident: &Incident, text: &str) -> bool {
    let raised = [incident.exception(), incident.raised_as()];
    let raised = raised
        .into_iter()
        .flatten()
        .flat_map(|raised| [raised.kind.as_deref(), raised.message.as_deref()])
        .flatten();
    std::iter::once(incident.title.as_str())
        .chain(raised)
        .chain(incident.lines.iter().map(String::as_str))
        .any(|part| part.contains(text))
}

/// How the decisions and the incidents of one scenario go together.
#[derive(Clone, Debug, Default)]
pub struct Score {
    pub found: Vec<Decision>,
    pub missed: Vec<Missed>,
    pub false_alarms: Vec<FalseAlarm>,
}

/// An incident that should be none.
#[derive(Clone, Debug)]
pub struct FalseAlarm {
    pub incident: Incident,
    /// The decision that foresaw it.
    pub ignore: Option<Decision>,
}

/// A decision that nobody took.
#[derive(Clone, Debug)]
pub struct Missed {
    pub decision: Decision,
    /// When somebody did, too late.
    pub late: Option<Timestamp>,
}

impl Score {
    /// Decisions other than to ignore.
    pub fn expected(&self) -> usize {
        self.found.len() + self.missed.len()
    }

    pub fn is_perfect(&self) -> bool {
        self.missed.is_empty() && self.false_alarms.is_empty()
    }
}

/// Goes through the incidents in their order in time. One takes the first decision that it is
/// about, that it is in time for and that no other has taken. One that is only about decisions
/// that are taken or over tells of the same fault again, which is neither found nor false. What is
/// about none is false, whether an `ignore` foresaw it or not.
pub fn score(decisions: &[Decision], incidents: &[Incident]) -> Score {
    let mut order: Vec<&Incident> = incidents.iter().collect();
    order.sort_by_key(|incident| (incident.first_seen, incident.id));
    let (ignored, wanted): (Vec<&Decision>, Vec<&Decision>) =
        decisions.iter().partition(|decision| decision.is_ignore());
    let mut wanted: Vec<Standing<'_>> = wanted.into_iter().map(Standing::new).collect();
    let mut false_alarms = Vec::new();
    for incident in order {
        if !offer(&mut wanted, incident) {
            let ignore = ignored.iter().find(|decision| decision.is_about(incident));
            false_alarms.push(FalseAlarm {
                incident: incident.clone(),
                ignore: ignore.map(|decision| (*decision).clone()),
            });
        }
    }
    let (found, missed): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|each| each.taken);
    Score {
        found: found.iter().map(|each| each.decision.clone()).collect(),
        missed: missed.iter().map(Standing::missed).collect(),
        false_alarms,
    }
}

/// Whether the incident is about any of the decisions.
fn offer(wanted: &mut [Standing<'_>], incident: &Incident) -> bool {
    let is_about = |each: &Standing<'_>| each.decision.is_about(incident);
    if let Some(free) = wanted
        .iter_mut()
        .find(|each| is_about(each) && each.takes(incident))
    {
        free.taken = true;
        return true;
    }
    match wanted.iter_mut().find(|each| is_about(each)) {
        Some(again) => {
            again.late.get_or_insert(incident.first_seen);
            true
        }
        None => false,
    }
}

/// A decision and what became of it so far.
struct Standing<'a> {
    decision: &'a Decision,
    taken: bool,
    late: Option<Timestamp>,
}

impl<'a> Standing<'a> {
    fn new(decision: &'a Decision) -> Standing<'a> {
        Standing {
            decision,
            taken: false,
            late: None,
        }
    }

    fn takes(&self, incident: &Incident) -> bool {
        !self.taken && self.decision.is_in_time(incident)
    }

    fn missed(&self) -> Missed {
        Missed {
            decision: self.decision.clone(),
            late: self.late,
        }
    }
}
