//! What the chat APIs of OpenAI and Ollama have alike where tools are concerned: functions that
//! are offered, calls that are read, the conversation held against the context. How the messages
//! lie on the wire is for each of them.

use super::check::{self, Count};
use super::order::{self, Outcome, Reads, Side};
use super::{Call, Error, ErrorKind, Reply, Said, Stop, Tool, Turn, Usage, tokens};
use serde_json::{Value, json};

/// Most calls of one answer that are read.
const CALLS: usize = 128;
/// How near its end a context counts as full.
const NEAR: u64 = 16;
/// What ids begin with that we make where a server has none.
pub(super) const MADE: &str = "made_";

/// How calls stand in a message of theirs.
pub(super) struct Messages;

impl Reads for Messages {
    fn calls(&self, said: &Said) -> Vec<String> {
        calls(said).iter().map(|call| word(call, "/id")).collect()
    }

    fn is_empty(&self, said: &Said) -> bool {
        calls(said).is_empty() && word(&said.0, "/content").trim().is_empty()
    }
}

/// The messages before those of the conversation: what never changes.
pub(super) fn begun(turn: &Turn<'_>) -> Vec<Value> {
    let (all, _) = order::texts(turn.system, &[]);
    let system: String = all.concat();
    match system.is_empty() {
        true => Vec::new(),
        false => vec![json!({"role": "system", "content": system})],
    }
}

/// What we say beside results, as a message; none where that is nothing.
pub(super) fn spoken_by_us(texts: &[&str]) -> Option<Value> {
    (!texts.is_empty()).then(|| json!({"role": "user", "content": texts.join("\n\n")}))
}

/// A result's text. These APIs have no mark for errors.
pub(super) fn given(outcome: &Outcome<'_>) -> String {
    match outcome.is_error {
        true => format!("Error: {}", outcome.content),
        false => outcome.content.to_owned(),
    }
}

/// A call with what it is given.
pub(super) fn called(call: &Value, input: Value) -> Call {
    Call {
        id: word(call, "/id"),
        name: word(call, "/function/name").chars().take(256).collect(),
        input,
    }
}

pub(super) fn offered(tools: &[Tool]) -> Vec<Value> {
    let offer = |tool: &Tool| {
        json!({"type": "function", "function": {
            "name": tool.name, "description": tool.description, "parameters": tool.schema,
        }})
    };
    tools.iter().map(offer).collect()
}

/// Gives every call of a message an id of its own, so that results can name it. `turn` is how
/// many messages there were before.
pub(super) fn name_calls(message: &mut Value, turn: usize) -> Result<(), Error> {
    let Some(calls) = message.get_mut("tool_calls").and_then(Value::as_array_mut) else {
        return Ok(());
    };
    if calls.len() > CALLS {
        let words = format!("the model makes {} calls at once", calls.len());
        return Err(Error::new(ErrorKind::Garbage, words));
    }
    let mut seen = std::collections::BTreeSet::new();
    for (at, call) in calls.iter_mut().enumerate() {
        let id = call.get("id").and_then(Value::as_str).unwrap_or_default();
        if id.is_empty() || id.len() > 256 || !seen.insert(id.to_owned()) {
            let made = format!("{MADE}{turn}_{at}");
            seen.insert(made.clone());
            match call.as_object_mut() {
                Some(call) => call.insert("id".to_owned(), made.into()),
                None => {
                    let words = "the model makes a call that is none";
                    return Err(Error::new(ErrorKind::Garbage, words));
                }
            };
        }
    }
    Ok(())
}

/// The calls of a message.
pub(super) fn calls(said: &Said) -> &[Value] {
    let calls = said.0.get("tool_calls").and_then(Value::as_array);
    calls.map_or(&[], Vec::as_slice)
}

/// Text at a place, or none.
pub(super) fn word(value: &Value, at: &str) -> String {
    let word = value.pointer(at).and_then(Value::as_str);
    word.unwrap_or_default().to_owned()
}

/// Refuses a conversation that would not fit, before a server cuts it.
pub(super) fn fits(turn: &Turn<'_>, sides: &[Side<'_>], context: u32) -> Result<(), Error> {
    let question = question(turn, sides);
    if question.saturating_add(turn.max_tokens) <= context {
        return Ok(());
    }
    let words = format!(
        "a conversation of about {question} tokens and an answer of {} do not fit a context of \
         {context}",
        turn.max_tokens
    );
    Err(Error::new(ErrorKind::TooLong, words))
}

/// Notices a conversation that was read in part. Servers that say what they had in memory have
/// counted that as well; of the others, some count only what is new since their last answer.
pub(super) fn was_read(
    turn: &Turn<'_>,
    sides: &[Side<'_>],
    context: u32,
    count: Count,
) -> Result<(), Error> {
    let (all, new) = order::texts(turn.system, sides);
    let texts = match count.from_memory {
        Some(_) => all,
        None => new,
    };
    let least = texts.iter().map(|text| tokens::at_least(text));
    let least = least.fold(0, u32::saturating_add);
    check::was_read(count, least, context.saturating_sub(turn.max_tokens))
}

/// What a limit means: that of the answer, or that of the context.
pub(super) fn limit(context: Option<u32>, reply: &Reply) -> Stop {
    let usage = reply.usage;
    let all = usage.input + usage.cache_read + usage.cache_write + usage.output;
    match context {
        Some(context) if all + NEAR >= u64::from(context) => Stop::ContextFull,
        Some(_) | None => Stop::Length,
    }
}

/// Calls are waited for, whatever the server calls its reason; without calls, nothing is.
pub(super) fn ended(reply: &Reply) -> Stop {
    if reply.calls.is_empty() {
        Stop::End
    } else {
        Stop::Tools
    }
}

/// What models that think aloud in their answer say after it.
pub(super) fn spoken(text: &str) -> &str {
    match text.trim_start().strip_prefix("<think>") {
        Some(thought) => thought.split_once("</think>").map_or("", |(_, then)| then),
        None => text,
    }
    .trim()
}

/// What a server does not count is estimated, and rather more than less: money hangs on it.
pub(super) fn usage(
    count: Count,
    output: Option<u64>,
    turn: &Turn<'_>,
    sides: &[Side<'_>],
    body: &[u8],
) -> Usage {
    let prompt = count.tokens.unwrap_or_else(|| question(turn, sides).into());
    let answer = || tokens::at_most(&String::from_utf8_lossy(body)).into();
    let cache_read = count.from_memory.unwrap_or(0).min(prompt);
    Usage {
        input: prompt - cache_read,
        output: output.unwrap_or_else(answer),
        cache_write: 0,
        cache_read,
    }
}

/// About how many tokens a conversation is, rather more than less.
fn question(turn: &Turn<'_>, sides: &[Side<'_>]) -> u32 {
    let (all, _) = order::texts(turn.system, sides);
    let theirs = sides.iter().flat_map(|side| match side {
        Side::Ours { .. } => &[],
        Side::Theirs(row) => row.as_slice(),
    });
    let theirs = theirs.map(|said| tokens::at_most(&said.0.to_string()));
    let tools = match turn.tools {
        [] => 0,
        tools => tokens::at_most(&Value::from(offered(tools)).to_string()),
    };
    let ours = all.iter().map(|text| tokens::at_most(text));
    ours.chain(theirs).fold(tools, u32::saturating_add)
}
