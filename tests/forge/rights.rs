//! What a token may do, told without a single write.

use crate::github_server::{Access, Played, TOKEN, play};
use crate::orders::{BOT, REPO, http, settings, token};
use autofix::deliver::forge::github::Github;
use autofix::deliver::forge::{Forge, Rights};

fn rights(played: &Played, fork: Option<&str>, base: Option<&str>, text: &str) -> Rights {
    let client = Github::new(http(), &settings(played, fork), token(text)).unwrap();
    played.take_heard();
    let rights = client.rights(base).unwrap();
    let heard = played.take_heard();
    assert!(heard.iter().all(|h| h.method == "GET"), "{heard:?}");
    rights
}

fn access(pushes: Option<&[&str]>, scopes: Option<&str>) -> Access {
    Access {
        pushes: pushes.map(|all| all.iter().map(|name| (*name).to_owned()).collect()),
        scopes: scopes.map(str::to_owned),
        until: None,
        sees: None,
    }
}

#[test]
fn a_token_that_could_push_to_the_base_is_noticed() {
    let played = play();
    let open = rights(&played, None, None, TOKEN);
    assert!(open.may_push_to_base && open.missing.is_empty() && open.unknown.is_empty());
    played.protect(REPO, "main");
    assert!(!rights(&played, None, None, TOKEN).may_push_to_base);
    let absent = rights(&played, None, Some("release"), TOKEN);
    assert!(
        absent.missing[0].contains("no branch release"),
        "{absent:?}"
    );
}

#[test]
fn what_a_token_lacks_is_named() {
    let played = play();
    let fine = "github_pat_fine";
    played.add_token(fine, access(Some(&[]), None));
    let told = rights(&played, None, None, fine);
    assert!(told.missing[0].contains("may not push to acme/shop"));
    assert!(told.unknown[0].contains("fine-grained"), "{told:?}");
    let public = "ghp_public";
    played.add_token(public, access(None, Some("public_repo, gist")));
    assert!(rights(&played, None, None, public).missing.is_empty());
    played.set_private(REPO);
    let told = rights(&played, None, None, public);
    assert!(told.missing[0].contains("`repo`"), "{told:?}");
    played.set_archived(REPO);
    let told = rights(&played, None, None, TOKEN);
    assert!(told.missing[0].contains("archived"), "{told:?}");
    let told = rights(&played, None, None, "ghp_nobody");
    assert!(
        told.missing[0].contains("does not see acme/shop"),
        "{told:?}"
    );
}

#[test]
fn a_fork_s_token_needs_no_right_to_push_to_its_repository() {
    let played = play();
    played.fork(REPO, BOT);
    let bot = "ghp_bot";
    played.add_token(bot, access(Some(&[BOT]), Some("public_repo")));
    let good = rights(&played, Some(BOT), None, bot);
    assert!(
        good.missing.is_empty() && !good.may_push_to_base,
        "{good:?}"
    );
    played.protect(REPO, "main");
    assert!(rights(&played, Some(BOT), None, TOKEN).may_push_to_base);
    let none = "ghp_none";
    played.add_token(none, access(Some(&[]), Some("public_repo")));
    let told = rights(&played, Some(BOT), None, none);
    assert!(told.missing[0].contains("the fork bot/shop"), "{told:?}");
    played.fork("bot/shop", "bot/other");
    let told = rights(&played, Some("bot/other"), None, TOKEN);
    assert!(told.missing[0].contains("no fork of acme/shop"), "{told:?}");
}
