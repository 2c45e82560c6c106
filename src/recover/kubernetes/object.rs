//! Objects as the API server writes them: their parts, whose they are, and the labels that a Deployment
//! selects by. Anything may be missing or of another type; then it is not there.

use crate::model::Timestamp;
use crate::recover::error::{Error, ErrorKind, shown};
use serde_json::{Map, Value};

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
/// The label that the Deployment's controller adds to the pods of each ReplicaSet.
pub(super) const TEMPLATE_HASH: &str = "pod-template-hash";

/// Most labels that a selector may ask for.
const TERMS: usize = 50;

pub(super) fn text<'a>(object: &'a Value, path: &str) -> Option<&'a str> {
    let text = object.pointer(path)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

pub(super) fn number(object: &Value, path: &str) -> Option<i64> {
    object.pointer(path)?.as_i64()
}

/// A count, which is left out where it is 0.
pub(super) fn count(object: &Value, path: &str) -> u32 {
    number(object, path)
        .and_then(|count| u32::try_from(count).ok())
        .unwrap_or(0)
}

pub(super) fn time(object: &Value, path: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text(object, path)?)
}

pub(super) fn list<'a>(object: &'a Value, path: &str) -> &'a [Value] {
    let found = object.pointer(path).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

pub(super) fn map<'a>(object: &'a Value, path: &str) -> Option<&'a Map<String, Value>> {
    object.pointer(path)?.as_object()
}

/// A label or an annotation: its name may hold a slash, so it is no path.
pub(super) fn entry<'a>(object: &'a Value, path: &str, name: &str) -> Option<&'a str> {
    map(object, path)?.get(name)?.as_str()
}

/// The uid of the object that controls this one.
pub(super) fn controller(object: &Value) -> Option<&str> {
    let mut owners = list(object, "/metadata/ownerReferences").iter();
    let owner = owners.find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
    text(owner, "/uid")
}

/// The number of a Deployment's or a ReplicaSet's revision.
pub(super) fn revision(object: &Value) -> Option<u64> {
    entry(object, "/metadata/annotations", REVISION)?
        .parse()
        .ok()
}

/// A condition of a status, by its type.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    let mut all = list(object, "/status/conditions").iter();
    all.find(|one| text(one, "/type") == Some(kind))
}

/// A Deployment's selector as the query of a list takes it.
///
/// # Errors
/// For one that selects everything or that cannot be written down: what it selects would be guessed.
pub(super) fn selector(deployment: &Value) -> Result<String, Error> {
    let refuse = |what: &str| {
        let what = format!("the Deployment's selector: {what}");
        Err(Error::new(ErrorKind::Invalid, what))
    };
    let mut terms = Vec::new();
    for (key, value) in map(deployment, "/spec/selector/matchLabels")
        .into_iter()
        .flatten()
    {
        match value.as_str() {
            Some(value) if is_key(key) && is_value(value) => terms.push(format!("{key}={value}")),
            _ => return refuse(&format!("`{}` is no label", shown(key))),
        }
    }
    for one in list(deployment, "/spec/selector/matchExpressions") {
        let Some(key) = text(one, "/key").filter(|key| is_key(key)) else {
            return refuse("an expression has no label");
        };
        let values = list(one, "/values").iter().map(Value::as_str);
        let Some(values) = values.collect::<Option<Vec<&str>>>() else {
            return refuse(&format!("the values of `{key}` are no texts"));
        };
        if !values.iter().all(|value| is_value(value)) {
            return refuse(&format!("the values of `{key}` are no labels"));
        }
        let among = values.join(",");
        terms.push(match (text(one, "/operator"), values.is_empty()) {
            (Some("In"), false) => format!("{key} in ({among})"),
            (Some("NotIn"), false) => format!("{key} notin ({among})"),
            (Some("Exists"), true) => key.to_owned(),
            (Some("DoesNotExist"), true) => format!("!{key}"),
            _ => return refuse(&format!("the expression for `{key}` is not understood")),
        });
    }
    match terms.len() {
        0 => refuse("it is empty, and would select every pod"),
        1..=TERMS => Ok(terms.join(",")),
        _ => refuse("it asks for too many labels"),
    }
}

fn is_word(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let end = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63 && end(bytes.first()) && end(bytes.last()) && bytes.iter().copied().all(inner)
}

fn is_value(text: &str) -> bool {
    text.is_empty() || is_word(text)
}

fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => super::place::is_name(prefix) && is_word(name),
        None => is_word(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(selector: Value) -> Result<String, Error> {
        super::selector(&json!({ "spec": { "selector": selector } }))
    }

    #[test]
    fn a_selector_becomes_the_query_of_a_list() {
        let written = of(json!({
            "matchLabels": {"app": "checkout", "app.kubernetes.io/part-of": "shop"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["web", "api"]},
                {"key": "track", "operator": "NotIn", "values": ["canary"]},
                {"key": "app", "operator": "Exists"},
                {"key": "debug", "operator": "DoesNotExist", "values": []},
            ],
        }));
        let right = "app=checkout,app.kubernetes.io/part-of=shop,tier in (web,api),\
                     track notin (canary),app,!debug";
        assert_eq!(written.unwrap(), right);
    }

    #[test]
    fn a_selector_that_would_select_something_else_is_refused() {
        for wrong in [
            json!({}),
            json!(null),
            json!({"matchLabels": {}}),
            json!({"matchLabels": {"app": "a,b"}}),
            json!({"matchLabels": {"app": 3}}),
            json!({"matchLabels": {"a b": "c"}}),
            json!({"matchLabels": {"a/b/c": "c"}}),
            json!({"matchExpressions": [{"key": "a", "operator": "In", "values": []}]}),
            json!({"matchExpressions": [{"key": "a", "operator": "In", "values": ["x)"]}]}),
            json!({"matchExpressions": [{"key": "a", "operator": "In", "values": [1]}]}),
            json!({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}),
            json!({"matchExpressions": [{"operator": "Exists"}]}),
        ] {
            let fault = of(wrong.clone()).unwrap_err();
            assert_eq!(fault.kind, ErrorKind::Invalid, "{wrong}");
        }
    }
}
