//! A process that is killed in the middle of an investigation: the next goes on where it was, and what
//! is paid again is at most the call in flight. The kill is a real SIGKILL of this very binary.

use super::anthropic_server::{Answer, Said, play, turns};
use super::service::{CRASH, Case};
use super::service::{broken, chunk, fixed, instance, keys, propose, read_source};
use autofix::app::look;
use autofix::model::Status;
use autofix::plugin::Flush;
use serde_json::json;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const STATE: &str = "AUTOFIX_INVESTIGATE_TEST_STATE";
const REPO: &str = "AUTOFIX_INVESTIGATE_TEST_REPO";
const MODEL: &str = "AUTOFIX_INVESTIGATE_TEST_MODEL";
const COMMIT: &str = "AUTOFIX_INVESTIGATE_TEST_COMMIT";

/// Runs an instance until it is killed; a run without a parent has nothing to do.
#[test]
fn as_a_child() {
    let variable = |name: &str| std::env::var(name).ok();
    let (Some(state), Some(repo)) = (variable(STATE), variable(REPO)) else {
        return;
    };
    let (model, commit) = (variable(MODEL).unwrap(), variable(COMMIT).unwrap());
    let keys = keys(repo.as_ref(), state.as_ref(), &commit, &model, &[]);
    let instance = instance(&keys);
    let log = chunk(&format!("{CRASH}\nnext"));
    assert_eq!(instance.flush(b"app", &log), Flush::Taken);
    loop {
        std::thread::park();
    }
}

#[test]
fn killed_in_a_call_the_next_process_goes_on_and_pays_at_most_that_call_again() {
    let folder = tempfile::TempDir::new().unwrap();
    let (repo, state) = (folder.path().join("repo"), folder.path().join("state"));
    let commit = broken(&repo);
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let server = play(move |request| {
        let times = seen.fetch_add(1, Ordering::SeqCst);
        match (turns(request), times) {
            (0, _) => read_source("a"),
            (1, 1) => Answer::Stands(Said::calls("b", &[("list_files", json!({}))]), 2),
            _ => propose("c", fixed()),
        }
    });
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::as_a_child", "--test-threads=1"])
        .env(STATE, &state)
        .env(REPO, &repo)
        .env(MODEL, &server.url)
        .env(COMMIT, &commit)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while asked.load(Ordering::SeqCst) < 2 {
        assert!(Instant::now() < end, "the second call did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = look::status(&state).unwrap().spent;
    assert_eq!(before.calls, 2);
    let case = Case::over(folder, &server.url, &commit);
    let one = case.wait(|one| one.status == Status::Proposed);
    case.stop();
    assert_eq!(one.proposal.unwrap().fixer, "anthropic");
    // The first call was not made again, the second was.
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert_eq!(server.faults(), Vec::<String>::new());
    let after = look::status(&state).unwrap().spent;
    assert_eq!(after.calls, 3);
    // What was in flight stays booked at its most.
    assert!(after.usd > before.usd, "{after:?} {before:?}");
    let kinds: Vec<String> = case
        .transcript()
        .iter()
        .map(|entry| entry["entry"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        [
            "opened", "ours", "theirs", "ours", "theirs", "judged", "closed"
        ]
    );
}
