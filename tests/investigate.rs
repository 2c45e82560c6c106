//! An incident through a whole instance whose model is played, over Anthropic's API with its rules: what
//! becomes of good answers, bad ones, none, and of money. The real hosts are in `router.rs`.

#[path = "played/anthropic/mod.rs"]
mod anthropic_server;
#[path = "investigate/dossier.rs"]
mod dossier;
mod git;
#[path = "investigate/killed.rs"]
mod killed;
#[path = "investigate/recovery.rs"]
mod recovery;
#[path = "investigate/service.rs"]
mod service;
#[path = "investigate/verified.rs"]
mod verified;

use anthropic_server::{Answer, Said, in_turn, play, results, turns};
use autofix::app::{look, rehearse};
use autofix::investigate::inquiry::Outcome;
use autofix::log::Log;
use autofix::model::{Incident, Status};
use serde_json::{Value, json};
use service::{Case, fixed, give_up, propose, read_source};

/// What became of the one incident.
fn done(case: &Case) -> Incident {
    let all = case.wait(|one| matches!(one.status, Status::Proposed | Status::Reported));
    case.stop();
    all
}

fn report(case: &Case) -> Value {
    let text = std::fs::read_to_string(case.state.join("incidents/1/report.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_model_that_looks_and_proposes_leads_to_a_patch_that_git_applies() {
    let server = play(|request| match turns(request) {
        0 => read_source("a"),
        _ => {
            assert!(
                results(request)[0].1.contains("order[\"count\"]"),
                "{request}"
            );
            propose("b", fixed())
        }
    });
    let case = Case::start(&server.url, &[]);
    let one = done(&case);
    assert_eq!(one.status, Status::Proposed, "{}", one.reason);
    let proposal = one.proposal.clone().unwrap();
    assert_eq!(
        (proposal.fixer.as_str(), proposal.files.len()),
        ("anthropic", 2)
    );
    case.git(&["apply", "--check", &proposal.patch]);
    assert_eq!(server.faults(), Vec::<String>::new());
    let report = report(&case);
    assert!(
        report["by_model"]["cause"]
            .as_str()
            .unwrap()
            .contains("quantity")
    );
    assert_eq!(report["by_model"]["proposed"], true);
    assert!(report["by_model"]["passed"].as_array().unwrap().len() > 10);
    // Everything that was said is there to be read, and was paid for.
    let said = case.transcript();
    let kinds: Vec<&str> = said
        .iter()
        .map(|one| one["entry"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "opened", "ours", "theirs", "ours", "theirs", "judged", "closed"
        ]
    );
    assert_eq!(said[0]["endpoint"]["model"], "claude-opus-5-5");
    let spent = case.status()["spend"]["usd"].as_f64().unwrap();
    assert!(spent > 0.0, "{spent}");
    let used = server.used("cache_read_input_tokens");
    assert!(used > 0, "the second turn reads the first from the cache");
}

#[test]
fn the_dossier_holds_what_is_known_and_no_secret() {
    let server = play(in_turn(vec![give_up("a")]));
    let case = Case::start(&server.url, &[]);
    let one = done(&case);
    assert_eq!(
        (one.status, one.proposal.is_some()),
        (Status::Reported, false)
    );
    assert!(one.reason.contains("gave up"), "{}", one.reason);
    let request = server.heard()[0].body.clone();
    let dossier = request["messages"][0]["content"].to_string();
    for says in [
        "KeyError",
        "Takes orders",
        "L1 ",
        "app.py:2",
        "def total(order):",
        "Call it count",
        "[email-1]",
        "starting",
    ] {
        assert!(dossier.contains(says), "{says}: {dossier}");
    }
    let all = request.to_string();
    assert!(!all.contains("jane@acme.example"), "{dossier}");
    // Nothing of the log or the repository is among our own words.
    let system = request["system"].to_string() + &request["tools"].to_string();
    assert!(
        !system.contains("count") || !system.contains("order["),
        "{system}"
    );
}

#[test]
fn a_proposal_that_a_gate_stops_comes_back_once_and_may_be_mended() {
    let mut wrong = fixed();
    wrong["edits"][0]["search"] = "no such text".into();
    let server = play(in_turn(vec![propose("a", wrong), propose("b", fixed())]));
    let case = Case::start(&server.url, &[]);
    let one = done(&case);
    assert_eq!(one.status, Status::Proposed, "{}", one.reason);
    let second = &server.heard()[1].body;
    let (_, why, is_error) = results(second)[0].clone();
    assert!(is_error && why.contains("check stopped"), "{why}");
}

#[test]
fn two_refused_proposals_are_no_patch_and_the_suspect_is_taken_back() {
    let mut wrong = fixed();
    wrong["evidence"][0]["quote"] = "words that no line holds".into();
    let server = play(in_turn(vec![
        propose("a", wrong.clone()),
        propose("b", wrong),
        propose("c", fixed()),
    ]));
    let case = Case::start(&server.url, &[]);
    let one = done(&case);
    assert_eq!(server.heard().len(), 2);
    assert_eq!(one.proposal.unwrap().fixer, "revert");
    let stopped = report(&case)["by_model"]["stopped"].clone();
    assert_eq!(
        (stopped.as_array().unwrap().len(), &stopped[0][0]),
        (2, &json!("evidence"))
    );
}

#[test]
fn a_fixer_that_is_the_model_alone_takes_nothing_back() {
    let server = play(in_turn(vec![Answer::Says(Said {
        content: Vec::new(),
        stop: "refusal",
        details: json!({"category": "cyber", "explanation": "no"}),
    })]));
    let case = Case::start(&server.url, &[("Fixer", "anthropic")]);
    let one = done(&case);
    assert_eq!((one.status, one.proposal), (Status::Reported, None));
    assert!(one.reason.contains("refused"), "{}", one.reason);
}

#[test]
fn whatever_else_a_model_does_the_suspect_change_is_taken_back() {
    let nonsense: Vec<(&str, Vec<Answer>)> = vec![
        (
            "words",
            vec![
                Answer::text("Hello!"),
                Answer::text("Hm."),
                Answer::text("So."),
            ],
        ),
        (
            "tools that are none",
            vec![
                Answer::calls("a", &[("rm", json!({"path": "/"}))]),
                Answer::calls("b", &[("read_file", json!({"path": "../../etc/passwd"}))]),
                Answer::calls(
                    "c",
                    &[("propose_fix", json!("yes")), ("propose_fix", json!(7))],
                ),
                Answer::text("1"),
                Answer::text("2"),
                Answer::text("3"),
            ],
        ),
        (
            "a wrong key",
            vec![Answer::error(401, "authentication_error", "no")],
        ),
        (
            "no money",
            vec![Answer::error(402, "billing_error", "no credit")],
        ),
        (
            "no such model",
            vec![Answer::error(404, "not_found_error", "model: x")],
        ),
        (
            "it dies in the middle, again and again",
            vec![
                Answer::Breaks(Said::calls("a", &[("list_files", json!({}))]), 4),
                Answer::Breaks(Said::calls("b", &[("list_files", json!({}))]), 4),
                Answer::error(401, "authentication_error", "no"),
            ],
        ),
    ];
    for (what, answers) in nonsense {
        let server = play(in_turn(answers));
        let case = Case::start(&server.url, &[]);
        let one = done(&case);
        assert_eq!(one.status, Status::Proposed, "{what}: {}", one.reason);
        assert_eq!(one.proposal.unwrap().fixer, "revert", "{what}");
        assert_eq!(server.faults(), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn a_call_that_was_cut_off_is_made_again_as_a_new_turn() {
    let server = play(in_turn(vec![
        Answer::Breaks(Said::calls("a", &[("list_files", json!({}))]), 4),
        propose("b", fixed()),
    ]));
    let case = Case::start(&server.url, &[]);
    let one = done(&case);
    assert_eq!(one.proposal.unwrap().fixer, "anthropic");
    let failed: Vec<Value> = case
        .transcript()
        .into_iter()
        .filter(|entry| entry["entry"] == "failed")
        .collect();
    assert_eq!(failed.len(), 1);
    assert!(
        failed[0]["usd"].as_u64().unwrap() > 0,
        "what broke off counts"
    );
}

#[test]
fn nothing_is_asked_over_budget_without_egress_or_where_the_state_does_not_last() {
    for (key, value, says) in [
        ("Budget_Per_Day", "0.01", "budget is used up"),
        ("Egress", "none", "Egress"),
    ] {
        let server = play(in_turn(vec![propose("a", fixed())]));
        let case = Case::start(&server.url, &[(key, value)]);
        let one = done(&case);
        assert_eq!(one.proposal.unwrap().fixer, "revert", "{key}");
        assert!(server.heard().is_empty(), "{key}");
        let tried = report(&case)["tried"].to_string();
        assert!(tried.contains(says), "{key}: {tried}");
    }
}

#[test]
fn a_transcript_can_be_played_again_without_a_network_and_why_tells_it() {
    let server = play(in_turn(vec![read_source("a"), propose("b", fixed())]));
    let case = Case::start(&server.url, &[]);
    let one = done(&case);
    let transcript = case.state.join("incidents/1/transcript.jsonl");
    let again = rehearse::replay(&case.state, one.id, &transcript, Log::silent()).unwrap();
    let Outcome::Patch(found) = &again.outcome else {
        panic!("{:?}", again.outcome);
    };
    let patch = std::fs::read_to_string(one.proposal.unwrap().patch).unwrap();
    assert_eq!(found.1.patch.text(), patch);
    assert_eq!(server.heard().len(), 2, "nobody was asked");
    assert_eq!(
        look::why(&case.state, one.id).unwrap().conversation.len(),
        7
    );
    // A transcript that ends early is played as far as it goes.
    let text = std::fs::read_to_string(&transcript).unwrap();
    let cut: Vec<&str> = text.lines().take(3).collect();
    std::fs::write(&transcript, cut.join("\n")).unwrap();
    let again = rehearse::replay(&case.state, one.id, &transcript, Log::silent()).unwrap();
    assert!(matches!(again.outcome, Outcome::Unavailable(why) if why.contains("ends here")));
    std::fs::write(&transcript, "{}").unwrap();
    let fault = rehearse::replay(&case.state, one.id, &transcript, Log::silent()).unwrap_err();
    assert!(fault.to_string().contains("line 1"), "{fault}");
}

#[test]
fn a_dry_run_prints_what_would_be_shown_and_asks_nobody() {
    let server = play(in_turn(Vec::new()));
    let case = Case::start(&server.url, &[("Fixer", "off")]);
    case.wait(|_| true);
    case.stop();
    let dry = |egress: &str| {
        let keys = [("Fixer", "anthropic"), ("Egress", egress)];
        let again = service::keys(
            &case.repo,
            &case.state,
            &case.git(&["rev-parse", "HEAD"]),
            &server.url,
            &keys,
        );
        // The settings of the newest instance hold.
        let instance = service::instance(&again);
        instance.flush(b"app", &service::chunk("up"));
        instance.stop(std::time::Duration::from_secs(20));
        rehearse::dry(&case.state, autofix::model::IncidentId(1), Log::silent()).unwrap()
    };
    let drawn = dry("none");
    assert_eq!((drawn.model, drawn.first.0), (None, 0));
    let text = drawn.dossier.text.as_str();
    assert!(
        text.contains("def total(order):") && !text.contains("jane@"),
        "{text}"
    );
    assert!(drawn.tokens > 1_000, "{}", drawn.tokens);
}
