//! Whether a patch is small enough to be read: the limits of every patch, and tighter ones for
//! what a model writes.

use super::case::Case;
use super::{Seen, quoted};
use crate::patch::{FILE_LIMIT, LINE_LIMIT, too_large};

/// Most files that a model may touch; taking back a commit may touch [`FILE_LIMIT`].
const FILES: usize = 10;
/// Most bytes that may be added.
const BYTES: usize = 32 << 10;
/// Longest line that may be added, in bytes: what is longer is not read by anybody.
const WIDTH: usize = 400;

const _: () = assert!(FILES < FILE_LIMIT);

pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    let Some(diffed) = &case.diffed else {
        return seen;
    };
    if let Some(why) = too_large(diffed) {
        seen.fault(format!(
            "{why}; propose the smallest change that mends the cause"
        ));
    }
    let files = diffed.files.len();
    if files > FILES {
        seen.fault(format!(
            "it would touch {files} files; touch at most {FILES}"
        ));
    }
    let added = diffed
        .text
        .lines()
        .filter(|line| line.starts_with('+') && !line.starts_with("+++"));
    let bytes: usize = added.map(str::len).sum();
    if bytes > BYTES {
        seen.fault(format!("it would add {bytes} bytes; add at most {BYTES}"));
    }
    for file in &case.files {
        let old: std::collections::HashSet<&str> = file.text_before().lines().collect();
        let new = file.after.text.lines().enumerate();
        for (at, line) in new.filter(|(_, line)| line.len() > WIDTH && !old.contains(line)) {
            let (width, number) = (line.len(), at + 1);
            seen.fault(format!(
                "{} line {number} would have {width} bytes; break it into lines of at most {WIDTH}",
                quoted(&file.path)
            ));
        }
    }
    let lines = diffed.added + diffed.removed;
    seen.says(format!(
        "{lines} of at most {LINE_LIMIT} lines, {files} files"
    ))
}
