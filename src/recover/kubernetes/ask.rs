//! One request to the API server: the token read anew for each, lists read page by page, and what a
//! refusal means in words of RBAC. What is asked is others' matter.

use super::Kubernetes;
use super::object::text;
use crate::net::{Method, encoded};
use crate::recover::call::{self, Call, Refusal};
use crate::recover::error::{Error, ErrorKind, shown};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Objects a page: so few that a page of large ones fits into one answer.
const PAGE: usize = 50;
/// Most pages of a list.
const PAGES: usize = 20;

/// What is asked of whom, as RBAC knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Right {
    pub verb: &'static str,
    pub group: &'static str,
    pub resource: &'static str,
}

impl Right {
    const fn of(verb: &'static str, group: &'static str, resource: &'static str) -> Right {
        Right {
            verb,
            group,
            resource,
        }
    }

    pub const GET: Right = Right::of("get", "apps", "deployments");
    pub const PATCH: Right = Right::of("patch", "apps", "deployments");
    pub const SCALE: Right = Right::of("patch", "apps", "deployments/scale");
    pub const REPLICA_SETS: Right = Right::of("list", "apps", "replicasets");
    pub const PODS: Right = Right::of("list", "", "pods");
    pub const POD: Right = Right::of("get", "", "pods");
    pub const DELETE_POD: Right = Right::of("delete", "", "pods");
    pub const LOG: Right = Right::of("get", "", "pods/log");
    pub const AUTOSCALERS: Right = Right::of("list", "autoscaling", "horizontalpodautoscalers");
}

/// A request, but for the token.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub method: Method,
    /// With its query.
    pub url: String,
    pub right: Right,
    /// Type and text; `None`: it has none.
    pub body: Option<(&'static str, String)>,
}

impl Ask {
    pub fn get(url: String, right: Right) -> Ask {
        Ask {
            method: Method::Get,
            url,
            right,
            body: None,
        }
    }
}

/// A request that the API server did not carry out.
#[derive(Debug)]
pub(super) struct Fault {
    /// Its status; `None`: no answer that can be understood.
    pub status: Option<u16>,
    pub error: Error,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault {
            status: None,
            error,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        fault.error
    }
}

/// The first page of a list. `filter`: the rest of its query, encoded.
pub(super) fn page(url: &str, filter: &str) -> String {
    format!("{url}?limit={PAGE}{filter}")
}

impl Kubernetes {
    /// Sends it, and gives the JSON of its answer.
    pub(super) fn ask(&self, ask: &Ask, until: Instant) -> Result<Value, Fault> {
        let answer = self.with_token(ask, until, call::send)?;
        Ok(answer)
    }

    /// As [`Kubernetes::ask`], for plain text.
    pub(super) fn ask_text(&self, ask: &Ask, until: Instant) -> Result<String, Fault> {
        self.with_token(ask, until, call::text)
    }

    /// All objects of a list that are to be kept, of those that `filter` asks for.
    pub(super) fn list(
        &self,
        url: &str,
        right: Right,
        filter: &str,
        keep: impl Fn(&Value) -> bool,
        until: Instant,
    ) -> Result<Vec<Value>, Fault> {
        let mut found = Vec::new();
        let first = page(url, filter);
        let mut next = String::new();
        for _ in 0..PAGES {
            let ask = Ask::get(format!("{first}{next}"), right);
            let mut answer = self.ask(&ask, until)?;
            let Some(Value::Array(items)) = answer.get_mut("items").map(Value::take) else {
                let what = format!("{}: the answer is no list", self.what(right));
                return Err(Error::new(ErrorKind::Invalid, what).into());
            };
            found.extend(items.into_iter().filter(&keep));
            match text(&answer, "/metadata/continue") {
                None => return Ok(found),
                Some(mark) => next = format!("&continue={}", encoded(mark, "")),
            }
        }
        let what = format!(
            "{}: there are more than {}, which is too many to look through",
            self.what(right),
            PAGE * PAGES
        );
        Err(Error::new(ErrorKind::Unsupported, what).into())
    }

    fn with_token<T>(
        &self,
        ask: &Ask,
        until: Instant,
        send: impl Fn(&crate::net::Http, Call<'_>, &str) -> Result<Result<T, Refusal>, Error>,
    ) -> Result<T, Fault> {
        let once = || -> Result<Result<T, Refusal>, Error> {
            let Some(token) = (self.token)() else {
                let what = format!(
                    "{}: no token to ask with; mount the token of a ServiceAccount, or set token",
                    self.what(ask.right)
                );
                return Err(Error::new(ErrorKind::Settings, what));
            };
            let token = token.expose().trim();
            if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
                let what = format!("{}: what was read is no token", self.what(ask.right));
                return Err(Error::new(ErrorKind::Settings, what));
            }
            let mut headers = vec![
                ("Accept", "application/json, */*;q=0.5".to_owned()),
                ("Authorization", format!("Bearer {token}")),
            ];
            if let Some((kind, _)) = &ask.body {
                headers.push(("Content-Type", (*kind).to_owned()));
            }
            let body = ask.body.as_ref().map_or("", |(_, text)| text.as_str());
            let call = Call {
                method: ask.method,
                url: &ask.url,
                headers,
                body: body.as_bytes(),
                until,
            };
            send(&self.http, call, &self.what(ask.right))
        };
        let answer = match once()? {
            // Nothing was done. The kubelet may have renewed the token since it was read.
            Err(refusal) if refusal.status == 401 => once()?,
            other => other,
        };
        answer.map_err(|refusal| Fault {
            status: Some(refusal.status),
            error: self.meaning(refusal, ask.right),
        })
    }

    /// What was asked, for people.
    fn what(&self, right: Right) -> String {
        let (namespace, name) = (&self.site.namespace, &self.site.name);
        let (verb, resource) = (right.verb, right.resource);
        format!("{namespace}/{name}: {verb} {resource}")
    }

    fn meaning(&self, refusal: Refusal, right: Right) -> Error {
        let what = self.what(right);
        let status: Value = serde_json::from_str(&refusal.body).unwrap_or(Value::Null);
        let said = status.get("message").and_then(Value::as_str);
        let refusal = Refusal {
            body: said.unwrap_or(&refusal.body).to_owned(),
            retry_after: refusal.retry_after.or_else(|| {
                let seconds = status.pointer("/details/retryAfterSeconds")?.as_u64()?;
                Some(Duration::from_secs(seconds))
            }),
            ..refusal
        };
        let said = |kind, meaning: &str| {
            let (code, said) = (refusal.status, shown(&refusal.body));
            Error::new(kind, format!("{what}: {meaning} (status {code}): {said}"))
        };
        match refusal.status {
            403 => {
                let (verb, resource) = (right.verb, right.resource);
                let group = match right.group {
                    "" => "the core API group".to_owned(),
                    group => format!("API group {group}"),
                };
                let namespace = &self.site.namespace;
                let meaning = format!(
                    "the ServiceAccount may not do this; give it a Role in namespace {namespace} \
                     with the verb {verb} on {resource} ({group})"
                );
                said(ErrorKind::Refused, &meaning)
            }
            409 => said(
                ErrorKind::Invalid,
                "it is another meanwhile, and nothing was done",
            ),
            400 | 422 => said(
                ErrorKind::Invalid,
                "the API server does not accept this, and nothing was done",
            ),
            // A list whose next page is no longer kept. Asked again, it begins anew.
            410 => said(
                ErrorKind::Unreachable,
                "it changed while it was read; ask again",
            ),
            _ => refusal.error(&what),
        }
    }
}
