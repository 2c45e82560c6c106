//! Whether the answer brings a regression test where the repository has tests, and whether tests
//! keep to themselves: a test runs on somebody's machine before a person has read the fix.

use super::case::{Case, Touched, is_test};
use super::powers::{self, Kind};
use super::{Seen, quoted};
use crate::patch::code::Grammar;
use crate::patch::code::tokens::{Code, Token};
use crate::patch::paths;
use crate::source::locate::Files;
use std::collections::HashSet;

/// What begins a test, as words and marks of code. Ends with what must follow.
const BEGINS: &[&str] = &[
    "def test_",
    "func Test",
    "it (",
    "test (",
    "@ Test",
    "# [ test ]",
    ":: test ]",
    "should (",
    "function test",
    "@ ParameterizedTest",
    "[ Test ]",
    "[ Fact ]",
    "[ Theory ]",
    "fun test",
    "testWidgets (",
    "TEST (",
    "TEST_F (",
    "specify",
    "it ",
    "test ",
    "void test",
    "TEST_CASE (",
    "it . each",
    "test . each",
    "scenario",
];
pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    listed(case, &mut seen);
    for file in case.files.iter().filter(|file| file.is_test) {
        for found in powers::new_in(file, Kind::in_tests) {
            seen.fault(format!(
                "the test {} would use {} ({}); a test here opens no process, network, file \
                 system or environment: use plain values, and let \
                 every test run",
                quoted(&file.path),
                quoted(&found.what),
                found.kind.word()
            ));
        }
        outside(file, &mut seen);
    }
    for file in &case.files {
        weaker(file, &mut seen);
    }
    let tests = case.answer.tests.len();
    seen.says(format!(
        "{tests} regression tests, which keep to themselves"
    ))
}

/// Whether there is a test where there must be one, and whether it is one.
fn listed(case: &Case<'_>, seen: &mut Seen) {
    let settings = case.ground.settings;
    let allowed = paths::protects;
    let known = case.tree.paths().iter().find(|path| {
        is_test(path) && case.is_root(path) && allowed(path, &super::rules(settings)).is_none()
    });
    if let Some(known) = known
        && case.answer.tests.is_empty()
    {
        seen.fault(format!(
            "there is no regression test, though the repository has tests (such as {}); add one \
             that fails without the fix, and name its path in `tests`",
            quoted(known)
        ));
    }
    for path in &case.answer.tests {
        let Some(file) = case.files.iter().find(|file| file.path == *path) else {
            seen.fault(format!(
                "the test {} is not among the edits; name a file that the edits make or change",
                quoted(path)
            ));
            continue;
        };
        // Rust's tests stand beside what they test; others are found by their names.
        if !is_test(path) && file.grammar != Some(Grammar::Rust) {
            seen.fault(format!(
                "{} is no path under which a test is found; put the test beside the others",
                quoted(path)
            ));
        }
        let before: HashSet<&str> = file.text_before().lines().map(str::trim).collect();
        let new = file
            .after
            .text
            .lines()
            .any(|line| !line.trim().is_empty() && !before.contains(line.trim()));
        if begun(&file.code_after()) == 0 || !new {
            seen.fault(format!(
                "nothing in {} is a new test; add a case that fails without the fix",
                quoted(path)
            ));
        }
    }
}

/// Paths of the machine in a test's literals.
fn outside(file: &Touched, seen: &mut Seen) {
    const PLACES: &[&str] = &[
        "/etc/", "/proc/", "/root", "/home/", "/var/", "/sys/", "/dev/", "/usr/", "/opt/", "/run/",
        "~/", "../../", "c:\\", "\\\\", "/tmp/",
    ];
    let before = file.code_before();
    let old: HashSet<Token<'_>> = before.tokens.into_iter().collect();
    for token in file.code_after().tokens {
        if let Token::Literal(text) = token
            && !old.contains(&token)
            && let lower = text.trim_start_matches(['"', '\'']).to_lowercase()
            && PLACES.iter().any(|place| lower.starts_with(place))
        {
            seen.fault(format!(
                "the test {} would name {}, a place of the machine; use plain values",
                quoted(&file.path),
                quoted(text)
            ));
        }
    }
}

/// Whether tests go away or are turned off.
fn weaker(file: &Touched, seen: &mut Seen) {
    let (before, after) = (file.code_before(), file.code_after());
    let (was, is) = (begun(&before), begun(&after));
    if is < was {
        seen.fault(format!(
            "{} would have {is} tests instead of {was}; take no test away",
            quoted(&file.path)
        ));
    }
    if !file.is_test {
        return;
    }
    let asserts = |code: &Code<'_>| {
        let words = code.tokens.iter();
        let of = |word: &str| {
            let word = word.to_ascii_lowercase();
            word.starts_with("assert") || word.starts_with("expect") || word.starts_with("should")
        };
        words
            .filter(|t| matches!(t, Token::Word(word) if of(word)))
            .count()
    };
    if asserts(&after) < asserts(&before) {
        seen.fault(format!(
            "{} would check less than before; take no check away",
            quoted(&file.path)
        ));
    }
}

/// How many tests begin.
fn begun(code: &Code<'_>) -> usize {
    let mut shown = String::new();
    let mut count = 0;
    let mut starts = Vec::new();
    for token in &code.tokens {
        starts.push(shown.len());
        match token {
            Token::Word(word) => shown.push_str(word),
            Token::Mark(mark) => shown.push(*mark),
            Token::Literal(_) => shown.push('"'),
            Token::Command => {}
        }
        shown.push(' ');
    }
    let begins = BEGINS.iter();
    let begins: Vec<String> = begins
        .map(|begin| match begin.strip_suffix(' ') {
            // A word with a text behind it.
            Some(_) => format!("{begin}\""),
            None => (*begin).to_owned(),
        })
        .collect();
    for start in starts {
        let rest = shown.get(start..).unwrap_or_default();
        count += usize::from(begins.iter().any(|begin| rest.starts_with(begin.as_str())));
    }
    count
}
