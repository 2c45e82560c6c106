//! The right file for programs that really failed behind wrappers, helpers, base classes and
//! proxies: `tests/corpus/locate`, each case with its program, what it printed, and the file that a
//! person would mend. Held against taking the last frame inside the repository.

use autofix::model::Settings;
use autofix::source::locate::{Files, PathList, Place, Question, locate, places};
use autofix::trace;
use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, Instant};

struct Case {
    name: String,
    right: String,
    paths: Vec<String>,
    texts: Vec<String>,
    output: String,
}

impl Files for Case {
    fn paths(&self) -> &[String] {
        &self.paths
    }
    fn text(&self, path: &str) -> Option<Cow<'_, str>> {
        let at = self.paths.iter().position(|one| one == path)?;
        Some(Cow::Borrowed(&self.texts[at]))
    }
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/locate");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "case"))
        .collect();
    files.sort();
    files.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Case {
    let text = std::fs::read_to_string(path).unwrap();
    let mut sections = text.split("\n== ");
    let head = sections.next().unwrap();
    let right = head.lines().find_map(|line| line.strip_prefix("right: "));
    let mut case = Case {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        right: right.unwrap().to_owned(),
        paths: Vec::new(),
        texts: Vec::new(),
        output: String::new(),
    };
    for section in sections {
        let (name, body) = section.split_once('\n').unwrap_or((section, ""));
        if name == "output" {
            case.output = body.to_owned();
        } else {
            case.paths.push(name.to_owned());
            case.texts.push(body.to_owned());
        }
    }
    assert!(case.paths.contains(&case.right), "{}", case.name);
    assert!(!case.output.is_empty(), "{} was never run", case.name);
    case
}

fn ask(case: &Case, files: &dyn Files) -> Vec<Place> {
    let trace = trace::parse(&case.output);
    assert_eq!(
        trace.is_none(),
        case.name.starts_with("log_"),
        "{}",
        case.name
    );
    let lines: Vec<String> = case.output.lines().map(str::to_owned).collect();
    let question = Question {
        trace: trace.as_ref(),
        lines: if trace.is_none() { &lines } else { &[] },
        ..Question::default()
    };
    let until = Instant::now() + Duration::from_secs(600);
    places(&question, files, &Settings::default(), until).places
}

/// The file of the innermost frame that lies in the repository.
fn last_inside(case: &Case) -> Option<String> {
    let trace = trace::parse(&case.output)?;
    let located = locate(&trace, case, &Settings::default());
    trace.innermost_first().into_iter().find_map(|frame| {
        let one = located.iter().find(|one| one.frame == frame)?;
        Some(one.file.clone())
    })
}

/// Cases, first, among the first three files, right by the last frame.
fn score(kept: impl Fn(&Case) -> bool, listed: bool) -> [usize; 4] {
    let mut score = [0; 4];
    for case in cases().iter().filter(|case| kept(case)) {
        let list = PathList(case.paths.clone());
        let found = ask(case, if listed { &list } else { case });
        let mut files: Vec<&str> = Vec::new();
        for place in &found {
            if !files.contains(&place.file.as_str()) {
                files.push(&place.file);
            }
        }
        let rank = files.iter().position(|file| *file == case.right);
        let last = last_inside(case).as_deref() == Some(case.right.as_str());
        let first = rank == Some(0);
        println!(
            "{:24} right file at {rank:?}, last frame {last}, first {:?}",
            case.name,
            found
                .first()
                .map(|one| (&one.file, one.line, one.confidence, &one.why)),
        );
        score[0] += 1;
        score[1] += usize::from(first);
        score[2] += usize::from(rank.is_some_and(|rank| rank < 3));
        score[3] += usize::from(last);
    }
    println!("cases, first, first three, last frame inside: {score:?}");
    score
}

#[test]
fn the_right_file_comes_first_more_often_than_the_last_frame_inside() {
    let traces = |case: &Case| !case.name.starts_with("log_");
    let [all, first, three, last] = score(traces, false);
    assert!(all >= 30, "{all} cases");
    assert_eq!(
        three, all,
        "among the first three wherever a frame names it"
    );
    assert!(
        first > last && first * 10 >= all * 9,
        "{first} of {all}, {last} by the last frame"
    );
}

#[test]
fn a_list_of_paths_is_enough_to_be_no_worse_than_the_last_frame() {
    let traces = |case: &Case| !case.name.starts_with("log_");
    let [all, first, three, last] = score(traces, true);
    assert_eq!(three, all);
    assert!(first >= last, "{first} of {all}, {last} by the last frame");
}

#[test]
fn a_log_without_a_trace_leads_to_the_statement_that_printed_it() {
    let [all, first, ..] = score(|case| case.name.starts_with("log_"), false);
    assert_eq!(first, all);
}
