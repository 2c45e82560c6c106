//! What is held, cut, kept apart or refused, and the forms of traces that the corpus lacks.

use super::{corpus, find, line};
use autofix::model::{Level, Timestamp};
use autofix::trace::{self, Assembler, Found, Line, Taken};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn quoted_traces_are_text() {
    for text in [
        r#"level=error msg="Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nValueError: x""#,
        r#"{"log":"Traceback (most recent call last):\n  File \"a.py\", line 1"}"#,
        "GET /search?q=panic:+x&next=goroutine%201%20[running]: HTTP/1.1",
        "level=info body=\"Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nValueError: x\"",
        "see https://example.org/thread 'main' panicked at src/main.rs:1:2:",
        "note=\"thread 'main' panicked at src/main.rs:1:2:",
    ] {
        let mut lines = vec![text];
        lines.push("done");
        assert!(find(&lines).is_empty(), "{text}");
    }
}

#[test]
fn held_lines_come_back() {
    let mut assembler = Assembler::default();
    let texts = [
        "Error: cannot reach the shop",
        "trying again",
        "2026-02-03 10:00:00 INFO reached",
    ];
    let taken: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| assembler.push(line(text, at as u64), Timestamp(0)))
        .collect();
    assert_eq!(taken, [Taken::Inside, Taken::Inside, Taken::Plain]);
    let back: Vec<_> = assembler.take_plain().map(|kept| kept.index).collect();
    assert_eq!(back, [0, 1]);
    assert_eq!(assembler.take().count(), 0);
}

#[test]
fn a_held_line_comes_back_however_long_it_is() {
    let long = "x".repeat(2 * trace::BYTES_KEPT);
    let first = format!("Error: cannot reach {long}");
    for texts in [[first.as_str(), "again"], ["Error: cannot reach it", &long]] {
        let mut assembler = Assembler::default();
        for (at, text) in (0..).zip(texts) {
            let taken = assembler.push(line(text, at), Timestamp(0));
            assert_eq!(taken, Taken::Inside);
        }
        assembler.finish();
        let back: Vec<_> = assembler.take_plain().map(|kept| kept.index).collect();
        assert_eq!(back, [0, 1]);
    }
}

#[test]
fn a_line_that_was_given_back_is_not_given_twice() {
    let mut assembler = Assembler::default();
    let texts = [
        "Error: signal 11:",
        "./symbols(+0x11be)[0x564fdaec41be]",
        "./symbols(total+0xc)[0x564fdaec4214]",
    ];
    for (at, text) in (0..).zip(texts) {
        assembler.push(line(text, at), Timestamp(0));
    }
    assembler.finish();
    let found: Vec<_> = assembler.take().collect();
    let first = found[0].lines.first().map(|line| line.index);
    assert_eq!((found.len(), first), (1, Some(0)));
    assert_eq!(assembler.take_plain().count(), 0);
}

#[test]
fn silence_closes_a_trace() {
    let case = corpus()
        .into_iter()
        .find(|case| case.name == "traces/java/uncaught")
        .unwrap();
    let mut assembler = Assembler::default();
    let now = Timestamp(0);
    for (index, text) in case.lines().iter().enumerate() {
        assembler.push(line(text, index as u64), now);
    }
    assembler.idle(now.plus(SECOND));
    assert_eq!(assembler.take().count(), 0, "more may follow");
    assembler.idle(now.plus(trace::IDLE + SECOND));
    let found: Vec<_> = assembler.take().collect();
    assert_eq!(found.len(), 1);
    assert!(!found[0].cut);
    assert!(!assembler.is_open());
}

#[test]
fn a_trace_without_end_is_cut() {
    let mut assembler = Assembler::default();
    assembler.push(line("java.lang.StackOverflowError", 0), Timestamp(0));
    let frame = format!("\tat com.acme.Shop.{}(Shop.java:7)", "deep".repeat(20));
    for index in 1..=3 * trace::LINES_MAX as u64 / 2 {
        assembler.push(line(&frame, index), Timestamp(0));
    }
    let found: Vec<_> = assembler.take().collect();
    assert_eq!(found.len(), 1, "the rest is still open");
    assert!(found[0].cut);
    assert!(found[0].lines.len() <= trace::LINES_KEPT);
    assert_eq!(found[0].last + 1, trace::LINES_MAX as u64);

    let mut slow = Assembler::default();
    slow.push(line("java.lang.StackOverflowError", 0), Timestamp(0));
    for second in 1..100 {
        slow.push(
            line(&frame, second),
            Timestamp(0).plus(SECOND * second as u32),
        );
    }
    assert!(slow.take().next().expect("it lasted too long").cut);
}

#[test]
fn a_level_that_comes_from_the_stream_makes_no_header() {
    let traced = [
        "listening on :80",
        "Traceback (most recent call last):",
        "  File \"/srv/app/a.py\", line 1, in f",
        "ValueError: x",
    ];
    let all = |first: Level| -> Found {
        let mut assembler = Assembler::default();
        for (index, text) in traced.iter().enumerate() {
            let level = if index == 0 {
                Some(first)
            } else {
                Some(Level::Error)
            };
            assembler.push(
                Line {
                    level,
                    ..line(text, index as u64)
                },
                Timestamp(0),
            );
        }
        assembler.finish();
        assembler.take().next().expect("a trace")
    };
    let found = all(Level::Error);
    assert!(found.header.is_none());
    assert!(all(Level::Fatal).header.is_some());
}

#[test]
fn a_header_is_near_in_time() {
    let with_gap = |gap: Duration| -> Option<u64> {
        let mut assembler = Assembler::default();
        let texts = [
            "2026-02-03 10:00:00 ERROR job failed",
            "Traceback (most recent call last):",
            "  File \"a.py\", line 1, in f",
            "ValueError: x",
        ];
        for (index, text) in texts.iter().enumerate() {
            let time = if index == 0 {
                Timestamp(0)
            } else {
                Timestamp(0).plus(gap)
            };
            assembler.push(
                Line {
                    time,
                    ..line(text, index as u64)
                },
                Timestamp(0),
            );
        }
        assembler.finish();
        assembler
            .take()
            .next()
            .expect("a trace")
            .header
            .map(|header| header.index)
    };
    assert_eq!(with_gap(SECOND), Some(0));
    assert_eq!(with_gap(60 * SECOND), None);
}

/// Forms that nothing installed here prints, written after their documentation.
#[test]
fn documented_forms() {
    let shown = |text: &str| -> Vec<(u64, u64, String, String)> {
        let lines: Vec<&str> = text.lines().collect();
        find(&lines)
            .iter()
            .map(|found| {
                let one = trace::Inspected::from(found.clone());
                let places: Vec<String> = one
                    .frames
                    .iter()
                    .map(|frame| {
                        let word = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
                        let line = frame.line.unwrap_or(0);
                        format!("{}@{}:{line}", word(&frame.function), word(&frame.file))
                    })
                    .collect();
                (
                    one.first,
                    one.last,
                    one.exception_type.unwrap_or_default(),
                    places.join(" "),
                )
            })
            .collect()
    };
    let one = |text: &str, first: u64, last: u64, kind: &str, places: &str| {
        assert_eq!(
            shown(text),
            [(first, last, kind.to_owned(), places.to_owned())],
            "{text}"
        );
    };
    one(
        "thread 'main' panicked at 'no port', src/main.rs:7:9\nnote: run with `RUST_BACKTRACE=1`\nbye",
        0,
        1,
        "panic",
        "-@src/main.rs:7",
    );
    one(
        "thread 'main' panicked at 'two\nlines', src/main.rs:7:9\nbye",
        0,
        1,
        "panic",
        "-@src/main.rs:7",
    );
    one(
        "Error: \n   0: cannot start\n   1: no port\n\nLocation:\n   src/main.rs:14\n\n  ━━━━ BACKTRACE ━━━━\n   5: shop::main::h0123456789abcdef\n      at src/main.rs:20\n\nRun with RUST_BACKTRACE=full to include source snippets.\nbye",
        0,
        11,
        "eyre::Report",
        "-@src/main.rs:14 shop::main@src/main.rs:20",
    );
    one(
        "Error: cannot start\n\nCaused by:\n    no port\n\nStack backtrace:\n   0: shop::main\n             at ./src/main.rs:20:5\nbye",
        0,
        7,
        "Error",
        "shop::main@./src/main.rs:20",
    );
    one(
        "KeyError                                  Traceback (most recent call last)\nCell In[2], line 1\n----> 1 price({})\n\nFile /srv/app/shop.py:4, in price(item)\n      3 def price(item):\n----> 4     return item[\"count\"]\n\nKeyError: 'count'",
        0,
        8,
        "KeyError",
        "-@-:1 price@/srv/app/shop.py:4",
    );
    one(
        "price@https://shop.example/app.js:12:7\n@https://shop.example/app.js:40:1\nbye",
        0,
        1,
        "",
        "price@https://shop.example/app.js:12 -@https://shop.example/app.js:40",
    );
    one(
        "a.b.MailException: refused;\n  nested exception is:\na.b.SmtpException: 550 no\n\n\tat a.b.Mail.send(Mail.java:3)\n\t... 2 common frames omitted\nbye",
        0,
        5,
        "a.b.MailException",
        "a.b.Mail.send@Mail.java:3",
    );
    one(
        "a.b.RootException: first\n\tat a.b.C.d(C.java:1)\nWrapped by: a.b.OuterException: last\n\tat a.b.C.e(C.java:2)\nbye",
        0,
        3,
        "a.b.RootException",
        "a.b.C.d@C.java:1 a.b.C.e@C.java:2",
    );
    one(
        "10:00:00.123 [main] ERROR com.acme.Shop - failed: java.io.IOException: gone\n\tat a.b.C.d(C.java:1) ~[shop.jar:1.2]\nbye",
        0,
        1,
        "java.io.IOException",
        "a.b.C.d@C.java:1",
    );
}

/// Time per byte must not grow with the length of what an attacker writes.
#[test]
fn hostile_lines_take_linear_time() {
    let pieces = [
        "Traceback (most recent call last): ",
        "Error: ",
        "(node: ",
        "Exception in thread \"",
        "at a.b(",
        "eval at x (",
        "panic: ",
        "goroutine 1 [",
        "thread 'x' panicked at '",
        "\u{1b}[",
        "a.b.C: ",
        "::h",
        "[[[[",
        "((((",
        "@http://x:1:",
        "File \"x\", line ",
        "==1==ERROR: AddressSanitizer: ",
        "#0 0x1 in f (",
        " (x+0x1)",
        ")[0x1",
        "x: Assertion `",
        "F1234 ] Check failed: ",
        "   at A.B(C d, ",
        " ---> A.BException: ",
        "|ERROR|A.BException: ",
        "#0 f (a.dart:1:2) ",
        "Execution error (a.clj:1).",
        "a.rb:1:in `x'",
        "#<A::B: (X::Error): ",
        "PHP Fatal error:  Uncaught A in b:1 ",
        "[object] (A(code: 0): ",
        "#0 a(1): b() ",
        "** (A) ",
        "Task 1 terminated with reason: ",
        "[{a,b,[",
        "[{a,b,1,[{file,\"x\"},{line,1}]},",
        "=CRASH REPORT====",
    ];
    for piece in pieces {
        let long = piece.repeat(400_000 / piece.len());
        let short = piece.repeat(4_000 / piece.len());
        let started = std::time::Instant::now();
        let many: Vec<&str> = std::iter::repeat_n(short.as_str(), 100).collect();
        find(&[long.as_str()]);
        find(&many);
        let mixed: Vec<&str> = (0..150)
            .map(|at| ["Error: x", short.as_str(), "\tat a.b.C.d(C.java:1)"][at % 3])
            .collect();
        find(&mixed);
        assert!(
            started.elapsed() < 20 * SECOND,
            "{piece:?} took {:?}",
            started.elapsed()
        );
    }
}
