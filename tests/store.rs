//! The store as several processes and a crash see it: nothing lost, nothing doubled, leases that
//! fence, limits that hold. The crash is real: this file runs itself as a child and kills it.

#[path = "store/beside.rs"]
mod beside;
#[path = "store/crash.rs"]
mod crash;
#[path = "store/mutes.rs"]
mod mutes;
#[path = "store/platform.rs"]
mod platform;
#[path = "store/pulls.rs"]
mod pulls;
#[path = "store/spend.rs"]
mod spend;
#[path = "store/storm.rs"]
mod storm;

use autofix::incident;
use autofix::model::service::Fixer;
use autofix::model::{
    Block, CommitId, ContextLine, Frame, IncidentId, Kind, Language, Location, Proposal, Raised,
    Settings, Signal, Status, Timestamp, Trace,
};
use autofix::store::{Ending, ErrorKind, Holder, Limits, Outcome, Store, TERM, Want};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_parts(1_750_000_000 + seconds, 0)
}

const LIMITS: Limits = Limits {
    admission: incident::Limits {
        dedup_window: Duration::from_secs(24 * 3600),
        new_per_service_hour: 100,
        new_per_service_wall_hour: 1_000,
        storms: false,
    },
    bytes: 64 << 20,
};

fn open(dir: &Path) -> Store {
    Store::open(dir, LIMITS).unwrap()
}

/// A crash of `service` in `function`, so that another function is another fault.
fn crash(service: &str, function: &str, seconds: i64) -> Signal {
    Signal {
        kind: Kind::Crash,
        service: service.into(),
        stream: format!("{service}/stderr"),
        container: Some("c1".into()),
        time: at(seconds),
        last: at(seconds),
        title: "ValueError: secret-word".into(),
        reason: "rule uncaught".into(),
        watch: None,
        trace: Some(Trace {
            language: Language::Python,
            blocks: vec![Block {
                raised: Raised {
                    kind: Some("ValueError".into()),
                    message: Some("secret-word".into()),
                },
                frames: 0..1,
            }],
            root: 0,
            outermost: 0,
            frames: vec![Frame {
                file: Some("/app/shop/cart.py".into()),
                line: Some(7),
                function: Some(function.into()),
            }],
        }),
        lines: vec!["ValueError: secret-word".into()],
        context: vec![ContextLine {
            time: at(seconds),
            text: "secret-word before".into(),
            from: None,
        }],
        commit: CommitId::parse("0123456789abcdef0123456789abcdef01234567"),
    }
}

fn journal(dir: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(dir.join("incidents.jsonl")).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'), "a cut line");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn ending() -> Ending {
    Ending {
        status: Status::Proposed,
        reason: "commit abc broke it".into(),
        location: Some(Location {
            file: "shop/cart.py".into(),
            line: Some(7),
            function: Some("total".into()),
            confidence: 0.9,
        }),
        proposal: Some(Proposal {
            fixer: "revert".into(),
            patch: "/state/incidents/1/fix.patch".into(),
            files: vec!["shop/cart.py".into()],
            pr: None,
        }),
        order: None,
    }
}

#[test]
fn a_signal_comes_back_whole_and_again_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let signal = crash("shop", "total", 10);
    let id = IncidentId(1);
    assert_eq!(store.record(&signal, at(11)).unwrap(), Outcome::New(id));
    for seconds in [12, 11] {
        let again = store.record(&crash("shop", "total", seconds), at(13));
        assert_eq!(again.unwrap(), Outcome::Again(id));
    }
    let incident = store.incident(id).unwrap().unwrap();
    assert_eq!(incident.trace, signal.trace);
    assert_eq!(incident.lines, signal.lines);
    assert_eq!(incident.context, signal.context);
    assert_eq!(incident.commit, signal.commit);
    assert_eq!((incident.count, incident.status), (3, Status::Open));
    assert_eq!((incident.first_seen, incident.last_seen), (at(10), at(12)));
    assert_eq!(store.occurrences(id).unwrap().len(), 3);
    assert_eq!(store.events(id).unwrap()[0].detail, "rule uncaught");
    assert_eq!(store.incidents().unwrap(), [incident]);
}

#[test]
fn the_commit_is_the_newest_occurrence_s_that_had_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    for (seconds, commit) in [(10, "aaaaaaa"), (30, "bbbbbbb"), (20, "ccccccc"), (40, "")] {
        let mut signal = crash("shop", "total", seconds);
        signal.commit = CommitId::parse(commit);
        store.record(&signal, at(seconds)).unwrap();
    }
    let incident = store.incident(IncidentId(1)).unwrap().unwrap();
    assert_eq!(incident.commit, CommitId::parse("bbbbbbb"));
}

#[test]
fn outside_the_window_is_a_new_incident_linked_to_the_old() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    let day = 24 * 3600;
    store.record(&crash("shop", "total", day), at(day)).unwrap();
    let later = crash("shop", "total", 2 * day + 1);
    let outcome = store.record(&later, at(2 * day + 1)).unwrap();
    assert_eq!(outcome, Outcome::New(IncidentId(2)));
    let incident = store.incident(IncidentId(2)).unwrap().unwrap();
    assert_eq!(incident.previous, Some(IncidentId(1)));
}

#[test]
fn made_up_faults_are_capped_and_counted_for_each_service() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut capped = 0;
    for n in 0..150 {
        let outcome = store.record(&crash("shop", &format!("f{n}"), n), at(n));
        capped += u32::from(outcome.unwrap() == Outcome::Capped);
    }
    assert_eq!(capped, 50);
    let known = store.record(&crash("shop", "f3", 200), at(200)).unwrap();
    assert_eq!(known, Outcome::Again(IncidentId(4)));
    let other = store.record(&crash("billing", "x", 200), at(200)).unwrap();
    assert!(matches!(other, Outcome::New(_)), "{other:?}");
    let report = store.status(at(0)).unwrap();
    assert_eq!(report.capped, [("shop".to_owned(), 50)]);
}

#[test]
fn one_huge_signal_is_kept_within_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut signal = crash("shop", "total", 0);
    signal.title = "é".repeat(1 << 20);
    signal.lines = vec!["x".repeat(1 << 20); 20];
    signal.lines.push("the last line".into());
    signal.context = vec![
        ContextLine {
            time: at(0),
            text: "y".repeat(1 << 20),
            from: None,
        };
        20
    ];
    let trace = signal.trace.as_mut().unwrap();
    trace.frames = (0..100_000u32)
        .map(|line| Frame {
            line: Some(line),
            ..trace.frames[0].clone()
        })
        .collect();
    trace.blocks[0].frames = 0..100_000;
    store.record(&signal, at(0)).unwrap();
    let kept = store.incident(IncidentId(1)).unwrap().unwrap();
    assert_eq!(kept.lines.last().unwrap(), "the last line");
    let frames = kept.frames();
    assert!(frames.len() <= 1_000, "{}", frames.len());
    assert_eq!(frames.first().unwrap().line, Some(0));
    assert_eq!(frames.last().unwrap().line, Some(99_999));
    assert_eq!(
        kept.trace.as_ref().unwrap().blocks[0].frames,
        0..frames.len()
    );
    drop(store);
    let size = fs::metadata(dir.path().join("autofix.db")).unwrap().len();
    assert!(size < 2 << 20, "{size}");
}

#[test]
fn files_are_ours_alone() {
    let top = tempfile::tempdir().unwrap();
    let dir = top.path().join("state");
    let mut store = open(&dir);
    let _holder = Holder::new(&dir).unwrap();
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        let own = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), own, "{}", path.display());
        names.push(path.file_name().unwrap().to_owned());
    }
    assert!(names.iter().any(|name| name == "autofix.db-wal"));
    assert!(names.iter().any(|name| name == "incidents.jsonl"));
}

#[test]
fn a_foreign_owner_is_refused_with_a_remedy() {
    let top = tempfile::tempdir().unwrap();
    if fs::metadata(top.path()).unwrap().uid() != 0 {
        println!("SKIPPED a_foreign_owner_is_refused_with_a_remedy: needs root to chown");
        return;
    }
    std::os::unix::fs::chown(top.path(), Some(12_345), None).unwrap();
    let refused = Store::open(top.path(), LIMITS).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Place);
    assert!(refused.to_string().contains("uid 12345"), "{refused}");
}

#[test]
fn a_folder_that_others_may_write_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o770)).unwrap();
    let refused = Store::open(dir.path(), LIMITS).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Place);
    assert!(refused.to_string().contains("chmod 700"), "{refused}");
}

#[test]
fn a_damaged_or_newer_database_is_refused_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("autofix.db"), "x".repeat(9_000)).unwrap();
    let damaged = Store::open(dir.path(), LIMITS).unwrap_err();
    assert_eq!(damaged.kind, ErrorKind::Broken);
    assert!(damaged.to_string().contains("move"), "{damaged}");
    fs::remove_file(dir.path().join("autofix.db")).unwrap();
    drop(open(dir.path()));
    let raw = rusqlite::Connection::open(dir.path().join("autofix.db")).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    drop(raw);
    let newer = Store::open(dir.path(), LIMITS).unwrap_err();
    assert_eq!(newer.kind, ErrorKind::Newer);
}

#[test]
fn the_journal_carries_every_change_and_only_redacted_text() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut settings = Settings {
        service: "shop".to_owned(),
        ..Settings::default()
    };
    settings.redact.patterns = vec!["secret-[a-z]+".to_owned()];
    store.save_settings(&settings).unwrap();
    for n in 0..20 {
        store.record(&crash("shop", "total", n), at(n)).unwrap();
    }
    let holder = Holder::new(dir.path()).unwrap();
    let claim = |store: &mut Store, seconds| {
        let taken = store.claim(Want::Open, &holder, at(seconds)).unwrap();
        taken.unwrap().1
    };
    let lease = claim(&mut store, 30);
    store
        .postpone(&lease, at(31), "secret-word", at(31))
        .unwrap();
    let lease = claim(&mut store, 32);
    store.finish(&lease, &ending(), at(33)).unwrap();
    let lines = journal(dir.path());
    let counts: Vec<u64> = lines.iter().map(|l| l["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 20, 20, 20, 20]);
    let words: Vec<_> = lines[10..].iter().map(|l| l["status"].as_str()).collect();
    let words: Vec<_> = words.into_iter().flatten().collect();
    assert_eq!(
        words,
        ["open", "investigating", "open", "investigating", "proposed"]
    );
    let last = lines.last().unwrap();
    assert_eq!(last["location"]["file"], "shop/cart.py");
    assert_eq!(last["files"][0], "shop/cart.py");
    let numbers: Vec<_> = lines.iter().map(|l| l["seq"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    let text = fs::read_to_string(dir.path().join("incidents.jsonl")).unwrap();
    assert_eq!(lines[0]["title"], "ValueError: [custom-1]");
    assert_eq!(lines[0]["exception"]["message"], "[custom-1]");
    assert_eq!(lines[0]["reason"], "rule uncaught");
    for word in ["secret-word", "function", "\"text\""] {
        assert!(!text.contains(word), "{word} left the host");
    }
}

/// Settings that came past the registry's check, and so make no redactor.
#[test]
fn without_a_redactor_a_line_of_the_journal_has_no_text() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut settings = Settings {
        service: "shop".to_owned(),
        ..Settings::default()
    };
    settings.redact.patterns = vec!["(".to_owned()];
    store.save_settings(&settings).unwrap();
    store.record(&crash("shop", "total", 1), at(1)).unwrap();
    store.drain_journal().unwrap();
    let text = fs::read_to_string(dir.path().join("incidents.jsonl")).unwrap();
    assert!(text.contains("\"shop\""), "{text}");
    for word in ["title", "secret-word", "ValueError", "uncaught"] {
        assert!(!text.contains(word), "{word} left the host");
    }
}

#[test]
fn a_journal_that_cannot_be_written_waits_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let path = dir.path().join("incidents.jsonl");
    fs::create_dir(&path).unwrap();
    store.record(&crash("shop", "total", 1), at(1)).unwrap();
    assert_eq!(store.incidents().unwrap().len(), 1);
    assert!(store.drain_journal().is_err());
    fs::remove_dir(&path).unwrap();
    // What a crash cut off is no line and goes.
    fs::write(&path, "{\"seq\":0}\n{\"se").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    store.drain_journal().unwrap();
    let numbers: Vec<_> = journal(dir.path())
        .iter()
        .map(|l| l["seq"].clone())
        .collect();
    assert_eq!(numbers, [0, 1]);
}

#[test]
fn one_incident_has_one_worker_and_services_take_turns() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut second = open(dir.path());
    for (service, function) in [("a", "f1"), ("a", "f2"), ("a", "f3"), ("b", "f1")] {
        store.record(&crash(service, function, 0), at(0)).unwrap();
    }
    let holders = [0, 1].map(|_| Holder::new(dir.path()).unwrap());
    let mut order = Vec::new();
    for turn in 0..4 {
        let (store, holder) = match turn % 2 {
            0 => (&mut store, &holders[0]),
            _ => (&mut second, &holders[1]),
        };
        let (incident, _) = store.claim(Want::Open, holder, at(turn)).unwrap().unwrap();
        assert_eq!(incident.status, Status::Investigating);
        order.push(incident.id.0);
    }
    assert_eq!(order, [1, 4, 2, 3]);
    assert!(
        store
            .claim(Want::OpenAll, &holders[0], at(9))
            .unwrap()
            .is_none()
    );
    let held = second.claim(Want::This(IncidentId(1)), &holders[1], at(9));
    assert!(held.unwrap().is_none());
    assert_eq!(store.release_all(holders[0].name(), at(9)).unwrap(), 2);
    let again = second.claim(Want::Open, &holders[1], at(10)).unwrap();
    assert!([1, 2].contains(&again.unwrap().0.id.0));
}

#[test]
fn a_worker_whose_lease_ended_can_write_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    let id = IncidentId(1);
    let [slow, next] = [0, 1].map(|_| Holder::new(dir.path()).unwrap());
    let late = TERM.as_secs() as i64 + 1;
    let claim = |store: &mut Store, holder: &Holder, seconds| {
        store.claim(Want::Open, holder, at(seconds)).unwrap()
    };
    let (_, old) = claim(&mut store, &slow, 0).unwrap();
    assert!(claim(&mut store, &next, late - 2).is_none());
    let expired = store.finish(&old, &ending(), at(late)).unwrap_err();
    assert_eq!(expired.kind, ErrorKind::LeaseLost);
    let (_, new) = claim(&mut store, &next, late).unwrap();
    for refused in [
        store.finish(&old, &ending(), at(late)),
        store.postpone(&old, at(late), "x", at(late)),
        store.renew(&old, at(late)),
    ] {
        assert_eq!(refused.unwrap_err().kind, ErrorKind::LeaseLost);
    }
    let incident = store.incident(id).unwrap().unwrap();
    assert_eq!(
        (incident.status, incident.location),
        (Status::Investigating, None)
    );
    store.renew(&new, at(late + 100)).unwrap();
    store.finish(&new, &ending(), at(2 * late)).unwrap();
    let incident = store.incident(id).unwrap().unwrap();
    assert_eq!(incident.status, Status::Proposed);
    assert_eq!(incident.location, ending().location);
    assert_eq!(incident.proposal, ending().proposal);
    let twice = store.finish(&new, &ending(), at(2 * late)).unwrap_err();
    assert_eq!(twice.kind, ErrorKind::LeaseLost);
}

#[test]
fn services_without_a_fixer_wait_for_a_command() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let settings = Settings {
        service: "shop".into(),
        fixer: Fixer::Off,
        root: "services/shop".into(),
        ..Settings::default()
    };
    store.save_settings(&settings).unwrap();
    assert_eq!(store.settings("shop").unwrap(), Some(settings));
    assert_eq!(store.settings("other").unwrap(), None);
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    let holder = Holder::new(dir.path()).unwrap();
    assert!(store.claim(Want::Open, &holder, at(1)).unwrap().is_none());
    assert!(
        store
            .claim(Want::OpenAll, &holder, at(1))
            .unwrap()
            .is_some()
    );
}

#[test]
fn what_is_postponed_waits_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    let holder = Holder::new(dir.path()).unwrap();
    let (_, lease) = store.claim(Want::Open, &holder, at(0)).unwrap().unwrap();
    store
        .postpone(&lease, at(60), "the hour is full", at(1))
        .unwrap();
    assert!(store.claim(Want::Open, &holder, at(59)).unwrap().is_none());
    assert!(store.claim(Want::Open, &holder, at(60)).unwrap().is_some());
}

#[test]
fn status_sums_the_instances_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let day = 24 * 3600;
    for run in 0..20 {
        let counters = [("records_seen", 10), ("records_dropped", 1), ("traces", 2)];
        let now = at(run * day);
        store
            .save_counters(&format!("run{run}"), &counters, now)
            .unwrap();
    }
    let last = [("records_seen", 15), ("queue_bytes", 7)];
    store
        .save_counters("run19", &last, at(19 * day + 1))
        .unwrap();
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    drop(store);
    let report = open(dir.path()).status(at(0)).unwrap().to_json();
    assert_eq!(report["records"]["seen"], 205);
    assert_eq!(report["records"]["dropped"], 19);
    assert_eq!(report["lanes"]["fast"]["queue_bytes"], 7);
    assert_eq!(report["incidents"]["open"], 1);
    assert!(report["spend"].is_object());
}

#[test]
fn the_limit_prunes_closed_incidents_and_says_so_when_all_are_open() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        admission: incident::Limits {
            new_per_service_hour: u32::MAX,
            new_per_service_wall_hour: u32::MAX,
            ..LIMITS.admission
        },
        bytes: 4 << 20,
    };
    let mut store = Store::open(dir.path(), limits).unwrap();
    let big = |n: i64| {
        let mut signal = crash("shop", &format!("f{n}"), n);
        signal.lines = vec!["x".repeat(1_000); 100];
        signal
    };
    let full = (0..100).find_map(|n| store.record(&big(n), at(n)).err());
    let full = full.unwrap();
    assert_eq!(full.kind, ErrorKind::Full);
    assert!(full.to_string().contains("State_Limit"), "{full}");
    let holder = Holder::new(dir.path()).unwrap();
    let files = dir.path().join("incidents/1");
    fs::create_dir_all(&files).unwrap();
    fs::write(files.join("fix.patch"), "x").unwrap();
    let (done, lease) = store.claim(Want::Open, &holder, at(200)).unwrap().unwrap();
    assert_eq!(done.id, IncidentId(1));
    store.finish(&lease, &ending(), at(201)).unwrap();
    store.record(&big(300), at(300)).unwrap();
    assert!(store.incident(IncidentId(1)).unwrap().is_none());
    assert!(!files.exists(), "its files stay behind");
    drop(store);
    let size = fs::metadata(dir.path().join("autofix.db")).unwrap().len();
    assert!(size <= 4 << 20, "{size}");
}
