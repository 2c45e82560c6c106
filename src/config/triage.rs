//! Who reads what is new: the keys `Triage…`.

use crate::config::value::{self, Wrong};
use crate::model::service::TokenSource;
use std::time::Duration;

/// How a model's server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    Ollama,
    OpenAi,
}

/// The small model that reads what is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriageModel {
    pub speaks: Speaks,
    /// Without a slash at its end.
    pub url: String,
    pub model: String,
    pub key: Option<TokenSource>,
}

/// Everything that `Triage…` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triage {
    /// `None`: the built-in rules alone.
    pub model: Option<TriageModel>,
    /// Entries of a full batch.
    pub entries: usize,
    pub wait: Duration,
}

impl Default for Triage {
    fn default() -> Triage {
        Triage {
            model: None,
            entries: 50,
            wait: Duration::from_secs(10),
        }
    }
}

/// Where Ollama listens when nothing else is said.
pub const OLLAMA: &str = "http://127.0.0.1:11434";
/// The model that is asked when nothing else is said.
pub const MODEL: &str = "qwen2.5:3b";

pub fn model(text: &str) -> Result<String, Wrong> {
    let name = text.trim();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:/@-".contains(&b);
    if !name.is_empty() && name.len() <= 200 && name.bytes().all(plain) {
        return Ok(name.to_owned());
    }
    Err((
        "this is no name of a model".to_owned(),
        format!("write one such as {MODEL}"),
    ))
}

pub fn seconds(text: &str) -> Result<Duration, Wrong> {
    value::number(text, 1, 3_600).map(Duration::from_secs)
}
