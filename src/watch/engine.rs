//! The watches that are installed: caps, replacement, expiry, and the index by which a record
//! finds them. Everything is capped, and what a cap refused is counted.
//! Not here: what a match means (`language`), counting (`count`), what is told (`report`).

use super::anchor::Plan;
use super::group::Groups;
use super::index::Index;
use super::parse::{Refusal, Watch};
use super::report::WatchState;
use super::{Owner, Scope};
use crate::model::Timestamp;
use crate::record::text_hash;
use std::cell::Cell;
use std::collections::HashMap;
use std::hash::RandomState;
use std::time::Duration;

/// Limits of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Watches of the team's file. 10,000 by the design.
    pub team: usize,
    /// Watches that models installed.
    pub model: usize,
    /// Cost of the team's watches together; see [`Plan::cost`]. Allows 10,000 watches on ranges,
    /// and ten that every record is shown to.
    pub team_cost: u64,
    /// The same for the watches of models.
    pub model_cost: u64,
    /// Pairs of watch and group in a service that are counted at once; those that were idle
    /// longest give way.
    pub windows: usize,
    /// Groups of one watch; those that were idle longest give way.
    pub groups: usize,
    /// Bytes of windows and example lines; those that were idle longest give way.
    pub bytes: usize,
    /// Longest life of a model's watch, and its life where it names none.
    pub model_life: Duration,
}

impl Default for Caps {
    fn default() -> Caps {
        Caps {
            team: 10_000,
            model: 200,
            team_cost: 30_000,
            model_cost: 5_000,
            windows: 20_000,
            groups: 2_000,
            bytes: 8 << 20,
            model_life: Duration::from_secs(24 * 3600),
        }
    }
}

/// Records after which a model's watch may be found to be too broad.
const BROAD_FROM: u64 = 200;

/// What the engine counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records that matched, for each watch.
    pub matched: u64,
    pub fired: u64,
    /// Matching records that were not counted: a field of `group_by` was not there, or was a list
    /// or map.
    pub ungrouped: u64,
    /// Windows dropped because there were too many, or because they took too many bytes.
    pub windows_dropped: u64,
    /// Windows dropped because one watch had too many groups.
    pub groups_dropped: u64,
    pub expired: u64,
    /// Watches of models taken out because they matched most of what the service logs.
    pub too_broad: u64,
}

/// Layer 1 for one instance.
#[derive(Debug)]
pub struct Engine {
    pub(super) caps: Caps,
    pub(super) slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    /// Where the watch of an owner, scope and label is.
    names: HashMap<Name, u32>,
    pub(super) everywhere: Index,
    pub(super) by_service: HashMap<String, Index>,
    /// The earliest end of a life.
    next_end: Option<Timestamp>,
    /// The wall clock, as last told.
    now: Timestamp,
    /// Watches placed so far.
    placed: u64,
    /// Windows that are counted, and their bytes.
    pub(super) windows: usize,
    pub(super) bytes: usize,
    /// Records shown so far.
    pub(super) shown: u64,
    pub(super) tally: Tally,
    /// Slots with something to report, and what watches left behind that are gone.
    pub(super) changed: Vec<u32>,
    pub(super) left: Vec<WatchState>,
    pub(super) secret: RandomState,
    /// Kept for its memory.
    pub(super) found: Vec<u32>,
}

type Name = (Owner, Scope, String);

/// An installed watch.
#[derive(Debug)]
pub(super) struct Slot {
    /// Grows with each watch that is placed: the order in which they fire.
    pub number: u64,
    pub watch: Watch,
    pub plan: Plan,
    /// Of the watch as it is written: tells whether a file that was read again changed it.
    digest: u64,
    /// Wall clock.
    pub installed: Timestamp,
    pub groups: Groups,
    /// The last record that it was asked about.
    pub asked: Cell<u64>,
    /// Records of its service that had been shown when it was placed.
    pub shown_before: u64,
    /// Records that it matched and that tell of no error.
    pub plain: u64,
    /// Since the last report.
    pub matched: u64,
    pub fired: u64,
    pub ungrouped: u64,
    pub last_fired: Option<Timestamp>,
    pub changed: bool,
}

impl Engine {
    /// An engine without any watch.
    pub fn new(caps: Caps) -> Engine {
        Engine {
            caps,
            slots: Vec::new(),
            free: Vec::new(),
            names: HashMap::new(),
            everywhere: Index::default(),
            by_service: HashMap::new(),
            next_end: None,
            now: Timestamp::default(),
            placed: 0,
            windows: 0,
            bytes: 0,
            shown: 0,
            tally: Tally::default(),
            changed: Vec::new(),
            left: Vec::new(),
            secret: RandomState::new(),
            found: Vec::new(),
        }
    }

    /// An engine with the built-in watches.
    pub fn with_built_in(caps: Caps) -> Engine {
        let mut engine = Engine::new(caps);
        for watch in super::built_in() {
            engine.place(watch);
        }
        engine
    }

    /// Installs a watch; one of the same owner, label and scope is replaced, and goes on counting
    /// where it is the same. `now` is the wall clock.
    ///
    /// # Errors
    /// The owner has as many watches as its caps allow, or they would cost too much together.
    pub fn install(&mut self, mut watch: Watch, now: Timestamp) -> Result<(), Refusal> {
        self.now = now;
        if watch.owner == Owner::Model {
            let latest = now.plus(self.caps.model_life);
            watch.expires = Some(watch.expires.map_or(latest, |at| at.min(latest)));
        }
        let known = self.names.get(&name(&watch)).copied();
        let old = known.and_then(|at| self.slot(at));
        if let (Some(at), Some(true)) = (known, old.map(|old| old.digest == digest(&watch))) {
            self.renew(at, watch.expires);
            return Ok(());
        }
        let freed = old.map_or((0, 0), |old| (1, u64::from(old.plan.cost)));
        self.check_caps(&watch, freed)?;
        if let Some(at) = known {
            self.take_out(at, false);
        }
        self.place(watch);
        Ok(())
    }

    fn check_caps(&self, watch: &Watch, freed: (usize, u64)) -> Result<(), Refusal> {
        let (cap, most) = match watch.owner {
            Owner::BuiltIn => (usize::MAX, u64::MAX),
            Owner::Team => (self.caps.team, self.caps.team_cost),
            Owner::Model => (self.caps.model, self.caps.model_cost),
        };
        let (number, cost) = self.sum_of(watch.owner);
        let label = &watch.label;
        if number - freed.0 >= cap {
            let why = format!("watch {label}: there are {cap} already, which is the limit");
            return Err(Refusal(why));
        }
        let own = u64::from(Plan::of(&watch.matches).cost);
        if cost - freed.1 + own > most {
            return Err(Refusal(format!(
                "watch {label}: costs {own}, which is more than is left of {most}; add a \
                 condition that few records meet"
            )));
        }
        Ok(())
    }

    /// Number and cost of an owner's watches.
    fn sum_of(&self, owner: Owner) -> (usize, u64) {
        let all = self.installed().filter(|slot| slot.watch.owner == owner);
        all.fold((0, 0), |(number, cost), slot| {
            (number + 1, cost + u64::from(slot.plan.cost))
        })
    }

    /// Takes the place of all watches of the team: its file was read again. Watches that did not
    /// change go on counting.
    ///
    /// # Errors
    /// More watches, or more cost, than the caps allow; then the old ones stay.
    pub fn replace_team(&mut self, watches: Vec<Watch>) -> Result<(), Refusal> {
        let (there, cap) = (watches.len(), self.caps.team);
        if there > cap {
            let why = format!("{there} watches, at most {cap} are allowed");
            return Err(Refusal(why));
        }
        let cost = |watch: &Watch| u64::from(Plan::of(&watch.matches).cost);
        let (cost, most) = (watches.iter().map(cost).sum::<u64>(), self.caps.team_cost);
        if cost > most {
            let why = format!("together the watches cost {cost}, at most {most} is allowed");
            return Err(Refusal(why));
        }
        let mut new: HashMap<Name, Watch> = HashMap::new();
        let mut order = Vec::with_capacity(there);
        for mut watch in watches {
            watch.owner = Owner::Team;
            order.push(name(&watch));
            new.insert(name(&watch), watch);
        }
        self.sift(|slot| {
            let Some(watch) = new.get(&name(&slot.watch)) else {
                return (slot.watch.owner != Owner::Team).then_some(()).ok_or(true);
            };
            let same = digest(watch) == slot.digest;
            same.then_some(()).ok_or(false)
        });
        for name in order {
            if let Some(watch) = new
                .remove(&name)
                .filter(|_| !self.names.contains_key(&name))
            {
                self.place(watch);
            }
        }
        Ok(())
    }

    /// Drops the watches whose life has ended by the wall clock. Costs nothing while none has.
    pub fn expire(&mut self, now: Timestamp) {
        self.now = now;
        if self.next_end.is_none_or(|end| end > now) {
            return;
        }
        let before = self.len();
        self.sift(|slot| {
            let lives = slot.watch.expires.is_none_or(|at| at > now);
            lives.then_some(()).ok_or(false)
        });
        self.tally.expired += (before - self.len()) as u64;
        self.next_end = self.installed().filter_map(|slot| slot.watch.expires).min();
    }

    /// The installed watches, in no particular order.
    pub fn all(&self) -> impl Iterator<Item = &Watch> {
        self.installed().map(|slot| &slot.watch)
    }

    pub(super) fn installed(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten()
    }

    /// How many watches are installed.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether none is installed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was counted so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Bytes that the watches and what they count take, about.
    pub fn bytes(&self) -> usize {
        let indexes = self.by_service.values().chain([&self.everywhere]);
        let indexes: usize = indexes.map(Index::bytes).sum();
        self.bytes + indexes + 1_000 * self.len()
    }

    pub(super) fn slot(&self, at: u32) -> Option<&Slot> {
        self.slots.get(at as usize)?.as_ref()
    }

    pub(super) fn slot_mut(&mut self, at: u32) -> Option<&mut Slot> {
        self.slots.get_mut(at as usize)?.as_mut()
    }

    /// Whether a model's watch has turned out to match most of what its service logs, errors
    /// aside: it counts traffic, not a fault.
    pub(super) fn is_too_broad(&self, at: u32) -> bool {
        let Some(slot) = self
            .slot(at)
            .filter(|slot| slot.watch.owner == Owner::Model)
        else {
            return false;
        };
        let Scope::Service(service) = &slot.watch.scope else {
            return false;
        };
        let shown = self.by_service.get(service).map_or(0, |index| index.shown);
        let seen = shown.saturating_sub(slot.shown_before);
        seen >= BROAD_FROM && slot.plain * 2 > seen
    }

    fn place(&mut self, watch: Watch) {
        self.placed += 1;
        let plan = Plan::of(&watch.matches);
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let index = match &watch.scope {
            Scope::Everywhere => &mut self.everywhere,
            Scope::Service(name) => self.by_service.entry(name.clone()).or_default(),
        };
        index.add(&plan.anchors, at);
        let shown_before = index.shown;
        self.names.insert(name(&watch), at);
        self.next_end = earlier(self.next_end, watch.expires);
        self.changed.push(at);
        let slot = Slot {
            number: self.placed,
            digest: digest(&watch),
            watch,
            plan,
            installed: self.now,
            shown_before,
            plain: 0,
            groups: Groups::default(),
            asked: Cell::new(0),
            matched: 0,
            fired: 0,
            ungrouped: 0,
            last_fired: None,
            changed: true,
        };
        if let Some(place) = self.slots.get_mut(at as usize) {
            *place = Some(slot);
        }
    }

    fn renew(&mut self, at: u32, expires: Option<Timestamp>) {
        self.next_end = earlier(self.next_end, expires);
        if let Some(slot) = self.slot_mut(at) {
            slot.watch.expires = expires;
        }
        self.mark(at);
    }

    /// Takes out the watches for which `keep` gives an error: whether it is gone for good.
    fn sift(&mut self, keep: impl Fn(&Slot) -> Result<(), bool>) {
        for at in 0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX) {
            if let Some(Err(gone)) = self.slot(at).map(&keep) {
                self.take_out(at, gone);
            }
        }
    }

    pub(super) fn take_out(&mut self, at: u32, gone: bool) {
        let Some(slot) = self.slots.get_mut(at as usize).and_then(Option::take) else {
            return;
        };
        self.free.push(at);
        self.names.remove(&name(&slot.watch));
        self.windows -= slot.groups.len();
        self.bytes -= slot.groups.bytes();
        if slot.changed || gone {
            self.leave(&slot, gone);
        }
        self.forget(at, &slot.watch.scope);
    }

    fn forget(&mut self, at: u32, scope: &Scope) {
        let slots = &self.slots;
        let index = match scope {
            Scope::Everywhere => Some(&mut self.everywhere),
            Scope::Service(name) => self.by_service.get_mut(name),
        };
        let Some(index) = index else { return };
        if index.forget(at) {
            let mut fresh = Index::default();
            fresh.shown = index.shown;
            for at in index.members() {
                if let Some(Some(slot)) = slots.get(at as usize) {
                    fresh.add(&slot.plan.anchors, at);
                }
            }
            *index = fresh;
        }
        if let (true, Scope::Service(name)) = (index.is_empty(), scope) {
            self.by_service.remove(name);
        }
    }
}

fn name(watch: &Watch) -> Name {
    (watch.owner, watch.scope.clone(), watch.label.clone())
}

fn digest(watch: &Watch) -> u64 {
    text_hash(watch.to_json().to_string().as_bytes())
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

#[cfg(test)]
mod tests {
    use super::super::{Fields, Value};
    use super::*;
    use crate::model::Level;
    use crate::record::HTTP_STATUS;
    use std::borrow::Cow;

    struct Record {
        status: i64,
        message: String,
    }

    impl Fields for Record {
        fn field(&self, path: &str) -> Option<Value<'_>> {
            matches!(path, "status" | HTTP_STATUS).then_some(Value::Int(self.status))
        }
        fn message(&self) -> Cow<'_, str> {
            Cow::Borrowed(&self.message)
        }
        fn level(&self) -> Option<Level> {
            None
        }
    }

    fn record(status: i64) -> Record {
        Record {
            status,
            message: format!("GET /orders {status}"),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(1_700_000_000 + seconds, 0)
    }

    fn model_watch(label: &str) -> Watch {
        let json = format!(
            r#"{{"label":"{label}","match":{{"field":"status","eq":404}},"window_seconds":60,"threshold":2}}"#
        );
        Watch::parse(&json, Owner::Model, at(0)).unwrap()
    }

    #[test]
    fn ten_server_errors_in_a_minute_fire_once_per_service() {
        let mut engine = Engine::with_built_in(Caps::default());
        let mut fired = Vec::new();
        for second in 0..20 {
            for service in ["a", "b"] {
                fired.extend(engine.on_record(service, &record(503), at(second)));
            }
            fired.extend(engine.on_record("c", &record(200), at(second)));
            fired.extend(engine.on_record("d", &record(600), at(second)));
        }
        let names: Vec<_> = fired.iter().map(|f| (f.service.as_str(), f.last)).collect();
        assert_eq!(names, [("a", at(9)), ("b", at(9))]);
        assert_eq!(fired[0].label, "http_5xx");
        assert_eq!(fired[0].lines.len(), 10);
    }

    #[test]
    fn nine_in_a_minute_are_forgotten() {
        let mut engine = Engine::with_built_in(Caps::default());
        for step in 0..100 {
            let fired = engine.on_record("a", &record(500), at(step * 7));
            assert!(fired.is_empty(), "step {step}");
        }
    }

    #[test]
    fn a_models_watches_are_capped_replaced_and_expire() {
        let caps = Caps {
            model: 2,
            ..Caps::default()
        };
        let mut engine = Engine::new(caps);
        for label in ["a", "b", "a"] {
            engine.install(model_watch(label), at(0)).unwrap();
        }
        assert!(engine.install(model_watch("c"), at(0)).is_err());
        assert_eq!(engine.len(), 2);
        engine.expire(at(3600));
        assert_eq!(engine.len(), 2);
        engine.expire(at(24 * 3600));
        assert!(engine.is_empty());
        assert_eq!(engine.tally().expired, 2);
    }

    #[test]
    fn a_flood_of_services_is_bounded_and_counted() {
        let caps = Caps {
            windows: 100,
            ..Caps::default()
        };
        let mut engine = Engine::with_built_in(caps);
        for service in 0..10_000 {
            engine.on_record(&format!("s{service}"), &record(500), at(0));
            assert!(engine.windows <= 100);
        }
        assert!(engine.tally().windows_dropped >= 9_900);
    }

    #[test]
    fn a_scoped_watch_sees_only_its_service() {
        let mut engine = Engine::new(Caps::default());
        let mut watch = model_watch("a");
        watch.scope = Scope::Service("shop".into());
        engine.install(watch, at(0)).unwrap();
        let mut count = |service: &str| {
            (0..4)
                .map(|_| engine.on_record(service, &record(404), at(1)).len())
                .sum::<usize>()
        };
        assert_eq!((count("other"), count("shop")), (0, 1));
    }

    #[test]
    fn a_models_watch_that_counts_traffic_is_taken_out_and_one_that_counts_faults_is_not() {
        let mut watch = model_watch("a");
        watch.scope = Scope::Service("shop".into());
        watch.threshold = 150;
        let run = |status: i64, others: usize| {
            let mut engine = Engine::new(Caps::default());
            engine.install(watch.clone(), at(0)).unwrap();
            let mut fired = 0;
            for _ in 0..others {
                fired += engine.on_record("shop", &record(200), at(1)).len();
            }
            for _ in 0..160 {
                fired += engine.on_record("shop", &record(status), at(1)).len();
            }
            (fired, engine.len(), engine.tally().too_broad)
        };
        assert_eq!(run(404, 100), (0, 0, 1), "most records match");
        assert_eq!(run(404, 300), (1, 1, 0), "few do");
        assert_eq!(run(404, 0), (1, 1, 0), "too early to tell");
        let matches = match_of(r#"{"field":"status","eq":503}"#);
        let mut engine = Engine::new(Caps::default());
        engine.install(Watch { matches, ..watch }, at(0)).unwrap();
        let mut fired = 0;
        for _ in 0..300 {
            fired += engine.on_record("shop", &record(503), at(1)).len();
        }
        assert_eq!((fired, engine.tally().too_broad), (1, 0), "all are errors");
    }

    fn match_of(json: &str) -> super::super::Match {
        let json = format!(r#"{{"label":"m","match":{json},"window_seconds":60,"threshold":2}}"#);
        Watch::parse(&json, Owner::Model, at(0)).unwrap().matches
    }
}
