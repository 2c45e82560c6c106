//! Text of a log in a message: it stays text, and secrets do not pass.

use crate::world::{Hook, World, files, target};
use autofix::model::notify::NotifyKind;
use serde_json::Value;

const HOSTILE: &str = "@everyone <!channel> <@U123> <at>Bob</at> @here [click](https://evil.example) \
    **bold** `code` https://evil.example/x &lt; ||spoiler|| # big\n> quote\u{1b}[31m\u{202e}dne\u{200b} <script>";

/// What a webhook of the kind gets of a fault with this title.
fn told(kind: NotifyKind, title: &str) -> Value {
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(target("ops", kind, Some("shop")), &hook)]);
    world.fault("cart", title, 0);
    world.tell(60);
    hook.body()
}

fn only_visible(text: &str) {
    let odd = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
    assert!(!text.contains(odd), "{text:?}");
    assert!(
        text.contains("\\u{202e}") || text.contains("\\\\u\\{202e\\}"),
        "{text}"
    );
}

#[test]
fn slack_finds_no_mention_and_no_link() {
    let body = told(NotifyKind::Slack, HOSTILE);
    let text = body["text"].as_str().unwrap();
    only_visible(text);
    assert!(!text.contains('<') && !text.contains('>'), "{text}");
    assert!(text.contains("&lt;!channel&gt; &lt;@U123&gt;"), "{text}");
    assert!(text.contains("&amp;lt;"), "{text}");
    assert_eq!(body["parse"], "none");
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn discord_finds_no_mention_and_no_markup() {
    let body = told(NotifyKind::Discord, HOSTILE);
    let text = body["content"].as_str().unwrap();
    only_visible(text);
    let first = text.lines().next().unwrap();
    let title = first.strip_prefix("New incident 1 in cart: ").unwrap();
    let mut before = ' ';
    for c in title.chars() {
        if "@<>*_`~|#[]():/&!-".contains(c) {
            assert_eq!(before, '\\', "{c} in {title}");
        }
        // An escaped backslash escapes nothing.
        before = if before == '\\' { ' ' } else { c };
    }
    assert_eq!(body["allowed_mentions"], serde_json::json!({ "parse": [] }));
    assert_eq!(text.lines().count(), 3);
}

#[test]
fn teams_and_json_get_it_as_text() {
    let card = told(NotifyKind::Teams, HOSTILE);
    let body = &card["attachments"][0]["content"]["body"];
    let title = body[0]["inlines"][3]["text"].as_str().unwrap();
    only_visible(title);
    assert_eq!(body.as_array().unwrap().len(), 3);
    let text = card.to_string();
    // Markdown is read in text blocks.
    assert!(!text.contains("\"TextBlock\""), "{text}");
    assert!(
        !text.contains("msteams") && !text.contains("OpenUrl"),
        "{text}"
    );
    let object = told(NotifyKind::Json, HOSTILE);
    only_visible(object["notices"][0]["title"].as_str().unwrap());
}

#[test]
fn long_text_is_cut_and_discord_is_never_too_long() {
    let long = format!("Error {}", "😀*".repeat(2_000));
    let body = told(NotifyKind::Json, &long);
    let title = body["notices"][0]["title"].as_str().unwrap();
    assert!(title.chars().count() < 340, "{}", title.len());
    assert!(title.contains("more characters)"), "{title}");

    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(target("ops", NotifyKind::Discord, Some("shop")), &hook)]);
    for n in 0..9 {
        world.fault(
            "cart",
            &format!("Error{} {}", "x".repeat(n), "*😀".repeat(400)),
            0,
        );
    }
    world.tell(60);
    let body = hook.body();
    let content = body["content"].as_str().unwrap();
    assert!(content.encode_utf16().count() <= 2_000, "{}", content.len());
    let full = content.matches("New incident").count();
    assert!((1..5).contains(&full), "{full}");
    let rest = format!("\n\nand {} more; autofix incidents lists them", 9 - full);
    assert!(content.ends_with(&rest), "{content}");
}

#[test]
fn secrets_are_redacted_by_the_service_s_own_settings() {
    let (mut world, hook) = (World::new(), Hook::new());
    world.redact("cart", "shop", "order-[0-9]+");
    world.targets(&[(target("ops", NotifyKind::Json, Some("shop")), &hook)]);
    world.fault(
        "cart",
        "login of jane@acme.example for order-4711 failed: password=hunter2",
        0,
    );
    world.tell(60);
    let text = hook.body().to_string();
    for secret in ["jane@acme", "4711", "hunter2"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.contains("[email-1]"), "{text}");
}

#[test]
fn without_a_redactor_nothing_of_the_log_is_said() {
    let (mut world, hook) = (World::new(), Hook::new());
    world.redact("cart", "shop", "(");
    world.targets(&[(target("ops", NotifyKind::Json, Some("shop")), &hook)]);
    world.fault("cart", "harmless words", 0);
    world.tell(60);
    let body = hook.body();
    assert!(!body.to_string().contains("harmless"), "{body}");
    let title = body["notices"][0]["title"].as_str().unwrap();
    assert!(title.starts_with("(its text is withheld"), "{title}");
}

#[test]
fn a_pull_request_s_odd_address_is_left_out() {
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(target("ops", NotifyKind::Slack, Some("shop")), &hook)]);
    let id = world.fault("cart", "Error", 0);
    world.propose(id, true, 1);
    world.opened("https://git.example/<!channel>|x", 2);
    world.tell(60);
    let text = hook.body().to_string();
    assert!(
        text.contains("Fix proposed") && !text.contains("channel"),
        "{text}"
    );
}

#[test]
fn the_address_stands_in_no_file_and_no_line() {
    let (mut world, live, gone) = (World::new(), Hook::new(), Hook::new());
    gone.answer(&["404 Not Found"]);
    world.targets(&[
        (target("live", NotifyKind::Slack, Some("shop")), &live),
        (target("gone", NotifyKind::Slack, Some("shop")), &gone),
        (target("dead", NotifyKind::Json, Some("shop")), &gone),
        (target("open", NotifyKind::Json, Some("shop")), &gone),
        (target("odd", NotifyKind::Json, Some("shop")), &gone),
    ]);
    // Nobody listens there; nobody may be spoken to there; nothing is there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    world.url("dead", &format!("http://{address}/T0pSecretPath"));
    world.url("open", "http://hooks.example/T0pSecretPath");
    world.url("odd", "https://T0pSecretPath:x@[::1/T0pSecretPath");
    world.fault("cart", "Error", 0);
    world.tell(60);
    assert_eq!((live.take().len(), gone.take().len()), (1, 1));
    let said = world.said().join("\n");
    for name in ["gone", "dead", "open", "odd"] {
        let named = said.matches(&format!("[[notify]] {name}: ")).count();
        assert_eq!(named, 1, "{name}: {said}");
    }
    assert!(
        !said.contains("T0pSecret") && !said.contains("hooks.example"),
        "{said}"
    );
    let status = world.store.status(crate::world::at(60)).unwrap().to_json();
    assert!(!status.to_string().contains("T0pSecret"));
    for (path, bytes) in files(world.dir.path()) {
        let found = bytes.windows(9).any(|part| part == b"T0pSecret");
        assert!(!found, "{path}");
    }
}
