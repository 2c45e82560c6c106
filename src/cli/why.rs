//! `autofix why`: everything that is known about one incident, in the order in which a reader
//! asks for it.

use crate::app::look::{self, Why};
use crate::app::{self};
use crate::cli::Outcome;
use crate::cli::arguments::WhyArguments;
use crate::cli::conversation;
use crate::cli::incidents::{place, print_one};
use crate::cli::output::{Out, STRONG, safe};
use crate::model::{Frame, Incident};
use crate::store::PastVerdict;

/// Occurrences that are listed one by one.
const OCCURRENCES: usize = 10;

pub(super) fn run(arguments: &WhyArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let why = look::why(&arguments.state.folder()?, arguments.id)?;
    print_one(&why.incident, out);
    facts(&why.incident, out);
    lines(&why.incident, out);
    frames(&why.incident, out);
    if let Some(past) = &why.verdict {
        verdict(past, out);
    }
    asked(&why, out);
    history(&why, out);
    if let Some(report) = &why.report {
        out.line("");
        out.line(&safe(&format!("report: {}", report.display())));
    }
    Ok(Outcome::Done)
}

fn title(text: &str, out: &mut Out) {
    let text = out.paint(STRONG, text);
    out.line(&format!("\n{text}"));
}

fn fact(name: &str, value: Option<String>, out: &mut Out) {
    if let Some(value) = value {
        out.line(&safe(&format!("    {name}: {value}")));
    }
}

fn facts(incident: &Incident, out: &mut Out) {
    title("What is known", out);
    let raised = |raised: &crate::model::Raised| {
        let message = raised.message.as_deref().unwrap_or_default();
        format!("{}: {message}", raised.kind.as_deref().unwrap_or("no type"))
    };
    fact("exception", incident.exception().map(raised), out);
    fact("raised as", incident.raised_as().map(raised), out);
    fact("place", incident.location.as_ref().map(place), out);
    fact("first seen", Some(incident.first_seen.to_rfc3339()), out);
    fact("last seen", Some(incident.last_seen.to_rfc3339()), out);
    fact("times", Some(incident.count.to_string()), out);
    let commit = incident.commit.as_ref();
    let commit = commit.map_or("unresolved".to_owned(), ToString::to_string);
    fact("commit", Some(commit), out);
    fact("stream", Some(incident.stream.clone()), out);
    fact("watch", incident.watch.clone(), out);
    fact("fingerprint", Some(incident.fingerprint.clone()), out);
    fact(
        "the same fault before",
        incident.previous.map(|id| format!("#{id}")),
        out,
    );
    fact(
        "part of the storm",
        incident.parent.map(|id| format!("#{id}")),
        out,
    );
}

fn lines(incident: &Incident, out: &mut Out) {
    if !incident.lines.is_empty() {
        title("Its lines", out);
    }
    for line in &incident.lines {
        // A record may hold a whole trace: each of its lines stands for itself.
        for line in line.lines() {
            out.line(&safe(&format!("    {line}")));
        }
    }
}

fn frames(incident: &Incident, out: &mut Out) {
    if !incident.frames().is_empty() {
        title("Frames as printed", out);
    }
    for frame in incident.frames() {
        out.line(&safe(&format!("    {}", shown(frame))));
    }
}

fn shown(frame: &Frame) -> String {
    let line = frame.line.map_or(String::new(), |line| format!(":{line}"));
    let file = frame.file.as_deref().unwrap_or("?");
    format!(
        "{file}{line} in {}",
        frame.function.as_deref().unwrap_or("?")
    )
}

/// The model's part in it.
fn verdict(past: &PastVerdict, out: &mut Out) {
    title("What a model read", out);
    let (verdict, reading) = (&past.verdict, &past.reading);
    fact("shown", Some(verdict.text.clone()), out);
    fact("answered", Some(verdict.action.clone()), out);
    fact("in its words", verdict.summary.clone(), out);
    fact("watch", verdict.label.clone(), out);
    fact("model", Some(reading.model.clone()), out);
    fact("when", Some(past.made.to_rfc3339()), out);
    let seconds = reading.millis as f64 / 1_000.0;
    let (prompt, answer) = (reading.prompt_tokens, reading.answer_tokens);
    let cost = format!("{prompt} tokens read, {answer} written, {seconds:.1} s");
    fact("cost", Some(cost), out);
    let hash: String = reading.prompt_hash.chars().take(16).collect();
    fact("prompt", Some(format!("SHA-256 {hash}…")), out);
}

/// What was said in the investigation.
fn asked(why: &Why, out: &mut Out) {
    if !why.conversation.is_empty() {
        title("What a model was asked", out);
    }
    for entry in &why.conversation {
        out.line(&safe(&format!("    {}", conversation::line(entry))));
    }
}

fn history(why: &Why, out: &mut Out) {
    title("What happened", out);
    for event in &why.events {
        let time = event.time.to_rfc3339();
        out.line(&safe(&format!(
            "    {time} {}: {}",
            event.what, event.detail
        )));
    }
    let newest = why.occurrences.len().saturating_sub(OCCURRENCES);
    if why.occurrences.len() > 1 {
        title("When it was seen", out);
    }
    for seen in why
        .occurrences
        .iter()
        .skip(newest)
        .filter(|_| why.occurrences.len() > 1)
    {
        let commit = seen
            .commit
            .as_ref()
            .map_or(String::new(), |id| format!(" at {id}"));
        out.line(&safe(&format!(
            "    {}{commit}, {}",
            seen.time.to_rfc3339(),
            seen.stream
        )));
    }
}
