//! `autofix replay`: notes and progress on standard error, the incidents on standard output.

use crate::app::replay::{Replay, Told, replay};
use crate::app::{self};
use crate::cli::arguments::ReplayArguments;
use crate::cli::output::Out;
use crate::cli::progress::Progress;
use crate::cli::{Outcome, incidents};

pub(super) fn run(arguments: ReplayArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let wanted = Replay {
        files: arguments.files,
        format: arguments.format,
        tag: arguments.tag,
        config: arguments.config,
        output: arguments.output,
        set: arguments.set,
        state: arguments.state,
    };
    let progress = Progress::new();
    let mut working = false;
    let replayed = replay(&wanted, progress.log(), &mut |told| match told {
        Told::Note(line) => progress.say(&line),
        Told::Read { bytes, of } => progress.read(bytes, of),
        Told::Working if !working => {
            working = true;
            progress.working();
        }
        Told::Working => {}
    });
    progress.end();
    let replayed = replayed?;
    if arguments.json {
        incidents::print_json(&replayed.incidents, out);
        return Ok(Outcome::Done);
    }
    incidents::print(&replayed.incidents, out);
    let seen = replayed.status.counters.get("records_seen").copied();
    let number = replayed.incidents.len();
    let plural = if number == 1 { "" } else { "s" };
    progress.say(&format!(
        "{} records, {number} incident{plural}; see more with: autofix why ID --state {}",
        seen.unwrap_or(0),
        replayed.state_dir.display()
    ));
    Ok(Outcome::Done)
}
