//! The entries of a book, bounded. Who came once gives way to who comes next; who came again and
//! again stays: a flood of made-up entries finds only places of its own kind. Not here: what a
//! count means.

use crate::model::{TemplateId, Timestamp};
use crate::rate::occurrence::Entry;
use crate::rate::series::Series;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Minutes in which an entry must have been seen before it is learnt.
const LEARNT_AFTER: u8 = 3;
/// Entries of one template; further ones lose the values that come out of records.
const MAX_VARIANTS: u16 = 64;
/// Places that are looked at for one to give way.
const STEPS: usize = 64;

/// One entry with what was counted of it.
#[derive(Debug)]
pub struct Row {
    pub entry: Entry,
    pub lines: u64,
    pub bytes: u64,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// The minute in which it was last counted, by the book's clock.
    pub minute: i64,
    /// Minutes in which it was seen, up to a few.
    pub spans: u8,
    /// Seen often enough to stay.
    pub learnt: bool,
    /// Seen since the hand last passed.
    pub fresh: bool,
    pub in_incident: bool,
    pub gone: bool,
    /// Records in the open hour, and in the one before.
    pub hour: u32,
    pub last_hour: u32,
    /// Mean records an hour; the newest hours weigh most.
    pub per_hour: f32,
    /// The last hours in which it was seen, newest in the lowest bit.
    pub hours_seen: u32,
    /// Number of the rollout that `sides` belongs to.
    pub rollout: u32,
    /// Records of the old and of the new commit.
    pub sides: [u32; 2],
    /// Of an error entry: its counts over time.
    pub series: Option<Box<Series>>,
    /// Since when (minute) it is known to have left its past behind.
    pub raised: Option<i64>,
    /// Minutes in a row in which it was back to normal.
    pub calm: u16,
    /// Number of the place its text stood in.
    pub place: u8,
}

impl Row {
    pub fn new(entry: Entry, time: Timestamp, minute: i64) -> Row {
        Row {
            entry,
            lines: 0,
            bytes: 0,
            first_seen: time,
            last_seen: time,
            minute,
            spans: 1,
            learnt: false,
            fresh: true,
            in_incident: false,
            gone: false,
            hour: 0,
            last_hour: 0,
            per_hour: 0.0,
            hours_seen: 0,
            rollout: 0,
            sides: [0; 2],
            series: None,
            raised: None,
            calm: 0,
            place: 0,
        }
    }
}

/// Where a row was put, and whether the one that gave way had a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put {
    pub at: usize,
    pub had_series: bool,
}

/// Lines and bytes that belong to no entry any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    pub lines: u64,
    pub bytes: u64,
}

/// All rows.
#[derive(Debug)]
pub struct Table {
    pub rows: Vec<Row>,
    index: HashMap<Entry, u32, Fold>,
    variants: HashMap<TemplateId, u16, Fold>,
    hand: usize,
    learnt: usize,
    limit: usize,
    /// What gave way.
    pub rest: Rest,
    pub evicted: u64,
}

impl Table {
    pub fn new(limit: usize) -> Table {
        Table {
            rows: Vec::new(),
            index: HashMap::with_hasher(Fold::new()),
            variants: HashMap::with_hasher(Fold::new()),
            hand: 0,
            learnt: 0,
            limit: limit.max(8),
            rest: Rest::default(),
            evicted: 0,
        }
    }

    /// About what one row and its place in the index take.
    pub const ROW_BYTES: usize = size_of::<Row>() + 2 * (size_of::<Entry>() + 16);

    pub fn find(&self, entry: &Entry) -> Option<usize> {
        self.index.get(entry).map(|at| *at as usize)
    }

    /// The entry under which a record of this one is kept: itself, or without the values that
    /// come out of records where its template has too many.
    pub fn folded(&self, mut entry: Entry) -> Entry {
        let many = self.variants.get(&entry.template);
        if many.is_some_and(|many| *many >= MAX_VARIANTS) {
            entry.facets.result = None;
            entry.facets.code = None;
        }
        entry
    }

    /// Puts an entry that is not there; `None` when nobody gives way.
    pub fn insert(&mut self, row: Row) -> Option<Put> {
        let entry = row.entry;
        let mut had_series = false;
        let at = if self.rows.len() < self.limit {
            self.rows.push(row);
            self.rows.len() - 1
        } else {
            let at = self.free_place()?;
            let old = std::mem::replace(&mut self.rows[at], row);
            self.forget(&old);
            had_series = old.series.is_some();
            at
        };
        if self.rows[at].learnt {
            self.learnt += 1;
        }
        self.index.insert(entry, at as u32);
        *self.variants.entry(entry.template).or_insert(0) += 1;
        Some(Put { at, had_series })
    }

    /// The hand goes round and takes the first that is not learnt and was not seen since it last
    /// passed; for want of one, the last that is not learnt.
    fn free_place(&mut self) -> Option<usize> {
        let mut second = None;
        for _ in 0..STEPS.min(self.rows.len()) {
            let at = self.hand;
            self.hand = (self.hand + 1) % self.rows.len();
            let row = &mut self.rows[at];
            if row.learnt {
                continue;
            }
            if !std::mem::take(&mut row.fresh) {
                return Some(at);
            }
            second = Some(at);
        }
        second
    }

    fn forget(&mut self, row: &Row) {
        self.evicted += 1;
        self.rest.lines += row.lines;
        self.rest.bytes += row.bytes;
        self.index.remove(&row.entry);
        if let Some(many) = self.variants.get_mut(&row.entry.template) {
            *many -= 1;
            if *many == 0 {
                self.variants.remove(&row.entry.template);
            }
        }
    }

    /// Notes that a row was seen in one more minute. A quarter of the places is never learnt.
    pub fn seen_again(&mut self, at: usize) {
        let room = self.learnt < self.limit / 4 * 3;
        let row = &mut self.rows[at];
        row.spans = row.spans.saturating_add(1);
        if !row.learnt && row.spans >= LEARNT_AFTER && room {
            row.learnt = true;
            self.learnt += 1;
        }
    }

    /// An entry that was not seen for long gives way like any other.
    pub fn unlearn(&mut self, at: usize) {
        let row = &mut self.rows[at];
        if std::mem::take(&mut row.learnt) {
            row.spans = 0;
            self.learnt -= 1;
        }
    }
}

/// A hash for small keys, seeded so that nobody can choose keys that fall together.
#[derive(Clone, Copy, Debug)]
pub struct Fold(u64);

impl Fold {
    fn new() -> Fold {
        Fold(RandomState::new().build_hasher().finish() | 1)
    }
}

impl BuildHasher for Fold {
    type Hasher = Folding;

    fn build_hasher(&self) -> Folding {
        Folding(self.0)
    }
}

/// Multiplies each word with a constant and folds the two halves of the product.
#[derive(Debug)]
pub struct Folding(u64);

impl Hasher for Folding {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, n: u8) {
        self.write_u64(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        // The golden ratio's digits: odd, and no structure that keys share. Zero is no trap:
        // the addition moves it on.
        let mixed = (self.0 ^ n).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let product = u128::from(mixed) * 0xd1b5_4a32_d192_ed03;
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn write_isize(&mut self, n: isize) {
        self.write_u64(n as u64);
    }
}
