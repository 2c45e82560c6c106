//! The fast lane's stages, each alone over the same records: what one costs for a record, and
//! how many a core would do in a second.

use crate::lines::{self, Random};
use autofix::model::{Level, Timestamp};
use autofix::record::encode::{self, Layout};
use autofix::record::{Event, Events, Joiner, Record, View};
use autofix::trace::{Assembler, Line};
use autofix::triage;
use autofix::watch::{Caps, Engine, Owner, Watch};
use serde_json::Value;
use std::hint::black_box;
use std::time::Duration;

const RECORDS: u64 = 50_000;
const ROUNDS: usize = 15;

pub fn run() {
    println!("| records | stage | ns a record | records/s a core |");
    println!("|---|---|---|---|");
    let service = encoded(lines::service, RECORDS);
    let firelens = encoded(lines::firelens, RECORDS);
    for (name, chunk) in [("JSON tail", &service), ("JSON in `log`", &firelens)] {
        stages(name, chunk);
    }
    for (name, chunk) in [("JSON tail", &service), ("JSON in `log`", &firelens)] {
        for count in [10, 1_000, 10_000] {
            watches(name, chunk, count);
        }
    }
}

/// Records of the service in about `bytes` bytes of msgpack.
pub fn records(bytes: usize) -> Vec<u8> {
    let mut chunk = encoded(lines::service, bytes as u64 / 300 + 1);
    chunk.truncate(bytes);
    chunk
}

fn encoded(append: fn(&mut String, u64, &mut Random), count: u64) -> Vec<u8> {
    let mut random = Random::new(1);
    let (mut out, mut line) = (Vec::new(), String::new());
    for number in 0..count {
        line.clear();
        append(&mut line, number, &mut random);
        let Ok(Value::Object(mut fields)) = serde_json::from_str(&line) else {
            continue;
        };
        // As a parser with a time key does.
        fields.remove("time");
        let time = Timestamp(1_772_366_400_000_000_000 + number as i64 * 2_000_000);
        encode::event(&mut out, Layout::New, time);
        encode::map(&mut out, fields.len());
        for (key, value) in &fields {
            encode::text(&mut out, key.as_bytes());
            match value {
                Value::String(text) => encode::text(&mut out, text.as_bytes()),
                Value::Number(number) => match number.as_i64() {
                    Some(whole) => encode::int(&mut out, whole),
                    None => encode::float(&mut out, number.as_f64().unwrap_or_default()),
                },
                _ => encode::nil(&mut out),
            }
        }
    }
    out
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
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes one value of the type that it takes.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut now) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn row(records: &str, stage: &str, took: Duration) {
    let nanos = took.as_nanos() as f64 / RECORDS as f64;
    let rate = 1e9 / nanos.max(0.1);
    println!("| {records} | {stage} | {nanos:.0} | {rate:.0} |");
}
