//! `watches`: those that instances left in the store, a team's file tried out before it is used,
//! and a model's watch for that file.

use crate::app::Error;
use crate::app::look;
use crate::app::replay;
use crate::config::watches::WatchesSource;
use crate::model::Timestamp;
use crate::pipeline::clock;
use crate::record::input::Reader;
use crate::record::{Event, Events, Joiner, View};
use crate::registry::Complaint;
use crate::store::{Store, WatchRow};
use crate::template::{self, Miner};
use crate::watch::{Caps, Engine, Owner, Plan, Scope, Templated, Watch};
use std::path::Path;

/// Bytes of records read at once.
const CHUNK: usize = 256 << 10;

/// The watches as instances left them.
///
/// # Errors
/// When there is no store or it cannot be read.
pub fn list(state_dir: &Path) -> Result<Vec<WatchRow>, Error> {
    let failed = |fault: crate::store::Error| Error::Unfinished(fault.to_string());
    let store = Store::open_existing(state_dir, look::limits()).map_err(failed)?;
    store.watches().map_err(failed)
}

/// A model's watch, by its number or by a label that only one has.
///
/// # Errors
/// There is none, or it is not a model's.
pub fn promote(state_dir: &Path, id: &str) -> Result<WatchRow, Error> {
    let rows = list(state_dir)?;
    let by_id = rows.iter().find(|row| row.id == id);
    let mut of_model = rows
        .iter()
        .filter(|row| row.label == id && row.owner == Owner::Model);
    let found = by_id.or_else(|| of_model.next().filter(|_| of_model.next().is_none()));
    let Some(row) = found else {
        let what = format!("there is no watch {id} of a model; `autofix watches list` shows them");
        return Err(Error::Usage(what));
    };
    match row.owner {
        Owner::Model => Ok(row.clone()),
        Owner::Team => Err(Error::Usage(format!(
            "watch {} is in the team's file already; only a model's watch is promoted",
            row.label
        ))),
        Owner::BuiltIn => Err(Error::Usage(format!(
            "watch {} is built in and runs everywhere; only a model's watch is promoted",
            row.label
        ))),
    }
}

/// What trying a file out found.
#[derive(Clone, Debug, Default)]
pub struct Tested {
    pub watches: Vec<TestedWatch>,
    pub faults: Vec<Complaint>,
    /// Records of the log, where one was given.
    pub records: Option<u64>,
}

/// One watch of the file.
#[derive(Clone, Debug)]
pub struct TestedWatch {
    pub watch: Watch,
    pub plan: Plan,
    /// Records of the log that it matched.
    pub matched: u64,
    pub fired: u64,
    /// Of those matched, records without a field of its `group_by`.
    pub ungrouped: u64,
}

/// Checks a file, and shows what its watches would have found in a log. A watch on one service
/// is shown all of it: a log file alone does not tell its service.
///
/// # Errors
/// The log cannot be read. Faults of the file are part of the result.
pub fn test(file: &Path, log: Option<&Path>) -> Result<Tested, Error> {
    let mut source = WatchesSource::new(Some(file.to_owned()));
    let watches = match source.load(clock::now()) {
        Ok(watches) => watches,
        Err(faults) => {
            return Ok(Tested {
                faults,
                ..Tested::default()
            });
        }
    };
    let tested = |watch: Watch| TestedWatch {
        plan: Plan::of(&watch.matches),
        watch,
        matched: 0,
        fired: 0,
        ungrouped: 0,
    };
    let mut result = Tested {
        watches: watches.into_iter().map(tested).collect(),
        ..Tested::default()
    };
    if let Some(log) = log {
        result.records = Some(show(log, &mut result.watches)?);
    }
    Ok(result)
}

/// Shows a log to the watches; gives the number of its records.
fn show(log: &Path, watches: &mut [TestedWatch]) -> Result<u64, Error> {
    let mut engine = Engine::new(Caps::default());
    let numbered = watches.iter().enumerate().map(|(number, tested)| Watch {
        label: number.to_string(),
        scope: Scope::Everywhere,
        ..tested.watch.clone()
    });
    engine
        .replace_team(numbered.collect())
        .map_err(|refusal| Error::Unfinished(refusal.to_string()))?;
    let failed = |fault: std::io::Error| Error::unfinished(log.display(), fault);
    let (source, _, age) = replay::open(log).map_err(failed)?;
    let mut reader = Reader::open(source, None, age).map_err(failed)?;
    let tag = replay::tag_of(log);
    let mut joiner = Joiner::new();
    let mut trial = Trial {
        engine,
        miner: Miner::new(template::Limits::default()),
        records: 0,
    };
    while let Some(chunk) = reader.chunk(CHUNK).map_err(failed)? {
        for event in Events::new(&chunk.bytes) {
            match event {
                Ok(Event::Record(record)) => {
                    let view = View::new(&tag, record);
                    joiner.push(&view, view.time(), |whole| trial.take(whole));
                }
                Ok(Event::GroupStart(_) | Event::GroupEnd) | Err(_) => {}
            }
        }
    }
    joiner.finish(|whole| trial.take(whole));
    for state in trial.engine.report() {
        let number = state.label.parse::<usize>().ok();
        if let Some(tested) = number.and_then(|number| watches.get_mut(number)) {
            tested.matched = state.matched;
            tested.fired = state.fired;
            tested.ungrouped = state.ungrouped;
        }
    }
    Ok(trial.records)
}

struct Trial {
    engine: Engine,
    miner: Miner,
    records: u64,
}

impl Trial {
    fn take(&mut self, view: &View<'_>) {
        self.records += 1;
        let template = Some(self.miner.read(&view.message()).id);
        let record = Templated { view, template };
        let names = &mut view.identity().names();
        let service = names.next().unwrap_or(view.tag()).to_owned();
        let time: Timestamp = view.time();
        self.engine.on_record(&service, &record, time);
    }
}
