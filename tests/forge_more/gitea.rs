//! Gitea and Forgejo.

use crate::host::repo::Repo;
use crate::host::{Fault, Reply};
use crate::played_gitea::{self as played, TOKEN};
use crate::world::{BEFORE, BRANCH, MESSAGE, file, http, made, order, reader};
use autofix::deliver::forge::{Branch, ErrorKind, Forge, Gitea, Looked};
use autofix::model::Settings;
use autofix::model::delivery::{Ci, PullState};
use std::time::Duration;

const REPO: &str = "shop/shop";

fn settings(host: &played::Gitea) -> Settings {
    Settings {
        service: "shop".to_owned(),
        repo: Some(format!("{}/{REPO}.git", host.host.address)),
        ..Settings::default()
    }
}

fn client(host: &played::Gitea) -> Gitea {
    Gitea::new(http(), &settings(host), reader(TOKEN)).unwrap()
}

fn host() -> (played::Gitea, String) {
    let host = played::Gitea::serve();
    host.add(REPO, true, Repo::new(&BEFORE));
    let base = host.state().repo(REPO).repo.branches["main"].clone();
    (host, base)
}

#[test]
fn one_call_makes_the_branch_with_all_files() {
    let (host, base) = host();
    let tip = made(&client(&host).make_branch(&order(&base)).unwrap());
    let mut state = host.state();
    let repo = &state.repo(REPO).repo;
    let commit = repo.tip(BRANCH).unwrap();
    assert_eq!(
        (&repo.branches[BRANCH], &commit.parents[..]),
        (&tip, &[base][..])
    );
    assert_eq!(commit.message, MESSAGE);
    assert_eq!(commit.files["src/cart.py"].0, b"fixed\n");
    assert_eq!(commit.files["tests/cart test.py"].0, b"test\n");
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
fn a_base_that_moved_on_is_kept_and_one_that_changed_our_files_is_refused() {
    let (host, base) = host();
    let further = host
        .state()
        .repo(REPO)
        .repo
        .push("main", "Further", "README", "new");
    made(&client(&host).make_branch(&order(&base)).unwrap());
    {
        let mut state = host.state();
        let repo = &mut state.repo(REPO).repo;
        let commit = repo.tip(BRANCH).unwrap();
        assert_eq!(commit.parents, [further]);
        assert_eq!(commit.files["README"].0, b"new");
        repo.branches.remove(BRANCH);
        repo.push("main", "Touch it", "src/cart.py", "other\n");
    }
    let said = client(&host).make_branch(&order(&base)).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Invalid);
    assert!(said.to_string().contains("sha does not match"), "{said}");
    assert!(!host.state().repo(REPO).repo.branches.contains_key(BRANCH));
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
        let (client, mut order) = (client(&host), order(&base));
        order.reviewers = vec!["ann".into()];
        host.host.next_times(times, "POST", "contents", &fault);
        let mut branch = client.make_branch(&order);
        if times == 4 {
            assert_eq!(branch.unwrap_err().kind, ErrorKind::Unreachable);
            branch = client.make_branch(&order);
        }
        let tip = host.state().repo(REPO).repo.branches[BRANCH].clone();
        match fault {
            Fault::Lost => assert_eq!(branch.unwrap(), Branch::Ours { tip, same: true }),
            _ => assert_eq!(branch.unwrap(), Branch::Made { tip }),
        }
        host.host.next_times(times, "POST", "pulls", &fault);
        let mut opened = client.open(&order);
        if times == 4 {
            assert_eq!(opened.unwrap_err().kind, ErrorKind::Unreachable);
            opened = client.open(&order);
        }
        let pull = opened.unwrap().pull;
        assert_eq!(client.find(&order).unwrap(), Some(pull.clone()));
        host.host.next_times(times, "POST", "comments", &fault);
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
            (state.requests.len(), state.requests[0].comments.len()),
            (1, 2)
        );
        // A reviewer is asked also where the answer of the opening was lost.
        assert_eq!(state.requests[0].reviewers, ["ann"]);
        assert_eq!(state.repos[0].repo.branches.len(), 2);
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
        .repo(REPO)
        .repo
        .push(BRANCH, "Mine now", "README", "x");
    assert_eq!(client.make_branch(&order).unwrap(), Branch::Theirs { tip });
}

#[test]
fn two_at_once_make_one_branch() {
    let (host, base) = host();
    let order = order(&base);
    // Both see no branch, so that it is the making that decides.
    for _ in 0..2 {
        let none = Fault::Says(Reply::says(404, "no branch"));
        host.host.next("GET", BRANCH, none);
    }
    let both: Vec<Branch> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| client(&host).make_branch(&order).unwrap()))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let tip = host.state().repo(REPO).repo.branches[BRANCH].clone();
    assert!(
        both.contains(&Branch::Made { tip: tip.clone() }),
        "{both:?}"
    );
    assert!(both.contains(&Branch::Ours { tip, same: true }), "{both:?}");
}

#[test]
fn what_the_api_cannot_make_is_refused_with_a_way_out() {
    let (host, base) = host();
    let mut order = order(&base);
    order.files = vec![file("run.sh", 0o100_755, Some("x"), false)];
    let said = client(&host).make_branch(&order).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Invalid);
    assert!(said.to_string().contains("\"git\""), "{said}");
    order.files = vec![file("README", 0o100_644, Some("x"), false)];
    let said = client(&host).make_branch(&order).unwrap_err();
    assert!(said.to_string().contains("already exists"), "{said}");
    order.files = vec![file("none.py", 0o100_644, Some("x"), true)];
    let said = client(&host).make_branch(&order).unwrap_err();
    assert!(
        said.to_string().contains("none.py is not in commit"),
        "{said}"
    );
}

#[test]
fn a_request_is_a_draft_with_what_the_host_takes_and_says_what_it_left_out() {
    let (host, base) = host();
    let (client, mut order) = (client(&host), order(&base));
    order.labels = vec!["autofix".into(), "org-wide".into(), "nolabel".into()];
    order.reviewers = vec!["nobody".into(), "ann".into(), "shop/core".into()];
    client.make_branch(&order).unwrap();
    let opened = client.open(&order).unwrap();
    assert_eq!(opened.left_out.len(), 2, "{:?}", opened.left_out);
    let left_out = opened.left_out.join("\n");
    assert!(
        left_out.contains("nolabel") && left_out.contains("nobody"),
        "{left_out}"
    );
    let state = host.state();
    let request = &state.requests[0];
    assert_eq!(
        (request.title.as_str(), &request.labels[..]),
        ("WIP: Check the cart", &[12, 91][..])
    );
    assert_eq!(
        (&request.reviewers[..], &request.teams[..]),
        (&["ann".to_owned()][..], &["core".to_owned()][..])
    );
}

#[test]
fn a_look_tells_where_it_stands_and_says_when_nothing_is_new() {
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
    for (word, is) in [
        ("pending", Ci::Pending),
        ("success", Ci::Passed),
        ("failure", Ci::Failed),
    ] {
        host.state().status = Some(word);
        assert_eq!(look(seen.as_deref()).1, is);
    }
    let merge = "ab".repeat(20);
    host.state().requests[0].merge_commit = Some(merge.clone());
    host.state().requests[0].state = "merged";
    // Its branch is deleted after the merge: the request is found by its label.
    host.state().repo(REPO).repo.branches.remove(BRANCH);
    let merged = PullState::Merged {
        commit: Some(merge),
    };
    assert_eq!(look(seen.as_deref()).0.state, merged);
    assert_eq!(client.find(&order).unwrap().unwrap().state, merged);
    host.state().requests[0].state = "closed";
    assert_eq!(look(None).0.state, PullState::Closed);
    assert_eq!(client.look(&order, 99, None).unwrap(), Looked::Gone);
    host.state().repos.clear();
    assert_eq!(
        client.look(&order, number, None).unwrap_err().kind,
        ErrorKind::Missing
    );
}

#[test]
fn a_closed_request_is_found_behind_newer_ones_and_a_strangers_is_not() {
    let (host, base) = host();
    let (client, order) = (client(&host), order(&base));
    client.make_branch(&order).unwrap();
    let ours = client.open(&order).unwrap().pull.number;
    {
        let mut state = host.state();
        state.requests[0].state = "closed";
        for number in 2..=6 {
            let mut other = state.requests[0].clone();
            other.number = number;
            match number {
                2 => other.head.0 = "stranger/shop".to_owned(),
                _ => other.head.1 = format!("other-{number}"),
            }
            state.requests.push(other);
        }
    }
    let find = || client.find(&order).unwrap();
    let closed = (ours, PullState::Closed);
    let found = find().unwrap();
    assert_eq!((found.number, found.state), closed);
    // The host does not find each by its branches: then the list is looked through.
    let none = || Fault::Says(Reply::says(404, "no request"));
    host.host.next("GET", BRANCH, none());
    let found = find().unwrap();
    assert_eq!((found.number, found.state), closed);
    // Of several the newest counts, though the host gives the oldest.
    let mut again = host.state().requests[0].clone();
    (again.number, again.state) = (7, "open");
    host.state().requests.push(again);
    assert_eq!(find().unwrap().number, 7);
    host.state()
        .requests
        .retain(|request| ![1, 7].contains(&request.number));
    assert_eq!(find(), None);
}

#[test]
fn from_a_fork_the_branch_is_made_there_and_the_request_here() {
    let (host, base) = host();
    host.state().repo(REPO).push = false;
    let mirror = host.state().repo(REPO).repo.clone();
    host.add("bot/shop", true, mirror);
    let mut settings = settings(&host);
    settings.forge.fork = Some(format!("{}/bot/shop", host.host.address));
    let client = Gitea::new(http(), &settings, reader(TOKEN)).unwrap();
    let order = order(&base);
    client.make_branch(&order).unwrap();
    let opened = client.open(&order).unwrap();
    assert_eq!(client.find(&order).unwrap(), Some(opened.pull));
    let mut state = host.state();
    assert!(state.repo("bot/shop").repo.branches.contains_key(BRANCH));
    assert!(!state.repo(REPO).repo.branches.contains_key(BRANCH));
    assert_eq!(state.requests[0].head.0, "bot/shop");
    drop(state);
    let rights = client.rights(None).unwrap();
    assert_eq!((rights.missing.len(), rights.may_push_to_base), (0, false));
}

#[test]
fn rights_name_what_is_missing_and_whether_the_base_is_safe() {
    let (host, _) = host();
    let good = client(&host).rights(None).unwrap();
    assert_eq!((good.missing.len(), good.may_push_to_base), (0, false));
    assert!(good.unknown[0].contains("write:repository"), "{good:?}");
    host.state().repo(REPO).can_push_to_main = true;
    assert!(client(&host).rights(None).unwrap().may_push_to_base);
    host.state().repo(REPO).push = false;
    let bad = client(&host).rights(Some("gone")).unwrap();
    let said = bad.missing.join("\n");
    assert!(
        said.contains("write access") && said.contains("no branch gone"),
        "{said}"
    );
    assert!(host.host.calls().iter().all(|call| call.method == "GET"));
}

#[test]
fn limits_bad_tokens_and_redirects_are_told_apart_without_secrets() {
    let (host, base) = host();
    let (client, order) = (client(&host), order(&base));
    let slow = Reply::says(429, "slow down").with("retry-after", "9");
    host.host.next("POST", "contents", Fault::Says(slow));
    let said = client.make_branch(&order).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Limited(Duration::from_secs(9)));
    let wrong = Gitea::new(http(), &settings(&host), reader("wr0ng-t0ken")).unwrap();
    let said = wrong.make_branch(&order).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Refused);
    assert!(!said.to_string().contains("wr0ng"), "{said}");
    let other = played::Gitea::serve();
    let away = Reply::says(307, "").with("location", &other.host.address);
    host.host.next("GET", BRANCH, Fault::Says(away));
    let said = client.make_branch(&order).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Settings, "{said}");
    assert!(other.host.calls().is_empty());
}
