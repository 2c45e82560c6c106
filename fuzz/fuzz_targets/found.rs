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

/// Nothing panics; no line is lost: each is given back, or is part of a trace, and not both at
/// once; traces do not overlap; what is held is bounded.
fn as_lines(text: &str) {
    let mut assembler = Assembler::default();
    let mut kept = Fates::default();
    for (index, text) in (0..).zip(text.split('\n')) {
        let line = Line {
            text,
            time: Timestamp(0),
            level: None,
            index,
        };
        let was_open = assembler.is_open();
        let taken = assembler.push(line, Timestamp(0));
        let most = BYTES_KEPT + LINES_KEPT * LINE_COST + APART;
        assert!(assembler.bytes() <= most, "{} held", assembler.bytes());
        let closed = kept.take(&mut assembler, index);
        if assembler.is_open() && (closed || !was_open) {
            kept.opened = index;
        }
        // Blank lines do not come back, and a runtime's last words after a trace are swallowed.
        if taken == Taken::Inside && assembler.is_open() && !is_blank(text) {
            kept.held.push(index);
        }
    }
    assembler.finish();
    kept.take(&mut assembler, u64::MAX);
    assert!(!assembler.is_open() && !assembler.is_ready());
    kept.check();
}

/// What became of the lines.
#[derive(Default)]
struct Fates {
    held: Vec<u64>,
    /// Lines that came back, and at which line they did.
    back: Vec<(u64, u64)>,
    /// Lines of each trace, and the line at which it was opened.
    places: Vec<(RangeInclusive<u64>, u64)>,
    opened: u64,
    cut: bool,
}

impl Fates {
    /// Whether anything was closed.
    fn take(&mut self, assembler: &mut Assembler, at: u64) -> bool {
        let before = self.back.len() + self.places.len();
        let back = assembler.take_plain().map(|kept| (kept.index, at));
        self.back.extend(back);
        for found in assembler.take() {
            self.cut |= found.cut;
            self.places.push((place(found), self.opened));
        }
        before < self.back.len() + self.places.len()
    }

    fn check(&self) {
        for pair in self.places.windows(2) {
            assert!(pair[0].0.end() < pair[1].0.start(), "{:?}", self.places);
        }
        let known = |pair: &[(u64, u64)]| pair[0].0 < pair[1].0;
        assert!(self.back.windows(2).all(known), "{:?}", self.back);
        for (place, opened) in &self.places {
            // A trace may take in a line that came back before, but not in the same step.
            let twice = |(index, at): &&(u64, u64)| at == opened && place.contains(index);
            let twice = self.back.iter().find(twice);
            assert_eq!(twice, None, "in {place:?} of {:?}", self.places);
        }
        if !self.cut {
            // Past the limits of one trace lines are counted, and no longer kept.
            self.none_lost();
        }
    }

    /// All are in order, so that one walk tells what became of each line.
    fn none_lost(&self) {
        let (mut back, mut places) = (self.back.iter().peekable(), self.places.iter().peekable());
        for index in &self.held {
            while places.next_if(|(place, _)| place.end() < index).is_some() {}
            while back.next_if(|(known, _)| known < index).is_some() {}
            let inside = places
                .peek()
                .is_some_and(|(place, _)| place.contains(index));
            let given = back.peek().is_some_and(|(known, _)| known == index);
            assert!(inside || given, "line {index} of {:?}", self.places);
        }
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
