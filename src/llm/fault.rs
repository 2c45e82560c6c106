//! What a server means by a status that is not 200. Ollama, llama-server and vLLM put their words
//! in different places and agree on little more than 404 and 503.

use super::{Error, ErrorKind};
use crate::net::Whole;
use serde_json::Value;
use std::time::Duration;

/// Most of a server's words that an error repeats, in characters.
const QUOTED: usize = 300;

/// Says why a server that was asked for `model` refused. `pull` is what would get the model.
pub(super) fn fault(host: &str, model: &str, pull: Option<String>, answer: &Whole) -> Error {
    let said = said(&answer.body);
    let low = said.to_lowercase();
    let status = answer.status;
    let err = |kind, words| Error::new(kind, words);
    match status {
        401 | 403 => err(
            ErrorKind::Denied,
            format!("the model's server {host} does not accept the key, or wants one ({status})"),
        ),
        _ if is_too_long(status, &low) => err(
            ErrorKind::TooLong,
            format!(
                "the question does not fit the model's context; \
                 fewer lines at once or a larger context help ({host}: {said})"
            ),
        ),
        // A limit on spending looks like one on pace, and does not pass like one.
        _ if status == 402 || (status == 429 && is_spent(&answer.body, &low)) => err(
            ErrorKind::SpendLimit,
            format!(
                "{host} has no money left for this key ({status}: {said}); \
                 raise the limit there or wait until it is renewed"
            ),
        ),
        404 if low.contains("model") => missing(host, model, pull),
        503 if low.contains("loading") => err(
            ErrorKind::Loading,
            format!("{host} is still loading its model; it answers once that is done"),
        ),
        429 | 503 => err(
            ErrorKind::Busy {
                retry_after: answer.retry_after,
            },
            format!("the model at {host} has too much to do ({status}: {said}); ask less often"),
        ),
        300..=399 => {
            let to = clean(answer.location.as_deref().unwrap_or("elsewhere"));
            err(
                ErrorKind::Refused { status },
                format!("{host} redirects to {to}, which is not followed; set the address itself"),
            )
        }
        500.. => err(
            ErrorKind::Server { status },
            format!("the model's server {host} failed ({status}: {said}); its own log says more"),
        ),
        _ => err(
            ErrorKind::Refused { status },
            format!(
                "{host} refused the question ({status}: {said}); \
                 is it the address of a model's server?"
            ),
        ),
    }
}

/// The model is not there.
pub(super) fn missing(host: &str, model: &str, pull: Option<String>) -> Error {
    let model = clean(model);
    let remedy = pull.unwrap_or_else(|| "set the name of one that it has".to_owned());
    Error::new(
        ErrorKind::ModelMissing,
        format!("{host} has no model {model}: {remedy}"),
    )
}

pub(super) fn is_too_long(status: u16, low: &str) -> bool {
    let words = [
        "context length",
        "context size",
        "context window",
        "exceed_context_size",
    ];
    status == 413 || (matches!(status, 400 | 422 | 500) && words.iter().any(|w| low.contains(w)))
}

fn is_spent(body: &[u8], low: &str) -> bool {
    let code = b"insufficient_quota";
    low.contains("exceeded your current quota") || body.windows(code.len()).any(|at| at == code)
}

/// Whether and when the server says to try again.
pub(super) fn advice(answer: &Whole) -> (Option<bool>, Option<Duration>) {
    let again = match answer.headers.get("x-should-retry") {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    let millis = answer.headers.get("retry-after-ms");
    let millis = millis.and_then(|text| text.trim().parse::<f64>().ok());
    let millis = millis.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
    (again, millis.or(answer.retry_after))
}

/// The server's own words, wherever it put them, in one clean line.
pub(super) fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match words(&text) {
        // Ollama hands on what the llama-server below it said: JSON, as text.
        Some(outer) => clean(&words(&outer).unwrap_or(outer)),
        None if text.trim_start().starts_with('<') => "a page of HTML".to_owned(),
        None if text.trim().is_empty() => "no words".to_owned(),
        None => clean(&text),
    }
}

fn words(text: &str) -> Option<String> {
    let json: Value = serde_json::from_str(text).ok()?;
    ["/error/message", "/error", "/message", "/detail"]
        .iter()
        .find_map(|at| json.pointer(at)?.as_str())
        .map(str::to_owned)
}

/// One line of at most `QUOTED` characters, without what steers a terminal or hides text.
pub(super) fn clean(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || steers(c)) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > QUOTED {
            let mut cut: String = line.chars().take(QUOTED).collect();
            cut.push('…');
            return cut;
        }
    }
    line
}

fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> ErrorKind {
        let answer = Whole {
            status,
            location: None,
            retry_after: Some(Duration::from_secs(7)),
            headers: crate::net::Headers::default(),
            body: body.as_bytes().to_vec(),
        };
        fault("h", "m", None, &answer).kind
    }

    #[test]
    fn servers_are_understood_in_their_own_words() {
        let busy = ErrorKind::Busy {
            retry_after: Some(Duration::from_secs(7)),
        };
        for (status, body, kind) in [
            // Ollama
            (
                404,
                r#"{"error":"model 'm' not found"}"#,
                ErrorKind::ModelMissing,
            ),
            (
                400,
                r#"{"error":"the input length exceeds the context length"}"#,
                ErrorKind::TooLong,
            ),
            (
                503,
                r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#,
                busy,
            ),
            (
                500,
                r#"{"error":"llama runner process has terminated"}"#,
                ErrorKind::Server { status: 500 },
            ),
            // llama-server
            (
                503,
                r#"{"error":{"message":"Loading model","type":"unavailable_error","code":503}}"#,
                ErrorKind::Loading,
            ),
            (
                400,
                r#"{"error":{"code":400,"message":"request (33030 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error"}}"#,
                ErrorKind::TooLong,
            ),
            (
                404,
                r#"{"error":{"message":"File Not Found","type":"not_found_error","code":404}}"#,
                ErrorKind::Refused { status: 404 },
            ),
            // vLLM
            (
                404,
                r#"{"error":{"message":"The model `m` does not exist.","type":"NotFoundError","code":404}}"#,
                ErrorKind::ModelMissing,
            ),
            (
                400,
                r#"{"object":"error","message":"This model's maximum context length is 4096 tokens."}"#,
                ErrorKind::TooLong,
            ),
            // OpenAI
            (
                429,
                r#"{"error":{"message":"You exceeded your current quota.","code":"insufficient_quota"}}"#,
                ErrorKind::SpendLimit,
            ),
            // Whatever stands before them
            (402, "", ErrorKind::SpendLimit),
            (401, "<html>", ErrorKind::Denied),
            (429, "", busy),
            (502, "<html>Bad Gateway", ErrorKind::Server { status: 502 }),
            (302, "", ErrorKind::Refused { status: 302 }),
        ] {
            assert_eq!(of(status, body), kind, "{status} {body}");
        }
    }

    #[test]
    fn words_are_one_short_line() {
        assert_eq!(clean("a\u{1b}[31m\r\nb\u{202e} \0c"), "a [31m b c");
        assert_eq!(clean(&"x".repeat(9000)).chars().count(), QUOTED + 1);
        assert_eq!(said(b"  <!doctype html>"), "a page of HTML");
        let nested = br#"{"error":"{\"error\":{\"code\":400,\"message\":\"too long\"}}"}"#;
        assert_eq!(said(nested), "too long");
    }
}
