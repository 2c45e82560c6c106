//! The Messages API: whole conversations against a played server that refuses what the real one
//! refuses. What goes wrong on the way stands in `anthropic_faults`.

use crate::anthropic_server::{Answer, Played, Said, call, in_turn, play, thinking};
use crate::conversation::{ask, path, result, results, text};
use crate::played::{http, key};
use autofix::llm::{
    Anthropic, AnthropicSettings, ErrorKind, KeyHeader, Message, Part, Stop, Talker, Usage,
};
use serde_json::{Value, json};

const MODEL: &str = "claude-opus-5-5";

pub fn client(server: &Played) -> Anthropic {
    with(server, AnthropicSettings::default())
}

pub fn with(server: &Played, settings: AnthropicSettings) -> Anthropic {
    Anthropic::new(http(), &server.url, MODEL, settings, key("s3cret-key")).unwrap()
}

fn no_faults(server: &Played) {
    assert_eq!(server.faults(), Vec::<String>::new());
}

#[test]
fn a_conversation_with_tools_comes_to_its_end() {
    let first = Said::new(
        vec![
            thinking("", "c2lnbmF0dXJlIG9uZQ=="),
            json!({"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"}),
            json!({"type": "text", "text": "I look at both files — änd the third."}),
            call("t_1", "read_file", path("a.py")),
            call(
                "t_2",
                "read_file",
                json!({"path": "ü \"b\"\n.py", "from": 1.5, "deep": [{"z": 1, "a": null}]}),
            ),
            call("t_3", "search_code", json!({})),
        ],
        "tool_use",
    );
    let second = Said::new(
        vec![
            thinking("It is in a.py.", "c2lnbmF0dXJlIHR3bw=="),
            call("t_4", "read_file", path("c.py")),
        ],
        "tool_use",
    );
    let server = play(in_turn(vec![
        Answer::Says(first.clone()),
        Answer::Says(second.clone()),
        Answer::text("It is line 3."),
    ]));
    let model = client(&server);
    let mut messages = vec![text("Why did it crash?")];
    let reply = ask(&model, &messages).unwrap();
    assert_eq!(reply.stop, Stop::Tools);
    assert_eq!(reply.text, "I look at both files — änd the third.");
    assert_eq!(
        reply.said.0,
        json!(first.content),
        "block by block as it was said"
    );
    let calls: Vec<(&str, &Value)> = reply
        .calls
        .iter()
        .map(|c| (c.id.as_str(), &c.input))
        .collect();
    assert_eq!(calls[1], ("t_2", &first.content[4]["input"]));
    assert_eq!(calls.len(), 3);
    assert_eq!(
        (reply.model.as_str(), reply.request.as_deref()),
        (MODEL, Some("req_200"))
    );
    let Message::Ours(mut parts) = results(&reply) else {
        panic!();
    };
    // Results come first whatever the order in which they are handed over.
    parts.insert(
        0,
        Part::Text(crate::conversation::written("Mind the time.")),
    );
    messages.extend([Message::Theirs(reply.said), Message::Ours(parts)]);
    let reply = ask(&model, &messages).unwrap();
    assert_eq!(reply.said.0, json!(second.content));
    messages.extend([Message::Theirs(reply.said.clone()), results(&reply)]);
    let reply = ask(&model, &messages).unwrap();
    assert_eq!(
        (reply.stop, reply.text.as_str()),
        (Stop::End, "It is line 3.")
    );
    no_faults(&server);
    let heard = server.heard();
    let body = &heard[0].body;
    assert_eq!(body["thinking"], json!({"type": "adaptive"}));
    assert_eq!(body["output_config"], json!({"effort": "medium"}));
    assert_eq!(body["tool_choice"], json!({"type": "auto"}));
    assert_eq!(
        (&body["stream"], &body["max_tokens"]),
        (&json!(true), &json!(16_000))
    );
    let last = heard[1].body["messages"][2]["content"]
        .as_array()
        .unwrap()
        .clone();
    let kinds: Vec<&str> = last.iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["tool_result", "tool_result", "tool_result", "text"]);
}

/// What was written or read in a turn is read in the next, and only what is new is paid in full,
/// also where one answer has more calls than a server looks back.
#[test]
fn the_prefix_is_cached_from_the_second_turn_on() {
    let many: Vec<(&str, Value)> = (0..15)
        .map(|n| ("read_file", path(&format!("src/file_{n}.py"))))
        .collect();
    let server = play(in_turn(vec![
        Answer::calls("t_1", &[("read_file", path("a.py"))]),
        Answer::calls("t_2", &many),
        Answer::calls("t_3", &[("search_code", path("b"))]),
        Answer::calls("t_4", &many),
        Answer::text("Done."),
    ]));
    let model = client(&server);
    let mut messages = vec![text("Why did it crash?")];
    let mut used: Vec<Usage> = Vec::new();
    loop {
        let reply = ask(&model, &messages).unwrap();
        used.push(reply.usage);
        if reply.stop == Stop::End {
            break;
        }
        messages.extend([Message::Theirs(reply.said.clone()), results(&reply)]);
    }
    no_faults(&server);
    assert_eq!(used.len(), 5);
    assert_eq!(used[0].cache_read, 0);
    assert!(used[0].cache_write > 1_000, "{used:?}");
    for pair in used.windows(2) {
        let [before, now] = pair else { panic!() };
        assert_eq!(
            now.cache_read,
            before.cache_read + before.cache_write,
            "{used:?}"
        );
        assert_eq!(now.input, 0, "all of it is marked: {used:?}");
        assert!(now.cache_write < now.cache_read, "{used:?}");
    }
    println!("{used:?}");
}

/// Another conversation with the same rules and tools reads those from the cache.
#[test]
fn rules_and_tools_are_cached_across_conversations() {
    let server = play(|_| Answer::text("Done."));
    let model = client(&server);
    ask(&model, &[text("Why did it crash?")]).unwrap();
    let other = ask(&model, &[text("And why did that one?")]).unwrap();
    assert!(other.usage.cache_read > 1_000, "{:?}", other.usage);
}

#[test]
fn every_end_is_told_apart() {
    let says = |stop| Answer::Says(Said::new(vec![json!({"type": "text", "text": "So"})], stop));
    let refused = Answer::Says(Said {
        details: json!({"type": "refusal", "category": "cyber", "explanation": "No."}),
        ..Said::new(vec![], "refusal")
    });
    for (answer, stop) in [
        (says("end_turn"), Stop::End),
        (says("stop_sequence"), Stop::End),
        (says("max_tokens"), Stop::Length),
        (says("model_context_window_exceeded"), Stop::ContextFull),
        (refused, Stop::Refusal(Some("cyber: No.".to_owned()))),
    ] {
        let server = play(in_turn(vec![answer]));
        assert_eq!(ask(&client(&server), &[text("x")]).unwrap().stop, stop);
    }
    let server = play(in_turn(vec![says("tired")]));
    let e = ask(&client(&server), &[text("x")]).unwrap_err();
    assert_eq!(e.kind, ErrorKind::Garbage);
    assert!(e.to_string().contains("(tired)"), "{e}");
    assert!(
        e.used().is_some_and(|used| used.output == 50),
        "it is paid for"
    );
}

#[test]
fn a_pause_is_sent_again_as_it_is() {
    let search =
        json!({"type": "server_tool_use", "id": "srv_1", "name": "search", "input": {"q": "x"}});
    let found =
        json!({"type": "search_result_block", "tool_use_id": "srv_1", "content": [{"page": 1}]});
    let first = Said::new(vec![thinking("", "c2ln"), search, found], "pause_turn");
    let second = Said::new(
        vec![
            json!({"type": "text", "text": "Now."}),
            call("t_1", "read_file", path("a")),
        ],
        "tool_use",
    );
    let server = play(in_turn(vec![
        Answer::Says(first),
        Answer::Says(second),
        Answer::text("Done."),
    ]));
    let model = client(&server);
    let mut messages = vec![text("x")];
    let reply = ask(&model, &messages).unwrap();
    assert_eq!(reply.stop, Stop::Pause);
    messages.push(Message::Theirs(reply.said));
    let reply = ask(&model, &messages).unwrap();
    assert_eq!(reply.stop, Stop::Tools);
    messages.extend([Message::Theirs(reply.said.clone()), results(&reply)]);
    assert_eq!(ask(&model, &messages).unwrap().stop, Stop::End);
    no_faults(&server);
    let last = &server.heard()[2].body["messages"];
    assert_eq!(
        last.as_array().unwrap().len(),
        3,
        "two answers in a row are one message"
    );
}

#[test]
fn what_is_cut_can_be_answered_and_gone_on_with() {
    let cut = Said::new(
        vec![call("t_1", "read_file", json!("{\"path\": \"a.p"))],
        "max_tokens",
    );
    let server = play(in_turn(vec![Answer::Says(cut), Answer::text("Done.")]));
    let model = client(&server);
    let reply = ask(&model, &[text("x")]).unwrap();
    assert_eq!(reply.stop, Stop::Length);
    assert_eq!(
        reply.calls[0].input,
        json!("{\"path\": \"a.p"),
        "as far as it came"
    );
    let messages = [
        text("x"),
        Message::Theirs(reply.said),
        Message::Ours(vec![result("t_1", "It was cut; it was not run.")]),
    ];
    assert_eq!(ask(&model, &messages).unwrap().stop, Stop::End);
    no_faults(&server);
}

#[test]
fn thinking_that_was_cut_does_not_stop_the_conversation() {
    let text_block = json!({"type": "text", "text": "First,"});
    let cut = |before: Vec<Value>| {
        let mut content = before;
        content.push(thinking("I wonder whe", ""));
        Answer::Says(Said::new(content, "max_tokens"))
    };
    let signed = vec![thinking("", "c2ln"), json!({"type": "text", "text": ""})];
    let server = play(in_turn(vec![
        cut(vec![thinking("", "c2ln"), text_block]),
        cut(vec![]),
        Answer::Says(Said::new(signed, "max_tokens")),
        Answer::text("Done."),
    ]));
    let model = client(&server);
    let mut messages = vec![text("x")];
    for _ in 0..3 {
        let reply = ask(&model, &messages).unwrap();
        assert_eq!(reply.stop, Stop::Length);
        messages.extend([Message::Theirs(reply.said), text("Be shorter.")]);
    }
    assert_eq!(ask(&model, &messages).unwrap().stop, Stop::End);
    no_faults(&server);
}

#[test]
fn what_is_blank_is_not_sent_back() {
    let blank = Said::new(
        vec![
            json!({"type": "text", "text": " \n"}),
            call("t_1", "read_file", path("a")),
        ],
        "tool_use",
    );
    let server = play(in_turn(vec![
        Answer::Says(blank),
        Answer::Says(Said::new(vec![], "end_turn")),
        Answer::text("Done."),
    ]));
    let model = client(&server);
    let mut messages = vec![text("x")];
    for _ in 0..2 {
        let reply = ask(&model, &messages).unwrap();
        let next = match reply.calls.as_slice() {
            [] => text("Go on."),
            _ => results(&reply),
        };
        messages.extend([Message::Theirs(reply.said), next]);
    }
    assert_eq!(ask(&model, &messages).unwrap().stop, Stop::End);
    no_faults(&server);
}

#[test]
fn one_key_goes_along_in_the_header_that_is_set() {
    let server = play(|_| Answer::text("Hm."));
    for (header, name) in [
        (KeyHeader::ApiKey, "x-api-key: s3cret-key"),
        (KeyHeader::Bearer, "authorization: bearer s3cret-key"),
    ] {
        let settings = AnthropicSettings {
            key: header,
            ..AnthropicSettings::default()
        };
        ask(&with(&server, settings), &[text("x")]).unwrap();
        let head = server.heard().pop().unwrap().head.to_lowercase();
        assert!(head.contains(name), "{head}");
        assert_eq!(head.matches("s3cret-key").count(), 1, "{head}");
    }
    no_faults(&server);
}

#[test]
fn thinking_and_effort_can_be_left_out_and_the_address_may_end_with_v1() {
    let server = play(|_| Answer::text("Hm."));
    let settings = AnthropicSettings {
        thinking: false,
        effort: false,
        ..AnthropicSettings::default()
    };
    let url = format!("{}/v1/", server.url);
    let model = Anthropic::new(http(), &url, MODEL, settings, key("k")).unwrap();
    ask(&model, &[text("x")]).unwrap();
    let body = &server.heard()[0].body;
    assert!(body.get("thinking").is_none() && body.get("output_config").is_none());
    let endpoint = model.endpoint();
    assert_eq!(
        (endpoint.api.as_str(), endpoint.model.as_str()),
        ("anthropic", MODEL)
    );
    assert_eq!(format!("http://{}", endpoint.host), server.url);
    assert_eq!(endpoint.region, None);
}

#[test]
fn what_is_no_conversation_is_not_sent() {
    let server = play(|_| Answer::text("Hm."));
    let model = client(&server);
    let calls = || {
        Message::Theirs(autofix::llm::Said(json!([call(
            "t_1",
            "read_file",
            path("a")
        )])))
    };
    for messages in [
        vec![],
        vec![text("x"), calls()],
        vec![text("x"), calls(), text("y")],
        vec![text("x"), calls(), Message::Ours(vec![result("t_2", "y")])],
    ] {
        let e = ask(&model, &messages).unwrap_err();
        assert_eq!(e.kind, ErrorKind::Malformed, "{e}");
        assert!(!e.is_retryable());
    }
    assert!(server.heard().is_empty());
}

/// Some gateways answer whole where a stream was asked for.
#[test]
fn an_answer_that_is_no_stream_is_read_as_well() {
    let message = json!({"id": "m", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "Whole."}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 7, "output_tokens": 2}});
    let server = play(move |_| Answer::Refuses(200, "", message.clone()));
    let reply = ask(&client(&server), &[text("x")]).unwrap();
    assert_eq!((reply.text.as_str(), reply.usage.input), ("Whole.", 7));
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "x"}});
    let server = play(move |_| Answer::Refuses(200, "", error.clone()));
    let e = ask(&client(&server), &[text("x")]).unwrap_err();
    assert!(matches!(e.kind, ErrorKind::Busy { .. }), "{e}");
}
