//! What conversations in these tests are made of: a system prompt and tools that are long enough
//! to be worth caching, messages of both sides.

use autofix::llm::{Effort, Error, Message, Part, Reply, Talker, Tool, Turn};
use autofix::redact::{Redacted, Redactor, Settings};
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// About 1,500 tokens.
pub static RULES: LazyLock<Redacted> = LazyLock::new(|| {
    let rule = "You look for the cause of a fault in a program. Read before you conclude. ";
    written(&rule.repeat(80))
});

pub static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}});
    vec![
        Tool {
            name: "read_file",
            description: "Reads lines of a file.",
            schema: schema.clone(),
        },
        Tool {
            name: "search_code",
            description: "Looks for a pattern.",
            schema,
        },
    ]
});

pub fn written(text: &str) -> Redacted {
    Redactor::new(&Settings::default())
        .unwrap()
        .scope()
        .text(text)
}

pub fn text(words: &str) -> Message {
    Message::Ours(vec![Part::Text(written(words))])
}

pub fn result(call: &str, content: &str) -> Part {
    Part::Result {
        call: call.to_owned(),
        content: written(content),
        is_error: false,
    }
}

/// A result for every call of a reply.
pub fn results(reply: &Reply) -> Message {
    let of = |call: &autofix::llm::Call| result(&call.id, &format!("the content of {}", call.name));
    Message::Ours(reply.calls.iter().map(of).collect())
}

pub fn ask_within(
    talker: &dyn Talker,
    messages: &[Message],
    time: Duration,
) -> Result<Reply, Error> {
    talker.turn(&Turn {
        system: &RULES,
        tools: &TOOLS,
        messages,
        max_tokens: 16_000,
        effort: Effort::Medium,
        deadline: Instant::now() + time,
    })
}

pub fn ask(talker: &dyn Talker, messages: &[Message]) -> Result<Reply, Error> {
    ask_within(talker, messages, Duration::from_secs(20))
}

pub fn path(path: &str) -> Value {
    json!({"path": path})
}
