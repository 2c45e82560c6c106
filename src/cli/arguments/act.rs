//! The arguments of `act`, `approve`, `deny`, `audit` and `mcp`.

use super::StateArgument;
use crate::model::IncidentId;
use crate::model::recovery::ActionId;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct ActArguments {
    /// The service; without one, the newest actions are listed
    #[arg(value_name = "SERVICE", requires = "verb")]
    pub(in crate::cli) service: Option<String>,
    /// status, logs, releases, restart, rollback, scale, stop, start, or a verb of the team's own
    #[arg(value_name = "VERB")]
    pub(in crate::cli) verb: Option<String>,
    /// rollback: the release, otherwise the last that was healthy; scale: the number of instances
    #[arg(long, value_name = "RELEASE|N")]
    pub(in crate::cli) to: Option<String>,
    /// The instance, as `status` names it
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) instance: Option<String>,
    /// logs: how many lines
    #[arg(long, value_name = "N")]
    pub(in crate::cli) lines: Option<String>,
    /// A parameter of a team's own verb
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(in crate::cli) set: Vec<(String, String)>,
    /// Say what would be done and checked, and do nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) why: Option<String>,
    /// The incident that it is for
    #[arg(long, value_name = "ID", value_parser = incident)]
    pub(in crate::cli) incident: Option<IncidentId>,
    /// Who asks; the login name otherwise
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) who: Option<String>,
    /// Instead of a verb: show how an action stands
    #[arg(long, value_name = "ACTION", value_parser = action, conflicts_with_all = ["service", "dry_run"])]
    pub(in crate::cli) poll: Option<ActionId>,
    /// Do not wait for the end: the plugin carries it on, or --poll with --wait
    #[arg(long, conflicts_with = "wait")]
    pub(in crate::cli) no_wait: bool,
    /// With --poll: carry it on until it is over
    // What a conflict takes out is not required: without the second, `act SERVICE VERB --wait` would do.
    #[arg(long, requires = "poll", conflicts_with = "service")]
    pub(in crate::cli) wait: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) state: StateArgument,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ApproveArguments {
    /// Number of the action
    #[arg(value_name = "ACTION", value_parser = action)]
    pub(in crate::cli) id: ActionId,
    /// Who approves; the login name otherwise
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) who: Option<String>,
    /// Do not wait for the end: the plugin carries it on
    #[arg(long)]
    pub(in crate::cli) no_wait: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) state: StateArgument,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DenyArguments {
    /// Number of the action
    #[arg(value_name = "ACTION", value_parser = action)]
    pub(in crate::cli) id: ActionId,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: String,
    /// Who denies; the login name otherwise
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) who: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) state: StateArgument,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct McpArguments {
    /// Show this service only; may be given again
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) service: Vec<String>,
    /// Show services of this owner only, "" for those without one; needed where there are several
    #[arg(long, value_name = "TEAM")]
    pub(in crate::cli) owner: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) state: StateArgument,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Audit {
    /// Check that no entry was changed, taken out or put in
    Verify(VerifyArguments),
    /// Print every entry as JSON Lines
    Export(ExportArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArguments {
    /// Lines of incidents.jsonl that were carried away: what left the host must still be here
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) heads: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) state: StateArgument,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArguments {
    #[command(flatten)]
    pub(in crate::cli) state: StateArgument,
}

fn action(text: &str) -> Result<ActionId, String> {
    ActionId::parse(text).ok_or_else(|| "write the number of an action, such as 7".to_owned())
}

fn incident(text: &str) -> Result<IncidentId, String> {
    IncidentId::parse(text).ok_or_else(|| "write the number of an incident, such as 12".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("write NAME=VALUE".to_owned()),
    }
}
