//! The form of kept texts on disk: blocks of about a megabyte, each with its length and a
//! checksum; the first says of which commit they are, the last how much there is. A file without
//! a last block was never finished. Not here: which texts there are.

use crate::source::mirror::make_private;
use crate::source::repo::Commit;
use crate::source::texts::{Eye, LONGEST, Looked, Text};
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

const MAGIC: &[u8] = b"autofix texts 1 ";
/// A block is closed when it holds so much.
const BLOCK: usize = 1 << 20;
/// No block is longer.
const MOST: usize = BLOCK + LONGEST + 8_192;
const END: &[u8] = b"end ";

/// A text as it is written.
pub(super) struct Record<'t> {
    path: &'t str,
    bytes: &'t [u8],
    generated: bool,
}

impl<'t> Record<'t> {
    pub(super) fn of(text: &Text<'t>) -> Record<'t> {
        Record {
            path: text.path,
            bytes: text.bytes,
            generated: text.generated,
        }
    }

    fn write(&self, to: &mut Vec<u8>) {
        let length = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        to.push(u8::from(self.generated));
        to.extend(length(self.path.len()));
        to.extend(length(self.bytes.len()));
        to.extend(self.path.as_bytes());
        to.extend(self.bytes);
    }

    /// The first record of a block's rest, and what comes after it.
    fn read(from: &'t [u8]) -> Option<(Record<'t>, &'t [u8])> {
        let (generated, rest) = from.split_first()?;
        let (path, rest) = number(rest)?;
        let (bytes, rest) = number(rest)?;
        let (path, rest) = rest.split_at_checked(path)?;
        let (bytes, rest) = rest.split_at_checked(bytes)?;
        let record = Record {
            path: std::str::from_utf8(path).ok()?,
            bytes,
            generated: *generated != 0,
        };
        Some((record, rest))
    }
}

fn number(from: &[u8]) -> Option<(usize, &[u8])> {
    let (four, rest) = from.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*four)).ok()?, rest))
}

fn write_block(file: &mut File, payload: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    file.write_all(&length.to_le_bytes())?;
    file.write_all(&crc32fast::hash(payload).to_le_bytes())?;
    file.write_all(payload)
}

/// The next block; `None` at the end of the file.
fn read_block(from: &mut impl Read, into: &mut Vec<u8>) -> Result<Option<()>, String> {
    let mut head = [0; 8];
    match from.read(&mut head[..1]) {
        Ok(0) => return Ok(None),
        Ok(_) => {}
        Err(e) => return Err(e.to_string()),
    }
    from.read_exact(&mut head[1..]).map_err(|e| e.to_string())?;
    let [a, b, c, d, crc @ ..] = head;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if length > MOST {
        return Err("a block is too long".to_owned());
    }
    into.resize(length, 0);
    from.read_exact(into).map_err(|e| e.to_string())?;
    if crc32fast::hash(into) != u32::from_le_bytes(crc) {
        return Err("a checksum does not fit".to_owned());
    }
    Ok(Some(()))
}

fn first(commit: Commit) -> Vec<u8> {
    let mut first = MAGIC.to_vec();
    first.extend(commit.to_string().as_bytes());
    first
}

/// Shows the texts of all blocks from here on; gives what the last block says, where one came.
fn each(
    file: &mut File,
    commit: Commit,
    deadline: Instant,
    eye: &mut Eye<'_>,
) -> Result<Shown, String> {
    file.seek(SeekFrom::Start(0)).map_err(|e| e.to_string())?;
    let mut from = BufReader::with_capacity(256 << 10, file);
    let mut block = Vec::new();
    read_block(&mut from, &mut block)?.ok_or("it is empty")?;
    if block != first(commit) {
        return Err("it is of another commit".to_owned());
    }
    while read_block(&mut from, &mut block)?.is_some() {
        if let Some(said) = block.strip_prefix(END) {
            return Ok(Shown::End(read_end(said).ok_or("its end cannot be read")?));
        }
        let mut rest = block.as_slice();
        while !rest.is_empty() {
            let (record, after) = Record::read(rest).ok_or("a text cannot be read")?;
            rest = after;
            eye.show(Text {
                path: record.path,
                bytes: record.bytes,
                generated: record.generated,
            });
        }
        if eye.stopped {
            return Ok(Shown::Stopped);
        }
        if Instant::now() >= deadline {
            return Ok(Shown::Late);
        }
    }
    Ok(Shown::Open)
}

enum Shown {
    End(Looked),
    Stopped,
    Late,
    /// All there is; the file was not finished.
    Open,
}

fn write_end(looked: &Looked) -> Vec<u8> {
    let mut end = END.to_vec();
    for number in [looked.files, looked.no_text, looked.too_long] {
        end.extend((number as u64).to_le_bytes());
    }
    end
}

fn read_end(said: &[u8]) -> Option<Looked> {
    let numbers: Vec<usize> = said
        .chunks_exact(8)
        .filter_map(|eight| usize::try_from(u64::from_le_bytes(eight.try_into().ok()?)).ok())
        .collect();
    let [files, no_text, too_long] = numbers[..] else {
        return None;
    };
    Some(Looked {
        files,
        reached: files,
        no_text,
        too_long,
        stopped: false,
    })
}

/// Texts that are whole.
#[derive(Debug)]
pub(super) struct Blocks {
    file: File,
    commit: Commit,
    end: Looked,
}

impl Blocks {
    /// `None` where there are none, or none that are whole.
    pub(super) fn open(place: &Path, commit: Commit) -> Option<Blocks> {
        let mut file = File::open(place).ok()?;
        // The end is a block of a known size.
        let length = 8 + i64::try_from(write_end(&Looked::default()).len()).ok()?;
        file.seek(SeekFrom::End(-length)).ok()?;
        let mut block = Vec::new();
        read_block(&mut file, &mut block).ok()??;
        let end = read_end(block.strip_prefix(END)?)?;
        file.seek(SeekFrom::Start(0)).ok()?;
        read_block(&mut file, &mut block).ok()??;
        // Which of them are used is told by their times.
        let _ = file.set_modified(SystemTime::now());
        (block == first(commit)).then_some(Blocks { file, commit, end })
    }

    pub(super) fn each(&mut self, deadline: Instant, eye: &mut Eye<'_>) -> Result<Looked, String> {
        let cut = |eye: &Eye<'_>| Looked {
            reached: eye.shown,
            stopped: eye.stopped,
            ..self.end
        };
        match each(&mut self.file, self.commit, deadline, eye)? {
            Shown::End(looked) => Ok(Looked {
                stopped: eye.stopped,
                ..looked
            }),
            Shown::Stopped | Shown::Late => Ok(cut(eye)),
            Shown::Open => Err("its end is missing".to_owned()),
        }
    }
}

/// Texts that are being written, under another name until they are whole.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
    commit: Commit,
    block: Vec<u8>,
    new: PathBuf,
    place: PathBuf,
}

impl Writer {
    pub(super) fn create(place: &Path, commit: Commit) -> std::io::Result<Writer> {
        use std::os::unix::fs::OpenOptionsExt;
        if let Some(folder) = place.parent() {
            make_private(folder)?;
        }
        // Several threads and processes may write the same texts; whoever is last stays.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let nanos = now.map_or(0, |since| since.as_nanos());
        let new = place.with_extension(format!("{}-{nanos}.new", std::process::id()));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        let mut writer = Writer {
            file,
            commit,
            block: Vec::with_capacity(BLOCK + 4_096),
            new,
            place: place.to_owned(),
        };
        write_block(&mut writer.file, &first(commit))?;
        Ok(writer)
    }

    pub(super) fn push(&mut self, record: &Record<'_>) -> std::io::Result<()> {
        record.write(&mut self.block);
        match self.block.len() >= BLOCK {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if !self.block.is_empty() {
            write_block(&mut self.file, &self.block)?;
            self.block.clear();
        }
        Ok(())
    }

    /// Shows what was written so far.
    pub(super) fn each(&mut self, deadline: Instant, eye: &mut Eye<'_>) -> Result<(), String> {
        self.flush().map_err(|e| e.to_string())?;
        let shown = each(&mut self.file, self.commit, deadline, eye);
        self.file
            .seek(SeekFrom::End(0))
            .map_err(|e| e.to_string())?;
        match shown? {
            Shown::Open | Shown::Stopped | Shown::Late => Ok(()),
            Shown::End(_) => Err("it ends too early".to_owned()),
        }
    }

    /// Gives them their name.
    pub(super) fn finish(mut self, looked: &Looked) -> Result<Blocks, String> {
        let end = Looked {
            reached: looked.files,
            stopped: false,
            ..*looked
        };
        let done = self
            .flush()
            .and_then(|()| write_block(&mut self.file, &write_end(&end)))
            .and_then(|()| fs::rename(&self.new, &self.place));
        done.map_err(|e| e.to_string())?;
        let file = self.file.try_clone().map_err(|e| e.to_string())?;
        Ok(Blocks {
            file,
            commit: self.commit,
            end,
        })
    }
}

impl Drop for Writer {
    /// After `finish` there is nothing of that name.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.new);
    }
}
