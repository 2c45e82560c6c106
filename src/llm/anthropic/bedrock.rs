//! Claude on Amazon Bedrock: the Messages API in another envelope. The model stands in the
//! address, the region is pinned, a signature stands where a key would, and the events come in
//! frames of Amazon's own (`frames`).

use super::frames::{Frame, Frames};
use super::request::{self, Knobs};
use super::stream::{Assembly, garbage};
use super::{IDLE, broken, fault, gather, reply};
use crate::llm::fault::{advice, clean, said};
use crate::llm::server::{self, QUESTION};
use crate::llm::{Endpoint, Error, ErrorKind, Reply, Talker, Turn};
use crate::net::aws::{self, Signed};
use crate::net::encoded;
use crate::net::{self, Headers, Http, Method, Request, Response, Whole};
use serde_json::Value;
use std::time::{Duration, Instant, SystemTime};

const VERSION: &str = "bedrock-2023-05-31";
const SERVICE: &str = "bedrock";
const STREAM: &str = "application/vnd.amazon.eventstream";

/// Where Claude is asked, and how.
#[derive(Clone, Debug)]
pub struct BedrockSettings {
    pub region: String,
    /// Asked instead of the region's own address: an endpoint inside a network of one's own.
    pub url: Option<String>,
    /// As with `AnthropicSettings`.
    pub thinking: bool,
    pub effort: bool,
    pub idle: Duration,
}

impl BedrockSettings {
    /// With the region's own address.
    pub fn of_region(region: &str) -> BedrockSettings {
        BedrockSettings {
            region: region.to_owned(),
            url: None,
            thinking: true,
            effort: true,
            idle: IDLE,
        }
    }
}

/// Claude on Bedrock.
pub struct Bedrock {
    http: Http,
    base: String,
    host: String,
    model: String,
    settings: BedrockSettings,
    keys: aws::Provider,
}

impl Bedrock {
    /// # Errors
    /// When region or address cannot be one.
    pub fn new(
        http: Http,
        model: &str,
        settings: BedrockSettings,
        keys: aws::Provider,
    ) -> Result<Bedrock, Error> {
        let region = &settings.region;
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if region.is_empty() || region.len() > 40 || !region.bytes().all(good) {
            let words = "the region for Bedrock is none; one is named as in eu-central-1";
            return Err(Error::new(ErrorKind::Settings, words));
        }
        if model.is_empty() {
            let words = "no model is named for Bedrock";
            return Err(Error::new(ErrorKind::Settings, words));
        }
        let own = format!("https://bedrock-runtime.{region}.amazonaws.com");
        let url = settings.url.as_deref().unwrap_or(&own);
        let (base, host) = server::address(url, "")?;
        Ok(Bedrock {
            http,
            base,
            host,
            model: model.to_owned(),
            settings,
            keys,
        })
    }

    fn body(&self, turn: &Turn<'_>) -> Result<String, Error> {
        let knobs = Knobs {
            thinking: self.settings.thinking,
            effort: self.settings.effort,
        };
        let mut body = request::body(turn, knobs)?;
        body.insert("anthropic_version".to_owned(), VERSION.into());
        let body = Value::Object(body).to_string();
        if body.len() > QUESTION {
            let words = format!(
                "a question of {} bytes is more than a server takes",
                body.len()
            );
            return Err(Error::new(ErrorKind::TooLong, words));
        }
        Ok(body)
    }

    /// Sends the body, signed with the keys of this moment.
    fn put(&self, body: &str, until: Instant) -> Result<(Response, aws::Keys), Error> {
        let keys = (self.keys)().map_err(|e| self.keyless(&e))?;
        let url = format!(
            "{}/model/{}/invoke-with-response-stream",
            self.base,
            encoded(&self.model, "")
        );
        let path = url
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)))
            .unwrap_or("/");
        let json = "application/json";
        let added = aws::signed(
            &Signed {
                method: "POST",
                path,
                query: &[],
                headers: &[("content-type", json), ("host", &self.host)],
                body: body.as_bytes(),
                region: &self.settings.region,
                service: SERVICE,
                at: SystemTime::now(),
            },
            &keys,
        );
        let added = added.map_err(|e| self.keyless(&e))?;
        let mut headers = vec![
            ("Host", self.host.clone()),
            ("Content-Type", json.to_owned()),
            ("Accept", STREAM.to_owned()),
        ];
        headers.extend(added);
        let request = Request {
            method: Method::Post,
            url: &url,
            headers,
            body: body.as_bytes(),
            deadline: until,
        };
        let answer = self.http.flow(request, self.settings.idle);
        let answer = answer.map_err(|e| server::unanswered(&self.host, &e))?;
        Ok((answer, keys))
    }

    fn keyless(&self, e: &net::Error) -> Error {
        let kind = match e.kind {
            net::ErrorKind::Settings => ErrorKind::Settings,
            net::ErrorKind::Timeout | net::ErrorKind::TooLarge | net::ErrorKind::Network => {
                ErrorKind::Unreachable
            }
        };
        Error::new(kind, format!("no keys to ask {} with: {e}", self.host))
    }

    fn read(&self, response: Response, until: Instant) -> Result<Reply, Error> {
        let host = &self.host;
        let request = response.headers.get("x-amzn-requestid").map(clean);
        let mut assembly = Assembly::default();
        let mut frames = Frames::new(response.into_reader());
        let next = || loop {
            match frames.next() {
                Ok(None) => return Ok(None),
                Ok(Some(Frame::Data(data))) => return Ok(Some(data)),
                Ok(Some(Frame::Other)) => {}
                Ok(Some(Frame::Fault(named, body))) => {
                    let answer = Whole {
                        status: status_of(&named),
                        location: None,
                        retry_after: None,
                        headers: Headers::default(),
                        body,
                    };
                    return Err(self.refused(&named, &answer));
                }
                Err(fault) => return Err(broken(host, fault, self.settings.idle, until)),
            }
        };
        let read = gather(host, &mut assembly, next);
        let used = assembly.used();
        read.map_err(|error| error.having_used(used))
            .and_then(|message| reply::read(host, message))
            .map_err(|error| error.of_request(request.clone()))
            .map(|reply| Reply { request, ..reply })
    }

    fn whole(&self, mut answer: Whole, keys: &aws::Keys) -> Result<Reply, Error> {
        if answer.status != 200 {
            for secret in keys.token.iter().chain([&keys.secret]) {
                answer = server::hidden(answer, Some(secret));
            }
            let named = answer.headers.get("x-amzn-errortype").unwrap_or_default();
            let named = named.split([':', '#']).next().unwrap_or_default();
            return Err(self.refused(named, &answer));
        }
        let message = serde_json::from_slice(&answer.body)
            .map_err(|_| garbage(&self.host, "its answer is no JSON object"))?;
        reply::read(&self.host, message)
            .map_err(|error| error.of_request(request(&answer)))
            .map(|reply| Reply {
                request: request(&answer),
                ..reply
            })
    }

    /// Amazon names the kind of an error, in a header or a frame; its words are often few.
    fn refused(&self, named: &str, answer: &Whole) -> Error {
        let host = &self.host;
        let said = said(&answer.body);
        let (again, after) = advice(answer);
        let name = named.to_ascii_lowercase();
        let kind = match name.trim_end_matches("exception") {
            "throttling" | "modelnotready" => ErrorKind::Busy { retry_after: after },
            "expiredtoken" | "unrecognizedclient" | "invalidsignature" | "accessdenied" => {
                ErrorKind::Denied
            }
            "resourcenotfound" => ErrorKind::ModelMissing,
            // Of the account, until somebody raises it.
            "servicequotaexceeded" => ErrorKind::SpendLimit,
            "modeltimeout" | "modelerror" | "modelstreamerror" => ErrorKind::Server {
                status: answer.status,
            },
            _ => {
                let error = fault::of_status(host, &self.model, answer);
                return error.of_request(request(answer));
            }
        };
        let words = format!(
            "Bedrock at {host} refused {} ({}, {}: {said})",
            clean(&self.model),
            answer.status,
            clean(named)
        );
        Error::new(kind, words)
            .advised(again, after)
            .of_request(request(answer))
    }
}

/// What a fault that has no status would have had.
fn status_of(named: &str) -> u16 {
    match named.to_ascii_lowercase().trim_end_matches("exception") {
        "throttling" => 429,
        "validation" => 400,
        "modelstreamerror" => 424,
        "modeltimeout" => 408,
        "serviceunavailable" => 503,
        _ => 500,
    }
}

fn request(answer: &Whole) -> Option<String> {
    answer.headers.get("x-amzn-requestid").map(clean)
}

impl Talker for Bedrock {
    fn turn(&self, turn: &Turn<'_>) -> Result<Reply, Error> {
        let started = Instant::now();
        let until = server::no_later_than(turn.deadline);
        let body = self.body(turn)?;
        let (response, keys) = self.put(&body, until)?;
        let streams = response.status == 200 && response.content_type.starts_with(STREAM);
        let reply = if streams {
            self.read(response, until)
        } else {
            let answer = response.whole(server::WHOLE);
            let answer = answer.map_err(|e| server::unanswered(&self.host, &e))?;
            self.whole(answer, &keys)
        };
        reply
            .map_err(|error| {
                error
                    .without(Some(&keys.secret))
                    .without(keys.token.as_ref())
            })
            .map(|reply| Reply {
                seconds: started.elapsed().as_secs_f64(),
                ..reply
            })
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint {
            api: "bedrock".to_owned(),
            host: self.host.clone(),
            region: Some(self.settings.region.clone()),
            model: self.model.clone(),
        }
    }
}
