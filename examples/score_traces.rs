//! Measures the trace room against labelled samples: `score_traces DATA [-v]` reads
//! `DATA/traces/*.jsonl` (fields `lines`, `traces`, `all_traces`, `streams`, `frames`, …) and prints one
//! line with the shares that are exactly right; `-v` adds a line a language and every miss. It is
//! no test: nothing fails here.

use autofix::trace::{Inspected, Inspector};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The files of samples, by the language they are named after.
const FILES: [&str; 15] = [
    "python",
    "java",
    "clojure",
    "javascript",
    "go",
    "rust",
    "ruby",
    "php",
    "csharp",
    "dart",
    "elixir",
    "erlang",
    "cpp",
    "hard",
    "negatives",
];

/// The shares of all languages together, and of each.
#[derive(Default)]
struct Score {
    all: Shares,
    languages: BTreeMap<&'static str, Shares>,
    headers: (usize, usize),
    invented: usize,
}

/// How many traces there were, and how many were right in which respect.
#[derive(Default)]
struct Shares {
    samples: usize,
    bounds: usize,
    frames: usize,
    named: usize,
}

impl Shares {
    fn add(&mut self, bounds: bool, frames: bool, named: bool) {
        self.samples += 1;
        self.bounds += usize::from(bounds);
        self.frames += usize::from(frames);
        self.named += usize::from(named);
    }

    fn percent(&self, part: usize) -> f64 {
        100.0 * part as f64 / self.samples.max(1) as f64
    }
}

/// The language that a label's name counts as. `None`: it is not measured.
fn counts_as(name: &str) -> Option<&'static str> {
    Some(match name {
        "python" => "python",
        "java" | "clojure" | "kotlin" | "scala" => "java",
        "javascript" | "typescript" => "javascript",
        "go" => "go",
        "rust" => "rust",
        "ruby" => "ruby",
        "php" => "php",
        "csharp" => "csharp",
        "dart" => "dart",
        "elixir" | "erlang" => "elixir",
        "cpp" | "c" => "cpp",
        _ => return None,
    })
}

/// One labelled trace.
struct Label {
    first: u64,
    last: u64,
    details: Value,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: score_traces DATA [-v]");
        std::process::exit(2);
    };
    let loud = arguments.next().as_deref() == Some("-v");
    let mut score = Score::default();
    for name in FILES {
        let file = Path::new(&folder).join(format!("traces/{name}.jsonl"));
        let text = std::fs::read_to_string(file);
        for line in text.unwrap_or_default().lines() {
            if let Ok(sample) = serde_json::from_str::<Value>(line) {
                judge(&sample, &mut score, loud);
            }
        }
    }
    if score.all.samples == 0 {
        eprintln!("no sample in {folder}/traces");
        std::process::exit(1);
    }
    if loud {
        for (language, shares) in &score.languages {
            let named = shares.percent(shares.named);
            println!("{language:<11} {}, named {named:.1} %", line_of(shares));
        }
    }
    println!(
        "traces: {}, false {} (type and message {:.1} %, headers {} of {})",
        line_of(&score.all),
        score.invented,
        score.all.percent(score.all.named),
        score.headers.0,
        score.headers.1,
    );
}

fn line_of(shares: &Shares) -> String {
    format!(
        "{} samples, exact bounds {:.1} %, frames {:.1} %",
        shares.samples,
        shares.percent(shares.bounds),
        shares.percent(shares.frames),
    )
}

fn judge(sample: &Value, score: &mut Score, loud: bool) {
    let found = inspect(sample);
    let labels = labels(sample);
    let id = sample["id"].as_str().unwrap_or_default();
    for label in &labels {
        let own = sample["language"].as_str();
        let name = label.details["language"].as_str().or(own);
        let language = name.and_then(counts_as).unwrap_or("other");
        let hit = found
            .iter()
            .find(|trace| (trace.first, trace.last) == (label.first, label.last));
        let Some(hit) = hit else {
            if loud {
                let got: Vec<_> = found
                    .iter()
                    .map(|trace| (trace.first, trace.last, trace.language))
                    .collect();
                println!(
                    "BOUNDS {id}: want {} {}, got {got:?}",
                    label.first, label.last
                );
            }
            score.all.add(false, false, false);
            let shares = score.languages.entry(language).or_default();
            shares.add(false, false, false);
            continue;
        };
        let frames = serde_json::to_value(&hit.frames).unwrap_or_default();
        let framed = same_frames(&frames, &label.details["frames"]);
        if !framed && loud {
            println!(
                "FRAMES {id}: want {}\n   got {frames}",
                label.details["frames"]
            );
        }
        let text = |value: &Option<String>| value.clone().map_or(Value::Null, Value::String);
        let (kind, message) = (text(&hit.exception_type), text(&hit.message));
        let named = kind == label.details["exception_type"] && message == label.details["message"];
        if !named && loud {
            println!(
                "NAMED {id}: want {} {}, got {kind} {message}",
                label.details["exception_type"], label.details["message"]
            );
        }
        score.all.add(true, framed, named);
        let shares = score.languages.entry(language).or_default();
        shares.add(true, framed, named);
        if hit.language != language && loud {
            println!("LANGUAGE {id}: want {language}, got {}", hit.language);
        }
    }
    if let Some(header) = sample["header_lines"]
        .as_array()
        .and_then(|lines| lines.last())
    {
        score.headers.1 += 1;
        let kept = found.iter().any(|trace| trace.header == header.as_u64());
        score.headers.0 += usize::from(kept);
    }
    let known = labels.iter().map(|label| label.first..=label.last);
    let ranges: Vec<_> = known.chain(others(sample)).collect();
    for trace in &found {
        if !ranges.iter().any(|range| range.contains(&trace.first)) {
            score.invented += 1;
            if loud {
                println!("FALSE {id}: {trace:?}");
            }
        }
    }
}

fn inspect(sample: &Value) -> Vec<Inspected> {
    let mut inspector = Inspector::default();
    let mut found = Vec::new();
    for (at, line) in sample["lines"].as_array().into_iter().flatten().enumerate() {
        let stream = sample["streams"][at].as_str().unwrap_or_default();
        found.extend(inspector.push(stream, line.as_str().unwrap_or_default()));
    }
    found.extend(inspector.finish());
    found
}

/// The labelled traces in the languages that are measured.
fn labels(sample: &Value) -> Vec<Label> {
    if let Some(lines) = sample["trace_lines"].as_array() {
        let infos = sample["trace_info"].as_array().into_iter().flatten();
        return lines
            .iter()
            .zip(infos)
            .filter(|(_, info)| measured(info))
            .filter_map(|(lines, info)| {
                let lines = lines.as_array()?;
                Some(Label {
                    first: lines.first()?.as_u64()?,
                    last: lines.last()?.as_u64()?,
                    details: info.clone(),
                })
            })
            .collect();
    }
    if let Some(all) = sample["all_traces"].as_array() {
        return all
            .iter()
            .filter(|one| measured(one))
            .filter_map(|one| label(&one["range"], one))
            .collect();
    }
    let traces = sample["traces"].as_array().into_iter().flatten();
    traces.filter_map(|range| label(range, sample)).collect()
}

fn measured(info: &Value) -> bool {
    info["language"]
        .as_str()
        .is_some_and(|name| counts_as(name).is_some())
}

fn label(range: &Value, details: &Value) -> Option<Label> {
    Some(Label {
        first: range[0].as_u64()?,
        last: range[1].as_u64()?,
        details: details.clone(),
    })
}

/// Ranges of traces in languages that are not measured.
fn others(sample: &Value) -> Vec<std::ops::RangeInclusive<u64>> {
    let ranges = sample["traces"].as_array().into_iter().flatten();
    ranges
        .filter_map(|range| Some(range[0].as_u64()?..=range[1].as_u64()?))
        .collect()
}

fn same_frames(got: &Value, want: &Value) -> bool {
    let empty = Vec::new();
    let (got, want) = (
        got.as_array().unwrap_or(&empty),
        want.as_array().unwrap_or(&empty),
    );
    got.len() == want.len()
        && got.iter().zip(want).all(|(got, want)| {
            ["file", "line", "function"]
                .iter()
                .all(|key| got[key] == want[key])
        })
}
