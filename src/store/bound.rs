//! How much of one signal is kept, so that no single one fills the disk, whatever the limits of
//! those who made it are.

use crate::model::{Block, ContextLine, Trace};

/// Bytes of the lines that made the signal; the last ones are kept.
const LINES: usize = 256 << 10;
/// Bytes of the lines before them; the last ones are kept.
const CONTEXT: usize = 128 << 10;
/// Bytes of a title, a reason, a name.
const WORDS: usize = 2 << 10;
/// Frames of a stack; those at both ends are kept.
const FRAMES: usize = 500;
/// Bytes of an exception's message inside a trace.
const MESSAGE: usize = 16 << 10;

pub fn words(text: &str) -> &str {
    cut(text, WORDS)
}

pub fn lines(all: &[String]) -> Vec<&str> {
    let mut kept: Vec<&str> = last(all, LINES, |line| line.len())
        .iter()
        .map(String::as_str)
        .collect();
    if let (true, Some(only)) = (kept.is_empty(), all.last()) {
        kept.push(cut(only, LINES));
    }
    kept
}

pub fn context(all: &[ContextLine]) -> &[ContextLine] {
    last(all, CONTEXT, |line| line.text.len())
}

fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The last items that fit: the fault stands at the end.
fn last<T>(all: &[T], bytes: usize, size: impl Fn(&T) -> usize) -> &[T] {
    let mut left = bytes;
    let fits = |item: &&T| match left.checked_sub(size(item) + 16) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    let kept = all.iter().rev().take_while(fits).count();
    all.get(all.len() - kept..).unwrap_or_default()
}

/// A trace with the frames at both ends of a stack that is too deep to keep.
pub fn trace(trace: &Trace) -> Trace {
    let mut short = trace.clone();
    for block in &mut short.blocks {
        if let Some(message) = &mut block.raised.message {
            message.truncate(cut(message, MESSAGE).len());
        }
    }
    let all = short.frames.len();
    if all <= FRAMES {
        return short;
    }
    let half = FRAMES / 2;
    let place = |at: usize| match at {
        at if at <= half => at,
        at => at.saturating_sub(all - FRAMES).max(half),
    };
    short.frames.drain(half..all - half);
    for Block { frames, .. } in &mut short.blocks {
        *frames = place(frames.start)..place(frames.end);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Frame, Language, Raised};

    #[test]
    fn deep_stacks_keep_both_ends_and_ranges_stay_inside() {
        let frame = |line| Frame {
            line: Some(line),
            ..Frame::default()
        };
        let block = |frames| Block {
            raised: Raised {
                kind: None,
                message: Some("é".repeat(MESSAGE)),
            },
            frames,
        };
        let long = Trace {
            language: Language::Java,
            blocks: vec![block(0..900), block(900..2_000)],
            root: 0,
            outermost: 1,
            frames: (0..2_000).map(frame).collect(),
        };
        let short = trace(&long);
        assert_eq!(short.frames.len(), FRAMES);
        assert_eq!(short.frames[0].line, Some(0));
        assert_eq!(short.frames[FRAMES - 1].line, Some(1_999));
        assert_eq!(short.blocks[0].frames, 0..250);
        assert_eq!(short.blocks[1].frames, 250..500);
        let message = short.blocks[0].raised.message.as_deref();
        assert_eq!(message.map(str::len), Some(MESSAGE));
    }

    #[test]
    fn the_last_lines_are_kept() {
        let all: Vec<String> = (0..1_000).map(|n| format!("{n:01000}")).collect();
        let kept = lines(&all);
        assert_eq!(kept.len(), LINES / 1_016);
        assert_eq!(kept.last().copied(), all.last().map(String::as_str));
        let huge = ["x".repeat(2 * LINES)];
        assert_eq!(lines(&huge).first().map(|line| line.len()), Some(LINES));
    }
}
