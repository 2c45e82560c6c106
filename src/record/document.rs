//! JSON in a message: one pass that remembers where message, level and stack stand in the text.
//! A message that holds JSON once more is opened once, within limits; nothing else is decoded.

use crate::model::Level;
use crate::record::facets::FewValued;
use crate::record::hash::text_hash;
use crate::record::http;
use crate::record::json::{self, Json, Members};
use crate::record::level;
use crate::record::names::{self, Name};
use crate::record::stack;
use std::borrow::Cow;
use std::ops::Range;

/// A part of a text; of texts below 4 GB, as all that a host delivers are.
type Place = Range<u32>;

/// The part of the text that a place stands for.
fn part<'t>(text: &'t str, place: &Option<Place>) -> Option<&'t str> {
    let place = place.as_ref()?;
    text.get(place.start as usize..place.end as usize)
}

/// Largest text that is unpacked out of a string and looked at as JSON again, in bytes.
const MAX_UNPACKED: usize = 1 << 20;

/// What a JSON text says, as places in that text.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    /// The raw string between its quotes.
    message: Option<Place>,
    message_rank: u8,
    pub level: Option<Level>,
    stack: Option<Place>,
    kind: Option<Place>,
    reason: Option<Place>,
    pub few: FewValued,
    /// Its members, for who looks for others; `None` where they are too many.
    passed: Option<Vec<Passed>>,
    /// JSON inside the message.
    pub inner: Option<Box<Inner>>,
}

/// A member that was passed, so that it can be found again.
#[derive(Clone, Debug)]
struct Passed {
    /// [`text_hash`] of its name.
    hash: u64,
    name: Place,
    /// Where its value begins.
    value: u32,
}

/// Members that are kept.
const MOST_PASSED: usize = 64;

/// Members that most objects have at most.
const USUAL_PASSED: usize = 16;

/// JSON that was itself a string.
#[derive(Clone, Debug)]
pub(super) struct Inner {
    pub text: String,
    pub document: Document,
}

impl Document {
    /// Looks at a text that may be a JSON object; `None` if it is not.
    pub fn of(text: &str) -> Option<Document> {
        let mut document = Document::scan(text)?;
        if let Some(raw) = part(text, &document.message) {
            document.inner = unpack(raw);
        }
        Some(document)
    }

    fn scan(text: &str) -> Option<Document> {
        // Most texts are none, and are spared the memory for members.
        if !text.trim_ascii_start().starts_with('{') {
            return None;
        }
        let mut finder = Finder {
            text,
            found: Document::default(),
            rank: u8::MAX,
            stack_rank: u8::MAX,
        };
        let mut passed = Vec::with_capacity(USUAL_PASSED);
        let known = |key: &'_ str, value: usize| {
            let hash = text_hash(key.as_bytes());
            if passed.len() < MOST_PASSED
                && let (Some(name), Ok(value)) = (place(text, key), u32::try_from(value))
            {
                passed.push(Passed { hash, name, value });
            }
            let name = names::of_hashed(key.as_bytes(), hash);
            (name != Name::Other).then_some(name)
        };
        let take = |name, key, value| finder.take(name, key, value);
        let members = json::walk(text, known, take)?;
        // The last one may have been no member.
        passed.truncate(members);
        finder.found.passed = (passed.len() == members).then_some(passed);
        (members > 0).then_some(finder.found)
    }

    /// Calls `found` with the name, its hash and the value of each member whose name's hash is
    /// `wanted`. `text` is the text that was scanned.
    pub fn each_member<'t>(
        &self,
        text: &'t str,
        wanted: impl Fn(u64) -> bool,
        mut found: impl FnMut(&'t str, u64, Json<'t>),
    ) {
        let Some(passed) = &self.passed else {
            let wanted = |name: &str, _| {
                let hash = text_hash(name.as_bytes());
                wanted(hash).then_some(hash)
            };
            json::walk(text, wanted, |hash, name, value| found(name, hash, value));
            return;
        };
        for member in passed {
            if wanted(member.hash)
                && let Some(value) = json::value_at(text, member.value as usize)
            {
                let (start, end) = (member.name.start as usize, member.name.end as usize);
                found(text.get(start..end).unwrap_or_default(), member.hash, value);
            }
        }
    }

    /// The innermost message. `text` is the text that was scanned.
    pub fn message<'t>(&'t self, text: &'t str) -> Option<Cow<'t, str>> {
        if let Some(inner) = &self.inner
            && let Some(found) = inner.document.message(&inner.text)
        {
            return Some(found);
        }
        part(text, &self.message).map(json::unescape)
    }

    /// The key of the outer message.
    pub fn message_key(&self) -> Option<&'static str> {
        self.message.as_ref()?;
        names::of_json_rank(self.message_rank)
    }

    /// The outer message without resolving escapes, for values that stand in it.
    pub fn message_text<'t>(&self, text: &'t str) -> Option<&'t str> {
        part(text, &self.message)
    }

    /// The innermost level.
    pub fn level(&self) -> Option<Level> {
        let inner = self.inner.as_ref().and_then(|inner| inner.document.level());
        inner.or(self.level)
    }

    /// The innermost stack trace, with a header line where the logger left it out.
    pub fn trace_text<'t>(&'t self, text: &'t str) -> Option<Cow<'t, str>> {
        if let Some(inner) = &self.inner
            && let Some(found) = inner.document.trace_text(&inner.text)
        {
            return Some(found);
        }
        let place = |place: &Option<Place>| part(text, place).map(json::unescape);
        let stack = stack::of_json(json::parse(part(text, &self.stack)?)?)?;
        let reason = place(&self.reason).or_else(|| place(&self.message));
        Some(stack::with_header(stack, place(&self.kind), reason))
    }
}

struct Finder<'t> {
    text: &'t str,
    found: Document,
    rank: u8,
    stack_rank: u8,
}

impl<'t> Finder<'t> {
    fn take(&mut self, name: Name, key: &'t str, value: Json<'t>) {
        match name {
            Name::Level if self.found.level.is_none() => {
                self.found.level = level::from_value(&value.value());
            }
            Name::Status(rank) => self.found.few.take_status(rank, &value.value()),
            Name::Result | Name::Code => self.found.few.take(name, &value.value()),
            Name::Answer => {
                let status = value.object().and_then(|map| http::nested_json(map, 1));
                let few = &mut self.found.few;
                status
                    .into_iter()
                    .for_each(|s| few.rank_status(http::NESTED, s));
            }
            _ => {}
        }
        if let Some(rank) = name.stack_rank() {
            self.stack(rank, value);
        }
        match value {
            Json::Str(raw) => self.string(name, raw),
            Json::Object(members) => self.object(key, members),
            Json::Null
            | Json::Bool(_)
            | Json::Int(_)
            | Json::Unsigned(_)
            | Json::Float(_)
            | Json::Array(_) => {}
        }
    }

    fn string(&mut self, name: Name, raw: &'t str) {
        let rank = name.json_message_rank();
        if let Some(rank) = rank.filter(|rank| *rank < self.rank) {
            self.rank = rank;
            self.found.message_rank = rank;
            self.found.message = self.place(raw);
        }
        match name {
            Name::Kind => self.found.kind = self.place(raw),
            Name::Reason => self.found.reason = self.place(raw),
            _ => {}
        }
    }

    /// `log: {level}`, and `err`, `error`, `exception`, `thrown`: {type, message, stack}.
    fn object(&mut self, key: &str, members: Members<'t>) {
        if matches!(key, "attributes" | "Attributes") {
            return self.attributes(members);
        }
        let is_error = matches!(key, "err" | "error" | "exception" | "thrown" | "Exception");
        if !is_error && key != "log" {
            return;
        }
        for (name, value) in members {
            if let (false, "level") = (is_error, name) {
                self.found.level = self.found.level.or(level::from_value(&value.value()));
            }
            if let (true, "code") = (is_error, name) {
                self.found.few.take(Name::Code, &value.value());
            }
            let (true, Json::Str(raw)) = (is_error, value) else {
                continue;
            };
            match name {
                "type" | "name" | "class" | "kind" | "code" => {
                    self.found.kind = self.found.kind.take().or(self.place(raw));
                }
                "message" | "msg" => self.found.reason = self.place(raw),
                _ => {}
            }
        }
        if is_error {
            self.nested_stack(members);
            if self.found.message.is_none() {
                self.found.message = self.found.reason.clone();
            }
        }
    }

    /// OpenTelemetry's names within `attributes`.
    fn attributes(&mut self, members: Members<'t>) {
        for (name, value) in members {
            match (name, value) {
                ("exception.type", Json::Str(raw)) => self.found.kind = self.place(raw),
                ("exception.message", Json::Str(raw)) => self.found.reason = self.place(raw),
                ("exception.stacktrace", value) => self.stack(2, value),
                _ => {}
            }
        }
    }

    fn nested_stack(&mut self, members: Members<'t>) {
        for (name, value) in members {
            if let Some(rank) = names::of(name.as_bytes()).stack_rank() {
                self.stack(rank, value);
            }
        }
    }

    fn stack(&mut self, rank: u8, value: Json<'t>) {
        if rank < self.stack_rank && stack::of_json(value).is_some() {
            self.stack_rank = rank;
            self.found.stack = match value {
                // With its quotes, so that it is read as the same value again.
                Json::Str(raw) => self
                    .place(raw)
                    .map(|place| place.start.saturating_sub(1)..place.end + 1),
                Json::Array(elements) => self
                    .place(elements.raw())
                    .map(|place| place.start.saturating_sub(1)..place.end),
                _ => None,
            };
        }
    }

    fn place(&self, part: &str) -> Option<Place> {
        place(self.text, part)
    }
}

/// Where a part of a text stands in it.
fn place(text: &str, part: &str) -> Option<Place> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start + part.len();
    (end <= text.len()).then_some(())?;
    Some(u32::try_from(start).ok()?..u32::try_from(end).ok()?)
}

/// Opens a message that is JSON once more.
fn unpack(raw: &str) -> Option<Box<Inner>> {
    let begins = raw.trim_ascii_start().starts_with('{');
    if !begins || raw.len() > MAX_UNPACKED {
        return None;
    }
    let text = json::unescape(raw).into_owned();
    let document = Document::scan(&text)?;
    Some(Box::new(Inner { text, document }))
}

/// A line that is a JSON string, or JSON with its quotes still escaped, as the text it stands for.
pub(super) fn decode_line(line: &str) -> Option<String> {
    let text = line.trim_ascii();
    if text.len() > MAX_UNPACKED {
        return None;
    }
    let raw = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => text,
    };
    if !raw.starts_with("{\\\"") {
        return None;
    }
    let decoded = json::unescape(raw).into_owned();
    Members::whole(&decoded)?;
    Some(decoded)
}
