//! The demo, every case of it, as `make demo` runs it but with the program that is built here:
//! one incident each, and a diff that git applies to the deployed commit.

use std::path::Path;
use std::process::Command;

/// Runs a case through `autofix replay` and returns what it printed.
fn play(case: &str, work: &Path) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    let done = Command::new("sh")
        .arg(format!("{root}/examples/demo/run.sh"))
        .env("CASE", case)
        .env("DEMO_DIR", work)
        .env("TARGET", work)
        .env("AUTOFIX", env!("CARGO_BIN_EXE_autofix"))
        .env("PLAYER", "replay")
        .env("NO_COLOR", "1")
        .env("HOME", work)
        .output()
        .expect("sh is there");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let complained = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}\n{complained}");
    said
}

fn value<'a>(said: &'a str, key: &str) -> &'a str {
    let mut lines = said.lines();
    let found = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
    found.unwrap_or_else(|| panic!("no line `{key}: …` in\n{said}"))
}

fn git(folder: &Path, arguments: &[&str]) -> bool {
    let mut git = Command::new("git");
    git.current_dir(folder).args(arguments);
    git.env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1");
    git.status().expect("git is there").success()
}

/// Plays the case; its diff must touch `file`, take back `suspect`, and apply.
fn one_incident_with_a_diff(case: &str, file: &str, suspect: &str) {
    let home = tempfile::tempdir().unwrap();
    let said = play(case, &home.path().join("work"));
    assert!(said.contains("One incident."), "{said}");
    assert!(said.contains(suspect), "{said}");
    let (patch, commit) = (value(&said, "patch"), value(&said, "commit"));
    let repository = value(&said, "repository");
    assert!(Path::new(patch).is_absolute() && Path::new(repository).is_absolute());
    assert!(std::fs::read_to_string(patch).unwrap().contains(file));
    assert!(git(home.path(), &["clone", "-q", repository, "clone"]));
    let clone = home.path().join("clone");
    assert!(git(&clone, &["checkout", "-q", "--detach", commit]));
    assert!(git(&clone, &["apply", "--check", patch]));
    assert!(git(&clone, &["apply", patch]));
}

#[test]
fn a_python_worker_that_dies_again_and_again() {
    one_incident_with_a_diff("1", "orders/vouchers.py", "Let vouchers end");
}

#[test]
fn a_panic_in_one_of_several_goroutines() {
    one_incident_with_a_diff("2", "label/label.go", "Break long streets over two lines");
}

#[test]
fn an_error_that_a_node_service_logs_as_json() {
    one_incident_with_a_diff("3", "src/price.js", "Show prices in yen, without decimals");
}
