//! When two values are the same and which is larger, as the match language has it: numbers in
//! strings are numbers, and whole numbers stay whole. Also the keys and bounds under which an
//! index finds a value: equal values have equal keys. Not here: which test compares what.

use super::fields::{Found, Value};
use super::language::Operand;
use crate::record::{mix, text_hash};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Longest text that is read as a number, in bytes.
const LONGEST_NUMBER: usize = 40;

/// A number without loss: whole numbers stay whole.
#[derive(Clone, Copy, Debug)]
enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    fn order(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Whole(a), Number::Whole(b)) => Some(a.cmp(&b)),
            (a, b) => a.real().partial_cmp(&b.real()),
        }
    }

    fn real(self) -> f64 {
        match self {
            Number::Whole(number) => number as f64,
            Number::Real(number) => number,
        }
    }

    fn parse(text: &str) -> Option<Number> {
        let text = text.trim();
        // Words such as `nan` and `infinity` parse as floats and are no numbers here.
        let begins = |b: &u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.');
        if !text.as_bytes().first().is_some_and(begins)
            || text.len() > LONGEST_NUMBER
            || !text.bytes().any(|b| b.is_ascii_digit())
        {
            return None;
        }
        text.parse::<i64>()
            .map(|whole| Number::Whole(i128::from(whole)))
            .or_else(|_| text.parse::<f64>().map(Number::Real))
            .ok()
    }
}

fn of_value(value: &Value<'_>) -> Option<Number> {
    match value {
        Value::Int(number) => Some(Number::Whole(i128::from(*number))),
        Value::Unsigned(number) => Some(Number::Whole(i128::from(*number))),
        Value::Float(number) => Some(Number::Real(*number)),
        Value::Text(text) => Number::parse(text),
        Value::Null | Value::Bool(_) | Value::Nested => None,
    }
}

fn of_operand(operand: &Operand) -> Option<Number> {
    match operand {
        Operand::Int(number) => Some(Number::Whole(i128::from(*number))),
        Operand::Float(number) => Some(Number::Real(*number)),
        Operand::Text(text) => Number::parse(text),
        Operand::Null | Operand::Bool(_) => None,
    }
}

/// Numbers by size, else texts by their characters; `None` where they do not compare.
pub(super) fn order(value: &Value<'_>, operand: &Operand) -> Option<Ordering> {
    match (of_value(value), of_operand(operand)) {
        (Some(a), Some(b)) => a.order(b),
        _ => match (value, operand) {
            (Value::Text(a), Operand::Text(b)) => Some(a.as_ref().cmp(b.as_str())),
            _ => None,
        },
    }
}

pub(super) fn equal(value: &Value<'_>, operand: &Operand) -> bool {
    match (value, operand) {
        (Value::Null, Operand::Null) => true,
        (Value::Bool(a), Operand::Bool(b)) => a == b,
        // Written as texts on both sides they are texts: version 1.10 is not 1.1.
        (Value::Text(a), Operand::Text(b)) => a == b,
        (Value::Text(a), Operand::Bool(b)) => a.as_ref() == word(*b),
        (Value::Bool(a), Operand::Text(b)) => b == word(*a),
        _ => match (of_value(value), of_operand(operand)) {
            (Some(a), Some(b)) => a.order(b) == Some(Ordering::Equal),
            _ => false,
        },
    }
}

const fn word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

/// The value as text: what `contains` and its like look into.
pub(super) fn text<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Bool(flag) => Some(Cow::Borrowed(word(*flag))),
        Value::Int(number) => Some(Cow::Owned(number.to_string())),
        Value::Unsigned(number) => Some(Cow::Owned(number.to_string())),
        Value::Float(number) => Some(Cow::Owned(number.to_string())),
        Value::Null | Value::Nested => None,
    }
}

const NULL: u64 = 0x6e75_6c6c_0001;
const NUMBERS: u64 = 0x6e75_6d62_6572;

/// Values that are equal to one operand have its key.
pub(super) fn key(found: &Found<'_>) -> Option<u64> {
    let of_text = |bytes: &[u8]| match of_bytes(bytes) {
        Some(number) => number_key(number.real()),
        None => text_hash(bytes),
    };
    match found {
        Found::Text(bytes) => Some(of_text(bytes)),
        Found::Other(value) => match value {
            Value::Null => Some(NULL),
            Value::Bool(flag) => Some(text_hash(word(*flag).as_bytes())),
            Value::Nested => None,
            Value::Text(text) => Some(of_text(text.as_bytes())),
            Value::Int(number) => Some(number_key(*number as f64)),
            Value::Unsigned(number) => Some(number_key(*number as f64)),
            Value::Float(number) => Some(number_key(*number)),
        },
    }
}

/// The number that a text is, from its bytes: most texts are none by their first.
#[inline]
fn of_bytes(bytes: &[u8]) -> Option<Number> {
    match bytes.first()? {
        b'0'..=b'9' | b'+' | b'-' | b'.' => {}
        // What may be blank is left to who knows.
        0..=b' ' | 0x80.. => {}
        _ => return None,
    }
    Number::parse(str::from_utf8(bytes).ok()?)
}

/// A text as bytes, or what else is written as one: what an index looks for literals in.
pub(super) fn bytes<'f>(found: &'f Found<'_>) -> Option<Cow<'f, [u8]>> {
    match found {
        Found::Text(bytes) => Some(Cow::Borrowed(bytes)),
        Found::Other(value) => Some(match text(value)? {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        }),
    }
}

/// The key of the values that are equal to an operand.
pub(super) fn operand_key(operand: &Operand) -> u64 {
    match operand {
        Operand::Null => NULL,
        Operand::Bool(flag) => text_hash(word(*flag).as_bytes()),
        Operand::Int(_) | Operand::Float(_) | Operand::Text(_) => match of_operand(operand) {
            Some(number) => number_key(number.real()),
            None => match operand {
                Operand::Text(text) => text_hash(text.as_bytes()),
                Operand::Null | Operand::Bool(_) | Operand::Int(_) | Operand::Float(_) => NULL,
            },
        },
    }
}

fn number_key(real: f64) -> u64 {
    // One zero. Large whole numbers share a key with their neighbours, which does no harm.
    let real = real + 0.0;
    mix(real.to_bits() ^ NUMBERS, 0x9e37_79b9_7f4a_7c15)
}

/// The value as a bound sees it. Rounding keeps the order, so inclusive bounds lose nothing.
pub(super) fn real(found: &Found<'_>) -> Option<f64> {
    let real = match found {
        Found::Text(bytes) => of_bytes(bytes)?.real(),
        Found::Other(Value::Int(number)) => *number as f64,
        Found::Other(value) => of_value(value)?.real(),
    };
    (!real.is_nan()).then_some(real)
}

/// A number that is written as one; a text compares with texts too and has no bound.
pub(super) fn bound(operand: &Operand) -> Option<f64> {
    match operand {
        Operand::Int(number) => Some(*number as f64),
        Operand::Float(number) if !number.is_nan() => Some(*number),
        Operand::Null | Operand::Bool(_) | Operand::Float(_) | Operand::Text(_) => None,
    }
}
