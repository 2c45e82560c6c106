//! `autofix selftest`: a made-up crash through the built plugin, loaded as a host loads it.

use crate::app::{Error, selftest};
use crate::cli::Outcome;
use crate::cli::arguments::SelftestArguments;
use crate::cli::output::{Out, safe};
use crate::ffi::loaded;
use crate::pipeline::clock;

pub(super) fn run(arguments: &SelftestArguments, out: &mut Out) -> Result<Outcome, Error> {
    let trial = selftest::prepare(arguments.plugin.as_deref(), clock::now())?;
    let state = trial.state_dir.to_string_lossy();
    out.line(&format!("plugin: {}", trial.plugin.display()));
    out.line(&format!("state: {state}"));
    let block = [("State_Dir", state.as_ref()), ("Service", "selftest")];
    loaded::play(&trial.plugin, &block, trial.tag, &trial.chunk)
        .map_err(|fault| Error::unfinished(trial.plugin.display(), fault))?;
    let incident = selftest::judge(&trial)?;
    out.line(&format!(
        "incident: {} ({})",
        safe(&incident.title),
        incident.kind.word()
    ));
    out.line("ok: the plugin loads, reads, stores and ends as it should");
    Ok(Outcome::Done)
}
