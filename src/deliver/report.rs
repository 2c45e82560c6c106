//! The report of a case in two forms: Markdown for people, JSON for tools. Both are bounded and
//! say what they left out. Text that others wrote goes through [`super::markdown`].

mod by_model;

use super::Case;
use super::markdown::{code, fenced, sentence, shortened};
use crate::investigate::{Excerpt, Suspect};
use crate::model::{ContextLine, Kind, Location};
use crate::source::locate::{Evidence, Located, Place};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

/// Lines shown of each block of log text: as many from its start as from its end.
const LINES: usize = 200;
/// Characters shown of one line.
const LINE_CHARS: usize = 1_000;
/// Lines shown of a diff; the rest stands in `fix.patch`.
const DIFF_LINES: usize = 600;
/// Frames, pieces of source and commits shown.
const ENTRIES: usize = 20;
/// Sentences shown of what was tried and of notes.
const SENTENCES: usize = 50;

/// `report.json`: the incident as `incidents --json` prints it, under `incident`, and the
/// findings. `patch` is where the diff stands.
pub fn json(case: &Case<'_>, patch: Option<&Path>) -> String {
    let found = case.findings;
    let mut cuts = Vec::new();
    let lines = kept(&log_lines(&case.incident.lines), "log lines", &mut cuts);
    let context = kept(&case.incident.context, "lines around", &mut cuts);
    let context = context.iter().map(|line| {
        json!({
            "time": line.time.to_rfc3339(),
            "text": shortened(&line.text, LINE_CHARS),
            "from": line.from,
        })
    });
    let mut incident = case.incident.to_json();
    if incident["location"].is_null() {
        incident["location"] = json!(found.location);
    }
    let report = json!({
        "format": 1,
        "incident": incident,
        "stream": case.incident.stream,
        "previous": case.incident.previous,
        "repository": case.repository_text(),
        "commit": case.commit_text(),
        "lines": lines,
        "context": context.collect::<Vec<_>>(),
        "located": first(&found.located, ENTRIES, "located frames", &mut cuts),
        "places": first(&found.places, ENTRIES, "places", &mut cuts),
        "excerpts": first(&found.excerpts, ENTRIES, "pieces of source", &mut cuts),
        "by_model": found.by_model,
        "suspects": first(&found.suspects, ENTRIES, "suspects", &mut cuts),
        "tried": first(&found.tried, SENTENCES, "things tried", &mut cuts),
        "why": found.why,
        "patch": patch_json(case, patch),
        "limits": found.notes.iter().chain(&cuts).collect::<Vec<_>>(),
    });
    let report = bounded(report);
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

/// Every text of a report cut to the length of a shown line.
fn bounded(value: Value) -> Value {
    match value {
        Value::String(text) => match shortened(&text, LINE_CHARS) {
            Cow::Borrowed(_) => Value::String(text),
            Cow::Owned(short) => Value::String(short),
        },
        Value::Array(list) => list.into_iter().map(bounded).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, bounded(value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

fn patch_json(case: &Case<'_>, path: Option<&Path>) -> Value {
    case.findings.patch.as_ref().map_or(Value::Null, |patch| {
        json!({
            "path": path.map(Path::to_string_lossy),
            "files": patch.files(),
            "added": patch.added(),
            "removed": patch.removed(),
        })
    })
}

/// `report.md`: what happened, since when and how often, where, who is suspected, what was
/// tried, and why there is this diff or none. `patch` is where the diff stands.
pub fn markdown(case: &Case<'_>, patch: Option<&Path>) -> String {
    let mut page = Page::default();
    page.head(case);
    page.verdict(case, patch);
    page.by_model(case.findings.by_model.as_ref());
    page.log(case);
    page.source(&case.findings.located, &case.findings.excerpts);
    page.places(&case.findings.places);
    page.suspects(&case.findings.suspects);
    page.list("What was tried", &case.findings.tried);
    page.limits(&case.findings.notes);
    page.out
}

/// The Markdown written so far and what had to be left out of it.
#[derive(Default)]
struct Page {
    out: String,
    cuts: Vec<String>,
}

impl Page {
    /// One line; writing to a string cannot fail.
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(line);
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.line(format_args!("\n## {text}\n"));
    }

    fn head(&mut self, case: &Case<'_>) {
        let incident = case.incident;
        let (kind, status) = (incident.kind.word(), incident.status.word());
        self.line(format_args!(
            "# Incident {} of {}\n",
            incident.id,
            code(&incident.service)
        ));
        let title = std::iter::once(shortened(&incident.title, LINE_CHARS));
        self.out.push_str(&fenced("text", title));
        self.line(format_args!("\n- kind: {kind}, status: {status}"));
        self.line(format_args!("- times: {}", times(case)));
        if let Some(raised) = incident.raised_as() {
            let outer = raised.kind.as_deref().unwrap_or("another exception");
            self.line(format_args!("- left the program as: {}", code(outer)));
        }
        match case.commit_text() {
            Some(commit) => self.line(format_args!("- deployed commit: {}", code(commit))),
            None => self.line(format_args!("- deployed commit: not known")),
        }
        if let Some(repository) = case.repository_text() {
            self.line(format_args!("- repository: {}", code(&repository)));
        }
        let location = incident
            .location
            .as_ref()
            .or(case.findings.location.as_ref());
        match location {
            Some(location) => self.line(format_args!("- place of the fault: {}", place(location))),
            None => self.line(format_args!("- place of the fault: not known well enough")),
        }
        self.line(format_args!("- reason: {}", sentence(&incident.reason)));
        if let Some(watch) = &incident.watch {
            let what = match incident.kind {
                Kind::Environment => "fault and neighbour",
                Kind::Crash | Kind::Error | Kind::Oom | Kind::Exit | Kind::Watch | Kind::Rate => {
                    "watch"
                }
            };
            self.line(format_args!("- {what}: {}", code(watch)));
        }
        if let Some(previous) = incident.previous {
            self.line(format_args!("- the same fault before: incident {previous}"));
        }
    }

    fn verdict(&mut self, case: &Case<'_>, path: Option<&Path>) {
        let found = case.findings;
        let why = if found.why.is_empty() {
            "Nothing was looked into.".to_owned()
        } else {
            sentence(&found.why)
        };
        let Some(patch) = &found.patch else {
            self.heading("Why there is no diff");
            self.line(format_args!("{why}"));
            return;
        };
        self.heading("The diff, and why this one");
        self.line(format_args!("{why}\n"));
        let lines: Vec<&str> = patch.text().lines().collect();
        let shown = first(&lines, DIFF_LINES, "lines of the diff", &mut self.cuts);
        let shown = shown.iter().map(|line| shortened(line, LINE_CHARS));
        self.out.push_str(&fenced("diff", shown));
        self.apply(case, path);
    }

    /// How to try the diff. The commands hold a commit's digits and paths of ours, nothing else.
    fn apply(&mut self, case: &Case<'_>, path: Option<&Path>) {
        let (Some(path), Some(commit)) = (path, case.commit_text()) else {
            return;
        };
        let path = shell_word(&path.to_string_lossy());
        self.line(format_args!("\nTo try it, in a clone of the repository:\n"));
        let commands = [
            format!("git switch --detach {commit}"),
            format!("git apply --check {path}"),
            format!("git apply {path}"),
        ];
        let commands = commands.iter().map(|line| Cow::Borrowed(line.as_str()));
        self.out.push_str(&fenced("sh", commands));
    }

    fn log(&mut self, case: &Case<'_>) {
        self.heading("The lines");
        let context = &case.incident.context;
        if !context.is_empty() {
            let lines: Vec<String> = context.iter().map(context_line).collect();
            self.line(format_args!(
                "Around it, on {} where no other stream is named:\n",
                code(&case.incident.stream)
            ));
            self.block(&lines, "lines around");
            self.line(format_args!("\nThe fault:\n"));
        }
        self.block(&log_lines(&case.incident.lines), "log lines");
    }

    fn block<S: AsRef<str> + Clone>(&mut self, lines: &[S], what: &str) {
        let kept = kept(lines, what, &mut self.cuts);
        let shown = kept.iter().map(|line| shortened(line.as_ref(), LINE_CHARS));
        self.out.push_str(&fenced("text", shown));
    }

    fn source(&mut self, located: &[Located], excerpts: &[Excerpt]) {
        self.heading("Where in the source");
        if located.is_empty() {
            self.line(format_args!("No frame was found in the repository."));
        }
        for frame in first(located, ENTRIES, "located frames", &mut self.cuts) {
            let function = frame.function.as_deref().map(code);
            let inside = function.map_or(String::new(), |name| format!(" in {name}"));
            self.line(format_args!(
                "{}. {}{inside}, confidence {:.2}: {}",
                frame.rank,
                code(&file_line(&frame.file, frame.line)),
                frame.confidence,
                sentence(&frame.why),
            ));
        }
        for excerpt in first(excerpts, ENTRIES, "pieces of source", &mut self.cuts) {
            let at = file_line(&excerpt.file, excerpt.marked);
            self.line(format_args!("\n{}\n", code(&at)));
            self.block(&numbered(excerpt), "lines of source");
        }
    }

    /// Places that no frame names; the frames stand above.
    fn places(&mut self, places: &[Place]) {
        let others: Vec<&Place> = places
            .iter()
            .filter(|place| !place.evidence.contains(&Evidence::Frame))
            .collect();
        if others.is_empty() {
            return;
        }
        self.heading("What else the fault speaks of");
        for place in first(&others, ENTRIES, "places", &mut self.cuts) {
            let function = place.function.as_deref().map(code);
            let inside = function.map_or(String::new(), |name| format!(" in {name}"));
            self.line(format_args!(
                "- {}{inside}, confidence {:.2}: {}",
                code(&file_line(&place.file, place.line)),
                place.confidence,
                sentence(&place.why),
            ));
        }
    }

    fn suspects(&mut self, suspects: &[Suspect]) {
        self.heading("Suspects");
        if suspects.is_empty() {
            self.line(format_args!("No commit is suspected."));
        }
        let shown = first(suspects, ENTRIES, "suspects", &mut self.cuts);
        for (at, suspect) in shown.iter().enumerate() {
            let short = suspect.commit.get(..12).unwrap_or(&suspect.commit);
            let author = suspect.author.as_deref().unwrap_or("nobody named");
            let files: Vec<String> = suspect
                .files
                .iter()
                .take(ENTRIES)
                .map(|f| code(f))
                .collect();
            self.line(format_args!(
                "{}. {} {}, by {}, {}; score {:.2}",
                at + 1,
                code(short),
                code(&suspect.summary),
                code(author),
                suspect.date.to_rfc3339(),
                suspect.score,
            ));
            self.line(format_args!("   - why: {}", sentence(&suspect.why)));
            self.line(format_args!("   - touched: {}", files.join(", ")));
        }
    }

    fn list(&mut self, heading: &str, sentences: &[String]) {
        self.heading(heading);
        if sentences.is_empty() {
            self.line(format_args!("Nothing."));
        }
        for said in first(sentences, SENTENCES, "sentences", &mut self.cuts) {
            self.line(format_args!("- {}", sentence(said)));
        }
    }

    fn limits(&mut self, notes: &[String]) {
        let cuts = std::mem::take(&mut self.cuts);
        if !notes.is_empty() || !cuts.is_empty() {
            let all: Vec<String> = notes.iter().chain(&cuts).cloned().collect();
            self.list("What limits cut, and what is less sure", &all);
        }
    }
}

fn times(case: &Case<'_>) -> String {
    let incident = case.incident;
    let first = incident.first_seen.to_rfc3339();
    match incident.count {
        0 | 1 => format!("once when this was written, {first}"),
        count => format!(
            "{count} when this was written, first {first}, last {}",
            incident.last_seen.to_rfc3339()
        ),
    }
}

fn place(location: &Location) -> String {
    let at = code(&file_line(&location.file, location.line));
    let function = location.function.as_deref().map(code);
    let inside = function.map_or(String::new(), |name| format!(" in {name}"));
    format!("{at}{inside} (confidence {:.2})", location.confidence)
}

fn file_line(file: &str, line: Option<u32>) -> String {
    line.map_or(file.to_owned(), |line| format!("{file}:{line}"))
}

fn context_line(line: &ContextLine) -> String {
    let from = line.from.as_ref().map(|from| format!("[{from}] "));
    format!(
        "{}  {}{}",
        line.time.to_rfc3339(),
        from.unwrap_or_default(),
        line.text.trim_end()
    )
}

fn numbered(excerpt: &Excerpt) -> Vec<String> {
    let numbers = excerpt.first_line..;
    let lines = numbers.zip(&excerpt.lines).map(|(number, line)| {
        let mark = if excerpt.marked == Some(number) {
            '>'
        } else {
            ' '
        };
        format!("{mark} {number:>5}  {line}")
    });
    lines.collect()
}

/// A record may hold a whole trace; its line breaks are shown as such.
fn log_lines(records: &[String]) -> Vec<&str> {
    records.iter().flat_map(|record| record.lines()).collect()
}

/// The first and last lines of a block, half of [`LINES`] each, and a word about the others.
fn kept<T: Clone>(lines: &[T], what: &str, cuts: &mut Vec<String>) -> Vec<T> {
    if lines.len() <= LINES {
        return lines.to_vec();
    }
    let half = LINES / 2;
    cuts.push(format!(
        "{} {what} are left out in the middle, after the first {half}",
        lines.len() - LINES
    ));
    let (head, tail) = (
        lines.iter().take(half),
        lines.iter().skip(lines.len() - half),
    );
    head.chain(tail).cloned().collect()
}

fn first<'a, T>(list: &'a [T], limit: usize, what: &str, cuts: &mut Vec<String>) -> &'a [T] {
    match list.get(..limit) {
        Some(shown) if list.len() > limit => {
            cuts.push(format!(
                "{} further {what} are left out",
                list.len() - limit
            ));
            shown
        }
        _ => list,
    }
}

/// A path as one word for a shell.
fn shell_word(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+');
    if !path.is_empty() && path.chars().all(plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}

#[cfg(test)]
pub(super) mod samples;

#[cfg(test)]
mod tests;
