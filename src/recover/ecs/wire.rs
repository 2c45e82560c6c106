//! One signed request to ECS or to CloudWatch Logs, and what Amazon's words for a fault mean. What is
//! asked, and what the answer says of a service, is for others.

use super::Ecs;
use crate::net::aws::{self, Keys, Signed};
use crate::net::{self, Method, Secret};
use crate::recover::call::{self, Call, Refusal};
use crate::recover::error::shown;
use crate::recover::{Error, ErrorKind};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{Duration, Instant, SystemTime};

const JSON: &str = "application/x-amz-json-1.1";
/// How long a service is left alone that says it is asked too often, and not for how long.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// What is asked of which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    Ecs,
    Logs,
}

impl Api {
    /// As it stands in addresses and signatures.
    const fn word(self) -> &'static str {
        match self {
            Api::Ecs => "ecs",
            Api::Logs => "logs",
        }
    }

    const fn target(self) -> &'static str {
        match self {
            Api::Ecs => "AmazonEC2ContainerServiceV20141113",
            Api::Logs => "Logs_20140328",
        }
    }
}

impl Ecs {
    /// Asks ECS, in the service's own region.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        operation: &str,
        body: &Value,
        until: Instant,
    ) -> Result<T, Error> {
        self.ask_of(Api::Ecs, &self.place.region, operation, body, until)
    }

    /// Sends one request and reads its answer.
    pub(super) fn ask_of<T: DeserializeOwned>(
        &self,
        api: Api,
        region: &str,
        operation: &str,
        body: &Value,
        until: Instant,
    ) -> Result<T, Error> {
        let what = format!(
            "{operation} for {}/{}",
            self.place.cluster, self.place.service
        );
        let keyless = |fault: &net::Error| {
            let kind = match fault.kind {
                net::ErrorKind::Settings => ErrorKind::Settings,
                // Nothing has been sent, so that nothing can have been done.
                net::ErrorKind::Timeout | net::ErrorKind::TooLarge | net::ErrorKind::Network => {
                    ErrorKind::Refused
                }
            };
            Error::new(
                kind,
                format!("{what}: there are no keys to sign with: {fault}"),
            )
        };
        let keys = (self.keys)().map_err(|fault| keyless(&fault))?;
        let base = self.place.address(api.word(), region);
        let host = base.split_once("://").map_or("", |(_, host)| host);
        let target = format!("{}.{operation}", api.target());
        let text = body.to_string();
        let signed = aws::signed(
            &Signed {
                method: "POST",
                path: "/",
                query: &[],
                headers: &[
                    ("content-type", JSON),
                    ("host", host),
                    ("x-amz-target", &target),
                ],
                body: text.as_bytes(),
                region,
                service: api.word(),
                at: SystemTime::now(),
            },
            &keys,
        );
        let mut headers = vec![
            ("Host", host.to_owned()),
            ("Content-Type", JSON.to_owned()),
            ("X-Amz-Target", target.clone()),
        ];
        headers.extend(signed.map_err(|fault| keyless(&fault))?);
        let call = Call {
            method: Method::Post,
            url: &format!("{base}/"),
            headers,
            body: text.as_bytes(),
            until,
        };
        match call::send(&self.http, call, &what)? {
            Err(refusal) => Err(refused(refusal, operation, &what, &keys)),
            Ok(answer) => serde_json::from_value(answer).map_err(|fault| {
                let why = shown(&fault.to_string());
                let what = format!("{what}: the answer is none of {}: {why}", api.word());
                Error::new(ErrorKind::Invalid, what)
            }),
        }
    }
}

/// Amazon names the kind of a fault in the body; the status is mostly 400.
fn refused(mut refusal: Refusal, operation: &str, what: &str, keys: &Keys) -> Error {
    // First of all: what is cut afterwards could keep a half of a secret.
    refusal.body = without(refusal.body, keys);
    let body: Value = serde_json::from_str(&refusal.body).unwrap_or(Value::Null);
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let named = text("__type").or_else(|| text("code")).unwrap_or_default();
    // `com.amazonaws.ecs#ClusterNotFoundException`
    let named = named.rsplit('#').next().unwrap_or(named);
    let named = named.split(':').next().unwrap_or(named);
    let said = text("message")
        .or_else(|| text("Message"))
        .unwrap_or_default();
    let Some((kind, middle)) = meaning(named, said, &refusal, operation) else {
        return refusal.error(what);
    };
    let said = match kind {
        // A fault of the signature quotes the request, with the token that it was signed with.
        ErrorKind::Refused if named.contains("Signature") => String::new(),
        _ => shown(&without(said.to_owned(), keys)),
    };
    let named = shown(named);
    Error::new(
        kind,
        match said.as_str() {
            "" => format!("{what}: {middle} ({named})"),
            said => format!("{what}: {middle} ({named}: {said})"),
        },
    )
}

/// What a named fault means; `None`: it has no name that is known, and the status has to do.
fn meaning(
    named: &str,
    said: &str,
    refusal: &Refusal,
    operation: &str,
) -> Option<(ErrorKind, String)> {
    let pause = refusal.retry_after.unwrap_or(PAUSE).min(LONGEST_PAUSE);
    let of = |kind: ErrorKind, middle: &str| Some((kind, middle.to_owned()));
    match named.trim_end_matches("Exception") {
        "ExpiredToken" | "RequestExpired" => of(
            ErrorKind::Refused,
            "the keys have expired; renew them, or let the role of the task hand them out",
        ),
        "UnrecognizedClient" | "InvalidClientTokenId" | "MissingAuthenticationToken" => of(
            ErrorKind::Refused,
            "AWS does not know the keys; check the key id, its secret and the account",
        ),
        "InvalidSignature" | "IncompleteSignature" | "SignatureDoesNotMatch" => of(
            ErrorKind::Refused,
            "AWS does not take the signature; check the secret key, the region and the clock",
        ),
        "AccessDenied" | "Unauthorized" | "NotAuthorized" | "OptInRequired" => Some((
            ErrorKind::Refused,
            format!("the keys may not do this; allow {operation} for them"),
        )),
        "Throttling" | "Throttled" | "TooManyRequests" | "RequestLimitExceeded" => {
            of(ErrorKind::Limited(pause), "asked too often")
        }
        "ClusterNotFound" => of(
            ErrorKind::Missing,
            "there is no such cluster in this region; check target and region",
        ),
        "ServiceNotFound" => of(
            ErrorKind::Missing,
            "there is no such service in this cluster; check target",
        ),
        "ServiceNotActive" => of(ErrorKind::Missing, "the service has been deleted"),
        "ResourceNotFound" => of(ErrorKind::Missing, "there is no such thing"),
        "Client" if said.starts_with("Unable to describe task definition") => {
            of(ErrorKind::Missing, "there is no such task definition")
        }
        "InvalidParameter" if said.contains("not found") => {
            of(ErrorKind::Missing, "there is no such thing")
        }
        "Client" | "PlatformTaskDefinitionIncompatibility" | "Blocked" | "UnsupportedFeature" => {
            of(ErrorKind::Refused, "ECS says no")
        }
        "InvalidParameter" | "Serialization" | "Validation" | "UnknownOperation" => {
            of(ErrorKind::Invalid, "the request does not fit the service")
        }
        "Server" | "InternalFailure" | "InternalServerError" | "ServiceUnavailable" => {
            of(ErrorKind::Unreachable, "AWS has a fault")
        }
        _ => None,
    }
}

/// The same text without what only AWS may know.
fn without(text: String, keys: &Keys) -> String {
    let secrets = keys.token.iter().chain([&keys.secret]);
    // One of a few letters would be found in every word.
    let secrets = secrets.map(Secret::expose).filter(|one| one.len() >= 8);
    secrets.fold(text, |text, secret| text.replace(secret, "…"))
}
