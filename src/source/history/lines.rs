//! A file's lines on both sides of a change: which hunk covers one, and where it stood before.
//! Pure arithmetic on hunks and texts; which change is looked at is the walk's business.

use crate::source::diff::Hunk;

/// Most lines of a hunk that are kept.
const HUNK_TEXT_LIMIT: usize = 200;

/// Whether a hunk wrote this line.
pub(super) fn covers(hunk: &Hunk, line: u32) -> bool {
    line >= hunk.new_start && line - hunk.new_start < hunk.new_lines
}

/// Where a line stood before the hunks; for a rewritten line the likeliest one.
pub(super) fn before(hunks: &[Hunk], line: u32, old: &Lines<'_>, new: &Lines<'_>) -> u32 {
    let mut shift = 0i64;
    for hunk in hunks {
        if covers(hunk, line) {
            return old_of(hunk, line, old, new);
        }
        let end = if hunk.new_lines == 0 {
            hunk.new_start + 1
        } else {
            hunk.new_start + hunk.new_lines
        };
        if line < end {
            break;
        }
        shift += i64::from(hunk.old_lines) - i64::from(hunk.new_lines);
    }
    u32::try_from((i64::from(line) + shift).max(1)).unwrap_or(1)
}

fn old_of(hunk: &Hunk, line: u32, old: &Lines<'_>, new: &Lines<'_>) -> u32 {
    if hunk.old_lines == 0 {
        return hunk.old_start.max(1);
    }
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let wanted = new.get(line).map(bare).unwrap_or_default();
    let same = (hunk.old_start..hunk.old_start + hunk.old_lines)
        .find(|at| !wanted.is_empty() && old.get(*at).map(bare).as_deref() == Some(&wanted));
    same.unwrap_or_else(|| {
        let into = u64::from(line - hunk.new_start) * u64::from(hunk.old_lines);
        let into = u32::try_from(into / u64::from(hunk.new_lines.max(1))).unwrap_or(0);
        hunk.old_start + into.min(hunk.old_lines - 1)
    })
}

/// A text's lines, counted from 1.
pub(super) struct Lines<'t>(Vec<&'t [u8]>);

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t [u8]) -> Lines<'t> {
        Lines(text.split(|b| *b == b'\n').collect())
    }

    /// How many there are; what ends without a line end counts.
    pub(super) fn count(&self) -> u32 {
        let open = self.0.last().is_some_and(|last| !last.is_empty());
        let ended = self.0.len().saturating_sub(1);
        u32::try_from(ended + usize::from(open)).unwrap_or(u32::MAX)
    }

    pub(super) fn get(&self, line: u32) -> Option<&'t str> {
        let at = usize::try_from(line).ok()?.checked_sub(1)?;
        self.0
            .get(at)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    pub(super) fn range(&self, start: u32, count: u32) -> Vec<String> {
        (start..start.saturating_add(count))
            .take(HUNK_TEXT_LIMIT)
            .map(|at| {
                self.get(at)
                    .unwrap_or_default()
                    .trim_end_matches('\r')
                    .to_owned()
            })
            .collect()
    }

    /// Whether a hunk changed nothing but white space that means nothing. Where indentation is
    /// syntax it means something.
    pub(super) fn only_spacing(&self, new: &Lines<'_>, hunk: &Hunk, file: &str) -> bool {
        if hunk.old_lines == 0 || hunk.new_lines == 0 {
            let side = if hunk.new_lines == 0 { self } else { new };
            let (start, count) = if hunk.new_lines == 0 {
                (hunk.old_start, hunk.old_lines)
            } else {
                (hunk.new_start, hunk.new_lines)
            };
            return (start..start + count)
                .all(|at| side.get(at).is_some_and(|l| l.trim().is_empty()));
        }
        let indented = [
            ".py", ".pyi", ".yaml", ".yml", ".nim", ".coffee", ".haml", ".pug",
        ]
        .iter()
        .any(|extension| file.ends_with(extension));
        if indented {
            let ends = |lines: &Lines<'_>, start: u32, count: u32| -> Vec<String> {
                (start..start + count)
                    .filter_map(|at| lines.get(at))
                    .map(|text| text.trim_end().replace('\t', "    "))
                    .filter(|text| !text.is_empty())
                    .collect()
            };
            return ends(self, hunk.old_start, hunk.old_lines)
                == ends(new, hunk.new_start, hunk.new_lines);
        }
        let bare = |lines: &Lines<'_>, start: u32, count: u32| -> Vec<u8> {
            (start..start + count)
                .filter_map(|at| lines.0.get(at.checked_sub(1)? as usize))
                .flat_map(|bytes| bytes.iter().copied())
                .filter(|b| !b.is_ascii_whitespace())
                .collect()
        };
        bare(self, hunk.old_start, hunk.old_lines) == bare(new, hunk.new_start, hunk.new_lines)
    }
}
