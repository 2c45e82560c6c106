//! The few-valued fields that tell records of one message apart: the status of an answer, how it
//! ended, an error's code. Gathered while keys are passed over anyway. Only values that repeat:
//! numbers and ids that are another for each record are none.

use crate::model::facets::SmallText;
use crate::record::http;
use crate::record::names::Name;
use crate::record::value::Value;
use std::borrow::Cow;

/// Longest text that is taken for one of a few values, in bytes.
const LONGEST: usize = 40;
/// Digits in it; `23505` and `E1042` are codes, a longer number is an id.
const DIGITS: usize = 5;
/// Numbers are codes below this.
const NUMBERS: u64 = 100_000;
/// Text of hexadecimal digits with both letters and numbers in it is an id from this length on.
const HEX: usize = 6;

/// What a record, or JSON in it, says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FewValued {
    /// The status of an HTTP answer, with the rank of the place where it stood.
    status: Option<(u8, i64)>,
    result: Option<SmallText>,
    /// A word under `status`, for want of a result.
    word: Option<SmallText>,
    code: Option<SmallText>,
}

impl FewValued {
    pub fn status(&self) -> Option<i64> {
        self.status.map(|(_, status)| status)
    }

    /// How it ended: the result, else a word under `status`.
    pub fn result(&self) -> Option<SmallText> {
        self.result.or(self.word)
    }

    /// An error's code.
    pub fn code(&self) -> Option<SmallText> {
        self.code
    }

    /// Takes a status; of several the first in the best place counts.
    pub fn take_status(&mut self, rank: u8, value: &Value<'_>) {
        match http::answer(value) {
            Some(status) => self.rank_status(rank, status),
            None if rank == 0 => self.word = self.word.or_else(|| few(value)),
            None => {}
        }
    }

    /// Takes what a map of an answer's values says.
    pub fn rank_status(&mut self, rank: u8, status: i64) {
        if self.status.is_none_or(|(best, _)| rank < best) {
            self.status = Some((rank, status));
        }
    }

    /// Takes a value under one of the names for a result or a code; of several the first counts.
    pub fn take(&mut self, name: Name, value: &Value<'_>) {
        match name {
            Name::Result => self.result = self.result.or_else(|| few(value)),
            Name::Code => self.code = self.code.or_else(|| few(value)),
            _ => {}
        }
    }
}

/// A value that is one of few, as text.
fn few(value: &Value<'_>) -> Option<SmallText> {
    let text: Cow<'_, str> = match value {
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Int(number) if number.unsigned_abs() < NUMBERS => Cow::Owned(number.to_string()),
        Value::Text(text) if is_few(text) => Cow::Borrowed(text),
        Value::Null
        | Value::Int(_)
        | Value::Text(_)
        | Value::Unsigned(_)
        | Value::Float(_)
        | Value::Nested => return None,
    };
    SmallText::new(&text)
}

fn is_few(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() > LONGEST {
        return false;
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let hex = bytes.len() >= HEX && bytes.iter().all(u8::is_ascii_hexdigit);
    digits <= DIGITS && !(hex && digits > 0 && digits < bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(value: Value<'_>) -> Option<String> {
        few(&value).map(|text| text.as_str().to_owned())
    }

    #[test]
    fn codes_are_taken_and_ids_are_not() {
        for text in [
            "ECONNREFUSED",
            "23505",
            "E1042",
            "timeout",
            "ERR-7",
            "not found",
        ] {
            assert_eq!(code(Value::from_word(text)).as_deref(), Some(text));
        }
        assert_eq!(code(Value::Bool(true)).as_deref(), Some("true"));
        for text in ["", "a3f9c1", "9f8b7c6d5e4a3b2c", "user-1234567", "1234567"] {
            assert_eq!(code(Value::Text(text.into())), None, "{text}");
        }
        assert_eq!(code(Value::Int(100_000)), None);
        assert_eq!(code(Value::Int(i64::MIN)), None);
        assert_eq!(code(Value::Text("x".repeat(41).into())), None);
    }

    #[test]
    fn the_best_place_for_a_status_counts() {
        let mut found = FewValued::default();
        found.take_status(1, &Value::Int(404));
        found.take_status(1, &Value::Int(200));
        assert_eq!(found.status(), Some(404));
        found.take_status(0, &Value::Text("503".into()));
        assert_eq!(found.status(), Some(503));
        found.take_status(0, &Value::Text("failed".into()));
        assert_eq!(found.result().unwrap().as_str(), "failed");
    }
}
