//! `autofix mute`, `unmute` and `outcomes`: what a person says, and the scorecard.

use crate::place::Place;
use autofix::app::look::limits;
use autofix::model::delivery::{Delivery, Order, OutcomeKind};
use autofix::model::{Incident, Kind, Proposal, Signal, Status, Timestamp};
use autofix::store::{Ending, Holder, Store, Want};
use serde_json::{Value, json};
use std::path::Path;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_parts(1_750_000_000 + seconds, 0)
}

fn record(store: &mut Store, service: &str, title: &str) {
    let signal = Signal {
        kind: Kind::Exit,
        service: service.into(),
        stream: "s".into(),
        container: None,
        time: at(0),
        last: at(0),
        title: title.into(),
        reason: "it ended".into(),
        watch: None,
        trace: None,
        lines: Vec::new(),
        context: Vec::new(),
        commit: None,
    };
    store.record(&signal, at(0)).unwrap();
}

fn order(incident: &Incident) -> Order {
    Order {
        incident: incident.id,
        service: incident.service.clone(),
        fingerprint: incident.fingerprint.clone(),
        round: 0,
        branch: format!("autofix/{}", incident.id),
        base: None,
        base_commit: "a".repeat(40),
        files: Vec::new(),
        message: String::new(),
        title: String::new(),
        body: String::new(),
        rest: Vec::new(),
        reviewers: Vec::new(),
        labels: Vec::new(),
        draft: true,
    }
}

/// A fix of the next open incident, and its fate.
fn fixed(
    store: &mut Store,
    dir: &Path,
    fixer: &str,
    state: Delivery,
    outcome: Option<OutcomeKind>,
) {
    let holder = Holder::new(dir).unwrap();
    let (incident, lease) = store
        .claim(Want::OpenAll, &holder, at(10))
        .unwrap()
        .unwrap();
    let end = Ending {
        status: Status::Proposed,
        reason: "found".into(),
        location: None,
        proposal: Some(Proposal {
            fixer: fixer.into(),
            patch: "/p".into(),
            files: Vec::new(),
            pr: None,
        }),
        order: Some(order(&incident)),
    };
    store.finish(&lease, &end, at(11)).unwrap();
    let (mut row, lease) = store.claim_pull(&holder, at(12)).unwrap().unwrap();
    row.state = state;
    row.outcome = outcome;
    row.url = Some(format!("https://git.example/pull/{}", incident.id));
    row.opened = Some(at(12));
    row.merged = (state == Delivery::Merged).then(|| at(13));
    store.save_pull(&lease, &row, None, at(14)).unwrap();
}

#[test]
fn the_scorecard_counts_by_service_and_fixer() {
    use Delivery::{Closed, Merged, Open};
    let place = Place::new();
    let dir = place.path("state");
    let mut store = Store::open(&dir, limits()).unwrap();
    for (service, fixer, state, outcome) in [
        ("shop", "revert", Merged, Some(OutcomeKind::Held)),
        ("shop", "anthropic", Merged, Some(OutcomeKind::CameBack)),
        ("shop", "revert", Closed, Some(OutcomeKind::Rejected)),
        ("cart", "revert", Open, None),
    ] {
        record(
            &mut store,
            service,
            &format!("{fixer} {} ended", state.word()),
        );
        fixed(&mut store, &dir, fixer, state, outcome);
        // What came back is open again, and not the next one that is fixed here.
        let holder = Holder::new(&dir).unwrap();
        if let Some((_, lease)) = store.claim(Want::OpenAll, &holder, at(15)).unwrap() {
            let end = Ending {
                status: Status::Reported,
                reason: "no fix".into(),
                location: None,
                proposal: None,
                order: None,
            };
            store.finish(&lease, &end, at(16)).unwrap();
        }
    }
    drop(store);
    let state = dir.to_str().unwrap();
    let ran = place.run(&["outcomes", "--json", "--state", state]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let card: Value = serde_json::from_str(&ran.out).unwrap();
    let tally = |proposed: u64, merged: u64, held: u64, back: u64, rejected: u64| {
        json!({"proposed": proposed, "opened": proposed, "merged": merged, "held": held,
            "came_back": back, "rejected": rejected, "theirs": 0})
    };
    assert_eq!(card["all"], tally(4, 2, 1, 1, 1));
    assert_eq!(card["services"]["shop"], tally(3, 2, 1, 1, 1));
    assert_eq!(card["services"]["cart"], tally(1, 0, 0, 0, 0));
    assert_eq!(card["fixers"]["revert"], tally(3, 1, 1, 0, 1));
    assert_eq!(card["fixers"]["anthropic"], tally(1, 1, 0, 1, 0));
    assert_eq!(card["newest"][0]["service"], "cart");
    let ran = place.run(&["outcomes", "--json", "--service", "cart", "--state", state]);
    let card: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(card["all"], tally(1, 0, 0, 0, 0));
    let ran = place.run(&["outcomes", "--state", state]);
    assert!(ran.out.contains("merged 2 (50 %)"), "{}", ran.out);
}

#[test]
fn mutes_are_made_listed_and_taken_back() {
    let place = Place::new();
    let dir = place.path("state");
    let mut store = Store::open(&dir, limits()).unwrap();
    record(&mut store, "shop", "it ended with 1");
    drop(store);
    let state = dir.to_str().unwrap();
    let run = |arguments: &[&str]| place.run(&[arguments, &["--state", state]].concat());
    for wrong in ["9", "nobody"] {
        assert_eq!(run(&["mute", wrong]).status, 2, "{wrong}");
    }
    assert_eq!(run(&["mute", "1", "--for", "soon"]).status, 2);
    assert_eq!(run(&["unmute", "1"]).status, 2, "it was not muted");
    let ran = run(&[
        "mute", "#1", "--for", "7d", "--who", "ann", "--why", "known", "--json",
    ]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let mute: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&mute["who"], &mute["why"]),
        (&json!("ann"), &json!("known"))
    );
    assert!(mute["until"].is_string(), "{mute}");
    let status = run(&["status"]);
    assert!(status.out.contains("by ann: known"), "{}", status.out);
    assert_eq!(run(&["unmute", "1"]).status, 0);
    assert!(!run(&["status"]).out.contains("by ann"));
    assert_eq!(run(&["mute", "shop"]).status, 0);
    assert!(
        run(&["status"])
            .out
            .contains("all of shop: muted until it is taken back")
    );
}
