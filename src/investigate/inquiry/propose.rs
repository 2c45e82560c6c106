//! What becomes of a proposal: its form is read, the gates judge it, and the first one that a gate
//! stops goes back with the reason.

use super::course::Course;
use super::{Entry, Halted, Outcome};
use crate::investigate::tools::logs;
use crate::patch::answer::Answer;
use crate::patch::gate::{self, Gate, Ground, ShownLine, Stopped};
use crate::redact::Redacted;

/// Proposals that a gate may stop: the first goes back with the reason.
const PROPOSALS: usize = 2;

impl Course<'_> {
    /// A proposal: `Ok` ends the conversation, `Err(Some)` goes back to the model, `Err(None)` was
    /// the last.
    pub(super) fn propose(
        &mut self,
        input: &serde_json::Value,
    ) -> Result<Result<Outcome, Option<Redacted>>, Halted> {
        let answer = match Answer::read(input) {
            Ok(answer) => answer,
            Err(complaints) => {
                self.malformed += 1;
                return Ok(Err(Some(self.of.scope.text(&complaints.to_string()))));
            }
        };
        let shown = logs::shown(self.of.lines, &mut self.of.scope);
        let lines: Vec<ShownLine<'_>> = self
            .of
            .lines
            .iter()
            .zip(&shown)
            .map(|(line, text)| ShownLine {
                id: &line.id,
                text: text.as_str(),
            })
            .collect();
        let judged = gate::judge(
            &Ground {
                repo: self.of.repo,
                commit: self.of.commit,
                settings: self.of.settings,
                trace: self.of.trace,
                lines: &lines,
                scope: &self.of.scope,
                deadline: self.of.limits.until,
            },
            &answer,
        );
        let entry = match &judged {
            Ok(judged) => judged_entry(&judged.passed, None),
            Err(stopped) => judged_entry(&stopped.passed, Some(stopped)),
        };
        self.note(entry)?;
        match judged {
            Ok(judged) => Ok(Ok(Outcome::Patch(Box::new((answer, judged))))),
            Err(stopped) => {
                let why = self.of.scope.text(&stopped.why);
                self.stopped.push(stopped);
                self.answer = Some(answer);
                if self.stopped.len() >= PROPOSALS {
                    return Ok(Err(None));
                }
                Ok(Err(Some(Redacted::join(&[
                    "A check stopped this proposal: ".into(),
                    (&why).into(),
                    "\nYou may mend it and hand it in once more.".into(),
                ]))))
            }
        }
    }
}

fn judged_entry(passed: &[(Gate, String)], stopped: Option<&Stopped>) -> Entry {
    Entry::Judged {
        passed: passed
            .iter()
            .map(|(gate, what)| (gate.word().to_owned(), what.clone()))
            .collect(),
        stopped: stopped.map(|one| (one.gate.word().to_owned(), one.why.clone())),
    }
}
