//! `autofix fix`: finishes what was cut short or left open, with each service's settings as the
//! plugin left them in the store. Leases keep it and the plugin out of each other's way.

use crate::app::Error;
use crate::config::environment;
use crate::counters::Counters;
use crate::log::Log;
use crate::model::{Incident, IncidentId};
use crate::net::Http;
use crate::patch::verify;
use crate::pipeline::Halt;
use crate::pipeline::acting::Door;
use crate::pipeline::clock;
use crate::pipeline::courier::Courier;
use crate::pipeline::lanes;
use crate::pipeline::notifying::Notifier;
use crate::pipeline::work::{Worked, Worker};
use crate::plugin;
use crate::source::Mirrors;
use crate::store::{Holder, Limits, Store, Want};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How often `--follow` looks for work.
const PAUSE: Duration = Duration::from_secs(1);

/// What to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// This one, whatever its status.
    One(IncidentId),
    /// Everything that is open.
    Pending,
    /// Everything that is open, and whatever comes; ends when `told` says so.
    Follow,
}

/// One incident was worked on.
#[derive(Clone, Debug)]
pub struct Fixed {
    pub incident: Incident,
    pub worked: Worked,
}

/// Works, and tells of each incident. `told` returns `false` to end.
///
/// # Errors
/// When there is no store, no such incident, or a result cannot be written.
pub fn fix(
    state_dir: &Path,
    limits: Limits,
    which: Which,
    log: Log,
    told: &mut dyn FnMut(Fixed) -> bool,
) -> Result<(), Error> {
    let failed = |fault: crate::store::Error| Error::Unfinished(fault.to_string());
    let holder = Arc::new(Holder::new(state_dir).map_err(failed)?);
    let http = http()?;
    let patient = which == Which::Follow;
    let mut worker = worker(state_dir, limits, patient, http.clone(), log.clone())?;
    let open = || store(state_dir, limits);
    worker.door = Some(Door {
        store: open()?,
        platforms: plugin::platforms(http.clone()),
        environment: plugin::verb_environment(),
        holder: Arc::clone(&holder),
        halt: worker.halt.clone(),
        log: log.clone(),
    });
    let mut courier = courier(open()?, http.clone(), &worker, &holder, log.clone());
    let mut notifier = notifier(open()?, http, &holder, log);
    if which != Which::Follow {
        // Whether a merged fix runs, and holds, says what its fault's incidents need.
        courier.store.hurry_merged(clock::now()).map_err(failed)?;
        deliver(&mut courier, &mut notifier)?;
    }
    let want = match which {
        Which::One(id) => Want::This(id),
        Which::Pending => Want::OpenAll,
        Which::Follow => Want::OpenBeside,
    };
    loop {
        let claimed = worker
            .store
            .claim(want, &holder, clock::now())
            .map_err(failed)?;
        match claimed {
            Some((incident, lease)) => {
                let worked = worker.work(&incident, &lease).map_err(failed)?;
                let newest = worker.store.incident(incident.id).map_err(failed)?;
                let incident = newest.unwrap_or(incident);
                let goes_on = told(Fixed { incident, worked });
                deliver(&mut courier, &mut notifier)?;
                if !goes_on || matches!(which, Which::One(_)) {
                    return Ok(());
                }
            }
            None => match which {
                Which::One(id) => return Err(not_free(&worker.store, id)),
                Which::Pending => return deliver(&mut courier, &mut notifier),
                Which::Follow => {
                    deliver(&mut courier, &mut notifier)?;
                    std::thread::sleep(PAUSE);
                }
            },
        }
    }
}

/// Does every step of a pull request that is due, and tells whoever is to be told.
fn deliver(courier: &mut Courier, notifier: &mut Notifier) -> Result<(), Error> {
    let failed = |fault: crate::store::Error| Error::Unfinished(fault.to_string());
    while courier.work().map_err(failed)? {}
    while notifier.turn(clock::now()).map_err(failed)? {}
    Ok(())
}

/// Whoever tells people beside a plugin.
fn notifier(store: Store, http: Http, holder: &Arc<Holder>, log: Log) -> Notifier {
    Notifier::new(store, http, plugin::secrets(), Arc::clone(holder), log)
}

/// Whoever delivers beside a plugin.
fn courier(store: Store, http: Http, worker: &Worker, holder: &Arc<Holder>, log: Log) -> Courier {
    Courier {
        store,
        mirrors: worker.mirrors.clone(),
        credentials: Arc::clone(&worker.credentials),
        forges: plugin::forges(http, worker.mirrors.clone()),
        holder: Arc::clone(holder),
        halt: worker.halt.clone(),
        log,
    }
}

fn store(state_dir: &Path, limits: Limits) -> Result<Store, Error> {
    Store::open_existing(state_dir, limits).map_err(|fault| Error::Unfinished(fault.to_string()))
}

/// The network, as the environment has it.
pub(super) fn http() -> Result<Http, Error> {
    Http::new(&environment::network())
        .map_err(|fault| Error::unfinished("the network's settings", fault))
}

/// Whoever works on incidents beside a plugin.
pub(super) fn worker(
    state_dir: &Path,
    limits: Limits,
    patient: bool,
    http: Http,
    log: Log,
) -> Result<Worker, Error> {
    Ok(Worker {
        store: store(state_dir, limits)?,
        talkers: plugin::talkers(http.clone()),
        door: None,
        verifies: Some(verify::Limits {
            hidden: vec![state_dir.to_owned()],
            ..verify::Limits::default()
        }),
        halt: Halt::default(),
        mirrors: Mirrors::new(state_dir.join("mirrors"), http.clone(), log)
            .with_kept_limit(lanes::kept_texts(&limits)),
        credentials: Arc::new(plugin::repository_tokens(http)),
        state_dir: state_dir.to_owned(),
        fixes_per_hour: None,
        patient,
        counters: Arc::new(Counters::default()),
    })
}

fn not_free(store: &Store, id: IncidentId) -> Error {
    match store.incident(id) {
        Ok(Some(_)) => Error::Unfinished(format!(
            "incident {id} is being worked on by another process; try again later"
        )),
        Ok(None) => Error::Usage(format!(
            "there is no incident {id}; `autofix incidents` lists them"
        )),
        Err(fault) => Error::Unfinished(fault.to_string()),
    }
}
