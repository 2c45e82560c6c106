//! What a match sees of a record. The record room's view implements it; tests use a map.
//! Not here: how a field is found (design: record key, else JSON, access log or logfmt inside
//! the message).

use crate::model::Level;
use crate::record::{self, View};
use std::borrow::Cow;

/// A field's value as a match compares it. Lists and maps only exist.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// Whole numbers above `i64::MAX`.
    Unsigned(u64),
    Float(f64),
    Text(Cow<'a, str>),
    /// A list or a map.
    Nested,
}

/// A record as a match sees it.
pub trait Fields {
    /// The value at a dotted path; `None` where there is none.
    fn field(&self, path: &str) -> Option<Value<'_>>;
    /// The record's own message.
    fn message(&self) -> Cow<'_, str>;
    /// The record's severity, where it is known.
    fn level(&self) -> Option<Level>;
}

impl Fields for View<'_> {
    fn field(&self, path: &str) -> Option<Value<'_>> {
        View::field(self, path).map(|value| match value {
            record::Value::Null => Value::Null,
            record::Value::Bool(value) => Value::Bool(value),
            record::Value::Int(value) => Value::Int(value),
            record::Value::Float(value) => Value::Float(value),
            record::Value::Str(text) => Value::Text(text),
            record::Value::Other => Value::Nested,
        })
    }

    fn message(&self) -> Cow<'_, str> {
        View::message(self)
    }

    fn level(&self) -> Option<Level> {
        View::level(self)
    }
}
