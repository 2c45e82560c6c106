//! Made-up matches over made-up records of every shape: the index gives exactly the watches that
//! match, and one pass over a record finds every field that asking by name finds.

use crate::chunk::{self, Chunk};
use autofix::model::{Level, TemplateId, Timestamp};
use autofix::record::decode::{Item, Map};
use autofix::record::encode::{self, Layout};
use autofix::record::{self, Event, Events, Value, View, Wanted};
use autofix::watch::{Caps, Engine, Match, Operand, Owner, Pattern, Scope, Templated, Test, Watch};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

/// With more dots than are followed: only a `key=value` line can have it.
const LONG: &str = "a.b.c.d.e.f.g.h";

const NAMES: [&str; 16] = [
    "status",
    "a",
    "b",
    "a.b",
    "a.b.c",
    "http.status",
    "code",
    "path",
    "method",
    "bytes",
    "res",
    "message",
    "msg",
    "level",
    LONG,
    "trace_id",
];

const WORDS: [&str; 12] = [
    "500",
    "503",
    "500.0",
    " 500",
    "-1",
    "abc",
    "a timeout error",
    "true",
    "connection refused by peer",
    "GET",
    "/cart",
    "1e3",
];

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        4 => prop::sample::select(&WORDS[..]).prop_map(|word| json!(word)),
        4 => prop::sample::select(&[500i64, 503, 200, -1, 0, 1000, i64::MAX, i64::MIN][..])
            .prop_map(|number| json!(number)),
        1 => prop::sample::select(&[500.0, 503.5, -0.0, 1e300, 9_007_199_254_740_993.0][..])
            .prop_map(|number: f64| json!(number)),
        1 => any::<bool>().prop_map(|flag| json!(flag)),
        1 => Just(Json::Null),
        1 => Just(json!(u64::MAX)),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

/// A list of pairs, because names may repeat.
type Pairs = Vec<(String, Json)>;

fn pairs() -> impl Strategy<Value = Pairs> {
    let leaf = scalar().boxed();
    let inner = prop::collection::vec((name(), leaf.clone()), 0..3)
        .prop_map(|pairs| Json::Object(pairs.into_iter().collect()))
        .boxed();
    let deep = prop::collection::vec((name(), prop_oneof![leaf.clone(), inner.clone()]), 0..3)
        .prop_map(|pairs| Json::Object(pairs.into_iter().collect()));
    let value = prop_oneof![6 => leaf, 1 => inner, 1 => deep, 1 => Just(json!([1, "x"]))];
    prop::collection::vec((name(), value), 0..6)
}

/// JSON text that keeps what repeats.
fn object_text(pairs: &Pairs) -> String {
    let members: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}:{value}", json!(name)))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn line() -> impl Strategy<Value = String> {
    let words = || prop::sample::select(&WORDS[..]);
    prop_oneof![
        2 => prop::collection::vec(words(), 0..4).prop_map(|words| words.join(" ")),
        2 => pairs().prop_map(|pairs| object_text(&pairs)),
        1 => pairs().prop_map(|pairs| json!(object_text(&pairs)).to_string()),
        2 => (pairs(), pairs()).prop_map(|(outer, inner)| {
            let mut outer = outer;
            outer.push(("msg".to_owned(), json!(object_text(&inner))));
            object_text(&outer)
        }),
        2 => (words(), 100..600u32, 0..9_999u32).prop_map(|(path, status, bytes)| format!(
            "10.0.0.9 - - [x] \"GET /{path} HTTP/1.1\" {status} {bytes} \"-\" \"curl/8\""
        )),
        1 => (100..600u32).prop_map(|status| format!("Completed {status} Oh in 12ms (x)")),
        3 => prop::collection::vec((name(), words()), 0..5).prop_map(|pairs| {
            let pair = |(name, word): (String, &str)| format!("{name}={}", json!(word));
            pairs.into_iter().map(pair).collect::<Vec<_>>().join(" ")
        }),
        1 => (name(), words()).prop_map(|(name, word)| {
            json!({"level": "error", "message": format!("{name}={word} and more")}).to_string()
        }),
        1 => (100..600u32).prop_map(|status| {
            format!("{{\"message\":\"took response_code\\u003d{status} here\"}}")
        }),
    ]
}

/// The bytes of one event.
fn record() -> impl Strategy<Value = Vec<u8>> {
    let key = prop::sample::select(&["log", "message", "msg", "other"][..]);
    let metadata = prop_oneof![
        2 => Just(None),
        1 => pairs().prop_map(|pairs| {
            let attributes: Json = Json::Object(pairs.into_iter().collect());
            Some(json!({"otlp": {"severity_number": 17, "a": 500, "attributes": attributes}}))
        }),
    ];
    (pairs(), key, line(), metadata, any::<bool>()).prop_map(
        |(mut body, key, line, metadata, odd)| {
            let mut bytes = Vec::new();
            match metadata {
                None => encode::event(&mut bytes, Layout::New, Timestamp::from_parts(9, 0)),
                Some(metadata) => {
                    bytes.extend_from_slice(&[0x92, 0x92]);
                    encode::event_time(&mut bytes, Timestamp::from_parts(9, 0));
                    chunk::value(&mut bytes, &metadata);
                }
            }
            body.push((key.to_owned(), json!(line)));
            encode::map(&mut bytes, body.len() + usize::from(odd) * 2);
            for (name, value) in &body {
                encode::text(&mut bytes, name.as_bytes());
                chunk::value(&mut bytes, value);
            }
            if odd {
                // A key that is no text, and a number that is none.
                encode::int(&mut bytes, 7);
                encode::int(&mut bytes, 7);
                encode::text(&mut bytes, b"status");
                encode::float(&mut bytes, f64::NAN);
            }
            bytes
        },
    )
}

fn operand() -> impl Strategy<Value = Operand> {
    scalar().prop_map(|json| match json {
        Json::Null => Operand::Null,
        Json::Bool(flag) => Operand::Bool(flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Operand::Int(whole),
            None => Operand::Float(number.as_f64().unwrap()),
        },
        other => Operand::Text(other.as_str().unwrap().to_owned()),
    })
}

fn part() -> impl Strategy<Value = String> {
    const PARTS: [&str; 9] = [
        "50",
        "timeout",
        "connection ref",
        "e",
        "tr",
        "GET",
        "/car",
        "12ms",
        "500 ",
    ];
    prop::sample::select(&PARTS[..]).prop_map(str::to_owned)
}

fn test() -> impl Strategy<Value = Test> {
    const PATTERNS: [&str; 6] = [
        "^5\\d\\d$",
        "time.*error",
        "(?i)get",
        "refused|timeout",
        "[0-9]{3}",
        "q{3}",
    ];
    prop_oneof![
        3 => operand().prop_map(Test::Equal),
        1 => operand().prop_map(Test::NotEqual),
        1 => operand().prop_map(Test::Above),
        2 => operand().prop_map(Test::AtLeast),
        1 => operand().prop_map(Test::Below),
        1 => operand().prop_map(Test::AtMost),
        2 => prop::collection::vec(operand(), 1..4).prop_map(Test::OneOf),
        1 => any::<bool>().prop_map(Test::Exists),
        2 => part().prop_map(Test::Contains),
        2 => part().prop_map(Test::StartsWith),
        2 => prop::sample::select(&PATTERNS[..])
            .prop_map(|text| Test::Pattern(Pattern::new(text).unwrap())),
    ]
}

fn matches() -> impl Strategy<Value = Match> {
    let leaf = prop_oneof![
        8 => (name(), prop::collection::vec(test(), 1..3))
            .prop_map(|(path, tests)| Match::Field { path, tests }),
        1 => prop::sample::select(&[Level::Info, Level::Warn, Level::Error][..])
            .prop_map(Match::Level),
        1 => (1..4u64).prop_map(|id| Match::Template(TemplateId::new(id))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(Match::All),
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(Match::Any),
            1 => inner.prop_map(|part| Match::Not(Box::new(part))),
        ]
    })
}

fn watch(number: usize, matches: Match) -> Watch {
    let scope = match number % 3 {
        0 => Scope::Service("shop".into()),
        1 => Scope::Service("other".into()),
        _ => Scope::Everywhere,
    };
    Watch {
        label: format!("w{number}"),
        matches,
        window: Duration::from_secs(60),
        threshold: 10_000,
        group_by: Vec::new(),
        scope,
        owner: Owner::Team,
        expires: None,
        summary: String::new(),
    }
}

fn uncapped() -> Caps {
    Caps {
        team_cost: u64::MAX,
        ..Caps::default()
    }
}

/// Labels of the watches that matched since the last report.
fn matched(engine: &mut Engine) -> BTreeSet<String> {
    let states = engine.report().into_iter();
    let hit = states.filter(|state| state.matched > 0);
    hit.map(|state| {
        assert_eq!(state.matched, 1, "counted once");
        state.label
    })
    .collect()
}

fn naive(watches: &[Watch], service: &str, record: &Templated<'_, '_>) -> BTreeSet<String> {
    let here = |watch: &&Watch| match &watch.scope {
        Scope::Everywhere => true,
        Scope::Service(name) => name == service,
    };
    let hits = watches.iter().filter(here);
    let hits = hits.filter(|watch| watch.matches.holds(record));
    hits.map(|watch| watch.label.clone()).collect()
}

/// Whether some name stands twice in one map: then what only the second one holds may be found
/// too, and is no harm, because the watch itself is asked after.
fn repeats(map: Map<'_>) -> bool {
    let names: Vec<&[u8]> = map.iter().map(|(name, _)| name).collect();
    let once: HashSet<&&[u8]> = names.iter().collect();
    let inside = |(_, item): (&[u8], Item<'_>)| item.map().is_some_and(repeats);
    once.len() < names.len() || map.iter().any(inside)
}

/// What is no UTF-8 in a value reads as U+FFFD, which a watch may look for.
#[test]
fn bytes_that_are_no_text_are_found_as_they_are_read() {
    let text = |text: &str| Operand::Text(text.to_owned());
    let tests = |part: &str| {
        [
            Test::Equal(text(part)),
            Test::OneOf(vec![text("other"), text(part)]),
            Test::Contains(part.to_owned()),
            Test::StartsWith(part.to_owned()),
            Test::Pattern(Pattern::new(&format!("{part}|refunds are late")).unwrap()),
        ]
    };
    let parts = ["pay\u{fffd}", "pay", "\u{fffd}ment of it", "payments"];
    let mut engine = Engine::new(uncapped());
    let all: Vec<Watch> = parts
        .into_iter()
        .flat_map(tests)
        .enumerate()
        .map(|(number, test)| {
            let path = "a".to_owned();
            let tests = vec![test];
            watch(number, Match::Field { path, tests })
        })
        .collect();
    for watch in &all {
        engine.install(watch.clone(), Timestamp(0)).unwrap();
    }
    let mut found = 0;
    let values: [&[u8]; 6] = [
        b"pay\xff",
        b"pay\xffment of it",
        "pay\u{fffd}".as_bytes(),
        b"pay",
        b"\xe2\x82payments",
        b"pa\xffyments",
    ];
    for value in values {
        let mut bytes = Vec::new();
        encode::event(&mut bytes, Layout::New, Timestamp::from_parts(9, 0));
        encode::map(&mut bytes, 1);
        encode::text(&mut bytes, b"a");
        encode::text(&mut bytes, value);
        let chunk = Chunk(bytes);
        let view = chunk.view("app");
        let record = Templated {
            view: &view,
            template: None,
        };
        engine.on_record("shop", &record, view.time());
        let naive = naive(&all, "shop", &record);
        found += naive.len();
        assert_eq!(matched(&mut engine), naive, "{value:?}");
    }
    assert!(found > 20, "{found}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_index_finds_what_asking_every_watch_finds(
        all in prop::collection::vec(matches(), 1..30),
        records in prop::collection::vec((record(), 0..4u64), 1..8),
        drop in 0..30usize,
    ) {
        let mut engine = Engine::new(uncapped());
        let mut watches: Vec<Watch> =
            all.into_iter().enumerate().map(|(number, m)| watch(number, m)).collect();
        for watch in &watches {
            engine.install(watch.clone(), Timestamp(0)).unwrap();
        }
        for (at, (bytes, template)) in records.iter().enumerate() {
            if at == 3 {
                // The file is read again with some taken out; places are used again.
                watches.drain(..drop.min(watches.len()));
                engine.replace_team(watches.clone()).unwrap();
                matched(&mut engine);
            }
            let chunk = Chunk(bytes.clone());
            let view = chunk.view("app");
            let template = (*template > 0).then(|| TemplateId::new(*template));
            let record = Templated { view: &view, template };
            engine.on_record("shop", &record, view.time());
            let naive = naive(&watches, "shop", &record);
            prop_assert_eq!(matched(&mut engine), naive, "{:?}", view);
        }
    }

    #[test]
    fn kept_pairs_read_as_the_bytes_do(
        records in prop::collection::vec(record(), 1..4),
        more in 0..80_usize,
    ) {
        let mut bytes = records.concat();
        // A record of more pairs than are kept.
        encode::event(&mut bytes, Layout::New, Timestamp::from_parts(9, 0));
        encode::map(&mut bytes, more);
        for number in 0..more {
            let name = NAMES[number % NAMES.len()];
            encode::text(&mut bytes, name.as_bytes());
            encode::int(&mut bytes, number as i64);
        }
        let (mut events, mut pairs) = (Events::new(&bytes), record::Pairs::new());
        let mut again = Events::new(&bytes);
        let mut wanted = Wanted::default();
        NAMES.iter().for_each(|name| { wanted.add(name); });
        while let Some(event) = events.next_with(&mut pairs) {
            prop_assert_eq!(Some(event), again.next());
            let Ok(Event::Record(record)) = event else { continue };
            let read = |view: View<'_>| {
                let mut found = Vec::new();
                view.visit(&[&wanted], &mut |_, number, value| {
                    found.push(format!("{number} {:?}", value.value()));
                });
                (found, view.message().into_owned(), view.level(), view.facets(), view.stream_key())
            };
            let kept = read(View::with_pairs("app", record, &pairs));
            prop_assert_eq!(kept, read(View::new("app", record)));
        }
        prop_assert!(again.next().is_none());
    }

    #[test]
    fn one_pass_finds_every_field_that_asking_by_name_finds(bytes in record()) {
        let chunk = Chunk(bytes);
        let view = chunk.view("app");
        let (mut all, mut few) = (Wanted::default(), Wanted::default());
        NAMES.iter().for_each(|name| { all.add(name); });
        few.add("http.status");
        let mut found: Vec<(usize, u32, Value<'static>)> = Vec::new();
        view.visit(&[&all, &few], &mut |which, number, value| {
            found.push((which, number, value.value().into_owned()));
        });
        for (which, table) in [&all, &few].into_iter().enumerate() {
            for (number, name) in table.paths() {
                let values = found.iter().filter(|(w, n, _)| (*w, *n) == (which, number));
                let values: Vec<String> = values.map(|(_, _, value)| format!("{value:?}")).collect();
                if let Some(value) = view.field(name) {
                    let value = format!("{value:?}");
                    prop_assert!(values.contains(&value), "{} {:?} {:?}", name, values, view);
                } else if name != LONG && !repeats(view.body()) && view.json().is_none() {
                    prop_assert!(values.is_empty(), "{} {:?} {:?}", name, values, view);
                }
            }
        }
    }
}

#[test]
fn a_path_in_the_second_map_of_a_name_does_not_hide_what_the_message_says() {
    let mut bytes = Vec::new();
    encode::event(&mut bytes, Layout::New, Timestamp::from_parts(9, 0));
    encode::map(&mut bytes, 3);
    for (name, value) in [
        ("a", json!(1)),
        ("a", json!({"b": 2})),
        ("log", json!(r#"{"a":{"b":3}}"#)),
    ] {
        encode::text(&mut bytes, name.as_bytes());
        chunk::value(&mut bytes, &value);
    }
    let chunk = Chunk(bytes);
    let view = chunk.view("app");
    assert_eq!(view.field("a.b"), Some(Value::Int(3)));
    let mut wanted = Wanted::default();
    wanted.add("a.b");
    let mut found = Vec::new();
    view.visit(&[&wanted], &mut |_, _, value| {
        found.push(value.value().as_int())
    });
    assert_eq!(found, [Some(2), Some(3)]);
}

#[test]
fn names_that_only_a_nested_path_reaches() {
    let chunk = Chunk::of(json!({
        "a": {"b.c": 1, "b": {"c": 2, "x": {}}},
        "log": r#"{"http":{"response":{"status_code":503}},"u":{"id":"7"}}"#,
    }));
    let view: View<'_> = chunk.view("app");
    let mut wanted = Wanted::default();
    let paths = ["a.b.c", "u.id", "http.status", "a.b.x", "a.b.c.d"];
    paths.iter().for_each(|path| {
        wanted.add(path);
    });
    let mut found = Vec::new();
    view.visit(&[&wanted], &mut |_, number, value| {
        found.push((number, value.value().as_int()));
    });
    found.sort_unstable();
    found.dedup();
    assert_eq!(
        found,
        [
            (0, Some(1)),
            (0, Some(2)),
            (1, Some(7)),
            (2, Some(503)),
            (3, None)
        ]
    );
}
