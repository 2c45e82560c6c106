//! A tool's input, which a model wrote: any JSON at all. What fits the tool's fields is read,
//! everything that does not is said at once.

use super::schema::{Field, Form};
use super::{Failed, Redacted, Scope};
use crate::source::RepoPath;
use serde_json::{Map, Value};

/// Longest text of a field, in bytes.
const LONGEST: usize = 2_000;
/// Complaints about fields that do not exist.
const STRANGE: usize = 5;

/// Fields that were checked for their form.
#[derive(Debug)]
pub(super) struct Input<'v> {
    given: &'v Map<String, Value>,
}

impl<'v> Input<'v> {
    /// # Errors
    /// Every complaint at once, each with its remedy.
    pub(super) fn read(
        value: &'v Value,
        fields: &[Field],
        scope: &mut Scope,
    ) -> Result<Input<'v>, Redacted> {
        let Value::Object(given) = value else {
            return Err(Redacted::own("the input is no JSON object; give one"));
        };
        let mut wrong: Vec<Redacted> = Vec::new();
        for field in fields {
            let name = || Redacted::own(field.name);
            match given.get(field.name) {
                None | Some(Value::Null) if field.needed => {
                    wrong.push(say(&name(), " is missing; give it"));
                }
                None | Some(Value::Null) => {}
                Some(value) => {
                    if let Some(why) = unfit(value, field.form) {
                        wrong.push(say(&name(), why));
                    }
                }
            }
        }
        let strange = given
            .keys()
            .filter(|key| !fields.iter().any(|field| field.name == key.as_str()));
        for key in strange.take(STRANGE) {
            let name = scope.text(key.get(..key.floor_char_boundary(60)).unwrap_or_default());
            let why = " is no field of this tool; leave it out";
            wrong.push(say(&name.quoted(60, 60), why));
        }
        match wrong.is_empty() {
            true => Ok(Input { given }),
            false => Err(together(&wrong)),
        }
    }

    /// The text of a field; `None` where it was left out or is empty.
    pub(super) fn text(&self, name: &str) -> Option<&'v str> {
        let text = self.given.get(name)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// The number of a line.
    pub(super) fn line(&self, name: &str) -> Option<u32> {
        self.given.get(name).and_then(line)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.given.get(name).and_then(Value::as_bool) == Some(true)
    }

    /// A path, checked.
    pub(super) fn path(&self, name: &str) -> Result<RepoPath, Failed> {
        RepoPath::parse(self.text(name).unwrap_or_default()).map_err(Failed::from)
    }
}

fn unfit(value: &Value, form: Form) -> Option<&'static str> {
    match (form, value) {
        (Form::Text, Value::String(text)) if text.len() > LONGEST => {
            Some(" is longer than 2000 bytes; give less")
        }
        (Form::Text, Value::String(_)) | (Form::Flag, Value::Bool(_)) => None,
        (Form::Text, _) => Some(" is no string; give one"),
        (Form::Flag, _) => Some(" is neither true nor false; give one of them"),
        (Form::Line, value) => line(value)
            .is_none()
            .then_some(" is no whole number from 1; give one"),
    }
}

/// A line's number, also as a string or a float, as some models write it.
fn line(value: &Value) -> Option<u32> {
    let number = match value {
        Value::String(digits) => digits.trim().parse().ok()?,
        Value::Number(number) => match number.as_u64() {
            Some(number) => number,
            None => {
                let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
                (1.0..=4e9).contains(&float).then_some(float as u64)?
            }
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    u32::try_from(number).ok().filter(|number| *number > 0)
}

fn say(name: &Redacted, why: &'static str) -> Redacted {
    Redacted::join(&[name.into(), why.into()])
}

fn together(wrong: &[Redacted]) -> Redacted {
    let mut all = Redacted::default();
    for (at, one) in wrong.iter().enumerate() {
        if at > 0 {
            all.push(". ");
        }
        all.push(one);
    }
    all
}
