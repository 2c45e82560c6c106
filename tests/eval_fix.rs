//! `autofix eval fix` as its users meet it: the shape of what it prints, its exit status, when a
//! case is right, and what it says of a case that is not. That the shipped cases are sound is
//! held here; what a fixer makes of them is not: that is what the command is there to tell.

#[path = "cli/place.rs"]
#[allow(
    dead_code,
    reason = "some of it is for other tests of the command line"
)]
mod place;

use place::{Place, Ran};
use serde_json::Value;
use std::process::Command;

const TEST: &str = "from shop import handle\nassert handle(\"7\") == 7\n";

/// A case of the shop whose last commit broke it.
fn case(place: &Place, revert: &str, more: &str) {
    let (shop, commit) = place.shop();
    let log = format!("{}{}", "2026-03-01T10:00:00Z INFO up\n", trace(&shop));
    let toml = format!(
        "language = \"python\"\nfile = \"shop.py\"\nrevert = \"{revert}\"\nwhy = \"A typo.\"\n\
         right = \"int\"\nlog = \"app.log\"\nmade = \"by hand\"\n[test]\n{more}\n"
    );
    let service = format!(
        "[[service]]\nname = \"shop\"\nmatch = \"tag:app\"\nrepo = \"{}\"\ncommit = \"{commit}\"\n\
         path_prefixes = [\"/app\"]\n",
        shop.display()
    );
    place.write("set/one/case.toml", &toml);
    place.write("set/one/service.toml", &service);
    place.write("set/one/app.log", &log);
    place.write("set/one/hidden/check.py", TEST);
}

/// What running the shop prints, with its folder under /app.
fn trace(shop: &std::path::Path) -> String {
    let code = "import shop; shop.handle('7')";
    let ran = Command::new("python3")
        .args(["-B", "-c", code])
        .current_dir(shop)
        .output();
    let said = ran.expect("python3 runs").stderr;
    let said = String::from_utf8(said).unwrap();
    said.replace(&*shop.to_string_lossy(), "/app")
}

const CHECK: &str = "command = [\"python3\", \"check.py\"]";

fn eval(place: &Place, more: &[&str]) -> Ran {
    place.run(&[&["eval", "fix", "--cases", "set"], more].concat())
}

fn object(ran: &Ran) -> Value {
    assert_eq!(ran.out.lines().count(), 1, "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap_or_else(|why| panic!("{why}: {}", ran.out))
}

/// Located, patched, passed, right.
fn told(of: &Value) -> [bool; 4] {
    ["located", "patched", "passed", "right"].map(|key| of[key].as_bool().unwrap())
}

fn has_python(test: &str) -> bool {
    let there = Command::new("python3").arg("-V").output().is_ok();
    if !there {
        println!("SKIPPED {test}: there is no python3");
    }
    there
}

#[test]
fn a_change_taken_back_is_right_and_has_the_documented_shape() {
    if !has_python("a_change_taken_back_is_right_and_has_the_documented_shape") {
        return;
    }
    let place = Place::new();
    case(&place, "diff", CHECK);
    let ran = eval(&place, &["--json", "--set", "Fixer=revert"]);
    let of = object(&ran);
    assert_eq!(told(&of), [true; 4], "{of}");
    assert_eq!(ran.status, 0);
    let keys: Vec<&String> = of.as_object().unwrap().keys().collect();
    let wanted = [
        "name", "language", "located", "patched", "passed", "right", "tokens", "usd", "seconds",
    ];
    assert_eq!(keys, wanted);
    assert_eq!(
        (of["tokens"].as_u64(), of["usd"].as_f64()),
        (Some(0), Some(0.0))
    );
    assert!(of["usd"].is_f64() && of["seconds"].is_f64(), "{of}");
    // Nothing is left behind but the home's own folder.
    let left = std::fs::read_dir(place.path("home")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().starts_with("autofix-")),
        "{left:?}"
    );
}

#[test]
fn a_diff_where_none_is_right_and_none_where_one_is_are_wrong() {
    if !has_python("a_diff_where_none_is_right_and_none_where_one_is_are_wrong") {
        return;
    }
    let place = Place::new();
    case(&place, "none", CHECK);
    let ran = eval(&place, &["--json"]);
    assert_eq!(told(&object(&ran)), [true, true, true, false]);
    assert_eq!(ran.status, 1);
    // With the fixer off nothing is excused by a case's `none`, nor is one that needs a diff.
    let ran = eval(&place, &["--json", "--set", "Fixer=off"]);
    assert_eq!(told(&object(&ran))[1..], [false, false, false]);
    assert_eq!(ran.status, 1);
}

#[test]
fn the_hidden_test_decides_and_its_end_is_told() {
    if !has_python("the_hidden_test_decides_and_its_end_is_told") {
        return;
    }
    let place = Place::new();
    case(&place, "diff", CHECK);
    place.write(
        "set/one/hidden/check.py",
        "raise SystemExit('still \\x1b[31mbroken')\n",
    );
    let ran = eval(&place, &[]);
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    let wanted = "the hidden test fails: still \\u{1b}[31mbroken";
    assert!(ran.out.contains(wanted), "{}", ran.out);
    // One that never ends is ended.
    place.write("set/one/hidden/check.py", "while True: pass\n");
    let toml = std::fs::read_to_string(place.path("set/one/case.toml")).unwrap();
    place.write("set/one/case.toml", &format!("{toml}seconds = 1\n"));
    let ran = eval(&place, &[]);
    assert!(
        ran.out.contains("not done within 1 s"),
        "{}{}",
        ran.out,
        ran.err
    );
    // One that writes without end is ended too, by the limit on files.
    place.write(
        "set/one/hidden/check.py",
        "while True: print('x' * 100000)\n",
    );
    let long = toml.replace("[test]", "[test]\nseconds = 600");
    place.write("set/one/case.toml", &long);
    let ran = eval(&place, &["--json"]);
    assert_eq!(told(&object(&ran)), [true, true, false, false]);
}

#[test]
fn a_case_whose_runtime_is_missing_is_skipped_and_said() {
    if !has_python("a_case_whose_runtime_is_missing_is_skipped_and_said") {
        return;
    }
    let place = Place::new();
    case(
        &place,
        "diff",
        &format!("{CHECK}\nneeds = [\"no-such-runtime\"]"),
    );
    let ran = eval(&place, &["--json"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{}", ran.err);
    let wanted = "SKIPPED one: there is no `no-such-runtime` on this host";
    assert!(ran.err.contains(wanted), "{}", ran.err);
}

#[test]
fn a_case_that_proves_nothing_is_not_sound() {
    if !has_python("a_case_that_proves_nothing_is_not_sound") {
        return;
    }
    let place = Place::new();
    case(&place, "diff", CHECK);
    let ran = eval(&place, &["--check"]);
    assert!(
        ran.out.contains("there is no right.patch"),
        "{}{}",
        ran.out,
        ran.err
    );
    place.write(
        "set/one/right.patch",
        "--- a/none\n+++ b/none\n@@ -1 +1 @@\n-a\n+b\n",
    );
    place.write("set/one/hidden/check.py", "");
    let ran = eval(&place, &["--check"]);
    assert_eq!(ran.status, 1);
    for wanted in ["passes without any change", "the diff does not apply"] {
        assert!(ran.out.contains(wanted), "{wanted}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn all_that_is_wrong_with_a_case_is_said_at_once() {
    let place = Place::new();
    let toml =
        "language = 3\nrevert = \"maybe\"\nlog = \"none.log\"\nlgo = \"x\"\n[test]\nseconds = 0\n";
    place.write("set/one/case.toml", toml);
    place.write(
        "set/one/service.toml",
        "[[service]]\nname = \"shop\"\nmatch = \"tag:app\"\n",
    );
    let ran = eval(&place, &[]);
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    for wanted in [
        "language",
        "`maybe`",
        "has no file",
        "has no why",
        "none.log",
        "lgo",
        "has no command",
        "hidden",
        "commit",
        "`seconds`",
        "case.toml:2",
    ] {
        assert!(ran.err.contains(wanted), "{wanted}\n{}", ran.err);
    }
    let ran = place.run(&["eval", "fix", "shard_writre"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("shard_writer"), "{}", ran.err);
}

#[test]
fn the_shipped_cases_are_sound() {
    let place = Place::new();
    // With the caller's own environment: its runtimes may be its own.
    let ran = Command::new(env!("CARGO_BIN_EXE_autofix"))
        .args(["eval", "fix", "--check"])
        .env("TMPDIR", place.path("home"))
        .output()
        .unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    let err = String::from_utf8(ran.stderr).unwrap();
    let sound = out
        .lines()
        .filter(|line| line.ends_with(" sound") && !line.ends_with("not sound"));
    let skipped: Vec<&str> = err
        .lines()
        .filter(|line| line.contains("SKIPPED"))
        .collect();
    for line in &skipped {
        println!("SKIPPED the_shipped_cases_are_sound: {line}");
    }
    assert!(ran.status.success(), "{out}{err}");
    assert!(sound.count() + skipped.len() >= 12, "{out}{err}");
}
