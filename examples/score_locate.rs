//! Scores `source::locate` against labelled traces: `cargo run --example score_locate -- DATA`,
//! where `DATA/localisation` holds `cases.jsonl` (frames as printed, the files that the fix
//! changed) and `trees/` (one path a line). Prints how often the right file comes first and
//! among the first three, beside what taking the last frame inside the repository gets. No part
//! of the product.

use autofix::model::{Block, Frame, Language, Settings, Trace};
use autofix::source::locate::{PathList, locate};
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;

#[derive(Default)]
struct Score {
    cases: usize,
    named: usize,
    first: usize,
    first_three: usize,
    last_frame_first: usize,
}

fn main() -> ExitCode {
    let data = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    match score(&Path::new(&data).join("localisation")) {
        Ok(score) => {
            println!("cases                          {}", score.cases);
            println!("a frame names the right file   {}", score.named);
            println!("right file first               {}", score.first);
            println!("right file in first three      {}", score.first_three);
            println!("last repository frame is right {}", score.last_frame_first);
            let good = score.first >= score.last_frame_first && score.first_three == score.named;
            ExitCode::from(u8::from(!good))
        }
        Err(why) => {
            println!("{data}: {why}");
            ExitCode::from(2)
        }
    }
}

fn score(data: &Path) -> Result<Score, String> {
    let file = data.join("cases.jsonl");
    let cases = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut score = Score::default();
    for line in cases.lines().filter(|line| !line.trim().is_empty()) {
        let case: Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
        if let Some(tree) = tree(data, &case) {
            add(&mut score, &case, &tree);
        }
    }
    Ok(score)
}

fn tree(data: &Path, case: &Value) -> Option<PathList> {
    let repo = case["repo"].as_str()?.replace('/', "+");
    let commit = case["base_commit"].as_str()?.get(..12)?;
    let file = data.join(format!("trees/{repo}@{commit}.txt"));
    let text = std::fs::read_to_string(file).ok()?;
    Some(PathList(text.lines().map(str::to_owned).collect()))
}

fn add(score: &mut Score, case: &Value, tree: &PathList) {
    let gold = words(&case["gold_files"]);
    let located = locate(&trace(case), tree, &Settings::default());
    let place = located.iter().position(|one| gold.contains(&one.file));
    let frames = case["frames"].as_array().cloned().unwrap_or_default();
    let inside: Vec<&str> = frames
        .iter()
        .filter_map(|f| f["repo_path"].as_str())
        .collect();
    let named = inside.iter().any(|path| gold.iter().any(|g| g == path));
    let last = inside
        .last()
        .is_some_and(|path| gold.iter().any(|g| g == path));
    score.cases += 1;
    score.named += usize::from(named);
    score.first += usize::from(place == Some(0));
    score.first_three += usize::from(place.is_some_and(|at| at < 3));
    score.last_frame_first += usize::from(last);
    println!(
        "{:28} first {:5} right at {:?} (last frame: {last})",
        case["instance_id"].as_str().unwrap_or("?"),
        place == Some(0),
        place.map(|at| at + 1),
    );
    for one in located.iter().take(5) {
        println!(
            "    {} {}:{:?} {} {}",
            one.rank, one.file, one.line, one.confidence, one.why
        );
    }
}

fn words(value: &Value) -> Vec<String> {
    let all = value.as_array().cloned().unwrap_or_default();
    all.iter()
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

fn trace(case: &Value) -> Trace {
    let printed = case["frames"].as_array().cloned().unwrap_or_default();
    let mut blocks: Vec<Block> = Vec::new();
    let mut frames = Vec::new();
    for (at, one) in printed.iter().enumerate() {
        let block = one["block"]
            .as_u64()
            .and_then(|b| usize::try_from(b).ok())
            .unwrap_or(0);
        while blocks.len() <= block {
            blocks.push(Block {
                frames: at..at,
                ..Block::default()
            });
        }
        if let Some(last) = blocks.last_mut() {
            last.frames.end = at + 1;
        }
        frames.push(Frame {
            file: one["file"].as_str().map(str::to_owned),
            line: one["line"].as_u64().and_then(|l| u32::try_from(l).ok()),
            function: one["function"].as_str().map(str::to_owned),
        });
    }
    let language = match case["language"].as_str() {
        Some("java") => Language::Java,
        Some("javascript") => Language::Javascript,
        Some("go") => Language::Go,
        Some("rust") => Language::Rust,
        _ => Language::Python,
    };
    let (root, outermost) = match language {
        Language::Python => (0, blocks.len().saturating_sub(1)),
        _ => (blocks.len().saturating_sub(1), 0),
    };
    if blocks.is_empty() {
        blocks.push(Block::default());
    }
    Trace {
        language,
        blocks,
        root,
        outermost,
        frames,
    }
}
