//! `make demo-selfheal` as it stands, with the program and the library that are built here: a real
//! supervisord, a real Fluent Bit, a bad release that crash-loops. With a person's approval, and without.

mod host;
#[path = "router/running.rs"]
mod running;

use running::routers;
use std::path::Path;
use std::process::Command;

fn play(router: &Path, mode: &str, work: &Path) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    let done = Command::new("sh")
        .arg(format!("{root}/examples/selfheal/run.sh"))
        .env("MODE", mode)
        .env("DEMO_DIR", work)
        .env("TARGET", work)
        .env("AUTOFIX", env!("CARGO_BIN_EXE_autofix"))
        .env("AUTOFIX_LIBRARY", host::library())
        .env("FLUENT_BIT", router)
        .env("NO_COLOR", "1")
        .env("HOME", work)
        .output()
        .expect("sh is there");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let complained = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}\n{complained}");
    said
}

fn is_there(program: &str) -> bool {
    let there = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output();
    there.is_ok_and(|done| done.status.success())
}

fn in_mode(test: &str, mode: &str) -> Vec<String> {
    for program in ["supervisord", "python3", "git"] {
        if !is_there(program) {
            println!("SKIPPED {test}: {program} is not there");
            return Vec::new();
        }
    }
    let each = routers(test, (1, 9, 0)).into_iter().map(|router| {
        let home = tempfile::tempdir().unwrap();
        let work = home.path().join("work");
        let said = play(&router.program, mode, &work);
        let state = work.join("state");
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(last, format!("state: {}", state.display()));
        // One incident, the fix's diff, the release that ran well, and a record that is whole.
        assert!(
            said.contains("#1 proposed") && !said.contains("#2 "),
            "{said}"
        );
        assert!(said.contains("+++ b/orders/vouchers.py"), "{said}");
        assert!(said.contains("the audit is whole"), "{said}");
        let link = std::fs::read_link(work.join("current")).unwrap();
        assert!(link.ends_with("releases/r1"), "{}", link.display());
        said
    });
    each.collect()
}

#[test]
fn a_bad_release_is_rolled_back_when_a_person_approves_it() {
    let test = "a_bad_release_is_rolled_back_when_a_person_approves_it";
    for said in in_mode(test, "approve") {
        assert!(
            said.contains("pending  1 orders: roll back to release r1"),
            "{said}"
        );
        assert!(
            said.contains("healthy  1 orders: roll back to release r1"),
            "{said}"
        );
    }
}

#[test]
fn a_bad_release_is_rolled_back_without_a_hand_in_mode_auto() {
    let test = "a_bad_release_is_rolled_back_without_a_hand_in_mode_auto";
    for said in in_mode(test, "auto") {
        assert!(!said.contains("pending  1"), "{said}");
        assert!(
            said.contains("healthy  1 orders: roll back to release r1"),
            "{said}"
        );
    }
}
