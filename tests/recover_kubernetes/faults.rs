//! What goes wrong between us and the API server, and what is made of it.

use crate::host::{Fault, Reply};
use crate::played_kubernetes::{TOKEN, status};
use crate::world::{World, client, place, restart, rollback, soon, token};
use autofix::model::recovery::Task;
use autofix::net::{Http, Secret, Settings};
use autofix::recover::{Attempt, Error, ErrorKind, Kubernetes, Platform};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[test]
fn a_token_that_rotates_is_read_anew_for_the_played_server() {
    let world = World::crashing();
    let current = Arc::new(Mutex::new("old".to_owned()));
    let reads = Arc::new(AtomicUsize::new(0));
    let (read, count) = (current.clone(), reads.clone());
    let changing = client(
        &world.played,
        Box::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            let now = read.lock().unwrap().clone();
            // It is renewed just after it was read.
            *read.lock().unwrap() = "new\n".to_owned();
            Some(Secret::new(now))
        }),
        None,
    );
    world.played.cluster().tokens = vec!["new".to_owned()];
    let before = changing.state(soon()).unwrap();
    // One request more than answers.
    assert_eq!(reads.load(Ordering::SeqCst), 4);
    *current.lock().unwrap() = "old".to_owned();
    changing
        .begin(&rollback("1"), &before, "m", soon())
        .unwrap();
    assert_eq!(world.writes().len(), 2);
}

#[test]
fn a_token_that_is_not_taken_is_refused_after_two_tries_by_the_played_server() {
    let world = World::new();
    let before = world.state();
    world.played.cluster().tokens.clear();
    let asked = world.played.host.calls().len();
    let fault = world.client.state(soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Refused);
    assert!(fault.what.contains("401"), "{fault}");
    assert!(!fault.what.contains(TOKEN));
    assert_eq!(world.played.host.calls().len(), asked + 2);
    let fault = world.client.begin(&restart(None), &before, "m", soon());
    assert_eq!(fault.unwrap_err().kind, ErrorKind::Refused);
}

#[test]
fn without_a_token_the_played_server_is_not_asked() {
    let world = World::new();
    let asked = world.played.host.calls().len();
    let client = client(&world.played, Box::new(|| None), None);
    let fault = client.state(soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Settings);
    assert_eq!(world.played.host.calls().len(), asked);
}

#[test]
fn a_right_that_is_missing_is_named_as_the_played_server_names_it() {
    let scale = Task::Scale { from: 2, to: 3 };
    for (verb, resource, group, task) in [
        ("get", "deployments", "apps", restart(None)),
        ("patch", "deployments", "apps", restart(None)),
        ("patch", "deployments", "apps", rollback("1")),
        ("list", "replicasets", "apps", rollback("1")),
        ("patch", "deployments/scale", "apps", scale),
    ] {
        let world = World::crashing();
        let before = world.state();
        world.played.cluster().denied.push((verb, resource));
        let fault = world.client.begin(&task, &before, "m", soon()).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Refused);
        let remedy = format!(
            "give it a Role in namespace shop with the verb {verb} on {resource} (API group {group})"
        );
        assert!(fault.what.contains(&remedy), "{fault}");
        assert!(fault.what.contains("is forbidden"), "{fault}");
    }
    let world = World::new();
    let before = world.state();
    let pod = &before.instances[0].id;
    for (verb, resource) in [("list", "pods"), ("get", "pods/log"), ("delete", "pods")] {
        world.played.cluster().denied = vec![(verb, resource)];
        let fault = match verb {
            "delete" => world.begin(&restart(Some(pod))).map(drop),
            _ => world.client.logs(None, 5, soon()).map(drop),
        };
        let fault = fault.unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Refused);
        let remedy = format!("the verb {verb} on {resource} (the core API group)");
        assert!(fault.what.contains(&remedy), "{fault}");
    }
}

/// What is made of an answer to the real change, and whether it leaves doubt.
fn of_change(answer: Reply) -> Error {
    let world = World::crashing();
    let before = world.deployment();
    world.played.host.after_one("PATCH", Fault::Says(answer));
    let fault = world.begin(&rollback("1")).unwrap_err();
    assert_eq!(world.deployment(), before);
    fault
}

#[test]
fn each_refusal_of_the_played_server_means_what_it_means() {
    let kind = |code: u16, reason: &str| of_change(status(code, reason, "played")).kind;
    assert_eq!(kind(409, "Conflict"), ErrorKind::Invalid);
    assert_eq!(kind(422, "Invalid"), ErrorKind::Invalid);
    assert_eq!(kind(400, "BadRequest"), ErrorKind::Invalid);
    assert_eq!(kind(403, "Forbidden"), ErrorKind::Refused);
    assert_eq!(kind(404, "NotFound"), ErrorKind::Missing);
    assert_eq!(kind(415, "UnsupportedMediaType"), ErrorKind::Refused);
    for code in [500, 502, 503, 504] {
        assert_eq!(kind(code, "Timeout"), ErrorKind::Unreachable);
    }
    let busy = status(429, "TooManyRequests", "played").with("Retry-After", "7");
    assert_eq!(
        of_change(busy).kind,
        ErrorKind::Limited(Duration::from_secs(7))
    );
    // Without the header, as its status says.
    let mut busy = status(429, "TooManyRequests", "played");
    busy.body["details"] = json!({"retryAfterSeconds": 3});
    assert_eq!(
        of_change(busy).kind,
        ErrorKind::Limited(Duration::from_secs(3))
    );
    let fault = of_change(Reply::plain(502, "<html>bad\u{1b}[31m gateway</html>"));
    assert!(
        fault.what.ends_with("<html>bad [31m gateway</html>"),
        "{fault}"
    );
    let fault = of_change(status(409, "Conflict", "the object has been modified"));
    assert!(
        fault.what.contains("the object has been modified"),
        "{fault}"
    );
    assert!(!fault.what.contains("apiVersion"), "{fault}");
}

#[test]
fn a_list_that_expires_is_asked_for_again_from_the_played_server() {
    let world = World::new();
    let expired = Fault::Says(status(410, "Expired", "the continue parameter is too old"));
    world.played.host.next("GET", "/pods", expired);
    let fault = world.client.state(soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Unreachable);
    assert!(world.state().is_well());
    // One that never ends is given up.
    let endless = json!({"items": [], "metadata": {"continue": "more"}});
    let page = Fault::Says(Reply::new(200, endless));
    world.played.host.next_times(50, "GET", "/pods", &page);
    let fault = world.client.state(soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Unsupported);
}

#[test]
fn a_deployment_that_is_not_there_is_missing_on_the_played_server() {
    let world = World::new();
    let http = Http::new(&Settings::default()).unwrap();
    let place = place("shop/cart", &world.played.host.address);
    let client = Kubernetes::new(http, &place, token(), None).unwrap();
    let fault = client.state(soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Missing);
    assert!(fault.what.contains("shop/cart"), "{fault}");
    assert!(
        fault.what.contains("deployments.apps \"cart\" not found"),
        "{fault}"
    );
}

#[test]
fn half_an_answer_of_the_played_server_is_no_answer() {
    for (what, ending) in [
        ("the Deployment", "deployments/checkout"),
        ("ReplicaSets", "/replicasets"),
        ("pods", "/pods"),
    ] {
        let world = World::new();
        world.played.host.next("GET", ending, Fault::Cut);
        let fault = world.client.state(soon()).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Unreachable, "{what}");
        // Cut where its length is not known.
        let half = Reply::plain(200, "{\"items\": [{\"metadata\": {\"na");
        world.played.host.next("GET", ending, Fault::Says(half));
        let fault = world.client.state(soon()).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Unreachable, "{what}");
        world.played.host.next("GET", ending, Fault::Dropped);
        let fault = world.client.state(soon()).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Unreachable, "{what}");
        let long = Reply::plain(200, &" ".repeat((4 << 20) + 1));
        world.played.host.next("GET", ending, Fault::Says(long));
        let fault = world.client.state(soon()).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Unreachable, "{what}");
    }
}

#[test]
fn nothing_waits_longer_for_the_played_server_than_it_is_told_to() {
    let world = World::crashing();
    let before = world.state();
    let soon = || Instant::now() + Duration::from_millis(300);
    world.played.host.next("GET", "", Fault::Hangs);
    let fault = world.client.state(soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Unreachable);
    world.played.host.after_one("PATCH", Fault::Hangs);
    let until = Instant::now() + Duration::from_secs(2);
    let fault = world.client.begin(&rollback("1"), &before, "m", until);
    assert!(fault.unwrap_err().leaves_doubt());
    // No time is left at all.
    let asked = world.played.host.calls().len();
    let fault = world.client.state(Instant::now()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Unreachable);
    assert_eq!(world.played.host.calls().len(), asked);
}

/// All that the README asks for.
const RIGHTS: [(&str, &str); 9] = [
    ("get", "deployments"),
    ("patch", "deployments"),
    ("patch", "deployments/scale"),
    ("list", "replicasets"),
    ("list", "pods"),
    ("get", "pods"),
    ("delete", "pods"),
    ("get", "pods/log"),
    ("list", "horizontalpodautoscalers"),
];

/// Everything once, with these rights and no other.
fn everything(rights: &[(&'static str, &'static str)]) -> Result<(), Error> {
    let world = World::crashing();
    world.played.cluster().allowed = rights.to_vec();
    let client = &world.client;
    client.releases(soon())?;
    client.logs(None, 5, soon())?;
    let pod = client.state(soon())?.instances[0].id.clone();
    let scale = Task::Scale { from: 2, to: 3 };
    for task in [scale, restart(Some(&pod)), rollback("1"), restart(None)] {
        let before = client.state(soon())?;
        let begun = crate::world::now();
        let handle = client.begin(&task, &before, "m", soon())?;
        let attempt = Attempt {
            task: &task,
            before: &before,
            begun,
            handle: handle.as_ref(),
        };
        client.poll(&attempt, soon())?;
        if handle.is_some_and(|handle| handle["autoscalers"] == json!(false)) {
            return Err(Error::new(ErrorKind::Refused, "autoscalers were not seen"));
        }
        world.played.cluster().settle();
    }
    Ok(())
}

#[test]
fn the_rights_that_are_asked_for_are_enough_and_all_needed_on_the_played_server() {
    everything(&RIGHTS).unwrap();
    for at in 0..RIGHTS.len() {
        let mut rights = RIGHTS.to_vec();
        let without = rights.remove(at);
        let fault = everything(&rights).expect_err(without.1);
        assert_eq!(fault.kind, ErrorKind::Refused, "{without:?}: {fault}");
    }
}
