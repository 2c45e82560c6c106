//! kill -9 of the router in each step of an investigation, and of `autofix fix` while tests run: the
//! next process finishes what was begun, one incident stays one, and what is paid again is at most
//! the call in flight.

use crate::anthropic_server::{Answer, Played, Said, play, turns};
use crate::git::git;
use crate::host::told;
use crate::programs::PYTHON;
use crate::running::{PATIENCE, Router, Running, STARTED, routers};
use crate::site::{Site, mends};
use autofix::model::Status;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// How a process ends in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Killed,
    Asked,
}

/// Calls of an investigation that nothing disturbs.
const CALLS: u64 = 3;

/// A model that mends the program, but of which the answer to one call stands: that which comes when
/// it has said so much, and only the first time.
fn standing(turn: Option<usize>) -> (Played, Arc<AtomicUsize>) {
    let stood = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&stood);
    let server = play(move |request| {
        let stands = turn == Some(turns(request)) && seen.load(Ordering::SeqCst) == 0;
        match stands {
            true => {
                seen.fetch_add(1, Ordering::SeqCst);
                Answer::Stands(Said::calls("stands", &PYTHON.looks()), 3)
            }
            false => mends(&PYTHON, request),
        }
    });
    (server, stood)
}

/// A service that crashed, in a router that has seen it.
fn crashed(router: &Router, url: &str, before: impl FnOnce(&Site)) -> (Site, String, Running) {
    let mut site = Site::new();
    let said = site.add("orders", &PYTHON, "");
    let configuration = site.configure(router, url, "");
    let mut running = site.place.start(router, &configuration);
    running.wait_for(STARTED, 1);
    before(&site);
    site.place.append("orders.log", &(said + "started again\n"));
    (site, configuration, running)
}

fn kill(mut running: Running) {
    running.child.kill().unwrap();
    running.child.wait().unwrap();
}

/// The next router over the same state ends the incident with the model's patch, after so many calls.
fn goes_on(router: &Router, site: &Site, configuration: &str, server: &Played, calls: u64) {
    let mut running = site.place.start(router, configuration);
    running.wait_for(STARTED, 2);
    running.wait("a patch", |_| {
        let one = site.incident("orders");
        one.is_some_and(|one| one.status == Status::Proposed)
    });
    site.place.append("orders.log", "and on\n");
    running.wait_for("\"log\":\"and on\"", 1);
    running.end_well(router);
    let one = site.incident("orders").unwrap();
    let proposal = one.proposal.clone().unwrap();
    assert_eq!(proposal.fixer, "anthropic", "{router:?} {}", one.reason);
    git(
        &site.place.path("orders-repo"),
        &["apply", "--check", &proposal.patch],
    );
    assert_eq!(site.report(&one)["by_model"]["proposed"], true);
    assert_eq!(
        (server.heard().len() as u64, site.calls()),
        (calls, calls),
        "{router:?}"
    );
    assert_eq!(server.faults(), Vec::<String>::new());
}

#[test]
fn a_router_that_ends_in_a_call_pays_at_most_that_call_again() {
    for router in routers("a_router_that_ends_in_a_call", (1, 9, 0)) {
        for (turn, end) in [
            (0, End::Killed),
            (1, End::Killed),
            (2, End::Killed),
            (1, End::Asked),
        ] {
            let (server, stood) = standing(Some(turn));
            let (site, configuration, mut running) = crashed(&router, &server.url, |_| ());
            running.wait("a call that stands", |_| stood.load(Ordering::SeqCst) == 1);
            match end {
                End::Killed => kill(running),
                End::Asked => running.end_well(&router),
            }
            assert_eq!(site.calls(), turn as u64 + 1, "{router:?} {turn} {end:?}");
            let one = site.incident("orders").unwrap();
            assert!(one.proposal.is_none(), "{router:?} {turn} {end:?}");
            goes_on(&router, &site, &configuration, &server, CALLS + 1);
        }
    }
}

#[test]
fn a_router_that_is_killed_after_the_verdict_pays_nothing_again() {
    for router in routers("a_router_that_is_killed_after_the_verdict", (1, 9, 0)) {
        let (server, _) = standing(None);
        let (site, configuration, mut running) = crashed(&router, &server.url, |_| ());
        // The transcript is written when the proposal has been judged; wherever the kill comes
        // after that, it may cost nothing.
        let transcript = site.place.path("state/incidents/1/transcript.jsonl");
        running.wait("a transcript", |_| transcript.exists());
        kill(running);
        goes_on(&router, &site, &configuration, &server, CALLS);
    }
}

#[test]
fn a_router_that_is_killed_when_results_cannot_be_written_pays_nothing_again() {
    for router in routers(
        "a_router_that_is_killed_when_results_cannot_be_written",
        (1, 9, 0),
    ) {
        let (server, _) = standing(None);
        let report = |site: &Site| site.place.path("state/incidents/1/report.json");
        // A folder in the report's place.
        let (site, configuration, mut running) = crashed(&router, &server.url, |site| {
            fs::create_dir_all(report(site).join("in the way")).unwrap();
        });
        running.wait_for("an incident waits: ", 1);
        assert!(site.place.path("state/incidents/1/fix.patch").exists());
        kill(running);
        assert_eq!(site.incident("orders").unwrap().status, Status::Open);
        fs::remove_dir_all(report(&site)).unwrap();
        goes_on(&router, &site, &configuration, &server, CALLS);
    }
}

/// The processes whose arguments hold this text.
fn running_with(text: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
    lines.filter(|line| line.contains(text)).collect()
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < until, "no {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_fix_that_is_killed_while_tests_run_leaves_nothing_behind_and_the_next_ends_it() {
    let test = "a_fix_that_is_killed_while_tests_run";
    if !crate::can_verify(test) {
        return;
    }
    for router in routers(test, (1, 9, 0)) {
        let (server, _) = standing(None);
        let mut site = Site::new();
        // Seconds that nobody else sleeps, and longer than anybody waits here.
        let sleeps = format!("sleep 3600.{}{}", std::process::id(), router.version.0);
        let tests = format!("test = \"{sleeps}\"\nverify = true");
        let said = site.add("orders", &PYTHON, &tests);
        let configuration = site.configure(&router, &server.url, "");
        let mut running = site.place.start(&router, &configuration);
        running.wait_for(STARTED, 1);
        site.place
            .append("orders.log", &format!("{said}started again\n"));
        running.wait("an incident", |_| site.incident("orders").is_some());
        running.end_well(&router);

        let mut fix = site.fixing(&["1"]);
        let fix = fix.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let fix = Fixing(fix.unwrap());
        let slept = sleeps.replace(' ', "\0");
        wait("test that runs", || !running_with(&slept).is_empty());
        drop(fix);
        wait("end of what ran", || {
            running_with(&sleeps).is_empty() && running_with(&slept).is_empty()
        });
        assert_eq!((server.heard().len() as u64, site.calls()), (CALLS, CALLS));

        // The team mends its command; the settings of the newest instance hold.
        site.replace(&sleeps, PYTHON.test);
        let configuration = site.configure(&router, &server.url, "");
        let mut running = site.place.start(&router, &configuration);
        running.wait_for(STARTED, 2);
        site.place.append("orders.log", &(said + "and on\n"));
        running.wait_for("\"log\":\"and on\"", 1);
        running.end_well(&router);
        let done = site.fix(&["1"]);
        assert!(done.status.success(), "{}", told(&done));
        let one = site.incident("orders").unwrap();
        assert_eq!(
            site.report(&one)["verified"]["Ran"]["verdict"],
            "Proven",
            "{}",
            one.reason
        );
        // The conversation was kept: nothing was paid again.
        assert_eq!((server.heard().len() as u64, site.calls()), (CALLS, CALLS));
        assert!(is_empty(&site.place.path("state/scratch")));
    }
}

/// `autofix fix` at work; killed when dropped, also where the test fails.
struct Fixing(Child);

impl Drop for Fixing {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether nothing lies in a folder, or there is none.
fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut all| all.next().is_none())
}
