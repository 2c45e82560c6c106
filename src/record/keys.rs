//! One pass over a record's top-level keys: which of them carries the message, which say where
//! the record came from. The only place that knows the names that agents give to keys. Values
//! are taken as they are; what they mean together is decided in `identity` and `view`.

use crate::model::Level;
use crate::record::decode::{Item, Map};
use crate::record::value::Value;
use crate::record::{level, stack};

/// Candidates for the message.
const MESSAGE_RANKS: u8 = 9;

/// How good a place for the message a key is (lower is better). Nearly the same order holds for
/// JSON inside a message, except that there `log` is not what an agent wrote.
fn message_rank(name: &[u8]) -> Option<u8> {
    Some(match name {
        b"log" => 0,
        b"message" => 1,
        b"msg" => 2,
        b"MESSAGE" => 3,
        b"body" => 4,
        b"event" => 5,
        b"error" => 6,
        b"exception" => 7,
        b"text" => 8,
        _ => return None,
    })
}

/// What one pass found. Of a repeated key that a host sets the last one counts: the filters that
/// lift keys out of a message put the host's own behind them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Keys<'a> {
    /// The best message candidate's bytes.
    pub message: Option<&'a [u8]>,
    rank: u8,
    /// Whether the message came from `MESSAGE`, so that the record is journald's.
    pub journald: bool,
    /// `log` stood before `stream`: the order of Docker's own JSON, not of a CRI pattern.
    pub log_first: bool,
    pub stream: Option<&'a [u8]>,
    pub source: Option<&'a [u8]>,
    /// `logtag` or `_p` of CRI lines.
    pub logtag: Option<&'a [u8]>,
    pub partial_message: Option<Item<'a>>,
    pub partial_id: Option<&'a [u8]>,
    pub partial_ordinal: Option<Item<'a>>,
    pub partial_last: Option<Item<'a>>,
    pub container_name: Option<&'a str>,
    pub container_id: Option<&'a str>,
    pub image: Option<&'a str>,
    pub ecs_task_arn: Option<&'a str>,
    pub ecs_task_definition: Option<&'a str>,
    pub ecs_cluster: Option<&'a str>,
    pub kubernetes: Option<Map<'a>>,
    pub kubernetes_namespace: Option<Map<'a>>,
    pub attrs: Option<Map<'a>>,
    pub unit: Option<&'a str>,
    /// `UNIT`: the unit that systemd speaks of. Believed only from systemd itself.
    pub subject: Option<&'a str>,
    pub syslog_identifier: Option<&'a str>,
    pub pid: Option<&'a str>,
    pub transport: Option<&'a str>,
    pub fly: Option<Map<'a>>,
    pub fly_dotted: bool,
    pub hostname: Option<&'a str>,
    /// The first level key.
    pub level: Option<Item<'a>>,
    /// A level that the platform sets without reading the line.
    pub assumed_level: Option<Item<'a>>,
    priority: Option<Item<'a>>,
    /// Some key may hold a stack trace.
    pub has_stack: bool,
    /// The file that a tail read, where `path_key` is set.
    pub file: Option<&'a str>,
}

impl<'a> Keys<'a> {
    pub fn of(body: Map<'a>) -> Keys<'a> {
        let mut keys = Keys {
            rank: MESSAGE_RANKS,
            ..Keys::default()
        };
        for (name, value) in body.iter() {
            keys.take(name, value);
        }
        if keys.message.is_none() {
            keys.message = only_text(body);
        }
        if keys.fly.is_some() || keys.fly_dotted {
            keys.assumed_level = keys.level.take();
        }
        keys
    }

    fn take(&mut self, name: &[u8], value: Item<'a>) {
        match name {
            b"log" | b"message" | b"msg" | b"MESSAGE" | b"body" | b"event" | b"error"
            | b"exception" | b"text" => self.candidate(name, value),
            b"err" => self.error_object(value),
            b"stream" => {
                self.log_first = self.rank == 0;
                self.stream = value.bytes();
            }
            b"source" => self.source = value.bytes(),
            b"logtag" | b"_p" => self.logtag = value.bytes(),
            b"container_name" | b"CONTAINER_NAME" => set(&mut self.container_name, value),
            b"container_id" | b"CONTAINER_ID_FULL" => set(&mut self.container_id, value),
            b"IMAGE_NAME" | b"container_image" | b"image" => set(&mut self.image, value),
            b"kubernetes" => self.kubernetes = value.map().or(self.kubernetes),
            b"kubernetes_namespace" => {
                self.kubernetes_namespace = value.map().or(self.kubernetes_namespace);
            }
            b"attrs" => self.attrs = value.map(),
            _ => self.take_rare(name, value),
        }
        // Lambda's runtimes put an error's map where its message is.
        self.has_stack |= name == b"message" && matches!(value, Item::Map(_));
        self.has_stack |= stack::is_holder(name) || stack::rank(name).is_some();
        if level::is_level_key(name) {
            self.level = self.level.or(Some(value));
        }
        if name == b"log"
            && let Some(found) = value.map().and_then(|log| log.get("level"))
        {
            self.level = self.level.or(Some(found));
        }
    }

    /// journald's and syslog's priority.
    pub fn priority(&self) -> Option<Level> {
        let number = Value::from_item(self.priority?).as_int()?;
        Level::from_syslog(number)
    }

    fn take_rare(&mut self, name: &[u8], value: Item<'a>) {
        match name {
            b"partial_message" | b"CONTAINER_PARTIAL_MESSAGE" => self.partial_message = Some(value),
            b"partial_id" | b"CONTAINER_PARTIAL_ID" => self.partial_id = value.bytes(),
            b"partial_ordinal" | b"CONTAINER_PARTIAL_ORDINAL" => self.partial_ordinal = Some(value),
            b"partial_last" | b"CONTAINER_PARTIAL_LAST" => self.partial_last = Some(value),
            b"ecs_task_arn" => set(&mut self.ecs_task_arn, value),
            b"ecs_task_definition" => set(&mut self.ecs_task_definition, value),
            b"ecs_cluster" => set(&mut self.ecs_cluster, value),
            b"_SYSTEMD_UNIT" | b"_systemd_unit" | b"SYSTEMD_UNIT" | b"systemd_unit" => {
                set(&mut self.unit, value);
            }
            b"UNIT" | b"unit" => set(&mut self.subject, value),
            b"SYSLOG_IDENTIFIER" | b"syslog_identifier" => set(&mut self.syslog_identifier, value),
            b"_PID" | b"_pid" => set(&mut self.pid, value),
            b"_TRANSPORT" | b"_transport" => set(&mut self.transport, value),
            b"_HOSTNAME" | b"_hostname" => set(&mut self.hostname, value),
            b"PRIORITY" | b"priority" => self.priority = Some(value),
            b"fly" => self.fly = value.map(),
            b"fly.app.name" => self.fly_dotted = true,
            b"filename" | b"file_path" | b"filepath" | b"log_file" | b"path" | b"file" => {
                let text = value.text().filter(|text| is_log_file(text));
                self.file = text.or(self.file);
            }
            _ => {}
        }
    }

    /// Takes a message candidate if it is text and better than what was found.
    fn candidate(&mut self, name: &[u8], value: Item<'a>) {
        if let (Some(rank), Some(bytes)) = (message_rank(name), value.bytes())
            && rank < self.rank
        {
            self.rank = rank;
            self.message = Some(bytes);
            self.journald = name == b"MESSAGE";
        }
    }

    /// `err: {message, stack}` counts as the last candidate.
    fn error_object(&mut self, value: Item<'a>) {
        let Some(error) = value.map().filter(|_| self.message.is_none()) else {
            return;
        };
        let text = error.get("message").or_else(|| error.get("stack"));
        self.message = text.and_then(|text| text.bytes());
    }
}

/// The only pair's text: a tail whose `key` option gives the line another name.
fn only_text(body: Map<'_>) -> Option<&[u8]> {
    let (_, value) = body.iter().next().filter(|_| body.len() == 1)?;
    value.bytes()
}

fn set<'a>(slot: &mut Option<&'a str>, value: Item<'a>) {
    if let Some(text) = value.text().filter(|text| !text.is_empty()) {
        *slot = Some(text);
    }
}

/// Whether text can only be the file that was tailed; `path` is as often an HTTP path.
fn is_log_file(text: &str) -> bool {
    let ends = [".log", ".out", ".err"]
        .iter()
        .any(|end| text.ends_with(end));
    text.starts_with("/var/log/") || text.starts_with('/') && ends
}
