//! Time inside a flush by size of the chunk, while the slow lane hangs on a remote that never
//! answers, beside a bare malloc and copy of the same bytes.

use crate::host::{Instance, RETRY};
use crate::stages::records;
use std::hint::black_box;
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

const SIZES: [usize; 6] = [4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20];
const CRASH: &[&str] = &[
    "Traceback (most recent call last):",
    "  File \"/app/main.py\", line 7, in <module>",
    "    main()",
    "KeyError: 'price'",
];

pub fn run(library: &str) {
    println!(
        "| chunk | flushes | median | p99.9 | longest | malloc and copy: median | p99.9 | longest | slow lane hung |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for size in SIZES {
        let hanging = Hanging::start(library);
        let chunk = records(size);
        let count = (2_000_000_000 / size).clamp(500, 5_000);
        let (mut inside, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..count {
            inside.push(taken(&hanging.instance, &chunk));
            let start = Instant::now();
            let copy = black_box(chunk.as_slice()).to_vec();
            bare.push(start.elapsed());
            drop(black_box(copy));
            // As a host would: the lane gets time to read what it was given.
            std::thread::sleep(Duration::from_nanos(size as u64 * 4));
        }
        let (inside, bare) = (Times::of(inside), Times::of(bare));
        let hung = hanging.end();
        println!(
            "| {} K | {count} | {inside} | {bare} | {hung} |",
            size >> 10
        );
    }
}

/// An instance whose slow lane waits for a remote that took the connection and says nothing.
struct Hanging {
    instance: Instance,
    connection: TcpStream,
    _state: tempfile::TempDir,
}

impl Hanging {
    /// One for each size of chunk: the slow lane gives a remote up after ten seconds.
    fn start(library: &str) -> Hanging {
        let state = tempfile::tempdir().unwrap();
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
        let (connection, _) = remote.accept().unwrap();
        Hanging {
            instance,
            connection,
            _state: state,
        }
    }

    /// Whether it hung to the end.
    fn end(mut self) -> &'static str {
        self.connection.set_nonblocking(true).unwrap();
        let mut bytes = [0; 4_096];
        let hung = loop {
            match self.connection.read(&mut bytes) {
                Ok(0) => break "not to the end",
                Ok(_) => {}
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => break "to the end",
                Err(_) => break "not to the end",
            }
        };
        drop(self.connection);
        self.instance.end();
        hung
    }
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
