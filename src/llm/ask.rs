//! What a model is asked. Not what is asked of it: prompts and schemas are the caller's.

use crate::redact::Redacted;
use serde_json::Value;
use std::time::Duration;

/// The type of text that may go to a model. Only this line and `words` below know it.
pub type Prompt = Redacted;

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What the model is to do. The same from question to question, so that servers need not
    /// read it again. It should also describe the schema, which is not shown to the model.
    pub system: &'a Prompt,
    pub user: &'a Prompt,
    /// The answer's JSON schema. Flat is best: what is nested costs small models their way.
    pub schema: &'a Value,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Tokens of question and answer together. A server that sets its own should have as many.
    pub context_tokens: u32,
    /// For all of it, queues and a cold start included.
    pub deadline: Duration,
}

impl Ask<'_> {
    pub(super) fn system(&self) -> &str {
        words(self.system)
    }

    pub(super) fn user(&self) -> &str {
        words(self.user)
    }
}

pub(super) fn words(prompt: &Prompt) -> &str {
    prompt.as_str()
}
