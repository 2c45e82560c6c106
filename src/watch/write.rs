//! A watch as JSON, in the form in which it is read: for the store, and for a team's file.

use super::Scope;
use super::language::{Match, Operand, Test};
use super::parse::Watch;
use serde_json::{Map, Value as Json, json};

impl Watch {
    /// The JSON from which [`Watch::parse`] makes the same watch. Owner and expiry are left out:
    /// they belong to whoever installs it.
    pub fn to_json(&self) -> Json {
        let mut map = Map::new();
        map.insert("label".into(), json!(self.label));
        map.insert("match".into(), of_match(&self.matches));
        map.insert("window_seconds".into(), json!(self.window.as_secs()));
        map.insert("threshold".into(), json!(self.threshold));
        match self.group_by.as_slice() {
            [] => {}
            [one] => drop(map.insert("group_by".into(), json!(one))),
            more => drop(map.insert("group_by".into(), json!(more))),
        }
        if let Scope::Service(name) = &self.scope {
            map.insert("service".into(), json!(name));
        }
        if !self.summary.is_empty() {
            map.insert("summary".into(), json!(self.summary));
        }
        Json::Object(map)
    }
}

fn of_match(matches: &Match) -> Json {
    let list = |parts: &[Match]| parts.iter().map(of_match).collect::<Vec<_>>();
    match matches {
        Match::All(parts) => json!({ "all": list(parts) }),
        Match::Any(parts) => json!({ "any": list(parts) }),
        Match::Not(part) => json!({ "not": of_match(part) }),
        Match::Level(level) => json!({ "level": level.word() }),
        Match::Template(id) => json!({ "template": id.to_string() }),
        Match::Field { path, tests } => {
            let mut map = Map::new();
            map.insert("field".into(), json!(path));
            for test in tests {
                let (key, value) = of_test(test);
                map.insert(key.into(), value);
            }
            Json::Object(map)
        }
    }
}

fn of_test(test: &Test) -> (&'static str, Json) {
    match test {
        Test::Equal(operand) => ("eq", of_operand(operand)),
        Test::NotEqual(operand) => ("ne", of_operand(operand)),
        Test::Above(operand) => ("gt", of_operand(operand)),
        Test::AtLeast(operand) => ("gte", of_operand(operand)),
        Test::Below(operand) => ("lt", of_operand(operand)),
        Test::AtMost(operand) => ("lte", of_operand(operand)),
        Test::OneOf(operands) => ("in", operands.iter().map(of_operand).collect()),
        Test::Exists(wanted) => ("exists", json!(wanted)),
        Test::Contains(text) => ("contains", json!(text)),
        Test::StartsWith(text) => ("starts_with", json!(text)),
        Test::Pattern(pattern) => ("regex", json!(pattern.as_str())),
    }
}

fn of_operand(operand: &Operand) -> Json {
    match operand {
        Operand::Null => Json::Null,
        Operand::Bool(flag) => json!(flag),
        Operand::Int(number) => json!(number),
        Operand::Float(number) => json!(number),
        Operand::Text(text) => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Owner;
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn a_watch_is_read_as_it_is_written() {
        let text = r#"{"label":"a","match":{"all":[{"field":"a.b","eq":1,"ne":"2","gt":1.5,"gte":1,
            "lt":9,"lte":9,"in":["x",1,true,null],"exists":true,"contains":"x","starts_with":"y",
            "regex":"^zz+$"},{"any":[{"level":"warn"},{"template":"0000000000ab"},
            {"not":{"field":"c","eq":1}}]}]},"window_seconds":60,"threshold":10,
            "group_by":["u","v"],"service":"shop","summary":"what"}"#;
        let watch = Watch::parse(text, Owner::Team, Timestamp(0)).unwrap();
        let json: Json = serde_json::from_str(text).unwrap();
        assert_eq!(watch.to_json(), json);
    }
}
