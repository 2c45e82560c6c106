//! Money: booked at its most, corrected afterwards, and never more than the limits, however many
//! spend at once and however they end.

use super::crash::{acks, child};
use super::{at, crash, open};
use autofix::model::service::{Budget, Usd};
use autofix::model::{Incident, IncidentId, Status, Timestamp};
use autofix::store::{
    Booked, Booking, Ending, ErrorKind, Holder, Lease, OverBudget, Store, Tokens, Want,
};
use std::time::Duration;

const DAY: i64 = 24 * 3_600;

fn call(service: &str, most: Usd) -> Booking<'_> {
    Booking {
        service,
        owner: "payments",
        model: "m",
        most,
        tokens: Tokens {
            input: 1_000,
            output: 100,
            ..Tokens::default()
        },
        within: Duration::from_secs(60),
    }
}

/// A dollar of the ten of a day.
pub fn book(
    store: &mut Store,
    incident: &Incident,
    lease: &Lease,
    now: Timestamp,
) -> Result<Booked, OverBudget> {
    let call = call(&incident.service, Usd::dollars(1));
    store.book(lease, &call, Budget::default(), now).unwrap()
}

fn claimed(store: &mut Store, dir: &std::path::Path) -> (Incident, Lease, Holder) {
    let holder = Holder::new(dir).unwrap();
    let (incident, lease) = store.claim(Want::Open, &holder, at(100)).unwrap().unwrap();
    (incident, lease, holder)
}

#[test]
fn a_call_counts_at_its_most_until_it_is_settled() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(1)).unwrap();
    let (incident, lease, _holder) = claimed(&mut store, dir.path());
    let booked = book(&mut store, &incident, &lease, at(101)).unwrap();
    let spent = store.spent_on(incident.id).unwrap();
    assert_eq!(
        (spent.usd, spent.tokens, spent.calls),
        (Usd::dollars(1), 1_100, 1)
    );
    let used = Tokens {
        input: 10,
        cache_read: 5,
        ..Tokens::default()
    };
    let said = ["{\"said\":1}".to_owned()];
    store
        .settle(&lease, booked, (used, Usd(40)), &said, at(102))
        .unwrap();
    let spent = store.spent_on(incident.id).unwrap();
    assert_eq!((spent.usd, spent.tokens, spent.calls), (Usd(40), 15, 1));
    assert_eq!(store.conversation(incident.id).unwrap(), said);
    store.keep(&lease, &["2".to_owned()], at(103)).unwrap();
    assert_eq!(store.conversation(incident.id).unwrap().len(), 2);
    store.forget_conversation(&lease, at(104)).unwrap();
    assert!(store.conversation(incident.id).unwrap().is_empty());
    let report = store.status(at(105)).unwrap();
    assert_eq!(report.today, [("payments".into(), "shop".into(), spent)]);
    assert_eq!(report.to_json()["spend"]["usd"], 0.00004);
    assert!(store.status(at(2 * DAY)).unwrap().today.is_empty());
}

#[test]
fn a_conversation_that_is_over_goes_with_its_result_and_one_that_broke_off_stays() {
    let (opened, closed) = ("{\"entry\":\"opened\"}", "{\"entry\":\"closed\"}");
    for (entries, status, left) in [
        (vec![opened, closed], Status::Proposed, 0),
        (vec![opened], Status::Reported, 1),
        // What does not come from us harms nobody.
        (vec![opened, "no JSON"], Status::Reported, 2),
        // No result yet: the diff waits for another hour.
        (vec![opened, closed], Status::Open, 2),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path());
        store.record(&crash("shop", "total", 0), at(1)).unwrap();
        let (incident, lease, _holder) = claimed(&mut store, dir.path());
        let entries: Vec<String> = entries.into_iter().map(str::to_owned).collect();
        store.keep(&lease, &entries, at(101)).unwrap();
        let ending = Ending {
            status,
            reason: "as it came".into(),
            location: None,
            proposal: None,
            order: None,
        };
        store.finish(&lease, &ending, at(102)).unwrap();
        let kept = store.conversation(incident.id).unwrap();
        assert_eq!(kept.len(), left, "{entries:?} {status:?}");
    }
}

#[test]
fn an_incident_gets_a_fifth_of_the_day_and_a_free_call_is_always_free() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(1)).unwrap();
    let (incident, lease, _holder) = claimed(&mut store, dir.path());
    for _ in 0..2 {
        book(&mut store, &incident, &lease, at(101)).unwrap();
    }
    let over = book(&mut store, &incident, &lease, at(101)).unwrap_err();
    assert_eq!(over, OverBudget::Incident(Usd::dollars(2), Usd::dollars(2)));
    // Of its share, over all days.
    assert!(book(&mut store, &incident, &lease, at(102)).is_err());
    let left = store.left_for(incident.id, "payments", "shop", Budget::default(), at(103));
    assert_eq!(left.unwrap(), Usd(0));
    let free = call("shop", Usd(0));
    let booked = store
        .book(&lease, &free, Budget::default(), at(104))
        .unwrap();
    assert!(booked.is_ok());
}

#[test]
fn the_last_fifth_is_kept_for_services_that_spent_nothing_today() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let budget = Budget::default();
    let day = |n: i64| at(n * DAY);
    for n in 0..6 {
        store
            .record(&crash("busy", &format!("f{n}"), n), at(1))
            .unwrap();
    }
    store.record(&crash("calm", "total", 9), at(1)).unwrap();
    store.record(&crash("calm", "other", 9), at(1)).unwrap();
    let holder = Holder::new(dir.path()).unwrap();
    let spend = |store: &mut Store, id: i64, calls: &[u64], now| -> Option<OverBudget> {
        let (incident, lease) = store
            .claim(Want::This(IncidentId(id)), &holder, now)
            .unwrap()
            .unwrap();
        for dollars in calls {
            let call = call(&incident.service, Usd::dollars(*dollars));
            if let Err(over) = store.book(&lease, &call, budget, now).unwrap() {
                return Some(over);
            }
        }
        None
    };
    for id in 1..=4 {
        assert_eq!(spend(&mut store, id, &[2], day(1)), None, "{id}");
    }
    let eight = Usd::dollars(8);
    let kept = OverBudget::Kept(eight, Usd::dollars(10));
    assert_eq!(spend(&mut store, 5, &[2], day(1)), Some(kept));
    // The calm service may have the rest for its incident, call after call.
    assert_eq!(spend(&mut store, 7, &[1, 1], day(1)), None);
    let ten = Usd::dollars(10);
    let over = Some(OverBudget::Day(ten, ten));
    assert_eq!(spend(&mut store, 8, &[1], day(1)), over);
    // Tomorrow is another day.
    assert_eq!(spend(&mut store, 5, &[2], day(2)), None);
}

#[test]
fn two_owners_do_not_pay_for_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("a", "f", 0), at(1)).unwrap();
    store.record(&crash("b", "f", 0), at(1)).unwrap();
    let holder = Holder::new(dir.path()).unwrap();
    let budget = Budget {
        per_day: Usd::dollars(5),
        ..Budget::default()
    };
    for (id, owner) in [(1, "one"), (2, "two")] {
        let (_, lease) = store
            .claim(Want::This(IncidentId(id)), &holder, at(100))
            .unwrap()
            .unwrap();
        let mut call = call("s", Usd::dollars(1));
        call.owner = owner;
        assert!(store.book(&lease, &call, budget, at(101)).unwrap().is_ok());
    }
}

#[test]
fn a_lost_lease_books_nothing_but_what_was_paid_is_corrected() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(1)).unwrap();
    let (incident, lease, holder) = claimed(&mut store, dir.path());
    let booked = book(&mut store, &incident, &lease, at(101)).unwrap();
    drop(holder);
    let other = Holder::new(dir.path()).unwrap();
    store.claim(Want::Open, &other, at(200)).unwrap().unwrap();
    let said = ["late".to_owned()];
    let late = store.settle(&lease, booked, (Tokens::default(), Usd(7)), &said, at(201));
    assert_eq!(late.unwrap_err().kind, ErrorKind::LeaseLost);
    assert_eq!(store.spent_on(incident.id).unwrap().usd, Usd(7));
    assert!(store.conversation(incident.id).unwrap().is_empty());
    let call = call("shop", Usd(1));
    let again = store.book(&lease, &call, Budget::default(), at(202));
    assert_eq!(again.unwrap_err().kind, ErrorKind::LeaseLost);
}

#[test]
fn processes_that_spend_at_once_and_are_killed_stay_within_the_limits() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    for n in 0..8 {
        let service = format!("s{n}");
        store.record(&crash(&service, "f", n), at(1)).unwrap();
    }
    let mut children: Vec<_> = (0..8).map(|_| child("spend", dir.path())).collect();
    for one in &mut children {
        // Each got at least as far as its first call, or was refused it.
        let _ = acks(one).next();
    }
    std::thread::sleep(Duration::from_millis(50));
    for one in &mut children {
        one.kill().unwrap();
        one.wait().unwrap();
    }
    let all: u64 = store
        .spent_today(at(101))
        .unwrap()
        .iter()
        .map(|(_, _, spent)| spent.usd.0)
        .sum();
    // Nothing was settled, so each call counts as a dollar.
    assert!((5_000_000..=10_000_000).contains(&all), "{all}");
    for id in 1..=8 {
        assert!(store.spent_on(IncidentId(id)).unwrap().usd <= Usd::dollars(2));
    }
}
