//! Bytes there and back: a request read, an answer sent whole or as a stream of events.

use super::{Answer, Said, flush};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::time::Duration;

/// Head and body of a request.
pub fn hear(stream: &TcpStream) -> Option<(String, Value)> {
    let (head, body) = heard(stream)?;
    Some((head, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

/// The same, the body as it came.
pub fn heard(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .ok()?;
    let mut from = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        match from.read_line(&mut line) {
            Ok(0) | Err(_) => return None,
            Ok(_) if line == "\r\n" => break,
            Ok(_) => head.push_str(&line),
        }
    }
    let length = header(&head, "content-length").and_then(|text| text.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// A header's value.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

pub fn whole(stream: &TcpStream, status: u16, headers: &str, body: &Value) -> std::io::Result<()> {
    let body = body.to_string();
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} Played\r\nContent-Type: application/json\r\nrequest-id: req_{status}\r\n\
         {headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    flush(stream, text.as_bytes())
}

pub fn answer(
    stream: &TcpStream,
    model: &str,
    usage: &Value,
    answer: &Answer,
    streams: bool,
) -> std::io::Result<()> {
    let send = |said: &Said, events: usize| -> std::io::Result<()> {
        begin(stream)?;
        for event in self::events(model, usage, said).iter().take(events) {
            flush(stream, event.as_bytes())?;
        }
        Ok(())
    };
    match answer {
        Answer::Refuses(status, headers, body) => whole(stream, *status, headers, body),
        Answer::Says(said) if !streams => whole(stream, 200, "", &message(model, usage, said)),
        Answer::Says(said) => send(said, usize::MAX),
        Answer::Breaks(said, events) => send(said, *events),
        Answer::Errs(said, events, kind) => {
            send(said, *events)?;
            let error = json!({"type": "error", "error": {"type": kind, "message": "Played"}});
            flush(stream, event("error", &error).as_bytes())
        }
        Answer::Stands(said, events) => {
            send(said, *events)?;
            // Until the other side goes.
            let mut from = stream;
            from.read(&mut [0]).map(drop)
        }
        Answer::Slow(said, pause) => {
            begin(stream)?;
            for event in events(model, usage, said) {
                std::thread::sleep(*pause);
                flush(stream, event.as_bytes())?;
            }
            Ok(())
        }
        Answer::Raw(bytes) => {
            begin(stream)?;
            flush(stream, bytes)
        }
        Answer::Endless => {
            let said = Said::new(vec![json!({"type": "text", "text": ""})], "end_turn");
            send(&said, 3)?;
            let delta = json!({"type": "content_block_delta", "index": 0,
                "delta": {"type": "text_delta", "text": "x".repeat(16 << 10)}});
            let delta = event("content_block_delta", &delta);
            loop {
                flush(stream, delta.as_bytes())?;
            }
        }
    }
}

fn begin(stream: &TcpStream) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\
                request-id: req_200\r\nConnection: close\r\n\r\n";
    flush(stream, head.as_bytes())
}

fn message(model: &str, usage: &Value, said: &Said) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": model,
        "content": said.content, "stop_reason": said.stop, "stop_sequence": null,
        "stop_details": said.details, "usage": usage})
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

fn events(model: &str, usage: &Value, said: &Said) -> Vec<String> {
    let named = |data: Value| event(data["type"].as_str().unwrap_or_default(), &data);
    data(model, usage, said).into_iter().map(named).collect()
}

/// A message, event by event: the data of each.
pub fn data(model: &str, usage: &Value, said: &Said) -> Vec<Value> {
    let mut first = message(model, usage, said);
    first["content"] = json!([]);
    first["stop_reason"] = Value::Null;
    first["usage"]["output_tokens"] = 1.into();
    if let Some(first) = first.as_object_mut() {
        first.remove("stop_details");
    }
    let mut events = vec![json!({"type": "message_start", "message": first})];
    for (index, block) in said.content.iter().enumerate() {
        let mut empty = block.clone();
        let mut deltas = Vec::new();
        for (field, kind) in [
            ("text", "text_delta"),
            ("thinking", "thinking_delta"),
            ("signature", "signature_delta"),
        ] {
            let Some(text) = block[field].as_str() else {
                continue;
            };
            empty[field] = "".into();
            for part in parts(text) {
                deltas.push(json!({"type": kind, field: part}));
            }
        }
        if block["type"] == "tool_use" {
            empty["input"] = json!({});
            // Text stands for itself, so that what is no JSON can be sent as well.
            let input = &block["input"];
            let text = input
                .as_str()
                .map_or_else(|| input.to_string(), str::to_owned);
            deltas.push(json!({"type": "input_json_delta", "partial_json": ""}));
            for part in parts(&text) {
                deltas.push(json!({"type": "input_json_delta", "partial_json": part}));
            }
        }
        events.push(json!({"type": "content_block_start", "index": index, "content_block": empty}));
        events.push(json!({"type": "ping"}));
        for delta in deltas {
            events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({"type": "message_delta",
        "delta": {"stop_reason": said.stop, "stop_sequence": null, "stop_details": said.details},
        "usage": {"output_tokens": usage["output_tokens"]}}));
    events.push(json!({"type": "message_stop"}));
    events
}

/// In small pieces, as they come.
fn parts(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters
        .chunks(11)
        .map(|part| part.iter().collect())
        .collect()
}
