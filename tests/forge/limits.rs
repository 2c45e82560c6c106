//! Limits, refusals and redirects: which kind of error each is, how long to wait, and that no error
//! repeats the token.

use crate::github_server::{Access, TOKEN, play};
use crate::orders::{REPO, client, http, order, settings, token};
use autofix::deliver::forge::github::{Auth, Github};
use autofix::deliver::forge::{ErrorKind, Forge};
use std::time::Duration;

fn limited(kind: ErrorKind) -> u64 {
    match kind {
        ErrorKind::Limited(wait) => wait.as_secs(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_limit_says_how_long() {
    let played = play();
    let (client, order) = (client(&played), order(&played));
    played.set(|knobs| knobs.secondary = Some((1, 17)));
    assert_eq!(limited(client.make_branch(&order).unwrap_err().kind), 17);
    played.set(|knobs| knobs.primary = Some(900));
    let wait = limited(client.make_branch(&order).unwrap_err().kind);
    assert!((899..=902).contains(&wait), "{wait}");
    played.set(|knobs| knobs.primary = Some(9_999_999));
    assert_eq!(limited(client.make_branch(&order).unwrap_err().kind), 7200);
    played.set(|knobs| {
        knobs.primary = None;
        knobs.secondary_in_words = true;
    });
    assert_eq!(limited(client.make_branch(&order).unwrap_err().kind), 60);
    played.set(|knobs| knobs.secondary_in_words = false);
    client.make_branch(&order).unwrap();
}

#[test]
fn refusals_are_told_without_the_token() {
    let played = play();
    played.set(|knobs| knobs.repeats_token = true);
    let order = order(&played);
    let stranger = "github_pat_stranger0000000000";
    let settings = settings(&played, None);
    let bad = Github::new(http(), &settings, token(stranger)).unwrap();
    let told = bad.make_branch(&order).unwrap_err();
    assert_eq!(told.kind, ErrorKind::Refused);
    assert!(told.to_string().contains("You sent Bearer …"), "{told}");
    let reads = "github_pat_reads0000000000000";
    let access = Access {
        pushes: Some(Vec::new()),
        scopes: None,
        until: None,
        sees: None,
    };
    played.add_token(reads, access);
    let reader = Github::new(http(), &settings, token(reads)).unwrap();
    let told = reader.make_branch(&order).unwrap_err();
    assert_eq!(told.kind, ErrorKind::Refused);
    assert!(!format!("{told} {told:?}").contains(reads), "{told}");
}

#[test]
fn no_redirect_is_followed() {
    let (played, elsewhere) = (play(), play());
    let to = format!("{}/repos/acme/shop", elsewhere.url);
    played.set(|knobs| knobs.redirect = Some(to));
    let order = order(&played);
    let told = client(&played).make_branch(&order).unwrap_err();
    assert_eq!(told.kind, ErrorKind::Settings);
    assert!(told.to_string().contains("renamed or moved"), "{told}");
    assert!(elsewhere.heard().is_empty());
}

#[test]
fn without_a_usable_token_nothing_is_asked() {
    let played = play();
    let order = order(&played);
    let settings = settings(&played, None);
    let none: Auth = Auth::Token(Box::new(|| None));
    for auth in [none, token(""), token("a\r\nX-Evil: 1"), token("ü")] {
        let client = Github::new(http(), &settings, auth).unwrap();
        let told = client.make_branch(&order).unwrap_err();
        assert_eq!(told.kind, ErrorKind::Settings, "{told}");
    }
    assert!(played.heard().is_empty());
}

#[test]
fn a_host_that_is_not_there_is_worth_another_try() {
    let played = play();
    let order = order(&played);
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let mut settings = settings(&played, None);
    settings.forge.api = Some(format!("http://{address}"));
    let client = Github::new(http(), &settings, token(TOKEN)).unwrap();
    let told = client.make_branch(&order).unwrap_err();
    assert_eq!(told.kind, ErrorKind::Unreachable, "{told}");
    assert!(told.is_transient());
}

#[test]
fn a_slow_answer_is_waited_for() {
    let played = play();
    played.set(|knobs| knobs.slow = Some(Duration::from_millis(50)));
    client(&played).make_branch(&order(&played)).unwrap();
    assert_eq!(played.branches(REPO).len(), 2);
}
