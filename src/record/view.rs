//! A record as the rest of autofix reads it, whatever agent shaped it: message, level, stream,
//! identity, fields. Borrows from the chunk and allocates only where text must change (colours,
//! escapes, invalid UTF-8). It decides nothing about what a record means for a service.

use crate::model::facets::SmallText;
use crate::model::{Facets, Level, Timestamp};
use crate::record::access;
use crate::record::ansi;
use crate::record::clean::{clean, clean_text, head};
use crate::record::decode::{Group, Item, Map, Record};
use crate::record::document::Document;
use crate::record::facets::FewValued;
use crate::record::http;
use crate::record::identity::{self, Identity, Source};
use crate::record::json::{Members, unescape};
use crate::record::keys::Keys;
use crate::record::level;
use crate::record::pairs::{self, Pair, Pairs};
use crate::record::partial::Part;
use crate::record::path;
use crate::record::side::Side;
use crate::record::stack;
use crate::record::value::Value;
use crate::record::wrapped::{self, Wrapped};
use std::borrow::Cow;
use std::cell::OnceCell;

/// Longest name of a stream for people, in bytes.
const MAX_STREAM_NAME: usize = 200;

/// One record, read.
#[derive(Clone, Debug)]
pub struct View<'a> {
    tag: &'a str,
    record: Record<'a>,
    /// Those of the record's body, all or some.
    pairs: &'a [Pair<'a>],
    otlp: Option<Map<'a>>,
    keys: Keys<'a>,
    identity: OnceCell<Identity<'a>>,
    side: Side,
    part: Part<'a>,
    /// The bytes of a part, not yet cleaned, to be joined with others.
    piece: Cow<'a, [u8]>,
    line: Cow<'a, str>,
    cut: bool,
    /// The line begins as a JSON object does.
    braced: bool,
    document: OnceCell<Option<Document>>,
    level: OnceCell<Option<Level>>,
    stream: OnceCell<u64>,
}

impl<'a> View<'a> {
    /// Reads a record that came under `tag`.
    pub fn new(tag: &'a str, record: Record<'a>) -> View<'a> {
        View::read(tag, record, &[])
    }

    /// The same with the pairs that [`Events::next_with`](crate::record::Events::next_with) kept
    /// of this very record.
    pub fn with_pairs(tag: &'a str, record: Record<'a>, pairs: &'a Pairs<'a>) -> View<'a> {
        View::read(tag, record, pairs.all())
    }

    #[inline]
    fn read(tag: &'a str, record: Record<'a>, pairs: &'a [Pair<'a>]) -> View<'a> {
        let mut view = View {
            tag,
            record,
            pairs,
            otlp: None,
            keys: Keys::default(),
            identity: OnceCell::new(),
            side: Side::Unknown,
            part: Part::Whole,
            piece: Cow::Borrowed(&[]),
            line: Cow::Borrowed(""),
            cut: false,
            braced: false,
            document: OnceCell::new(),
            level: OnceCell::new(),
            stream: OnceCell::new(),
        };
        view.keys.read(pairs, record.body);
        view.otlp = record
            .metadata
            .filter(|metadata| !metadata.is_empty())
            .and_then(|metadata| metadata.get("otlp")?.map());
        view.side = side(&view.keys);
        view.part = Part::of(&view.keys);
        view.read_message(view.keys.message.unwrap_or_default());
        view
    }

    /// The group that is open, where it is OpenTelemetry's.
    fn otlp_group(&self) -> Option<Group<'a>> {
        self.record.group.filter(|group| {
            let schema = group.metadata.get("schema");
            schema.and_then(|schema| schema.text()) == Some("otlp")
        })
    }

    fn read_message(&mut self, bytes: &'a [u8]) {
        let mut text = Cow::Borrowed(bytes);
        // Whoever says which side a line came from has taken it out of the engine's file already.
        if self.side == Side::Unknown
            && self.may_be_wrapped()
            && let Some(inner) = wrapped::unwrap(bytes)
        {
            text = self.take_wrapped(inner);
        }
        self.line = clean(text.clone());
        self.braced = is_braced(&self.line);
        if self.part.is_part() {
            self.piece = text;
        }
    }

    fn may_be_wrapped(&self) -> bool {
        !self.keys.journald && self.otlp.is_none() && self.part == Part::Whole
    }

    fn take_wrapped(&mut self, inner: Wrapped<'a>) -> Cow<'a, [u8]> {
        self.side = inner.side;
        self.part = Part::of_wrapped(&inner);
        inner.text
    }

    /// The same record with another line in it: parts that were put together.
    pub(super) fn with_text(mut self, text: &'a [u8], side: Side, cut: bool) -> View<'a> {
        self.line = clean(Cow::Borrowed(text));
        self.braced = is_braced(&self.line);
        self.side = side;
        self.part = Part::Whole;
        self.piece = Cow::Borrowed(&[]);
        self.cut = cut;
        self.document = OnceCell::new();
        self.level = OnceCell::new();
        self.stream = OnceCell::new();
        self
    }

    pub fn tag(&self) -> &'a str {
        self.tag
    }

    /// Event time: the host's record time.
    pub fn time(&self) -> Timestamp {
        self.record.time
    }

    /// The record's own fields.
    pub fn body(&self) -> Map<'a> {
        self.record.body
    }

    /// Calls `take` with each of the record's own keys and its value.
    #[inline]
    pub(super) fn each_pair(&self, take: impl FnMut(&Pair<'a>)) {
        pairs::each(self.pairs, self.record.body, take);
    }

    /// The record's own keys in order, each with its value. Keys that are not text come as empty
    /// bytes, and keys may repeat: the first of a name is what [`View::field`] gives.
    pub fn each_key(&self) -> impl Iterator<Item = (&'a [u8], Item<'a>)> + use<'a> {
        self.record.body.iter()
    }

    /// The members of the JSON object that the line is, keys as written; `None` where it is none.
    pub fn json(&self) -> Option<Members<'_>> {
        self.document()?;
        Members::whole(&self.line)
    }

    /// The line as the program wrote it: out of its container engine's wrapping, without colours
    /// and without the newline at its end. May be JSON, and may hold newlines.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// What the program said: the message inside a JSON line, else the line.
    pub fn message(&self) -> Cow<'_, str> {
        let document = self.document();
        let inside = document.and_then(|document| document.message(&self.line));
        match inside {
            Some(Cow::Borrowed(text)) => clean_text(text),
            Some(Cow::Owned(text)) => Cow::Owned(clean_text(&text).into_owned()),
            None => Cow::Borrowed(&self.line),
        }
    }

    /// Whether a limit cut parts of the line.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// How severe the record says it is: a level field, else JSON in the message, else the level
    /// word at the start of the line, else what the platform assumed.
    pub fn level(&self) -> Option<Level> {
        *self.level.get_or_init(|| self.find_level())
    }

    fn find_level(&self) -> Option<Level> {
        self.otlp_level()
            .or_else(|| self.record_level())
            .or_else(|| self.document().and_then(Document::level))
            .or_else(|| level::from_text(&self.message()))
            .or_else(|| self.assumed_level())
    }

    fn otlp_level(&self) -> Option<Level> {
        let otlp = self.otlp?;
        let number = otlp.get("severity_number").map(Value::from_item);
        let number = number.and_then(|number| Level::from_otlp(number.as_int()?));
        let text = || level::from_value(&Value::from_item(otlp.get("severity_text")?));
        number.or_else(text)
    }

    /// Level keys of the record. Journald's priority counts here where the program set it, which
    /// a container's output never does.
    fn record_level(&self) -> Option<Level> {
        let own = self.keys.level.and_then(level::from_item);
        own.or_else(|| {
            let logged = matches!(
                self.keys.transport,
                Some(b"journal" | b"syslog" | b"kernel")
            );
            let own = logged && self.identity().container.is_none();
            self.keys.priority().filter(|_| own)
        })
    }

    /// What a platform sets without reading the line: journald's priority of an output, fly's
    /// level. Below a warning it only says that nobody looked.
    fn assumed_level(&self) -> Option<Level> {
        let assumed = self.keys.assumed_level.and_then(level::from_item);
        let level = assumed.or_else(|| self.keys.priority());
        level.filter(|level| *level >= Level::Warn)
    }

    /// stdout or stderr, where the agent says so.
    pub fn side(&self) -> Side {
        self.side
    }

    /// One number for tag, container and side. Lines of two containers never share it, and only
    /// what the host set goes into it.
    pub fn stream_key(&self) -> u64 {
        let side = self.side.word();
        *self.stream.get_or_init(|| {
            let otlp = self.otlp.is_some() || self.otlp_group().is_some();
            let plain = || identity::plain_stream_key(self.tag, &self.keys, side);
            let plain = (!otlp).then(plain).flatten();
            plain.unwrap_or_else(|| self.identity().stream_key(self.tag, side))
        })
    }

    /// The stream for people: tag, container and side, bounded.
    pub fn stream_name(&self) -> String {
        let who = self.identity();
        let place = who.container.or(who.pod).or(who.unit).or(who.fly_app);
        let parts = [
            Some(self.tag),
            place,
            who.fly_instance,
            Some(self.side.word()),
        ];
        let known: Vec<&str> = parts
            .into_iter()
            .flatten()
            .filter(|p| !p.is_empty())
            .collect();
        head(&known.join("/"), MAX_STREAM_NAME).to_owned()
    }

    /// The container's own name, where the host gives one.
    pub fn container(&self) -> Option<&'a str> {
        self.identity().container
    }

    /// The names that the host set.
    pub fn identity(&self) -> &Identity<'a> {
        self.identity.get_or_init(|| {
            let group = self.otlp_group();
            let source = if self.otlp.is_some() || group.is_some() {
                Source::Otlp(group)
            } else {
                Source::Host
            };
            Identity::of(self.tag, &self.keys, self.record.body, source)
        })
    }

    /// Whether the line is a part of a longer one; see [`crate::record::partial::Joiner`].
    pub fn part(&self) -> Part<'a> {
        self.part
    }

    /// The bytes of a part, as they must be joined.
    pub(super) fn piece(&self) -> &[u8] {
        match &self.piece {
            piece if piece.is_empty() => self.line.as_bytes(),
            piece => piece,
        }
    }

    /// A stack trace in a field of its own: of the record, of OpenTelemetry's attributes, or of
    /// JSON in the message. Not one in the message itself.
    pub fn trace_text(&self) -> Option<Cow<'_, str>> {
        let found = self
            .record_trace()
            .or_else(|| self.otlp_trace())
            .or_else(|| self.document()?.trace_text(&self.line))?;
        Some(match found {
            Cow::Borrowed(text) => ansi::strip(text),
            Cow::Owned(text) => Cow::Owned(ansi::strip(&text).into_owned()),
        })
    }

    fn record_trace(&self) -> Option<Cow<'a, str>> {
        if !self.keys.has_stack {
            return None;
        }
        let body = self.record.body;
        let nested = |key| stack::of_map(body.get(key)?.map()?);
        let stack = stack::of_map(body).or_else(|| stack::HOLDERS.into_iter().find_map(nested))?;
        let text = |path| {
            path::in_map(body, path)?
                .bytes()
                .map(String::from_utf8_lossy)
        };
        let kind = ["error.type", "err.type", "errorType"]
            .into_iter()
            .find_map(text);
        let reason = text("error.message").or_else(|| text("err.message"));
        let message = || self.keys.message.map(String::from_utf8_lossy);
        Some(stack::with_header(stack, kind, reason.or_else(message)))
    }

    fn otlp_trace(&self) -> Option<Cow<'a, str>> {
        let attributes = self.otlp?.get("attributes")?.map()?;
        let text = |key| attributes.get(key)?.bytes().map(String::from_utf8_lossy);
        let stack = text("exception.stacktrace")?;
        let (kind, reason) = (text("exception.type"), text("exception.message"));
        Some(stack::with_header(stack, kind, reason))
    }

    /// A field by its dotted path: of the record (OpenTelemetry's attributes included), else of
    /// JSON inside the message, else a value of an access-log or logfmt line (`method`, `path`,
    /// `status`, `bytes`, or any `key=value`). [`http::HTTP_STATUS`] is the status of an HTTP
    /// answer under any of the names that loggers give it.
    pub fn field(&self, path: &str) -> Option<Value<'_>> {
        if path == http::HTTP_STATUS {
            return self.http_status().map(Value::Int);
        }
        if let Some(found) = path::in_map(self.record.body, path) {
            return Some(Value::from_item(found));
        }
        if let Some(found) = self.otlp_field(path) {
            return Some(found);
        }
        match self.document() {
            Some(document) => self.document_field(document, path),
            None => access::field(&self.line, path),
        }
    }

    fn http_status(&self) -> Option<i64> {
        self.field_status().or_else(|| match self.document() {
            None => access::http_status(&self.line),
            Some(document) => access::http_status(&unescape(document.message_text(&self.line)?)),
        })
    }

    /// The status of an HTTP answer in a field: of the record, or of JSON in the line.
    pub(super) fn field_status(&self) -> Option<i64> {
        let attributes = || self.otlp?.get("attributes")?.map().and_then(http::in_map);
        let outer = || self.document()?.few.status();
        let inner = || self.document()?.inner.as_ref()?.document.few.status();
        let own = self.keys.few.status().or_else(attributes);
        own.or_else(outer).or_else(inner)
    }

    /// The record's key that holds the message and, where that is JSON, the key inside it.
    pub fn message_keys(&self) -> (&'static str, Option<&'static str>) {
        let key = self.keys.message_key().unwrap_or("log");
        (key, self.document().and_then(Document::message_key))
    }

    /// The few-valued fields that tell records of one message apart: of the record, else of JSON
    /// in the line. Words and numbers within a text are none.
    pub fn facets(&self) -> Facets {
        let own = &self.keys.few;
        let document = self.document();
        let inner = document.and_then(|document| document.inner.as_ref());
        let outer = document.map(|document| &document.few);
        let inner = inner.map(|inner| &inner.document.few);
        let of = |read: fn(&FewValued) -> Option<SmallText>| {
            let found = read(own).or_else(|| outer.and_then(read));
            found.or_else(|| inner.and_then(read))
        };
        let class = |status| u8::try_from(status / 100).ok();
        Facets {
            level: self.level(),
            status_class: self.field_status().and_then(class),
            result: of(FewValued::result),
            code: of(FewValued::code),
        }
    }

    fn otlp_field(&self, path: &str) -> Option<Value<'a>> {
        let otlp = self.otlp?;
        let attributes = otlp.get("attributes").and_then(|found| found.map());
        let own = attributes.and_then(|attributes| path::in_map(attributes, path));
        own.or_else(|| path::in_map(otlp, path))
            .map(Value::from_item)
    }

    fn document_field<'t>(&'t self, document: &'t Document, path: &str) -> Option<Value<'t>> {
        let outer = Members::whole(&self.line).and_then(|members| path::in_json(members, path));
        let found = outer.or_else(|| {
            let inner = document.inner.as_ref()?;
            path::in_json(Members::whole(&inner.text)?, path)
        });
        match found {
            Some(found) => Some(found.value()),
            None => match unescape(document.message_text(&self.line)?) {
                Cow::Borrowed(text) => access::field(text, path),
                Cow::Owned(text) => access::field(&text, path).map(Value::into_owned),
            },
        }
    }

    /// A host-set field as `field:NAME` and `image:FIELD` of a registry read it: of the record
    /// or of its OpenTelemetry resource, never of JSON inside a message.
    pub fn host_field(&self, path: &str) -> Option<Value<'a>> {
        let resource = || {
            let group = self.record.group?;
            let attributes = group
                .body
                .get("resource")?
                .map()?
                .get("attributes")?
                .map()?;
            path::in_map(attributes, path)
        };
        let found = match self.otlp {
            Some(_) => resource(),
            None => path::in_map(self.record.body, path).or_else(resource),
        };
        found.map(Value::from_item)
    }

    /// What OpenTelemetry says of the record.
    pub(super) fn otlp(&self) -> Option<Map<'a>> {
        self.otlp
    }

    /// JSON in the line, scanned when first asked for.
    #[inline]
    pub(super) fn document(&self) -> Option<&Document> {
        if !self.braced {
            return None;
        }
        let scanned = self.document.get_or_init(|| Document::of(&self.line));
        scanned.as_ref()
    }
}

/// Whether a text may be a JSON object, by its first byte.
#[inline]
fn is_braced(text: &str) -> bool {
    text.trim_ascii_start().starts_with('{')
}

fn side(keys: &Keys<'_>) -> Side {
    [keys.stream, keys.source]
        .into_iter()
        .flatten()
        .find_map(Side::from_word)
        .unwrap_or_default()
}
