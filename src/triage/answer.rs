//! What a model may answer, as a schema for its server and as code that checks what came: one
//! object for every entry of the batch, or a list with one for each. Nothing of an answer has an
//! effect before it passed here. Not here: what is asked (`prompt`), what follows.

use crate::model::Timestamp;
use crate::record::HTTP_STATUS;
use crate::watch::{MESSAGE, Owner, Scope, Watch};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// Longest text of an answer that is looked at, in bytes.
const LONGEST: usize = 64 << 10;
/// Longest summary that is kept, in characters.
const SUMMARY: usize = 200;
/// A watch that fires at one record would be an incident in disguise.
const LEAST_THRESHOLD: usize = 2;
/// Watches of one answer.
const MOST_WATCHES: usize = 8;
/// Longest window of a model's watch: six hours. What is slower than that is a rate.
const LONGEST_WINDOW: u64 = 6 * 3600;
/// Longest life, in seconds: a day. The model may ask for it again when the news come again.
const LONGEST_LIFE: u64 = 24 * 3600;

/// What was asked, as far as the answer must fit it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub service: String,
    /// Entries of the batch.
    pub entries: usize,
    /// Paths of fields that records of the service have.
    pub fields: BTreeSet<String>,
    /// Wall clock, from which lifetimes count.
    pub now: Timestamp,
}

/// What becomes of an entry.
#[derive(Clone, Debug)]
pub enum Verdict {
    Ignore,
    Watch(Box<Watch>),
    /// With the model's one sentence.
    Investigate(String),
    /// What was answered cannot be used: the built-in rules had their say, and that is all.
    Rules,
}

impl Verdict {
    /// The word of answers, of the store and of lists.
    pub const fn word(&self) -> &'static str {
        match self {
            Verdict::Ignore => "ignore",
            Verdict::Watch(_) => "watch",
            Verdict::Investigate(_) => "investigate",
            Verdict::Rules => "rules",
        }
    }
}

/// An answer that was checked.
#[derive(Clone, Debug)]
pub enum Answer {
    /// One for every entry of the batch.
    All(Verdict),
    /// One for each, in order.
    Each(Vec<Verdict>),
}

/// Why an answer cannot be used, in words for the model that gave it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

fn fault<T>(why: impl Into<String>) -> Result<T, Fault> {
    Err(Fault(why.into()))
}

/// The schema of an answer to so many entries.
pub fn schema(entries: usize) -> Json {
    let verdict = json!({"anyOf": [ignore(), watch(), investigate()]});
    if entries == 1 {
        return verdict;
    }
    json!({"anyOf": [
        {"type": "array", "items": verdict, "minItems": entries, "maxItems": entries},
        verdict,
    ]})
}

fn object(properties: Json, required: &[&str]) -> Json {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn ignore() -> Json {
    object(json!({"action": {"const": "ignore"}}), &["action"])
}

fn investigate() -> Json {
    let properties = json!({
        "action": {"const": "investigate"},
        "summary": {"type": "string", "maxLength": SUMMARY},
    });
    object(properties, &["action", "summary"])
}

fn watch() -> Json {
    let scalar = json!({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]});
    let text = json!({"type": "string"});
    let tests = json!({
        "field": text, "eq": scalar, "gt": scalar, "gte": scalar, "lt": scalar, "lte": scalar,
        "in": {"type": "array", "items": scalar, "minItems": 1, "maxItems": 16},
        "contains": text, "starts_with": text,
    });
    let properties = json!({
        "action": {"const": "watch"},
        "label": {"type": "string", "maxLength": 64},
        "match": object(tests, &["field"]),
        "window_seconds": {"type": "integer"},
        "threshold": {"type": "integer"},
        "summary": {"type": "string", "maxLength": SUMMARY},
    });
    let required = [
        "action",
        "label",
        "match",
        "window_seconds",
        "threshold",
        "summary",
    ];
    object(properties, &required)
}

/// Reads and checks an answer.
///
/// # Errors
/// The first fault, with its place.
pub fn read(text: &str, asked: &Asked) -> Result<Answer, Fault> {
    if text.len() > LONGEST {
        return fault(format!("the answer is longer than {LONGEST} bytes"));
    }
    let json: Json = match serde_json::from_str(text.trim()) {
        Ok(json) => json,
        Err(error) => return fault(format!("the answer is not JSON: {error}")),
    };
    match json {
        Json::Array(list) => {
            let (given, wanted) = (list.len(), asked.entries);
            if given != wanted {
                return fault(format!(
                    "the list has {given} answers, but there are {wanted} entries; give one for \
                     each, in order, or a single object for all"
                ));
            }
            let each = list.into_iter().enumerate();
            let read = each.map(|(at, one)| {
                verdict(one, asked).map_err(|why| Fault(format!("answer {}: {why}", at + 1)))
            });
            let each = read.collect::<Result<Vec<Verdict>, Fault>>()?;
            let watches = each.iter().filter(|one| matches!(one, Verdict::Watch(_)));
            match watches.count() {
                0..=MOST_WATCHES => Ok(Answer::Each(each)),
                number => fault(format!(
                    "{number} watches at once; install at most {MOST_WATCHES}, the most telling"
                )),
            }
        }
        one @ Json::Object(_) => verdict(one, asked).map(Answer::All),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            fault("the answer is neither an object nor a list of objects")
        }
    }
}

/// What can be used of an answer that has a fault: of a list with one object for each entry those
/// without one. An entry cannot take the others' verdicts away.
pub fn salvage(text: &str, asked: &Asked) -> Option<Answer> {
    if text.len() > LONGEST {
        return None;
    }
    let Ok(Json::Array(list)) = serde_json::from_str(text.trim()) else {
        return None;
    };
    if list.len() != asked.entries {
        return None;
    }
    let mut watches = 0;
    let each = list.into_iter().map(|one| match verdict(one, asked) {
        Ok(Verdict::Watch(_)) if watches == MOST_WATCHES => Verdict::Rules,
        Ok(good) => {
            watches += usize::from(matches!(good, Verdict::Watch(_)));
            good
        }
        Err(_) => Verdict::Rules,
    });
    let each: Vec<Verdict> = each.collect();
    let any = each.iter().any(|one| !matches!(one, Verdict::Rules));
    any.then_some(Answer::Each(each))
}

fn verdict(json: Json, asked: &Asked) -> Result<Verdict, Fault> {
    let Json::Object(mut map) = json else {
        return fault("it is no object");
    };
    let action = map.get("action").and_then(Json::as_str).map(str::to_owned);
    match action.as_deref() {
        Some("ignore") => only(&map, &["action"]).map(|()| Verdict::Ignore),
        Some("investigate") => {
            only(&map, &["action", "summary"])?;
            match map.get("summary").and_then(Json::as_str).map(one_line) {
                Some(summary) if !summary.is_empty() => Ok(Verdict::Investigate(summary)),
                _ => fault("investigate needs a summary of one sentence"),
            }
        }
        Some("watch") => {
            map.remove("service");
            checked_watch(Json::Object(map), asked).map(|watch| Verdict::Watch(Box::new(watch)))
        }
        Some(_) | None => fault("action must be ignore, watch or investigate"),
    }
}

fn only(map: &Map<String, Json>, known: &[&str]) -> Result<(), Fault> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => fault(format!("unknown key {key:?}")),
    }
}

fn checked_watch(json: Json, asked: &Asked) -> Result<Watch, Fault> {
    let text = json.to_string();
    let parsed = Watch::parse(&text, Owner::Model, asked.now);
    let mut watch = parsed.map_err(|refusal| Fault(refusal.0))?;
    if watch.threshold < LEAST_THRESHOLD {
        return fault(format!(
            "threshold: give at least {LEAST_THRESHOLD}; for a single record say investigate"
        ));
    }
    if watch.window.as_secs() > LONGEST_WINDOW {
        return fault(format!("window_seconds: give at most {LONGEST_WINDOW}"));
    }
    let latest = asked.now.plus(std::time::Duration::from_secs(LONGEST_LIFE));
    watch.expires = Some(watch.expires.map_or(latest, |end| end.min(latest)));
    let named = watch.matches.paths().into_iter();
    let unknown = named
        .chain(watch.group_by.iter().map(String::as_str))
        .find(|path| !is_field(path, asked));
    if let Some(path) = unknown {
        return fault(format!(
            "match: no record shown has a field {path:?}; there are: {}",
            listed(asked)
        ));
    }
    watch.scope = Scope::Service(asked.service.clone());
    watch.summary = one_line(&watch.summary);
    Ok(watch)
}

fn is_field(path: &str, asked: &Asked) -> bool {
    matches!(path, MESSAGE | HTTP_STATUS) || asked.fields.contains(path)
}

fn listed(asked: &Asked) -> String {
    let names: Vec<&str> = asked.fields.iter().map(String::as_str).take(24).collect();
    match names.as_slice() {
        [] => MESSAGE.to_owned(),
        names => format!("{MESSAGE}, {}", names.join(", ")),
    }
}

/// Without control characters, cut.
fn one_line(text: &str) -> String {
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    plain
        .chars()
        .filter(|c| !c.is_control())
        .take(SUMMARY)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATCH: &str = r#"{"action":"watch","label":"http_5xx_spike","match":{"field":"status","gte":500},"window_seconds":60,"threshold":10,"summary":"Seeing isolated 5xx: watching for spike"}"#;

    fn asked(entries: usize) -> Asked {
        Asked {
            service: "shop".to_owned(),
            entries,
            fields: ["status", "result"].map(str::to_owned).into(),
            now: Timestamp(0),
        }
    }

    fn why(text: &str, entries: usize) -> String {
        read(text, &asked(entries)).unwrap_err().0
    }

    #[test]
    fn one_object_answers_all_and_a_list_answers_each() {
        let investigate =
            r#"{"action":"investigate","summary":"Unhandled exception in order handler"}"#;
        let all = read(WATCH, &asked(3)).unwrap();
        let Answer::All(Verdict::Watch(watch)) = all else {
            panic!("{all:?}");
        };
        assert_eq!(
            (watch.label.as_str(), watch.threshold),
            ("http_5xx_spike", 10)
        );
        assert_eq!(watch.scope, Scope::Service("shop".to_owned()));
        assert_eq!(
            watch.expires,
            Some(Timestamp(0).plus(std::time::Duration::from_secs(86_400)))
        );
        let list = format!(r#"[{{"action":"ignore"}},{investigate}]"#);
        let Answer::Each(each) = read(&list, &asked(2)).unwrap() else {
            panic!("no list");
        };
        let words: Vec<&str> = each.iter().map(Verdict::word).collect();
        assert_eq!(words, ["ignore", "investigate"]);
        assert!(why(&list, 3).contains("2 answers"));
        assert!(why("[]", 1).contains("0 answers"));
    }

    #[test]
    fn what_is_no_answer_is_named() {
        for (text, words) in [
            ("I think you should ignore this.", "not JSON"),
            ("\"ignore\"", "neither an object"),
            (r#"{"action":"delete"}"#, "action must be"),
            (r#"{"action":"ignore","note":"x"}"#, "unknown key \"note\""),
            (r#"{"action":"investigate","summary":" \u0007"}"#, "summary"),
            (
                &WATCH.replace("\"status\"", "\"severity\""),
                "no record shown has a field",
            ),
            (&WATCH.replace("10,", "1,"), "at least 2"),
            (&WATCH.replace(":60", ":90000"), "out of range"),
            (&WATCH.replace(":60", ":30000"), "at most 21600"),
            (
                &WATCH.replace("\"gte\":500", "\"exists\":true"),
                "few records",
            ),
            (&WATCH.replace("\"label\":\"http_5xx_spike\",", ""), "label"),
            (&format!("[{}]", " ".repeat(70_000)), "longer than"),
        ] {
            let why = why(text, 1);
            assert!(why.contains(words), "{text}: {why}");
        }
    }

    #[test]
    fn a_watch_is_bound_to_its_service_and_its_words_are_cut() {
        let other = WATCH.replace("\"action\"", "\"service\":\"billing\",\"action\"");
        let long = other.replace("Seeing", &"x\\u001b[31m ".repeat(60));
        let Answer::All(Verdict::Watch(watch)) = read(&long, &asked(1)).unwrap() else {
            panic!("no watch");
        };
        assert_eq!(watch.scope, Scope::Service("shop".to_owned()));
        assert!(watch.summary.chars().count() <= SUMMARY && !watch.summary.contains('\u{1b}'));
        let long_life = WATCH.replace("\"action\"", "\"lifetime_seconds\":31622400,\"action\"");
        let Answer::All(Verdict::Watch(watch)) = read(&long_life, &asked(1)).unwrap() else {
            panic!("no watch");
        };
        assert_eq!(watch.expires.unwrap().seconds(), 86_400);
    }

    #[test]
    fn an_answer_cannot_install_watches_without_bound() {
        let watches = |number: usize| {
            let list: Vec<String> = (0..number)
                .map(|n| WATCH.replace("http_5xx_spike", &format!("w{n}")))
                .collect();
            read(&format!("[{}]", list.join(",")), &asked(number))
        };
        assert!(watches(8).is_ok());
        assert!(watches(9).unwrap_err().0.contains("at most 8"));
    }

    #[test]
    fn one_bad_verdict_does_not_take_the_others_away() {
        let list = format!(r#"[{{"action":"ignore"}},{{"action":"rm"}},{WATCH}]"#);
        assert!(read(&list, &asked(3)).is_err());
        let Some(Answer::Each(each)) = salvage(&list, &asked(3)) else {
            panic!("nothing is left");
        };
        let words: Vec<&str> = each.iter().map(Verdict::word).collect();
        assert_eq!(words, ["ignore", "rules", "watch"]);
        assert!(salvage(&list, &asked(2)).is_none());
        assert!(salvage(r#"[{"action":"rm"}]"#, &asked(1)).is_none());
        let Some(Answer::Each(each)) = salvage(
            &format!("[{WATCH}{}]", format!(",{WATCH}").repeat(9)),
            &asked(10),
        ) else {
            panic!("nothing is left");
        };
        let watches = each.iter().filter(|one| matches!(one, Verdict::Watch(_)));
        assert_eq!(watches.count(), MOST_WATCHES);
    }

    #[test]
    fn the_schema_asks_for_as_many_as_there_are() {
        let list = &schema(7)["anyOf"][0];
        assert_eq!(
            (&list["minItems"], &list["maxItems"]),
            (&json!(7), &json!(7))
        );
        assert_eq!(schema(1)["anyOf"].as_array().unwrap().len(), 3);
    }
}
