//! What is kept over a restart: learnt state and deploy verdicts in the store, and what leaves
//! the host of them.

use autofix::model::{CommitId, Facets, SmallText, TemplateId, Timestamp};
use autofix::rate::{Deploy, Entry, NewError, Tally, Verdict};
use autofix::store::{ErrorKind, Learnt, Limits, Store};
use serde_json::Value;

fn limits(bytes: u64) -> Limits {
    Limits {
        bytes,
        ..autofix::app::look::limits()
    }
}

fn learnt(service: &str, size: usize) -> Learnt {
    Learnt {
        service: service.to_owned(),
        templates: "t".repeat(size),
        book: "{}".to_owned(),
    }
}

#[test]
fn learnt_state_is_kept_per_service_and_the_oldest_gives_way() {
    let folder = tempfile::tempdir().unwrap();
    // An eighth of it, 512 KB, is for learnt state.
    let mut store = Store::open(folder.path(), limits(4 << 20)).unwrap();
    for (at, service) in ["a", "b", "c"].into_iter().enumerate() {
        let state = learnt(service, 200_000);
        store.save_learnt(&state, Timestamp(at as i64)).unwrap();
    }
    let names = |store: &Store| -> Vec<String> {
        let all = store.learnt().unwrap();
        all.into_iter().map(|learnt| learnt.service).collect()
    };
    assert_eq!(names(&store), ["b", "c"]);
    // Written again, although by a clock that went back.
    store
        .save_learnt(&learnt("a", 200_000), Timestamp(-5))
        .unwrap();
    assert_eq!(names(&store), ["a", "c"]);
    let large = store.save_learnt(&learnt("d", 600_000), Timestamp(9));
    assert_eq!(large.unwrap_err().kind, ErrorKind::Full);
    assert_eq!(names(&store), ["a", "c"]);
}

fn deploy(new: &str, verdict: Verdict) -> Deploy {
    Deploy {
        old: CommitId::parse("aaaaaaa").unwrap(),
        new: CommitId::parse(new).unwrap(),
        started: 1_700_000_000_000_000_000,
        until: 1_700_000_600_000_000_000,
        before: Tally {
            records: 1_000,
            errors: 10,
            ..Tally::default()
        },
        after: Tally {
            records: 500,
            errors: 50,
            ..Tally::default()
        },
        new_errors: vec![NewError {
            entry: Entry {
                template: TemplateId::new(0xabc),
                facets: Facets {
                    result: SmallText::new("hunter2"),
                    ..Facets::default()
                },
            },
            count: 40,
        }],
        verdict,
        over: false,
        first_alarm: true,
    }
}

#[test]
fn verdicts_are_shown_and_told_without_log_text() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), limits(64 << 20)).unwrap();
    let now = Timestamp::from_parts(1_700_000_700, 0);
    let mut word = deploy("bbbbbbb", Verdict::Worse);
    store.save_deploy("shop", &word, now).unwrap();
    word.over = true;
    store.save_deploy("shop", &word, now).unwrap();
    let status = store.status(Timestamp(0)).unwrap();
    assert_eq!(status.deploys.len(), 1, "one for a pair of commits");
    let json = status.to_json();
    let shown = &json["deploys"][0];
    assert_eq!(shown["service"], "shop");
    assert_eq!(shown["verdict"], "worse");
    assert_eq!(shown["over"], true);
    assert_eq!(shown["after"]["errors"], 50);
    assert_eq!(shown["new_errors"][0]["template"], "000000000abc");

    let text = std::fs::read_to_string(folder.path().join("incidents.jsonl")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert!(text.starts_with("{\"seq\":"));
    assert_eq!(lines[0]["event"], "deploy");
    assert_eq!(lines[0]["new"], "bbbbbbb");
    assert_eq!(lines[0]["new_errors"][0]["count"], 40);
    assert!(!text.contains("hunter2"), "values come out of the log");
}

#[test]
fn verdicts_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), limits(64 << 20)).unwrap();
    for nth in 0..30u32 {
        let word = deploy(&format!("{nth:07x}"), Verdict::Same);
        store
            .save_deploy("shop", &word, Timestamp(i64::from(nth)))
            .unwrap();
    }
    let shown = store.status(Timestamp(0)).unwrap().deploys;
    assert_eq!(shown.len(), 20);
    assert_eq!(shown[0].1.new.as_str(), "000001d", "the newest first");
}
