//! Mirrors over HTTP: git's own server with and without TLS and authentication, servers that
//! misbehave, and two processes on one mirror.

use crate::sample::{Sample, soon};
use crate::server::{AUTHORIZATION, Plays, Server, TOKEN, serve};
use autofix::log::Log;
use autofix::model::CommitId;
use autofix::net::{Http, Secret, Settings};
use autofix::source::{Error, ErrorKind, Mirrors, Repo};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn mirrors(dir: &Path, server: &Server) -> Mirrors {
    let settings = Settings {
        extra_roots: server.certificate.clone(),
        ..Settings::default()
    };
    Mirrors::new(
        dir.join("mirrors"),
        Http::new(&settings).unwrap(),
        Log::silent(),
    )
}

fn git_server(sample: &Sample, tls: bool, authorization: Option<&'static str>) -> Server {
    serve(
        Plays::Git {
            root: sample.dir.path().to_path_buf(),
            authorization,
        },
        tls,
    )
}

fn open(mirrors: &Mirrors, server: &Server, token: Option<&str>) -> Result<Repo, Error> {
    let secret = token.map(|text| Secret::new(text.to_owned()));
    mirrors.open(
        &format!("{}/repo", server.address),
        &|_| secret.clone(),
        soon(),
    )
}

fn id(text: &str) -> CommitId {
    CommitId::parse(text).unwrap()
}

#[test]
fn a_mirror_over_tls_with_authentication_is_fetched_again_when_needed() {
    let sample = Sample::new();
    sample.commit(9.0, "one", &[("a", Some("1"))]);
    let second = sample.commit(8.0, "two", &[("a", Some("2"))]);
    let server = git_server(&sample, true, Some(AUTHORIZATION));
    let dir = TempDir::new().unwrap();
    let mirrors = mirrors(dir.path(), &server);
    let asked = std::sync::Mutex::new(Vec::new());
    let repo = mirrors
        .open(
            &format!("{}/repo", server.address),
            &|host| {
                asked.lock().unwrap().push(host.to_owned());
                Some(Secret::new(TOKEN.to_owned()))
            },
            soon(),
        )
        .unwrap();
    // With its port: that is how the registry names it.
    let host = server.address.split_once("://").unwrap().1;
    assert_eq!(*asked.lock().unwrap(), [host]);
    let commit = repo.resolve(&id(&second), &["main".to_owned()]).unwrap();
    assert_eq!(repo.read_file(commit, "a").unwrap().unwrap(), b"2");
    let before = server.requests.load(Ordering::SeqCst);

    // What is there needs no network; what is not is fetched, but not twice in a row.
    let repo = open(&mirrors, &server, Some(TOKEN)).unwrap();
    repo.resolve(&id(&second), &[]).unwrap();
    assert_eq!(server.requests.load(Ordering::SeqCst), before);
    let third = sample.commit(7.0, "three", &[("a", Some("3"))]);
    let missing = repo.resolve(&id(&third), &[]).unwrap_err();
    assert_eq!(missing.kind, ErrorKind::UnknownCommit);
    assert_eq!(server.requests.load(Ordering::SeqCst), before);
    make_old(dir.path());
    let repo = open(&mirrors, &server, Some(TOKEN)).unwrap();
    let commit = repo.resolve(&id(&third[..10]), &[]).unwrap();
    assert_eq!(repo.read_file(commit, "a").unwrap().unwrap(), b"3");
    for file in walk(dir.path()) {
        let text = std::fs::read(&file).unwrap();
        let leaked = text.windows(TOKEN.len()).any(|w| w == TOKEN.as_bytes());
        assert!(!leaked, "the token stands in {}", file.display());
    }
}

/// Sets every mirror's stamp back, as if time had passed.
fn make_old(dir: &Path) {
    for file in walk(dir)
        .into_iter()
        .filter(|f| f.extension().is_some_and(|e| e == "stamp"))
    {
        let then = std::time::SystemTime::now() - Duration::from_secs(600);
        std::fs::File::options()
            .write(true)
            .open(file)
            .unwrap()
            .set_modified(then)
            .unwrap();
    }
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn wrong_and_missing_credentials_are_told_apart() {
    let sample = Sample::new();
    sample.commit(9.0, "one", &[("a", Some("1"))]);
    let server = git_server(&sample, false, Some(AUTHORIZATION));
    let dir = TempDir::new().unwrap();
    let mirrors = mirrors(dir.path(), &server);
    for (token, words) in [
        (Some("wr0ng"), "refuses the credentials"),
        (None, "none are configured"),
    ] {
        let e = open(&mirrors, &server, token).unwrap_err();
        assert_eq!(e.kind, ErrorKind::Denied);
        assert!(e.to_string().contains(words), "{e}");
        assert!(!e.to_string().contains("wr0ng"), "{e}");
    }
    // One request each: a refused token is not tried again.
    assert_eq!(server.requests.load(Ordering::SeqCst), 2);
}

#[test]
fn an_unknown_certificate_is_refused() {
    let sample = Sample::new();
    sample.commit(9.0, "one", &[("a", Some("1"))]);
    let mut server = git_server(&sample, true, None);
    server.certificate = None;
    let dir = TempDir::new().unwrap();
    let e = open(&mirrors(dir.path(), &server), &server, None).unwrap_err();
    assert_eq!(e.kind, ErrorKind::Network, "{e}");
}

#[test]
fn deleted_branches_and_proposals_are_not_in_a_mirror() {
    let sample = Sample::new();
    let first = sample.commit(9.0, "one", &[("a", Some("1"))]);
    let gone = sample.commit_on("gone", &[&first], 8.0, "two", &[("a", Some("2"))]);
    let foreign = sample.commit_on("x", &[&first], 8.0, "three", &[("a", Some("3"))]);
    let oid = git2::Oid::from_str(&foreign).unwrap();
    sample
        .git
        .reference("refs/pull/1/head", oid, true, "")
        .unwrap();
    sample
        .git
        .find_reference("refs/heads/x")
        .unwrap()
        .delete()
        .unwrap();
    let server = git_server(&sample, false, None);
    let dir = TempDir::new().unwrap();
    let mirrors = mirrors(dir.path(), &server);
    let repo = open(&mirrors, &server, None).unwrap();
    repo.resolve(&id(&gone), &[]).unwrap();
    let e = repo.resolve(&id(&foreign), &[]).unwrap_err();
    assert_eq!(e.kind, ErrorKind::UnknownCommit);
    sample
        .git
        .find_reference("refs/heads/gone")
        .unwrap()
        .delete()
        .unwrap();
    make_old(dir.path());
    let e = open(&mirrors, &server, None)
        .unwrap()
        .resolve(&id(&foreign), &[])
        .unwrap_err();
    assert_eq!(e.kind, ErrorKind::UnknownCommit);
    let e = open(&mirrors, &server, None)
        .unwrap()
        .resolve(&id(&gone), &[])
        .unwrap_err();
    assert_eq!(e.kind, ErrorKind::OutsideBranches);
}

#[test]
fn a_mirror_knows_the_default_branch_and_when_it_changes() {
    let sample = Sample::new();
    let first = sample.commit(9.0, "one", &[("a", Some("1"))]);
    let other = sample.commit_on("trunk", &[&first], 8.0, "two", &[("a", Some("2"))]);
    let server = git_server(&sample, false, None);
    let dir = TempDir::new().unwrap();
    let mirrors = mirrors(dir.path(), &server);
    let repo = open(&mirrors, &server, None).unwrap();
    assert_eq!(repo.tip(None).unwrap().to_string(), first);
    assert_eq!(repo.tip(Some("trunk")).unwrap().to_string(), other);
    sample.git.set_head("refs/heads/trunk").unwrap();
    // A mirror that was just fetched is left alone.
    repo.refresh().unwrap();
    assert_eq!(repo.tip(None).unwrap().to_string(), first);
    make_old(dir.path());
    repo.refresh().unwrap();
    assert_eq!(repo.tip(None).unwrap().to_string(), other);
}

#[test]
fn leftovers_of_a_killed_process_do_not_stop_the_next_fetch() {
    let sample = Sample::new();
    sample.commit(9.0, "one", &[("a", Some("1"))]);
    let server = git_server(&sample, false, None);
    let dir = TempDir::new().unwrap();
    let mirrors = mirrors(dir.path(), &server);
    drop(open(&mirrors, &server, None).unwrap());
    let mirror = std::fs::read_dir(dir.path().join("mirrors"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "git"))
        .unwrap();
    std::fs::write(mirror.join("refs/heads/main.lock"), "").unwrap();
    std::fs::write(mirror.join("packed-refs.lock"), "").unwrap();
    std::fs::write(mirror.join("objects/pack/pack_git2_x"), "half").unwrap();
    let second = sample.commit(8.0, "two", &[("a", Some("2"))]);
    make_old(dir.path());
    open(&mirrors, &server, None)
        .unwrap()
        .resolve(&id(&second), &[])
        .unwrap();
    assert!(!mirror.join("objects/pack/pack_git2_x").exists());
}

#[test]
fn many_at_once_share_one_mirror() {
    let sample = Sample::new();
    let mut last = String::new();
    for at in 0..5 {
        last = sample.commit(9.0, "more", &[("a", Some(&at.to_string()))]);
    }
    let server = git_server(&sample, false, None);
    let dir = TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let repo = open(&mirrors(dir.path(), &server), &server, None).unwrap();
                repo.resolve(&id(&last), &[]).unwrap();
            });
        }
    });
    // One fetch asks twice: for the list, then for the pack.
    assert!(server.requests.load(Ordering::SeqCst) <= 3);
}

fn fails(plays: Plays, patience: Duration) -> Error {
    let server = serve(plays, false);
    let dir = TempDir::new().unwrap();
    let mirrors = mirrors(dir.path(), &server).with_size_limit(1 << 20);
    let began = Instant::now();
    let address = format!("{}/repo", server.address);
    let e = mirrors
        .open(&address, &|_| None, began + patience)
        .unwrap_err();
    assert!(began.elapsed() < patience + Duration::from_secs(3), "{e}");
    let left: Vec<_> = walk(dir.path())
        .into_iter()
        .filter(|f| f.extension().is_none_or(|e| e != "lock"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    e
}

#[test]
fn a_fake_server_that_hangs_is_left_in_time() {
    let e = fails(Plays::Silence, Duration::from_secs(2));
    assert_eq!(e.kind, ErrorKind::Deadline, "{e}");
    assert!(e.is_transient());
}

#[test]
fn a_fake_server_that_never_ends_meets_the_size_limit() {
    let e = fails(Plays::Endless, Duration::from_secs(20));
    assert_eq!(e.kind, ErrorKind::TooLarge, "{e}");
}

#[test]
fn fake_servers_that_speak_nonsense_are_refused() {
    let http = |status: &str, more: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    };
    let advertises = "Content-Type: application/x-git-upload-pack-advertisement\r\n";
    for (bytes, kind) in [
        (vec![0xff; 4_000], ErrorKind::Network),
        (
            http("200 OK", "Content-Type: text/html\r\n", "<html>"),
            ErrorKind::Network,
        ),
        (
            http("200 OK", advertises, "zzzz\0\0nonsense"),
            ErrorKind::Network,
        ),
        (http("200 OK", advertises, ""), ErrorKind::Network),
        (http("500 Oops", "", ""), ErrorKind::Network),
        (http("404 Not Found", "", ""), ErrorKind::NoRepository),
        (
            http("302 Found", "Location: http://127.0.0.1:1/evil\r\n", ""),
            ErrorKind::NoRepository,
        ),
    ] {
        let shown = String::from_utf8_lossy(&bytes)
            .chars()
            .take(60)
            .collect::<String>();
        let e = fails(Plays::Bytes(bytes), Duration::from_secs(20));
        assert_eq!(e.kind, kind, "{shown}: {e}");
    }
}

#[test]
fn credentials_do_not_follow_a_redirect() {
    let sample = Sample::new();
    sample.commit(9.0, "one", &[("a", Some("1"))]);
    let target = git_server(&sample, false, None);
    let to = format!(
        "HTTP/1.1 307 Moved\r\nLocation: {}/repo/info/refs?service=git-upload-pack\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        target.address
    );
    let server = serve(Plays::Bytes(to.into_bytes()), false);
    let dir = TempDir::new().unwrap();
    let e = open(&mirrors(dir.path(), &server), &server, Some(TOKEN)).unwrap_err();
    assert!(e.to_string().contains("redirects to"), "{e}");
    assert_eq!(target.requests.load(Ordering::SeqCst), 0);
    assert!(
        server.heads.lock().unwrap()[0]
            .to_lowercase()
            .contains("authorization:")
    );
}

#[test]
fn what_is_too_large_is_cut_to_its_newest_history() {
    let sample = Sample::new();
    let mut last = String::new();
    let mut seed = 1u64;
    for at in 0..520 {
        // Text that does not compress, so that old versions weigh something.
        let mut text = String::new();
        for _ in 0..60 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            write!(text, "{seed:x}").unwrap();
        }
        if at < 15 {
            text += &noise(&mut seed, 20_000);
        }
        last = sample.commit(9.0 - f64::from(at) * 0.001, "more", &[("a", Some(&text))]);
    }
    let server = git_server(&sample, false, None);
    let dir = TempDir::new().unwrap();
    let mirrors = mirrors(dir.path(), &server).with_size_limit(420_000);
    let repo = open(&mirrors, &server, None).unwrap();
    repo.resolve(&id(&last), &[]).unwrap();
    assert!(repo.is_shallow());
    assert!(
        repo.notes()
            .iter()
            .any(|note| note.contains("only the newest")),
        "{:?}",
        repo.notes()
    );
}

fn noise(seed: &mut u64, length: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        write!(text, "{:x}", *seed >> 8).unwrap();
    }
    text
}
