//! What becomes of a request: merged and held, merged and come back, closed, taken over by a person.

use crate::played_github::Fault;
use crate::world::{
    DAY, NAME, World, autofix, crash, hurry, incidents, now, open, pulls, signal, start,
};
use autofix::log::Log;
use autofix::model::delivery::{Delivery, OutcomeKind};
use autofix::model::{Incident, Status, Timestamp};
use autofix::plugin::{self, Flush, Host, Instance};
use autofix::record::encode::{self, Layout};
use std::path::Path;
use std::time::{Duration, Instant};

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The plugin in this state, with the world's registry.
fn instance(world: &World, state: &Path) -> Box<Instance> {
    let registry = world.registry("commit = \"field:commit\"\npath_prefixes = [\"/app\"]");
    let pairs = [
        ("State_Dir", text(state)),
        ("Services", text(&registry)),
        ("Mode", "pr".to_owned()),
        ("Forge_Token_File", text(&world.path("token"))),
    ];
    let host = Host {
        property: Box::new(move |key| {
            let found = pairs.iter().find(|(name, _)| *name == key);
            found.map(|(_, value)| value.clone())
        }),
        log: Log::silent(),
        start_disabled: None,
    };
    plugin::start(host).expect("a right configuration")
}

/// Lines of the service at a commit, seconds after the start.
fn feed(instance: &Instance, text: &str, commit: &str, seconds: i64) {
    let mut bytes = Vec::new();
    let at = Timestamp(start().0 + seconds * 1_000_000_000);
    for line in text.lines() {
        let fields = [("log", line), ("commit", commit)];
        encode::record(&mut bytes, Layout::New, at, &fields);
    }
    assert_eq!(instance.flush(b"app", &bytes), Flush::Taken);
}

fn wait_for<T>(what: &str, state: &Path, look: impl Fn() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(90);
    loop {
        if let Some(found) = look() {
            return found;
        }
        if Instant::now() >= end {
            let rows: Vec<_> = pulls(state)
                .into_iter()
                .map(|row| (row.state, row.outcome, row.why))
                .collect();
            let all: Vec<_> = incidents(state)
                .into_iter()
                .map(|one| (one.id, one.status, one.reason))
                .collect();
            panic!("{what}: {rows:?} {all:?}");
        }
        hurry(state);
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn newest(state: &Path) -> Option<Incident> {
    autofix::app::look::incidents(state).ok()?.pop()
}

fn is(status: Status) -> impl Fn(&Incident) -> bool {
    move |incident| incident.status == status
}

#[test]
fn from_a_log_to_a_request_to_held_to_come_back() {
    let world = World::new(1);
    let state = world.path("state");
    let plugin = instance(&world, &state);
    feed(&plugin, &crash(0), &world.commit, 0);
    wait_for("delivered", &state, || {
        newest(&state).filter(is(Status::Delivered))
    });
    let request = world.github.pulls(NAME).remove(0);
    assert!(
        request.draft && request.body.contains("machine"),
        "{}",
        request.body
    );
    let fixed = world
        .github
        .text(NAME, &request.branch, "mod_0.py")
        .unwrap();
    assert!(fixed.contains("qty"), "{fixed}");

    let merged = world.github.merge(NAME, request.number, true);
    wait_for("merged", &state, || {
        newest(&state).filter(is(Status::Merged))
    });
    // The old commit still runs here and there: that says nothing of the fix.
    feed(&plugin, &crash(0), &world.commit, 3_600);
    feed(&plugin, "all is well", &merged, 4_000);
    feed(&plugin, "all is well", &merged, 4_000 + DAY + 600);
    wait_for("held", &state, || {
        newest(&state).filter(is(Status::Resolved))
    });
    let comments = world.github.pulls(NAME).remove(0).comments;
    assert!(
        comments.iter().any(|said| said.contains("0 in 24 h at")),
        "{comments:?}"
    );
    assert_eq!(pulls(&state)[0].outcome, Some(OutcomeKind::Held));

    feed(&plugin, &crash(0), &merged, 4_000 + 2 * DAY);
    wait_for("came back", &state, || {
        pulls(&state)
            .into_iter()
            .find(|row| row.outcome == Some(OutcomeKind::CameBack))
    });
    let again = wait_for("a new incident", &state, || {
        newest(&state).filter(|one| one.previous.is_some())
    });
    let comments = world.github.pulls(NAME).remove(0).comments;
    assert!(
        comments
            .iter()
            .any(|said| said.contains("came back: 1 times")),
        "{comments:?}"
    );
    assert_eq!(incidents(&state).len(), 2);
    assert_eq!(again.count, 1);
    // Taking the first fix back would bring the fault back that it was made for.
    let again = wait_for("worked on", &state, || {
        newest(&state).filter(is(Status::Reported))
    });
    assert!(again.reason.contains("earlier fix"), "{}", again.reason);
    assert_eq!(world.github.pulls(NAME).len(), 1);
    plugin.stop(Duration::from_secs(20));
    let said = autofix(&state, &["outcomes", "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(said["all"]["merged"], 1);
    assert_eq!(said["all"]["came_back"], 1);
    assert_eq!(said["fixers"]["revert"]["came_back"], 1);
}

#[test]
fn a_request_that_is_closed_mutes_its_fault_until_unmute() {
    let world = World::new(1);
    let state = world.seen("state", 1, 1);
    world.fix(&state);
    let number = world.github.pulls(NAME)[0].number;
    world.github.close(NAME, number);
    hurry(&state);
    world.fix(&state);
    assert_eq!(pulls(&state)[0].state, Delivery::Closed);
    assert_eq!(incidents(&state)[0].status, Status::Rejected);
    let muted = autofix(&state, &["status"]);
    let muted = String::from_utf8(muted.stdout).unwrap();
    assert!(muted.contains("closed without being merged"), "{muted}");

    // Weeks later it is counted, and nothing else comes of it.
    let later = |days: i64| Timestamp(start().0 + days * DAY * 1_000_000_000);
    open(&state)
        .record(&signal(0, later(20), &world.commit), now())
        .unwrap();
    world.fix(&state);
    assert_eq!(incidents(&state).len(), 1);
    assert_eq!(world.github.pulls(NAME).len(), 1);

    assert!(autofix(&state, &["unmute", "1"]).status.success());
    open(&state)
        .record(&signal(0, later(40), &world.commit), now())
        .unwrap();
    world.fix(&state);
    assert_eq!(incidents(&state).len(), 2);
    let requests = world.github.pulls(NAME);
    assert_eq!(requests.len(), 2);
    assert_ne!(requests[0].branch, requests[1].branch);
    assert_eq!(autofix(&state, &["unmute", "1"]).status.code(), Some(2));
}

#[test]
fn a_branch_that_somebody_pushed_to_is_left_to_them() {
    let world = World::new(1);
    let one = world.seen("one", 1, 1);
    let other = world.seen("other", 1, 1);
    // The request cannot be opened, somebody takes the branch, and another store comes by.
    world.github.fail(Fault::None);
    world.fix(&one);
    let request = world.github.pulls(NAME).remove(0);
    let pushed = world
        .github
        .push(NAME, &request.branch, "mod_0.py", "theirs\n", "Better");
    hurry(&one);
    world.fix(&one);
    let row = pulls(&one).remove(0);
    assert_eq!(row.state, Delivery::Open);
    assert!(row.why.contains("somebody else pushed"), "{}", row.why);
    world.fix(&other);
    assert_eq!(pulls(&other)[0].state, Delivery::Open);
    assert_eq!(world.github.tip(NAME, &request.branch), Some(pushed));
    assert_eq!(world.github.pulls(NAME).len(), 1);
}

#[test]
fn a_branch_without_a_request_that_is_somebodys_is_handed_over() {
    let world = World::new(1);
    let state = world.seen("state", 1, 1);
    world.fix(&state);
    let branch = world.github.pulls(NAME).remove(0).branch;
    let second = World::new(1);
    // Of the same name, with a commit that is not ours.
    second
        .github
        .push(NAME, &branch, "mod_0.py", "theirs\n", "Mine");
    let state = second.seen("state", 1, 1);
    second.fix(&state);
    let row = pulls(&state).remove(0);
    assert_eq!(row.state, Delivery::Theirs);
    assert!(row.why.contains("left to them"), "{}", row.why);
    assert!(second.github.pulls(NAME).is_empty());
    assert_eq!(incidents(&state)[0].status, Status::Proposed);
}

#[test]
fn a_closed_request_whose_branch_was_deleted_is_not_opened_again_by_another_store() {
    let world = World::new(1);
    let one = world.seen("one", 1, 1);
    world.fix(&one);
    let request = world.github.pulls(NAME).remove(0);
    world.github.close(NAME, request.number);
    world.github.delete_branch(NAME, &request.branch);
    let other = world.seen("other", 1, 1);
    world.fix(&other);
    assert_eq!(pulls(&other)[0].state, Delivery::Closed);
    assert_eq!(incidents(&other)[0].status, Status::Rejected);
    assert_eq!(world.github.pulls(NAME).len(), 1);
    assert_eq!(world.github.branches(NAME), ["main"]);
}

#[test]
fn an_open_request_hears_of_new_counts_once_a_day() {
    let world = World::new(1);
    let state = world.seen("state", 1, 1);
    world.fix(&state);
    hurry(&state);
    world.fix(&state);
    let more = |hours: i64| {
        let at = Timestamp(start().0 + hours * 3_600 * 1_000_000_000);
        let mut store = open(&state);
        store.record(&signal(0, at, &world.commit), now()).unwrap();
    };
    more(1);
    hurry(&state);
    world.fix(&state);
    assert!(world.github.pulls(NAME)[0].comments.is_empty());
    // A day of the wall clock later.
    let db = rusqlite::Connection::open(state.join("autofix.db")).unwrap();
    let day = DAY * 1_000_000_000;
    db.execute("UPDATE pulls SET told = told - ?1", [day])
        .unwrap();
    hurry(&state);
    world.fix(&state);
    more(2);
    hurry(&state);
    world.fix(&state);
    let comments = world.github.pulls(NAME).remove(0).comments;
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(
        comments[0].contains("Seen 1 more times, 2 in all"),
        "{comments:?}"
    );
}

#[test]
fn check_says_what_the_token_may_do_and_writes_nothing() {
    let world = World::new(1);
    let registry = world.registry("commit = \"field:commit\"");
    let check = || {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_autofix"))
            .args(["check", "--services", registry.to_str().unwrap()])
            .args(["--set", "Mode=pr", "--set"])
            .arg(format!(
                "Forge_Token_File={}",
                world.path("token").display()
            ))
            .args(["--state", world.path("st").to_str().unwrap()])
            .env("HOME", world.dir.path())
            .output()
            .unwrap();
        String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap()
    };
    let said = check();
    assert!(said.contains("shop: pull requests can be made"), "{said}");
    assert!(said.contains("could push to the branch"), "{said}");
    world.github.protect(NAME, "main");
    let said = check();
    assert!(!said.contains("could push to the branch"), "{said}");
    world.github.revoke("ghp_");
    let said = check();
    assert!(said.contains("the token is not taken"), "{said}");
    assert!(!said.contains(crate::played_github::TOKEN));
    let heard = world.github.heard();
    assert!(heard.iter().all(|one| one.method == "GET"));
}

#[test]
fn a_token_stands_in_no_file_and_no_output_whatever_goes_wrong() {
    let world = World::new(1);
    let state = world.seen("state", 1, 1);
    world.github.set(|knobs| knobs.repeats_token = true);
    world.github.revoke("ghp_");
    let done = world.fixing(&state).status().unwrap();
    assert!(done.success());
    let row = pulls(&state).remove(0);
    assert_eq!(row.state, Delivery::Failed, "{}", row.why);
    let token = crate::played_github::TOKEN;
    let mut stack = vec![state.clone()];
    while let Some(folder) = stack.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                stack.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(token.len())
                .any(|part| part == token.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}
