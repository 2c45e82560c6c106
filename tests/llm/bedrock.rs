//! Claude on Bedrock, played: the server takes each signature apart and makes it again by itself,
//! from the bytes that it received. The keys come from a played host beside a container.

use crate::anthropic_server::{Said, events};
use crate::conversation::{ask, path, results, text};
use crate::played::{Heard, Plays, Server, http, plays, serve};
use autofix::llm::{Bedrock, BedrockSettings, Error, ErrorKind, Message, Stop, Talker};
use autofix::net::aws::{Keys, Provider, Role};
use autofix::net::{self, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

const MODEL: &str = "eu.anthropic.claude-opus-5-5-v1:0";
const REGION: &str = "eu-central-1";

fn keys() -> Keys {
    Keys {
        id: "AKPLAYED".to_owned(),
        secret: Secret::new("s3cret/key+played".to_owned()),
        token: Some(Secret::new("t0ken/played==".to_owned())),
        expires: None,
    }
}

fn with(url: &str, keys: Provider) -> Bedrock {
    let settings = BedrockSettings {
        url: Some(url.to_owned()),
        ..BedrockSettings::of_region(REGION)
    };
    Bedrock::new(http(), MODEL, settings, keys).unwrap()
}

fn client(server: &Server) -> Bedrock {
    with(&server.url, Box::new(|| Ok(keys())))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes the signature again from what was received; says what is wrong.
fn verify(heard: &Heard, secret: &str) -> Result<(), String> {
    let header = |name: &str| {
        let mut found = heard.head.lines().filter_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        });
        let first = found.next().ok_or(format!("no {name}"))?;
        match found.next() {
            None => Ok(first),
            Some(_) => Err(format!("{name} twice")),
        }
    };
    let authorization = header("authorization")?;
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(&format!("{name}="))?;
        rest.split(',').next().map(str::to_owned)
    };
    let credential = part("Credential").ok_or("no credential")?;
    let names = part("SignedHeaders").ok_or("no names")?;
    let (_, scope) = credential.split_once('/').ok_or("no scope")?;
    for needed in ["host", "x-amz-date", "x-amz-security-token", "content-type"] {
        if !names.split(';').any(|name| name == needed) {
            return Err(format!("{needed} is not signed"));
        }
    }
    let mut lines = String::new();
    for name in names.split(';') {
        lines.push_str(&format!("{name}:{}\n", header(name)?));
    }
    let path = heard.what.strip_prefix("POST ").ok_or("no POST")?;
    // All that is percent-encoded once is so twice here.
    let path = path.replace('%', "%25");
    let body = hex(&Sha256::digest(heard.raw.as_slice()));
    let canonical = format!("POST\n{path}\n\n{lines}\n{names}\n{body}");
    let date = header("x-amz-date")?;
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
    let key = scope
        .split('/')
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| {
            mac(&key, part)
        });
    let expected = hex(&mac(&key, &to_sign));
    if part("Signature").as_deref() != Some(expected.as_str()) {
        return Err(format!("the signature is not that of\n{canonical}"));
    }
    let day = date.get(..8).unwrap_or_default();
    if scope != format!("{day}/{REGION}/bedrock/aws4_request") {
        return Err(format!("scope {scope}"));
    }
    Ok(())
}

fn message(content: Value, stop: &str) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5-5",
        "content": content, "stop_reason": stop,
        "usage": {"input_tokens": 7, "output_tokens": 3, "cache_read_input_tokens": 900}})
}

const STREAMS: &str =
    "x-amzn-RequestId: r-1\r\nContent-Type: application/vnd.amazon.eventstream\r\n";

/// A frame of Amazon's event stream.
fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(name.len() as u8);
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&(value.len() as u16).to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let mut bytes = ((16 + head.len() + payload.len()) as u32)
        .to_be_bytes()
        .to_vec();
    bytes.extend((head.len() as u32).to_be_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(head);
    bytes.extend_from_slice(payload);
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

/// A message, event by event, each in its frame.
fn frames(message: &Value) -> Vec<Vec<u8>> {
    let said = Said {
        content: message["content"].as_array().unwrap().clone(),
        stop: Box::leak(
            message["stop_reason"]
                .as_str()
                .unwrap()
                .to_owned()
                .into_boxed_str(),
        ),
        details: Value::Null,
    };
    let framed = |data: &Value| {
        let bytes = STANDARD.encode(data.to_string());
        let payload = json!({"bytes": bytes, "p": "abcdefgh"}).to_string();
        let head = [
            (":event-type", "chunk"),
            (":content-type", "application/json"),
            (":message-type", "event"),
        ];
        frame(&head, payload.as_bytes())
    };
    let events = events("claude-opus-5-5", &message["usage"], &said);
    events.iter().map(framed).collect()
}

#[test]
fn a_conversation_is_signed_turn_by_turn() {
    let server = serve(|heard| {
        if let Err(words) = verify(heard, keys().secret.expose()) {
            return Plays::Json(403, json!({"message": words}));
        }
        let first = heard.body["messages"].as_array().unwrap().len() == 1;
        let body = if first {
            let call =
                json!({"type": "tool_use", "id": "t_1", "name": "read_file", "input": path("a")});
            message(
                json!([{"type": "thinking", "thinking": "", "signature": "c2ln"}, call]),
                "tool_use",
            )
        } else {
            message(json!([{"type": "text", "text": "Done."}]), "end_turn")
        };
        Plays::Bytes(200, STREAMS, frames(&body).concat())
    });
    let model = client(&server);
    let mut messages = vec![text("x")];
    let reply = ask(&model, &messages).unwrap();
    assert_eq!(
        (reply.stop.clone(), reply.request.as_deref()),
        (Stop::Tools, Some("r-1"))
    );
    assert_eq!(reply.usage.cache_read, 900);
    messages.extend([Message::Theirs(reply.said.clone()), results(&reply)]);
    assert_eq!(ask(&model, &messages).unwrap().text, "Done.");
    let heard = &server.heard()[1];
    assert_eq!(
        heard.what,
        "POST /model/eu.anthropic.claude-opus-5-5-v1%3A0/invoke-with-response-stream"
    );
    assert_eq!(heard.body["anthropic_version"], "bedrock-2023-05-31");
    assert!(heard.body.get("model").is_none() && heard.body.get("stream").is_none());
    assert_eq!(heard.body["messages"][1]["content"], reply.said.0);
    assert!(!heard.head.contains("s3cret"));
    let endpoint = model.endpoint();
    assert_eq!(
        (endpoint.api.as_str(), endpoint.region.as_deref()),
        ("bedrock", Some(REGION))
    );
}

/// The check above finds a signature that is wrong, and a body that was changed on the way.
#[test]
fn a_wrong_signature_is_found() {
    let server = serve(|heard| {
        let mut other = heard.clone();
        other.raw.push(b' ');
        let wrong = [
            verify(heard, "other"),
            verify(&other, keys().secret.expose()),
        ];
        assert!(wrong.iter().all(Result::is_err));
        verify(heard, keys().secret.expose()).unwrap();
        Plays::Json(
            403,
            json!({"message": "The security token included in the request is expired"}),
        )
    });
    let e = ask(&client(&server), &[text("x")]).unwrap_err();
    assert_eq!(e.kind, ErrorKind::Denied, "{e}");
}

#[test]
fn refusals_are_told_apart_by_amazons_names() {
    let of = |status: u16, head: &'static str, words: &str| -> Error {
        let server = plays(Plays::Raw(
            status,
            head,
            json!({"message": words}).to_string(),
        ));
        ask(&client(&server), &[text("x")]).unwrap_err()
    };
    let busy = ErrorKind::Busy { retry_after: None };
    let e = of(
        429,
        "x-amzn-ErrorType: ThrottlingException:http://x/\r\nx-amzn-RequestId: r-9\r\n",
        "Too many tokens",
    );
    assert!(e.kind == busy && e.is_retryable(), "{e}");
    assert_eq!(e.request(), Some("r-9"));
    let e = of(
        400,
        "x-amzn-ErrorType: ServiceQuotaExceededException\r\n",
        "quota",
    );
    assert_eq!(e.kind, ErrorKind::SpendLimit);
    for named in ["AccessDeniedException", "ExpiredTokenException"] {
        let head: &'static str =
            Box::leak(format!("x-amzn-ErrorType: {named}\r\n").into_boxed_str());
        assert_eq!(of(403, head, "no").kind, ErrorKind::Denied);
    }
    let e = of(
        404,
        "x-amzn-ErrorType: ResourceNotFoundException\r\n",
        "Could not resolve",
    );
    assert_eq!(e.kind, ErrorKind::ModelMissing);
    let e = of(408, "x-amzn-ErrorType: ModelTimeoutException\r\n", "late");
    assert!(e.is_retryable(), "{e}");
    let e = of(
        400,
        "x-amzn-ErrorType: ValidationException\r\n",
        "Malformed input request",
    );
    assert_eq!(e.kind, ErrorKind::Refused { status: 400 });
    let e = of(
        400,
        "x-amzn-ErrorType: ValidationException\r\n",
        "prompt is too long: 3 > 2",
    );
    assert_eq!(e.kind, ErrorKind::TooLong);
    assert_eq!(of(503, "", "Service Unavailable").kind, busy);
    let e = of(403, "", "you sent t0ken/played== and s3cret/key+played");
    assert!(!e.to_string().contains("played"), "{e}");
}

#[test]
fn a_stream_that_breaks_off_or_fails_is_told_with_what_it_has_cost() {
    let call = json!({"type": "tool_use", "id": "t_1", "name": "read_file", "input": path("a")});
    let whole = frames(&message(json!([call]), "tool_use"));
    let of = |bytes: Vec<u8>| {
        let server = plays(Plays::Bytes(200, STREAMS, bytes));
        ask(&client(&server), &[text("x")])
    };
    assert_eq!(of(whole.concat()).unwrap().calls[0].input, path("a"));
    for end in 0..whole.len() {
        let mut bytes = whole[..end].concat();
        // In the middle of a frame.
        bytes.extend(&whole[end][..9]);
        let e = of(bytes).unwrap_err();
        assert_eq!(e.kind, ErrorKind::Interrupted, "after {end}: {e}");
        assert_eq!(e.used().is_some(), end > 0);
        assert_eq!(e.request(), Some("r-1"));
    }
    for (named, kind) in [
        ("throttlingException", ErrorKind::Busy { retry_after: None }),
        ("internalServerException", ErrorKind::Server { status: 500 }),
        (
            "modelStreamErrorException",
            ErrorKind::Server { status: 424 },
        ),
        ("validationException", ErrorKind::Refused { status: 400 }),
    ] {
        let mut bytes = whole[..4].concat();
        let head = [(":exception-type", named), (":message-type", "exception")];
        let words = br#"{"message":"s3cret/key+played"}"#;
        bytes.extend(frame(&head, words));
        let e = of(bytes).unwrap_err();
        assert_eq!(e.kind, kind, "{named}: {e}");
        assert_eq!(e.used().unwrap().cache_read, 900);
        assert!(!e.to_string().contains("s3cret"), "{e}");
    }
    let mut changed = whole.concat();
    changed[40] ^= 1;
    assert_eq!(of(changed).unwrap_err().kind, ErrorKind::Garbage);
}

#[test]
fn settings_that_are_none_are_told() {
    let made = |region: &str, url: Option<&str>| {
        let settings = BedrockSettings {
            url: url.map(str::to_owned),
            ..BedrockSettings::of_region(region)
        };
        Bedrock::new(http(), MODEL, settings, Box::new(|| Ok(keys())))
    };
    let own = made("us-east-1", None).ok().unwrap().endpoint();
    assert_eq!(own.host, "bedrock-runtime.us-east-1.amazonaws.com");
    for (region, url) in [
        ("", None),
        ("evil.example/", None),
        ("us-east-1", Some("ftp://x")),
    ] {
        let e = made(region, url).err().unwrap();
        assert_eq!(e.kind, ErrorKind::Settings, "{e}");
    }
    let none = || {
        Err(net::Error::new(
            net::ErrorKind::Settings,
            "no keys".to_owned(),
        ))
    };
    let model = with("http://127.0.0.1:9", Box::new(none));
    assert_eq!(
        ask(&model, &[text("x")]).unwrap_err().kind,
        ErrorKind::Settings
    );
}

#[test]
fn an_answer_that_is_none_is_told() {
    for (plays_what, kind) in [
        (Plays::Raw(200, "", "<html>".to_owned()), ErrorKind::Garbage),
        (Plays::Json(200, json!({"content": []})), ErrorKind::Garbage),
        (
            Plays::Breaks(message(json!([]), "end_turn")),
            ErrorKind::Unreachable,
        ),
        (Plays::Endless, ErrorKind::Garbage),
    ] {
        let server = plays(plays_what);
        let e = ask(&client(&server), &[text("x")]).unwrap_err();
        assert_eq!(e.kind, kind, "{e}");
    }
}

fn role_answer(id: &str, expires: &str) -> Value {
    json!({"RoleArn": "arn:aws:iam::1:role/x", "AccessKeyId": id, "SecretAccessKey": "s3cret",
        "Token": "t0ken", "Expiration": expires})
}

/// 2026-03-01 12:00:00
fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_366_400)
}

#[test]
fn keys_of_a_role_are_kept_until_some_minutes_before_their_end() {
    let given = AtomicUsize::new(0);
    let server = serve(move |heard| {
        assert!(
            heard.head.contains("Bearer t0p") || heard.head.contains("bearer t0p"),
            "{}",
            heard.head
        );
        match given.fetch_add(1, Ordering::SeqCst) {
            0 => Plays::Json(200, role_answer("AK0", "2026-03-01T12:30:00Z")),
            1 => Plays::Json(200, role_answer("AK1", "2026-03-01T13:00:00.000Z")),
            _ => Plays::Json(500, json!({"message": "s3cret"})),
        }
    });
    let token = || Ok(Some(Secret::new("Bearer t0p".to_owned())));
    let role = Role::new(&format!("{}/v2/credentials/x", server.url), Box::new(token)).unwrap();
    let at = |minutes: u64| role.keys(noon() + Duration::from_secs(60 * minutes));
    assert_eq!(at(0).unwrap().id, "AK0");
    assert_eq!(at(24).unwrap().id, "AK0");
    assert_eq!(server.heard().len(), 1, "kept");
    assert_eq!(at(26).unwrap().id, "AK1", "five minutes before their end");
    assert_eq!(at(57).unwrap().id, "AK1", "none came, and these still hold");
    let e = at(61).unwrap_err();
    assert!(
        e.to_string().contains("role") && !e.to_string().contains("s3cret"),
        "{e}"
    );
    assert_eq!(server.heard()[0].what, "GET /v2/credentials/x");
}

#[test]
fn a_role_that_answers_nonsense_gives_no_keys() {
    for what in [
        Plays::Raw(200, "", "<html>".to_owned()),
        Plays::Json(200, json!({"AccessKeyId": "AK"})),
        Plays::Json(200, role_answer("AK", "soon")),
        Plays::Json(404, json!({})),
        Plays::Endless,
    ] {
        let server = plays(what);
        let role = Role::new(&format!("{}/x", server.url), Box::new(|| Ok(None))).unwrap();
        assert!(role.keys(noon()).is_err());
    }
}
