//! Whether the cited lines exist, in the log as it was shown and in the files of the deployed
//! commit, and whether they say what was quoted.

use super::case::Case;
use super::{Seen, quoted};
use crate::patch::answer::Evidence;
use crate::redact::placeholders;
use crate::source::locate::Files;

/// Fewer signs than this say nothing, unless they are all of the line.
const LEAST: usize = 4;

pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    let (mut logs, mut sources) = (0, 0);
    for one in &case.answer.evidence {
        let fault = match one {
            Evidence::Log { id, quote } => {
                logs += 1;
                log(case, id, quote)
            }
            Evidence::Source { file, line, quote } => {
                sources += 1;
                source(case, file, *line, quote)
            }
        };
        if let Some(fault) = fault {
            seen.fault(fault);
        }
    }
    if logs == 0 && !case.ground.lines.is_empty() {
        seen.fault("no line of the log is cited; cite one by its id");
    }
    if sources == 0 {
        seen.fault("no line of source is cited; cite file and line at the deployed commit");
    }
    seen.says(format!(
        "{logs} log lines and {sources} lines of source say what is claimed"
    ))
}

fn log(case: &Case<'_>, id: &str, quote: &str) -> Option<String> {
    let Some(line) = case.ground.lines.iter().find(|line| line.id == id) else {
        return Some(format!(
            "no log line {} was shown; cite one that was",
            quoted(id)
        ));
    };
    says(line.text, quote, &format!("log line {}", quoted(id)))
}

fn source(case: &Case<'_>, file: &str, line: u32, quote: &str) -> Option<String> {
    let Some(text) = case.tree.text(file) else {
        return Some(format!(
            "{} cannot be read at the deployed commit; cite a text file that exists there",
            quoted(file)
        ));
    };
    let place = format!("{} line {line}", quoted(file));
    let first = usize::try_from(line).ok()?.checked_sub(1)?;
    let height = quote.lines().count().max(1);
    let mut rest = text.lines().skip(first).peekable();
    if rest.peek().is_none() {
        let lines = text.lines().count();
        return Some(format!(
            "{place} does not exist; the file has {lines} lines"
        ));
    }
    let there = rest.take(height).collect::<Vec<&str>>().join("\n");
    let revealed = revealed(case, quote);
    // A line may hold what only looks like a placeholder.
    says(&there, quote, &place)?;
    says(&there, &revealed, &place)
}

fn revealed(case: &Case<'_>, quote: &str) -> String {
    let mut out = String::new();
    let mut from = 0;
    for range in placeholders(quote) {
        let shown = quote.get(range.clone()).unwrap_or_default();
        out.push_str(quote.get(from..range.start).unwrap_or_default());
        match case.ground.scope.reveal(shown) {
            Some(value) => out.push_str(&value),
            None => out.push_str(shown),
        }
        from = range.end;
    }
    out.push_str(quote.get(from..).unwrap_or_default());
    out
}

/// The fault, where the line does not say it. How many blanks there are does not matter.
fn says(line: &str, quote: &str, place: &str) -> Option<String> {
    let (line, said) = (squeezed(line), squeezed(quote));
    let signs = said.chars().filter(|c| !c.is_whitespace()).count();
    if signs < LEAST && line != said {
        return Some(format!(
            "the quote of {place} is too short to say anything; quote more of the line"
        ));
    }
    (!line.contains(&said)).then(|| {
        format!("{place} does not say what is quoted; quote a piece of that very line exactly")
    })
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}
