//! Takes apart what a host delivers: concatenated msgpack events in both of its layouts, borrowed
//! from the chunk, with the markers that open and close a group. It does not know what a record's
//! keys mean; that is `view`.

use crate::model::Timestamp;
use crate::record::msgpack::read;
pub use crate::record::msgpack::{Array, FaultKind, Item, MAX_DEPTH, Map};
use std::fmt;

/// Seconds that mark the start of a group of records instead of a time.
const GROUP_START: u32 = 0xFFFF_FFFF;
/// Seconds that mark the end of a group.
const GROUP_END: u32 = 0xFFFF_FFFE;

/// What a group marker said; holds for the records between start and end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group<'a> {
    /// Such as `{schema: "otlp", resource_id, scope_id}`.
    pub metadata: Map<'a>,
    /// Such as `{resource: {attributes: {…}}, scope: {…}}`.
    pub body: Map<'a>,
}

/// One log record as the host delivered it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// The host's event time.
    pub time: Timestamp,
    pub metadata: Option<Map<'a>>,
    pub body: Map<'a>,
    /// The group that is open at this record.
    pub group: Option<Group<'a>>,
}

/// One event of a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event<'a> {
    Record(Record<'a>),
    /// Later records already carry it in [`Record::group`].
    GroupStart(Group<'a>),
    GroupEnd,
}

/// A place in a chunk that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// Offset in the chunk.
    pub at: usize,
    /// Bytes that are passed over because of it.
    pub lost: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FaultKind::Truncated => "the data ends inside a value",
            FaultKind::Invalid => "a byte that msgpack does not define",
            FaultKind::TooDeep => "nested too deeply",
            FaultKind::NotAnEvent => "not a log event",
        };
        write!(f, "{what} at byte {}, {} bytes lost", self.at, self.lost)
    }
}

impl std::error::Error for Fault {}

/// The events of one chunk. After a fault inside a value the rest of the chunk is lost, since
/// nothing says where the next event would begin; a whole value of the wrong shape is passed over.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    chunk: &'a [u8],
    at: usize,
    group: Option<Group<'a>>,
}

impl<'a> Events<'a> {
    pub fn new(chunk: &'a [u8]) -> Events<'a> {
        Events {
            chunk,
            at: 0,
            group: None,
        }
    }

    fn fault(&mut self, kind: FaultKind, lost: usize) -> Fault {
        let at = self.at;
        self.at += lost;
        Fault { kind, at, lost }
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<Event<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.chunk.get(self.at..).filter(|rest| !rest.is_empty())?;
        let (root, left) = match read(rest) {
            Ok(read) => read,
            Err(kind) => return Some(Err(self.fault(kind, rest.len()))),
        };
        let size = rest.len() - left.len();
        let Some((stamp, metadata, body)) = event_parts(root) else {
            return Some(Err(self.fault(FaultKind::NotAnEvent, size)));
        };
        self.at += size;
        Some(Ok(match stamp {
            Stamp::Start => {
                let metadata = metadata.unwrap_or_default();
                let group = Group { metadata, body };
                self.group = Some(group);
                Event::GroupStart(group)
            }
            Stamp::End => {
                self.group = None;
                Event::GroupEnd
            }
            Stamp::Time(time) => Event::Record(Record {
                time,
                metadata,
                body,
                group: self.group,
            }),
        }))
    }
}

enum Stamp {
    Time(Timestamp),
    Start,
    End,
}

/// Takes `[time, map]` or `[[time, metadata], map]` apart.
fn event_parts(root: Item<'_>) -> Option<(Stamp, Option<Map<'_>>, Map<'_>)> {
    let Item::Array(root) = root else { return None };
    if root.len() != 2 {
        return None;
    }
    let mut parts = root.iter();
    let head = parts.next()?;
    let body = parts.next()?.map()?;
    let Item::Array(head) = head else {
        return Some((stamp(head)?, None, body));
    };
    let mut head = head.iter();
    let time = stamp(head.next()?)?;
    Some((time, head.next().and_then(|item| item.map()), body))
}

fn stamp(item: Item<'_>) -> Option<Stamp> {
    match item {
        Item::Ext(0, bytes) => {
            let (seconds, nanos) = bytes.split_first_chunk::<4>()?;
            let seconds = u32::from_be_bytes(*seconds);
            let nanos = u32::from_be_bytes(nanos.try_into().ok()?);
            Some(match (seconds, nanos) {
                (GROUP_START, 0) => Stamp::Start,
                (GROUP_END, 0) => Stamp::End,
                _ => Stamp::Time(Timestamp::from_parts(i64::from(seconds), nanos)),
            })
        }
        Item::Int(seconds) => Some(Stamp::Time(Timestamp::from_parts(seconds, 0))),
        Item::Float(seconds) if seconds.is_finite() => {
            // Whole and fraction apart, and no finer than a float of this size can say.
            let micros = (seconds.fract() * 1e6).round() as i64;
            let whole = Timestamp::from_parts(seconds.trunc() as i64, 0);
            Some(Stamp::Time(Timestamp(
                whole.0.saturating_add(micros * 1_000),
            )))
        }
        _ => None,
    }
}
