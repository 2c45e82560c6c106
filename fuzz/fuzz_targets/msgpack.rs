//! Any bytes as a chunk of a host: everything that reads records must end, and never panic.

#![no_main]

use autofix::model::Timestamp;
use autofix::record::{Event, Events, Joiner, View};
use libfuzzer_sys::fuzz_target;

fn read(view: &View<'_>) {
    let _ = (view.line(), view.message(), view.level(), view.trace_text());
    let _ = (view.stream_key(), view.stream_name(), view.side());
    let _ = (view.field("status"), view.field("path"), view.field("a.b.c"));
    let _ = (view.host_field("a.b"), view.identity().names().count());
    let _ = view.identity().labels().count();
}

fuzz_target!(|chunk: &[u8]| {
    let mut joiner = Joiner::new();
    let mut lost = 0;
    for event in Events::new(chunk) {
        match event {
            Ok(Event::Record(record)) => {
                let view = View::new("tag", record);
                read(&view);
                joiner.push(&view, record.time, read);
            }
            Ok(Event::GroupStart(_) | Event::GroupEnd) => {}
            Err(fault) => lost += fault.lost,
        }
    }
    assert!(lost <= chunk.len());
    joiner.idle(Timestamp(i64::MAX), read);
    joiner.finish(read);
});
