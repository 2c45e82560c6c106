//! The part of a body that says how the change was verified, or that it was not. What tests print
//! is text of strangers.

use super::body::Page;
use super::words::block;
use crate::investigate::Findings;
use crate::patch::verify::{Ran, Run, Verdict, Verified};

/// Room of a reason, and of the end of what a failed run printed.
const SENTENCE: usize = 600;
const OUTPUT: usize = 3_500;
/// Lines of that output.
const LINES: usize = 40;
/// Notes and checks that are shown.
const NOTES: usize = 5;

pub(super) fn verified(page: &mut Page<'_>, findings: &Findings) {
    match &findings.verified {
        None => page.line(format_args!(
            "It was **not** verified: the service names no tests (`test` in the registry), so none \
             were run."
        )),
        Some(Verified::NotRunHere(why)) => {
            let why = page.words.short(why, SENTENCE);
            page.line(format_args!(
                "It was **not** verified. No test was run: {why}"
            ));
        }
        Some(Verified::Ran(ran)) => runs(page, ran),
    }
    let Some(by) = findings.by_model.as_ref().filter(|by| by.proposed) else {
        return;
    };
    page.out.push('\n');
    let passed: Vec<String> = by.passed.iter().map(|(gate, _)| gate.clone()).collect();
    if !passed.is_empty() {
        let passed = page.words.short(&passed.join(", "), SENTENCE);
        page.line(format_args!("- Checks that it passed: {passed}"));
    }
    if !by.verify.trim().is_empty() {
        let verify = page.words.short(&by.verify, 2 * SENTENCE);
        page.line(format_args!("- To verify it, as the model says: {verify}"));
    }
    for note in by.notes.iter().take(NOTES) {
        let note = page.words.short(note, SENTENCE / 2);
        page.line(format_args!("- Not checked: {note}"));
    }
}

fn runs(page: &mut Page<'_>, ran: &Ran) {
    let (verdict, why) = match &ran.verdict {
        Verdict::Proven => (
            "Proven: the tests fail without the fix and pass with it.",
            "",
        ),
        Verdict::Unproven(why) => (
            "**Not** proven: nothing failed without the fix.",
            why.as_str(),
        ),
        Verdict::Fails(why) => ("**It fails.**", why.as_str()),
        Verdict::Inconclusive(why) => ("**Inconclusive.**", why.as_str()),
    };
    let why = match why {
        "" => String::new(),
        why => format!(" Why: {}", page.words.short(why, SENTENCE)),
    };
    page.line(format_args!(
        "{verdict}{why} The service's tests were run in a sandbox without a network:\n"
    ));
    page.line(format_args!(
        "- the deployed commit: {}",
        ended(&ran.before)
    ));
    if let Some(run) = &ran.without_fix {
        page.line(format_args!("- with the new test alone: {}", ended(run)));
    }
    page.line(format_args!(
        "- with the whole change: {}",
        ended(&ran.with_fix)
    ));
    for note in ran.notes.iter().take(NOTES) {
        let note = page.words.short(note, SENTENCE / 2);
        page.line(format_args!("- Note: {note}"));
    }
    if ran.with_fix.passed {
        return;
    }
    let lines = page.words.lines(&ran.with_fix.output, 0).1;
    let mut last = lines
        .get(lines.len().saturating_sub(LINES)..)
        .unwrap_or_default();
    // The end says most: lines are left out from the front until the rest has room.
    while let (text, count) = block(last, OUTPUT)
        && !last.is_empty()
    {
        if count == last.len() {
            page.line(format_args!("\nThe end of what it printed:\n"));
            page.out.push_str(&text);
            return;
        }
        last = last.get(1..).unwrap_or_default();
    }
}

fn ended(run: &Run) -> String {
    let status = run
        .status
        .map_or(String::new(), |status| format!(", status {status}"));
    let how = if run.passed { "passes" } else { "fails" };
    format!("{how} in {:.1} s{status}", run.seconds)
}
