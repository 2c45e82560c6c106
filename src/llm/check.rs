//! Whether an answer is one: all of the question was read, and the JSON is whole. Not whether it
//! is right.

use super::{Ask, Ended, Error, ErrorKind, tokens};
use parking_lot::Mutex;
use serde::de::IgnoredAny;

/// Refuses a question that would not fit, before a server cuts it.
pub(super) fn fits(ask: &Ask<'_>) -> Result<(), Error> {
    let question = tokens::at_most(ask.system()).saturating_add(tokens::at_most(ask.user()));
    if question.saturating_add(ask.max_tokens) <= ask.context_tokens {
        return Ok(());
    }
    let words = format!(
        "a question of about {question} tokens and an answer of {} do not fit a context of {}; \
         fewer lines at once or a larger context help",
        ask.max_tokens, ask.context_tokens
    );
    Err(Error::new(ErrorKind::TooLong, words))
}

/// The JSON in a model's words: some think aloud before it, some put it in a fence.
pub(super) fn json(said: &str, ended: Ended, limit: u32) -> Result<String, Error> {
    let text = bare(said);
    let fault = match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => return Ok(text.to_owned()),
        Err(fault) => fault,
    };
    match ended {
        Ended::Length => {
            let words = format!(
                "the answer was cut, at {limit} tokens or where the context ended; \
                 fewer lines at once or a higher limit help"
            );
            Err(Error::new(ErrorKind::Cut, words))
        }
        Ended::Stop => {
            let words = format!(
                "the model answered what is not JSON ({fault}); does its server know schemas?"
            );
            Err(Error::new(ErrorKind::Garbage, words))
        }
    }
}

fn bare(said: &str) -> &str {
    let text = said.trim();
    let text = match text.strip_prefix("<think>") {
        Some(thought) => thought
            .split_once("</think>")
            .map_or("", |(_, then)| then.trim()),
        None => text,
    };
    let fenced = text
        .strip_prefix("```")
        .and_then(|text| text.strip_suffix("```"));
    fenced.map_or(text, |text| {
        text.strip_prefix("json").unwrap_or(text).trim()
    })
}

/// What a server says that it read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub tokens: Option<u64>,
    /// How many of them it still had in memory.
    pub from_memory: Option<u64>,
}

impl Count {
    /// Servers leave out what is zero, and some say zero for what they do not know.
    pub fn new(tokens: Option<u64>, from_memory: Option<u64>) -> Count {
        Count {
            tokens: tokens.filter(|tokens| *tokens > 0),
            from_memory,
        }
    }
}

/// Whether a question of `least` tokens or more, in a context with `room` for it, was read to its
/// end.
pub(super) fn was_read(count: Count, least: u32, room: u32) -> Result<(), Error> {
    let Some(counted) = count.tokens else {
        return Ok(());
    };
    if counted < u64::from(room) && counted >= u64::from(least) {
        return Ok(());
    }
    let words = format!(
        "the server counted {counted} tokens of a question that has at least {least} and may have {room}: \
         it has cut it, and its answer is not used; \
         fewer lines at once or a larger context in the server help"
    );
    Err(Error::new(ErrorKind::Truncated, words))
}

/// Notices a question that was read in part: servers cut what does not fit without a word.
///
/// Their counts are all that tells, and not every server counts alike. Those that say how much
/// they still had in memory have counted that as well. Of the others, some leave it out: the
/// prefix that the question before had too is then not asked for, and a count that is absent or
/// zero proves nothing.
#[derive(Default)]
pub(super) struct Reading {
    before: Mutex<String>,
}

impl Reading {
    /// Once for each question that was sent.
    pub fn check(&self, ask: &Ask<'_>, count: Count) -> Result<(), Error> {
        let unknown = self.unknown_to_the_server(ask.user());
        let least = match count.from_memory {
            Some(_) => tokens::at_least(ask.system()).saturating_add(tokens::at_least(ask.user())),
            None => unknown,
        };
        was_read(
            count,
            least,
            ask.context_tokens.saturating_sub(ask.max_tokens),
        )
    }

    /// Tokens at least of what follows the part that the question before had as well.
    fn unknown_to_the_server(&self, user: &str) -> u32 {
        let mut before = self.before.lock();
        let same = before
            .bytes()
            .zip(user.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        let same = (0..=same).rev().find(|at| user.is_char_boundary(*at));
        let least = tokens::at_least(user.get(same.unwrap_or(0)..).unwrap_or(user));
        user.clone_into(&mut before);
        least
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Redacted, Redactor, Settings};
    use std::time::Duration;

    const LINE: &str = "2026-03-01 12:00:00 ERROR db: connection refused by 10.0.0.3:5432\n";

    /// Leaks, as tests may.
    fn ask(user: &str, schema: &'static serde_json::Value) -> Ask<'static> {
        let mut scope = Redactor::new(&Settings::default()).unwrap().scope();
        Ask {
            system: Box::leak(Box::new(Redacted::own("Judge."))),
            user: Box::leak(Box::new(scope.text(user))),
            schema,
            max_tokens: 100,
            context_tokens: 2000,
            deadline: Duration::from_secs(1),
        }
    }

    #[test]
    fn what_does_not_fit_is_not_sent() {
        let schema = &serde_json::Value::Null;
        assert!(fits(&ask(&LINE.repeat(30), schema)).is_ok());
        let e = fits(&ask(&LINE.repeat(60), schema)).unwrap_err();
        assert_eq!(e.kind, ErrorKind::TooLong);
    }

    #[test]
    fn a_count_tells_what_was_read() {
        let schema = &serde_json::Value::Null;
        let user = LINE.repeat(30);
        let of = |counted| Reading::default().check(&ask(&user, schema), Count::new(counted, None));
        assert!(of(Some(1200)).is_ok());
        assert!(of(None).is_ok(), "no count proves nothing");
        for counted in [1900, 2000, 40] {
            let e = of(Some(counted)).unwrap_err();
            assert_eq!(e.kind, ErrorKind::Truncated, "{counted}");
        }
    }

    #[test]
    fn a_prefix_that_the_server_had_need_not_be_counted() {
        let schema = &serde_json::Value::Null;
        let reading = Reading::default();
        let user = LINE.repeat(30);
        assert!(
            reading
                .check(&ask(&user, schema), Count::new(Some(1200), None))
                .is_ok()
        );
        let longer = format!("{user}é{LINE}");
        assert!(
            reading
                .check(&ask(&longer, schema), Count::new(Some(45), None))
                .is_ok()
        );
        assert!(
            reading
                .check(&ask(&longer, schema), Count::new(Some(1), None))
                .is_ok()
        );
        let all = Count::new(Some(45), Some(40));
        assert!(reading.check(&ask(&longer, schema), all).is_err());
        let other = format!("x{user}");
        assert!(
            reading
                .check(&ask(&other, schema), Count::new(Some(45), None))
                .is_err()
        );
    }

    #[test]
    fn json_is_found_in_what_models_put_around_it() {
        for said in [
            "{}",
            " {}\n",
            "<think>\nhm {\n</think>\n{}",
            "```json\n{}\n```",
            "```\n{}```",
        ] {
            assert_eq!(json(said, Ended::Stop, 9).unwrap(), "{}", "{said}");
        }
        let kind = |said, ended| json(said, ended, 9).unwrap_err().kind;
        assert_eq!(kind("{\"a\":", Ended::Length), ErrorKind::Cut);
        assert_eq!(kind("<think> so", Ended::Length), ErrorKind::Cut);
        for said in ["", "Sure! {}", "{} {}", "{\"a\":", "<think> so"] {
            assert_eq!(kind(said, Ended::Stop), ErrorKind::Garbage, "{said}");
        }
        assert!(
            json("{}", Ended::Length, 9).is_ok(),
            "complete at the limit"
        );
    }
}
