//! The lane that looks after recovery: asks each platform how its service is, keeps what that tells,
//! lets the rules ask, and does the due steps of actions. A platform that does not answer costs this
//! lane alone its time.

use super::looking::by_rule;
use super::{Asked, Carried, Door, Fault};
use crate::model::recovery::{Aftermath, Fact, FactKind, Policy, Stage, State};
use crate::model::{Level, Timestamp};
use crate::pipeline::clock;
use crate::pipeline::lane::Turn;
use crate::policy::{self, Request};
use crate::store::{self, WatchLease, Watching};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// How long the lane sleeps at most before it looks for due steps.
const PAUSE: Duration = Duration::from_millis(500);
/// How long it leaves a store alone that refused it.
const STORE_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause between two tries of a platform that does not answer.
const LONGEST: Duration = Duration::from_secs(600);
/// Requests of rules that are remembered.
const REMEMBERED: usize = 4_096;

/// Tells whoever makes incidents what a platform told.
pub type Tell = Box<dyn FnMut(&Fact) + Send>;

/// The lane.
pub struct Recovery {
    pub door: Door,
    /// `None`: nobody listens.
    pub tell: Option<Tell>,
    asked: HashMap<(String, &'static str), Timestamp>,
}

impl Recovery {
    pub fn new(door: Door, tell: Option<Tell>) -> Recovery {
        Recovery {
            door,
            tell,
            asked: HashMap::new(),
        }
    }

    /// A turn of the lane: one step, or a pause.
    pub fn turn(&mut self) -> Turn {
        if self.door.halt.requested() {
            return Turn::Done;
        }
        let pause = match self.work() {
            Ok(true) => return Turn::Again,
            Ok(false) => PAUSE,
            Err(fault) => {
                let line = format!("recovery waits: {fault}");
                self.door.log.once("recovery", Level::Error, &line);
                STORE_PAUSE
            }
        };
        let end = Instant::now() + pause;
        while Instant::now() < end && !self.door.halt.requested() {
            std::thread::sleep(PAUSE / 5);
        }
        Turn::Again
    }

    /// Does one thing that is due; `false` where there is none.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn work(&mut self) -> Result<bool, store::Error> {
        if self.door.is_off() {
            return Ok(false);
        }
        if let Carried::Step(_) = self.door.step(None)? {
            return Ok(true);
        }
        let now = clock::now();
        let Some((watching, lease)) = self.door.store.claim_watched(&self.door.holder, now)? else {
            return Ok(false);
        };
        self.look_at(watching, &lease)?;
        Ok(true)
    }

    fn look_at(&mut self, mut watching: Watching, lease: &WatchLease) -> Result<(), store::Error> {
        let service = watching.service.clone();
        let policy = match self.door.policy(&service) {
            Ok((_, policy)) => policy,
            Err(Fault::Store(fault)) => return Err(fault),
            // It has just gone from the registry.
            Err(Fault::Unknown(_) | Fault::Platform(_)) => return Ok(()),
        };
        let asked = (self.door.platforms)(&policy)
            .map_err(Fault::from)
            .and_then(|platform| self.door.state(platform.as_ref()));
        let now = clock::now();
        let due = match asked {
            Ok(state) => {
                watching.fault = None;
                watching.tries = 0;
                let news = match self.door.observe(&service, &policy, &state, now) {
                    Ok(news) => news,
                    Err(Fault::Store(fault)) => return Err(fault),
                    Err(Fault::Unknown(_) | Fault::Platform(_)) => Vec::new(),
                };
                if let Some(tell) = &mut self.tell {
                    news.iter().for_each(tell);
                }
                now.plus(policy.every)
            }
            Err(Fault::Store(fault)) => return Err(fault),
            Err(fault @ (Fault::Platform(_) | Fault::Unknown(_))) => {
                let line = format!("the platform of {service} does not say how it is: {fault}");
                let key = format!("platform-{service}");
                self.door.log.once(&key, Level::Warn, &line);
                watching.fault = Some(fault.to_string());
                watching.tries = watching.tries.saturating_add(1);
                let pause = policy.every.saturating_mul(1 << watching.tries.min(8));
                now.plus(pause.min(LONGEST.max(policy.every)))
            }
        };
        let answered = watching.fault.is_none();
        match self.door.store.save_watched(lease, &watching, due, now) {
            Ok(()) => {}
            Err(fault) if fault.kind == store::ErrorKind::LeaseLost => return Ok(()),
            Err(fault) => return Err(fault),
        }
        if answered {
            self.rules(&service, &policy, now)?;
        }
        Ok(())
    }

    /// Lets the rules ask. What they ask for goes through every check like any other request.
    fn rules(
        &mut self,
        service: &str,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(), store::Error> {
        let store = &mut self.door.store;
        store.note_recurred(service, now)?;
        let span = policy.crash_loop.1.max(policy.bad_deploy.1);
        let facts = store.facts_since(service, now.minus(span))?;
        let health = store.release_health(service)?;
        let runs = health.first();
        let actions = store.actions(Some(service), 50)?;
        let helped = actions
            .iter()
            .filter(|one| one.aftermath == Some(Aftermath::Healthy))
            .filter_map(|one| one.ended)
            .max();
        let before = health.len() > 1;
        let Some(rule) = policy::wanted(policy, &facts, runs, before, helped, now) else {
            return Ok(());
        };
        let open = actions
            .iter()
            .any(|one| one.stage == Stage::Pending || one.stage.is_under_way());
        let key = (service.to_owned(), rule.name);
        let pause = policy.cool_down.max(policy.every);
        let lately = self
            .asked
            .get(&key)
            .is_some_and(|at| now.since(*at) < pause);
        if open || lately {
            return Ok(());
        }
        let incident = store.incident_of_late(service, now)?;
        if self.asked.len() >= REMEMBERED {
            self.asked.clear();
        }
        self.asked.insert(key, now);
        let request = Request {
            service: service.to_owned(),
            verb: rule.verb.word().to_owned(),
            parameters: BTreeMap::new(),
            caller: by_rule(rule.name),
            why: rule.why,
            incident: incident.as_ref().map(|(id, _)| *id),
            fingerprint: incident.map(|(_, fingerprint)| fingerprint),
        };
        let line = match self.door.ask(request, false) {
            Ok(Asked::Action(answer)) => {
                let action = &answer.action;
                match action.stage {
                    Stage::Pending => format!(
                        "{service}: {} waits: autofix approve {}",
                        action.task, action.id
                    ),
                    Stage::Refused
                    | Stage::Proposed
                    | Stage::Expired
                    | Stage::Denied
                    | Stage::Approved
                    | Stage::Running
                    | Stage::Watched
                    | Stage::Done
                    | Stage::Failed => format!(
                        "{service}: {} is {}: {}",
                        action.task,
                        action.stage.word(),
                        action.said
                    ),
                }
            }
            Ok(Asked::Refused(wrong)) => format!("{service}: {}: {}", rule.verb.word(), wrong.why),
            Err(Fault::Store(fault)) => return Err(fault),
            Err(fault @ (Fault::Platform(_) | Fault::Unknown(_))) => {
                format!("{service}: {}: {fault}", rule.verb.word())
            }
        };
        self.door.log.warn(&line);
        Ok(())
    }
}

impl Door {
    /// Keeps what a look at the platform told: its crashes, what fails now and did not before, and how
    /// the release runs. Gives what is news.
    pub(super) fn observe(
        &mut self,
        service: &str,
        policy: &Policy,
        state: &State,
        now: Timestamp,
    ) -> Result<Vec<Fact>, Fault> {
        let before = self.store.watching(service)?;
        let before = before.and_then(|watching| watching.state);
        let since = now.minus(policy.crash_loop.1.max(policy.bad_deploy.1));
        let was = before.map(|state| state.trouble(service, since, now));
        let mut news = Vec::new();
        for fact in state.trouble(service, since, now) {
            let lasting = match fact.kind {
                FactKind::Crash | FactKind::Exit | FactKind::Oom => false,
                FactKind::Unhealthy | FactKind::DeployFailed => true,
            };
            // What goes on has no time of its own: it is news when it begins, whoever looks again.
            let same =
                |one: &Fact| one.asked && one.kind == fact.kind && one.instance == fact.instance;
            let known = lasting && was.iter().flatten().any(same);
            if !known && self.store.save_facts(std::slice::from_ref(&fact), now)? > 0 {
                news.push(fact);
            }
        }
        self.store.note_state(service, state, now)?;
        if let Some(release) = &state.release {
            let well = state.is_well() && news.is_empty();
            let gap = policy.every.saturating_mul(3);
            let seen = (well, news.len());
            self.store.note_release(service, release, seen, gap, now)?;
        }
        Ok(news)
    }
}
