//! Where templates are kept: numbered slots, the leaves of the tree that finds them, and who goes
//! when there is no more room. New templates are on probation in a part of the room, so that a
//! flood of them drives out its own kind when all the room is taken; those seen a few times are established and go, when
//! all the room is theirs, by age of disuse. Not here: which template a line belongs to.

use super::bytes;
use super::cluster::{ANY, Cluster};
use super::scan::VALUE;
use std::collections::HashMap;

/// Times that a template must be seen to be established.
pub(super) const ESTABLISHED: u32 = 3;
/// Templates of one leaf. More of the same length and beginning are not kept apart.
pub(super) const LEAF: usize = 128;
/// One part in so many of the room is for probation.
const PROBATION: usize = 4;
/// One in so many goes at once when there is no room.
const BATCH: usize = 8;

/// A slot that may since have been given to another template: then the tenancy differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    pub(super) slot: u32,
    pub(super) tenancy: u32,
}

#[derive(Debug, Default)]
struct Slot {
    tenancy: u32,
    cluster: Option<Cluster>,
}

#[derive(Debug)]
pub(super) struct Store {
    slots: Vec<Slot>,
    free: Vec<u32>,
    leaves: HashMap<u64, Vec<u32>>,
    by_id: HashMap<u64, u32>,
    clusters: usize,
    memory: usize,
    held: usize,
    probation: usize,
}

/// Bytes of the maps for one template.
const INDEX_BYTES: usize = 96;

/// Which leaf holds templates of these tokens: by their number and the first of them.
pub(super) fn leaf(length: usize, first: Option<u64>) -> u64 {
    let first = first.unwrap_or(0);
    let first = if first == ANY { VALUE } else { first };
    bytes::join(first, length as u64)
}

impl Store {
    pub(super) fn new(clusters: usize, memory: usize) -> Store {
        Store {
            slots: Vec::new(),
            free: Vec::new(),
            leaves: HashMap::new(),
            by_id: HashMap::new(),
            clusters: clusters.max(2),
            memory,
            held: 0,
            probation: 0,
        }
    }

    #[inline]
    pub(super) fn get(&self, handle: Handle) -> Option<&Cluster> {
        let slot = self.slots.get(handle.slot as usize)?;
        slot.cluster
            .as_ref()
            .filter(|_| slot.tenancy == handle.tenancy)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut Cluster> {
        let slot = self.slots.get_mut(handle.slot as usize)?;
        slot.cluster
            .as_mut()
            .filter(|_| slot.tenancy == handle.tenancy)
    }

    pub(super) fn by_id(&self, id: u64) -> Option<&Cluster> {
        let slot = self.by_id.get(&id)?;
        self.slots.get(*slot as usize)?.cluster.as_ref()
    }

    pub(super) fn handle_of(&self, id: u64) -> Option<Handle> {
        self.by_id.get(&id).map(|slot| self.handle(*slot))
    }

    fn handle(&self, slot: u32) -> Handle {
        let tenancy = self.slots.get(slot as usize).map_or(0, |slot| slot.tenancy);
        Handle { slot, tenancy }
    }

    /// The templates of a leaf.
    pub(super) fn leaf(&self, key: u64) -> impl Iterator<Item = (Handle, &Cluster)> {
        let slots = self.leaves.get(&key).map_or(&[][..], Vec::as_slice);
        slots.iter().filter_map(|slot| {
            let handle = self.handle(*slot);
            Some((handle, self.get(handle)?))
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Handle, &Cluster)> {
        self.slots.iter().enumerate().filter_map(|(at, slot)| {
            let cluster = slot.cluster.as_ref()?;
            let handle = Handle {
                slot: u32::try_from(at).ok()?,
                tenancy: slot.tenancy,
            };
            Some((handle, cluster))
        })
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Bytes of heap, near enough.
    pub(super) fn bytes(&self) -> usize {
        self.held
    }

    /// Whether a template can be kept without another one going.
    pub(super) fn has_room(&self, cluster: &Cluster) -> bool {
        self.len() < self.clusters && self.held + cost(cluster) <= self.memory
    }

    /// Keeps a template whose id is free. None if there is no room that may be made.
    pub(super) fn insert(&mut self, cluster: Cluster) -> Option<Handle> {
        let cost = cost(&cluster);
        let key = leaf(
            cluster.parts.len(),
            cluster.parts.first().map(|part| part.hash),
        );
        self.make_room(cost);
        if self.held + cost > self.memory || !self.room_in_leaf(key) {
            return None;
        }
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(Slot::default());
                u32::try_from(self.slots.len() - 1).ok()?
            }
        };
        self.held += cost;
        self.probation += usize::from(!cluster.kept);
        self.by_id.insert(cluster.id.number(), slot);
        self.leaves.entry(key).or_default().push(slot);
        self.slots.get_mut(slot as usize)?.cluster = Some(cluster);
        Some(self.handle(slot))
    }

    /// The template was seen often enough.
    pub(super) fn establish(&mut self, handle: Handle) {
        if let Some(cluster) = self.get_mut(handle).filter(|cluster| !cluster.kept) {
            cluster.kept = true;
            self.probation -= 1;
        }
    }

    /// Changes a template in place.
    pub(super) fn change(&mut self, handle: Handle, change: impl FnOnce(&mut Cluster)) {
        let Some(cluster) = self.get_mut(handle) else {
            return;
        };
        let before = cost(cluster);
        change(cluster);
        let after = cost(cluster);
        self.held = (self.held + after).saturating_sub(before);
    }

    fn room_in_leaf(&mut self, key: u64) -> bool {
        let Some(slots) = self.leaves.get(&key).filter(|slots| slots.len() >= LEAF) else {
            return true;
        };
        let on_probation = slots.iter().filter_map(|slot| {
            let cluster = self.slots.get(*slot as usize)?.cluster.as_ref()?;
            (!cluster.kept).then_some((cluster.last, *slot))
        });
        let oldest = on_probation.min();
        if let Some((_, slot)) = oldest {
            self.remove(slot);
        }
        oldest.is_some()
    }

    fn make_room(&mut self, cost: usize) {
        if self.len() >= self.clusters || self.held + cost > self.memory {
            // Full: those on probation keep their part of the room, and no more.
            let many = self.probation * PROBATION >= self.len();
            self.evict(|cluster| cluster.kept != many);
        }
    }

    /// Removes those of one kind that were not seen for longest, a batch at once.
    fn evict(&mut self, of_kind: impl Fn(&Cluster) -> bool) {
        let all = self.iter().filter(|(_, cluster)| of_kind(cluster));
        let mut ages: Vec<(u64, u32)> = all.map(|(h, cluster)| (cluster.last, h.slot)).collect();
        let count = ages.len().div_ceil(BATCH);
        if count < ages.len() {
            ages.select_nth_unstable(count);
        }
        for (_, slot) in ages.into_iter().take(count) {
            self.remove(slot);
        }
    }

    fn remove(&mut self, at: u32) {
        let Some(slot) = self.slots.get_mut(at as usize) else {
            return;
        };
        let Some(cluster) = slot.cluster.take() else {
            return;
        };
        slot.tenancy = slot.tenancy.wrapping_add(1);
        self.free.push(at);
        self.by_id.remove(&cluster.id.number());
        self.held = self.held.saturating_sub(cost(&cluster));
        self.probation -= usize::from(!cluster.kept);
        let key = leaf(
            cluster.parts.len(),
            cluster.parts.first().map(|part| part.hash),
        );
        if let Some(slots) = self.leaves.get_mut(&key) {
            slots.retain(|slot| *slot != at);
            if slots.is_empty() {
                self.leaves.remove(&key);
            }
        }
    }
}

fn cost(cluster: &Cluster) -> usize {
    cluster.bytes() + INDEX_BYTES
}
