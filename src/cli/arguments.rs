//! The commands and their arguments, as `--help` describes them.

mod act;

pub(super) use act::{ActArguments, ApproveArguments, Audit, DenyArguments, McpArguments};

use crate::app;
use crate::config::environment;
use crate::model::IncidentId;
use crate::record::input::Format;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// Watches logs inside Fluent Bit and turns errors into reviewed fixes.
#[derive(Debug, Parser)]
#[command(
    name = "autofix",
    version,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Play log files through the same lanes as the plugin, and show what comes of it
    Replay(ReplayArguments),
    /// List the incidents of a state folder
    Incidents(ListArguments),
    /// Explain one incident: its lines, the rule, what was tried
    Why(WhyArguments),
    /// Finish incidents that were cut short or left open
    Fix(FixArguments),
    /// Show counters, incidents, deploys and the log bill, also after the host has gone
    Status(StatusArguments),
    /// Check a Fluent Bit file, a registry, its repositories and the state folder
    Check(CheckArguments),
    /// Write services.toml for this checkout and print the blocks that load it
    Init(InitArguments),
    /// Show what autofix reads out of a log
    Inspect {
        #[command(subcommand)]
        what: Inspect,
    },
    /// Find the repository files that a stack trace speaks of
    Locate(LocateArguments),
    /// List the watches, try a team's file out, print a model's watch for it
    Watches {
        #[command(subcommand)]
        what: Watches,
    },
    /// Leave a fault or a service alone for a time: it is counted, and nothing else comes of it
    Mute(MuteArguments),
    /// Take a mute back, also that of a pull request that was closed without being merged
    Unmute(UnmuteArguments),
    /// Show what became of the fixes: proposed, merged, held, came back, rejected
    Outcomes(OutcomesArguments),
    /// Look at a service on its platform, or ask for an action that brings it back
    Act(ActArguments),
    /// Release an action that waits, and carry it out
    Approve(ApproveArguments),
    /// Say no to an action that waits
    Deny(DenyArguments),
    /// The record of recovery: who asked for what, what was done, what came of it
    Audit {
        #[command(subcommand)]
        what: Audit,
    },
    /// Serve a team's own agents over the Model Context Protocol on standard input and output
    Mcp(McpArguments),
    /// Measure decisions against logs whose right decisions are known
    Eval {
        #[command(subcommand)]
        what: Eval,
    },
    /// Play a made-up crash through the built plugin
    Selftest(SelftestArguments),
    /// Print the documentation's table of keys
    #[command(hide = true)]
    Keys,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// Log files, gzip too; standard input when there is none or `-`
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Form of the files: text, json, docker or cri; told from the first lines otherwise
    #[arg(long, value_parser = format)]
    pub(super) format: Option<Format>,
    /// Tag of the records; the file's name otherwise
    #[arg(long)]
    pub(super) tag: Option<String>,
    /// Fluent Bit file, classic or YAML, whose autofix output is used
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Which output, where the file has several: its alias, match or number
    #[arg(long, value_name = "WHICH", requires = "config")]
    pub(super) output: Option<String>,
    /// A key of the output, instead of the one in the file
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// State folder; a fresh temporary one otherwise
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// At the end, print one JSON object for each incident
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) state: StateArgument,
}

#[derive(Debug, Args)]
pub(super) struct StatusArguments {
    /// Show what each template costs in lines and bytes, and filters for what was in no incident
    #[arg(long)]
    pub(super) bill: bool,
    /// With --bill: every template, not only the first of each service
    #[arg(long, requires = "bill")]
    pub(super) all: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) state: StateArgument,
}

#[derive(Debug, Args)]
pub(super) struct WhyArguments {
    /// Number of the incident
    #[arg(value_parser = incident)]
    pub(super) id: IncidentId,
    #[command(flatten)]
    pub(super) state: StateArgument,
}

#[derive(Debug, Args)]
pub(super) struct FixArguments {
    /// Number of the incident; everything that is open otherwise
    #[arg(value_parser = incident, conflicts_with_all = ["pending", "follow"])]
    pub(super) id: Option<IncidentId>,
    /// Everything that is open
    #[arg(long)]
    pub(super) pending: bool,
    /// Go on with whatever comes, until stopped
    #[arg(long)]
    pub(super) follow: bool,
    /// Print what a model would be shown of the incident and what that would cost; nothing is asked
    #[arg(long, requires = "id")]
    pub(super) dry: bool,
    /// Play the investigation again from a transcript, without a network; nothing is kept
    #[arg(
        long,
        value_name = "TRANSCRIPT",
        requires = "id",
        conflicts_with = "dry"
    )]
    pub(super) replay: Option<PathBuf>,
    /// Print one JSON object for each incident that was worked on
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) state: StateArgument,
}

#[derive(Debug, Args)]
pub(super) struct MuteArguments {
    /// Number of an incident, whose fault is meant, or the name of a service
    #[arg(value_name = "ID|SERVICE")]
    pub(super) what: String,
    /// How long, such as 12h or 7d; until it is taken back otherwise
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub(super) within: Option<Duration>,
    /// Who says so; the login name otherwise
    #[arg(long, value_name = "NAME")]
    pub(super) who: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(super) why: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) state: StateArgument,
}

#[derive(Debug, Args)]
pub(super) struct UnmuteArguments {
    /// Number of an incident, whose fault is meant, or the name of a service
    #[arg(value_name = "ID|SERVICE")]
    pub(super) what: String,
    /// Who says so; the login name otherwise
    #[arg(long, value_name = "NAME")]
    pub(super) who: Option<String>,
    #[command(flatten)]
    pub(super) state: StateArgument,
}

#[derive(Debug, Args)]
pub(super) struct OutcomesArguments {
    /// Of this service only
    #[arg(long, value_name = "NAME")]
    pub(super) service: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) state: StateArgument,
}

fn span(text: &str) -> Result<Duration, String> {
    crate::config::duration(text)
}

#[derive(Debug, Args)]
pub(super) struct StateArgument {
    /// State folder [default: /var/lib/autofix for root, else the XDG state folder]
    #[arg(long = "state", value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl StateArgument {
    /// From the root, so that what is printed of it is too.
    pub(super) fn folder(&self) -> Result<PathBuf, app::Error> {
        match &self.dir {
            Some(dir) => Ok(super::folder()?.join(dir)),
            None => Ok(environment::command_line_state_dir()),
        }
    }
}

fn incident(text: &str) -> Result<IncidentId, String> {
    IncidentId::parse(text).ok_or_else(|| "the number of an incident is meant".to_owned())
}

fn format(text: &str) -> Result<Format, String> {
    let word = if text == "json" { "jsonl" } else { text };
    Format::from_word(word).ok_or_else(|| "write text, json, docker or cri".to_owned())
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Fluent Bit file with the output, classic or YAML
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Registry: a file, or a folder with services.toml and services.d
    #[arg(long, value_name = "PATH")]
    pub(super) services: Option<PathBuf>,
    /// State folder, instead of the one in the file
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// A key of the output, instead of the one in the file
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Ask no remote repository
    #[arg(long)]
    pub(super) offline: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Watches {
    /// The watches as instances left them, with what they counted
    List(ListArguments),
    /// Check a file of watches; with a log, show what they would have found
    Test(TestArguments),
    /// Print a model's watch for the file that `Watches` names; its record goes to standard error
    Promote(PromoteArguments),
}

#[derive(Debug, Args)]
pub(super) struct TestArguments {
    /// The file: a JSON list of watches
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// A log to show them; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct PromoteArguments {
    /// Its number in `autofix watches list`, or its label
    #[arg(value_name = "ID")]
    pub(super) id: String,
    #[command(flatten)]
    pub(super) state: StateArgument,
}

#[derive(Debug, Subcommand)]
pub(super) enum Eval {
    /// What becomes an incident: found, missed and false alarms; exit status 1 unless all is right
    Triage(EvalTriageArguments),
    /// What becomes a fix: file found, diff made, hidden test passed; exit status 1 unless all is
    /// right
    ///
    /// A case is a repository at a commit, a log and a hidden test. It goes the way of production
    /// with the fixer that the keys name. The hidden tests, and the code that they test, run as
    /// plain child processes of this command, with limits on time and output and no sandbox: run
    /// only cases that you trust. The shipped ones need git, timeout and python3, node, go, javac
    /// or rustc; a case whose runtime is missing is skipped, and said on standard error.
    Fix(EvalFixArguments),
}

#[derive(Debug, Args)]
pub(super) struct EvalFixArguments {
    /// Only these cases
    #[arg(value_name = "NAME")]
    pub(super) names: Vec<String>,
    /// A folder of cases, instead of those that autofix ships
    #[arg(long, value_name = "DIR")]
    pub(super) cases: Option<PathBuf>,
    /// A key of the output, such as Fixer=revert or Fixer_Model=NAME
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Print one JSON object for each case
    #[arg(long, conflicts_with = "check")]
    pub(super) json: bool,
    /// Run no fixer: prove that each hidden test fails without a change and passes with right.patch
    #[arg(long, conflicts_with = "set")]
    pub(super) check: bool,
}

#[derive(Debug, Args)]
pub(super) struct EvalTriageArguments {
    /// Only these scenarios
    #[arg(value_name = "NAME")]
    pub(super) names: Vec<String>,
    /// A folder of scenarios, instead of those that autofix ships
    #[arg(long, value_name = "DIR")]
    pub(super) scenarios: Option<PathBuf>,
    /// A key of the output, such as Triage=ollama and Triage_Model=NAME; the rules alone otherwise
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Print one JSON object for each scenario
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct SelftestArguments {
    /// The plugin; without it the one beside this program
    #[arg(long, value_name = "FILE")]
    pub(super) plugin: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// Folder of the service, inside a git checkout
    #[arg(value_name = "DIR", default_value = ".")]
    pub(super) folder: PathBuf,
    /// Overwrite an existing services.toml
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Inspect {
    /// The stack traces of a log
    Traces(TracesArguments),
    /// The template of each line of message text: its id, a tab, the template as it then is
    Templates(TemplatesArguments),
}

#[derive(Debug, Args)]
pub(super) struct TemplatesArguments {
    /// Learnt templates to start from, as --export prints them
    #[arg(long, value_name = "FILE")]
    pub(super) seed: Option<PathBuf>,
    /// At the end, print what was learnt as JSON Lines instead
    #[arg(long)]
    pub(super) export: bool,
    /// With --export: the service that Templates_Seed is to give them to
    #[arg(long, value_name = "NAME", requires = "export")]
    pub(super) service: Option<String>,
    /// With --export, instead of a file: what the instances of this State_Dir learnt
    #[arg(long, value_name = "DIR", requires = "export", conflicts_with_all = ["file", "seed"])]
    pub(super) state: Option<PathBuf>,
    /// The messages; standard input when it is left out or `-`
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct TracesArguments {
    /// Print one JSON object for each trace
    #[arg(long)]
    pub(super) json: bool,
    /// Each input line is a JSON object; its text is under `log` or `message`
    #[arg(long)]
    pub(super) jsonl: bool,
    /// The key of those objects whose value names the stream
    #[arg(long, value_name = "KEY", requires = "jsonl")]
    pub(super) stream_key: Option<String>,
    /// The log; standard input when it is left out or `-`
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct LocateArguments {
    /// Print one JSON object for each place, best first
    #[arg(long)]
    pub(super) json: bool,
    /// Local repository
    #[arg(
        long,
        value_name = "DIR",
        required_unless_present = "tree",
        conflicts_with = "tree"
    )]
    pub(super) repo: Option<PathBuf>,
    /// Deployed commit: 7 to 40 hexadecimal digits, or HEAD
    #[arg(
        long,
        value_name = "SHA",
        default_value = "HEAD",
        conflicts_with = "tree"
    )]
    pub(super) commit: String,
    /// Instead of a repository, a file with one repository path a line
    #[arg(long, value_name = "LIST")]
    pub(super) tree: Option<PathBuf>,
    /// Folder of the service inside the repository
    #[arg(long, value_name = "DIR", default_value = "")]
    pub(super) root: String,
    /// Prefix of printed paths that stands for the service's folder, such as /app
    #[arg(long, value_name = "PREFIX")]
    pub(super) path_prefix: Vec<String>,
    /// Text with a trace, or lines of a log; standard input when it is left out or `-`
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }
}
