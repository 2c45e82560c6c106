//! From the JSON that a model or a team writes to a checked watch:
//! `{"label":"http_5xx","match":{"field":"status","gte":500},"window_seconds":60,"threshold":10}`.
//! What could be slow, could match without bound or cannot work is refused with the reason.
//! Not here: reading files, and the caps on how many watches there are (`engine`).

use super::language::{Match, Operand, Test};
use super::{Owner, Scope};
use crate::model::{Level, TemplateId, Timestamp};
use regex::RegexBuilder;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::time::Duration;

/// Longest window: one day. Beyond it a rate is the right tool, and memory would not hold.
pub const LONGEST_WINDOW: Duration = Duration::from_secs(24 * 3600);
/// Highest threshold; one window then holds at most 80 KB of times.
pub const HIGHEST_THRESHOLD: u64 = 10_000;
const DEEPEST_MATCH: usize = 8;
const LARGEST_MATCH: usize = 64;
const LONGEST_TEXT: usize = 512;
const LONGEST_LABEL: usize = 64;
/// Compiled size of one pattern, in bytes; the crate's own limit is ten times that.
const LARGEST_PATTERN: usize = 1 << 20;

/// A watch that was checked.
#[derive(Clone, Debug)]
pub struct Watch {
    /// 1 to 64 of `A-Z a-z 0-9 _ . : -`: it names the watch in outputs that leave the host.
    pub label: String,
    pub matches: Match,
    pub window: Duration,
    /// At least 1.
    pub threshold: usize,
    /// Fields whose distinct values count for themselves; empty: one count for each service. A
    /// record without one of them, or with a list or map there, is not counted by this watch.
    pub group_by: Vec<String>,
    pub scope: Scope,
    pub owner: Owner,
    /// Wall-clock end of its life; `None`: none.
    pub expires: Option<Timestamp>,
    /// One line for people.
    pub summary: String,
}

/// A watch as it is written, before any check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchText {
    /// `watch`, or left out.
    #[serde(default)]
    pub action: Option<String>,
    pub label: String,
    #[serde(rename = "match")]
    pub matches: Json,
    pub window_seconds: u64,
    pub threshold: u64,
    #[serde(default)]
    pub summary: String,
    /// Absent: everywhere.
    #[serde(default)]
    pub service: Option<String>,
    /// Absent: as the owner's caps say.
    #[serde(default)]
    pub lifetime_seconds: Option<u64>,
}

/// Reads a team's file: a JSON list of watches. Every fault is reported at once, with the number
/// of the watch in the list, its label and the remedy. `now` is the wall clock.
///
/// # Errors
/// All faults, in order.
pub fn parse_list(json: &str, now: Timestamp) -> Result<Vec<Watch>, Vec<Refusal>> {
    Watch::parse_list(json, now)
}

/// Why a watch was not taken, in words for the one who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

fn refuse<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(why.into()))
}

impl Watch {
    /// Reads one watch. `now` is the wall clock, from which a lifetime counts.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(json: &str, owner: Owner, now: Timestamp) -> Result<Watch, Refusal> {
        let text: WatchText =
            serde_json::from_str(json).map_err(|error| Refusal(error.to_string()))?;
        text.check(owner, now)
    }

    /// Reads a team's file: a JSON list of watches. Every fault is reported at once, with the
    /// number of the watch in the list.
    ///
    /// # Errors
    /// All faults, in order.
    pub fn parse_list(json: &str, now: Timestamp) -> Result<Vec<Watch>, Vec<Refusal>> {
        let list: Vec<Json> =
            serde_json::from_str(json).map_err(|error| vec![Refusal(error.to_string())])?;
        let mut watches = Vec::new();
        let mut faults = Vec::new();
        for (at, item) in list.into_iter().enumerate() {
            let checked = serde_json::from_value::<WatchText>(item)
                .map_err(|error| Refusal(error.to_string()))
                .and_then(|text| text.check(Owner::Team, now));
            match checked {
                Ok(watch) => watches.push(watch),
                Err(Refusal(why)) => faults.push(Refusal(format!("watch {}: {why}", at + 1))),
            }
        }
        if faults.is_empty() {
            Ok(watches)
        } else {
            Err(faults)
        }
    }
}

impl WatchText {
    /// Checks everything that does not depend on the other watches.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn check(self, owner: Owner, now: Timestamp) -> Result<Watch, Refusal> {
        if self.action.as_deref().is_some_and(|word| word != "watch") {
            return refuse("action: only \"watch\" installs a watch");
        }
        check_label(&self.label)?;
        let window = Duration::from_secs(self.window_seconds);
        if window.is_zero() || window > LONGEST_WINDOW {
            return refuse("window_seconds: give 1 to 86400");
        }
        let threshold = match usize::try_from(self.threshold) {
            Ok(number) if number >= 1 && self.threshold <= HIGHEST_THRESHOLD => number,
            _ => return refuse(format!("threshold: give 1 to {HIGHEST_THRESHOLD}")),
        };
        let mut size = 0;
        let matches = match_from(&self.matches, 0, &mut size)?;
        let lifetime = self.lifetime_seconds.map(Duration::from_secs);
        Ok(Watch {
            label: self.label,
            matches,
            window,
            threshold,
            group_by: Vec::new(),
            scope: self.service.map_or(Scope::Everywhere, Scope::Service),
            owner,
            expires: lifetime.map(|life| now.plus(life)),
            summary: one_line(&self.summary),
        })
    }
}

fn check_label(label: &str) -> Result<(), Refusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
    if label.is_empty() || label.len() > LONGEST_LABEL || !label.bytes().all(plain) {
        return refuse("label: give 1 to 64 of letters, digits, `_`, `.`, `:` and `-`");
    }
    Ok(())
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
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
        return refuse("match: give one of field, level, all, any, not");
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
        "regex" => Test::Pattern(pattern_from(&words_from(key, value)?)?),
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

fn pattern_from(text: &str) -> Result<regex::Regex, Refusal> {
    let pattern = RegexBuilder::new(text)
        .size_limit(LARGEST_PATTERN)
        .nest_limit(32)
        .build()
        .map_err(|error| Refusal(format!("regex: {error}")))?;
    if pattern.is_match("") {
        return refuse("regex: it matches the empty text, so it would match every record");
    }
    Ok(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Watch, Refusal> {
        Watch::parse(json, Owner::Model, Timestamp(0))
    }

    fn with_match(matches: &str) -> Result<Watch, Refusal> {
        parse(&format!(
            r#"{{"label":"x","match":{matches},"window_seconds":60,"threshold":10}}"#
        ))
    }

    #[test]
    fn the_form_that_a_model_writes() {
        let watch = parse(
            r#"{"action":"watch","label":"http_5xx_spike","match":{"field":"status","gte":500},
                "window_seconds":60,"threshold":10,"summary":"Seeing isolated 5xx"}"#,
        )
        .unwrap();
        assert_eq!(watch.label, "http_5xx_spike");
        assert_eq!(
            (watch.window, watch.threshold),
            (Duration::from_secs(60), 10)
        );
        assert_eq!(watch.scope, Scope::Everywhere);
    }

    #[test]
    fn every_test_of_the_language_is_read() {
        for part in [
            r#"{"field":"a.b","eq":1,"ne":"2","gt":1.5,"gte":1,"lt":9,"lte":9}"#,
            r#"{"field":"a","in":["x",1,true,null],"exists":true}"#,
            r#"{"field":"a","contains":"x","starts_with":"y","regex":"^z+$"}"#,
            r#"{"level":"error"}"#,
            r#"{"all":[{"level":"warn"},{"any":[{"not":{"field":"a","eq":1}}]}]}"#,
        ] {
            with_match(part).unwrap_or_else(|why| panic!("{part}: {why}"));
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_reason() {
        let deep = format!(
            "{}{{\"level\":\"warn\"}}{}",
            "{\"not\":".repeat(20),
            "}".repeat(20)
        );
        let wide = format!(
            "{{\"all\":[{}]}}",
            vec![r#"{"level":"warn"}"#; 100].join(",")
        );
        for (part, word) in [
            (r#"{"field":"a"}"#, "tests"),
            (r#"{"field":"","eq":1}"#, "field"),
            (r#"{"field":"a","like":1}"#, "like"),
            (r#"{"field":"a","eq":{}}"#, "eq"),
            (r#"{"field":"a","regex":"(a"}"#, "regex"),
            (r#"{"field":"a","regex":"a*"}"#, "empty"),
            (r#"{"field":"a","regex":"((a{100}){100}){100}"}"#, "regex"),
            (r#"{"all":[]}"#, "empty"),
            (r#"{"template":"x"}"#, "template"),
            (r#"{}"#, "match"),
            ("7", "match"),
            (deep.as_str(), "levels"),
            (wide.as_str(), "levels"),
        ] {
            let why = with_match(part).unwrap_err().0;
            assert!(why.contains(word), "{part}: {why}");
        }
        for (json, word) in [
            (
                r#"{"label":"x y","match":{"level":"warn"},"window_seconds":60,"threshold":1}"#,
                "label",
            ),
            (
                r#"{"label":"x","match":{"level":"warn"},"window_seconds":60,"threshold":0}"#,
                "threshold",
            ),
            (
                r#"{"label":"x","match":{"level":"warn"},"window_seconds":31536000,"threshold":1}"#,
                "window",
            ),
            (
                r#"{"action":"ignore","label":"x","match":{"level":"warn"},"window_seconds":6,"threshold":1}"#,
                "action",
            ),
            (
                r#"{"label":"x","match":{"level":"warn"},"window_seconds":6,"threshold":1,"extra":1}"#,
                "extra",
            ),
        ] {
            let why = parse(json).unwrap_err().0;
            assert!(why.contains(word), "{json}: {why}");
        }
    }

    #[test]
    fn a_list_reports_all_its_faults() {
        let faults = Watch::parse_list(
            r#"[{"label":"","match":{"level":"warn"},"window_seconds":6,"threshold":1},
                {"label":"a","match":{"level":"warn"},"window_seconds":6,"threshold":1},
                {"label":"b"}]"#,
            Timestamp(0),
        )
        .unwrap_err();
        assert_eq!(faults.len(), 2);
        assert!(faults[0].0.starts_with("watch 1: "));
        assert!(faults[1].0.starts_with("watch 3: "));
    }
}
