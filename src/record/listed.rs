//! The fields of a record as somebody would name them who has only seen the record: for showing
//! them and for writing a watch. What an agent or the host says of where a record came from, and
//! the message, are left out. Not for every record: nothing here is fast.

use crate::record::access;
use crate::record::decode::{Item, Map};
use crate::record::document::Document;
use crate::record::http;
use crate::record::json::{Json, Members, unescape};
use crate::record::names::{self, Name};
use crate::record::path::MAX_DOTS;
use crate::record::value::Value;
use crate::record::view::View;

impl View<'_> {
    /// Calls `found` with the dotted path and the value of each scalar field, in the order of the
    /// record, then of JSON in its message, then of an access-log or `key=value` line, until
    /// `most` were found. Every path is one under which [`View::field`] finds a value.
    pub fn list_fields(&self, most: usize, found: &mut dyn FnMut(&str, &Value<'_>)) {
        let mut list = List { left: most, found };
        list.map(self.body(), "", 0);
        if let Some(otlp) = self.otlp()
            && let Some(attributes) = otlp.get("attributes").and_then(|found| found.map())
        {
            list.map(attributes, "", 0);
        }
        let Some(document) = self.document() else {
            return list.text(self.line());
        };
        list.document(document, self.line());
        if let Some(raw) = document.message_text(self.line()) {
            list.text(&unescape(raw));
        }
    }
}

struct List<'f> {
    left: usize,
    found: &'f mut dyn FnMut(&str, &Value<'_>),
}

impl List<'_> {
    fn tell(&mut self, path: &str, value: &Value<'_>) {
        if self.left > 0 && !path.is_empty() {
            self.left -= 1;
            (self.found)(path, value);
        }
    }

    fn map(&mut self, map: Map<'_>, prefix: &str, depth: usize) {
        for (name, item) in map.iter() {
            let Ok(name) = std::str::from_utf8(name) else {
                continue;
            };
            if self.left == 0 || (depth == 0 && is_unlisted(name)) {
                continue;
            }
            let path = join(prefix, name);
            match item {
                Item::Map(inner) if depth < MAX_DOTS => self.map(inner, &path, depth + 1),
                Item::Map(_) | Item::Array(_) | Item::Ext(..) => {}
                scalar => self.tell(&path, &Value::from_item(scalar)),
            }
        }
    }

    fn document(&mut self, document: &Document, text: &str) {
        if let Some(members) = Members::whole(text) {
            self.members(members, "", 0);
        }
        if let Some(inner) = &document.inner {
            self.document(&inner.document, &inner.text);
        }
    }

    fn members(&mut self, members: Members<'_>, prefix: &str, depth: usize) {
        for (name, value) in members {
            if self.left == 0 || (depth == 0 && is_unlisted(name)) {
                continue;
            }
            let path = join(prefix, name);
            match value {
                Json::Object(inner) if depth < MAX_DOTS => self.members(inner, &path, depth + 1),
                Json::Object(_) | Json::Array(_) => {}
                scalar => self.tell(&path, &scalar.value()),
            }
        }
    }

    fn text(&mut self, line: &str) {
        let requests = access::may_be_request(line);
        if let Some(status) = requests.then(|| access::http_status(line)).flatten() {
            self.tell(http::HTTP_STATUS, &Value::Int(status));
        }
        access::each(line, requests, |name, value| self.tell(name, &value));
    }
}

fn join(prefix: &str, name: &str) -> String {
    match prefix {
        "" => name.to_owned(),
        prefix => format!("{prefix}.{name}"),
    }
}

/// Names under which the message stands, or what an agent says of where it came from.
fn is_unlisted(name: &str) -> bool {
    match names::of(name.as_bytes()) {
        Name::Text { .. } | Name::Stack(_) | Name::Stream | Name::Source | Name::Host(_) => true,
        Name::Other
        | Name::Error
        | Name::Exception
        | Name::Err
        | Name::Holder
        | Name::Level
        | Name::Status(_)
        | Name::Answer
        | Name::Result
        | Name::Code
        | Name::Kind
        | Name::Reason => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Timestamp;
    use crate::record::encode::{self, Layout};
    use crate::record::{Event, Events, View};

    fn listed(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut bytes = Vec::new();
        encode::record(&mut bytes, Layout::New, Timestamp(0), fields);
        let Some(Ok(Event::Record(record))) = Events::new(&bytes).next() else {
            panic!("no record");
        };
        let view = View::new("app", record);
        let mut all = Vec::new();
        view.list_fields(8, &mut |path, value| {
            assert_eq!(view.field(path).as_ref(), Some(value), "{path}");
            let text = value.borrowed().into_text().unwrap_or_default();
            all.push((path.to_owned(), text.into_owned()));
        });
        all
    }

    fn names(fields: &[(&str, &str)]) -> Vec<String> {
        listed(fields).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn fields_are_listed_as_a_watch_would_name_them() {
        let record = [
            (
                "log",
                r#"{"msg":"paid","result":"declined","card":{"brand":"visa"},"n":[1]}"#,
            ),
            ("container_name", "/app"),
            ("source", "stdout"),
            ("region", "eu"),
        ];
        assert_eq!(names(&record), ["region", "result", "card.brand"]);
        let access = r#"10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /x HTTP/1.1" 502 12"#;
        let found = listed(&[("log", access)]);
        assert!(
            found.contains(&("status".to_owned(), "502".to_owned())),
            "{found:?}"
        );
        assert_eq!(names(&[("log", "level=error took=3ms")]), ["level", "took"]);
    }

    #[test]
    fn no_more_are_listed_than_asked_for() {
        let text = (0..50).map(|n| format!("k{n}={n} ")).collect::<String>();
        assert_eq!(names(&[("log", &text)]).len(), 8);
    }
}
