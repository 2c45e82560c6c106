//! The conversation with a real model of 135 million parameters, over both APIs of a real llama-server:
//! it is far too small to be right, and whatever it says, the conversation ends in order. Skipped where
//! no server is named (`scripts/model.sh`).

use crate::llama::LlamaServer;
use crate::sample::Sample;
use crate::world::{Counting, MAIL, PASSWORD, SECRETS, World};
use autofix::investigate::inquiry::{Entry, Outcome, Spoken};
use autofix::llm::{Anthropic, AnthropicSettings, Keys, OpenAiTalk, Talker};
use autofix::net::{Http, Settings};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const TURNS: u32 = 4;

/// A server with room for a whole investigation, ready. `None` where the test is to be skipped.
fn start(test: &str) -> Option<LlamaServer> {
    let server = LlamaServer::start(test, 8192)?;
    let until = Instant::now() + Duration::from_secs(120);
    while !is_ready(&server.url) {
        assert!(Instant::now() < until, "the server is not ready");
        std::thread::sleep(Duration::from_millis(100));
    }
    Some(server)
}

fn is_ready(url: &str) -> bool {
    use std::io::{Read, Write};
    let address = url.trim_start_matches("http://");
    let Ok(mut stream) = std::net::TcpStream::connect(address) else {
        return false;
    };
    let asked = stream.write_all(b"GET /health HTTP/1.0\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.contains(" 200 ")
}

/// Holds an investigation with whoever answers, and looks at all that was kept.
fn investigate(api: &str, talker: &dyn Talker) {
    let sample = Sample::new();
    let cart = "def total(order):\n    return order[\"sum\"] / order[\"count\"]\n";
    let commit = sample.commit(3.0, "Begin", &[("shop/cart.py", Some(cart)), SECRETS]);
    let mut world = World::new(&sample, &commit);
    world.limits.turns = TURNS;
    world.limits.max_tokens = 160;
    world.limits.call = Duration::from_secs(240);
    world.limits.until = Instant::now() + Duration::from_secs(900);
    let mut ledger = Counting::new(10_000_000);
    let outcome = world.run(talker, &[], &mut ledger).unwrap();
    let entries = &ledger.entries;
    let (mut asked, mut open) = (0, BTreeSet::new());
    let mut said = Vec::new();
    for entry in entries {
        match entry {
            Entry::Theirs {
                calls, usage, stop, ..
            } => {
                asked += 1;
                assert!(usage.output > 0, "{api}: {entry:?}");
                open = calls.iter().map(|call| call.id.clone()).collect();
                said.push(format!("{stop:?} with {} calls", calls.len()));
            }
            Entry::Failed { why, .. } => {
                asked += 1;
                said.push(why.clone());
            }
            Entry::Ours { parts } => {
                for part in parts {
                    if let Spoken::Result { call, .. } = part {
                        assert!(open.remove(call), "{api}: a result of no call");
                    }
                }
                assert!(open.is_empty(), "{api}: calls without a result: {open:?}");
            }
            Entry::Opened { .. } | Entry::Judged { .. } | Entry::Closed { .. } => {}
        }
    }
    println!("{api}: {said:?}; {outcome:?}");
    assert!((1..=TURNS).contains(&asked), "{api}: {asked} turns");
    assert!(ledger.spent > 0, "{api}: what it said costs something");
    let kept = serde_json::to_string(entries).unwrap();
    for secret in [PASSWORD, MAIL] {
        assert!(!kept.contains(secret), "{api}: {secret} was sent");
    }
    // A fault of the server is told as one; every other end is in the transcript.
    match outcome {
        Outcome::Patch(_) | Outcome::NoPatch(_) | Outcome::Unavailable(_) => {
            assert!(
                matches!(entries.last(), Some(Entry::Closed { .. })),
                "{api}"
            );
        }
        Outcome::Later { why, .. } => {
            assert!(
                matches!(entries.last(), Some(Entry::Failed { .. })),
                "{api}: {why}"
            );
        }
    }
}

#[test]
fn a_model_that_is_too_small_comes_to_an_end_in_both_apis() {
    let Some(server) = start("a_model_that_is_too_small_comes_to_an_end_in_both_apis") else {
        return;
    };
    let http = Http::new(&Settings::default()).unwrap();
    let none = || -> Keys { Box::new(|_| None) };
    let settings = AnthropicSettings::default();
    let anthropic = Anthropic::new(http.clone(), &server.url, "any", settings, none()).unwrap();
    investigate("messages", &anthropic);
    let openai = OpenAiTalk::new(http, &server.url, "any", Some(8192), none()).unwrap();
    investigate("chat", &openai);
}
