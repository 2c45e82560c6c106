//! Whether a program caught what it printed, where the text alone does not say it.

use super::{find, line};
use autofix::model::{Level, Timestamp};
use autofix::trace::{Assembler, Line};

const TRACE: [&str; 4] = [
    "Traceback (most recent call last):",
    "  File \"/app/a.py\", line 3, in <module>",
    "    return 1 / n",
    "ZeroDivisionError: division by zero",
];

fn uncaught(before: &str, after: Option<&str>) -> bool {
    let mut lines = vec![before];
    lines.extend(TRACE);
    lines.extend(after);
    let found = find(&lines);
    assert_eq!(found.len(), 1);
    found[0].uncaught
}

#[test]
fn a_warning_before_a_trace_is_its_log_line_when_the_program_goes_on_logging() {
    let warning = "2026-01-05 10:00:00,100 WARNING app could not price the basket";
    let on = "2026-01-05 10:00:00,200 INFO app next basket";
    let anew = "2026-01-05 10:00:00,900 INFO app starting worker";
    assert!(!uncaught(warning, Some(on)));
    assert!(uncaught(warning, None), "nothing came after it");
    assert!(uncaught(warning, Some(anew)), "it began anew");
    assert!(
        uncaught(warning, Some("Killed")),
        "no log line came after it"
    );
    let info = "2026-01-05 10:00:00,100 INFO app pricing the basket";
    assert!(uncaught(info, Some(on)));
}

/// A handler's trace begins at the handler, not where the program began.
const HANDLED: [&str; 4] = [
    "Traceback (most recent call last):",
    "  File \"/app/a.py\", line 3, in handle",
    "    return 1 / n",
    "ZeroDivisionError: division by zero",
];
const JAVA: [&str; 3] = [
    "java.lang.IllegalStateException: cannot price",
    "\tat com.acme.Cart.total(Cart.java:20)",
    "\tat com.acme.Web.get(Web.java:9)",
];
const NODE: [&str; 3] = [
    "TypeError: a is undefined",
    "    at must (/app/src/u.js:3:4)",
    "    at get (/app/src/web.js:9:1)",
];

#[test]
fn a_trace_below_a_warning_has_its_level_and_one_below_less_has_none() {
    for (log, warning) in [
        ("2026-01-05 10:00:00,100 WARNING shop: coped", true),
        ("DEBUG:shop:coped", false),
        ("[2026-01-05 10:00:00,000: INFO/Worker-1] coped", false),
        ("2026-01-05 10:00:00 [warning  ] coped  order=17", true),
        ("10:00:00.123 [main] WARN  com.acme.S -- coped", true),
    ] {
        for trace in [&HANDLED[..], &JAVA, &NODE] {
            for blanks in 0..=2 {
                let mut lines = vec![log];
                lines.extend(["", ""].iter().take(blanks));
                lines.extend(trace);
                let found = find(&lines);
                assert_eq!(found.len(), 1, "{log}");
                let level = warning.then_some(Level::Warn);
                assert_eq!(found[0].level, level, "{log} {}", trace[0]);
                assert!(!(warning && found[0].uncaught), "{log}");
                assert!(found[0].header.is_none());
            }
        }
    }
    let thread = "  File \"/usr/lib/python3.13/threading.py\", line 1, in _bootstrap_inner";
    let mut lines = vec!["INFO:shop:go", "Exception in thread Thread-1 (f):"];
    lines.extend(TRACE);
    lines[3] = thread;
    assert!(find(&lines)[0].uncaught);
    lines.remove(1);
    assert!(find(&lines)[0].uncaught);
}

#[test]
fn json_log_lines_name_no_level_of_a_trace_below() {
    let mut lines = vec!["{\"level\":\"info\",\"msg\":\"GET /\"}"];
    lines.extend(NODE);
    assert_eq!(find(&lines)[0].level, None);
}

#[test]
fn a_header_may_stand_a_blank_line_or_half_its_message_away() {
    let error = "2026-01-05 10:00:00,100 ERROR shop: failed";
    for between in [&[""][..], &["", ""], &["details: a=1"]] {
        for trace in [&HANDLED[..], &JAVA] {
            let mut lines = vec![error];
            lines.extend(between);
            lines.extend(trace);
            let found = find(&lines);
            assert_eq!(found.len(), 1);
            let header = found[0].header.as_ref().map(|kept| kept.text.as_str());
            assert_eq!(header, Some(error));
            assert_eq!(found[0].level, Some(Level::Error));
        }
    }
    let crash = [&[error, "done"][..], &TRACE].concat();
    assert!(find(&crash)[0].header.is_none(), "the interpreter's own");
    let three = [&[error, "", "", ""][..], &JAVA].concat();
    assert!(find(&three)[0].header.is_none());
}

#[test]
fn a_warning_is_believed_only_when_the_next_line_comes_at_once() {
    let mut assembler = Assembler::default();
    let mut push = |text: &str, second: i64, index: u64| {
        let time = Timestamp::from_parts(1_700_000_000 + second, 0);
        let line = Line {
            time,
            ..line(text, index)
        };
        assembler.push(line, Timestamp(0));
    };
    push("10:00:00 WARNING app slow", 0, 0);
    for (at, text) in TRACE.iter().enumerate() {
        push(text, 0, at as u64 + 1);
    }
    push("10:01:00 INFO app next", 60, 9);
    let found: Vec<_> = assembler.take().collect();
    assert!(found[0].uncaught);
}

#[test]
fn a_record_that_begins_with_a_log_line_was_logged() {
    for (head, level) in [
        ("2026-01-05 10:00:00 WARNING app x", Level::Warn),
        ("2026-01-05 10:00:00 ERROR app x", Level::Error),
        ("[info] retrying", Level::Info),
    ] {
        let record = format!("{head}\n{}", TRACE.join("\n"));
        let found = find(&[record]);
        assert_eq!(found.len(), 1, "{head}");
        assert!(!found[0].uncaught, "{head}");
        assert_eq!(found[0].level, Some(level), "{head}");
    }
    let found = find(&[TRACE.join("\n")]);
    assert!(found[0].uncaught);
}

#[test]
fn node_may_throw_what_is_no_error() {
    for (shown, rest) in [
        (
            "plain",
            &["(Use `node --trace-uncaught ...` to show where)", ""][..],
        ),
        ("{ a: 1 }", &[""]),
        (
            "[UnhandledPromiseRejection: This happened] {",
            &["  code: 'E'", "}", ""],
        ),
    ] {
        let mut lines = vec!["/srv/a.js:1", "throw x", "^", "", shown];
        lines.extend(rest);
        let open = lines.len();
        lines.push("Node.js v20.20.2");
        let found = find(&lines);
        assert_eq!(found.len(), 1, "{shown}");
        assert!(found[0].uncaught, "{shown}");
        assert!(find(&lines[..open]).is_empty(), "nothing proves it");
    }
}

#[test]
fn where_an_error_event_came_from_is_part_of_its_crash() {
    let mut lines = vec!["node:events:502", "      throw er;", "      ^", ""];
    lines.extend(NODE);
    lines.extend([
        "Emitted 'error' event on Socket instance at:",
        "    at emit (node:events:1:2)",
        "    [... lines matching original stack trace ...]",
        "    at main (node:main:3:4)",
        "",
        "Node.js v20.20.2",
    ]);
    let found = find(&lines);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].trace.frames.len(), 2);
    assert_eq!(found[0].last, 10);
}

#[test]
fn a_stack_that_go_was_asked_for_has_its_log_lines_level() {
    let stack = [
        "goroutine 1 [running]:",
        "main.idx(...)",
        "\t/app/a.go:5",
        "main.main()",
        "\t/app/a.go:20 +0x2f7",
    ];
    let error = "2026/01/05 22:43:47 ERROR recovered: index out of range";
    let found = find(&[&[error][..], &stack].concat());
    assert_eq!(found[0].header.as_ref().map(|kept| kept.index), Some(0));
    assert_eq!(found[0].level, Some(Level::Error));
    assert!(!found[0].uncaught);
    let panic = find(&[&[error, "panic: gone", ""][..], &stack].concat());
    assert!(panic[0].header.is_none() && panic[0].uncaught);
}

#[test]
fn a_panic_about_a_panic_has_both() {
    let found = find(&[
        "panic: first [recovered]",
        "\tpanic: again",
        "",
        "goroutine 1 [running]:",
        "main.main()",
        "\t/app/a.go:15 +0x3c5",
    ]);
    let message = |at: usize| found[0].trace.blocks[at].raised.message.as_deref();
    assert_eq!(message(found[0].trace.root), Some("first"));
    assert_eq!(message(found[0].trace.outermost), Some("again"));
    assert_eq!(found[0].trace.frames.len(), 1);
}

#[test]
fn a_fields_go_frames_need_no_heading() {
    let text = "main.(*shop).pay\n\t/app/main.go:15\nmain.main\n\t/app/main.go:33";
    let trace = autofix::trace::parse(text).unwrap();
    assert_eq!(trace.frames.len(), 2);
    assert_eq!(
        trace.frames[0].function.as_deref(),
        Some("main.(*shop).pay")
    );
    assert!(autofix::trace::parse("main.pay\nno place").is_none());
}

#[test]
fn a_byte_order_mark_hides_nothing() {
    let heading = format!("\u{feff}{}", TRACE[0]);
    let mut lines = TRACE;
    lines[0] = &heading;
    assert_eq!(find(&lines).len(), 1);
}
