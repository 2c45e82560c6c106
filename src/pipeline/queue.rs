//! The hand-off from the host's thread to the fast lane: bounded in bytes and chunks, counted,
//! never waiting on the pushing side unless it asks to. It looks into no chunk beyond counting
//! what it had to drop.

use crate::counters::Counters;
use crate::pipeline::callers::Callers;
use crate::pipeline::spares::{Buffer, Spares};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use memchr::memmem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Chunks that may wait at once, however small they are.
const MAX_CHUNKS: usize = 8_192;

/// The part of the queue's limit that memory for the next chunks may hold though none come.
const REST_PART: u64 = 4;

/// What one flush brought: a tag and concatenated msgpack records, in one allocation.
#[derive(Debug)]
pub struct Chunk {
    bytes: Buffer,
    tag_len: usize,
}

impl Chunk {
    /// Copies tag and data, into memory that was kept or new one. `None` when that cannot be had.
    fn copy(tag: &[u8], data: &[u8], kept: Option<Buffer>) -> Option<Chunk> {
        let size = tag.len().checked_add(data.len())?;
        let mut bytes = kept.or_else(|| Buffer::new(size))?;
        bytes.extend(tag)?;
        bytes.extend(data)?;
        Some(Chunk {
            bytes,
            tag_len: tag.len(),
        })
    }

    /// The tag; bytes that are no UTF-8 are replaced.
    pub fn tag(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes[..self.tag_len])
    }

    /// The records.
    pub fn data(&self) -> &[u8] {
        &self.bytes[self.tag_len..]
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// What goes through the queue.
#[derive(Debug)]
enum Sent {
    Chunk(Chunk),
    Mark(Sender<()>),
}

/// What comes out of it.
#[derive(Debug)]
pub enum Next {
    Chunk(Chunk),
    /// Somebody waits until everything before this was read; to be dropped then.
    Mark(Sender<()>),
    /// Nothing came in time.
    Nothing,
}

/// Why a chunk was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The queue holds its limit.
    Full,
    /// The fast lane has ended.
    Closed,
}

/// The pushing end; clones share the queue.
#[derive(Clone, Debug)]
pub struct Intake {
    to: Sender<Sent>,
    waiting: Arc<AtomicU64>,
    spares: Arc<Spares>,
    limit: u64,
    callers: Arc<Callers>,
    counters: Arc<Counters>,
}

/// The fast lane's end.
#[derive(Debug)]
pub struct Outlet {
    from: Receiver<Sent>,
    waiting: Arc<AtomicU64>,
    spares: Arc<Spares>,
    limit: u64,
    counters: Arc<Counters>,
}

/// Makes a queue that holds at most `limit` bytes, its memory for the next chunks included but for
/// one of them.
pub fn queue(limit: u64, counters: Arc<Counters>) -> (Intake, Outlet) {
    let (to, from) = bounded(MAX_CHUNKS);
    let waiting = Arc::new(AtomicU64::new(0));
    let spares = Arc::new(Spares::new(limit, limit / REST_PART));
    let intake = Intake {
        to,
        waiting: Arc::clone(&waiting),
        spares: Arc::clone(&spares),
        limit,
        callers: Arc::default(),
        counters: Arc::clone(&counters),
    };
    let outlet = Outlet {
        from,
        waiting,
        spares,
        limit,
        counters,
    };
    (intake, outlet)
}

impl Intake {
    /// Copies and enqueues without waiting. Runs on the host's 24 KB coroutine stack: it
    /// formats nothing, logs nothing and looks at the data only to count what it drops.
    pub fn offer(&self, tag: &[u8], data: &[u8]) -> Result<(), Refused> {
        self.callers.note();
        let size = (tag.len() + data.len()) as u64;
        let before = self.waiting.fetch_add(size, Ordering::AcqRel);
        if before.saturating_add(size) > self.limit {
            self.waiting.fetch_sub(size, Ordering::AcqRel);
            return Err(Refused::Full);
        }
        // What this chunk takes of them is in the queue then; the rest may have to go. Where one fitted,
        // the reading side may hold one buffer above the limit: giving memory back and taking it anew
        // is a hundred times slower than the copy.
        let kept = self.spares.take(tag.len() + data.len());
        let above = if kept.is_some() { size } else { 0 };
        let room = (self.limit + above).saturating_sub(before + size);
        if self.spares.bytes() > room {
            self.spares.shrink(room);
        }
        let sent = match Chunk::copy(tag, data, kept) {
            None => Err(Refused::Full),
            Some(chunk) => self
                .to
                .try_send(Sent::Chunk(chunk))
                .map_err(|fault| match fault {
                    TrySendError::Full(_) => Refused::Full,
                    TrySendError::Disconnected(_) => Refused::Closed,
                }),
        };
        match sent {
            Ok(()) => {
                self.counters.chunks_seen.add(1);
                self.counters.queue_bytes.add(size);
            }
            Err(_) => {
                self.waiting.fetch_sub(size, Ordering::AcqRel);
            }
        }
        sent
    }

    /// Counts a chunk that goes nowhere.
    pub fn count_dropped(&self, data: &[u8]) {
        self.counters.chunks_dropped.add(1);
        self.counters.bytes_dropped.add(data.len() as u64);
        self.counters.records_dropped.add(count_records(data));
    }

    /// Enqueues and waits for room: for replay, whose reader may wait.
    pub fn wait(&self, tag: &[u8], data: &[u8]) -> Result<(), Refused> {
        loop {
            match self.offer(tag, data) {
                Err(Refused::Full) if self.waiting.load(Ordering::Acquire) > 0 => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                done => return done,
            }
        }
    }

    /// Waits until everything that was enqueued was read.
    pub fn wait_until_read(&self) {
        let (mark, read) = bounded(0);
        if self.to.send(Sent::Mark(mark)).is_ok() {
            // The mark is dropped, never sent.
            let _ = read.recv();
        }
    }

    /// The threads that hand over.
    pub fn callers(&self) -> Arc<Callers> {
        Arc::clone(&self.callers)
    }

    /// Bytes that may still be enqueued in one piece when the queue is empty.
    pub fn limit(&self) -> u64 {
        self.limit
    }
}

impl Outlet {
    /// What comes next, within the time; `Err` when all intakes are gone and the queue is empty.
    pub fn next(&self, within: Duration) -> Result<Next, Refused> {
        match self.from.recv_timeout(within) {
            Ok(Sent::Chunk(chunk)) => {
                let waited = self.waiting.fetch_sub(chunk.size(), Ordering::AcqRel);
                self.counters.queue_bytes.sub(chunk.size());
                let held = waited + self.spares.bytes();
                let room = self.limit.saturating_sub(held);
                self.spares.stock(chunk.bytes.len(), room);
                Ok(Next::Chunk(chunk))
            }
            Ok(Sent::Mark(mark)) => Ok(Next::Mark(mark)),
            Err(RecvTimeoutError::Timeout) => Ok(Next::Nothing),
            Err(RecvTimeoutError::Disconnected) => Err(Refused::Closed),
        }
    }

    /// Gives back a chunk that was read, so that its memory serves the next one. A queue that holds
    /// its limit keeps this one buffer and no more, or the host's thread would have to let go of it.
    pub fn done(&self, chunk: Chunk) {
        let held = self.waiting.load(Ordering::Acquire) + self.spares.bytes();
        if held <= self.limit {
            self.spares.give(chunk.bytes);
        }
    }

    /// Lets go of memory that was needed for no chunk since this was last called.
    pub fn settle(&self) {
        self.spares.settle();
    }
}

/// Bytes of a dropped chunk that are looked at; the host's thread waits for it.
const COUNTED: usize = 1 << 20;

/// Records in a chunk, counted by the mark that opens each: an array of two whose first
/// element is, or begins with, an EventTime (FORWARD protocol, ext type 0 of 8 bytes). A copy
/// of these bytes inside a message would count too; reading the chunk is not for here. Of a
/// chunk larger than [`COUNTED`] the rest is taken to be like its beginning.
fn count_records(data: &[u8]) -> u64 {
    let looked = &data[..data.len().min(COUNTED)];
    let count = memmem::find_iter(looked, b"\x92\xd7\x00").count() as u64;
    match looked.len() {
        0 => 0,
        length => count
            .saturating_mul(data.len() as u64)
            .div_ceil(length as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters() -> Arc<Counters> {
        Arc::new(Counters::default())
    }

    fn taken(outlet: &Outlet) -> Chunk {
        match outlet.next(Duration::ZERO) {
            Ok(Next::Chunk(chunk)) => chunk,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whoever_waits_goes_on_when_everything_before_was_read() {
        let (intake, outlet) = queue(100, counters());
        intake.offer(b"t", b"1").unwrap();
        let waits = std::thread::spawn(move || intake.wait_until_read());
        taken(&outlet);
        let mark = loop {
            match outlet.next(Duration::from_millis(10)) {
                Ok(Next::Mark(mark)) => break mark,
                Ok(Next::Nothing) => {}
                other => panic!("{other:?}"),
            }
        };
        assert!(!waits.is_finished());
        drop(mark);
        waits.join().unwrap();
    }

    #[test]
    fn a_full_queue_refuses_and_takes_again_when_drained() {
        let counters = counters();
        let (intake, outlet) = queue(10, Arc::clone(&counters));
        assert_eq!(intake.offer(b"t", b"12345"), Ok(()));
        assert_eq!(intake.offer(b"t", b"12345"), Err(Refused::Full));
        assert_eq!(counters.queue_bytes.get(), 6);
        let chunk = taken(&outlet);
        assert_eq!((chunk.tag().as_ref(), chunk.data()), ("t", &b"12345"[..]));
        assert_eq!(counters.queue_bytes.get(), 0);
        assert_eq!(intake.offer(b"t", b"12345"), Ok(()));
    }

    #[test]
    fn memory_of_read_chunks_serves_the_next_within_the_limit() {
        const SIZE: usize = 64 << 10;
        let (intake, outlet) = queue(4 * SIZE as u64 + 64, counters());
        let chunk = [b'x'; SIZE - 1];
        let mut before = std::ptr::null::<u8>();
        for _ in 0..3 {
            assert_eq!(intake.offer(b"t", &chunk), Ok(()));
            let taken = taken(&outlet);
            assert_eq!((taken.tag().as_ref(), taken.data()), ("t", &chunk[..]));
            assert!(before.is_null() || before == taken.data().as_ptr());
            before = taken.data().as_ptr();
            outlet.done(taken);
        }
        assert!(intake.spares.bytes() >= SIZE as u64);
        // Too large for what was kept, which then has to go.
        assert_eq!(intake.offer(b"t", &[b'x'; 4 * SIZE]), Ok(()));
        assert_eq!(intake.spares.bytes(), 0);
    }

    #[test]
    fn the_reading_thread_makes_memory_ready_for_the_pushing_one() {
        const SIZE: usize = 64 << 10;
        let (intake, outlet) = queue(64 * SIZE as u64, counters());
        let chunk = [b'x'; SIZE - 1];
        assert_eq!(intake.offer(b"t", &chunk), Ok(()));
        let mut made = Vec::new();
        let mut waiting = 0;
        for _ in 0..16 {
            drop(taken(&outlet));
            let before = crate::pipeline::spares::MADE.with(std::cell::Cell::get);
            // It falls behind: two come for one that is read.
            assert_eq!(intake.offer(b"t", &chunk), Ok(()));
            assert_eq!(intake.offer(b"t", &chunk), Ok(()));
            waiting += 1;
            let after = crate::pipeline::spares::MADE.with(std::cell::Cell::get);
            made.push(after - before);
        }
        assert_eq!(made, [0; 16], "with {waiting} waiting");
    }

    #[test]
    fn a_full_queue_goes_on_with_the_memory_of_what_is_read() {
        const SIZE: usize = 64 << 10;
        let (intake, outlet) = queue(4 * SIZE as u64, counters());
        let chunk = [b'x'; SIZE - 1];
        while intake.offer(b"t", &chunk).is_ok() {}
        let made = crate::pipeline::spares::MADE.with(std::cell::Cell::get);
        for _ in 0..8 {
            outlet.done(taken(&outlet));
            assert_eq!(intake.offer(b"t", &chunk), Ok(()));
            assert_eq!(intake.offer(b"t", &chunk), Err(Refused::Full));
        }
        let then = crate::pipeline::spares::MADE.with(std::cell::Cell::get);
        assert_eq!(then, made, "what was read served the next");
    }

    #[test]
    fn no_order_of_pushing_and_reading_at_the_limit_takes_new_memory() {
        const SIZE: usize = (64 << 10) + 5;
        let (intake, outlet) = queue(32 * SIZE as u64 - 7, counters());
        let chunk = [b'x'; SIZE - 1];
        while intake.offer(b"t", &chunk).is_ok() {}
        let made = || crate::pipeline::spares::MADE.with(std::cell::Cell::get);
        let mut before = 0;
        for turn in 0..200 {
            if turn == 8 {
                // What the reading side has in hand comes on top, once.
                before = made();
            }
            // Reads up to four before the pushing side comes, and while it is at the last.
            for _ in 0..turn % 4 {
                outlet.done(taken(&outlet));
            }
            let _ = intake.offer(b"t", &chunk);
            let last = taken(&outlet);
            while intake.offer(b"t", &chunk).is_ok() {}
            outlet.done(last);
        }
        assert_eq!(made(), before, "made anew");
    }

    #[test]
    fn dropped_records_are_counted_in_both_layouts() {
        let old = b"\x92\xd7\x00\0\0\0\x01\0\0\0\0\x80";
        let new = b"\x92\x92\xd7\x00\0\0\0\x01\0\0\0\0\x80\x80";
        let counters = counters();
        let (intake, _outlet) = queue(1, Arc::clone(&counters));
        intake.count_dropped(&[&old[..], &new[..], &old[..]].concat());
        assert_eq!(counters.records_dropped.get(), 3);
    }

    #[test]
    fn of_a_huge_dropped_chunk_the_rest_is_estimated() {
        let record = [b"\x92\xd7\x00\0\0\0\x01\0\0\0\0".as_slice(), &[b'x'; 1_013]].concat();
        assert_eq!(count_records(&record.repeat(10_240)), 10_240);
        assert_eq!(count_records(b""), 0);
    }

    #[test]
    fn an_ended_lane_closes_the_queue() {
        let (intake, outlet) = queue(100, counters());
        drop(outlet);
        assert_eq!(intake.offer(b"t", b"1"), Err(Refused::Closed));
        let (intake, outlet) = queue(100, counters());
        drop(intake);
        assert!(outlet.next(Duration::ZERO).is_err());
    }
}
