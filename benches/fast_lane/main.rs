//! The parts of `make bench` that run without a Fluent Bit: a log to read, the fast lane by
//! stages, the time inside a flush and the memory of a long run. `benches/run.sh` calls it.
//!
//!   fast_lane lines service|firelens BYTES      a log on standard output
//!   fast_lane watches COUNT                     a file of watches on standard output
//!   fast_lane stages                            ns and records/s by stage, MB/s of redaction
//!   fast_lane redact                            the latter alone
//!   fast_lane lane LIBRARY WATCHES RECORDS      processor time of the whole lane for a record
//!   fast_lane flush LIBRARY                     time inside a flush by size of the chunk
//!   fast_lane memory LIBRARY                    memory over ten million records

mod flush;
mod host;
mod lane;
mod lines;
mod memory;
mod stages;
mod watches;

use std::io::{BufWriter, Write};

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["lines", kind, bytes] => lines_to_stdout(kind, bytes.parse().unwrap()),
        ["watches", count] => print!("{}", watches::file(count.parse().unwrap())),
        ["stages"] => stages::run(),
        ["redact"] => stages::redact(),
        ["lane", library, watches, records] => {
            lane::run(library, watches.parse().unwrap(), records.parse().unwrap());
        }
        ["flush", library] => flush::run(library),
        ["memory", library] => memory::run(library),
        _ => {
            eprintln!(
                "usage: fast_lane lines KIND BYTES | watches COUNT | stages | redact | lane SO WATCHES RECORDS | \
                 flush SO | memory SO"
            );
            std::process::exit(2);
        }
    }
}

fn lines_to_stdout(kind: &str, bytes: u64) {
    let append = match kind {
        "service" => lines::service,
        _ => lines::firelens,
    };
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let mut random = lines::Random::new(1);
    let mut line = String::new();
    let (mut written, mut number) = (0, 0);
    while written < bytes {
        line.clear();
        append(&mut line, number, &mut random);
        line.push('\n');
        out.write_all(line.as_bytes()).unwrap();
        written += line.len() as u64;
        number += 1;
    }
    out.flush().unwrap();
}
