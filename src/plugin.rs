//! One running instance behind a door: settings are read, lanes are started, chunks are taken
//! over, and at exit everything is closed within a deadline. It knows no raw pointer.

mod clients;
mod platforms;

pub use clients::{forges, model, repository_tokens, secrets, talkers};
pub use platforms::{platforms, verb_environment};

use crate::config::address;
use crate::config::{
    Complaint, Mode, OnFull, Options, RegistrySource, Services, WatchesSource, environment,
    read_seed,
};
use crate::counters::Counters;
use crate::log::Log;
use crate::model::service::Fixer;
use crate::net::Http;
use crate::pipeline::lanes::{self, Acts, Reads, Tells};
use crate::pipeline::queue::{Intake, Refused};
use crate::pipeline::streams::Services as Registered;
use crate::pipeline::{Lanes, Setup, clock};
use crate::registry::{CommitSource, Registry};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Answers with the value of a key of the `[OUTPUT]` block.
pub type Property = Box<dyn Fn(&str) -> Option<String>>;

/// What the host gives to an instance when it starts.
pub struct Host {
    pub property: Property,
    pub log: Log,
    /// Why this instance must not run, where the host could not survive it.
    pub start_disabled: Option<String>,
}

/// What became of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Taken over, or dropped and counted: the host is done with it.
    Taken,
    /// The queue is full and `On_Full retry` is set.
    Retry,
}

/// One `[OUTPUT]` block at work, or one that takes and drops because it cannot work.
#[derive(Debug, Default)]
pub struct Instance {
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    intake: Intake,
    off: Arc<AtomicBool>,
    on_full: OnFull,
    lanes: Lanes,
}

/// Starts an instance. `Err` only where the configuration is provably wrong; everything else
/// that stands in the way is logged, and the instance takes and drops.
///
/// # Errors
/// All complaints about the configuration, a line each.
pub fn start(host: Host) -> Result<Box<Instance>, String> {
    let log = host.log;
    if let Some(why) = host.start_disabled {
        log.error(&format!("disabled: {why}"));
        return Ok(Box::default());
    }
    let options = crate::config::from_properties(&*host.property).map_err(|all| lines(&all))?;
    for warning in &options.warnings {
        log.warn(&warning.to_string());
    }
    if environment::off() {
        log.warn("disabled: AUTOFIX_OFF is set");
        return Ok(Box::default());
    }
    match run(&options, &log) {
        Ok(running) => Ok(Box::new(Instance {
            running: Some(running),
        })),
        Err(why) => {
            log.error(&format!("disabled: {why}"));
            Ok(Box::default())
        }
    }
}

fn run(options: &Options, log: &Log) -> Result<Running, String> {
    let state_dir = options
        .state_dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(environment::DEFAULT_STATE_DIR));
    let source = RegistrySource::new(options.services.clone());
    let setup = assemble(options, &state_dir, source, false, log.clone())?;
    let services = Arc::clone(&setup.services);
    let lanes = Lanes::start(setup)?;
    log.info(&started(options, &services.get(), &state_dir));
    Ok(Running {
        intake: lanes.intake.clone(),
        off: Arc::clone(&lanes.off),
        on_full: options.on_full,
        lanes,
    })
}

/// Makes the parts of an instance from what a person set. A registry that cannot be read now is
/// no reason not to run: it is read when it changes.
///
/// # Errors
/// When the network's settings cannot be understood.
pub fn assemble(
    options: &Options,
    state_dir: &Path,
    mut source: RegistrySource,
    replay: bool,
    log: Log,
) -> Result<Setup, String> {
    let registry = source.load().unwrap_or_else(|complaints| {
        log.error(&format!(
            "no service is known until this is mended: {}",
            lines(&complaints)
        ));
        Registry::default()
    });
    let seed = options.templates_seed.as_deref().map(read_seed);
    let seed = seed.transpose().unwrap_or_else(|complaint| {
        log.error(&format!("no template is known at start: {complaint}"));
        None
    });
    let mut team = WatchesSource::new(options.watches.clone());
    // The host waits for its start; a replay must know all watches before the first line.
    let at_once = replay || team.is_quick();
    let watches = at_once.then(|| team.load(clock::now())).transpose();
    let watches = watches.unwrap_or_else(|complaints| {
        let all = lines(&complaints);
        log.error(&format!(
            "no watch of the team runs until this is mended: {all}"
        ));
        None
    });
    let watches_log = log.clone();
    let http = Http::new(&environment::network()).map_err(|fault| fault.to_string())?;
    let services = Arc::new(Registered::new(registry));
    let mut own = options.clone();
    if replay {
        own.mode = own.mode.min(Mode::DryRun);
    }
    let reread_log = log.clone();
    Ok(Setup {
        state_dir: state_dir.to_owned(),
        instance: instance_name(),
        queue_limit: options.queue_limit,
        memory_limit: options.memory_limit,
        context_lines: options.context_lines,
        seed: seed.unwrap_or_default(),
        limits: lanes::limits(options.dedup_window, options.state_limit),
        fixes_per_hour: (!replay).then_some(options.max_fixes_per_hour),
        replay,
        services,
        reread: Box::new(move || match source.poll()? {
            Ok(registry) => Some(registry),
            Err(complaints) => {
                let all = lines(&complaints);
                reread_log.error(&format!("the registry changed, the old one is kept: {all}"));
                None
            }
        }),
        watches: watches.unwrap_or_default(),
        reread_watches: Box::new(move |now| match team.poll(now)? {
            Ok(watches) => Some(watches),
            Err(complaints) => {
                let all = lines(&complaints);
                watches_log.error(&format!("Watches changed, the old ones are kept: {all}"));
                None
            }
        }),
        settings: Box::new(move |service, name| match service {
            Some(service) => own.settings(service),
            None => own.unregistered(name),
        }),
        secrets: secrets(),
        reads: reads(options, &http)?,
        variable: Box::new(environment::variable),
        ecs: environment::variable("ECS_CONTAINER_METADATA_URI_V4"),
        talkers: talkers(http.clone()),
        forges: Box::new(forges),
        acts: (!replay).then(|| Acts {
            platforms: platforms(http.clone()),
            for_model: platforms(http.clone()),
            environment: verb_environment(),
        }),
        tells: (!replay).then(|| Tells {
            registry: registry_name(&options.services),
            urls: secrets(),
        }),
        credentials: repository_tokens(http.clone()),
        http,
        counters: Arc::new(Counters::default()),
        log,
    })
}

/// The small model that reads what is new, where one is configured.
fn reads(options: &Options, http: &Http) -> Result<Option<Reads>, String> {
    let Some(model) = options.triage.model.clone() else {
        return Ok(None);
    };
    let asked = self::model(&model, http);
    let (reach, all) = (address::reach(&model.url), options.egress);
    Ok(Some(Reads {
        model: asked.map_err(|fault| fault.to_string())?,
        name: model.model,
        entries: options.triage.entries,
        wait: options.triage.wait,
        may_read: Box::new(move |service| {
            let own = service.and_then(|service| service.egress);
            address::allows(own.unwrap_or(all), reach)
        }),
    }))
}

/// Tells the targets of one registry from those of another in the same store.
fn registry_name(services: &Services) -> String {
    match services {
        Services::Path(path) => path.to_string_lossy().into_owned(),
        Services::None | Services::One(..) => String::new(),
    }
}

/// What is on, in one line.
pub fn started(options: &Options, registry: &Registry, state_dir: &Path) -> String {
    let services = match (&options.services, registry.services()) {
        (Services::None, _) => "none registered".to_owned(),
        (_, services) => {
            let shown: Vec<String> = services
                .iter()
                .take(8)
                .map(|service| format!("{} at {}", service.name, commit_source(&service.commit)))
                .collect();
            let more = services.len().saturating_sub(shown.len());
            let more = match more {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            format!("{}{more}", shown.join(", "))
        }
    };
    let fixer = match (options.fixer, &options.fixer_model) {
        (Fixer::Off, _) => "off".to_owned(),
        (Fixer::Auto | Fixer::Revert | Fixer::Model, None) => "revert".to_owned(),
        (Fixer::Revert, Some(_)) => "revert".to_owned(),
        (Fixer::Model, Some(model)) => format!("{} at {}", model.model, model.url),
        (Fixer::Auto, Some(model)) => format!("{} at {}, else revert", model.model, model.url),
    };
    let triage = match &options.triage.model {
        None => "rules".to_owned(),
        Some(model) => format!("rules and {} at {}", model.model, model.url),
    };
    format!(
        "autofix {} started; services: {services}; state: {}; mode: {}; triage: {triage}; fixer: {fixer}",
        env!("CARGO_PKG_VERSION"),
        state_dir.display(),
        options.mode.word(),
    )
}

fn commit_source(source: &CommitSource) -> String {
    match source {
        CommitSource::Fixed(id) => id.as_str().chars().take(12).collect(),
        CommitSource::Field(name) => format!("field:{name}"),
        CommitSource::Env(name) => format!("env:{name}"),
        CommitSource::File(path) => format!("file:{}", path.display()),
        CommitSource::Image(name) => format!("image:{name}"),
        CommitSource::EcsMetadata => "ecs-metadata".to_owned(),
        CommitSource::None => "no commit".to_owned(),
    }
}

fn lines(complaints: &[Complaint]) -> String {
    let lines: Vec<String> = complaints.iter().map(Complaint::to_string).collect();
    lines.join("; ")
}

/// Unlike that of any other instance that ever wrote to the same store.
fn instance_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{number}", clock::now().0, std::process::id())
}

impl Instance {
    /// Takes over one chunk; returns at once.
    pub fn flush(&self, tag: &[u8], data: &[u8]) -> Flush {
        let Some(running) = &self.running else {
            return Flush::Taken;
        };
        if running.off.load(Ordering::Relaxed) {
            running.intake.count_dropped(data);
            return Flush::Taken;
        }
        match running.intake.offer(tag, data) {
            Ok(()) => Flush::Taken,
            // A chunk larger than the whole queue would be offered again for ever.
            Err(Refused::Full)
                if running.on_full == OnFull::Retry
                    && (data.len() as u64) < running.intake.limit() =>
            {
                Flush::Retry
            }
            Err(Refused::Full | Refused::Closed) => {
                running.intake.count_dropped(data);
                Flush::Taken
            }
        }
    }

    /// Ends the lanes, within the time given.
    pub fn stop(&self, within: Duration) {
        if let Some(running) = &self.running {
            running.lanes.stop(within);
        }
    }
}
