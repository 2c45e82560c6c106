//! Takes apart what a host delivers: concatenated msgpack events in both of its layouts, borrowed
//! from the chunk, with the markers that open and close a group. It does not know what a record's
//! keys mean; that is `view`.

use crate::model::Timestamp;
pub use crate::record::msgpack::{Array, FaultKind, Item, MAX_DEPTH, Map};
use crate::record::msgpack::{read, read_map};
use crate::record::pairs::Pairs;
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

    /// The next event. The pairs of a record's own map are kept in `pairs`, for
    /// [`View::with_pairs`](crate::record::View::with_pairs), and what was there before is not.
    #[inline]
    pub fn next_with(&mut self, pairs: &mut Pairs<'a>) -> Option<Result<Event<'a>, Fault>> {
        pairs.clear();
        let rest = self.chunk.get(self.at..).filter(|rest| !rest.is_empty())?;
        if let Some((record, size)) = usual(rest, self.group, pairs) {
            self.at += size;
            return Some(Ok(Event::Record(record)));
        }
        pairs.clear();
        Some(self.by_the_rules(rest))
    }

    fn by_the_rules(&mut self, rest: &'a [u8]) -> Result<Event<'a>, Fault> {
        let (root, left) = read(rest).map_err(|kind| self.fault(kind, rest.len()))?;
        let size = rest.len() - left.len();
        let Some((stamp, metadata, body)) = event_parts(root) else {
            return Err(self.fault(FaultKind::NotAnEvent, size));
        };
        self.at += size;
        Ok(match stamp {
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
        })
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
        self.next_with(&mut Pairs::none())
    }
}

/// A record as hosts write nearly all of them, `[EventTime, map]` or `[[EventTime, map], map]`,
/// and its size; the body is walked once. `None` for every other event and for whatever is
/// wrong: that is read by the rules.
#[inline]
fn usual<'a>(
    bytes: &'a [u8],
    group: Option<Group<'a>>,
    pairs: &mut Pairs<'a>,
) -> Option<(Record<'a>, usize)> {
    let (time, body, metadata) = match bytes {
        [0x92, 0x92, 0xd7, 0x00, rest @ ..] => {
            let (time, rest) = rest.split_first_chunk::<8>()?;
            // Both arrays are levels, too.
            let (metadata, rest) = read_map(rest, MAX_DEPTH - 2, |_, _| {})?;
            (time, rest, Some(metadata))
        }
        [0x92, 0xd7, 0x00, rest @ ..] => {
            let (time, rest) = rest.split_first_chunk::<8>()?;
            (time, rest, None)
        }
        _ => return None,
    };
    let Stamp::Time(time) = event_time(*time) else {
        return None;
    };
    // The event's own array is the first level.
    let tell = |name, value| pairs.push(name, value);
    let (body, left) = read_map(body, MAX_DEPTH - 1, tell)?;
    let record = Record {
        time,
        metadata,
        body,
        group,
    };
    Some((record, bytes.len() - left.len()))
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

/// Seconds and nanoseconds, big-endian, four bytes each.
fn event_time(bytes: [u8; 8]) -> Stamp {
    let both = u64::from_be_bytes(bytes);
    let (seconds, nanos) = ((both >> 32) as u32, both as u32);
    match (seconds, nanos) {
        (GROUP_START, 0) => Stamp::Start,
        (GROUP_END, 0) => Stamp::End,
        _ => Stamp::Time(Timestamp::from_parts(i64::from(seconds), nanos)),
    }
}

fn stamp(item: Item<'_>) -> Option<Stamp> {
    match item {
        Item::Ext(0, bytes) => Some(event_time(bytes.try_into().ok()?)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::encode::{self, Layout};
    use proptest::prelude::*;

    /// [`usual`], with pairs that must be the map's.
    fn usual_alone(bytes: &[u8]) -> Option<(Record<'_>, usize)> {
        let mut pairs = Pairs::new();
        let found = usual(bytes, None, &mut pairs)?;
        let kept = pairs.all().iter().map(|pair| (pair.name, pair.value));
        assert!(kept.eq(found.0.body.iter()));
        Some(found)
    }

    /// The event that the bytes begin with, by the general rules.
    fn by_the_rules(bytes: &[u8]) -> Option<(Record<'_>, usize)> {
        let (root, left) = read(bytes).ok()?;
        let (stamp, metadata, body) = event_parts(root)?;
        let Stamp::Time(time) = stamp else {
            return None;
        };
        let record = Record {
            time,
            metadata,
            body,
            group: None,
        };
        Some((record, bytes.len() - left.len()))
    }

    fn event(layout: Layout, fields: &[(String, String)], nested: usize) -> Vec<u8> {
        let mut out = Vec::new();
        encode::event(&mut out, layout, Timestamp::from_parts(1_772_366_400, 5));
        encode::map(&mut out, fields.len() + 1);
        for (key, value) in fields {
            encode::text(&mut out, key.as_bytes());
            encode::text(&mut out, value.as_bytes());
        }
        encode::text(&mut out, b"nested");
        out.extend(std::iter::repeat_n(0x91, nested));
        encode::int(&mut out, -7);
        out
    }

    #[test]
    fn usual_events_are_seen_as_such_in_both_layouts() {
        for layout in [Layout::Old, Layout::New] {
            for nested in [0, 1, 60, 61, 62, 63, 64] {
                let bytes = event(layout, &[("log".into(), "x".into())], nested);
                let found = usual_alone(&bytes);
                assert_eq!(found, by_the_rules(&bytes), "{nested}");
                assert_eq!(found.is_some(), nested <= 62, "{nested}");
            }
        }
    }

    #[test]
    fn metadata_of_every_form_is_usual() {
        let short = [[0x92, 0x92, 0xd7].as_slice(), &[0; 9], &[0x80, 0x80]].concat();
        assert!(usual_alone(&short).is_some());
        assert_eq!(usual_alone(&short), by_the_rules(&short));
        for nested in [0, 1, 59, 60, 61, 62, 63, 64] {
            let mut bytes = vec![0x92, 0x92];
            encode::event_time(&mut bytes, Timestamp::from_parts(1_772_366_400, 5));
            encode::map(&mut bytes, 1);
            encode::text(&mut bytes, b"otlp");
            bytes.extend(std::iter::repeat_n(0x91, nested));
            encode::map(&mut bytes, 0);
            encode::map(&mut bytes, 0);
            let found = usual_alone(&bytes);
            assert_eq!(found, by_the_rules(&bytes), "{nested}");
            assert_eq!(found.is_some(), nested <= 60, "{nested}");
        }
        let none = [[0x92, 0x92, 0xd7].as_slice(), &[0; 9], &[0xc0, 0x80]].concat();
        assert_eq!(usual_alone(&none), None);
    }

    proptest! {
        #[test]
        fn usual_events_read_as_the_rules_read_them(
            old in any::<bool>(),
            fields in prop::collection::vec(("[a-z]{0,40}", ".{0,300}"), 0..20),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let layout = if old { Layout::Old } else { Layout::New };
            let mut bytes = event(layout, &fields, 3);
            prop_assert_eq!(usual_alone(&bytes), by_the_rules(&bytes));
            let place = at.index(bytes.len());
            bytes[place] = byte;
            if let Some(found) = usual_alone(&bytes) {
                prop_assert_eq!(Some(found), by_the_rules(&bytes));
            }
            bytes.truncate(cut.index(bytes.len()));
            if let Some(found) = usual_alone(&bytes) {
                prop_assert_eq!(Some(found), by_the_rules(&bytes));
            }
        }
    }
}
