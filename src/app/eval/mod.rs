//! `eval triage`: logs whose right decisions are known go through the very lanes of the plugin, each
//! into a state folder of its own, and what becomes an incident is compared with what should.
//! What a scenario is stands in `scenario`, what counts as found in `score`.

pub mod fix;
mod folder;
pub mod scenario;
pub mod score;
mod shipped;

use crate::app::Error;
use crate::app::replay::{self, Input, Replayed, Told};
use crate::app::watches;
use crate::config::{self, Options, RegistrySource, Services, environment};
use crate::log::Log;
use crate::model::Incident;
use crate::model::service::Fixer;
use crate::pipeline::streams::Services as Registered;
use crate::pipeline::{Lanes, Setup};
use crate::plugin;
use crate::watch::Owner;
use scenario::Scenario;
use score::Score;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// What to evaluate.
#[derive(Clone, Debug, Default)]
pub struct Eval {
    /// A folder of scenarios; `None`: those that autofix ships.
    pub scenarios: Option<PathBuf>,
    /// Only these; empty: all.
    pub names: Vec<String>,
    /// `KEY=VALUE` of the output: how triage decides. All of it goes into the lanes but the
    /// fixer, which has no part in it, and what a scenario brings itself: its services and its
    /// state folder.
    pub set: Vec<String>,
}

/// What came of one scenario.
#[derive(Clone, Debug)]
pub struct Evaluated {
    pub name: String,
    pub score: Score,
    pub lines: u64,
    /// That a model read and wrote.
    pub tokens: u64,
    /// Watches that a model programmed; `None` where none was asked.
    pub watches: Option<Watches>,
    pub seconds: f64,
}

/// What a model programmed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watches {
    pub installed: u64,
    /// Those that fired for something that was right to find.
    pub useful: u64,
}

/// Bytes of a log that are handed over at once.
const CHUNK: usize = 4 << 10;

/// Evaluates the scenarios by name; `tell` hears of each as soon as it has its result.
///
/// # Errors
/// When a scenario cannot be read (nothing runs then) or a run cannot be finished.
pub fn triage(eval: &Eval, log: &Log, tell: &mut dyn FnMut(&Evaluated)) -> Result<(), Error> {
    let mut scenarios = match &eval.scenarios {
        Some(folder) => scenario::read_folder(folder)?,
        None => shipped::scenarios()?,
    };
    choose(&mut scenarios, &eval.names)?;
    let folder = environment::current_dir()
        .map_err(|fault| Error::unfinished("the current folder", fault))?;
    let options = config::from_entries(&config::from_command_line(&eval.set, &folder)?)?;
    for scenario in &scenarios {
        tell(&evaluate(scenario, &options, log)?);
    }
    Ok(())
}

fn choose(scenarios: &mut Vec<Scenario>, names: &[String]) -> Result<(), Error> {
    let known = |name: &&String| scenarios.iter().any(|scenario| scenario.name == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let all: Vec<&str> = scenarios.iter().map(|each| each.name.as_str()).collect();
        let remedy = crate::registry::complaint::did_you_mean(unknown, &all);
        return Err(Error::Usage(format!("no scenario `{unknown}`; {remedy}")));
    }
    if !names.is_empty() {
        scenarios.retain(|scenario| names.contains(&scenario.name));
    }
    Ok(())
}

fn evaluate(scenario: &Scenario, options: &Options, log: &Log) -> Result<Evaluated, Error> {
    let began = Instant::now();
    let state = Scratch(replay::fresh_state("eval")?);
    let setup = setup(scenario, options, &state.0, log)?;
    let (lines, replayed) = play(scenario, setup, &state.0)?;
    let score = score::score(&scenario.decisions, &replayed.incidents);
    let tokens = replayed.status.counters.get("triage_tokens");
    let asked = options.triage.model.is_some();
    let watches = asked.then(|| watches(&state.0, &score, &replayed.incidents));
    Ok(Evaluated {
        name: scenario.name.clone(),
        score,
        lines,
        tokens: tokens.copied().unwrap_or(0),
        watches: watches.transpose()?,
        seconds: began.elapsed().as_secs_f64(),
    })
}

fn watches(state: &Path, score: &Score, incidents: &[Incident]) -> Result<Watches, Error> {
    let rows = watches::list(state)?;
    let models = rows.iter().filter(|row| row.owner == Owner::Model);
    let is_false = |one: &Incident| score.false_alarms.iter().any(|f| f.incident.id == one.id);
    let right: Vec<&str> = incidents
        .iter()
        .filter(|one| !is_false(one))
        .filter_map(|one| one.watch.as_deref())
        .collect();
    Ok(models.fold(Watches::default(), |sum, row| Watches {
        installed: sum.installed + 1,
        useful: sum.useful + u64::from(right.contains(&row.label.as_str())),
    }))
}

/// The lanes that a host would get, but for what a scenario must not reach: repositories, this
/// host's environment and its metadata.
fn setup(scenario: &Scenario, options: &Options, state: &Path, log: &Log) -> Result<Setup, Error> {
    let options = Options {
        services: Services::None,
        fixer: Fixer::Off,
        ..options.clone()
    };
    let nobody = RegistrySource::new(Services::None);
    let setup = plugin::assemble(&options, state, nobody, true, log.clone())
        .map_err(|fault| Error::unfinished("the network's settings", fault))?;
    Ok(Setup {
        services: Arc::new(Registered::new(scenario.registry.clone())),
        reread: Box::new(|| None),
        variable: Box::new(|_| None),
        ecs: None,
        ..setup
    })
}

/// Gives the lines read and the incidents.
fn play(scenario: &Scenario, setup: Setup, state: &Path) -> Result<(u64, Replayed), Error> {
    let read = |lanes: &Lanes, tell: &mut dyn FnMut(Told)| {
        let mut lines = 0;
        for log in &scenario.logs {
            let source = log
                .open()
                .map_err(|fault| Error::unfinished(&log.name, fault))?;
            let input = Input {
                name: format!("{}/{}", scenario.name, log.name),
                tag: scenario.tag_of(log),
                format: scenario.format,
                source,
                size: None,
                start: scenario.written,
                chunk: CHUNK,
            };
            lines += replay::feed(input, lanes, tell)?.lines;
        }
        Ok(lines)
    };
    replay::run(setup, state, &mut |_| (), read)
}

/// A state folder that goes when its scenario has its result.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
