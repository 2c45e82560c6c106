//! Log files become the chunks that Fluent Bit would have made of them.

use autofix::model::{Level, Timestamp};
use autofix::record::input::{Format, MAX_LINE, Reader, detect};
use autofix::record::{Event, Events, Record, Side, Value, View};
use std::io::Cursor;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

const START: Timestamp = Timestamp(1_700_000_000_000_000_000);

/// Replays a text; calls back with every record.
fn replay(text: &str, format: Option<Format>, mut each: impl FnMut(Record<'_>)) -> Format {
    let mut reader = Reader::open(Cursor::new(text), format, START).unwrap();
    while let Some(chunk) = reader.chunk(300).unwrap() {
        let mut count = 0;
        for event in Events::new(&chunk.bytes) {
            match event.unwrap() {
                Event::Record(record) => each(record),
                other => panic!("{other:?}"),
            }
            count += 1;
        }
        assert_eq!(count, chunk.records);
    }
    reader.detected().format
}

fn messages(text: &str) -> (Format, Vec<String>) {
    let mut out = Vec::new();
    let format = replay(text, None, |record| {
        out.push(View::new("t", record).message().into_owned());
    });
    (format, out)
}

fn times(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    replay(text, None, |record| out.push(record.time.to_rfc3339()));
    out
}

#[test]
fn formats_are_told_from_the_first_lines() {
    for (line, format) in [
        ("2026-03-01 12:00:00 up", Format::Text),
        ("", Format::Text),
        ("{not json}", Format::Text),
        ("[1] started {\"a\":1}", Format::Text),
        (r#"{"level":30,"msg":"up"}"#, Format::JsonLines),
        (r#"{"log":"up","container_name":"x"}"#, Format::JsonLines),
        (r#"[1772366400.5, {"log":"up"}]"#, Format::JsonLines),
        (r#"[[1772366400.5, {}], {"log":"up"}]"#, Format::JsonLines),
        (
            r#"{"log":"up\n","stream":"stdout","time":"2026-03-01T12:00:00Z"}"#,
            Format::Docker,
        ),
        (
            r#"{"log":"up\n","stream":"stdout","attrs":{"a":"b"},"time":"2026-03-01T12:00:00Z"}"#,
            Format::Docker,
        ),
        ("2026-03-01T12:00:00.123456789Z stdout F up", Format::Cri),
        (
            "2026-03-01T12:00:00.123456789+00:00 stderr P up",
            Format::Cri,
        ),
    ] {
        let detected = detect(&[line.as_bytes()]);
        assert_eq!(detected.format, format, "{line}");
        assert!(detected.why.len() > 10, "{}", detected.why);
    }
}

#[test]
fn one_stray_line_does_not_change_the_format() {
    let mut text = "Server starts\n".to_owned();
    text.push_str(&"{\"msg\":\"up\"}\n".repeat(9));
    let (format, lines) = messages(&text);
    assert_eq!(format, Format::JsonLines);
    assert_eq!(lines.len(), 10);
    assert_eq!(lines[0], "Server starts");
    let mixed = "plain\n{\"msg\":\"up\"}\n".repeat(4);
    let (format, lines) = messages(&mixed);
    assert_eq!(format, Format::Text);
    assert_eq!(lines[1], "up");
}

#[test]
fn a_given_format_is_obeyed() {
    let mut bodies = Vec::new();
    replay("{\"msg\":\"up\"}", Some(Format::Text), |record| {
        bodies.push(record.body.get("log").unwrap().text().unwrap().to_owned());
    });
    assert_eq!(bodies, ["{\"msg\":\"up\"}"]);
    assert_eq!(Format::from_word("jsonl"), Some(Format::JsonLines));
    assert_eq!(Format::from_word("yaml"), None);
}

#[test]
fn text_lines_come_whole_and_in_order() {
    let (_, lines) = messages("one\r\n\ntwo\nno newline at the end");
    assert_eq!(lines, ["one", "", "two", "no newline at the end"]);
    let many: String = (0..500).map(|n| format!("line {n}\n")).collect();
    let (_, lines) = messages(&many);
    assert_eq!(lines.len(), 500);
    assert_eq!(lines[499], "line 499");
}

#[test]
fn docker_and_cri_files() {
    let docker = r#"{"log":"boom\n","stream":"stderr","time":"2026-03-01T12:00:00.25Z"}"#;
    let cri = "2026-03-01T12:00:00.25Z stderr F boom";
    for line in [docker, cri] {
        replay(line, None, |record| {
            let view = View::new("t", record);
            assert_eq!(view.message(), "boom");
            assert_eq!(view.side(), Side::Stderr);
            assert_eq!(view.time(), at("2026-03-01T12:00:00.25Z"));
        });
    }
}

#[test]
fn json_keeps_its_numbers_and_nesting() {
    let line = r#"{"date":1772366400.25,"n":9007199254740993,"f":0.5,"u":18446744073709551615,"t":true,"z":null,"m":{"a":[1,{"b":2}]},"log":"x"}"#;
    replay(line, None, |record| {
        let view = View::new("t", record);
        assert_eq!(view.time(), at("2026-03-01T12:00:00.25Z"));
        assert_eq!(view.field("n"), Some(Value::Int(9_007_199_254_740_993)));
        assert_eq!(view.field("f"), Some(Value::Float(0.5)));
        assert_eq!(view.field("u"), Some(Value::Unsigned(u64::MAX)));
        assert_eq!(view.field("m.a"), Some(Value::Nested));
        assert_eq!(view.field("z"), Some(Value::Null));
    });
    let pair =
        r#"[1772366400.25, {"log":"boom","stream":"stderr","kubernetes":{"container_name":"c"}}]"#;
    replay(pair, None, |record| {
        let view = View::new("t", record);
        assert_eq!(view.message(), "boom");
        assert_eq!(view.container(), Some("c"));
        assert_eq!(view.time(), at("2026-03-01T12:00:00.25Z"));
    });
}

#[test]
fn json_that_nests_too_deeply_takes_no_other_line_with_it() {
    let deep = format!(
        "{{\"msg\":\"deep\",\"a\":{}1{}}}",
        "[".repeat(100),
        "]".repeat(100)
    );
    let very = format!("{{\"a\":{}1{}}}", "[".repeat(9_999), "]".repeat(9_999));
    let text = format!("{{\"msg\":\"a\"}}\n{deep}\n{very}\n{{\"msg\":\"b\"}}\n{{\"msg\":\"c\"}}\n");
    let mut lines = Vec::new();
    replay(&text, Some(Format::JsonLines), |record| {
        lines.push(View::new("t", record).message().into_owned());
    });
    assert_eq!(lines[..2], ["a", "deep"]);
    assert_eq!(lines[3..], ["b", "c"]);
}

#[test]
fn time_comes_from_the_line_or_from_the_one_before() {
    let text =
        "no time yet\n2026-03-01 12:00:00,500 ERROR boom\n  at f\n[2026-03-01 11:00:00] earlier\n";
    assert_eq!(
        times(text),
        [
            "2026-03-01T12:00:00.5Z",
            "2026-03-01T12:00:00.5Z",
            "2026-03-01T12:00:00.5Z",
            "2026-03-01T11:00:00Z"
        ]
    );
    assert_eq!(times("no time\nat all\n"), ["2023-11-14T22:13:20Z"; 2]);
    let json = r#"{"time":1772366400500,"msg":"pino"}
{"timestamp":"2026-03-01T12:00:01Z","msg":"b"}
{"ts":1772366402.5,"msg":"zap"}
{"@timestamp":"2026-03-01T12:00:03.000Z","msg":"ecs"}
{"msg":"none"}
{"time":"yesterday","msg":"odd"}"#;
    let found = times(json);
    assert_eq!(found[0], "2026-03-01T12:00:00.5Z");
    assert_eq!(found[2], "2026-03-01T12:00:02.5Z");
    assert_eq!(found[3..], ["2026-03-01T12:00:03Z"; 3]);
}

#[test]
fn time_under_the_names_of_many_programs() {
    for field in [
        r#""Timestamp":"2026-03-01T12:00:00Z""#,
        r#""datetime":"2026-03-01T12:00:00Z""#,
        r#""asctime":"2026-03-01 12:00:00,000""#,
        r#""time_iso8601":"2026-03-01T13:00:00+01:00""#,
        r#""timeUnixNano":"1772366400000000000""#,
        r#""timestampSeconds":1772366400"#,
        r#""instant":{"epochSecond":1772366400,"nanoOfSecond":0}"#,
        r#""timestamp":{"seconds":1772366400,"nanos":0}"#,
        r#""__REALTIME_TIMESTAMP":"1772366400000000""#,
    ] {
        let line = format!("{{{field},\"msg\":\"up\"}}\n");
        let found = times(&line);
        assert!(
            found[0].starts_with("2026-03-01T12:00:00"),
            "{line} {found:?}"
        );
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let (_, lines) = messages("\u{feff}boom\n\u{feff}x\n");
    assert_eq!(lines, ["boom", "\u{feff}x"]);
}

#[test]
fn each_side_remembers_its_own_time() {
    let text = r#"{"log":"a","stream":"stdout","time":"2026-03-01T12:00:00Z","x":1}
{"log":"b","stream":"stderr","time":"2026-03-01T13:00:00Z","x":1}
{"log":"c","stream":"stdout","x":1}"#;
    assert_eq!(times(text)[2], "2026-03-01T12:00:00Z");
}

#[test]
fn long_lines_are_cut_and_counted() {
    let text = format!("ERROR {}\nnext\n", "x".repeat(3 * MAX_LINE));
    let mut reader = Reader::open(Cursor::new(&text), None, START).unwrap();
    let mut lines = Vec::new();
    while let Some(chunk) = reader.chunk(1).unwrap() {
        for event in Events::new(&chunk.bytes) {
            if let Ok(Event::Record(record)) = event {
                let view = View::new("t", record);
                lines.push((view.line().len(), view.level()));
            }
        }
    }
    assert_eq!(lines, [(MAX_LINE, Some(Level::Error)), (4, None)]);
    assert_eq!(reader.tally().cut, 1);
    assert_eq!(reader.tally().lines, 2);
    assert_eq!(reader.tally().bytes, text.len() as u64);
}

#[test]
fn bytes_that_are_no_text_are_still_lines() {
    let mut reader = Reader::open(Cursor::new(b"\xff\xfe\n\x00\nok\n"), None, START).unwrap();
    let chunk = reader.chunk(1 << 20).unwrap().unwrap();
    assert_eq!(chunk.records, 3);
    assert!(reader.chunk(1 << 20).unwrap().is_none());
}
