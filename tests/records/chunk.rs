//! Builds chunks out of JSON, as a host would encode them.

use autofix::model::Timestamp;
use autofix::record::encode::{self, Layout};
use autofix::record::{Event, Events, Record, View};
use serde_json::Value;

/// A chunk under construction.
#[derive(Default)]
pub struct Chunk(pub Vec<u8>);

impl Chunk {
    /// One record of a tail or a forward input.
    pub fn of(body: Value) -> Chunk {
        let mut chunk = Chunk::default();
        chunk.record(Timestamp::from_parts(1_772_366_400, 0), body);
        chunk
    }

    pub fn record(&mut self, time: Timestamp, body: Value) {
        encode::event(&mut self.0, Layout::New, time);
        value(&mut self.0, &body);
    }

    /// A record with metadata of its own.
    pub fn with_metadata(&mut self, metadata: Value, body: Value) {
        self.0.extend_from_slice(&[0x92, 0x92]);
        encode::event_time(&mut self.0, Timestamp::from_parts(1_772_366_400, 0));
        value(&mut self.0, &metadata);
        value(&mut self.0, &body);
    }

    /// A group marker: 0xFFFFFFFF starts one, 0xFFFFFFFE ends it.
    pub fn marker(&mut self, seconds: u32, metadata: Value, body: Value) {
        self.0.extend_from_slice(&[0x92, 0x92, 0xd7, 0x00]);
        self.0.extend_from_slice(&seconds.to_be_bytes());
        self.0.extend_from_slice(&[0; 4]);
        value(&mut self.0, &metadata);
        value(&mut self.0, &body);
    }

    /// The records, every event of the chunk having been readable.
    pub fn records(&self) -> Vec<Record<'_>> {
        Events::new(&self.0)
            .filter_map(|event| match event.unwrap() {
                Event::Record(record) => Some(record),
                Event::GroupStart(_) | Event::GroupEnd => None,
            })
            .collect()
    }

    /// The only record, under a tag.
    pub fn view<'a>(&'a self, tag: &'a str) -> View<'a> {
        let records = self.records();
        assert_eq!(records.len(), 1);
        View::new(tag, records[0])
    }
}

pub fn value(out: &mut Vec<u8>, value_: &Value) {
    match value_ {
        Value::Null => encode::nil(out),
        Value::Bool(flag) => encode::bool(out, *flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => encode::int(out, number),
            None => encode::float(out, number.as_f64().unwrap()),
        },
        Value::String(text) => encode::text(out, text.as_bytes()),
        Value::Array(items) => {
            encode::array(out, items.len());
            items.iter().for_each(|item| value(out, item));
        }
        Value::Object(pairs) => {
            encode::map(out, pairs.len());
            for (key, item) in pairs {
                encode::text(out, key.as_bytes());
                value(out, item);
            }
        }
    }
}
