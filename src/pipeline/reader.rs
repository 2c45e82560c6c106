//! The lane that reads: batches of news go to a small model, its checked answers come back as
//! watches, incidents and what is to be ignored. One request at a time. It may be slow, hang or
//! be gone for a day: nobody waits for it, what it cannot read in time merges and gives way, and
//! the built-in rules decide alone meanwhile.

use crate::counters::Counters;
use crate::llm::breaker::{Breaker, Leave, Patience};
use crate::llm::{Ask, Error, ErrorKind, Model};
use crate::log::Log;
use crate::model::{CommitId, Level, Signal, Timestamp};
use crate::pipeline::clock;
use crate::pipeline::lane::{Halt, Turn};
use crate::pipeline::notes::{Order, Progress};
use crate::pipeline::streams::Services;
use crate::pipeline::verdicts::{self, Read};
use crate::redact::{Redacted, Redactor, Scope, Settings};
use crate::registry::Service;
use crate::store::{self, Holder, Reading, Store};
use crate::triage::answer::{self, Answer, Asked};
use crate::triage::entry::{Batch, Entry, News, Waiting};
use crate::triage::prompt::{self, Active, Prompt, SYSTEM};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long the lane sleeps at most before it looks at the stop flag.
const PAUSE: Duration = Duration::from_millis(250);
/// Kinds of lines that wait at most, of all services.
const MOST_WAITING: usize = 500;
/// Bytes of a prompt: about 3,000 tokens, which a small model on two busy cores reads within a
/// minute.
const PROMPT_BYTES: usize = 8_000;
/// Tokens that prompt and answer may take together.
const CONTEXT_TOKENS: u32 = 8_192;
/// Tokens of an answer: for each entry, and at most.
const TOKENS_EACH: usize = 90;
const MOST_TOKENS: usize = 2_048;
/// How long one request may take in all.
const DEADLINE: Duration = Duration::from_secs(180);
/// Bytes of an answer that are kept.
const ANSWER_KEPT: usize = 4_096;
/// How long a new commit is worth a word.
const FRESH: Duration = Duration::from_secs(3_600);
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

/// How asking ended.
enum Asking {
    Read(Answer, Reading),
    /// No answer can be used: the rules decide.
    Failed(Reading),
    /// Not now; the batch goes on waiting.
    Later(Error),
    /// It was too long: fewer entries, at once.
    Shorter,
}

impl Reader {
    pub fn new(parts: Parts) -> Reader {
        Reader {
            waiting: Waiting::new(MOST_WAITING),
            breaker: Breaker::new(Patience::default()),
            not_before: Timestamp::default(),
            rules: Redacted::own(SYSTEM),
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
        counters.news_waiting.set(self.waiting.len() as u64 + self.parts.from.len() as u64);
        if self.waiting.is_empty() && self.orders.is_empty() {
            self.parts.progress.done.store(self.received, Ordering::Release);
        }
        match self.closed && self.waiting.is_empty() && self.orders.is_empty() {
            true => Turn::Done,
            false => Turn::Again,
        }
    }

    /// What another process left unread, and a first word to the server, which loads the model.
    fn begin(&mut self) {
        match self.parts.store.take_over_unread(clock::now()) {
            Ok(batches) => batches.into_iter().for_each(|batch| self.waiting.push(batch)),
            Err(fault) => self.could_not_keep(&fault),
        }
        match self.parts.model.warm(CONTEXT_TOKENS, DEADLINE) {
            Ok(()) => {
                let line = format!("triage: {} reads what is new", self.parts.name);
                self.parts.log.info(&line);
            }
            Err(fault) => self.failed(&fault),
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
            self.parts.log.once(&format!("egress {service}"), Level::Warn, &line);
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
        let commits = batch.entries.iter().filter_map(|entry| entry.example.as_ref());
        let Some(commit) = commits.filter_map(|example| example.commit.clone()).last() else {
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
                    && row.commit.as_ref() == commit
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
        let (prompt, rest) = self.prompt(batch, &mut scope);
        let (prompt, batch) = prompt;
        if let Some(rest) = rest {
            self.waiting.push(rest);
        }
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

    /// The prompt for the first entries of a batch, those entries, and what did not fit.
    fn prompt(&mut self, mut batch: Batch, scope: &mut Scope) -> ((Prompt, Batch), Option<Batch>) {
        let registry = self.parts.services.get();
        let found = registry.named(&batch.service);
        let service = found.as_ref().map(|found| &*found.service);
        let owner = owner(service, &batch.service);
        let (past, active) = self.known(&owner, &batch.service);
        let newest = batch.entries.iter().map(|entry| entry.last_seen).max();
        let ask = prompt::Ask {
            service: &batch.service,
            description: service.and_then(|service| service.description.as_deref()),
            deployed: self.deployed(&batch.service),
            watches: &active,
            past: &past,
            entries: &batch.entries,
            now: newest.unwrap_or_default(),
        };
        let prompt = prompt::write(&ask, scope, PROMPT_BYTES);
        let rest = batch.entries.split_off(prompt.shown.min(batch.entries.len()));
        let rest = (!rest.is_empty()).then(|| Batch {
            service: batch.service.clone(),
            since: batch.since,
            entries: rest,
        });
        ((prompt, batch), rest)
    }

    /// Past verdicts of the owner, and the watches that are active for the service.
    fn known(&self, owner: &str, service: &str) -> (Vec<prompt::Past>, Vec<Active>) {
        let past = self.parts.store.past_verdicts(owner).unwrap_or_default();
        let past = past.iter().map(verdicts::past).collect();
        let now = clock::now();
        let rows = self.parts.store.watches().unwrap_or_default();
        let here = |row: &store::WatchRow| {
            row.service.as_deref().is_none_or(|own| own == service)
                && row.expires.is_none_or(|end| end > now)
        };
        let active = rows.into_iter().filter(here).map(|row| Active {
            label: row.label,
            matched: row.matched,
            fired: row.fired,
        });
        (past, active.collect())
    }

    fn deployed(&self, service: &str) -> Option<Duration> {
        let (_, since) = self.commits.get(service)?;
        let ago = clock::now().since(*since);
        (ago < FRESH).then_some(ago)
    }

    /// Asks, and once more where the answer cannot be used.
    fn ask(&mut self, batch: &Batch, prompt: &Prompt, scope: &mut Scope) -> Asking {
        let asked = Asked {
            service: batch.service.clone(),
            entries: batch.entries.len(),
            fields: fields(&batch.entries),
            now: clock::now(),
        };
        let mut reading = self.reading(&batch.service);
        let mut user = prompt.user.clone();
        for _ in 0..2 {
            let fault = match self.ask_once(&user, &asked, &mut reading) {
                Ok(text) => match answer::read(&text, &asked) {
                    Ok(answer) => return Asking::Read(answer, reading),
                    Err(fault) => fault.0,
                },
                Err(fault) if fault.is_of_the_server() => return Asking::Later(fault),
                Err(fault) => {
                    let long = matches!(fault.kind, ErrorKind::TooLong | ErrorKind::Truncated);
                    if long && batch.entries.len() > 1 {
                        return Asking::Shorter;
                    }
                    fault.to_string()
                }
            };
            user = prompt::again(&prompt.user, &fault, scope);
            reading.fault = Some(fault);
        }
        Asking::Failed(reading)
    }

    fn ask_once(
        &mut self,
        user: &Redacted,
        asked: &Asked,
        reading: &mut Reading,
    ) -> Result<String, Error> {
        let characters = (SYSTEM.len() + user.len()) as u64;
        let counters = Arc::clone(&self.parts.counters);
        counters.triage_requests.add(1);
        counters.triage_characters.add(characters);
        reading.prompt_hash = hash(user);
        reading.prompt_chars += characters;
        let tokens = (TOKENS_EACH * asked.entries + TOKENS_EACH).min(MOST_TOKENS);
        let started = Instant::now();
        let answered = self.parts.model.ask(&Ask {
            system: &self.rules,
            user,
            schema: &answer::schema(asked.entries),
            max_tokens: u32::try_from(tokens).unwrap_or(u32::MAX),
            context_tokens: CONTEXT_TOKENS,
            deadline: DEADLINE,
        });
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        reading.millis += millis;
        let answered = answered?;
        let (prompt, answer) = (answered.prompt_tokens, answered.answer_tokens);
        let (prompt, answer) = (prompt.unwrap_or(0), answer.unwrap_or(0));
        reading.prompt_tokens += prompt;
        reading.answer_tokens += answer;
        counters.triage_tokens.add(prompt + answer);
        reading.answer = answered.text.chars().take(ANSWER_KEPT).collect();
        Ok(answered.text)
    }

    fn reading(&self, service: &str) -> Reading {
        let registry = self.parts.services.get();
        let found = registry.named(service);
        Reading {
            owner: owner(found.as_ref().map(|found| &*found.service), service),
            model: self.parts.name.clone(),
            ..Reading::default()
        }
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
        self.parts.counters.entries_read.add(batch.entries.len() as u64);
        let done = Reading {
            fault: None,
            ..reading.clone()
        };
        self.save(&batch.service, &done, &rows);
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
        let settings = found.map_or_else(Settings::default, |found| settings(&found.service));
        let made = Redactor::new(&settings).map_err(|complaints| {
            let all: Vec<String> = complaints.iter().map(ToString::to_string).collect();
            let all = all.join("; ");
            let line = format!("triage: nothing of {service} is sent until redaction works: {all}");
            self.parts.log.once(&format!("redact {service}"), Level::Error, &line);
        });
        let made = made.ok();
        self.redactors.insert(service.to_owned(), made.clone());
        made
    }

    fn keep_unread(&mut self, service: &str) {
        let batch = self.waiting.of(service);
        let holder = self.parts.holder.name();
        let kept = self.parts.store.save_unread(holder, service, batch, clock::now());
        if let Err(fault) = kept {
            self.could_not_keep(&fault);
        }
    }

    fn save(&mut self, service: &str, reading: &Reading, rows: &[store::VerdictRow]) {
        let kept = self.parts.store.save_reading(service, reading, rows, clock::now());
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
        self.breaker.failed(clock::now(), fault.retry_after());
        if !self.down {
            self.down = true;
            let line = format!("triage: the rules decide alone for now: {fault}");
            self.parts.log.warn(&line);
        }
    }

    fn up(&mut self) {
        self.breaker.succeeded();
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

/// Whose verdicts these are: they do not cross it.
fn owner(service: Option<&Service>, name: &str) -> String {
    let owner = service.and_then(|service| service.owner.clone());
    owner.unwrap_or_else(|| format!("service {name}"))
}

fn settings(service: &Service) -> Settings {
    Settings {
        ip: false,
        patterns: service.redact.patterns.clone(),
        allow: service.redact.allow.clone(),
    }
}

fn fields(entries: &[Entry]) -> BTreeSet<String> {
    let examples = entries.iter().filter_map(|entry| entry.example.as_ref());
    let fields = examples.flat_map(|example| &example.fields);
    fields.map(|(path, _)| path.clone()).collect()
}

fn hash(user: &Redacted) -> String {
    let mut hash = Sha256::new();
    hash.update(SYSTEM);
    hash.update([0]);
    hash.update(user.as_str());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
