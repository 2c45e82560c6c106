//! Processes that are killed and processes that compete: this binary, asked for one test by its
//! exact name, is the child. The kill is a real SIGKILL.

use super::{at, crash, ending, journal, open};
use autofix::model::{IncidentId, Status};
use autofix::store::{Holder, Want};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ROLE: &str = "AUTOFIX_STORE_TEST_ROLE";
const STATE: &str = "AUTOFIX_STORE_TEST_STATE";

pub fn child(role: &str, dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::as_a_child",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ROLE, role)
        .env(STATE, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Does what its parent asked for, until it is killed; a run without a parent has nothing to do.
#[test]
fn as_a_child() {
    let (Ok(role), Ok(dir)) = (std::env::var(ROLE), std::env::var(STATE)) else {
        return;
    };
    let mut store = open(Path::new(&dir));
    let say = |line: String| {
        let mut out = std::io::stdout().lock();
        out.write_all(format!("\n{line}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    };
    match role.as_str() {
        "write" => {
            // Fifty faults, in turn, for as long as it lives; what was acknowledged is said.
            for n in 0i64.. {
                let function = format!("f{}", n % 50);
                let outcome = store.record(&crash("shop", &function, n), at(n)).unwrap();
                say(format!("ack {function} {outcome:?}"));
            }
        }
        "hold" => {
            let holder = Holder::new(Path::new(&dir)).unwrap();
            let taken = store.claim(Want::Open, &holder, at(100)).unwrap();
            say(format!("ack {}", taken.unwrap().0.id));
            loop {
                std::thread::park();
            }
        }
        "spend" => {
            // Books calls of a dollar until it may not; whether it settles them is up to the kill.
            let holder = Holder::new(Path::new(&dir)).unwrap();
            let taken = store.claim(Want::Open, &holder, at(100)).unwrap();
            let (incident, lease) = taken.unwrap();
            while let Ok(booked) = super::spend::book(&mut store, &incident, &lease, at(101)) {
                say(format!("ack {booked:?}"));
            }
            say("ack done".into());
            loop {
                std::thread::park();
            }
        }
        "compete" => {
            let holder = Holder::new(Path::new(&dir)).unwrap();
            while let Some((incident, lease)) = store.claim(Want::Open, &holder, at(100)).unwrap() {
                store.finish(&lease, &ending(), at(101)).unwrap();
                say(format!("ack {}", incident.id));
            }
            say("done".into());
        }
        other => panic!("no role {other}"),
    }
}

pub fn acks(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let out = BufReader::new(child.stdout.take().unwrap());
    out.lines()
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("ack ").map(str::to_owned))
}

#[test]
fn killed_while_writing_nothing_acknowledged_is_lost_and_nothing_doubled() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0u64;
    let mut started = 0u64;
    for round in 0..8 {
        let mut child = child("write", dir.path());
        started += 1;
        let wanted = 20 + round * 37;
        let mut lines = acks(&mut child);
        let seen = lines.by_ref().take(wanted).count();
        assert_eq!(seen, wanted, "the child ended early");
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died but was not read yet was acknowledged too.
        acknowledged += (seen + lines.count()) as u64;
    }
    let store = open(dir.path());
    let incidents = store.incidents().unwrap();
    let mut prints: Vec<_> = incidents.iter().map(|i| i.fingerprint.clone()).collect();
    prints.sort();
    prints.dedup();
    assert_eq!(prints.len(), incidents.len(), "a fault was doubled");
    assert_eq!(incidents.len(), 50);
    let total: u64 = incidents.iter().map(|i| i.count).sum();
    // At most one commit of each child was not said yet.
    assert!(
        (acknowledged..=acknowledged + started).contains(&total),
        "{acknowledged} acknowledged, {total} kept"
    );
    let mut announced: Vec<i64> = journal(dir.path())
        .iter()
        .map(|line| line["id"].as_i64().unwrap())
        .collect();
    announced.sort_unstable();
    announced.dedup();
    assert_eq!(announced, (1..=50).collect::<Vec<_>>());
}

#[test]
fn a_dead_process_s_lease_is_taken_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.record(&crash("shop", "total", 0), at(0)).unwrap();
    let mut worker = child("hold", dir.path());
    let id = acks(&mut worker).next().unwrap();
    assert_eq!(id, "1");
    let holder = Holder::new(dir.path()).unwrap();
    let mut claim = || store.claim(Want::Open, &holder, at(101)).unwrap();
    assert!(claim().is_none(), "taken from the living");
    worker.kill().unwrap();
    worker.wait().unwrap();
    let (incident, _) = claim().unwrap();
    assert_eq!(incident.id, IncidentId(1));
}

#[test]
fn processes_that_compete_work_on_each_incident_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    for n in 0..60 {
        store
            .record(&crash("shop", &format!("f{n}"), n), at(n))
            .unwrap();
    }
    let mut workers: Vec<Child> = (0..3).map(|_| child("compete", dir.path())).collect();
    let mut done: Vec<i64> = Vec::new();
    for worker in &mut workers {
        done.extend(acks(worker).map(|id| id.parse::<i64>().unwrap()));
        assert!(worker.wait().unwrap().success());
    }
    done.sort_unstable();
    assert_eq!(done, (1..=60).collect::<Vec<_>>());
    let results = store.incidents().unwrap();
    assert!(results.iter().all(|i| i.status == Status::Proposed));
}

#[test]
fn many_that_open_a_new_store_at_once_all_get_it() {
    let dir = tempfile::tempdir().unwrap();
    let opened: Vec<_> = std::thread::scope(|scope| {
        let one = || open(dir.path()).status(at(0)).unwrap();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(opened.len(), 8);
}

#[test]
fn a_crash_loop_is_cheap() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let start = std::time::Instant::now();
    for n in 0..2_000 {
        store.record(&crash("shop", "total", n), at(n)).unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_eq!(store.occurrences(IncidentId(1)).unwrap().len(), 200);
}
