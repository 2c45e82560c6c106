//! What was found in a record once, kept while the watches that could match it are asked: several
//! of them mostly ask for the same field, and looking for one may mean reading JSON.

use super::fields::{Fields, Value};
use crate::model::{Level, TemplateId};
use std::borrow::Cow;
use std::cell::OnceCell;

/// Fields that are kept; others are looked for each time.
const KEPT: usize = 12;

/// A record whose fields are looked for once.
pub(super) struct Memo<'m> {
    record: &'m dyn Fields,
    fields: [OnceCell<(&'m str, Option<Value<'m>>)>; KEPT],
    message: OnceCell<Cow<'m, str>>,
}

impl<'m> Memo<'m> {
    pub fn new(record: &'m dyn Fields) -> Memo<'m> {
        Memo {
            record,
            fields: [const { OnceCell::new() }; KEPT],
            message: OnceCell::new(),
        }
    }

    /// The value at a path that lives as long as the record.
    pub fn field(&self, path: &'m str) -> Option<Value<'_>> {
        for slot in &self.fields {
            let (known, value) = slot.get_or_init(|| (path, self.record.field(path)));
            if *known == path {
                return value.as_ref().map(Value::borrowed);
            }
        }
        self.record.field(path)
    }

    pub fn message(&self) -> &str {
        self.message.get_or_init(|| self.record.message())
    }

    pub fn level(&self) -> Option<Level> {
        self.record.level()
    }

    pub fn template(&self) -> Option<TemplateId> {
        self.record.template()
    }
}
