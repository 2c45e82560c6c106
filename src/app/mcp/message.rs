//! JSON-RPC 2.0 as the Model Context Protocol uses it: what a line is, and what an answer looks like.
//! Methods are not known here.

use serde_json::{Map, Value, json};

/// It is no JSON.
pub(super) const PARSE: i64 = -32_700;
/// It is no request, or it may not come now.
pub(super) const REQUEST: i64 = -32_600;
pub(super) const METHOD: i64 = -32_601;
pub(super) const PARAMS: i64 = -32_602;

/// Longest id that is sent back, in bytes.
const ID: usize = 256;

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub code: i64,
    pub why: String,
}

impl Failure {
    pub(super) fn new(code: i64, why: impl Into<String>) -> Failure {
        Failure {
            code,
            why: why.into(),
        }
    }
}

/// One message, not of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Message {
    Request {
        id: Value,
        method: String,
        params: Params,
    },
    /// Nothing is answered to it.
    Notification,
    /// An answer to something that was never asked: nothing is answered to that either.
    Answer,
    /// What cannot be one of these; with its id, where it has a usable one.
    Wrong { id: Value, failure: Failure },
}

/// What comes with a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Params {
    Named(Map<String, Value>),
    /// A list, or a single value: no method takes it.
    Other,
}

impl Message {
    pub(super) fn of(value: Value) -> Message {
        let wrong = |id: Value, why: &str| Message::Wrong {
            id,
            failure: Failure::new(REQUEST, why),
        };
        let Value::Object(mut fields) = value else {
            return wrong(Value::Null, "a message is an object");
        };
        let id = fields.remove("id");
        let usable = id.clone().filter(is_id);
        let back = usable.clone().unwrap_or_default();
        if fields.get("jsonrpc") != Some(&json!("2.0")) {
            return wrong(back, "`jsonrpc` must be \"2.0\"");
        }
        let method = match fields.remove("method") {
            Some(Value::String(method)) => method,
            Some(_) => return wrong(back, "`method` must be a string"),
            None if fields.contains_key("result") || fields.contains_key("error") => {
                return Message::Answer;
            }
            None => return wrong(back, "there is no `method`"),
        };
        let params = match fields.remove("params") {
            None => Params::Named(Map::new()),
            Some(Value::Object(named)) => Params::Named(named),
            Some(_) => Params::Other,
        };
        match (id, usable) {
            (None, _) => Message::Notification,
            (Some(_), Some(id)) => Message::Request { id, method, params },
            (Some(_), None) => wrong(
                Value::Null,
                "`id` must be a string of at most 256 bytes or a whole number",
            ),
        }
    }
}

fn is_id(id: &Value) -> bool {
    match id {
        Value::String(text) => text.len() <= ID,
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// An answer.
pub(super) fn answer(id: Value, result: Result<Value, Failure>) -> Value {
    match result {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(failure) => json!({
            "jsonrpc": "2.0",
            "id": id,
            "error": {"code": failure.code, "message": failure.why},
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_of_four_things() {
        let of = |text: &str| Message::of(serde_json::from_str(text).unwrap());
        let request = of(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
        assert!(matches!(request, Message::Request { method, .. } if method == "ping"));
        let told = of(r#"{"jsonrpc":"2.0","method":"ping"}"#);
        assert_eq!(told, Message::Notification);
        let answered = of(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        assert_eq!(answered, Message::Answer);
        for (text, back) in [
            ("3", json!(null)),
            (r#"{"id":1,"method":"ping"}"#, json!(1)),
            (r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#, json!("a")),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, json!(1)),
            (r#"{"jsonrpc":"2.0","id":1}"#, json!(1)),
            (
                r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
                json!(null),
            ),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, json!(null)),
            (r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, json!(null)),
        ] {
            let Message::Wrong { id, failure } = of(text) else {
                panic!("{text}");
            };
            assert_eq!((id, failure.code), (back, REQUEST), "{text}");
        }
    }
}
