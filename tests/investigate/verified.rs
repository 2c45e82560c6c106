//! Patches that are verified by the service's own tests, in `autofix fix` and nowhere else.

use super::anthropic_server::{in_turn, play};
use super::service::{Case, fixed, propose};
use super::{done, report};
use autofix::model::Status;
use autofix::patch::verify::{Limits, hindrance};
use std::path::Path;

const TEST: &str = "test = \"/usr/bin/python3 -m unittest -q\"";

/// Whether tests can be run here.
fn can(name: &str) -> bool {
    let scratch = tempfile::TempDir::new().unwrap();
    let hindrance = hindrance(scratch.path(), &Limits::default());
    let python = Path::new("/usr/bin/python3").exists();
    match (hindrance, python) {
        (None, true) => true,
        (Some(why), _) => {
            println!("SKIPPED {name}: {why}");
            false
        }
        (None, false) => {
            println!("SKIPPED {name}: there is no /usr/bin/python3");
            false
        }
    }
}

#[test]
fn in_the_router_no_test_is_run_and_the_report_says_so() {
    let server = play(in_turn(vec![propose("a", fixed())]));
    let case = Case::registered(&server.url, TEST);
    let one = done(&case);
    assert_eq!(one.proposal.unwrap().fixer, "anthropic");
    let said = report(&case)["verified"].to_string();
    assert!(said.contains("inside the log router"), "{said}");
    assert_eq!(report(&case)["onward"]["what"], "at_head");
}

#[test]
fn a_service_that_wants_verified_patches_is_left_to_fix_which_proves_them() {
    if !can("a_service_that_wants_verified_patches_is_left_to_fix_which_proves_them") {
        return;
    }
    let server = play(in_turn(vec![propose("a", fixed())]));
    let case = Case::registered(&server.url, &format!("{TEST}\nverify = true"));
    let one = case.wait(|_| true);
    case.stop();
    assert_eq!((one.status, server.heard().len()), (Status::Open, 0));
    let one = case.fix();
    assert_eq!(one.status, Status::Proposed, "{}", one.reason);
    let verified = report(&case)["verified"].clone();
    assert_eq!(verified["Ran"]["verdict"], "Proven", "{verified}");
    assert_eq!(verified["Ran"]["before"]["passed"], true, "{verified}");
    assert_eq!(
        verified["Ran"]["without_fix"]["passed"], false,
        "{verified}"
    );
    assert_eq!(verified["Ran"]["with_fix"]["passed"], true, "{verified}");
}

#[test]
fn a_patch_with_which_the_tests_fail_is_none() {
    if !can("a_patch_with_which_the_tests_fail_is_none") {
        return;
    }
    let mut wrong = fixed();
    wrong["edits"][0]["replace"] = "    return order[\"price\"] + order[\"qty\"]\n".into();
    let server = play(in_turn(vec![propose("a", wrong)]));
    let case = Case::registered(&server.url, &format!("{TEST}\nverify = true"));
    case.wait(|_| true);
    case.stop();
    let one = case.fix();
    assert_eq!((one.status, one.proposal), (Status::Reported, None));
    assert!(
        one.reason.contains("tests fail with the patch"),
        "{}",
        one.reason
    );
}

#[test]
fn where_the_default_branch_is_mended_already_that_is_said_instead() {
    let server = play(in_turn(vec![propose("a", fixed())]));
    let case = Case::registered_behind(&server.url);
    let one = done(&case);
    assert_eq!((one.status, one.proposal), (Status::Reported, None));
    assert!(one.reason.contains("default branch"), "{}", one.reason);
}

#[test]
fn what_a_restart_changes_holds_for_incidents_that_are_open_already() {
    let server = play(in_turn(vec![propose("a", fixed())]));
    let case = Case::start(&server.url, &[("Fixer", "off")]);
    case.wait(|_| true);
    case.stop();
    let commit = case.git(&["rev-parse", "HEAD"]);
    let keys = super::service::keys(&case.repo, &case.state, &commit, &server.url, &[]);
    let again = super::service::instance(&keys);
    // Nothing is logged any more.
    let one = case.wait(|one| one.status == Status::Proposed);
    again.stop(std::time::Duration::from_secs(20));
    assert_eq!(one.proposal.unwrap().fixer, "anthropic");
}
