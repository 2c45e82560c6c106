//! A whole message of the API, as text, calls and the reason for its end. What cannot be
//! understood is an error, never a guess.

use crate::llm::fault::clean;
use crate::llm::{Call, Error, ErrorKind, Reply, Said, Stop, Usage};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Most characters of a name or id: providers allow 64 and 200 or so.
const NAME: usize = 256;

/// `seconds` and `request` are the caller's to fill in.
pub(super) fn read(host: &str, mut message: Map<String, Value>) -> Result<Reply, Error> {
    let used = usage(message.get("usage"));
    let bad = |what: &str| {
        let words = format!("{host} does not answer as the Messages API does: {what}");
        Err(Error::new(ErrorKind::Garbage, words).having_used(used))
    };
    if message.get("role").is_some_and(|role| role != "assistant") {
        return bad("its message is not the assistant's");
    }
    let Some(Value::Array(mut blocks)) = message.remove("content") else {
        return bad("its message has no content");
    };
    let (mut text, mut calls, mut ids) = (String::new(), Vec::new(), BTreeSet::new());
    for block in &mut blocks {
        match block.get("type").and_then(Value::as_str) {
            None => return bad("a block has no type"),
            Some("text") => {
                let words = block
                    .get("text")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if !text.is_empty() && !words.is_empty() {
                    text.push('\n');
                }
                text.push_str(words);
            }
            Some("tool_use") => {
                let Some(call) = call(block) else {
                    return bad("a call has no id or name");
                };
                if !ids.insert(call.id.clone()) {
                    return bad("two calls have one id");
                }
                // The call keeps what it was; it would be refused when it is returned.
                if !block.get("input").is_some_and(Value::is_object) {
                    block["input"] = Map::new().into();
                }
                calls.push(call);
            }
            // Thinking, and what the server does itself: kept, and returned unread.
            Some(_) => {}
        }
    }
    let reason = message.get("stop_reason").and_then(Value::as_str);
    let stop = match reason {
        Some("end_turn" | "stop_sequence" | "tool_use") if !calls.is_empty() => Stop::Tools,
        Some("end_turn" | "stop_sequence" | "tool_use") => Stop::End,
        Some("max_tokens") => Stop::Length,
        Some("pause_turn") => Stop::Pause,
        Some("refusal") => Stop::Refusal(why(message.get("stop_details"))),
        Some("model_context_window_exceeded") => Stop::ContextFull,
        Some(other) => {
            let what = format!(
                "it stopped for a reason that is not known here ({}); a newer version of this \
                 program may know it",
                clean(other)
            );
            return bad(&what);
        }
        None => return bad("it does not say why it stopped"),
    };
    let model = message.get("model").and_then(Value::as_str);
    Ok(Reply {
        text,
        calls,
        stop,
        usage: used.unwrap_or_default(),
        model: clean(model.unwrap_or_default()),
        said: Said(Value::Array(blocks)),
        request: None,
        seconds: 0.0,
    })
}

fn call(block: &Value) -> Option<Call> {
    let named = |field| {
        let name = block.get(field)?.as_str()?;
        (!name.is_empty() && name.len() <= NAME).then(|| name.to_owned())
    };
    Some(Call {
        id: named("id")?,
        name: named("name")?,
        input: match block.get("input") {
            None | Some(Value::Null) => Map::new().into(),
            Some(input) => input.clone(),
        },
    })
}

/// A refusal's category and explanation.
fn why(details: Option<&Value>) -> Option<String> {
    let details = details?;
    let word = |field| details.get(field).and_then(Value::as_str).map(clean);
    let words = [word("category"), word("explanation")];
    let words: Vec<String> = words
        .into_iter()
        .flatten()
        .filter(|word| !word.is_empty())
        .collect();
    (!words.is_empty()).then(|| words.join(": "))
}

/// `None` where the server says nothing of it.
pub(super) fn usage(usage: Option<&Value>) -> Option<Usage> {
    let usage = usage?.as_object()?;
    let number = |field| usage.get(field).and_then(Value::as_u64).unwrap_or(0);
    Some(Usage {
        input: number("input_tokens"),
        output: number("output_tokens"),
        cache_write: number("cache_creation_input_tokens"),
        cache_read: number("cache_read_input_tokens"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(message: Value) -> Result<Reply, Error> {
        let Value::Object(message) = message else {
            panic!("{message}");
        };
        read("h", message)
    }

    #[test]
    fn every_reason_has_its_stop_and_an_unknown_one_is_an_error() {
        let with = |reason: Value| {
            of(
                json!({"content": [{"type": "text", "text": "hm"}], "stop_reason": reason,
                "stop_details": {"type": "refusal", "category": "cyber", "explanation": "no\u{1b}[0m"},
                "usage": {"input_tokens": 3, "output_tokens": 2}}),
            )
        };
        for (reason, stop) in [
            ("end_turn", Stop::End),
            ("stop_sequence", Stop::End),
            ("tool_use", Stop::End),
            ("max_tokens", Stop::Length),
            ("pause_turn", Stop::Pause),
            ("refusal", Stop::Refusal(Some("cyber: no [0m".to_owned()))),
            ("model_context_window_exceeded", Stop::ContextFull),
        ] {
            assert_eq!(with(json!(reason)).unwrap().stop, stop);
        }
        let fault = with(json!("tired")).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Garbage);
        assert!(
            fault.to_string().contains("not known here (tired)"),
            "{fault}"
        );
        assert_eq!(fault.used().unwrap().input, 3, "it was paid for");
        assert_eq!(with(Value::Null).unwrap_err().kind, ErrorKind::Garbage);
    }

    #[test]
    fn an_input_that_is_no_object_is_told_and_an_object_is_returned() {
        for (input, told) in [
            (None, json!({})),
            (Some(Value::Null), json!({})),
            (Some(json!("{\"a\": ")), json!("{\"a\": ")),
            (Some(json!([1])), json!([1])),
        ] {
            let mut call = json!({"type": "tool_use", "id": "t1", "name": "read"});
            if let Some(input) = input {
                call["input"] = input;
            }
            let reply = of(json!({"content": [call], "stop_reason": "tool_use"})).unwrap();
            assert_eq!(reply.calls[0].input, told);
            assert_eq!(reply.said.0[0]["input"], json!({}));
        }
    }

    #[test]
    fn calls_are_calls_whatever_the_reason_says() {
        let call = json!({"type": "tool_use", "id": "t1", "name": "read", "input": {"a": 1}});
        let with = |blocks: Value| of(json!({"content": blocks, "stop_reason": "end_turn"}));
        let reply = with(json!([call])).unwrap();
        assert_eq!((reply.stop, reply.calls.len()), (Stop::Tools, 1));
        assert_eq!(
            with(json!([call, call])).unwrap_err().kind,
            ErrorKind::Garbage
        );
        for bad in [
            json!([{"type": "tool_use", "name": "x"}]),
            json!([{"type": "tool_use", "id": "", "name": "x"}]),
            json!([{"type": "tool_use", "id": "x".repeat(300), "name": "x"}]),
            json!([{}]),
            json!("text"),
        ] {
            assert_eq!(
                with(bad.clone()).unwrap_err().kind,
                ErrorKind::Garbage,
                "{bad}"
            );
        }
    }
}
