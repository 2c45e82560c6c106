//! One instance's lanes: how they are connected, started and ended. The order of the end is the
//! order of the flow: what the queue holds becomes signals, signals become incidents, and what
//! is left of the time goes to the incident in work.

use crate::counters::Counters;
use crate::incident;
use crate::llm::Model;
use crate::log::Log;
use crate::model::Timestamp;
use crate::net::Http;
use crate::pipeline::acting::{Door, Environment, Platforms, Recovery};
use crate::pipeline::asking::Talkers;
use crate::pipeline::clock;
use crate::pipeline::courier::{Courier, MakeForges};
use crate::pipeline::deployed::{Deployed, Lookup};
use crate::pipeline::failures::{Failures, teller};
use crate::pipeline::fast::{Fast, Parts};
use crate::pipeline::lane::{Halt, Lane};
use crate::pipeline::learned::Learned;
use crate::pipeline::notes::{Progress, facts, finds, news, notes, orders};
use crate::pipeline::notifying::{Notifier, Urls};
use crate::pipeline::queue::{self, Intake};
use crate::pipeline::reader::{self, MayRead, Reader};
use crate::pipeline::signals::signals;
use crate::pipeline::slow::Slow;
use crate::pipeline::streams::{Services, Streams};
use crate::pipeline::triage_lane::{Reread, RereadWatches, SettingsOf, Ticks, TriageLane};
use crate::pipeline::unread::Pace;
use crate::pipeline::work::{Credentials, Worker};
use crate::source::Mirrors;
use crate::store::{self, Holder, Store};
use crate::watch::{Caps, Engine, Owner, Watch};
use crossbeam_channel::bounded;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Bytes that one fetch may bring, however much room there is: it has a deadline.
const MAX_FETCH: u64 = 512 << 20;

/// Eighths of what `Memory_Limit` leaves beside the queue: for rings and open traces, for what was
/// learnt of services, and for windows. The rest is for signals that wait.
const RINGS: usize = 3;
const LEARNED: usize = 2;
const WINDOWS: usize = 1;

/// The share of an exit's time that the fast and the triage lane may take; the rest is the slow
/// lane's.
const CLOSING_SHARE: u32 = 2;

/// Everything an instance is made of.
pub struct Setup {
    pub state_dir: PathBuf,
    /// Names the instance's counters in the store.
    pub instance: String,
    pub queue_limit: u64,
    /// Of queue, rings and open traces together; more than `queue_limit`.
    pub memory_limit: u64,
    pub context_lines: usize,
    /// Learnt templates to start from, one JSON object a line; empty: none.
    pub seed: String,
    pub limits: store::Limits,
    pub fixes_per_hour: Option<u32>,
    /// A replay: the reader waits instead of dropping, remotes are tried once, and the slow lane
    /// ends when everything is done.
    pub replay: bool,
    pub services: Arc<Services>,
    pub reread: Reread,
    /// The team's own watches, and how to see that their file changed.
    pub watches: Vec<Watch>,
    pub reread_watches: RereadWatches,
    pub settings: SettingsOf,
    /// Reads a secret from where the registry says that it stands.
    pub secrets: Urls,
    /// The small model that reads what is new, if any.
    pub reads: Option<Reads>,
    pub variable: Lookup,
    pub ecs: Option<String>,
    pub http: Http,
    pub credentials: Credentials,
    pub talkers: Talkers,
    pub forges: MakeForges,
    /// How services are brought back; a replay brings none back.
    pub acts: Option<Acts>,
    /// Who is told of what; a replay tells nobody.
    pub tells: Option<Tells>,
    pub counters: Arc<Counters>,
    pub log: Log,
}

/// How people are told.
pub struct Tells {
    /// The path that names the registry.
    pub registry: String,
    pub urls: Urls,
}

/// How platforms are spoken to.
pub struct Acts {
    pub platforms: Platforms,
    /// The same for the lane that investigates, whose model may ask for recovery.
    pub for_model: Platforms,
    /// What a team's own verbs get of the environment.
    pub environment: Environment,
}

/// A small model, and what it is shown.
pub struct Reads {
    pub model: Box<dyn Model>,
    pub name: String,
    pub entries: usize,
    pub wait: Duration,
    pub may_read: MayRead,
}

/// An instance at work.
#[derive(Debug)]
pub struct Lanes {
    pub intake: Intake,
    /// Set while the switch file is there: nothing is taken.
    pub off: Arc<AtomicBool>,
    closing: Halt,
    halt: Halt,
    fast: Lane,
    triage: Lane,
    slow: Lane,
    /// The lane that delivers; a replay has none.
    courier: Option<Lane>,
    /// The lane that looks after recovery.
    recovery: Option<Lane>,
    /// The lane that tells people.
    notifier: Option<Lane>,
    /// The lane that reads, and how far it is.
    reads: Option<(Lane, Arc<Progress>)>,
    holder: Arc<Holder>,
    state_dir: PathBuf,
    limits: store::Limits,
    instance: String,
    counters: Arc<Counters>,
}

/// Limits of a store, from what a person set. The database gets half of `State_Limit`; reports,
/// diffs and mirrors need the rest.
pub fn limits(dedup_window: Duration, state_limit: u64) -> store::Limits {
    store::Limits {
        admission: incident::Limits {
            dedup_window,
            ..incident::Limits::default()
        },
        bytes: state_limit / 2,
    }
}

/// How much of `State_Limit` the texts may take that are kept for searches: a quarter.
pub fn kept_texts(limits: &store::Limits) -> u64 {
    limits.bytes / 2
}

impl Lanes {
    /// Opens the store and starts the threads.
    ///
    /// # Errors
    /// When the store cannot be used or a thread cannot be started; nothing runs then.
    pub fn start(mut setup: Setup) -> Result<Lanes, String> {
        // Days of a log pass in a minute of a replay: that is no storm.
        setup.limits.admission.storms &= !setup.replay;
        let say = |fault: store::Error| fault.to_string();
        let open = || Store::open(&setup.state_dir, setup.limits).map_err(say);
        let (triage_store, slow_store) = (open()?, open()?);
        let holder = Arc::new(Holder::new(&setup.state_dir).map_err(say)?);
        let (closing, halt) = (Halt::default(), Halt::default());
        let off = Arc::new(AtomicBool::new(setup.state_dir.join(SWITCH).exists()));
        let (intake, outlet) = queue::queue(setup.queue_limit, Arc::clone(&setup.counters));
        let (out, from_fast) = signals(setup.replay, Arc::clone(&setup.counters));
        let (wake, woken) = bounded(1);

        let room = setup.memory_limit.saturating_sub(setup.queue_limit);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let (note, notes) = notes();
        let (order, orders) = orders();
        let mut watches = Engine::with_built_in(Caps {
            bytes: room / 8 * WINDOWS,
            ..Caps::default()
        });
        if let Err(why) = watches.replace_team(setup.watches) {
            setup.log.error(&format!("Watches: {why}"));
        }
        let streams = Streams::new(
            Arc::clone(&setup.services),
            setup.context_lines,
            room / 8 * RINGS,
        );
        let mut learned = Learned::new(room / 8 * LEARNED);
        // A model's watches outlive the process; a team's come from its file.
        let now = clock::now();
        let models = |row: &store::WatchRow| {
            row.owner == Owner::Model && row.expires.is_none_or(|expires| expires > now)
        };
        for row in triage_store
            .watches()
            .map_err(say)?
            .iter()
            .filter(|row| models(row))
        {
            let installed = row.restore().and_then(|watch| watches.install(watch, now));
            if let Err(why) = installed {
                setup
                    .log
                    .warn(&format!("the watch {} did not come back: {why}", row.label));
            }
        }
        for kept in triage_store.learnt().map_err(say)? {
            learned.restore(&kept, &setup.log);
        }
        learned.sow(&setup.seed, &setup.log);

        let (find, finds) = finds();
        let (told, asked) = facts();
        let mut given = None;
        let reads = match setup.reads {
            None => None,
            Some(reads) => {
                let (entries, wait) = (reads.entries, reads.wait);
                let (out, from) = news(Pace { entries, wait });
                let progress = Arc::clone(&out.progress);
                given = Some(out);
                Some(Reader::new(reader::Parts {
                    from,
                    progress,
                    model: reads.model,
                    name: reads.name,
                    entries,
                    may_read: reads.may_read,
                    services: Arc::clone(&setup.services),
                    store: open()?,
                    holder: Arc::clone(&holder),
                    orders: order.clone(),
                    signals: find,
                    counters: Arc::clone(&setup.counters),
                    halt: closing.clone(),
                    log: setup.log.clone(),
                    replay: setup.replay,
                }))
            }
        };
        let mirrors = Mirrors::new(
            setup.state_dir.join("mirrors"),
            setup.http.clone(),
            setup.log.clone(),
        )
        // What the database leaves of `State_Limit` is the most that one fetch may bring.
        .with_size_limit(setup.limits.bytes.min(MAX_FETCH))
        .with_kept_limit(kept_texts(&setup.limits));
        let credentials = Arc::new(setup.credentials);
        let courier = match setup.replay {
            true => None,
            false => Some(Courier {
                store: open()?,
                mirrors: mirrors.clone(),
                credentials: Arc::clone(&credentials),
                forges: (setup.forges)(setup.http.clone(), mirrors.clone()),
                holder: Arc::clone(&holder),
                halt: halt.clone(),
                log: setup.log.clone(),
            }),
        };
        let door = |platforms: Platforms, environment: Environment| {
            Ok::<Door, String>(Door {
                store: open()?,
                platforms,
                environment,
                holder: Arc::clone(&holder),
                halt: halt.clone(),
                log: setup.log.clone(),
            })
        };
        let (recovery, asks) = match setup.acts {
            None => (None, None),
            Some(acts) => {
                let own = door(acts.platforms, acts.environment.clone())?;
                let asks = door(acts.for_model, acts.environment)?;
                let tell = teller(told, Arc::clone(&setup.counters));
                (Some(Recovery::new(own, Some(tell))), Some(asks))
            }
        };
        let registry = setup.tells.as_ref().map(|tells| tells.registry.clone());
        let notifier = match setup.tells {
            None => None,
            Some(tells) => Some(Notifier::new(
                open()?,
                setup.http.clone(),
                tells.urls,
                Arc::clone(&holder),
                setup.log.clone(),
            )),
        };
        let mut slow = Slow {
            worker: Worker {
                store: slow_store,
                mirrors,
                credentials,
                talkers: setup.talkers,
                door: asks,
                verifies: None,
                halt: halt.clone(),
                state_dir: setup.state_dir.clone(),
                fixes_per_hour: setup.fixes_per_hour,
                patient: !setup.replay,
                counters: Arc::clone(&setup.counters),
            },
            holder: Arc::clone(&holder),
            wake: woken,
            halt: halt.clone(),
            log: setup.log.clone(),
            again: Timestamp::default(),
            until_done: setup.replay,
        };
        let mut triage = TriageLane {
            from: from_fast,
            notes,
            asked,
            finds,
            waits: setup.replay,
            store: triage_store,
            services: setup.services,
            reread: setup.reread,
            reread_watches: setup.reread_watches,
            orders: order,
            settings: setup.settings,
            registry,
            failures: Failures::new(setup.secrets),
            deployed: Deployed::new(setup.variable, setup.http, setup.ecs),
            counters: Arc::clone(&setup.counters),
            instance: setup.instance.clone(),
            switch: setup.state_dir.join(SWITCH),
            off: Arc::clone(&off),
            callers: intake.callers(),
            wake,
            log: setup.log.clone(),
            patience: if setup.replay { 3 } else { u32::MAX },
            state: Ticks::default(),
        };
        let mut fast = Some(Fast::new(Parts {
            outlet,
            streams,
            learned,
            watches,
            out,
            notes: note,
            orders,
            news: given.clone(),
            halt: closing.clone(),
            log: setup.log.clone(),
        }));
        let spawned = |fault: std::io::Error| format!("a thread could not be started: {fault}");
        let (log, counters) = (&setup.log, &setup.counters);
        let slow = Lane::start("autofix-slow", log, counters, move || slow.turn());
        let slow = slow.map_err(spawned)?;
        let triage = Lane::start("autofix-triage", log, counters, move || triage.turn());
        let triage = triage.map_err(spawned)?;
        let fast = Lane::start("autofix-fast", log, counters, move || {
            super::fast::turn(&mut fast)
        });
        let fast = fast.map_err(spawned)?;
        let start = |mut reader: Reader| {
            Lane::start("autofix-reader", log, counters, move || reader.turn())
        };
        let reads = reads.map(start).transpose().map_err(spawned)?;
        let start = |mut courier: Courier| {
            Lane::start("autofix-courier", log, counters, move || courier.turn())
        };
        let courier = courier.map(start).transpose().map_err(spawned)?;
        let start = |mut recovery: Recovery| {
            Lane::start("autofix-recovery", log, counters, move || recovery.turn())
        };
        let recovery = recovery.map(start).transpose().map_err(spawned)?;
        let start = |mut notifier: Notifier| {
            let halt = halt.clone();
            Lane::start("autofix-notifier", log, counters, move || {
                notifier.lane_turn(&halt)
            })
        };
        let notifier = notifier.map(start).transpose().map_err(spawned)?;
        Ok(Lanes {
            courier,
            recovery,
            notifier,
            reads: reads.zip(given.map(|given| given.progress)),
            intake,
            off,
            closing,
            halt,
            fast,
            triage,
            slow,
            holder,
            state_dir: setup.state_dir,
            limits: setup.limits,
            instance: setup.instance,
            counters: setup.counters,
        })
    }

    /// Ends everything within the time: open traces are closed and become incidents, leases are
    /// given back. What still runs then holds nothing of the host's and can deliver nothing.
    pub fn stop(&self, within: Duration) {
        let (start, end) = (Instant::now(), Instant::now() + within);
        self.closing.request();
        let closing = start + within * CLOSING_SHARE / 3;
        let _ = self.fast.wait(closing);
        let _ = self.triage.wait(closing);
        // A request that is under way is left alone: what it was about waits in the store.
        self.halt.request();
        let last = end - within / 10;
        let ended = self.slow.wait(last);
        let ended = self.courier.iter().all(|courier| courier.wait(last)) && ended;
        let ended = self.recovery.iter().all(|recovery| recovery.wait(last)) && ended;
        // One that is left alone loses its lease with this process.
        let _ = self.notifier.iter().all(|notifier| notifier.wait(last));
        self.close(!ended);
    }

    /// The last words to the store. A slow lane that still runs is left alone; without its lease
    /// it can deliver nothing any more. A store that refuses now has been reported by the lanes.
    fn close(&self, release: bool) {
        let Ok(mut store) = Store::open_existing(&self.state_dir, self.limits) else {
            return;
        };
        let now = clock::now();
        if release {
            let _ = store.release_all(self.holder.name(), now);
            let _ = store.release_pulls(self.holder.name());
            let _ = store.release_actions(self.holder.name());
        }
        let _ = store.save_counters(&self.instance, &self.counters.all(), now);
    }

    /// Replay: waits until everything that was handed over was read, by the model too where there
    /// is one, so that the watches that it programs see what comes next.
    pub fn settle(&self) {
        let Some((lane, progress)) = &self.reads else {
            return;
        };
        self.intake.wait_until_read();
        while progress.is_behind() && !lane.wait(Instant::now() + Duration::from_millis(2)) {}
    }

    /// Replay: waits until everything that was read has its result. `tick` is called every so
    /// often, for progress.
    pub fn finish(&self, mut tick: impl FnMut()) {
        const STEP: Duration = Duration::from_millis(100);
        self.closing.request();
        let reads = self.reads.iter().map(|(lane, _)| lane);
        for lane in [&self.fast].into_iter().chain(reads).chain([&self.triage]) {
            while !lane.wait(Instant::now() + STEP) {
                tick();
            }
        }
        self.halt.request();
        while !self.slow.wait(Instant::now() + STEP) {
            tick();
        }
        self.close(false);
    }
}

/// The file in `State_Dir` that turns everything off.
pub const SWITCH: &str = "OFF";
