//! A conversation with a model that may use tools: what is said, what comes back. One turn is one
//! call; the caller keeps the conversation, answers the tools and decides when it is over. What
//! the model says is returned to it unchanged, in the provider's own form ([`Said`]).

use super::{Error, Prompt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Instant;

/// A tool that the model may call.
#[derive(Clone, Debug)]
pub struct Tool {
    pub name: &'static str,
    pub description: &'static str,
    /// JSON schema of its input.
    pub schema: Value,
}

/// How much the model should think; `output_config.effort` of Anthropic's API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    Low,
    #[default]
    Medium,
    High,
}

/// A message of a conversation; they alternate and the first is ours.
#[derive(Clone, Debug)]
pub enum Message {
    Ours(Vec<Part>),
    Theirs(Said),
}

/// A part of what we say.
#[derive(Clone, Debug)]
pub enum Part {
    Text(Prompt),
    /// What a tool gave. Every call of the message before must have its result.
    Result {
        call: String,
        content: Prompt,
        is_error: bool,
    },
}

/// What the model said, as its API wrote it. Only the same client reads it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Said(pub Value);

/// One call: the whole conversation so far, ending with a message of ours (or, after
/// [`Stop::Pause`], with theirs).
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// The same from turn to turn, byte for byte, as are the tools: servers cache by prefix.
    pub system: &'a Prompt,
    pub tools: &'a [Tool],
    pub messages: &'a [Message],
    /// Most tokens of thinking and answer together.
    pub max_tokens: u32,
    pub effort: Effort,
    pub deadline: Instant,
}

/// What came of one turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub said: Said,
    /// Its words, without thinking.
    pub text: String,
    pub calls: Vec<Call>,
    pub stop: Stop,
    pub usage: Usage,
    /// Who answered, in the server's words.
    pub model: String,
    /// The provider's name for this request, for its support.
    pub request: Option<String>,
    pub seconds: f64,
}

/// A tool that the model calls. Nothing about the input is certain: not every server checks it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub id: String,
    pub name: String,
    pub input: Value,
}

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It has said what it had to say.
    End,
    /// It waits for the results of its calls.
    Tools,
    /// `max_tokens` came first. Calls of such a reply may be cut and are not to be run.
    Length,
    /// The server wants the same conversation again, to go on.
    Pause,
    /// It will not; with the provider's category and words, where it gave them.
    Refusal(Option<String>),
    /// The conversation has become longer than the model's context.
    ContextFull,
}

/// What a turn used. The whole prompt is the three input numbers added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Neither read from a cache nor written to one.
    pub input: u64,
    pub output: u64,
    pub cache_write: u64,
    pub cache_read: u64,
}

/// Who is spoken to, for transcripts and people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `anthropic`, `bedrock`, `openai` or `ollama`.
    pub api: String,
    /// Host and port.
    pub host: String,
    pub region: Option<String>,
    pub model: String,
}

/// Somebody who holds a conversation.
pub trait Talker: Send + Sync {
    /// One turn. It is tried once; the caller decides about another.
    ///
    /// # Errors
    /// When none comes in time, or one that is not whole; `ErrorKind` says which.
    fn turn(&self, turn: &Turn<'_>) -> Result<Reply, Error>;

    fn endpoint(&self) -> Endpoint;
}
