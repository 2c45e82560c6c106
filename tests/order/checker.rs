//! What a code host would make of a text, as a real Markdown parser reads it: complaints about
//! everything that we did not write ourselves. Its own tests plant one of each kind.

use autofix::deliver::order::HEADINGS;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use regex::Regex;
use std::sync::LazyLock;

/// What is ours in a text.
pub struct Ours<'a> {
    /// Beginnings of addresses that we link to.
    pub links: &'a [&'a str],
    /// Headings that comments may have.
    pub further: &'a [&'a str],
}

/// Kinds of what hosts act on, and how it looks in text outside code.
const KINDS: &[(&str, &str)] = &[
    ("a mention", r"@"),
    ("a reference", r"[#!~%&$^]\s*[\w\[]"),
    ("a reference", r"(?i)\bGH-\d"),
    ("a tracker's key", r"\b[A-Za-z][A-Za-z0-9_]*-\d"),
    ("a command", r"(?m)^\s*/"),
    ("an address", r"(?i)://|\bwww\.|\bmailto:|\bxmpp:"),
    (
        "an order to skip",
        r"(?i)\[(skip|ci|no|vercel)[ -]|\*\*\*NO_CI|^skip-checks",
    ),
    (
        "a trailer",
        r"(?im)^(co-authored-by|signed-off-by|skip-checks):",
    ),
    ("markup", r"[<>\[\]|`\\]"),
];

/// Everything in the Markdown that we did not write.
pub fn complaints(text: &str, ours: &Ours<'_>) -> Vec<String> {
    let mut out = limits(text);
    // A host that looks for commands by lines finds none.
    for line in text.lines() {
        if line.trim_start().starts_with('/') {
            out.push(format!("a command: {line:?}"));
        }
    }
    let (mut heading, mut in_code) = (None::<String>, false);
    // Text outside code, with a mark where a code span stands, block by block.
    let mut plain = String::new();
    for event in Parser::new_ext(text, Options::all() - metadata()) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let text = heading.take().unwrap_or_default();
                if !HEADINGS.contains(&text.as_str()) && !ours.further.contains(&text.as_str()) {
                    out.push(format!("a heading: {text:?}"));
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                if !ours.links.iter().any(|link| dest_url.starts_with(link)) {
                    out.push(format!("a link: {dest_url}"));
                }
            }
            Event::Start(Tag::Image { dest_url, .. }) => out.push(format!("an image: {dest_url}")),
            Event::Start(Tag::HtmlBlock) | Event::Html(_) | Event::InlineHtml(_) => {
                out.push("HTML".to_owned());
            }
            Event::Start(Tag::FootnoteDefinition(_)) | Event::FootnoteReference(_) => {
                out.push("a footnote".to_owned());
            }
            Event::Start(Tag::Table(_)) => out.push("a table".to_owned()),
            Event::Start(Tag::Strikethrough | Tag::DefinitionList) => out.push("markup".to_owned()),
            Event::InlineMath(_) | Event::DisplayMath(_) => out.push("a formula".to_owned()),
            Event::TaskListMarker(_) => out.push("a task".to_owned()),
            Event::Rule => out.push("a rule".to_owned()),
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Code(_) => plain.push('\u{1}'),
            Event::Text(text) if !in_code => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
                plain.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak => plain.push('\n'),
            Event::End(_) => plain.push('\n'),
            Event::Text(_) | Event::Start(_) => {}
        }
    }
    out.extend(acts(&plain));
    out
}

fn metadata() -> Options {
    Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
        | Options::ENABLE_SMART_PUNCTUATION
        | Options::ENABLE_HEADING_ATTRIBUTES
}

fn limits(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (characters, bytes) = (text.chars().count(), text.len());
    if characters > 60_000 || bytes > 200_000 {
        out.push(format!("{characters} characters, {bytes} bytes"));
    }
    let unseen = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{3164}'
                | '\u{e0000}'..='\u{e0fff}')
    };
    if let Some(c) = text.chars().find(|c| unseen(*c)) {
        out.push(format!("an unseen character: {:x}", u32::from(c)));
    }
    out
}

/// What hosts act on in text outside code: mentions, references, closing words, addresses, commits.
pub fn acts(plain: &str) -> Vec<String> {
    static PATTERNS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
        let made = KINDS
            .iter()
            .map(|(what, pattern)| (*what, Regex::new(pattern).unwrap()));
        made.collect()
    });
    static COMMIT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)\b[0-9a-f]{7,40}\b").unwrap());
    let mut out = Vec::new();
    for (what, pattern) in PATTERNS.iter() {
        out.extend(
            pattern
                .find(plain)
                .map(|hit| format!("{what}: {:?}", around(plain, hit.start()))),
        );
    }
    // Counts of our own have no letter.
    out.extend(
        COMMIT
            .find_iter(plain)
            .find(|hit| hit.as_str().contains(|c: char| c.is_ascii_alphabetic()))
            .map(|hit| format!("a commit: {}", hit.as_str())),
    );
    out
}

fn around(text: &str, at: usize) -> String {
    let start = text[..at]
        .char_indices()
        .rev()
        .nth(20)
        .map_or(0, |(at, _)| at);
    text[start..].chars().take(50).collect()
}

/// The headings of a text, in their order.
pub fn headings(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut inside = false;
    for event in Parser::new_ext(text, Options::all() - metadata()) {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                inside = true;
                out.push(String::new());
            }
            Event::End(TagEnd::Heading(_)) => inside = false,
            Event::Text(text) if inside => {
                if let Some(last) = out.last_mut() {
                    last.push_str(&text);
                }
            }
            _ => {}
        }
    }
    out
}

#[test]
fn the_checker_finds_one_of_each_kind() {
    let ours = Ours {
        links: &["https://git.example/acme/shop/"],
        further: &[],
    };
    let good = "`orders` crashed at [`a.py:1`](https://git.example/acme/shop/blob/x).\n\n## Cause\n\n\
                ```text\n@x fixes #1 <b>\n```\n- Seen: 4 `@x`\n";
    assert_eq!(complaints(good, &ours), Vec::<String>::new());
    for (planted, kind) in [
        ("thanks @somebody", "a mention"),
        ("to @org/team", "a mention"),
        ("fixes #1", "a reference"),
        ("see acme/shop#12", "a reference"),
        ("see GH-1", "a reference"),
        ("merge !1", "a reference"),
        ("set ~bug", "a reference"),
        ("for %1.0", "a reference"),
        ("closes ABC-7", "a tracker's key"),
        ("/close", "a command"),
        ("```\n/close\n```", "a command"),
        ("go to http://evil.example", "an address"),
        ("go to www.evil.example", "an address"),
        ("[x](https://evil.example/)", "a link"),
        ("<https://evil.example/>", "a link"),
        ("![x](https://git.example/acme/shop/a.png)", "an image"),
        ("<img src=x>", "HTML"),
        ("a <b>bold</b> word", "HTML"),
        ("# Owned", "a heading"),
        ("Owned\n=====", "a heading"),
        ("- [ ] do", "a task"),
        ("x[^1]\n\n[^1]: y", "a footnote"),
        ("a | b\n--|--\n1 | 2", "a table"),
        ("a\n\n---\n\nb", "a rule"),
        ("at 0123456789abcdef", "a commit"),
        ("x\u{202e}y", "an unseen character"),
        ("x\u{200b}y", "an unseen character"),
        ("[skip ci]", "an order to skip"),
        ("$x^2$", "a formula"),
        (&"a ".repeat(30_001), "60002 characters"),
    ] {
        let found = complaints(planted, &ours);
        assert!(
            found.iter().any(|one| one.starts_with(kind)),
            "{planted:.60} {found:?}"
        );
    }
}
