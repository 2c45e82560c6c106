//! Any text, as lines and as one record: nothing panics, found traces do not overlap, and their
//! frames stay inside their blocks. Run: `cargo +nightly fuzz run traces fuzz/corpus/traces fuzz/seeds/traces`.
#![no_main]

use autofix::model::Timestamp;
use autofix::trace::{Assembler, Line, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
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
    parse(&text);
});
