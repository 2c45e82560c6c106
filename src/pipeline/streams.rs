//! What the fast lane keeps for each stream: the open trace, the lines before it, and which
//! service it belongs to. Bounded in streams and bytes; the stream that was quiet longest gives
//! way. It judges nothing.

use crate::model::{CommitId, Kind, Level, TemplateId, Timestamp};
use crate::pipeline::learned;
use crate::pipeline::ring::Ring;
use crate::rate::{Entry, Slot};
use crate::record::{Value, View};
use crate::registry::{CommitSource, Registry, commit_of_image};
use crate::trace::{Assembler, Taken};
use crate::triage::Verdict;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What is said this soon after a program's end may tell of that end.
const AFTERMATH: Duration = Duration::from_secs(10);

/// Levels of held lines that are remembered.
const MAX_HELD: usize = 128;

/// Streams kept at once, however small they are.
const MAX_STREAMS: usize = 4_096;

/// The registry that all lanes of an instance read, replaced as a whole when its files change.
#[derive(Debug, Default)]
pub struct Services {
    current: parking_lot::RwLock<Arc<Registry>>,
    generation: AtomicU64,
}

impl Services {
    pub fn new(registry: Registry) -> Services {
        Services {
            current: parking_lot::RwLock::new(Arc::new(registry)),
            generation: AtomicU64::new(1),
        }
    }

    pub fn get(&self) -> Arc<Registry> {
        Arc::clone(&self.current.read())
    }

    pub fn replace(&self, registry: Registry) {
        *self.current.write() = Arc::new(registry);
        self.generation.fetch_add(1, Ordering::Release);
    }

    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

/// One stream's state.
pub struct Stream {
    /// For people: tag, container and side.
    pub name: String,
    /// The registered service's name, else the container name or the tag.
    pub service: String,
    /// As the host names it.
    pub container: Option<String>,
    /// What the newest record says of the deployed commit, where the registry looks there.
    pub commit: Option<CommitId>,
    /// Another one, which begins with the record that is being read.
    coming: Option<CommitId>,
    pub open: Assembler,
    pub ring: Ring,
    /// Number of the next line.
    pub next: u64,
    /// Where its service stands in what was learnt.
    pub learned: learned::Place,
    /// What the newest line that was given a template counts as.
    pub opener: Option<Entry>,
    /// The newest lines that were given a template, by number.
    read: [Option<(u64, TemplateId)>; 3],
    /// Whether its service was told that it began.
    pub announced: bool,
    /// Event time at which it was last told what it runs.
    told: Option<Timestamp>,
    /// The place in which its program runs, and which run of it this is.
    pub slot: Slot,
    pub instance: u64,
    /// How its program last ended.
    pub ended: Option<Ended>,
    /// Levels of the lines that the assembler holds, by number.
    pub held: VecDeque<(u64, Level)>,
    source: CommitSource,
    generation: u64,
    used: u64,
    key: u64,
    /// It took lines since it was last weighed.
    grown: bool,
    weighed: usize,
}

/// That a service was seen running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs {
    pub service: String,
    pub container: Option<String>,
    /// `None`: the record does not say it.
    pub commit: Option<CommitId>,
    /// Event time.
    pub time: Timestamp,
}

/// How often a stream says what it runs.
pub(super) const TELLS_EVERY: Duration = Duration::from_secs(60);

/// The end of a program, as a crash or a kill for memory told it. What follows at once tells of
/// the same end: its exit status, and what others say of the kill.
#[derive(Debug)]
pub struct Ended {
    kind: Kind,
    /// The rule that saw it.
    reason: String,
    at: Timestamp,
}

impl Ended {
    pub fn by(verdict: &Verdict, at: Timestamp) -> Ended {
        Ended {
            kind: verdict.kind,
            reason: verdict.reason.clone(),
            at,
        }
    }

    /// Whether a line's verdict is about this very end. The same rule twice means two ends.
    pub fn tells(&self, verdict: &Verdict, time: Timestamp) -> bool {
        let soon = time >= self.at && time.since(self.at) <= AFTERMATH;
        let same = match (self.kind, verdict.kind) {
            (Kind::Crash | Kind::Oom | Kind::Environment, Kind::Exit) => true,
            (Kind::Oom, Kind::Oom) => self.reason != verdict.reason,
            _ => false,
        };
        soon && same
    }
}

/// All streams of one lane.
pub struct Streams {
    services: Arc<Services>,
    all: Vec<Stream>,
    /// Places in `all`. The key is a hash already.
    by_key: HashMap<u64, usize, Unhashed>,
    /// Key and place of the record before: lines come in runs.
    last: Option<(u64, usize)>,
    /// Places of streams that grew since they were last weighed.
    grown: Vec<usize>,
    /// Bytes of all, as last weighed.
    bytes: usize,
    context_lines: usize,
    limit: usize,
    clock: u64,
}

impl Streams {
    /// Keeps rings and open traces within `limit` bytes.
    pub fn new(services: Arc<Services>, context_lines: usize, limit: usize) -> Streams {
        Streams {
            services,
            all: Vec::new(),
            by_key: HashMap::default(),
            last: None,
            grown: Vec::new(),
            bytes: 0,
            context_lines,
            limit,
            clock: 0,
        }
    }

    /// The stream of a record, made when it is new.
    pub fn of(&mut self, view: &View<'_>) -> &mut Stream {
        self.clock += 1;
        let at = self.place(view);
        let stream = &mut self.all[at];
        stream.used = self.clock;
        if !stream.grown {
            stream.grown = true;
            self.grown.push(at);
        }
        let generation = self.services.generation();
        if stream.generation != generation {
            stream.generation = generation;
            stream.join_service(view, &self.services.get());
        }
        stream.read_commit(view);
        stream
    }

    fn place(&mut self, view: &View<'_>) -> usize {
        let key = view.stream_key();
        match self.last {
            Some((last, at)) if last == key => return at,
            Some(_) | None => {}
        }
        let at = *self.by_key.entry(key).or_insert(self.all.len());
        if at == self.all.len() {
            self.all.push(Stream::new(key, view, self.context_lines));
        }
        self.last = Some((key, at));
        at
    }

    /// The registry that all lanes read.
    pub fn services(&self) -> Arc<Services> {
        Arc::clone(&self.services)
    }

    /// The registry as it is now.
    pub fn registry(&self) -> Arc<Registry> {
        self.services.get()
    }

    /// Every stream, in no order.
    pub fn all(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.all.iter_mut()
    }

    /// Streams that must give way to stay within the limits, taken out: those that were quiet
    /// longest, an eighth at once, so that a flood of streams costs one look in many.
    pub fn overflow(&mut self) -> Vec<Stream> {
        self.weigh();
        let mut given_up = Vec::new();
        while self.all.len() > MAX_STREAMS || (self.bytes > self.limit && !self.all.is_empty()) {
            let mut ages: Vec<u64> = self.all.iter().map(|stream| stream.used).collect();
            let eighth = ages.len() / 8;
            let (_, age, _) = ages.select_nth_unstable(eighth);
            let age = *age;
            let gone = self.all.extract_if(.., |stream| stream.used <= age);
            given_up.extend(gone);
            let places = self.all.iter().enumerate();
            self.by_key = places.map(|(at, stream)| (stream.key, at)).collect();
            self.last = None;
            self.bytes = self.all.iter().map(|stream| stream.weighed).sum();
        }
        given_up
    }

    /// Looks again at what grew.
    fn weigh(&mut self) {
        for at in self.grown.drain(..) {
            let stream = &mut self.all[at];
            stream.grown = false;
            let bytes = stream.bytes();
            self.bytes = self.bytes + bytes - stream.weighed;
            stream.weighed = bytes;
        }
    }

    /// Bytes of all, as last weighed.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// Where the host says that the program runs, and which run of it this is.
fn slot(view: &View<'_>) -> (Slot, u64) {
    let who = view.identity();
    let instance = hash(&[who.container_id, who.ecs_task_arn, who.process()]);
    let slot = match (who.pod, who.fly_instance) {
        (Some(pod), _) => Slot::Pod(hash(&[who.namespace, Some(pod), who.container])),
        (None, Some(machine)) => Slot::Pod(hash(&[who.fly_app, Some(machine)])),
        (None, None) => {
            let name = who.container.or(who.unit).or(who.syslog_identifier);
            Slot::Name(hash(&[
                who.ecs_family,
                name,
                Some(view.tag()).filter(|_| name.is_none()),
            ]))
        }
    };
    (slot, instance)
}

fn hash(names: &[Option<&str>]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    names.hash(&mut hasher);
    hasher.finish()
}

/// Takes a number that is a hash already for its own hash.
#[derive(Clone, Copy, Debug, Default)]
struct AsIs(u64);

type Unhashed = BuildHasherDefault<AsIs>;

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl Stream {
    fn new(key: u64, view: &View<'_>, context_lines: usize) -> Stream {
        let (slot, instance) = slot(view);
        Stream {
            key,
            grown: false,
            weighed: 0,
            name: view.stream_name(),
            service: String::new(),
            container: view.container().map(str::to_owned),
            commit: None,
            coming: None,
            open: Assembler::default(),
            ring: Ring::new(context_lines),
            next: 0,
            announced: false,
            told: None,
            slot,
            instance,
            learned: learned::Place::default(),
            opener: None,
            read: [None; 3],
            ended: None,
            held: VecDeque::new(),
            source: CommitSource::None,
            generation: 0,
            used: 0,
        }
    }

    /// Remembers the template of a line. Three are enough: a trace's header and its first line,
    /// and the line that ended it.
    pub fn keep_template(&mut self, index: u64, template: TemplateId) {
        self.read.rotate_left(1);
        self.read[2] = Some((index, template));
    }

    /// The template of a line that was read lately.
    pub fn template_of(&self, index: u64) -> Option<TemplateId> {
        let read = self.read.iter().flatten();
        read.rev().find(|read| read.0 == index).map(|read| read.1)
    }

    /// Remembers the level of a line that the assembler holds.
    pub fn hold(&mut self, taken: Taken, index: u64, level: Option<Level>) {
        let (Taken::Inside, Some(level)) = (taken, level) else {
            return;
        };
        if self.held.len() >= MAX_HELD {
            self.held.pop_front();
        }
        self.held.push_back((index, level));
    }

    /// The level of a line that was held.
    pub fn level_held(&self, index: u64) -> Option<Level> {
        let held = self.held.iter().find(|(held, _)| *held == index);
        held.map(|(_, level)| *level)
    }

    fn join_service(&mut self, view: &View<'_>, registry: &Registry) {
        let identity = view.identity();
        let labels: Vec<_> = identity.labels().collect();
        let mut names = identity.registered(view.tag(), &labels);
        names.service = names.service.or(identity.compose_service);
        match registry.find(&names) {
            Some(found) => {
                self.service = found.name().to_owned();
                self.source = found.service.commit.clone();
                if let CommitSource::Fixed(commit) = &self.source {
                    self.commit = Some(commit.clone());
                }
            }
            None => {
                let name = identity.names().next().unwrap_or(view.tag());
                self.service = crate::pipeline::ring::head(name, 200).to_owned();
                self.source = CommitSource::None;
            }
        }
        self.learned = learned::Place::default();
    }

    /// Only keys of the record itself count: JSON out of a message names no commit.
    fn read_commit(&mut self, view: &View<'_>) {
        let read = |path: &str| view.host_field(path).and_then(Value::into_text);
        let commit = match &self.source {
            CommitSource::Field(path) => read(path).and_then(|text| CommitId::parse(&text)),
            CommitSource::Image(path) => read(path).and_then(|text| commit_of_image(&text)),
            CommitSource::Fixed(_)
            | CommitSource::Env(_)
            | CommitSource::File(_)
            | CommitSource::EcsMetadata
            | CommitSource::None => return,
        };
        if commit.is_some() && commit != self.commit {
            if self.commit.is_some() && self.open.is_open() {
                self.coming = commit;
                return;
            }
            self.commit = commit;
            self.told = None;
        }
    }

    /// Whether another commit begins with this record while lines of the last one are still open. They
    /// are closed then: what they tell happened in the last one.
    pub fn closes_the_last(&mut self) -> bool {
        if self.coming.is_some() {
            self.open.finish();
        }
        self.coming.is_some()
    }

    /// From here on what is read is the coming commit's.
    pub fn go_over(&mut self) {
        if let Some(commit) = self.coming.take() {
            self.commit = Some(commit);
            self.told = None;
        }
    }

    /// What it runs, where that is to be told again: once in a minute of event time, and when it is
    /// another commit. Services without one are not asked about.
    pub fn runs(&mut self, time: Timestamp) -> Option<Runs> {
        let recent = |told: Timestamp| told <= time && time.since(told) < TELLS_EVERY;
        if self.told.is_some_and(recent) || self.source == CommitSource::None {
            return None;
        }
        self.told = Some(time);
        Some(Runs {
            service: self.service.clone(),
            container: self.container.clone(),
            commit: self.commit.clone(),
            time,
        })
    }

    fn bytes(&self) -> usize {
        self.ring.bytes() + self.open.bytes() + 512
    }
}
