//! Whether a program caught what it printed, where the text alone does not say it.

use super::{find, line};
use autofix::model::{Level, Timestamp};
use autofix::trace::{Assembler, Line};

const TRACE: [&str; 4] = [
    "Traceback (most recent call last):",
    "  File \"/app/a.py\", line 3, in f",
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
