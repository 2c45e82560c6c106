//! Conversations in OpenAI's chat API, played as llama-server, vLLM and OpenAI itself answer, and
//! what they refuse.

use crate::conversation::{ask, path, result, results, text};
use crate::played::{Heard, Plays, Server, http, key, no_key, plays, serve};
use autofix::llm::{ErrorKind, Message, OpenAiTalk, Stop, Talker};
use serde_json::{Value, json};

fn client(server: &Server, context: Option<u32>) -> OpenAiTalk {
    OpenAiTalk::new(http(), &server.url, "small:1b", context, no_key()).unwrap()
}

fn reply(message: Value, finish: &str) -> Value {
    json!({"id": "chatcmpl-1", "model": "small:1b", "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 1800, "completion_tokens": 9,
            "prompt_tokens_details": {"cached_tokens": 1500}}})
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

fn says(content: &str) -> Value {
    json!({"role": "assistant", "content": content})
}

/// As servers refuse: results without calls and the other way round, arguments that are no JSON.
fn checked(heard: &Heard) -> Result<usize, String> {
    let messages = heard.body["messages"].as_array().ok_or("no messages")?;
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        match message["role"].as_str().unwrap_or_default() {
            "tool" => {
                let id = message["tool_call_id"].as_str().ok_or("no id")?;
                let at = open
                    .iter()
                    .position(|o| *o == id)
                    .ok_or("an id of no call")?;
                open.remove(at);
            }
            role if !open.is_empty() => return Err(format!("{role} before the results")),
            "assistant" => {
                for call in message["tool_calls"].as_array().into_iter().flatten() {
                    let text = call["function"]["arguments"].as_str().ok_or("no text")?;
                    let input: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
                    if !input.is_object() {
                        return Err("arguments that are no object".to_owned());
                    }
                    open.push(call["id"].as_str().ok_or("a call without id")?);
                }
                let empty = message["tool_calls"].is_null() && message["content"].is_null();
                if empty {
                    return Err("an empty message".to_owned());
                }
            }
            "system" | "user" => {}
            other => return Err(format!("role {other}")),
        }
    }
    Ok(messages.iter().filter(|m| m["role"] == "assistant").count())
}

fn scripted(answers: Vec<Value>) -> Server {
    serve(move |heard| match checked(heard) {
        Err(words) => Plays::Json(400, json!({"error": {"message": words}})),
        Ok(turn) => Plays::Json(200, answers[turn].clone()),
    })
}

#[test]
fn a_conversation_with_tools_comes_to_its_end() {
    let mut first = says("");
    first["content"] = Value::Null;
    first["reasoning_content"] = json!("Hm.");
    first["audio"] = Value::Null;
    first["tool_calls"] = json!([
        call("c1", "read_file", "{\"path\": \"a\"}"),
        call("c1", "read_file", "{\"path\": \"b\"}"),
        call("", "search_code", ""),
        call("c4", "search_code", "{\"path\": "),
        call("c5", "search_code", "[1]"),
    ]);
    let server = scripted(vec![
        reply(first, "tool_calls"),
        reply(says("<think>\nso\n</think>\nIt is line 3."), "stop"),
    ]);
    let model = client(&server, Some(32_000));
    let mut messages = vec![text("x")];
    let answer = ask(&model, &messages).unwrap();
    assert_eq!(answer.stop, Stop::Tools);
    assert_eq!(
        (
            answer.usage.input,
            answer.usage.cache_read,
            answer.usage.output
        ),
        (300, 1500, 9)
    );
    let inputs: Vec<&Value> = answer.calls.iter().map(|call| &call.input).collect();
    assert_eq!(
        inputs,
        [
            &path("a"),
            &path("b"),
            &json!({}),
            &json!("{\"path\": "),
            &json!([1])
        ]
    );
    let mut ids: Vec<&str> = answer.calls.iter().map(|call| call.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "each has its own: {ids:?}");
    messages.extend([Message::Theirs(answer.said.clone()), results(&answer)]);
    let answer = ask(&model, &messages).unwrap();
    assert_eq!(
        (answer.stop, answer.text.as_str()),
        (Stop::End, "It is line 3.")
    );
    let heard = server.heard();
    let body = &heard[1].body;
    assert_eq!(body["messages"][2]["reasoning_content"], "Hm.");
    assert!(
        body["messages"][2].get("audio").is_none(),
        "nothing that others refuse"
    );
    assert_eq!(body["messages"][3]["content"], "the content of read_file");
    assert_eq!(body["tools"][0]["function"]["name"], "read_file");
    assert_eq!(
        (&body["tool_choice"], &body["stream"]),
        (&json!("auto"), &json!(false))
    );
    assert!(body.get("temperature").is_none());
}

#[test]
fn a_failed_tool_is_told_to_the_model() {
    let mut first = says("");
    first["tool_calls"] = json!([call("c1", "read_file", "{}")]);
    let server = scripted(vec![reply(first, "tool_calls"), reply(says("Oh."), "stop")]);
    let model = client(&server, None);
    let answer = ask(&model, &[text("x")]).unwrap();
    let failed = autofix::llm::Part::Result {
        call: "c1".to_owned(),
        content: crate::conversation::written("no such file"),
        is_error: true,
    };
    let messages = [
        text("x"),
        Message::Theirs(answer.said),
        Message::Ours(vec![failed]),
    ];
    ask(&model, &messages).unwrap();
    assert_eq!(
        server.heard()[1].body["messages"][3]["content"],
        "Error: no such file"
    );
}

#[test]
fn every_end_is_told_apart() {
    let of = |message: Value, finish: Value, context: Option<u32>| {
        let mut reply = reply(message, "stop");
        reply["choices"][0]["finish_reason"] = finish;
        let server = plays(Plays::Json(200, reply));
        ask(&client(&server, context), &[text("x")])
    };
    let stop = |finish: &str| of(says("So"), json!(finish), None).unwrap().stop;
    assert_eq!(stop("stop"), Stop::End);
    assert_eq!(
        stop("tool_calls"),
        Stop::End,
        "without a call nothing is waited for"
    );
    assert_eq!(stop("length"), Stop::Length);
    assert_eq!(stop("content_filter"), Stop::Refusal(None));
    assert_eq!(of(says("So"), Value::Null, None).unwrap().stop, Stop::End);
    let mut called = says("");
    called["tool_calls"] = json!([call("c1", "read_file", "{}")]);
    assert_eq!(of(called, json!("stop"), None).unwrap().stop, Stop::Tools);
    let refused = json!({"role": "assistant", "content": null, "refusal": "I cannot."});
    let stop = of(refused, json!("stop"), None).unwrap().stop;
    assert_eq!(stop, Stop::Refusal(Some("I cannot.".to_owned())));
    let e = of(says("So"), json!("tired"), None).unwrap_err();
    assert!(
        e.kind == ErrorKind::Garbage && e.to_string().contains("tired"),
        "{e}"
    );
    assert_eq!(e.used().unwrap().output, 9);
}

#[test]
fn the_context_is_minded_where_it_is_known() {
    let mut full = reply(says("So"), "length");
    full["usage"] = json!({"prompt_tokens": 12_000, "completion_tokens": 8_000});
    let server = plays(Plays::Json(200, full));
    let model = client(&server, Some(20_000));
    // A server that counted more than there was room for has cut.
    assert_eq!(
        ask(&model, &[text("x")]).unwrap_err().kind,
        ErrorKind::Truncated
    );
    let mut full = reply(says("So"), "length");
    full["usage"] = json!({"prompt_tokens": 3_990, "completion_tokens": 16_000});
    let server = plays(Plays::Json(200, full));
    let reply = ask(&client(&server, Some(20_000)), &[text("x")]).unwrap();
    assert_eq!(reply.stop, Stop::ContextFull);
    let e = ask(&client(&server, Some(17_000)), &[text("x")]).unwrap_err();
    assert_eq!(e.kind, ErrorKind::TooLong);
    assert_eq!(server.heard().len(), 1, "what does not fit is not sent");
    let words = "This model's maximum context length is 4096 tokens.";
    let server = plays(Plays::Json(
        400,
        json!({"object": "error", "message": words}),
    ));
    let e = ask(&client(&server, None), &[text("x")]).unwrap_err();
    assert_eq!(e.kind, ErrorKind::TooLong);
}

#[test]
fn a_server_that_wants_the_newer_limit_gets_it_from_then_on() {
    let server = serve(|heard| match heard.body.get("max_tokens") {
        Some(_) => Plays::Json(
            400,
            json!({"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}),
        ),
        None => Plays::Json(200, reply(says("So"), "stop")),
    });
    let model = client(&server, None);
    ask(&model, &[text("x")]).unwrap();
    ask(&model, &[text("x")]).unwrap();
    assert_eq!(server.heard().len(), 3);
    assert_eq!(server.heard()[2].body["max_completion_tokens"], 16_000);
}

#[test]
fn what_a_server_does_not_count_is_estimated() {
    let mut bare = reply(says("So"), "stop");
    bare.as_object_mut().unwrap().remove("usage");
    let server = plays(Plays::Json(200, bare));
    let usage = ask(&client(&server, None), &[text("x")]).unwrap().usage;
    assert!(usage.input > 1_000 && usage.output > 5, "{usage:?}");
}

#[test]
fn nonsense_is_told() {
    let mut many = says("");
    many["tool_calls"] = (0..500).map(|n| call(&n.to_string(), "x", "{}")).collect();
    let mut odd = says("");
    odd["tool_calls"] = json!([7]);
    let mut nameless = says("");
    nameless["tool_calls"] = json!([{"id": "c1"}]);
    for body in [
        json!([]),
        json!({"choices": []}),
        json!({"choices": [{"message": "x"}]}),
        reply(json!([]), "stop"),
        reply(many, "tool_calls"),
        reply(odd, "tool_calls"),
        reply(nameless, "tool_calls"),
    ] {
        let server = plays(Plays::Json(200, body.clone()));
        let e = ask(&client(&server, None), &[text("x")]).unwrap_err();
        assert_eq!(e.kind, ErrorKind::Garbage, "{e}: {body}");
    }
    for (what, kind) in [
        (Plays::Raw(200, "", "<html>".to_owned()), ErrorKind::Garbage),
        (
            Plays::Breaks(reply(says("So"), "stop")),
            ErrorKind::Unreachable,
        ),
        (Plays::Endless, ErrorKind::Garbage),
        (
            Plays::Raw(302, "Location: http://127.0.0.1:9/\r\n", String::new()),
            ErrorKind::Refused { status: 302 },
        ),
    ] {
        let e = ask(&client(&plays(what), None), &[text("x")]).unwrap_err();
        assert_eq!(e.kind, kind, "{e}");
    }
}

#[test]
fn a_key_goes_into_the_header_and_no_error() {
    let server = plays(Plays::Json(
        401,
        json!({"error": {"message": "no s3cret-key"}}),
    ));
    let model = OpenAiTalk::new(http(), &server.url, "m", None, key("s3cret-key")).unwrap();
    let e = ask(&model, &[text("x")]).unwrap_err();
    assert!(
        e.kind == ErrorKind::Denied && !e.to_string().contains("s3cret"),
        "{e}"
    );
    let head = server.heard()[0].head.to_lowercase();
    assert!(head.contains("authorization: bearer s3cret-key"), "{head}");
    assert_eq!(model.endpoint().api, "openai");
}

#[test]
fn what_is_no_conversation_is_not_sent() {
    let server = plays(Plays::Json(200, reply(says("So"), "stop")));
    let model = client(&server, None);
    let messages = [text("x"), Message::Ours(vec![result("c1", "y")])];
    assert_eq!(
        ask(&model, &messages).unwrap_err().kind,
        ErrorKind::Malformed
    );
    assert!(server.heard().is_empty());
}
