//! What a request has to keep to, as the newest models hold it. Each fault has the status and the
//! type that the real API answers with.

use super::Said;
use super::wire::header;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Status, type and words of a fault.
pub type Wrong = (u16, &'static str, String);

/// What the server has said so far: assistant messages must return unchanged.
#[derive(Default)]
pub struct Rules {
    given: Vec<Given>,
}

struct Given {
    model: Value,
    /// The conversation before it, without marks.
    before: Vec<Value>,
    content: Vec<Value>,
    paused: bool,
}

const FIELDS: &[&str] = &[
    "model",
    "max_tokens",
    "system",
    "messages",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "metadata",
    "stream",
    "stop_sequences",
    "cache_control",
    "service_tier",
];

impl Rules {
    pub fn said(&mut self, body: &Value, said: &Said) {
        let mut content = said.content.clone();
        // An input that is no object cannot have been one of the API's; the client sends none.
        for block in &mut content {
            if block["type"] == "tool_use" && !block["input"].is_object() {
                block["input"] = json!({});
            }
        }
        self.given.push(Given {
            model: body["model"].clone(),
            before: bare(list(&body["messages"])),
            content,
            paused: said.stop == "pause_turn",
        });
    }

    /// The first fault of a request.
    pub fn wrong(&self, head: &str, body: &Value) -> Option<Wrong> {
        if let Some(wrong) = headers(head) {
            return Some(wrong);
        }
        let checks = [
            top(body),
            tools(body),
            marks(body),
            turns(body),
            calls(body),
            self.returned(body),
        ];
        let words = checks.into_iter().flatten().next()?;
        Some((400, "invalid_request_error", words))
    }

    /// Every assistant message is what the server said there, and the last message is ours.
    fn returned(&self, body: &Value) -> Option<String> {
        let messages = bare(list(&body["messages"]));
        let last = messages.len().saturating_sub(1);
        for (at, message) in messages.iter().enumerate() {
            if message["role"] != "assistant" {
                continue;
            }
            let before = messages.get(..at).unwrap_or_default();
            match self.made(&body["model"], before, list(&message["content"])) {
                Err(words) => return Some(format!("messages.{at}.content: {words}")),
                Ok(paused) if at == last && !paused => {
                    return Some(
                        "This model does not support assistant message prefill. The conversation \
                         must end with a user message."
                            .to_owned(),
                    );
                }
                Ok(_) => {}
            }
        }
        None
    }

    /// Whether the blocks are what was said after `before`, in one answer or, after pauses, in
    /// several; and whether the last of them was a pause.
    fn made(&self, model: &Value, before: &[Value], blocks: &[Value]) -> Result<bool, String> {
        let (mut done, mut paused) = (0, false);
        while done < blocks.len() {
            let so_far = blocks.get(..done).unwrap_or_default();
            let mut conversation = before.to_vec();
            if done > 0 {
                conversation.push(json!({"role": "assistant", "content": so_far}));
            }
            let rest = blocks.get(done..).unwrap_or_default();
            let found = self.given.iter().find(|given| {
                let content = sendable(&given.content);
                given.before == conversation
                    && !content.is_empty()
                    && rest.starts_with(&content)
                    && (done == 0 || paused)
            });
            let Some(given) = found else {
                return Err(
                    "`thinking`, `redacted_thinking` and other blocks in an assistant message \
                     cannot be modified. They must remain as they were in the original response."
                        .to_owned(),
                );
            };
            if given.model != *model {
                return Err("the blocks were made by another model".to_owned());
            }
            done += sendable(&given.content).len();
            paused = given.paused;
        }
        Ok(paused)
    }
}

fn headers(head: &str) -> Option<Wrong> {
    let bad = |words: &str| Some((400, "invalid_request_error", words.to_owned()));
    if !head.starts_with("POST /v1/messages HTTP/1.1") {
        return Some((404, "not_found_error", "Not Found".to_owned()));
    }
    let (key, bearer) = (header(head, "x-api-key"), header(head, "authorization"));
    match (key, bearer) {
        (None, None) => {
            return Some((
                401,
                "authentication_error",
                "x-api-key header is required".to_owned(),
            ));
        }
        (Some(_), Some(_)) => return bad("two keys"),
        (Some("wrong"), None) | (None, Some("Bearer wrong")) => {
            return Some((401, "authentication_error", "invalid x-api-key".to_owned()));
        }
        _ => {}
    }
    if header(head, "anthropic-version") != Some("2023-06-01") {
        return bad("anthropic-version: header is required");
    }
    if header(head, "content-type") != Some("application/json") {
        return bad("content-type must be application/json");
    }
    None
}

fn top(body: &Value) -> Option<String> {
    let Some(fields) = body.as_object() else {
        return Some("the body is no JSON object".to_owned());
    };
    for field in ["temperature", "top_p", "top_k"] {
        if fields.contains_key(field) {
            return Some(format!("`{field}` is not supported by this model"));
        }
    }
    if let Some(field) = fields
        .keys()
        .find(|field| !FIELDS.contains(&field.as_str()))
    {
        return Some(format!("{field}: Extra inputs are not permitted"));
    }
    if body["model"].as_str().is_none_or(str::is_empty) {
        return Some("model: Field required".to_owned());
    }
    match body["max_tokens"].as_u64() {
        None | Some(0) => return Some("max_tokens: Field required".to_owned()),
        Some(128_001..) => return Some("max_tokens: > 128000".to_owned()),
        Some(_) => {}
    }
    if let Some(thinking) = fields.get("thinking")
        && thinking["type"] != "adaptive"
    {
        return Some("thinking.type: must be adaptive for this model".to_owned());
    }
    if fields
        .get("thinking")
        .is_some_and(|t| !t["budget_tokens"].is_null())
    {
        return Some("thinking.budget_tokens: Extra inputs are not permitted".to_owned());
    }
    let effort = &body["output_config"]["effort"];
    let efforts = ["low", "medium", "high", "xhigh", "max"];
    if !effort.is_null() && !efforts.iter().any(|known| *effort == *known) {
        return Some("output_config.effort: unknown".to_owned());
    }
    None
}

fn tools(body: &Value) -> Option<String> {
    let choice = &body["tool_choice"]["type"];
    if !choice.is_null() && choice != "auto" && choice != "none" {
        return Some("tool_choice: only auto and none are supported by this model".to_owned());
    }
    let mut names = BTreeSet::new();
    for tool in list(&body["tools"]) {
        let name = tool["name"].as_str().unwrap_or_default();
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(good) {
            return Some(format!("tools: bad name {name:?}"));
        }
        if !names.insert(name) {
            return Some("tools: Tool names must be unique.".to_owned());
        }
        if tool["input_schema"]["type"] != "object" {
            return Some(format!("tools.{name}.input_schema.type: Field required"));
        }
    }
    if names.is_empty() && !choice.is_null() {
        return Some("tool_choice: needs tools".to_owned());
    }
    None
}

fn marks(body: &Value) -> Option<String> {
    let mut marked = Vec::new();
    let messages = list(&body["messages"]).iter();
    let blocks = messages.flat_map(|message| list(&message["content"]));
    let all = list(&body["tools"])
        .iter()
        .chain(list(&body["system"]))
        .chain(blocks);
    for block in all.filter(|block| !block["cache_control"].is_null()) {
        let kind = block["type"].as_str().unwrap_or_default();
        if kind.ends_with("thinking") {
            return Some(format!(
                "{kind}.cache_control: Extra inputs are not permitted"
            ));
        }
        if block["cache_control"]["type"] != "ephemeral" {
            return Some("cache_control.type: unknown".to_owned());
        }
        marked.push(kind);
    }
    (marked.len() > 4).then(|| {
        let found = marked.len();
        format!("A maximum of 4 blocks with cache_control may be provided. Found {found}.")
    })
}

/// Sides alternate, and nothing is empty.
fn turns(body: &Value) -> Option<String> {
    let messages = list(&body["messages"]);
    if messages.is_empty() {
        return Some("messages: at least one message is required".to_owned());
    }
    for (at, message) in messages.iter().enumerate() {
        let expected = if at % 2 == 0 { "user" } else { "assistant" };
        if message["role"] != expected {
            return Some(format!("messages.{at}: roles must alternate"));
        }
        let blocks = list(&message["content"]);
        if blocks.is_empty() && message["content"].as_str().is_none_or(str::is_empty) {
            return Some(format!("messages.{at}: must have non-empty content"));
        }
        let blank = |b: &Value| {
            b["type"] == "text" && b["text"].as_str().is_none_or(|t| t.trim().is_empty())
        };
        let unsigned = |b: &Value| {
            b["type"] == "thinking" && b["signature"].as_str().is_none_or(str::is_empty)
        };
        if message["role"] == "assistant" && blocks.last().is_some_and(thinks) {
            return Some(format!(
                "messages.{at}: The final block in an assistant message cannot be `thinking`."
            ));
        }
        if blocks.iter().any(unsigned) {
            return Some(format!(
                "messages.{at}: Invalid `signature` in `thinking` block"
            ));
        }
        if blocks.iter().any(blank) {
            return Some(format!(
                "messages.{at}: text content blocks must be non-empty"
            ));
        }
    }
    None
}

/// Every call has its result in the next message, at its beginning.
fn calls(body: &Value) -> Option<String> {
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for (at, message) in list(&body["messages"]).iter().enumerate() {
        let blocks = list(&message["content"]);
        if message["role"] == "assistant" {
            for block in blocks.iter().filter(|block| block["type"] == "tool_use") {
                if !block["input"].is_object() {
                    return Some(format!("messages.{at}: tool_use.input: must be an object"));
                }
                open.insert(block["id"].as_str().unwrap_or_default());
            }
            continue;
        }
        let is_result = |block: &&Value| block["type"] == "tool_result";
        let first = blocks.iter().take_while(is_result).count();
        if blocks.iter().filter(is_result).count() != first {
            return Some(format!("messages.{at}: tool_result blocks must come first"));
        }
        for block in blocks.iter().take(first) {
            let id = block["tool_use_id"].as_str().unwrap_or_default();
            if !open.remove(id) {
                return Some(format!(
                    "messages.{at}: unexpected `tool_use_id` found in `tool_result` blocks: {id}"
                ));
            }
        }
        if let Some(id) = open.first() {
            return Some(format!(
                "messages.{at}: `tool_use` ids were found without `tool_result` blocks \
                 immediately after: {id}"
            ));
        }
    }
    None
}

/// Without marks.
fn bare(messages: &[Value]) -> Vec<Value> {
    let mut messages = messages.to_vec();
    for message in &mut messages {
        let blocks = message["content"].as_array_mut();
        for block in blocks
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
        {
            block.remove("cache_control");
        }
    }
    messages
}

/// What is said now and then and is refused when it comes back is left out: blank text, and
/// thinking at the end.
fn sendable(content: &[Value]) -> Vec<Value> {
    let mut kept = content.to_vec();
    kept.retain(|b| {
        b["type"] != "text" || b["text"].as_str().is_some_and(|t| !t.trim().is_empty())
    });
    while kept.pop_if(|last| thinks(last)).is_some() {}
    kept
}

fn thinks(block: &Value) -> bool {
    block["type"] == "thinking" || block["type"] == "redacted_thinking"
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
