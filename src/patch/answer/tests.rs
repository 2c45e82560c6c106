//! Unit tests of reading: what is whole is read, what is not is complained of, all at once.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn good() -> Json {
    json!({
        "cause": "the cart may be empty",
        "evidence": [
            {"log": "L3", "quote": "IndexError"},
            {"file": "shop/cart.py", "line": 12, "quote": "items[0]"},
        ],
        "confidence": 0.8,
        "edits": [
            {"file": "shop/cart.py", "search": "    a", "replace": ""},
            {"file": "tests/test_cart.py", "content": "def test_a(): pass\n"},
        ],
        "tests": ["tests/test_cart.py"],
        "risk": "none known",
        "verify": "run the tests",
    })
}

#[test]
fn a_whole_answer_is_read() {
    let answer = Answer::read(&good()).unwrap();
    assert_eq!(answer.evidence.len(), 2);
    assert_eq!(answer.edits[0].file(), "shop/cart.py");
    let Change::Replace {
        search, replace, ..
    } = &answer.edits[0]
    else {
        panic!("not a replacement");
    };
    assert_eq!((search.as_str(), replace.as_str()), ("    a", ""));
    assert_eq!(answer.elsewhere, None);
    assert!(answer.calls.is_empty());
}

#[test]
fn what_was_read_is_written_as_it_came() {
    let answer = Answer::read(&good()).unwrap();
    let again = serde_json::to_value(&answer).unwrap();
    assert_eq!(again["evidence"], good()["evidence"]);
    assert_eq!(again["edits"], good()["edits"]);
    assert_eq!(Answer::read(&again).unwrap(), answer);
}

#[test]
fn all_complaints_come_at_once_with_their_places() {
    let mut bad = good();
    bad["cause"] = json!(7);
    bad["confidence"] = json!(1.5);
    bad["evidence"][1]["line"] = json!(0);
    bad["edits"][0]["mode"] = json!("755");
    bad["command"] = json!("make");
    let Err(Complaints(found)) = Answer::read(&bad) else {
        panic!("it was read");
    };
    let all = found.join("\n");
    for part in [
        "`cause` is a number",
        "`confidence` must be",
        "`evidence`[1] `line` must be",
        "`edits`[0] `mode` is no field",
        "`command` is no field",
    ] {
        assert!(all.contains(part), "{part} is missing in:\n{all}");
    }
    assert_eq!(found.len(), 5);
}

#[test]
fn every_required_field_is_asked_for_in_the_schema_too() {
    let schema = schema();
    for name in schema["required"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        let mut bad = good();
        bad.as_object_mut().unwrap().remove(name);
        assert!(Answer::read(&bad).is_err(), "{name}");
    }
    for name in good().as_object().unwrap().keys() {
        assert!(schema["properties"][name].is_object(), "{name}");
    }
}

#[test]
fn what_is_long_or_much_is_refused() {
    let mut long = good();
    long["edits"][1]["content"] = json!("x".repeat(SIDE + 1));
    assert!(Answer::read(&long).is_err());
    let mut long = good();
    long["cause"] = json!("x".repeat(LONGEST));
    assert!(Answer::read(&long).is_err());
    let mut many = good();
    many["edits"] = json!(vec![good()["edits"][0].clone(); EDITS + 1]);
    assert!(Answer::read(&many).is_err());
    let names: serde_json::Map<String, Json> =
        (0..500).map(|n| (format!("x{n}"), json!(1))).collect();
    let Err(Complaints(found)) = Answer::read(&Json::Object(names)) else {
        panic!("it was read");
    };
    assert!(found.len() <= 21, "{}", found.len());
}

#[test]
fn giving_up_needs_a_reason() {
    let gave_up = GaveUp::read(&json!({"reason": "the code is not here"})).unwrap();
    assert_eq!(gave_up.cause, "");
    assert!(GaveUp::read(&json!({"cause": "x"})).is_err());
    assert!(GaveUp::read(&json!({"reason": "x", "patch": "y"})).is_err());
}

fn any_json() -> impl Strategy<Value = Json> {
    let names = prop::sample::select(vec![
        "cause",
        "evidence",
        "log",
        "quote",
        "file",
        "line",
        "edits",
        "search",
        "replace",
        "content",
        "tests",
        "calls",
        "risk",
        "verify",
        "unsure",
        "confidence",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::vec((names.clone(), inner), 0..8).prop_map(|pairs| {
                let pairs = pairs
                    .into_iter()
                    .map(|(name, json)| (name.to_owned(), json));
                Json::Object(pairs.collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(json in any_json()) {
        if let Err(Complaints(found)) = Answer::read(&json) {
            prop_assert!(!found.is_empty() && found.len() <= 21);
        }
        let _ = GaveUp::read(&json);
    }
}
