//! The source around the service's own frames, for people to read.

use crate::investigate::Excerpt;
use crate::source::locate::{Files, Located, THRESHOLD};

/// Frames that are shown with their source.
const EXCERPTS: usize = 5;
/// Lines shown above and below.
const AROUND: u32 = 6;
/// Longest line that is shown, in characters.
const WIDTH: usize = 240;

/// Excerpts of the best frames, each stretch of a file once.
pub(super) fn around(located: &[Located], files: &dyn Files) -> Vec<Excerpt> {
    let mut shown: Vec<Excerpt> = Vec::new();
    for one in located
        .iter()
        .filter(|one| one.own && one.mapped >= THRESHOLD)
    {
        let Some((line, text)) = one.line.zip(files.text(&one.file)) else {
            continue;
        };
        let again = shown.iter().any(|e| {
            e.file == one.file && e.marked.is_some_and(|m| m.abs_diff(line) <= AROUND / 2)
        });
        if again {
            continue;
        }
        let first = line.saturating_sub(AROUND).max(1);
        let lines: Vec<String> = text
            .lines()
            .skip(first as usize - 1)
            .take((line - first + AROUND) as usize + 1)
            .map(|text| text.chars().take(WIDTH).collect())
            .collect();
        if lines.len() <= (line - first) as usize {
            continue;
        }
        shown.push(Excerpt {
            file: one.file.clone(),
            first_line: first,
            lines,
            marked: Some(line),
        });
        if shown.len() == EXCERPTS {
            break;
        }
    }
    shown
}
