//! Pull requests as the store keeps them: one row for a fault and a round, leases that fence, and
//! what the fate of a request does to the incidents of its fault.

use super::{LIMITS, at, crash, ending, journal, open};
use autofix::model::delivery::{Delivery, FileChange, Order, OutcomeKind};
use autofix::model::{CommitId, Incident, IncidentId, Status};
use autofix::store::{ErrorKind, Holder, Outcome, PullLease, PullRow, Store, TERM, Want};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

const URL: &str = "https://git.example/acme/shop/pull/7";
const OLD: &str = "0123456789abcdef0123456789abcdef01234567";
const FIXED: &str = "1111111111111111111111111111111111111111";

fn order(incident: &Incident, round: u32) -> Order {
    Order {
        incident: incident.id,
        service: incident.service.clone(),
        fingerprint: incident.fingerprint.clone(),
        round,
        branch: format!("autofix/{}-{round}", incident.service),
        base: None,
        base_commit: OLD.into(),
        files: vec![FileChange {
            path: "shop/cart.py".into(),
            mode: 0o100_644,
            content: Some(b"pass\n".to_vec()),
            exists: true,
        }],
        message: "Fix it".into(),
        title: "Fix it".into(),
        body: "It broke.".into(),
        rest: Vec::new(),
        reviewers: Vec::new(),
        labels: Vec::new(),
        draft: true,
    }
}

/// A proposal with its order for the incident that is open, as the slow lane leaves it.
fn propose(store: &mut Store, dir: &Path, round: u32, seconds: i64) -> Incident {
    let holder = Holder::new(dir).unwrap();
    let claimed = store.claim(Want::OpenAll, &holder, at(seconds)).unwrap();
    let (incident, lease) = claimed.unwrap();
    let mut end = ending();
    end.order = Some(order(&incident, round));
    store.finish(&lease, &end, at(seconds)).unwrap();
    store.incident(incident.id).unwrap().unwrap()
}

/// A fault of `shop` with a row in the store.
pub fn proposed(store: &mut Store, dir: &Path) -> Incident {
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    propose(store, dir, 0, 1)
}

/// Does one step on the row that is due.
pub fn step(store: &mut Store, holder: &Holder, seconds: i64, change: impl FnOnce(&mut PullRow)) {
    let claimed = store.claim_pull(holder, at(seconds)).unwrap();
    let (mut row, lease) = claimed.unwrap();
    change(&mut row);
    let due = Some(at(seconds + 1));
    store.save_pull(&lease, &row, due, at(seconds)).unwrap();
}

pub fn opened(row: &mut PullRow) {
    row.state = Delivery::Open;
    row.number = Some(7);
    row.url = Some(URL.into());
    row.why = "opened".into();
}

fn merged(row: &mut PullRow) {
    opened(row);
    row.state = Delivery::Merged;
    row.merged = Some(at(20));
    row.why = "merged".into();
}

fn came_back(row: &mut PullRow) {
    row.outcome = Some(OutcomeKind::CameBack);
    row.returned = 1;
    row.why = "came back".into();
}

/// The fault once more, from a commit.
fn again(store: &mut Store, commit: &str, seconds: i64) -> Outcome {
    let mut signal = crash("shop", "total", seconds);
    signal.commit = CommitId::parse(commit);
    store.record(&signal, at(seconds)).unwrap()
}

fn status(store: &Store, id: IncidentId) -> Status {
    store.incident(id).unwrap().unwrap().status
}

#[test]
fn a_second_order_of_the_same_round_joins_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let first = proposed(&mut store, dir.path());
    let later = 3 * 24 * 3_600;
    store
        .record(&crash("shop", "total", later), at(later))
        .unwrap();
    let second = propose(&mut store, dir.path(), 0, later + 1);
    assert_ne!(first.id, second.id);
    let rows = store.pulls().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].state, rows[0].incident),
        (Delivery::Making, second.id)
    );
    assert_eq!(rows[0].order, order(&first, 0), "the first order stays");
}

#[test]
fn an_order_is_not_kept_when_its_lease_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    let holder = Holder::new(dir.path()).unwrap();
    let (incident, lease) = store.claim(Want::OpenAll, &holder, at(1)).unwrap().unwrap();
    let mut end = ending();
    end.order = Some(order(&incident, 0));
    let late = at(2).plus(TERM);
    let lost = store.finish(&lease, &end, late).unwrap_err();
    assert_eq!(lost.kind, ErrorKind::LeaseLost);
    assert!(store.pulls().unwrap().is_empty());
}

#[test]
fn a_lease_of_the_living_holds_and_one_of_the_dead_is_taken_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (mut one, mut two) = (open(dir.path()), open(dir.path()));
    proposed(&mut one, dir.path());
    let (dying, other) = (
        Holder::new(dir.path()).unwrap(),
        Holder::new(dir.path()).unwrap(),
    );
    let (row, lost) = one.claim_pull(&dying, at(10)).unwrap().unwrap();
    assert_eq!(two.claim_pull(&other, at(11)).unwrap(), None);
    // Nothing is given back, as after kill -9: the lock on its file is all that goes.
    drop(dying);
    let (_, held) = two.claim_pull(&other, at(12)).unwrap().unwrap();
    let mut change = row;
    opened(&mut change);
    for refused in [
        one.save_pull(&lost, &change, None, at(13)),
        one.renew_pull(&lost, at(13)),
    ] {
        assert_eq!(refused.unwrap_err().kind, ErrorKind::LeaseLost);
    }
    assert_eq!(two.pulls().unwrap()[0].state, Delivery::Making);
    two.renew_pull(&held, at(14)).unwrap();
    two.release_pulls(other.name()).unwrap();
    assert!(one.claim_pull(&other, at(15)).unwrap().is_some());
}

#[test]
fn a_lease_ends_with_its_term_unless_it_is_renewed() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    proposed(&mut store, dir.path());
    let (slow, other) = (
        Holder::new(dir.path()).unwrap(),
        Holder::new(dir.path()).unwrap(),
    );
    let (row, lease) = store.claim_pull(&slow, at(10)).unwrap().unwrap();
    store.renew_pull(&lease, at(20)).unwrap();
    let first_end = at(11).plus(TERM);
    assert_eq!(store.claim_pull(&other, first_end).unwrap(), None);
    let end = at(20).plus(TERM);
    let late = store.save_pull(&lease, &row, None, end).unwrap_err();
    assert_eq!(late.kind, ErrorKind::LeaseLost);
    assert!(store.claim_pull(&other, end).unwrap().is_some());
}

#[test]
fn threads_that_race_work_on_each_row_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    for n in 0..40 {
        let service = ["shop", "cart"][n % 2];
        let seconds = i64::try_from(n).unwrap();
        let signal = crash(service, &format!("f{n}"), seconds);
        store.record(&signal, at(seconds)).unwrap();
        propose(&mut store, dir.path(), 0, 100 + seconds);
    }
    let start = Barrier::new(8);
    let work = || {
        let mut store = Store::open(dir.path(), LIMITS).unwrap();
        let holder = Holder::new(dir.path()).unwrap();
        start.wait();
        let mut mine = Vec::new();
        while let Some((mut row, lease)) = store.claim_pull(&holder, at(1_000)).unwrap() {
            opened(&mut row);
            store.save_pull(&lease, &row, None, at(1_000)).unwrap();
            mine.push(row.id);
        }
        mine
    };
    let mut worked: Vec<i64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    worked.sort_unstable();
    let mut all: Vec<i64> = store.pulls().unwrap().iter().map(|row| row.id).collect();
    all.sort_unstable();
    assert_eq!((worked.len(), worked), (40, all));
}

#[test]
fn services_take_turns() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    for (n, service) in ["shop", "shop", "shop", "cart"].into_iter().enumerate() {
        let seconds = i64::try_from(n).unwrap();
        store
            .record(&crash(service, &format!("f{n}"), seconds), at(seconds))
            .unwrap();
        propose(&mut store, dir.path(), 0, 10 + seconds);
    }
    let holder = Holder::new(dir.path()).unwrap();
    let claimed: Vec<(PullRow, PullLease)> = (0..4)
        .map(|_| store.claim_pull(&holder, at(100)).unwrap().unwrap())
        .collect();
    let order: Vec<&str> = claimed
        .iter()
        .map(|(row, _)| row.service.as_str())
        .collect();
    assert_eq!(order[0], "shop", "it waits longest");
    assert!(order[..2].contains(&"cart"), "{order:?}");
}

#[test]
fn the_fate_of_a_request_is_written_to_its_incidents() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let id = proposed(&mut store, dir.path()).id;
    let holder = Holder::new(dir.path()).unwrap();
    step(&mut store, &holder, 10, opened);
    let incident = store.incident(id).unwrap().unwrap();
    assert_eq!(incident.status, Status::Delivered);
    assert_eq!(incident.proposal.unwrap().pr.as_deref(), Some(URL));
    step(&mut store, &holder, 20, merged);
    assert_eq!(status(&store, id), Status::Merged);
    step(&mut store, &holder, 30, |row| {
        row.outcome = Some(OutcomeKind::Held);
        row.why = "0 in 24 h".into();
    });
    assert_eq!(status(&store, id), Status::Resolved);
    let events = store.events(id).unwrap();
    let words: Vec<&str> = events.iter().map(|event| event.what.as_str()).collect();
    assert!(
        words.ends_with(&["delivered", "merged", "resolved"]),
        "{words:?}"
    );
    let lines = journal(dir.path());
    let words: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["status"].as_str())
        .collect();
    assert!(
        words.ends_with(&["delivered", "merged", "resolved"]),
        "{words:?}"
    );
}

#[test]
fn a_closed_request_mutes_its_fault_until_that_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let incident = proposed(&mut store, dir.path());
    let holder = Holder::new(dir.path()).unwrap();
    step(&mut store, &holder, 10, opened);
    step(&mut store, &holder, 20, |row| {
        row.state = Delivery::Closed;
        row.outcome = Some(OutcomeKind::Rejected);
    });
    assert_eq!(status(&store, incident.id), Status::Rejected);
    let mutes = store.mutes(at(21)).unwrap();
    assert_eq!(mutes.len(), 1);
    assert_eq!(
        (mutes[0].fingerprint.as_ref(), mutes[0].until),
        (Some(&incident.fingerprint), None)
    );
    assert!(mutes[0].why.contains(URL), "{}", mutes[0].why);
    // Long after the window it is still the same incident, and nothing is open.
    let month = 30 * 24 * 3_600;
    assert_eq!(again(&mut store, OLD, month), Outcome::Again(incident.id));
    assert_eq!(
        store.claim(Want::OpenAll, &holder, at(month)).unwrap(),
        None
    );
    let print = Some(incident.fingerprint.as_str());
    assert!(store.unmute("shop", print, "ann", at(month)).unwrap());
    assert!(matches!(again(&mut store, OLD, month + 1), Outcome::New(_)));
}

#[test]
fn a_fault_that_came_back_is_one_new_incident() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let id = proposed(&mut store, dir.path()).id;
    let holder = Holder::new(dir.path()).unwrap();
    step(&mut store, &holder, 20, merged);
    // It was seen before anyone knew that its commit holds the fix.
    assert_eq!(again(&mut store, FIXED, 25), Outcome::Again(id));
    let row = store.pulls().unwrap().remove(0);
    let fixed = CommitId::parse(FIXED).unwrap();
    assert!(store.commits_to_judge(&row).unwrap().contains(&fixed));
    store.judge(row.id, &fixed, true).unwrap();
    assert!(!store.commits_to_judge(&row).unwrap().contains(&fixed));
    assert_eq!(store.returned(&row).unwrap().times, 1);
    step(&mut store, &holder, 30, came_back);
    step(&mut store, &holder, 40, |row| {
        row.why = "looked at again".into()
    });
    let all = store.incidents().unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!((all[1].status, all[1].previous), (Status::Open, Some(id)));
    assert!(all[1].reason.contains(URL), "{}", all[1].reason);
    assert_eq!(all[1].commit, Some(fixed));
}

#[test]
fn an_occurrence_from_a_fixed_commit_opens_the_incident_and_the_verdict_opens_no_twin() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let id = proposed(&mut store, dir.path()).id;
    let holder = Holder::new(dir.path()).unwrap();
    step(&mut store, &holder, 20, merged);
    let pull = store.pulls().unwrap()[0].id;
    store
        .judge(pull, &CommitId::parse(FIXED).unwrap(), true)
        .unwrap();
    store
        .judge(pull, &CommitId::parse(OLD).unwrap(), false)
        .unwrap();
    assert_eq!(again(&mut store, OLD, 25), Outcome::Again(id));
    let new = IncidentId(id.0 + 1);
    assert_eq!(again(&mut store, FIXED, 26), Outcome::New(new));
    assert_eq!(again(&mut store, FIXED, 27), Outcome::Again(new));
    step(&mut store, &holder, 30, came_back);
    assert_eq!(store.incidents().unwrap().len(), 2);
}

#[test]
fn the_fix_of_an_earlier_round_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let one = proposed(&mut store, dir.path()).id;
    let holder = Holder::new(dir.path()).unwrap();
    step(&mut store, &holder, 20, merged);
    let first = store.pulls().unwrap()[0].id;
    store
        .judge(first, &CommitId::parse(FIXED).unwrap(), true)
        .unwrap();
    let Outcome::New(second) = again(&mut store, FIXED, 25) else {
        panic!("it came back");
    };
    let back = store.claim_pull(&holder, at(30)).unwrap().unwrap();
    let mut row = back.0;
    came_back(&mut row);
    store.save_pull(&back.1, &row, None, at(30)).unwrap();
    propose(&mut store, dir.path(), 1, 40);
    step(&mut store, &holder, 45, |row| {
        opened(row);
        row.url = Some("https://git.example/acme/shop/pull/8".into());
    });
    let first_one = store.incident(one).unwrap().unwrap();
    assert_eq!(first_one.status, Status::Merged, "it is the first round's");
    assert_eq!(first_one.proposal.unwrap().pr.as_deref(), Some(URL));
    step(&mut store, &holder, 50, merged);
    assert_eq!(store.rounds("shop", &row.fingerprint).unwrap().len(), 2);
    assert_eq!(status(&store, second), Status::Merged);
    // The second fix is merged and not deployed: what runs still holds only the first.
    assert_eq!(again(&mut store, FIXED, 60), Outcome::Again(second));
}

#[test]
fn the_newest_fifty_commits_of_a_service_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    proposed(&mut store, dir.path());
    let row = store.pulls().unwrap().remove(0);
    let id = |n: i64| CommitId::parse(&format!("{n:040x}")).unwrap();
    for n in 0..60 {
        store.note_running("shop", &id(n), at(n), at(n)).unwrap();
    }
    let known = store.commits_to_judge(&row).unwrap();
    assert_eq!(known.len(), 51, "fifty that run, and the occurrence's");
    assert!(!known.contains(&id(9)) && known.contains(&id(10)));
    store.note_running("shop", &id(59), at(5), at(90)).unwrap();
    store.judge(row.id, &id(59), true).unwrap();
    let running = store.fix_running(&row).unwrap().unwrap();
    assert_eq!((running.first, running.last), (at(5), at(90)));
}

#[test]
fn a_store_of_the_version_before_is_brought_up_with_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    drop(store);
    let raw = Connection::open(dir.path().join("autofix.db")).unwrap();
    raw.execute_batch(
        "DROP TABLE fixed_in; DROP TABLE pulls; DROP TABLE running; DROP TABLE mutes;
         DROP TABLE notices; DROP TABLE notified;
         DROP TABLE facts; DROP TABLE watched; DROP TABLE releases; DROP TABLE actions;
         DROP TABLE act_counts; DROP TABLE audit; DROP TABLE audit_left_out;
         PRAGMA user_version = 6;",
    )
    .unwrap();
    drop(raw);
    let mut store = open(dir.path());
    assert_eq!(store.incidents().unwrap().len(), 1);
    propose(&mut store, dir.path(), 0, 10);
    let counts: BTreeMap<i64, Delivery> = store
        .pulls()
        .unwrap()
        .iter()
        .map(|row| (row.id, row.state))
        .collect();
    assert_eq!(counts, BTreeMap::from([(1, Delivery::Making)]));
}
