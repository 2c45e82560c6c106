//! From a match to what a record must have for it to hold: its anchors, by which the index finds
//! the watches that could match, and the price of looking. Not here: the index itself.

use super::language::{MESSAGE, Match, Operand, Test};
use super::number::{bound, operand_key};
use crate::model::{Level, TemplateId};
use std::fmt;

/// A necessary condition. Of a watch's anchors one is there whenever its match holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Anchor {
    /// The message has this template.
    Template(TemplateId),
    /// The value under the path is one of a few; their keys.
    Equal(String, Vec<u64>),
    /// The value under the path is a number within these bounds.
    Range(String, f64, f64),
    /// The text under the path holds one of these, or begins with one of them.
    Text {
        path: String,
        texts: Vec<Vec<u8>>,
        start: bool,
    },
    /// The record's level is this or worse.
    Level(Level),
    /// There is a value under the path.
    Present(String),
    /// None is known: the watch is asked for every record.
    Always,
}

/// How a match is found, and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub anchors: Vec<Anchor>,
    /// A score: 1 for a probe of a table, 1,000 for a watch that every record is shown to.
    pub cost: u32,
}

/// Highest cost of one watch.
pub const HIGHEST_COST: u32 = 2_000;

impl Plan {
    pub fn of(matches: &Match) -> Plan {
        let anchors = anchors(matches);
        let work = work(matches);
        let price = |anchor: &Anchor| price(anchor, work);
        let cost = anchors.iter().map(price).fold(0, u32::saturating_add);
        Plan { anchors, cost }
    }
}

/// The anchors of a match: of parts that must all hold those of the rarest, of parts of which
/// one must hold those of each.
fn anchors(matches: &Match) -> Vec<Anchor> {
    match matches {
        Match::All(parts) => parts
            .iter()
            .map(anchors)
            .min_by_key(|all| rarity(all))
            .unwrap_or_else(|| vec![Anchor::Always]),
        Match::Any(parts) => {
            let all: Vec<Anchor> = parts.iter().flat_map(anchors).collect();
            if all.contains(&Anchor::Always) {
                return vec![Anchor::Always];
            }
            all
        }
        Match::Not(inner) => match inner.as_ref() {
            Match::Not(twice) => anchors(twice),
            Match::All(_)
            | Match::Any(_)
            | Match::Level(_)
            | Match::Template(_)
            | Match::Field { .. } => vec![Anchor::Always],
        },
        Match::Level(level) => vec![Anchor::Level(*level)],
        Match::Template(id) => vec![Anchor::Template(*id)],
        Match::Field { path, tests } => vec![of_field(path, tests)],
    }
}

fn of_field(path: &str, tests: &[Test]) -> Anchor {
    let range = range(path, tests);
    let best = tests
        .iter()
        .map(|test| of_test(path, test))
        .chain(range)
        .min_by_key(weight);
    match best {
        // Every record has a message.
        Some(Anchor::Present(path)) if path == MESSAGE => Anchor::Always,
        Some(anchor) => anchor,
        None => Anchor::Always,
    }
}

fn of_test(path: &str, test: &Test) -> Anchor {
    let owned = || path.to_owned();
    let text = |texts: Vec<Vec<u8>>, start| match texts.iter().all(|text| is_sound(text)) {
        true => Anchor::Text {
            path: owned(),
            texts,
            start,
        },
        false => Anchor::Present(owned()),
    };
    let sound = |operand: &Operand| match operand {
        Operand::Text(text) => is_sound(text.as_bytes()),
        Operand::Null | Operand::Bool(_) | Operand::Int(_) | Operand::Float(_) => true,
    };
    match test {
        Test::Equal(operand) if sound(operand) => {
            Anchor::Equal(owned(), vec![operand_key(operand)])
        }
        Test::OneOf(operands) if operands.iter().all(sound) => {
            let mut keys: Vec<u64> = operands.iter().map(operand_key).collect();
            keys.sort_unstable();
            keys.dedup();
            Anchor::Equal(owned(), keys)
        }
        Test::Contains(part) => text(vec![part.as_bytes().to_vec()], false),
        Test::StartsWith(part) => text(vec![part.as_bytes().to_vec()], true),
        Test::Pattern(pattern) => match pattern.literals() {
            Some(texts) => text(texts, false),
            None => Anchor::Present(owned()),
        },
        Test::Exists(false) => Anchor::Always,
        Test::Equal(_)
        | Test::OneOf(_)
        | Test::NotEqual(_)
        | Test::Above(_)
        | Test::AtLeast(_)
        | Test::Below(_)
        | Test::AtMost(_)
        | Test::Exists(true) => Anchor::Present(owned()),
    }
}

/// Whether a text is found in the bytes of every value that has it. What is no UTF-8 in a value
/// stands as U+FFFD in its text, and the bytes of that are not there.
fn is_sound(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(|text| !text.contains(char::REPLACEMENT_CHARACTER))
}

/// The bounds that all tests together set.
fn range(path: &str, tests: &[Test]) -> Option<Anchor> {
    let (mut low, mut high, mut any) = (f64::NEG_INFINITY, f64::INFINITY, false);
    for test in tests {
        match test {
            Test::Above(operand) | Test::AtLeast(operand) => {
                if let Some(number) = bound(operand) {
                    (low, any) = (low.max(number), true);
                }
            }
            Test::Below(operand) | Test::AtMost(operand) => {
                if let Some(number) = bound(operand) {
                    (high, any) = (high.min(number), true);
                }
            }
            Test::Equal(_)
            | Test::NotEqual(_)
            | Test::OneOf(_)
            | Test::Exists(_)
            | Test::Contains(_)
            | Test::StartsWith(_)
            | Test::Pattern(_) => {}
        }
    }
    any.then(|| Anchor::Range(path.to_owned(), low, high))
}

/// How often an anchor is met, as a guess; lower is rarer.
fn weight(anchor: &Anchor) -> u32 {
    match anchor {
        Anchor::Template(_) => 1,
        Anchor::Equal(_, keys) => count(keys.len()),
        Anchor::Text { texts, .. } => {
            let each = match texts.iter().map(Vec::len).min().unwrap_or(0) {
                7.. => 2,
                4..=6 => 4,
                2..=3 => 12,
                _ => 50,
            };
            each * count(texts.len())
        }
        Anchor::Range(..) => 10,
        Anchor::Level(Level::Fatal) => 8,
        Anchor::Level(Level::Error) => 12,
        Anchor::Level(Level::Warn) => 20,
        Anchor::Level(Level::Info | Level::Debug | Level::Trace) => 90,
        Anchor::Present(_) => 60,
        Anchor::Always => 1_000,
    }
}

fn rarity(anchors: &[Anchor]) -> u32 {
    anchors.iter().map(weight).fold(0, u32::saturating_add)
}

/// What an anchor costs each record, on average and as a guess. `work`: what asking costs.
fn price(anchor: &Anchor, work: u32) -> u32 {
    match anchor {
        Anchor::Template(_) => 1,
        Anchor::Equal(_, keys) => count(keys.len()),
        Anchor::Range(..) => 2,
        Anchor::Text { texts, .. } => {
            let short = |text: &&Vec<u8>| text.len() < 4;
            count(texts.len()) + 9 * count(texts.iter().filter(short).count())
        }
        Anchor::Level(Level::Fatal | Level::Error) => 2,
        Anchor::Level(Level::Warn) => 5,
        Anchor::Level(Level::Info | Level::Debug | Level::Trace) => 50 + work,
        Anchor::Present(_) => 50 + work,
        Anchor::Always => 1_000 + 2 * work,
    }
}

/// What it costs to ask a match about one record.
fn work(matches: &Match) -> u32 {
    match matches {
        Match::All(parts) | Match::Any(parts) => {
            parts.iter().map(work).fold(0, u32::saturating_add)
        }
        Match::Not(inner) => work(inner),
        Match::Level(_) | Match::Template(_) => 1,
        Match::Field { tests, .. } => tests.iter().map(test_work).fold(2, u32::saturating_add),
    }
}

fn test_work(test: &Test) -> u32 {
    match test {
        Test::Pattern(_) => 20,
        Test::Contains(_) => 4,
        Test::OneOf(operands) => count(operands.len()),
        Test::Equal(Operand::Text(_)) => 2,
        Test::Equal(_)
        | Test::NotEqual(_)
        | Test::Above(_)
        | Test::AtLeast(_)
        | Test::Below(_)
        | Test::AtMost(_)
        | Test::Exists(_)
        | Test::StartsWith(_) => 1,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// In words for whoever wrote the watch.
impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Anchor::Template(id) => write!(f, "template {id}"),
            Anchor::Equal(path, keys) if keys.len() == 1 => write!(f, "one value of {path}"),
            Anchor::Equal(path, keys) => write!(f, "{} values of {path}", keys.len()),
            Anchor::Range(path, low, high) if high.is_infinite() => write!(f, "{path} from {low}"),
            Anchor::Range(path, low, high) if low.is_infinite() => write!(f, "{path} to {high}"),
            Anchor::Range(path, low, high) => write!(f, "{path} from {low} to {high}"),
            Anchor::Text { path, texts, start } => {
                let how = if *start { "begins with" } else { "holds" };
                let first = texts.first().map(|text| String::from_utf8_lossy(text));
                write!(f, "{path} {how} {:?}", first.unwrap_or_default())?;
                match texts.len() {
                    0 | 1 => Ok(()),
                    more => write!(f, " or one of {} other texts", more - 1),
                }
            }
            Anchor::Level(level) => write!(f, "level {} or worse", level.word()),
            Anchor::Present(path) => write!(f, "every record with {path}"),
            Anchor::Always => f.write_str("every record"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Owner, Watch};
    use super::*;
    use crate::model::Timestamp;

    fn plan(matches: &str) -> Plan {
        let json =
            format!(r#"{{"label":"x","match":{matches},"window_seconds":60,"threshold":10}}"#);
        Plan::of(
            &Watch::parse(&json, Owner::Team, Timestamp(0))
                .unwrap()
                .matches,
        )
    }

    fn words(matches: &str) -> Vec<String> {
        plan(matches)
            .anchors
            .iter()
            .map(Anchor::to_string)
            .collect()
    }

    #[test]
    fn of_all_the_rarest_and_of_any_each() {
        let both =
            r#"{"all":[{"level":"warn"},{"field":"customer","eq":7},{"not":{"level":"fatal"}}]}"#;
        assert_eq!(words(both), ["one value of customer"]);
        let either =
            r#"{"any":[{"field":"a","contains":"long enough"},{"field":"b","gt":5,"lte":9}]}"#;
        assert_eq!(words(either), ["a holds \"long enough\"", "b from 5 to 9"]);
        let with_not = r#"{"any":[{"field":"a","eq":1},{"not":{"field":"b","eq":1}}]}"#;
        assert_eq!(words(with_not), ["every record"]);
    }

    #[test]
    fn one_value_has_one_key_however_it_is_written() {
        let same = plan(r#"{"field":"a","in":[500,"500",500.0," 500"]}"#);
        assert!(matches!(&same.anchors[..], [Anchor::Equal(_, keys)] if keys.len() == 1));
        let other = plan(r#"{"field":"a","in":[500,501,"x",null,true,"true"]}"#);
        assert!(matches!(&other.anchors[..], [Anchor::Equal(_, keys)] if keys.len() == 5));
    }

    #[test]
    fn what_every_record_is_shown_to_costs_most() {
        let cheap = plan(r#"{"field":"a","eq":1}"#).cost;
        let present = plan(r#"{"field":"a","ne":1}"#).cost;
        let always = plan(r#"{"not":{"field":"a","eq":1}}"#).cost;
        assert!(
            cheap < present && present < always,
            "{cheap} {present} {always}"
        );
        assert_eq!(words(r#"{"field":"a","gte":"m"}"#), ["every record with a"]);
    }
}
