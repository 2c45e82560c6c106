//! Time inside a flush by size of the chunk, while the slow lane hangs on a remote that never
//! answers, beside a bare malloc and copy of the same bytes.

use crate::host::{Instance, RETRY};
use crate::stages::records;
use std::hint::black_box;
use std::net::TcpListener;
use std::time::{Duration, Instant};

const SIZES: [usize; 6] = [4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20];
const CRASH: &[&str] = &[
    "Traceback (most recent call last):",
    "  File \"/app/main.py\", line 7, in <module>",
    "    main()",
    "KeyError: 'price'",
];

pub fn run(library: &str) {
    let state = tempfile::tempdir().unwrap();
    // Takes the connection and says nothing.
    let remote = TcpListener::bind("127.0.0.1:0").unwrap();
    let repo = format!("https://{}/acme/shop.git", remote.local_addr().unwrap());
    let commit = "5f1b3c0d2e4a6978b1c3d5e7f9a0b2c4d6e8f0a1";
    let instance = Instance::start(
        library,
        "bench",
        &[
            ("State_Dir", state.path().to_str().unwrap()),
            ("Service", "shop"),
            ("Repo", &repo),
            ("Commit", commit),
            ("On_Full", "retry"),
        ],
    );
    let mut crash = Vec::new();
    for line in CRASH {
        let now = autofix::model::Timestamp(1_772_366_400_000_000_000);
        let layout = autofix::record::encode::Layout::New;
        autofix::record::encode::record(&mut crash, layout, now, &[("log", line)]);
    }
    instance.flush(&crash);
    // Held to the end, so that it goes on waiting for an answer.
    let held = remote.accept();
    let hangs = held.is_ok();
    println!("slow lane hangs on its remote: {hangs}\n");
    println!(
        "| chunk | flushes | median | p99.9 | longest | malloc and copy: median | p99.9 | longest |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for size in SIZES {
        let chunk = records(size);
        let count = (2_000_000_000 / size).clamp(1_000, 5_000);
        let (mut inside, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..count {
            inside.push(taken(&instance, &chunk));
            let start = Instant::now();
            let copy = black_box(chunk.as_slice()).to_vec();
            bare.push(start.elapsed());
            drop(black_box(copy));
            // As a host would: the lane gets time to read what it was given.
            std::thread::sleep(Duration::from_nanos(size as u64 * 4));
        }
        let (inside, bare) = (Times::of(inside), Times::of(bare));
        println!("| {} K | {count} | {inside} | {bare} |", size >> 10);
    }
    instance.end();
    drop(held);
}

/// Time inside the flush that took the chunk; one that found the queue full copies nothing.
fn taken(instance: &Instance, chunk: &[u8]) -> Duration {
    loop {
        let start = Instant::now();
        let answer = instance.flush(black_box(chunk));
        let inside = start.elapsed();
        if answer != RETRY {
            return inside;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

struct Times([Duration; 3]);

impl Times {
    fn of(mut times: Vec<Duration>) -> Times {
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        Times([at(0.5), at(0.999), at(1.0)])
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self
            .0
            .map(|time| format!("{:.1} µs", time.as_secs_f64() * 1e6));
        f.write_str(&micros.join(" | "))
    }
}
