//! Ollama's own API. It is preferred to the one of OpenAI's shape that Ollama has as well: only
//! here can the context be set, and what is longer is cut without a word.

use super::check::{self, Count, Reading};
use super::fault::{clean, fault, said};
use super::server::{Keys, Server, until};
use super::{About, Answer, Ask, Ended, Error, ErrorKind, Model};
use crate::net::{Http, Whole};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a model stays loaded after the last question. Ollama's five minutes are less than
/// the quiet time between two batches may be; forever would outlive us.
const KEEP: &str = "30m";
/// The same question has the same answer.
const SEED: u32 = 1;

/// A model of an Ollama.
pub struct Ollama {
    server: Server,
    model: String,
    reading: Reading,
    /// The server refused a field that older ones do not know. Those before 0.12.6 pass over
    /// `truncate` and `shift`, and their counts tell what they cut.
    is_old: AtomicBool,
}

/// `/api/chat`'s answer. Ollama leaves out what is zero.
#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    model: String,
    #[serde(default)]
    message: Message,
    #[serde(default)]
    done_reason: String,
    prompt_eval_count: Option<u64>,
    prompt_eval_cached_count: Option<u64>,
    eval_count: Option<u64>,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    content: String,
}

impl Ollama {
    /// `url` is the server's, with or without `/api`.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn new(http: Http, url: &str, model: &str, keys: Keys) -> Result<Ollama, Error> {
        Ok(Ollama {
            server: Server::new(http, url, "/api", keys)?,
            model: model.to_owned(),
            reading: Reading::default(),
            is_old: AtomicBool::new(false),
        })
    }

    fn question(&self, ask: &Ask<'_>) -> Value {
        let mut body = json!({
            "model": self.model,
            "messages": [
                {"role": "system", "content": ask.system()},
                {"role": "user", "content": ask.user()},
            ],
            "stream": false,
            "format": ask.schema,
            "keep_alive": KEEP,
            "options": {
                "num_ctx": ask.context_tokens,
                "num_predict": ask.max_tokens,
                "temperature": 0,
                "seed": SEED,
            },
        });
        if !self.is_old.load(Ordering::Relaxed) {
            body["think"] = false.into();
            body["truncate"] = false.into();
            body["shift"] = false.into();
        }
        body
    }

    /// The answer with status 200, asked for again where the server does not know a field.
    fn put(&self, ask: &Ask<'_>, until: Instant) -> Result<Whole, Error> {
        let answer = self.server.post("/api/chat", &self.question(ask), until)?;
        let answer = if answer.status == 400 && self.finds_old(&answer) {
            self.server.post("/api/chat", &self.question(ask), until)?
        } else {
            answer
        };
        self.good(answer)
    }

    /// Most servers pass over fields that they do not know; those that refuse them name them.
    fn finds_old(&self, answer: &Whole) -> bool {
        let said = said(&answer.body);
        let named = ["truncate", "shift", "think"]
            .iter()
            .any(|field| said.contains(field));
        named && !self.is_old.swap(true, Ordering::Relaxed)
    }

    fn good(&self, answer: Whole) -> Result<Whole, Error> {
        if answer.status == 200 {
            return Ok(answer);
        }
        let pull = format!("`ollama pull {}` fetches it", clean(&self.model));
        Err(fault(&self.server.host, &self.model, Some(pull), &answer))
    }

    fn parsed<'a, T: Deserialize<'a>>(&self, answer: &'a Whole) -> Result<T, Error> {
        serde_json::from_slice(&answer.body).map_err(|e| {
            let host = &self.server.host;
            let said = said(&answer.body);
            let words = format!("{host} does not answer as Ollama does ({e}): {said}");
            Error::new(ErrorKind::Garbage, words)
        })
    }
}

impl Model for Ollama {
    fn ask(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        let started = Instant::now();
        check::fits(ask)?;
        let answer = self.put(ask, until(ask.deadline))?;
        let reply: Reply = self.parsed(&answer)?;
        if let Some(error) = reply.error {
            let words = format!("Ollama failed ({}); its own log says more", clean(&error));
            return Err(Error::new(ErrorKind::Server { status: 200 }, words));
        }
        let count = Count::new(reply.prompt_eval_count, reply.prompt_eval_cached_count);
        self.reading.check(ask, count)?;
        let ended = match reply.done_reason.as_str() {
            "length" => Ended::Length,
            _ => Ended::Stop,
        };
        Ok(Answer {
            text: check::json(&reply.message.content, ended, ask.max_tokens)?,
            prompt_tokens: count.tokens,
            answer_tokens: reply.eval_count,
            model: clean(&reply.model),
            seconds: started.elapsed().as_secs_f64(),
            ended,
        })
    }

    fn look(&self, deadline: Duration) -> Result<About, Error> {
        let body = json!({"model": self.model});
        let answer = self.server.post("/api/show", &body, until(deadline))?;
        let answer = self.good(answer)?;
        let shown: Value = self.parsed(&answer)?;
        let info = shown.get("model_info").and_then(Value::as_object);
        let context = info.and_then(|info| {
            let (_, length) = info
                .iter()
                .find(|(name, _)| name.ends_with(".context_length"))?;
            u32::try_from(length.as_u64()?).ok()
        });
        Ok(About {
            model: self.model.clone(),
            context,
        })
    }

    fn warm(&self, context_tokens: u32, deadline: Duration) -> Result<(), Error> {
        let body = json!({
            "model": self.model,
            "stream": false,
            "keep_alive": KEEP,
            "options": {"num_ctx": context_tokens},
        });
        let answer = self.server.post("/api/generate", &body, until(deadline))?;
        let answer = self.good(answer)?;
        self.parsed::<Value>(&answer).map(drop)
    }
}
