//! Any bytes as a chunk of a host: everything that reads records ends and never panics, no byte
//! is counted twice, and the visitor of fields finds what asking for each finds.
#![no_main]

use autofix::model::Timestamp;
use autofix::record::{Event, Events, Joiner, View, Wanted, failure};
use autofix::triage::judge_line;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// Paths of every kind: a record's own keys, nested ones, JSON and text in the message.
const PATHS: [&str; 16] = [
    "http.status",
    "status",
    "path",
    "a.b.c",
    "a.b",
    "a",
    "log",
    "message",
    "level",
    "method",
    "user.id",
    "kubernetes.pod_name",
    "code",
    "res.status",
    "",
    ".",
];

static TABLES: LazyLock<[Wanted; 2]> = LazyLock::new(|| {
    let mut tables = [Wanted::default(), Wanted::default()];
    for (at, path) in PATHS.iter().enumerate() {
        tables[at % 2].add(path);
    }
    tables
});

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
            Err(fault) => {
                assert!(fault.at + fault.lost <= chunk.len());
                lost += fault.lost;
            }
        }
    }
    assert!(lost <= chunk.len());
    joiner.idle(Timestamp(i64::MAX), read);
    joiner.finish(|_| panic!("everything had waited too long"));
});

fn read(view: &View<'_>) {
    let _ = (
        view.line(),
        view.message(),
        view.trace_text(),
        view.json().map(Iterator::count),
    );
    let _ = (
        view.stream_key(),
        view.stream_name(),
        view.side(),
        view.container(),
    );
    let _ = (view.host_field("a.b"), view.part());
    let _ = (
        view.identity().names().count(),
        view.identity().labels().count(),
    );
    let _ = judge_line(&view.message(), view.level());
    let (key, _) = view.message_keys();
    assert!(!key.is_empty());
    let facets = view.facets();
    assert_eq!(facets.level, view.level());
    for text in [facets.result, facets.code].into_iter().flatten() {
        assert!(!text.as_str().is_empty() && text.as_str().len() <= 24);
    }
    assert!(failure::read(view).len() <= failure::MOST);
    let _ = failure::Presented::of(view);
    visit(view);
}

fn visit(view: &View<'_>) {
    let [one, two] = &*TABLES;
    let mut seen = Vec::new();
    view.visit(&[one, two], &mut |which, number, value| {
        seen.push((which, number, format!("{:?}", value.value())));
    });
    for (at, path) in PATHS.iter().enumerate() {
        let which = at % 2;
        let number = TABLES[which].number(path).expect("it was added");
        if let Some(value) = view.field(path) {
            let found = (which, number, format!("{value:?}"));
            assert!(
                seen.contains(&found),
                "{path}: {found:?} is not in {seen:?}"
            );
        }
    }
}
