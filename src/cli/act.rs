//! `autofix act`, `approve`, `deny` and `audit`.

use crate::app::act::{self, Done, Wanted, went_wrong};
use crate::app::{self, audit};
use crate::cli::Outcome;
use crate::cli::arguments::{ActArguments, ApproveArguments, Audit, DenyArguments};
use crate::cli::output::{BAD, GOOD, ODD, Out, STRONG, complain, safe};
use crate::config::environment;
use crate::log::Log;
use crate::model::recovery::{Action, Aftermath, Stage};
use crate::pipeline::acting::{Answer, Door};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn act(arguments: &ActArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let folder = arguments.state.folder()?;
    if let Some(id) = arguments.poll {
        let mut door = act::door(&folder, log())?;
        if arguments.wait {
            return carry(&mut door, id, arguments.json, out);
        }
        let action = act::poll(&door, id)?;
        show(&action, arguments.json, out);
        return Ok(outcome(&action));
    }
    let (Some(service), Some(verb)) = (&arguments.service, &arguments.verb) else {
        return list(&act::actions(&folder)?, arguments.json, out);
    };
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    let named = [
        ("to", &arguments.to),
        ("instance", &arguments.instance),
        ("lines", &arguments.lines),
    ];
    let named = named
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    for (name, value) in named.chain(arguments.set.iter().cloned()) {
        if parameters.insert(name.clone(), value).is_some() {
            let what = format!("{name} is given twice");
            return Err(app::Error::Usage(what));
        }
    }
    let mut door = act::door(&folder, log())?;
    let wanted = Wanted {
        service: service.clone(),
        verb: verb.clone(),
        parameters,
        who: who(arguments.who.as_ref()),
        why: arguments.why.clone().unwrap_or_default(),
        incident: arguments.incident,
        dry_run: arguments.dry_run,
    };
    match act::act(&mut door, wanted)? {
        Done::Looked(looked) => {
            match arguments.json {
                true => out.json(&looked),
                false => print(&looked, 0, out),
            }
            Ok(Outcome::Done)
        }
        Done::Refused(check, why) => {
            if arguments.json {
                out.json(&json!({"stage": "refused", "check": check, "said": why}));
            } else {
                let refused = out.paint(BAD, "refused");
                out.line(&format!("{refused}  {check}: {}", safe(&why)));
            }
            Ok(Outcome::Fault)
        }
        Done::Asked(answer) => asked(&mut door, &answer, arguments, out),
    }
}

fn asked(
    door: &mut Door,
    answer: &Answer,
    arguments: &ActArguments,
    out: &mut Out,
) -> Result<Outcome, app::Error> {
    let action = &answer.action;
    if arguments.json {
        let mut object = act::to_json(action);
        object["plan"] = json!(answer.plan);
        object["dry_run"] = json!(answer.dry);
        out.json(&object);
    } else {
        print_action(action, out);
        out.line(match (answer.dry, action.stage) {
            (true, _) => "would be sent, were it released:",
            (false, Stage::Refused) => "was not sent:",
            (false, _) => "is sent when it is released:",
        });
        for line in &answer.plan {
            out.line(&format!("    {}", safe(line)));
        }
        if answer.dry {
            out.line("nothing was done or written down (--dry-run)");
        }
    }
    if action.stage == Stage::Approved && !answer.dry {
        if !arguments.no_wait {
            return carry(door, action.id, arguments.json, out);
        }
        goes_on(action, arguments.json, out);
    }
    Ok(outcome(action))
}

pub(super) fn approve(arguments: &ApproveArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let mut door = act::door(&arguments.state.folder()?, log())?;
    let who = who(arguments.who.as_ref());
    let action = act::approve(&mut door, arguments.id, &who)?;
    if action.stage == Stage::Approved && !arguments.no_wait {
        return carry(&mut door, action.id, arguments.json, out);
    }
    show(&action, arguments.json, out);
    if action.stage == Stage::Approved {
        goes_on(&action, arguments.json, out);
    }
    Ok(outcome(&action))
}

/// Who carries on what nobody here waits for.
fn goes_on(action: &Action, json: bool, out: &mut Out) {
    if !json {
        let id = action.id;
        out.line(&format!(
            "a running plugin carries it on, or: autofix act --poll {id} --wait"
        ));
    }
}

pub(super) fn deny(arguments: &DenyArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let mut door = act::door(&arguments.state.folder()?, log())?;
    let who = who(arguments.who.as_ref());
    let action = act::deny(&mut door, arguments.id, &who, &arguments.reason)?;
    match arguments.json {
        true => out.json(&act::to_json(&action)),
        false => line(&action, out),
    }
    Ok(Outcome::Done)
}

pub(super) fn audit(what: &Audit, out: &mut Out) -> Result<Outcome, app::Error> {
    match what {
        Audit::Verify(arguments) => {
            let found = audit::verify(&arguments.state.folder()?, &arguments.heads)?;
            if arguments.json {
                out.json(&json!({
                    "entries": found.entries,
                    "heads": found.heads,
                    "whole": found.faults.is_empty(),
                    "faults": found.faults.iter().map(|fault| json!({
                        "entry": fault.entry,
                        "what": fault.what,
                    })).collect::<Vec<_>>(),
                }));
            } else {
                for fault in &found.faults {
                    let entry = out.paint(BAD, &format!("entry {}", fault.entry));
                    out.line(&format!("{entry}: {}", fault.what));
                }
                let (entries, heads) = (found.entries, found.heads);
                if found.heads == 0 && entries > 0 {
                    let odd = out.paint(ODD, "warning");
                    out.line(&format!(
                        "{odd}: no head was compared, so entries that were taken off the end are not \
                         missed; give lines of incidents.jsonl that were carried away with --heads"
                    ));
                }
                out.line(&match found.faults.is_empty() {
                    true => {
                        format!("the audit is whole: {entries} entries, {heads} heads compared")
                    }
                    false => format!("the audit is not whole: {} faults", found.faults.len()),
                });
            }
            Ok(match found.faults.is_empty() {
                true => Outcome::Done,
                false => Outcome::Fault,
            })
        }
        Audit::Export(arguments) => {
            audit::export(&arguments.state.folder()?, |entry| {
                out.json(&entry.to_json());
                !out.is_closed()
            })?;
            Ok(Outcome::Done)
        }
    }
}

fn who(named: Option<&String>) -> String {
    named.cloned().unwrap_or_else(environment::login)
}

fn log() -> Log {
    Log::new(|level, line| complain(&format!("{}: {line}", level.word())))
}

fn outcome(action: &Action) -> Outcome {
    match went_wrong(action) {
        true => Outcome::Fault,
        false => Outcome::Done,
    }
}

/// Waits for the end, a line for each change.
fn carry(
    door: &mut Door,
    id: crate::model::recovery::ActionId,
    json: bool,
    out: &mut Out,
) -> Result<Outcome, app::Error> {
    let action = act::carry(door, id, &mut |action| {
        match json {
            true => out.json(&act::to_json(action)),
            false => line(action, out),
        }
        !out.is_closed()
    })?;
    Ok(outcome(&action))
}

fn show(action: &Action, json: bool, out: &mut Out) {
    match json {
        true => out.json(&act::to_json(action)),
        false => print_action(action, out),
    }
}

fn list(actions: &[Action], json: bool, out: &mut Out) -> Result<Outcome, app::Error> {
    if json {
        actions
            .iter()
            .for_each(|action| out.json(&act::to_json(action)));
        return Ok(Outcome::Done);
    }
    if actions.is_empty() {
        out.line("no action yet; `autofix act SERVICE status` shows a service and what is allowed for it");
    }
    // What waits for somebody comes first.
    let waits = |action: &&Action| action.stage == Stage::Pending;
    for action in actions.iter().filter(waits) {
        print_action(action, out);
    }
    for action in actions.iter().filter(|action| !waits(action)) {
        line(action, out);
    }
    Ok(Outcome::Done)
}

/// One line: how an action stands.
fn line(action: &Action, out: &mut Out) {
    let (style, word) = match (action.stage, action.aftermath) {
        (Stage::Done, Some(Aftermath::Healthy)) => (GOOD, Aftermath::Healthy.word()),
        (Stage::Done, Some(other)) => (BAD, other.word()),
        (Stage::Refused | Stage::Failed | Stage::Denied | Stage::Expired, _) => {
            (BAD, action.stage.word())
        }
        (Stage::Pending | Stage::Proposed, _) => (ODD, action.stage.word()),
        (Stage::Approved | Stage::Running | Stage::Watched | Stage::Done, _) => {
            (STRONG, action.stage.word())
        }
    };
    let word = out.paint(style, word);
    let recurred = action.recurred.map_or(String::new(), |at| {
        format!(" (seen again {})", at.to_rfc3339())
    });
    out.line(&format!(
        "{word}  {} {}: {}: {}{recurred}",
        action.id,
        safe(&action.service),
        safe(&action.task.to_string()),
        safe(&action.said)
    ));
}

fn print_action(action: &Action, out: &mut Out) {
    line(action, out);
    let part = |out: &mut Out, name: &str, text: &str| {
        if !text.is_empty() {
            out.line(&format!("    {name}: {}", safe(text)));
        }
    };
    part(out, "asked by", &action.caller.to_string());
    part(out, "why", &action.why);
    if let Some(incident) = action.incident {
        part(out, "incident", &incident.to_string());
    }
    for fact in &action.evidence {
        let at = fact.at.to_rfc3339();
        let sent = if fact.asked { "" } else { " (sent to us)" };
        let text = format!("{at} {} {}{sent}", fact.instance, fact.text);
        part(out, "evidence", &text);
    }
    part(out, "risk", &action.risk);
    for check in &action.checks {
        let (style, word) = match check.passed {
            true => (GOOD, "passed"),
            false => (BAD, "failed"),
        };
        let word = out.paint(style, word);
        out.line(&format!(
            "    check {word}  {}: {}",
            check.name,
            safe(&check.why)
        ));
    }
    // A dry run has no number.
    if action.stage == Stage::Pending && action.id.0 > 0 {
        part(out, "waits until", &action.expires.to_rfc3339());
        let id = action.id;
        out.line(&format!(
            "    autofix approve {id}   or   autofix deny {id} --reason TEXT"
        ));
    }
}

/// A looked-at object as indented lines, for people.
fn print(value: &Value, depth: usize, out: &mut Out) {
    let indent = "    ".repeat(depth);
    let Value::Object(fields) = value else {
        out.line(&format!("{indent}{}", safe(&plain(value))));
        return;
    };
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::Array(none) if none.is_empty() => {}
            Value::Array(all) if all.iter().any(Value::is_object) => {
                out.line(&format!("{indent}{name}:"));
                for one in all {
                    let parts = match one {
                        Value::Object(fields) => fields
                            .iter()
                            .filter(|(_, value)| !value.is_null())
                            .map(|(name, value)| format!("{name} {}", plain(value)))
                            .collect::<Vec<_>>()
                            .join(", "),
                        other => plain(other),
                    };
                    out.line(&format!("{indent}    {}", safe(&parts)));
                }
            }
            other => out.line(&format!("{indent}{name}: {}", safe(&plain(other)))),
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
