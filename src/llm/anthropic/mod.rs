//! Anthropic's Messages API, and servers that speak it: gateways, llama-server, and Claude on
//! Bedrock. Thinking is adaptive or left to the model; no tool is forced, nothing is sampled
//! otherwise than the model would, no answer is begun for it: newer models refuse all of that.

mod bedrock;
mod fault;
mod frames;
mod reply;
mod request;
mod stream;

pub use bedrock::{Bedrock, BedrockSettings};

use super::server::{self, KeyHeader, Keys, Opened, Server};
use super::sse::{Events, Fault};
use super::{Endpoint, Error, ErrorKind, Reply, Talker, Turn};
use crate::llm::fault::clean;
use crate::net::{self, Http, Response, Secret, Whole};
use request::Knobs;
use serde_json::{Map, Value};
use std::time::{Duration, Instant};
use stream::{Assembly, Message, garbage};

/// The version of the API that is spoken.
const VERSION: &str = "2023-06-01";

/// How a server wants to be spoken to.
#[derive(Clone, Copy, Debug)]
pub struct AnthropicSettings {
    pub key: KeyHeader,
    /// Asks for adaptive thinking. Without, nothing is said of thinking.
    pub thinking: bool,
    /// Sends a turn's effort. Older models refuse it.
    pub effort: bool,
    /// The longest that a server may say nothing. Anthropic's own sends a sign of life every few
    /// seconds; a small server says nothing until it has read the question.
    pub idle: Duration,
}

/// As `AnthropicSettings::idle`, for Anthropic's own servers.
const IDLE: Duration = Duration::from_secs(180);

impl Default for AnthropicSettings {
    fn default() -> AnthropicSettings {
        AnthropicSettings {
            key: KeyHeader::ApiKey,
            thinking: true,
            effort: true,
            idle: IDLE,
        }
    }
}

/// A model behind the Messages API.
pub struct Anthropic {
    server: Server,
    model: String,
    settings: AnthropicSettings,
}

impl Anthropic {
    /// `url` is the server's, with or without `/v1`.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn new(
        http: Http,
        url: &str,
        model: &str,
        settings: AnthropicSettings,
        keys: Keys,
    ) -> Result<Anthropic, Error> {
        Ok(Anthropic {
            server: Server::new(http, url, "/v1", keys)?.with_key_in(settings.key),
            model: model.to_owned(),
            settings,
        })
    }

    fn body(&self, turn: &Turn<'_>) -> Result<Value, Error> {
        let knobs = Knobs {
            thinking: self.settings.thinking,
            effort: self.settings.effort,
        };
        let mut body = request::body(turn, knobs)?;
        body.insert("model".to_owned(), self.model.as_str().into());
        body.insert("stream".to_owned(), true.into());
        Ok(Value::Object(body))
    }

    fn read(
        &self,
        response: Response,
        key: Option<&Secret>,
        until: Instant,
    ) -> Result<Reply, Error> {
        let host = &self.server.host;
        let request = response.headers.get("request-id").map(clean);
        let mut assembly = Assembly::default();
        let mut events = Events::new(response.into_reader());
        let next = || {
            let next = events.next();
            next.map_err(|fault| broken(host, fault, self.settings.idle, until))
        };
        let read = gather(host, &mut assembly, next);
        let used = assembly.used();
        read.map_err(|error| error.having_used(used))
            .and_then(|message| reply::read(host, message))
            .map_err(|error| error.without(key).of_request(request.clone()))
            .map(|reply| Reply { request, ..reply })
    }

    fn whole(&self, answer: &Whole) -> Result<Reply, Error> {
        let host = &self.server.host;
        if answer.status != 200 {
            return Err(fault::of_status(host, &self.model, answer));
        }
        let request = answer.headers.get("request-id").map(clean);
        let message: Map<String, Value> = serde_json::from_slice(&answer.body)
            .map_err(|_| garbage(host, "its answer is no JSON object"))?;
        let read = if message.get("type").is_some_and(|kind| kind == "error") {
            Err(fault::in_stream(host, &Value::Object(message)))
        } else {
            reply::read(host, message)
        };
        read.map_err(|error| error.of_request(request.clone()))
            .map(|reply| Reply { request, ..reply })
    }
}

impl Talker for Anthropic {
    fn turn(&self, turn: &Turn<'_>) -> Result<Reply, Error> {
        let started = Instant::now();
        let until = server::no_later_than(turn.deadline);
        let body = self.body(turn)?;
        let version = [("anthropic-version", VERSION)];
        let idle = self.settings.idle;
        let reply = match self
            .server
            .open("/v1/messages", &version, &body, (idle, until))?
        {
            Opened::Stream(response, key) => self.read(response, key.as_ref(), until),
            Opened::Whole(answer) => self.whole(&answer),
        };
        reply.map(|reply| Reply {
            seconds: started.elapsed().as_secs_f64(),
            ..reply
        })
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint {
            api: "anthropic".to_owned(),
            host: self.server.host.clone(),
            region: None,
            model: self.model.clone(),
        }
    }
}

/// Puts a message together from the events' data, as they come.
fn gather(
    host: &str,
    assembly: &mut Assembly,
    mut next: impl FnMut() -> Result<Option<String>, Error>,
) -> Result<Message, Error> {
    while let Some(data) = next()? {
        if let Some(message) = assembly.take(host, &data)? {
            return Ok(message);
        }
    }
    Err(cut(host, "before it was whole"))
}

/// Why no further event came.
fn broken(host: &str, fault: Fault, idle: Duration, until: Instant) -> Error {
    match fault {
        Fault::Unreadable => garbage(host, "it sends what is none of its events"),
        Fault::TooLarge => garbage(host, "its answer is longer than any may be"),
        Fault::Net(e) => match e.kind {
            net::ErrorKind::Timeout if Instant::now() < until => {
                let words = format!(
                    "the model at {host} fell silent for {} s in the middle of its answer",
                    idle.as_secs()
                );
                Error::new(ErrorKind::TimedOut, words)
            }
            net::ErrorKind::Network => cut(host, &e.to_string()),
            net::ErrorKind::Settings | net::ErrorKind::Timeout | net::ErrorKind::TooLarge => {
                server::unanswered(host, &e)
            }
        },
    }
}

fn cut(host: &str, how: &str) -> Error {
    let words = format!("the answer of the model at {host} broke off ({how})");
    Error::new(ErrorKind::Interrupted, words)
}
