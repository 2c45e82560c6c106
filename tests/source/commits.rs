//! Which commits resolve, and what is said about those that do not.

use crate::sample::{Sample, at, git, open, soon};
use autofix::model::CommitId;
use autofix::source::{ErrorKind, Mirrors};

fn kind(sample: &Sample, id: &str, branches: &[&str]) -> Result<String, ErrorKind> {
    let branches: Vec<String> = branches.iter().map(|b| (*b).to_owned()).collect();
    let found = sample
        .open()
        .resolve(&CommitId::parse(id).unwrap(), &branches);
    found.map(|commit| commit.to_string()).map_err(|e| e.kind)
}

#[test]
fn commits_resolve_only_from_allowed_branches() {
    let sample = Sample::new();
    let first = sample.commit(9.0, "one", &[("a", Some("1"))]);
    let second = sample.commit(8.0, "two", &[("a", Some("2"))]);
    let other = sample.commit_on("feature/x", &[&first], 7.0, "three", &[("a", Some("3"))]);
    let lost = sample.commit_on("gone", &[&first], 6.0, "four", &[("a", Some("4"))]);
    sample
        .git
        .find_reference("refs/heads/gone")
        .unwrap()
        .delete()
        .unwrap();
    let foreign = sample.commit_on("pull", &[&first], 6.0, "five", &[("a", Some("5"))]);
    let id = git2::Oid::from_str(&foreign).unwrap();
    sample
        .git
        .reference("refs/pull/7/head", id, true, "")
        .unwrap();
    sample
        .git
        .find_reference("refs/heads/pull")
        .unwrap()
        .delete()
        .unwrap();

    assert_eq!(kind(&sample, &second, &[]), Ok(second.clone()));
    assert_eq!(kind(&sample, &second[..9], &["main"]), Ok(second.clone()));
    assert_eq!(kind(&sample, &other, &[]), Ok(other.clone()));
    assert_eq!(kind(&sample, &other, &["feature/*"]), Ok(other.clone()));
    assert_eq!(kind(&sample, &first, &["feature/*"]), Ok(first.clone()));
    for outside in [&lost, &foreign] {
        assert_eq!(kind(&sample, outside, &[]), Err(ErrorKind::OutsideBranches));
    }
    assert_eq!(
        kind(&sample, &other, &["main"]),
        Err(ErrorKind::OutsideBranches)
    );
    assert_eq!(
        kind(&sample, &second, &["nope"]),
        Err(ErrorKind::OutsideBranches)
    );
    let unknown = "f".repeat(40);
    assert_eq!(kind(&sample, &unknown, &[]), Err(ErrorKind::UnknownCommit));
    assert_eq!(kind(&sample, "1234567", &[]), Err(ErrorKind::UnknownCommit));
    let tag = format!("refs/tags/{lost}");
    let id = git2::Oid::from_str(&lost).unwrap();
    sample.git.reference(&tag, id, true, "").unwrap();
    assert_eq!(kind(&sample, &lost, &[]), Ok(lost));
}

#[test]
fn a_branch_named_like_digits_is_no_commit() {
    let sample = Sample::new();
    let first = sample.commit(2.0, "one", &[("a", Some("1"))]);
    let id = git2::Oid::from_str(&first).unwrap();
    sample
        .git
        .reference("refs/heads/deadbeef", id, true, "")
        .unwrap();
    assert_eq!(
        kind(&sample, "deadbeef", &[]),
        Err(ErrorKind::UnknownCommit)
    );
}

#[test]
fn a_missing_repository_and_a_folder_without_one_are_told_apart() {
    let sample = Sample::new();
    sample.commit(1.0, "one", &[("a/b", Some("1"))]);
    let http = autofix::net::Http::new(&autofix::net::Settings::default()).unwrap();
    let mirrors = Mirrors::new(
        sample.dir.path().join("m"),
        http,
        autofix::log::Log::silent(),
    );
    let say = |address: &str| {
        let e = mirrors.open(address, &|_| None, soon()).unwrap_err();
        assert_eq!(e.kind, ErrorKind::NoRepository, "{e}");
        e.to_string()
    };
    assert!(say("/nowhere/at/all").contains("no such folder"));
    std::fs::create_dir(sample.path().join("a")).unwrap();
    let inside = say(sample.path().join("a").to_str().unwrap());
    assert!(inside.contains("the repository around it is"), "{inside}");
    for address in [
        "ssh://git@example.com/a",
        "git@example.com:a/b",
        "ftp://x/y",
        "http://example.com/a",
    ] {
        assert!(say(address).contains("https://"), "{address}");
    }
    let file = format!("file://{}", sample.path().display());
    assert!(mirrors.open(&file, &|_| None, soon()).is_ok());
    assert!(
        !sample.dir.path().join("m").exists(),
        "local ones need no mirror"
    );
}

#[test]
fn somebody_elses_repository_is_refused_with_the_remedy() {
    use std::os::unix::fs::chown;
    let sample = Sample::new();
    sample.commit(1.0, "one", &[("a", Some("1"))]);
    // A user's own safe.directory must not decide this test.
    if chown(sample.path(), Some(12_345), None).is_err()
        || chown(sample.path().join(".git"), Some(12_345), None).is_err()
    {
        println!("SKIPPED somebody_elses_repository_is_refused_with_the_remedy: not root");
        return;
    }
    let http = autofix::net::Http::new(&autofix::net::Settings::default()).unwrap();
    let mirrors = Mirrors::new(
        sample.dir.path().join("m"),
        http,
        autofix::log::Log::silent(),
    );
    let path = sample.path();
    match mirrors.open(path.to_str().unwrap(), &|_| None, soon()) {
        Err(e) => {
            assert_eq!(e.kind, ErrorKind::NotOwner, "{e}");
            let words = e.to_string();
            assert!(words.contains("safe.directory") && words.contains(path.to_str().unwrap()));
        }
        Ok(_) => println!(
            "SKIPPED somebody_elses_repository_is_refused_with_the_remedy: safe.directory allows all"
        ),
    }
}

#[test]
fn nothing_is_written_to_the_users_repository() {
    let sample = Sample::new();
    sample.commit(9.0, "one", &[("a.py", Some("a\nb\nc\nd\ne\nf\n"))]);
    let bad = sample.commit(2.0, "two", &[("a.py", Some("a\nb\nc\nd\nE\nf\n"))]);
    let files = || {
        let out = std::process::Command::new("find")
            .arg(sample.path())
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    let before = files();
    let repo = sample.open();
    let edit = autofix::source::diff::Edit {
        path: "new/ü b.py".into(),
        content: Some(b"x\n".to_vec()),
        new_mode: 0o100_644,
    };
    let diffed = repo.diff_edits(at(&repo, &bad), &[edit]).unwrap();
    assert_eq!(diffed.files, ["new/ü b.py"]);
    assert_eq!(before, files());
    assert!(sample.apply(&bad, &diffed.text).join("new/ü b.py").exists());
}

#[test]
fn a_detached_checkout_and_a_bare_one_open_too() {
    let sample = Sample::new();
    let first = sample.commit(9.0, "one", &[("a", Some("1"))]);
    git(&sample.path(), &["checkout", "-q", "--detach", &first]);
    git(&sample.path(), &["branch", "-D", "main"]);
    let repo = sample.open();
    assert_eq!(at(&repo, &first), repo.head().unwrap());
    git(&sample.path(), &["clone", "-q", "--bare", ".", "../bare"]);
    let bare = open(&sample.dir.path().join("bare"));
    assert_eq!(bare.paths(bare.head().unwrap()).unwrap(), ["a"]);
}
