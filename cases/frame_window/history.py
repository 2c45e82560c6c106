commit("2026-06-01 09:00", "Tove Berg", "Average readings over windows", {
"README.md": "# meter\n\nA meter a line: `NAME READING...`.\n",
"Cargo.toml": '[package]\nname = "meter"\nversion = "0.3.0"\nedition = "2021"\n',
".gitignore": "/target\n",
"src/main.rs": '''mod average;
mod input;
mod log;
mod window;

use std::io::BufRead;

fn main() {
    log::info("meter started");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input");
        match input::parse(&line) {
            Ok(meter) => {
                let means = average::means(&meter.readings, 4, 3);
                log::info(&format!("{}: {:?}", meter.name, means));
            }
            Err(why) => log::warn(&why),
        }
    }
}
''',
"src/log.rs": '''use std::time::{SystemTime, UNIX_EPOCH};

fn write(level: &str, text: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    println!("ts={} level={level} msg=\\"{text}\\"", now.as_secs());
}

pub fn info(text: &str) {
    write("info", text);
}

pub fn warn(text: &str) {
    write("warn", text);
}
''',
"src/input.rs": '''pub struct Meter {
    pub name: String,
    pub readings: Vec<u32>,
}

pub fn parse(line: &str) -> Result<Meter, String> {
    let mut words = line.split_whitespace();
    let name = words.next().ok_or("an empty line")?.to_owned();
    let readings = words
        .map(|word| word.parse().map_err(|_| format!("{name}: no reading: {word}")))
        .collect::<Result<_, _>>()?;
    Ok(Meter { name, readings })
}
''',
"src/window.rs": '''/// The windows of a series: where each begins and ends. One that would not be full is left out.
pub fn windows(length: usize, size: usize, step: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    while start + size <= length {
        found.push((start, start + size));
        start += step;
    }
    found
}
''',
"src/average.rs": '''use crate::window::windows;

pub fn means(readings: &[u32], size: usize, step: usize) -> Vec<u32> {
    windows(readings.len(), size, step)
        .into_iter()
        .map(|(start, end)| mean(readings, start, end))
        .collect()
}

fn mean(readings: &[u32], start: usize, end: usize) -> u32 {
    let part = &readings[start..end];
    part.iter().sum::<u32>() / part.len() as u32
}
'''})
commit("2026-06-15 13:00", "Tove Berg", "Say what a window is", {"README.md": "# meter\n\nA meter a line: `NAME READING...`. Windows hold four readings and begin at every third.\n"})
commit("2026-08-10 10:10", "Axel Frei", "Lines that cannot be read are told with the meter", {
"src/input.rs": ("no reading: {word}", "this is no reading: {word}")})
commit("2026-09-21 08:45", "Axel Frei", "Own the sources", {"OWNERS": "tove\naxel\n"})
commit("2026-11-16 11:25", "Axel Frei", "Include the last window\n\nThe newest readings were missing until their window was full.", {
"src/window.rs": '''/// The windows of a series: where each begins and ends. The last may be shorter.
pub fn windows(length: usize, size: usize, step: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < length {
        found.push((start, start + size));
        start += step;
    }
    found
}
'''})
commit("2026-11-19 15:30", "Tove Berg", "Version 0.4.0", {"Cargo.toml": ("0.3.0", "0.4.0")})
right({"src/window.rs": ("(start, start + size)", "(start, (start + size).min(length))")})
run("env RUST_BACKTRACE=1 /tmp/meter-bin", "cellar 10 12 11 13 9 10 12\nattic\nyard 5 x 7\n", build="rustc --edition 2021 -g -o /tmp/meter-bin src/main.rs")
