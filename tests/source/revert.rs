//! The offline fixer: which change it blames and what it takes back.

use crate::sample::{Sample, at, python, settings, soon};
use autofix::investigate::{Findings, revert};
use autofix::model::{Language, Settings, Trace};
use std::fmt::Write as _;

pub fn run_with(
    sample: &Sample,
    deployed: &str,
    trace: &Trace,
    settings: &Settings,
    good: Option<&str>,
) -> Findings {
    let repo = sample.open();
    let good = good.map(|id| at(&repo, id));
    let findings = revert(
        &repo,
        at(&repo, deployed),
        Some(trace),
        settings,
        good,
        soon(),
    );
    if let Some(patch) = &findings.patch {
        sample.apply(deployed, patch.text());
    }
    findings
}

pub fn run(sample: &Sample, deployed: &str, trace: &Trace) -> Findings {
    run_with(sample, deployed, trace, &settings(), None)
}

/// What a file looks like after the patch, by git's own hand.
pub fn patched(sample: &Sample, deployed: &str, findings: &Findings, file: &str) -> String {
    let patch = findings
        .patch
        .as_ref()
        .unwrap_or_else(|| panic!("no patch: {findings:#?}"));
    let work = sample.apply(deployed, patch.text());
    std::fs::read_to_string(work.join(file)).unwrap()
}

pub const CART: &str = "\
RATES = {'std': 20}


def rate(item):
    kind = item.get('kind', 'std')
    return RATES[kind]


def total(items):
    if not items:
        return 0
    result = 0
    for item in items:
        result += item['price'] * rate(item)
    return result / len(items)
";

pub fn crash() -> Trace {
    python(
        "division by zero",
        &[
            ("/app/main.py", 5, "handle"),
            ("/app/shop/cart.py", 13, "total"),
        ],
    )
}

pub const MAIN: &str = "\
from shop.cart import total


def handle(request):
    return total(request.items)
";

/// A repository whose cart lost its guard two days ago.
pub fn without_guard(message: &str, more: &[(&str, Option<&str>)]) -> (Sample, String, String) {
    let sample = Sample::new();
    sample.commit(400.0, "start", &[("README.md", Some("shop\n"))]);
    sample.commit(
        200.0,
        "cart",
        &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
    );
    let bad = CART.replace("    if not items:\n        return 0\n", "");
    let mut files = vec![("shop/cart.py", Some(bad.as_str()))];
    files.extend_from_slice(more);
    let bad = sample.commit(2.0, message, &files);
    let deployed = sample.commit(1.0, "docs", &[("README.md", Some("the shop\n"))]);
    (sample, bad, deployed)
}

#[test]
fn a_removed_guard_is_found_and_put_back() {
    let (sample, bad, deployed) = without_guard("simplify total", &[]);
    let findings = run(&sample, &deployed, &crash());
    assert_eq!(findings.suspects[0].commit, bad, "{findings:#?}");
    assert_eq!(patched(&sample, &deployed, &findings, "shop/cart.py"), CART);
    let place = findings.location.unwrap();
    assert_eq!(
        (place.file.as_str(), place.line),
        ("shop/cart.py", Some(13))
    );
    let excerpt = &findings.excerpts[0];
    let marked = (excerpt.marked.unwrap() - excerpt.first_line) as usize;
    assert!(excerpt.lines[marked].contains("len(items)"));
}

#[test]
fn a_changed_line_is_blamed_and_taken_back() {
    let sample = Sample::new();
    sample.commit(100.0, "start", &[("shop/cart.py", Some(CART))]);
    let wrong = CART.replace("item.get('kind', 'std')", "item['kind']");
    let bad = sample.commit(3.0, "stricter", &[("shop/cart.py", Some(&wrong))]);
    // A commit in the same file, elsewhere, is newer and innocent.
    let newer = wrong.replace("RATES = {'std': 20}", "RATES = {'std': 21}");
    let deployed = sample.commit(1.0, "raise the rate", &[("shop/cart.py", Some(&newer))]);
    let trace = python(
        "'kind'",
        &[
            ("/app/shop/cart.py", 14, "total"),
            ("/app/shop/cart.py", 5, "rate"),
        ],
    );
    let findings = run(&sample, &deployed, &trace);
    assert_eq!(findings.suspects[0].commit, bad, "{findings:#?}");
    let expected = CART.replace("'std': 20", "'std': 21");
    assert_eq!(
        patched(&sample, &deployed, &findings, "shop/cart.py"),
        expected
    );
}

#[test]
fn the_caller_may_be_at_fault() {
    let sample = Sample::new();
    sample.commit(
        100.0,
        "start",
        &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
    );
    let wrong = MAIN.replace("request.items", "request.get_items");
    let bad = sample.commit(3.0, "use the getter", &[("main.py", Some(&wrong))]);
    let findings = run(&sample, &bad, &crash());
    assert_eq!(findings.suspects[0].commit, bad);
    assert_eq!(patched(&sample, &bad, &findings, "main.py"), MAIN);
}

#[test]
fn a_change_that_feeds_the_line_is_a_suspect() {
    let sample = Sample::new();
    sample.commit(100.0, "start", &[("shop/cart.py", Some(CART))]);
    let wrong = CART.replace("kind = item.get('kind', 'std')", "kind = item.get('sort')");
    let bad = sample.commit(3.0, "rename kind", &[("shop/cart.py", Some(&wrong))]);
    let trace = python(
        "None",
        &[
            ("/app/shop/cart.py", 14, "total"),
            ("/app/shop/cart.py", 6, "rate"),
        ],
    );
    let findings = run(&sample, &bad, &trace);
    assert_eq!(patched(&sample, &bad, &findings, "shop/cart.py"), CART);
}

#[test]
fn ignored_and_reformatting_commits_pass_blame_on() {
    let sample = Sample::new();
    sample.commit(100.0, "start", &[("shop/cart.py", Some(CART))]);
    let wrong = CART.replace("item.get('kind', 'std')", "item['kind']");
    let bad = sample.commit(5.0, "stricter", &[("shop/cart.py", Some(&wrong))]);
    let renamed = wrong.replace("kind", "sort").replace("'sort'", "'kind'");
    let noise = sample.commit(3.0, "rename all", &[("shop/cart.py", Some(&renamed))]);
    let trace = python("'kind'", &[("/app/shop/cart.py", 5, "rate")]);
    let findings = run(&sample, &noise, &trace);
    assert_eq!(findings.suspects[0].commit, noise);
    let list = format!("# names only\n{noise}\n");
    let deployed = sample.commit(2.0, "ignore it", &[(".git-blame-ignore-revs", Some(&list))]);
    let findings = run(&sample, &deployed, &trace);
    let suspects: Vec<&str> = findings
        .suspects
        .iter()
        .map(|s| s.commit.as_str())
        .collect();
    assert_eq!(suspects, [bad.as_str()], "{findings:#?}");

    let sample = Sample::new();
    let go = "package a\n\nfunc F(a []int) int {\n\treturn a[0]\n}\n";
    sample.commit(
        100.0,
        "start",
        &[("a/a.go", Some(&go.replace("a[0]", "len(a)")))],
    );
    let bad = sample.commit(5.0, "first", &[("a/a.go", Some(go))]);
    let spaced = go.replace("\treturn a[0]", "    return  a[0]");
    let deployed = sample.commit(2.0, "style", &[("a/a.go", Some(&spaced))]);
    let trace = crate::sample::trace(
        Language::Go,
        "index out of range",
        &[("/app/a/a.go", 4, "x/a.F")],
    );
    let findings = run(&sample, &deployed, &trace);
    assert_eq!(findings.suspects[0].commit, bad, "{findings:#?}");
}

#[test]
fn blame_goes_through_merges_and_never_stops_at_one() {
    let sample = Sample::new();
    let base = sample.commit(
        50.0,
        "start",
        &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
    );
    let wrong = CART.replace("    if not items:\n        return 0\n", "");
    let bad = sample.commit_on(
        "topic",
        &[&base],
        6.0,
        "simplify",
        &[("shop/cart.py", Some(&wrong))],
    );
    let here = CART.replace("'std': 20", "'std': 21");
    let main = sample.commit(5.0, "rate", &[("shop/cart.py", Some(&here))]);
    let both = wrong.replace("'std': 20", "'std': 21");
    let merge = sample.commit_on(
        "main",
        &[&main, &bad],
        4.0,
        "Merge topic",
        &[("shop/cart.py", Some(&both))],
    );
    let findings = run(&sample, &merge, &crash());
    assert_eq!(findings.suspects[0].commit, bad, "{findings:#?}");
    assert!(findings.suspects.iter().all(|s| s.commit != merge));
    assert_eq!(patched(&sample, &merge, &findings, "shop/cart.py"), here);
}

#[test]
fn both_sides_of_a_merge_are_followed_also_through_a_new_name() {
    for name in ["shop/cart.py", "shop/basket.py"] {
        let sample = Sample::new();
        let base = sample.commit(
            50.0,
            "start",
            &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
        );
        let guard = "    if not items:\n        return 0\n";
        let wrong = CART.replace(guard, "");
        let bad = sample.commit_on(
            "topic",
            &[&base],
            6.0,
            "simplify",
            &[("shop/cart.py", Some(&wrong))],
        );
        let sum = |text: &str| text.replace("    result = 0\n", "    result = 0.0\n");
        let here = sum(CART);
        let mut files = vec![(name, Some(here.as_str()))];
        if name != "shop/cart.py" {
            files.push(("shop/cart.py", None));
        }
        let main = sample.commit(5.0, "floats", &files);
        let both = sum(&wrong);
        let merge = sample.commit_on(
            "main",
            &[&main, &bad],
            4.0,
            "Merge topic",
            &[(name, Some(&both))],
        );
        let trace = python(
            "division by zero",
            &[(&format!("/app/{name}"), 13, "total")],
        );
        let findings = run(&sample, &merge, &trace);
        assert_eq!(findings.suspects[0].commit, bad, "{findings:#?}");
    }
}

#[test]
fn where_the_whole_does_not_come_off_its_hunks_do() {
    let sample = Sample::new();
    sample.commit(
        100.0,
        "start",
        &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
    );
    let wrong = CART
        .replace("    if not items:\n        return 0\n", "")
        .replace("'std': 20", "'std': 22");
    let bad = sample.commit(3.0, "simplify", &[("shop/cart.py", Some(&wrong))]);
    let later = wrong.replace("'std': 22", "'std': 23, 'low': 5");
    let deployed = sample.commit(1.0, "low rate", &[("shop/cart.py", Some(&later))]);
    let findings = run(&sample, &deployed, &crash());
    assert_eq!(findings.suspects[0].commit, bad);
    let expected = CART.replace("'std': 20", "'std': 23, 'low': 5");
    assert_eq!(
        patched(&sample, &deployed, &findings, "shop/cart.py"),
        expected
    );
    assert!(findings.why.contains("the part of"), "{}", findings.why);
}

#[test]
fn a_large_commit_gives_back_only_its_part() {
    let mut big = String::new();
    for at in 0..400 {
        writeln!(big, "line_{at} = {at}").unwrap();
    }
    let (sample, _, deployed) = without_guard("big feature", &[("shop/big.py", Some(&big))]);
    let findings = run(&sample, &deployed, &crash());
    let patch = findings.patch.as_ref().unwrap();
    assert_eq!(patch.files(), ["shop/cart.py"]);
    assert!(patch.added() + patch.removed() <= 200);
    assert!(
        findings
            .tried
            .iter()
            .any(|line| line.contains("more than 200")),
        "{findings:#?}"
    );
}

#[test]
fn a_change_overwritten_since_is_not_forced() {
    let sample = Sample::new();
    sample.commit(
        100.0,
        "start",
        &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
    );
    let wrong = CART.replace("return result / len(items)", "return result / count(items)");
    sample.commit(9.0, "count", &[("shop/cart.py", Some(&wrong))]);
    let again = CART.replace(
        "return result / len(items)",
        "return result // count(items)",
    );
    let newer = sample.commit(3.0, "whole numbers", &[("shop/cart.py", Some(&again))]);
    let trace = python("division by zero", &[("/app/shop/cart.py", 15, "total")]);
    let findings = run(&sample, &newer, &trace);
    assert_eq!(findings.suspects[0].commit, newer, "{findings:#?}");
    assert_eq!(patched(&sample, &newer, &findings, "shop/cart.py"), wrong);
}

#[test]
fn line_ends_missing_newlines_and_odd_names_survive() {
    for (file, good) in [
        ("shop/cart.py", CART.replace('\n', "\r\n")),
        ("shop/cart.py", CART.trim_end().to_owned()),
        ("the shop/wagen ü.py", CART.to_owned()),
    ] {
        let sample = Sample::new();
        sample.commit(100.0, "start", &[(file, Some(&good))]);
        let wrong = good.replace("len(items)", "len(items[1:])");
        assert_ne!(wrong, good);
        let bad = sample.commit(3.0, "off by one", &[(file, Some(&wrong))]);
        let printed = format!("/app/{file}");
        let trace = python("division by zero", &[(printed.as_str(), 15, "total")]);
        let findings = run(&sample, &bad, &trace);
        assert_eq!(patched(&sample, &bad, &findings, file), good);
    }
}

#[test]
fn a_file_moved_since_is_followed() {
    let (sample, bad, deployed) = without_guard("simplify total", &[]);
    let repo = sample.open();
    let now = String::from_utf8(
        repo.read_file(at(&repo, &deployed), "shop/cart.py")
            .unwrap()
            .unwrap(),
    )
    .unwrap();
    let moved = sample.commit(
        0.5,
        "move",
        &[("shop/cart.py", None), ("store/basket.py", Some(&now))],
    );
    let trace = python("division by zero", &[("/app/store/basket.py", 13, "total")]);
    let findings = run(&sample, &moved, &trace);
    assert_eq!(findings.suspects[0].commit, bad, "{findings:#?}");
    assert_eq!(patched(&sample, &moved, &findings, "store/basket.py"), CART);
}

#[test]
fn a_new_feature_that_fails_is_taken_out() {
    let sample = Sample::new();
    sample.commit(100.0, "start", &[("main.py", Some(MAIN))]);
    let calls = MAIN.replace(
        "total(request.items)",
        "total(request.items)  # all of them\n\n\ndef extra(request):\n    return fee(request)",
    );
    let bad = sample.commit(
        2.0,
        "fees",
        &[
            (
                "shop/fees.py",
                Some("def fee(request):\n    return request.fees[0]\n"),
            ),
            ("main.py", Some(&calls)),
        ],
    );
    let trace = python(
        "list index out of range",
        &[
            ("/app/main.py", 9, "extra"),
            ("/app/shop/fees.py", 2, "fee"),
        ],
    );
    let findings = run(&sample, &bad, &trace);
    assert_eq!(patched(&sample, &bad, &findings, "main.py"), MAIN);
    assert_eq!(findings.patch.unwrap().files(), ["main.py", "shop/fees.py"]);
}

#[test]
fn an_import_that_later_lines_use_stays() {
    let sample = Sample::new();
    sample.commit(100.0, "start", &[("shop/cart.py", Some(CART))]);
    let wrong = CART
        .replace("RATES =", "import math\n\nRATES =")
        .replace("item.get('kind', 'std')", "math.floor(item['kind'])");
    sample.commit(3.0, "round", &[("shop/cart.py", Some(&wrong))]);
    let newer = wrong.replace("/ len(items)", "/ math.ceil(len(items))");
    let deployed = sample.commit(1.0, "round up", &[("shop/cart.py", Some(&newer))]);
    let trace = python("'kind'", &[("/app/shop/cart.py", 7, "rate")]);
    let findings = run(&sample, &deployed, &trace);
    // Only the hunk at the fault may go: the import is still needed.
    if findings.patch.is_some() {
        let text = patched(&sample, &deployed, &findings, "shop/cart.py");
        assert!(text.contains("import math"), "{text}");
    } else {
        assert!(findings.why.contains("still uses math"), "{}", findings.why);
    }
}

#[test]
fn what_later_code_uses_is_not_taken_away() {
    let sample = Sample::new();
    sample.commit(
        100.0,
        "start",
        &[("shop/cart.py", Some(CART)), ("main.py", Some(MAIN))],
    );
    let wrong = CART.replace("    if not items:\n        return 0\n", "")
        + "\n\ndef count(items):\n    return len(items)\n";
    let bad = sample.commit(3.0, "count", &[("shop/cart.py", Some(&wrong))]);
    let uses = "from shop.cart import count\n";
    let deployed = sample.commit(1.0, "use it", &[("stats.py", Some(uses))]);
    let findings = run(&sample, &deployed, &crash());
    assert_eq!(findings.suspects[0].commit, bad);
    let expected = format!("{CART}\n\ndef count(items):\n    return len(items)\n");
    assert_eq!(
        patched(&sample, &deployed, &findings, "shop/cart.py"),
        expected
    );
    assert!(
        findings
            .tried
            .iter()
            .any(|line| line.contains("stats.py still uses count"))
    );
}
