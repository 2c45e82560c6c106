//! A model that breaks off, talks nonsense, refuses, cannot be reached or costs too much: the router
//! goes on, what other outputs get is complete, and each incident ends with what can be said.

use crate::anthropic_server::{Answer, Played, Said, play};
use crate::host::told;
use crate::programs::PYTHON;
use crate::running::{Router, Running, STARTED, routers};
use crate::site::{Site, is_about, mends};
use autofix::model::{Incident, Status};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::Mutex;

/// Lines that come after the crash, for the other output.
const LINES: usize = 300;

/// A site at work: these services have crashed, and their logs have gone on.
fn crashed(router: &Router, services: &[&str], url: &str, lines: &str) -> (Site, Running) {
    let mut site = Site::new();
    let crashes: Vec<String> = services
        .iter()
        .map(|service| site.add(service, &PYTHON, &describes(service)))
        .collect();
    let configuration = site.configure(router, url, lines);
    let mut running = site.place.start(router, &configuration);
    running.wait_for(STARTED, 1);
    for (service, said) in services.iter().zip(crashes) {
        let on: String = (0..LINES)
            .map(|n| format!("{service} line {n} \n"))
            .collect();
        site.place.append(&format!("{service}.log"), &(said + &on));
    }
    (site, running)
}

/// By this a script tells whose incident it is asked about.
fn describes(service: &str) -> String {
    format!("description = \"This is the service that {service}\"")
}

/// The router takes what comes still, ends well, and has given the other output each line once.
fn goes_on(router: &Router, site: &Site, services: &[&str], mut running: Running) {
    for service in services {
        site.place
            .append(&format!("{service}.log"), &format!("{service} ends \n"));
        running.wait_for(&format!("{service} ends "), 1);
    }
    let (status, _, said) = running.terminate();
    assert_eq!(status.code(), Some(0), "{router:?}\n{said}");
    for service in services {
        for number in 0..LINES {
            let line = format!("{service} line {number} ");
            assert_eq!(said.matches(&line).count(), 1, "{router:?} {line}");
        }
    }
    assert_eq!(said.matches(PYTHON.cry).count(), services.len(), "{said}");
}

fn fixer(one: &Incident) -> Option<&str> {
    one.proposal
        .as_ref()
        .map(|proposal| proposal.fixer.as_str())
}

/// What a model says of which nothing is of use.
fn nonsense(times: usize) -> Answer {
    match times {
        0 => Answer::calls("n0", &[("rm", json!({"path": "/"}))]),
        1 => Answer::calls("n1", &[("read_file", json!({"path": "../../etc/passwd"}))]),
        2 => Answer::calls("n2", &[("propose_fix", json!({"edits": 7}))]),
        _ => Answer::text("\u{202e}{\"cause\": "),
    }
}

fn played() -> Played {
    let times = Mutex::new((0, 0));
    play(move |request: &Value| {
        let mut times = times.lock().unwrap();
        if is_about(request, "service that refuses") {
            return Answer::Says(Said {
                content: Vec::new(),
                stop: "refusal",
                details: json!({"category": "cyber", "explanation": "no"}),
            });
        }
        if is_about(request, "service that babbles") {
            times.0 += 1;
            return nonsense(times.0 - 1);
        }
        times.1 += 1;
        match times.1 {
            // In the middle of the first answer, and of the third.
            1 | 4 => Answer::Breaks(Said::calls("broken", &PYTHON.looks()), 4),
            _ => mends(&PYTHON, request),
        }
    })
}

#[test]
fn a_model_that_breaks_off_babbles_or_refuses_harms_nobody() {
    let services = ["breaks", "babbles", "refuses"];
    for router in routers("a_model_that_breaks_off_babbles_or_refuses", (1, 9, 0)) {
        let server = played();
        let (site, mut running) = crashed(&router, &services, &server.url, "");
        running.wait("three patches", |_| {
            let of = |service: &&str| site.incident(service);
            let all: Vec<Incident> = services.iter().filter_map(of).collect();
            all.len() == 3 && all.iter().all(|one| one.status == Status::Proposed)
        });
        goes_on(&router, &site, &services, running);
        let one = site.incident("breaks").unwrap();
        assert_eq!(fixer(&one), Some("anthropic"), "{router:?} {}", one.reason);
        for (service, says) in [("babbles", "proposal"), ("refuses", "refused")] {
            let one = site.incident(service).unwrap();
            assert_eq!(fixer(&one), Some("revert"), "{router:?} {}", one.reason);
            let why = site.report(&one)["by_model"]["why_none"].to_string();
            assert!(why.contains(says), "{router:?} {service}: {why}");
        }
        assert_eq!(server.faults(), Vec::<String>::new());
        assert_eq!(site.calls(), server.heard().len() as u64);
    }
}

#[test]
fn a_model_that_cannot_be_reached_is_waited_for_and_fix_ends_the_incident() {
    for router in routers("a_model_that_cannot_be_reached", (1, 9, 0)) {
        // A port of which nobody listens any more.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let (site, mut running) = crashed(&router, &["alone"], &url, "");
        running.wait_for("incident 1 waits until", 1);
        goes_on(&router, &site, &["alone"], running);
        assert_eq!(site.incident("alone").unwrap().status, Status::Open);
        let done = site.fix(&["1"]);
        assert!(done.status.success(), "{}", told(&done));
        let one = site.incident("alone").unwrap();
        assert_eq!(fixer(&one), Some("revert"), "{router:?} {}", one.reason);
        let why = site.report(&one)["by_model"]["why_none"].to_string();
        assert!(why.contains("reached"), "{why}");
    }
}

#[test]
fn over_budget_nobody_is_asked_and_the_suspect_change_is_taken_back() {
    for router in routers("over_budget_nobody_is_asked", (1, 9, 0)) {
        let server = play(|request| mends(&PYTHON, request));
        let budget = "Budget_Per_Day 0.01";
        let (site, mut running) = crashed(&router, &["poor"], &server.url, budget);
        running.wait("a patch", |_| {
            let one = site.incident("poor");
            one.is_some_and(|one| one.status == Status::Proposed)
        });
        goes_on(&router, &site, &["poor"], running);
        let one = site.incident("poor").unwrap();
        assert_eq!(fixer(&one), Some("revert"), "{router:?} {}", one.reason);
        let tried = site.report(&one)["tried"].to_string();
        assert!(tried.contains("budget is used up"), "{tried}");
        assert_eq!((server.heard().len(), site.calls()), (0, 0));
    }
}
