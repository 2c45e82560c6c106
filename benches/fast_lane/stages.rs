//! The fast lane's stages, each alone over the same records: what one costs for a record, and
//! how many a core would do in a second.

use crate::lines::{self, Random};
use autofix::model::{Level, Timestamp};
use autofix::record::encode::{self, Layout};
use autofix::record::{Event, Events, Joiner, Record, View};
use autofix::redact::{Redactor, Settings};
use autofix::trace::{Assembler, Line};
use autofix::triage;
use autofix::watch::{Caps, Engine, Owner, Watch};
use serde_json::Value;
use std::hint::black_box;
use std::ops::Range;
use std::time::Duration;

const RECORDS: u64 = 50_000;
const ROUNDS: usize = 15;

pub fn run() {
    println!("| records | stage | ns a record | records/s a core |");
    println!("|---|---|---|---|");
    let both = [Kind::Service, Kind::Firelens].map(|kind| (kind.title(), kind.encoded(RECORDS)));
    for (name, chunk) in &both {
        stages(name, chunk);
    }
    for (name, chunk) in &both {
        for count in [10, 1_000, 10_000] {
            watches(name, chunk, count);
        }
    }
    redact();
}

/// Redaction over the lines of the service and over ordinary logs of many programs, one scope for
/// all: a text a line, as an incident's lines are, and all of it as one text, as a file is.
pub fn redact() {
    let mut lines: Vec<String> = Vec::new();
    let mut random = Random::new(1);
    for number in 0..10_000 {
        let mut line = String::new();
        lines::service(&mut line, number, &mut random);
        lines.push(line);
    }
    let logs = [
        include_str!("../../tests/corpus/plain/apt.log"),
        include_str!("../../tests/corpus/plain/dpkg.log"),
        include_str!("../../tests/corpus/plain/http_server.log"),
        include_str!("../../tests/corpus/plain/compilers.log"),
        include_str!("../../tests/corpus/plain/git.log"),
        include_str!("../../tests/corpus/plain/shell.log"),
        include_str!("../../tests/corpus/plain/erlang.log"),
        include_str!("../../tests/corpus/plain/php.log"),
    ];
    let logs = logs.join("\n").repeat(4);
    let mixed = include_str!("../../tests/corpus/redact/plain.txt");
    let mixed: Vec<String> = mixed.lines().map(str::to_owned).collect();
    let secret = include_str!("../../tests/corpus/redact/credentials.txt");
    let mut some: Vec<String> = mixed.iter().cycle().take(4_000).cloned().collect();
    for (at, line) in secret.lines().enumerate() {
        some[at * 20] = line.replace(['«', '»'], "");
    }
    println!("\n| text | redact, a line | redact, as a whole |\n|---|---|---|");
    for (name, lines) in [
        ("a service's JSON", lines),
        ("ordinary logs", logs.lines().map(str::to_owned).collect()),
        ("harmless lines that hold what rules look for", mixed),
        ("the same, one in 25 with a secret", some),
    ] {
        redact_of(name, &lines);
    }
}

fn redact_of(name: &str, lines: &[String]) {
    let Ok(redactor) = Redactor::new(&Settings::default()) else {
        return;
    };
    let mut scope = redactor.scope();
    let whole = lines.join("\n");
    let by_line = time(|| lines.iter().map(|line| scope.text(line).len() as u64).sum());
    let at_once = time(|| scope.text(&whole).len() as u64);
    let rate = |took: Duration| whole.len() as f64 / 1e6 / took.as_secs_f64().max(1e-9);
    println!(
        "| {name} | {:.0} MB/s | {:.0} MB/s |",
        rate(by_line),
        rate(at_once)
    );
}

/// How a service's line comes: its JSON parsed by the host, or as text under `log`.
#[derive(Clone, Copy)]
pub enum Kind {
    Service,
    Firelens,
}

impl Kind {
    pub fn named(name: &str) -> Kind {
        match name {
            "service" => Kind::Service,
            "firelens" => Kind::Firelens,
            other => panic!("KINDS: {other:?} is neither service nor firelens"),
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Kind::Service => "JSON tail",
            Kind::Firelens => "JSON in `log`",
        }
    }

    fn append(self) -> fn(&mut String, u64, &mut Random) {
        match self {
            Kind::Service => lines::service,
            Kind::Firelens => lines::firelens,
        }
    }

    fn encoded(self, count: u64) -> Vec<u8> {
        let mut out = Vec::new();
        encode_into(&mut out, self.append(), &mut Random::new(1), 0..count);
        out
    }
}

/// `records` records in chunks of `size`.
pub fn chunks(kind: Kind, records: u64, size: u64) -> Vec<Vec<u8>> {
    let mut random = Random::new(1);
    let starts = (0..records).step_by(size as usize);
    let chunk = |start| {
        let mut out = Vec::new();
        let end = records.min(start + size);
        encode_into(&mut out, kind.append(), &mut random, start..end);
        out
    };
    starts.map(chunk).collect()
}

/// Records of the service in about `bytes` bytes of msgpack.
pub fn records(bytes: usize) -> Vec<u8> {
    let mut chunk = Kind::Service.encoded(bytes as u64 / 300 + 1);
    chunk.truncate(bytes);
    chunk
}

fn encode_into(
    out: &mut Vec<u8>,
    append: fn(&mut String, u64, &mut Random),
    random: &mut Random,
    numbers: Range<u64>,
) {
    let mut line = String::new();
    for number in numbers {
        line.clear();
        append(&mut line, number, random);
        let Ok(Value::Object(mut fields)) = serde_json::from_str(&line) else {
            continue;
        };
        // As a parser with a time key does.
        fields.remove("time");
        let time = Timestamp(1_772_366_400_000_000_000 + number as i64 * 2_000_000);
        encode::event(out, Layout::New, time);
        encode::map(out, fields.len());
        for (key, value) in &fields {
            encode::text(out, key.as_bytes());
            match value {
                Value::String(text) => encode::text(out, text.as_bytes()),
                Value::Number(number) => match number.as_i64() {
                    Some(whole) => encode::int(out, whole),
                    None => encode::float(out, number.as_f64().unwrap_or_default()),
                },
                _ => encode::nil(out),
            }
        }
    }
}

fn each<'a>(chunk: &'a [u8]) -> impl Iterator<Item = Record<'a>> {
    Events::new(chunk).filter_map(|event| match event {
        Ok(Event::Record(record)) => Some(record),
        _ => None,
    })
}

fn stages(name: &str, chunk: &[u8]) {
    let decode = time(|| each(chunk).map(|r| r.body.len() as u64).sum());
    row(name, "decode", decode);
    let view = time(|| {
        each(chunk)
            .map(|r| View::new("app.log", r).line().len() as u64)
            .sum()
    });
    row(name, "view", view.saturating_sub(decode));
    let message = time(|| {
        each(chunk)
            .map(|r| View::new("app.log", r).message().len() as u64)
            .sum()
    });
    row(name, "message", message.saturating_sub(view));
    let key = time(|| {
        each(chunk)
            .map(|r| View::new("app.log", r).stream_key() & 1)
            .sum()
    });
    row(name, "stream key", key.saturating_sub(view));
    let level = time(|| {
        each(chunk)
            .map(|r| {
                let view = View::new("app.log", r);
                view.message().len() as u64 + u64::from(view.level() == Some(Level::Error))
            })
            .sum()
    });
    row(name, "level", level.saturating_sub(message));
    let stack = time(|| {
        each(chunk)
            .map(|r| u64::from(View::new("app.log", r).trace_text().is_some()))
            .sum()
    });
    row(name, "stack field", stack.saturating_sub(view));
    let joined = time(|| {
        let (mut joiner, mut sum) = (Joiner::new(), 0);
        for record in each(chunk) {
            let view = View::new("app.log", record);
            joiner.push(&view, Timestamp(0), |whole| {
                sum += whole.line().len() as u64
            });
        }
        sum
    });
    row(name, "join", joined.saturating_sub(view));
    texts(name, chunk);
}

/// The stages that read only the message.
fn texts(name: &str, chunk: &[u8]) {
    let said: Vec<(String, Option<Level>)> = each(chunk)
        .map(|record| {
            let view = View::new("app.log", record);
            (view.message().into_owned(), view.level())
        })
        .collect();
    let mut assembler = Assembler::default();
    let trace = time(|| {
        let mut sum = 0;
        for (index, (text, level)) in said.iter().enumerate() {
            let line = Line {
                text,
                time: Timestamp(0),
                level: *level,
                index: index as u64,
            };
            sum += assembler.push(line, Timestamp(0)) as u64;
            assembler.take_plain().for_each(drop);
            assembler.take().for_each(drop);
        }
        sum
    });
    row(name, "trace", trace);
    let rules = time(|| {
        let judged = said
            .iter()
            .map(|(text, level)| triage::judge_line(text, *level));
        judged.map(|verdict| u64::from(verdict.is_some())).sum()
    });
    row(name, "rules", rules);
}

/// Watches as a team writes them: a few that many records match, most for one path or user.
fn team(count: usize) -> Vec<Watch> {
    (0..count)
        .filter_map(|number| {
            Watch::parse(&crate::watches::one(number), Owner::Team, Timestamp(0)).ok()
        })
        .collect()
}

fn watches(name: &str, chunk: &[u8], count: usize) {
    let mut engine = Engine::with_built_in(Caps::default());
    let installed = team(count);
    assert_eq!(installed.len(), count, "a watch of the bench was refused");
    engine.replace_team(installed).unwrap();
    let mut run = || {
        each(chunk)
            .map(|record| {
                let view = View::new("app.log", record);
                engine.on_record("shop", &view, view.time()).len() as u64
            })
            .sum()
    };
    let view = time(|| {
        each(chunk)
            .map(|r| View::new("app.log", r).line().len() as u64)
            .sum()
    });
    let rounds = if count > 100 { 1 } else { ROUNDS };
    let all = time_of(rounds, &mut run);
    row(name, &format!("{count} watches"), all.saturating_sub(view));
}

fn time(mut run: impl FnMut() -> u64) -> Duration {
    time_of(ROUNDS, &mut run)
}

/// The fastest of some rounds: what disturbs only adds.
fn time_of(rounds: usize, run: &mut impl FnMut() -> u64) -> Duration {
    let once = |_| {
        let start = used();
        black_box(run());
        used().saturating_sub(start)
    };
    (0..rounds).map(once).min().unwrap_or_default()
}

/// The processor's time that this thread has used: others on the machine do not count.
fn used() -> Duration {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// What one of the system's clocks shows.
pub fn clock(which: libc::clockid_t) -> Duration {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes one value of the type that it takes.
    unsafe { libc::clock_gettime(which, &raw mut now) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn row(records: &str, stage: &str, took: Duration) {
    row_of(records, stage, took, RECORDS);
}

/// A row for what `count` records took.
pub fn row_of(records: &str, stage: &str, took: Duration, count: u64) {
    let nanos = took.as_nanos() as f64 / count as f64;
    let rate = 1e9 / nanos.max(0.1);
    println!("| {records} | {stage} | {nanos:.0} | {rate:.0} |");
}
