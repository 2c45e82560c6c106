//! Ollama, played as its documents and source describe it. No real one is asked here.

use crate::played::{LINES, Plays, http, no_key, ollama, plays, question, serve};
use autofix::llm::{Ask, Ended, ErrorKind, Model, Ollama};
use serde_json::{Value, json};
use std::time::Duration;

fn reply() -> Value {
    json!({
        "model": "small:1b", "created_at": "2026-03-01T12:00:00Z",
        "message": {"role": "assistant", "content": "{\"verdict\":\"ignore\"}"},
        "done": true, "done_reason": "stop",
        "total_duration": 5_000_000_000_u64, "load_duration": 3_000_000_u64,
        "prompt_eval_count": 830, "prompt_eval_duration": 4_000_000_000_u64,
        "eval_count": 9, "eval_duration": 900_000_000_u64,
    })
}

fn with(changes: &[(&str, Value)]) -> Plays {
    let mut reply = reply();
    for (name, value) in changes {
        reply[*name] = value.clone();
    }
    Plays::Json(200, reply)
}

fn kind_of(what: Plays) -> ErrorKind {
    let e = ollama(&plays(what)).ask(&question(&LINES)).unwrap_err();
    e.kind
}

#[test]
fn a_question_is_answered() {
    let server = plays(with(&[]));
    let answer = ollama(&server).ask(&question(&LINES)).unwrap();
    assert_eq!(answer.text, "{\"verdict\":\"ignore\"}");
    assert_eq!(
        (answer.prompt_tokens, answer.answer_tokens),
        (Some(830), Some(9))
    );
    assert_eq!(
        (answer.model.as_str(), answer.ended),
        ("small:1b", Ended::Stop)
    );
    assert!(answer.seconds > 0.0);
    let heard = server.heard().pop().unwrap();
    assert_eq!(heard.what, "POST /api/chat");
    let body = heard.body;
    let options = json!({"num_ctx": 2000, "num_predict": 100, "temperature": 0, "seed": 1});
    assert_eq!(body["options"], options);
    assert_eq!(
        (&body["truncate"], &body["shift"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        (&body["think"], &body["keep_alive"]),
        (&json!(false), &json!("30m"))
    );
    assert_eq!(body["messages"][1]["content"], LINES.as_str());
}

#[test]
fn what_is_zero_is_left_out() {
    let bare = json!({"message": {"content": "{}"}, "done": true});
    let answer = ollama(&plays(Plays::Json(200, bare)))
        .ask(&question(&LINES))
        .unwrap();
    assert_eq!((answer.prompt_tokens, answer.answer_tokens), (None, None));
    let zero = with(&[("prompt_eval_count", json!(0))]);
    let answer = ollama(&plays(zero)).ask(&question(&LINES)).unwrap();
    assert_eq!(
        answer.prompt_tokens, None,
        "counted nothing: all of it was still in memory"
    );
}

#[test]
fn an_answer_that_was_cut_is_an_error_and_a_complete_one_is_not() {
    let length = ("done_reason", json!("length"));
    let cut = json!({"role": "assistant", "content": "{\"verdict\":\"ig"});
    assert_eq!(
        kind_of(with(&[length.clone(), ("message", cut)])),
        ErrorKind::Cut
    );
    let answer = ollama(&plays(with(&[length])))
        .ask(&question(&LINES))
        .unwrap();
    assert_eq!(answer.ended, Ended::Length);
}

#[test]
fn a_question_that_was_read_in_part_is_told() {
    // 0.12.5 cuts to the context; others keep half of it or less.
    for counted in [60, 1900, 2000] {
        let what = with(&[("prompt_eval_count", json!(counted))]);
        assert_eq!(kind_of(what), ErrorKind::Truncated, "{counted}");
    }
}

#[test]
fn a_server_that_counts_only_what_it_had_not_in_memory_is_believed() {
    let server = serve(|heard| {
        let user = heard.body["messages"][1]["content"].as_str().unwrap();
        let counted = if user.ends_with("new\n") { 25 } else { 830 };
        with(&[("prompt_eval_count", json!(counted))])
    });
    let model = ollama(&server);
    model.ask(&question(&LINES)).unwrap();
    model
        .ask(&question(&format!("{}something new\n", *LINES)))
        .unwrap();
}

#[test]
fn a_server_that_says_what_it_had_in_memory_has_counted_all() {
    let server = serve(|_| {
        with(&[
            ("prompt_eval_count", json!(25)),
            ("prompt_eval_cached_count", json!(20)),
        ])
    });
    let model = ollama(&server);
    for _ in 0..2 {
        let e = model.ask(&question(&LINES)).unwrap_err();
        assert_eq!(e.kind, ErrorKind::Truncated, "{e}");
    }
}

#[test]
fn refusals_are_told_apart() {
    let error = |status, words: &str| Plays::Json(status, json!({"error": words}));
    assert_eq!(
        kind_of(error(400, "the input length exceeds the context length")),
        ErrorKind::TooLong
    );
    // As of 0.34, it hands on what llama-server said, as text.
    let below = json!({"error": {"code": 400, "type": "exceed_context_size_error",
        "message": "request (2622 tokens) exceeds the available context size (512 tokens)"}});
    assert_eq!(kind_of(error(400, &below.to_string())), ErrorKind::TooLong);
    assert_eq!(
        kind_of(error(
            503,
            "server busy, please try again.  maximum pending requests exceeded"
        )),
        ErrorKind::Busy { retry_after: None }
    );
    assert_eq!(
        kind_of(error(
            500,
            "llama runner process has terminated: exit status 2"
        )),
        ErrorKind::Server { status: 500 }
    );
    assert_eq!(
        kind_of(error(200, "an error after all")),
        ErrorKind::Server { status: 200 }
    );
    assert_eq!(
        kind_of(error(400, "\"small:1b\" does not support chat")),
        ErrorKind::Refused { status: 400 }
    );
}

#[test]
fn a_model_that_is_missing_comes_with_its_remedy() {
    let server = plays(Plays::Json(
        404,
        json!({"error": "model 'small:1b' not found"}),
    ));
    let model = ollama(&server);
    let deadline = Duration::from_secs(5);
    for e in [
        model.ask(&question("x")).unwrap_err(),
        model.look(deadline).unwrap_err(),
        model.warm(2000, deadline).unwrap_err(),
    ] {
        assert_eq!(e.kind, ErrorKind::ModelMissing);
        assert!(e.to_string().contains("`ollama pull small:1b`"), "{e}");
    }
}

#[test]
fn a_server_that_refuses_newer_fields_is_asked_without_them_from_then_on() {
    let server = serve(|heard| match heard.body.get("truncate") {
        Some(_) => Plays::Json(400, json!({"error": "json: unknown field \"truncate\""})),
        None => with(&[]),
    });
    let model = ollama(&server);
    model.ask(&question(&LINES)).unwrap();
    model.ask(&question(&LINES)).unwrap();
    assert_eq!(server.heard().len(), 3);
    let never = plays(Plays::Json(400, json!({"error": "cannot shift"})));
    let model = ollama(&never);
    model.ask(&question(&LINES)).unwrap_err();
    assert_eq!(never.heard().len(), 2, "tried once");
}

#[test]
fn both_tries_share_one_deadline() {
    let server = serve(|heard| match heard.body.get("truncate") {
        Some(_) => Plays::Json(400, json!({"error": "unknown field truncate"})),
        None => Plays::Hangs,
    });
    let started = std::time::Instant::now();
    let ask = Ask {
        deadline: Duration::from_millis(400),
        ..question("x")
    };
    assert_eq!(
        ollama(&server).ask(&ask).unwrap_err().kind,
        ErrorKind::TimedOut
    );
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn warming_loads_the_model_with_the_context_of_the_questions() {
    let loaded = json!({"model": "small:1b", "response": "", "done": true, "done_reason": "load"});
    let server = plays(Plays::Json(200, loaded));
    ollama(&server).warm(4096, Duration::from_secs(5)).unwrap();
    let heard = server.heard().pop().unwrap();
    assert_eq!(heard.what, "POST /api/generate");
    assert_eq!(heard.body["options"]["num_ctx"], 4096);
    assert_eq!(heard.body["keep_alive"], "30m");
    assert!(heard.body.get("prompt").is_none());
}

#[test]
fn a_look_tells_the_longest_context() {
    let shown =
        json!({"model_info": {"general.architecture": "qwen2", "qwen2.context_length": 32768}});
    let server = plays(Plays::Json(200, shown));
    let model = Ollama::new(http(), &format!("{}/api/", server.url), "m", no_key()).unwrap();
    let about = model.look(Duration::from_secs(5)).unwrap();
    assert_eq!((about.model.as_str(), about.context), ("m", Some(32768)));
    assert_eq!(server.heard().pop().unwrap().what, "POST /api/show");
    let bare = plays(Plays::Json(200, json!({})));
    assert_eq!(
        ollama(&bare).look(Duration::from_secs(5)).unwrap().context,
        None
    );
}
