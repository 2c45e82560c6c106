//! Any JSON as a watch, shown to records made of any text: nothing panics, what is taken is
//! written as it is read, and the index finds what asking finds.
//! Run: `cargo +nightly fuzz run matches fuzz/corpus/matches fuzz/seeds/matches`.
#![no_main]

use autofix::model::Timestamp;
use autofix::record::encode::{self, Layout};
use autofix::record::{Event, Events, View};
use autofix::watch::{Caps, Engine, Owner, Watch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (json, line) = text.split_once('\n').unwrap_or((&text, &text));
    let Ok(watch) = Watch::parse(json, Owner::Team, Timestamp(0)) else {
        return;
    };
    let written = watch.to_json().to_string();
    let again = Watch::parse(&written, Owner::Team, Timestamp(0)).expect("what was written");
    assert_eq!(again.to_json().to_string(), written);
    let mut chunk = Vec::new();
    let fields = [("log", line), ("status", line), ("stream", "stderr")];
    encode::record(&mut chunk, Layout::New, Timestamp(0), &fields);
    let mut engine = Engine::new(Caps::default());
    if engine.install(watch.clone(), Timestamp(0)).is_err() {
        return;
    }
    for event in Events::new(&chunk) {
        let Ok(Event::Record(record)) = event else {
            continue;
        };
        let view = View::new("app", record);
        let service = "fuzz";
        engine.on_record(service, &view, view.time());
        let here = match &watch.scope {
            autofix::watch::Scope::Everywhere => true,
            autofix::watch::Scope::Service(name) => name == service,
        };
        let holds = here && watch.matches.holds(&view);
        assert_eq!(engine.tally().matched, u64::from(holds));
    }
});
