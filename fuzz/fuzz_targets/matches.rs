//! Lines that are watches in JSON are installed, all others are records. Nothing panics; what is
//! taken is written as it is read; the index finds exactly the watches that hold; a watch fires
//! when its window is full; and what is counted is bounded.
#![no_main]

use autofix::model::{TemplateId, Timestamp};
use autofix::record::input::{Format, Reader};
use autofix::record::{Event, Events, View};
use autofix::watch::{Caps, Engine, Fields, Fired, Owner, Scope, Templated, Watch, parse_list};
use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;
use std::time::Duration;

const START: Timestamp = Timestamp(1_700_000_000_000_000_000);
const SERVICES: [&str; 2] = ["shop", "cart"];
/// Room for little, so that it is soon full.
const SMALL: Caps = Caps {
    team: 16,
    model: 4,
    team_cost: 30_000,
    model_cost: 5_000,
    windows: 16,
    groups: 4,
    bytes: 16 << 10,
    model_life: Duration::from_secs(60),
};

/// The event times of one watch in one service, and when it last fired.
#[derive(Default)]
struct Window {
    times: Vec<Timestamp>,
    fired: Option<Timestamp>,
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = parse_list(&text, START);
    let mut wide = Engine::new(Caps::default());
    let mut small = Engine::with_built_in(SMALL);
    let (mut watches, mut records) = (HashMap::new(), Vec::new());
    for line in text.split('\n') {
        let Ok(watch) = Watch::parse(line, Owner::Team, START) else {
            records.push(line);
            continue;
        };
        written_as_read(&watch);
        let _ = small.install(watch.clone(), START);
        if wide.install(watch.clone(), START).is_ok() {
            watches.insert((watch.scope.clone(), watch.label.clone()), watch);
        }
    }
    assert_eq!(wide.len(), watches.len());
    let watches: Vec<Watch> = watches.into_values().collect();
    let mut windows = HashMap::new();
    let empty = small.bytes();
    // All come twice, so that lines of one kind are counted on.
    for (turn, line) in records.iter().chain(&records).enumerate() {
        for (service, chunk) in SERVICES.into_iter().zip(chunks(line)) {
            let time = START.plus(Duration::from_secs(turn as u64 * 7));
            each(&chunk, |record| {
                exact(&mut wide, &watches, &mut windows, service, record, time);
                small.on_record(service, record, time);
                small.on_record(service, record, Timestamp(scatter(turn)));
                let held = small.bytes().saturating_sub(empty);
                assert!(held <= SMALL.bytes, "{held} bytes");
            });
        }
    }
    small.expire(Timestamp(i64::MAX));
    assert!(small.replace_team(Vec::new()).is_ok());
});

fn written_as_read(watch: &Watch) {
    let written = watch.to_json().to_string();
    let again = Watch::parse(&written, Owner::Team, START).expect("what was written");
    assert_eq!(again.to_json().to_string(), written);
}

/// A line as a record of its own keys where it is JSON, and as a message.
fn chunks(line: &str) -> [Vec<u8>; 2] {
    [Format::JsonLines, Format::Text].map(|format| {
        let reader = Reader::open(line.as_bytes(), Some(format), START);
        let chunk = reader.and_then(|mut reader| reader.chunk(usize::MAX));
        chunk.expect("bytes can be read").unwrap_or_default().bytes
    })
}

/// The record of a chunk, with a template that is told from its length.
fn each(chunk: &[u8], mut show: impl FnMut(&dyn Fields)) {
    for event in Events::new(chunk) {
        let Ok(Event::Record(record)) = event else {
            panic!("{event:?}");
        };
        let view = View::new("app", record);
        let length = view.message().len() as u64;
        let template = (length % 3 > 0).then(|| TemplateId::new(length % 3));
        show(&Templated {
            view: &view,
            template,
        });
    }
}

/// What the index finds is what asking every watch finds, and windows are full when counting all
/// times says so.
fn exact(
    engine: &mut Engine,
    watches: &[Watch],
    windows: &mut HashMap<(Scope, String, &str), Window>,
    service: &'static str,
    record: &dyn Fields,
    time: Timestamp,
) {
    let before = engine.tally().matched;
    let fired = engine.on_record(service, record, time);
    let here = |watch: &&Watch| match &watch.scope {
        Scope::Everywhere => true,
        Scope::Service(name) => name == service,
    };
    let hold = |watch: &&Watch| watch.matches.holds(record);
    let holding: Vec<&Watch> = watches.iter().filter(here).filter(hold).collect();
    let matched = engine.tally().matched - before;
    assert_eq!(matched, holding.len() as u64, "{holding:?}");
    for watch in holding {
        let is_it = |fired: &&Fired| {
            // One label may stand for a service and for all of them.
            fired.label == watch.label && fired.summary == watch.summary
        };
        let told: Vec<&Fired> = fired.iter().filter(is_it).collect();
        for fired in &told {
            assert!(fired.first <= fired.last && !fired.lines.is_empty());
            assert!(fired.lines.len() <= 10);
            assert!(!fired.reason().is_empty());
        }
        let alone = watches.iter().filter(|other| other.label == watch.label);
        if watch.group_by.is_empty() && alone.count() == 1 {
            let key = (watch.scope.clone(), watch.label.clone(), service);
            let full = count(windows.entry(key).or_default(), watch, time);
            assert_eq!(told.len(), usize::from(full), "{watch:?} at {time:?}");
        }
    }
}

/// Counts a record of a clock that only goes forward; whether the watch fires.
fn count(window: &mut Window, watch: &Watch, time: Timestamp) -> bool {
    window.times.push(time);
    let inside = |at: &&Timestamp| time.since(**at) < watch.window;
    let full = window.times.iter().filter(inside).count() >= watch.threshold;
    let quiet = window
        .fired
        .is_none_or(|fired| time.since(fired) >= watch.window);
    if full && quiet {
        window.fired = Some(time);
    }
    full && quiet
}

/// Times of clocks that jump.
fn scatter(turn: usize) -> i64 {
    (turn as i64).wrapping_mul(0x5851_f42d_4c95_7f2d)
}
