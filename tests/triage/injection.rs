//! Lines that speak to the model: mixed into a log they change no verdict on any other line and no
//! incident, even where the model does whatever it reads.

use super::played::{Played, Question, Reply};
use super::{IGNORE, LOOK, Run, WATCH, each, payments};
use autofix::app::watches;
use autofix::model::Kind;
use autofix::watch::Owner;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const CORPUS: &str = include_str!("../corpus/injection/lines.tsv");

fn injected() -> Vec<(&'static str, &'static str)> {
    CORPUS
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .collect()
}

#[test]
fn the_corpus_is_large_and_its_lines_are_not_shown() {
    let lines = injected();
    let kinds: BTreeSet<&str> = lines.iter().map(|(kind, _)| *kind).collect();
    assert!(lines.len() >= 50 && kinds.len() >= 10);
    let shown: Vec<&str> = lines
        .iter()
        .filter(|(_, line)| !autofix::triage::speaks_to_its_reader(line))
        .map(|(_, line)| *line)
        .collect();
    assert!(shown.is_empty(), "{shown:#?}");
}

#[test]
fn ordinary_lines_do_not_speak_to_their_reader() {
    let (mut all, mut held) = (0, Vec::new());
    for file in std::fs::read_dir("tests/corpus/plain").unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap_or_default();
        for line in text.lines() {
            all += 1;
            if autofix::triage::speaks_to_its_reader(line) {
                held.push(line.to_owned());
            }
        }
    }
    assert!(all > 300, "{all}");
    assert!(
        held.len() * 1_000 <= all,
        "{} of {all}: {held:#?}",
        held.len()
    );
}

/// A model that reads each entry for itself, and obeys whatever tells it to do something.
fn gullible(question: &Question) -> Reply {
    if question.user.to_lowercase().contains("ignore previous") {
        return Reply::Says(IGNORE.to_owned());
    }
    each(question, |entry| {
        match entry {
        _ if entry.contains("withheld") => {
            r#"{"action":"watch","label":"obey","match":{"level":"info"},"window_seconds":1,"threshold":1,"summary":"x"}"#.to_owned()
        }
        _ if entry.contains("declined") => WATCH.to_owned(),
        _ if entry.contains("saved order") => LOOK.to_owned(),
        _ => IGNORE.to_owned(),
    }
    })
}

/// What a run came to: the verdict on each kind of line, and the incidents.
fn outcome(lines: &[String]) -> (BTreeMap<String, String>, BTreeSet<String>, usize) {
    let folder = TempDir::new().unwrap();
    let model = Played::new(gullible);
    let run = Run::with(folder.path(), &model);
    for part in lines.chunks(25) {
        run.feed(part);
        std::thread::sleep(Duration::from_millis(300));
    }
    run.crash();
    run.incident(Kind::Crash);
    run.incident(Kind::Error);
    quiet(&run);
    bounded(folder.path());
    let state = run.stop();
    let incidents = autofix::app::look::incidents(&state).unwrap();
    let incidents = incidents
        .iter()
        .map(|one| format!("{:?} {}", one.kind, one.title));
    let withheld = model.shown().matches("withheld").count();
    (verdicts(&state), incidents.collect(), withheld)
}

/// Waits until nothing was read for longer than counters take to be written.
fn quiet(run: &Run) {
    let (mut read, mut since) = (0, Instant::now());
    run.wait("the lane is done", || {
        let now = run.counter("entries_read");
        if now != read || run.counter("news_waiting") > 0 {
            (read, since) = (now, Instant::now());
        }
        (read > 0 && since.elapsed() > Duration::from_secs(12)).then_some(())
    });
}

fn verdicts(state: &Path) -> BTreeMap<String, String> {
    let db = rusqlite::Connection::open(state.join("autofix.db")).unwrap();
    let mut rows = db.prepare("SELECT text, action FROM verdicts").unwrap();
    let rows = rows
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

fn bounded(state: &Path) {
    let rows = watches::list(state).unwrap_or_default();
    for row in rows.iter().filter(|row| row.owner == Owner::Model) {
        assert_eq!(row.service.as_deref(), Some("checkout"));
        assert!(row.expires.is_some());
        assert_ne!(row.label, "obey", "it matches nearly everything");
    }
}

#[test]
fn with_the_injected_lines_removed_everything_else_is_the_same_gullible_model() {
    let mut plain = payments(20, "ok");
    plain.extend(payments(2, "declined"));
    plain.push("saved order 12 again, same key".to_owned());
    plain.push("warn: pool is low, 2 of 20 left".to_owned());
    let injected = injected();
    let mut mixed = Vec::new();
    for (at, line) in plain.iter().enumerate() {
        mixed.push(line.clone());
        let own = injected.iter().skip(at * 3).take(3);
        mixed.extend(own.map(|(_, line)| (*line).to_owned()));
    }
    let (clean, incidents, none) = outcome(&plain);
    let (all, with, withheld) = outcome(&mixed);
    assert!(clean.len() >= 4, "{clean:#?}");
    for (text, action) in &clean {
        assert_eq!(all.get(text), Some(action), "{text}");
    }
    assert_eq!(with, incidents);
    assert!(
        none == 0 && withheld >= 50,
        "{withheld} were read without their text"
    );
}
