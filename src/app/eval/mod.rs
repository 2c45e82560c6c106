//! `eval triage`: logs whose right decisions are known go through the very lanes of the plugin, each
//! into a state folder of its own, and what becomes an incident is compared with what should.
//! What a scenario is stands in `scenario`, what counts as found in `score`.

pub mod scenario;
pub mod score;
mod shipped;

use crate::app::Error;
use crate::app::replay::{self, Input, Told};
use crate::config::{Options, RegistrySource, Services};
use crate::log::Log;
use crate::model::Incident;
use crate::model::service::Fixer;
use crate::pipeline::streams::Services as Registered;
use crate::pipeline::{Lanes, Setup};
use crate::plugin;
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
    /// How triage decides. All that is set here goes into the lanes but the fixer, which has no
    /// part in it, and what a scenario brings itself: its services and its state folder.
    pub options: Options,
}

/// What came of one scenario.
#[derive(Clone, Debug)]
pub struct Evaluated {
    pub name: String,
    pub score: Score,
    pub lines: u64,
    /// That a model was paid for.
    pub tokens: u64,
    pub seconds: f64,
}

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
    for scenario in &scenarios {
        tell(&evaluate(scenario, &eval.options, log)?);
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
    let (lines, incidents) = play(scenario, setup, &state.0)?;
    Ok(Evaluated {
        name: scenario.name.clone(),
        score: score::score(&scenario.decisions, &incidents),
        lines,
        // The rules ask nobody.
        tokens: 0,
        seconds: began.elapsed().as_secs_f64(),
    })
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
fn play(scenario: &Scenario, setup: Setup, state: &Path) -> Result<(u64, Vec<Incident>), Error> {
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
            };
            lines += replay::feed(input, lanes, tell)?.lines;
        }
        Ok(lines)
    };
    let (lines, replayed) = replay::run(setup, state, &mut |_| (), read)?;
    Ok((lines, replayed.incidents))
}

/// A state folder that goes when its scenario has its result.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
