//! Strict reading of untrusted JSON, field by field: everything that is wrong is collected with
//! its place, up to a bound, and a field that nobody asked for is wrong too. Knows no answer.

use super::Complaints;
use serde_json::{Map, Value as Json};

/// Most complaints that are kept; one more says that there are others.
const MOST: usize = 20;
/// Depth to which texts are counted; what is deeper is refused where it stands.
const DEEP: usize = 8;

/// What was found wrong so far.
pub(super) struct Fields {
    complaints: Vec<String>,
    more: usize,
}

impl Fields {
    pub(super) fn new(input: &Json, longest: usize) -> Fields {
        let mut fields = Fields {
            complaints: Vec::new(),
            more: 0,
        };
        let bytes = bytes(input, 0);
        if bytes > longest {
            fields.complain(format!(
                "the answer has {bytes} bytes of text; give at most {longest}"
            ));
        }
        fields
    }

    fn complain(&mut self, what: String) {
        if self.complaints.len() < MOST {
            self.complaints.push(what);
        } else {
            self.more += 1;
        }
    }

    /// The outermost object; `None` where it is none, or too long to be looked at.
    pub(super) fn whole<'a>(&mut self, input: &'a Json) -> Option<Object<'a>> {
        if !self.complaints.is_empty() {
            return None;
        }
        Object::open(self, input, "")
    }

    pub(super) fn complaints(mut self) -> Complaints {
        if self.more > 0 {
            self.complaints
                .push(format!("and {} more of the kind", self.more));
        }
        Complaints(self.complaints)
    }

    pub(super) fn end<T>(self, read: T) -> Result<T, Complaints> {
        if self.complaints.is_empty() {
            Ok(read)
        } else {
            Err(self.complaints())
        }
    }
}

/// Bytes of all texts and names.
fn bytes(json: &Json, depth: usize) -> usize {
    match json {
        Json::String(text) => text.len(),
        Json::Array(list) if depth < DEEP => list.iter().map(|one| 1 + bytes(one, depth + 1)).sum(),
        Json::Object(map) if depth < DEEP => map
            .iter()
            .map(|(name, one)| name.len() + bytes(one, depth + 1))
            .sum(),
        Json::Array(_) | Json::Object(_) | Json::Null | Json::Bool(_) | Json::Number(_) => 0,
    }
}

/// One object that is being read, and which of its fields were asked for.
pub(super) struct Object<'a> {
    map: &'a Map<String, Json>,
    place: String,
    asked: Vec<&'static str>,
}

type Item<T> = fn(&mut Fields, &Json, &str) -> Option<T>;

impl<'a> Object<'a> {
    pub(super) fn open(fields: &mut Fields, json: &'a Json, place: &str) -> Option<Object<'a>> {
        let Json::Object(map) = json else {
            let what = if place.is_empty() {
                "the answer"
            } else {
                place
            };
            fields.complain(format!("{what} is {}; give an object", kind(json)));
            return None;
        };
        Some(Object {
            map,
            place: place.to_owned(),
            asked: Vec::new(),
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    fn at(&self, name: &str) -> String {
        if self.place.is_empty() {
            format!("`{name}`")
        } else {
            format!("{} `{name}`", self.place)
        }
    }

    fn take(&mut self, name: &'static str) -> Option<&'a Json> {
        self.asked.push(name);
        self.map.get(name).filter(|json| !json.is_null())
    }

    /// A text that says something.
    pub(super) fn text(
        &mut self,
        fields: &mut Fields,
        name: &'static str,
        longest: usize,
    ) -> String {
        self.exact(fields, name, longest, false).trim().to_owned()
    }

    /// A text as it is. `blank`: whether it may hold nothing but blanks.
    pub(super) fn exact(
        &mut self,
        fields: &mut Fields,
        name: &'static str,
        longest: usize,
        blank: bool,
    ) -> String {
        let at = self.at(name);
        match self.take(name) {
            None => fields.complain(format!("{at} is missing; give a text")),
            Some(Json::String(text)) if text.len() > longest => fields.complain(format!(
                "{at} has {} bytes; give at most {longest}",
                text.len()
            )),
            Some(Json::String(text)) if !blank && text.trim().is_empty() => {
                fields.complain(format!("{at} is empty; give a text"));
            }
            Some(Json::String(text)) => return text.clone(),
            Some(other) => fields.complain(format!("{at} is {}; give a text", kind(other))),
        }
        String::new()
    }

    pub(super) fn optional_text(
        &mut self,
        fields: &mut Fields,
        name: &'static str,
        longest: usize,
    ) -> Option<String> {
        if self.map.get(name).is_none_or(Json::is_null) {
            self.asked.push(name);
            return None;
        }
        let text = self.exact(fields, name, longest, true);
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A number from 0 to 1.
    pub(super) fn share(&mut self, fields: &mut Fields, name: &'static str) -> f64 {
        let at = self.at(name);
        match self.take(name).and_then(Json::as_f64) {
            Some(number) if (0.0..=1.0).contains(&number) => return number,
            Some(_) | None => fields.complain(format!("{at} must be a number from 0 to 1")),
        }
        0.0
    }

    /// The number of a line.
    pub(super) fn line(&mut self, fields: &mut Fields, name: &'static str) -> u32 {
        let at = self.at(name);
        let number = self.take(name).and_then(Json::as_u64);
        match number.and_then(|number| u32::try_from(number).ok()) {
            Some(number) if number > 0 => return number,
            Some(_) | None => fields.complain(format!("{at} must be the number of a line, from 1")),
        }
        1
    }

    pub(super) fn list<T>(
        &mut self,
        fields: &mut Fields,
        name: &'static str,
        least: usize,
        most: usize,
        item: Item<T>,
    ) -> Vec<T> {
        let at = self.at(name);
        let list = match self.take(name) {
            Some(Json::Array(list)) => list,
            Some(other) => {
                fields.complain(format!("{at} is {}; give a list", kind(other)));
                return Vec::new();
            }
            None => {
                if least > 0 {
                    fields.complain(format!("{at} is missing; give a list"));
                }
                return Vec::new();
            }
        };
        if list.len() < least {
            fields.complain(format!("{at} is empty; give at least {least}"));
        }
        if list.len() > most {
            fields.complain(format!(
                "{at} has {} entries; give at most {most}",
                list.len()
            ));
            return Vec::new();
        }
        let each = list.iter().enumerate();
        each.filter_map(|(number, one)| item(fields, one, &format!("{at}[{number}]")))
            .collect()
    }

    pub(super) fn optional_list<T>(
        &mut self,
        fields: &mut Fields,
        name: &'static str,
        most: usize,
        item: Item<T>,
    ) -> Vec<T> {
        self.list(fields, name, 0, most, item)
    }

    /// Complains about fields that nobody asked for.
    pub(super) fn end(self, fields: &mut Fields) {
        for name in self.map.keys() {
            if !self.asked.contains(&name.as_str()) {
                let shown: String = name.chars().take(40).collect();
                let at = self.at(&shown.escape_debug().to_string());
                let known = self.asked.join(", ");
                fields.complain(format!("{at} is no field here; there are: {known}"));
            }
        }
    }
}

/// A text in a list.
pub(super) fn item(fields: &mut Fields, json: &Json, place: &str) -> Option<String> {
    match json {
        Json::String(text) if text.len() > super::QUOTE => {
            let most = super::QUOTE;
            fields.complain(format!(
                "{place} has {} bytes; give at most {most}",
                text.len()
            ));
            None
        }
        Json::String(text) if text.trim().is_empty() => {
            fields.complain(format!("{place} is empty; give a text or leave it out"));
            None
        }
        Json::String(text) => Some(text.trim().to_owned()),
        other => {
            fields.complain(format!("{place} is {}; give a text", kind(other)));
            None
        }
    }
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
