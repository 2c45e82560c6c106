//! What must hold of any text as a log, whatever language it may be in. Shared by the targets of
//! the languages; none itself.

use autofix::incident::fingerprint;
use autofix::model::{Kind, Signal, Timestamp, Trace};
use autofix::record::ansi::strip;
use autofix::trace::{Assembler, BYTES_KEPT, Found, LINES_KEPT, Line, Taken, parse};
use autofix::triage::judge_trace;
use std::ops::RangeInclusive;

/// Texts that begin with this byte are made long: what is not linear in its length then takes
/// longer than `-timeout` allows.
const REPEAT: u8 = 1;
/// Bytes of a text that was made long: in one line, and in lines.
const LONG_LINE: usize = 64 << 10;
const LONG: usize = 16 << 10;
/// What one kept line takes beside its text, and what is kept apart from an open trace.
const LINE_COST: usize = 256;
const APART: usize = 256 << 10;

/// The text as lines and as one record, alone and behind a line that begins a trace of the
/// language, so that its rules read every line that follows.
pub fn check_after(opening: &str, data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match text.as_bytes().split_first() {
        Some((&REPEAT, _)) => check_long(opening, &text[1..]),
        _ => {
            check(&text);
            check(&format!("{opening}\n{text}"));
        }
    }
}

/// The text again and again: in one line, as lines, and each in a line of its own.
fn check_long(opening: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let line = text
        .replace('\n', " ")
        .repeat(LONG_LINE.div_ceil(text.len()));
    as_lines(&format!("{opening}{line}"));
    as_lines(&format!("{opening}\n{line}"));
    let times = LONG.div_ceil(text.len());
    as_lines(&format!("{opening}\n{}", text.repeat(times)));
    as_lines(&format!("{opening}\n{}", format!("{text}\n").repeat(times)));
}

fn check(text: &str) {
    as_lines(text);
    if let Some(trace) = parse(text) {
        whole(&trace);
    }
}

/// Nothing panics; each line is given back, or is part of a trace, and neither twice; traces do
/// not overlap; what is held is bounded.
fn as_lines(text: &str) {
    let mut assembler = Assembler::default();
    let (mut held, mut back, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for (index, text) in (0..).zip(text.split('\n')) {
        let line = Line {
            text,
            time: Timestamp(0),
            level: None,
            index,
        };
        let taken = assembler.push(line, Timestamp(0));
        // Blank lines do not come back, and a runtime's last words after a trace are swallowed.
        if taken == Taken::Inside && assembler.is_open() && !is_blank(text) {
            held.push(index);
        }
        let most = BYTES_KEPT + LINES_KEPT * LINE_COST + APART;
        assert!(assembler.bytes() <= most, "{} held", assembler.bytes());
        back.extend(assembler.take_plain().map(|kept| kept.index));
        found.extend(assembler.take());
    }
    assembler.finish();
    back.extend(assembler.take_plain().map(|kept| kept.index));
    found.extend(assembler.take());
    assert_eq!(assembler.take().count(), 0);
    if found.iter().any(|found| found.cut) {
        // Past the limits of one trace lines are counted, and no longer kept.
        return found.into_iter().map(place).for_each(drop);
    }
    let places: Vec<_> = found.into_iter().map(place).collect();
    for pair in places.windows(2) {
        assert!(pair[0].end() < pair[1].start(), "{places:?}");
    }
    assert!(back.is_sorted_by(|a, b| a < b), "given back: {back:?}");
    // Both are in order, so one walk tells what became of each line that was taken.
    let (mut plain, mut traces) = (back.iter().peekable(), places.iter().peekable());
    for index in held {
        while traces.next_if(|place| *place.end() < index).is_some() {}
        let inside = traces.peek().is_some_and(|place| place.contains(&index));
        while plain.next_if(|known| **known < index).is_some() {}
        let given = plain.next_if_eq(&&index).is_some();
        assert!(inside != given, "line {index}: {places:?}, back: {back:?}");
    }
}

/// Nothing but blanks and what a terminal does not show.
fn is_blank(text: &str) -> bool {
    let text = strip(text.strip_prefix('\u{feff}').unwrap_or(text));
    text.chars()
        .all(|c| c.is_whitespace() || c.is_control() || c == '\u{feff}')
}

/// The lines of a trace.
fn place(found: Found) -> RangeInclusive<u64> {
    assert!(found.lines.is_sorted_by_key(|line| line.index));
    assert!(found.lines.len() <= LINES_KEPT);
    let first = found.lines.first().expect("a trace has lines").index;
    assert!(found.lines.iter().all(|line| line.index <= found.last));
    if let Some(header) = &found.header {
        assert!(header.index < first);
    }
    whole(&found.trace);
    let header = found.header.as_ref().map(|line| line.text.as_str());
    let verdict = judge_trace(&found.trace, found.uncaught, found.level, header);
    assert!(verdict.is_none_or(|verdict| verdict.title.chars().count() <= 200));
    named(found.trace);
    first..=found.last
}

/// Nothing in a trace points outside of it.
fn whole(trace: &Trace) {
    assert!(trace.root < trace.blocks.len());
    assert!(trace.outermost < trace.blocks.len());
    for block in &trace.blocks {
        assert!(block.frames.start <= block.frames.end);
        assert!(block.frames.end <= trace.frames.len());
    }
}

/// Whatever was found has a fingerprint.
fn named(trace: Trace) {
    let signal = Signal {
        kind: Kind::Crash,
        service: "shop".to_owned(),
        stream: "shop".to_owned(),
        container: None,
        time: Timestamp(0),
        last: Timestamp(0),
        title: "x".to_owned(),
        reason: "x".to_owned(),
        watch: None,
        trace: Some(trace),
        lines: Vec::new(),
        context: Vec::new(),
        commit: None,
    };
    assert!(fingerprint(&signal).starts_with("v1:"));
}
