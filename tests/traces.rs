//! Stack traces in what real programs printed: every case of `tests/corpus/traces` is a program
//! that was run, with its command, its output and what must be found in it; those of
//! `tests/corpus/documented` are written after the documentation of runtimes that could not be
//! run. The other tests bend both into the shapes in which logs arrive.

#[path = "traces/caught.rs"]
mod caught;
#[path = "traces/documented.rs"]
mod documented;
#[path = "traces/limits.rs"]
mod limits;
#[path = "traces/lookalikes.rs"]
mod lookalikes;

use autofix::model::Timestamp;
use autofix::trace::{self, Assembler, Found, Inspector, Line, Taken};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

struct Case {
    name: String,
    output: String,
    expected: Value,
}

impl Case {
    fn lines(&self) -> Vec<&str> {
        self.output.lines().collect()
    }
}

fn folders(at: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(at).expect("the corpus is there");
    let mut folders: Vec<_> = entries
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// The cases of a folder of `tests/corpus`.
fn cases(corpus: &str) -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut cases = Vec::new();
    for folder in folders(&root.join(corpus))
        .iter()
        .flat_map(|language| folders(language))
    {
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        let name = folder.strip_prefix(&root).expect("below").display();
        cases.push(Case {
            name: name.to_string(),
            output: read("output.txt"),
            expected: serde_json::from_str(&read("expected.json")).unwrap_or(Value::Null),
        });
    }
    cases
}

/// What programs printed that were really run, and what others print after their documentation.
fn corpus() -> Vec<Case> {
    let mut all = cases("traces");
    assert!(all.len() >= 25, "five languages, five cases each");
    all.extend(cases("documented"));
    all
}

fn line(text: &str, index: u64) -> Line<'_> {
    Line {
        text,
        time: Timestamp(0),
        level: None,
        index,
    }
}

fn find(lines: &[impl AsRef<str>]) -> Vec<Found> {
    let mut assembler = Assembler::default();
    for (index, text) in lines.iter().enumerate() {
        assembler.push(line(text.as_ref(), index as u64), Timestamp(0));
    }
    assembler.finish();
    assembler.take().collect()
}

/// A found trace in the form of `expected.json`.
fn describe(found: &Found) -> Value {
    let shown = trace::Inspected::from(found.clone());
    let frames: Vec<String> = shown
        .frames
        .iter()
        .map(|frame| {
            let number = frame.line.map_or("-".to_owned(), |line| line.to_string());
            let word = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
            format!(
                "{} | {}:{}",
                word(&frame.function),
                word(&frame.file),
                number
            )
        })
        .collect();
    json!({
        "first": shown.first,
        "last": shown.last,
        "header": shown.header,
        "language": shown.language,
        "exception_type": shown.exception_type,
        "message": shown.message,
        "root_cause": found.trace.root_cause().kind,
        "raised_as": found.trace.raised_as().and_then(|raised| raised.kind.clone()),
        "uncaught": found.uncaught,
        "frames": frames,
    })
}

fn describe_all(lines: &[impl AsRef<str>]) -> Value {
    Value::Array(find(lines).iter().map(describe).collect())
}

/// Whether the trace's own lines say that it is one.
fn says_so(trace: &Value) -> bool {
    let frames = trace["frames"].as_array();
    let framed = frames.is_some_and(|all| !all.is_empty());
    framed || !trace["exception_type"].is_null() || trace["language"] != "javascript"
}

/// What must not change when the lines are bent: all but where they stand and who caught it.
fn gist(all: &Value) -> Vec<Value> {
    let traces = all.as_array().cloned().unwrap_or_default();
    let pick = |trace: &Value| {
        json!([
            trace["language"],
            trace["exception_type"],
            trace["message"],
            trace["frames"],
            trace["root_cause"]
        ])
    };
    traces.iter().map(pick).collect()
}

fn all_as_expected(corpus: &str) {
    let cases = cases(corpus);
    assert!(cases.len() >= 20);
    for case in cases {
        let got = describe_all(&case.lines());
        assert_eq!(
            got,
            case.expected,
            "{}\n{}",
            case.name,
            serde_json::to_string_pretty(&got).unwrap()
        );
    }
}

#[test]
fn every_program_of_the_corpus() {
    all_as_expected("traces");
}

/// Runtimes that are in no package registry, after their documentation.
#[test]
fn every_documented_form() {
    all_as_expected("documented");
}

#[test]
fn two_streams_interleaved_give_what_each_gives_alone() {
    let cases = corpus();
    for pair in cases.chunks(2).filter(|pair| pair.len() == 2) {
        let mut inspector = Inspector::default();
        let mut found = Vec::new();
        let sides = [pair[0].lines(), pair[1].lines()];
        for at in 0..sides[0].len().max(sides[1].len()) {
            for (key, side) in ["a", "b"].iter().zip(&sides) {
                let text = side.get(at).copied().unwrap_or("");
                let object = json!({"log": text, "source": {"id": key}}).to_string();
                found.extend(inspector.push_json(&object, Some("source.id")));
            }
        }
        found.extend(inspector.finish());
        let mut got: Vec<_> = found
            .into_iter()
            .map(|trace| (trace.first, trace.last, trace.exception_type))
            .collect();
        let mut want = Vec::new();
        for (side, case) in pair.iter().enumerate() {
            for trace in case.expected.as_array().unwrap() {
                let number = |key: &str| 2 * trace[key].as_u64().unwrap() + side as u64;
                let kind = trace["exception_type"].as_str().map(str::to_owned);
                want.push((number("first"), number("last"), kind));
            }
        }
        got.sort();
        want.sort();
        assert_eq!(got, want, "{} and {}", pair[0].name, pair[1].name);
    }
}

#[test]
fn a_prefix_before_each_line_changes_nothing() {
    let prefixes = [
        "2026-02-03T10:00:0N.123Z stderr F ",
        "[pod/checkout-66cb4b6c4b-77chl/app] ",
        "checkout-1  | ",
        "Feb  3 10:00:0N web-1 checkout[411]: ",
        "2026-02-03 10:00:0N,123 ERROR [main] ",
    ];
    for mut case in corpus() {
        // A thrown text is known by the carets above it only, and those stand alone.
        let named = case.expected.as_array_mut().expect("a list");
        named.retain(says_so);
        for prefix in prefixes {
            let lines: Vec<String> = case
                .lines()
                .iter()
                .enumerate()
                .map(|(at, line)| format!("{}{line}", prefix.replace('N', &(at % 10).to_string())))
                .map(|line| line.trim_end().to_owned())
                .collect();
            let got = describe_all(&lines);
            assert_eq!(
                gist(&got),
                gist(&case.expected),
                "{} with {prefix:?}",
                case.name
            );
            let places = |all: &Value| -> Vec<_> {
                all.as_array()
                    .unwrap()
                    .iter()
                    .map(|trace| (trace["first"].clone(), trace["last"].clone()))
                    .collect()
            };
            assert_eq!(
                places(&got),
                places(&case.expected),
                "{} with {prefix:?}",
                case.name
            );
        }
    }
}

#[test]
fn line_ends_and_colours_change_nothing() {
    for case in corpus() {
        let bent: Vec<String> = case
            .lines()
            .iter()
            .map(|line| format!("\u{1b}[31;1m{line}\u{1b}[0m\r"))
            .collect();
        assert_eq!(describe_all(&bent), case.expected, "{}", case.name);
    }
}

#[test]
fn a_trace_in_one_record() {
    for case in corpus() {
        let lines = case.lines();
        for want in case.expected.as_array().unwrap() {
            if !says_so(want) {
                continue;
            }
            let (first, last) = (
                want["first"].as_u64().unwrap() as usize,
                want["last"].as_u64().unwrap() as usize,
            );
            if first == last {
                // A line does not tell that nothing comes after it.
                continue;
            }
            let text = lines[first..=last].join("\n");
            let mut assembler = Assembler::default();
            assert_eq!(
                assembler.push(line("starting", 0), Timestamp(0)),
                Taken::Plain
            );
            assert_eq!(
                assembler.push(line(&text, 1), Timestamp(0)),
                Taken::Inside,
                "{}",
                case.name
            );
            if first == last {
                // A record of one line may be the first of many.
                assembler.finish();
            }
            let found: Vec<_> = assembler.take().collect();
            assert_eq!(found.len(), 1, "{} is closed with its record", case.name);
            assert_eq!((found[0].lines[0].index, found[0].last), (1, 1));
            let got = Value::Array(vec![describe(&found[0])]);
            assert_eq!(gist(&got), gist(&json!([want])), "{}", case.name);
            assert_eq!(
                trace::parse(&text).as_ref(),
                Some(&found[0].trace),
                "{}",
                case.name
            );
        }
    }
}

#[test]
fn every_case_twice_in_one_stream() {
    for case in corpus() {
        let mut lines = case.lines();
        lines.extend(case.lines());
        let twice = gist(&describe_all(&lines));
        let once = gist(&case.expected);
        assert_eq!(twice, [once.clone(), once].concat(), "{}", case.name);
    }
}

#[test]
fn a_trace_cut_off_anywhere_does_no_harm() {
    for case in corpus() {
        let lines = case.lines();
        for end in 0..lines.len().min(60) {
            let found = find(&lines[..end]);
            for one in found {
                assert!(one.last < end as u64, "{}", case.name);
            }
        }
    }
}

#[test]
fn ordinary_logs_hold_no_trace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/plain");
    let mut files = 0;
    for entry in std::fs::read_dir(root).expect("the corpus is there") {
        let path = entry.expect("it can be read").path();
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        if path.extension().is_none_or(|ending| ending != "log") {
            continue;
        }
        files += 1;
        let lines: Vec<&str> = text.lines().collect();
        let mut assembler = Assembler::default();
        let mut plain = 0;
        for (index, text) in lines.iter().enumerate() {
            if assembler.push(line(text, index as u64), Timestamp(0)) == Taken::Plain {
                plain += 1;
            }
        }
        assembler.finish();
        let found: Vec<_> = assembler.take().collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
        let returned = assembler.take_plain().count();
        let blank = lines.iter().filter(|line| line.trim().is_empty()).count();
        assert!(
            plain + returned + blank >= lines.len(),
            "{}: lines were lost",
            path.display()
        );
    }
    assert!(files >= 5);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Lines of the corpus in any order, cut anywhere: nothing panics, and no line is in two
    /// traces.
    #[test]
    fn shuffled_lines_never_panic(picks in proptest::collection::vec((0usize..10_000, 0usize..200), 1..120)) {
        static ALL: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
            corpus().iter().flat_map(|case| case.output.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
        });
        let lines: Vec<&str> = picks
            .iter()
            .map(|(at, cut)| {
                let line = ALL[at % ALL.len()].as_str();
                let end = (0..=line.len().min(200 - cut)).rev().find(|end| line.is_char_boundary(*end));
                &line[..end.unwrap_or(0)]
            })
            .collect();
        let mut last = None;
        for found in find(&lines) {
            proptest::prop_assert!(Some(found.lines[0].index) > last);
            last = Some(found.last);
        }
    }
}
