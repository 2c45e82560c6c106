//! The offline fixer, when it keeps its hands off: what is no suspect, and what is for people.

use crate::revert::{CART, MAIN, crash, patched, run, run_with, without_guard};
use crate::sample::{Sample, at, python, settings, soon};
use autofix::investigate::revert;
use autofix::model::Settings;

#[test]
fn an_unrelated_change_in_the_file_is_left_alone() {
    let sample = Sample::new();
    sample.commit(
        100.0,
        "start",
        &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
    );
    let other = CART.replace("'std': 20", "'std': 25");
    let deployed = sample.commit(1.0, "raise the rate", &[("shop/cart.py", Some(&other))]);
    let trace = python("division by zero", &[("/app/shop/cart.py", 15, "total")]);
    let findings = run(&sample, &deployed, &trace);
    assert!(findings.patch.is_none());
    assert!(
        findings.why.contains("no credible suspect"),
        "{}",
        findings.why
    );
    // Another line of the same function that has nothing to do with it.
    let log = CART.replace(
        "    result = 0\n",
        "    result = 0\n    log.info('summing')\n",
    );
    let deployed = sample.commit(0.5, "log", &[("shop/cart.py", Some(&log))]);
    let trace = python("division by zero", &[("/app/shop/cart.py", 16, "total")]);
    let findings = run(&sample, &deployed, &trace);
    assert!(findings.patch.is_none(), "{findings:#?}");
}

#[test]
fn a_caller_whose_call_is_as_before_is_left_alone() {
    let call = "    return total(request.items)\n";
    for (now, taken_back) in [
        (
            "    result = total(request.items)\n    return result\n",
            false,
        ),
        ("    return total(list(request.items))\n", true),
    ] {
        let sample = Sample::new();
        sample.commit(
            100.0,
            "start",
            &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
        );
        let other = MAIN.replace(call, now);
        let deployed = sample.commit(1.0, "name it", &[("main.py", Some(&other))]);
        let findings = run(&sample, &deployed, &crash());
        assert_eq!(findings.patch.is_some(), taken_back, "{findings:#?}");
    }
}

#[test]
fn old_changes_are_suspects_only_after_a_known_good_deploy() {
    let sample = Sample::new();
    let good = sample.commit(
        200.0,
        "start",
        &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
    );
    let wrong = CART.replace("    if not items:\n        return 0\n", "");
    let bad = sample.commit(60.0, "simplify", &[("shop/cart.py", Some(&wrong))]);
    let deployed = sample.commit(1.0, "docs", &[("README.md", Some("x\n"))]);
    let findings = run(&sample, &deployed, &crash());
    assert!(
        findings.suspects.is_empty() && findings.patch.is_none(),
        "{findings:#?}"
    );
    let findings = run_with(&sample, &deployed, &crash(), &settings(), Some(&good));
    assert_eq!(findings.suspects[0].commit, bad);
    assert_eq!(patched(&sample, &deployed, &findings, "shop/cart.py"), CART);
    for good in [&bad, &deployed] {
        let findings = run_with(&sample, &deployed, &crash(), &settings(), Some(good));
        assert!(
            findings.suspects.is_empty() && findings.patch.is_none(),
            "{good}"
        );
    }
}

#[test]
fn thirty_days_are_counted_from_the_deployed_commit() {
    let wrong = CART.replace("    if not items:\n        return 0\n", "");
    for (days, found) in [(29.0, true), (32.0, false)] {
        let sample = Sample::new();
        sample.commit(
            200.0,
            "start",
            &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
        );
        sample.commit(days + 1.0, "simplify", &[("shop/cart.py", Some(&wrong))]);
        let deployed = sample.commit(1.0, "docs", &[("README.md", Some("x\n"))]);
        let findings = run(&sample, &deployed, &crash());
        assert_eq!(
            !findings.suspects.is_empty(),
            found,
            "{days}: {findings:#?}"
        );
    }
}

#[test]
fn the_first_commit_is_never_a_suspect() {
    let sample = Sample::new();
    let wrong = CART.replace("    if not items:\n        return 0\n", "");
    let root = sample.commit(
        1.0,
        "start",
        &[("shop/cart.py", Some(&wrong)), ("main.py", Some(MAIN))],
    );
    let findings = run(&sample, &root, &crash());
    assert!(
        findings.suspects.is_empty() && findings.patch.is_none(),
        "{findings:#?}"
    );
    assert!(
        findings
            .tried
            .iter()
            .any(|line| line.contains("as old as the history"))
    );
    assert!(
        findings.why.contains("the first commit of the history"),
        "{}",
        findings.why
    );
}

#[test]
fn a_shallow_boundary_is_never_a_suspect() {
    let (sample, _, _) = without_guard("simplify total", &[]);
    let address = format!("file://{}", sample.path().display());
    crate::sample::git(
        sample.dir.path(),
        &["clone", "-q", "--depth", "2", &address, "shallow"],
    );
    let path = sample.dir.path().join("shallow");
    let repo = crate::sample::open(&path);
    let findings = revert(
        &repo,
        repo.head().unwrap(),
        Some(&crash()),
        &settings(),
        None,
        soon(),
    );
    assert!(
        findings.suspects.is_empty() && findings.patch.is_none(),
        "{findings:#?}"
    );
    assert!(
        findings.notes.iter().any(|note| note.contains("shallow")),
        "{findings:#?}"
    );
    assert!(findings.why.contains("shallow"), "{}", findings.why);
}

#[test]
fn a_fault_made_in_the_merge_itself_is_reported_only() {
    let sample = Sample::new();
    let base = sample.commit(
        50.0,
        "start",
        &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
    );
    let side = sample.commit_on("topic", &[&base], 6.0, "side", &[("x", Some("x"))]);
    let main = sample.commit(5.0, "main", &[("y", Some("y"))]);
    let wrong = CART.replace("result / len(items)", "result / len(items[1:])");
    let merge = sample.commit_on(
        "main",
        &[&main, &side],
        4.0,
        "Merge",
        &[("shop/cart.py", Some(&wrong))],
    );
    let trace = python("division by zero", &[("/app/shop/cart.py", 15, "total")]);
    let findings = run(&sample, &merge, &trace);
    assert!(
        findings.suspects.is_empty() && findings.patch.is_none(),
        "{findings:#?}"
    );
    assert!(findings.why.contains("itself wrote"), "{}", findings.why);
}

#[test]
fn delicate_commits_get_the_report_only() {
    for (message, file, word) in [
        ("Fix security hole in totals", "a.txt", "security"),
        ("Fix CVE-2026-1234", "a.txt", "security"),
        ("simplify", "shop/migrations/0002_x.py", "a migration"),
        ("simplify", "poetry.lock", "a lock file"),
        ("simplify", ".github/workflows/ci.yml", "a workflow file"),
    ] {
        let (sample, bad, deployed) = without_guard(message, &[(file, Some("x = 1\n"))]);
        let findings = run(&sample, &deployed, &crash());
        assert_eq!(findings.suspects[0].commit, bad);
        assert!(findings.patch.is_none(), "{message} {file}");
        assert!(findings.why.contains(word), "{}", findings.why);
    }
}

#[test]
fn protected_paths_are_the_teams_word() {
    let (sample, _, deployed) = without_guard("simplify", &[]);
    let settings = Settings {
        protect: vec!["shop/".into()],
        ..Settings::default()
    };
    let findings = run_with(&sample, &deployed, &crash(), &settings, None);
    assert!(findings.patch.is_none());
    assert!(
        findings.why.contains("protected by the registry"),
        "{}",
        findings.why
    );
}

#[test]
fn no_trace_foreign_traces_and_no_time_give_a_reason() {
    let (sample, _, deployed) = without_guard("simplify", &[]);
    let repo = sample.open();
    let commit = at(&repo, &deployed);
    let none = revert(&repo, commit, None, &settings(), None, soon());
    assert!(none.why.contains("no stack trace"));
    let foreign = python("x", &[("/usr/lib/python3.12/json/decoder.py", 1, "f")]);
    let foreign = revert(&repo, commit, Some(&foreign), &settings(), None, soon());
    assert!(foreign.why.contains("no frame"), "{}", foreign.why);
    let late = revert(
        &repo,
        commit,
        Some(&crash()),
        &settings(),
        None,
        std::time::Instant::now(),
    );
    assert!(late.why.contains("cut short"), "{}", late.why);
    assert!(late.patch.is_none());
}
