//! Memory over ten million records with a million distinct values, in a process that may hold
//! 160 MB. Resident bytes are told after each million; they must stay flat from the first on.

use crate::host::{Instance, RETRY};
use crate::lines::Random;
use autofix::model::Timestamp;
use autofix::record::encode::{self, Layout};
use std::time::Duration;

const MILLION: u64 = 1_000_000;
const LIMIT: u64 = 160 << 20;
const CHUNK: usize = 1_000;

pub fn run(library: &str) {
    let bound = libc::rlimit {
        rlim_cur: LIMIT,
        rlim_max: LIMIT,
    };
    // Heap, stacks and other private memory that can be written, the kernel counts them together.
    // SAFETY: sets a limit of this very process.
    let limited = unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const bound) } == 0;
    let state = tempfile::tempdir().unwrap();
    let instance = Instance::start(
        library,
        "bench",
        &[
            ("State_Dir", state.path().to_str().unwrap()),
            ("Mode", "observe"),
            ("On_Full", "retry"),
        ],
    );
    println!("private memory limited to 160 MB: {limited}\n");
    println!("| million records | resident | peak |");
    println!("|---|---|---|");
    let mut random = Random::new(7);
    let mut chunk = Vec::new();
    let mut resident = Vec::new();
    for million in 1..=10 {
        for part in 0..MILLION / CHUNK as u64 {
            chunk.clear();
            for at in 0..CHUNK as u64 {
                record(
                    &mut chunk,
                    (million - 1) * MILLION + part * CHUNK as u64 + at,
                    &mut random,
                );
            }
            while instance.flush(&chunk) == RETRY {
                std::thread::sleep(Duration::from_micros(500));
            }
        }
        // What waits in the queue is not yet read.
        std::thread::sleep(Duration::from_millis(1_500));
        let (now, peak) = (status("VmRSS:"), status("VmHWM:"));
        println!("| {million} | {:.1} MB | {:.1} MB |", mb(now), mb(peak));
        resident.push(now);
    }
    let (least, most) = (
        resident.iter().min().unwrap(),
        resident.iter().max().unwrap(),
    );
    let growth = 100.0 * (*most as f64 / *least as f64 - 1.0);
    println!("\nfrom the lowest to the highest: {growth:.1} %");
    instance.end();
}

/// One record; its user, session and message hold one of a million values.
fn record(out: &mut Vec<u8>, number: u64, random: &mut Random) {
    let value = random.below(MILLION);
    let time = Timestamp(1_772_366_400_000_000_000 + number as i64 * 1_000_000);
    let level = if value.is_multiple_of(97) {
        "error"
    } else {
        "info"
    };
    let user = format!("user-{value}");
    let word = word(value);
    let message = format!("item {word} of {user} was put on shelf {}", value % 4_000);
    let status = if value.is_multiple_of(97) {
        "500"
    } else {
        "200"
    };
    let fields = [
        ("level", level),
        ("message", message.as_str()),
        ("user", user.as_str()),
        ("product", word.as_str()),
        ("status", status),
    ];
    encode::record(out, Layout::New, time, &fields);
}

/// A word without digits, another for each number, so that nothing masks it.
fn word(mut number: u64) -> String {
    let mut word = String::new();
    for _ in 0..5 {
        word.push(char::from(b'a' + (number % 16) as u8));
        number /= 16;
    }
    word
}

fn status(name: &str) -> u64 {
    let all = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = all.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

fn mb(kilobytes: u64) -> f64 {
    kilobytes as f64 / 1_024.0
}
