//! Failure events of platforms, out of a record's own map: what the body of a webhook says, or an
//! input that reads a platform's events. What is read is a few words and numbers; text of the sender
//! goes nowhere. Whether a record may be read so is not decided here: whoever asks knows that its tag
//! is declared for a service.
//!
//! A normal end gives nothing, and so does what is not understood.

mod ecs;
mod fly;
mod generic;
mod kubernetes;
mod presented;

pub use presented::{Presented, SECRET_FIELD};

use crate::model::Timestamp;
use crate::model::recovery::{Exit, FactKind};
use crate::record::decode::{Item, Map};
use crate::record::value::Value;
use crate::record::view::View;
use crate::record::{path, stamp};

/// Failures read of one record: a machine tells of several ends.
pub const MOST: usize = 20;
/// Longest id that is taken, in bytes.
const ID_BYTES: usize = 200;
/// Times before the year 2001 are none, in seconds.
const EARLIEST: i64 = 978_307_200;
/// Items of one list that are looked at.
const LISTED: usize = 50;

/// One failure of a service, in words of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FactKind,
    /// The platform's own id of the machine, task or pod; empty where it is about the whole service.
    pub instance: String,
    /// When it happened; `None`: the event does not say.
    pub at: Option<Timestamp>,
    pub release: Option<String>,
    /// What happened, with the platform's numbers: `exit status 1`.
    pub text: String,
}

/// The failures that a record tells of.
pub fn read(view: &View<'_>) -> Vec<Failure> {
    let event = Fields {
        map: view.body(),
        near: view.time(),
    };
    let mut found = ecs::read(&event);
    for form in [kubernetes::read, fly::read, generic::read] {
        if found.is_empty() {
            found = form(&event);
        }
    }
    found.truncate(MOST);
    found
}

/// The fields of a record or of a map in it.
#[derive(Clone, Copy)]
struct Fields<'a> {
    map: Map<'a>,
    /// The record's time: times without a year are near it.
    near: Timestamp,
}

impl<'a> Fields<'a> {
    /// The value under a dotted path.
    fn item(&self, path: &str) -> Option<Item<'a>> {
        path::in_map(self.map, path)
    }

    /// A text that is compared with words or taken as an id; longer ones are none.
    fn text(&self, path: &str) -> Option<&'a str> {
        self.item(path)?.text().filter(|text| text.len() <= 4 << 10)
    }

    fn int(&self, path: &str) -> Option<i64> {
        Value::from_item(self.item(path)?).as_int()
    }

    fn truth(&self, path: &str) -> bool {
        self.item(path) == Some(Item::Bool(true))
    }

    /// The map under a path.
    fn inside(&self, path: &str) -> Option<Fields<'a>> {
        let map = self.item(path)?.map()?;
        Some(Fields { map, ..*self })
    }

    /// The maps of a list under a path.
    fn list(&self, path: &str) -> impl Iterator<Item = Fields<'a>> + use<'a> {
        let near = self.near;
        let items = match self.item(path) {
            Some(Item::Array(items)) => items.iter().take(LISTED),
            Some(_) | None => crate::record::decode::Array::default().iter().take(0),
        };
        items.filter_map(move |item| item.map().map(|map| Fields { map, near }))
    }

    /// A written time or an epoch number. Platforms write the year 1 where there is none.
    fn time(&self, path: &str) -> Option<Timestamp> {
        self.any_time(path).filter(|at| at.seconds() > EARLIEST)
    }

    fn any_time(&self, path: &str) -> Option<Timestamp> {
        match Value::from_item(self.item(path)?) {
            Value::Int(number) => stamp::of_number(number as f64),
            Value::Unsigned(number) => stamp::of_number(number as f64),
            Value::Float(number) => stamp::of_number(number),
            Value::Text(text) if text.len() <= 64 => {
                Timestamp::parse_rfc3339(text.trim()).or_else(|| stamp::of_text(&text, self.near))
            }
            Value::Text(_) | Value::Null | Value::Bool(_) | Value::Nested => None,
        }
    }

    /// An id under a path; `None` where there is none or one that is not safe.
    fn id(&self, path: &str) -> Option<String> {
        let text = self.text(path)?;
        is_safe(text).then(|| text.to_owned())
    }
}

/// Whether a text can be an id: it is shown to people and models, and compared with those that the
/// platform's own interface gives.
fn is_safe(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-@+".contains(&byte);
    !text.is_empty() && text.len() <= ID_BYTES && text.bytes().all(good)
}

/// How a process ended, as the numbers say it; `None` where that is no failure.
fn ended(code: Option<i64>, signal: Option<i64>, oom: bool) -> Option<(FactKind, String)> {
    // Platforms write -1 or 0 where there was no signal.
    let signal = signal.and_then(|number| i32::try_from(number).ok().filter(|n| *n > 0));
    let exit = Exit {
        at: Timestamp::default(),
        code: code.and_then(|code| i32::try_from(code).ok()),
        signal,
        oom,
        wanted: false,
    };
    if !exit.is_crash() {
        return None;
    }
    let kind = match (exit.oom, exit.code, exit.signal) {
        (true, _, _) => FactKind::Oom,
        (false, None, None) => FactKind::Exit,
        (false, _, _) => FactKind::Crash,
    };
    Some((kind, exit.to_string()))
}

#[cfg(test)]
mod tests;
