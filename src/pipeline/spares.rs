//! Memory of chunks that were read, kept for the next ones. Fresh memory costs the thread that
//! copies into it a page fault for every 4 KB, and the kernel's lock while another thread gives
//! memory back: for 256 KB that was ten times as long as the copy, on the host's thread. Each of them
//! is a mapping of its own: one that came from `malloc` would stand somewhere in the heap, and
//! everything that was ever free below it would stay with the process.

use memmap2::MmapMut;
use parking_lot::Mutex;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

/// Buffers kept at most: they are searched one by one.
const MAX_SPARES: usize = 16;

/// Buffers that are made ready for chunks of the size that comes now.
const AHEAD: usize = 4;

/// The smallest page of memory that a system has.
const PAGE: usize = 4 << 10;

/// Smaller ones come from memory that `malloc` has at hand.
const SMALLEST: usize = 32 << 10;

#[cfg(test)]
thread_local! {
    /// Buffers that this thread made anew.
    pub static MADE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Memory of one chunk, filled from its beginning. It never grows.
#[derive(Debug)]
pub enum Buffer {
    /// Of `malloc`.
    Small(Vec<u8>),
    /// Of the kernel, with the number of bytes that are filled.
    Mapped(MmapMut, usize),
}

impl Buffer {
    /// Empty, with room for `size` bytes; `None` when the memory cannot be had.
    pub fn new(size: usize) -> Option<Buffer> {
        #[cfg(test)]
        MADE.with(|made| made.set(made.get() + 1));
        if size < SMALLEST {
            let mut buffer = Vec::new();
            buffer.try_reserve_exact(size).ok()?;
            return Some(Buffer::Small(buffer));
        }
        let map = MmapMut::map_anon(rounded(size)).ok()?;
        Some(Buffer::Mapped(map, 0))
    }

    fn capacity(&self) -> usize {
        match self {
            Buffer::Small(bytes) => bytes.capacity(),
            Buffer::Mapped(map, _) => map.len(),
        }
    }

    /// Adds bytes; `None` where there is no room for them.
    pub fn extend(&mut self, bytes: &[u8]) -> Option<()> {
        match self {
            Buffer::Small(filled) if filled.capacity() - filled.len() >= bytes.len() => {
                filled.extend_from_slice(bytes);
            }
            Buffer::Small(_) => return None,
            Buffer::Mapped(map, filled) => {
                let end = filled.checked_add(bytes.len())?;
                map.get_mut(*filled..end)?.copy_from_slice(bytes);
                *filled = end;
            }
        }
        Some(())
    }

    /// Whether it serves a chunk of `size` bytes: large enough, and not more than twice as large.
    fn fits(&self, size: usize) -> bool {
        let room = self.capacity();
        room >= size && room / 2 <= size
    }

    /// Touches every page, so that whoever fills it pays for none.
    fn touch(&mut self) {
        if let Buffer::Mapped(map, _) = self {
            map.iter_mut().step_by(PAGE).for_each(|byte| *byte = 1);
        }
    }

    fn clear(&mut self) {
        match self {
            Buffer::Small(bytes) => bytes.clear(),
            Buffer::Mapped(_, filled) => *filled = 0,
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Buffer::Small(bytes) => bytes,
            Buffer::Mapped(map, filled) => map.get(..*filled).unwrap_or_default(),
        }
    }
}

/// The buffers. A thread that finds another one here goes without.
#[derive(Debug)]
pub struct Spares {
    buffers: Mutex<Vec<Buffer>>,
    bytes: AtomicU64,
    /// The fewest bytes since [`Spares::settle`] was last called.
    least: AtomicU64,
    limit: u64,
    rest: u64,
}

impl Spares {
    /// Keeps at most `limit` bytes, and `rest` of them though nobody needs them.
    pub fn new(limit: u64, rest: u64) -> Spares {
        Spares {
            buffers: Mutex::new(Vec::with_capacity(MAX_SPARES)),
            bytes: AtomicU64::new(0),
            least: AtomicU64::new(0),
            limit,
            rest,
        }
    }

    /// An empty buffer with room for `size` bytes, where one is kept: the smallest that is not more
    /// than twice as large, and of several the one that was read last, which caches still hold.
    pub fn take(&self, size: usize) -> Option<Buffer> {
        if size < SMALLEST {
            return None;
        }
        let mut buffers = self.buffers.try_lock()?;
        let (at, _) = buffers
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, buffer)| buffer.fits(size))
            .min_by_key(|(_, buffer)| buffer.capacity())?;
        let buffer = buffers.remove(at);
        let size = buffer.capacity() as u64;
        let before = self.bytes.fetch_sub(size, Ordering::AcqRel);
        self.least
            .fetch_min(before.saturating_sub(size), Ordering::AcqRel);
        Some(buffer)
    }

    /// Makes buffers for chunks of `size` bytes ready, as long as `room` bytes allow them. For the
    /// thread that reads: while it falls behind, every chunk needs new memory, and the first touch
    /// of a page costs up to ten times what is then copied into it.
    pub fn stock(&self, size: usize, room: u64) {
        if size < SMALLEST {
            return;
        }
        let bytes = rounded(size) as u64;
        let ready = |buffers: &[Buffer]| buffers.iter().filter(|one| one.fits(size)).count();
        let missing = AHEAD.saturating_sub(ready(&self.buffers.lock()));
        let allowed = room.min(self.rest.saturating_sub(self.bytes())) / bytes;
        for _ in 0..allowed.min(missing as u64) {
            let Some(mut buffer) = Buffer::new(size) else {
                return;
            };
            // Outside the lock: whoever finds it held goes without.
            buffer.touch();
            self.give(buffer);
        }
    }

    /// Keeps a buffer that is no longer needed, where there is room for it.
    pub fn give(&self, mut buffer: Buffer) {
        let size = buffer.capacity() as u64;
        if buffer.capacity() < SMALLEST || size > self.limit {
            return;
        }
        buffer.clear();
        // Memory is let go of outside the lock: whoever finds it held goes without.
        let mut gone = Vec::new();
        let mut buffers = self.buffers.lock();
        // The oldest go: what comes now has the size of what comes next.
        if buffers.len() == MAX_SPARES {
            let first = buffers.first().map_or(0, Buffer::capacity) as u64;
            self.drop_oldest(&mut buffers, self.bytes().saturating_sub(first), &mut gone);
        }
        self.drop_oldest(&mut buffers, self.limit - size, &mut gone);
        self.bytes.fetch_add(size, Ordering::AcqRel);
        buffers.push(buffer);
        drop(buffers);
    }

    /// What the buffers hold.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// Lets go of the oldest buffers until they hold no more than `most` bytes: their memory is
    /// needed elsewhere.
    pub fn shrink(&self, most: u64) {
        let mut gone = Vec::new();
        if let Some(mut buffers) = self.buffers.try_lock() {
            self.drop_oldest(&mut buffers, most, &mut gone);
        }
    }

    /// Lets go of what nobody needed since this was last called, but for the rest that always
    /// stays. Chunks come in bursts, one for each interval of the host, and the memory of one burst
    /// serves the next. For the thread that reads.
    pub fn settle(&self) {
        let mut gone = Vec::new();
        let mut buffers = self.buffers.lock();
        let unused = self.least.load(Ordering::Acquire);
        let most = self.bytes().saturating_sub(unused).max(self.rest);
        self.drop_oldest(&mut buffers, most, &mut gone);
        self.least.store(self.bytes(), Ordering::Release);
        drop(buffers);
    }

    fn drop_oldest(&self, buffers: &mut Vec<Buffer>, most: u64, gone: &mut Vec<Buffer>) {
        while self.bytes() > most && !buffers.is_empty() {
            let old = buffers.remove(0);
            self.bytes
                .fetch_sub(old.capacity() as u64, Ordering::AcqRel);
            gone.push(old);
        }
    }
}

/// A little more than asked for, so that the next chunk, which is rarely of the very same size,
/// fits too.
fn rounded(size: usize) -> usize {
    let step = (size.next_power_of_two() / 16).max(1);
    size.checked_next_multiple_of(step).unwrap_or(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 256 << 10;

    fn mapped(size: usize) -> Buffer {
        Buffer::new(size).unwrap()
    }

    #[test]
    fn a_buffer_takes_what_it_has_room_for_and_no_more() {
        for size in [10, SMALLEST] {
            let mut buffer = mapped(size);
            assert_eq!(buffer.extend(&vec![7; size - 1]), Some(()));
            assert_eq!(buffer.extend(&[1]), Some(()));
            assert_eq!(buffer.extend(&[2]), None);
            assert_eq!((buffer.len(), buffer[size - 1]), (size, 1));
            buffer.clear();
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn a_buffer_comes_back_for_a_chunk_of_nearly_its_size() {
        let spares = Spares::new(1 << 20, 1 << 20);
        let buffer = mapped(SIZE - 100);
        let memory = buffer.as_ptr();
        spares.give(buffer);
        assert_eq!(spares.bytes(), SIZE as u64);
        assert!(spares.take(SIZE / 4).is_none());
        let again = spares.take(SIZE).unwrap();
        assert_eq!((again.as_ptr(), again.len()), (memory, 0));
        assert_eq!(spares.bytes(), 0);
    }

    #[test]
    fn buffers_are_ready_before_they_are_needed_within_room_and_limit() {
        let spares = Spares::new(1 << 30, 1 << 30);
        spares.stock(SIZE, u64::MAX);
        assert_eq!(spares.bytes(), (AHEAD * SIZE) as u64);
        let taken = spares.take(SIZE).unwrap();
        assert!(taken.is_empty(), "a touched page is no content");
        spares.stock(SIZE, u64::MAX);
        assert_eq!(spares.bytes(), (AHEAD * SIZE) as u64);
        spares.stock(SMALLEST - 1, u64::MAX);
        assert_eq!(spares.bytes(), (AHEAD * SIZE) as u64);

        let narrow = Spares::new(1 << 30, 1 << 30);
        narrow.stock(SIZE, 2 * SIZE as u64);
        assert_eq!(narrow.bytes(), 2 * SIZE as u64);
        let small = Spares::new(3 * SIZE as u64, 3 * SIZE as u64);
        small.stock(SIZE, u64::MAX);
        assert_eq!(small.bytes(), 3 * SIZE as u64);
    }

    #[test]
    fn the_oldest_make_room_and_the_limit_holds() {
        let spares = Spares::new(3 * SIZE as u64, 3 * SIZE as u64);
        for _ in 0..5 {
            spares.give(mapped(SIZE));
        }
        spares.give(mapped(2 * SIZE));
        assert_eq!(spares.bytes(), 3 * SIZE as u64);
        spares.give(mapped(4 * SIZE));
        assert_eq!(spares.bytes(), 3 * SIZE as u64);
        let many = Spares::new(1 << 30, 1 << 30);
        for _ in 0..100 {
            many.give(mapped(SMALLEST));
        }
        assert_eq!(many.bytes(), (MAX_SPARES * SMALLEST) as u64);
        many.shrink(0);
        assert_eq!(many.bytes(), 0);
    }
    #[test]
    fn what_a_burst_needed_stays_until_bursts_need_less() {
        let size = SIZE as u64;
        let spares = Spares::new(16 * size, 2 * size);
        let burst = |chunks: usize| {
            let taken: Vec<Buffer> = (0..chunks)
                .map(|_| spares.take(SIZE).unwrap_or_else(|| mapped(SIZE)))
                .collect();
            taken.into_iter().for_each(|buffer| spares.give(buffer));
            spares.settle();
            spares.bytes() / size
        };
        assert_eq!(burst(8), 8);
        assert_eq!(burst(8), 8);
        assert_eq!(burst(5), 5);
        assert_eq!(burst(0), 2, "the rest always stays");
        assert_eq!(burst(0), 2);
        spares.shrink(size + 1);
        assert_eq!(spares.bytes(), size);
    }
}
