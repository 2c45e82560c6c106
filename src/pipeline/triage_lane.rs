//! The triage lane: signals become incidents in the store before anything else happens to them.
//! It also looks after what must happen every second or so: the switch file, the registry's
//! files, the counters that `status` reads. One thread per instance.

use crate::counters::Counters;
use crate::log::Log;
use crate::model::notify::Target;
use crate::model::recovery::Fact;
use crate::model::{Level, Settings, Signal, Timestamp};
use crate::pipeline::callers::Callers;
use crate::pipeline::clock;
use crate::pipeline::deployed::Deployed;
use crate::pipeline::failures::Failures;
use crate::pipeline::lane::Turn;
use crate::pipeline::notes::{Note, Order};
use crate::pipeline::signals::{Folded, SignalsIn};
use crate::pipeline::streams::Runs;
use crate::pipeline::streams::Services;
use crate::registry::{Registry, Service};
use crate::store::{self, Outcome, Store, WatchRow};
use crate::watch::Watch;
use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long the lane sleeps at most; the switch file must be seen within a second.
const PAUSE: Duration = Duration::from_millis(250);
/// How often counters are written to the store.
const SAVE: Duration = Duration::from_secs(5);
/// How often a line of counters is logged.
const TELL: Duration = Duration::from_secs(600);
/// How long the store is left alone after it refused.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(5);

/// Said once, where the host runs the output in several threads.
const WORKERS: &str = "the host hands over chunks from several threads (Workers above 1): lines of \
    one stream may arrive out of order, and traces be torn apart; set Workers to 0 or 1";

/// Services whose settings are kept before they have a fault; those of others come with one.
const MAX_REGISTERED: usize = 2_000;

/// Notes that are taken in one turn: whoever sends events keeps no lane from its other work.
const NOTES_AT_ONCE: usize = 2_048;

/// Rows of watches that wait for a store that refuses.
const MAX_COUNTED: usize = 50_000;

/// Looks at the registry's files again: a new registry when they changed and are right.
pub type Reread = Box<dyn FnMut() -> Option<Registry> + Send>;

/// Looks at the file of the team's watches again: new watches when it changed and is right.
pub type RereadWatches = Box<dyn FnMut(Timestamp) -> Option<Vec<Watch>> + Send>;

/// The settings that hold for a service's incidents: what the registry says of it (nothing, where
/// it is not registered) and what this instance's own keys say.
pub type SettingsOf = Box<dyn Fn(Option<&Service>, &str) -> Settings + Send>;

/// What the lane is made of.
pub struct TriageLane {
    pub from: SignalsIn,
    pub notes: Receiver<Note>,
    /// What the platforms' own interfaces told.
    pub asked: Receiver<Fact>,
    /// What the lane that reads found.
    pub finds: Receiver<Signal>,
    /// Whether the end waits for that lane.
    pub waits: bool,
    pub store: Store,
    pub services: Arc<Services>,
    pub reread: Reread,
    pub reread_watches: RereadWatches,
    pub orders: Sender<Order>,
    pub settings: SettingsOf,
    /// The path that names the registry, where people are told by it.
    pub registry: Option<String>,
    pub deployed: Deployed,
    /// What platforms reported.
    pub failures: Failures,
    pub counters: Arc<Counters>,
    /// Names the instance's row of counters in the store.
    pub instance: String,
    /// The file that turns everything off.
    pub switch: PathBuf,
    pub off: Arc<AtomicBool>,
    pub callers: Arc<Callers>,
    /// Tells the slow lane that there is work.
    pub wake: Sender<()>,
    pub log: Log,
    /// Refusals of the store in a row after which a signal is given up: never for a host, soon
    /// for a replay, which has an end.
    pub patience: u32,
    pub state: Ticks,
}

/// When things were last done, and what could not be done yet.
#[derive(Default)]
pub struct Ticks {
    /// The registry whose services' settings were kept.
    registered: u64,
    looked: Timestamp,
    saved: Timestamp,
    told: Timestamp,
    store_again: Timestamp,
    known: HashMap<String, Settings>,
    /// Watches of the team that the fast lane does not have yet.
    team: Option<Vec<Watch>>,
    /// What watches counted and the store does not have yet.
    counted: Vec<WatchRow>,
    refused: u32,
}

impl TriageLane {
    /// Takes one signal, or looks after everything else. Ends when the fast lane is gone and
    /// everything it sent is in the store.
    pub fn turn(&mut self) -> Turn {
        let open = self.from.wait(PAUSE);
        let reads = self.take_finds();
        let now = clock::now();
        // Before the first signal: who is told of it stands there too.
        self.keep_registered(now);
        // A replay waits for the lane that reads; a host's end does not.
        if !(open || reads && self.waits) {
            self.state.store_again = Timestamp(0);
            self.drain(now);
            self.keep_notes(now);
            self.settle_failures(now, true);
            self.save(now);
            return Turn::Done;
        }
        self.drain(now);
        self.keep_notes(now);
        self.settle_failures(now, false);
        self.tick(now);
        Turn::Again
    }

    /// Takes what the lane that reads found; whether it may find more.
    fn take_finds(&mut self) -> bool {
        loop {
            match self.finds.try_recv() {
                Ok(signal) => self.from.add(signal),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn drain(&mut self, now: Timestamp) {
        if now < self.state.store_again {
            return;
        }
        while let Some(mut folded) = self.from.next() {
            self.complete(&mut folded.signal, now);
            let Folded {
                signal,
                count,
                last,
                ..
            } = &folded;
            match self.record(signal, *count, *last, now) {
                Ok(()) => self.state.refused = 0,
                Err(fault) => {
                    self.counters.store_faults.add(1);
                    let line = format!("the store refused an incident, tried again later: {fault}");
                    self.log.once("store", Level::Error, &line);
                    self.state.refused += 1;
                    if self.state.refused < self.patience {
                        self.from.put_back(folded);
                        self.state.store_again = now.plus(STORE_PAUSE);
                        return;
                    }
                    self.counters.signals_dropped.add(folded.count);
                }
            }
            self.from.done(&folded);
        }
    }

    /// Makes an incident of a signal, or one more occurrence.
    pub(super) fn record(
        &mut self,
        signal: &Signal,
        times: u64,
        last: Timestamp,
        now: Timestamp,
    ) -> Result<(), store::Error> {
        match self.store.record_times(signal, times, last, now)? {
            // A full channel means that the slow lane is awake already.
            Outcome::New(_) => drop(self.wake.try_send(())),
            Outcome::Again(_) => {}
            Outcome::Capped => self.counters.incidents_capped.add(times),
        }
        Ok(())
    }

    /// Fills in the commit where the record did not say it, and keeps the service's settings.
    pub(super) fn complete(&mut self, signal: &mut Signal, now: Timestamp) {
        let registry = self.services.get();
        let found = registry.named(&signal.service);
        if let (None, Some(found)) = (&signal.commit, &found) {
            let source = &found.service.commit;
            let container = signal.container.as_deref();
            match self.deployed.commit(source, container, now) {
                Ok(id) => signal.commit = Some(id),
                Err(why) => signal.reason = format!("{}; commit unknown: {why}", signal.reason),
            }
        }
        let service = found.as_ref().map(|found| &*found.service);
        let settings = (self.settings)(service, &signal.service);
        self.keep_settings(settings);
    }

    /// Keeps what a service was seen running, where that is known.
    fn keep_running(&mut self, runs: &Runs, now: Timestamp) -> Result<(), store::Error> {
        let commit = match &runs.commit {
            Some(commit) => Some(commit.clone()),
            None => {
                let registry = self.services.get();
                let found = registry.named(&runs.service);
                let container = runs.container.as_deref();
                found.and_then(|found| {
                    let source = &found.service.commit;
                    self.deployed.commit(source, container, now).ok()
                })
            }
        };
        match commit {
            Some(commit) => self
                .store
                .note_running(&runs.service, &commit, runs.time, runs.time),
            None => Ok(()),
        }
    }

    /// What a changed registry or configuration says also holds for incidents that are open already.
    fn keep_registered(&mut self, now: Timestamp) {
        let generation = self.services.generation();
        if self.state.registered == generation {
            return;
        }
        self.state.registered = generation;
        let registry = self.services.get();
        self.keep_targets(&registry, now);
        self.end_policies(&registry);
        let named = registry.services().iter().filter(|one| !one.is_pattern());
        for service in named.take(MAX_REGISTERED) {
            self.keep_settings((self.settings)(Some(service), &service.name));
        }
    }

    /// Who is told, from now on. What a store refuses is tried again with the next tick.
    fn keep_targets(&mut self, registry: &Registry, now: Timestamp) {
        let Some(name) = &self.registry else {
            return;
        };
        let targets = registry.notify().iter().map(|one| one.target.clone());
        let targets: Vec<Target> = targets.collect();
        if let Err(fault) = self.store.set_targets(name, &targets, now) {
            self.state.registered = 0;
            self.counters.store_faults.add(1);
            let line = format!("who is to be told could not be kept: {fault}");
            self.log.once("targets", Level::Warn, &line);
        }
    }

    /// Where a service is no longer in the registry, or no longer with a policy, nothing is done for it any
    /// more. What other registries say in the same store stays.
    fn end_policies(&mut self, registry: &Registry) {
        let Some(name) = self.registry.clone() else {
            return;
        };
        let kept = self.store.recovering(&name).and_then(|services| {
            for service in services {
                let found = registry.named(&service);
                if found.is_some_and(|found| found.service.recover.is_some()) {
                    continue;
                }
                self.store.end_policy(&service)?;
                self.state.known.remove(&service);
            }
            Ok(())
        });
        if kept.is_err() {
            self.state.registered = 0;
        }
        self.could_not_keep(kept);
    }

    fn keep_settings(&mut self, mut settings: Settings) {
        settings.registry.clone_from(&self.registry);
        if self.state.known.get(&settings.service) == Some(&settings) {
            return;
        }
        match self.store.save_settings(&settings) {
            Ok(()) => {
                // Unregistered names come from the outside: what is remembered stays bounded.
                if self.state.known.len() > 4_096 {
                    self.state.known.clear();
                }
                self.state.known.insert(settings.service.clone(), settings);
            }
            Err(_) => self.counters.store_faults.add(1),
        }
    }

    /// Adds what watches counted. What could not be added is tried again with the next.
    fn keep_counted(&mut self) -> Result<(), store::Error> {
        let counted = &mut self.state.counted;
        if counted.is_empty() {
            return Ok(());
        }
        counted.truncate(MAX_COUNTED);
        self.store.save_watches(counted)?;
        counted.clear();
        Ok(())
    }

    fn could_not_keep(&self, kept: Result<(), store::Error>) {
        if let Err(fault) = kept {
            self.counters.store_faults.add(1);
            let line = format!("what was learnt could not be kept: {fault}");
            self.log.once("notes", Level::Warn, &line);
        }
    }

    /// Writes what the fast lane left. What a store refuses now is written the next time it changes.
    fn keep_notes(&mut self, now: Timestamp) {
        for note in self.notes.clone().try_iter().take(NOTES_AT_ONCE) {
            let kept = match note {
                Note::Learnt(learnt) => self.store.save_learnt(&learnt, now),
                Note::Deploy { service, deploy } => self.store.save_deploy(&service, &deploy, now),
                Note::Running(runs) => self.keep_running(&runs, now),
                Note::Watches(states) => {
                    let rows = states.into_iter().map(WatchRow::from);
                    self.state.counted.extend(rows);
                    Ok(())
                }
                Note::Failures(reported) => {
                    self.take_reported(*reported, now);
                    Ok(())
                }
            };
            self.could_not_keep(kept);
        }
        let kept = self.keep_counted();
        self.could_not_keep(kept);
    }

    fn tick(&mut self, now: Timestamp) {
        if now.since(self.state.looked) >= PAUSE || now < self.state.looked {
            self.state.looked = now;
            if let Err(fault) = self.store.end_mutes(now) {
                self.could_not_keep(Err(fault));
            }
            self.look_at_switch();
            if self.callers.several() {
                self.log.once("workers", Level::Warn, WORKERS);
            }
            if let Some(watches) = (self.reread_watches)(now) {
                self.state.team = Some(watches);
            }
            self.order_watches();
            if let Some(registry) = (self.reread)() {
                self.services.replace(registry);
                self.log.info("the registry changed and was read again");
            }
        }
        if now.since(self.state.saved) >= SAVE || now < self.state.saved {
            self.state.saved = now;
            self.save(now);
        }
        if self.state.told == Timestamp(0) || now < self.state.told {
            self.state.told = now;
        }
        if now.since(self.state.told) >= TELL {
            self.state.told = now;
            let line = tell(&self.counters);
            self.log.info(&line);
        }
    }

    /// Hands new watches to the fast lane; again the next time, where it is behind.
    fn order_watches(&mut self) {
        let Some(watches) = self.state.team.take() else {
            return;
        };
        if let Err(TrySendError::Full(Order::Team(watches))) =
            self.orders.try_send(Order::Team(watches))
        {
            self.state.team = Some(watches);
        }
    }

    fn look_at_switch(&mut self) {
        let off = self.switch.exists();
        if off != self.off.swap(off, Ordering::AcqRel) {
            let line = match off {
                true => format!("turned off by {}", self.switch.display()),
                false => format!("on again: {} is gone", self.switch.display()),
            };
            self.log.warn(&line);
        }
    }

    fn save(&mut self, now: Timestamp) {
        let counters = self.counters.all();
        if let Err(fault) = self.store.save_counters(&self.instance, &counters, now) {
            self.counters.store_faults.add(1);
            let line = format!("counters could not be saved: {fault}");
            self.log.once("counters", Level::Warn, &line);
        }
    }
}

/// The counters that are not zero, in one line.
pub fn tell(counters: &Counters) -> String {
    let all = counters.all();
    let shown: Vec<String> = all
        .iter()
        .filter(|(name, value)| *value > 0 || *name == "records_seen")
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    shown.join(", ")
}
