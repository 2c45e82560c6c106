//! The command line's door: arguments are parsed, a function of `app` does the work, its result
//! is printed. No decision about logs or repositories is made here.
//!
//! Exit status: 0 done (also when incidents were found), 1 could not finish or `check` or `eval`
//! found a fault, 2 wrong use.

mod act;
mod arguments;
mod bill;
mod check;
mod conversation;
mod eval;
mod eval_fix;
mod fate;
mod fix;
mod incidents;
mod init;
mod inspect;
mod locate;
mod mcp;
mod output;
mod progress;
mod rehearse;
mod replay;
mod selftest;
mod status;
mod watches;
mod why;

use crate::app;
use crate::config::entry::ARGUMENT;
use crate::config::{Complaint, environment};
use arguments::{Arguments, Command};
use clap::Parser;
use output::Out;
use std::path::PathBuf;
use std::process::ExitCode;

/// What a command leaves as exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// `check` or `eval` found a fault.
    Fault,
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too, with status 0. A closed pipe is no fault.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let mut out = Out::new();
    let result = command(arguments.command, &mut out);
    let written = out.finish();
    match (result, written) {
        (Ok(Outcome::Done), Ok(())) => ExitCode::SUCCESS,
        (Ok(Outcome::Fault), Ok(())) => ExitCode::from(1),
        (Err(error), _) => {
            output::complain(&error.to_string());
            ExitCode::from(status_of(&error))
        }
        (Ok(_), Err(error)) => {
            output::complain(&format!("cannot write the result: {error}"));
            ExitCode::from(1)
        }
    }
}

fn status_of(error: &app::Error) -> u8 {
    let argument = |complaint: &Complaint| complaint.place.file.as_deref() == Some(ARGUMENT);
    match error {
        app::Error::Usage(_) => 2,
        app::Error::Complaints(all) if all.iter().filter(|c| c.is_fault()).all(argument) => 2,
        app::Error::Complaints(_) | app::Error::Unfinished(_) => 1,
    }
}

fn command(command: Command, out: &mut Out) -> Result<Outcome, app::Error> {
    match command {
        Command::Replay(arguments) => replay::run(arguments, out),
        Command::Incidents(arguments) => incidents::run(&arguments, out),
        Command::Why(arguments) => why::run(&arguments, out),
        Command::Fix(arguments) => fix::run(&arguments, out),
        Command::Status(arguments) => status::run(&arguments, out),
        Command::Check(arguments) => check::run(arguments, out),
        Command::Init(arguments) => init::run(&arguments, out),
        Command::Inspect { what } => inspect::run(&what, out),
        Command::Locate(arguments) => locate::run(arguments, out),
        Command::Watches { what } => watches::run(&what, out),
        Command::Mute(arguments) => fate::mute(&arguments, out),
        Command::Unmute(arguments) => fate::unmute(&arguments, out),
        Command::Outcomes(arguments) => fate::outcomes(&arguments, out),
        Command::Act(arguments) => act::act(&arguments, out),
        Command::Approve(arguments) => act::approve(&arguments, out),
        Command::Deny(arguments) => act::deny(&arguments, out),
        Command::Audit { what } => act::audit(&what, out),
        Command::Mcp(arguments) => mcp::run(&arguments, out),
        Command::Eval { what } => eval::run(what, out),
        Command::Selftest(arguments) => selftest::run(&arguments, out),
        Command::Keys => {
            out.text(&crate::config::keys_table());
            Ok(Outcome::Done)
        }
    }
}

/// The folder that the command was started in.
fn folder() -> Result<PathBuf, app::Error> {
    environment::current_dir()
        .map_err(|error| app::Error::unfinished("cannot tell the current folder", error))
}
