//! `autofix fix`: says of each incident what came of it.

use crate::app::fix::{Fixed, Which, fix};
use crate::app::{self, look};
use crate::cli::arguments::FixArguments;
use crate::cli::output::Out;
use crate::cli::progress::Progress;
use crate::cli::{Outcome, incidents, rehearse};
use crate::pipeline::work::Worked;

pub(super) fn run(arguments: &FixArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    match (arguments.id, arguments.dry, &arguments.replay) {
        (Some(id), true, _) => return rehearse::dry(id, arguments, out),
        (Some(id), false, Some(path)) => return rehearse::replay(id, path, arguments, out),
        (Some(_) | None, _, _) => {}
    }
    let which = match (arguments.id, arguments.follow) {
        (Some(id), _) => Which::One(id),
        (None, true) => Which::Follow,
        (None, false) => Which::Pending,
    };
    let progress = Progress::new();
    let mut outcome = Outcome::Done;
    let mut number = 0_usize;
    let state = arguments.state.folder()?;
    fix(
        &state,
        look::limits(),
        which,
        progress.log(),
        &mut |fixed| {
            number += 1;
            if print(&fixed, arguments.json, &progress, out) == Outcome::Fault {
                outcome = Outcome::Fault;
            }
            !out.is_closed()
        },
    )?;
    if number == 0 {
        progress.say("nothing is open");
    }
    // With --follow a later round may have finished what an earlier one could not.
    Ok(if arguments.follow {
        Outcome::Done
    } else {
        outcome
    })
}

fn print(fixed: &Fixed, json: bool, progress: &Progress, out: &mut Out) -> Outcome {
    if json {
        out.json(&fixed.incident.to_json());
    } else {
        incidents::print_one(&fixed.incident, out);
    }
    let id = fixed.incident.id;
    match &fixed.worked {
        Worked::Done(_) => Outcome::Done,
        Worked::Later(at, why) => {
            progress.say(&format!("#{id} waits until {}: {why}", at.to_rfc3339()));
            Outcome::Fault
        }
        Worked::Lost => {
            progress.say(&format!("#{id} was taken up by another process meanwhile"));
            Outcome::Fault
        }
    }
}
