//! The names that agents, loggers and servers give to keys, told apart in one match, because
//! every key of every record and of JSON in a message is asked for. What a value under such a name
//! means is for others.

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
    /// What an agent or the host says of where the record came from.
    Host,
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

/// What a key of this name is for.
pub(super) fn of(name: &[u8]) -> Name {
    match name {
        b"log" => both(0, 5),
        b"message" => both(1, 0),
        b"msg" => both(2, 1),
        b"MESSAGE" => both(3, 11),
        b"body" => both(4, 7),
        b"event" => both(5, 8),
        b"text" => both(8, 6),
        b"@m" => in_json(2),
        b"Message" => in_json(3),
        b"short_message" => in_json(4),
        b"@mt" => in_json(9),
        b"textPayload" => in_json(10),
        b"error_message" => in_json(15),
        b"error" => Name::Error,
        b"exception" => Name::Exception,
        b"err" => Name::Err,
        b"stack_trace" | b"stacktrace" | b"stackTrace" | b"StackTrace" => Name::Stack(0),
        b"stack" => Name::Stack(1),
        b"error.stack_trace" | b"error.stack" | b"err.stack" | b"exception.stacktrace" => {
            Name::Stack(2)
        }
        b"extendedStackTrace" => Name::Stack(3),
        b"exc_info" | b"exc_text" => Name::Stack(4),
        b"traceback" | b"backtrace" | b"callstack" => Name::Stack(5),
        b"Exception" | b"@x" => Name::Stack(6),
        b"thrown" | b"attributes" | b"Attributes" => Name::Holder,
        b"level" | b"severity" | b"lvl" | b"log.level" | b"severity_text" | b"levelname"
        | b"level_name" | b"loglevel" | b"log_level" | b"logLevel" | b"LogLevel" | b"Level"
        | b"Severity" | b"severityText" | b"@level" | b"@l" => Name::Level,
        b"stream" => Name::Stream,
        b"source" => Name::Source,
        b"status" => Name::Status(0),
        b"status_code"
        | b"statusCode"
        | b"http_status"
        | b"http_status_code"
        | b"httpStatus"
        | b"response_status"
        | b"responseStatus"
        | b"response_code"
        | b"elb_status_code"
        | b"sc-status"
        | b"DownstreamStatus"
        | b"http.status"
        | b"http.status_code"
        | b"http.response.status_code"
        | b"httpRequest.status"
        | b"response.status"
        | b"response.status_code"
        | b"response.statusCode"
        | b"res.status"
        | b"res.statusCode" => Name::Status(1),
        b"res" | b"response" | b"http" | b"httpRequest" => Name::Answer,
        b"result" | b"outcome" | b"event.outcome" => Name::Result,
        b"code" | b"error_code" | b"errorCode" | b"err_code" | b"errno" | b"err.code"
        | b"error.code" | b"exception.code" | b"exit_code" | b"exitCode" | b"sqlstate"
        | b"grpc.code" | b"grpc_code" => Name::Code,
        b"logtag"
        | b"_p"
        | b"container_name"
        | b"CONTAINER_NAME"
        | b"container_id"
        | b"CONTAINER_ID_FULL"
        | b"IMAGE_NAME"
        | b"container_image"
        | b"image"
        | b"kubernetes"
        | b"kubernetes_namespace"
        | b"attrs"
        | b"partial_message"
        | b"CONTAINER_PARTIAL_MESSAGE"
        | b"partial_id"
        | b"CONTAINER_PARTIAL_ID"
        | b"partial_ordinal"
        | b"CONTAINER_PARTIAL_ORDINAL"
        | b"partial_last"
        | b"CONTAINER_PARTIAL_LAST"
        | b"ecs_task_arn"
        | b"ecs_task_definition"
        | b"ecs_cluster"
        | b"_SYSTEMD_UNIT"
        | b"_systemd_unit"
        | b"SYSTEMD_UNIT"
        | b"systemd_unit"
        | b"UNIT"
        | b"unit"
        | b"SYSLOG_IDENTIFIER"
        | b"syslog_identifier"
        | b"_PID"
        | b"_pid"
        | b"_TRANSPORT"
        | b"_transport"
        | b"_HOSTNAME"
        | b"_hostname"
        | b"PRIORITY"
        | b"priority"
        | b"fly"
        | b"fly.app.name"
        | b"filename"
        | b"file_path"
        | b"filepath"
        | b"log_file"
        | b"path"
        | b"file" => Name::Host,
        _ => Name::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
