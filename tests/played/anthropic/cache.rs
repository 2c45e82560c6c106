//! What a request would cost: a cache of prefixes, kept up to each mark of a request, looked up
//! from each mark at most twenty blocks back. A prefix is the same only byte for byte.

use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How far back from a mark is looked.
const LOOKBACK: usize = 20;
/// Shorter prefixes are not kept.
const LEAST: u64 = 512;
/// Counted for any answer.
const OUTPUT: u64 = 50;

/// The prefixes that are kept, each as its text.
#[derive(Default)]
pub struct Cache(BTreeSet<String>);

/// A place where a prefix can end.
struct End {
    prefix: String,
    is_marked: bool,
}

impl Cache {
    /// The usage of a request, whose prefixes are kept from now on.
    pub fn usage(&mut self, body: &Value) -> Value {
        let ends = ends(body);
        let size = |prefix: &str| prefix.len() as u64 / 4;
        let marks = ends.iter().enumerate().filter(|(_, end)| end.is_marked);
        let marks: Vec<usize> = marks.map(|(at, _)| at).collect();
        let found = |mark: &usize| {
            let from = mark.saturating_sub(LOOKBACK);
            let near = ends.get(from..=*mark).unwrap_or_default();
            near.iter().rev().find(|end| self.0.contains(&end.prefix))
        };
        let read = marks.iter().filter_map(found).map(|end| size(&end.prefix));
        let read = read.max().unwrap_or(0);
        let kept: Vec<&str> = marks
            .iter()
            .map(|mark| ends[*mark].prefix.as_str())
            .filter(|prefix| size(prefix) >= LEAST)
            .collect();
        let most = kept.iter().map(|prefix| size(prefix)).max().unwrap_or(0);
        let all = ends.last().map_or(0, |end| size(&end.prefix));
        let written = most.saturating_sub(read);
        self.0.extend(kept.into_iter().map(str::to_owned));
        json!({
            "input_tokens": all - read - written,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written,
            "output_tokens": OUTPUT,
        })
    }
}

/// Tools, system and messages, in the order in which they are read.
fn ends(body: &Value) -> Vec<End> {
    let mut prefix = format!("{}|{}", body["model"], body["tool_choice"]);
    let mut ends = Vec::new();
    let mut block = |block: &Value, before: &str| {
        let mut bare = block.clone();
        let mark = bare.as_object_mut().and_then(|b| b.remove("cache_control"));
        prefix.push_str(before);
        prefix.push_str(&bare.to_string());
        ends.push(End {
            prefix: prefix.clone(),
            is_marked: mark.is_some(),
        });
    };
    for tool in list(&body["tools"]) {
        block(tool, "|tool:");
    }
    match &body["system"] {
        Value::String(text) => block(&json!(text), "|system:"),
        blocks => list(blocks).iter().for_each(|b| block(b, "|system:")),
    }
    for message in list(&body["messages"]) {
        let mut before = format!("|{}:", message["role"]);
        match &message["content"] {
            Value::String(text) => block(&json!(text), &before),
            blocks => {
                for b in list(blocks) {
                    block(b, &before);
                    before = "|".to_owned();
                }
            }
        }
    }
    ends
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
