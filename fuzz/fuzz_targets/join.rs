//! Parts of lines as CRI, Docker and FireLens cut them, of several streams at once, in any order
//! and in any number: every byte comes out once and in its stream's order, lines end where their
//! engine ended them, and what is held is bounded.
#![no_main]

use autofix::model::Timestamp;
use autofix::record::encode::{self, Layout};
use autofix::record::{Event, Events, Joiner, Side, View, partial};
use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;

/// What the joiner may hold: its own limit of 16 MB, and one line.
const MOST_HELD: usize = 17 << 20;
/// Docker cuts lines at this many bytes.
const DOCKER_PART: usize = 16 << 10;
/// Bytes and records of one run.
const MOST_BYTES: usize = 20 << 20;
const MOST_RECORDS: usize = 20_000;

/// How a tag's lines are cut. Each keeps to one; the last has all of them.
#[derive(Clone, Copy, PartialEq)]
enum Engine {
    Cri,
    FireLens,
    Docker,
    Mixed,
}

const ENGINES: [Engine; 4] = [Engine::Cri, Engine::FireLens, Engine::Docker, Engine::Mixed];

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Part {
    tag: u8,
    engine: u8,
    errors: bool,
    last: bool,
    id: u8,
    length: Length,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Length {
    Short(u8),
    Docker,
    Any(u16),
}

#[derive(Arbitrary, Debug)]
enum Step {
    Part(Part),
    /// The same part again and again.
    Parts(Part, u8),
    Whole(u8),
    /// Parts of more streams than may be open at once.
    Flood(u16),
    Clock(i64),
    Idle,
}

/// A text of which only this is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    length: usize,
    hash: u64,
}

impl Sum {
    fn add(&mut self, text: &[u8]) {
        self.length += text.len();
        for byte in text {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// What went into a stream, and what came of it.
#[derive(Debug, Default)]
struct Stream {
    sent: Sum,
    got: Sum,
    /// Lines as they should be, where their ends can be told; the last one may be open.
    due: Vec<Sum>,
    lines: Vec<Sum>,
    open: Option<(Sum, String, u32)>,
    cut: bool,
}

#[derive(Default)]
struct Run {
    joiner: Joiner,
    streams: HashMap<(String, Side), Stream>,
    now: i64,
    records: usize,
    sent: usize,
    got: usize,
    /// Some line was given up for want of room or time.
    given_up: bool,
    flooded: bool,
}

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    let mut run = Run::default();
    while !input.is_empty() {
        match Step::arbitrary(&mut input) {
            Ok(step) => run.step(&step),
            Err(_) => break,
        }
    }
    run.end();
});

impl Run {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Part(part) => self.part(&format!("t{}", part.tag % 8), part),
            Step::Parts(part, times) => {
                for _ in 0..*times % 96 {
                    self.part(&format!("t{}", part.tag % 8), part);
                }
            }
            Step::Whole(tag) => {
                let text = self.text(9);
                self.push(
                    &format!("t{}", tag % 8),
                    Side::Unknown,
                    &text,
                    &[("message", &text)],
                );
            }
            Step::Flood(_) if self.flooded => {}
            Step::Flood(streams) => {
                (self.given_up, self.flooded) = (true, true);
                for stream in 0..streams % 1_536 {
                    let part = Part {
                        tag: 0,
                        engine: 0,
                        errors: false,
                        last: false,
                        id: 0,
                        length: Length::Short(40),
                    };
                    self.part(&format!("flood {stream}"), &part);
                }
            }
            Step::Clock(by) => self.now = self.now.wrapping_add(*by),
            Step::Idle => {
                self.given_up = true;
                let mut came = Vec::new();
                self.joiner
                    .idle(Timestamp(self.now), |view| came.push(taken(view)));
                self.came(came);
            }
        }
    }

    fn part(&mut self, tag: &str, part: &Part) {
        if self.records >= MOST_RECORDS || self.sent >= MOST_BYTES {
            return;
        }
        let (side, word) = match part.errors {
            true => (Side::Stderr, "stderr"),
            false => (Side::Stdout, "stdout"),
        };
        let text = self.text(match part.length {
            Length::Short(length) => usize::from(length),
            Length::Docker => DOCKER_PART,
            Length::Any(length) => usize::from(length),
        });
        let engine = match ENGINES[usize::from(part.tag % 4)] {
            Engine::Mixed => ENGINES[usize::from(part.engine % 3)],
            own => own,
        };
        let id = format!("{}", part.id % 3);
        match engine {
            Engine::Cri => {
                self.expect(tag, side, &text, "", part.last);
                let last = if part.last { "F" } else { "P" };
                let fields = [("stream", word), ("logtag", last), ("log", &text)];
                self.push(tag, side, &text, &fields);
            }
            Engine::FireLens => {
                self.expect(tag, side, &text, &id, part.last);
                let last = if part.last { "true" } else { "false" };
                let fields = [
                    ("log", text.as_str()),
                    ("source", word),
                    ("partial_message", "true"),
                    ("partial_id", &id),
                    ("partial_last", last),
                ];
                self.push(tag, side, &text, &fields);
            }
            Engine::Docker | Engine::Mixed => {
                let end = if part.last { "\n" } else { "" };
                let log = format!("{text}{end}");
                self.push(tag, side, &text, &[("log", &log), ("stream", word)]);
            }
        }
    }

    /// Letters that tell one part from another.
    fn text(&self, length: usize) -> String {
        let mark = format!("{:x}.", self.records);
        let mut text = mark.repeat(length / mark.len() + 1);
        text.truncate(length);
        text
    }

    /// What a part adds to the lines that should come.
    fn expect(&mut self, tag: &str, side: Side, text: &str, id: &str, last: bool) {
        let stream = self.streams.entry((tag.to_owned(), side)).or_default();
        if let Some((line, ..)) = stream.open.take_if(|(_, known, _)| known != id) {
            stream.due.push(line);
        }
        let (line, _, parts) = stream
            .open
            .get_or_insert((Sum::default(), id.to_owned(), 0));
        line.add(text.as_bytes());
        *parts += 1;
        self.given_up |= *parts >= partial::MAX_PARTS;
        if last && let Some((line, ..)) = stream.open.take() {
            stream.due.push(line);
        }
    }

    fn push(&mut self, tag: &str, side: Side, text: &str, fields: &[(&str, &str)]) {
        let stream = self.streams.entry((tag.to_owned(), side)).or_default();
        stream.sent.add(text.as_bytes());
        self.records += 1;
        self.sent += text.len();
        let mut chunk = Vec::new();
        encode::record(&mut chunk, Layout::New, Timestamp(1), fields);
        let mut came = Vec::new();
        for event in Events::new(&chunk) {
            let Ok(Event::Record(record)) = event else {
                panic!("{event:?}");
            };
            let view = View::new(tag, record);
            assert_eq!(view.side(), side);
            let now = Timestamp(self.now);
            self.joiner.push(&view, now, |view| came.push(taken(view)));
        }
        self.came(came);
        assert!(
            self.sent - self.got <= MOST_HELD,
            "{} held",
            self.sent - self.got
        );
    }

    fn came(&mut self, lines: Vec<(String, Side, String, bool)>) {
        for (tag, side, line, cut) in lines {
            let stream = self
                .streams
                .get_mut(&(tag, side))
                .expect("a stream that was sent");
            assert!(line.len() <= partial::MAX_BYTES);
            self.got += line.len();
            stream.got.add(line.as_bytes());
            let mut sum = Sum::default();
            sum.add(line.as_bytes());
            stream.lines.push(sum);
            if cut {
                stream.cut = true;
                // What was dropped is held no longer.
                self.got = self.got.max(self.sent.saturating_sub(MOST_HELD));
            }
        }
    }

    fn end(mut self) {
        let mut came = Vec::new();
        self.joiner.finish(|view| came.push(taken(view)));
        self.came(came);
        self.joiner.finish(|_| panic!("everything was given out"));
        for ((tag, side), mut stream) in self.streams {
            if stream.cut {
                continue;
            }
            assert_eq!(stream.sent, stream.got, "{tag} {side:?}");
            stream.due.extend(stream.open.take().map(|(line, ..)| line));
            let of_one = tag.strip_prefix('t').and_then(|tag| tag.parse().ok());
            let told = of_one.is_some_and(|tag: u8| tag % 4 < 2) && side != Side::Unknown;
            if told && !self.given_up {
                assert_eq!(stream.due, stream.lines, "{tag} {side:?}");
            }
        }
    }
}

fn taken(view: &View<'_>) -> (String, Side, String, bool) {
    let tag = view.tag().to_owned();
    (tag, view.side(), view.line().to_owned(), view.is_cut())
}
