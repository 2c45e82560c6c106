//! `eval fix`: faults whose right outcome is known go the way of production (the lanes, a state
//! folder of their own, the configured fixer), and what was found and proposed is compared with
//! that; a hidden test judges the diff. What a case is stands in `case`, how its test runs in
//! `hidden`.

pub mod case;
mod hidden;
mod shipped;

use crate::app::Error;
use crate::app::eval::{CHUNK, Scratch};
use crate::app::replay::{self, Input, Told};
use crate::config::{self, Options, RegistrySource, Services, environment};
use crate::log::Log;
use crate::model::Incident;
use crate::model::service::{Fixer, Usd};
use crate::pipeline::streams::Services as Registered;
use crate::pipeline::{Lanes, Setup};
use crate::plugin;
use crate::registry::Registry;
use crate::store::Store;
use case::{Case, Revert};
use hidden::{Change, Tree, Verdict};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// What to evaluate.
#[derive(Clone, Debug, Default)]
pub struct EvalFix {
    /// A folder of cases; `None`: those that autofix ships.
    pub cases: Option<PathBuf>,
    /// Only these; empty: all.
    pub names: Vec<String>,
    /// `KEY=VALUE` of the output: who fixes.
    pub set: Vec<String>,
}

/// What came of one case.
#[derive(Clone, Debug)]
pub struct Fixed {
    pub name: String,
    pub language: String,
    /// The incident's location or the patch names the faulty file.
    pub located: bool,
    /// A diff was made and passed the gate.
    pub patched: bool,
    /// The hidden test passes with the diff; where no diff is right, that none was made.
    pub passed: bool,
    /// The case's right outcome was reached.
    pub right: bool,
    pub spent: Spent,
    pub seconds: f64,
    /// What a person wants to know where it is not right.
    pub note: String,
}

/// What the work on a case's incidents cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub tokens: u64,
    pub usd: Usd,
}

/// One case, done with.
#[derive(Clone, Debug)]
pub enum Evaluated {
    Fixed(Box<Fixed>),
    /// Not run: what it needs is not on this host.
    Skipped {
        name: String,
        why: String,
    },
}

/// What of a case does not hold, by [`check`].
#[derive(Clone, Debug)]
pub struct Checked {
    pub name: String,
    /// Empty: it is sound.
    pub faults: Vec<String>,
    pub skipped: Option<String>,
}

/// Evaluates the cases by name; `tell` hears of each as soon as it has its result.
///
/// # Errors
/// When a case cannot be read (nothing runs then) or a run cannot be finished.
pub fn fix(eval: &EvalFix, log: &Log, tell: &mut dyn FnMut(&Evaluated)) -> Result<(), Error> {
    let (cases, _unpacked) = cases(eval)?;
    let folder = environment::current_dir()
        .map_err(|fault| Error::unfinished("the current folder", fault))?;
    let options = config::from_entries(&config::from_command_line(&eval.set, &folder)?)?;
    for case in &cases {
        let evaluated = match hidden::missing(case) {
            Some(why) => Evaluated::Skipped {
                name: case.name.clone(),
                why,
            },
            None => Evaluated::Fixed(Box::new(evaluate(case, &options, log)?)),
        };
        tell(&evaluated);
    }
    Ok(())
}

/// Proves the cases themselves, without a fixer: each hidden test fails at the deployed commit,
/// and passes there with `right.patch`.
///
/// # Errors
/// As [`fix`].
pub fn check(eval: &EvalFix, tell: &mut dyn FnMut(&Checked)) -> Result<(), Error> {
    let (cases, _unpacked) = cases(eval)?;
    for case in &cases {
        let mut checked = Checked {
            name: case.name.clone(),
            faults: Vec::new(),
            skipped: hidden::missing(case),
        };
        if checked.skipped.is_none() {
            checked.faults = faults(case)?;
        }
        tell(&checked);
    }
    Ok(())
}

fn faults(case: &Case) -> Result<Vec<String>, Error> {
    let scratch = Scratch(replay::fresh_state("eval")?);
    let tree = Tree::lay(case, &scratch.0)?;
    let mut faults = Vec::new();
    if let Verdict::Passed = tree.judge(case, Change::None)? {
        faults.push("the hidden test passes without any change: it proves nothing".to_owned());
    }
    if !tree.has(&case.file) {
        let what = format!("`{}` is no file at the deployed commit", case.file);
        faults.push(what);
    }
    let right = case.folder.join(case::RIGHT);
    if !right.is_file() {
        faults.push(format!("there is no {}", case::RIGHT));
    } else if let Verdict::Failed(why) = tree.judge(case, Change::Diff(&right))? {
        faults.push(format!("the hidden test fails with {}: {why}", case::RIGHT));
    }
    Ok(faults)
}

/// The chosen cases, and the folder that they lie in where that is to go when they are done.
fn cases(eval: &EvalFix) -> Result<(Vec<Case>, Option<Scratch>), Error> {
    let (folder, unpacked) = match &eval.cases {
        Some(folder) => (folder.clone(), None),
        None => {
            let scratch = Scratch(replay::fresh_state("cases")?);
            shipped::unpack(&scratch.0)?;
            (scratch.0.clone(), Some(scratch))
        }
    };
    let mut cases = case::read_folder(&folder)?;
    let all: Vec<&str> = cases.iter().map(|each| each.name.as_str()).collect();
    if let Some(unknown) = eval.names.iter().find(|name| !all.contains(&name.as_str())) {
        let remedy = crate::registry::complaint::did_you_mean(unknown, &all);
        return Err(Error::Usage(format!("no case `{unknown}`; {remedy}")));
    }
    if !eval.names.is_empty() {
        cases.retain(|case| eval.names.contains(&case.name));
    }
    Ok((cases, unpacked))
}

/// What the fixer made of a case's log.
struct Outcome {
    incidents: Vec<Incident>,
    spent: Spent,
}

fn evaluate(case: &Case, options: &Options, log: &Log) -> Result<Fixed, Error> {
    let scratch = Scratch(replay::fresh_state("eval")?);
    let tree = Tree::lay(case, &scratch.0)?;
    let began = Instant::now();
    let state = scratch.0.join("state");
    std::fs::create_dir(&state).map_err(|fault| Error::unfinished(state.display(), fault))?;
    let outcome = run(case, options, &tree, &state, log)?;
    // What the fixer took; the hidden test is no part of it.
    let seconds = began.elapsed().as_secs_f64();
    let located = outcome.incidents.iter().any(|one| names(one, &case.file));
    let patch = outcome.incidents.iter().find_map(|one| {
        let proposal = one.proposal.as_ref()?;
        Some(PathBuf::from(&proposal.patch))
    });
    let none_is_right = takes_back(options) && case.revert == Revert::None;
    let (passed, note) = match &patch {
        Some(patch) => match tree.judge(case, Change::Diff(patch))? {
            Verdict::Passed if none_is_right => (true, "no diff was right, one was made".into()),
            Verdict::Passed => (true, String::new()),
            Verdict::Failed(why) => (false, format!("the hidden test fails: {why}")),
        },
        None if none_is_right => (true, String::new()),
        None => (false, no_diff(&outcome.incidents)),
    };
    let patched = patch.is_some();
    Ok(Fixed {
        name: case.name.clone(),
        language: case.language.clone(),
        located,
        patched,
        passed,
        right: passed && patched != none_is_right,
        spent: outcome.spent,
        seconds,
        note,
    })
}

/// Whether the suspect change is taken back and nothing else is tried: then a fault without one
/// rightly gets no diff.
fn takes_back(options: &Options) -> bool {
    match options.fixer {
        Fixer::Revert => true,
        Fixer::Auto => options.fixer_model.is_none(),
        Fixer::Model | Fixer::Off => false,
    }
}

fn names(incident: &Incident, file: &str) -> bool {
    let located = incident.location.as_ref().is_some_and(|at| at.file == file);
    let patch = incident.proposal.as_ref();
    located || patch.is_some_and(|proposal| proposal.files.iter().any(|one| one == file))
}

fn no_diff(incidents: &[Incident]) -> String {
    match incidents.last() {
        Some(newest) => format!("no diff: {}", newest.reason),
        None => "no diff: the log became no incident".to_owned(),
    }
}

/// The lanes that a host would get; only the repository is the case's own, wherever the
/// descriptor says that it is.
fn run(
    case: &Case,
    options: &Options,
    tree: &Tree,
    state: &Path,
    log: &Log,
) -> Result<Outcome, Error> {
    let mut service = case.service.clone();
    service.repo = Some(tree.repository().to_string_lossy().into_owned());
    let options = Options {
        services: Services::None,
        ..options.clone()
    };
    let nobody = RegistrySource::new(Services::None);
    let setup = plugin::assemble(&options, state, nobody, true, log.clone())
        .map_err(|fault| Error::unfinished("the network's settings", fault))?;
    let setup = Setup {
        services: Arc::new(Registered::new(Registry::of(vec![service]))),
        reread: Box::new(|| None),
        variable: Box::new(|_| None),
        ecs: None,
        ..setup
    };
    let limits = setup.limits;
    let read = |lanes: &Lanes, tell: &mut dyn FnMut(Told)| {
        let (source, size, age) = replay::open(&case.log)
            .map_err(|fault| Error::unfinished(case.log.display(), fault))?;
        let input = Input {
            name: case.log.display().to_string(),
            tag: replay::tag_of(&case.log),
            format: None,
            source,
            size,
            start: case.written.unwrap_or(age),
            chunk: CHUNK,
        };
        replay::feed(input, lanes, tell).map(|_| ())
    };
    let ((), replayed) = replay::run(setup, state, &mut |_| (), read)?;
    let failed = |fault: crate::store::Error| Error::unfinished("the store", fault);
    let store = Store::open_existing(state, limits).map_err(failed)?;
    let mut spent = Spent::default();
    for incident in &replayed.incidents {
        let own = store.spent_on(incident.id).map_err(failed)?;
        spent.tokens = spent.tokens.saturating_add(own.tokens);
        spent.usd = spent.usd.plus(own.usd);
    }
    Ok(Outcome {
        incidents: replayed.incidents,
        spent,
    })
}
