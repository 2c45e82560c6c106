//! The lane that reads: batches of news go to a small model, its checked answers come back as
//! watches, incidents and what is to be ignored. One request at a time. It may be slow, hang or
//! be gone for a day: nobody waits for it, what it cannot read in time merges and gives way, and
//! the built-in rules decide alone meanwhile.

mod asking;

use self::asking::Asking;
use crate::counters::Counters;
use crate::llm::{Breaker, Error, Leave, Model, Patience};
use crate::log::Log;
use crate::model::{CommitId, Level, Signal, Timestamp};
use crate::pipeline::clock;
use crate::pipeline::lane::{Halt, Turn};
use crate::pipeline::notes::{Order, Progress};
use crate::pipeline::streams::Services;
use crate::pipeline::verdicts::Read;
use crate::redact::{Redacted, Redactor, Settings};
use crate::registry::Service;
use crate::store::{self, Holder, Reading, Store};
use crate::triage::answer::Answer;
use crate::triage::entry::{Batch, News, Waiting};
use crate::triage::prompt::SYSTEM;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long the lane sleeps at most before it looks at the stop flag.
const PAUSE: Duration = Duration::from_millis(250);
/// Kinds of lines that wait at most, of all services.
const MOST_WAITING: usize = 500;
/// Tokens that prompt and answer take together at most.
const CONTEXT_TOKENS: u32 = 8_192;
/// How long one request may take in all.
const DEADLINE: Duration = Duration::from_secs(180);
/// How long asking for the server's context may take.
const LOOK: Duration = Duration::from_secs(10);
/// Services whose redactor and commit are remembered.
const MOST_SERVICES: usize = 1_024;

/// Whether redacted text of a service may go to the model.
pub type MayRead = Box<dyn Fn(Option<&Service>) -> bool + Send>;

/// What the lane is made of.
pub struct Parts {
    pub from: Receiver<Batch>,
    pub progress: Arc<Progress>,
    pub model: Box<dyn Model>,
    /// What it is called.
    pub name: String,
    pub entries: usize,
    pub may_read: MayRead,
    pub services: Arc<Services>,
    pub store: Store,
    pub holder: Arc<Holder>,
    pub orders: Sender<Order>,
    pub signals: Sender<Signal>,
    pub counters: Arc<Counters>,
    pub halt: Halt,
    pub log: Log,
    /// A replay: what the model cannot be asked now is given up, and all is read before the end.
    pub replay: bool,
}

/// The state of the lane.
pub struct Reader {
    parts: Parts,
    waiting: Waiting,
    breaker: Breaker,
    /// The server is left alone until then.
    not_before: Timestamp,
    rules: Redacted,
    /// Tokens that prompt and answer may take together.
    context: u32,
    /// Entries that go into a prompt now; fewer after one was too long.
    entries: usize,
    /// By service; `None`: its settings make none, so nothing of it may leave.
    redactors: HashMap<String, Option<Redactor>>,
    redactors_of: u64,
    commits: HashMap<String, (CommitId, Timestamp)>,
    /// Orders that the fast lane had no room for.
    orders: VecDeque<Order>,
    begun: bool,
    /// The model could not be asked, and that was said.
    down: bool,
    closed: bool,
    /// Batches that came.
    received: u64,
}

impl Reader {
    pub fn new(parts: Parts) -> Reader {
        Reader {
            waiting: Waiting::new(MOST_WAITING),
            breaker: Breaker::new(Patience::default()),
            not_before: Timestamp::default(),
            rules: Redacted::own(SYSTEM),
            context: CONTEXT_TOKENS,
            entries: parts.entries,
            redactors: HashMap::new(),
            redactors_of: 0,
            commits: HashMap::new(),
            orders: VecDeque::new(),
            begun: false,
            down: false,
            closed: false,
            received: 0,
            parts,
        }
    }

    /// Takes news in, or reads one batch.
    pub fn turn(&mut self) -> Turn {
        if !self.begun {
            self.begun = true;
            self.begin();
        }
        self.take_in();
        self.give_orders();
        if self.parts.halt.requested() && !self.parts.replay {
            return Turn::Done;
        }
        if !self.waiting.is_empty() {
            match self.breaker.leave(clock::now()) {
                Leave::Ask | Leave::Probe => self.read_next(),
                Leave::NotBefore(_) if self.parts.replay => self.give_up(),
                Leave::NotBefore(then) => self.not_before = then,
            }
        }
        let counters = &self.parts.counters;
        counters.entries_given_up.set(self.waiting.given_up);
        counters
            .news_waiting
            .set(self.waiting.len() as u64 + self.parts.from.len() as u64);
        if self.waiting.is_empty() && self.orders.is_empty() {
            self.parts
                .progress
                .done
                .store(self.received, Ordering::Release);
        }
        match self.closed && self.waiting.is_empty() && self.orders.is_empty() {
            true => Turn::Done,
            false => Turn::Again,
        }
    }

    /// What another process left unread, and a first word to the server, which loads the model.
    fn begin(&mut self) {
        match self.parts.store.take_over_unread(clock::now()) {
            Ok(batches) => batches
                .into_iter()
                .for_each(|batch| self.waiting.push(batch)),
            Err(fault) => self.could_not_keep(&fault),
        }
        let warm = self.parts.model.warm(CONTEXT_TOKENS, DEADLINE);
        self.breaker.heard(clock::now(), &warm);
        match warm {
            Ok(()) => {
                self.look_at_context();
                let line = format!("triage: {} reads what is new", self.parts.name);
                self.parts.log.info(&line);
            }
            Err(fault) => self.failed(&fault),
        }
    }

    /// A server may give a model less context than is asked for, and say so only here.
    fn look_at_context(&mut self) {
        if let Ok(about) = self.parts.model.look(LOOK)
            && let Some(context) = about.context
        {
            self.context = context.min(CONTEXT_TOKENS);
        }
    }

    fn take_in(&mut self) {
        let idle = self.waiting.is_empty() || clock::now() < self.not_before;
        let pause = if idle { PAUSE } else { Duration::ZERO };
        match self.parts.from.recv_timeout(pause) {
            Ok(batch) => self.add(batch),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.closed = true,
        }
        while let Ok(batch) = self.parts.from.try_recv() {
            self.add(batch);
        }
    }

    fn add(&mut self, mut batch: Batch) {
        self.received += 1;
        let service = batch.service.clone();
        self.note_commit(&batch);
        if !self.may_read(&service) {
            let line = format!("triage: Egress keeps {service} from the model; the rules decide");
            self.parts
                .log
                .once(&format!("egress {service}"), Level::Warn, &line);
            return;
        }
        self.leave_out_settled(&mut batch);
        if batch.entries.is_empty() {
            return;
        }
        self.waiting.push(batch);
        self.keep_unread(&service);
    }

    fn may_read(&self, service: &str) -> bool {
        let registry = self.parts.services.get();
        let found = registry.named(service);
        (self.parts.may_read)(found.as_ref().map(|found| &*found.service))
    }

    fn note_commit(&mut self, batch: &Batch) {
        let commits = batch
            .entries
            .iter()
            .filter_map(|entry| entry.example.as_ref());
        let Some(commit) = commits.rev().find_map(|example| example.commit.clone()) else {
            return;
        };
        let known = self.commits.get(&batch.service);
        if known.is_some_and(|(known, _)| *known == commit) || self.commits.len() >= MOST_SERVICES {
            return;
        }
        // Of a commit that was there at the start it is not known how long it has been there.
        let since = known.map_or(Timestamp::default(), |_| clock::now());
        self.commits.insert(batch.service.clone(), (commit, since));
    }

    /// Takes out what an earlier verdict says is to be ignored; what rises is shown again.
    fn leave_out_settled(&mut self, batch: &mut Batch) {
        let now = clock::now();
        let settled = match self.parts.store.settled(&batch.service, now) {
            Ok(settled) => settled,
            Err(fault) => return self.could_not_keep(&fault),
        };
        let commit = self.commits.get(&batch.service).map(|(commit, _)| commit);
        let mut rising = Vec::new();
        batch.entries.retain(|entry| {
            if entry.news == News::Rising {
                rising.push(entry.template);
                return true;
            }
            !settled.iter().any(|row| {
                row.template == entry.template
                    && row.facets == entry.facets
                    && row.holds(commit, now)
            })
        });
        for template in rising {
            if let Err(fault) = self.parts.store.unsettle(&batch.service, template, now) {
                self.could_not_keep(&fault);
            }
        }
    }

    fn read_next(&mut self) {
        let Some(batch) = self.waiting.take(self.entries) else {
            return;
        };
        let service = batch.service.clone();
        let Some(redactor) = self.redactor(&service) else {
            self.parts.counters.triage_failed.add(1);
            return self.keep_unread(&service);
        };
        let mut scope = redactor.scope();
        let (prompt, batch) = self.prompt(batch, &mut scope);
        match self.ask(&batch, &prompt, &mut scope) {
            // Nobody would take what came of it; it waits in the store for the next process.
            Asking::Read(..) if self.parts.halt.requested() && !self.parts.replay => return,
            Asking::Read(answer, reading) => {
                self.up();
                self.apply(&batch, &answer, &reading);
            }
            Asking::Failed(reading) => {
                self.up();
                self.parts.counters.triage_failed.add(1);
                self.save(&batch.service, &reading, &[]);
            }
            Asking::Shorter => {
                self.entries = (batch.entries.len() / 2).max(1);
                self.waiting.push(batch);
            }
            Asking::Later(fault) => {
                self.failed(&fault);
                self.waiting.push(batch);
            }
        }
        self.keep_unread(&service);
    }

    /// Every effect of an answer, the store first.
    fn apply(&mut self, batch: &Batch, answer: &Answer, reading: &Reading) {
        let commit = self.commits.get(&batch.service).map(|(commit, _)| commit);
        let read = Read {
            batch,
            answer,
            model: &reading.model,
            commit,
            now: clock::now(),
        };
        let (rows, orders, signals) = (read.rows(), read.orders(), read.signals());
        self.parts
            .counters
            .entries_read
            .add(batch.entries.len() as u64);
        self.save(&batch.service, reading, &rows);
        self.orders.extend(orders);
        self.give_orders();
        for signal in signals {
            if self.parts.signals.send(signal).is_err() {
                self.parts.counters.signals_dropped.add(1);
            }
        }
    }

    fn give_orders(&mut self) {
        while let Some(order) = self.orders.pop_front() {
            if let Err(back) = self.parts.orders.try_send(order) {
                if back.is_full() {
                    self.orders.push_front(back.into_inner());
                }
                return;
            }
        }
    }

    fn redactor(&mut self, service: &str) -> Option<Redactor> {
        let generation = self.parts.services.generation();
        if self.redactors_of != generation || self.redactors.len() > MOST_SERVICES {
            self.redactors_of = generation;
            self.redactors.clear();
        }
        if let Some(known) = self.redactors.get(service) {
            return known.clone();
        }
        let registry = self.parts.services.get();
        let found = registry.named(service);
        let settings = found.map_or_else(Settings::default, |found| {
            Settings::from(&found.service.redact)
        });
        let made = Redactor::new(&settings).map_err(|complaints| {
            let all: Vec<String> = complaints.iter().map(ToString::to_string).collect();
            let all = all.join("; ");
            let line = format!("triage: nothing of {service} is sent until redaction works: {all}");
            self.parts
                .log
                .once(&format!("redact {service}"), Level::Error, &line);
        });
        let made = made.ok();
        self.redactors.insert(service.to_owned(), made.clone());
        made
    }

    fn keep_unread(&mut self, service: &str) {
        let batch = self.waiting.of(service);
        let holder = self.parts.holder.name();
        let kept = self
            .parts
            .store
            .save_unread(holder, service, batch, clock::now());
        if let Err(fault) = kept {
            self.could_not_keep(&fault);
        }
    }

    fn save(&mut self, service: &str, reading: &Reading, rows: &[store::VerdictRow]) {
        let kept = self
            .parts
            .store
            .save_reading(service, reading, rows, clock::now());
        if let Err(fault) = kept {
            self.could_not_keep(&fault);
        }
    }

    fn could_not_keep(&self, fault: &store::Error) {
        self.parts.counters.store_faults.add(1);
        let line = format!("triage: what the model read could not be kept: {fault}");
        self.parts.log.once("readings", Level::Warn, &line);
    }

    fn failed(&mut self, fault: &Error) {
        if !self.down {
            self.down = true;
            let line = format!("triage: the rules decide alone for now: {fault}");
            self.parts.log.warn(&line);
        }
    }

    fn up(&mut self) {
        if std::mem::take(&mut self.down) {
            self.parts.log.info("triage: the model answers again");
        }
    }

    fn give_up(&mut self) {
        while let Some(batch) = self.waiting.take(MOST_WAITING) {
            self.parts.counters.triage_failed.add(1);
            self.keep_unread(&batch.service);
        }
    }
}
