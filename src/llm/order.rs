//! Whether a conversation is one that can be sent, for every API alike: sides alternate, ours is
//! the first, every call has its result, once. What is sent in a row by one side is one message.
//! How a message is written is for the clients.

use super::ask::words;
use super::{Error, ErrorKind, Message, Part, Prompt, Said};
use std::collections::BTreeSet;

/// All that one side says before the other speaks.
#[derive(Debug)]
pub(super) enum Side<'a> {
    Ours {
        results: Vec<Outcome<'a>>,
        texts: Vec<&'a str>,
    },
    Theirs(Vec<&'a Said>),
}

/// What a tool gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome<'a> {
    pub call: &'a str,
    pub content: &'a str,
    pub is_error: bool,
}

/// What an API's messages say.
pub(super) trait Reads {
    /// The ids of the calls in it.
    fn calls(&self, said: &Said) -> Vec<String>;
    /// Nothing that could be sent back.
    fn is_empty(&self, said: &Said) -> bool;
}

/// The conversation by sides.
pub(super) fn sides<'a>(
    messages: &'a [Message],
    reads: &impl Reads,
) -> Result<Vec<Side<'a>>, Error> {
    let mut sides: Vec<Side<'a>> = Vec::new();
    for message in messages {
        match message {
            Message::Ours(parts) => ours(&mut sides, parts),
            // An empty message is refused, and tells nothing.
            Message::Theirs(said) if reads.is_empty(said) => {}
            Message::Theirs(said) => match sides.last_mut() {
                Some(Side::Theirs(row)) => row.push(said),
                _ => sides.push(Side::Theirs(vec![said])),
            },
        }
    }
    check(&sides, reads)?;
    Ok(sides)
}

fn ours<'a>(sides: &mut Vec<Side<'a>>, parts: &'a [Part]) {
    if !matches!(sides.last(), Some(Side::Ours { .. })) {
        sides.push(Side::Ours {
            results: Vec::new(),
            texts: Vec::new(),
        });
    }
    let Some(Side::Ours { results, texts }) = sides.last_mut() else {
        return;
    };
    for part in parts {
        match part {
            Part::Text(text) => {
                // Blank text is refused as well.
                texts.extend(Some(words(text)).filter(|text| !text.trim().is_empty()));
            }
            Part::Result {
                call,
                content,
                is_error,
            } => results.push(Outcome {
                call,
                content: words(content),
                is_error: *is_error,
            }),
        }
    }
}

fn check(sides: &[Side<'_>], reads: &impl Reads) -> Result<(), Error> {
    let mut open: BTreeSet<String> = BTreeSet::new();
    for (at, side) in sides.iter().enumerate() {
        match side {
            Side::Ours { results, texts } => {
                for result in results {
                    if !open.remove(result.call) {
                        return bad(at, "a result is there for a call that is not, or twice");
                    }
                }
                if !open.is_empty() {
                    return bad(at, "a call has no result");
                }
                if results.is_empty() && texts.is_empty() {
                    return bad(at, "nothing is said");
                }
            }
            Side::Theirs(_) if at == 0 => return bad(at, "the model speaks first"),
            Side::Theirs(row) => {
                for call in row.iter().flat_map(|said| reads.calls(said)) {
                    if !open.insert(call) {
                        return bad(at, "two calls have one id");
                    }
                }
            }
        }
    }
    match sides.last() {
        None => bad(0, "nothing is said"),
        Some(_) if !open.is_empty() => bad(sides.len(), "a call has no result"),
        Some(_) => Ok(()),
    }
}

fn bad(at: usize, why: &str) -> Result<(), Error> {
    let words = format!(
        "the conversation cannot be sent: {why} (at message {})",
        at + 1
    );
    Err(Error::new(ErrorKind::Malformed, words))
}

/// How much is in it: the system prompt, and what was said since the model spoke last.
pub(super) fn texts<'a>(system: &'a Prompt, sides: &[Side<'a>]) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut all, mut new) = (vec![words(system)], Vec::new());
    for side in sides {
        match side {
            Side::Theirs(_) => new.clear(),
            Side::Ours { results, texts } => {
                new.extend(results.iter().map(|result| result.content));
                new.extend(texts.iter().copied());
                all.extend(results.iter().map(|result| result.content));
                all.extend(texts.iter().copied());
            }
        }
    }
    (all, new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redacted;
    use serde_json::json;

    /// Messages that are a list of ids.
    struct Ids;

    impl Reads for Ids {
        fn calls(&self, said: &Said) -> Vec<String> {
            let ids = said.0.as_array().unwrap();
            ids.iter()
                .map(|id| id.as_str().unwrap().to_owned())
                .collect()
        }

        fn is_empty(&self, said: &Said) -> bool {
            said.0.is_null()
        }
    }

    fn text(words: &'static str) -> Message {
        Message::Ours(vec![Part::Text(Redacted::own(words))])
    }

    fn theirs(calls: &[&str]) -> Message {
        Message::Theirs(Said(json!(calls)))
    }

    fn results(calls: &[&str]) -> Message {
        let result = |call: &&str| Part::Result {
            call: (*call).to_owned(),
            content: Redacted::own("x"),
            is_error: false,
        };
        Message::Ours(calls.iter().map(result).collect())
    }

    #[test]
    fn what_one_side_says_in_a_row_is_one_message() {
        let messages = [
            text("a"),
            theirs(&["1", "2"]),
            text("late"),
            results(&["2", "1"]),
            Message::Theirs(Said(json!(null))),
            text("go on"),
            theirs(&[]),
            theirs(&[]),
        ];
        let sides = sides(&messages, &Ids).unwrap();
        assert_eq!(sides.len(), 4);
        let Side::Ours { results, texts } = &sides[2] else {
            panic!("{sides:?}");
        };
        assert_eq!(
            (results.len(), texts.as_slice()),
            (2, &["late", "go on"][..])
        );
        assert!(matches!(&sides[3], Side::Theirs(row) if row.len() == 2));
    }

    #[test]
    fn what_is_no_conversation_is_told_with_its_place() {
        for (messages, place) in [
            (vec![], "nothing is said (at message 1)"),
            (vec![text(" ")], "nothing is said (at message 1)"),
            (vec![theirs(&[])], "speaks first (at message 1)"),
            (vec![text("a"), theirs(&["1"])], "no result (at message 3)"),
            (
                vec![text("a"), theirs(&["1"]), text("b")],
                "no result (at message 3)",
            ),
            (
                vec![text("a"), theirs(&["1", "2"]), results(&["1"])],
                "no result (at message 3)",
            ),
            (
                vec![text("a"), theirs(&["1"]), results(&["1", "1"])],
                "or twice (at message 3)",
            ),
            (
                vec![text("a"), theirs(&[]), results(&["1"])],
                "is not, or twice (at message 3)",
            ),
            (
                vec![text("a"), theirs(&["1", "1"]), results(&["1"])],
                "one id (at message 2)",
            ),
        ] {
            let fault = sides(&messages, &Ids).unwrap_err();
            assert_eq!(fault.kind, ErrorKind::Malformed);
            assert!(fault.to_string().contains(place), "{fault}, not {place}");
        }
    }
}
