//! The dotted paths that somebody looks for, as a table in which a name of a record costs one
//! probe, however many paths there are. Not here: where the names come from (`fields`).

use crate::record::access;
use crate::record::hash::text_hash;
use crate::record::http;
use crate::record::path::MAX_DOTS;

/// Slots of a table for each name in it: most names that nobody wants meet an empty one.
const SPARSE: usize = 8;

/// Paths, each with a number counted from 0.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    paths: Vec<String>,
    marks: Vec<Mark>,
    /// By hash: place in `marks` and one, 0 for none. A mark that finds its slot taken stands in
    /// the next free one.
    slots: Vec<u32>,
    /// One bit for each mark, by its hash: what nobody wants is mostly seen without the table.
    pub(super) filter: u64,
    /// The number of [`http::HTTP_STATUS`], which stands under many names.
    pub(super) status: Option<u32>,
    /// The numbers of names that a line of an access log gives values to.
    pub(super) of_requests: Vec<u32>,
}

/// What a name means to whoever asked.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    hash: u64,
    /// Paths that end here; several only where hashes collide.
    pub numbers: Vec<u32>,
    /// What stands under this name in a record is what a field of it gives. Not for a name with
    /// more dots than are followed: only a `key=value` line gives it a value.
    pub settles: bool,
    /// Some path goes on inside a map of this name.
    pub goes_on: bool,
}

/// The bit of a name in [`Wanted::filter`].
#[inline]
pub(super) fn filter_bit(hash: u64) -> u64 {
    1 << (hash >> 58)
}

impl Wanted {
    /// Adds a path, or finds it where it is there already; gives its number.
    pub fn add(&mut self, path: &str) -> u32 {
        if let Some(number) = self.number(path) {
            return number;
        }
        let number = u32::try_from(self.paths.len()).unwrap_or(u32::MAX);
        self.paths.push(path.to_owned());
        if path == http::HTTP_STATUS {
            self.status = Some(number);
            return number;
        }
        if access::is_of_request(path) {
            self.of_requests.push(number);
        }
        let followed = path.bytes().filter(|b| *b == b'.').count() <= MAX_DOTS;
        let mark = self.mark_for(path.as_bytes());
        mark.numbers.push(number);
        mark.settles = followed && mark.numbers.len() == 1;
        if followed {
            for (at, _) in path.match_indices('.') {
                let prefix = path.as_bytes().get(..at).unwrap_or_default();
                self.mark_for(prefix).goes_on = true;
            }
        }
        number
    }

    /// The number of a path.
    pub fn number(&self, path: &str) -> Option<u32> {
        if path == http::HTTP_STATUS {
            return self.status;
        }
        let mark = self.mark(text_hash(path.as_bytes()))?;
        let is_it = |number: &&u32| self.path(**number) == Some(path);
        mark.numbers.iter().find(is_it).copied()
    }

    /// Every path with its number.
    pub fn paths(&self) -> impl Iterator<Item = (u32, &str)> {
        (0..).zip(self.paths.iter().map(String::as_str))
    }

    pub fn len(&self) -> usize {
        self.paths.len()
    }

    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Paths that are found by their own name.
    pub(super) fn named(&self) -> usize {
        self.paths.len() - usize::from(self.status.is_some())
    }

    pub(super) fn path(&self, number: u32) -> Option<&str> {
        self.paths.get(number as usize).map(String::as_str)
    }

    /// What the name with this hash means.
    #[inline]
    pub(super) fn mark(&self, hash: u64) -> Option<&Mark> {
        let mut at = self.slot(hash);
        loop {
            let place = *self.slots.get(at)?;
            let mark = self.marks.get((place as usize).checked_sub(1)?)?;
            if mark.hash == hash {
                return Some(mark);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    #[inline]
    fn slot(&self, hash: u64) -> usize {
        // Without slots the answer is out of bounds, as it must be.
        (hash >> 32) as usize & self.slots.len().wrapping_sub(1)
    }

    fn mark_for(&mut self, name: &[u8]) -> &mut Mark {
        let hash = text_hash(name);
        let known = self.marks.iter().position(|mark| mark.hash == hash);
        let place = known.unwrap_or_else(|| {
            self.marks.push(Mark {
                hash,
                numbers: Vec::new(),
                settles: false,
                goes_on: false,
            });
            self.marks.len() - 1
        });
        if known.is_none() {
            self.filter |= filter_bit(hash);
            self.enter(place);
        }
        &mut self.marks[place]
    }

    fn enter(&mut self, place: usize) {
        let room = self.marks.len() * SPARSE / 2 <= self.slots.len();
        let entered = if room {
            place..place + 1
        } else {
            let slots = (self.marks.len() * SPARSE).next_power_of_two();
            self.slots = vec![0; slots];
            0..self.marks.len()
        };
        for place in entered {
            let mut at = self.slot(self.marks[place].hash);
            while self.slots[at] != 0 {
                at = (at + 1) & (self.slots.len() - 1);
            }
            self.slots[at] = place as u32 + 1;
        }
    }
}
