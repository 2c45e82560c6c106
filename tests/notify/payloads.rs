//! The payload of each kind, to the letter.

use crate::world::{Hook, World, target};
use autofix::model::notify::NotifyKind;
use serde_json::{Value, json};

/// One new incident and one proposed fix, as the kind's webhook gets them.
fn told(kind: NotifyKind) -> Value {
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(target("ops", kind, Some("shop")), &hook)]);
    let first = world.fault("cart", "ValueError: no end date", 0);
    world.fault("cart", "ValueError: no end date", 90);
    world.fault("pay", "KeyError: 'sum'", 100);
    world.propose(first, true, 110);
    world.opened("https://git.example/acme/shop/pull/7", 120);
    world.tell(200);
    let calls = hook.take();
    assert_eq!(calls.len(), 1);
    let head = calls[0].head.to_ascii_lowercase();
    assert!(head.starts_with("post /t0psecretpath http/1.1"), "{head}");
    assert!(
        head.contains("content-type: application/json\r\n"),
        "{head}"
    );
    let fingerprints = world.store.incidents().unwrap();
    let mut body = calls[0].body.to_string();
    for (at, incident) in fingerprints.iter().enumerate() {
        body = body.replace(&incident.fingerprint, &format!("FINGERPRINT-{}", at + 1));
    }
    serde_json::from_str(&body).unwrap()
}

const LINES: [[&str; 3]; 3] = [
    [
        "New incident 1 in cart: ValueError: no end date",
        "Since 2025-06-15T15:06:40Z, seen 2 times so far, the last time at 2025-06-15T15:08:10Z.",
        "To read more: autofix why 1. To have it left alone: autofix mute 1.",
    ],
    [
        "New incident 2 in pay: KeyError: 'sum'",
        "Since 2025-06-15T15:08:20Z, seen once so far.",
        "To read more: autofix why 2. To have it left alone: autofix mute 2.",
    ],
    [
        "Fix proposed for incident 1 in cart: ValueError: no end date",
        "Since 2025-06-15T15:06:40Z, seen 2 times so far, the last time at 2025-06-15T15:08:10Z.",
        "Review it, and merge or close it: https://git.example/acme/shop/pull/7. Until then nothing \
         is changed.",
    ],
];

#[test]
fn slack_gets_plain_text_in_which_nothing_is_looked_for() {
    let text = LINES.map(|lines| lines.join("\n")).join("\n\n").replace(
        "https://git.example/acme/shop/pull/7",
        "<https://git.example/acme/shop/pull/7>",
    );
    assert_eq!(
        told(NotifyKind::Slack),
        json!({
            "text": text,
            "mrkdwn": false,
            "parse": "none",
            "link_names": false,
            "unfurl_links": false,
            "unfurl_media": false,
        })
    );
}

#[test]
fn discord_gets_escaped_markdown_that_mentions_nobody() {
    let content = "New incident 1 in cart: ValueError\\: no end date\n\
        Since 2025-06-15T15:06:40Z, seen 2 times so far, the last time at 2025-06-15T15:08:10Z.\n\
        To read more: `autofix why 1`. To have it left alone: `autofix mute 1`.\n\n\
        New incident 2 in pay: KeyError\\: 'sum'\n\
        Since 2025-06-15T15:08:20Z, seen once so far.\n\
        To read more: `autofix why 2`. To have it left alone: `autofix mute 2`.\n\n\
        Fix proposed for incident 1 in cart: ValueError\\: no end date\n\
        Since 2025-06-15T15:06:40Z, seen 2 times so far, the last time at 2025-06-15T15:08:10Z.\n\
        Review it, and merge or close it: <https://git.example/acme/shop/pull/7>. Until then \
        nothing is changed.";
    assert_eq!(
        told(NotifyKind::Discord),
        json!({ "content": content, "allowed_mentions": { "parse": [] }, "flags": 4 })
    );
}

#[test]
fn teams_gets_a_card_of_plain_runs() {
    let run = |text: &str| json!({ "type": "TextRun", "text": text });
    let bold = |text: &str| json!({ "type": "TextRun", "text": text, "weight": "Bolder" });
    let typed = |text: &str| json!({ "type": "TextRun", "text": text, "fontType": "Monospace" });
    let block = |runs: Vec<Value>| json!({ "type": "RichTextBlock", "inlines": runs });
    let first =
        |runs: Vec<Value>| json!({ "type": "RichTextBlock", "inlines": runs, "separator": true });
    let to_do = |id: u32| {
        block(vec![
            run("To read more: "),
            typed(&format!("autofix why {id}")),
            run(". To have it left alone: "),
            typed(&format!("autofix mute {id}")),
            run("."),
        ])
    };
    let url = "https://git.example/acme/shop/pull/7";
    let link = json!({
        "type": "TextRun",
        "text": url,
        "selectAction": { "type": "Action.OpenUrl", "url": url },
    });
    let body = json!([
        first(vec![
            bold("New incident 1 in "),
            bold("cart"),
            bold(": "),
            bold("ValueError: no end date"),
        ]),
        block(vec![run(LINES[0][1])]),
        to_do(1),
        first(vec![
            bold("New incident 2 in "),
            bold("pay"),
            bold(": "),
            bold("KeyError: 'sum'"),
        ]),
        block(vec![run(LINES[1][1])]),
        to_do(2),
        first(vec![
            bold("Fix proposed for incident 1 in "),
            bold("cart"),
            bold(": "),
            bold("ValueError: no end date"),
        ]),
        block(vec![run(LINES[2][1])]),
        block(vec![
            run("Review it, and merge or close it: "),
            link,
            run(". Until then nothing is changed."),
        ]),
    ]);
    assert_eq!(
        told(NotifyKind::Teams),
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
    );
}

#[test]
fn json_is_the_documented_object() {
    let notice = |event: &str, id: u32, service: &str, title: &str| {
        json!({
            "event": event,
            "incident": id,
            "service": service,
            "kind": "error",
            "title": title,
            "fingerprint": format!("FINGERPRINT-{id}"),
        })
    };
    let mut notices = [
        notice("incident", 1, "cart", "ValueError: no end date"),
        notice("incident", 2, "pay", "KeyError: 'sum'"),
        notice("proposed", 1, "cart", "ValueError: no end date"),
    ];
    for (at, notice) in notices.iter_mut().enumerate() {
        let cart = at != 1;
        notice["status"] = json!(if cart { "delivered" } else { "open" });
        notice["first_seen"] = json!(if cart {
            "2025-06-15T15:06:40Z"
        } else {
            "2025-06-15T15:08:20Z"
        });
        notice["last_seen"] = json!(if cart {
            "2025-06-15T15:08:10Z"
        } else {
            "2025-06-15T15:08:20Z"
        });
        notice["count"] = json!(if cart { 2 } else { 1 });
        notice["url"] = match at {
            2 => json!("https://git.example/acme/shop/pull/7"),
            _ => Value::Null,
        };
        notice["lines"] = json!(LINES[at]);
    }
    assert_eq!(
        told(NotifyKind::Json),
        json!({
            "version": 1,
            "target": "ops",
            "more": 0,
            "dropped": 0,
            "notices": notices,
        })
    );
}
