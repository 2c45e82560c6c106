//! The body of a request: the conversation as the Messages API wants it, and the marks up to which
//! a server is to keep what it has read.
//!
//! Four marks are allowed. One stands after the system prompt, which covers the tools before it.
//! The others stand at the end of our last three messages: a server looks for what it kept no more
//! than 20 blocks before a mark, and one answer with a dozen calls is more than that, so the end of
//! the turn before has to be marked again where it was marked then.

use crate::llm::ask::words;
use crate::llm::order::{self, Outcome, Reads, Side};
use crate::llm::{Error, Said, Turn};
use serde_json::{Map, Value, json};

/// Marks on messages.
const ROLLING: usize = 3;

/// What not every server or model takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Knobs {
    pub thinking: bool,
    pub effort: bool,
}

/// Blocks, as the API has them.
pub(super) struct Blocks;

impl Reads for Blocks {
    fn calls(&self, said: &Said) -> Vec<String> {
        let of = |block: &Value| (block["type"] == "tool_use").then(|| text(block, "id"));
        blocks(said).iter().filter_map(of).collect()
    }

    fn is_empty(&self, said: &Said) -> bool {
        sent(said).next().is_none()
    }
}

/// The body, without what says which API and model it is for.
pub(super) fn body(turn: &Turn<'_>, knobs: Knobs) -> Result<Map<String, Value>, Error> {
    let sides = order::sides(turn.messages, &Blocks)?;
    let mut body = Map::new();
    body.insert("max_tokens".to_owned(), turn.max_tokens.into());
    if knobs.thinking {
        body.insert("thinking".to_owned(), json!({"type": "adaptive"}));
    }
    if knobs.effort {
        body.insert("output_config".to_owned(), json!({"effort": turn.effort}));
    }
    let system = words(turn.system);
    if !turn.tools.is_empty() {
        let mut tools: Vec<Value> = turn.tools.iter().map(tool).collect();
        if let Some(last) = tools.last_mut().filter(|_| system.is_empty()) {
            mark(last);
        }
        body.insert("tools".to_owned(), tools.into());
        body.insert("tool_choice".to_owned(), json!({"type": "auto"}));
    }
    if !system.is_empty() {
        let mut block = json!({"type": "text", "text": system});
        mark(&mut block);
        body.insert("system".to_owned(), json!([block]));
    }
    body.insert("messages".to_owned(), messages(&sides).into());
    Ok(body)
}

fn tool(tool: &crate::llm::Tool) -> Value {
    json!({"name": tool.name, "description": tool.description, "input_schema": tool.schema})
}

fn messages(sides: &[Side<'_>]) -> Vec<Value> {
    let mut messages: Vec<Value> = sides.iter().map(message).collect();
    let ours = messages.iter_mut().rev().filter(|m| m["role"] == "user");
    for message in ours.take(ROLLING) {
        let blocks = message.get_mut("content").and_then(Value::as_array_mut);
        if let Some(last) = blocks.and_then(|blocks| blocks.last_mut()) {
            mark(last);
        }
    }
    messages
}

fn message(side: &Side<'_>) -> Value {
    match side {
        Side::Ours { results, texts } => {
            let texts = texts
                .iter()
                .map(|text| json!({"type": "text", "text": text}));
            let blocks: Vec<Value> = results.iter().map(result).chain(texts).collect();
            json!({"role": "user", "content": blocks})
        }
        Side::Theirs(row) => {
            let blocks: Vec<&Value> = row.iter().flat_map(|said| sent(said)).collect();
            json!({"role": "assistant", "content": blocks})
        }
    }
}

fn result(outcome: &Outcome<'_>) -> Value {
    let mut block = json!({"type": "tool_result", "tool_use_id": outcome.call});
    if !outcome.content.is_empty() {
        block["content"] = outcome.content.into();
    }
    if outcome.is_error {
        block["is_error"] = true.into();
    }
    block
}

fn mark(block: &mut Value) {
    block["cache_control"] = json!({"type": "ephemeral"});
}

/// The blocks as they go back: unchanged, but for what a server may say and takes from nobody. That
/// is blank text, and thinking that nothing follows: its answer was cut, or it had none to give.
fn sent(said: &Said) -> impl Iterator<Item = &Value> {
    let blocks = blocks(said);
    let is_thinking = |block: &Value| {
        let kind = block["type"].as_str();
        matches!(kind, Some("thinking" | "redacted_thinking"))
    };
    let is_blank = |block: &Value| block["type"] == "text" && text(block, "text").trim().is_empty();
    let last = blocks
        .iter()
        .rposition(|block| !is_thinking(block) && !is_blank(block));
    let kept = blocks.get(..last.map_or(0, |last| last + 1));
    let kept = kept.unwrap_or_default().iter();
    kept.filter(move |block| !is_blank(block))
}

fn blocks(said: &Said) -> &[Value] {
    said.0.as_array().map_or(&[], Vec::as_slice)
}

fn text(block: &Value, field: &str) -> String {
    block[field].as_str().unwrap_or_default().to_owned()
}
