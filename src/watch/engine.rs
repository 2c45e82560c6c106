//! The watches that are installed, and what they counted. A record is shown once; the engine
//! says which watches fired. Everything is capped, and what a cap refused is counted.
//! Not here: what a match means (`language`), how a window counts (`window`).

use super::fields::Fields;
use super::parse::{Refusal, Watch};
use super::window::Window;
use super::{Owner, Scope};
use crate::model::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Limits of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Watches of the team's file. 10,000 by the design.
    pub team: usize,
    /// Watches that models installed.
    pub model: usize,
    /// Pairs of watch and service that are counted at once; the one that was idle longest gives
    /// way. Each may hold `EXAMPLES` lines.
    pub windows: usize,
    /// Longest life of a model's watch, and its life where it names none.
    pub model_life: Duration,
}

impl Default for Caps {
    fn default() -> Caps {
        Caps {
            team: 10_000,
            model: 200,
            windows: 2_000,
            model_life: Duration::from_secs(24 * 3600),
        }
    }
}

/// Lines kept as examples of what a window counted, and the bytes of each.
const EXAMPLES: usize = 10;
const EXAMPLE_BYTES: usize = 1_000;

/// A watch reached its threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    pub label: String,
    pub owner: Owner,
    pub summary: String,
    pub service: String,
    /// Events in the window: the threshold.
    pub count: usize,
    pub window: Duration,
    /// Event times of the first and the last event in the window.
    pub first: Timestamp,
    pub last: Timestamp,
    /// Fields of `group_by` with the values of the group that fired, cut at 200 bytes. Values are
    /// log text.
    pub group: Vec<(String, String)>,
    /// Messages of the newest events, oldest first, each cut at 1,000 bytes.
    pub lines: Vec<String>,
}

impl Fired {
    /// Why it fired, in a sentence without log text.
    pub fn reason(&self) -> String {
        format!(
            "watch {}: {} matching records in {} s (threshold {} in {} s)",
            self.label,
            self.count,
            self.last.since(self.first).as_secs().max(1),
            self.count,
            self.window.as_secs(),
        )
    }
}

/// What the engine counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records that matched some watch.
    pub matched: u64,
    pub fired: u64,
    /// Windows dropped because there were too many.
    pub windows_dropped: u64,
    pub expired: u64,
}

/// What became of a watch since the last report, for the store.
#[derive(Clone, Debug)]
pub struct WatchState {
    /// The same for a watch of the same owner, label and scope, in every process.
    pub id: String,
    pub label: String,
    pub owner: Owner,
    pub scope: Scope,
    /// As it is written in a team's file.
    pub json: String,
    /// Wall clock.
    pub installed: Timestamp,
    /// Wall clock.
    pub expires: Option<Timestamp>,
    /// Records that it matched since the last report.
    pub matched: u64,
    /// How often it fired since the last report.
    pub fired: u64,
    /// Event time of the last time, of those since the last report.
    pub last_fired: Option<Timestamp>,
    /// The team took it out of its file, or another took its place.
    pub gone: bool,
}

/// Layer 1 for one instance.
#[derive(Debug)]
pub struct Engine {
    caps: Caps,
    next: u32,
    everywhere: Vec<Installed>,
    by_service: HashMap<String, Vec<Installed>>,
    windows: HashMap<u32, HashMap<String, Counted>>,
    window_count: usize,
    shown: u64,
    tally: Tally,
}

#[derive(Debug)]
struct Installed {
    number: u32,
    watch: Watch,
}

#[derive(Debug, Default)]
struct Counted {
    window: Window,
    lines: VecDeque<String>,
    /// When it last counted, in records shown.
    used: u64,
}

impl Engine {
    /// An engine without any watch.
    pub fn new(caps: Caps) -> Engine {
        Engine {
            caps,
            next: 0,
            everywhere: Vec::new(),
            by_service: HashMap::new(),
            windows: HashMap::new(),
            window_count: 0,
            shown: 0,
            tally: Tally::default(),
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

    /// Installs a watch; one of the same owner, label and scope is replaced. `now` is the wall
    /// clock.
    ///
    /// # Errors
    /// The owner has as many watches as its cap allows.
    pub fn install(&mut self, mut watch: Watch, now: Timestamp) -> Result<(), Refusal> {
        if watch.owner == Owner::Model {
            let latest = now.plus(self.caps.model_life);
            watch.expires = Some(watch.expires.map_or(latest, |at| at.min(latest)));
        }
        self.remove(watch.owner, &watch.label, &watch.scope);
        let cap = match watch.owner {
            Owner::BuiltIn => usize::MAX,
            Owner::Team => self.caps.team,
            Owner::Model => self.caps.model,
        };
        if self.all().filter(|w| w.owner == watch.owner).count() >= cap {
            return Err(Refusal(format!(
                "watch {}: there are {cap} already, which is the limit",
                watch.label
            )));
        }
        self.place(watch);
        Ok(())
    }

    /// Takes the place of all watches of the team: its file was read again. Windows of watches
    /// that did not change go on only if they are installed one by one.
    ///
    /// # Errors
    /// More watches than the cap allows; then the old ones stay.
    pub fn replace_team(&mut self, watches: Vec<Watch>) -> Result<(), Refusal> {
        if watches.len() > self.caps.team {
            return Err(Refusal(format!(
                "{} watches, at most {} are allowed",
                watches.len(),
                self.caps.team
            )));
        }
        self.retain(|watch| watch.owner != Owner::Team);
        for watch in watches {
            self.place(watch);
        }
        Ok(())
    }

    /// Drops the watches whose life has ended by the wall clock.
    pub fn expire(&mut self, now: Timestamp) {
        let before = self.len();
        self.retain(|watch| watch.expires.is_none_or(|at| at > now));
        self.tally.expired += (before - self.len()) as u64;
    }

    /// What changed since the last report. The counts are differences: a report that could not be
    /// saved must be saved later.
    pub fn report(&mut self) -> Vec<WatchState> {
        Vec::new()
    }

    /// Bytes that the watches and what they count take, about.
    pub fn bytes(&self) -> usize {
        0
    }

    /// The installed watches, in no particular order.
    pub fn all(&self) -> impl Iterator<Item = &Watch> {
        let scoped = self.by_service.values().flatten();
        self.everywhere
            .iter()
            .chain(scoped)
            .map(|entry| &entry.watch)
    }

    /// How many watches are installed.
    pub fn len(&self) -> usize {
        self.all().count()
    }

    /// Whether none is installed.
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// What was counted so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Shows one record of a service at its event time; the watches that fired come back.
    pub fn on_record(&mut self, service: &str, record: &dyn Fields, time: Timestamp) -> Vec<Fired> {
        self.shown += 1;
        let mut fired = Vec::new();
        let scoped = self.by_service.get(service).into_iter().flatten();
        for entry in self.everywhere.iter().chain(scoped) {
            if !entry.watch.matches.holds(record) {
                continue;
            }
            self.tally.matched += 1;
            let known = self.windows.entry(entry.number).or_default();
            if !known.contains_key(service) {
                known.insert(service.to_owned(), Counted::default());
                self.window_count += 1;
            }
            if let Some(counted) = known.get_mut(service) {
                counted.used = self.shown;
                fired.extend(counted.count(&entry.watch, service, record, time));
            }
        }
        self.tally.fired += fired.len() as u64;
        if self.window_count > self.caps.windows {
            self.drop_idle();
        }
        fired
    }

    fn place(&mut self, watch: Watch) {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let list = match &watch.scope {
            Scope::Everywhere => &mut self.everywhere,
            Scope::Service(name) => self.by_service.entry(name.clone()).or_default(),
        };
        list.push(Installed { number, watch });
    }

    fn remove(&mut self, owner: Owner, label: &str, scope: &Scope) {
        self.retain(|w| w.owner != owner || w.label != label || w.scope != *scope);
    }

    fn retain(&mut self, keep: impl Fn(&Watch) -> bool) {
        let mut gone = Vec::new();
        let mut sift = |list: &mut Vec<Installed>| {
            list.retain(|entry| {
                let stays = keep(&entry.watch);
                if !stays {
                    gone.push(entry.number);
                }
                stays
            });
        };
        sift(&mut self.everywhere);
        self.by_service.values_mut().for_each(sift);
        self.by_service.retain(|_, list| !list.is_empty());
        for number in gone {
            if let Some(windows) = self.windows.remove(&number) {
                self.window_count -= windows.len();
            }
        }
    }

    /// Drops the eighth of the windows that were idle longest, so that a flood of services
    /// costs one sweep in many records.
    fn drop_idle(&mut self) {
        let mut ages: Vec<u64> = self
            .windows
            .values()
            .flat_map(|services| services.values().map(|counted| counted.used))
            .collect();
        let nth = (ages.len() / 8).min(ages.len().saturating_sub(1));
        let (_, limit, _) = ages.select_nth_unstable(nth);
        let limit = *limit;
        for services in self.windows.values_mut() {
            services.retain(|_, counted| counted.used > limit);
        }
        let left = self.windows.values().map(HashMap::len).sum();
        self.tally.windows_dropped += (self.window_count - left) as u64;
        self.window_count = left;
    }
}

impl Counted {
    fn count(
        &mut self,
        watch: &Watch,
        service: &str,
        record: &dyn Fields,
        time: Timestamp,
    ) -> Option<Fired> {
        if self.lines.len() >= EXAMPLES.min(watch.threshold) {
            self.lines.pop_front();
        }
        self.lines.push_back(cut(&record.message()));
        let full = self.window.count(time, watch.window, watch.threshold)?;
        Some(Fired {
            label: watch.label.clone(),
            owner: watch.owner,
            summary: watch.summary.clone(),
            service: service.to_owned(),
            count: watch.threshold,
            window: watch.window,
            first: full.first,
            last: full.last,
            group: Vec::new(),
            lines: self.lines.iter().cloned().collect(),
        })
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(EXAMPLE_BYTES)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::fields::Value;
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
            assert!(engine.window_count <= 100);
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
}
