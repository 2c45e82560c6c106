//! The JSON schemas of what a model hands in, for the server that holds it to them. They say what
//! `read.rs` asks for; that one holds whatever the server does.

use serde_json::{Value as Json, json};

fn object(properties: Json, required: &[&str]) -> Json {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn text(description: &str) -> Json {
    json!({"type": "string", "description": description})
}

fn line() -> Json {
    json!({"type": "integer", "description": "number of the line, from 1"})
}

/// The schema of `propose_fix`'s input.
pub fn schema() -> Json {
    let quote = "a piece of that line, copied exactly";
    let log = object(
        json!({"log": text("id of a log line that you were shown"), "quote": text(quote)}),
        &["log", "quote"],
    );
    let source = object(
        json!({
            "file": text("path in the repository"),
            "line": line(),
            "quote": text(quote),
        }),
        &["file", "line", "quote"],
    );
    let call = object(
        json!({
            "file": text("path in the repository"),
            "line": line(),
            "caller": text("name of the function that the line lies in"),
            "callee": text("name of the function that it calls there"),
        }),
        &["file", "line", "caller", "callee"],
    );
    let replace = object(
        json!({
            "file": text("path in the repository"),
            "search": text("text that stands exactly once in the file, copied exactly, whole lines"),
            "replace": text("what stands there instead"),
        }),
        &["file", "search", "replace"],
    );
    let create = object(
        json!({
            "file": text("path of a file that does not exist yet"),
            "content": text("the whole file"),
        }),
        &["file", "content"],
    );
    let properties = json!({
        "cause": text("what went wrong and why, for an engineer who knows the code"),
        "evidence": {
            "type": "array",
            "items": {"anyOf": [log, source]},
            "description": "at least one log line and one line of source on which the cause rests",
        },
        "calls": {
            "type": "array",
            "items": call,
            "description": "calls on which the cause rests, beyond those of the stack trace",
        },
        "confidence": {"type": "number", "description": "from 0 to 1"},
        "edits": {"type": "array", "items": {"anyOf": [replace, create]}},
        "tests": {
            "type": "array",
            "items": {"type": "string"},
            "description": "paths among the edits that are the regression test; needed where the \
                            repository has tests",
        },
        "risk": text("what the change could break"),
        "verify": text("how a person checks that it helps"),
        "unsure": {"type": "array", "items": {"type": "string"}},
        "elsewhere": text("only where the edits do not touch the cited lines: why they are elsewhere"),
    });
    let required = ["cause", "evidence", "confidence", "edits", "risk", "verify"];
    object(properties, &required)
}

/// The schema of `give_up`'s input.
pub fn give_up_schema() -> Json {
    let properties = json!({
        "cause": text("the cause as far as you know it; empty where you do not"),
        "reason": text("why no fix can be proposed"),
    });
    object(properties, &["reason"])
}
