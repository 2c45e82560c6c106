//! Lines that an engine cut into parts, put together again per stream, within limits on bytes,
//! parts and time. Stack traces of several lines are not joined here; `trace` does that.

use crate::model::Timestamp;
use crate::record::decode::{Item, Map, Record};
use crate::record::encode;
use crate::record::keys::Keys;
use crate::record::side::Side;
use crate::record::value::Value;
use crate::record::view::View;
use crate::record::wrapped::Wrapped;
use std::collections::HashMap;
use std::time::Duration;

/// Longest line that is put together, in bytes; what follows is dropped and the line is marked
/// as cut.
pub const MAX_BYTES: usize = 1 << 20;
/// Parts of one line; a 50 MB line of Docker's 16 KB parts stays below.
pub const MAX_PARTS: u32 = 8_192;
/// Wall-clock time from the first part on, after which a line is given out without its end.
/// Engines write the parts of a line within milliseconds.
pub const MAX_WAIT: Duration = Duration::from_secs(5);
/// Lines held open at once.
const MAX_OPEN: usize = 1_024;
/// Bytes held by all of them.
const MAX_HELD: usize = 16 << 20;
/// Streams whose habit is remembered.
const MAX_HABITS: usize = 8_192;
/// Docker cuts lines at this many bytes.
const DOCKER_PART: usize = 16 << 10;
/// Short lines without a newline in a row, after which a stream in Docker's shape is taken for
/// one from which somebody strips the newlines.
const STRIPPED_AFTER: usize = 8;

/// How a line stands to the parts around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Its agent does not cut lines.
    Whole,
    /// CRI `F`: a whole line, or the last part of one.
    Last,
    /// CRI `P`: more of the same line follows.
    More,
    /// Docker with the newline at its end: a whole line, or the last part of one.
    Ended,
    /// Docker without it: more follows, unless somebody strips this stream's newlines.
    Unended,
    /// A piece with an id of its line (FireLens, journald).
    Piece { id: &'a [u8], last: bool },
}

impl<'a> Part<'a> {
    pub(super) fn of(keys: &Keys<'a>) -> Part<'a> {
        if keys.partial_message.is_some_and(truth) {
            let last = keys.partial_last.is_some_and(truth);
            let id = keys.partial_id.unwrap_or_default();
            return Part::Piece { id, last };
        }
        if let Some(tag) = keys.logtag {
            return match tag.first() {
                Some(b'P') => Part::More,
                _ => Part::Last,
            };
        }
        if keys.stream.is_some() && keys.log_first {
            let ended = keys.message.is_some_and(|line| line.ends_with(b"\n"));
            return if ended { Part::Ended } else { Part::Unended };
        }
        Part::Whole
    }

    pub(super) fn of_wrapped(inner: &Wrapped<'_>) -> Part<'a> {
        match (inner.partial, inner.logtag) {
            (false, Some(_)) => Part::Last,
            (true, Some(_)) => Part::More,
            (false, None) => Part::Ended,
            (true, None) => Part::Unended,
        }
    }

    /// Whether the bytes may be joined with others.
    pub(super) fn is_part(self) -> bool {
        !matches!(self, Part::Whole)
    }
}

fn truth(item: Item<'_>) -> bool {
    match Value::from_item(item) {
        Value::Bool(value) => value,
        Value::Text(text) => text == "true",
        Value::Int(value) => value != 0,
        Value::Null | Value::Unsigned(_) | Value::Float(_) | Value::Nested => false,
    }
}

/// Puts the parts of all streams of one lane together.
#[derive(Debug, Default)]
pub struct Joiner {
    open: HashMap<u64, Open>,
    held: usize,
    /// Streams in Docker's shape: whether their lines end with a newline.
    habits: HashMap<u64, bool>,
}

/// A line whose end is missing.
#[derive(Debug)]
struct Open {
    tag: String,
    /// The first part's record, which carries the fields that the host set.
    body: Vec<u8>,
    side: Side,
    id: Vec<u8>,
    text: Vec<u8>,
    /// Where each of the first parts ends, and its event time.
    ends: Vec<(usize, Timestamp)>,
    parts: u32,
    cut: bool,
    time: Timestamp,
    /// Wall clock.
    since: Timestamp,
    /// It may be lines of their own: Docker's shape, newlines stripped.
    unsure: bool,
    docker: bool,
}

impl Joiner {
    pub fn new() -> Joiner {
        Joiner::default()
    }

    /// Takes a record and calls `emit` for every record that is whole now, in order: none while
    /// parts are missing, else the record itself or a joined one, after whatever had to be given
    /// up on the same stream. `now` is the wall clock.
    pub fn push(&mut self, view: &View<'_>, now: Timestamp, mut emit: impl FnMut(&View<'_>)) {
        let part = view.part();
        if part == Part::Whole && self.open.is_empty() {
            return emit(view);
        }
        let key = view.stream_key();
        match part {
            Part::Whole => {
                self.close(key, &mut emit);
                emit(view);
            }
            Part::Last => self.last(key, view, now, &mut emit),
            Part::More => self.hold(key, view, now, &[], &mut emit),
            Part::Ended => {
                self.learn(key, true);
                self.last(key, view, now, &mut emit);
            }
            Part::Unended => self.unended(key, view, now, &mut emit),
            Part::Piece { id, last } => {
                if self.open.get(&key).is_some_and(|open| open.id != id) {
                    self.close(key, &mut emit);
                }
                self.hold(key, view, now, id, &mut emit);
                if last {
                    self.close(key, &mut emit);
                }
            }
        }
    }

    /// Gives out what waited too long for its last part.
    pub fn idle(&mut self, now: Timestamp, mut emit: impl FnMut(&View<'_>)) {
        let mut late: Vec<u64> = Vec::new();
        for (key, open) in &mut self.open {
            // A clock that was set back must not hold lines for ever.
            open.since = open.since.min(now);
            if now.since(open.since) >= MAX_WAIT {
                late.push(*key);
            }
        }
        for key in late {
            self.close(key, &mut emit);
        }
    }

    /// Gives out everything that is held.
    pub fn finish(&mut self, mut emit: impl FnMut(&View<'_>)) {
        let mut keys: Vec<(Timestamp, u64)> = self
            .open
            .iter()
            .map(|(key, open)| (open.since, *key))
            .collect();
        keys.sort_unstable();
        for (_, key) in keys {
            self.close(key, &mut emit);
        }
    }

    fn last(
        &mut self,
        key: u64,
        view: &View<'_>,
        now: Timestamp,
        emit: &mut impl FnMut(&View<'_>),
    ) {
        // Two engines' lines under one tag: the parts of one are not the other's.
        let docker = view.part() == Part::Ended;
        if self
            .open
            .get(&key)
            .is_some_and(|open| open.docker != docker)
        {
            self.close(key, emit);
        }
        if !self.open.contains_key(&key) {
            return emit(view);
        }
        self.hold(key, view, now, &[], emit);
        if let Some(open) = self.open.get_mut(&key) {
            open.unsure = false;
        }
        self.close(key, emit);
    }

    fn unended(
        &mut self,
        key: u64,
        view: &View<'_>,
        now: Timestamp,
        emit: &mut impl FnMut(&View<'_>),
    ) {
        let habit = self.habits.get(&key).copied();
        let full = view.piece().len() >= DOCKER_PART;
        if habit == Some(false) && !full && !self.open.contains_key(&key) {
            return emit(view);
        }
        self.hold(key, view, now, &[], emit);
        let Some(open) = self.open.get_mut(&key) else {
            return;
        };
        open.unsure = habit != Some(true) && !full && (open.parts == 1 || open.unsure);
        if open.unsure && open.ends.len() >= STRIPPED_AFTER {
            self.learn(key, false);
            self.close(key, emit);
        }
    }

    /// Remembers how a stream ends its lines. Whoever was seen to end one does so for good.
    fn learn(&mut self, key: u64, ends: bool) {
        if self.habits.len() >= MAX_HABITS && !self.habits.contains_key(&key) {
            self.habits.clear();
        }
        let habit = self.habits.entry(key).or_insert(ends);
        *habit |= ends;
    }

    fn hold(
        &mut self,
        key: u64,
        view: &View<'_>,
        now: Timestamp,
        id: &[u8],
        emit: &mut impl FnMut(&View<'_>),
    ) {
        if !self.open.contains_key(&key) && self.open.len() >= MAX_OPEN {
            self.close_oldest(emit);
        }
        let piece = view.piece();
        let open = self.open.entry(key).or_insert_with(|| {
            let open = Open::new(view, id, now);
            self.held += open.body.len();
            open
        });
        self.held += open.add(piece, view.time());
        if open.parts >= MAX_PARTS {
            self.close(key, emit);
        }
        while self.held > MAX_HELD && !self.open.is_empty() {
            self.close_oldest(emit);
        }
    }

    fn close_oldest(&mut self, emit: &mut impl FnMut(&View<'_>)) {
        let oldest = self.open.iter().min_by_key(|(_, open)| open.since);
        if let Some(key) = oldest.map(|(key, _)| *key) {
            self.close(key, emit);
        }
    }

    fn close(&mut self, key: u64, emit: &mut impl FnMut(&View<'_>)) {
        if let Some(open) = self.open.remove(&key) {
            self.held -= open.text.len() + open.body.len();
            open.give(emit);
        }
    }
}

impl Open {
    fn new(view: &View<'_>, id: &[u8], now: Timestamp) -> Open {
        let mut body = Vec::new();
        encode::copy(&mut body, view.body());
        Open {
            tag: view.tag().to_owned(),
            body,
            side: view.side(),
            id: id.to_vec(),
            text: Vec::new(),
            ends: Vec::new(),
            parts: 0,
            cut: false,
            time: view.time(),
            since: now,
            unsure: false,
            docker: view.part() == Part::Unended,
        }
    }

    /// Adds a part and says by how many bytes it grew.
    fn add(&mut self, piece: &[u8], time: Timestamp) -> usize {
        let kept = piece.len().min(MAX_BYTES - self.text.len());
        self.cut |= kept < piece.len();
        self.text.extend_from_slice(&piece[..kept]);
        self.parts += 1;
        if self.ends.len() < STRIPPED_AFTER {
            self.ends.push((self.text.len(), time));
        }
        kept
    }

    fn give(&self, emit: &mut impl FnMut(&View<'_>)) {
        let Some(body) = Map::from_bytes(&self.body) else {
            return;
        };
        let view = |time, text| {
            let record = Record {
                time,
                metadata: None,
                body,
                group: None,
            };
            View::new(&self.tag, record).with_text(text, self.side, self.cut)
        };
        if !self.unsure {
            return emit(&view(self.time, self.text.as_slice()));
        }
        let mut start = 0;
        for (end, time) in &self.ends {
            let text = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            emit(&view(*time, text));
        }
        // Of an engine that marks its parts, behind a few of one that does not.
        let rest = self.text.get(start..).unwrap_or_default();
        if !rest.is_empty() {
            emit(&view(self.time, rest));
        }
    }
}
