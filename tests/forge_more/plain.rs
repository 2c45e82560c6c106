//! Plain git servers: git's own http-backend on loopback, with authentication and TLS, and folders.

use crate::git::git;
use crate::server::{AUTHORIZATION, Plays, Server, TOKEN, serve};
use crate::world::{BEFORE, BRANCH, MESSAGE, file, made, order, reader};
use autofix::deliver::forge::{Branch, ErrorKind, Forge, Looked, PlainGit};
use autofix::log::Log;
use autofix::model::Settings;
use autofix::model::delivery::{Order, PullState};
use autofix::net::{self, Http};
use autofix::source::Mirrors;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use tempfile::TempDir;

/// A bare repository with one commit on `main`, a server over it, and a person's clone.
struct World {
    dir: TempDir,
    base: String,
    server: Server,
}

impl World {
    fn new(tls: bool) -> World {
        let dir = TempDir::new().unwrap();
        let work = dir.path().join("work");
        std::fs::create_dir(&work).unwrap();
        git(&work, &["init", "-q", "-b", "main"]);
        for (path, text) in BEFORE {
            let path = work.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        git(&work, &["add", "-A"]);
        git(&work, &["commit", "-q", "-m", "Begin"]);
        let base = git(&work, &["rev-parse", "HEAD"]);
        git(
            dir.path(),
            &["clone", "-q", "--bare", "work", "srv/shop.git"],
        );
        let bare = dir.path().join("srv/shop.git");
        git(&bare, &["config", "http.receivepack", "true"]);
        git(&work, &["remote", "add", "origin", bare.to_str().unwrap()]);
        let plays = Plays::Git {
            root: dir.path().join("srv"),
            authorization: Some(AUTHORIZATION),
        };
        World {
            base,
            server: serve(plays, tls),
            dir,
        }
    }

    fn bare(&self) -> PathBuf {
        self.dir.path().join("srv/shop.git")
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn url(&self) -> String {
        format!("{}/shop.git", self.server.address)
    }

    /// Each client has a folder of mirrors of its own, as another process on another host would.
    fn client_at(&self, repo: &str, mirrors: &str, token: &str) -> PlainGit {
        let net = net::Settings {
            extra_roots: self.server.certificate.clone(),
            ..net::Settings::default()
        };
        let http = Http::new(&net).unwrap();
        let mirrors = Mirrors::new(self.dir.path().join(mirrors), http, Log::silent());
        let settings = Settings {
            service: "shop".to_owned(),
            repo: Some(repo.to_owned()),
            ..Settings::default()
        };
        PlainGit::new(mirrors, &settings, reader(token)).unwrap()
    }

    fn client(&self) -> PlainGit {
        self.client_at(&self.url(), "mirrors", TOKEN)
    }

    fn order(&self) -> Order {
        let mut order = order(&self.base);
        let run = file("bin/run.sh", 0o100_755, Some("#!/bin/sh\n"), false);
        order.files.push(run);
        order
    }

    fn ask(&self, arguments: &[&str]) -> String {
        git(&self.bare(), arguments)
    }

    fn branches(&self) -> usize {
        self.ask(&["for-each-ref", "refs/heads"]).lines().count()
    }

    /// A person changes the checked-out branch and pushes it to `main`.
    fn person(&self, arguments: &[&[&str]]) {
        git(&self.work(), &["fetch", "-q", "origin"]);
        for one in arguments {
            git(&self.work(), one);
        }
    }
}

fn state(client: &PlainGit, order: &Order) -> PullState {
    match client.look(order, 0, None).unwrap() {
        Looked::Now { pull, .. } => pull.state,
        other => panic!("{other:?}"),
    }
}

fn holds_the_change(world: &World, tip: &str) {
    let show = |path: &str| world.ask(&["show", &format!("{tip}:{path}")]);
    assert_eq!(show("src/cart.py"), "fixed");
    assert_eq!(show("tests/cart test.py"), "test");
    assert_eq!(show("README"), "shop");
    let listed = world.ask(&["ls-tree", "-r", tip]);
    assert!(!listed.contains("old.py"), "{listed}");
    assert!(
        listed
            .lines()
            .any(|l| l.starts_with("100755") && l.ends_with("bin/run.sh"))
    );
    let about = world.ask(&["show", "-s", "--format=%P|%an|%ae|%cn|%ce", tip]);
    let base = &world.base;
    assert_eq!(
        about,
        format!("{base}|autofix|autofix@localhost|autofix|autofix@localhost")
    );
    assert_eq!(
        world.ask(&["show", "-s", "--format=%B", tip]),
        MESSAGE.trim()
    );
    world.ask(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn a_push_over_tls_makes_the_branch_and_the_same_commit_each_time() {
    let world = World::new(true);
    let tip = made(&world.client().make_branch(&world.order()).unwrap());
    holds_the_change(&world, &tip);
    assert_eq!(world.ask(&["rev-parse", BRANCH]), tip);
    let again = world.client_at(&world.url(), "others", TOKEN);
    let ours = Branch::Ours {
        tip: tip.clone(),
        same: true,
    };
    assert_eq!(again.make_branch(&world.order()).unwrap(), ours);
    // Even after it was deleted, the same change is the same commit.
    world.ask(&["branch", "-D", BRANCH]);
    assert_eq!(made(&again.make_branch(&world.order()).unwrap()), tip);
}

#[test]
fn a_push_into_a_folder_makes_the_branch_whether_bare_or_checked_out() {
    let world = World::new(false);
    let bare = world.bare();
    let tip = made(
        &world
            .client_at(bare.to_str().unwrap(), "", "")
            .make_branch(&world.order())
            .unwrap(),
    );
    holds_the_change(&world, &tip);
    let file = format!("file://{}", world.work().display());
    let client = world.client_at(&file, "mirrors", "");
    assert_eq!(made(&client.make_branch(&world.order()).unwrap()), tip);
    assert_eq!(git(&world.work(), &["rev-parse", BRANCH]), tip);
    assert_eq!(git(&world.work(), &["status", "--porcelain"]), "");
    assert_eq!(
        client.make_branch(&world.order()).unwrap(),
        Branch::Ours { tip, same: true }
    );
}

#[test]
fn a_push_works_after_the_base_moved_on_unseen() {
    let world = World::new(false);
    let client = world.client();
    assert_eq!(client.find(&world.order()).unwrap(), None);
    for number in 0..5 {
        let note = format!("n{number}");
        world.person(&[
            &["commit", "-q", "--allow-empty", "-m", &note],
            &["push", "-q", "origin", "main"],
        ]);
    }
    let tip = made(&client.make_branch(&world.order()).unwrap());
    holds_the_change(&world, &tip);
}

#[test]
fn a_branch_that_is_there_is_ours_or_theirs_and_never_moved() {
    let world = World::new(false);
    let (client, mut order) = (world.client(), world.order());
    let tip = made(&client.make_branch(&order).unwrap());
    order.message = MESSAGE.replace("c1", "c2");
    let other = Branch::Ours {
        tip: tip.clone(),
        same: false,
    };
    assert_eq!(client.make_branch(&order).unwrap(), other);
    world.person(&[
        &["checkout", "-q", BRANCH],
        &["commit", "-q", "--allow-empty", "-m", "Mine now"],
        &["push", "-q", "origin", BRANCH],
    ]);
    let tip = world.ask(&["rev-parse", BRANCH]);
    assert_eq!(
        client.make_branch(&order).unwrap(),
        Branch::Theirs { tip: tip.clone() }
    );
    // A branch at the base itself could be moved by a fast-forward: it is not.
    world.ask(&["update-ref", &format!("refs/heads/{BRANCH}"), &world.base]);
    let theirs = Branch::Theirs {
        tip: world.base.clone(),
    };
    assert_eq!(client.make_branch(&order).unwrap(), theirs);
    assert_eq!(world.ask(&["rev-parse", BRANCH]), world.base);
}

#[test]
fn two_at_once_make_one_branch() {
    for local in [false, true] {
        let world = World::new(false);
        let repo = match local {
            true => world.bare().to_str().unwrap().to_owned(),
            false => format!("{}/shop.git", meeting(&world.server.address)),
        };
        let both: Vec<Branch> = std::thread::scope(|scope| {
            let runs: Vec<_> = ["one", "two"]
                .into_iter()
                .map(|mirrors| {
                    let (client, mut order) =
                        (world.client_at(&repo, mirrors, TOKEN), world.order());
                    // Two processes need not have come to the same change.
                    order.message = MESSAGE.replace("c1", mirrors);
                    scope.spawn(move || {
                        loop {
                            match client.make_branch(&order) {
                                Err(e) if e.is_transient() => continue,
                                done => return done.unwrap(),
                            }
                        }
                    })
                })
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        let tip = world.ask(&["rev-parse", BRANCH]);
        assert!(
            both.contains(&Branch::Made { tip: tip.clone() }),
            "{both:?}"
        );
        assert!(
            both.contains(&Branch::Ours { tip, same: false }),
            "{both:?}"
        );
    }
}

#[test]
fn a_lost_answer_leads_to_one_branch() {
    let world = World::new(false);
    let (address, loses) = losing(&world.server.address);
    let client = world.client_at(&format!("{address}/shop.git"), "mirrors", TOKEN);
    client.find(&world.order()).unwrap();
    loses.store(true, Ordering::SeqCst);
    let said = client.make_branch(&world.order()).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Unreachable, "{said}");
    assert!(!loses.load(Ordering::SeqCst), "the push came through");
    let tip = world.ask(&["rev-parse", BRANCH]);
    let again = client.make_branch(&world.order()).unwrap();
    assert_eq!(
        again,
        Branch::Ours {
            tip: tip.clone(),
            same: true
        }
    );
    let (one, two) = (
        client.open(&world.order()).unwrap(),
        client.open(&world.order()).unwrap(),
    );
    assert_eq!(one, two);
    assert_eq!((one.pull.number, one.pull.tip), (0, Some(tip)));
    assert_eq!(
        client.find(&world.order()).unwrap().unwrap().state,
        PullState::Open
    );
    client.comment(&world.order(), 0, "more", "m").unwrap();
    assert_eq!(world.branches(), 2);
}

/// A way to a server that drops the answer to a push when it is told to.
fn losing(server: &str) -> (String, Arc<AtomicBool>) {
    let loses = Arc::new(AtomicBool::new(false));
    let told = loses.clone();
    let address = way(server, move |is_push| {
        !(is_push && told.swap(false, Ordering::SeqCst))
    });
    (address, loses)
}

/// A way to a server that lets the first two pushes through together: neither knows of the other.
fn meeting(server: &str) -> String {
    let (pushes, meet) = (AtomicUsize::new(0), Barrier::new(2));
    way(server, move |is_push| {
        if is_push && pushes.fetch_add(1, Ordering::SeqCst) < 2 {
            meet.wait();
        }
        true
    })
}

/// A way to a server. `passes` is asked for each request, before it goes on, whether its answer
/// comes back.
fn way(server: &str, passes: impl Fn(bool) -> bool + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = server.trim_start_matches("http://").to_owned();
    let passes = Arc::new(passes);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut from) = stream else { return };
            let (passes, server) = (passes.clone(), server.clone());
            std::thread::spawn(move || {
                let request = request_of(&mut from);
                let passes = passes(request.starts_with(b"POST /shop.git/git-receive-pack"));
                let mut to = TcpStream::connect(&server).unwrap();
                to.write_all(&request).unwrap();
                let mut answer = Vec::new();
                to.read_to_end(&mut answer).unwrap();
                if passes {
                    let _ = from.write_all(&answer);
                }
            });
        }
    });
    address
}

fn request_of(from: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut part = [0; 4096];
    loop {
        let end = request.windows(4).position(|w| w == b"\r\n\r\n");
        let head = String::from_utf8_lossy(&request[..end.unwrap_or(0)]).to_lowercase();
        let length = head.split("content-length: ").nth(1);
        let length = length.and_then(|rest| rest.lines().next()?.trim().parse().ok());
        if end.is_some_and(|end| request.len() >= end + 4 + length.unwrap_or(0)) {
            return request;
        }
        let count = from.read(&mut part).unwrap();
        assert!(count > 0, "a request that breaks off");
        request.extend_from_slice(&part[..count]);
    }
}

#[test]
fn what_became_of_it_is_told_from_the_branches() {
    let merge: &[&[&str]] = &[
        &["checkout", "-q", "main"],
        &[
            "merge",
            "-q",
            "--no-ff",
            "-m",
            "Take it in",
            "origin/autofix/shop/v1-0a-r0",
        ],
    ];
    let squash: &[&[&str]] = &[
        &["checkout", "-q", "main"],
        &["merge", "-q", "--squash", "origin/autofix/shop/v1-0a-r0"],
        &["commit", "-q", "-m", "Take it in, squashed"],
    ];
    for (how, by_id) in [(merge, true), (squash, false)] {
        for deleted in [false, true] {
            let world = World::new(false);
            let (client, order) = (world.client(), world.order());
            let tip = made(&client.make_branch(&order).unwrap());
            assert_eq!(state(&client, &order), PullState::Open);
            let Looked::Now { seen, .. } = client.look(&order, 0, None).unwrap() else {
                panic!("nothing seen")
            };
            assert_eq!(
                client.look(&order, 0, seen.as_deref()).unwrap(),
                Looked::Same
            );
            world.person(how);
            let taken = git(&world.work(), &["rev-parse", "HEAD"]);
            // The base goes on, and the file is changed again.
            std::fs::write(world.work().join("src/cart.py"), "later\n").unwrap();
            world.person(&[
                &["commit", "-q", "-am", "Later"],
                &["push", "-q", "origin", "main"],
            ]);
            if deleted {
                world.ask(&["branch", "-D", BRANCH]);
            }
            let commit = Some(if by_id { tip } else { taken });
            let merged = PullState::Merged { commit };
            assert_eq!(state(&client, &order), merged);
            assert_eq!(client.find(&order).unwrap().unwrap().state, merged);
        }
    }
}

#[test]
fn a_branch_that_is_deleted_is_closed() {
    let world = World::new(false);
    let (client, order) = (world.client(), world.order());
    client.make_branch(&order).unwrap();
    world.ask(&["branch", "-D", BRANCH]);
    world.person(&[
        &["commit", "-q", "--allow-empty", "-m", "Else"],
        &["push", "-q", "origin", "main"],
    ]);
    assert_eq!(state(&client, &order), PullState::Closed);
    assert_eq!(client.find(&order).unwrap(), None);
    assert_eq!(client.open(&order).unwrap_err().kind, ErrorKind::Missing);
}

#[test]
fn content_that_the_base_had_before_is_not_taken_for_a_merge() {
    let world = World::new(false);
    // The order takes a change back: the base's past has just that content.
    std::fs::write(world.work().join("README"), "worse\n").unwrap();
    world.person(&[
        &["commit", "-q", "-am", "Worse"],
        &["push", "-q", "origin", "main"],
    ]);
    let mut order = order(&git(&world.work(), &["rev-parse", "HEAD"]));
    order.files = vec![file("README", 0o100_644, Some("shop\n"), true)];
    let client = world.client();
    client.make_branch(&order).unwrap();
    assert_eq!(state(&client, &order), PullState::Open);
}

#[test]
fn a_wrong_password_is_refused_without_secrets() {
    let world = World::new(false);
    for mirrors in ["fresh", "mirrors"] {
        world.client().find(&world.order()).unwrap();
        let wrong = world.client_at(&world.url(), mirrors, "wr0ng-t0ken");
        for said in [
            wrong.make_branch(&world.order()).unwrap_err(),
            wrong.rights(None).unwrap_err(),
        ] {
            assert_eq!(said.kind, ErrorKind::Refused, "{said}");
            assert!(!said.to_string().contains("wr0ng"), "{said}");
        }
    }
    assert_eq!(world.branches(), 1);
}

#[test]
fn a_redirect_is_not_followed() {
    let world = World::new(false);
    let to = format!(
        "HTTP/1.1 302 Found\r\nLocation: {}/shop.git\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        world.server.address
    );
    let away = serve(Plays::Bytes(to.into_bytes()), false);
    let client = world.client_at(&format!("{}/shop.git", away.address), "mirrors", TOKEN);
    let said = client.make_branch(&world.order()).unwrap_err();
    assert!(said.to_string().contains("redirects"), "{said}");
    assert_eq!(world.server.requests.load(Ordering::SeqCst), 0);
}

#[test]
fn a_hook_that_declines_is_said_in_its_words() {
    let world = World::new(false);
    let hook = world.bare().join("hooks/update");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let said = world.client().make_branch(&world.order()).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Invalid);
    assert!(said.to_string().contains("hook declined"), "{said}");
    assert_eq!(world.branches(), 1);
}

#[test]
fn a_lock_that_a_killed_process_left_is_named() {
    let world = World::new(false);
    let lock = world.bare().join(format!("refs/heads/{BRANCH}.lock"));
    std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
    std::fs::write(&lock, "").unwrap();
    let client = world.client_at(world.bare().to_str().unwrap(), "", "");
    let said = client.make_branch(&world.order()).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Unreachable);
    assert!(said.to_string().contains(lock.to_str().unwrap()), "{said}");
    std::fs::remove_file(&lock).unwrap();
    made(&client.make_branch(&world.order()).unwrap());
}

#[test]
fn rights_are_told_without_writing() {
    let world = World::new(false);
    let rights = world.client().rights(None).unwrap();
    assert_eq!((rights.missing.len(), rights.may_push_to_base), (0, true));
    assert!(rights.unknown[0].contains("main"), "{rights:?}");
    world.ask(&["config", "http.receivepack", "false"]);
    let rights = world.client().rights(Some("gone")).unwrap();
    let said = rights.missing.join("\n");
    assert!(
        said.contains("takes no pushes") && said.contains("no branch gone"),
        "{said}"
    );
    assert!(!rights.may_push_to_base);
    assert_eq!(world.branches(), 1);
    let heads = world.server.heads.lock().unwrap();
    assert!(
        !heads
            .iter()
            .any(|head| head.contains("POST") && head.contains("git-receive-pack"))
    );
}

#[test]
fn from_a_fork_the_branch_is_made_there() {
    let world = World::new(false);
    git(
        world.dir.path(),
        &["clone", "-q", "--bare", "work", "srv/bot.git"],
    );
    let fork = world.dir.path().join("srv/bot.git");
    git(&fork, &["config", "http.receivepack", "true"]);
    world.ask(&["config", "http.receivepack", "false"]);
    let settings = |fork: String| {
        let mut settings = Settings {
            repo: Some(world.url()),
            ..Settings::default()
        };
        settings.forge.fork = Some(fork);
        settings
    };
    let mirrors = || {
        let http = Http::new(&net::Settings::default()).unwrap();
        Mirrors::new(world.dir.path().join("mirrors"), http, Log::silent())
    };
    let here = settings(format!("{}/bot.git", world.server.address));
    let client = PlainGit::new(mirrors(), &here, reader(TOKEN)).unwrap();
    let tip = made(&client.make_branch(&world.order()).unwrap());
    assert_eq!(git(&fork, &["rev-parse", BRANCH]), tip);
    assert_eq!(world.branches(), 1);
    assert_eq!(
        client.make_branch(&world.order()).unwrap(),
        Branch::Ours { tip, same: true }
    );
    assert_eq!(state(&client, &world.order()), PullState::Open);
    let rights = client.rights(None).unwrap();
    assert_eq!((rights.missing.len(), rights.may_push_to_base), (0, false));
    // A token goes to no other host.
    for elsewhere in ["https://other.example/bot.git", "/srv/bot.git"] {
        let elsewhere = settings(elsewhere.to_owned());
        assert!(PlainGit::new(mirrors(), &elsewhere, reader(TOKEN)).is_err());
    }
}
