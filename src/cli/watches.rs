//! `autofix watches`: lists them, tries a team's file out, prints a model's watch for that file.

use crate::app::{self, watches};
use crate::cli::arguments::{PromoteArguments, TestArguments, Watches};
use crate::cli::output::{BAD, Out, STRONG, complain, safe};
use crate::cli::{Outcome, folder};
use crate::model::Timestamp;
use crate::store::WatchRow;
use crate::watch::{Anchor, Scope};
use serde_json::{Value, json};

pub(super) fn run(what: &Watches, out: &mut Out) -> Result<Outcome, app::Error> {
    match what {
        Watches::List(arguments) => {
            let rows = watches::list(&arguments.state.folder()?)?;
            if arguments.json {
                rows.iter().for_each(|row| out.json(&row_json(row)));
            } else {
                print_list(&rows, out);
            }
            Ok(Outcome::Done)
        }
        Watches::Test(arguments) => test(arguments, out),
        Watches::Promote(arguments) => promote(arguments, out),
    }
}

fn print_list(rows: &[WatchRow], out: &mut Out) {
    if rows.is_empty() {
        out.line("no watches yet: instances write them down while they run");
    }
    for row in rows {
        let label = out.paint(STRONG, &safe(&row.label));
        let place = row.service.as_deref().unwrap_or("everywhere");
        let ends = row
            .expires
            .map_or(String::new(), |at| format!(", until {}", at.to_rfc3339()));
        let head = format!(" {}, {place}{ends}", row.owner.word());
        out.line(&format!("{} {label}{}", row.id, safe(&head)));
        out.line(&format!("    {}", record_of(row)));
    }
}

/// What became of a watch, in words.
fn record_of(row: &WatchRow) -> String {
    let last = row.last_fired.map_or(String::new(), |at| {
        format!(", the last time at {}", at.to_rfc3339())
    });
    format!(
        "matched {}, fired {}{last}; incidents right {}, wrong {}",
        row.matched, row.fired, row.right, row.wrong
    )
}

fn row_json(row: &WatchRow) -> Value {
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
    json!({
        "id": row.id,
        "label": row.label,
        "owner": row.owner.word(),
        "service": row.service,
        "installed": row.installed.to_rfc3339(),
        "expires": time(row.expires),
        "matched": row.matched,
        "fired": row.fired,
        "last_fired": time(row.last_fired),
        "right": row.right,
        "wrong": row.wrong,
        "watch": serde_json::from_str::<Value>(&row.json).ok(),
    })
}

fn test(arguments: &TestArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let file = folder()?.join(&arguments.file);
    let tested = watches::test(&file, arguments.log.as_deref())?;
    for fault in &tested.faults {
        let word = out.paint(BAD, "fault:");
        out.line(&format!("{word} {}", safe(&fault.to_string())));
    }
    for one in &tested.watches {
        let watch = &one.watch;
        let place = match &watch.scope {
            Scope::Everywhere => "everywhere",
            Scope::Service(name) => name,
        };
        let group = match watch.group_by.as_slice() {
            [] => String::new(),
            fields => format!(" with the same {}", fields.join(" and ")),
        };
        let title = out.paint(STRONG, &safe(&watch.label));
        let what = format!(
            "{place}, {} in {} s{group}",
            watch.threshold,
            watch.window.as_secs()
        );
        out.line(&format!("{title}: {}", safe(&what)));
        let anchors: Vec<String> = one.plan.anchors.iter().map(Anchor::to_string).collect();
        let found = format!("found by {}; cost {}", anchors.join(", "), one.plan.cost);
        out.line(&format!("    {}", safe(&found)));
        if tested.records.is_some() {
            let apart = match one.ungrouped {
                0 => String::new(),
                number => format!(", {number} of them without a field of group_by"),
            };
            let found = format!("    matched {}{apart}, fired {}", one.matched, one.fired);
            out.line(&found);
        }
    }
    let cost: u64 = tested
        .watches
        .iter()
        .map(|one| u64::from(one.plan.cost))
        .sum();
    let records = tested
        .records
        .map_or(String::new(), |n| format!(", {n} records"));
    out.line(&format!(
        "{} watches, cost {cost}, {} faults{records}",
        tested.watches.len(),
        tested.faults.len()
    ));
    Ok(if tested.faults.is_empty() {
        Outcome::Done
    } else {
        Outcome::Fault
    })
}

/// The watch alone on standard output, so that it can be pasted or piped; its record beside it.
fn promote(arguments: &PromoteArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let row = watches::promote(&arguments.state.folder()?, &arguments.id)?;
    complain(&record_of(&row));
    out.line(&safe(&row.json));
    Ok(Outcome::Done)
}
