//! Answers that no API server gives: each part of a real one left out, or another in its place.
//! Nothing panics, and nothing is changed on the strength of one.

use crate::host::{Fault, Reply};
use crate::world::{World, restart, rollback, soon};
use autofix::model::recovery::Task;
use autofix::recover::Platform;
use serde_json::{Value, json};

/// The path of every part of a document.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                paths(value, &format!("{at}/{}", escape(key)), found);
            }
        }
        Value::Array(all) => {
            for (at_index, value) in all.iter().enumerate() {
                paths(value, &format!("{at}/{at_index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn instead() -> [Value; 7] {
    [
        Value::Null,
        json!(-1),
        json!(1e300),
        json!("\u{0}../..\n<script>"),
        json!([[[]]]),
        json!({"": {"/": 1}}),
        json!(u64::MAX),
    ]
}

#[test]
fn no_answer_of_the_played_server_makes_anything_panic() {
    let world = World::crashing();
    let before = world.state();
    let untouched = world.deployment();
    let list = |items: &[Value]| json!({"metadata": {}, "items": items[..1].to_vec()});
    let (sets, pods) = {
        let cluster = world.played.cluster();
        (list(&cluster.sets), list(&cluster.pods[2..]))
    };
    let pod = before.instances[0].id.clone();
    let mut mutated = 0;
    for (ending, body) in [
        ("deployments/checkout", &untouched),
        ("/replicasets", &sets),
        ("/pods", &pods),
    ] {
        let mut all = Vec::new();
        paths(body, "", &mut all);
        for (number, path) in all.iter().enumerate() {
            let all = instead();
            let value = &all[number % 7];
            let mut body = body.clone();
            *body.pointer_mut(path).unwrap() = value.clone();
            let fault = Fault::Says(Reply::new(200, body));
            let answer = || world.played.host.next("GET", ending, fault.clone());
            answer();
            let _ = world.client.state(soon());
            world.played.host.mend();
            answer();
            let _ = world.client.releases(soon());
            world.played.host.mend();
            answer();
            let _ = world.client.logs(None, 10, soon());
            world.played.host.mend();
            answer();
            let _ = world.client.poll(
                &autofix::recover::Attempt {
                    task: &rollback("1"),
                    before: &before,
                    begun: crate::world::now(),
                    handle: Some(value),
                },
                soon(),
            );
            world.played.host.mend();
            mutated += 1;
        }
    }
    println!("{mutated} mutated answers");
    assert!(mutated >= 150, "{mutated}");
    assert_eq!(world.deployment(), untouched);
    assert!(world.played.cluster().pod_names().contains(&pod));
}

/// What a change rests on is missing: it is not made.
#[test]
fn nothing_is_changed_on_a_deployment_that_is_not_one_of_the_played_server() {
    let world = World::crashing();
    let before = world.state();
    let whole = world.deployment();
    for (path, value) in [
        ("", json!([])),
        ("/metadata", Value::Null),
        ("/metadata/name", json!("cart")),
        ("/metadata/uid", json!(7)),
        ("/metadata/resourceVersion", json!("")),
        ("/metadata/generation", Value::Null),
        ("/metadata/annotations", Value::Null),
        ("/spec/template", Value::Null),
        ("/spec/template/spec/containers", json!([])),
        ("/status", json!("fine")),
    ] {
        let mut body = whole.clone();
        *body.pointer_mut(path).unwrap() = value;
        for task in [restart(None), rollback("1"), Task::Scale { from: 2, to: 3 }] {
            let fault = Fault::Says(Reply::new(200, body.clone()));
            world.played.host.next("GET", "deployments/checkout", fault);
            let fault = world.client.begin(&task, &before, "m", soon());
            assert!(!fault.unwrap_err().leaves_doubt(), "{path}");
        }
    }
    assert!(world.writes().is_empty());
}

/// Text of the platform is shown without what a terminal would obey.
#[test]
fn text_of_the_played_server_is_shown_on_one_line() {
    let world = World::crashing();
    let mut cluster = world.played.cluster();
    let bad = "Crash\u{1b}[2J\nLoop\u{7}".to_owned() + &"x".repeat(5000);
    let pod = cluster.pods.last_mut().unwrap();
    pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] = json!(bad);
    cluster.sets[0]["spec"]["template"]["spec"]["containers"][0]["image"] = json!(bad);
    let labels = &mut cluster.deployment("checkout")["metadata"]["labels"];
    labels["helm.toolkit.fluxcd.io/name"] = json!(bad);
    drop(cluster);
    let state = world.state();
    let word = &state
        .instances
        .iter()
        .find(|one| one.word.starts_with("Crash"));
    let release = &world.client.releases(soon()).unwrap()[1];
    let shown = [&word.unwrap().word, &release.name, &state.kept_by.unwrap()];
    for text in shown {
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(text.chars().count() < 400);
    }
}
