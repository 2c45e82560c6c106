//! What is kept of a conversation, entry by entry: enough to go on with it after a crash, to play it
//! again without a network, and to explain it. Not here: where it is kept.

use crate::llm::{Call, Endpoint, Reply, Said, Stop, Usage};
use crate::model::service::Usd;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry, in the order in which things happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// A conversation begins: with whom, about what.
    Opened {
        endpoint: Endpoint,
        /// Full id of the deployed commit.
        commit: String,
        /// SHA-256 of system prompt and tools, in hexadecimal digits.
        prompt_sha256: String,
        system: String,
    },
    /// What we said, redacted as it was sent.
    Ours { parts: Vec<Spoken> },
    /// What the model said.
    Theirs {
        text: String,
        calls: Vec<Called>,
        stop: Stop,
        usage: Usage,
        usd: Usd,
        model: String,
        request: Option<String>,
        seconds: f64,
        /// As its API wrote it, which is what it is told again.
        said: Said,
    },
    /// A call to the model that brought no answer.
    Failed { why: String, usd: Usd },
    /// What the gates said of a proposal.
    Judged {
        passed: Vec<(String, String)>,
        /// The gate that stopped it, and why.
        stopped: Option<(String, String)>,
    },
    /// The conversation is over.
    Closed { why: String },
}

/// A part of what we said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoken {
    Text(String),
    Result {
        call: String,
        tool: String,
        content: String,
        is_error: bool,
    },
}

/// A tool that the model called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Called {
    pub id: String,
    pub name: String,
    pub input: Value,
}

impl Entry {
    /// The entry of a reply.
    pub(super) fn theirs(reply: &Reply, usd: Usd) -> Entry {
        Entry::Theirs {
            text: reply.text.clone(),
            calls: reply
                .calls
                .iter()
                .map(|call| Called {
                    id: call.id.clone(),
                    name: call.name.clone(),
                    input: call.input.clone(),
                })
                .collect(),
            stop: reply.stop.clone(),
            usage: reply.usage,
            usd,
            model: reply.model.clone(),
            request: reply.request.clone(),
            seconds: reply.seconds,
            said: reply.said.clone(),
        }
    }

    /// What we said, where an entry holds that.
    pub(super) fn ours(&self) -> Option<Vec<Spoken>> {
        match self {
            Entry::Ours { parts } => Some(parts.clone()),
            Entry::Opened { .. }
            | Entry::Theirs { .. }
            | Entry::Failed { .. }
            | Entry::Judged { .. }
            | Entry::Closed { .. } => None,
        }
    }

    /// Whether an entry of ours holds this text.
    pub(super) fn says(&self, words: &str) -> bool {
        let Entry::Ours { parts } = self else {
            return false;
        };
        parts
            .iter()
            .any(|part| matches!(part, Spoken::Text(text) if text == words))
    }

    /// The reply that an entry holds.
    pub(super) fn reply(&self) -> Option<Reply> {
        match self {
            Entry::Theirs {
                text,
                calls,
                stop,
                usage,
                usd: _,
                model,
                request,
                seconds,
                said,
            } => Some(Reply {
                said: said.clone(),
                text: text.clone(),
                calls: calls
                    .iter()
                    .map(|call| Call {
                        id: call.id.clone(),
                        name: call.name.clone(),
                        input: call.input.clone(),
                    })
                    .collect(),
                stop: stop.clone(),
                usage: *usage,
                model: model.clone(),
                request: request.clone(),
                seconds: *seconds,
            }),
            Entry::Opened { .. }
            | Entry::Ours { .. }
            | Entry::Failed { .. }
            | Entry::Judged { .. }
            | Entry::Closed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_reply_comes_back_as_it_was() {
        let reply = Reply {
            said: Said(json!([{"type": "thinking", "thinking": "", "signature": "s=="}])),
            text: "é".into(),
            calls: vec![Call {
                id: "1".into(),
                name: "read_file".into(),
                input: json!({"path": "a", "z": 1.0}),
            }],
            stop: Stop::Refusal(Some("cyber".into())),
            usage: Usage {
                input: 1,
                output: 2,
                cache_write: 3,
                cache_read: 4,
            },
            model: "m".into(),
            request: None,
            seconds: 0.5,
        };
        let text = serde_json::to_string(&Entry::theirs(&reply, Usd(7))).unwrap();
        let entry: Entry = serde_json::from_str(&text).unwrap();
        assert_eq!(entry.reply(), Some(reply));
        assert_eq!(Entry::Closed { why: "x".into() }.reply(), None);
    }
}
