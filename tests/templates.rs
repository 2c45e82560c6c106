//! `autofix inspect templates` as its users meet it: one line out for each line in, whatever
//! stands in it, and what was learnt handed on.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};

fn autofix(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_autofix"))
        .args(["inspect", "templates"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().ok();
    output
}

fn rows(output: &Output) -> Vec<(String, String)> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let row = |line: &str| {
        let (id, template) = line.split_once('\t').unwrap();
        assert!(id.len() == 12 && id.bytes().all(|b| b.is_ascii_hexdigit()));
        (id.to_owned(), template.to_owned())
    };
    text.lines().map(row).collect()
}

#[test]
fn one_line_out_for_each_line_in() {
    let mut input = b"took 5 ms\r\n\ntook 7 ms\n\xff\xfe bad \xe2\x80\xae \x1b[31m\n".to_vec();
    input.extend(b"word ".repeat(200_000));
    input.extend(b"\nlast");
    let output = autofix(&[], &input);
    assert_eq!(output.status.code(), Some(0));
    let rows = rows(&output);
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[0].1, "took <*>");
    assert_eq!(rows[0], rows[2]);
    assert_eq!(rows[1].1, "");
    assert!(rows.iter().all(|(_, text)| text.len() < 10_000));
    let raw = |c: char| c.is_control() || c == '\u{202e}';
    assert!(!rows.iter().any(|(_, text)| text.contains(raw)));
}

#[test]
fn a_line_is_answered_when_it_is_read() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_autofix"))
        .args(["inspect", "templates"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut answers = Vec::new();
    for user in ["root", "test", "root"] {
        writeln!(stdin, "session opened for user {user} by (uid=0)").unwrap();
        let mut answer = String::new();
        out.read_line(&mut answer).unwrap();
        answers.push(answer);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    let id = |answer: &String| answer.split('\t').next().unwrap().to_owned();
    assert!(answers[0].contains("user root by"));
    assert!(answers[1].contains("user <*> by"));
    assert!(answers.iter().all(|answer| id(answer) == id(&answers[0])));
}

#[test]
fn what_was_learnt_is_handed_on() {
    let dir = tempfile::tempdir().unwrap();
    let seed = dir.path().join("seed.jsonl");
    let log = b"user root came\nuser test came\ntook 5 ms\n";
    let learnt = autofix(&["--export"], log);
    assert_eq!(learnt.status.code(), Some(0));
    let text = String::from_utf8(learnt.stdout).unwrap();
    assert_eq!(text.lines().count(), 2);
    std::fs::write(&seed, &text).unwrap();
    let seed = seed.to_str().unwrap();
    let again = autofix(&["--seed", seed, "--export"], log);
    assert_eq!(String::from_utf8(again.stdout).unwrap(), text);
    let before = rows(&autofix(&[], log));
    let after = rows(&autofix(&["--seed", seed], b"took 9 ms\nuser new came\n"));
    assert_eq!(after[0].0, before[2].0);
    assert_eq!(after[1], before[1]);
}

#[test]
fn a_bad_seed_is_refused_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let seed = dir.path().join("seed.jsonl");
    for bad in [
        "{\"v\":9,\"id\":\"000000000001\",\"template\":\"a\"}",
        "no",
        "{}",
    ] {
        std::fs::write(&seed, format!("\n{bad}\n")).unwrap();
        let output = autofix(&["--seed", seed.to_str().unwrap()], b"a\n");
        assert_eq!(output.status.code(), Some(1), "{bad}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("seed.jsonl:2: "), "{said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn colours_make_no_other_template() {
    let plain = rows(&autofix(&[], b"red 1 user bob\n"));
    let coloured = b"\x1b[31mred 1\x1b[0m user \x1b[1mbob\x1b[0m\n";
    let coloured = rows(&autofix(&[], coloured));
    assert_eq!(plain, coloured);
}
