//! What watches cost a record: nanoseconds for each record that is read and shown to the engine,
//! for none, 10, 1,000 and 10,000 watches over made-up records of several kinds, and the ratio of the last to the first.
//! `cargo run --release --example watch_cost`

#[allow(dead_code, reason = "shared with the bench")]
#[path = "../benches/fast_lane/watches.rs"]
mod generated;

use autofix::model::Timestamp;
use autofix::record::encode::{self, Layout};
use autofix::record::{Event, Events, Record, View};
use autofix::watch::{Caps, Engine, Owner, Watch};
use std::hint::black_box;
use std::time::{Duration, Instant};

const RECORDS: usize = 20_000;
const ROUNDS: usize = 15;

fn main() {
    println!(
        "| records | watches | ns/record | of it watches | matches | ratio to 10 | installed in |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, chunk) in [
        ("fields", chunk(fields)),
        ("JSON in log", chunk(json_in_log)),
        ("access log", chunk(access_log)),
        ("logfmt", chunk(logfmt)),
        ("plain", chunk(plain)),
    ] {
        for (mix, one) in [("team", team as fn(usize) -> String), ("literals", literal)] {
            let mut first = None;
            for count in [0, 10, 1_000, 10_000] {
                let cost = measure(&chunk, one, count);
                let base = *first.get_or_insert(cost.nanos);
                let base = if count == 10 {
                    first.insert(cost.nanos)
                } else {
                    &base
                };
                println!(
                    "| {name} | {count} {mix} | {:.0} | {:.0} | {:.3} | {:.2} | {:.0?} |",
                    cost.nanos,
                    cost.watches,
                    cost.matches,
                    cost.nanos / *base,
                    cost.installed
                );
            }
        }
    }
}

struct Cost {
    /// Of a record that is read, its message and level included, and shown.
    nanos: f64,
    /// What showing it adds.
    watches: f64,
    matches: f64,
    installed: Duration,
}

fn measure(chunk: &[u8], one: fn(usize) -> String, count: usize) -> Cost {
    let mut engine = Engine::with_built_in(Caps::default());
    let watches: Vec<Watch> = (0..count)
        .map(|number| Watch::parse(&one(number), Owner::Team, Timestamp(0)).expect("a good watch"))
        .collect();
    let start = Instant::now();
    engine.replace_team(watches).expect("within the caps");
    let installed = start.elapsed();
    let view = best(|| {
        let views = records(chunk).map(|record| View::new("app.log", record));
        views.map(|view| view.line().len() + document(&view)).sum()
    });
    let whole = best(|| {
        let views = records(chunk).map(|record| View::new("app.log", record));
        let shown =
            views.map(|view| document(&view) + engine.on_record("shop", &view, view.time()).len());
        shown.sum()
    });
    let matches = engine.tally().matched as f64 / (ROUNDS * RECORDS) as f64;
    Cost {
        nanos: whole.as_nanos() as f64 / RECORDS as f64,
        watches: whole.saturating_sub(view).as_nanos() as f64 / RECORDS as f64,
        matches,
        installed,
    }
}

/// What the lane has read of a record before watches see it.
fn document(view: &View<'_>) -> usize {
    view.message().len() + view.level().map_or(0, |level| level as usize)
}

/// The fastest round, in time on the processor where the system tells it: what disturbs only adds.
fn best(mut run: impl FnMut() -> usize) -> Duration {
    let begin = Instant::now();
    let now = || on_processor().unwrap_or_else(|| begin.elapsed());
    let once = |_| {
        let start = now();
        black_box(run());
        now().saturating_sub(start)
    };
    (0..ROUNDS).map(once).min().unwrap_or_default()
}

/// Time that this thread has run, without the time that it waited for a processor.
fn on_processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

fn records(chunk: &[u8]) -> impl Iterator<Item = Record<'_>> {
    Events::new(chunk).filter_map(|event| match event {
        Ok(Event::Record(record)) => Some(record),
        Ok(Event::GroupStart(_) | Event::GroupEnd) | Err(_) => None,
    })
}

fn chunk(write: fn(&mut Vec<u8>, usize)) -> Vec<u8> {
    let mut out = Vec::new();
    for number in 0..RECORDS {
        let time = Timestamp::from_parts(1_772_366_400 + number as i64 / 100, 0);
        encode::event(&mut out, Layout::New, time);
        write(&mut out, number);
    }
    out
}

fn status(number: usize) -> usize {
    if number.is_multiple_of(50) { 503 } else { 200 }
}

fn fields(out: &mut Vec<u8>, number: usize) {
    let texts = [
        ("time", "2026-03-01T12:00:00.123Z".to_owned()),
        (
            "level",
            if number.is_multiple_of(50) {
                "error"
            } else {
                "info"
            }
            .to_owned(),
        ),
        (
            "logger",
            format!("shop.{}", ["cart", "orders", "pay"][number % 3]),
        ),
        (
            "message",
            format!("handled request {number} for tenant-{} ok", number % 70_000),
        ),
        ("path", format!("/api/v2/shop-{}/cart", number % 70_000)),
        ("user", format!("u-{}", number % 70_000)),
        ("region", "eu-west-1".to_owned()),
    ];
    encode::map(out, texts.len() + 2);
    for (key, value) in &texts {
        encode::text(out, key.as_bytes());
        encode::text(out, value.as_bytes());
    }
    encode::text(out, b"status");
    encode::int(out, status(number) as i64);
    encode::text(out, b"duration_ms");
    encode::float(out, number as f64 / 7.0);
}

fn one_text(out: &mut Vec<u8>, text: &str) {
    let pairs = [
        ("log", text),
        ("stream", "stdout"),
        ("container_name", "shop-1"),
        ("container_id", "3f4e8a90b1c2"),
    ];
    encode::map(out, pairs.len());
    for (key, value) in pairs {
        encode::text(out, key.as_bytes());
        encode::text(out, value.as_bytes());
    }
}

fn json_in_log(out: &mut Vec<u8>, number: usize) {
    let status = status(number);
    let tenant = number % 70_000;
    one_text(
        out,
        &format!(
            r#"{{"time":"2026-03-01T12:00:00.123Z","level":"info","logger":"shop.cart","message":"handled request {number} for tenant-{tenant} ok","path":"/api/v2/shop-{tenant}/cart","user":"u-{tenant}","status":{status},"duration_ms":12.25}}"#
        ),
    );
}

fn access_log(out: &mut Vec<u8>, number: usize) {
    let (status, tenant) = (status(number), number % 70_000);
    one_text(
        out,
        &format!(
            r#"10.0.0.9 - - [01/Mar/2026:12:00:00 +0000] "GET /api/v2/shop-{tenant}/cart HTTP/1.1" {status} 612 "-" "curl/8.5.0""#
        ),
    );
}

fn logfmt(out: &mut Vec<u8>, number: usize) {
    let (status, tenant) = (status(number), number % 70_000);
    one_text(
        out,
        &format!(
            r#"time=2026-03-01T12:00:00Z level=info msg="handled request {number}" path=/api/v2/shop-{tenant}/cart user=u-{tenant} status={status} took=12ms"#
        ),
    );
}

fn plain(out: &mut Vec<u8>, number: usize) {
    one_text(
        out,
        &format!(
            "2026-03-01 12:00:00,123 INFO [main] shop.cart - handled request {number} of tenant-{} after 12 ms",
            number % 70_000
        ),
    );
}

fn team(number: usize) -> String {
    generated::one(number)
}

/// Watches for texts in the message, each for its own.
fn literal(number: usize) -> String {
    let words = [
        "refused by",
        "timeout after",
        "cannot open",
        "lost lease of",
        "no space for",
    ];
    let word = words[number % words.len()];
    format!(
        r#"{{"label":"t{number}","match":{{"field":"message","contains":"{word} node-{number} "}},"window_seconds":60,"threshold":100}}"#
    )
}
