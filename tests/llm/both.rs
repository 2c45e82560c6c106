//! What goes wrong in the same way with every API: silence, broken answers, other things that
//! listen on the port.

use crate::played::{Plays, SCHEMA, Server, http, key, ollama, openai, plays, question};
use autofix::llm::{Ask, Error, ErrorKind, Model, Ollama, OpenAi};
use autofix::net::{self, Http};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const WHOLE: &str = "{\"verdict\":\"ignore\"}";

/// A good answer in either shape at once.
fn good() -> Value {
    json!({
        "model": "small:1b", "message": {"role": "assistant", "content": WHOLE}, "done": true,
        "choices": [{"message": {"content": WHOLE}, "finish_reason": "stop"}],
    })
}

fn each(server: &Server) -> [(&'static str, Box<dyn Model>); 2] {
    [
        ("ollama", Box::new(ollama(server))),
        ("openai", Box::new(openai(server))),
    ]
}

/// Both fail in one way; returns their errors.
fn fail(what: Plays, kind: ErrorKind) -> Vec<Error> {
    let server = plays(what);
    let of = |(name, model): (&str, Box<dyn Model>)| {
        let e = model.ask(&question("x")).unwrap_err();
        assert_eq!(e.kind, kind, "{name}: {e}");
        assert!(
            e.to_string().len() < 700 && !e.to_string().contains(char::is_control),
            "{e}"
        );
        e
    };
    each(&server).into_iter().map(of).collect()
}

#[test]
fn silence_ends_at_the_deadline_and_the_server_is_told() {
    let server = plays(Plays::Hangs);
    for (name, model) in each(&server) {
        let started = Instant::now();
        let ask = Ask {
            deadline: Duration::from_millis(300),
            ..question("x")
        };
        let e = model.ask(&ask).unwrap_err();
        assert_eq!(e.kind, ErrorKind::TimedOut, "{name}: {e}");
        assert!(e.is_retryable());
        assert!(started.elapsed() < Duration::from_secs(3), "{name}");
    }
    assert!(server.was_left(), "the connection is closed");
}

#[test]
fn a_drip_does_not_stretch_the_deadline() {
    let server = plays(Plays::Drips(good(), Duration::from_millis(100)));
    for (name, model) in each(&server) {
        let started = Instant::now();
        let ask = Ask {
            deadline: Duration::from_millis(700),
            ..question("x")
        };
        let e = model.ask(&ask).unwrap_err();
        assert_eq!(e.kind, ErrorKind::TimedOut, "{name}: {e}");
        assert!(started.elapsed() < Duration::from_secs(3), "{name}");
    }
    assert!(server.was_left(), "the connection is closed");
}

#[test]
fn slow_is_not_late() {
    let server = plays(Plays::Drips(good(), Duration::from_millis(2)));
    for (name, model) in each(&server) {
        assert_eq!(model.ask(&question("x")).unwrap().text, WHOLE, "{name}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    for e in fail(Plays::Breaks(good()), ErrorKind::Unreachable) {
        assert!(e.is_retryable());
    }
}

#[test]
fn an_answer_without_an_end_is_left() {
    fail(Plays::Endless, ErrorKind::Garbage);
}

#[test]
fn nobody_there_is_told_with_the_host() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}");
    let model = Ollama::new(http(), &url, "m", Box::new(|_| None)).unwrap();
    let e = model.ask(&question("x")).unwrap_err();
    assert_eq!(e.kind, ErrorKind::Unreachable);
    assert!(e.to_string().contains(&format!("127.0.0.1:{port}")), "{e}");
}

#[test]
fn another_server_on_the_port_is_told() {
    let page = "<html>\u{1b}[31m welcome</html>".to_owned();
    for e in fail(Plays::Raw(200, "", page.clone()), ErrorKind::Garbage) {
        assert!(e.to_string().contains("HTML"), "{e}");
    }
    fail(
        Plays::Raw(404, "", page),
        ErrorKind::Refused { status: 404 },
    );
    fail(Plays::Json(200, json!([1, 2])), ErrorKind::Garbage);
    fail(
        Plays::Json(200, json!({"choices": "none", "message": 3})),
        ErrorKind::Garbage,
    );
    fail(Plays::Raw(200, "", "[".repeat(100_000)), ErrorKind::Garbage);
    fail(Plays::Raw(200, "", String::new()), ErrorKind::Garbage);
}

#[test]
fn words_instead_of_json_are_no_answer() {
    let said = "Sure! The verdict is: ignore";
    let body = json!({
        "message": {"content": said},
        "choices": [{"message": {"content": said}, "finish_reason": "stop"}],
    });
    for e in fail(Plays::Json(200, body), ErrorKind::Garbage) {
        assert!(!e.is_retryable() && !e.is_of_the_server());
    }
    let nothing = json!({"message": {}, "choices": [{"message": {"content": null}}]});
    fail(Plays::Json(200, nothing), ErrorKind::Garbage);
}

#[test]
fn redirects_are_not_followed() {
    let goal = plays(Plays::Json(200, good()));
    let to: &'static str = Box::leak(format!("Location: {}/x\r\n", goal.url).into_boxed_str());
    for status in [301, 302, 307, 308] {
        let what = Plays::Raw(status, to, String::new());
        for e in fail(what, ErrorKind::Refused { status }) {
            assert!(e.to_string().contains(&goal.url), "{e}");
        }
    }
    assert!(goal.heard().is_empty());
}

#[test]
fn a_key_goes_into_the_header_and_no_error() {
    let said = "no such key: s3cret-key";
    for status in [400, 401, 403, 500] {
        let server = plays(Plays::Json(status, json!({"error": {"message": said}})));
        let model = OpenAi::new(http(), &server.url, "m", key("s3cret-key")).unwrap();
        let e = model.ask(&question("x")).unwrap_err();
        assert!(!format!("{e} {e:?}").contains("s3cret"), "{e:?}");
        let heads: String = server.heard().into_iter().map(|heard| heard.head).collect();
        assert!(
            heads
                .to_lowercase()
                .contains("authorization: bearer s3cret-key"),
            "{heads}"
        );
        if matches!(status, 401 | 403) {
            assert_eq!(e.kind, ErrorKind::Denied);
        }
    }
}

#[test]
fn a_key_is_asked_for_by_host_and_each_time() {
    let server = plays(Plays::Json(200, good()));
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = asked.clone();
    let keys = Box::new(move |host: &str| {
        seen.lock().unwrap().push(host.to_owned());
        None
    });
    let model = Ollama::new(http(), &server.url, "m", keys).unwrap();
    model.ask(&question("x")).unwrap();
    model.ask(&question("x")).unwrap();
    let host = server.url.strip_prefix("http://").unwrap();
    assert_eq!(*asked.lock().unwrap(), [host, host]);
}

#[test]
fn a_model_on_this_machine_is_not_asked_through_the_proxy() {
    let (server, proxy) = (plays(Plays::Json(200, good())), plays(Plays::Hangs));
    let settings = net::Settings {
        proxy: Some(proxy.url.clone()),
        extra_roots: None,
    };
    let http = Http::new(&settings).unwrap();
    let model = Ollama::new(http, &server.url, "m", Box::new(|_| None)).unwrap();
    model.ask(&question("x")).unwrap();
    assert!(proxy.heard().is_empty());
}

#[test]
fn deadlines_that_no_clock_can_hold_do_no_harm() {
    let server = plays(Plays::Json(200, good()));
    for (name, model) in each(&server) {
        let ask = |deadline| {
            model.ask(&Ask {
                deadline,
                ..question("x")
            })
        };
        assert!(ask(Duration::MAX).is_ok(), "{name}");
        assert_eq!(
            ask(Duration::ZERO).unwrap_err().kind,
            ErrorKind::TimedOut,
            "{name}"
        );
    }
}

#[test]
fn what_does_not_fit_is_not_sent() {
    let server = plays(Plays::Json(200, good()));
    let long = "0123456789".repeat(500);
    for (name, model) in each(&server) {
        let e = model.ask(&question(&long)).unwrap_err();
        assert_eq!(e.kind, ErrorKind::TooLong, "{name}");
    }
    assert!(server.heard().is_empty());
}

#[test]
fn a_server_that_is_busy_says_for_how_long() {
    let after = Some(Duration::from_secs(7));
    let what = Plays::Raw(429, "Retry-After: 7\r\n", String::new());
    for e in fail(what, ErrorKind::Busy { retry_after: after }) {
        assert_eq!(e.retry_after(), after);
        assert!(e.is_retryable());
    }
}

#[test]
fn the_schema_goes_along() {
    let server = plays(Plays::Json(200, good()));
    for (name, model) in each(&server) {
        model.ask(&question("x")).unwrap();
        let body = server.heard().pop().unwrap().body;
        let at = match name {
            "ollama" => "/format",
            _ => "/response_format/json_schema/schema",
        };
        assert_eq!(body.pointer(at), Some(&*SCHEMA), "{name}");
        assert_eq!(body["stream"], false);
    }
}
