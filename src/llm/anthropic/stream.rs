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

/// A message as it would have come whole.
pub(super) type Message = Map<String, Value>;

/// What has come so far.
#[derive(Default)]
pub(super) struct Assembly {
    message: Option<Map<String, Value>>,
    blocks: Vec<Value>,
    /// The block that is open, with its input as far as that has come.
    open: Option<String>,
    bytes: usize,
}

impl Assembly {
    /// What it has cost so far, where the server has said so.
    pub fn used(&self) -> Option<Usage> {
        reply::usage(self.message.as_ref()?.get("usage"))
    }

    /// Takes the data of an event; the whole message with the last.
    pub fn take(&mut self, host: &str, data: &str) -> Result<Option<Message>, Error> {
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
        // What is no JSON stays text, for `reply` to see.
        if !input.is_empty() {
            block["input"] = serde_json::from_str(&input).unwrap_or(Value::String(input));
        }
        Ok(())
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

    fn whole(&mut self, host: &str) -> Result<Message, Error> {
        let over = self.open.is_none();
        let Some(mut message) = self.message.take_if(|_| over) else {
            return Err(garbage(
                host,
                "a message ends that has not begun or is not over",
            ));
        };
        let blocks = std::mem::take(&mut self.blocks);
        message.insert("content".to_owned(), Value::Array(blocks));
        Ok(message)
    }
}

pub(super) fn garbage(host: &str, what: &str) -> Error {
    let words = format!("{host} does not answer as the Messages API does: {what}");
    Error::new(ErrorKind::Garbage, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::sse::Events;
    use proptest::prelude::*;
    use serde_json::json;

    fn start() -> Value {
        json!({"type": "message_start", "message": {"role": "assistant", "content": [],
            "model": "m", "usage": {"input_tokens": 5, "output_tokens": 1}}})
    }

    fn block(block: &Value) -> Value {
        json!({"type": "content_block_start", "index": 0, "content_block": block})
    }

    fn delta(delta: &Value) -> Value {
        json!({"type": "content_block_delta", "index": 0, "delta": delta})
    }

    fn put(events: &[Value]) -> Result<Option<Message>, Error> {
        let mut assembly = Assembly::default();
        let mut last = None;
        for event in events {
            last = assembly.take("h", &event.to_string())?;
        }
        Ok(last)
    }

    fn end() -> [Value; 3] {
        [
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 9, "input_tokens": null}}),
            json!({"type": "message_stop"}),
        ]
    }

    #[test]
    fn citations_are_gathered_in_their_block() {
        let cited = json!({"type": "text", "text": "", "citations": null});
        let part = json!({"type": "citations_delta", "citation": {"at": 1}});
        let mut events = vec![start(), block(&cited), delta(&part), delta(&part)];
        events.extend(end());
        let whole = put(&events).unwrap().unwrap();
        assert_eq!(
            whole["content"][0]["citations"],
            json!([{"at": 1}, {"at": 1}])
        );
    }

    #[test]
    fn a_message_has_a_longest_length_and_most_blocks() {
        let mut assembly = Assembly::default();
        let mut take = |event: &Value| assembly.take("h", &event.to_string());
        take(&start()).unwrap();
        take(&block(&json!({"type": "text", "text": ""}))).unwrap();
        let part = delta(&json!({"type": "text_delta", "text": "x".repeat(MESSAGE / 4)}));
        let taken = (0..6).take_while(|_| take(&part).is_ok()).count();
        assert_eq!(
            taken, 3,
            "with the block's own bytes the fourth is too much"
        );
        let mut assembly = Assembly::default();
        assembly.take("h", &start().to_string()).unwrap();
        let fill = |at: usize| {
            let begin = json!({"type": "content_block_start", "index": at,
                "content_block": {"type": "text", "text": ""}});
            [begin, end()[0].clone()]
        };
        let mut put = |at| {
            fill(at)
                .iter()
                .all(|e| assembly.take("h", &e.to_string()).is_ok())
        };
        assert!((0..BLOCKS).all(&mut put) && !put(BLOCKS));
    }

    proptest! {
        /// Lines lost, doubled and in another order, bytes changed: an error or a message, and a
        /// message is one that `reply` can judge.
        #[test]
        fn a_damaged_stream_does_no_harm(
            picks in proptest::collection::vec(0_usize..14, 0..24),
            flips in proptest::collection::vec((any::<u16>(), any::<u8>()), 0..4),
        ) {
            let call = json!({"type": "tool_use", "id": "t", "name": "n", "input": {}});
            let mut events = vec![
                start(),
                block(&json!({"type": "thinking", "thinking": "", "signature": ""})),
                delta(&json!({"type": "signature_delta", "signature": "c2ln"})),
                block(&call),
                delta(&json!({"type": "input_json_delta", "partial_json": "{\"a\":"})),
                delta(&json!({"type": "input_json_delta", "partial_json": "1}"})),
                delta(&json!({"type": "text_delta", "text": 7})),
                json!({"type": "ping"}),
                json!({"type": "content_block_start", "index": 1, "content_block": call}),
                json!({"type": "message_delta", "delta": 3, "usage": []}),
                json!({"type": "message_delta", "usage": {"output_tokens": "x"}}),
            ];
            events.extend(end());
            let line = |at: &usize| format!("data: {}\n\n", events[*at]);
            let mut bytes: Vec<u8> = line(&0).into_bytes();
            bytes.extend(picks.iter().map(line).collect::<String>().into_bytes());
            for (at, byte) in flips {
                let at = usize::from(at) % bytes.len();
                bytes[at] = byte;
            }
            let mut assembly = Assembly::default();
            let mut events = Events::new(bytes.as_slice());
            while let Ok(Some(data)) = events.next() {
                match assembly.take("h", &data) {
                    Ok(None) => {}
                    Ok(Some(whole)) => {
                        let _ = reply::read("h", whole);
                        break;
                    }
                    Err(_) => break,
                }
                let _ = assembly.used();
            }
        }
    }
}
