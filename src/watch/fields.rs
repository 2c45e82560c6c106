//! What a match sees of a record. The record room's view implements it; tests use a map.
//! Not here: how a field is found (design: record key, else JSON, access log or logfmt inside
//! the message).

use crate::model::Level;
use crate::record::View;
use std::borrow::Cow;

pub use crate::record::Value;

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
        View::field(self, path)
    }

    fn message(&self) -> Cow<'_, str> {
        View::message(self)
    }

    fn level(&self) -> Option<Level> {
        View::level(self)
    }
}
