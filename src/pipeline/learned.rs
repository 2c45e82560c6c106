//! What the fast lane has learnt of each service: its templates and what its log was like so far.
//! Bounded in services and bytes; the service that was quiet longest gives way. It judges
//! nothing and touches no disk: what should be kept goes to the triage lane as text.

use crate::log::Log;
use crate::model::{CommitId, Level, TemplateId, Timestamp};
use crate::pipeline::streams::{Runs, TELLS_EVERY};
use crate::pipeline::unread::{Due, Pace, Unread};
use crate::rate::{self, Book};
use crate::store;
use crate::template::{Learnt, Limits, Miner, Seen};
use crate::triage::entry::Batch;
use crate::triage::environment::repeat::Repeats;
use std::collections::HashMap;
use std::time::Duration;

/// Services that are remembered at once, however small they are.
const MAX_SERVICES: usize = 1_024;

/// Of one template of a seed, the few-valued fields with which it is to be ignored.
const MOST_IGNORED: usize = 16;

/// How often the state of a service that changed is written down.
const KEEP: Duration = Duration::from_secs(60);

/// What is known of one service.
pub struct Known {
    name: String,
    pub miner: Miner,
    pub book: Book,
    /// News for the lane that reads, where there is one.
    pub unread: Unread,
    /// Neighbours that failed in single lines.
    pub repeats: Repeats,
    limits: rate::Limits,
    /// In records of the lane.
    used: u64,
    /// Wall clock, of the last time it was written down.
    kept: Timestamp,
    /// Learnt something since.
    changed: bool,
    /// Commits that were told to run, with the event time of the word.
    told: Vec<(Option<CommitId>, Timestamp)>,
}

/// All services of one lane.
pub struct Learned {
    all: Vec<Known>,
    by_name: HashMap<String, usize>,
    /// Grows when places change.
    epoch: u64,
    limit: usize,
    clock: u64,
}

/// Where a service stands in [`Learned`]; a stream keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    epoch: u64,
    at: usize,
}

impl Learned {
    /// Keeps what it learns within `limit` bytes.
    pub fn new(limit: usize) -> Learned {
        Learned {
            all: Vec::new(),
            by_name: HashMap::new(),
            epoch: 1,
            limit,
            clock: 0,
        }
    }

    /// The service's state, made when it is new. `place` is where it stood the last time.
    pub fn of(&mut self, service: &str, place: &mut Place) -> &mut Known {
        self.clock += 1;
        if place.epoch != self.epoch {
            *place = Place {
                epoch: self.epoch,
                at: self.find(service),
            };
        }
        let known = &mut self.all[place.at];
        known.used = self.clock;
        known
    }

    fn find(&mut self, service: &str) -> usize {
        if let Some(at) = self.by_name.get(service) {
            return *at;
        }
        let at = self.all.len();
        self.all.push(Known::new(service, self.limit));
        self.by_name.insert(service.to_owned(), at);
        at
    }

    /// Takes up what the store kept of a service. What cannot be understood is left out and said.
    pub fn restore(&mut self, kept: &store::Learnt, log: &Log) {
        let mut place = Place::default();
        self.of(&kept.service, &mut place).restore(kept, log);
    }

    /// Takes up a file of learnt templates, where the store did not know better. Lines that
    /// cannot be taken are counted and the first is named.
    pub fn sow(&mut self, seed: &str, log: &Log) {
        let (mut taken, mut refused, mut first) = (0_usize, 0_usize, None);
        for (at, line) in seed.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let learnt = Learnt::parse(line).map_err(|why| why.to_string());
            match learnt.and_then(|learnt| self.seed(&learnt)) {
                Ok(()) => taken += 1,
                Err(why) => {
                    refused += 1;
                    first.get_or_insert_with(|| format!("line {}: {why}", at + 1));
                }
            }
        }
        if let Some(first) = first {
            let line = format!("Templates_Seed: {refused} lines were not taken up; {first}");
            log.warn(&line);
        }
        if taken > 0 {
            log.info(&format!("Templates_Seed: {taken} templates taken up"));
        }
    }

    /// One template. Gives the reason where it is not taken.
    fn seed(&mut self, learnt: &Learnt) -> Result<(), String> {
        let Some(service) = &learnt.service else {
            return Err("it names no service".to_owned());
        };
        if self.all.len() >= MAX_SERVICES && !self.by_name.contains_key(service) {
            return Err(format!("it is for more than {MAX_SERVICES} services"));
        }
        let mut place = Place::default();
        let known = self.of(service, &mut place);
        known.miner.load(learnt).map_err(|why| why.to_string())?;
        for facets in learnt.ignored.iter().take(MOST_IGNORED) {
            known.unread.ignore(learnt.id, *facets);
        }
        Ok(())
    }

    /// Bytes of all.
    pub fn bytes(&self) -> usize {
        self.all.iter().map(Known::bytes).sum()
    }

    /// Templates of all.
    pub fn templates(&self) -> usize {
        self.all.iter().map(|known| known.miner.len()).sum()
    }

    /// Lets go of the services that were quiet longest, an eighth at once, until all is within
    /// the limits. Their state is given, to be kept.
    pub fn overflow(&mut self, now: Timestamp) -> Vec<store::Learnt> {
        let mut gone = Vec::new();
        while self.all.len() > MAX_SERVICES || (self.all.len() > 1 && self.bytes() > self.limit) {
            let mut ages: Vec<u64> = self.all.iter().map(|known| known.used).collect();
            let eighth = ages.len() / 8;
            let (_, age, _) = ages.select_nth_unstable(eighth);
            let age = *age;
            gone.extend(self.all.extract_if(.., |known| known.used <= age));
            let places = self.all.iter().enumerate();
            self.by_name = places.map(|(at, known)| (known.name.clone(), at)).collect();
            self.epoch += 1;
        }
        let text = |mut known: Known| known.keep(now);
        gone.into_iter().filter_map(text).collect()
    }

    /// The state of the service whose turn it is to be written down, if any.
    pub fn due(&mut self, now: Timestamp) -> Option<store::Learnt> {
        let late = |known: &&mut Known| now.since(known.kept) >= KEEP || now < known.kept;
        let due = self.all.iter_mut().filter(|known| known.changed);
        due.filter(late).min_by_key(|known| known.kept)?.keep(now)
    }

    /// The news of one service that are due, if any.
    pub fn unread(&mut self, pace: Pace, due: Due, now: Timestamp) -> Option<Batch> {
        self.all.iter_mut().find_map(|known| {
            let is_due = known.unread.is_due(&known.book, pace, due, now);
            let Known {
                name,
                miner,
                book,
                unread,
                ..
            } = known;
            is_due.then(|| unread.take(name, book, miner)).flatten()
        })
    }

    /// The state of everything that changed: the lane ends.
    pub fn rest(&mut self, now: Timestamp) -> Vec<store::Learnt> {
        let changed = self.all.iter_mut().filter(|known| known.changed);
        changed.filter_map(|known| known.keep(now)).collect()
    }
}

/// Commits of one service that are remembered as told; more run at once in no rollout.
const TOLD: usize = 8;

impl Known {
    /// Whether a word of a stream is news: streams of one service run the same commit.
    pub fn is_news(&mut self, runs: &Runs) -> bool {
        let same = |one: &&mut (Option<CommitId>, Timestamp)| one.0 == runs.commit;
        if let Some((_, told)) = self.told.iter_mut().find(same) {
            let recent = *told <= runs.time && runs.time.since(*told) < TELLS_EVERY;
            if !recent {
                *told = runs.time;
            }
            return !recent;
        }
        if self.told.len() == TOLD {
            self.told.remove(0);
        }
        self.told.push((runs.commit.clone(), runs.time));
        true
    }

    fn new(name: &str, limit: usize) -> Known {
        let limits = Limits {
            // One service may not push out all others.
            memory: limit / 2,
            ..Limits::default()
        };
        let books = rate::Limits {
            bytes: limit / 4,
            ..rate::Limits::default()
        };
        Known {
            name: name.to_owned(),
            miner: Miner::new(limits),
            book: Book::new(books),
            unread: Unread::default(),
            repeats: Repeats::default(),
            limits: books,
            used: 0,
            kept: Timestamp::default(),
            changed: false,
            told: Vec::new(),
        }
    }

    /// Gives a message its template.
    pub fn read(&mut self, message: &str) -> Seen {
        self.changed = true;
        self.miner.read(message)
    }

    /// Notes that a record of this template was in an incident.
    pub fn mark(&mut self, template: Option<TemplateId>) {
        if let Some(template) = template {
            self.changed = true;
            self.book.mark(template);
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Known>()
            + 2 * self.name.len()
            + self.miner.bytes()
            + self.book.bytes()
            + self.unread.bytes()
            + self.repeats.bytes()
    }

    fn restore(&mut self, kept: &store::Learnt, log: &Log) {
        let say = |what: &str, why: &dyn std::fmt::Display| {
            let line = format!("{what} of {} could not be taken up: {why}", kept.service);
            log.once("learnt", Level::Warn, &line);
        };
        for line in kept.templates.lines() {
            let learnt = Learnt::parse(line);
            if let Err(why) = learnt.and_then(|learnt| self.miner.load(&learnt)) {
                say("a template", &why);
            }
        }
        if !kept.book.is_empty() {
            match serde_json::from_str(&kept.book) {
                Ok(learnt) => self.book = Book::load(self.limits, learnt),
                Err(why) => say("the past", &why),
            }
        }
    }

    /// Its state as text.
    fn keep(&mut self, now: Timestamp) -> Option<store::Learnt> {
        (self.kept, self.changed) = (now, false);
        let mut templates = String::new();
        for learnt in self.miner.export() {
            templates.push_str(&serde_json::to_string(&learnt).ok()?);
            templates.push('\n');
        }
        Some(store::Learnt {
            service: self.name.clone(),
            templates,
            book: serde_json::to_string(&self.book.export()).ok()?,
        })
    }
}
