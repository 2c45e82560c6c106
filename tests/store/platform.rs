//! What a platform tells and what the log tells of the same end are one incident in the store.

use super::{at, crash, ending, open};
use autofix::incident::platform::signal_of;
use autofix::model::recovery::{Fact, FactKind};
use autofix::model::{Incident, IncidentId, Kind};
use autofix::store::{Holder, Outcome, Store, Want};

fn fact(kind: FactKind, seconds: i64) -> Fact {
    Fact {
        service: "shop".to_owned(),
        kind,
        instance: "web-1".to_owned(),
        at: at(seconds),
        release: Some("v42".to_owned()),
        text: "exit status 1".to_owned(),
        asked: false,
    }
}

fn opened(store: &mut Store, seconds: i64) -> IncidentId {
    let signal = signal_of(&fact(FactKind::Crash, seconds));
    match store.record(&signal, at(seconds)).unwrap() {
        Outcome::New(id) => id,
        other => panic!("{other:?}"),
    }
}

fn history(store: &Store, id: IncidentId) -> Vec<String> {
    let all = store.events(id).unwrap().into_iter();
    all.filter(|event| event.what == "platform")
        .map(|event| event.detail)
        .collect()
}

#[test]
fn a_fact_is_noted_where_the_log_told_of_the_same_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("cart", "total", 0), at(0)).unwrap();
    let crashed = fact(FactKind::Crash, 30);
    assert_eq!(store.note_fact(&crashed, 1, at(30)).unwrap(), None);
    let Outcome::New(id) = store.record(&crash("shop", "total", 0), at(0)).unwrap() else {
        panic!();
    };
    assert_eq!(store.note_fact(&crashed, 3, at(30)).unwrap(), Some(id));
    assert_eq!(
        store
            .note_fact(&fact(FactKind::Crash, 61), 1, at(61))
            .unwrap(),
        None
    );
    let told = "the platform reports: exit status 1, instance web-1, release v42, at \
                2025-06-15T15:07:10Z, 3 times";
    assert_eq!(history(&store, id), [told]);
}

#[test]
fn the_log_takes_over_what_the_platforms_word_opened() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let id = opened(&mut store, 0);
    let signal = crash("shop", "total", 59);
    assert_eq!(store.record(&signal, at(60)).unwrap(), Outcome::Again(id));
    let all = store.incidents().unwrap();
    let [one]: &[Incident] = &all else {
        panic!("{all:#?}")
    };
    assert_eq!((one.id, one.kind, one.count), (id, Kind::Crash, 1));
    assert_eq!(
        (one.title.as_str(), &one.watch),
        ("ValueError: secret-word", &None)
    );
    assert_eq!((one.first_seen, one.last_seen), (at(0), at(59)));
    assert!(one.trace.is_some() && one.commit.is_some());
    assert_eq!(history(&store, id).len(), 1);
    // From here on it is the fault of the log.
    assert_eq!(
        store.record(&crash("shop", "total", 900), at(900)).unwrap(),
        Outcome::Again(id)
    );
    assert_eq!(store.incidents().unwrap()[0].count, 2);
    let other = opened(&mut store, 901);
    assert_ne!(other, id);
}

#[test]
fn what_is_worked_on_and_what_is_further_away_stays_apart() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    opened(&mut store, 0);
    let late = store.record(&crash("shop", "late", 61), at(61)).unwrap();
    assert!(matches!(late, Outcome::New(_)), "{late:?}");
    let other = store.record(&crash("cart", "total", 1), at(62)).unwrap();
    assert!(matches!(other, Outcome::New(_)), "{other:?}");

    let holder = Holder::new(dir.path()).unwrap();
    let claimed = store.claim(Want::Open, &holder, at(70)).unwrap();
    let (first, lease) = claimed.unwrap();
    assert_eq!(first.kind, Kind::Exit);
    store.finish(&lease, &ending(), at(71)).unwrap();
    let after = store.record(&crash("shop", "total", 2), at(72)).unwrap();
    assert!(matches!(after, Outcome::New(_)), "{after:?}");
}
