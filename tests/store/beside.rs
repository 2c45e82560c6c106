//! What stands beside an incident: earlier ones like it, and the deploy before it.

use super::{at, crash, open};
use autofix::model::{CommitId, IncidentId};
use autofix::rate::Deploy;
use serde_json::json;

fn deploy(old: &str, new: &str) -> Deploy {
    serde_json::from_value(json!({
        "old": old, "new": new, "started": 0, "until": 0, "before": {}, "after": {},
        "new_errors": [], "verdict": "worse", "over": true, "first_alarm": false,
    }))
    .unwrap()
}

#[test]
fn earlier_incidents_are_alike_by_fault_then_by_exception_and_never_another_services() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let day = 24 * 3_600;
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    store.record(&crash("shop", "other", 10), at(10)).unwrap();
    store.record(&crash("cart", "total", 20), at(20)).unwrap();
    store
        .record(&crash("shop", "total", 3 * day), at(3 * day))
        .unwrap();
    let last = store.incident(IncidentId(4)).unwrap().unwrap();
    let alike: Vec<i64> = store
        .alike(&last)
        .unwrap()
        .iter()
        .map(|one| one.id.0)
        .collect();
    assert_eq!(alike, [1, 2]);
    let first = store.incident(IncidentId(1)).unwrap().unwrap();
    assert!(store.alike(&first).unwrap().is_empty());
}

#[test]
fn the_last_good_commit_ran_before_and_never_had_the_fault() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    let one = store.incident(IncidentId(1)).unwrap().unwrap();
    assert_eq!(store.last_good(&one).unwrap(), None, "no deploy is known");
    // The deploy names fewer digits than the record does.
    store
        .save_deploy("shop", &deploy("aaaaaaa", "01234567"), at(1))
        .unwrap();
    store
        .save_deploy("cart", &deploy("ccccccc", "01234567"), at(2))
        .unwrap();
    assert_eq!(store.last_good(&one).unwrap(), CommitId::parse("aaaaaaa"));
    let mut before = crash("shop", "total", 5);
    before.commit = CommitId::parse("aaaaaaa0000000000000000000000000000000aa");
    store.record(&before, at(6)).unwrap();
    assert_eq!(store.last_good(&one).unwrap(), None, "it had it too");
}
