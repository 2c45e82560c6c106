//! A real llama-server with a real, small model: what it accepts, and that it is rid of us when
//! we leave. Skipped where none is named.

use crate::llama::{LlamaServer, named};
use crate::played::{http, no_key, question};
use autofix::llm::{Ask, Ended, ErrorKind, Model, OpenAi, tokens};
use autofix::net::{Method, Request};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// `None` where the test is to be skipped, which is said.
pub fn start(test: &str) -> Option<(LlamaServer, OpenAi)> {
    let server = LlamaServer::start(test, 4096)?;
    let model = OpenAi::new(http(), &server.url, "any", no_key()).unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while let Err(e) = model.warm(4096, Duration::from_secs(5)) {
        assert!(
            matches!(e.kind, ErrorKind::Loading | ErrorKind::Unreachable),
            "{e}"
        );
        assert!(Instant::now() < until, "not ready: {e}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some((server, model))
}

/// The server that is there already, or one of our own that ends with the first part.
pub fn reach(test: &str) -> Option<(Option<LlamaServer>, OpenAi, String)> {
    let Some(url) = named("AUTOFIX_LLAMA_URL") else {
        let (server, model) = start(test)?;
        let url = server.url.clone();
        return Some((Some(server), model, url));
    };
    let model = OpenAi::new(http(), &url, "any", no_key()).unwrap();
    Some((None, model, url))
}

/// As triage has it: an object for each of a batch's entries.
fn verdicts(entries: usize) -> Value {
    json!({
        "type": "array", "minItems": entries, "maxItems": entries,
        "items": {
            "type": "object",
            "properties": {
                "entry": {"type": "integer", "minimum": 1, "maximum": entries},
                "action": {"enum": ["ignore", "watch", "investigate"]},
                "reason": {"type": "string", "maxLength": 40},
            },
            "required": ["entry", "action", "reason"],
            "additionalProperties": false,
        },
    })
}

fn batch(entries: usize) -> String {
    (1..=entries).fold(String::new(), |mut text, n| {
        let _ = writeln!(
            text,
            "{n}. 2026-03-01 12:00:{:02} ERROR db: connection refused by 10.0.0.{n}:5432",
            n % 60
        );
        text
    })
}

#[test]
fn a_real_model_keeps_to_the_schema() {
    let Some((_server, model, _)) = reach("a_real_model_keeps_to_the_schema") else {
        return;
    };
    let about = model.look(Duration::from_secs(5)).unwrap();
    assert_eq!(about.context, Some(4096));
    let (schema, user) = (verdicts(5), batch(5));
    let ask = Ask {
        schema: &schema,
        max_tokens: 400,
        context_tokens: 4096,
        deadline: Duration::from_secs(120),
        ..question(&user)
    };
    let first = model.ask(&ask).unwrap();
    let answer: Vec<Value> = serde_json::from_str(&first.text).unwrap();
    assert_eq!(answer.len(), 5);
    for verdict in &answer {
        assert!(
            matches!(
                verdict["action"].as_str(),
                Some("ignore" | "watch" | "investigate")
            ),
            "{verdict}"
        );
        assert!(
            verdict["reason"].as_str().unwrap().chars().count() <= 40,
            "{verdict}"
        );
    }
    assert_eq!(first.ended, Ended::Stop);
    let counted = u32::try_from(first.prompt_tokens.unwrap()).unwrap();
    let most = tokens::at_most(&user) + tokens::at_most(ask.system.as_str());
    assert!(
        counted <= most && tokens::at_least(&user) <= counted,
        "{counted} {most}"
    );
    println!(
        "{} tokens of question, {:?} of answer, {:.2} s",
        counted, first.answer_tokens, first.seconds
    );
    let again = model.ask(&ask).unwrap();
    assert_eq!(
        again.text, first.text,
        "the same question has the same answer"
    );
    assert_eq!(
        again.prompt_tokens, first.prompt_tokens,
        "what it had in memory counts as well"
    );
}

fn counted(url: &str, text: &str) -> u32 {
    let url = format!("{url}/tokenize");
    let body = json!({"content": text}).to_string();
    let request = Request {
        method: Method::Post,
        url: &url,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: body.as_bytes(),
        deadline: Instant::now() + Duration::from_secs(60),
    };
    let answer = http().whole(request, 16 << 20).unwrap();
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    u32::try_from(answer["tokens"].as_array().unwrap().len()).unwrap()
}

/// Every file of logs of the corpus that is long enough to say something.
fn logs() -> Vec<(PathBuf, String)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let (mut folders, mut found) = (vec![PathBuf::from(root)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_log = path.extension().is_some_and(|end| end == "log")
                || path.file_name().is_some_and(|name| name == "output.txt");
            if path.is_dir() {
                folders.push(path);
            } else if is_log {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                found.push((path, text));
            }
        }
    }
    found.retain(|(_, text)| text.len() > 300);
    found
}

#[test]
fn a_real_tokenizer_counts_between_the_estimates() {
    let test = "a_real_tokenizer_counts_between_the_estimates";
    let Some((_server, _, url)) = reach(test) else {
        return;
    };
    let logs = logs();
    assert!(logs.len() > 50);
    let (mut bytes, mut tokens) = (0, 0);
    for (path, text) in &logs {
        let count = counted(&url, text);
        let (least, most) = (tokens::at_least(text), tokens::at_most(text));
        let name = path.display();
        assert!(
            least <= count && count <= most,
            "{least} {count} {most}: {name}"
        );
        (bytes, tokens) = (bytes + text.len(), tokens + count as usize);
    }
    println!("{} files, {bytes} bytes, {tokens} tokens", logs.len());
}

#[test]
fn a_real_server_says_what_it_cannot() {
    let Some((_server, model, _)) = reach("a_real_server_says_what_it_cannot") else {
        return;
    };
    // Others may be before us.
    let deadline = Duration::from_secs(120);
    let cut = Ask {
        deadline,
        max_tokens: 4,
        ..question("ERROR db: connection refused")
    };
    assert_eq!(model.ask(&cut).unwrap_err().kind, ErrorKind::Cut);
    // More context than the server has: its own words must be understood.
    let long = batch(300);
    let ask = Ask {
        context_tokens: 100_000,
        deadline,
        ..question(&long)
    };
    assert_eq!(model.ask(&ask).unwrap_err().kind, ErrorKind::TooLong);
    let schema = json!({"type": "nonsense"});
    let ask = Ask {
        schema: &schema,
        deadline,
        ..question("x")
    };
    let e = model.ask(&ask).unwrap_err();
    assert!(matches!(e.kind, ErrorKind::Refused { status: 400 }), "{e}");
}

#[test]
fn a_real_server_is_free_again_after_a_deadline() {
    let Some((_server, model)) = start("a_real_server_is_free_again_after_a_deadline") else {
        return;
    };
    // An answer of that length takes half a minute.
    let (schema, user) = (verdicts(100), batch(10));
    let long = Ask {
        schema: &schema,
        max_tokens: 2900,
        context_tokens: 4096,
        deadline: Duration::from_millis(500),
        ..question(&user)
    };
    let started = Instant::now();
    assert_eq!(model.ask(&long).unwrap_err().kind, ErrorKind::TimedOut);
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    let short = Ask {
        deadline: Duration::from_secs(20),
        ..question("ERROR db: connection refused")
    };
    let answer = model.ask(&short).unwrap();
    println!(
        "the next question was answered within {:.2} s",
        answer.seconds
    );
    assert!(
        answer.seconds < 10.0,
        "it had gone on with the one that nobody waited for"
    );
}

#[test]
fn a_real_server_that_dies_in_mid_answer_is_told_at_once() {
    let Some((mut server, model)) = start("a_real_server_that_dies_in_mid_answer_is_told_at_once")
    else {
        return;
    };
    let asked = std::thread::spawn(move || {
        let (schema, user) = (verdicts(100), batch(10));
        let long = Ask {
            schema: &schema,
            max_tokens: 2900,
            context_tokens: 4096,
            deadline: Duration::from_secs(60),
            ..question(&user)
        };
        model.ask(&long)
    });
    std::thread::sleep(Duration::from_millis(1500));
    server.end();
    let killed = Instant::now();
    let e = asked.join().unwrap().unwrap_err();
    assert_eq!(e.kind, ErrorKind::Unreachable, "{e}");
    assert!(
        killed.elapsed() < Duration::from_secs(5),
        "{:?}",
        killed.elapsed()
    );
}
