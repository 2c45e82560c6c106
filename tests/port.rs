//! A fix carried to the end of a branch that has moved on since the deploy.

#[allow(dead_code)]
#[path = "source/sample.rs"]
mod sample;

use autofix::patch::files::{BYTES, files};
use autofix::patch::port::{Ported, port};
use autofix::patch::{AcceptedPatch, Rules, accept};
use autofix::source::ErrorKind;
use autofix::source::diff::Edit;
use sample::{Sample, at};

const CART: &str = "import math\n\n\ndef first(names):\n    return names[0]\n\n\ndef last(names):\n    \
                    return names[-1]\n\n\ndef count(names):\n    return len(names)\n";

fn fixed(text: &str) -> String {
    text.replace(
        "    return names[0]\n",
        "    return names[0] if names else None\n",
    )
}

/// A repository at its deployed commit, and the fix for that.
fn deployed() -> (Sample, String, AcceptedPatch) {
    let sample = Sample::new();
    let base = sample.commit(
        9.0,
        "first",
        &[("cart.py", Some(CART)), ("b.py", Some("b\n"))],
    );
    let repo = sample.open();
    let edit = Edit {
        path: "cart.py".to_owned(),
        content: Some(fixed(CART).into_bytes()),
        new_mode: 0o100_644,
    };
    let patch = accept(&repo, at(&repo, &base), &[edit], &Rules::default()).unwrap();
    (sample, base, patch)
}

fn fix(sample: &Sample, base: &str, files: &[(&str, &str)]) -> AcceptedPatch {
    let edits: Vec<Edit> = files
        .iter()
        .map(|(path, text)| Edit {
            path: (*path).to_owned(),
            content: Some(text.as_bytes().to_vec()),
            new_mode: 0o100_644,
        })
        .collect();
    let repo = sample.open();
    accept(&repo, at(&repo, base), &edits, &Rules::default()).unwrap()
}

fn ported(sample: &Sample, patch: &AcceptedPatch, branch: Option<&str>) -> Ported {
    port(&sample.open(), patch, &Rules::default(), branch).unwrap()
}

#[test]
fn at_the_head_there_is_nothing_to_do() {
    let (sample, _, patch) = deployed();
    assert_eq!(ported(&sample, &patch, None), Ported::AtHead);
}

#[test]
fn other_changes_do_not_keep_it_away() {
    let (sample, _, patch) = deployed();
    let moved = CART.replace("import math\n", "import math\nimport json\n");
    let head = sample.commit(2.0, "more", &[("cart.py", Some(&moved)), ("b.py", None)]);
    let Ported::Same(found) = ported(&sample, &patch, None) else {
        panic!("{:?}", ported(&sample, &patch, None));
    };
    assert_eq!(
        (found.base(), found.files()),
        (head.as_str(), &["cart.py".to_owned()][..])
    );
    // git itself takes it, and what comes out is the fixed file.
    let work = sample.apply(&head, found.text());
    assert_eq!(
        std::fs::read_to_string(work.join("cart.py")).unwrap(),
        fixed(&moved)
    );
}

#[test]
fn a_file_that_was_renamed_is_followed() {
    let (sample, _, patch) = deployed();
    let head = sample.commit(
        2.0,
        "move",
        &[("cart.py", None), ("shop/cart.py", Some(CART))],
    );
    let Ported::Same(found) = ported(&sample, &patch, None) else {
        panic!("{:?}", ported(&sample, &patch, None));
    };
    assert_eq!(found.files(), ["shop/cart.py"]);
    assert_eq!(found.base(), head);
}

#[test]
fn the_same_fix_is_there_already() {
    let (sample, _, patch) = deployed();
    sample.commit(5.0, "other", &[("b.py", Some("c\n"))]);
    let fix = sample.commit(4.0, "fix", &[("cart.py", Some(&fixed(CART)))]);
    sample.commit(3.0, "after", &[("b.py", Some("d\n"))]);
    let Ported::AlreadyGone(why) = ported(&sample, &patch, None) else {
        panic!("{:?}", ported(&sample, &patch, None));
    };
    assert!(
        why.contains(&fix[..12]) && why.contains("same change"),
        "{why}"
    );
}

#[test]
fn the_faulty_lines_were_rewritten() {
    let (sample, _, patch) = deployed();
    let other = CART.replace("return names[0]", "return next(iter(names), None)");
    let by = sample.commit(4.0, "rewrite", &[("cart.py", Some(&other))]);
    sample.commit(
        3.0,
        "after",
        &[("cart.py", Some(&other.replace("math", "json")))],
    );
    let Ported::AlreadyGone(why) = ported(&sample, &patch, None) else {
        panic!("{:?}", ported(&sample, &patch, None));
    };
    assert!(why.contains(&by[..12]), "{why}");
}

#[test]
fn the_file_is_gone() {
    let (sample, _, patch) = deployed();
    let by = sample.commit(4.0, "remove", &[("cart.py", None)]);
    let Ported::AlreadyGone(why) = ported(&sample, &patch, None) else {
        panic!("{:?}", ported(&sample, &patch, None));
    };
    assert!(why.contains(&by[..12]), "{why}");
}

/// What was only moved, by indentation or to other neighbours, is no fault that is gone.
#[test]
fn a_fault_that_is_still_there_is_a_conflict() {
    let (sample, _, patch) = deployed();
    let moved = CART.replace(
        "    return names[0]\n",
        "    if True:\n        return names[0]\n",
    );
    sample.commit(4.0, "indent", &[("cart.py", Some(&moved))]);
    let found = ported(&sample, &patch, None);
    assert!(
        matches!(&found, Ported::Conflict(why) if why.contains("cart.py")),
        "{found:?}"
    );
}

#[test]
fn the_rules_hold_on_the_branch_too() {
    let (sample, _, patch) = deployed();
    sample.commit(
        2.0,
        "move",
        &[("cart.py", None), ("vendor/cart.py", Some(CART))],
    );
    let found = ported(&sample, &patch, None);
    assert!(
        matches!(&found, Ported::Conflict(why) if why.contains("vendor")),
        "{found:?}"
    );
}

#[test]
fn a_branch_is_found_by_name_or_missed() {
    let (sample, base, patch) = deployed();
    sample.commit_on(
        "release",
        &[&base],
        1.0,
        "release",
        &[("b.py", Some("x\n"))],
    );
    assert!(matches!(
        ported(&sample, &patch, Some("release")),
        Ported::Same(_)
    ));
    let missed = port(&sample.open(), &patch, &Rules::default(), Some("none"));
    assert!(missed.unwrap_err().to_string().contains("none"));
}

/// Two lines are changed together; on the branch one of them, which is not the faulty one, is
/// another.
#[test]
fn a_fault_beside_a_line_that_changed_is_a_conflict() {
    let sample = Sample::new();
    let faulty = "def total(prices):\n    first = prices[0]\n    return first + sum(prices[1:])\n";
    let base = sample.commit(9.0, "first", &[("cart.py", Some(faulty))]);
    let patch = fix(
        &sample,
        &base,
        &[("cart.py", "def total(prices):\n    return sum(prices)\n")],
    );
    let near = faulty.replace("sum(prices[1:])", "sum(prices[1:], 0)");
    sample.commit(4.0, "start at nothing", &[("cart.py", Some(&near))]);
    let found = ported(&sample, &patch, None);
    assert!(
        matches!(&found, Ported::Conflict(why) if why.contains("cart.py")),
        "{found:?}"
    );
}

/// Of two faulty files one was rewritten, and the other was not.
#[test]
fn half_a_fault_is_not_gone() {
    let sample = Sample::new();
    let base = sample.commit(
        9.0,
        "first",
        &[("a.py", Some("a = x[0]\n")), ("b.py", Some("b = x[0]\n"))],
    );
    let patch = fix(
        &sample,
        &base,
        &[("a.py", "a = one(x)\n"), ("b.py", "b = one(x)\n")],
    );
    let other = [("a.py", Some("a = next(iter(x))\n"))];
    sample.commit(4.0, "rewrite one", &other);
    let found = ported(&sample, &patch, None);
    assert!(
        matches!(&found, Ported::Conflict(why) if why.contains("b.py still has the lines")),
        "{found:?}"
    );
    let by = sample.commit(3.0, "rewrite two", &[("b.py", Some("b = next(iter(x))\n"))]);
    let found = ported(&sample, &patch, None);
    assert!(
        matches!(&found, Ported::AlreadyGone(why) if why.contains(&by[..12])),
        "{found:?}"
    );
}

fn edit(path: &str, content: Option<&str>, new_mode: i32) -> Edit {
    Edit {
        path: path.to_owned(),
        content: content.map(|text| text.as_bytes().to_vec()),
        new_mode,
    }
}

#[test]
fn the_files_of_a_patch_are_whole_and_keep_their_modes() {
    let sample = Sample::new();
    let base = sample.commit(
        9.0,
        "first",
        &[("gone.py", Some("x\n")), ("a.py", Some("1\n"))],
    );
    let repo = sample.open();
    let edits = [
        edit("a.py", Some("1\n2\n"), 0o100_644),
        edit("gone.py", None, 0o100_644),
        edit("new/run.py", Some("run\n"), 0o100_755),
    ];
    let patch = accept(&repo, at(&repo, &base), &edits, &Rules::default()).unwrap();
    // What the branch is now does not matter.
    sample.commit(1.0, "later", &[("a.py", Some("3\n"))]);
    let found = files(&repo, &patch).unwrap();
    let seen: Vec<_> = found
        .iter()
        .map(|file| {
            let content = file
                .content
                .as_deref()
                .map(|text| std::str::from_utf8(text).unwrap());
            (file.path.as_str(), file.mode, content, file.exists)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("a.py", 0o100_644, Some("1\n2\n"), true),
            ("gone.py", 0o100_644, None, true),
            ("new/run.py", 0o100_755, Some("run\n"), false),
        ]
    );
}

#[test]
fn an_executable_file_stays_one() {
    let sample = Sample::new();
    let base = sample.commit(9.0, "first", &[("a.py", Some("1\n"))]);
    let repo = sample.open();
    let first = [edit("run.py", Some("1\n"), 0o100_755)];
    let made = accept(&repo, at(&repo, &base), &first, &Rules::default()).unwrap();
    let work = sample.apply(&base, made.text());
    sample::git(&work, &["config", "user.email", "a@example.org"]);
    sample::git(&work, &["config", "user.name", "A"]);
    sample::git(&work, &["add", "-A"]);
    sample::git(&work, &["commit", "-q", "-m", "run"]);
    let repo = sample::open(&work);
    let head = repo.head().unwrap();
    let change = [edit("run.py", Some("2\n"), 0o100_644)];
    let patch = accept(&repo, head, &change, &Rules::default()).unwrap();
    let found = files(&repo, &patch).unwrap();
    assert_eq!((found[0].mode, found[0].exists), (0o100_755, true));
    let removal = [edit("run.py", None, 0o100_644)];
    let patch = accept(&repo, head, &removal, &Rules::default()).unwrap();
    let found = files(&repo, &patch).unwrap();
    assert_eq!((found[0].mode, &found[0].content), (0o100_755, &None));
}

#[test]
fn files_that_are_too_large_together_are_refused() {
    let sample = Sample::new();
    let half = format!("1\n{}", "#".repeat(BYTES / 2));
    let base = sample.commit(
        9.0,
        "first",
        &[("a.py", Some(&half)), ("b.py", Some(&half))],
    );
    let repo = sample.open();
    let other = half.replacen('1', "2", 1);
    let one = fix(&sample, &base, &[("a.py", &other)]);
    assert_eq!(files(&repo, &one).unwrap().len(), 1);
    let both = fix(&sample, &base, &[("a.py", &other), ("b.py", &other)]);
    let refused = files(&repo, &both).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::TooLarge);
    assert!(refused.to_string().contains("b.py"), "{refused}");
}
