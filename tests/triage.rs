//! A triage that reads, as a whole: an instance behind its door, a played model on loopback.
//! The answers are recorded or made up; what a real model judges is not shown here.

#[path = "triage/injection.rs"]
mod injection;
#[path = "triage/played.rs"]
mod played;

use autofix::app::{look, watches};
use autofix::log::Log;
use autofix::model::{Incident, Kind, Timestamp};
use autofix::plugin::{self, Flush, Host, Instance};
use autofix::record::encode::{self, Layout};
use autofix::watch::Owner;
use played::{Played, Question, Reply};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const IGNORE: &str = r#"{"action":"ignore"}"#;
const WATCH: &str = r#"{"action":"watch","label":"declined_payments","match":{"field":"result","eq":"declined"},"window_seconds":60,"threshold":10,"summary":"Some payments are declined: watching for more"}"#;
const LOOK: &str = r#"{"action":"investigate","summary":"Orders are saved twice"}"#;
const CRASH: &str = "Traceback (most recent call last):
  File \"/app/app.py\", line 5, in handle
    return total(order)
KeyError: 'count'";

type Said = Arc<Mutex<Vec<String>>>;

/// An instance with a played model, and everything it leaves.
struct Run {
    instance: Box<Instance>,
    state: PathBuf,
    said: Said,
}

impl Run {
    fn start(state: &Path, keys: &[(&str, &str)]) -> Run {
        let mut pairs = vec![
            ("State_Dir".to_owned(), state.to_string_lossy().into_owned()),
            ("Service".to_owned(), "checkout".to_owned()),
            ("Descriptor".to_owned(), "Takes payments".to_owned()),
            ("Triage_Batch_Seconds".to_owned(), "1".to_owned()),
        ];
        pairs.extend(keys.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let said = Said::default();
        let lines = Arc::clone(&said);
        let host = Host {
            property: Box::new(move |key| {
                let found = pairs.iter().find(|(name, _)| name == key);
                found.map(|(_, value)| value.clone())
            }),
            log: Log::new(move |_, line| lines.lock().unwrap().push(line.to_owned())),
            start_disabled: None,
        };
        Run {
            instance: plugin::start(host).expect("a right configuration"),
            state: state.to_owned(),
            said,
        }
    }

    fn with(state: &Path, model: &Played) -> Run {
        Run::start(state, &[("Triage", "openai"), ("Triage_Url", &model.url)])
    }

    fn feed(&self, lines: &[String]) {
        self.feed_as(b"app", lines);
    }

    /// Of another program of the service, so that no line before it belongs to it.
    fn crash(&self) {
        let lines: Vec<String> = CRASH.lines().map(str::to_owned).collect();
        self.feed_as(b"job", &lines);
    }

    fn feed_as(&self, tag: &[u8], lines: &[String]) {
        let mut bytes = Vec::new();
        for line in lines {
            encode::record(&mut bytes, Layout::New, now(), &[("log", line)]);
        }
        assert_eq!(self.instance.flush(tag, &bytes), Flush::Taken);
    }

    fn wait<T>(&self, what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = ready() {
                return found;
            }
            let said = self.said.lock().unwrap();
            assert!(Instant::now() < end, "{what}: not in time; said {said:#?}");
            drop(said);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn incidents(&self) -> Vec<Incident> {
        look::incidents(&self.state).unwrap_or_default()
    }

    fn incident(&self, kind: Kind) -> Incident {
        self.wait(kind.word(), || {
            self.incidents().into_iter().find(|one| one.kind == kind)
        })
    }

    fn counter(&self, name: &str) -> u64 {
        let status = look::status(&self.state).ok();
        status
            .and_then(|all| all.counters.get(name).copied())
            .unwrap_or(0)
    }

    fn stop(self) -> PathBuf {
        self.instance.stop(Duration::from_secs(5));
        self.state
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(since.as_nanos() as i64)
}

fn payments(number: usize, result: &str) -> Vec<String> {
    let line = |n| {
        format!(
            r#"{{"level":"info","msg":"payment {n} of order {} done","result":"{result}","card":"{}"}}"#,
            n * 7,
            4_000 + n
        )
    };
    (0..number).map(line).collect()
}

/// Answers each entry by what stands in it.
fn each(question: &Question, verdict: impl Fn(&str) -> String) -> Reply {
    let all: Vec<String> = question.entries().into_iter().map(verdict).collect();
    Reply::Says(match all.as_slice() {
        [one] => one.clone(),
        all => format!("[{}]", all.join(",")),
    })
}

fn watching_declined(question: &Question) -> Reply {
    each(question, |entry| match entry.contains("declined") {
        true => WATCH.to_owned(),
        false => IGNORE.to_owned(),
    })
}

#[test]
fn a_models_watch_fires_on_a_later_spike_where_the_rules_stay_quiet_recorded_answer() {
    let folder = TempDir::new().unwrap();
    let model = Played::new(watching_declined);
    let run = Run::with(folder.path(), &model);
    run.feed(&payments(30, "ok"));
    run.feed(&payments(2, "declined"));
    run.wait("the watch", || {
        let rows = watches::list(folder.path()).ok()?;
        let mut rows = rows.into_iter();
        rows.find(|row| row.owner == Owner::Model && row.label == "declined_payments")
    });
    assert!(run.incidents().is_empty(), "nothing has happened yet");
    run.feed(&payments(40, "ok"));
    run.feed(&payments(12, "declined"));
    let fired = run.incident(Kind::Watch);
    assert_eq!(fired.watch.as_deref(), Some("declined_payments"));
    let why = look::why(folder.path(), fired.id).unwrap();
    let verdict = why.verdict.expect("the model's part is told");
    assert_eq!(verdict.verdict.action, "watch");
    assert_eq!(verdict.reading.model, "qwen2.5:3b");
    assert_eq!(verdict.reading.prompt_hash.len(), 64);
    assert!(model.shown().contains("Takes payments"));
    run.stop();

    let alone = TempDir::new().unwrap();
    let run = Run::start(alone.path(), &[]);
    for (number, result) in [(30, "ok"), (2, "declined"), (40, "ok"), (12, "declined")] {
        run.feed(&payments(number, result));
    }
    let state = run.stop();
    assert!(
        look::incidents(&state).unwrap().is_empty(),
        "the rules alone"
    );
}

#[test]
fn what_it_wants_looked_at_is_an_incident_once() {
    let folder = TempDir::new().unwrap();
    let model = Played::new(|question| {
        each(question, |entry| match entry.contains("saved order") {
            true => LOOK.to_owned(),
            false => IGNORE.to_owned(),
        })
    });
    let run = Run::with(folder.path(), &model);
    run.feed(&[
        "saved order 12 again, same key".into(),
        "cache warmed in 3 ms".into(),
    ]);
    let found = run.incident(Kind::Error);
    assert!(
        found.title.starts_with("Orders are saved twice"),
        "{}",
        found.title
    );
    assert_eq!(found.lines, ["saved order 12 again, same key"]);
    let why = look::why(folder.path(), found.id).unwrap();
    assert_eq!(why.verdict.unwrap().verdict.action, "investigate");
    run.feed(&["saved order 13 again, same key".into()]);
    let state = run.stop();
    assert_eq!(look::incidents(&state).unwrap().len(), 1);
    assert_eq!(model.questions(), 1, "the same thing is never read twice");
}

#[test]
fn no_secret_reaches_the_model() {
    let folder = TempDir::new().unwrap();
    let model = Played::new(|question| each(question, |_| IGNORE.to_owned()));
    let run = Run::with(folder.path(), &model);
    run.feed(&[
        "error: login of jane.doe@acme.example failed with password=hunter2-Xq".into(),
        r#"{"level":"error","msg":"upstream refused","authorization":"Bearer eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl","api_key":"sk_live_4f9a8b7c6d5e4f3a2b1c"}"#.into(),
        "warn: retry of postgres://app:s3cr3tpw@db.internal:5432/shop failed".into(),
    ]);
    run.wait("a question", || (model.questions() > 0).then_some(()));
    let shown = model.shown();
    for secret in [
        "jane.doe",
        "hunter2",
        "eyJhbGciOi",
        "sk_live_4f9a",
        "s3cr3tpw",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    for kept in ["upstream refused", "db.internal", "[email-1]"] {
        assert!(shown.contains(kept), "{kept} in {shown}");
    }
    run.stop();
}

#[test]
fn a_bad_answer_is_asked_for_once_more_with_its_fault_then_the_rules_decide() {
    let folder = TempDir::new().unwrap();
    let model = Played::new(|question| match question.user.contains("was refused") {
        false => Reply::Says(r#"{"action":"delete","label":"all"}"#.into()),
        true if question.user.contains("second chance") => Reply::Says(IGNORE.into()),
        true => Reply::Says(r#"{"action":"watch","label":"x"}"#.into()),
    });
    let run = Run::with(folder.path(), &model);
    run.feed(&["warn: second chance 1".into()]);
    run.wait("a verdict", || {
        (run.counter("entries_read") == 1).then_some(())
    });
    assert!(
        model
            .shown()
            .contains("action must be ignore, watch or investigate")
    );
    run.feed(&["warn: lease of volume is old".into()]);
    run.wait("a failure", || {
        (run.counter("triage_failed") == 1).then_some(())
    });
    run.crash();
    run.incident(Kind::Crash);
    run.stop();
}

#[test]
fn a_server_that_hangs_or_is_gone_harms_nobody_and_is_told_once() {
    let folder = TempDir::new().unwrap();
    let model = Played::new(|_| Reply::Hangs);
    let run = Run::with(folder.path(), &model);
    run.feed(&["warn: disk is slow".into()]);
    run.wait("a question", || (model.questions() > 0).then_some(()));
    run.crash();
    run.incident(Kind::Crash);
    let before = Instant::now();
    run.stop();
    assert!(
        before.elapsed() < Duration::from_secs(10),
        "the exit waits for nobody"
    );

    let gone = TempDir::new().unwrap();
    let keys = [("Triage", "openai"), ("Triage_Url", "http://127.0.0.1:9")];
    let run = Run::start(gone.path(), &keys);
    run.feed(&["warn: disk is slow".into()]);
    run.crash();
    run.incident(Kind::Crash);
    run.wait("words", || {
        let said = run.said.lock().unwrap();
        let times = said
            .iter()
            .filter(|line| line.contains("the rules decide alone"));
        (times.count() == 1).then_some(())
    });
    run.stop();
}

#[test]
fn what_was_unread_when_the_process_ended_is_read_by_the_next() {
    let folder = TempDir::new().unwrap();
    let hanging = Played::new(|_| Reply::Status(503, r#"{"error":"server busy"}"#));
    let run = Run::with(folder.path(), &hanging);
    run.feed(&["warn: saved order 12 again".into()]);
    run.wait("a question", || (hanging.questions() > 0).then_some(()));
    run.stop();
    let model = Played::new(|question| each(question, |_| LOOK.to_owned()));
    let run = Run::with(folder.path(), &model);
    let found = run.incident(Kind::Error);
    assert_eq!(found.lines, ["warn: saved order 12 again"]);
    run.stop();
}

/// A run in which the model said that one line is to be ignored.
fn ignored(state: &Path) -> (Played, PathBuf) {
    let model = Played::new(|question| each(question, |_| IGNORE.to_owned()));
    let run = Run::with(state, &model);
    run.feed(&["warn: pool is warm after 12 tries".into()]);
    run.wait("a verdict", || {
        (run.counter("entries_read") == 1).then_some(())
    });
    (model, run.stop())
}

#[test]
fn what_is_ignored_stays_ignored_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let (model, _) = ignored(folder.path());
    // What was learnt of the log is lost, the verdicts are not.
    let store = rusqlite::Connection::open(folder.path().join("autofix.db")).unwrap();
    store.execute("DELETE FROM learnt", []).unwrap();
    drop(store);
    let run = Run::with(folder.path(), &model);
    run.feed(&[
        "warn: pool is warm after 99 tries".into(),
        "warn: pool is cold".into(),
    ]);
    run.wait("a verdict", || {
        (run.counter("entries_read") == 2).then_some(())
    });
    let shown = model.shown();
    assert_eq!(
        shown.matches("pool is warm").count(),
        2,
        "as template and example, once: {shown}"
    );
    run.stop();
}

#[test]
fn what_one_instance_learnt_to_ignore_another_starts_with() {
    let folder = TempDir::new().unwrap();
    let (model, state) = ignored(folder.path());
    let learnt = autofix::app::inspect::learnt(&state).unwrap();
    let lines: Vec<String> = learnt
        .iter()
        .map(|one| serde_json::to_string(one).unwrap())
        .collect();
    assert!(
        lines[0].contains("\"ignored\":[{\"level\":\"warn\"}]"),
        "{lines:?}"
    );
    let other = TempDir::new().unwrap();
    let seed = other.path().join("seed.jsonl");
    std::fs::write(&seed, lines.join("\n")).unwrap();
    let seed = seed.to_string_lossy();
    let keys = [
        ("Triage", "openai"),
        ("Triage_Url", model.url.as_str()),
        ("Templates_Seed", seed.as_ref()),
    ];
    let run = Run::start(&other.path().join("state"), &keys);
    run.feed(&[
        "warn: pool is warm after 99 tries".into(),
        "warn: lease is old".into(),
    ]);
    run.wait("a verdict", || {
        (run.counter("entries_read") == 1).then_some(())
    });
    run.stop();
    assert_eq!(model.questions(), 2);
    assert!(!model.shown().contains("99 tries"), "{}", model.shown());
}

#[test]
fn without_egress_nothing_is_sent() {
    let folder = TempDir::new().unwrap();
    let model = Played::new(|_| Reply::Says(IGNORE.into()));
    let keys = [
        ("Triage", "openai"),
        ("Triage_Url", model.url.as_str()),
        ("Egress", "none"),
    ];
    let run = Run::start(folder.path(), &keys);
    run.feed(&["warn: disk is slow".into()]);
    run.wait("words", || {
        let said = run.said.lock().unwrap();
        said.iter()
            .any(|line| line.contains("Egress keeps checkout"))
            .then_some(())
    });
    run.stop();
    assert_eq!(model.questions(), 0);
}
