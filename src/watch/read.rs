//! The match of a watch, out of the JSON in which it is written. What could be slow, or cannot
//! work, is refused with the reason and the remedy. Not here: the rest of a watch (`parse`).

use super::breadth;
use super::language::{Match, Operand, Test};
use super::parse::{Refusal, refuse};
use super::pattern::Pattern;
use crate::model::{Level, TemplateId};
use serde_json::{Map, Value as Json};

const DEEPEST_MATCH: usize = 8;
const LARGEST_MATCH: usize = 64;
pub(super) const LONGEST_TEXT: usize = 512;

/// Reads and checks a match.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn read(json: &Json) -> Result<Match, Refusal> {
    let mut size = 0;
    let matches = match_from(json, 0, &mut size)?;
    breadth::check(&matches)?;
    Ok(matches)
}

fn match_from(json: &Json, depth: usize, size: &mut usize) -> Result<Match, Refusal> {
    *size += 1;
    if depth > DEEPEST_MATCH || *size > LARGEST_MATCH {
        return refuse(format!(
            "match: more than {DEEPEST_MATCH} levels or {LARGEST_MATCH} tests"
        ));
    }
    let Json::Object(map) = json else {
        return refuse("match: give an object such as {\"field\":\"status\",\"gte\":500}");
    };
    if map.contains_key("field") {
        return field_from(map, size);
    }
    let mut only = map.iter();
    let (Some((key, value)), None) = (only.next(), only.next()) else {
        return refuse("match: give one of field, level, template, all, any, not");
    };
    match key.as_str() {
        "all" => parts_from(value, depth, size).map(Match::All),
        "any" => parts_from(value, depth, size).map(Match::Any),
        "not" => Ok(Match::Not(Box::new(match_from(value, depth + 1, size)?))),
        "level" => level_from(value).map(Match::Level),
        "template" => template_from(value),
        other => refuse(format!("match: unknown key {other:?}")),
    }
}

fn parts_from(json: &Json, depth: usize, size: &mut usize) -> Result<Vec<Match>, Refusal> {
    let Json::Array(list) = json else {
        return refuse("match: all and any take a list");
    };
    if list.is_empty() {
        return refuse("match: an empty list would match everything or nothing");
    }
    list.iter()
        .map(|part| match_from(part, depth + 1, size))
        .collect()
}

fn level_from(json: &Json) -> Result<Level, Refusal> {
    json.as_str()
        .and_then(Level::from_word)
        .ok_or_else(|| Refusal("level: give trace, debug, info, warn, error or fatal".into()))
}

fn template_from(json: &Json) -> Result<Match, Refusal> {
    let id = json.as_str().and_then(TemplateId::parse);
    id.map(Match::Template)
        .ok_or_else(|| Refusal("template: give the 12 hexadecimal digits of its id".into()))
}

fn field_from(map: &Map<String, Json>, size: &mut usize) -> Result<Match, Refusal> {
    let path = match map.get("field").and_then(Json::as_str) {
        Some(path) if !path.is_empty() && path.len() <= LONGEST_TEXT => path.to_owned(),
        _ => return refuse("field: give the name of a field, or a dotted path"),
    };
    let mut tests = Vec::new();
    for (key, value) in map.iter().filter(|(key, _)| *key != "field") {
        *size += 1;
        tests.push(test_from(key, value, size)?);
    }
    if tests.is_empty() || *size > LARGEST_MATCH {
        return refuse(format!("match: give 1 to {LARGEST_MATCH} tests"));
    }
    Ok(Match::Field { path, tests })
}

fn test_from(key: &str, value: &Json, size: &mut usize) -> Result<Test, Refusal> {
    Ok(match key {
        "eq" => Test::Equal(operand_from(key, value)?),
        "ne" => Test::NotEqual(operand_from(key, value)?),
        "gt" => Test::Above(operand_from(key, value)?),
        "gte" => Test::AtLeast(operand_from(key, value)?),
        "lt" => Test::Below(operand_from(key, value)?),
        "lte" => Test::AtMost(operand_from(key, value)?),
        "in" => Test::OneOf(operands_from(key, value, size)?),
        "exists" => match value {
            Json::Bool(wanted) => Test::Exists(*wanted),
            _ => return refuse("exists: give true or false"),
        },
        "contains" => Test::Contains(words_from(key, value)?),
        "starts_with" => Test::StartsWith(words_from(key, value)?),
        "regex" => Test::Pattern(Pattern::new(&words_from(key, value)?)?),
        other => return refuse(format!("match: unknown test {other:?}")),
    })
}

fn operands_from(key: &str, value: &Json, size: &mut usize) -> Result<Vec<Operand>, Refusal> {
    let Json::Array(list) = value else {
        return refuse("in: give a list");
    };
    *size += list.len();
    if list.is_empty() || *size > LARGEST_MATCH {
        return refuse(format!("in: give 1 to {LARGEST_MATCH} values"));
    }
    list.iter().map(|item| operand_from(key, item)).collect()
}

fn operand_from(key: &str, value: &Json) -> Result<Operand, Refusal> {
    match value {
        Json::Null => Ok(Operand::Null),
        Json::Bool(flag) => Ok(Operand::Bool(*flag)),
        Json::Number(number) => number
            .as_i64()
            .map(Operand::Int)
            .or_else(|| number.as_f64().map(Operand::Float))
            .ok_or_else(|| Refusal(format!("{key}: {number} is out of range"))),
        Json::String(text) if text.len() <= LONGEST_TEXT => Ok(Operand::Text(text.clone())),
        Json::String(_) => refuse(format!("{key}: longer than {LONGEST_TEXT} bytes")),
        Json::Array(_) | Json::Object(_) => refuse(format!("{key}: give a number or a text")),
    }
}

fn words_from(key: &str, value: &Json) -> Result<String, Refusal> {
    match value.as_str() {
        Some(text) if !text.is_empty() && text.len() <= LONGEST_TEXT => Ok(text.to_owned()),
        _ => refuse(format!("{key}: give a text of 1 to {LONGEST_TEXT} bytes")),
    }
}
