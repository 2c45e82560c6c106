//! The whole fast lane in the built library, as its host drives it: processor time for a record,
//! from the flush to the last thing that is counted. Not here: what each stage takes (`stages`).

use crate::host::{Instance, RETRY};
use crate::stages::{self, Kind};
use crate::watches;
use std::time::{Duration, Instant};

/// Records in a chunk, about as many as a tail hands over at once.
const CHUNK: u64 = 1_000;

/// Prints what one record of each kind costs with `count` watches. KINDS picks kinds, as
/// `router.py` names them.
pub fn run(library: &str, count: usize, records: u64) {
    println!("| records | watches | ns a record | records/s a core |");
    println!("|---|---|---|---|");
    let kinds = std::env::var("KINDS").unwrap_or_else(|_| "service firelens".to_owned());
    for kind in kinds.split(' ').map(Kind::named) {
        let chunks = stages::chunks(kind, records, CHUNK);
        let idle = measured(library, count, &[]);
        let busy = measured(library, count, &chunks);
        stages::row_of(
            kind.title(),
            &count.to_string(),
            busy.saturating_sub(idle),
            records,
        );
    }
}

/// Processor time of this process from the start of an instance to its end.
fn measured(library: &str, count: usize, chunks: &[Vec<u8>]) -> Duration {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("watches.json");
    std::fs::write(&file, watches::file(count)).unwrap();
    let before = used();
    let instance = Instance::start(
        library,
        "app.log",
        &[
            ("State_Dir", state.path().join("state").to_str().unwrap()),
            ("Service", "shop"),
            ("Mode", "observe"),
            ("Watches", file.to_str().unwrap()),
            ("On_Full", "retry"),
        ],
    );
    // A large file of watches is taken up beside the lane.
    std::thread::sleep(Duration::from_millis(500));
    for chunk in chunks {
        let start = Instant::now();
        while instance.flush(chunk) == RETRY {
            assert!(start.elapsed() < Duration::from_secs(60), "the lane stands");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    instance.end();
    used().saturating_sub(before)
}

fn used() -> Duration {
    stages::clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}
