//! What platforms report, from the note of the fast lane to the store: the sender's secret, the facts,
//! and the incident that each belongs to. An event waits some seconds, so that what the log says of the
//! same end becomes the incident, and the event is noted there. Everything is bounded: facts of a
//! service in a minute, and what waits.

use crate::counters::Counters;
use crate::incident::platform;
use crate::model::recovery::Fact;
use crate::model::service::TokenSource;
use crate::model::{Level, Timestamp};
use crate::net::Secret;
use crate::pipeline::acting::Tell;
use crate::pipeline::notes::Reported;
use crate::pipeline::notifying::Urls;
use crate::pipeline::triage_lane::{STORE_PAUSE, TriageLane};
use crate::store;
use crossbeam_channel::Sender;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// How long an event waits for the lines of the same end.
const HOLD: Duration = Duration::from_secs(10);
/// Events that wait; the oldest gives way, into its incident.
const MAX_HELD: usize = 1_000;
/// Facts of one service in a minute of the records' time.
const MAX_IN_MINUTE: u32 = 600;
/// Services whose minute is remembered.
const MAX_SERVICES: usize = 4_096;
/// Facts that are remembered, so that what is told twice is one.
const MAX_TOLD: usize = 10_000;
/// How long a secret that was read is used.
const KEEP: Duration = Duration::from_secs(5);

/// What waits, and what must be remembered for it.
pub struct Failures {
    secrets: Secrets,
    held: VecDeque<Held>,
    /// Facts that a store that refuses does not have yet.
    unsaved: VecDeque<Fact>,
    told: Told,
    minutes: HashMap<String, (i64, u32)>,
    again: Timestamp,
}

/// Ends of one instance that are told of alike.
#[derive(Clone, Debug)]
struct Held {
    fact: Fact,
    times: u64,
    last: Timestamp,
    since: Timestamp,
}

/// What was told lately: senders repeat what they got no answer to.
#[derive(Default)]
struct Told {
    all: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Told {
    /// Whether this was told before.
    fn again(&mut self, fact: &Fact) -> bool {
        let mut hasher = DefaultHasher::new();
        let key = (&fact.service, &fact.instance, fact.kind, fact.at);
        key.hash(&mut hasher);
        let key = hasher.finish();
        if !self.all.insert(key) {
            return true;
        }
        self.order.push_back(key);
        if self.order.len() > MAX_TOLD
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
        }
        false
    }
}

/// Secrets of inputs, read where they stand and kept for some seconds.
struct Secrets {
    read: Urls,
    kept: HashMap<String, (TokenSource, Timestamp, Option<Secret>)>,
}

impl Secrets {
    fn of(&mut self, service: &str, source: &TokenSource, now: Timestamp) -> Option<&Secret> {
        let fresh = |kept: &(TokenSource, Timestamp, _)| {
            kept.0 == *source && now >= kept.1 && now.since(kept.1) < KEEP
        };
        if !self.kept.get(service).is_some_and(fresh) {
            if self.kept.len() >= MAX_SERVICES {
                self.kept.clear();
            }
            let read = (source.clone(), now, (self.read)(source));
            self.kept.insert(service.to_owned(), read);
        }
        self.kept.get(service)?.2.as_ref()
    }
}

impl Failures {
    /// `read` reads a secret from where the registry says that it stands.
    pub fn new(read: Urls) -> Failures {
        Failures {
            secrets: Secrets {
                read,
                kept: HashMap::new(),
            },
            held: VecDeque::new(),
            unsaved: VecDeque::new(),
            told: Told::default(),
            minutes: HashMap::new(),
            again: Timestamp::default(),
        }
    }

    /// Whether the record held the secret that its service asks for.
    fn admits(
        &mut self,
        reported: &Reported,
        source: Option<&TokenSource>,
        now: Timestamp,
    ) -> Result<(), &'static str> {
        let Some(source) = source else {
            return Ok(());
        };
        let Some(secret) = self.secrets.of(&reported.service, source, now) else {
            return Err("its secret cannot be read here");
        };
        match &reported.presented {
            None => Err("it holds no `autofix_secret`"),
            Some(presented) if presented.fits(secret.expose()) => Ok(()),
            Some(_) => Err("its `autofix_secret` is another"),
        }
    }

    /// Whether the service may have one more fact in this minute.
    fn counts(&mut self, service: &str, came: Timestamp) -> bool {
        if self.minutes.len() >= MAX_SERVICES {
            self.minutes.clear();
        }
        let minute = came.seconds().div_euclid(60);
        let entry = self.minutes.entry(service.to_owned()).or_default();
        if entry.0 != minute {
            *entry = (minute, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        entry.1 <= MAX_IN_MINUTE
    }

    /// Takes one in. Ends of one instance that are told alike while they wait are one entry.
    fn hold(&mut self, fact: Fact, now: Timestamp) {
        let alike = |held: &&mut Held| {
            let (a, b) = (&held.fact, &fact);
            (&a.service, &a.instance, a.kind) == (&b.service, &b.instance, b.kind)
        };
        match self.held.iter_mut().find(alike) {
            Some(held) => {
                held.times += 1;
                held.last = held.last.max(fact.at);
                held.fact.at = held.fact.at.min(fact.at);
            }
            None => self.held.push_back(Held {
                times: 1,
                last: fact.at,
                since: now,
                fact,
            }),
        }
    }

    /// While the store refuses: gives up the oldest of what is too many, and says how many that are.
    fn bound(&mut self) -> u64 {
        let over = |waiting: usize| waiting.saturating_sub(MAX_HELD);
        let (held, unsaved) = (over(self.held.len()), over(self.unsaved.len()));
        let lost: u64 = self.held.drain(..held).map(|held| held.times).sum();
        self.unsaved.drain(..unsaved);
        lost + unsaved as u64
    }

    /// Whether the oldest need not wait any longer.
    fn due(&self, now: Timestamp, all: bool) -> bool {
        let over = |held: &Held| now.since(held.since) >= HOLD || now < held.since;
        let waited = self.held.front().is_some_and(|held| all || over(held));
        waited || self.held.len() > MAX_HELD
    }
}

/// Hands on what a platform's own interface told, which the store has: it joins an incident, or opens
/// one, like what was sent.
pub fn teller(to: Sender<Fact>, counters: Arc<Counters>) -> Tell {
    Box::new(move |fact| {
        if to.try_send(fact.clone()).is_err() {
            counters.events_dropped.add(1);
        }
    })
}

impl TriageLane {
    /// Takes what a record on a declared input reported.
    pub(super) fn take_reported(&mut self, reported: Reported, now: Timestamp) {
        let number = reported.failures.len() as u64;
        let registry = self.services.get();
        let found = registry.named(&reported.service);
        // A service that is gone since declares nothing.
        let admitted = match &found {
            Some(found) => {
                let source = found.service.inputs_secret.as_ref();
                self.failures.admits(&reported, source, now)
            }
            None => Err("its service is not in the registry any more"),
        };
        if let Err(why) = admitted {
            self.counters.events_refused.add(number);
            let line = format!("an event for {} was refused: {why}", reported.service);
            self.log.once("events", Level::Warn, &line);
            return;
        }
        for failure in reported.failures {
            let fact = Fact {
                service: reported.service.clone(),
                kind: failure.kind,
                instance: failure.instance,
                // What is told now has happened, whatever the sender's clock shows.
                at: failure.at.unwrap_or(reported.came).min(now),
                release: failure.release,
                text: failure.text,
                asked: false,
            };
            if self.failures.told.again(&fact) {
                continue;
            }
            if !self.failures.counts(&reported.service, reported.came) {
                self.counters.events_dropped.add(1);
                continue;
            }
            if let Err(fact) = self.keep_fact(fact, now) {
                self.failures.unsaved.push_back(fact);
            }
        }
        // What is too many goes into its incident now.
        self.settle_failures(now, false);
    }

    /// Takes what the platform's own interface told, which the store has already.
    fn take_asked(&mut self, now: Timestamp) {
        for fact in self.asked.clone().try_iter().take(MAX_HELD) {
            if !self.failures.told.again(&fact) {
                self.failures.hold(fact, now);
            }
        }
    }

    /// Keeps a fact, and has it wait where it is news to the store. Gives back what the store refuses.
    fn keep_fact(&mut self, fact: Fact, now: Timestamp) -> Result<(), Fact> {
        match self.store.save_facts(std::slice::from_ref(&fact), now) {
            Ok(0) => Ok(()),
            Ok(_) => {
                self.failures.hold(fact, now);
                Ok(())
            }
            Err(fault) => {
                self.store_refused(&fault, now);
                Err(fact)
            }
        }
    }

    fn store_refused(&mut self, fault: &store::Error, now: Timestamp) {
        self.counters.store_faults.add(1);
        let line = format!("the store refused an event, tried again later: {fault}");
        self.log.once("store", Level::Error, &line);
        self.failures.again = now.plus(STORE_PAUSE);
    }

    /// Notes what waited long enough on the incident of the same end, or opens one. What the store
    /// refuses now waits on.
    pub(super) fn settle_failures(&mut self, now: Timestamp, all: bool) {
        self.take_asked(now);
        if now < self.failures.again && !all {
            self.counters.events_dropped.add(self.failures.bound());
            return;
        }
        while let Some(fact) = self.failures.unsaved.pop_front() {
            if let Err(fact) = self.keep_fact(fact, now) {
                self.failures.unsaved.push_front(fact);
                return;
            }
        }
        while self.failures.due(now, all)
            && let Some(held) = self.failures.held.pop_front()
        {
            if let Err(fault) = self.join(&held, now) {
                self.store_refused(&fault, now);
                self.failures.held.push_front(held);
                return;
            }
        }
    }

    fn join(&mut self, held: &Held, now: Timestamp) -> Result<(), store::Error> {
        if self.store.note_fact(&held.fact, held.times, now)?.is_some() {
            return Ok(());
        }
        let mut signal = platform::signal_of(&held.fact);
        self.complete(&mut signal, now);
        self.record(&signal, held.times, held.last, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::recovery::FactKind;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(1_772_366_400 + seconds, 0)
    }

    fn fact(instance: &str, seconds: i64) -> Fact {
        Fact {
            service: "shop".to_owned(),
            kind: FactKind::Crash,
            instance: instance.to_owned(),
            at: at(seconds),
            release: None,
            text: "it crashed".to_owned(),
            asked: false,
        }
    }

    fn failures() -> Failures {
        Failures::new(Box::new(|_| None))
    }

    #[test]
    fn what_is_told_alike_waits_as_one_and_no_longer_than_ten_seconds() {
        let mut failures = failures();
        for (instance, seconds) in [("a", 0), ("b", 1), ("a", 2), ("a", -1)] {
            failures.hold(fact(instance, seconds), at(3));
        }
        let held: Vec<_> = failures.held.iter().collect();
        assert_eq!((held.len(), held[0].times), (2, 3));
        assert_eq!((held[0].fact.at, held[0].last), (at(-1), at(2)));
        assert!(!failures.due(at(12), false));
        assert!(failures.due(at(13), false) && failures.due(at(3), true));
        // A clock that was set back ends no wait late.
        assert!(failures.due(at(-60), false));
    }

    #[test]
    fn more_than_may_wait_goes_on_at_once_and_is_given_up_while_the_store_refuses() {
        let mut failures = failures();
        for n in 0..=MAX_HELD {
            assert!(!failures.due(at(0), false));
            failures.hold(fact(&format!("web-{n}"), 0), at(0));
        }
        assert!(failures.due(at(0), false));
        failures
            .unsaved
            .extend((0..MAX_HELD + 5).map(|_| fact("x", 0)));
        assert_eq!(failures.bound(), 1 + 5);
        assert_eq!(
            (failures.held.len(), failures.unsaved.len()),
            (MAX_HELD, MAX_HELD)
        );
        assert_eq!(failures.held[0].fact.instance, "web-1");
    }

    #[test]
    fn what_is_told_twice_is_one_and_a_service_has_its_limit() {
        let mut failures = failures();
        assert!(!failures.told.again(&fact("a", 0)));
        assert!(failures.told.again(&fact("a", 0)));
        assert!(!failures.told.again(&fact("a", 1)));
        for n in 0..MAX_TOLD as i64 {
            failures.told.again(&fact("b", n));
        }
        assert!(failures.told.order.len() <= MAX_TOLD && failures.told.all.len() <= MAX_TOLD);
        for _ in 0..MAX_IN_MINUTE {
            assert!(failures.counts("shop", at(0)));
        }
        assert!(!failures.counts("shop", at(59)));
        assert!(failures.counts("cart", at(59)));
        assert!(failures.counts("shop", at(60)));
        for n in 0..5_000 {
            failures.counts(&format!("s{n}"), at(0));
        }
        assert!(failures.minutes.len() <= MAX_SERVICES);
    }

    #[test]
    fn a_secret_is_read_again_after_some_seconds_and_when_it_stands_elsewhere() {
        let reads = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&reads);
        let mut failures = Failures::new(Box::new(move |_| {
            let number = counted.fetch_add(1, Ordering::Relaxed);
            Some(Secret::new(format!("secret {number}")))
        }));
        let mut read = |file: &str, seconds: i64| {
            let source = TokenSource::File(file.into());
            let secret = failures.secrets.of("shop", &source, at(seconds));
            secret.map(|secret| secret.expose().to_owned()).unwrap()
        };
        assert_eq!(
            (read("/a", 0), read("/a", 4)),
            ("secret 0".into(), "secret 0".into())
        );
        assert_eq!(
            (read("/a", 5), read("/b", 6)),
            ("secret 1".into(), "secret 2".into())
        );
        assert_eq!(
            (read("/b", 7), read("/b", 1)),
            ("secret 2".into(), "secret 3".into())
        );
        assert_eq!(reads.load(Ordering::Relaxed), 4);
    }
}
