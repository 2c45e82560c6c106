//! What the Messages API means by an error, by its type and status. What it says of another try
//! is kept; a limit on spending is told from a limit on pace, because only one of them passes.

use crate::llm::fault::{advice, clean, fault as other, is_too_long, missing, said};
use crate::llm::{Error, ErrorKind};
use crate::net::{Headers, Whole};
use serde_json::Value;
use std::time::Duration;

/// The code of a limit on spending.
const SPENT: &str = "enforced_spend_limit_reached";
/// How the API speaks of one where it sends no code.
const SPENT_WORDS: &[&str] = &[
    "spend limit",
    "spending limit",
    "credit balance",
    "usage limits",
];
/// Parts of an error that are looked through for the code.
const LOOKED: usize = 200;

/// Says why a request was refused.
pub(super) fn of_status(host: &str, model: &str, answer: &Whole) -> Error {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let (again, after) = advice(answer);
    let error = match by_kind(host, model, answer.status, after, &body) {
        Some(error) => error,
        None => other(host, model, None, answer),
    };
    let named = answer.headers.get("request-id");
    let request = named.or_else(|| body["request_id"].as_str()).map(clean);
    error.advised(again, after).of_request(request)
}

/// Says what an `error` event means. It has no status; its type stands for one.
pub(super) fn in_stream(host: &str, event: &Value) -> Error {
    let status = match event["error"]["type"].as_str().unwrap_or_default() {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 500,
    };
    let answer = Whole {
        status,
        location: None,
        retry_after: None,
        headers: Headers::default(),
        body: event.to_string().into_bytes(),
    };
    of_status(host, "the one that is set", &answer)
}

fn by_kind(
    host: &str,
    model: &str,
    status: u16,
    after: Option<Duration>,
    body: &Value,
) -> Option<Error> {
    let said = said(body.to_string().as_bytes());
    let low = said.to_lowercase();
    let err = |kind, words| Some(Error::new(kind, words));
    let spent = holds(body, SPENT, &mut LOOKED.clone())
        || (matches!(status, 400 | 403 | 429)
            && SPENT_WORDS.iter().any(|words| low.contains(words)));
    match status {
        _ if status == 402 || spent => err(
            ErrorKind::SpendLimit,
            format!(
                "{host} has no money left for this key ({status}: {said}); \
                 raise the limit there or wait until it is renewed"
            ),
        ),
        403 => err(
            ErrorKind::Denied,
            format!(
                "{host} does not let this key use {} (403: {said})",
                clean(model)
            ),
        ),
        404 if body["error"]["type"] == "not_found_error" && low.contains("model") => {
            Some(missing(host, model, None))
        }
        _ if low.contains("prompt is too long") || is_too_long(status, &low) => err(
            ErrorKind::TooLong,
            format!("the conversation does not fit the model's context ({host}: {said})"),
        ),
        400 => err(
            ErrorKind::Refused { status },
            format!("{host} refused the request ({status}: {said})"),
        ),
        429 | 529 => err(
            ErrorKind::Busy { retry_after: after },
            format!("the model at {host} has too much to do ({status}: {said}); ask less often"),
        ),
        _ => None,
    }
}

/// Whether any string of an error is this.
fn holds(value: &Value, word: &str, left: &mut usize) -> bool {
    *left = left.saturating_sub(1);
    match value {
        _ if *left == 0 => false,
        Value::String(text) => text == word,
        Value::Array(list) => list.iter().any(|value| holds(value, word, left)),
        Value::Object(map) => map.values().any(|value| holds(value, word, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(status: u16, kind: &str, words: &str, code: Option<&str>) -> Error {
        let mut body = json!({"type": "error", "error": {"type": kind, "message": words},
            "request_id": "req_1"});
        if let Some(code) = code {
            body["error"]["details"] = json!({"error_code": code});
        }
        let answer = Whole {
            status,
            location: None,
            retry_after: None,
            headers: Headers::default(),
            body: body.to_string().into_bytes(),
        };
        of_status("h", "m", &answer)
    }

    #[test]
    fn errors_are_told_apart_by_status_and_type() {
        let busy = ErrorKind::Busy { retry_after: None };
        for (status, kind, words, expected, again) in [
            (
                400,
                "invalid_request_error",
                "messages: bad",
                ErrorKind::Refused { status: 400 },
                false,
            ),
            (
                400,
                "invalid_request_error",
                "prompt is too long: 210000 tokens > 200000 maximum",
                ErrorKind::TooLong,
                false,
            ),
            (
                400,
                "invalid_request_error",
                "Your credit balance is too low",
                ErrorKind::SpendLimit,
                false,
            ),
            (
                400,
                "invalid_request_error",
                "You have reached your specified API usage limits.",
                ErrorKind::SpendLimit,
                false,
            ),
            (
                401,
                "authentication_error",
                "invalid x-api-key",
                ErrorKind::Denied,
                false,
            ),
            (402, "billing_error", "pay", ErrorKind::SpendLimit, false),
            (403, "permission_error", "no", ErrorKind::Denied, false),
            (
                404,
                "not_found_error",
                "model: claude-0",
                ErrorKind::ModelMissing,
                false,
            ),
            (
                404,
                "not_found_error",
                "Not Found",
                ErrorKind::Refused { status: 404 },
                false,
            ),
            (
                408,
                "timeout_error",
                "late",
                ErrorKind::Refused { status: 408 },
                true,
            ),
            (
                409,
                "conflict",
                "both",
                ErrorKind::Refused { status: 409 },
                true,
            ),
            (413, "request_too_large", "32 MB", ErrorKind::TooLong, false),
            (429, "rate_limit_error", "slow down", busy, true),
            (
                500,
                "api_error",
                "Internal server error",
                ErrorKind::Server { status: 500 },
                true,
            ),
            (
                504,
                "timeout_error",
                "late",
                ErrorKind::Server { status: 504 },
                true,
            ),
            (529, "overloaded_error", "Overloaded", busy, true),
        ] {
            let error = of(status, kind, words, None);
            assert_eq!(error.kind, expected, "{status} {words}");
            assert_eq!(error.is_retryable(), again, "{status} {words}");
            assert_eq!(error.request(), Some("req_1"));
        }
        for status in [400, 429] {
            let error = of(status, "rate_limit_error", "limit", Some(SPENT));
            assert_eq!(error.kind, ErrorKind::SpendLimit);
            assert!(!error.is_retryable() && error.is_of_the_server());
        }
    }

    #[test]
    fn an_event_is_understood_by_its_type() {
        let of = |kind: &str| {
            in_stream(
                "h",
                &json!({"type": "error", "error": {"type": kind, "message": "x"}}),
            )
            .kind
        };
        assert_eq!(
            of("overloaded_error"),
            ErrorKind::Busy { retry_after: None }
        );
        assert_eq!(of("api_error"), ErrorKind::Server { status: 500 });
        assert_eq!(of("billing_error"), ErrorKind::SpendLimit);
        assert_eq!(of("new_error"), ErrorKind::Server { status: 500 });
    }
}
