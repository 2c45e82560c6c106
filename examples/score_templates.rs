//! Measures the template room against labelled logs: `score_templates DATA [-v]` feeds the
//! messages of `DATA/loghub/<System>/*_structured.csv` to a fresh miner, line by line, and prints
//! the group accuracy: the share of lines whose group holds exactly the lines of one labelled
//! event. Fails where a system is below its floor, 0.05 under what Drain is published with.

use autofix::template::{Limits, Miner};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Group accuracy of Drain, with a header and masks for each system:
/// github.com/logpai/logparser, logparser/Drain/README.md.
const PUBLISHED: &[(&str, f64)] = &[
    ("Android", 0.911),
    ("Apache", 1.0),
    ("BGL", 0.963),
    ("HDFS", 0.9975),
    ("HPC", 0.887),
    ("Hadoop", 0.948),
    ("HealthApp", 0.780),
    ("Linux", 0.690),
    ("Mac", 0.787),
    ("OpenSSH", 0.788),
    ("OpenStack", 0.7325),
    ("Proxifier", 0.527),
    ("Spark", 0.920),
    ("Thunderbird", 0.955),
    ("Windows", 0.997),
    ("Zookeeper", 0.9665),
];
const MARGIN: f64 = 0.05;
/// What the mean over all systems should reach.
const MEAN: f64 = 0.90;

struct Line {
    text: String,
    event: String,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: score_templates DATA [-v]");
        return ExitCode::from(2);
    };
    let loud = arguments.next().as_deref() == Some("-v");
    let systems = systems(&Path::new(&folder).join("loghub"));
    if systems.is_empty() {
        eprintln!("no labelled log in {folder}/loghub");
        return ExitCode::from(1);
    }
    let mut below = 0;
    let mut sum = 0.0;
    for (name, file) in &systems {
        let lines = read(file);
        let accuracy = judge(&lines, loud);
        let published = PUBLISHED.iter().find(|(system, _)| system == name);
        let floor = published.map_or(0.0, |(_, figure)| figure - MARGIN);
        let word = if accuracy + 1e-9 < floor {
            "BELOW"
        } else {
            "ok"
        };
        below += usize::from(word == "BELOW");
        sum += accuracy;
        println!(
            "templates: {name:12} {accuracy:.4} (floor {floor:.4}) {word}, {} lines",
            lines.len()
        );
    }
    let mean = sum / systems.len() as f64;
    println!(
        "templates: mean {mean:.4} over {} systems (aim {MEAN:.2}), {below} below their floor",
        systems.len()
    );
    ExitCode::from(u8::from(below > 0 || mean < MEAN))
}

/// Each folder with a `*_structured.csv`, by name.
fn systems(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let files = std::fs::read_dir(entry.path())
            .into_iter()
            .flatten()
            .flatten();
        let labelled = files
            .map(|file| file.path())
            .find(|path| path.to_string_lossy().ends_with("_structured.csv"));
        if let Some(path) = labelled {
            found.insert(entry.file_name().to_string_lossy().into_owned(), path);
        }
    }
    found
}

fn read(file: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut rows = rows(text.trim_start_matches('\u{feff}')).into_iter();
    let header = rows.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|field| field == name);
    let (Some(content), Some(event)) = (column("Content"), column("EventId")) else {
        return Vec::new();
    };
    rows.filter_map(|row| {
        Some(Line {
            text: row.get(content)?.clone(),
            event: row.get(event)?.clone(),
        })
    })
    .collect()
}

/// Comma-separated values with quotes, as RFC 4180 has them.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field).trim_end_matches('\r').to_owned());
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

fn judge(lines: &[Line], loud: bool) -> f64 {
    let mut miner = Miner::new(Limits::default());
    let mut groups: HashMap<_, Vec<usize>> = HashMap::new();
    let mut events: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        groups
            .entry(miner.read(&line.text).id)
            .or_default()
            .push(at);
        events.entry(&line.event).or_default().push(at);
    }
    let mut right = 0;
    let mut wrong = Vec::new();
    for (id, group) in &groups {
        let event = &lines[group[0]].event;
        if events.get(event.as_str()) == Some(group) {
            right += group.len();
        } else {
            wrong.push((event, group, miner.text(*id).unwrap_or_default()));
        }
    }
    wrong.sort();
    for (_, group, text) in wrong.iter().filter(|_| loud) {
        let mut held: Vec<_> = group.iter().map(|at| lines[*at].event.as_str()).collect();
        held.sort_unstable();
        held.dedup();
        println!(
            "{:5} {held:?} of {}: {text}",
            group.len(),
            events[held[0]].len()
        );
        println!("        {:.160}", lines[group[0]].text);
    }
    right as f64 / lines.len().max(1) as f64
}
