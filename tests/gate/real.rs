//! Traces of programs that really crashed, over the repositories that they were built from: the
//! frames can have been, and one that is changed a little cannot.

use crate::sample::{Sample, at, soon};
use autofix::model::Settings;
use autofix::patch::answer::{Answer, Change, Evidence};
use autofix::patch::gate::{Gate, Ground, Stopped, judge};
use autofix::redact::{self, Redactor};
use autofix::source::Tree;
use autofix::source::locate::{Files, locate, location};
use std::path::{Path, PathBuf};

fn files(dir: &Path, under: &Path, into: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, under, into);
        } else {
            let name = path.strip_prefix(under).unwrap().to_str().unwrap();
            into.push((name.to_owned(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// How far an answer comes whose edit is stopped after the frames were looked at; `shift`: how
/// many lines the frames of the trace are moved by.
fn judged(language: &str, shift: u32) -> Stopped {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/crashes");
    let dir = root.join(language);
    let mut all = Vec::new();
    files(&dir.join("repo"), &dir.join("repo"), &mut all);
    let sample = Sample::new();
    let content: Vec<(&str, Option<&str>)> = all
        .iter()
        .map(|(path, text)| (path.as_str(), Some(text.as_str())))
        .collect();
    let id = sample.commit(1.0, "all", &content);
    let repo = sample.open();
    let tree = Tree::read(&repo, at(&repo, &id)).unwrap();
    let output = std::fs::read_to_string(dir.join("output.txt")).unwrap();
    let mut trace = autofix::trace::parse(&output).expect("a trace");
    let settings = Settings::default();
    let place = location(&locate(&trace, &tree, &settings)).unwrap();
    for frame in &mut trace.frames {
        frame.line = frame.line.map(|line| line + shift);
    }
    let line = place.line.unwrap();
    let text = tree.text(&place.file).unwrap();
    let quote = text
        .lines()
        .nth(line as usize - 1)
        .unwrap()
        .trim()
        .to_owned();
    let answer = Answer {
        cause: "it crashed".to_owned(),
        evidence: vec![Evidence::Source {
            file: place.file.clone(),
            line,
            quote,
        }],
        calls: Vec::new(),
        confidence: 1.0,
        edits: vec![Change::Create {
            file: ".github/workflows/x.yml".to_owned(),
            content: "x\n".to_owned(),
        }],
        tests: Vec::new(),
        risk: String::new(),
        verify: String::new(),
        unsure: Vec::new(),
        elsewhere: None,
    };
    let ground = Ground {
        repo: &repo,
        commit: at(&repo, &id),
        settings: &settings,
        trace: Some(&trace),
        lines: &[],
        scope: &Redactor::new(&redact::Settings::default()).unwrap().scope(),
        deadline: soon(),
    };
    judge(&ground, &answer).unwrap_err()
}

#[test]
fn frames_of_real_crashes_can_have_been() {
    for language in [
        "python",
        "java",
        "javascript",
        "go",
        "rust",
        "cpp",
        "csharp",
    ] {
        let stopped = judged(language, 0);
        assert_eq!(stopped.gate, Gate::Paths, "{language}: {stopped}");
        println!("{language}: {}", stopped.passed[1].1);
        let stopped = judged(language, 300);
        assert_eq!(stopped.gate, Gate::Frames, "{language}: {stopped}");
    }
}
