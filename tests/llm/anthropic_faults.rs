//! What goes wrong with the Messages API: refusals by status, streams that break off, stand still,
//! hold nonsense or never end. What was used until then is known wherever the server has said it.

use crate::anthropic::{client, with};
use crate::anthropic_server::{Answer, Said, call, in_turn, play, thinking};
use crate::conversation::{ask, ask_within, path, text};
use autofix::llm::{AnthropicSettings, Breaker, Error, ErrorKind, Leave, Message, Patience, Stop};
use autofix::model::Timestamp;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn said() -> Said {
    Said::new(
        vec![
            thinking("", "c2lnbmF0dXJl"),
            json!({"type": "text", "text": "I look at the file first."}),
            call("t_1", "read_file", path("a.py")),
        ],
        "tool_use",
    )
}

fn fault(answer: Answer) -> Error {
    let server = play(in_turn(vec![answer]));
    let e = ask(&client(&server), &[text("x")]).unwrap_err();
    let words = e.to_string();
    assert!(
        words.len() < 700 && !words.contains(char::is_control),
        "{e}"
    );
    assert_eq!(server.faults(), Vec::<String>::new());
    e
}

fn error(status: u16, headers: &'static str, body: Value) -> Error {
    fault(Answer::Refuses(status, headers, body))
}

fn body(kind: &str, words: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_9"})
}

#[test]
fn a_server_that_is_busy_says_when_to_come_back() {
    let limit = || {
        body(
            "rate_limit_error",
            "This request would exceed your rate limit.",
        )
    };
    let e = error(429, "retry-after: 17\r\n", limit());
    assert_eq!(e.retry_after(), Some(Duration::from_secs(17)));
    assert!(
        e.is_retryable() && matches!(e.kind, ErrorKind::Busy { .. }),
        "{e}"
    );
    assert_eq!(e.request(), Some("req_429"), "the header names it");
    let e = error(429, "retry-after: 17\r\nretry-after-ms: 1500\r\n", limit());
    assert_eq!(e.retry_after(), Some(Duration::from_millis(1500)));
    let e = error(
        429,
        "retry-after-ms: -3\r\nx-should-retry: false\r\n",
        limit(),
    );
    assert!(!e.is_retryable());
    assert_eq!(e.retry_after(), None);
    let e = error(529, "", body("overloaded_error", "Overloaded"));
    assert!(
        e.is_retryable() && matches!(e.kind, ErrorKind::Busy { .. }),
        "{e}"
    );
    let e = error(
        500,
        "retry-after: 3\r\n",
        body("api_error", "Internal server error"),
    );
    assert_eq!(e.kind, ErrorKind::Server { status: 500 });
    assert_eq!(e.retry_after(), Some(Duration::from_secs(3)));
    let e = error(500, "x-should-retry: false\r\n", body("api_error", "no"));
    assert!(!e.is_retryable());
    let e = error(
        400,
        "x-should-retry: true\r\n",
        body("invalid_request_error", "odd"),
    );
    assert!(e.is_retryable(), "the server knows better");
}

#[test]
fn a_limit_on_spending_is_not_one_on_pace_and_opens_the_breaker_at_once() {
    let mut coded = body("rate_limit_error", "You have reached your spend limit.");
    coded["error"]["details"] = json!({"error_code": "enforced_spend_limit_reached"});
    let uncoded = "This request would exceed your account's monthly spend limit.";
    let words = "You have reached your specified API usage limits.";
    for e in [
        error(429, "", coded.clone()),
        error(429, "x-should-retry: true\r\n", coded),
        error(
            429,
            "retry-after: 300\r\n",
            body("rate_limit_error", uncoded),
        ),
        error(400, "", body("invalid_request_error", words)),
        error(402, "", body("billing_error", "Check your payment method.")),
    ] {
        assert_eq!(e.kind, ErrorKind::SpendLimit, "{e}");
        assert!(!e.is_retryable() && e.is_of_the_server());
        let now = Timestamp::from_parts(1_000, 0);
        let patience = Patience::default();
        let mut breaker = Breaker::new(patience);
        assert_eq!(breaker.leave(now), Leave::Ask);
        breaker.heard(now, &Err::<(), _>(e));
        assert_eq!(breaker.leave(now), Leave::NotBefore(now.plus(patience.cap)));
    }
}

#[test]
fn other_refusals_say_what_to_do() {
    for (status, kind, words, expected) in [
        (
            400,
            "invalid_request_error",
            "max_tokens: too large",
            ErrorKind::Refused { status: 400 },
        ),
        (
            400,
            "invalid_request_error",
            "prompt is too long: 1000123 tokens > 1000000 maximum",
            ErrorKind::TooLong,
        ),
        (
            401,
            "authentication_error",
            "invalid x-api-key",
            ErrorKind::Denied,
        ),
        (403, "permission_error", "not yours", ErrorKind::Denied),
        (
            404,
            "not_found_error",
            "model: claude-opus-0",
            ErrorKind::ModelMissing,
        ),
        (
            413,
            "request_too_large",
            "Request exceeds the maximum size",
            ErrorKind::TooLong,
        ),
        (
            504,
            "timeout_error",
            "late",
            ErrorKind::Server { status: 504 },
        ),
    ] {
        let e = error(status, "", body(kind, words));
        assert_eq!(e.kind, expected, "{e}");
        assert_eq!(e.used(), None);
    }
    let page = json!("<html>Bad Gateway</html>");
    assert_eq!(error(502, "", page).kind, ErrorKind::Server { status: 502 });
    let e = error(307, "Location: http://127.0.0.1:9/x\r\n", json!({}));
    assert_eq!(e.kind, ErrorKind::Refused { status: 307 });
    assert!(e.to_string().contains("redirects"), "{e}");
}

#[test]
fn a_key_that_a_server_quotes_is_in_no_error() {
    let quoted = "no such key: s3cret-key";
    let e = error(401, "", body("authentication_error", quoted));
    assert!(!format!("{e} {e:?}").contains("s3cret"), "{e:?}");
    let e = error(400, "", body("invalid_request_error", quoted));
    assert!(!format!("{e} {e:?}").contains("s3cret"), "{e:?}");
    let event = json!({"type": "error", "error": {"type": "api_error", "message": quoted}});
    let e = fault(Answer::Raw(
        format!("event: error\ndata: {event}\n\n").into_bytes(),
    ));
    assert_eq!(e.kind, ErrorKind::Server { status: 500 });
    assert!(!format!("{e} {e:?}").contains("s3cret"), "{e:?}");
}

#[test]
fn a_stream_that_breaks_off_anywhere_is_told_with_what_it_has_cost() {
    let events = 30;
    let mut broken = 0;
    for at in 0..events {
        let server = play(in_turn(vec![
            Answer::Breaks(said(), at),
            Answer::Says(said()),
        ]));
        let model = client(&server);
        let e = match ask(&model, &[text("x")]) {
            Err(e) => e,
            // The last event was among them.
            Ok(reply) => {
                assert_eq!(reply.stop, Stop::Tools);
                break;
            }
        };
        broken += 1;
        assert_eq!(e.kind, ErrorKind::Interrupted, "after {at}: {e}");
        assert!(e.is_retryable());
        assert_eq!(e.used().is_some(), at > 0, "after {at}");
        if let Some(used) = e.used() {
            assert!(used.cache_write > 1_000 && used.output >= 1, "{used:?}");
        }
        // As a new turn it is whole.
        assert_eq!(
            ask(&model, &[text("x")]).unwrap().said.0,
            json!(said().content)
        );
    }
    assert!(broken > 15 && broken < events, "{broken}");
}

#[test]
fn an_error_in_mid_stream_is_what_its_type_says() {
    for (kind, expected) in [
        ("overloaded_error", ErrorKind::Busy { retry_after: None }),
        ("api_error", ErrorKind::Server { status: 500 }),
        ("rate_limit_error", ErrorKind::Busy { retry_after: None }),
        ("invalid_request_error", ErrorKind::Refused { status: 400 }),
    ] {
        let e = fault(Answer::Errs(said(), 6, kind));
        assert_eq!(e.kind, expected, "{e}");
        assert!(e.used().is_some_and(|used| used.cache_write > 1_000), "{e}");
        assert_eq!(e.request(), Some("req_200"));
    }
}

#[test]
fn silence_and_slowness_have_an_end() {
    let started = Instant::now();
    let server = play(in_turn(vec![Answer::Stands(said(), 5)]));
    let settings = AnthropicSettings {
        idle: Duration::from_millis(300),
        ..AnthropicSettings::default()
    };
    let e = ask(&with(&server, settings), &[text("x")]).unwrap_err();
    assert_eq!(e.kind, ErrorKind::TimedOut, "{e}");
    assert!(e.to_string().contains("silent"), "{e}");
    assert!(e.used().is_some() && e.is_retryable());
    let server = play(in_turn(vec![Answer::Slow(
        said(),
        Duration::from_millis(150),
    )]));
    let e = ask_within(&client(&server), &[text("x")], Duration::from_millis(700)).unwrap_err();
    assert_eq!(e.kind, ErrorKind::TimedOut, "{e}");
    assert!(e.to_string().contains("in time"), "{e}");
    assert!(e.used().is_some());
    assert!(started.elapsed() < Duration::from_secs(10));
    let server = play(in_turn(vec![Answer::Slow(
        said(),
        Duration::from_millis(2),
    )]));
    assert!(
        ask(&client(&server), &[text("x")]).is_ok(),
        "slow is not late"
    );
    let server = play(|_| Answer::text("x"));
    let e = ask_within(&client(&server), &[text("x")], Duration::ZERO).unwrap_err();
    assert_eq!(e.kind, ErrorKind::TimedOut);
    assert!(server.heard().is_empty());
}

#[test]
fn an_answer_without_an_end_is_left() {
    let e = fault(Answer::Endless);
    assert_eq!(e.kind, ErrorKind::Garbage, "{e}");
    assert!(e.to_string().contains("longer"), "{e}");
    assert!(e.used().is_some());
}

#[test]
fn nonsense_is_told() {
    let start = r#"{"type":"message_start","message":{"role":"assistant","content":[],"usage":{"input_tokens":5}}}"#;
    let block =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
    let stop = r#"{"type":"message_stop"}"#;
    for events in [
        vec!["not json"],
        vec!["[1,2]"],
        vec!["{}"],
        vec![block],
        vec![stop],
        vec![start, start],
        vec![
            start,
            r#"{"type":"content_block_start","index":4,"content_block":{"type":"text"}}"#,
        ],
        vec![start, r#"{"type":"content_block_start","index":0}"#],
        vec![start, block, block],
        vec![start, block, stop],
        vec![
            start,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}"#,
        ],
        vec![
            start,
            block,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"new_delta"}}"#,
        ],
        vec![start, r#"{"type":"content_block_stop","index":0}"#],
        vec![start, stop],
        vec![r#"{"type":"message_start","message":7}"#],
        vec![r#"{"type":"message_delta","delta":{}}"#],
    ] {
        let lines: String = events
            .iter()
            .map(|data| format!("data: {data}\n\n"))
            .collect();
        let e = fault(Answer::Raw(lines.into_bytes()));
        assert_eq!(e.kind, ErrorKind::Garbage, "{events:?}: {e}");
    }
    let e = fault(Answer::Raw(b"data: \xff\xfe\n\n".to_vec()));
    assert_eq!(e.kind, ErrorKind::Garbage);
    let deep = format!("data: {}\n\n", "[".repeat(100_000));
    assert_eq!(
        fault(Answer::Raw(deep.into_bytes())).kind,
        ErrorKind::Garbage
    );
    let e = fault(Answer::Raw(b"<html>welcome</html>".to_vec()));
    assert_eq!(e.kind, ErrorKind::Interrupted, "no event came");
}

/// Inputs that are no JSON, or no object, as models write them that nobody checks.
#[test]
fn inputs_that_are_none_are_handed_on_and_the_conversation_goes_on() {
    for (raw, input) in [
        ("{\"path\": ", json!("{\"path\": ")),
        ("nonsense", json!("nonsense")),
        ("[1, 2]", json!([1, 2])),
        ("{\"n\": 1e999}", json!("{\"n\": 1e999}")),
    ] {
        let odd = Said::new(vec![call("t_1", "read_file", json!(raw))], "tool_use");
        let server = play(in_turn(vec![Answer::Says(odd), Answer::text("Oh.")]));
        let model = client(&server);
        let reply = ask(&model, &[text("x")]).unwrap();
        assert_eq!(reply.calls[0].input, input);
        let answer = crate::conversation::results(&reply);
        let messages = [text("x"), Message::Theirs(reply.said), answer];
        assert_eq!(ask(&model, &messages).unwrap().text, "Oh.");
        assert_eq!(server.faults(), Vec::<String>::new());
    }
}
