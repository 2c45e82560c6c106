//! A field's value as matches and templates see it, whether it came from the record, from JSON
//! inside the message, or from an access-log line. Scalars only; nothing compares here.

use crate::record::clean;
use crate::record::decode::Item;
use std::borrow::Cow;

/// The value of one field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// Whole numbers above `i64::MAX`.
    Unsigned(u64),
    Float(f64),
    Text(Cow<'a, str>),
    /// A list, a map or an extension: present, and equal to nothing.
    Nested,
}

impl<'a> Value<'a> {
    /// From msgpack; invalid UTF-8 is replaced.
    pub fn from_item(item: Item<'a>) -> Value<'a> {
        match item {
            Item::Nil => Value::Null,
            Item::Bool(value) => Value::Bool(value),
            Item::Int(value) => Value::Int(value),
            Item::UInt(value) => Value::Unsigned(value),
            Item::Float(value) => Value::Float(value),
            Item::Str(bytes) | Item::Bin(bytes) => Value::Text(clean::text(bytes)),
            Item::Array(_) | Item::Map(_) | Item::Ext(..) => Value::Nested,
        }
    }

    /// A bare word of a log line: a number where it reads as one, else text.
    pub fn from_word(word: &'a str) -> Value<'a> {
        let digits = word.strip_prefix('-').unwrap_or(word);
        let numeric = digits.len() <= 18 && digits.starts_with(|c: char| c.is_ascii_digit());
        if numeric {
            if let Ok(value) = word.parse() {
                return Value::Int(value);
            }
            if let Ok(value) = word.parse() {
                return Value::Float(value);
            }
        }
        match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Text(Cow::Borrowed(word)),
        }
    }

    /// The same value, borrowing from this one.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(flag) => Value::Bool(*flag),
            Value::Int(number) => Value::Int(*number),
            Value::Unsigned(number) => Value::Unsigned(*number),
            Value::Float(number) => Value::Float(*number),
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
            Value::Nested => Value::Nested,
        }
    }

    /// The same value, borrowing nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Int(value) => Value::Int(value),
            Value::Unsigned(value) => Value::Unsigned(value),
            Value::Float(value) => Value::Float(value),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Nested => Value::Nested,
        }
    }

    /// A whole number, also from text or from a float without a fraction.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(value) => Some(*value),
            Value::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
                Some(*value as i64)
            }
            Value::Text(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Unsigned(_) | Value::Float(_) | Value::Nested => {
                None
            }
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Unsigned(_)
            | Value::Float(_)
            | Value::Nested => None,
        }
    }

    /// The value as people write it; `None` for [`Value::Nested`].
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Value::Null => Some(Cow::Borrowed("null")),
            Value::Bool(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
            Value::Int(value) => Some(Cow::Owned(value.to_string())),
            Value::Unsigned(value) => Some(Cow::Owned(value.to_string())),
            Value::Float(value) => Some(Cow::Owned(value.to_string())),
            Value::Text(text) => Some(text),
            Value::Nested => None,
        }
    }
}

/// A value as an index looks it up. Texts come as their bytes: most are looked up and no more, and
/// need not be checked for that.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<'a> {
    /// A text. Where it is no UTF-8, its value has U+FFFD in the place of what is wrong.
    Text(&'a [u8]),
    /// Everything else.
    Other(Value<'a>),
}

impl<'a> Found<'a> {
    /// From msgpack.
    #[inline]
    pub(super) fn from_item(item: Item<'a>) -> Found<'a> {
        match item {
            Item::Str(bytes) | Item::Bin(bytes) => Found::Text(bytes),
            other => Found::Other(Value::from_item(other)),
        }
    }

    pub(super) fn from_value(value: &'a Value<'_>) -> Found<'a> {
        match value.borrowed() {
            Value::Text(Cow::Borrowed(text)) => Found::Text(text.as_bytes()),
            other => Found::Other(other),
        }
    }

    /// The value itself.
    pub fn value(&self) -> Value<'_> {
        match self {
            Found::Text(bytes) => Value::Text(clean::text(bytes)),
            Found::Other(value) => value.borrowed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_numbers_only_where_they_are_numbers() {
        assert_eq!(Value::from_word("503"), Value::Int(503));
        assert_eq!(Value::from_word("0.25"), Value::Float(0.25));
        assert_eq!(Value::from_word("1.2.3"), Value::Text("1.2.3".into()));
        assert_eq!(Value::from_word("infinity"), Value::Text("infinity".into()));
        assert_eq!(Value::Text(" 503".into()).as_int(), Some(503));
        assert_eq!(Value::Float(0.5).as_int(), None);
    }
}
