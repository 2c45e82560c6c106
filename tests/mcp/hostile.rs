//! Clients that break the protocol, and agents that want more than they may.

use crate::SHOP;
use crate::agent::{Agent, REVISIONS};
use crate::place::Place;
use crate::stores::{audit, counted, incident, shop};
use serde_json::json;

const PARSE: i64 = -32_700;
const REQUEST: i64 = -32_600;
const METHOD: i64 = -32_601;
const PARAMS: i64 = -32_602;

fn meet(place: &Place) -> Agent {
    Agent::meet(place, &SHOP, REVISIONS[0])
}

#[test]
fn each_fault_has_its_code_and_the_next_request_is_answered() {
    let place = Place::new();
    shop(&place);
    let mut agent = meet(&place);
    for (line, code) in [
        ("nonsense", PARSE),
        (r#"{"jsonrpc":"2.0","id":1,"method":"#, PARSE),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"} x"#, PARSE),
        ("7", REQUEST),
        ("null", REQUEST),
        (r#"{"id":1,"method":"ping"}"#, REQUEST),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, REQUEST),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, REQUEST),
        (r#"{"jsonrpc":"2.0","id":1,"method":[]}"#, REQUEST),
        (r#"{"jsonrpc":"2.0","id":1}"#, REQUEST),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, REQUEST),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#,
            REQUEST,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"resources/list"}"#,
            METHOD,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"actions/approve"}"#,
            METHOD,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#,
            PARAMS,
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, PARAMS),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"#,
            PARAMS,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"services","arguments":[]}}"#,
            PARAMS,
        ),
    ] {
        assert_eq!(agent.code(line), code, "{line}");
        assert_eq!(agent.ask("ping", json!({}))["result"], json!({}), "{line}");
    }
    for (tool, arguments) in [
        ("services", json!({"all": true})),
        ("service_status", json!({})),
        ("service_status", json!({"service": 7})),
        ("service_logs", json!({"service": "cart", "lines": 9_999})),
        ("restart_service", json!({"service": "cart"})),
        ("restart_service", json!({"service": "cart", "why": " "})),
        (
            "restart_service",
            json!({"service": "cart", "why": "w", "dry_run": "yes"}),
        ),
        (
            "restart_service",
            json!({"service": "cart", "why": "w", "approved": true}),
        ),
        (
            "scale_service",
            json!({"service": "cart", "why": "w", "to": "2; reboot"}),
        ),
        (
            "scale_service",
            json!({"service": "cart", "why": "w", "to": -1}),
        ),
        (
            "scale_service",
            json!({"service": "cart", "why": "w", "to": 2.5}),
        ),
        (
            "verb_flush-cache",
            json!({"service": "cart", "why": "w", "parameters": {"shard": [1]}}),
        ),
        ("verb_drop-tables", json!({"service": "cart", "why": "w"})),
        ("action", json!({"id": 0})),
        ("incident", json!({"id": "1"})),
        ("incidents", json!({"limit": 101})),
        ("incidents", json!({"status": "gone"})),
    ] {
        let answer = agent.ask("tools/call", json!({"name": tool, "arguments": arguments}));
        assert_eq!(
            answer["error"]["code"], PARAMS,
            "{tool} {arguments}: {answer}"
        );
    }
}

#[test]
fn nothing_but_ping_comes_before_initialize() {
    let place = Place::new();
    shop(&place);
    let mut agent = Agent::start(&place, &SHOP);
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"services"}}"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
    ] {
        assert_eq!(agent.code(line), REQUEST, "{line}");
    }
    let newer = r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}"#;
    assert_eq!(agent.code(newer), METHOD);
    for params in [
        json!({}),
        json!({"protocolVersion": 7, "clientInfo": {"name": "a"}}),
        json!({"protocolVersion": "2025-06-18"}),
        json!({"protocolVersion": "2025-06-18", "clientInfo": {"name": 7}}),
        json!({"protocolVersion": "2025-06-18", "clientInfo": {"name": "a"}, "capabilities": 1}),
    ] {
        let answer = agent.ask("initialize", params.clone());
        assert_eq!(answer["error"]["code"], PARAMS, "{params}");
    }
    assert_eq!(agent.ask("ping", json!({}))["result"], json!({}));
}

#[test]
fn a_batch_is_answered_where_the_revision_has_it() {
    let place = Place::new();
    shop(&place);
    let batch = json!([
        {"jsonrpc": "2.0", "id": "a", "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled"},
        {"jsonrpc": "2.0", "id": "b", "method": "nonsense"},
        {"jsonrpc": "2.0", "id": "c", "method": "initialize", "params": {}},
        17,
    ]);
    let mut agent = Agent::meet(&place, &SHOP, "2025-03-26");
    agent.send(&batch.to_string());
    let answers = agent.read();
    let seen: Vec<_> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].clone(), one["error"]["code"].as_i64()))
        .collect();
    assert_eq!(
        seen,
        [
            (json!("a"), None),
            (json!("b"), Some(METHOD)),
            (json!("c"), Some(REQUEST)),
            (json!(null), Some(REQUEST)),
        ]
    );
    assert_eq!(agent.code("[]"), REQUEST);
    let many = json!(vec![
        json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        51
    ]);
    assert_eq!(agent.code(&many.to_string()), REQUEST);
    // Of a batch that asks for nothing nothing is answered: the next answer is ping's.
    agent.send(r#"[{"jsonrpc":"2.0","method":"notifications/x"}]"#);
    agent.send(r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"services"}}"#);
    agent.send(r#"{"jsonrpc":"2.0","id":9,"result":{}}"#);
    agent.send("  ");
    assert_eq!(agent.ask("ping", json!({}))["result"], json!({}));
    for revision in ["2025-06-18", "2024-11-05"] {
        let mut agent = Agent::meet(&place, &SHOP, revision);
        assert_eq!(agent.code(&batch.to_string()), REQUEST, "{revision}");
    }
}

#[test]
fn long_lines_garbage_and_half_a_line_are_survived() {
    let place = Place::new();
    let store = shop(&place);
    let mut agent = meet(&place);
    let mut long = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{}"#,
        "a".repeat(2 << 20)
    );
    long.push_str("\"}");
    assert_eq!(agent.code(&long), REQUEST);
    agent.raw(b"\xff\xfe\x00\x01\x1b[31m\n");
    assert_eq!(agent.read()["error"]["code"], PARSE);
    let deep = "[".repeat(100_000);
    assert_eq!(agent.code(&deep), PARSE);
    agent.raw(b"\r\n\n");
    assert_eq!(agent.ask("ping", json!({}))["result"], json!({}));
    // Half a message is none, also where its half would be a whole one.
    agent.raw(
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"restart_service","arguments":{"service":"cart","why":"w"}}}"#,
    );
    let ended = agent.end();
    assert_eq!((ended.status, ended.err.as_str()), (Some(0), ""));
    assert!(ended.out.is_empty(), "{:?}", ended.out);
    assert!(audit(&store).is_empty());
}

#[test]
fn no_agent_approves_and_the_audit_says_that_it_tried() {
    let place = Place::new();
    let store = shop(&place);
    let mut agent = meet(&place);
    let tries = [
        "approve",
        "approve_action",
        "deny",
        "autofix_approve",
        "verb_approve",
    ];
    for tool in tries {
        let answer = agent.ask("tools/call", json!({"name": tool, "arguments": {"id": 1}}));
        assert_eq!(answer["error"]["code"], PARAMS, "{tool}");
    }
    let entries = audit(&store);
    assert_eq!(entries.len(), tries.len(), "{entries:?}");
    for (entry, tool) in entries.iter().zip(tries) {
        assert!(entry.contains("refused") && entry.contains(tool), "{entry}");
    }
    assert_eq!(counted(&store, "(unknown)", "refused"), tries.len() as u64);
}

#[test]
fn what_is_behind_the_wall_is_not_there_and_asking_is_written_down() {
    let place = Place::new();
    let mut store = shop(&place);
    let theirs = incident(&mut store, "vault", "vault ended", &[]);
    let mut agent = meet(&place);
    let said = |agent: &mut Agent, service: &str| {
        let arguments = json!({"service": service, "why": "it is mine"});
        let (refused, said) = agent.call("restart_service", arguments);
        assert!(refused);
        said.to_string().replace(service, "NAME")
    };
    // The very words for a service that does not exist.
    assert_eq!(said(&mut agent, "vault"), said(&mut agent, "vanit"));
    assert_eq!(
        agent.refused("service_status", json!({"service": "vault"})),
        "service_known"
    );
    assert_eq!(
        agent.refused("service_logs", json!({"service": "../cart"})),
        "service_known"
    );
    let borrowed = json!({"service": "cart", "why": "w", "incident": theirs.0});
    assert_eq!(agent.refused("restart_service", borrowed), "parameters");
    assert_eq!(agent.refused("action", json!({"id": 1})), "action_known");
    // Not allowed, although it is seen.
    let pay = json!({"service": "pay", "why": "w"});
    assert_eq!(agent.refused("restart_service", pay), "verb_allowed");
    let quiet = json!({"service": "quiet", "why": "w"});
    assert_eq!(agent.refused("restart_service", quiet), "verb_allowed");
    // Its platform does not answer: then nothing is done either.
    let cart = json!({"service": "cart", "why": "w"});
    assert_eq!(agent.refused("restart_service", cart), "platform_answers");

    assert!(store.actions(None, 10).unwrap().is_empty());
    // A verb of a service with no policy is nobody's: it has no counter of its own.
    assert_eq!(counted(&store, "restart", "refused"), 5);
    assert_eq!(counted(&store, "(unknown)", "refused"), 2);
    assert_eq!(counted(&store, "status", "refused"), 1);
    let entries = audit(&store);
    assert_eq!(entries.len(), 9, "{entries:#?}");
    let vault = entries.iter().filter(|entry| entry.contains("\"vault\""));
    assert_eq!(vault.count(), 2);
    assert!(
        entries
            .iter()
            .all(|entry| entry.contains("\"caller_kind\":\"agent\""))
    );
    assert!(entries.iter().all(|entry| entry.contains("test-agent")));
}

#[test]
fn a_client_s_name_is_plain_text() {
    let place = Place::new();
    let store = shop(&place);
    let mut agent = Agent::start(&place, &SHOP);
    let name = format!("ops\u{1b}]0;x\u{7}\n\u{202e}bot{}", "z".repeat(5_000));
    agent.initialize(REVISIONS[0], &name);
    agent.refused("service_status", json!({"service": "vault"}));
    let entries = audit(&store);
    let entry: serde_json::Value = serde_json::from_str(&entries[0]).unwrap();
    let caller = entry["caller"].as_str().unwrap();
    assert!(caller.starts_with("ops]0;xbotzz"), "{caller:?}");
    assert_eq!(caller.len(), 100);
}

#[test]
fn a_thousand_calls_are_counted_and_the_audit_stays_bounded() {
    let place = Place::new();
    let store = shop(&place);
    let mut agent = meet(&place);
    for turn in 0..1_000 {
        let check = match turn % 4 {
            0 => agent.refused("service_status", json!({"service": "vault"})),
            1 => agent.refused("service_releases", json!({"service": "cart"})),
            2 => agent.refused(
                "restart_service",
                json!({"service": "cart", "why": "again"}),
            ),
            _ => agent.refused(
                "scale_service",
                json!({"service": "pay", "to": 99, "why": "more"}),
            ),
        };
        let right = [
            "service_known",
            "verb_allowed",
            "platform_answers",
            "platform_answers",
        ];
        // Faster than a platform is asked for an agent, or not: refused and counted all the same.
        assert!(
            check == right[turn % 4] || check == "not_too_often",
            "{check}"
        );
    }
    for verb in ["status", "releases", "restart", "scale"] {
        assert_eq!(counted(&store, verb, "refused"), 250, "{verb}");
    }
    let entries = audit(&store).len();
    assert!((1..=200).contains(&entries), "{entries}");
    let (read, faults) = store.verify_audit(&[]).unwrap();
    assert_eq!((read, faults.len()), (entries as u64, 0));
    assert!(store.actions(None, 10).unwrap().is_empty());
    assert_eq!(agent.end().status, Some(0));
}
