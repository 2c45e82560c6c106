//! `autofix mcp` as a client meets it: the built program over pipes, with stores that hold policies.

#[path = "mcp/agent.rs"]
mod agent;
#[path = "mcp/hostile.rs"]
mod hostile;
#[expect(dead_code, reason = "`cli.rs` asks for more of it")]
#[path = "cli/place.rs"]
mod place;
#[path = "mcp/stores.rs"]
mod stores;
#[path = "mcp/story.rs"]
mod story;

use agent::{Agent, REVISIONS, names, tool};
use place::Place;
use serde_json::{Value, json};
use stores::{flush, incident, policy, settings, shop};

const SHOP: [&str; 2] = ["--owner", "shop"];

#[test]
fn hands_are_shaken_in_each_revision() {
    let place = Place::new();
    shop(&place);
    for revision in REVISIONS {
        let mut agent = Agent::start(&place, &SHOP);
        assert_eq!(agent.ask("ping", json!({}))["result"], json!({}));
        let answer = agent.initialize(revision, "a");
        let result = &answer["result"];
        assert_eq!(result["protocolVersion"], revision);
        assert_eq!(result["serverInfo"]["name"], "autofix");
        assert!(result["capabilities"]["tools"].is_object());
        assert!(!result["instructions"].as_str().unwrap().is_empty());
        let annotated = agent.tools()[0].get("annotations").is_some();
        assert_eq!(annotated, revision != "2024-11-05", "{revision}");
        let called = agent.ask("tools/call", json!({"name": "services"}));
        let structured = called["result"].get("structuredContent").is_some();
        assert_eq!(structured, revision == "2025-06-18", "{revision}");
        let ended = agent.end();
        assert_eq!((ended.status, ended.err.as_str()), (Some(0), ""));
        assert!(ended.out.is_empty(), "{:?}", ended.out);
    }
    let mut agent = Agent::start(&place, &SHOP);
    let answer = agent.initialize("2031-01-01", "a");
    assert_eq!(answer["result"]["protocolVersion"], REVISIONS[0]);
}

#[test]
fn tools_are_what_the_policies_allow_now() {
    let place = Place::new();
    let mut store = shop(&place);
    let mut agent = Agent::meet(&place, &SHOP, REVISIONS[0]);
    let tools = agent.tools();
    assert_eq!(
        names(&tools),
        [
            "services",
            "service_status",
            "service_logs",
            "restart_service",
            "roll_back_service",
            "scale_service",
            "stop_instance",
            "start_instance",
            "verb_flush-cache",
            "action",
            "incidents",
            "incident",
        ]
    );
    let services =
        |name: &str| tool(&tools, name)["inputSchema"]["properties"]["service"]["enum"].clone();
    assert_eq!(services("service_status"), json!(["cart", "pay"]));
    assert_eq!(services("service_logs"), json!(["cart"]));
    assert_eq!(services("restart_service"), json!(["cart"]));
    assert_eq!(services("stop_instance"), json!(["pay"]));
    assert_eq!(services("verb_flush-cache"), json!(["cart"]));
    assert_eq!(services("incidents"), json!(["cart", "pay", "quiet"]));
    let scale = &tool(&tools, "scale_service")["inputSchema"];
    assert_eq!(scale["properties"]["to"]["minimum"], 1);
    assert_eq!(scale["properties"]["to"]["maximum"], 9);
    assert_eq!(scale["required"], json!(["service", "to", "why"]));
    let own = &tool(&tools, "verb_flush-cache")["inputSchema"]["properties"]["parameters"];
    assert_eq!(own["required"], json!(["shard", "mode", "tag"]));
    assert_eq!(own["properties"]["shard"]["maximum"], 7);
    assert_eq!(own["properties"]["mode"]["enum"], json!(["soft", "hard"]));
    assert!(own["properties"]["tag"]["pattern"].is_string());
    for tool in &tools {
        let schema = &tool["inputSchema"];
        assert_eq!(schema["additionalProperties"], false, "{tool}");
        let reads = tool["annotations"]["readOnlyHint"].as_bool().unwrap();
        let why = schema["required"]
            .as_array()
            .is_some_and(|all| all.contains(&json!("why")));
        assert_eq!(reads, !why, "{tool}");
        assert!(!tool.to_string().contains("vault"), "{tool}");
    }

    // A policy that changes changes the list at once.
    let nowhere = place.path("no.sock");
    let nowhere = nowhere.to_str().unwrap();
    let mut pay = policy(nowhere, "pay", &["flush-cache"]);
    pay.own.push(flush(3));
    store
        .save_settings(&settings("pay", Some("shop"), Some(pay)))
        .unwrap();
    let tools = agent.tools();
    assert!(!names(&tools).contains(&"stop_instance"));
    let own = &tool(&tools, "verb_flush-cache")["inputSchema"]["properties"];
    assert_eq!(own["service"]["enum"], json!(["cart", "pay"]));
    let shard = &own["parameters"]["properties"]["shard"]["anyOf"];
    assert_eq!(shard.as_array().unwrap().len(), 2, "{own}");
}

#[test]
fn services_are_listed_with_what_may_be_asked_of_them() {
    let place = Place::new();
    shop(&place);
    let mut agent = Agent::meet(&place, &SHOP, REVISIONS[0]);
    let (refused, said) = agent.call("services", json!({}));
    assert!(!refused);
    let all: Vec<(&str, &str, usize)> = said["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let verbs = one["verbs"].as_array().unwrap().len();
            let mode = one["mode"].as_str().unwrap_or("none");
            (one["service"].as_str().unwrap(), mode, verbs)
        })
        .collect();
    assert_eq!(
        all,
        [
            ("cart", "auto", 5),
            ("pay", "approve", 5),
            ("quiet", "none", 0)
        ]
    );
}

#[test]
fn incidents_are_read_redacted_and_of_this_side_of_the_wall() {
    let place = Place::new();
    let mut store = shop(&place);
    let secret = "password=hunter2hunter2 \u{1b}[31mred \u{9b}32m";
    let key = [
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn",
        "-----END RSA PRIVATE KEY-----",
    ];
    let lines = ["one", secret, key[0], key[1], key[2]];
    let cart = incident(&mut store, "cart", "cart ended", &lines);
    let pay = incident(&mut store, "pay", "pay ended", &[]);
    let vault = incident(&mut store, "vault", "vault ended", &[]);
    let mut agent = Agent::meet(&place, &SHOP, REVISIONS[0]);
    let listed = |said: &Value| -> Vec<i64> {
        let all = said["incidents"].as_array().unwrap().iter();
        all.map(|one| one["id"].as_i64().unwrap()).collect()
    };
    let (_, said) = agent.call("incidents", json!({}));
    assert_eq!(listed(&said), [pay.0, cart.0]);
    let (_, said) = agent.call("incidents", json!({"limit": 1}));
    assert_eq!(listed(&said), [pay.0]);
    let (_, said) = agent.call("incidents", json!({"service": "cart", "status": "open"}));
    assert_eq!(listed(&said), [cart.0]);
    let (_, said) = agent.call("incidents", json!({"status": "merged"}));
    assert!(listed(&said).is_empty());

    agent.send(
        &json!({"jsonrpc": "2.0", "id": "raw", "method": "tools/call",
            "params": {"name": "incident", "arguments": {"id": cart.0}}})
        .to_string(),
    );
    let line = agent.line();
    assert!(
        !line.contains("hunter2") && !line.contains("MIIE"),
        "{line}"
    );
    assert!(!line.chars().any(char::is_control), "{line:?}");
    let answer: Value = serde_json::from_str(&line).unwrap();
    let known = &answer["result"]["structuredContent"]["incident"];
    assert_eq!(known["title"], "cart ended");
    assert_eq!(known["lines"][0], "one");
    assert!(
        known["lines"][1]
            .as_str()
            .unwrap()
            .contains("\u{1b}[31mred")
    );
    assert!(!known["history"].as_array().unwrap().is_empty());

    // Another owner's is refused in the words for one that is not there.
    let unlike = |id: i64, said: Value| said["why"].as_str().unwrap().replace(&id.to_string(), "N");
    let (refused, theirs) = agent.call("incident", json!({"id": vault.0}));
    assert!(refused);
    let (refused, gone) = agent.call("incident", json!({"id": 4321}));
    assert!(refused);
    assert_eq!(unlike(vault.0, theirs), unlike(4321, gone));
    assert_eq!(
        agent.refused("incidents", json!({"service": "vault"})),
        "service_known"
    );
}

#[test]
fn of_several_owners_one_has_to_be_named() {
    let place = Place::new();
    let store = shop(&place);
    drop(store);
    for (arguments, says) in [
        (vec![], "--owner"),
        (vec!["--owner", "nobody"], "--owner nobody"),
        (vec!["--service", "gone"], "--service gone"),
        (vec!["--service", "cart", "--service", "vault"], "--owner"),
    ] {
        let ended = Agent::start(&place, &arguments).end();
        assert_eq!(ended.status, Some(2), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(says), "{arguments:?}: {}", ended.err);
        assert!(ended.out.is_empty());
    }
    let mut agent = Agent::meet(&place, &["--service", "vault"], REVISIONS[0]);
    let tools = agent.tools();
    let services = &tool(&tools, "service_status")["inputSchema"]["properties"]["service"]["enum"];
    assert_eq!(services, &json!(["vault"]));
    let none = Place::new();
    let ended = Agent::start(&none, &[]).end();
    assert_eq!(ended.status, Some(1), "{}", ended.err);
}
