//! GitLab.

use crate::host::repo::Repo;
use crate::host::{Fault, Reply};
use crate::played_gitlab::{self as played, TOKEN};
use crate::world::{BEFORE, BRANCH, MESSAGE, file, http, made, order, reader};
use autofix::deliver::forge::{Branch, ErrorKind, Forge, Gitlab, Looked};
use autofix::model::Settings;
use autofix::model::delivery::{Ci, PullState};
use serde_json::json;
use std::time::Duration;

const PROJECT: &str = "group/sub/shop";

fn settings(host: &played::Gitlab) -> Settings {
    Settings {
        service: "shop".to_owned(),
        repo: Some(format!("{}/{PROJECT}.git", host.host.address)),
        ..Settings::default()
    }
}

fn client(host: &played::Gitlab) -> Gitlab {
    Gitlab::new(http(), &settings(host), reader(TOKEN)).unwrap()
}

fn host() -> (played::Gitlab, String) {
    let host = played::Gitlab::serve();
    host.add(PROJECT, Some(30), Repo::new(&BEFORE));
    let base = host.state().project(PROJECT).repo.branches["main"].clone();
    (host, base)
}

#[test]
fn one_call_makes_the_branch_with_all_files_and_modes_on_the_orders_commit() {
    let (host, base) = host();
    // The base moves on: the branch stands on the order's commit all the same.
    host.state()
        .project(PROJECT)
        .repo
        .push("main", "Further", "README", "new");
    let mut order = order(&base);
    order
        .files
        .push(file("run.sh", 0o100_755, Some("#!/bin/sh\n"), false));
    let tip = made(&client(&host).make_branch(&order).unwrap());
    let mut state = host.state();
    let repo = &state.project(PROJECT).repo;
    let commit = repo.tip(BRANCH).unwrap();
    assert_eq!(repo.branches[BRANCH], tip);
    assert_eq!(
        (commit.message.as_str(), &commit.parents[..]),
        (MESSAGE, &[base][..])
    );
    assert_eq!(commit.files["src/cart.py"], (b"fixed\n".to_vec(), false));
    assert_eq!(
        commit.files["tests/cart test.py"],
        (b"test\n".to_vec(), false)
    );
    assert_eq!(commit.files["run.sh"], (b"#!/bin/sh\n".to_vec(), true));
    assert_eq!(commit.files["README"].0, b"shop\n");
    assert!(!commit.files.contains_key("old.py"));
    let posts = host
        .host
        .calls()
        .iter()
        .filter(|c| c.method == "POST")
        .count();
    assert_eq!(posts, 1);
}

#[test]
fn answers_lost_at_each_step_lead_to_one_branch_one_request_and_one_comment() {
    // Once is mended at once; more is an error, after which everything is asked for again.
    for (fault, times) in [
        (Fault::Lost, 1),
        (Fault::Dropped, 1),
        (Fault::Lost, 4),
        (Fault::Dropped, 4),
    ] {
        let (host, base) = host();
        let (client, order) = (client(&host), order(&base));
        host.host
            .next_times(times, "POST", "repository/commits", &fault);
        let mut branch = client.make_branch(&order);
        if times == 4 {
            assert_eq!(branch.unwrap_err().kind, ErrorKind::Unreachable);
            branch = client.make_branch(&order);
        }
        let tip = host.state().project(PROJECT).repo.branches[BRANCH].clone();
        match fault {
            Fault::Lost => assert_eq!(branch.unwrap(), Branch::Ours { tip, same: true }),
            _ => assert_eq!(branch.unwrap(), Branch::Made { tip }),
        }
        host.host
            .next_times(times, "POST", "merge_requests", &fault);
        let mut opened = client.open(&order);
        if times == 4 {
            assert_eq!(opened.unwrap_err().kind, ErrorKind::Unreachable);
            opened = client.open(&order);
        }
        let pull = opened.unwrap().pull;
        assert_eq!(client.find(&order).unwrap(), Some(pull.clone()));
        host.host.next_times(times, "POST", "notes", &fault);
        let say = |mark: &str| client.comment(&order, pull.number, "more since", mark);
        let said = say("counts:1");
        host.host.mend();
        // What was carried out is seen at the second try.
        let never_came = times == 4 && matches!(fault, Fault::Dropped);
        assert_eq!(said.is_err(), never_came, "{said:?}");
        for mark in ["counts:1", "counts:1", "counts:2"] {
            say(mark).unwrap();
        }
        let state = host.state();
        assert_eq!(
            (state.requests.len(), state.requests[0].notes.len()),
            (1, 2)
        );
        assert_eq!(state.projects[0].repo.branches.len(), 2);
    }
}

#[test]
fn a_branch_that_is_there_is_ours_or_theirs_by_its_newest_commit() {
    let (host, base) = host();
    let (client, mut order) = (client(&host), order(&base));
    let tip = made(&client.make_branch(&order).unwrap());
    order.message = MESSAGE.replace("c1", "c2");
    let other = Branch::Ours { tip, same: false };
    assert_eq!(client.make_branch(&order).unwrap(), other);
    let tip = host
        .state()
        .project(PROJECT)
        .repo
        .push(BRANCH, "Mine now", "README", "x");
    assert_eq!(client.make_branch(&order).unwrap(), Branch::Theirs { tip });
}

#[test]
fn two_at_once_make_one_branch() {
    let (host, base) = host();
    let order = order(&base);
    let both: Vec<Branch> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| client(&host).make_branch(&order).unwrap()))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let tip = host.state().project(PROJECT).repo.branches[BRANCH].clone();
    assert!(
        both.contains(&Branch::Made { tip: tip.clone() }),
        "{both:?}"
    );
    assert!(both.contains(&Branch::Ours { tip, same: true }), "{both:?}");
}

#[test]
fn what_gitlab_refuses_for_the_files_is_said_in_its_words() {
    let (host, base) = host();
    let mut order = order(&base);
    order.files = vec![file("README", 0o100_644, Some("x"), false)];
    let said = client(&host).make_branch(&order).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Invalid);
    assert!(said.to_string().contains("already exists"), "{said}");
    order.files = vec![file("link", 0o120_000, Some("x"), false)];
    assert_eq!(
        client(&host).make_branch(&order).unwrap_err().kind,
        ErrorKind::Invalid
    );
}

#[test]
fn a_request_is_a_draft_with_what_the_host_takes_and_says_what_it_left_out() {
    let (host, base) = host();
    let (client, mut order) = (client(&host), order(&base));
    order.labels = vec!["autofix".into(), "a,b".into()];
    order.reviewers = vec![
        "ann".into(),
        "nobody".into(),
        "org/team".into(),
        "bob".into(),
    ];
    order.body = "Fine.\n\n```\n/merge\n```\n/close\n".to_owned();
    client.make_branch(&order).unwrap();
    let opened = client.open(&order).unwrap();
    let left_out = opened.left_out.join("\n");
    for what in ["a,b", "nobody", "org/team", "took 1 of 2"] {
        assert!(left_out.contains(what), "{what} in {left_out}");
    }
    assert_eq!(opened.left_out.len(), 4);
    let state = host.state();
    let request = &state.requests[0];
    assert_eq!(
        (request.title.as_str(), request.state),
        ("Draft: Check the cart", "opened")
    );
    assert_eq!(
        (&request.labels[..], &request.reviewers[..]),
        (&["autofix".to_owned()][..], &[7][..])
    );
    assert!(request.removes_branch);
    assert_eq!(opened.pull.state, PullState::Open);
}

#[test]
fn no_text_of_ours_is_a_command_to_gitlab() {
    let (host, base) = host();
    let (client, order) = (client(&host), order(&base));
    client.make_branch(&order).unwrap();
    let number = client.open(&order).unwrap().pull.number;
    client
        .comment(&order, number, "Lines:\n\n  /merge\r\n/close", "m")
        .unwrap();
    let state = host.state();
    assert_eq!(
        (state.requests[0].state, state.requests[0].notes.len()),
        ("opened", 1)
    );
}

#[test]
fn a_look_tells_where_it_stands_and_costs_nothing_when_nothing_is_new() {
    let (host, base) = host();
    let (client, order) = (client(&host), order(&base));
    let tip = made(&client.make_branch(&order).unwrap());
    let number = client.open(&order).unwrap().pull.number;
    let look = |seen: Option<&str>| match client.look(&order, number, seen).unwrap() {
        Looked::Now { pull, ci, seen } => (pull, ci, seen),
        other => panic!("{other:?}"),
    };
    let (pull, ci, seen) = look(None);
    assert_eq!(
        (pull.state, pull.tip, ci),
        (PullState::Open, Some(tip), Ci::Unknown)
    );
    assert_eq!(
        client.look(&order, number, seen.as_deref()).unwrap(),
        Looked::Same
    );
    host.state().requests[0].pipeline = Some("failed");
    let (_, ci, seen) = look(seen.as_deref());
    assert_eq!(ci, Ci::Failed);
    let squash = "ab".repeat(20);
    host.state().requests[0].squash_commit = Some(squash.clone());
    host.state().requests[0].state = "merged";
    let (pull, _, _) = look(seen.as_deref());
    assert_eq!(
        pull.state,
        PullState::Merged {
            commit: Some(squash)
        }
    );
    host.state().requests[0].state = "closed";
    assert_eq!(look(None).0.state, PullState::Closed);
    assert_eq!(client.look(&order, 99, None).unwrap(), Looked::Gone);
    // A project that is gone is no request that is gone.
    host.state().projects.clear();
    assert_eq!(
        client.look(&order, number, None).unwrap_err().kind,
        ErrorKind::Missing
    );
}

#[test]
fn a_request_from_a_strangers_fork_is_not_ours() {
    let (host, base) = host();
    let (client, order) = (client(&host), order(&base));
    client.make_branch(&order).unwrap();
    client.open(&order).unwrap();
    host.state().requests[0].source.0 = 999;
    assert_eq!(client.find(&order).unwrap(), None);
}

#[test]
fn from_a_fork_the_branch_is_made_there_and_the_request_here() {
    let (host, base) = host();
    host.state().project(PROJECT).level = None;
    host.add("bot/shop", Some(40), Repo::new(&[("stale", "x")]));
    let mut settings = settings(&host);
    settings.forge.fork = Some(format!("{}/bot/shop", host.host.address));
    let client = Gitlab::new(http(), &settings, reader(TOKEN)).unwrap();
    let order = order(&base);
    client.make_branch(&order).unwrap();
    let opened = client.open(&order).unwrap();
    assert_eq!(client.find(&order).unwrap(), Some(opened.pull));
    let mut state = host.state();
    assert!(state.project("bot/shop").repo.branches.contains_key(BRANCH));
    assert!(!state.project(PROJECT).repo.branches.contains_key(BRANCH));
    assert_eq!(
        (state.requests[0].source.0, state.requests[0].target.0),
        (101, 100)
    );
    drop(state);
    assert_eq!(client.rights(None).unwrap().missing, Vec::<String>::new());
}

#[test]
fn rights_name_what_is_missing_and_whether_the_base_is_safe() {
    let (host, _) = host();
    let good = client(&host).rights(None).unwrap();
    assert_eq!(
        (
            good.missing.len(),
            good.may_push_to_base,
            good.unknown.len()
        ),
        (0, false, 0)
    );
    {
        let mut state = host.state();
        state.project(PROJECT).level = Some(20);
        state.project(PROJECT).can_push_to_main = true;
        state.scopes = vec!["read_api"];
    }
    let bad = client(&host).rights(Some("main")).unwrap();
    let said = bad.missing.join("\n");
    assert!(
        said.contains("Developer (30)") && said.contains("scope api"),
        "{said}"
    );
    assert!(bad.may_push_to_base);
    let said = client(&host)
        .rights(Some("gone"))
        .unwrap()
        .missing
        .join("\n");
    assert!(said.contains("no branch gone"), "{said}");
    assert!(host.host.calls().iter().all(|call| call.method == "GET"));
}

#[test]
fn limits_say_for_how_long() {
    let (host, base) = host();
    let (client, order) = (client(&host), order(&base));
    let slow = Reply::says(429, "Retry later").with("retry-after", "17");
    host.host
        .next("POST", "repository/commits", Fault::Says(slow));
    let said = client.make_branch(&order).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Limited(Duration::from_secs(17)));
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let reset = (now.as_secs() + 600).to_string();
    let slow = Reply::says(429, "Retry later").with("ratelimit-reset", &reset);
    host.host.next("GET", "merge_requests", Fault::Says(slow));
    let ErrorKind::Limited(pause) = client.find(&order).unwrap_err().kind else {
        panic!("no limit")
    };
    assert!(
        pause <= Duration::from_secs(600) && pause > Duration::from_secs(500),
        "{pause:?}"
    );
    host.host
        .next("GET", "merge_requests", Fault::Says(Reply::says(429, "x")));
    let said = client.find(&order).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Limited(Duration::from_secs(60)));
}

#[test]
fn a_bad_token_a_host_that_fails_and_a_redirect_are_told_apart_without_secrets() {
    let (host, base) = host();
    let order = order(&base);
    let wrong = Gitlab::new(http(), &settings(&host), reader("wr0ng-t0ken")).unwrap();
    let said = wrong.make_branch(&order).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Refused);
    // A host may say the token back.
    let echo = Reply::new(403, json!({"message": format!("{TOKEN} may not")}));
    host.host.next("GET", "merge_requests", Fault::Says(echo));
    let client = client(&host);
    let bad = Fault::Says(Reply::says(502, "Bad gateway"));
    host.host.next_times(4, "GET", PROJECT, &bad);
    let said = client.find(&order).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Unreachable);
    let said = client.find(&order).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Refused);
    assert!(!said.to_string().contains(TOKEN), "{said}");
    let other = played::Gitlab::serve();
    let away = Reply::says(301, "").with("location", &format!("{}/x?{TOKEN}", other.host.address));
    host.host.next("GET", PROJECT, Fault::Says(away));
    let said = client.find(&order).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Settings);
    assert!(
        said.to_string().contains("redirects") && !said.to_string().contains(TOKEN),
        "{said}"
    );
    assert!(other.host.calls().is_empty());
}

#[test]
fn without_a_token_nothing_is_sent() {
    let (host, base) = host();
    let client = Gitlab::new(http(), &settings(&host), Box::new(|| None)).unwrap();
    assert_eq!(
        client.make_branch(&order(&base)).unwrap_err().kind,
        ErrorKind::Settings
    );
    assert!(host.host.calls().is_empty());
}
