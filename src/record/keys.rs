//! One pass over a record's top-level keys: which of them carries the message, which say where
//! the record came from. The names themselves stand in `names`. Values
//! are taken as they are; what they mean together is decided in `identity` and `view`.

use crate::model::Level;
use crate::record::decode::{Item, Map};
use crate::record::facets::FewValued;
use crate::record::http;
use crate::record::names::{self, Host, Name};
use crate::record::pairs::{self, Pair};
use crate::record::value::Value;

/// No candidate for the message yet.
const NO_RANK: u8 = u8::MAX;

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
    pub container_name: Option<&'a [u8]>,
    pub container_id: Option<&'a [u8]>,
    pub image: Option<&'a [u8]>,
    pub ecs_task_arn: Option<&'a [u8]>,
    pub ecs_task_definition: Option<&'a [u8]>,
    pub ecs_cluster: Option<&'a [u8]>,
    pub kubernetes: Option<Map<'a>>,
    pub kubernetes_namespace: Option<Map<'a>>,
    pub attrs: Option<Map<'a>>,
    pub unit: Option<&'a [u8]>,
    /// `UNIT`: the unit that systemd speaks of. Believed only from systemd itself.
    pub subject: Option<&'a [u8]>,
    pub syslog_identifier: Option<&'a [u8]>,
    pub pid: Option<&'a [u8]>,
    pub transport: Option<&'a [u8]>,
    pub fly: Option<Map<'a>>,
    pub fly_dotted: bool,
    pub hostname: Option<&'a [u8]>,
    /// The first level key.
    pub level: Option<Item<'a>>,
    /// A level that the platform sets without reading the line.
    pub assumed_level: Option<Item<'a>>,
    priority: Option<Item<'a>>,
    /// Some key may hold a stack trace.
    pub has_stack: bool,
    /// The file that a tail read, where `path_key` is set.
    pub file: Option<&'a str>,
    /// Few-valued fields: the status of an answer, a result, an error's code.
    pub few: FewValued,
}

impl<'a> Keys<'a> {
    /// The key that holds the message.
    pub fn message_key(&self) -> Option<&'static str> {
        names::of_record_rank(self.rank)
    }

    /// Reads them into keys that are empty: in place, because they are many.
    /// `kept` are the pairs of the record's body, all or some.
    pub fn read(&mut self, kept: &[Pair<'a>], body: Map<'a>) {
        self.rank = NO_RANK;
        pairs::each(kept, body, |pair| {
            if pair.what != Name::Other {
                self.take(pair.what, pair.name, pair.value);
            }
        });
        if self.message.is_none() {
            self.message = only_text(body);
        }
        if self.fly.is_some() || self.fly_dotted {
            self.assumed_level = self.level.take();
        }
    }

    #[inline]
    fn take(&mut self, name: Name, key: &[u8], value: Item<'a>) {
        match name {
            Name::Other | Name::Kind | Name::Reason => {}
            Name::Level => self.level = self.level.or(Some(value)),
            Name::Text { .. } | Name::Error | Name::Exception => self.candidate(name, key, value),
            Name::Status(rank) => self.few.take_status(rank, &Value::from_item(value)),
            Name::Result | Name::Code => self.few.take(name, &Value::from_item(value)),
            Name::Answer => {
                let status = value.map().and_then(|map| http::nested_map(map, 1));
                status
                    .into_iter()
                    .for_each(|s| self.few.rank_status(http::NESTED, s));
            }
            Name::Source => self.source = value.bytes(),
            Name::Stream => {
                self.log_first = self.rank == 0;
                self.stream = value.bytes();
            }
            Name::Stack(_) | Name::Holder => self.has_stack = true,
            Name::Err => {
                self.error_object(value);
                self.error_code(value);
                self.has_stack = true;
            }
            Name::Host(place) => self.take_host(place, value),
        }
    }

    /// journald's and syslog's priority.
    pub fn priority(&self) -> Option<Level> {
        let number = Value::from_item(self.priority?).as_int()?;
        Level::from_syslog(number)
    }

    fn take_host(&mut self, place: Host, value: Item<'a>) {
        match place {
            Host::LogTag => self.logtag = value.bytes(),
            Host::ContainerName => set(&mut self.container_name, value),
            Host::ContainerId => set(&mut self.container_id, value),
            Host::Image => set(&mut self.image, value),
            Host::Kubernetes => self.kubernetes = value.map().or(self.kubernetes),
            Host::KubernetesNamespace => {
                self.kubernetes_namespace = value.map().or(self.kubernetes_namespace);
            }
            Host::Attrs => self.attrs = value.map(),
            Host::PartialMessage => self.partial_message = Some(value),
            Host::PartialId => self.partial_id = value.bytes(),
            Host::PartialOrdinal => self.partial_ordinal = Some(value),
            Host::PartialLast => self.partial_last = Some(value),
            Host::EcsTaskArn => set(&mut self.ecs_task_arn, value),
            Host::EcsTaskDefinition => set(&mut self.ecs_task_definition, value),
            Host::EcsCluster => set(&mut self.ecs_cluster, value),
            Host::Unit => {
                set(&mut self.unit, value);
            }
            Host::Subject => set(&mut self.subject, value),
            Host::SyslogIdentifier => set(&mut self.syslog_identifier, value),
            Host::Pid => set(&mut self.pid, value),
            Host::Transport => set(&mut self.transport, value),
            Host::Hostname => set(&mut self.hostname, value),
            Host::Priority => self.priority = Some(value),
            Host::Fly => self.fly = value.map(),
            Host::FlyDotted => self.fly_dotted = true,
            Host::File => {
                let file = value.bytes().filter(|bytes| is_log_file(bytes));
                let text = file.and_then(|bytes| str::from_utf8(bytes).ok());
                self.file = text.or(self.file);
            }
        }
    }

    /// Takes a message candidate if it is text and better than what was found.
    fn candidate(&mut self, name: Name, key: &[u8], value: Item<'a>) {
        self.has_stack |= name.stack_rank().is_some();
        match (name.message_rank(), value.bytes()) {
            (Some(rank), Some(bytes)) if rank < self.rank => {
                self.rank = rank;
                self.message = Some(bytes);
                self.journald = key == b"MESSAGE";
            }
            (Some(_), None) => self.candidate_map(key, value),
            _ => {}
        }
    }

    /// A map where a message may stand: Lambda's runtimes put an error's map there, others the
    /// level, or an error with its code.
    fn candidate_map(&mut self, key: &[u8], value: Item<'a>) {
        let Some(map) = value.map() else { return };
        match key {
            b"message" => self.has_stack = true,
            b"log" => self.level = self.level.or_else(|| map.get("level")),
            b"error" | b"exception" => self.error_code(value),
            _ => {}
        }
    }

    /// `err: {code}`.
    fn error_code(&mut self, value: Item<'a>) {
        let code = value.map().and_then(|map| map.get("code"));
        if let Some(code) = code {
            self.few.take(Name::Code, &Value::from_item(code));
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

/// Names stay bytes until somebody reads them as text.
fn set<'a>(slot: &mut Option<&'a [u8]>, value: Item<'a>) {
    if let Some(bytes) = value.bytes().filter(|bytes| !bytes.is_empty()) {
        *slot = Some(bytes);
    }
}

/// Whether text can only be the file that was tailed; `path` is as often an HTTP path.
fn is_log_file(text: &[u8]) -> bool {
    let ends = || {
        matches!(
            text,
            [.., b'.', b'l', b'o', b'g']
                | [.., b'.', b'o', b'u', b't']
                | [.., b'.', b'e', b'r', b'r']
        )
    };
    text.first() == Some(&b'/') && (ends() || text.starts_with(b"/var/log/"))
}
