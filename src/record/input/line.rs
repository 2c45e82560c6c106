//! One line of an input becomes one msgpack event, as Fluent Bit's tail with the fitting parser
//! makes it. Event time comes from the line where it says one, else from the line before it on
//! the same side.

use crate::model::Timestamp;
use crate::record::decode::MAX_DEPTH;
use crate::record::encode::{self, Layout};
use crate::record::input::format::Format;
use crate::record::side::Side;
use crate::record::stamp;
use crate::record::wrapped::{self, Wrapped};
use serde_json::{Map, Value};

/// Keys that may hold a record's time, best first.
const TIME_KEYS: [&str; 16] = [
    "date",
    "time",
    "timestamp",
    "@timestamp",
    "ts",
    "@t",
    "eventTime",
    "Timestamp",
    "datetime",
    "asctime",
    "time_iso8601",
    "timeUnixNano",
    "timestampSeconds",
    "instant",
    "__REALTIME_TIMESTAMP",
    "_SOURCE_REALTIME_TIMESTAMP",
];

/// Remembers the last time of each side, for lines that have none.
#[derive(Debug)]
pub(super) struct Converter {
    last: [Option<Timestamp>; 3],
    /// The time of the newest line, for a side that has had none.
    latest: Timestamp,
}

impl Converter {
    pub fn new(start: Timestamp) -> Converter {
        Converter {
            last: [None; 3],
            latest: start,
        }
    }

    /// Starts at the first time that these lines say.
    pub fn prime(&mut self, lines: &[&[u8]], format: Format) {
        let start = self.latest;
        let mut scratch = Vec::new();
        for line in lines {
            let mut trial = Converter::new(start);
            trial.convert(line, format, &mut scratch);
            scratch.clear();
            if trial.latest != start {
                self.latest = trial.latest;
                return;
            }
        }
    }

    /// Appends the event of one line; false for an empty one in a format that has none.
    pub fn convert(&mut self, line: &[u8], format: Format, out: &mut Vec<u8>) -> bool {
        match format {
            Format::Text => self.text(line, out),
            Format::JsonLines => return self.json(line, out),
            Format::Docker => match wrapped::docker(line) {
                Some(inner) => self.docker(&inner, out),
                None => self.text(line, out),
            },
            Format::Cri => match wrapped::cri(line) {
                Some(inner) => self.cri(&inner, out),
                None => self.text(line, out),
            },
        }
        true
    }

    fn text(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let head = &line[..line.len().min(256)];
        let found = stamp::leading(&String::from_utf8_lossy(head), self.before(Side::Unknown));
        let time = self.at(Side::Unknown, found.or_else(|| json_time(line)));
        encode::event(out, Layout::New, time);
        encode::map(out, 1);
        encode::text(out, b"log");
        encode::text(out, line);
    }

    fn docker(&mut self, inner: &Wrapped<'_>, out: &mut Vec<u8>) {
        let fields: [(&str, &[u8]); 3] = [
            ("log", &inner.text),
            ("stream", inner.side.word().as_bytes()),
            ("time", inner.time.as_bytes()),
        ];
        self.wrapped(inner, &fields, out);
    }

    fn cri(&mut self, inner: &Wrapped<'_>, out: &mut Vec<u8>) {
        let fields: [(&str, &[u8]); 4] = [
            ("time", inner.time.as_bytes()),
            ("stream", inner.side.word().as_bytes()),
            ("logtag", inner.logtag.unwrap_or("F").as_bytes()),
            ("log", &inner.text),
        ];
        self.wrapped(inner, &fields, out);
    }

    fn wrapped(&mut self, inner: &Wrapped<'_>, fields: &[(&str, &[u8])], out: &mut Vec<u8>) {
        let found = stamp::of_text(inner.time, self.before(inner.side));
        encode::event(out, Layout::New, self.at(inner.side, found));
        encode::map(out, fields.len());
        for (key, value) in fields {
            encode::text(out, key.as_bytes());
            encode::text(out, value);
        }
    }

    /// A JSON object as it stands, or Fluent Bit's `[time, {…}]`; anything else is text.
    fn json(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        if line.trim_ascii().is_empty() {
            return false;
        }
        let (time, map) = match serde_json::from_slice(line) {
            Ok(Value::Object(map)) => (None, map),
            Ok(Value::Array(pair)) => match time_and_map(pair) {
                Some((time, map)) => (time, map),
                None => {
                    self.text(line, out);
                    return true;
                }
            },
            _ => {
                self.text(line, out);
                return true;
            }
        };
        let side = match map.get("stream").or_else(|| map.get("source")) {
            Some(Value::String(word)) => Side::from_word(word.as_bytes()).unwrap_or_default(),
            _ => Side::Unknown,
        };
        let found = time.or_else(|| map_time(&map, self.before(side)));
        let time = self.at(side, found);
        encode::event(out, Layout::New, time);
        object(out, &map, 0);
        true
    }

    fn before(&self, side: Side) -> Timestamp {
        let last = self.last.get(side as usize).copied().flatten();
        last.unwrap_or(self.latest)
    }

    fn at(&mut self, side: Side, found: Option<Timestamp>) -> Timestamp {
        let time = found.unwrap_or(self.before(side));
        if let Some(last) = self.last.get_mut(side as usize) {
            *last = Some(time);
        }
        self.latest = time;
        time
    }
}

/// The time inside a line that is JSON although the input as a whole is text.
fn json_time(line: &[u8]) -> Option<Timestamp> {
    if line.first() != Some(&b'{') {
        return None;
    }
    match serde_json::from_slice(line) {
        Ok(Value::Object(map)) => map_time(&map, Timestamp::default()),
        _ => None,
    }
}

fn map_time(map: &Map<String, Value>, near: Timestamp) -> Option<Timestamp> {
    TIME_KEYS
        .iter()
        .find_map(|key| value_time(map.get(*key)?, near))
}

fn value_time(value: &Value, near: Timestamp) -> Option<Timestamp> {
    match value {
        Value::Number(number) => match number.as_i64() {
            // Nanoseconds do not fit a float.
            Some(nanos @ 1_000_000_000_000_000_000..) => Some(Timestamp(nanos)),
            _ => number.as_f64().and_then(stamp::of_number),
        },
        Value::String(text) => stamp::of_text(text, near),
        Value::Object(parts) => seconds_and_nanos(parts),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

/// `{"epochSecond": s, "nanoOfSecond": n}` of log4j, `{"seconds": s, "nanos": n}` of Google's.
fn seconds_and_nanos(parts: &Map<String, Value>) -> Option<Timestamp> {
    let number = |names: [&str; 2]| names.iter().find_map(|name| parts.get(*name)?.as_i64());
    let Timestamp(whole) = stamp::of_number(number(["epochSecond", "seconds"])? as f64)?;
    let nanos = number(["nanoOfSecond", "nanos"]).unwrap_or(0);
    Some(Timestamp(whole + nanos.clamp(0, 999_999_999)))
}

/// `[time, {…}]`, or `[[time, {metadata}], {…}]`.
fn time_and_map(pair: Vec<Value>) -> Option<(Option<Timestamp>, Map<String, Value>)> {
    let [head, Value::Object(map)] = <[Value; 2]>::try_from(pair).ok()? else {
        return None;
    };
    let time = match &head {
        Value::Array(parts) => parts.first()?,
        plain => plain,
    };
    Some((value_time(time, Timestamp::default()), map))
}

fn object(out: &mut Vec<u8>, map: &Map<String, Value>, depth: usize) {
    encode::map(out, map.len());
    for (key, value) in map {
        encode::text(out, key.as_bytes());
        encode_value(out, value, depth + 1);
    }
}

/// What is nested more deeply than the reader of chunks allows becomes nil, so that one line
/// cannot take a chunk with it.
fn encode_value(out: &mut Vec<u8>, value: &Value, depth: usize) {
    match value {
        _ if depth + 4 > MAX_DEPTH => encode::nil(out),
        Value::Null => encode::nil(out),
        Value::Bool(value) => encode::bool(out, *value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => encode::int(out, value),
            (None, Some(value)) => encode::unsigned(out, value),
            (None, None) => encode::float(out, number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => encode::text(out, text.as_bytes()),
        Value::Array(items) => {
            encode::array(out, items.len());
            items
                .iter()
                .for_each(|item| encode_value(out, item, depth + 1));
        }
        Value::Object(map) => object(out, map, depth),
    }
}
