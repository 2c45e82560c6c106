//! The file of a team's own watches: reading it, and seeing that it changed. What stands in it is
//! the watch room's business.

use crate::config::files::{Stamp, read_text, stamp_of};
use crate::model::Timestamp;
use crate::registry::{Complaint, Place};
use crate::watch::{self, Refusal, Watch};
use std::path::{Path, PathBuf};

/// Largest file that is read, in bytes: 10,000 watches of a kilobyte and some room.
const FILE_LIMIT: u64 = 16 << 20;

/// Largest file that is checked while a host waits, in bytes: a thousand watches and more.
const QUICK: u64 = 256 << 10;

/// Faults of one file that are told; the rest is a number.
const MOST_FAULTS: usize = 20;

/// The file, so that a change is seen.
#[derive(Debug)]
pub struct WatchesSource {
    path: Option<PathBuf>,
    stamp: Option<Stamp>,
    text: Option<String>,
}

impl WatchesSource {
    /// `None`: the key is not set, and there is nothing to read.
    pub fn new(path: Option<PathBuf>) -> WatchesSource {
        WatchesSource {
            path,
            stamp: None,
            text: None,
        }
    }

    /// Reads the file now. `now` is the wall clock, from which lifetimes count.
    ///
    /// # Errors
    /// Every fault of the file, each with its watch and the remedy. The caller keeps the watches
    /// that it has.
    pub fn load(&mut self, now: Timestamp) -> Result<Vec<Watch>, Vec<Complaint>> {
        let Some(path) = &self.path else {
            return Ok(Vec::new());
        };
        // Taken before reading: an edit in between is seen at the next poll.
        self.stamp = stamp_of(path.clone());
        self.text = None;
        let text = read_text(path, FILE_LIMIT).map_err(|complaint| vec![complaint])?;
        let watches = check(path, &text, now);
        self.text = Some(text);
        watches
    }

    /// Whether checking the file takes no time that a host's start would notice. A larger one is
    /// better left to the first [`WatchesSource::poll`].
    pub fn is_quick(&self) -> bool {
        let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |about| about.len());
        self.path.as_ref().map_or(0, size) <= QUICK
    }

    /// Reads it again if it changed since the last reading, else `None`. A file that was only
    /// written again with the same text did not change.
    pub fn poll(&mut self, now: Timestamp) -> Option<Result<Vec<Watch>, Vec<Complaint>>> {
        let path = self.path.as_ref()?;
        let stamp = stamp_of(path.clone());
        if stamp == self.stamp {
            return None;
        }
        let same = read_text(path, FILE_LIMIT).ok() == self.text && self.text.is_some();
        if same {
            self.stamp = stamp;
            return None;
        }
        Some(self.load(now))
    }
}

/// Checks the text of the file at `path`.
///
/// # Errors
/// As [`WatchesSource::load`].
pub fn check(path: &Path, text: &str, now: Timestamp) -> Result<Vec<Watch>, Vec<Complaint>> {
    watch::parse_list(text, now).map_err(|faults| complaints(path, &faults))
}

/// Faults as complaints about the file; a long list is cut, and says so.
fn complaints(path: &Path, faults: &[Refusal]) -> Vec<Complaint> {
    let place = || Place::file(&path.to_string_lossy());
    let fault = |fault: &Refusal| Complaint::fault(place(), fault.0.clone(), "");
    let mut told: Vec<Complaint> = faults.iter().take(MOST_FAULTS).map(fault).collect();
    let more = faults.len().saturating_sub(MOST_FAULTS);
    if more > 0 {
        let what = format!("{more} more watches have faults");
        told.push(Complaint::fault(place(), what, "mend these first"));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const GOOD: &str =
        r#"[{"label":"a","match":{"field":"code","eq":1},"window_seconds":60,"threshold":1}]"#;

    #[test]
    fn a_change_is_seen_and_a_broken_edit_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("watches.json");
        fs::write(&file, GOOD).unwrap();
        let mut source = WatchesSource::new(Some(file.clone()));
        let now = Timestamp(0);
        assert_eq!(source.load(now).unwrap().len(), 1);
        assert!(source.poll(now).is_none());
        let other = dir.path().join("new");
        fs::write(&other, GOOD).unwrap();
        fs::rename(&other, &file).unwrap();
        assert!(source.poll(now).is_none(), "the same text");
        fs::write(&file, "[{\"label\":\"b\"}]").unwrap();
        let faults = source.poll(now).unwrap().unwrap_err();
        let told = faults[0].to_string();
        assert!(
            told.contains("watches.json") && told.contains("watch 1"),
            "{told}"
        );
        assert!(source.poll(now).is_none(), "told once");
        fs::remove_file(&file).unwrap();
        assert!(
            source.poll(now).unwrap().is_err(),
            "a file that is gone is told"
        );
        assert!(WatchesSource::new(None).load(now).unwrap().is_empty());
    }
}
