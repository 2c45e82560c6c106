//! The played Messages API itself: that it refuses what the real one refuses, so that a client
//! which passes there keeps the rules.

use crate::anthropic_server::{Answer, Said, call, in_turn, play, thinking};
use crate::conversation::path;
use crate::played::http;
use autofix::net::{Method, Request};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn post(url: &str, headers: &[(&'static str, &str)], body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let mut all = vec![("Content-Type", "application/json".to_owned())];
    all.extend(
        headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    let request = Request {
        method: Method::Post,
        url: &format!("{url}/v1/messages"),
        headers: all,
        body: body.as_bytes(),
        deadline: Instant::now() + Duration::from_secs(10),
    };
    let answer = http().whole(request, 1 << 20).unwrap();
    let body = serde_json::from_slice(&answer.body).unwrap_or_default();
    (answer.status, body)
}

const HEADERS: &[(&str, &str)] = &[("x-api-key", "k"), ("anthropic-version", "2023-06-01")];

/// Two turns with two calls, as a client that keeps the rules sends them.
fn good() -> Value {
    let text = json!([{"type": "text", "text": "Why?"}]);
    let results = json!([
        {"type": "tool_result", "tool_use_id": "t_1", "content": "1"},
        {"type": "tool_result", "tool_use_id": "t_2", "content": "2"},
    ]);
    json!({
        "model": "m", "max_tokens": 100, "thinking": {"type": "adaptive"},
        "tools": [{"name": "read", "description": "d", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "auto"}, "output_config": {"effort": "high"},
        "messages": [
            {"role": "user", "content": text},
            {"role": "assistant", "content": said().content},
            {"role": "user", "content": results},
        ],
    })
}

fn said() -> Said {
    let content = vec![
        thinking("", "c2ln"),
        thinking("more", "c2ln2"),
        call("t_1", "read", path("a")),
        call("t_2", "read", path("b")),
    ];
    Said::new(content, "tool_use")
}

fn asked(change: impl Fn(&mut Value)) -> (u16, Value) {
    let server = play(in_turn(vec![Answer::Says(said())]));
    let mut first = good();
    first["messages"].as_array_mut().unwrap().truncate(1);
    assert_eq!(post(&server.url, HEADERS, &first).0, 200);
    let mut body = good();
    change(&mut body);
    let (status, answer) = post(&server.url, HEADERS, &body);
    assert_eq!(server.faults().len(), usize::from(status != 200));
    (status, answer)
}

type Change = fn(&mut Value);

#[test]
fn what_the_real_one_refuses_is_refused() {
    assert_eq!(asked(|_| {}).0, 200);
    let mark = |block: &mut Value| block["cache_control"] = json!({"type": "ephemeral"});
    let five = move |b: &mut Value| {
        b["system"] = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
        mark(&mut b["system"][0]);
        mark(&mut b["system"][1]);
        mark(&mut b["tools"][0]);
        mark(&mut b["messages"][0]["content"][0]);
        mark(&mut b["messages"][2]["content"][1]);
    };
    let cases: &[(&str, Change)] = &[
        ("temperature", |b| b["temperature"] = json!(1)),
        ("top_p", |b| b["top_p"] = json!(0.9)),
        ("top_k", |b| b["top_k"] = json!(5)),
        ("max_tokens", |b| {
            drop(b.as_object_mut().unwrap().remove("max_tokens"))
        }),
        ("thinking.type", |b| {
            b["thinking"] = json!({"type": "enabled", "budget_tokens": 2000})
        }),
        ("thinking.type", |b| {
            b["thinking"] = json!({"type": "disabled"})
        }),
        ("tool_choice", |b| b["tool_choice"] = json!({"type": "any"})),
        ("tool_choice", |b| {
            b["tool_choice"] = json!({"type": "tool", "name": "read"})
        }),
        ("effort", |b| b["output_config"]["effort"] = json!("most")),
        ("Extra inputs", |b| b["num_ctx"] = json!(5)),
        ("without `tool_result` blocks", |b| {
            drop(
                b["messages"][2]["content"]
                    .as_array_mut()
                    .unwrap()
                    .remove(0),
            )
        }),
        ("unexpected `tool_use_id`", |b| {
            b["messages"][2]["content"][0]["tool_use_id"] = json!("t_9")
        }),
        ("must come first", |b| {
            b["messages"][2]["content"]
                .as_array_mut()
                .unwrap()
                .insert(0, json!({"type": "text", "text": "x"}))
        }),
        ("prefill", |b| {
            drop(b["messages"].as_array_mut().unwrap().pop())
        }),
        ("alternate", |b| {
            drop(b["messages"].as_array_mut().unwrap().remove(1))
        }),
        ("alternate", |b| {
            drop(b["messages"].as_array_mut().unwrap().remove(0))
        }),
        ("at least one", |b| b["messages"] = json!([])),
        ("non-empty", |b| {
            b["messages"][0]["content"][0]["text"] = json!(" ")
        }),
        ("cannot be modified", |b| {
            b["messages"][1]["content"][0]["signature"] = json!("x")
        }),
        ("cannot be modified", |b| {
            b["messages"][1]["content"][1]["thinking"] = json!("less")
        }),
        ("cannot be modified", |b| {
            b["messages"][1]["content"]
                .as_array_mut()
                .unwrap()
                .swap(0, 1)
        }),
        ("cannot be modified", |b| {
            drop(
                b["messages"][1]["content"]
                    .as_array_mut()
                    .unwrap()
                    .remove(0),
            )
        }),
        ("cannot be modified", |b| {
            b["messages"][1]["content"][2]["input"]["path"] = json!("c")
        }),
        ("cannot be modified", |b| {
            b["messages"][0]["content"][0]["text"] = json!("Why not?")
        }),
        ("final block in an assistant", |b| {
            let blocks = b["messages"][1]["content"].as_array_mut().unwrap();
            blocks.truncate(2);
        }),
        ("Invalid `signature`", |b| {
            b["messages"][1]["content"][1]["signature"] = json!("");
        }),
        ("another model", |b| b["model"] = json!("other")),
        ("thinking.cache_control", |b| {
            b["messages"][1]["content"][0]["cache_control"] = json!({"type": "ephemeral"})
        }),
        ("unique", |b| {
            let tool = b["tools"][0].clone();
            b["tools"].as_array_mut().unwrap().push(tool);
        }),
        ("input_schema", |b| {
            b["tools"][0]["input_schema"] = json!({})
        }),
    ];
    for (words, change) in cases {
        let (status, answer) = asked(change);
        assert_eq!(status, 400, "{words}");
        assert_eq!(answer["error"]["type"], "invalid_request_error");
        let said = answer["error"]["message"].as_str().unwrap();
        assert!(said.contains(words), "{said}, not {words}");
    }
    let (status, answer) = asked(five);
    assert!(
        status == 400 && answer.to_string().contains("maximum of 4"),
        "{answer}"
    );
}

#[test]
fn keys_and_versions_are_asked_for() {
    let server = play(|_| Answer::text("x"));
    let mut body = good();
    body["messages"].as_array_mut().unwrap().truncate(1);
    let version = ("anthropic-version", "2023-06-01");
    for (headers, status) in [
        (vec![version], 401),
        (vec![version, ("x-api-key", "wrong")], 401),
        (vec![("x-api-key", "k")], 400),
        (
            vec![version, ("x-api-key", "k"), ("authorization", "Bearer k")],
            400,
        ),
        (vec![version, ("authorization", "Bearer k")], 200),
    ] {
        assert_eq!(post(&server.url, &headers, &body).0, status, "{headers:?}");
    }
}
