//! Matches that hold for nearly every record: counting those is no watch, and each of their
//! records would be kept as an example. Negations are not among them: what they cost is capped.

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
