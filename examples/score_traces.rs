//! Measures the trace room against labelled samples: `score_traces DATA [-v]` reads
//! `DATA/traces/*.jsonl` (fields `lines`, `traces`, `all_traces`, `streams`, `frames`, …) and prints one
//! line with the shares that are exactly right. It is no test: nothing fails here.

use autofix::trace::{Inspected, Inspector};
use serde_json::Value;
use std::path::Path;

const LANGUAGES: [&str; 5] = ["python", "java", "javascript", "go", "rust"];

#[derive(Default)]
struct Score {
    samples: usize,
    bounds: usize,
    frames: usize,
    named: usize,
    headers: (usize, usize),
    invented: usize,
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
    for name in LANGUAGES.iter().chain(&["hard", "negatives"]) {
        let file = Path::new(&folder).join(format!("traces/{name}.jsonl"));
        let text = std::fs::read_to_string(file);
        for line in text.unwrap_or_default().lines() {
            if let Ok(sample) = serde_json::from_str::<Value>(line) {
                judge(&sample, &mut score, loud);
            }
        }
    }
    if score.samples == 0 {
        eprintln!("no sample in {folder}/traces");
        std::process::exit(1);
    }
    let share = |part: usize| 100.0 * part as f64 / score.samples.max(1) as f64;
    println!(
        "traces: {} samples, exact bounds {:.1} %, frames {:.1} %, false {} (type and message {:.1} %, headers {} of {})",
        score.samples,
        share(score.bounds),
        share(score.frames),
        score.invented,
        share(score.named),
        score.headers.0,
        score.headers.1,
    );
}

fn judge(sample: &Value, score: &mut Score, loud: bool) {
    let found = inspect(sample);
    let labels = labels(sample);
    let id = sample["id"].as_str().unwrap_or_default();
    for label in &labels {
        score.samples += 1;
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
            continue;
        };
        score.bounds += 1;
        let frames = serde_json::to_value(&hit.frames).unwrap_or_default();
        if same_frames(&frames, &label.details["frames"]) {
            score.frames += 1;
        } else if loud {
            println!(
                "FRAMES {id}: want {}\n   got {frames}",
                label.details["frames"]
            );
        }
        let text = |value: &Option<String>| value.clone().map_or(Value::Null, Value::String);
        let (kind, message) = (text(&hit.exception_type), text(&hit.message));
        if kind == label.details["exception_type"] && message == label.details["message"] {
            score.named += 1;
        } else if loud {
            println!(
                "NAMED {id}: want {} {}, got {kind} {message}",
                label.details["exception_type"], label.details["message"]
            );
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
        .is_some_and(|name| LANGUAGES.contains(&name))
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
