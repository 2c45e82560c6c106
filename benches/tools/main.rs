//! `make bench PARTS=tools`: what the tools of an investigating model cost in a large repository,
//! and what it costs to find the suspect there. `benches/run.sh` calls it.
//!
//!   tools make DIR [FILES COMMITS]     writes the repository, bare and packed (50000 100000)
//!   tools run DIR                      times on it, as rows of Markdown

mod desk;
mod repository;

use autofix::investigate::tools::{Desk, Seen};
use autofix::log::Log;
use autofix::model::{Block, CommitId, Frame, Language, Raised, Settings, Trace};
use autofix::net::Http;
use autofix::redact::{Redactor, Scope};
use autofix::source::{Commit, Mirrors, Repo, Tree};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let size = |files: &str, commits: &str| repository::Size {
        files: files.parse().expect("a number of files"),
        commits: commits.parse().expect("a number of commits"),
    };
    match words.as_slice() {
        ["make", dir] => repository::make(Path::new(dir), size("50000", "100000")),
        ["make", dir, files, commits] => repository::make(Path::new(dir), size(files, commits)),
        ["run", dir] => run(dir),
        _ => {
            eprintln!("usage: tools make DIR [FILES COMMITS] | run DIR");
            std::process::exit(2);
        }
    }
}

fn run(dir: &str) {
    let kept = tempfile::tempdir().expect("a folder");
    let http = Http::new(&autofix::net::Settings::default()).expect("a client");
    let mirrors = Mirrors::new(kept.path().join("mirrors"), http, Log::silent());
    println!("| | ms | of the processor | |\n|---|---|---|---|");
    let open = || mirrors.open(dir, &|_| None, late()).expect("a repository");
    let repo = open();
    let head = repo.head().expect("a commit");
    // What a server keeps in memory anyway.
    time("files of the commit listed, first", || {
        Tree::read(&repo, head).map(|_| None)
    });
    time("files of the commit listed", || {
        Tree::read(&repo, head).map(|_| None)
    });
    let old = parent(&repo, head, 50_000);
    for (what, commit) in [("newest", head), ("50,000 commits old", old)] {
        let id = CommitId::parse(&commit.to_string()).expect("an id");
        time(&format!("resolve the {what}"), || {
            repo.resolve(&id, &[]).map(|_| None)
        });
    }
    desk::dossiers(dir, old);
    tools(&repo, head, old);
    let again = open();
    tool(
        &again,
        head,
        "search_code, in another process",
        "search_code",
        json!({"pattern": "exceeded by .*stocktaxtax"}),
    );
    for (what, file, line) in [
        ("in a file that everybody changes", 7, 10),
        ("in a file that was changed a few times", 20_000, 10),
    ] {
        for good in [None, Some(parent(&repo, head, 1_000)), Some(old)] {
            let since = match good {
                None => "30 days".to_owned(),
                Some(good) if good == old => "since a deploy 50,000 commits ago".to_owned(),
                Some(_) => "since a deploy 1,000 commits ago".to_owned(),
            };
            let repo = open();
            time(&format!("suspects and revert {what}, {since}"), || {
                let trace = trace(&repository::path(file), line);
                let found = autofix::investigate::revert(
                    &repo,
                    head,
                    Some(&trace),
                    &Settings::default(),
                    good,
                    late(),
                );
                Ok::<_, autofix::source::Error>(Some(format!(
                    "{} suspects; {}",
                    found.suspects.len(),
                    found.notes.join("; ")
                )))
            });
        }
    }
    for entry in std::fs::read_dir(kept.path().join("mirrors"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let bytes = entry.metadata().map_or(0, |about| about.len());
        println!("| kept beside the mirror | | | {} MB |", bytes >> 20);
    }
}

fn tools(repo: &Repo, head: Commit, old: Commit) {
    let settings = Settings::default();
    let mut desk = Desk::new(repo, head, &settings, &[]);
    let mut scope = scope();
    let hot = repository::path(7);
    let cold = repository::path(20_000);
    let calls = [
        ("list_files, the top", "list_files", json!({})),
        (
            "list_files, a folder",
            "list_files",
            json!({"folder": "services/area03/part11"}),
        ),
        (
            "list_files, a pattern over all",
            "list_files",
            json!({"pattern": "unit_49*.py"}),
        ),
        ("read_file", "read_file", json!({"path": cold})),
        (
            "show_commit, the newest",
            "show_commit",
            json!({"commit": head.to_string()}),
        ),
        (
            "show_commit, 50,000 commits old",
            "show_commit",
            json!({"commit": old.to_string()}),
        ),
        (
            "search_code, the first in the commit",
            "search_code",
            json!({"pattern": "exceeded by .*stocktaxtax"}),
        ),
        (
            "search_code",
            "search_code",
            json!({"pattern": "exceeded by .*stocktaxtax"}),
        ),
        (
            "search_code, no literal in it",
            "search_code",
            json!({"pattern": "[a-z]+_[a-z]+_4999_[0-9]"}),
        ),
        ("find_symbol", "find_symbol", json!({"name": "logger"})),
        (
            "find_symbol, a rare one",
            "find_symbol",
            json!({"name": "IllegalStateException"}),
        ),
        (
            "blame, 144 lines that everybody changes",
            "blame",
            json!({"path": hot, "from": 1, "to": 144}),
        ),
        (
            "blame, 144 lines that few change",
            "blame",
            json!({"path": cold, "from": 1, "to": 144}),
        ),
        (
            "history, a file that everybody changes",
            "history",
            json!({"path": hot}),
        ),
        (
            "history, a file that few change",
            "history",
            json!({"path": cold}),
        ),
        (
            "history, a folder",
            "history",
            json!({"path": "services/area03"}),
        ),
        (
            "history, 6 lines that everybody changes",
            "history",
            json!({"path": hot, "from": 7, "to": 12}),
        ),
        (
            "history, 6 lines that few change",
            "history",
            json!({"path": cold, "from": 7, "to": 12}),
        ),
    ];
    for (what, name, input) in calls {
        call(&mut desk, &mut scope, what, name, &input);
    }
}

fn tool(repo: &Repo, head: Commit, what: &str, name: &str, input: Value) {
    let settings = Settings::default();
    let mut desk = Desk::new(repo, head, &settings, &[]);
    call(&mut desk, &mut scope(), what, name, &input);
}

fn call(desk: &mut Desk<'_>, scope: &mut Scope, what: &str, name: &str, input: &Value) {
    time(what, || {
        let result = desk.run(name, input, scope, late());
        assert!(!result.is_error, "{what}: {}", result.content);
        let commits = result
            .seen
            .iter()
            .filter(|seen| matches!(seen, Seen::Commit(_)))
            .count();
        let text = result.content.as_str();
        let older = text
            .lines()
            .find(|line| line.starts_with("What is not shown"));
        Ok::<_, String>(Some(format!(
            "{} bytes, {commits} commits{}",
            text.len(),
            match older {
                Some(older) => format!("; {older}"),
                None => String::new(),
            }
        )))
    });
}

fn time<E: std::fmt::Display>(what: &str, work: impl FnOnce() -> Result<Option<String>, E>) {
    let (began, cpu) = (Instant::now(), processor());
    let said = work().unwrap_or_else(|fault| Some(fault.to_string()));
    let ms = began.elapsed().as_secs_f64() * 1e3;
    let cpu = (processor() - cpu) as f64 / 1e6;
    println!(
        "| {what} | {ms:.0} | {cpu:.0} | {} |",
        said.unwrap_or_default()
    );
}

/// Nanoseconds that this thread has run.
fn processor() -> u64 {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = said.split_whitespace().next();
    first.and_then(|ns| ns.parse().ok()).unwrap_or_default()
}

fn late() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn parent(repo: &Repo, mut commit: Commit, steps: usize) -> Commit {
    for _ in 0..steps {
        let info = repo.info(commit).expect("a commit");
        commit = *info.parents.first().expect("a parent");
    }
    commit
}

fn scope() -> Scope {
    Redactor::new(&autofix::redact::Settings::default())
        .expect("a redactor")
        .scope()
}

/// A trace whose only frame is this line.
fn trace(file: &str, line: u32) -> Trace {
    Trace {
        language: match file.ends_with(".py") {
            true => Language::Python,
            false => Language::Javascript,
        },
        blocks: vec![Block {
            raised: Raised {
                kind: Some("ValueError".into()),
                message: Some("limit exceeded".into()),
            },
            frames: 0..1,
        }],
        root: 0,
        outermost: 0,
        frames: vec![Frame {
            file: Some(format!("/app/{file}")),
            line: Some(line),
            function: None,
        }],
    }
}
