//! Matches that hold for nearly every record: counting those is no watch, and each of their
//! records would be kept as an example. A person may negate (what that costs is capped); a model
//! must name something that few records have.

use super::language::{MESSAGE, Match, Test};
use super::parse::{Refusal, refuse};
use crate::model::Level;

/// Refuses a match that could hold for nearly everything.
pub(super) fn check(matches: &Match) -> Result<(), Refusal> {
    match broad(matches) {
        None => Ok(()),
        Some(why) => refuse(format!(
            "match: {why}, which nearly every record meets; add a condition that few meet"
        )),
    }
}

/// Refuses a match of a model that names nothing that few records have.
pub(super) fn check_narrow(matches: &Match) -> Result<(), Refusal> {
    if is_narrow(matches) {
        return Ok(());
    }
    refuse(
        "match: it names nothing that few records have; compare a field with a value (eq, in, gt, \
         gte, lt, lte), look for a text (contains, starts_with, regex), or give level warn or worse",
    )
}

fn is_narrow(matches: &Match) -> bool {
    match matches {
        Match::All(parts) => parts.iter().any(is_narrow),
        Match::Any(parts) => parts.iter().all(is_narrow),
        Match::Not(_) => false,
        Match::Template(_) => true,
        Match::Level(level) => *level >= Level::Warn,
        Match::Field { tests, .. } => tests.iter().any(|test| match test {
            Test::Equal(_)
            | Test::OneOf(_)
            | Test::Above(_)
            | Test::AtLeast(_)
            | Test::Below(_)
            | Test::AtMost(_) => true,
            Test::Contains(text) | Test::StartsWith(text) => text.trim().len() >= LEAST_TEXT,
            Test::Pattern(pattern) => pattern.is_rare(),
            Test::NotEqual(_) | Test::Exists(_) => false,
        }),
    }
}

/// Letters of a text that a model may look for.
const LEAST_TEXT: usize = 3;

/// Why a match is broad.
fn broad(matches: &Match) -> Option<&'static str> {
    match matches {
        Match::All(parts) => {
            let whys: Option<Vec<_>> = parts.iter().map(broad).collect();
            whys?.first().copied()
        }
        Match::Any(parts) => parts.iter().find_map(broad),
        Match::Not(_) | Match::Template(_) => None,
        Match::Level(Level::Trace | Level::Debug) => Some("any level counts"),
        Match::Level(Level::Info | Level::Warn | Level::Error | Level::Fatal) => None,
        Match::Field { path, tests } if path == MESSAGE => {
            let whys: Option<Vec<_>> = tests.iter().map(broad_of_message).collect();
            whys?.first().copied()
        }
        Match::Field { .. } => None,
    }
}

fn broad_of_message(test: &Test) -> Option<&'static str> {
    match test {
        Test::Exists(true) => Some("every record has a message"),
        Test::NotEqual(_) => Some("any other message counts"),
        Test::Contains(text) if text.chars().count() == 1 => Some("one letter is looked for"),
        Test::Contains(_)
        | Test::StartsWith(_)
        | Test::Pattern(_)
        | Test::Exists(false)
        | Test::Equal(_)
        | Test::Above(_)
        | Test::AtLeast(_)
        | Test::Below(_)
        | Test::AtMost(_)
        | Test::OneOf(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Timestamp;
    use crate::watch::{Owner, Watch};

    fn read(matches: &str, owner: Owner) -> Result<Watch, String> {
        let json =
            format!(r#"{{"label":"w","match":{matches},"window_seconds":60,"threshold":10}}"#);
        Watch::parse(&json, owner, Timestamp(0)).map_err(|refusal| refusal.0)
    }

    #[test]
    fn a_model_must_name_something_that_few_records_have() {
        for narrow in [
            r#"{"field":"status","gte":500}"#,
            r#"{"level":"warn"}"#,
            r#"{"all":[{"not":{"field":"path","eq":"/health"}},{"field":"result","eq":"declined"}]}"#,
            r#"{"any":[{"field":"a","eq":1},{"field":"message","contains":"refused"}]}"#,
            r#"{"field":"message","regex":"pool (full|exhausted)"}"#,
        ] {
            assert!(read(narrow, Owner::Model).is_ok(), "{narrow}");
        }
        for broad in [
            r#"{"level":"info"}"#,
            r#"{"not":{"field":"status","eq":200}}"#,
            r#"{"field":"user","exists":true}"#,
            r#"{"field":"result","ne":"ok"}"#,
            r#"{"any":[{"field":"a","eq":1},{"level":"info"}]}"#,
            r#"{"field":"message","contains":"e "}"#,
            r#"{"field":"message","regex":"[a-z]+"}"#,
        ] {
            let why = read(broad, Owner::Model).unwrap_err();
            assert!(why.contains("few"), "{broad}: {why}");
        }
        assert!(read(r#"{"field":"result","ne":"ok"}"#, Owner::Team).is_ok());
    }
}
