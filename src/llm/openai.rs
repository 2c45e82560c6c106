//! OpenAI's chat API, as llama-server and vLLM speak it. The context is what the server was
//! started with; no field sets it.

use super::check::{self, Count, Reading};
use super::fault::{clean, fault, missing, said};
use super::server::{Keys, Server, until};
use super::{About, Answer, Ask, Ended, Error, ErrorKind, Model};
use crate::net::{Http, Whole};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The same question has the same answer.
const SEED: u32 = 1;
/// Schemas have a name here, which nobody reads.
const SCHEMA: &str = "answer";

/// A model of such a server.
pub struct OpenAi {
    server: Server,
    model: String,
    reading: Reading,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    model: String,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

#[derive(Default, Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Models {
    data: Vec<Offered>,
}

#[derive(Deserialize)]
struct Offered {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    owned_by: String,
    /// vLLM.
    max_model_len: Option<u32>,
    /// llama-server.
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    n_ctx: Option<u32>,
}

impl OpenAi {
    /// `url` is the server's, with or without `/v1`.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn new(http: Http, url: &str, model: &str, keys: Keys) -> Result<OpenAi, Error> {
        Ok(OpenAi {
            server: Server::new(http, url, "/v1", keys)?,
            model: model.to_owned(),
            reading: Reading::default(),
        })
    }

    /// OpenAI's own nesting of the schema: llama-server and vLLM know it, and the flat one that
    /// older notes on llama-server add beside it is refused elsewhere.
    fn question(&self, ask: &Ask<'_>) -> Value {
        json!({
            "model": self.model,
            "messages": [
                {"role": "system", "content": ask.system()},
                {"role": "user", "content": ask.user()},
            ],
            "stream": false,
            "max_tokens": ask.max_tokens,
            "temperature": 0,
            "seed": SEED,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": SCHEMA, "schema": ask.schema, "strict": true},
            },
        })
    }

    fn good(&self, answer: Whole) -> Result<Whole, Error> {
        if answer.status == 200 {
            return Ok(answer);
        }
        Err(fault(&self.server.host, &self.model, None, &answer))
    }

    fn parsed<'a, T: Deserialize<'a>>(&self, answer: &'a Whole) -> Result<T, Error> {
        serde_json::from_slice(&answer.body).map_err(|e| {
            let host = &self.server.host;
            let said = said(&answer.body);
            let words = format!("{host} does not answer as OpenAI's API does ({e}): {said}");
            Error::new(ErrorKind::Garbage, words)
        })
    }

    /// The model that answers to our name. A llama-server has one, and answers to any.
    fn ours(&self, models: Models) -> Result<Offered, Error> {
        let name = &self.model;
        let one = models.data.len() == 1;
        let found = models.data.into_iter().find(|model| {
            let named = model.id == *name || model.aliases.contains(name);
            named || (one && model.owned_by == "llamacpp")
        });
        found.ok_or_else(|| missing(&self.server.host, name, None))
    }
}

impl Model for OpenAi {
    fn ask(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        let started = Instant::now();
        check::fits(ask)?;
        let (body, until) = (self.question(ask), until(ask.deadline));
        let answer = self.server.post("/v1/chat/completions", &body, until)?;
        let answer = self.good(answer)?;
        let reply: Reply = self.parsed(&answer)?;
        let Some(choice) = reply.choices.into_iter().next() else {
            let words = format!("{} answered without a choice", self.server.host);
            return Err(Error::new(ErrorKind::Garbage, words));
        };
        let usage = reply.usage.unwrap_or_default();
        let from_memory = usage.prompt_tokens_details.and_then(|d| d.cached_tokens);
        let count = Count::new(usage.prompt_tokens, from_memory);
        self.reading.check(ask, count)?;
        let ended = match choice.finish_reason.as_deref() {
            Some("length") => Ended::Length,
            _ => Ended::Stop,
        };
        let said = choice.message.content.unwrap_or_default();
        Ok(Answer {
            text: check::json(&said, ended, ask.max_tokens)?,
            prompt_tokens: count.tokens,
            answer_tokens: usage.completion_tokens,
            model: clean(&reply.model),
            seconds: started.elapsed().as_secs_f64(),
            ended,
        })
    }

    fn look(&self, deadline: Duration) -> Result<About, Error> {
        let answer = self.server.get("/v1/models", until(deadline))?;
        let answer = self.good(answer)?;
        let model = self.ours(self.parsed(&answer)?)?;
        Ok(About {
            context: model
                .max_model_len
                .or(model.meta.and_then(|meta| meta.n_ctx)),
            model: model.id,
        })
    }

    /// These servers load at their start, and say 503 until then. One without that door is asked
    /// nothing: it is ready or its answers will say.
    fn warm(&self, _context_tokens: u32, deadline: Duration) -> Result<(), Error> {
        let answer = self.server.get("/health", until(deadline))?;
        match answer.status {
            404 | 405 => Ok(()),
            _ => self.good(answer).map(drop),
        }
    }
}
