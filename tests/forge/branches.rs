//! A branch with one commit: what it holds, whose it is when it was there, what is refused.

use crate::git::git;
use crate::github_server::{TOKEN, play, play_repo};
use crate::orders::{BOT, BRANCH, REPO, client, file, fork_client, message, order};
use autofix::deliver::forge::{Branch, ErrorKind, Forge};

#[test]
fn a_branch_holds_the_change_and_nothing_else() {
    let played = play();
    let base = played.push(REPO, "main", "old.txt", "x", "More");
    let mut order = order(&played);
    order.files.push(file("old.txt", None, true));
    let Branch::Made { tip } = client(&played).make_branch(&order).unwrap() else {
        panic!("it was there");
    };
    assert_eq!(played.tip(REPO, BRANCH), Some(tip.clone()));
    assert_eq!(played.branches(REPO), [BRANCH, "main"]);
    let commit = played.commit(REPO, &tip);
    assert_eq!(commit["parents"][0]["sha"], base.as_str());
    assert_eq!(commit["message"], order.message.trim_end());
    let text = |path: &str| played.text(REPO, BRANCH, path);
    assert_eq!(
        text("src/cart.py").unwrap(),
        "def charge():\n    return None\n"
    );
    assert_eq!(text("tests/test_cart.py").unwrap(), "# ünï\n");
    assert_eq!(text("old.txt"), None);
    for heard in played.heard() {
        let is_commit = heard.method == "POST" && heard.path.ends_with("git/commits");
        if let Some(body) = heard.json().filter(|_| is_commit) {
            assert!(body.get("author").is_none() && body.get("committer").is_none());
        }
    }
}

#[test]
fn a_branch_that_is_there_is_ours_or_somebodys() {
    let played = play();
    let mut order = order(&played);
    let made = client(&played).make_branch(&order).unwrap();
    let Branch::Made { tip } = made else {
        panic!("{made:?}")
    };
    let again = client(&played).make_branch(&order).unwrap();
    assert_eq!(
        again,
        Branch::Ours {
            tip: tip.clone(),
            same: true
        }
    );
    order.message = message("c2");
    let other = client(&played).make_branch(&order).unwrap();
    assert_eq!(other, Branch::Ours { tip, same: false });
    let theirs = played.push(REPO, BRANCH, "x.txt", "mine", "Mine");
    let pushed = client(&played).make_branch(&order).unwrap();
    assert_eq!(
        pushed,
        Branch::Theirs {
            tip: theirs.clone()
        }
    );
    assert_eq!(
        played.tip(REPO, BRANCH),
        Some(theirs),
        "nothing was pushed over"
    );
    played.delete_branch(REPO, BRANCH);
    let anew = client(&played).make_branch(&order).unwrap();
    assert!(matches!(anew, Branch::Made { .. }), "{anew:?}");
}

#[test]
fn who_comes_second_to_the_ref_sees_whose_it_is() {
    let played = play();
    let order = order(&played);
    played.set(|knobs| knobs.overtaken = Some(message("c9")));
    let second = client(&played).make_branch(&order).unwrap();
    assert!(
        matches!(second, Branch::Ours { same: false, .. }),
        "{second:?}"
    );
    let played = play();
    played.set(|knobs| knobs.overtaken = Some("A person's".to_owned()));
    let own = crate::orders::order(&played);
    let second = client(&played).make_branch(&own).unwrap();
    assert!(matches!(second, Branch::Theirs { .. }), "{second:?}");
}

#[test]
fn a_fork_takes_the_branch() {
    let played = play();
    played.fork(REPO, BOT);
    let order = order(&played);
    let made = fork_client(&played).make_branch(&order).unwrap();
    assert!(matches!(made, Branch::Made { .. }), "{made:?}");
    assert_eq!(played.branches(REPO), ["main"]);
    assert_eq!(played.branches(BOT), [BRANCH]);
    let writes = played.heard().into_iter().filter(|h| h.method == "POST");
    for write in writes {
        assert!(write.path.starts_with("repos/bot/shop/git/"), "{write:?}");
    }
}

#[test]
fn an_empty_repository_and_a_strange_commit_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let played = play_repo(REPO, &dir.path().join("empty.git"));
    let mut order = order(&play());
    let empty = client(&played).make_branch(&order).unwrap_err();
    assert_eq!(empty.kind, ErrorKind::Invalid);
    assert!(
        empty.to_string().contains("is an empty repository"),
        "{empty}"
    );
    let played = play();
    order.base_commit = "0123456789".repeat(4);
    let strange = client(&played).make_branch(&order).unwrap_err();
    assert_eq!(strange.kind, ErrorKind::Missing);
    assert!(strange.to_string().contains("Sync fork"), "{strange}");
}

#[test]
fn what_must_not_be_sent_is_not_sent() {
    let played = play();
    for path in [
        ".github/workflows/ci.yml",
        ".GitHub/Workflows/x",
        "a/../b",
        "/etc/x",
        "a//b",
        ".git/config",
        "x/.git/config",
        "",
    ] {
        let mut order = order(&played);
        order.files.push(file(path, Some("x"), false));
        let refused = client(&played).make_branch(&order).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Invalid, "{path}: {refused}");
    }
    let mut link = order(&played);
    link.files[0].mode = 0o120_000;
    assert!(client(&played).make_branch(&link).is_err());
    assert!(played.heard().is_empty(), "nothing was sent");
}

#[test]
fn only_the_repository_is_asked_and_with_the_headers() {
    let played = play();
    let client = client(&played);
    let order = order(&played);
    client.make_branch(&order).unwrap();
    let opened = client.open(&order).unwrap();
    client.look(&order, opened.pull.number, None).unwrap();
    client
        .comment(&order, opened.pull.number, "x", "m")
        .unwrap();
    client.rights(None).unwrap();
    for heard in played.heard() {
        assert!(heard.path.starts_with("repos/acme/shop"), "{}", heard.path);
        let bearer = format!("Bearer {TOKEN}");
        assert_eq!(heard.header("authorization"), Some(bearer.as_str()));
        assert_eq!(heard.header("accept"), Some("application/vnd.github+json"));
        assert_eq!(heard.header("x-github-api-version"), Some("2022-11-28"));
        assert!(heard.header("user-agent").unwrap().starts_with("autofix/"));
    }
    let debug = format!("{client:?}");
    assert!(!debug.contains(TOKEN), "{debug}");
}

#[test]
fn a_branch_over_a_repository_that_was_there_can_be_cloned() {
    let dir = tempfile::tempdir().unwrap();
    let (work, bare) = (dir.path().join("work"), dir.path().join("shop.git"));
    std::fs::create_dir(&work).unwrap();
    git(&work, &["init", "-q", "-b", "main"]);
    std::fs::write(work.join("run.sh"), "true\n").unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "-q", "-m", "Begin"]);
    let (from, to) = (work.to_str().unwrap(), bare.to_str().unwrap());
    git(dir.path(), &["clone", "-q", "--bare", from, to]);
    let played = play_repo(REPO, &bare);
    let mut order = order(&played);
    order.files[0].mode = 0o100_755;
    client(&played).make_branch(&order).unwrap();
    git(
        dir.path(),
        &["clone", "-q", "--branch", BRANCH, to, "clone"],
    );
    let clone = dir.path().join("clone");
    let changed = git(&clone, &["diff", "--summary", "HEAD~1"]);
    assert_eq!(
        changed,
        "create mode 100755 src/cart.py\n create mode 100644 tests/test_cart.py"
    );
    assert_eq!(git(&clone, &["fsck", "--strict"]), "");
    let message = git(&clone, &["log", "-1", "--format=%B"]);
    assert_eq!(message, order.message.trim_end());
}
