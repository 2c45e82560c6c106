//! A message put together from the events of a stream, every block as it would have come whole,
//! so that it can be returned unchanged.

use super::{fault, reply};
use crate::llm::{Error, ErrorKind, Usage};
use serde_json::{Map, Value};

/// Most bytes of a message, beside what wraps its parts: the longest answers of 128,000 tokens are
/// half a megabyte, and signatures some more.
const MESSAGE: usize = 8 << 20;
/// Most blocks of a message.
const BLOCKS: usize = 2_000;

/// What has come so far.
#[derive(Default)]
pub(super) struct Assembly {
    message: Option<Map<String, Value>>,
    blocks: Vec<Value>,
    /// The block that is open, with its input as far as that has come.
    open: Option<String>,
    bytes: usize,
    /// Inputs that are no JSON object, by the call's id.
    odd: Vec<(String, Value)>,
}

/// A message that has come to its end.
pub(super) struct Whole {
    pub message: Map<String, Value>,
    /// What a call's input was, where it was no object: `{}` stands in the message, which would
    /// be refused when it is returned.
    pub odd: Vec<(String, Value)>,
}

impl Assembly {
    /// What it has cost so far, where the server has said so.
    pub fn used(&self) -> Option<Usage> {
        reply::usage(self.message.as_ref()?.get("usage"))
    }

    /// Takes the data of an event; the whole message with the last.
    pub fn take(&mut self, host: &str, data: &str) -> Result<Option<Whole>, Error> {
        let event: Value =
            serde_json::from_str(data).map_err(|_| garbage(host, "an event is not JSON"))?;
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => self.start(host, &event)?,
            "content_block_start" => self.begin(host, &event)?,
            "content_block_delta" => self.add(host, &event)?,
            "content_block_stop" => self.end(host)?,
            "message_delta" => self.change(host, &event)?,
            "message_stop" => return self.whole(host).map(Some),
            "error" => return Err(fault::in_stream(host, &event)),
            "" => return Err(garbage(host, "an event has no type")),
            // `ping`, and kinds that are yet to come: the API says to pass over them.
            _ => {}
        }
        Ok(None)
    }

    fn start(&mut self, host: &str, event: &Value) -> Result<(), Error> {
        let message = event["message"].as_object();
        let (None, Some(message)) = (&self.message, message) else {
            return Err(garbage(host, "a message begins twice, or is none"));
        };
        self.message = Some(message.clone());
        Ok(())
    }

    fn begin(&mut self, host: &str, event: &Value) -> Result<(), Error> {
        let block = &event["content_block"];
        let in_order = event["index"].as_u64() == u64::try_from(self.blocks.len()).ok();
        let ready = self.message.is_some() && self.open.is_none() && block.is_object();
        if !ready || !in_order || self.blocks.len() >= BLOCKS {
            return Err(garbage(host, "a block comes where none can"));
        }
        let bytes = block.to_string().len();
        self.blocks.push(block.clone());
        self.open = Some(String::new());
        self.grown(host, bytes)
    }

    fn add(&mut self, host: &str, event: &Value) -> Result<(), Error> {
        let (Some(input), Some(block)) = (self.open.as_mut(), self.blocks.last_mut()) else {
            return Err(garbage(host, "a part of a block that is not open"));
        };
        let delta = &event["delta"];
        let kind = delta["type"].as_str().unwrap_or_default();
        let field = match kind {
            "text_delta" => "text",
            "thinking_delta" => "thinking",
            "signature_delta" => "signature",
            "input_json_delta" => "partial_json",
            "citations_delta" => {
                let citation = delta["citation"].clone();
                match &mut block["citations"] {
                    Value::Array(list) => list.push(citation),
                    none => *none = Value::Array(vec![citation]),
                }
                return self.grown(host, delta.to_string().len());
            }
            // Without it the block would be returned changed.
            _ => {
                return Err(garbage(
                    host,
                    "a part of a block is of a kind not known here",
                ));
            }
        };
        let part = delta[field].as_str().unwrap_or_default();
        if field == "partial_json" {
            input.push_str(part);
        } else {
            match &mut block[field] {
                Value::String(text) => text.push_str(part),
                none => *none = part.into(),
            }
        }
        let bytes = part.len();
        self.grown(host, bytes)
    }

    fn grown(&mut self, host: &str, bytes: usize) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MESSAGE {
            return Err(garbage(host, "its answer is longer than any may be"));
        }
        Ok(())
    }

    fn end(&mut self, host: &str) -> Result<(), Error> {
        let (Some(input), Some(block)) = (self.open.take(), self.blocks.last_mut()) else {
            return Err(garbage(host, "a block ends that is not open"));
        };
        if !input.is_empty() {
            match serde_json::from_str(&input) {
                Ok(object @ Value::Object(_)) => block["input"] = object,
                Ok(other) => self.note(other),
                Err(_) => self.note(Value::String(input)),
            }
        }
        Ok(())
    }

    fn note(&mut self, input: Value) {
        if let Some(block) = self.blocks.last_mut() {
            block["input"] = Map::new().into();
            let id = block["id"].as_str().unwrap_or_default().to_owned();
            self.odd.push((id, input));
        }
    }

    fn change(&mut self, host: &str, event: &Value) -> Result<(), Error> {
        let Some(message) = &mut self.message else {
            return Err(garbage(host, "a message changes before it begins"));
        };
        let changes = event["delta"].as_object().into_iter().flatten();
        for (name, value) in changes.filter(|(name, _)| *name != "content") {
            message.insert(name.clone(), value.clone());
        }
        // They count from the beginning, and do not repeat all numbers.
        let usage = message.entry("usage").or_insert_with(|| Map::new().into());
        for (name, value) in event["usage"].as_object().into_iter().flatten() {
            if usage.is_object() && !value.is_null() {
                usage[name.as_str()] = value.clone();
            }
        }
        Ok(())
    }

    fn whole(&mut self, host: &str) -> Result<Whole, Error> {
        let over = self.open.is_none();
        let Some(mut message) = self.message.take_if(|_| over) else {
            return Err(garbage(
                host,
                "a message ends that has not begun or is not over",
            ));
        };
        let blocks = std::mem::take(&mut self.blocks);
        message.insert("content".to_owned(), Value::Array(blocks));
        Ok(Whole {
            message,
            odd: std::mem::take(&mut self.odd),
        })
    }
}

pub(super) fn garbage(host: &str, what: &str) -> Error {
    let words = format!("{host} does not answer as the Messages API does: {what}");
    Error::new(ErrorKind::Garbage, words)
}
