//! Conversations in OpenAI's chat API, as llama-server, vLLM and gateways speak it. The answer
//! comes whole, within the turn's deadline. How much a model should think is not said: servers
//! differ in what they take.

use super::check::Count;
use super::fault::{advice, clean, fault, said};
use super::functions::{self, word};
use super::order::{self, Outcome, Side};
use super::server::{Keys, Server, WHOLE, no_later_than};
use super::{Call, Endpoint, Error, ErrorKind, Reply, Said, Stop, Talker, Turn, Usage};
use crate::net::{Http, Whole};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// A model of such a server, that calls tools.
pub struct OpenAiTalk {
    server: Server,
    model: String,
    /// Where it is known: some servers cut what does not fit.
    context: Option<u32>,
    /// OpenAI's own newer models refuse `max_tokens`.
    completion: AtomicBool,
}

impl OpenAiTalk {
    /// `url` is the server's, with or without `/v1`; `context` its context in tokens, where that
    /// is known.
    ///
    /// # Errors
    /// When the address cannot be one.
    pub fn new(
        http: Http,
        url: &str,
        model: &str,
        context: Option<u32>,
        keys: Keys,
    ) -> Result<OpenAiTalk, Error> {
        Ok(OpenAiTalk {
            server: Server::new(http, url, "/v1", keys)?,
            model: model.to_owned(),
            context,
            completion: AtomicBool::new(false),
        })
    }

    fn body(&self, turn: &Turn<'_>, sides: &[Side<'_>]) -> Value {
        let mut messages = functions::begun(turn);
        for side in sides {
            match side {
                Side::Ours { results, texts } => {
                    messages.extend(results.iter().map(result));
                    messages.extend(functions::spoken_by_us(texts));
                }
                Side::Theirs(row) => messages.extend(row.iter().map(|said| sent(said))),
            }
        }
        let limit = if self.completion.load(Ordering::Relaxed) {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        let mut body = json!({"model": self.model, "messages": messages, "stream": false});
        body[limit] = turn.max_tokens.into();
        if !turn.tools.is_empty() {
            body["tools"] = functions::offered(turn.tools).into();
            body["tool_choice"] = "auto".into();
        }
        body
    }

    fn put(&self, turn: &Turn<'_>, sides: &[Side<'_>], until: Instant) -> Result<Whole, Error> {
        let path = "/v1/chat/completions";
        let ask = || {
            self.server
                .post_long(path, &self.body(turn, sides), WHOLE, until)
        };
        let answer = ask()?;
        let newer = answer.status == 400 && said(&answer.body).contains("max_completion_tokens");
        if newer && !self.completion.swap(true, Ordering::Relaxed) {
            return ask();
        }
        Ok(answer)
    }

    fn garbage(&self, what: &str) -> Error {
        let host = &self.server.host;
        let words = format!("{host} does not answer as OpenAI's API does: {what}");
        Error::new(ErrorKind::Garbage, words)
    }

    fn read(&self, body: &[u8], turn: &Turn<'_>, sides: &[Side<'_>]) -> Result<Reply, Error> {
        let mut answer: Value = serde_json::from_slice(body)
            .map_err(|e| self.garbage(&format!("{e}: {}", said(body))))?;
        let count = Count::new(
            answer
                .pointer("/usage/prompt_tokens")
                .and_then(Value::as_u64),
            answer
                .pointer("/usage/prompt_tokens_details/cached_tokens")
                .and_then(Value::as_u64),
        );
        let output = answer
            .pointer("/usage/completion_tokens")
            .and_then(Value::as_u64);
        let usage = functions::usage(count, output, turn, sides, body);
        self.choice(&mut answer, turn, usage)
            .and_then(|reply| {
                if let Some(context) = self.context {
                    functions::was_read(turn, sides, context, count)?;
                }
                Ok(reply)
            })
            .map_err(|error| error.having_used(Some(usage)))
    }

    fn choice(&self, answer: &mut Value, turn: &Turn<'_>, usage: Usage) -> Result<Reply, Error> {
        let model = clean(&word(answer, "/model"));
        let request = Some(clean(&word(answer, "/id"))).filter(|id| !id.is_empty());
        let reason = answer.pointer("/choices/0/finish_reason").cloned();
        let Some(mut message) = answer
            .pointer_mut("/choices/0/message")
            .map(Value::take)
            .filter(Value::is_object)
        else {
            return Err(self.garbage("it has no choice with a message"));
        };
        functions::name_calls(&mut message, turn.messages.len())?;
        let said = Said(message);
        let calls: Vec<Call> = functions::calls(&said).iter().map(call).collect();
        if calls.iter().any(|call| call.name.is_empty()) {
            return Err(self.garbage("a call names no function"));
        }
        let mut reply = Reply {
            text: functions::spoken(&word(&said.0, "/content")).to_owned(),
            calls,
            stop: Stop::End,
            usage,
            model,
            request,
            seconds: 0.0,
            said,
        };
        let refusal = clean(&word(&reply.said.0, "/refusal"));
        let reason = reason.unwrap_or_default();
        reply.stop = match reason.as_str() {
            _ if !refusal.is_empty() => Stop::Refusal(Some(refusal)),
            Some("stop" | "tool_calls" | "function_call") => functions::ended(&reply),
            None if reason.is_null() => functions::ended(&reply),
            Some("length") => functions::limit(self.context, &reply),
            Some("content_filter") => Stop::Refusal(None),
            Some(_) | None => {
                let reason = clean(&reason.to_string());
                let what = format!("it stopped for a reason that is not known here ({reason})");
                return Err(self.garbage(&what));
            }
        };
        Ok(reply)
    }
}

impl Talker for OpenAiTalk {
    fn turn(&self, turn: &Turn<'_>) -> Result<Reply, Error> {
        let started = Instant::now();
        let until = no_later_than(turn.deadline);
        let sides = order::sides(turn.messages, &functions::Messages)?;
        if let Some(context) = self.context {
            functions::fits(turn, &sides, context)?;
        }
        let answer = self.put(turn, &sides, until)?;
        if answer.status != 200 {
            let (again, after) = advice(&answer);
            let request = answer.headers.get("x-request-id").map(clean);
            return Err(fault(&self.server.host, &self.model, None, &answer)
                .advised(again, after)
                .of_request(request));
        }
        let reply = self.read(&answer.body, turn, &sides)?;
        Ok(Reply {
            seconds: started.elapsed().as_secs_f64(),
            ..reply
        })
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint {
            api: "openai".to_owned(),
            host: self.server.host.clone(),
            region: None,
            model: self.model.clone(),
        }
    }
}

fn result(outcome: &Outcome<'_>) -> Value {
    let content = functions::given(outcome);
    json!({"role": "tool", "tool_call_id": outcome.call, "content": content})
}

/// A message as it goes back: what the API takes of what it gave. Servers that reason want their
/// reasoning back where a call followed from it.
fn sent(said: &Said) -> Value {
    let mut message = json!({"role": "assistant"});
    let has_calls = !functions::calls(said).is_empty();
    let mut fields = vec!["content"];
    if has_calls {
        fields.extend([
            "tool_calls",
            "reasoning_content",
            "reasoning",
            "reasoning_details",
        ]);
    }
    for field in fields {
        match said.0.get(field) {
            Some(value) if !value.is_null() => message[field] = value.clone(),
            // Some templates fail without it.
            Some(_) | None if field == "content" => message[field] = Value::Null,
            Some(_) | None => {}
        }
    }
    // Servers fail at arguments that they cannot read, though they have passed them on.
    let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
    for call in calls.into_iter().flatten() {
        let text = word(call, "/function/arguments");
        let is_object = serde_json::from_str::<Value>(&text).is_ok_and(|v| v.is_object());
        if let Some(arguments) = call
            .pointer_mut("/function/arguments")
            .filter(|arguments| !is_object && !arguments.is_object())
        {
            *arguments = "{}".into();
        }
    }
    message
}

fn call(call: &Value) -> Call {
    let input = match call.pointer("/function/arguments") {
        Some(Value::String(text)) if text.trim().is_empty() => json!({}),
        Some(Value::String(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into())
        }
        Some(other) => other.clone(),
        None => json!({}),
    };
    functions::called(call, input)
}
