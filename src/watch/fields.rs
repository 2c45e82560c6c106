//! What a match sees of a record. The record room's view implements it; tests use a map.
//! Not here: how a field is found (design: record key, else JSON, access log or logfmt inside
//! the message).

use crate::model::{Level, TemplateId};
use crate::record::View;
use std::borrow::Cow;

pub use crate::record::{Found, Value, Wanted};

/// A record as a match sees it.
pub trait Fields {
    /// The value at a dotted path; `None` where there is none.
    fn field(&self, path: &str) -> Option<Value<'_>>;
    /// The record's own message.
    fn message(&self) -> Cow<'_, str>;
    /// The record's severity, where it is known.
    fn level(&self) -> Option<Level>;
    /// The template of its message, where one was read.
    fn template(&self) -> Option<TemplateId> {
        None
    }
    /// Calls `found` with the number of each wanted path and a value under it. The value that
    /// [`Fields::field`] gives is always among them; others may be too, because an index only
    /// asks which watches could match.
    fn visit(&self, wanted: &[&Wanted], found: &mut dyn FnMut(usize, u32, &Found<'_>)) {
        for (which, wanted) in wanted.iter().enumerate() {
            for (number, path) in wanted.paths() {
                if let Some(value) = self.field(path) {
                    found(which, number, &Found::Other(value));
                }
            }
        }
    }
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

    fn visit(&self, wanted: &[&Wanted], found: &mut dyn FnMut(usize, u32, &Found<'_>)) {
        View::visit(self, wanted, found);
    }
}

/// A record together with the template that was read from its message.
#[derive(Clone, Copy, Debug)]
pub struct Templated<'v, 'a> {
    pub view: &'v View<'a>,
    pub template: Option<TemplateId>,
}

impl Fields for Templated<'_, '_> {
    fn field(&self, path: &str) -> Option<Value<'_>> {
        self.view.field(path)
    }

    fn message(&self) -> Cow<'_, str> {
        self.view.message()
    }

    fn level(&self) -> Option<Level> {
        self.view.level()
    }

    fn template(&self) -> Option<TemplateId> {
        self.template
    }

    fn visit(&self, wanted: &[&Wanted], found: &mut dyn FnMut(usize, u32, &Found<'_>)) {
        self.view.visit(wanted, found);
    }
}
