//! Times the template room on a file of messages: `mine_templates FILE` reads it in a single
//! pass with a fresh miner and prints lines, seconds and templates as JSON. For `make bench`.

use autofix::template::{Limits, Miner};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let file = std::env::args().nth(1).unwrap_or_default();
    let Ok(text) = std::fs::read(&file) else {
        eprintln!("usage: mine_templates FILE");
        return ExitCode::from(2);
    };
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let mut miner = Miner::new(Limits::default());
    let begun = Instant::now();
    for line in &lines {
        std::hint::black_box(miner.read(line));
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{{\"lines\": {}, \"seconds\": {seconds}, \"templates\": {}}}",
        lines.len(),
        miner.len()
    );
    ExitCode::SUCCESS
}
