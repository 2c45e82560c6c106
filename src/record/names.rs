//! The names that agents, loggers and servers give to keys, told apart by one table, because
//! every key of every record and of JSON in a message is asked for. What a value under such a name
//! means is for others.

use crate::record::hash::text_hash;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// Nobody asks for it by a name that is known here.
    Other,
    /// May hold the message: how good a place it is (lower is better) in a record and in JSON.
    /// Nearly the same order, except that in JSON `log` is not what an agent wrote.
    Text {
        record: u8,
        json: u8,
    },
    /// `error`: a message, an object, or a stack trace.
    Error,
    /// `exception`: likewise.
    Exception,
    /// `err`: an object, or a message in JSON.
    Err,
    /// A stack trace: how good a place (lower is better).
    Stack(u8),
    /// `thrown`, `attributes`: a map that may hold a stack trace and says nothing else.
    Holder,
    Level,
    Stream,
    Source,
    /// The status of an HTTP answer: how good a place.
    Status(u8),
    /// A map of an HTTP answer's values.
    Answer,
    /// How it ended.
    Result,
    /// An error's code.
    Code,
    /// The kind of an error beside its message, in JSON.
    Kind,
    /// The message of an error beside the record's own, in JSON.
    Reason,
    /// What an agent or the host says of where the record came from.
    Host(Host),
}

/// What an agent or the host says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    LogTag,
    ContainerName,
    ContainerId,
    Image,
    Kubernetes,
    KubernetesNamespace,
    Attrs,
    PartialMessage,
    PartialId,
    PartialOrdinal,
    PartialLast,
    EcsTaskArn,
    EcsTaskDefinition,
    EcsCluster,
    Unit,
    Subject,
    SyslogIdentifier,
    Pid,
    Transport,
    Hostname,
    Priority,
    Fly,
    FlyDotted,
    File,
}

/// A rank where no place is.
const NOWHERE: u8 = u8::MAX;

/// The rank of `error` and `exception` as message and as stack trace, in records and in JSON.
const ERROR: [u8; 3] = [6, 12, 7];
const EXCEPTION: [u8; 3] = [7, 14, 6];

impl Name {
    /// How good a place for the message it is in a record; `None` for none.
    pub fn message_rank(self) -> Option<u8> {
        let rank = match self {
            Name::Text { record, .. } => record,
            Name::Error => ERROR[0],
            Name::Exception => EXCEPTION[0],
            _ => NOWHERE,
        };
        (rank != NOWHERE).then_some(rank)
    }

    /// How good a place for the message it is in JSON; `None` for none.
    pub fn json_message_rank(self) -> Option<u8> {
        let rank = match self {
            Name::Text { json, .. } => json,
            Name::Error => ERROR[1],
            Name::Err => 13,
            Name::Exception => EXCEPTION[1],
            _ => NOWHERE,
        };
        (rank != NOWHERE).then_some(rank)
    }

    /// How good a place for a stack trace it is; `None` for none.
    pub fn stack_rank(self) -> Option<u8> {
        match self {
            Name::Stack(rank) => Some(rank),
            Name::Error => Some(ERROR[2]),
            Name::Exception => Some(EXCEPTION[2]),
            _ => None,
        }
    }
}

/// Names of a record's message, by rank.
const RECORD_MESSAGES: [&str; 9] = [
    "log",
    "message",
    "msg",
    "MESSAGE",
    "body",
    "event",
    "error",
    "exception",
    "text",
];

/// Names of the message in JSON, by rank.
const JSON_MESSAGES: [&str; 16] = [
    "message",
    "msg",
    "@m",
    "Message",
    "short_message",
    "log",
    "text",
    "body",
    "event",
    "@mt",
    "textPayload",
    "MESSAGE",
    "error",
    "err",
    "exception",
    "error_message",
];

/// The key with this [`Name::message_rank`].
pub(super) fn of_record_rank(rank: u8) -> Option<&'static str> {
    RECORD_MESSAGES.get(usize::from(rank)).copied()
}

/// The key with this [`Name::json_message_rank`].
pub(super) fn of_json_rank(rank: u8) -> Option<&'static str> {
    JSON_MESSAGES.get(usize::from(rank)).copied()
}

const fn both(record: u8, json: u8) -> Name {
    Name::Text { record, json }
}

const fn in_json(json: u8) -> Name {
    both(NOWHERE, json)
}

/// Every name that is known, by what it is for.
const NAMES: [(Name, &[&str]); 58] = [
    (both(0, 5), &["log"]),
    (both(1, 0), &["message"]),
    (both(2, 1), &["msg"]),
    (both(3, 11), &["MESSAGE"]),
    (both(4, 7), &["body"]),
    (both(5, 8), &["event"]),
    (both(8, 6), &["text"]),
    (in_json(2), &["@m"]),
    (in_json(3), &["Message"]),
    (in_json(4), &["short_message"]),
    (in_json(9), &["@mt"]),
    (in_json(10), &["textPayload"]),
    (in_json(15), &["error_message"]),
    (Name::Error, &["error"]),
    (Name::Exception, &["exception"]),
    (Name::Err, &["err"]),
    (
        Name::Stack(0),
        &["stack_trace", "stacktrace", "stackTrace", "StackTrace"],
    ),
    (Name::Stack(1), &["stack"]),
    (
        Name::Stack(2),
        &[
            "error.stack_trace",
            "error.stack",
            "err.stack",
            "exception.stacktrace",
        ],
    ),
    (Name::Stack(3), &["extendedStackTrace"]),
    (Name::Stack(4), &["exc_info", "exc_text"]),
    (Name::Stack(5), &["traceback", "backtrace", "callstack"]),
    (Name::Stack(6), &["Exception", "@x"]),
    (Name::Holder, &["thrown", "attributes", "Attributes"]),
    (
        Name::Level,
        &[
            "level",
            "severity",
            "lvl",
            "log.level",
            "severity_text",
            "levelname",
            "level_name",
            "loglevel",
            "log_level",
            "logLevel",
            "LogLevel",
            "Level",
            "Severity",
            "severityText",
            "@level",
            "@l",
        ],
    ),
    (Name::Stream, &["stream"]),
    (Name::Source, &["source"]),
    (Name::Status(0), &["status"]),
    (
        Name::Status(1),
        &[
            "status_code",
            "statusCode",
            "http_status",
            "http_status_code",
            "httpStatus",
            "response_status",
            "responseStatus",
            "response_code",
            "elb_status_code",
            "sc-status",
            "DownstreamStatus",
            "http.status",
            "http.status_code",
            "http.response.status_code",
            "httpRequest.status",
            "response.status",
            "response.status_code",
            "response.statusCode",
            "res.status",
            "res.statusCode",
        ],
    ),
    (Name::Answer, &["res", "response", "http", "httpRequest"]),
    (Name::Result, &["result", "outcome", "event.outcome"]),
    (
        Name::Code,
        &[
            "code",
            "error_code",
            "errorCode",
            "err_code",
            "errno",
            "err.code",
            "error.code",
            "exception.code",
            "exit_code",
            "exitCode",
            "sqlstate",
            "grpc.code",
            "grpc_code",
        ],
    ),
    (Name::Host(Host::LogTag), &["logtag", "_p"]),
    (
        Name::Host(Host::ContainerName),
        &["container_name", "CONTAINER_NAME"],
    ),
    (
        Name::Host(Host::ContainerId),
        &["container_id", "CONTAINER_ID_FULL"],
    ),
    (
        Name::Host(Host::Image),
        &["IMAGE_NAME", "container_image", "image"],
    ),
    (Name::Host(Host::Kubernetes), &["kubernetes"]),
    (
        Name::Host(Host::KubernetesNamespace),
        &["kubernetes_namespace"],
    ),
    (Name::Host(Host::Attrs), &["attrs"]),
    (
        Name::Host(Host::PartialMessage),
        &["partial_message", "CONTAINER_PARTIAL_MESSAGE"],
    ),
    (
        Name::Host(Host::PartialId),
        &["partial_id", "CONTAINER_PARTIAL_ID"],
    ),
    (
        Name::Host(Host::PartialOrdinal),
        &["partial_ordinal", "CONTAINER_PARTIAL_ORDINAL"],
    ),
    (
        Name::Host(Host::PartialLast),
        &["partial_last", "CONTAINER_PARTIAL_LAST"],
    ),
    (Name::Host(Host::EcsTaskArn), &["ecs_task_arn"]),
    (
        Name::Host(Host::EcsTaskDefinition),
        &["ecs_task_definition"],
    ),
    (Name::Host(Host::EcsCluster), &["ecs_cluster"]),
    (
        Name::Host(Host::Unit),
        &[
            "_SYSTEMD_UNIT",
            "_systemd_unit",
            "SYSTEMD_UNIT",
            "systemd_unit",
        ],
    ),
    (Name::Host(Host::Subject), &["UNIT", "unit"]),
    (
        Name::Host(Host::SyslogIdentifier),
        &["SYSLOG_IDENTIFIER", "syslog_identifier"],
    ),
    (Name::Host(Host::Pid), &["_PID", "_pid"]),
    (Name::Host(Host::Transport), &["_TRANSPORT", "_transport"]),
    (Name::Host(Host::Hostname), &["_HOSTNAME", "_hostname"]),
    (Name::Host(Host::Priority), &["PRIORITY", "priority"]),
    (Name::Host(Host::Fly), &["fly"]),
    (Name::Host(Host::FlyDotted), &["fly.app.name"]),
    (
        Name::Host(Host::File),
        &[
            "filename",
            "file_path",
            "filepath",
            "log_file",
            "path",
            "file",
        ],
    ),
    (
        Name::Kind,
        &[
            "error.type",
            "err.type",
            "exception.type",
            "error_type",
            "errorType",
        ],
    ),
    (
        Name::Reason,
        &[
            "error.message",
            "err.message",
            "exception.message",
            "errorMessage",
        ],
    ),
];

/// Slots of the table; few of them are taken, so that most names that nobody knows meet an empty
/// one.
const SLOTS: usize = 1 << 10;

/// Names in all.
const COUNT: usize = {
    let (mut count, mut kind) = (0, 0);
    while kind < NAMES.len() {
        count += NAMES[kind].1.len();
        kind += 1;
    }
    count
};

/// The names by slot: a name that finds its slot taken stands in the next free one.
struct Table {
    /// Index into `names` and one; 0 for none.
    slots: [u8; SLOTS],
    names: [(&'static [u8], Name); COUNT],
}

static TABLE: Table = {
    let mut table = Table {
        slots: [0; SLOTS],
        names: [(b"", Name::Other); COUNT],
    };
    let (mut kind, mut next) = (0, 0);
    while kind < NAMES.len() {
        let (name, texts) = NAMES[kind];
        let mut at = 0;
        while at < texts.len() {
            let mut slot = slot(text_hash(texts[at].as_bytes()));
            while table.slots[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            table.names[next] = (texts[at].as_bytes(), name);
            next += 1;
            assert!(next <= u8::MAX as usize, "an index must fit a byte");
            table.slots[slot] = next as u8;
            at += 1;
        }
        kind += 1;
    }
    table
};

/// Where a name with this hash stands: its highest bits.
#[inline]
const fn slot(hash: u64) -> usize {
    (hash >> 54) as usize
}

/// What a key of this name is for.
#[inline]
pub(super) fn of(name: &[u8]) -> Name {
    of_hashed(name, text_hash(name))
}

/// [`of`] for a name whose [`text_hash`] is known.
#[inline]
pub(super) fn of_hashed(name: &[u8], hash: u64) -> Name {
    let mut at = slot(hash);
    while let Some(&index @ 1..) = TABLE.slots.get(at) {
        match TABLE.names.get(usize::from(index) - 1) {
            Some((known, what)) if *known == name => return *what,
            _ => at = (at + 1) % SLOTS,
        }
    }
    Name::Other
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranks_and_their_names_agree() {
        for (rank, name) in RECORD_MESSAGES.iter().enumerate() {
            assert_eq!(
                of(name.as_bytes()).message_rank(),
                Some(rank as u8),
                "{name}"
            );
        }
        for (rank, name) in JSON_MESSAGES.iter().enumerate() {
            let found = of(name.as_bytes()).json_message_rank();
            assert_eq!(found, Some(rank as u8), "{name}");
        }
    }

    fn by_the_list(name: &[u8]) -> Name {
        let known = NAMES
            .iter()
            .find(|(_, texts)| texts.iter().any(|t| t.as_bytes() == name));
        known.map_or(Name::Other, |(what, _)| *what)
    }

    #[test]
    fn every_name_is_found_and_its_neighbours_are_not() {
        let mut found = 0;
        for text in NAMES.iter().flat_map(|(_, texts)| *texts) {
            assert_ne!(of(text.as_bytes()), Name::Other, "{text}");
            found += 1;
            for at in 0..=text.len() {
                let (before, after) = text.split_at(at);
                for other in [before, after, &format!("{before}_{after}")] {
                    assert_eq!(
                        of(other.as_bytes()),
                        by_the_list(other.as_bytes()),
                        "{other}"
                    );
                }
            }
        }
        assert_eq!(found, COUNT);
    }

    proptest! {
        #[test]
        fn the_table_says_what_the_list_says(name in "[a-eLlogmsvtx@._]{0,12}|.{0,20}") {
            prop_assert_eq!(of(name.as_bytes()), by_the_list(name.as_bytes()));
        }
    }
}
