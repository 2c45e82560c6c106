//! Turns the lines of a log file into the chunks that Fluent Bit would have delivered for it, so
//! that a replay runs through the same code as live logs. It is given an open reader; files,
//! compression and standard input are the caller's.

mod format;
mod line;

pub use format::{Detected, Format, detect};

use crate::model::Timestamp;
use std::io::{self, BufRead};

/// Longest line that is kept; the rest of a longer one is passed over and counted.
pub const MAX_LINE: usize = 1 << 20;
/// Lines at the start of an input by which its format is told.
const DETECT_LINES: usize = 20;
/// Bytes of them at most.
const DETECT_BYTES: usize = 256 << 10;

/// What gzip data begins with.
pub const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What some editors and Windows programs put before a UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Some records of an input, encoded as a host does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    pub records: u64,
}

/// What an input held so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Bytes read from the source.
    pub bytes: u64,
    pub lines: u64,
    /// Lines longer than [`MAX_LINE`].
    pub cut: u64,
}

/// Reads one input. Memory is bounded by the largest line and by the chunk asked for.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    detected: Detected,
    /// Lines read to tell the format, to be given out first; newest first.
    head: Vec<Vec<u8>>,
    converter: line::Converter,
    tally: Tally,
    line: Vec<u8>,
}

impl<R: BufRead> Reader<R> {
    /// Opens an input. The format is told from its first lines unless it is given. Lines without
    /// a time get the one before them; where the first lines have none at all, it is `start`
    /// (such as the file's age).
    pub fn open(source: R, format: Option<Format>, start: Timestamp) -> io::Result<Reader<R>> {
        let mut reader = Reader {
            source,
            detected: Detected::chosen(format.unwrap_or(Format::Text)),
            head: Vec::new(),
            converter: line::Converter::new(start),
            tally: Tally::default(),
            line: Vec::new(),
        };
        reader.read_head(format)?;
        Ok(reader)
    }

    fn read_head(&mut self, given: Option<Format>) -> io::Result<()> {
        let mut size = 0;
        while self.head.len() < DETECT_LINES && size < DETECT_BYTES && self.read_line()? {
            size += self.line.len();
            self.head.push(std::mem::take(&mut self.line));
        }
        let lines: Vec<&[u8]> = self.head.iter().map(Vec::as_slice).collect();
        if given.is_none() {
            self.detected = detect(&lines);
        }
        // Lines before the first timestamp are as old as it is.
        self.converter.prime(&lines, self.detected.format);
        self.head.reverse();
        Ok(())
    }

    /// The format, with a sentence on why.
    pub fn detected(&self) -> &Detected {
        &self.detected
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The next records, as many as begin within `size` bytes; `None` at the end.
    pub fn chunk(&mut self, size: usize) -> io::Result<Option<Chunk>> {
        let mut chunk = Chunk::default();
        while chunk.bytes.len() < size {
            match self.head.pop() {
                Some(line) => self.line = line,
                None if self.read_line()? => {}
                None => break,
            }
            let format = self.detected.format;
            let added = self.converter.convert(&self.line, format, &mut chunk.bytes);
            chunk.records += u64::from(added);
        }
        Ok((chunk.records > 0).then_some(chunk))
    }

    /// Reads a line without its newline into `self.line`; false at the end.
    fn read_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        let mut any = false;
        let mut cut = false;
        loop {
            let buffer = match self.source.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', buffer);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = MAX_LINE - self.line.len();
            cut |= part.len() > room;
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            self.tally.bytes += used as u64;
            self.source.consume(used);
            if end.is_some() {
                break;
            }
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        if self.tally.lines == 0 && self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        self.tally.lines += u64::from(any);
        self.tally.cut += u64::from(cut);
        Ok(any)
    }
}
