//! Servers of OpenAI's chat API, played: llama-server's answers as a real one gave them, vLLM's
//! as its documents describe them.

use crate::played::{LINES, Plays, http, no_key, openai, plays, question, serve};
use autofix::llm::{Ended, ErrorKind, Model, OpenAi};
use serde_json::{Value, json};
use std::time::Duration;

fn reply(content: &str, finish: &str, counted: u64) -> Plays {
    let body = json!({
        "choices": [{"finish_reason": finish, "index": 0,
            "message": {"role": "assistant", "content": content}}],
        "created": 1_795_858_491, "model": "small:1b", "object": "chat.completion",
        "usage": {"completion_tokens": 9, "prompt_tokens": counted, "total_tokens": counted + 9,
            "prompt_tokens_details": {"cached_tokens": 41}},
        "timings": {"cache_n": 41, "prompt_n": 1},
    });
    Plays::Json(200, body)
}

fn kind_of(what: Plays) -> ErrorKind {
    let e = openai(&plays(what)).ask(&question(&LINES)).unwrap_err();
    e.kind
}

fn error(status: u16, words: &str) -> Plays {
    Plays::Json(status, json!({"error": {"code": status, "message": words}}))
}

#[test]
fn a_question_is_answered() {
    let server = plays(reply("{\n  \"verdict\": \"ignore\"\n}", "stop", 830));
    let answer = openai(&server).ask(&question(&LINES)).unwrap();
    assert_eq!(answer.text, "{\n  \"verdict\": \"ignore\"\n}");
    assert_eq!(
        (answer.prompt_tokens, answer.answer_tokens),
        (Some(830), Some(9))
    );
    assert_eq!(
        (answer.model.as_str(), answer.ended),
        ("small:1b", Ended::Stop)
    );
    let heard = server.heard().pop().unwrap();
    assert_eq!(heard.what, "POST /v1/chat/completions");
    let body = heard.body;
    assert_eq!(
        (&body["max_tokens"], &body["temperature"], &body["seed"]),
        (&json!(100), &json!(0), &json!(1))
    );
    assert_eq!(body["response_format"]["json_schema"]["strict"], true);
    assert_eq!(
        body["response_format"].as_object().unwrap().len(),
        2,
        "nothing that others refuse"
    );
}

#[test]
fn an_address_may_end_in_v1() {
    let server = plays(reply("{}", "stop", 830));
    let model = OpenAi::new(http(), &format!("{}/v1/", server.url), "m", no_key()).unwrap();
    model.ask(&question(&LINES)).unwrap();
    assert_eq!(
        server.heard().pop().unwrap().what,
        "POST /v1/chat/completions"
    );
}

#[test]
fn what_is_absent_is_unknown() {
    let bare = json!({"choices": [{"message": {"content": "{}"}}]});
    let answer = openai(&plays(Plays::Json(200, bare)))
        .ask(&question(&LINES))
        .unwrap();
    assert_eq!((answer.prompt_tokens, answer.answer_tokens), (None, None));
    assert_eq!(
        kind_of(Plays::Json(200, json!({"choices": []}))),
        ErrorKind::Garbage
    );
}

#[test]
fn an_answer_that_was_cut_is_an_error_and_a_complete_one_is_not() {
    assert_eq!(kind_of(reply("{", "length", 830)), ErrorKind::Cut);
    let answer = openai(&plays(reply("{}", "length", 830)))
        .ask(&question(&LINES))
        .unwrap();
    assert_eq!(answer.ended, Ended::Length);
}

#[test]
fn a_question_that_was_read_in_part_is_told() {
    for counted in [60, 1900, 4096] {
        assert_eq!(
            kind_of(reply("{}", "stop", counted)),
            ErrorKind::Truncated,
            "{counted}"
        );
    }
}

#[test]
fn refusals_are_told_apart() {
    let long = "request (33030 tokens) exceeds the available context size (4096 tokens), try increasing it";
    assert_eq!(kind_of(error(400, long)), ErrorKind::TooLong);
    assert_eq!(kind_of(error(503, "Loading model")), ErrorKind::Loading);
    assert_eq!(
        kind_of(error(404, "The model `small:1b` does not exist.")),
        ErrorKind::ModelMissing
    );
    assert_eq!(
        kind_of(error(500, "boom")),
        ErrorKind::Server { status: 500 }
    );
    assert_eq!(
        kind_of(error(503, "overloaded")),
        ErrorKind::Busy { retry_after: None }
    );
    assert_eq!(
        kind_of(error(400, "Unrecognized schema: {}")),
        ErrorKind::Refused { status: 400 }
    );
}

#[test]
fn a_server_that_loads_is_not_ready_and_one_without_that_door_is() {
    let deadline = Duration::from_secs(5);
    let warm = |what| openai(&plays(what)).warm(2000, deadline);
    assert_eq!(
        warm(error(503, "Loading model")).unwrap_err().kind,
        ErrorKind::Loading
    );
    assert!(warm(Plays::Json(200, json!({"status": "ok"}))).is_ok());
    assert!(
        warm(Plays::Raw(200, "", String::new())).is_ok(),
        "vLLM says nothing"
    );
    assert!(warm(error(404, "Not Found")).is_ok());
    assert_eq!(warm(error(401, "no")).unwrap_err().kind, ErrorKind::Denied);
}

#[test]
fn a_look_finds_the_model_among_those_that_are_served() {
    let look = |data: Value| {
        let server = serve(move |heard| match heard.what.as_str() {
            "GET /v1/models" => Plays::Json(200, json!({"object": "list", "data": data})),
            _ => error(404, "Not Found"),
        });
        openai(&server).look(Duration::from_secs(5))
    };
    let vllm = json!([{"id": "other"}, {"id": "small:1b", "max_model_len": 8192}]);
    assert_eq!(look(vllm).unwrap().context, Some(8192));
    let llama = json!([{"id": "a.gguf", "owned_by": "llamacpp", "meta": {"n_ctx": 4096}}]);
    let about = look(llama).unwrap();
    assert_eq!(
        (about.model.as_str(), about.context),
        ("a.gguf", Some(4096))
    );
    let alias = json!([{"id": "a.gguf", "aliases": ["small:1b"]}, {"id": "b"}]);
    assert_eq!(look(alias).unwrap().model, "a.gguf");
    let e = look(json!([{"id": "other"}])).unwrap_err();
    assert_eq!(e.kind, ErrorKind::ModelMissing);
    assert!(e.to_string().contains("small:1b"), "{e}");
}
