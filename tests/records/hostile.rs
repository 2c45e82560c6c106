//! Input that lies, breaks off or never ends: no panic, no work out of proportion, and what is
//! readable is read.

use crate::chunk::Chunk;
use autofix::model::Timestamp;
use autofix::record::decode::{FaultKind, MAX_DEPTH, Map};
use autofix::record::encode::{self, Layout};
use autofix::record::{Event, Events, Joiner, View};
use proptest::prelude::*;
use serde_json::json;
use std::time::{Duration, Instant};

/// Reads everything there is to read of a chunk.
fn read_all(bytes: &[u8]) -> (usize, Vec<FaultKind>) {
    let mut joiner = Joiner::new();
    let (mut records, mut faults) = (0, Vec::new());
    for event in Events::new(bytes) {
        match event {
            Ok(Event::Record(record)) => {
                records += 1;
                let view = View::new("tag", record);
                touch(&view);
                joiner.push(&view, Timestamp(0), touch);
            }
            Ok(Event::GroupStart(_) | Event::GroupEnd) => {}
            Err(fault) => faults.push(fault.kind),
        }
    }
    joiner.finish(touch);
    (records, faults)
}

fn touch(view: &View<'_>) {
    let _ = (view.message(), view.level(), view.trace_text());
    let _ = (view.stream_key(), view.stream_name(), view.side());
    let _ = (
        view.field("status"),
        view.field("a.b.c.d"),
        view.field("path"),
    );
    let _ = (view.host_field("a.b"), view.identity().names().count());
}

#[test]
fn both_layouts_and_every_kind_of_time() {
    let mut bytes = Vec::new();
    let time = Timestamp::from_parts(1_772_366_400, 250_000_000);
    encode::record(&mut bytes, Layout::Old, time, &[("log", "old")]);
    encode::record(&mut bytes, Layout::New, time, &[("log", "new")]);
    bytes.extend_from_slice(&[0x92, 0xce, 0x69, 0xa4, 0x2b, 0x40, 0x80]);
    bytes.extend_from_slice(&[0x92, 0xcb]);
    bytes.extend_from_slice(&1_772_366_400.25f64.to_be_bytes());
    bytes.push(0x80);
    bytes.extend_from_slice(&[0x92, 0xc7, 8, 0, 0x69, 0xa4, 0x2b, 0x40, 0, 0, 0, 1, 0x80]);
    let times: Vec<Timestamp> = Events::new(&bytes)
        .map(|event| match event.unwrap() {
            Event::Record(record) => record.time,
            other => panic!("{other:?}"),
        })
        .collect();
    let whole = Timestamp::from_parts(1_772_366_656, 0);
    assert_eq!(times[..2], [time, time]);
    assert_eq!(times[2], whole);
    assert_eq!(times[3], time);
    assert_eq!(times[4], Timestamp(whole.0 + 1));
}

#[test]
fn truncated_at_every_byte() {
    let mut chunk = Chunk::of(json!({"log": "first"}));
    let first = chunk.0.len();
    chunk.record(
        Timestamp(0),
        json!({"log": "x".repeat(300), "k": {"a": [1, 2.5, null]}}),
    );
    for end in 0..chunk.0.len() {
        let (records, faults) = read_all(&chunk.0[..end]);
        assert_eq!(records, usize::from(end >= first), "cut at {end}");
        let broken = end != 0 && end != first;
        assert_eq!(faults.len(), usize::from(broken), "cut at {end}");
    }
    assert_eq!(read_all(&chunk.0), (2, vec![]));
}

#[test]
fn a_fault_says_how_much_is_lost() {
    let mut chunk = Chunk::of(json!({"log": "first"}));
    let first = chunk.0.len();
    chunk.0.extend_from_slice(&[0x92, 0xc1, 0x80, 0x80]);
    let fault = Events::new(&chunk.0).find_map(Result::err).unwrap();
    assert_eq!((fault.at, fault.lost), (first, 4));
    assert_eq!(fault.kind, FaultKind::Invalid);
}

#[test]
fn headers_that_lie_about_sizes() {
    for lie in [
        &[0xdd, 0xff, 0xff, 0xff, 0xff][..],
        &[0xdf, 0xff, 0xff, 0xff, 0xff],
        &[0xdb, 0xff, 0xff, 0xff, 0xff],
        &[0xc6, 0xff, 0xff, 0xff, 0xff],
        &[0xc9, 0xff, 0xff, 0xff, 0xff, 0],
        &[0x92, 0x07, 0xdf, 0x7f, 0xff, 0xff, 0xff, 0xa1],
    ] {
        assert_eq!(read_all(lie), (0, vec![FaultKind::Truncated]), "{lie:x?}");
    }
}

#[test]
fn nesting_ends_at_the_cap() {
    for (open, depth, well) in [
        (0x91u8, MAX_DEPTH - 3, true),
        (0x91, MAX_DEPTH, false),
        (0x91, 2_000_000, false),
    ] {
        let mut bytes = Vec::new();
        encode::event(&mut bytes, Layout::New, Timestamp(0));
        encode::map(&mut bytes, 1);
        encode::text(&mut bytes, b"k");
        bytes.extend(std::iter::repeat_n(open, depth));
        bytes.push(0xc0);
        let (records, faults) = read_all(&bytes);
        assert_eq!(records, usize::from(well), "{depth}");
        assert_eq!(faults.contains(&FaultKind::TooDeep), !well, "{depth}");
    }
}

#[test]
fn values_that_are_no_events_are_passed_over() {
    let mut bytes = vec![
        0xc0, 0x93, 1, 2, 3, 0x92, 0xc0, 0x80, 0x92, 0x07, 0xc0, 0x92, 0x90, 0x80,
    ];
    encode::record(&mut bytes, Layout::New, Timestamp(0), &[("log", "x")]);
    let (records, faults) = read_all(&bytes);
    assert_eq!(records, 1);
    assert_eq!(faults, [FaultKind::NotAnEvent; 5]);
}

#[test]
fn invalid_utf8_is_replaced_and_names_nobody() {
    let mut bytes = Vec::new();
    encode::event(&mut bytes, Layout::New, Timestamp(0));
    encode::map(&mut bytes, 2);
    encode::text(&mut bytes, b"log");
    encode::text(&mut bytes, b"no \xff\xfe stock");
    encode::text(&mut bytes, b"container_name");
    encode::text(&mut bytes, b"b\xffd");
    let chunk = Chunk(bytes);
    let view = chunk.view("t");
    assert_eq!(view.message(), "no \u{fffd}\u{fffd} stock");
    assert_eq!(view.container(), None);
}

#[test]
fn binary_strings_are_text() {
    let bytes = [
        &[0x92, 0x07, 0x81, 0xc4, 3][..],
        b"log",
        &[0xc4, 4],
        b"boom",
    ]
    .concat();
    assert_eq!(Chunk(bytes).view("t").message(), "boom");
}

#[test]
fn fifty_megabytes_in_one_line_take_no_longer_than_reading_them() {
    let begin = Instant::now();
    for (start, megabytes) in [
        ("", 50),
        ("{\"msg\":\"", 50),
        ("\u{1b}[", 5),
        ("{\\\"", 5),
        ("\"{\\\"", 5),
        ("2026-03-01T12:00:00Z stdout P ", 5),
    ] {
        let mut line = start.to_owned();
        let fill = if start.is_empty() { "x" } else { "{" };
        line.push_str(&fill.repeat(megabytes << 20));
        let mut bytes = Vec::new();
        encode::record(&mut bytes, Layout::New, Timestamp(0), &[("log", &line)]);
        assert_eq!(read_all(&bytes).0, 1);
    }
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn nested_and_broken_json_in_a_message() {
    for line in [
        "{".repeat(100_000),
        format!("{}{}", "{\"a\":".repeat(200), "}".repeat(200)),
        "{\"message\":\"{\\\"message\\\":\\\"{".repeat(1_000),
        "{\"a\":\"\\u\"}".to_owned(),
        "{\"message\":\"\\ud83d\\u0041 \\ud83d\\ude00\\q\\\"}".to_owned(),
        "{\"message\":\"\\ud83d\\u0041 \\ud83d\\ude00\\q\"}".to_owned(),
        "{]}".to_owned(),
        "{\"stack\":[[\"a\\n\"],1]}".to_owned(),
        "{\"level\":1e999,\"message\":\"\"}".to_owned(),
    ] {
        let chunk = Chunk::of(json!({"log": line}));
        touch(&chunk.view("t"));
    }
}

#[test]
fn a_map_alone_is_read_or_refused() {
    assert!(Map::from_bytes(&[0x81, 0xa1, b'a', 1]).is_some());
    assert!(Map::from_bytes(&[0x81, 0xa1]).is_none());
    assert!(Map::from_bytes(&[0x91, 0xa1, b'a']).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn any_message(line in "(\\{|\\[|\"|\\\\|[a-z:,=0-9. ]|\\}|\\x1b|\n|é|GET|level|msg){0,60}") {
        let chunk = Chunk::of(json!({"log": line, "stream": "stdout"}));
        touch(&chunk.view("t"));
    }

    #[test]
    fn a_valid_chunk_with_bytes_changed(at in 0usize..200, to in any::<u8>(), n in 1usize..4) {
        let mut chunk = Chunk::of(json!({
            "log": "{\"level\":\"error\",\"err\":{\"stack\":\"a\\n b\"}}",
            "kubernetes": {"labels": {"app": "x"}, "pod_name": "p"},
            "partial_message": "true", "partial_id": "i", "n": [1, 2.5, true, null],
        }));
        for step in 0..n {
            let at = (at + step * 37) % chunk.0.len();
            chunk.0[at] = to;
        }
        read_all(&chunk.0);
    }
}
