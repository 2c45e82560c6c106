//! `autofix mute`, `unmute` and `outcomes`.

use crate::app::fate::{self, Outcomes, Tally, What};
use crate::app::{self};
use crate::cli::Outcome;
use crate::cli::arguments::{MuteArguments, OutcomesArguments, UnmuteArguments};
use crate::cli::output::{Out, STRONG, safe};
use crate::config::environment;
use crate::model::Timestamp;
use crate::store::{Mute, PullRow};
use serde_json::json;
use std::collections::BTreeMap;

pub(super) fn mute(arguments: &MuteArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let what = What::parse(&arguments.what);
    let who = arguments.who.clone().unwrap_or_else(environment::login);
    let why = arguments.why.clone().unwrap_or_default();
    let folder = arguments.state.folder()?;
    let (mute, ended) = fate::mute(&folder, &what, arguments.within, &who, &why)?;
    if arguments.json {
        out.json(&of_mute(&mute));
        return Ok(Outcome::Done);
    }
    out.line(&safe(&line(&mute)));
    if ended > 0 {
        out.line(&format!("    incidents that this ended: {ended}"));
    }
    Ok(Outcome::Done)
}

pub(super) fn unmute(arguments: &UnmuteArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let what = What::parse(&arguments.what);
    let who = arguments.who.clone().unwrap_or_else(environment::login);
    if fate::unmute(&arguments.state.folder()?, &what, &who)? {
        out.line(&safe(&format!("{} is no longer muted", arguments.what)));
        return Ok(Outcome::Done);
    }
    Err(app::Error::Usage(format!(
        "{} was not muted; `autofix status` lists what is",
        arguments.what
    )))
}

pub(super) fn line(mute: &Mute) -> String {
    let what = match &mute.fingerprint {
        Some(fingerprint) => format!("fault {fingerprint} of {}", mute.service),
        None => format!("all of {}", mute.service),
    };
    let until = match mute.until {
        Some(until) => format!("until {}", until.to_rfc3339()),
        None => "until it is taken back".to_owned(),
    };
    let why = match mute.why.as_str() {
        "" => String::new(),
        why => format!(": {why}"),
    };
    format!("{what}: muted {until} by {}{why}", mute.who)
}

fn of_mute(mute: &Mute) -> serde_json::Value {
    json!({
        "service": mute.service,
        "fingerprint": mute.fingerprint,
        "until": mute.until.map(Timestamp::to_rfc3339),
        "who": mute.who,
        "why": mute.why,
    })
}

pub(super) fn outcomes(
    arguments: &OutcomesArguments,
    out: &mut Out,
) -> Result<Outcome, app::Error> {
    let folder = arguments.state.folder()?;
    let found = fate::outcomes(&folder, arguments.service.as_deref())?;
    if arguments.json {
        out.json(&found.to_json());
        return Ok(Outcome::Done);
    }
    print(&found, out);
    Ok(Outcome::Done)
}

fn print(found: &Outcomes, out: &mut Out) {
    if found.all == Tally::default() {
        out.line("no pull request yet");
        return;
    }
    table("All", &BTreeMap::from([(String::new(), found.all)]), out);
    table("By service", &found.services, out);
    table("By fixer", &found.fixers, out);
    let title = out.paint(STRONG, "Newest");
    out.line(&format!("\n{title}"));
    for row in &found.newest {
        newest(row, out);
    }
}

fn table(title: &str, rows: &BTreeMap<String, Tally>, out: &mut Out) {
    let title = out.paint(STRONG, title);
    out.line(&format!("\n{title}"));
    for (name, tally) in rows {
        let name = match name.as_str() {
            "" => String::new(),
            name => format!("{name}: "),
        };
        out.line(&safe(&format!(
            "    {name}proposed {}, opened {}, merged {}{}, held {}, came back {}, rejected {}, left to \
             a person {}",
            tally.proposed,
            tally.opened,
            tally.merged,
            share(tally.merged, tally.opened),
            tally.held,
            tally.came_back,
            tally.rejected,
            tally.theirs
        )));
    }
}

/// ` (60 %)`, or nothing.
fn share(part: u64, whole: u64) -> String {
    match whole {
        0 => String::new(),
        whole => format!(" ({} %)", part * 100 / whole),
    }
}

fn newest(row: &PullRow, out: &mut Out) {
    let state = row
        .outcome
        .map_or(row.state.word(), |outcome| outcome.word());
    let url = row.url.as_deref().unwrap_or(&row.order.branch);
    out.line(&safe(&format!("    {state}  {} {url}", row.service)));
    out.line(&safe(&format!("        {}", row.why)));
}
