//! What a report says, and that hostile text in it stays text.

use super::samples::{COMMIT, findings, incident};
use super::*;
use crate::investigate::Findings;
use crate::model::Incident;

fn pages(incident: &Incident, findings: &Findings) -> (String, Value) {
    let case = Case {
        incident,
        findings,
        repository: Some("https://token:secret@git.example/shop/orders"),
        commit: None,
    };
    let json = serde_json::from_str(&json(&case, None)).unwrap();
    (markdown(&case, None), json)
}

/// The lines of a page outside its fences.
fn outside(page: &str) -> Vec<&str> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for line in page.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if line.trim_end() == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
            None => lines.push(line),
        }
    }
    assert_eq!(fence, None, "a fence stays open");
    lines
}

#[test]
fn a_report_answers_what_people_ask() {
    let (page, json) = pages(&incident(), &findings());
    for answer in [
        "# Incident 7 of `orders`",
        "KeyError: 'SUMMER25'",
        "times: 4 when this was written, first 2026-03-01T12:00:00Z, last 2026-03-01T12:01:00Z",
        COMMIT,
        "place of the fault: `orders/vouchers.py:31` in `discount` (confidence 0.95)",
        "## Why there is no diff\n\nthe suspect is a merge",
        "2026-03-01T12:00:00Z  INFO order A-1",
        ">    31      return V[code]",
        "1. `0123456789ab` `Let vouchers end`, by `Jonas Lindqvist`, 2026-02-25T06:13:20Z",
        "- took back the whole commit: it does not come off",
        "- history was read for 2 s only",
    ] {
        assert!(page.contains(answer), "{answer} is missing in\n{page}");
    }
    assert_eq!(json["incident"]["id"], 7);
    assert_eq!(json["incident"]["location"]["line"], 31);
    assert_eq!(json["suspects"][0]["summary"], "Let vouchers end");
    assert_eq!(json["patch"], Value::Null);
    assert_eq!(json["commit"], COMMIT);
}

#[test]
fn the_secret_of_an_address_is_nowhere() {
    let (page, json) = pages(&incident(), &findings());
    assert!(page.contains("https://git.example/shop/orders"));
    assert!(!page.contains("secret"));
    assert!(!json.to_string().contains("secret"));
}

/// A line without its code spans and escaped characters, by the rules of CommonMark: a run of
/// backticks is closed by the next run of the same length.
fn without_spans(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        if c == '\\' {
            rest = &rest[1 + rest[1..].chars().next().map_or(0, char::len_utf8)..];
        } else if ticks == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            let after = &rest[ticks..];
            let mut runs = after.match_indices('`').map(|(at, _)| at);
            let closes = runs.find(|&at| {
                let run = after[at..].len() - after[at..].trim_start_matches('`').len();
                run == ticks && !after[..at].ends_with('`')
            });
            assert!(closes.is_some(), "a span stays open in {line:?}");
            rest = &after[closes.unwrap_or(0) + ticks..];
        }
    }
    out
}

/// Hostile words in every place that others can write to.
fn hostile(words: &str) -> (Incident, Findings) {
    let (mut incident, mut findings) = (incident(), findings());
    let text = || words.to_owned();
    incident.service = text();
    incident.title = text();
    incident.lines = vec![text()];
    incident.context[0].text = text();
    incident.stream = text();
    incident.reason = text();
    incident.watch = Some(text());
    findings.located[0].file = text();
    findings.located[0].function = Some(text());
    findings.located[0].why = text();
    findings.location = None;
    findings.excerpts[0].file = text();
    findings.excerpts[0].lines = vec![text()];
    findings.suspects[0].summary = text();
    findings.suspects[0].author = Some(text());
    findings.suspects[0].files = vec![text()];
    findings.suspects[0].why = text();
    findings.tried = vec![text()];
    findings.why = text();
    findings.notes = vec![text()];
    (incident, findings)
}

#[test]
fn hostile_text_opens_no_heading_link_or_fence() {
    for words in [
        "\n# Smuggled",
        "x\n```\n# Smuggled\n[Smuggled](https://evil.example)",
        "````````\n# Smuggled",
        "~~~\n<img src=x onerror=Smuggled>",
        "[Smuggled](https://evil.example)",
        "`` ` ``` # Smuggled",
        "\r\n# Smuggled\r",
        "\u{2028}# Smuggled",
        "- Smuggled\n1. Smuggled",
        "Smuggled\n===",
    ] {
        let (incident, findings) = hostile(words);
        let (page, _) = pages(&incident, &findings);
        for line in outside(&page) {
            let heading = line.trim_start().starts_with('#') && line.contains("Smuggled");
            let own = line.starts_with("# Incident 7 of `");
            assert!(!heading || own, "{words:?} made the heading {line:?}");
            let bare = line.starts_with("Smuggled") && !line.contains("\\n");
            assert!(
                !bare || words.starts_with("Smuggled"),
                "{words:?} made {line:?}"
            );
            let running = without_spans(line);
            for markup in ["](", "<img", "https://evil"] {
                assert!(
                    !running.contains(markup),
                    "{words:?} made {markup} in {line:?}"
                );
            }
        }
    }
}

#[test]
fn control_characters_never_come_out_raw() {
    let (incident, findings) = hostile("\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}abc");
    let (page, _) = pages(&incident, &findings);
    let raw = page
        .chars()
        .find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
    assert_eq!(raw, None);
    assert!(page.contains("\\u{1b}]0;owned\\u{7}"));
}

#[test]
fn endless_text_is_cut_and_says_so() {
    let (mut incident, findings) = hostile(&"y".repeat(100_000));
    incident.lines = (0..5_000).map(|n| format!("line {n}")).collect();
    let (page, json) = pages(&incident, &findings);
    assert!(page.contains("\nline 0\n") && page.contains("\nline 4999\n"));
    assert!(!page.contains("\nline 2500\n"));
    assert!(
        page.contains("4800 log lines are left out"),
        "{}",
        &page[page.len() - 500..]
    );
    assert!(page.len() < 200_000, "{} bytes", page.len());
    assert!(
        json.to_string().len() < 100_000,
        "{} bytes",
        json.to_string().len()
    );
    assert_eq!(json["lines"].as_array().map(Vec::len), Some(LINES));
}

#[test]
fn words_of_a_shell_are_quoted() {
    assert_eq!(
        shell_word("/var/lib/autofix/incidents/7/fix.patch"),
        "/var/lib/autofix/incidents/7/fix.patch"
    );
    assert_eq!(shell_word("/a b/$(x)'"), "'/a b/$(x)'\\'''");
}
