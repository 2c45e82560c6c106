//! Whether the edits touch the cited place, or the answer says why they do not: a change
//! somewhere else than where the fault was seen wants a reason that a reviewer can weigh.

use super::case::{Case, Touched};
use super::{Seen, quoted};
use crate::patch::answer::Evidence;
use crate::patch::code::spans::around;

/// Lines beside a cited one that still are that place.
const NEAR: u32 = 30;
/// A reason has so many letters at least.
const REASON: usize = 20;

pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    let explained = case.answer.elsewhere.as_deref();
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    if explained.is_some_and(|text| letters(text) >= REASON) {
        return seen.says("it is said why the edits are elsewhere");
    }
    let cited = cited(case);
    for file in case
        .files
        .iter()
        .filter(|file| !file.is_test && file.before.is_some())
    {
        let lines: Vec<u32> = cited
            .iter()
            .filter(|(path, _)| *path == file.path)
            .map(|(_, line)| *line)
            .collect();
        if !touches(file, &lines) {
            seen.fault(format!(
                "the edits of {} touch no line that the evidence cites; cite the lines at fault, \
                 or say in `elsewhere` why the change belongs there",
                quoted(&file.path)
            ));
        }
    }
    if !case.files.iter().any(|file| !file.is_test) {
        seen.fault("only tests are changed; change the code at fault, or give up");
    } else if case
        .files
        .iter()
        .all(|file| file.is_test || file.before.is_none())
    {
        seen.fault(
            "no file that exists is changed beside tests; change the cited lines, or say in \
             `elsewhere` why the change belongs in a new file",
        );
    }
    seen.says("the edits touch the cited lines")
}

fn cited<'c>(case: &'c Case<'_>) -> Vec<(&'c str, u32)> {
    let evidence = case.answer.evidence.iter().filter_map(|one| match one {
        Evidence::Source { file, line, .. } => Some((file.as_str(), *line)),
        Evidence::Log { .. } => None,
    });
    let calls = case.answer.calls.iter();
    evidence
        .chain(calls.map(|call| (call.file.as_str(), call.line)))
        .collect()
}

/// Whether a region that is replaced lies in the function around a cited line, or near it.
fn touches(file: &Touched, cited: &[u32]) -> bool {
    let Some(before) = &file.before else {
        return false;
    };
    let line_at = |at: usize| {
        let head = before.text.get(..at).unwrap_or_default();
        u32::try_from(head.matches('\n').count() + 1).unwrap_or(u32::MAX)
    };
    let regions: Vec<(u32, u32)> = file
        .regions
        .iter()
        .map(|range| (line_at(range.start), line_at(range.end)))
        .collect();
    cited.iter().any(|line| {
        let spans = around(&before.text, *line, file.grammar.zip(before.tree()));
        let inside = spans.into_iter().rev().find(|span| span.function);
        regions.iter().any(|(first, last)| {
            let near = *first <= line.saturating_add(NEAR) && line.saturating_sub(NEAR) <= *last;
            let within = inside
                .as_ref()
                .is_some_and(|span| first <= span.lines.end() && span.lines.start() <= last);
            near || within
        })
    })
}
