//! `autofix status`: counters and incidents as the instances left them.

use crate::app::{self, look};
use crate::cli::Outcome;
use crate::cli::arguments::ListArguments;
use crate::cli::output::{Out, STRONG, safe};
use crate::model::Timestamp;

pub(super) fn run(arguments: &ListArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let folder = arguments.state.folder()?;
    let status = look::status(&folder)?;
    if arguments.json {
        out.json(&status.to_json());
        return Ok(Outcome::Done);
    }
    let updated = status.updated.map(Timestamp::to_rfc3339);
    let updated = updated.unwrap_or_else(|| "never".to_owned());
    out.line(&safe(&format!(
        "{}, counters of {updated}",
        folder.display()
    )));
    let title = out.paint(STRONG, "Incidents");
    out.line(&format!("\n{title}"));
    if status.incidents.is_empty() {
        out.line("    none");
    }
    for (status, number) in &status.incidents {
        out.line(&format!("    {}: {number}", status.word()));
    }
    for (service, number) in &status.capped {
        out.line(&safe(&format!(
            "    refused by the cap of {service}: {number}"
        )));
    }
    let title = out.paint(STRONG, "Counters");
    out.line(&format!("\n{title}"));
    for (name, number) in &status.counters {
        out.line(&format!("    {}: {number}", name.replace('_', " ")));
    }
    if folder.join("OFF").exists() {
        out.line("\nautofix is turned off by the file OFF in this folder");
    }
    Ok(Outcome::Done)
}
