//! Mutes: what somebody wants left alone is counted, and nothing else comes of it.

use super::{at, crash, ending, open};
use autofix::model::{IncidentId, Status};
use autofix::store::{ErrorKind, Holder, Mute, Outcome, Want};

fn mute(fingerprint: Option<&str>, until: Option<i64>) -> Mute {
    Mute {
        service: "shop".into(),
        fingerprint: fingerprint.map(str::to_owned),
        until: until.map(at),
        who: "ann".into(),
        why: "known".into(),
        made: at(10),
    }
}

#[test]
fn a_muted_fault_is_counted_in_its_incident_and_its_end_makes_the_next_one_news() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    let one = store.incident(IncidentId(1)).unwrap().unwrap();
    let word = mute(Some(&one.fingerprint), Some(100));
    assert_eq!(store.mute(&word, at(10)).unwrap(), 1);
    assert_eq!(store.mutes(at(11)).unwrap(), [word]);
    let again = store.record(&crash("shop", "total", 50), at(50)).unwrap();
    assert_eq!(again, Outcome::Again(one.id));
    let other = store.record(&crash("shop", "other", 51), at(51)).unwrap();
    assert_eq!(
        other,
        Outcome::New(IncidentId(2)),
        "another fault is not muted"
    );
    store.end_mutes(at(99)).unwrap();
    let now = store.incident(one.id).unwrap().unwrap();
    assert_eq!((now.status, now.count), (Status::Muted, 2));
    store.end_mutes(at(100)).unwrap();
    assert!(store.mutes(at(100)).unwrap().is_empty());
    let now = store.incident(one.id).unwrap().unwrap();
    assert_eq!(now.status, Status::Resolved);
    let next = store.record(&crash("shop", "total", 101), at(101)).unwrap();
    assert_eq!(next, Outcome::New(IncidentId(3)));
}

#[test]
fn an_end_that_nobody_wrote_down_yet_holds_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    store.mute(&mute(None, Some(100)), at(10)).unwrap();
    let next = store.record(&crash("shop", "total", 101), at(101)).unwrap();
    assert_eq!(next, Outcome::New(IncidentId(2)));
}

#[test]
fn a_muted_service_has_one_muted_incident_of_each_fault_and_no_work() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.mute(&mute(None, None), at(10)).unwrap();
    let holder = Holder::new(dir.path()).unwrap();
    let far = 99 * 24 * 3_600;
    for (function, seconds) in [("total", 20), ("other", 21), ("total", far)] {
        store
            .record(&crash("shop", function, seconds), at(seconds))
            .unwrap();
    }
    let all = store.incidents().unwrap();
    let seen: Vec<_> = all.iter().map(|one| (one.status, one.count)).collect();
    assert_eq!(seen, [(Status::Muted, 2), (Status::Muted, 1)]);
    assert_eq!(store.claim(Want::OpenAll, &holder, at(far)).unwrap(), None);
    store.record(&crash("cart", "total", far), at(far)).unwrap();
    assert!(
        store
            .claim(Want::OpenAll, &holder, at(far))
            .unwrap()
            .is_some()
    );
}

#[test]
fn what_is_worked_on_when_it_is_muted_delivers_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    let holder = Holder::new(dir.path()).unwrap();
    let (_, lease) = store.claim(Want::Open, &holder, at(1)).unwrap().unwrap();
    store.mute(&mute(None, None), at(10)).unwrap();
    let late = store.finish(&lease, &ending(), at(11)).unwrap_err();
    assert_eq!(late.kind, ErrorKind::LeaseLost);
    let one = store.incident(IncidentId(1)).unwrap().unwrap();
    assert_eq!((one.status, one.proposal), (Status::Muted, None));
}

#[test]
fn taking_back_one_word_leaves_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    let print = store.incident(IncidentId(1)).unwrap().unwrap().fingerprint;
    store.mute(&mute(Some(&print), None), at(10)).unwrap();
    store.mute(&mute(None, None), at(11)).unwrap();
    let status =
        |store: &autofix::store::Store| store.incident(IncidentId(1)).unwrap().unwrap().status;
    assert!(store.unmute("shop", None, "ann", at(12)).unwrap());
    assert_eq!(status(&store), Status::Muted);
    assert!(store.unmute("shop", Some(&print), "ann", at(13)).unwrap());
    assert_eq!(status(&store), Status::Resolved);
    assert!(!store.unmute("shop", Some(&print), "ann", at(14)).unwrap());
}

#[test]
fn no_request_is_opened_for_a_muted_fault_and_an_open_one_is_watched_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    super::pulls::proposed(&mut store, dir.path());
    let holder = Holder::new(dir.path()).unwrap();
    store.mute(&mute(None, Some(100)), at(10)).unwrap();
    assert_eq!(store.claim_pull(&holder, at(99)).unwrap(), None);
    // Its time is over, and the request is opened.
    super::pulls::step(&mut store, &holder, 100, super::pulls::opened);
    store.mute(&mute(None, None), at(110)).unwrap();
    assert!(store.claim_pull(&holder, at(120)).unwrap().is_some());
}
