//! `autofix check`: prints what was looked at, every complaint with its place, and their number.

use crate::app::{self, check::CheckOptions};
use crate::cli::arguments::CheckArguments;
use crate::cli::output::{BAD, GOOD, ODD, Out, safe};
use crate::cli::{Outcome, folder};
use crate::config::from_command_line;

pub(super) fn run(arguments: CheckArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let folder = folder()?;
    let options = CheckOptions {
        config: arguments.config,
        services: arguments.services.map(|path| folder.join(path)),
        state: arguments.state.map(|path| folder.join(path)),
        set: from_command_line(&arguments.set, &folder)?,
        offline: arguments.offline,
    };
    let report = app::check::check(&options)?;
    for line in &report.checked {
        out.line(&format!("{} {}", out.paint(GOOD, "good:"), safe(line)));
    }
    for complaint in &report.complaints {
        let word = if complaint.is_fault() {
            out.paint(BAD, "fault:")
        } else {
            out.paint(ODD, "warning:")
        };
        out.line(&format!("{word} {}", safe(&complaint.to_string())));
    }
    let (faults, warnings) = (report.faults(), report.warnings());
    let number = |number: usize, word: &str| {
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {word}{plural}")
    };
    out.line(&format!(
        "{}, {}",
        number(faults, "fault"),
        number(warnings, "warning")
    ));
    Ok(if faults == 0 {
        Outcome::Done
    } else {
        Outcome::Fault
    })
}
