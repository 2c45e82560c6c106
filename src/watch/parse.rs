//! From the JSON that a model or a team writes to a checked watch:
//! `{"label":"http_5xx","match":{"field":"status","gte":500},"window_seconds":60,"threshold":10}`.
//! What could be slow, could match without bound or cannot work is refused with the reason.
//! Not here: reading files, and the caps on how many watches there are (`engine`).

use super::anchor::{HIGHEST_COST, Plan};
use super::breadth;
use super::engine::Caps;
use super::language::Match;
use super::read::{self, LONGEST_TEXT};
use super::{Owner, Scope};
use crate::model::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::time::Duration;

/// Longest window: one day. Beyond it a rate is the right tool, and memory would not hold.
pub const LONGEST_WINDOW: Duration = Duration::from_secs(24 * 3600);
/// Highest threshold; one window then holds at most 80 KB of times.
pub const HIGHEST_THRESHOLD: u64 = 10_000;
/// Longest life that a watch may be given: a year.
const LONGEST_LIFE: u64 = 366 * 24 * 3600;
const LONGEST_LABEL: usize = 64;
const LONGEST_SERVICE: usize = 200;
/// Fields of `group_by`.
const MOST_GROUP_FIELDS: usize = 4;

/// Faults of one list after which no more are looked for: checking takes time.
const MOST_FAULTS: usize = 200;

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
    /// A field, or a list of fields.
    #[serde(default)]
    pub group_by: Option<Json>,
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
    let list: Vec<Json> = serde_json::from_str(json).map_err(|error| vec![not_a_list(&error)])?;
    let caps = Caps::default();
    if list.len() > caps.team {
        let (there, cap) = (list.len(), caps.team);
        let why = format!("{there} watches, at most {cap} are allowed; take some out");
        return Err(vec![Refusal(why)]);
    }
    let mut reader = ListReader::default();
    for (at, item) in list.into_iter().enumerate() {
        reader.take(at + 1, item, now);
        if reader.faults.len() >= MOST_FAULTS {
            let why = format!("what comes after watch {} was not looked at", at + 1);
            reader.faults.push(Refusal(why));
            return Err(reader.faults);
        }
    }
    if reader.cost > caps.team_cost {
        reader.faults.push(Refusal(format!(
            "together the watches cost {}, at most {} is allowed; `autofix watches test` shows \
             which cost most",
            reader.cost, caps.team_cost
        )));
    }
    if reader.faults.is_empty() {
        Ok(reader.watches)
    } else {
        Err(reader.faults)
    }
}

#[derive(Default)]
struct ListReader {
    watches: Vec<Watch>,
    faults: Vec<Refusal>,
    /// Where each label of a scope stands.
    places: HashMap<(Scope, String), usize>,
    cost: u64,
}

impl ListReader {
    fn take(&mut self, number: usize, item: Json, now: Timestamp) {
        let label = match item.get("label").and_then(Json::as_str) {
            Some(label) if check_label(label).is_ok() => format!(" ({label})"),
            _ => String::new(),
        };
        let fault = |why: String| Refusal(format!("watch {number}{label}: {why}"));
        let checked = WatchText::read(item).and_then(|text| text.check(Owner::Team, now));
        match checked {
            Err(Refusal(why)) => self.faults.push(fault(why)),
            Ok(watch) => {
                let name = (watch.scope.clone(), watch.label.clone());
                if let Some(other) = self.places.insert(name, number) {
                    self.faults.push(fault(format!(
                        "watch {other} has the same label; give each its own"
                    )));
                    return;
                }
                self.cost += u64::from(Plan::of(&watch.matches).cost);
                self.watches.push(watch);
            }
        }
    }
}

fn not_a_list(error: &serde_json::Error) -> Refusal {
    Refusal(match error.classify() {
        serde_json::error::Category::Data => {
            "not a JSON list; put the watches between [ and ]".to_owned()
        }
        _ => format!("not JSON: {error}"),
    })
}

/// Why a watch was not taken, in words for the one who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

pub(super) fn refuse<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(why.into()))
}

impl Watch {
    /// Reads one watch. `now` is the wall clock, from which a lifetime counts.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(json: &str, owner: Owner, now: Timestamp) -> Result<Watch, Refusal> {
        let json = serde_json::from_str(json).map_err(|e| Refusal(format!("not JSON: {e}")))?;
        WatchText::read(json)?.check(owner, now)
    }
}

impl WatchText {
    fn read(json: Json) -> Result<WatchText, Refusal> {
        if !json.is_object() {
            return refuse("give an object with label, match, window_seconds and threshold");
        }
        serde_json::from_value(json).map_err(|error| Refusal(error.to_string()))
    }

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
            return refuse(format!(
                "window_seconds: {} is out of range; give 1 to {} (a day)",
                self.window_seconds,
                LONGEST_WINDOW.as_secs()
            ));
        }
        let threshold = match usize::try_from(self.threshold) {
            Ok(number) if number >= 1 && self.threshold <= HIGHEST_THRESHOLD => number,
            _ => {
                return refuse(format!(
                    "threshold: {} is out of range; give 1 to {HIGHEST_THRESHOLD}",
                    self.threshold
                ));
            }
        };
        let matches = read::read(&self.matches)?;
        check_cost(&matches)?;
        if owner == Owner::Model {
            breadth::check_narrow(&matches)?;
        }
        let lifetime = lifetime(self.lifetime_seconds)?;
        Ok(Watch {
            label: self.label,
            matches,
            window,
            threshold,
            group_by: group_by(self.group_by)?,
            scope: scope(self.service)?,
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

fn check_cost(matches: &Match) -> Result<(), Refusal> {
    let plan = Plan::of(matches);
    if plan.cost <= HIGHEST_COST {
        return Ok(());
    }
    let anchors: Vec<String> = plan
        .anchors
        .iter()
        .take(3)
        .map(ToString::to_string)
        .collect();
    refuse(format!(
        "match: costs {}, at most {HIGHEST_COST} is allowed: it must be asked about {}; add a \
         condition that few records meet, such as {{\"field\":\"status\",\"gte\":500}}",
        plan.cost,
        anchors.join(", ")
    ))
}

fn lifetime(seconds: Option<u64>) -> Result<Option<Duration>, Refusal> {
    match seconds {
        Some(seconds) if !(1..=LONGEST_LIFE).contains(&seconds) => refuse(format!(
            "lifetime_seconds: {seconds} is out of range; give 1 to {LONGEST_LIFE}, or leave it out"
        )),
        seconds => Ok(seconds.map(Duration::from_secs)),
    }
}

fn scope(service: Option<String>) -> Result<Scope, Refusal> {
    match service {
        None => Ok(Scope::Everywhere),
        Some(name) if !name.is_empty() && name.len() <= LONGEST_SERVICE => Ok(Scope::Service(name)),
        Some(_) => refuse("service: give the name of a service, or leave it out for all of them"),
    }
}

fn group_by(json: Option<Json>) -> Result<Vec<String>, Refusal> {
    let list = match json {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Array(list)) => list,
        Some(one) => vec![one],
    };
    let good = |name: &&str| !name.is_empty() && name.len() <= LONGEST_TEXT;
    let names: Option<Vec<String>> = list
        .iter()
        .map(|name| name.as_str().filter(good).map(str::to_owned))
        .collect();
    match names {
        Some(names) if !names.is_empty() && names.len() <= MOST_GROUP_FIELDS => Ok(names),
        _ => refuse(format!(
            "group_by: give a field, or a list of 1 to {MOST_GROUP_FIELDS} fields"
        )),
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
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
            (r#"{"template":"x"}"#, "12 hexadecimal"),
            (r#"{"level":"trace"}"#, "nearly every"),
            (r#"{"field":"message","exists":true}"#, "nearly every"),
            (
                r#"{"any":[{"field":"a","eq":1},{"field":"message","contains":" "}]}"#,
                "nearly every",
            ),
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
        let faults = parse_list(
            r#"[{"label":"","match":{"level":"warn"},"window_seconds":6,"threshold":1},
                {"label":"a","match":{"level":"warn"},"window_seconds":6,"threshold":1},
                {"label":"b"}]"#,
            Timestamp(0),
        )
        .unwrap_err();
        assert_eq!(faults.len(), 2);
        assert!(faults[0].0.starts_with("watch 1: label"));
        assert!(faults[1].0.starts_with("watch 3 (b): missing field"));
    }
}
