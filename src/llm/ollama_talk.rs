//! Conversations in Ollama's own API. Its context is set with each question, and what does not fit
//! is noticed before it is sent and after. Older ones give calls no ids: they get some here.

use super::check::Count;
use super::fault::{clean, fault, said};
use super::functions::{self, MADE, word};
use super::order::{self, Side};
use super::server::{Keys, Server, WHOLE, no_later_than};
use super::{Call, Endpoint, Error, ErrorKind, Reply, Said, Stop, Talker, Turn};
use crate::net::{Http, Whole};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// How long a model stays loaded after a turn: tools need their time.
const KEEP: &str = "30m";
/// A model of an Ollama, that calls tools.
pub struct OllamaTalk {
    server: Server,
    model: String,
    context: u32,
    /// The server refused a field that older ones do not know.
    is_old: AtomicBool,
}

impl OllamaTalk {
    /// `url` is the server's, with or without `/api`; `context` the tokens of question and answer
    /// together that the model is loaded with.
    ///
    /// # Errors
    /// When the address cannot be one.
    pub fn new(
        http: Http,
        url: &str,
        model: &str,
        context: u32,
        keys: Keys,
    ) -> Result<OllamaTalk, Error> {
        Ok(OllamaTalk {
            server: Server::new(http, url, "/api", keys)?,
            model: model.to_owned(),
            context,
            is_old: AtomicBool::new(false),
        })
    }

    fn body(&self, turn: &Turn<'_>, sides: &[Side<'_>]) -> Value {
        let mut messages = functions::begun(turn);
        // Results name the tool, for models whose template wants that.
        let mut names = std::collections::BTreeMap::new();
        for side in sides {
            match side {
                Side::Ours { results, texts } => {
                    for result in results {
                        let name: &String = names.entry(result.call).or_default();
                        let content = functions::given(result);
                        let mut message =
                            json!({"role": "tool", "tool_name": name, "content": content});
                        if !result.call.starts_with(MADE) {
                            message["tool_call_id"] = result.call.into();
                        }
                        messages.push(message);
                    }
                    messages.extend(functions::spoken_by_us(texts));
                }
                Side::Theirs(row) => {
                    for said in row {
                        for call in functions::calls(said) {
                            let id = call.get("id").and_then(Value::as_str).unwrap_or_default();
                            names.insert(id, word(call, "/function/name"));
                        }
                        messages.push(sent(said));
                    }
                }
            }
        }
        let mut body = json!({
            "model": self.model,
            "messages": messages,
            "stream": false,
            "keep_alive": KEEP,
            "options": {"num_ctx": self.context, "num_predict": turn.max_tokens},
        });
        if !turn.tools.is_empty() {
            body["tools"] = functions::offered(turn.tools).into();
        }
        if !self.is_old.load(Ordering::Relaxed) {
            body["truncate"] = false.into();
            body["shift"] = false.into();
        }
        body
    }

    fn put(&self, turn: &Turn<'_>, sides: &[Side<'_>], until: Instant) -> Result<Whole, Error> {
        let ask = || {
            self.server
                .post_long("/api/chat", &self.body(turn, sides), WHOLE, until)
        };
        let answer = ask()?;
        let said = said(&answer.body);
        let named = said.contains("truncate") || said.contains("shift");
        if answer.status == 400 && named && !self.is_old.swap(true, Ordering::Relaxed) {
            return ask();
        }
        Ok(answer)
    }

    fn garbage(&self, what: &str) -> Error {
        let host = &self.server.host;
        let words = format!("{host} does not answer as Ollama does: {what}");
        Error::new(ErrorKind::Garbage, words)
    }

    fn read(&self, body: &[u8], turn: &Turn<'_>, sides: &[Side<'_>]) -> Result<Reply, Error> {
        let mut answer: Value = serde_json::from_slice(body)
            .map_err(|e| self.garbage(&format!("{e}: {}", said(body))))?;
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            let words = format!("Ollama failed ({}); its own log says more", clean(error));
            return Err(Error::new(ErrorKind::Server { status: 200 }, words));
        }
        let number = |field: &str| answer.get(field).and_then(Value::as_u64);
        let count = Count::new(
            number("prompt_eval_count"),
            number("prompt_eval_cached_count"),
        );
        let mut usage = functions::usage(count, number("eval_count"), turn, sides, body);
        // Its cache is the server's memory, which nobody bills.
        usage.input += std::mem::take(&mut usage.cache_read);
        functions::was_read(turn, sides, self.context, count)
            .map_err(|error| error.having_used(Some(usage)))?;
        let (model, reason) = (
            clean(&word(&answer, "/model")),
            word(&answer, "/done_reason"),
        );
        let Some(mut message) = answer
            .get_mut("message")
            .map(Value::take)
            .filter(Value::is_object)
        else {
            return Err(self.garbage("it has no message").having_used(Some(usage)));
        };
        functions::name_calls(&mut message, turn.messages.len())
            .map_err(|error| error.having_used(Some(usage)))?;
        let said = Said(message);
        let calls: Vec<Call> = functions::calls(&said).iter().map(call).collect();
        let mut reply = Reply {
            text: functions::spoken(&word(&said.0, "/content")).to_owned(),
            calls,
            stop: Stop::End,
            usage,
            model,
            request: None,
            seconds: 0.0,
            said,
        };
        reply.stop = match reason.as_str() {
            "stop" | "" => functions::ended(&reply),
            "length" => functions::limit(Some(self.context), &reply),
            other => {
                let other = clean(other);
                let what = format!("it stopped for a reason that is not known here ({other})");
                return Err(self.garbage(&what).having_used(Some(usage)));
            }
        };
        Ok(reply)
    }
}

impl Talker for OllamaTalk {
    fn turn(&self, turn: &Turn<'_>) -> Result<Reply, Error> {
        let started = Instant::now();
        let until = no_later_than(turn.deadline);
        let sides = order::sides(turn.messages, &functions::Messages)?;
        functions::fits(turn, &sides, self.context)?;
        let answer = self.put(turn, &sides, until)?;
        if answer.status != 200 {
            let pull = format!("`ollama pull {}` fetches it", clean(&self.model));
            return Err(fault(&self.server.host, &self.model, Some(pull), &answer));
        }
        let reply = self.read(&answer.body, turn, &sides)?;
        Ok(Reply {
            seconds: started.elapsed().as_secs_f64(),
            ..reply
        })
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint {
            api: "ollama".to_owned(),
            host: self.server.host.clone(),
            region: None,
            model: self.model.clone(),
        }
    }
}

/// A message as it goes back: as it came, without the ids that it did not come with.
fn sent(said: &Said) -> Value {
    let mut message = said.0.clone();
    let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
    for call in calls.into_iter().flatten().filter_map(Value::as_object_mut) {
        let made = |id: &Value| id.as_str().is_some_and(|id| id.starts_with(MADE));
        if call.get("id").is_some_and(made) {
            call.remove("id");
        }
        // What is no object is refused.
        if let Some(arguments) = call
            .get_mut("function")
            .and_then(|function| function.get_mut("arguments"))
            .filter(|arguments| !arguments.is_object())
        {
            *arguments = json!({});
        }
    }
    message
}

fn call(call: &Value) -> Call {
    let arguments = call.pointer("/function/arguments");
    functions::called(call, arguments.cloned().unwrap_or_else(|| json!({})))
}
