//! `inspect`: the stack traces, or the templates, of a file or of standard input, line by line.

use crate::app::{Error, look};
use crate::model::TemplateId;
use crate::pipeline::clock;
use crate::record::ansi;
use crate::store::Store;
use crate::template::{Learnt, Limits, Miner};
use crate::trace::{Inspected, Inspector};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// What `inspect traces` was asked for.
#[derive(Clone, Debug, Default)]
pub struct InspectOptions {
    /// Each line is a JSON object.
    pub json_lines: bool,
    /// Of those objects: the key whose value names the stream.
    pub stream_key: Option<String>,
}

/// What `inspect templates` was asked for.
#[derive(Clone, Debug, Default)]
pub struct TemplatesOptions {
    /// Learnt templates to start from, as JSON Lines.
    pub seed: Option<PathBuf>,
}

/// Longest line that is read as a whole, in bytes; the rest of a longer one is skipped.
const LINE_LIMIT: usize = 4 << 20;

/// Opens the input: a file, or standard input for `-` and nothing. A file is unpacked if it is
/// gzip.
pub fn open(path: Option<&Path>) -> Result<Box<dyn BufRead>, Error> {
    let reader: Box<dyn Read> = match path {
        None => Box::new(std::io::stdin()),
        Some(path) if path == Path::new("-") => Box::new(std::io::stdin()),
        Some(path) => Box::new(File::open(path).map_err(|e| Error::unfinished(path.display(), e))?),
    };
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let begins_as_gzip = reader
        .fill_buf()
        .map_err(|e| Error::unfinished("cannot read the input", e))?
        .starts_with(&[0x1f, 0x8b]);
    if begins_as_gzip {
        let unpacked = flate2::bufread::MultiGzDecoder::new(reader);
        return Ok(Box::new(BufReader::new(unpacked)));
    }
    Ok(Box::new(reader))
}

/// Gives each trace when it is complete.
pub fn traces(
    options: &InspectOptions,
    mut input: impl BufRead,
    each: &mut dyn FnMut(Inspected),
) -> Result<(), Error> {
    let mut inspector = Inspector::default();
    let mut line = Vec::new();
    while read_line(&mut input, &mut line)
        .map_err(|e| Error::unfinished("cannot read the input", e))?
    {
        let text = String::from_utf8_lossy(&line);
        let found = if options.json_lines {
            inspector.push_json(&text, options.stream_key.as_deref())
        } else {
            inspector.push("", &text)
        };
        found.into_iter().for_each(&mut *each);
    }
    inspector.finish().into_iter().for_each(each);
    Ok(())
}

/// Gives each line's template when the line is read, until `each` wants no more; then the miner
/// with what it has learnt.
pub fn templates(
    options: &TemplatesOptions,
    mut input: impl BufRead,
    each: &mut dyn FnMut(TemplateId, &str) -> bool,
) -> Result<Miner, Error> {
    let mut miner = Miner::new(Limits::default());
    if let Some(seed) = &options.seed {
        load_seed(&mut miner, seed)?;
    }
    let mut line = Vec::new();
    while read_line(&mut input, &mut line)
        .map_err(|e| Error::unfinished("cannot read the input", e))?
    {
        let text = String::from_utf8_lossy(&line);
        // As the lanes read a message: without colours.
        let text = ansi::strip(&text);
        let id = miner.read(&text).id;
        let template = miner.text(id).unwrap_or_else(|| Miner::masked(&text));
        if !each(id, &template) {
            break;
        }
    }
    Ok(miner)
}

/// The templates that the instances of a `State_Dir` learnt, each with its service.
///
/// # Errors
/// When there is no store or it cannot be read.
pub fn learnt(state_dir: &Path) -> Result<Vec<Learnt>, Error> {
    let failed = |fault: crate::store::Error| Error::Unfinished(fault.to_string());
    let store = Store::open_existing(state_dir, look::limits()).map_err(failed)?;
    let mut all = Vec::new();
    for kept in store.learnt().map_err(failed)? {
        let settled = store.settled(&kept.service, clock::now()).map_err(failed)?;
        for line in kept.templates.lines() {
            let learnt = Learnt::parse(line)
                .map_err(|why| Error::unfinished(format!("templates of {}", kept.service), why))?;
            let own = settled.iter().filter(|row| row.template == learnt.id);
            all.push(Learnt {
                service: Some(kept.service.clone()),
                ignored: own.map(|row| row.facets).collect(),
                ..learnt
            });
        }
    }
    Ok(all)
}

/// A line that is refused ends it: what is half loaded would call the rest new.
fn load_seed(miner: &mut Miner, seed: &Path) -> Result<(), Error> {
    let mut input = open(Some(seed))?;
    let mut line = Vec::new();
    let mut number = 0_u64;
    while read_line(&mut input, &mut line).map_err(|e| Error::unfinished(seed.display(), e))? {
        number += 1;
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        Learnt::parse(&text)
            .and_then(|learnt| miner.load(&learnt))
            .map_err(|why| Error::unfinished(format!("{}:{number}", seed.display()), why))?;
    }
    Ok(())
}

/// One line without its end; `false` at the end of the input.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = memchr::memchr(b'\n', buffer);
        let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or(buffer);
        let room = LINE_LIMIT.saturating_sub(line.len());
        line.extend(part.iter().take(room));
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_length_and_end() {
        let text = format!("a\r\n\n{}\nlast", "x".repeat(LINE_LIMIT + 5));
        let mut input = BufReader::with_capacity(7, text.as_bytes());
        let mut line = Vec::new();
        let mut lengths = Vec::new();
        while read_line(&mut input, &mut line).unwrap() {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [1, 0, LINE_LIMIT, 4]);
    }
}
