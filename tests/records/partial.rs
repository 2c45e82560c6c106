//! Lines that came in parts.

use crate::chunk::Chunk;
use autofix::model::Timestamp;
use autofix::record::partial::{MAX_BYTES, MAX_PARTS, MAX_WAIT};
use autofix::record::{Joiner, View};
use serde_json::{Value, json};

/// What comes out of a joiner after each record, and at the end.
struct Bench {
    joiner: Joiner,
    now: Timestamp,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            joiner: Joiner::new(),
            now: Timestamp::from_parts(1_000, 0),
        }
    }

    fn push(&mut self, body: Value) -> Vec<String> {
        let chunk = Chunk::of(body);
        let mut out = Vec::new();
        self.joiner
            .push(&chunk.view("t"), self.now, |view| out.push(show(view)));
        out
    }

    fn finish(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        self.joiner.finish(|view| out.push(show(view)));
        out
    }

    fn idle(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        self.joiner.idle(self.now, |view| out.push(show(view)));
        out
    }
}

fn show(view: &View<'_>) -> String {
    format!("{}:{}", view.side().word(), view.message())
}

fn docker(side: &str, log: &str) -> Value {
    json!({"log": log, "stream": side, "time": "2026-03-01T12:00:00Z"})
}

fn cri(side: &str, tag: &str, log: &str) -> Value {
    json!({"time": "2026-03-01T12:00:00Z", "stream": side, "logtag": tag, "log": log})
}

#[test]
fn docker_parts_end_with_a_newline() {
    let mut bench = Bench::new();
    assert_eq!(bench.push(docker("stdout", "whole\n")), ["stdout:whole"]);
    assert!(bench.push(docker("stdout", "one ")).is_empty());
    assert_eq!(
        bench.push(docker("stderr", "between\n")),
        ["stderr:between"]
    );
    assert!(bench.push(docker("stdout", "li")).is_empty());
    assert_eq!(bench.push(docker("stdout", "ne\n")), ["stdout:one line"]);
    assert!(bench.finish().is_empty());
}

#[test]
fn docker_parts_at_the_very_start() {
    let mut bench = Bench::new();
    assert!(bench.push(docker("stdout", "one ")).is_empty());
    assert_eq!(bench.push(docker("stdout", "line\n")), ["stdout:one line"]);
    assert!(
        bench
            .push(docker("stdout", &"x".repeat(16 << 10)))
            .is_empty()
    );
    let out = bench.push(docker("stdout", "end\n"));
    assert_eq!(out[0].len(), "stdout:end".len() + (16 << 10));
}

#[test]
fn a_stream_without_newlines_is_not_glued_together() {
    let mut bench = Bench::new();
    let mut out = Vec::new();
    for n in 0..12 {
        out.extend(bench.push(docker("stdout", &format!("line {n}"))));
    }
    out.extend(bench.finish());
    let lines: Vec<String> = (0..12).map(|n| format!("stdout:line {n}")).collect();
    assert_eq!(out, lines);
    // Once that is known, nothing waits any more.
    assert_eq!(bench.push(docker("stdout", "at once")), ["stdout:at once"]);
    // Nor where the pattern of a CRI parser gave stream and log, in that order.
    let pattern = json!({"time": "2026-03-01T12:00:00Z", "stream": "stdout", "log": "line"});
    assert_eq!(Bench::new().push(pattern), ["stdout:line"]);
}

#[test]
fn cri_parts_under_every_name() {
    for name in ["logtag", "_p"] {
        let mut bench = Bench::new();
        let part = |tag: &str, log: &str| json!({"stream": "stderr", name: tag, "message": log});
        assert!(bench.push(part("P", "one ")).is_empty());
        assert!(bench.push(part("P", "long ")).is_empty());
        assert_eq!(bench.push(part("F", "line")), ["stderr:one long line"]);
        assert_eq!(bench.push(part("F", "next")), ["stderr:next"]);
    }
    let mut bench = Bench::new();
    let raw =
        |tag: &str, log: &str| json!({"log": format!("2026-03-01T12:00:00.1Z stdout {tag} {log}")});
    assert!(bench.push(raw("P", "one ")).is_empty());
    assert_eq!(bench.push(raw("F", "line")), ["stdout:one line"]);
}

#[test]
fn a_character_cut_in_two_is_whole_again() {
    use autofix::record::encode::{self, Layout};
    let mut bytes = Vec::new();
    for (tag, log) in [("P", &b"caf\xc3"[..]), ("F", &b"\xa9!"[..])] {
        encode::event(&mut bytes, Layout::New, Timestamp(0));
        encode::map(&mut bytes, 3);
        encode::text(&mut bytes, b"stream");
        encode::text(&mut bytes, b"stdout");
        encode::text(&mut bytes, b"_p");
        encode::text(&mut bytes, tag.as_bytes());
        encode::text(&mut bytes, b"log");
        encode::text(&mut bytes, log);
    }
    let chunk = Chunk(bytes);
    let mut joiner = Joiner::new();
    let mut out = Vec::new();
    for record in chunk.records() {
        joiner.push(&View::new("t", record), Timestamp(0), |view| {
            out.push(show(view))
        });
    }
    assert_eq!(out, ["stdout:café!"]);
}

fn firelens(id: &str, ordinal: &str, last: &str, log: &str) -> Value {
    json!({"source": "stdout", "log": log, "partial_message": "true", "partial_id": id,
        "partial_ordinal": ordinal, "partial_last": last, "container_id": "c", "container_name": "/n"})
}

#[test]
fn firelens_pieces_join_by_their_id() {
    let mut bench = Bench::new();
    assert!(bench.push(firelens("a", "1", "false", "one ")).is_empty());
    assert!(bench.push(firelens("a", "2", "false", "long ")).is_empty());
    assert_eq!(
        bench.push(firelens("a", "3", "true", "line")),
        ["stdout:one long line"]
    );
    // The last piece got lost: what was there comes out before the next line.
    assert!(bench.push(firelens("b", "1", "false", "broken")).is_empty());
    assert!(
        bench
            .push(firelens("c", "1", "false", "whole "))
            .eq(&["stdout:broken"])
    );
    let plain =
        json!({"source": "stdout", "log": "plain", "container_id": "c", "container_name": "/n"});
    assert_eq!(bench.push(plain), ["stdout:whole ", "stdout:plain"]);
}

#[test]
fn json_over_several_parts_is_read_as_one() {
    let mut bench = Bench::new();
    let line = r#"{"level":"error","msg":"no stock"}"#;
    let (first, second) = line.split_at(17);
    assert!(bench.push(cri("stderr", "P", first)).is_empty());
    assert_eq!(bench.push(cri("stderr", "F", second)), ["stderr:no stock"]);
}

#[test]
fn a_missing_end_is_given_up_after_a_while() {
    let mut bench = Bench::new();
    assert!(bench.push(cri("stderr", "P", "half")).is_empty());
    assert!(bench.idle().is_empty());
    bench.now = bench.now.plus(MAX_WAIT);
    assert_eq!(bench.idle(), ["stderr:half"]);
    assert!(bench.push(cri("stderr", "P", "again")).is_empty());
    // The clock is set back by a day: it still comes out.
    bench.now = Timestamp(0);
    assert!(bench.idle().is_empty());
    bench.now = bench.now.plus(MAX_WAIT);
    assert_eq!(bench.idle(), ["stderr:again"]);
    assert!(bench.push(cri("stderr", "P", "last")).is_empty());
    assert_eq!(bench.finish(), ["stderr:last"]);
}

#[test]
fn bytes_parts_and_streams_are_limited() {
    let mut bench = Bench::new();
    let part = "x".repeat(200 << 10);
    let mut out = Vec::new();
    for _ in 0..8 {
        out.extend(bench.push(cri("stdout", "P", &part)));
    }
    assert!(out.is_empty());
    let chunk = Chunk::of(cri("stdout", "F", "end"));
    let mut cut = Vec::new();
    bench.joiner.push(&chunk.view("t"), bench.now, |view| {
        cut.push((view.is_cut(), view.line().len()));
    });
    assert_eq!(cut, [(true, MAX_BYTES)]);
    let mut bench = Bench::new();
    let out = (0..MAX_PARTS).flat_map(|_| bench.push(cri("stdout", "P", "x")));
    assert_eq!(out.count(), 1);
    // More open lines than may be held: the oldest come out, none is lost.
    let mut bench = Bench::new();
    let mut count = 0;
    for n in 0..3_000 {
        let body = json!({"stream": "stdout", "_p": "P", "log": "x",
            "kubernetes": {"pod_name": format!("p{n}")}});
        count += bench.push(body).len();
    }
    assert!(count > 1_000);
    assert_eq!(count + bench.finish().len(), 3_000);
}

#[test]
fn what_is_held_at_once_is_limited() {
    let mut bench = Bench::new();
    let part = "x".repeat(900 << 10);
    let mut given = 0;
    for n in 0..40 {
        let body = json!({"stream": "stdout", "_p": "P", "log": part,
            "kubernetes": {"pod_name": format!("p{n}")}});
        given += bench.push(body).len();
    }
    assert!(given >= 20, "{given}");
}

#[test]
fn parts_of_two_engines_are_kept_apart() {
    let mut bench = Bench::new();
    assert!(bench.push(docker("stdout", "half")).is_empty());
    let out = bench.push(cri("stdout", "F", "whole"));
    assert_eq!(out, ["stdout:half", "stdout:whole"]);
}

#[test]
fn nothing_is_lost_where_marked_parts_follow_unmarked_ones() {
    let mut bench = Bench::new();
    let mut out = bench.push(docker("stdout", "a"));
    for number in 0..20 {
        out.extend(bench.push(cri("stdout", "P", &format!("{number:02}"))));
    }
    out.extend(bench.finish());
    let said: String = out.iter().map(|line| &line["stdout:".len()..]).collect();
    let numbers: String = (0..20).map(|number| format!("{number:02}")).collect();
    assert_eq!(said, format!("a{numbers}"));
}
