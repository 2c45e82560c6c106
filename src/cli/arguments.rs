//! The commands and their arguments, as `--help` describes them.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

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
    /// Play a made-up crash through the built plugin
    Selftest(SelftestArguments),
    /// Print the documentation's table of keys
    #[command(hide = true)]
    Keys,
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
    /// Text with the trace; standard input when it is left out or `-`
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
