//! fly.io: a machine with its events, one event of a machine, and the lines of the log shipper. Of the
//! lines only those that the platform's runner wrote: what a program writes is a log, whatever it says.

use super::{Failure, Fields, MOST, ended};
use crate::model::recovery::FactKind;

pub(super) fn read(event: &Fields<'_>) -> Vec<Failure> {
    if event.text("event.provider").is_some() {
        return line(event).into_iter().collect();
    }
    // A machine as the interface gives it: `{id, events: […], image_ref: {tag}}`.
    if let Some(machine) = event.id("id")
        && event.item("events").is_some()
    {
        let release = event.id("image_ref.tag");
        let ends = event.list("events");
        let mut ends: Vec<Failure> = ends
            .filter_map(|one| end(&one, &machine, release.clone()))
            .collect();
        // Newest first at the interface; the newest are kept.
        ends.truncate(MOST);
        return ends;
    }
    let named = ["machine_id", "machine", "fly.app.instance", "instance"];
    let Some(machine) = named.into_iter().find_map(|path| event.id(path)) else {
        return Vec::new();
    };
    end(event, &machine, event.id("image_ref.tag"))
        .into_iter()
        .collect()
}

/// One event of a machine. Some hold what is told of the end in `MonitorEvent`.
fn end(event: &Fields<'_>, machine: &str, release: Option<String>) -> Option<Failure> {
    if event.text("type") != Some("exit") {
        return None;
    }
    let exit = event
        .inside("request.exit_event")
        .or_else(|| event.inside("request.MonitorEvent.exit_event"))?;
    if exit.truth("requested_stop") {
        return None;
    }
    let known = |path, none: &[i64]| exit.int(path).filter(|number| !none.contains(number));
    // The program's own status says more than the machine's, where there is one.
    let code = known("guest_exit_code", &[0, -1]).or_else(|| exit.int("exit_code"));
    let signal = known("guest_signal", &[0, -1]).or_else(|| known("signal", &[0, -1]));
    let (kind, text) = ended(code, signal, exit.truth("oom_killed"))?;
    Some(Failure {
        kind,
        instance: machine.to_owned(),
        at: exit.time("exited_at").or_else(|| event.time("timestamp")),
        release,
        text,
    })
}

/// A line of the log shipper.
fn line(event: &Fields<'_>) -> Option<Failure> {
    if event.text("event.provider") != Some("runner") {
        return None;
    }
    let instance = event.id("fly.app.instance")?;
    let message = event.text("message").or_else(|| event.text("log"))?;
    let (kind, text) = runner(message)?;
    Some(Failure {
        kind,
        instance,
        at: ["timestamp", "@timestamp"]
            .into_iter()
            .find_map(|path| event.time(path)),
        release: None,
        text,
    })
}

/// What the runner says of an end: `machine exited with exit code 1, not restarting`, `Process appears
/// to have been OOM killed!`, `machine has reached its max restart count (10)`.
fn runner(message: &str) -> Option<(FactKind, String)> {
    let message = message.to_ascii_lowercase();
    if message.contains("oom killed")
        || message.contains("oom-killed")
        || message.contains("out of memory")
    {
        return ended(None, None, true);
    }
    if let Some((_, rest)) = message.split_once("exit code") {
        let rest = rest.trim_start_matches([':', ' ', '=']);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let code = rest.get(..digits.min(9)).and_then(|d| d.parse().ok());
        // Without a number it is said of another thing.
        return ended(Some(code?), None, false);
    }
    if message.contains("max restart count") {
        let text = "it ended too often, and is not restarted any more";
        return Some((FactKind::Crash, text.to_owned()));
    }
    None
}
