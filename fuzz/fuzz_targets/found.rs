//! What must hold of any text, whatever language it may be in. Shared by the targets; none itself.

use autofix::model::Timestamp;
use autofix::trace::{Assembler, Line, parse};

/// The text as lines and as one record: nothing panics, found traces do not overlap, and their
/// frames stay inside their blocks.
pub fn check(text: &str) {
    let mut assembler = Assembler::default();
    for (index, text) in text.split('\n').enumerate() {
        let line = Line {
            text,
            time: Timestamp(0),
            level: None,
            index: index as u64,
        };
        assembler.push(line, Timestamp(0));
    }
    assembler.finish();
    let mut last = None;
    for found in assembler.take() {
        let first = found.lines[0].index;
        assert!(Some(first) > last && found.last >= first);
        last = Some(found.last);
        assert!(found.trace.root < found.trace.blocks.len());
        assert!(found.trace.outermost < found.trace.blocks.len());
        for block in &found.trace.blocks {
            assert!(block.frames.end <= found.trace.frames.len());
        }
    }
    parse(text);
}

/// `check`, steered to one language: a line that begins a trace of it stands before the text, so
/// that its rules read every line that follows.
#[allow(dead_code)]
pub fn check_after(opening: &str, text: &str) {
    check(text);
    check(&format!("{opening}\n{text}"));
}
