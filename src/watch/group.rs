//! What one watch counted, apart for each service and for each distinct value of its `group_by`
//! fields. Bounded: the groups that were idle longest give way. Not here: how a window counts.

use super::language::MESSAGE;
use super::parse::Watch;
use super::window::{Full, Window};
use crate::model::Timestamp;
use crate::record::Hashed;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};

/// Lines kept as examples of what a window counted, and the bytes of each.
const EXAMPLES: usize = 10;
const EXAMPLE_BYTES: usize = 1_000;
/// Bytes of a group's value that are told.
const VALUE_BYTES: usize = 200;
/// What a group costs apart from its window and lines, in bytes.
const GROUP_BYTES: usize = 200;

/// The groups of one watch.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_key: HashMap<u64, Counted, Hashed>,
}

/// One group in one service.
#[derive(Debug, Default)]
pub(super) struct Counted {
    window: Window,
    lines: VecDeque<String>,
    /// When it last counted, in records shown.
    pub used: u64,
    /// As last measured.
    pub bytes: usize,
}

/// The key of a record's group; `None` where a field is not there, or is a list or map. Keyed by
/// a secret: whoever writes logs cannot make two groups one.
pub(super) fn key(
    watch: &Watch,
    service: &str,
    record: &dyn super::Fields,
    secret: &RandomState,
) -> Option<u64> {
    let mut hasher = secret.build_hasher();
    hasher.write(service.as_bytes());
    hasher.write_u8(0xff);
    for path in &watch.group_by {
        let value = value(record, path)?;
        hasher.write(value.as_bytes());
        hasher.write_u8(0xff);
    }
    Some(hasher.finish())
}

/// The values of a record's group, cut, with the names of their fields.
pub(super) fn values(watch: &Watch, record: &dyn super::Fields) -> Vec<(String, String)> {
    let pair = |path: &String| {
        let value = value(record, path)?;
        let cut = value.floor_char_boundary(VALUE_BYTES);
        Some((path.clone(), value[..cut].to_owned()))
    };
    watch.group_by.iter().filter_map(pair).collect()
}

fn value(record: &dyn super::Fields, path: &str) -> Option<String> {
    if path == MESSAGE {
        return Some(record.message().into_owned());
    }
    let value = record.field(path)?;
    value.into_text().map(std::borrow::Cow::into_owned)
}

impl Groups {
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    pub fn get(&mut self, key: u64) -> &mut Counted {
        self.by_key.entry(key).or_default()
    }

    pub fn bytes(&self) -> usize {
        self.by_key.values().map(|counted| counted.bytes).sum()
    }

    pub fn iter(&self) -> impl Iterator<Item = (u64, &Counted)> {
        self.by_key.iter().map(|(key, counted)| (*key, counted))
    }

    /// Drops a group; gives the bytes it had.
    pub fn drop(&mut self, key: u64) -> usize {
        self.by_key.remove(&key).map_or(0, |counted| counted.bytes)
    }

    /// Drops the eighth that was idle longest, so that a flood costs one sweep in many records;
    /// gives how many and their bytes.
    pub fn drop_idle(&mut self) -> (usize, usize) {
        let mut ages: Vec<u64> = self.by_key.values().map(|counted| counted.used).collect();
        if ages.is_empty() {
            return (0, 0);
        }
        let nth = (ages.len() / 8).min(ages.len() - 1);
        let (_, limit, _) = ages.select_nth_unstable(nth);
        let limit = *limit;
        let (before, mut bytes) = (self.by_key.len(), 0);
        self.by_key.retain(|_, counted| {
            let stays = counted.used > limit;
            bytes += if stays { 0 } else { counted.bytes };
            stays
        });
        (before - self.by_key.len(), bytes)
    }
}

impl Counted {
    /// Counts a record at its event time.
    pub fn count(&mut self, watch: &Watch, message: &str, time: Timestamp) -> Option<Full> {
        let mut line = String::new();
        if self.lines.len() >= EXAMPLES.min(watch.threshold) {
            // Its memory is used again.
            line = self.lines.pop_front().unwrap_or_default();
        }
        line.clear();
        line.push_str(&message[..message.floor_char_boundary(EXAMPLE_BYTES)]);
        self.lines.push_back(line);
        self.window.count(time, watch.window, watch.threshold)
    }

    /// Messages of the newest events, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }

    /// Measures it; gives by how much it grew and shrank.
    pub fn measure(&mut self) -> (usize, usize) {
        let lines: usize = self.lines.iter().map(String::capacity).sum();
        let now = GROUP_BYTES + self.window.bytes() + lines + self.lines.capacity() * 24;
        let before = std::mem::replace(&mut self.bytes, now);
        (now, before)
    }
}
