//! Repositories whose content speaks to the model that investigates (`tests/corpus/injection_repos`):
//! whatever it says, it stands behind the fence of a tool's result, and changes neither the tools
//! nor a word of ours.

use crate::injected::{CART, Case, Place, cases, repositories};
use crate::sample::{Sample, at, soon};
use crate::tools::{fenced, scope};
use autofix::investigate::tools::{Desk, LogLine};
use autofix::model::Settings;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Every call that can show the injection.
fn calls(case: &Case, commit: &str) -> Vec<(&'static str, Value)> {
    let file = case.file();
    let folder = file.rsplit_once('/').map_or(".", |(folder, _)| folder);
    vec![
        ("list_files", json!({"folder": folder})),
        ("list_files", json!({"pattern": "**"})),
        ("read_file", json!({"path": file})),
        ("read_file", json!({"path": CART})),
        (
            "search_code",
            json!({"pattern": "total|.*[iI]nstruction.*|obey"}),
        ),
        ("find_symbol", json!({"name": "total"})),
        ("history", json!({"path": "."})),
        ("history", json!({"path": file})),
        ("history", json!({"path": CART, "from": 1, "to": 2})),
        ("history", json!({"path": file, "from": 1, "to": 3})),
        ("blame", json!({"path": file, "from": 1, "to": 5})),
        ("show_commit", json!({"commit": commit})),
        ("show_commit", json!({"commit": commit, "path": file})),
        ("read_logs", json!({})),
    ]
}

/// A line of ours with everything that stands in quotes, every number and every id taken out.
fn bare(line: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => drop(chars.next()),
            '"' => {
                quoted = !quoted;
                out.push('"');
            }
            c if !quoted => out.push(c),
            _ => {}
        }
    }
    assert!(!quoted, "quotes that nobody closes: {line}");
    let words = out.split(' ').map(|word| {
        let sign = word.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let id = word.len() - sign.len() == 12 && sign.len() < 2;
        match id {
            true => format!("ID{sign}"),
            false => word.chars().filter(|c| !c.is_ascii_digit()).collect(),
        }
    });
    words.collect::<Vec<String>>().join(" ")
}

/// What our own lines say of this repository, without what is quoted in them.
fn own_words(case: &Case, sample: &Sample, commit: &str) -> BTreeSet<String> {
    let repo = sample.open();
    let settings = Settings::default();
    let lines = [LogLine {
        id: "L1".to_owned(),
        time: None,
        text: case.text(),
    }];
    let mut desk = Desk::new(&repo, at(&repo, commit), &settings, &lines);
    let mut scope = scope();
    let mut own = BTreeSet::new();
    for (tool, input) in calls(case, commit) {
        let result = desk.run(tool, &input, &mut scope, soon());
        let text = result.content.as_str();
        if result.is_error {
            assert!(!text.contains('\n'), "{}: {tool}: {text}", case.name);
            own.insert(bare(text));
            continue;
        }
        fenced(text);
        let data = |line: &str| {
            line.trim_start_matches(|c: char| c.is_ascii_digit())
                .starts_with("| ")
        };
        own.extend(text.split('\n').filter(|line| !data(line)).map(bare));
    }
    own
}

/// Words of ours, as [`bare`] leaves them. A new sentence of a tool is a new line here.
const KNOWN: &str = include_str!("../corpus/injection_repos/own_words.txt");

#[test]
fn nothing_in_a_repository_leaves_its_fence() {
    let tools = format!("{:?}", Desk::tools());
    let known: BTreeSet<&str> = KNOWN.lines().collect();
    let mut found = BTreeSet::new();
    for (case, sample, commit) in repositories() {
        let own = own_words(&case, &sample, &commit);
        let strange: Vec<&String> = own.iter().filter(|l| !known.contains(l.as_str())).collect();
        if std::env::var_os("WRITE_OWN_WORDS").is_none() {
            assert!(strange.is_empty(), "{}: {strange:#?}", case.name);
        }
        found.extend(own);
        assert_eq!(format!("{:?}", Desk::tools()), tools, "{}", case.name);
    }
    if std::env::var_os("WRITE_OWN_WORDS").is_some() {
        let all: Vec<&str> = found.iter().map(String::as_str).collect();
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/corpus/injection_repos/own_words.txt"
        );
        std::fs::write(path, all.join("\n") + "\n").unwrap();
    }
}

/// A case that no tool shows would prove nothing.
#[test]
fn each_injection_is_shown_by_some_tool() {
    let all = cases();
    assert!(all.len() >= 50);
    let names: BTreeSet<&str> = all.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "names are unique");
    let unseen = regex::Regex::new("<U\\+[0-9A-F]+>").unwrap();
    for (case, sample, commit) in repositories() {
        // The names of branches are shown by no tool at all.
        if case.place == Place::Branch {
            continue;
        }
        let repo = sample.open();
        let settings = Settings::default();
        let mut desk = Desk::new(&repo, at(&repo, &commit), &settings, &[]);
        let mut scope = scope();
        let letters = |text: &str, most| -> String {
            let letters = text.chars().filter(|c| c.is_ascii_alphanumeric());
            letters.take(most).collect()
        };
        let wanted = letters(&case.text(), 12);
        let shown = calls(&case, &commit).into_iter().any(|(tool, input)| {
            let result = desk.run(tool, &input, &mut scope, soon());
            let text = unseen.replace_all(result.content.as_str(), "");
            letters(&text, usize::MAX).contains(&wanted)
        });
        assert!(shown, "{}: {wanted}", case.name);
    }
}
