//! What the fast lane keeps for each stream: the open trace, the lines before it, and which
//! service it belongs to. Bounded in streams and bytes; the stream that was quiet longest gives
//! way. It judges nothing.

use crate::model::{CommitId, Kind, Level, Timestamp};
use crate::pipeline::ring::Ring;
use crate::record::{Value, View};
use crate::registry::{CommitSource, Registry, commit_of_image};
use crate::trace::{Assembler, Taken};
use crate::triage::Verdict;
use std::collections::{HashMap, VecDeque};
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

    fn generation(&self) -> u64 {
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
    pub open: Assembler,
    pub ring: Ring,
    /// Number of the next line.
    pub next: u64,
    /// How its program last ended.
    pub ended: Option<Ended>,
    /// Levels of the lines that the assembler holds, by number.
    pub held: VecDeque<(u64, Level)>,
    source: CommitSource,
    generation: u64,
    used: u64,
}

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
            (Kind::Crash | Kind::Oom, Kind::Exit) => true,
            (Kind::Oom, Kind::Oom) => self.reason != verdict.reason,
            _ => false,
        };
        soon && same
    }
}

/// All streams of one lane.
pub struct Streams {
    services: Arc<Services>,
    by_key: HashMap<u64, Stream>,
    context_lines: usize,
    limit: usize,
    clock: u64,
}

impl Streams {
    /// Keeps rings and open traces within `limit` bytes.
    pub fn new(services: Arc<Services>, context_lines: usize, limit: usize) -> Streams {
        Streams {
            services,
            by_key: HashMap::new(),
            context_lines,
            limit,
            clock: 0,
        }
    }

    /// The stream of a record, made when it is new.
    pub fn of(&mut self, view: &View<'_>) -> &mut Stream {
        self.clock += 1;
        let (services, lines, clock) = (&self.services, self.context_lines, self.clock);
        let stream = self
            .by_key
            .entry(view.stream_key())
            .or_insert_with(|| Stream::new(view, lines));
        stream.used = clock;
        if stream.generation != services.generation() {
            stream.generation = services.generation();
            stream.join_service(view, &services.get());
        }
        stream.read_commit(view);
        stream
    }

    /// Every stream, in no order.
    pub fn all(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.by_key.values_mut()
    }

    /// Streams that must give way to stay within the limits, taken out.
    pub fn overflow(&mut self) -> Vec<Stream> {
        let mut bytes: usize = self.by_key.values().map(Stream::bytes).sum();
        let mut given_up = Vec::new();
        while self.by_key.len() > MAX_STREAMS || (bytes > self.limit && !self.by_key.is_empty()) {
            let oldest = self.by_key.iter().min_by_key(|(_, stream)| stream.used);
            let Some(key) = oldest.map(|(key, _)| *key) else {
                break;
            };
            if let Some(stream) = self.by_key.remove(&key) {
                bytes = bytes.saturating_sub(stream.bytes());
                given_up.push(stream);
            }
        }
        given_up
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

impl Stream {
    fn new(view: &View<'_>, context_lines: usize) -> Stream {
        Stream {
            name: view.stream_name(),
            service: String::new(),
            container: view.container().map(str::to_owned),
            commit: None,
            open: Assembler::default(),
            ring: Ring::new(context_lines),
            next: 0,
            ended: None,
            held: VecDeque::new(),
            source: CommitSource::None,
            generation: 0,
            used: 0,
        }
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
            }
            None => {
                let name = identity.names().next().unwrap_or(view.tag());
                self.service = crate::pipeline::ring::head(name, 200).to_owned();
                self.source = CommitSource::None;
            }
        }
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
        if commit.is_some() {
            self.commit = commit;
        }
    }

    fn bytes(&self) -> usize {
        self.ring.bytes() + self.open.bytes() + 512
    }
}
