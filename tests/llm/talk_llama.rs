//! A real llama-server with a real, small model, spoken to through both of its APIs: whatever it
//! says, the conversation goes on or ends with an error that says why. Skipped where none is named.

use crate::conversation::{RULES, TOOLS, results, text, written};
use crate::llama_server::{reach, start};
use crate::played::{http, no_key};
use autofix::llm::{
    Anthropic, AnthropicSettings, Effort, Error, ErrorKind, Message, OpenAiTalk, Part, Reply, Stop,
    Talker, Turn,
};
use autofix::redact::Redacted;
use std::time::{Duration, Instant};

const QUESTIONS: &[&str] = &[
    "Read the file src/app.py with the tool read_file.",
    "Look for the word timeout with the tool search_code, then read what you find.",
    "ERROR db: connection refused by 10.0.0.3:5432\nWhat is the cause?",
];

fn ask(
    talker: &dyn Talker,
    system: &Redacted,
    messages: &[Message],
    most: u32,
) -> Result<Reply, Error> {
    talker.turn(&Turn {
        system,
        tools: &TOOLS,
        messages,
        max_tokens: most,
        effort: Effort::Low,
        // Others may be before us.
        deadline: Instant::now() + Duration::from_secs(240),
    })
}

/// A conversation of a few turns, as an investigation holds it.
fn converse(name: &str, talker: &dyn Talker) {
    let system = Redacted::own("You look for faults in programs. Use the tools.");
    let mut outcomes = Vec::new();
    for question in QUESTIONS {
        let mut messages = vec![text(question)];
        for _ in 0..4 {
            let reply = match ask(talker, &system, &messages, 120) {
                Ok(reply) => reply,
                // What it wrote was no call that the server could read: a fault that is told.
                Err(e) => {
                    let known = matches!(
                        e.kind,
                        ErrorKind::Server { .. } | ErrorKind::Refused { .. } | ErrorKind::TooLong
                    );
                    assert!(known, "{name}: {e}");
                    outcomes.push(format!("{:?}", e.kind));
                    break;
                }
            };
            assert!(
                reply.usage.output > 0 && reply.usage.output <= 130,
                "{name}: {reply:?}"
            );
            assert!(
                reply.usage.input + reply.usage.cache_read > 20,
                "{name}: {reply:?}"
            );
            outcomes.push(format!("{:?} with {} calls", reply.stop, reply.calls.len()));
            let next = match (reply.calls.as_slice(), &reply.stop) {
                ([], Stop::End | Stop::Length) => text("Go on, and use a tool."),
                ([], stop) => panic!("{name}: {stop:?}"),
                _ => results(&reply),
            };
            messages.extend([Message::Theirs(reply.said), next]);
        }
    }
    println!("{name}: {outcomes:?}");
}

#[test]
fn a_real_server_holds_a_conversation_in_both_apis() {
    let test = "a_real_server_holds_a_conversation_in_both_apis";
    let Some((_server, _, url)) = reach(test) else {
        return;
    };
    let settings = AnthropicSettings::default();
    let anthropic = Anthropic::new(http(), &url, "any", settings, no_key()).unwrap();
    converse("messages", &anthropic);
    let openai = OpenAiTalk::new(http(), &url, "any", None, no_key()).unwrap();
    converse("chat", &openai);
}

/// Calls that this model would never make: the server's own reading of what goes back to it.
#[test]
fn a_real_server_takes_calls_and_results_back() {
    let test = "a_real_server_takes_calls_and_results_back";
    let Some((_server, _, url)) = reach(test) else {
        return;
    };
    let system = Redacted::own("You look for faults in programs.");
    let said = |value| Message::Theirs(autofix::llm::Said(value));
    let result = |call: &str, is_error| Part::Result {
        call: call.to_owned(),
        content: written("1 import db"),
        is_error,
    };
    let anthropic =
        Anthropic::new(http(), &url, "any", AnthropicSettings::default(), no_key()).unwrap();
    let calls = serde_json::json!([
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "tool_use", "id": "t1", "name": "read_file", "input": {"path": "a"}},
        {"type": "tool_use", "id": "t2", "name": "read_file", "input": {}},
    ]);
    let messages = [
        text("Why?"),
        said(calls),
        Message::Ours(vec![result("t1", false), result("t2", true)]),
    ];
    let reply = ask(&anthropic, &system, &messages, 40).unwrap();
    assert!(reply.usage.output > 0, "{reply:?}");
    let openai = OpenAiTalk::new(http(), &url, "any", Some(4096), no_key()).unwrap();
    let calls = serde_json::json!({"role": "assistant", "content": null, "tool_calls": [
        {"id": "t1", "type": "function", "function": {"name": "read_file", "arguments": "{\"path\": \"a\"}"}},
        {"id": "t2", "type": "function", "function": {"name": "read_file", "arguments": "not json"}},
    ]});
    let messages = [
        text("Why?"),
        said(calls),
        Message::Ours(vec![result("t1", false), result("t2", true)]),
    ];
    let reply = ask(&openai, &system, &messages, 40).unwrap();
    assert!(reply.usage.output > 0, "{reply:?}");
}

#[test]
fn a_real_server_says_what_does_not_fit_in_both_apis() {
    let test = "a_real_server_says_what_does_not_fit_in_both_apis";
    let Some((_server, _, url)) = reach(test) else {
        return;
    };
    let long = [text(
        &"ERROR db: connection refused by 10.0.0.3:5432\n".repeat(400),
    )];
    let anthropic =
        Anthropic::new(http(), &url, "any", AnthropicSettings::default(), no_key()).unwrap();
    let e = ask(&anthropic, &RULES, &long, 40).unwrap_err();
    assert_eq!(e.kind, ErrorKind::TooLong, "{e}");
    let openai = OpenAiTalk::new(http(), &url, "any", None, no_key()).unwrap();
    let e = ask(&openai, &RULES, &long, 40).unwrap_err();
    assert_eq!(e.kind, ErrorKind::TooLong, "{e}");
}

#[test]
fn a_real_server_that_dies_in_mid_answer_leaves_what_was_used() {
    let test = "a_real_server_that_dies_in_mid_answer_leaves_what_was_used";
    let Some((mut server, _)) = start(test) else {
        return;
    };
    let settings = AnthropicSettings::default();
    let model = Anthropic::new(http(), &server.url, "any", settings, no_key()).unwrap();
    let asked = std::thread::spawn(move || {
        let system = Redacted::own("You tell long stories.");
        ask(
            &model,
            &system,
            &[text("Tell the longest story that you know.")],
            3_000,
        )
    });
    std::thread::sleep(Duration::from_millis(2_500));
    server.end();
    match asked.join().unwrap() {
        // It is short of words now and then.
        Ok(reply) => assert_eq!(reply.stop, Stop::End),
        Err(e) if e.kind == ErrorKind::Unreachable => println!("it had not begun: {e}"),
        Err(e) => {
            assert_eq!(e.kind, ErrorKind::Interrupted, "{e}");
            println!("used until then: {:?}", e.used());
            assert!(e.used().is_some(), "{e}");
        }
    }
}
