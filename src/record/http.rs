//! The status of an HTTP answer, whatever a logger calls it. One pass over a record or over JSON,
//! because every record is asked. Not here: access logs and `key=value` lines (`access`).

use crate::record::decode::Map;
use crate::record::json::Members;
use crate::record::names::{self, Name};
use crate::record::value::Value;

/// The path under which a view gives the status of an HTTP answer, under any name it is known by.
pub const HTTP_STATUS: &str = "http.status";

/// Maps within maps that are followed (`http`, `response`).
const MAX_NESTED: u8 = 2;

/// How good a place for a status a map in a map is.
pub(super) const NESTED: u8 = 2;

/// Whether loggers and servers give this name to the status of an answer.
pub(super) fn is_status(name: &[u8]) -> bool {
    matches!(names::of(name), Name::Status(_))
}

/// A value as the status of an answer.
pub(super) fn answer(value: &Value<'_>) -> Option<i64> {
    value.as_int().filter(|status| (100..600).contains(status))
}

/// The status that a record's own fields give.
pub(super) fn in_map(map: Map<'_>) -> Option<i64> {
    nested_map(map, 0)
}

/// The status in a map that lies `depth` maps within a record.
pub(super) fn nested_map(map: Map<'_>, depth: u8) -> Option<i64> {
    let found = map.iter().filter_map(|(name, item)| match names::of(name) {
        Name::Status(rank) => Some((rank, answer(&Value::from_item(item))?)),
        Name::Answer if depth < MAX_NESTED => Some((NESTED, nested_map(item.map()?, depth + 1)?)),
        _ => None,
    });
    found
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, status)| status)
}

/// The status in an object that lies `depth` objects within a text.
pub(super) fn nested_json(members: Members<'_>, depth: u8) -> Option<i64> {
    let found = members.filter_map(|(name, value)| match names::of(name.as_bytes()) {
        Name::Status(rank) => Some((rank, answer(&value.value())?)),
        Name::Answer if depth < MAX_NESTED => {
            Some((NESTED, nested_json(value.object()?, depth + 1)?))
        }
        _ => None,
    });
    found
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, status)| status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> Option<i64> {
        nested_json(Members::whole(text).unwrap(), 0)
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
