//! `autofix status --bill`: what each template costs, and the filters to paste.

use crate::app::bill::{Item, ServiceBill, bill, filter};
use crate::app::{self};
use crate::cli::Outcome;
use crate::cli::arguments::StatusArguments;
use crate::cli::output::{Out, STRONG, safe};
use crate::model::Timestamp;
use std::path::Path;

/// Templates of a service that are shown without `--all`.
const SHOWN: usize = 20;
/// Characters of a template that are shown.
const WIDTH: usize = 120;

pub(super) fn run(
    folder: &Path,
    arguments: &StatusArguments,
    out: &mut Out,
) -> Result<Outcome, app::Error> {
    let shown = if arguments.all { usize::MAX } else { SHOWN };
    let bills = bill(folder)?;
    for bill in &bills {
        if arguments.json {
            for item in bill.items.iter().take(shown) {
                out.json(&item.to_json(bill));
            }
        } else {
            print(bill, shown, out);
        }
    }
    if bills.is_empty() && !arguments.json {
        out.line("nothing was counted yet");
    }
    Ok(Outcome::Done)
}

fn print(bill: &ServiceBill, shown: usize, out: &mut Out) {
    let title = out.paint(STRONG, &safe(&bill.service));
    let since = bill.since.map(Timestamp::to_rfc3339).unwrap_or_default();
    let (lines, bytes) = (bill.lines, size(bill.bytes));
    out.line(&format!("{title}: {lines} lines, {bytes} since {since}"));
    for item in bill.items.iter().take(shown) {
        print_item(item, out);
    }
    let rest = bill.items.len().saturating_sub(shown);
    if rest > 0 {
        out.line(&format!("    and {rest} more (--all)"));
    }
    let all = bill.items.iter().take(shown);
    let excludes: Vec<String> = all.filter_map(|item| item.exclude.clone()).collect();
    if !excludes.is_empty() {
        out.line("\n    # drops the lines above that were in no incident and are no errors:");
        out.line("    # keep of it what you do not miss, and narrow Match to this service");
        for line in filter::block(&excludes).lines() {
            out.line(&safe(&format!("    {line}")));
        }
    }
    out.line("");
}

fn print_item(item: &Item, out: &mut Out) {
    let id = item.template.map_or_else(String::new, |id| id.to_string());
    let note = match (item.in_incident, item.errors) {
        (true, _) => " (in an incident)",
        (false, true) => " (errors)",
        (false, false) => "",
    };
    let text = match (&item.text, item.template) {
        (Some(text), _) => text.chars().take(WIDTH).collect(),
        (None, Some(_)) => "a template that is no longer kept".to_owned(),
        (None, None) => "templates that are no longer kept".to_owned(),
    };
    let line = format!(
        "    {:5.1} %  {:>9}  {:>9} lines  {id:12}  {text}{note}",
        100.0 * item.share,
        size(item.bytes),
        item.lines
    );
    out.line(&safe(&line));
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut at = 0;
    while value >= 1024.0 && at + 1 < units.len() {
        value /= 1024.0;
        at += 1;
    }
    match at {
        0 => format!("{bytes} B"),
        at => format!("{value:.1} {}", units.get(at).unwrap_or(&"")),
    }
}
