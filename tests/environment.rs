//! Faults that are not the program's own, as programs really print them and as documents show
//! them: which class and neighbour the rules see, and that what only looks alike is none.
//!
//! A file of `tests/corpus/environment` is a list of cases. `=== LABEL` begins one, `=== none`
//! one that is no such fault; `@error` behind it is the level of the record, `!` says that the
//! program ended, `*` that a single line is not enough. Lines that begin with `#` before the
//! first case are comments.

use autofix::model::{Kind, Level, Timestamp};
use autofix::trace::{Assembler, Line};
use autofix::triage::{Verdict, judge_line, judge_trace};
use std::fs;
use std::path::{Path, PathBuf};

struct Case {
    at: String,
    label: Option<String>,
    level: Option<Level>,
    ended: bool,
    repeats: bool,
    text: String,
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|end| end == "txt")
            && path.file_name().is_some_and(|name| name != "command.txt")
        {
            into.push(path);
        }
    }
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/environment");
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    paths.iter().flat_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in fs::read_to_string(path).unwrap().lines().enumerate() {
        if let Some(head) = line.strip_prefix("=== ") {
            let mut words = head.split_whitespace();
            let label = words.next().filter(|label| *label != "none");
            let marks: Vec<&str> = words.collect();
            let level = marks.iter().find_map(|mark| mark.strip_prefix('@'));
            cases.push(Case {
                at: format!("{}:{}", path.display(), number + 1),
                label: label.map(str::to_owned),
                level: level.map(|word| Level::from_word(word).unwrap()),
                ended: marks.contains(&"!"),
                repeats: marks.contains(&"*"),
                text: String::new(),
            });
        } else if let Some(case) = cases.last_mut() {
            case.text.push_str(line);
            case.text.push('\n');
        }
    }
    cases
}

/// What the rules say of the lines: of traces and of lines that are in none.
fn judged(case: &Case) -> Vec<Verdict> {
    let mut assembler = Assembler::default();
    let mut verdicts = Vec::new();
    for (index, text) in case.text.lines().enumerate() {
        let line = Line {
            text,
            time: Timestamp(0),
            level: case.level,
            index: index as u64,
        };
        if assembler.push(line, Timestamp(0)) == autofix::trace::Taken::Plain {
            verdicts.extend(judge_line(text, case.level));
        }
    }
    assembler.finish();
    let plain: Vec<String> = assembler.take_plain().map(|line| line.text).collect();
    for found in assembler.take() {
        let header = found.header.as_ref().map(|line| line.text.as_str());
        let level = found.level.or(case.level.filter(|_| !found.uncaught));
        verdicts.extend(judge_trace(&found.trace, found.uncaught, level, header));
    }
    verdicts.extend(plain.iter().filter_map(|text| judge_line(text, case.level)));
    verdicts
}

#[test]
fn every_fault_around_a_program_has_its_class_and_neighbour_and_nothing_else_has() {
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let all = judged(case);
        let first = all.iter().find(|one| one.kind == Kind::Environment);
        let found = first.map(|one| (one.about.clone().unwrap(), one.ended, one.repeats));
        let label = case.label.clone();
        let wanted = label.map(|label| (label, case.ended, case.repeats));
        if found != wanted {
            wrong.push(format!(
                "{}\n  wanted {wanted:?}\n  found  {found:?}\n{}",
                case.at, case.text
            ));
        }
        if let Some(first) = first {
            assert!(first.title.chars().count() <= 200, "{}", first.title);
        }
    }
    let faults = cases.iter().filter(|case| case.label.is_some()).count();
    println!("{} cases, {faults} of them faults", cases.len());
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    assert!(
        faults >= 80 && cases.len() - faults >= 30,
        "{faults} of {}",
        cases.len()
    );
}
