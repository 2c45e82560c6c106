//! Anthropic's Messages API, played on loopback. What the model says is a script's; whether a
//! request keeps the rules is checked here, and one that does not gets the 400 that the real one
//! would give (`rules`). Usage is counted as the real one counts it, with a cache of prefixes
//! (`cache`). It knows no client, so that any test may use it.

#![allow(dead_code)] // Each test uses a part of it.

mod cache;
mod rules;
pub mod wire;

use serde_json::{Value, json};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

pub use rules::Rules;

/// A message, event by event: the data of each.
pub fn events(model: &str, usage: &Value, said: &Said) -> Vec<Value> {
    wire::data(model, usage, said)
}

/// What a model says.
#[derive(Clone, Debug)]
pub struct Said {
    pub content: Vec<Value>,
    pub stop: &'static str,
    /// `stop_details`
    pub details: Value,
}

/// What the server does with a request that keeps the rules.
#[derive(Clone, Debug)]
pub enum Answer {
    Says(Said),
    /// A status with these headers (each with its end of line) and this body.
    Refuses(u16, &'static str, Value),
    /// The connection ends after so many events.
    Breaks(Said, usize),
    /// An error of this type comes after so many events.
    Errs(Said, usize, &'static str),
    /// After so many events nothing comes any more, and the connection stands.
    Stands(Said, usize),
    /// So long between two events.
    Slow(Said, Duration),
    /// A stream of these bytes.
    Raw(Vec<u8>),
    /// A text without an end.
    Endless,
}

impl Answer {
    pub fn text(text: &str) -> Answer {
        Answer::Says(Said::new(
            vec![json!({"type": "text", "text": text})],
            "end_turn",
        ))
    }

    /// Thinks without a word, as the newest models do, and calls tools: name and input of each.
    /// `id` makes the ids of the calls, and must be new for each answer.
    pub fn calls(id: &str, calls: &[(&str, Value)]) -> Answer {
        Answer::Says(Said::calls(id, calls))
    }

    pub fn error(status: u16, kind: &str, message: &str) -> Answer {
        let body = json!({"type": "error", "error": {"type": kind, "message": message},
            "request_id": "req_refused"});
        Answer::Refuses(status, "", body)
    }
}

impl Said {
    pub fn new(content: Vec<Value>, stop: &'static str) -> Said {
        Said {
            content,
            stop,
            details: Value::Null,
        }
    }

    pub fn calls(id: &str, calls: &[(&str, Value)]) -> Said {
        let mut content = vec![thinking("", &format!("signature-of-{id}"))];
        for (at, (name, input)) in calls.iter().enumerate() {
            content.push(call(&format!("{id}_{at}"), name, input.clone()));
        }
        Said::new(content, "tool_use")
    }
}

pub fn thinking(text: &str, signature: &str) -> Value {
    json!({"type": "thinking", "thinking": text, "signature": signature})
}

pub fn call(id: &str, name: &str, input: Value) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": input})
}

/// One request, and what became of it.
#[derive(Clone, Debug)]
pub struct Heard {
    pub head: String,
    pub body: Value,
    /// The status it got.
    pub status: u16,
    /// The usage that was counted for it.
    pub usage: Value,
}

#[derive(Default)]
struct State {
    heard: Vec<Heard>,
    /// What was wrong with requests.
    faults: Vec<String>,
    cache: cache::Cache,
    rules: Rules,
}

/// The server.
#[derive(Clone)]
pub struct Played {
    /// `http://127.0.0.1:port`
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Played {
    pub fn heard(&self) -> Vec<Heard> {
        self.state().heard.clone()
    }

    /// What was wrong with requests, in the words of the 400 that each of them got.
    pub fn faults(&self) -> Vec<String> {
        self.state().faults.clone()
    }

    /// What all requests have used, by the server's own count: the sum of each number.
    pub fn used(&self, field: &str) -> u64 {
        let state = self.state();
        let numbers = state.heard.iter().map(|heard| &heard.usage[field]);
        numbers.filter_map(Value::as_u64).sum()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// Starts a server whose model says what `script` makes of each request that keeps the rules. The
/// script sees the request's body.
pub fn play(script: impl Fn(&Value) -> Answer + Send + Sync + 'static) -> Played {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let played = Played {
        url: format!("http://{}", listener.local_addr().unwrap()),
        state: Arc::default(),
    };
    let (ours, script) = (played.clone(), Arc::new(script));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let (played, script) = (ours.clone(), script.clone());
            std::thread::spawn(move || {
                // Whoever asked may have gone.
                let _ = played.serve(&stream, &*script);
            });
        }
    });
    played
}

/// A script that gives these answers, one after the other; then it has no more to say.
pub fn in_turn(answers: Vec<Answer>) -> impl Fn(&Value) -> Answer + Send + Sync + 'static {
    let answers = Mutex::new(answers.into_iter());
    move |_| {
        let next = answers.lock().unwrap().next();
        next.unwrap_or_else(|| Answer::text("That is all."))
    }
}

impl Played {
    fn serve(
        &self,
        stream: &TcpStream,
        script: &(impl Fn(&Value) -> Answer + ?Sized),
    ) -> std::io::Result<()> {
        let Some((head, body)) = wire::hear(stream) else {
            return Ok(());
        };
        let wrong = self.state().rules.wrong(&head, &body);
        if let Some((status, kind, words)) = wrong {
            self.state().faults.push(words.clone());
            self.note(head, body, status, Value::Null);
            let Answer::Refuses(_, headers, body) = Answer::error(status, kind, &words) else {
                return Ok(());
            };
            return wire::whole(stream, status, headers, &body);
        }
        let answer = script(&body);
        let status = match &answer {
            Answer::Refuses(status, ..) => *status,
            _ => 200,
        };
        // What is refused is not read, and nothing is kept of it.
        let usage = match status {
            200 => self.state().cache.usage(&body),
            _ => Value::Null,
        };
        self.note(head, body.clone(), status, usage.clone());
        if let Answer::Says(said) | Answer::Slow(said, _) = &answer {
            self.state().rules.said(&body, said);
        }
        let model = body["model"].as_str().unwrap_or_default();
        wire::answer(stream, model, &usage, &answer, body["stream"] == true)
    }

    fn note(&self, head: String, body: Value, status: u16, usage: Value) {
        self.state().heard.push(Heard {
            head,
            body,
            status,
            usage,
        });
    }
}

/// The results that the last message of a request brings, by the call's id: their text, and
/// whether they are errors. For scripts.
pub fn results(request: &Value) -> Vec<(String, String, bool)> {
    let last = request["messages"].as_array().and_then(|all| all.last());
    let blocks = last.and_then(|last| last["content"].as_array());
    let results = blocks.into_iter().flatten();
    let results = results.filter(|block| block["type"] == "tool_result");
    let of = |block: &Value| {
        (
            block["tool_use_id"].as_str().unwrap_or_default().to_owned(),
            block["content"].as_str().unwrap_or_default().to_owned(),
            block["is_error"] == true,
        )
    };
    results.map(of).collect()
}

/// How many answers the model has given in a request's conversation. For scripts.
pub fn turns(request: &Value) -> usize {
    let messages = request["messages"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    messages.iter().filter(|m| m["role"] == "assistant").count()
}

pub(crate) fn flush(mut out: &TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    out.write_all(bytes)?;
    out.flush()
}
