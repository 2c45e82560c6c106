//! Requests: opened once, found again, looked at for nothing, said something under once.

use crate::github_server::{Knobs, play};
use crate::orders::{BOT, BRANCH, REPO, client, fork_client, order};
use autofix::deliver::forge::{ErrorKind, Forge, Looked};
use autofix::model::delivery::{Ci, PullState};

#[test]
fn a_request_is_a_draft_with_labels_and_reviewers() {
    let played = play();
    let (client, order) = (client(&played), order(&played));
    client.make_branch(&order).unwrap();
    assert_eq!(client.find(&order).unwrap(), None);
    let opened = client.open(&order).unwrap();
    assert_eq!(opened.left_out, Vec::<String>::new());
    assert_eq!(opened.pull.state, PullState::Open);
    assert_eq!(opened.pull.tip, played.tip(REPO, BRANCH));
    assert_eq!(client.find(&order).unwrap(), Some(opened.pull.clone()));
    let again = client.open(&order).unwrap();
    assert_eq!(again.pull, opened.pull);
    let [pull] = &played.pulls(REPO)[..] else {
        panic!("twins")
    };
    assert!(pull.draft && pull.base == "main");
    assert_eq!((&pull.title, &pull.body), (&order.title, &order.body));
    assert_eq!(pull.labels, ["autofix"]);
    assert_eq!(
        (&pull.reviewers[..], &pull.teams[..]),
        (&["ana".to_owned()][..], &["payments".to_owned()][..])
    );
}

#[test]
fn what_the_host_does_not_take_is_left_out_and_said() {
    let played = play();
    played.set(|knobs| {
        *knobs = Knobs {
            no_drafts: true,
            refused_labels: vec!["bad".to_owned()],
            refused_reviewers: vec!["gone".to_owned()],
            ..Knobs::default()
        }
    });
    let (client, mut order) = (client(&played), order(&played));
    order.labels = vec!["autofix".to_owned(), "bad".to_owned()];
    order.reviewers = [
        "@ana",
        "gone",
        "a@example.org",
        "other/team",
        "acme/payments",
    ]
    .map(str::to_owned)
    .to_vec();
    client.make_branch(&order).unwrap();
    let opened = client.open(&order).unwrap();
    let all = opened.left_out.join("\n");
    for part in [
        "draft",
        "label bad",
        "reviewer gone",
        "a@example.org",
        "other/team",
    ] {
        assert!(all.contains(part), "{part}\n{all}");
    }
    assert_eq!(opened.left_out.len(), 5, "{all}");
    let pull = &played.pulls(REPO)[0];
    assert!(!pull.draft);
    assert_eq!(pull.labels, ["autofix"]);
    assert_eq!(pull.reviewers, ["ana"]);
    assert_eq!(pull.teams, ["payments"]);
}

#[test]
fn a_fork_s_request_goes_to_its_repository() {
    let played = play();
    played.fork(REPO, BOT);
    let (client, order) = (fork_client(&played), order(&played));
    client.make_branch(&order).unwrap();
    let opened = client.open(&order).unwrap();
    let pull = &played.pulls(REPO)[0];
    assert_eq!(
        (pull.head_repo.as_str(), pull.number),
        (BOT, opened.pull.number)
    );
    assert_eq!(client.find(&order).unwrap(), Some(opened.pull));
}

#[test]
fn a_fork_of_the_same_owner_is_named() {
    let played = play();
    let near = "acme/shop-bot";
    played.fork(REPO, near);
    let settings = crate::orders::settings(&played, Some(near));
    let token = crate::orders::token(crate::github_server::TOKEN);
    let http = crate::orders::http();
    let client = autofix::deliver::forge::github::Github::new(http, &settings, token).unwrap();
    let order = order(&played);
    client.make_branch(&order).unwrap();
    let opened = client.open(&order).unwrap();
    assert_eq!(played.pulls(REPO)[0].head_repo, near);
    assert_eq!(client.find(&order).unwrap(), Some(opened.pull));
}

#[test]
fn a_branch_without_a_change_is_told() {
    let played = play();
    let (client, order) = (client(&played), order(&played));
    client.make_branch(&order).unwrap();
    let opened = client.open(&order).unwrap();
    played.merge(REPO, opened.pull.number, false);
    let mut other = order;
    other.base = Some("main".to_owned());
    let found = client.open(&other).unwrap();
    assert!(
        matches!(found.pull.state, PullState::Merged { .. }),
        "no twin"
    );
    assert_eq!(played.pulls(REPO).len(), 1);
    other.branch = "autofix/none".to_owned();
    played.push(REPO, "autofix/none", "x", "x", "x");
    let main = played.tip(REPO, "main").unwrap();
    let repo = git2::Repository::open_bare(&played.path).unwrap();
    let id = git2::Oid::from_str(&main).unwrap();
    repo.reference("refs/heads/autofix/none", id, true, "")
        .unwrap();
    let none = client.open(&other).unwrap_err();
    assert_eq!(none.kind, ErrorKind::Invalid);
    assert!(none.to_string().contains("nothing between"), "{none}");
}

#[test]
fn a_look_at_what_did_not_change_costs_nothing() {
    let played = play();
    let (client, order) = (client(&played), order(&played));
    client.make_branch(&order).unwrap();
    let pull = client.open(&order).unwrap().pull;
    let look = |seen: Option<&str>| client.look(&order, pull.number, seen).unwrap();
    let now = |looked: Looked| match looked {
        Looked::Now { pull, ci, seen } => (pull.state, ci, seen.unwrap()),
        other => panic!("{other:?}"),
    };
    let (state, ci, seen) = now(look(None));
    assert_eq!((state, ci), (PullState::Open, Ci::Unknown));
    played.take_heard();
    assert_eq!(look(Some(&seen)), Looked::Same);
    let heard = played.take_heard();
    assert!(heard.iter().all(|h| h.status == 304), "{heard:?}");
    // CI changes, and the request does not.
    let tip = pull.tip.clone().unwrap();
    played.check(REPO, &tip, "build", "in_progress", None);
    let (_, ci, seen) = now(look(Some(&seen)));
    assert_eq!(ci, Ci::Pending);
    played.check(REPO, &tip, "build", "completed", Some("success"));
    let (_, ci, seen) = now(look(Some(&seen)));
    assert_eq!(ci, Ci::Passed);
    played.status(REPO, &tip, "failure");
    let (_, ci, seen) = now(look(Some(&seen)));
    assert_eq!(ci, Ci::Failed);
    assert_eq!(look(Some(&seen)), Looked::Same);
    // A push is another commit, of which CI says nothing yet.
    played.push(REPO, BRANCH, "y", "y", "y");
    let (_, ci, seen) = now(look(Some(&seen)));
    assert_eq!(ci, Ci::Unknown);
    let commit = played.merge(REPO, pull.number, true);
    let (state, _, seen) = now(look(Some(&seen)));
    assert_eq!(
        state,
        PullState::Merged {
            commit: Some(commit)
        }
    );
    assert_eq!(look(Some(&seen)), Looked::Same);
    assert!(matches!(look(Some("rubbish")), Looked::Now { .. }));
}

#[test]
fn closed_gone_and_out_of_sight_are_told_apart() {
    let played = play();
    let (client, order) = (client(&played), order(&played));
    client.make_branch(&order).unwrap();
    let number = client.open(&order).unwrap().pull.number;
    played.set(|knobs| knobs.hidden_checks = true);
    played.delete_branch(REPO, BRANCH);
    let Looked::Now { pull, ci, .. } = client.look(&order, number, None).unwrap() else {
        panic!("not closed");
    };
    assert_eq!((pull.state, ci), (PullState::Closed, Ci::Unknown));
    assert_eq!(client.look(&order, 99, None).unwrap(), Looked::Gone);
    played.add_token(
        crate::github_server::TOKEN,
        crate::github_server::Access {
            pushes: None,
            scopes: None,
            until: None,
            sees: Some(Vec::new()),
        },
    );
    let hidden = client.look(&order, number, None).unwrap_err();
    assert_eq!(hidden.kind, ErrorKind::Missing);
}

#[test]
fn a_comment_is_said_once() {
    let played = play();
    let (client, order) = (client(&played), order(&played));
    client.make_branch(&order).unwrap();
    let number = client.open(&order).unwrap().pull.number;
    played.set(|knobs| knobs.page = Some(2));
    for mark in ["a-1", "a-2", "a-3", "a-4", "a-5"] {
        for _ in 0..2 {
            client.comment(&order, number, "Again.", mark).unwrap();
        }
    }
    let comments = &played.pulls(REPO)[0].comments;
    assert_eq!(comments.len(), 5, "{comments:?}");
    assert!(
        comments[0].ends_with("<!-- autofix:a-1 -->\n"),
        "{comments:?}"
    );
    for bad in ["", "x-->y", "a b", "ü"] {
        let refused = client.comment(&order, number, "x", bad).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Invalid, "{bad}");
    }
    let paths: Vec<String> = played.heard().into_iter().map(|h| h.path).collect();
    assert!(paths.iter().all(|p| p.starts_with("repos/")), "{paths:?}");
}
