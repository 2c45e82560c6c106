//! From signature to template: what makes a line that was seen before cost a hash. Bounded; what
//! was asked for once goes first. Not here: what a signature is (`scan`).

use super::store::Handle;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Signatures are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    handle: Handle,
    last: u64,
    /// Asked for since it was put.
    again: bool,
}

#[derive(Debug)]
pub(super) struct Cache {
    entries: HashMap<u64, Entry, BuildHasherDefault<AsItIs>>,
    limit: usize,
}

/// Bytes of an entry, with the map's share of empty ones.
pub(super) const ENTRY_BYTES: usize = 2 * (size_of::<Entry>() + 9);

impl Cache {
    pub(super) fn new(limit: usize) -> Cache {
        Cache {
            entries: HashMap::default(),
            limit: limit.max(8),
        }
    }

    #[inline]
    pub(super) fn get(&mut self, signature: u64, now: u64) -> Option<Handle> {
        let entry = self.entries.get_mut(&signature)?;
        entry.last = now;
        entry.again = true;
        Some(entry.handle)
    }

    pub(super) fn put(&mut self, signature: u64, handle: Handle, now: u64) {
        if self.entries.len() >= self.limit && !self.entries.contains_key(&signature) {
            self.make_room();
        }
        let entry = Entry {
            handle,
            last: now,
            again: false,
        };
        self.entries.insert(signature, entry);
    }

    /// Those asked for once go, the older half of them at least a quarter of all; if they are
    /// too few, the oldest of the others go too.
    fn make_room(&mut self) {
        let mut ages: Vec<(bool, u64)> = self
            .entries
            .values()
            .map(|entry| (entry.again, entry.last))
            .collect();
        let quarter = ages.len() / 4;
        let (_, cut, _) = ages.select_nth_unstable(quarter);
        let cut = *cut;
        self.entries
            .retain(|_, entry| (entry.again, entry.last) > cut);
    }

    /// Every signature with its template.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Handle)> + '_ {
        self.entries
            .iter()
            .map(|(signature, entry)| (*signature, entry.handle))
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * ENTRY_BYTES / 2
    }
}
