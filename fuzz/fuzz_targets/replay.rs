//! Any bytes as a log file that is replayed or inspected, in every format: what comes of it can
//! be decoded, no line is lost, and the sizes of chunks change nothing.
#![no_main]

use autofix::model::Timestamp;
use autofix::record::input::{Format, Reader};
use autofix::record::{Event, Events, View};
use autofix::trace::Inspector;
use libfuzzer_sys::fuzz_target;

const START: Timestamp = Timestamp(1_700_000_000_000_000_000);

fuzz_target!(|data: &[u8]| {
    for format in [None].into_iter().chain(Format::ALL.map(Some)) {
        let whole = read(data, format, usize::MAX);
        assert_eq!(read(data, format, 1), whole, "{format:?}");
        check(data, format, &whole);
    }
    inspect(data);
});

/// All records, read in chunks of about so many bytes.
fn read(data: &[u8], format: Option<Format>, size: usize) -> Vec<u8> {
    let mut reader = Reader::open(data, format, START).expect("bytes can be read");
    let mut all = Vec::new();
    while let Some(chunk) = reader.chunk(size).expect("bytes can be read") {
        let events = Events::new(&chunk.bytes).count();
        assert_eq!(events as u64, chunk.records);
        all.extend(chunk.bytes);
    }
    assert_eq!(reader.tally().bytes, data.len() as u64);
    all
}

fn check(data: &[u8], format: Option<Format>, records: &[u8]) {
    let lines = data.split(|byte| *byte == b'\n');
    let ended = data.is_empty() || data.ends_with(b"\n");
    let lines = lines.count() - usize::from(ended);
    let mut count = 0;
    for event in Events::new(records) {
        let Ok(Event::Record(record)) = event else {
            panic!("{event:?} of {format:?}");
        };
        let view = View::new("app", record);
        let _ = (view.message(), view.level(), view.trace_text());
        count += 1;
    }
    match format {
        Some(Format::Text | Format::Docker | Format::Cri) => assert_eq!(count, lines),
        // Blank lines between JSON are none.
        Some(Format::JsonLines) | None => assert!(count <= lines),
    }
}

/// The same lines as `inspect traces` takes them; each trace has its place, and comes once.
fn inspect(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut inspector = Inspector::default();
    let mut found = Vec::new();
    for line in text.split('\n') {
        match line.starts_with('{') {
            true => found.extend(inspector.push_json(line, Some("stream.name"))),
            false => found.extend(inspector.push("", line)),
        }
    }
    found.extend(inspector.finish());
    let lines = text.split('\n').count() as u64;
    for trace in &found {
        assert!(trace.first <= trace.last && trace.last < lines);
        assert!(trace.header.is_none_or(|header| header < trace.first));
    }
    let mut firsts: Vec<u64> = found.iter().map(|trace| trace.first).collect();
    firsts.sort_unstable();
    assert!(firsts.is_sorted_by(|a, b| a < b), "{firsts:?}");
}
