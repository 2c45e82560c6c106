//! Traces of a whole input, stream by stream, in the form that `inspect traces --json` prints.
//! It prints nothing itself.

use super::{Assembler, Found, Line};
use crate::model::{Frame, Language, Timestamp, Trace};
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;

/// One trace as other tools read it; the names are fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspected {
    /// 0-based number of the trace's own first input line.
    pub first: u64,
    /// 0-based number of its last line.
    pub last: u64,
    /// The log line kept with it.
    pub header: Option<u64>,
    pub language: &'static str,
    pub exception_type: Option<String>,
    pub message: Option<String>,
    pub frames: Vec<InspectedFrame>,
}

/// One frame as printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InspectedFrame {
    pub file: Option<String>,
    pub line: Option<u32>,
    pub function: Option<String>,
}

impl From<Frame> for InspectedFrame {
    fn from(frame: Frame) -> InspectedFrame {
        InspectedFrame {
            file: frame.file,
            line: frame.line,
            function: frame.function,
        }
    }
}

impl From<Found> for Inspected {
    fn from(found: Found) -> Inspected {
        let named = named_block(&found.trace);
        let raised = found
            .trace
            .blocks
            .get(named)
            .map(|block| block.raised.clone());
        let raised = raised.unwrap_or_default();
        Inspected {
            first: found.lines.first().map_or(found.last, |line| line.index),
            last: found.last,
            header: found.header.map(|line| line.index),
            language: found.trace.language.name(),
            exception_type: raised.kind,
            message: raised.message,
            frames: found
                .trace
                .frames
                .into_iter()
                .map(InspectedFrame::from)
                .collect(),
        }
    }
}

/// The exception that heads the trace as its runtime prints it: what left the program in
/// Python, which names it last; the first that is printed elsewhere.
fn named_block(trace: &Trace) -> usize {
    match trace.language {
        Language::Python => trace.outermost,
        Language::Java
        | Language::Javascript
        | Language::Go
        | Language::Rust
        | Language::Ruby
        | Language::Php
        | Language::Csharp
        | Language::Dart
        | Language::Elixir
        | Language::Cpp => 0,
    }
}

/// Streams that are kept apart at once; beyond them all are closed, so that made-up keys cannot
/// fill the memory.
const STREAMS_MAX: usize = 4_096;

/// Finds the traces of an input, line by line.
#[derive(Default)]
pub struct Inspector {
    streams: HashMap<String, Assembler>,
    next: u64,
}

impl Inspector {
    /// Takes the next input line; `stream` is `""` where there is only one. Gives the traces
    /// that it completed.
    pub fn push(&mut self, stream: &str, text: &str) -> Vec<Inspected> {
        let line = Line {
            text,
            time: Timestamp(0),
            level: None,
            index: self.next,
        };
        self.next += 1;
        let mut closed = Vec::new();
        if !self.streams.contains_key(stream) {
            if self.streams.len() >= STREAMS_MAX {
                closed = self.finish();
            }
            self.streams.insert(stream.to_owned(), Assembler::default());
        }
        if let Some(assembler) = self.streams.get_mut(stream) {
            assembler.push(line, Timestamp(0));
            assembler.take_plain().for_each(drop);
            closed.extend(assembler.take().map(Inspected::from));
        }
        closed
    }

    /// Takes the next input line as a JSON object: the text is its `log` or `message`, the
    /// stream the value at `stream_key` (dots go down). A line that is none counts and is empty.
    pub fn push_json(&mut self, line: &str, stream_key: Option<&str>) -> Vec<Inspected> {
        let value: Value = serde_json::from_str(line).unwrap_or(Value::Null);
        let text = ["log", "message"]
            .iter()
            .find_map(|key| value.get(key).and_then(Value::as_str))
            .unwrap_or_default();
        let stream = match stream_key.and_then(|key| at_path(&value, key)) {
            Some(Value::String(name)) => name.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        self.push(&stream, text)
    }

    /// The input has ended: gives the traces that were still open, in the order of their lines.
    pub fn finish(&mut self) -> Vec<Inspected> {
        let mut rest: Vec<Inspected> = Vec::new();
        for (_, mut assembler) in self.streams.drain() {
            assembler.finish();
            rest.extend(assembler.take().map(Inspected::from));
        }
        rest.sort_by_key(|trace| (trace.first, trace.last));
        rest
    }
}

/// The value under the key itself, else down the dots.
fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    value
        .get(path)
        .or_else(|| path.split('.').try_fold(value, |value, key| value.get(key)))
}
