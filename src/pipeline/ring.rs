//! The last lines of one stream, kept to stand around a fault in its report. Not a log: it
//! forgets silently and holds a bounded number of bytes.

use crate::model::{ContextLine, Timestamp};
use std::collections::VecDeque;
use std::time::Duration;

/// Longest part of a line that is kept, in bytes.
const MAX_LINE: usize = 2_048;

/// Bytes of lines that go with one signal.
const MAX_COPY: usize = 64 << 10;

/// Bytes of another stream's lines that go with one signal.
const MAX_NEAR: usize = 4 << 10;

/// The newest lines of a stream, oldest first. Their bytes stand behind each other in one buffer,
/// which is used again and again: a line costs a copy and no allocation.
#[derive(Debug, Default)]
pub struct Ring {
    lines: VecDeque<(Timestamp, usize)>,
    bytes: VecDeque<u8>,
    limit: usize,
}

impl Ring {
    /// Keeps at most `limit` lines.
    pub fn new(limit: usize) -> Ring {
        Ring {
            limit,
            ..Ring::default()
        }
    }

    /// Adds a line; the oldest gives way.
    pub fn push(&mut self, time: Timestamp, text: &str) {
        if self.limit == 0 {
            return;
        }
        if self.lines.len() >= self.limit
            && let Some((_, length)) = self.lines.pop_front()
        {
            self.bytes.drain(..length.min(self.bytes.len()));
        }
        let kept = head(text, MAX_LINE).as_bytes();
        self.bytes.extend(kept);
        self.lines.push_back((time, kept.len()));
    }

    /// A copy of the lines without the last `skip` (those that are part of the fault itself):
    /// the newest of them, at most [`MAX_COPY`] bytes, oldest first.
    pub fn before(&self, skip: usize) -> Vec<ContextLine> {
        let keep = self.lines.len().saturating_sub(skip);
        let cut: usize = self.lines.iter().skip(keep).map(|(_, length)| length).sum();
        let mut end = self.bytes.len().saturating_sub(cut);
        let mut room = MAX_COPY;
        let mut lines = Vec::new();
        for (time, length) in self.lines.iter().take(keep).rev() {
            if *length > room {
                break;
            }
            room -= length;
            let start = end.saturating_sub(*length);
            lines.push(ContextLine {
                time: *time,
                text: self.text(start, end),
                from: None,
            });
            end = start;
        }
        lines.reverse();
        lines
    }

    /// A copy of the newest lines that came within `around` of a time, at most `most` of them and
    /// [`MAX_NEAR`] bytes, oldest first.
    pub fn near(&self, time: Timestamp, around: Duration, most: usize) -> Vec<ContextLine> {
        let (from, to) = (time.minus(around), time.plus(around));
        let mut end = self.bytes.len();
        let mut room = MAX_NEAR;
        let mut lines = Vec::new();
        for (at, length) in self.lines.iter().rev() {
            let start = end.saturating_sub(*length);
            if *at < from || lines.len() == most || *length > room {
                break;
            }
            if *at <= to {
                room -= length;
                lines.push(ContextLine {
                    time: *at,
                    text: self.text(start, end),
                    from: None,
                });
            }
            end = start;
        }
        lines.reverse();
        lines
    }

    /// A line whose bytes stand there, which may go over the end of the buffer to its beginning.
    fn text(&self, start: usize, end: usize) -> String {
        let (first, second) = self.bytes.as_slices();
        let part = |slice: &[u8], before: usize| {
            let from = start.saturating_sub(before).min(slice.len());
            let to = end.saturating_sub(before).min(slice.len());
            from..to
        };
        let (head, tail) = (part(first, 0), part(second, first.len()));
        let mut bytes = Vec::with_capacity(end.saturating_sub(start));
        bytes.extend_from_slice(first.get(head).unwrap_or_default());
        bytes.extend_from_slice(second.get(tail).unwrap_or_default());
        // Whole characters went in.
        String::from_utf8(bytes)
            .unwrap_or_else(|wrong| String::from_utf8_lossy(wrong.as_bytes()).into_owned())
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes.capacity() + self.lines.capacity() * size_of::<(Timestamp, usize)>()
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
    fn lines_keep_apart_while_the_buffer_turns_over() {
        let mut ring = Ring::new(5);
        for number in 0..1_000_i64 {
            ring.push(Timestamp(number), &"é".repeat(number as usize % 7));
        }
        let kept = ring.before(2);
        let lengths: Vec<_> = kept.iter().map(|line| line.text.chars().count()).collect();
        assert_eq!(lengths, [995 % 7, 996 % 7, 997 % 7]);
        assert_eq!(kept[0].time, Timestamp(995));
        assert!(ring.bytes() < 1_000, "{}", ring.bytes());
    }

    #[test]
    fn what_was_said_around_a_time_is_the_newest_of_it() {
        let mut ring = Ring::new(10);
        for at in 0..10 {
            ring.push(Timestamp::from_parts(at * 10, 0), &at.to_string());
        }
        let near = |at: i64, most: usize| -> Vec<String> {
            let time = Timestamp::from_parts(at, 0);
            let lines = ring.near(time, Duration::from_secs(15), most);
            lines.into_iter().map(|line| line.text).collect()
        };
        assert_eq!(near(50, 9), ["4", "5", "6"]);
        assert_eq!(near(50, 2), ["5", "6"]);
        assert_eq!(near(500, 9), [""; 0]);
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
