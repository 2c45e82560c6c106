//! What came back.

/// One whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// JSON, and nothing around it. Whether it keeps to the schema, and what its strings hold,
    /// is for the reader to check: not every server holds a model to a schema.
    pub text: String,
    /// `None` where the server did not count, or did not say.
    pub prompt_tokens: Option<u64>,
    pub answer_tokens: Option<u64>,
    /// Who answered, in the server's words.
    pub model: String,
    /// From the question to the last byte.
    pub seconds: f64,
    pub ended: Ended,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Stop,
    /// The limit came just where the JSON was complete; what was cut within is an error.
    Length,
}

/// What a server says of its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub model: String,
    /// The longest context that it can have (Ollama, which takes it in silence where more is
    /// asked for) or has (others), in tokens. Not to be exceeded by `Ask::context_tokens`.
    pub context: Option<u32>,
}
