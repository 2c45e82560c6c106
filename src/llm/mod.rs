//! Models: a small one near at hand, asked for JSON under a schema (`Model`: Ollama, or a server
//! that speaks OpenAI's chat API), and one that holds a conversation and calls tools (`Talker`:
//! Anthropic's Messages API, Bedrock, and the two others). It judges whether an answer is whole;
//! what it says is for others to judge, and so are what is asked, what a tool gives and what it
//! all may cost. It starts no thread, waits no longer than it was told, and tries nothing twice:
//! `breaker` says when to ask again, and the caller asks.

mod answer;
mod anthropic;
mod ask;
mod breaker;
mod check;
mod error;
mod fault;
mod functions;
mod ollama;
mod ollama_talk;
mod openai;
mod openai_talk;
mod order;
mod server;
mod sse;
mod talk;
pub mod tokens;

pub use answer::{About, Answer, Ended};
pub use anthropic::{Anthropic, AnthropicSettings, Bedrock, BedrockSettings};
pub use ask::{Ask, Prompt};
pub use breaker::{Breaker, Leave, Patience};
pub use error::{Error, ErrorKind};
pub use ollama::Ollama;
pub use ollama_talk::OllamaTalk;
pub use openai::OpenAi;
pub use openai_talk::OpenAiTalk;
pub use server::{KeyHeader, Keys};
pub use talk::{
    Call, Effort, Endpoint, Message, Part, Reply, Said, Stop, Talker, Tool, Turn, Usage,
};

use std::time::Duration;

/// Somebody who answers.
pub trait Model: Send + Sync {
    /// One answer to one question.
    ///
    /// # Errors
    /// When none comes in time, or one that is not whole; `ErrorKind` says which.
    fn ask(&self, ask: &Ask<'_>) -> Result<Answer, Error>;

    /// Whether the server is there and has the model.
    ///
    /// # Errors
    /// When it is not, or has not.
    fn look(&self, deadline: Duration) -> Result<About, Error>;

    /// Has the model loaded before the first question, with the context that questions will
    /// have: another one would load it again.
    ///
    /// # Errors
    /// When it is not loaded by then.
    fn warm(&self, context_tokens: u32, deadline: Duration) -> Result<(), Error>;
}
