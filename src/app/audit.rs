//! `autofix audit`: whether the record of recovery is whole, and the record itself.

use crate::app::Error;
use crate::app::look::{failed, open};
use crate::store::{AuditEntry, AuditFault, Head};
use serde_json::Value;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Longest line of a file of heads that is read; what is longer holds no head.
const LINE: u64 = 1 << 20;
/// What the plugin itself wrote.
const OWN: [&str; 2] = ["incidents.jsonl.1", "incidents.jsonl"];

/// What was found.
#[derive(Clone, Debug)]
pub struct Verified {
    pub entries: u64,
    /// Heads that left the host and were compared.
    pub heads: usize,
    pub faults: Vec<AuditFault>,
}

/// Checks the chain against itself and against the heads that are still in `incidents.jsonl`, and in
/// files that were carried away.
///
/// # Errors
/// When there is no store, or a file cannot be read.
pub fn verify(state_dir: &Path, files: &[PathBuf]) -> Result<Verified, Error> {
    let store = open(state_dir)?;
    let mut heads = Vec::new();
    for name in OWN {
        let path = state_dir.join(name);
        if path.exists() {
            read(&path, &mut heads)?;
        }
    }
    for file in files {
        let before = heads.len();
        read(file, &mut heads)?;
        if heads.len() == before {
            let what = format!("{} holds no head of an audit", file.display());
            return Err(Error::Usage(what));
        }
    }
    let mut seen = HashSet::new();
    heads.retain(|head| seen.insert((head.entry, head.hash.clone())));
    let (entries, faults) = store.verify_audit(&heads).map_err(failed)?;
    Ok(Verified {
        entries,
        heads: heads.len(),
        faults,
    })
}

/// Every entry, oldest first; `each` ends it by `false`.
///
/// # Errors
/// When there is no store or it cannot be read.
pub fn export(state_dir: &Path, each: impl FnMut(AuditEntry) -> bool) -> Result<(), Error> {
    open(state_dir)?.audit(each).map_err(failed)
}

fn read(path: &Path, heads: &mut Vec<Head>) -> Result<(), Error> {
    let told = |e| Error::unfinished(path.display(), e);
    let mut from = BufReader::new(File::open(path).map_err(told)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut from).take(LINE).read_until(b'\n', &mut line);
        if read.map_err(told)? == 0 {
            return Ok(());
        }
        heads.extend(head(&line));
    }
}

/// The head in a line of `incidents.jsonl`, if it is one. Other lines stand between.
fn head(line: &[u8]) -> Option<Head> {
    let value: Value = serde_json::from_slice(line).ok()?;
    if value.get("event").and_then(Value::as_str) != Some("audit") {
        return None;
    }
    Some(Head {
        entry: value.get("entry")?.as_i64()?,
        hash: value.get("hash")?.as_str()?.to_owned(),
    })
}
