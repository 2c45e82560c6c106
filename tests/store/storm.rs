//! Storms: a burst of distinct faults is one parent, its children wait until it is over, and a
//! process that is killed in the middle changes nothing of that.

use super::{LIMITS, at, crash, ending};
use autofix::incident;
use autofix::model::{Incident, IncidentId, Kind, Settings, Status};
use autofix::store::{Holder, Limits, Outcome, Store, Want};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const STORMS: Limits = Limits {
    admission: incident::Limits {
        storms: true,
        ..LIMITS.admission
    },
    ..LIMITS
};

fn open(dir: &Path) -> Store {
    Store::open(dir, STORMS).unwrap()
}

/// One new fault a second, from `from` on.
fn burst(store: &mut Store, service: &str, from: i64, faults: std::ops::Range<i64>) {
    for n in faults {
        let signal = crash(service, &format!("{service}{n}"), from + n);
        let outcome = store.record(&signal, at(from + n)).unwrap();
        assert!(matches!(outcome, Outcome::New(_)), "{outcome:?}");
    }
}

/// Works on whatever may be worked on then.
fn work(store: &mut Store, dir: &Path, seconds: i64) -> Vec<Incident> {
    let holder = Holder::new(dir).unwrap();
    let mut done = Vec::new();
    while let Some((incident, lease)) = store.claim(Want::Open, &holder, at(seconds)).unwrap() {
        let mut result = ending();
        result.status = Status::Reported;
        store.finish(&lease, &result, at(seconds)).unwrap();
        done.push(incident);
    }
    done
}

#[test]
fn fifty_faults_are_one_storm_whose_children_wait_for_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    burst(&mut store, "shop", 0, 0..50);
    let all = store.incidents().unwrap();
    let parents: Vec<&Incident> = all.iter().filter(|one| one.is_storm()).collect();
    assert_eq!((all.len(), parents.len()), (51, 1));
    let parent = parents[0];
    assert_eq!(parent.kind, Kind::Rate);
    assert_eq!(parent.title, "50 new faults in 5 minutes in shop");
    assert_eq!((parent.count, parent.lines.len()), (50, 10));
    assert_eq!(parent.lines[0], "shop: ValueError: secret-word");
    let child = all.last().unwrap();
    assert_eq!(
        (child.parent, child.status),
        (Some(parent.id), Status::Open)
    );
    let says = format!("part of the storm #{}", parent.id);
    assert!(child.reason.contains(&says), "{}", child.reason);

    // The parent at once, and nothing else until five minutes after the last new fault.
    let at_once = work(&mut store, dir.path(), 60);
    assert_eq!(
        at_once.iter().map(|one| one.id).collect::<Vec<_>>(),
        [parent.id]
    );
    assert_eq!(work(&mut store, dir.path(), 348), []);
    let later = work(&mut store, dir.path(), 49 + 300);
    assert_eq!(later.len(), 50);
    assert!(later.is_sorted_by_key(|one| one.id));
    assert!(later.iter().all(|one| one.parent == Some(parent.id)));
    let state = &store.status(at(0)).unwrap().storms[0];
    assert_eq!((state.faults, state.waiting), (50, 0));
}

#[test]
fn ten_faults_are_no_storm() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    burst(&mut store, "shop", 0, 0..10);
    // An eleventh that comes when the first are five minutes old.
    burst(&mut store, "shop", 300, 10..11);
    assert!(store.incidents().unwrap().iter().all(|one| !one.is_storm()));
    assert_eq!(work(&mut store, dir.path(), 311).len(), 11);
    assert_eq!(store.status(at(0)).unwrap().storms, []);
}

#[test]
fn what_is_known_already_is_no_new_fault() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    burst(&mut store, "shop", 0, 0..9);
    for n in 0..100 {
        store.record(&crash("shop", "shop3", n), at(n)).unwrap();
    }
    assert_eq!(store.incidents().unwrap().len(), 9);
}

const STATE: &str = "AUTOFIX_STORM_TEST_STATE";

/// Makes a burst and begins with its parent, until it is killed; a run without a parent process
/// has nothing to do.
#[test]
fn as_a_child() {
    let Ok(dir) = std::env::var(STATE) else {
        return;
    };
    let dir = Path::new(&dir);
    let mut store = open(dir);
    burst(&mut store, "shop", 0, 0..30);
    let holder = Holder::new(dir).unwrap();
    let claimed = store.claim(Want::Open, &holder, at(31)).unwrap().unwrap();
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\nack {}\n", claimed.0.is_storm()).as_bytes())
        .unwrap();
    out.flush().unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn a_process_that_is_killed_in_the_middle_leaves_the_storm_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "storm::as_a_child", "--nocapture"])
        .env(STATE, dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = lines
        .map_while(Result::ok)
        .find(|line| line.starts_with("ack"));
    assert_eq!(said.as_deref(), Some("ack true"));
    child.kill().unwrap();
    child.wait().unwrap();

    let mut store = open(dir.path());
    burst(&mut store, "shop", 0, 40..60);
    let all = store.incidents().unwrap();
    assert_eq!(all.iter().filter(|one| one.is_storm()).count(), 1);
    let again = work(&mut store, dir.path(), 61);
    assert_eq!(
        again.len(),
        1,
        "the parent is taken over, its children wait"
    );
    assert!(again[0].is_storm());
    assert_eq!(work(&mut store, dir.path(), 59 + 299), []);
    assert_eq!(work(&mut store, dir.path(), 59 + 300).len(), 50);
}

#[test]
fn owners_have_storms_of_their_own_and_the_next_one_is_another_incident() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    for (service, owner) in [("shop", "web"), ("cart", "web"), ("billing", "money")] {
        let settings = Settings {
            service: service.into(),
            owner: Some(owner.into()),
            ..Settings::default()
        };
        store.save_settings(&settings).unwrap();
    }
    burst(&mut store, "billing", 0, 0..6);
    burst(&mut store, "shop", 0, 0..6);
    burst(&mut store, "cart", 0, 0..6);
    let storm = |store: &Store| -> Vec<Incident> {
        let all = store.incidents().unwrap();
        all.into_iter().filter(|one| one.is_storm()).collect()
    };
    let first = storm(&store);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].title, "12 new faults in 5 minutes in cart, shop");
    let done = work(&mut store, dir.path(), 7);
    assert_eq!(done.len(), 1 + 6, "the other owner's go on");
    burst(&mut store, "shop", 1_000, 20..40);
    let both = storm(&store);
    assert_eq!(both.len(), 2);
    assert_eq!(both[1].service, "shop");
}

#[test]
fn a_person_who_asks_does_not_wait() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    burst(&mut store, "shop", 0, 0..12);
    let holder = Holder::new(dir.path()).unwrap();
    let mut claim = |want| {
        store
            .claim(want, &holder, at(20))
            .unwrap()
            .map(|(one, _)| one)
    };
    assert!(claim(Want::OpenBeside).unwrap().is_storm());
    assert_eq!(claim(Want::OpenBeside), None);
    assert_eq!(claim(Want::This(IncidentId(2))).unwrap().id, IncidentId(2));
    assert_eq!(claim(Want::OpenAll).unwrap().id, IncidentId(1));
}
