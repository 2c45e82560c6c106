//! The last lines of one stream, kept to stand around a fault in its report. Not a log: it
//! forgets silently and holds a bounded number of bytes.

use crate::model::{ContextLine, Timestamp};
use std::collections::VecDeque;

/// Longest part of a line that is kept, in bytes.
const MAX_LINE: usize = 2_048;

/// Bytes of lines that go with one signal.
const MAX_COPY: usize = 64 << 10;

/// The newest lines of a stream, oldest first.
#[derive(Debug, Default)]
pub struct Ring {
    lines: VecDeque<(Timestamp, String)>,
    limit: usize,
    bytes: usize,
}

impl Ring {
    /// Keeps at most `limit` lines.
    pub fn new(limit: usize) -> Ring {
        Ring {
            lines: VecDeque::new(),
            limit,
            bytes: 0,
        }
    }

    /// Adds a line; the oldest gives way, and its memory is used again.
    pub fn push(&mut self, time: Timestamp, text: &str) {
        if self.limit == 0 {
            return;
        }
        let mut kept = String::new();
        if self.lines.len() >= self.limit
            && let Some((_, old)) = self.lines.pop_front()
        {
            self.bytes -= old.capacity();
            kept = old;
        }
        kept.clear();
        kept.push_str(head(text, MAX_LINE));
        self.bytes += kept.capacity();
        self.lines.push_back((time, kept));
    }

    /// A copy of the lines without the last `skip` (those that are part of the fault itself):
    /// the newest of them, at most [`MAX_COPY`] bytes, oldest first.
    pub fn before(&self, skip: usize) -> Vec<ContextLine> {
        let keep = self.lines.len().saturating_sub(skip);
        let mut room = MAX_COPY;
        let newest = self.lines.iter().take(keep).rev().take_while(|(_, text)| {
            let fits = text.len() <= room;
            room = room.saturating_sub(text.len());
            fits
        });
        let mut lines: Vec<ContextLine> = newest
            .map(|(time, text)| ContextLine {
                time: *time,
                text: text.clone(),
            })
            .collect();
        lines.reverse();
        lines
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The longest beginning of `text` that is at most `limit` bytes and whole characters.
pub fn head(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_stay_and_the_faults_own_are_left_out() {
        let mut ring = Ring::new(3);
        for (at, text) in ["a", "b", "c", "d"].into_iter().enumerate() {
            ring.push(Timestamp(at as i64), text);
        }
        let texts: Vec<_> = ring.before(1).into_iter().map(|line| line.text).collect();
        assert_eq!(texts, ["b", "c"]);
        assert!(ring.before(9).is_empty());
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let mut ring = Ring::new(1);
        ring.push(Timestamp(0), &"é".repeat(MAX_LINE));
        assert_eq!(ring.before(0)[0].text.len(), MAX_LINE);
        assert_eq!(head("aé", 2), "a");
        assert!(ring.bytes() >= MAX_LINE);
    }
}
