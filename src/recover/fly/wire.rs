//! One request to the Machines API, and what its refusals mean.

use crate::net::{Http, Method};
use crate::recover::Token;
use crate::recover::call::{Call, Refusal, send};
use crate::recover::error::{Error, ErrorKind};
use crate::recover::fly::access;
use serde_json::Value;
use std::time::Instant;

/// Who asks, and with what.
pub(super) struct Wire {
    pub http: Http,
    pub token: Token,
}

/// A request. `what` names it in sentences.
pub(super) struct Ask<'a> {
    pub method: Method,
    pub url: &'a str,
    /// Shows that the machine's lease is ours.
    pub nonce: Option<&'a str>,
    pub body: Option<&'a Value>,
    pub what: &'a str,
    pub until: Instant,
}

impl Wire {
    /// Asks for what is there.
    ///
    /// # Errors
    /// As the API refuses it.
    pub fn get(&self, url: &str, what: &str, until: Instant) -> Result<Value, Error> {
        let ask = Ask {
            method: Method::Get,
            url,
            nonce: None,
            body: None,
            what,
            until,
        };
        self.ask(&ask)
    }

    /// Sends it, once.
    ///
    /// # Errors
    /// As the API refuses it.
    pub fn ask(&self, ask: &Ask<'_>) -> Result<Value, Error> {
        match self.sent(ask)? {
            Ok(answer) => Ok(answer),
            Err(refusal) => Err(meaning(refusal, ask.what)),
        }
    }

    /// The same for whoever has to know the status of a refusal.
    ///
    /// # Errors
    /// The outer one: no answer.
    pub fn sent(&self, ask: &Ask<'_>) -> Result<Result<Value, Refusal>, Error> {
        let mut headers = vec![
            ("Authorization", access::header(&self.token)?),
            ("Accept", "application/json".to_owned()),
        ];
        if let Some(nonce) = ask.nonce {
            headers.push(("fly-machine-lease-nonce", nonce.to_owned()));
        }
        let body = ask.body.map(Value::to_string).unwrap_or_default();
        if ask.body.is_some() {
            headers.push(("Content-Type", "application/json".to_owned()));
        }
        let call = Call {
            method: ask.method,
            url: ask.url,
            headers,
            body: body.as_bytes(),
            until: ask.until,
        };
        send(&self.http, call, ask.what)
    }
}

/// A refusal in a sentence, with the API's own words and without its JSON.
pub(super) fn meaning(refusal: Refusal, what: &str) -> Error {
    let told: Value = serde_json::from_str(&refusal.body).unwrap_or_default();
    let said = ["message", "error"]
        .iter()
        .find_map(|name| told[*name].as_str().filter(|text| !text.is_empty()));
    let refusal = Refusal {
        body: said.map_or(refusal.body.clone(), str::to_owned),
        ..refusal
    };
    let error = refusal.error(what);
    match refusal.status {
        // It gave up waiting for its own host, which may do it yet.
        408 => Error::new(ErrorKind::Unreachable, error.what),
        409 => {
            let hint =
                "somebody else holds the lease of the machine; wait until their change is over";
            Error::new(ErrorKind::Refused, format!("{}; {hint}", error.what))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Error {
        let refusal = Refusal {
            status,
            retry_after: None,
            body: body.to_owned(),
        };
        meaning(refusal, "restart of machine a1")
    }

    #[test]
    fn a_refusal_says_what_the_api_says() {
        let said = of(
            412,
            r#"{"error": "failed_precondition: not started", "status": "x"}"#,
        );
        assert_eq!(said.kind, ErrorKind::Refused);
        let wanted = "restart of machine a1: the platform says no (status 412): failed_precondition: not started";
        assert_eq!(said.what, wanted);
        assert!(of(400, "<html>").what.ends_with("<html>"));
        assert!(of(400, r#"{"error": 7}"#).what.ends_with(r#"{"error": 7}"#));
    }

    #[test]
    fn each_status_has_its_kind() {
        for (status, kind) in [
            (401, ErrorKind::Refused),
            (403, ErrorKind::Refused),
            (404, ErrorKind::Missing),
            (408, ErrorKind::Unreachable),
            (409, ErrorKind::Refused),
            (422, ErrorKind::Refused),
            (500, ErrorKind::Unreachable),
            (503, ErrorKind::Unreachable),
        ] {
            assert_eq!(of(status, "").kind, kind, "{status}");
        }
        assert!(matches!(of(429, "").kind, ErrorKind::Limited(_)));
    }
}
