//! What a checked answer comes to: rows for the store, orders for the fast lane, signals for
//! triage. The rooms below decided; this puts together what they need.

use crate::model::{CommitId, Kind, Signal, Status, TemplateId, Timestamp};
use crate::pipeline::notes::Order;
use crate::pipeline::ring::head;
use crate::store::{PastVerdict, VerdictRow};
use crate::triage::answer::{Answer, Verdict};
use crate::triage::entry::{Batch, Entry};
use crate::triage::prompt;
use std::time::Duration;

/// How long an `ignore` holds: a week, and no longer than the deployed commit.
const IGNORED: Duration = Duration::from_secs(7 * 24 * 3600);
/// Lines of a signal that is about several entries.
const LINES: usize = 10;

/// An answer with what it is about.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    pub batch: &'a Batch,
    pub answer: &'a Answer,
    pub model: &'a str,
    pub commit: Option<&'a CommitId>,
    /// Wall clock.
    pub now: Timestamp,
}

impl Read<'_> {
    fn pairs(&self) -> Vec<(&Entry, &Verdict)> {
        let entries = self.batch.entries.iter();
        match self.answer {
            Answer::All(verdict) => entries.map(|entry| (entry, verdict)).collect(),
            Answer::Each(all) => entries.zip(all).collect(),
        }
    }

    /// A row for each entry.
    pub fn rows(&self) -> Vec<VerdictRow> {
        let row = |(entry, verdict): (&Entry, &Verdict)| {
            let (label, summary, until) = match verdict {
                Verdict::Rules => (None, None, None),
                Verdict::Ignore => (None, None, Some(self.now.plus(IGNORED))),
                Verdict::Watch(watch) => {
                    (Some(watch.label.clone()), Some(watch.summary.clone()), None)
                }
                Verdict::Investigate(summary) => {
                    let label = label(self.subject(entry).template);
                    (Some(label), Some(summary.clone()), None)
                }
            };
            VerdictRow {
                service: self.batch.service.clone(),
                template: entry.template,
                facets: entry.facets,
                text: entry.text.clone(),
                action: verdict.word().to_owned(),
                label,
                summary,
                until,
                commit: self.commit.cloned(),
            }
        };
        self.pairs().into_iter().map(row).collect()
    }

    /// The watches that it installs, each once.
    pub fn orders(&self) -> Vec<Order> {
        let watch = |verdict: &Verdict| match verdict {
            Verdict::Watch(watch) => Some(Order::Model(watch.clone())),
            Verdict::Ignore | Verdict::Investigate(_) | Verdict::Rules => None,
        };
        match self.answer {
            Answer::All(verdict) => watch(verdict).into_iter().collect(),
            Answer::Each(all) => all.iter().filter_map(watch).collect(),
        }
    }

    /// What it wants looked at now: one signal for all entries, or one for each.
    pub fn signals(&self) -> Vec<Signal> {
        match self.answer {
            Answer::All(Verdict::Investigate(summary)) => {
                let first = self.batch.entries.first().into_iter();
                first
                    .map(|entry| self.signal(self.subject(entry), summary))
                    .collect()
            }
            Answer::All(Verdict::Ignore | Verdict::Watch(_) | Verdict::Rules) => Vec::new(),
            Answer::Each(_) => {
                let pairs = self.pairs().into_iter();
                let signal = pairs.filter_map(|(entry, verdict)| match verdict {
                    Verdict::Investigate(summary) => Some(self.signal(entry, summary)),
                    Verdict::Ignore | Verdict::Watch(_) | Verdict::Rules => None,
                });
                signal.collect()
            }
        }
    }

    /// The entry that a verdict about `entry` is filed under: of one for all, the weightiest.
    fn subject<'e>(&'e self, entry: &'e Entry) -> &'e Entry {
        match self.answer {
            Answer::Each(_) => entry,
            Answer::All(_) => {
                let all = self.batch.entries.iter();
                all.max_by_key(|entry| entry.weight()).unwrap_or(entry)
            }
        }
    }

    fn signal(&self, entry: &Entry, summary: &str) -> Signal {
        let example = entry.example.as_ref();
        let line = example.map_or(entry.text.as_str(), |example| example.line.as_str());
        let mut lines = vec![line.to_owned()];
        if matches!(self.answer, Answer::All(_)) {
            let others = self
                .batch
                .entries
                .iter()
                .filter(|one| !std::ptr::eq(*one, entry));
            let line = |one: &Entry| one.example.as_ref().map(|example| example.line.clone());
            lines.extend(others.filter_map(line).take(LINES));
        }
        Signal {
            kind: Kind::Error,
            service: self.batch.service.clone(),
            stream: example
                .map(|example| example.stream.clone())
                .unwrap_or_default(),
            container: example.and_then(|example| example.container.clone()),
            time: entry.first_seen,
            last: entry.last_seen,
            title: format!("{summary}: {}", head(line, 120)),
            reason: format!(
                "the model {} read what is new and asked for a look",
                self.model
            ),
            watch: Some(label(entry.template)),
            trace: None,
            lines,
            context: example
                .map(|example| example.context.clone())
                .unwrap_or_default(),
            commit: example.and_then(|example| example.commit.clone()),
        }
    }
}

/// What the incidents of one entry are filed under: the same entry is the same fault.
fn label(template: TemplateId) -> String {
    format!("triage:{template}")
}

/// A verdict of the past in the words of a prompt.
pub fn past(past: &PastVerdict) -> prompt::Past {
    let fired = past.fired.unwrap_or(0);
    let outcome = match (past.verdict.action.as_str(), past.incident) {
        (_, Some(Status::Rejected | Status::Muted)) => "a person said that it was no fault",
        (_, Some(Status::Merged)) => "it was a fault, and its fix was merged",
        // Its fix held, or a person's word that muted it is over.
        (_, Some(Status::Resolved)) => "it became an incident, which is over",
        (_, Some(Status::Proposed | Status::Delivered)) => "a fix was proposed",
        (_, Some(Status::Open | Status::Investigating | Status::Reported)) => {
            "it became an incident"
        }
        ("ignore", None) if past.rose => "wrong: it came far more often later",
        ("ignore", None) => "it stayed quiet",
        ("watch", None) if fired > 0 => "its watch fired",
        ("watch", None) => "its watch did not fire",
        (_, None) => "nothing came of it",
    };
    prompt::Past {
        text: past.verdict.text.clone(),
        action: past.verdict.action.clone(),
        outcome: outcome.to_owned(),
    }
}
