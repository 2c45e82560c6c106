//! Real suites in Python and Go, right and wrong fixes.

use crate::place::{Asked, Place, has, mark, patch, ran};
use crate::sample::Sample;
use autofix::patch::verify::{How, Verdict};

const CART: &str = "def total(prices):\n    return sum(prices) / len(prices)\n";
const FIXED: &str = "def total(prices):\n    if not prices:\n        return 0\n    return sum(prices) / len(prices)\n";
const SUITE: &str = "import unittest\nfrom cart import total\n\nclass Old(unittest.TestCase):\n    \
                     def test_two(self):\n        self.assertEqual(total([1, 3]), 2)\n";
const NEW: &str = "import unittest\nfrom cart import total\n\nclass New(unittest.TestCase):\n    \
                   def test_none(self):\n        self.assertEqual(total([]), 0)\n";
const COMMAND: &str = "python3 -m unittest";

fn python(name: &str, suite: &str) -> Option<(Place, Sample)> {
    if !has("python3") {
        println!("SKIPPED {name}: there is no /usr/bin/python3");
        return None;
    }
    let place = Place::new(name)?;
    let sample = Sample::new();
    let files = [
        ("shop/cart.py", Some(CART)),
        ("shop/test_cart.py", Some(suite)),
    ];
    sample.commit(2.0, "first", &files);
    Some((place, sample))
}

fn verdict(name: &str, suite: &str, cart: &str, test: Option<&str>) -> Option<Verdict> {
    let (place, sample) = python(name, suite)?;
    let mut files = vec![("shop/cart.py", Some(cart))];
    files.extend(test.map(|test| ("shop/test_new.py", Some(test))));
    let mark = mark(name);
    let asked = Asked {
        tests: &["shop/test_new.py"],
        root: "shop",
        ..Asked::new(&mark, COMMAND)
    };
    let ran = ran(place.verify(&sample, &patch(&sample, &files), &asked));
    assert_eq!(ran.without_fix.is_some(), test.is_some());
    Some(ran.verdict)
}

#[test]
fn a_regression_test_in_python_fails_before_and_passes_after() {
    let name = "a_regression_test_in_python_fails_before_and_passes_after";
    let Some((place, sample)) = python(name, SUITE) else {
        return;
    };
    let patch = patch(
        &sample,
        &[
            ("shop/cart.py", Some(FIXED)),
            ("shop/test_new.py", Some(NEW)),
        ],
    );
    let mark = mark("python");
    let asked = Asked {
        tests: &["shop/test_new.py"],
        root: "shop",
        ..Asked::new(&mark, COMMAND)
    };
    let ran = ran(place.verify(&sample, &patch, &asked));
    assert_eq!(ran.verdict, Verdict::Proven, "{ran:?}");
    let without = ran.without_fix.unwrap();
    assert!(ran.before.passed && !without.passed && ran.with_fix.passed);
    assert_eq!((without.status, without.ended), (Some(1), How::Exited));
    assert!(
        without.output.contains("ZeroDivisionError"),
        "{}",
        without.output
    );
    assert!(
        ran.with_fix.output.contains("Ran 2 tests"),
        "{}",
        ran.with_fix.output
    );
}

#[test]
fn a_regression_test_in_go_fails_before_and_passes_after() {
    let name = "a_regression_test_in_go_fails_before_and_passes_after";
    if !has("go") {
        return println!("SKIPPED {name}: there is no /usr/bin/go");
    }
    let Some(place) = Place::new(name) else {
        return;
    };
    let sample = Sample::new();
    let code = "package cart\n\nfunc First(names []string) string {\n\treturn names[0]\n}\n";
    let fixed = "package cart\n\nfunc First(names []string) string {\n\tif len(names) == 0 {\n\
                 \t\treturn \"\"\n\t}\n\treturn names[0]\n}\n";
    let test = "package cart\n\nimport \"testing\"\n\nfunc TestNone(t *testing.T) {\n\
                \tif First(nil) != \"\" {\n\t\tt.Fatal(\"not empty\")\n\t}\n}\n";
    let old = "package cart\n\nimport \"testing\"\n\nfunc TestOne(t *testing.T) {\n\
               \tif First([]string{\"a\"}) != \"a\" {\n\t\tt.Fatal(\"not a\")\n\t}\n}\n";
    sample.commit(
        1.0,
        "first",
        &[
            ("go.mod", Some("module example.com/cart\n\ngo 1.18\n")),
            ("cart.go", Some(code)),
            ("cart_test.go", Some(old)),
        ],
    );
    let patch = patch(
        &sample,
        &[("cart.go", Some(fixed)), ("none_test.go", Some(test))],
    );
    let mark = mark("go");
    let asked = Asked {
        tests: &["none_test.go"],
        ..Asked::new(&mark, "go test ./...")
    };
    let ran = ran(place.verify(&sample, &patch, &asked));
    assert_eq!(ran.verdict, Verdict::Proven, "{ran:?}");
    let without = ran.without_fix.unwrap();
    assert!(
        without.output.contains("index out of range"),
        "{}",
        without.output
    );
}

#[test]
fn a_fix_that_does_not_fix_fails() {
    let other = "def total(prices):\n    return sum(prices) / (len(prices) or 2)\n";
    let test = NEW.replace(", 0)", ", 7)");
    let verdict = verdict("a_fix_that_does_not_fix_fails", SUITE, other, Some(&test));
    assert!(
        matches!(verdict, None | Some(Verdict::Fails(_))),
        "{verdict:?}"
    );
}

#[test]
fn a_test_that_passes_without_the_fix_proves_nothing() {
    let name = "a_test_that_passes_without_the_fix_proves_nothing";
    let test = NEW.replace("total([]), 0", "total([5]), 5");
    let with_test = verdict(name, SUITE, FIXED, Some(&test));
    assert!(
        matches!(with_test, None | Some(Verdict::Unproven(_))),
        "{with_test:?}"
    );
    let without = verdict(name, SUITE, FIXED, None);
    assert!(
        matches!(without, None | Some(Verdict::Unproven(_))),
        "{without:?}"
    );
}

#[test]
fn a_suite_that_fails_anyway_says_nothing() {
    let broken = SUITE.replace(", 2)", ", 3)");
    let verdict = verdict(
        "a_suite_that_fails_anyway_says_nothing",
        &broken,
        FIXED,
        Some(NEW),
    );
    assert!(
        matches!(verdict, None | Some(Verdict::Inconclusive(_))),
        "{verdict:?}"
    );
}

#[test]
fn a_command_that_is_not_there_says_nothing() {
    let name = "a_command_that_is_not_there_says_nothing";
    let Some((place, sample)) = python(name, SUITE) else {
        return;
    };
    let patch = patch(&sample, &[("shop/cart.py", Some(FIXED))]);
    let mark = mark("missing");
    let ran = ran(place.verify(&sample, &patch, &Asked::new(&mark, "no-such-runner -q")));
    assert!(matches!(ran.verdict, Verdict::Inconclusive(_)), "{ran:?}");
}
