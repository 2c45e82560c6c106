//! Conversations in Ollama's own API, played as its documents and source describe it. No real one
//! is asked here.

use crate::conversation::{ask, path, results, text};
use crate::played::{Plays, Server, http, no_key, plays, serve};
use autofix::llm::{ErrorKind, Message, OllamaTalk, Stop, Talker};
use serde_json::{Value, json};

const CONTEXT: u32 = 20_000;

fn client(server: &Server) -> OllamaTalk {
    OllamaTalk::new(http(), &server.url, "small:1b", CONTEXT, no_key()).unwrap()
}

fn reply(message: Value, reason: &str, counted: u64) -> Value {
    json!({"model": "small:1b", "created_at": "2026-03-01T12:00:00Z", "message": message,
        "done": true, "done_reason": reason, "prompt_eval_count": counted, "eval_count": 9})
}

fn calls() -> Value {
    json!({"role": "assistant", "content": "", "thinking": "Hm.", "tool_calls": [
        {"function": {"name": "read_file", "arguments": {"path": "a"}}},
        {"function": {"name": "search_code", "arguments": {"path": "b"}}},
        {"id": "own", "function": {"name": "search_code", "arguments": "text"}},
    ]})
}

fn says(content: &str) -> Value {
    json!({"role": "assistant", "content": content})
}

#[test]
fn a_conversation_with_tools_comes_to_its_end() {
    let server = serve(|heard| {
        let messages = heard.body["messages"].as_array().unwrap();
        Plays::Json(
            200,
            match messages.len() {
                2 => reply(calls(), "stop", 1800),
                _ => reply(says("It is line 3."), "stop", 60),
            },
        )
    });
    let model = client(&server);
    let mut messages = vec![text("x")];
    let answer = ask(&model, &messages).unwrap();
    assert_eq!(answer.stop, Stop::Tools);
    let inputs: Vec<&Value> = answer.calls.iter().map(|call| &call.input).collect();
    assert_eq!(inputs, [&path("a"), &path("b"), &json!("text")]);
    assert_ne!(answer.calls[0].id, answer.calls[1].id);
    assert_eq!(answer.calls[2].id, "own");
    assert_eq!((answer.usage.input, answer.usage.output), (1800, 9));
    messages.extend([Message::Theirs(answer.said.clone()), results(&answer)]);
    let answer = ask(&model, &messages).unwrap();
    assert_eq!(
        (answer.stop, answer.text.as_str()),
        (Stop::End, "It is line 3.")
    );
    let heard = server.heard();
    let body = &heard[1].body;
    assert_eq!(
        body["options"],
        json!({"num_ctx": CONTEXT, "num_predict": 16_000})
    );
    assert_eq!(
        (&body["truncate"], &body["shift"]),
        (&json!(false), &json!(false))
    );
    let mut back = calls();
    back["tool_calls"][2]["function"]["arguments"] = json!({});
    assert_eq!(
        body["messages"][2], back,
        "as it came, but for what would be refused"
    );
    let result =
        json!({"role": "tool", "tool_name": "read_file", "content": "the content of read_file"});
    assert_eq!(body["messages"][3], result);
    assert_eq!(body["messages"][5]["tool_call_id"], "own");
    assert_eq!(body["tools"][1]["function"]["name"], "search_code");
}

#[test]
fn every_end_is_told_apart() {
    let of = |reason: &str, counted, output: u64| {
        let mut body = reply(says("So"), reason, counted);
        body["eval_count"] = output.into();
        ask(&client(&plays(Plays::Json(200, body))), &[text("x")])
    };
    assert_eq!(of("stop", 1800, 9).unwrap().stop, Stop::End);
    assert_eq!(of("length", 1800, 16_000).unwrap().stop, Stop::Length);
    assert_eq!(of("length", 3_900, 16_100).unwrap().stop, Stop::ContextFull);
    let e = of("tired", 1800, 9).unwrap_err();
    assert!(
        e.kind == ErrorKind::Garbage && e.to_string().contains("tired"),
        "{e}"
    );
}

#[test]
fn a_conversation_that_was_read_in_part_is_told() {
    for counted in [60, 4_000, 20_000] {
        let server = plays(Plays::Json(200, reply(says("So"), "stop", counted)));
        let long = text(&"ERROR db: connection refused by 10.0.0.3:5432\n".repeat(40));
        let e = ask(&client(&server), &[long]).unwrap_err();
        assert_eq!(e.kind, ErrorKind::Truncated, "{counted}: {e}");
        assert!(e.used().is_some(), "it is booked");
    }
    let server = plays(Plays::Json(200, reply(says("So"), "stop", 1800)));
    let e = ask(&client(&server), &[text(&"0123456789".repeat(1000))]).unwrap_err();
    assert_eq!(e.kind, ErrorKind::TooLong);
    assert!(server.heard().is_empty(), "what does not fit is not sent");
}

#[test]
fn refusals_and_nonsense_are_told() {
    let server = serve(|heard| match heard.body.get("truncate") {
        Some(_) => Plays::Json(400, json!({"error": "json: unknown field \"truncate\""})),
        None => Plays::Json(200, reply(says("So"), "stop", 1800)),
    });
    let model = client(&server);
    ask(&model, &[text("x")]).unwrap();
    ask(&model, &[text("x")]).unwrap();
    assert_eq!(server.heard().len(), 3, "from then on without it");
    for (what, kind) in [
        (
            Plays::Json(404, json!({"error": "model 'small:1b' not found"})),
            ErrorKind::ModelMissing,
        ),
        (
            Plays::Json(400, json!({"error": "\"small:1b\" does not support tools"})),
            ErrorKind::Refused { status: 400 },
        ),
        (
            Plays::Json(200, json!({"error": "after all"})),
            ErrorKind::Server { status: 200 },
        ),
        (Plays::Json(200, json!({"done": true})), ErrorKind::Garbage),
        (Plays::Raw(200, "", "<html>".to_owned()), ErrorKind::Garbage),
    ] {
        let e = ask(&client(&plays(what)), &[text("x")]).unwrap_err();
        assert_eq!(e.kind, kind, "{e}");
    }
    assert_eq!(model.endpoint().api, "ollama");
}
