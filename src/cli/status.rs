//! `autofix status`: counters, incidents and deploys as the instances left them.

use crate::app::{self, fate, look};
use crate::cli::Outcome;
use crate::cli::arguments::StatusArguments;
use crate::cli::bill;
use crate::cli::output::{BAD, GOOD, Out, STRONG, safe};
use crate::model::Timestamp;
use crate::rate::{Deploy, Verdict};
use crate::store::StatusReport;

pub(super) fn run(arguments: &StatusArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let folder = arguments.state.folder()?;
    if arguments.bill {
        return bill::run(&folder, arguments, out);
    }
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
    for mute in fate::mutes(&folder)? {
        out.line(&safe(&format!("    {}", super::fate::line(&mute))));
    }
    print_storms(&status, out);
    print_spend(&status, out);
    print_deploys(&status, out);
    print_acts(&status, out);
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

fn print_spend(status: &StatusReport, out: &mut Out) {
    if status.spent.calls == 0 {
        return;
    }
    let title = out.paint(STRONG, "Spent");
    out.line(&format!("\n{title}"));
    let ever = status.spent;
    out.line(&format!(
        "    {} for {} tokens in {} calls, ever",
        ever.usd, ever.tokens, ever.calls
    ));
    for (owner, service, spent) in &status.today {
        let of = match owner == service {
            true => String::new(),
            false => format!(" of {owner}"),
        };
        out.line(&safe(&format!("    {} today for {service}{of}", spent.usd)));
    }
}

fn print_acts(status: &StatusReport, out: &mut Out) {
    if status.acts.is_empty() {
        return;
    }
    let title = out.paint(STRONG, "Recovery");
    out.line(&format!("\n{title}"));
    for row in &status.acts {
        let line = format!(
            "    {} by {}: {} {}",
            row.verb, row.caller, row.outcome, row.count
        );
        out.line(&safe(&line));
    }
}

fn print_storms(status: &StatusReport, out: &mut Out) {
    if status.storms.is_empty() {
        return;
    }
    let title = out.paint(STRONG, "Storms");
    out.line(&format!("\n{title}"));
    for storm in &status.storms {
        let owner = match storm.owner.as_str() {
            "" => String::new(),
            owner => format!(" of {owner}"),
        };
        out.line(&safe(&format!(
            "    #{}{owner}: {} faults, {} wait; the last new one {}",
            storm.parent,
            storm.faults,
            storm.waiting,
            storm.last.to_rfc3339()
        )));
    }
}

fn print_deploys(status: &StatusReport, out: &mut Out) {
    if status.deploys.is_empty() {
        return;
    }
    let title = out.paint(STRONG, "Deploys");
    out.line(&format!("\n{title}"));
    for (service, deploy) in &status.deploys {
        print_deploy(service, deploy, out);
    }
}

fn print_deploy(service: &str, deploy: &Deploy, out: &mut Out) {
    let word = match deploy.verdict {
        Verdict::Worse => out.paint(BAD, "worse"),
        Verdict::Better => out.paint(GOOD, "better"),
        Verdict::Same | Verdict::Undecided => deploy.verdict.word().to_owned(),
    };
    let when = deploy.started().to_rfc3339();
    let service = safe(service);
    let state = if deploy.over { "" } else { ", not over" };
    out.line(&format!("    {when} {service}: {word}{state}"));
    out.line(&format!("        {}", safe(&deploy.reason())));
    for error in &deploy.new_errors {
        let facets = error.entry.facets.to_string();
        let line = format!(
            "        only in it: {} {facets}, {}",
            error.entry.template, error.count
        );
        out.line(&safe(&line));
    }
}
