//! A process that is killed while tests run: its sandbox goes with it, and what it left on the
//! disk is cleared by the next one.

use crate::place::{Asked, Place, patch, running};
use crate::sample::Sample;
use autofix::patch::verify::{Request, sweep, verify};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const TOLD: &str = "AUTOFIX_TEST_VERIFY_IN";

/// Not a test by itself: what the other one starts as a process and kills.
#[test]
fn verifies_until_it_is_killed() {
    let Some(state) = std::env::var_os(TOLD) else {
        return;
    };
    let state = Path::new(&state);
    let mark = fs::read_to_string(state.join("mark")).unwrap();
    let sample = Sample::new();
    sample.commit(1.0, "first", &[("a", Some("a\n"))]);
    let patch = patch(&sample, &[("a", Some("b\n"))]);
    let repo = sample.open();
    let command = format!(": {mark}; sleep 500; sleep 500");
    let asked = Asked::new(&mark, &command);
    verify(&Request {
        repo: &repo,
        patch: &patch,
        tests: &[],
        command: asked.command,
        root: "",
        scratch: &state.join("verify"),
        limits: asked.limits,
        deadline: Instant::now() + Duration::from_secs(500),
    });
}

fn wait_for(what: &str, is: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is() {
        assert!(Instant::now() < until, "{what}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_killed_process_leaves_nothing_that_runs_or_stays() {
    let name = "a_killed_process_leaves_nothing_that_runs_or_stays";
    let Some(place) = Place::new(name) else {
        return;
    };
    let mark = crate::place::mark(name);
    fs::write(place.state.path().join("mark"), &mark).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::verifies_until_it_is_killed"])
        .env(TOLD, place.state.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // The command itself runs: not only bubblewrap.
    let begun = || {
        running(&mark)
            .iter()
            .any(|line| line.starts_with("/bin/sh -c :"))
    };
    wait_for("the tests never ran", begun);
    assert_eq!(sweep(&place.scratch()).unwrap(), 0, "it is alive");
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for("the sandbox outlived its process", || {
        running(&mark).is_empty()
    });
    assert_eq!(sweep(&place.scratch()).unwrap(), 1);
    place.nothing_is_left(&mark);
}
