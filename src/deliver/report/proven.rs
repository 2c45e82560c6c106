//! The part of a report about what was done with the patch: the service's tests, and the default branch.

use super::{LINE_CHARS, Page};
use crate::deliver::markdown::{code, fenced, sentence, shortened};
use crate::investigate::{Findings, Onward};
use crate::patch::verify::{Ran, Run, Verdict, Verified};

/// Lines of a failed run that are shown.
const OUTPUT: usize = 40;

impl Page {
    /// Whether it was verified, and whether it holds for the default branch.
    pub(super) fn proven(&mut self, findings: &Findings) {
        if findings.verified.is_none() && findings.onward.is_none() {
            return;
        }
        self.heading("How it was verified");
        match &findings.verified {
            None => self.line(format_args!(
                "The service names no tests (`test` in the registry); none were run."
            )),
            Some(Verified::NotRunHere(why)) => {
                self.line(format_args!("Not run here: {}", sentence(why)));
            }
            Some(Verified::Ran(ran)) => self.ran(ran),
        }
        match &findings.onward {
            None => {}
            Some(Onward::AtHead) => self.line(format_args!(
                "\nThe deployed commit is the end of the default branch."
            )),
            Some(Onward::Same { patch }) => self.line(format_args!(
                "\nThe same fix applies to the end of the default branch, {}: `head.patch`.",
                code(patch.base())
            )),
            Some(Onward::Conflict { why }) => self.line(format_args!(
                "\nIt was not carried to the end of the default branch: {}",
                sentence(why)
            )),
            Some(Onward::AlreadyGone { why }) => self.line(format_args!(
                "\nThe end of the default branch has no such fault any more: {}",
                sentence(why)
            )),
        }
    }

    fn ran(&mut self, ran: &Ran) {
        let verdict = match &ran.verdict {
            Verdict::Proven => "proven: the tests fail without the fix and pass with it".to_owned(),
            Verdict::Unproven(why) => format!("not proven: {why}"),
            Verdict::Fails(why) => format!("it fails: {why}"),
            Verdict::Inconclusive(why) => format!("inconclusive: {why}"),
        };
        self.line(format_args!(
            "In a sandbox without a network, {}.\n",
            sentence(&verdict)
        ));
        let mut runs = vec![("the deployed commit", &ran.before)];
        runs.extend(
            ran.without_fix
                .as_ref()
                .map(|run| ("with the new test alone", run)),
        );
        runs.push(("with the whole patch", &ran.with_fix));
        for (what, run) in &runs {
            self.line(format_args!("- {what}: {}", ended(run)));
        }
        for note in &ran.notes {
            self.line(format_args!("- {}", sentence(note)));
        }
        if !ran.with_fix.passed {
            let lines: Vec<&str> = ran.with_fix.output.lines().collect();
            let from = lines.len().saturating_sub(OUTPUT);
            let shown = lines[from..].iter().map(|line| shortened(line, LINE_CHARS));
            self.line(format_args!(""));
            self.out.push_str(&fenced("text", shown));
        }
    }
}

fn ended(run: &Run) -> String {
    let status = run
        .status
        .map_or(String::new(), |status| format!(", status {status}"));
    let how = if run.passed { "passed" } else { "failed" };
    format!("{how} in {:.1} s{status}", run.seconds)
}
