//! The payloads: one message as each kind of webhook takes it. No text of a log can mention anybody,
//! become a link or markup, or make a message longer than its service takes.
//!
//! # `json`
//!
//! The object for `kind = "json"`; members are added, never changed, within one `version`:
//!
//! ```json
//! {"version": 1, "target": "ops", "more": 0, "dropped": 0, "notices": [{
//!   "event": "incident | proposed | came_back",
//!   "incident": 12, "service": "shop", "kind": "crash", "status": "open",
//!   "fingerprint": "v1:…", "title": "ValueError: …",
//!   "first_seen": "2026-03-01T12:00:00Z", "last_seen": "2026-03-01T12:00:00Z", "count": 3,
//!   "url": "https://git.example/acme/shop/pull/7 or null",
//!   "lines": ["what", "since when, how often", "what to do"]}]}
//! ```
//!
//! `more` notices are told of by their number alone, `dropped` had no room. `title`, `service` and
//! `lines` hold redacted text of a log: text, not markup, and hostile.

use super::{Item, Message, Part};
use crate::model::notify::NotifyKind;
use serde_json::{Value, json};
use std::fmt::Write;

/// Of the generic object.
pub const JSON_VERSION: u32 = 1;

/// Discord takes 2,000 characters; a little is left for the last line.
const DISCORD: usize = 2_000;
const DISCORD_REST: usize = 100;
/// Shows no preview of a link.
const DISCORD_NO_EMBEDS: u32 = 1 << 2;

/// The message as the webhook takes it.
pub fn payload(kind: NotifyKind, message: &Message) -> Value {
    match kind {
        NotifyKind::Slack => slack(message),
        NotifyKind::Teams => teams(message),
        NotifyKind::Discord => discord(message),
        NotifyKind::Json => generic(message),
    }
}

fn text_of(item: &Item, part: impl Fn(&Part) -> String) -> String {
    let line = |parts: &Vec<Part>| parts.iter().map(&part).collect::<String>();
    item.lines().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Nothing is looked for in the text but what stands between `<` and `>`, and there only our own links
/// stand.
fn slack(message: &Message) -> Value {
    let part = |part: &Part| match part {
        Part::Own(text) | Part::Text(text) | Part::Command(text) => slack_escaped(text),
        Part::Link(url) => format!("<{}>", slack_escaped(url)),
    };
    let mut blocks: Vec<String> = message.items.iter().map(|one| text_of(one, part)).collect();
    blocks.extend(message.rest(0));
    json!({
        "text": blocks.join("\n\n"),
        "mrkdwn": false,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn slack_escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn discord(message: &Message) -> Value {
    let part = |part: &Part| match part {
        Part::Own(text) => text.clone(),
        Part::Text(text) => discord_escaped(text),
        Part::Command(text) => format!("`{text}`"),
        Part::Link(url) => format!("<{url}>"),
    };
    let mut content = String::new();
    let mut fit = 0;
    for item in &message.items {
        let block = text_of(item, part);
        let gap = if fit == 0 { "" } else { "\n\n" };
        if units(&content) + units(gap) + units(&block) > DISCORD - DISCORD_REST {
            break;
        }
        content.push_str(gap);
        content.push_str(&block);
        fit += 1;
    }
    if let Some(rest) = message.rest(message.items.len() - fit) {
        let gap = if fit == 0 { "" } else { "\n\n" };
        let _ = write!(content, "{gap}{rest}");
    }
    json!({
        "content": content,
        "allowed_mentions": { "parse": [] },
        "flags": DISCORD_NO_EMBEDS,
    })
}

/// Whoever counts characters, it is no more than these.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Every sign that Markdown, a mention, an emoji or a bare link could begin with.
fn discord_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '\'' | '"' | ';' | '?' | '%') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A card of plain runs: of all its elements the only one in which no Markdown is read.
fn teams(message: &Message) -> Value {
    let mut body = Vec::new();
    for item in &message.items {
        for (at, line) in item.lines().iter().enumerate() {
            let inlines: Vec<Value> = line.iter().map(|part| teams_run(part, at == 0)).collect();
            let mut block = json!({ "type": "RichTextBlock", "inlines": inlines });
            if let (0, Some(block)) = (at, block.as_object_mut()) {
                block.insert("separator".to_owned(), json!(true));
            }
            body.push(block);
        }
    }
    if let Some(rest) = message.rest(0) {
        let run = teams_run(&Part::Own(rest), false);
        body.push(json!({ "type": "RichTextBlock", "inlines": [run], "separator": true }));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.2",
                "body": body,
            },
        }],
    })
}

fn teams_run(part: &Part, first: bool) -> Value {
    let mut run = match part {
        Part::Own(text) | Part::Text(text) => json!({ "type": "TextRun", "text": text }),
        Part::Command(text) => {
            json!({ "type": "TextRun", "text": text, "fontType": "Monospace" })
        }
        Part::Link(url) => json!({
            "type": "TextRun",
            "text": url,
            "selectAction": { "type": "Action.OpenUrl", "url": url },
        }),
    };
    if let (true, Some(run)) = (first, run.as_object_mut()) {
        run.insert("weight".to_owned(), json!("Bolder"));
    }
    run
}

fn generic(message: &Message) -> Value {
    let part = |part: &Part| match part {
        Part::Own(text) | Part::Text(text) | Part::Command(text) | Part::Link(text) => text.clone(),
    };
    let line = |parts: &Vec<Part>| parts.iter().map(part).collect::<String>();
    let notices = message.items.iter().map(|item| {
        json!({
            "event": item.event.word(),
            "incident": item.incident,
            "service": item.service_text(),
            "kind": item.kind,
            "status": item.status,
            "fingerprint": item.fingerprint,
            "title": item.title_text(),
            "first_seen": item.first_seen,
            "last_seen": item.last_seen,
            "count": item.count,
            "url": item.url,
            "lines": item.lines().iter().map(line).collect::<Vec<_>>(),
        })
    });
    json!({
        "version": JSON_VERSION,
        "target": message.target,
        "more": message.more,
        "dropped": message.dropped,
        "notices": notices.collect::<Vec<_>>(),
    })
}
