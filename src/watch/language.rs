//! The match language, checked and ready to run: what a watch asks of one record.
//! Not here: reading it from JSON (`parse`), counting (`window`).

use super::fields::{Fields, Value};
use super::memo::Memo;
use super::number::{equal, order, text};
use super::pattern::Pattern;
use crate::model::{Level, TemplateId};
use std::borrow::Cow;
use std::cmp::Ordering;

/// The path of the message, whatever key the record keeps it under.
pub const MESSAGE: &str = "message";

/// What one record must be like. A test on a field that is not there fails, except
/// `Exists(false)`.
#[derive(Clone, Debug)]
pub enum Match {
    All(Vec<Match>),
    Any(Vec<Match>),
    Not(Box<Match>),
    /// The record's own level is this or worse.
    Level(Level),
    /// The record's message has this template.
    Template(TemplateId),
    /// One field passes every test.
    Field {
        path: String,
        tests: Vec<Test>,
    },
}

/// A comparison with a field's value. Numbers in strings count as numbers.
#[derive(Clone, Debug)]
pub enum Test {
    Equal(Operand),
    NotEqual(Operand),
    Above(Operand),
    AtLeast(Operand),
    Below(Operand),
    AtMost(Operand),
    OneOf(Vec<Operand>),
    Exists(bool),
    Contains(String),
    StartsWith(String),
    /// Linear in the length of the text.
    Pattern(Pattern),
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl Match {
    /// Whether the record is like this.
    pub fn holds(&self, record: &dyn Fields) -> bool {
        self.holds_for(&Memo::new(record))
    }

    /// The paths of all fields that it names.
    pub fn paths(&self) -> Vec<&str> {
        match self {
            Match::All(parts) | Match::Any(parts) => parts.iter().flat_map(Match::paths).collect(),
            Match::Not(part) => part.paths(),
            Match::Level(_) | Match::Template(_) => Vec::new(),
            Match::Field { path, .. } => vec![path],
        }
    }

    /// The same for one of many that are asked about a record.
    pub(super) fn holds_for<'m>(&'m self, record: &Memo<'m>) -> bool {
        match self {
            Match::All(parts) => parts.iter().all(|part| part.holds_for(record)),
            Match::Any(parts) => parts.iter().any(|part| part.holds_for(record)),
            Match::Not(part) => !part.holds_for(record),
            Match::Level(least) => record.level().is_some_and(|level| level >= *least),
            Match::Template(id) => record.template() == Some(*id),
            Match::Field { path, tests } => field_holds(path, tests, record),
        }
    }
}

fn field_holds<'m>(path: &'m str, tests: &[Test], record: &Memo<'m>) -> bool {
    // The message is asked for by name whatever key the record keeps it under.
    if path == MESSAGE {
        let value = Value::Text(Cow::Borrowed(record.message()));
        return tests.iter().all(|test| test.holds(Some(&value)));
    }
    let value = record.field(path);
    tests.iter().all(|test| test.holds(value.as_ref()))
}

impl Test {
    /// Whether the value passes; `None` is a field that is not there.
    pub fn holds(&self, value: Option<&Value<'_>>) -> bool {
        if let Test::Exists(wanted) = self {
            return value.is_some() == *wanted;
        }
        let Some(value) = value else { return false };
        match self {
            Test::Exists(_) => true,
            Test::Equal(operand) => equal(value, operand),
            Test::NotEqual(operand) => !equal(value, operand),
            Test::Above(operand) => order(value, operand) == Some(Ordering::Greater),
            Test::AtLeast(operand) => order(value, operand).is_some_and(Ordering::is_ge),
            Test::Below(operand) => order(value, operand) == Some(Ordering::Less),
            Test::AtMost(operand) => order(value, operand).is_some_and(Ordering::is_le),
            Test::OneOf(operands) => operands.iter().any(|operand| equal(value, operand)),
            Test::Contains(part) => text(value).is_some_and(|t| t.contains(part.as_str())),
            Test::StartsWith(part) => text(value).is_some_and(|t| t.starts_with(part.as_str())),
            Test::Pattern(pattern) => text(value).is_some_and(|t| pattern.is_match(&t)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(test: &Test, value: Value<'_>) -> bool {
        test.holds(Some(&value))
    }

    fn txt(text: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(text))
    }

    #[test]
    fn numbers_in_strings_are_numbers() {
        let test = Test::AtLeast(Operand::Int(500));
        assert!(holds(&test, Value::Int(500)));
        assert!(holds(&test, txt("503")));
        assert!(holds(&test, Value::Float(500.5)));
        assert!(holds(&test, Value::Unsigned(u64::MAX)));
        assert!(!holds(&test, txt("499")));
        assert!(!holds(&test, txt("99")), "not compared as text");
        assert!(!holds(&test, txt("nan")));
        assert!(!holds(&test, Value::Nested));
        assert!(holds(
            &Test::Equal(Operand::Text("7".into())),
            Value::Int(7)
        ));
        assert!(holds(
            &Test::Equal(Operand::Int(9_007_199_254_740_993)),
            Value::Int(9_007_199_254_740_993)
        ));
        assert!(!holds(
            &Test::Equal(Operand::Int(9_007_199_254_740_993)),
            Value::Int(9_007_199_254_740_992)
        ));
    }

    #[test]
    fn a_field_that_is_not_there_fails_every_test_but_exists_false() {
        for test in [
            Test::NotEqual(Operand::Int(1)),
            Test::Below(Operand::Int(1)),
            Test::Exists(true),
        ] {
            assert!(!test.holds(None), "{test:?}");
        }
        assert!(Test::Exists(false).holds(None));
        assert!(!holds(&Test::Exists(false), Value::Null));
    }

    #[test]
    fn texts_and_flags() {
        assert!(holds(&Test::Contains("time".into()), txt("a timeout")));
        assert!(!holds(&Test::StartsWith("time".into()), txt("a timeout")));
        assert!(holds(&Test::StartsWith("50".into()), Value::Int(503)));
        assert!(holds(&Test::Equal(Operand::Bool(true)), txt("true")));
        let pattern = Test::Pattern(Pattern::new("^conn.*refused$").unwrap());
        assert!(holds(&pattern, txt("connection refused")));
        let list = Test::OneOf(vec![Operand::Text("a".into()), Operand::Int(2)]);
        assert!(holds(&list, txt("a")) && holds(&list, txt("2")) && !holds(&list, txt("b")));
    }
}
