//! The status of an HTTP answer, whatever a logger calls it. One pass over a record or over JSON,
//! because every record is asked. Not here: access logs and `key=value` lines (`access`).

use crate::record::decode::Map;
use crate::record::json::Members;
use crate::record::value::Value;

/// The path under which a view gives the status of an HTTP answer, under any name it is known by.
pub const HTTP_STATUS: &str = "http.status";

/// Maps within maps that are followed (`http`, `response`).
const MAX_NESTED: u8 = 2;

/// What a key may hold.
enum Place {
    /// The status itself; a lower number is a better place.
    Status(u8),
    /// A map of an answer's values.
    Answer,
}

fn place(name: &[u8]) -> Option<Place> {
    Some(match name {
        b"status" => Place::Status(0),
        b"res" | b"response" | b"http" | b"httpRequest" => Place::Answer,
        name if is_status(name) => Place::Status(1),
        _ => return None,
    })
}

/// Names that loggers and servers give to the status of an answer.
pub(super) fn is_status(name: &[u8]) -> bool {
    matches!(
        name,
        b"status"
            | b"status_code"
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
            | b"res.statusCode"
    )
}

/// A value as the status of an answer.
pub(super) fn answer(value: &Value<'_>) -> Option<i64> {
    value.as_int().filter(|status| (100..600).contains(status))
}

/// The status that a record's own fields give.
pub(super) fn in_map(map: Map<'_>) -> Option<i64> {
    nested_map(map, 0)
}

fn nested_map(map: Map<'_>, depth: u8) -> Option<i64> {
    let found = map.iter().filter_map(|(name, item)| match place(name)? {
        Place::Status(rank) => Some((rank, answer(&Value::from_item(item))?)),
        Place::Answer if depth < MAX_NESTED => Some((2, nested_map(item.map()?, depth + 1)?)),
        Place::Answer => None,
    });
    found
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, status)| status)
}

/// The status that JSON gives.
pub(super) fn in_json(members: Members<'_>) -> Option<i64> {
    nested_json(members, 0)
}

fn nested_json(members: Members<'_>, depth: u8) -> Option<i64> {
    let found = members.filter_map(|(name, value)| match place(name.as_bytes())? {
        Place::Status(rank) => Some((rank, answer(&value.value())?)),
        Place::Answer if depth < MAX_NESTED => Some((2, nested_json(value.object()?, depth + 1)?)),
        Place::Answer => None,
    });
    found
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, status)| status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> Option<i64> {
        in_json(Members::whole(text).unwrap())
    }

    #[test]
    fn every_logger_has_its_own_name_for_it() {
        for text in [
            r#"{"status":503}"#,
            r#"{"status":"503"}"#,
            r#"{"status_code":503,"duration":500}"#,
            r#"{"statusCode":503}"#,
            r#"{"http_status":503}"#,
            r#"{"http.response.status_code":503}"#,
            r#"{"http":{"response":{"status_code":503}}}"#,
            r#"{"res":{"statusCode":503}}"#,
            r#"{"httpRequest":{"status":503}}"#,
            r#"{"elb_status_code":"503"}"#,
            r#"{"status":"error","statusCode":503}"#,
            r#"{"response":{"status":500},"status":503}"#,
        ] {
            assert_eq!(status(text), Some(503), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_status() {
        for text in [
            r#"{"status":"ok","bytes":500,"duration_ms":503}"#,
            r#"{"status":5030}"#,
            r#"{"code":503}"#,
            r#"{"db":{"status":503}}"#,
            r#"{"http":{"http":{"http":{"status":503}}}}"#,
        ] {
            assert_eq!(status(text), None, "{text}");
        }
    }
}
