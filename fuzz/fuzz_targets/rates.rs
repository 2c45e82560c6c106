//! Any records at any times in the book of a service, with programs that start and end, deploys,
//! and state that is exported and loaded in between; also state that nobody exported. Nothing
//! panics, every line and byte stands in the bill once, and what is held is bounded.
#![no_main]

use autofix::model::{CommitId, Facets, Kind, Level, SmallText, TemplateId, Timestamp};
use autofix::rate::{Book, Learnt, Limits, Occurrence, Place, Slot};
use autofix::template::Novelty;
use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const LIMITS: Limits = Limits {
    entries: 256,
    bytes: 256 << 10,
    export: 64 << 10,
};
/// What waits to be told and what is known of programs; neither grows with the entries.
const APART: usize = 1 << 20;
/// Records of one run.
const MOST: u64 = 3_000;

static COMMITS: LazyLock<Vec<CommitId>> = LazyLock::new(|| {
    let ids = ["1111111", "2222222", "3333333", "4444444"];
    ids.iter().filter_map(|id| CommitId::parse(id)).collect()
});

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Record {
    template: u8,
    level: u8,
    class: u8,
    result: u8,
    code: u8,
    error: bool,
    request: bool,
    bytes: u32,
    commit: u8,
    novelty: u8,
    slot: u8,
    key: u8,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Record(Record),
    /// As many, so many seconds apart.
    Records(Record, u16, u8),
    /// As many, each of another template.
    Flood(Record, u16),
    Seconds(u16),
    Hours(u8),
    Time(i64),
    Started(u8, u8),
    Ended(u8, u8, u8),
    Mark(u8),
    News,
    Reload,
}

struct Run {
    book: Book,
    time: Timestamp,
    lines: u64,
    bytes: u64,
    /// Its bill began with state of unknown truth.
    foreign: bool,
}

fuzz_target!(|data: &[u8]| {
    let (state, rest) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) if data.starts_with(b"{") => data.split_at(end),
        _ => (&[][..], data),
    };
    let learnt = serde_json::from_slice::<Learnt>(state);
    let mut run = Run {
        foreign: learnt.is_ok(),
        book: learnt.map_or_else(|_| Book::new(LIMITS), |learnt| Book::load(LIMITS, learnt)),
        time: Timestamp(1_700_000_000_000_000_000),
        lines: 0,
        bytes: 0,
    };
    let mut input = Unstructured::new(rest);
    while !input.is_empty() && run.lines < MOST {
        match Step::arbitrary(&mut input) {
            Ok(step) => run.step(&step),
            Err(_) => break,
        }
        run.check();
    }
    run.reload();
});

impl Run {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Record(record) => self.record(record, u64::from(record.template)),
            Step::Records(record, times, apart) => {
                for _ in 0..*times % 512 {
                    self.record(record, u64::from(record.template));
                    self.pass(u64::from(*apart));
                }
            }
            Step::Flood(record, times) => {
                for number in 0..u64::from(*times % 2_048) {
                    self.record(record, 1_000 + number);
                }
            }
            Step::Seconds(seconds) => self.pass(u64::from(*seconds)),
            Step::Hours(hours) => self.pass(u64::from(*hours) * 3_600),
            Step::Time(time) => self.time = Timestamp(*time),
            Step::Started(at, instance) => {
                let found = self
                    .book
                    .started(slot(*at), u64::from(*instance), self.time);
                assert!(found.is_none_or(|found| !found.reason().is_empty()));
            }
            Step::Ended(at, instance, kind) => {
                let kinds = [Kind::Exit, Kind::Crash, Kind::Oom, Kind::Error];
                let kind = kinds[usize::from(kind % 4)];
                let instance = u64::from(*instance);
                self.book.ended(slot(*at), instance, kind, self.time);
            }
            Step::Mark(template) => self.book.mark(TemplateId::new(u64::from(*template))),
            Step::News => drop(self.book.take_news()),
            Step::Reload => self.reload(),
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.time = self.time.plus(std::time::Duration::from_secs(seconds));
    }

    fn record(&mut self, record: &Record, template: u64) {
        let levels = [
            None,
            Some(Level::Info),
            Some(Level::Warn),
            Some(Level::Error),
        ];
        let novelties = [
            Novelty::Known,
            Novelty::New,
            Novelty::Changed,
            Novelty::Full,
        ];
        let small = |number: u8| (number > 0).then(|| format!("value {number}"));
        let key = format!("key{}", record.key);
        let seen = Occurrence {
            template: TemplateId::new(template),
            facets: Facets {
                level: levels[usize::from(record.level % 4)],
                status_class: (record.class % 6 > 0).then_some(record.class % 6),
                result: small(record.result).and_then(|text| SmallText::new(&text)),
                code: small(record.code).and_then(|text| SmallText::new(&text)),
            },
            error: record.error,
            time: self.time,
            bytes: record.bytes,
            commit: COMMITS.get(usize::from(record.commit % 5)),
            request: record.request,
            novelty: novelties[usize::from(record.novelty % 4)],
            slot: slot(record.slot),
            place: Place {
                key: &key,
                inner: (record.key % 2 > 0).then_some("inner"),
            },
        };
        let mut change = self.book.observe(&seen);
        let mut changes = 0;
        while let Some(told) = change {
            assert!(changes <= 256, "changes are bounded");
            said(&told);
            changes += 1;
            change = self.book.next_change();
        }
        self.lines += 1;
        self.bytes += u64::from(record.bytes);
    }

    fn check(&mut self) {
        assert!(self.book.len() <= LIMITS.entries);
        assert!(
            self.book.bytes() <= LIMITS.bytes + APART,
            "{}",
            self.book.bytes()
        );
        let said = self.book.take_loop();
        assert!(said.is_none_or(|found| !found.reason().is_empty()));
    }

    /// What is exported is of a bounded size, has every line, and is the same when loaded.
    fn reload(&mut self) {
        let learnt = self.book.export();
        let text = serde_json::to_string(&learnt).expect("it can be written");
        assert!(text.len() <= 2 * LIMITS.export, "{} bytes", text.len());
        let again: Learnt = serde_json::from_str(&text).expect("what was written");
        let bill = again.bill();
        assert_eq!(bill, learnt.bill());
        if !self.foreign {
            let lines: u64 = bill.iter().map(|line| line.lines).sum();
            let bytes: u64 = bill.iter().map(|line| line.bytes).sum();
            assert_eq!((lines, bytes), (self.lines, self.bytes));
        }
        self.book = Book::load(LIMITS, again);
        assert_eq!(self.book.export().bill(), bill);
        self.check();
    }
}

fn said(change: &autofix::rate::Change) {
    use autofix::rate::Change;
    match change {
        Change::Novel(_) | Change::Changed(_) => {}
        Change::Gone(gone) => assert!(gone.per_hour.is_finite()),
        Change::Rate(rate) => {
            assert!(rate.seen > 0 && rate.expected.is_finite() && rate.ln_chance <= 0.0);
            assert!(!rate.reason().is_empty());
        }
        Change::Deploy(deploy) => assert!(!deploy.reason().is_empty()),
    }
}

fn slot(number: u8) -> Slot {
    match number % 2 {
        0 => Slot::Pod(u64::from(number)),
        _ => Slot::Name(u64::from(number)),
    }
}
