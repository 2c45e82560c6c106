//! How an action is carried on: not waited for, polled, and taken over from a process that was killed.

use crate::ALL;
use crate::daemon::{is_absent, wait};
use crate::proxy::Proxy;
use crate::world::World;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

#[test]
fn what_is_not_waited_for_is_polled_to_its_end() {
    let test = "what_is_not_waited_for_is_polled_to_its_end";
    if is_absent(test) {
        return;
    }
    let world = World::new(ALL);
    let before = world.given_up();
    world.mend();
    world.json(0, &["act", "web", "restart"]);
    let approved = world.json(0, &["approve", "1", "--no-wait"]);
    assert_eq!(approved["stage"], "approved");
    for _ in 0..2 {
        // Looking alone carries nothing on.
        assert_eq!(world.json(0, &["act", "--poll", "1"])["stage"], "approved");
    }
    assert_eq!(world.daemon.spawned("web"), before);
    let done = world.json(0, &["act", "--poll", "1", "--wait"]);
    assert_eq!(
        (&done["stage"], &done["outcome"]),
        (&"done".into(), &"healthy".into())
    );
    assert_eq!(world.daemon.spawned("web"), before + 1);
    // It is over: nothing comes of waiting again.
    assert_eq!(
        world.json(0, &["act", "--poll", "1", "--wait"])["stage"],
        "done"
    );
    assert_eq!(world.daemon.spawned("web"), before + 1);
}

#[test]
fn in_mode_auto_it_is_carried_out_at_once_and_in_propose_never() {
    let test = "in_mode_auto_it_is_carried_out_at_once_and_in_propose_never";
    if is_absent(test) {
        return;
    }
    let world = World::new("mode = \"propose\"\nverbs = [\"restart\"]");
    let before = world.given_up();
    let said = world.json(0, &["act", "web", "restart"]);
    assert_eq!(said["stage"], "proposed");
    assert_eq!(world.run(&["approve", "1"]).status, 2);
    assert_eq!(world.daemon.spawned("web"), before);
    world.mend();
    world.allow(
        &world.daemon.socket(),
        "mode = \"auto\"\nverbs = [\"restart\"]",
    );
    let ran = world.run(&["act", "web", "restart"]);
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("healthy  2 web"), "{}", ran.out);
    assert_eq!(world.daemon.spawned("web"), before + 1);
}

#[test]
fn a_restart_that_does_not_help_is_status_1() {
    let test = "a_restart_that_does_not_help_is_status_1";
    if is_absent(test) {
        return;
    }
    let world = World::new("mode = \"auto\"\nverbs = [\"restart\"]");
    world.given_up();
    let done = world.json(1, &["act", "web", "restart"]);
    assert!(
        done["stage"] == "failed" || done["outcome"] == "no_change",
        "{done}"
    );
}

#[test]
fn an_approval_is_void_where_something_changed_meanwhile() {
    let test = "an_approval_is_void_where_something_changed_meanwhile";
    if is_absent(test) {
        return;
    }
    let world = World::new(ALL);
    let before = world.given_up();
    world.json(0, &["act", "web", "restart"]);
    std::fs::remove_file(world.daemon.path("current")).unwrap();
    std::os::unix::fs::symlink(
        world.daemon.path("releases/r2"),
        world.daemon.path("current"),
    )
    .unwrap();
    let ran = world.run(&["approve", "1"]);
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("another release runs now: r2"),
        "{}",
        ran.out
    );
    // The policy is another now.
    world.json(0, &["act", "web", "restart"]);
    world.allow(&world.daemon.socket(), &format!("{ALL}\nmax_instances = 1"));
    let ran = world.run(&["approve", "2"]);
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    assert_eq!(world.daemon.spawned("web"), before);
    // Where the platform does not answer it goes on waiting.
    world.json(0, &["act", "web", "restart"]);
    world.allow("unix:///no/such/socket", ALL);
    let ran = world.run(&["approve", "3"]);
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    assert_eq!(world.json(0, &["act", "--poll", "3"])["stage"], "pending");
}

/// A proxy that tells of a call and holds its answer back until it is let go.
fn holding(proxy: &Proxy, method: &'static str) -> (Receiver<()>, Sender<()>) {
    let (hit, hits) = channel();
    let (go, gate) = channel::<()>();
    let mut held = false;
    proxy.spoil(move |call| {
        if call.contains(method) && !held {
            held = true;
            let _ = hit.send(());
            let _ = gate.recv_timeout(Duration::from_secs(60));
        }
        None
    });
    (hits, go)
}

#[test]
fn one_that_is_killed_right_after_it_began_is_carried_on_and_never_begun_again() {
    let test = "one_that_is_killed_right_after_it_began_is_carried_on_and_never_begun_again";
    if is_absent(test) {
        return;
    }
    for method in ["stopProcess", "startProcess"] {
        let world = World::new(ALL);
        let proxy = Proxy::before(&world.daemon.path("s"));
        world.allow(&proxy.api(), ALL);
        let before = world.given_up();
        world.mend();
        world.json(0, &["act", "web", "restart"]);
        let (hits, go) = holding(&proxy, method);
        let mut child = world
            .command(&["approve", "1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        hits.recv_timeout(Duration::from_secs(60))
            .expect("the call");
        assert_eq!(world.json(0, &["act", "--poll", "1"])["stage"], "running");
        child.kill().unwrap();
        child.wait().unwrap();
        let _ = go.send(());
        let done = world.json(0, &["act", "--poll", "1", "--wait"]);
        assert_eq!(done["outcome"], "healthy", "{method}: {done}");
        assert_eq!(
            world.daemon.spawned("web"),
            before + 1,
            "{method}\n{}",
            world.daemon.log()
        );
        let whole = world.json(0, &["audit", "verify"]);
        assert_eq!(whole["whole"], true);
    }
}

#[test]
fn two_who_approve_at_once_lead_to_one_restart() {
    let test = "two_who_approve_at_once_lead_to_one_restart";
    if is_absent(test) {
        return;
    }
    let world = World::new(ALL);
    let before = world.given_up();
    world.mend();
    world.json(0, &["act", "web", "restart"]);
    let mut all: Vec<std::process::Child> = (0..4)
        .map(|_| {
            let mut command = world.command(&["approve", "1"]);
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut good = 0;
    for child in &mut all {
        let status = wait("the end of it", || child.try_wait().unwrap());
        assert!([0, 1, 2].contains(&status.code().unwrap()), "{status}");
        good += usize::from(status.success());
    }
    assert_eq!(good, 1);
    assert_eq!(world.daemon.spawned("web"), before + 1);
}

#[test]
fn a_rollback_goes_to_a_release_that_was_seen_well() {
    let test = "a_rollback_goes_to_a_release_that_was_seen_well";
    if is_absent(test) {
        return;
    }
    let world = World::new(ALL);
    let before = world.given_up();
    // None was seen to run well.
    let ran = world.run(&["act", "web", "rollback"]);
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    for to in ["../../etc", "r9", "r1/../r2", "r1\n", ""] {
        let ran = world.run(&["act", "web", "rollback", "--to", to]);
        assert_eq!(ran.status, 1, "{to:?} {}{}", ran.out, ran.err);
    }
    let link = std::fs::read_link(world.daemon.path("current")).unwrap();
    assert!(link.ends_with("r3"));
    assert_eq!(world.daemon.spawned("web"), before);
}

#[test]
fn nothing_is_done_by_what_the_registry_no_longer_says() {
    let test = "nothing_is_done_by_what_the_registry_no_longer_says";
    if is_absent(test) {
        return;
    }
    let world = World::new(ALL);
    let before = world.given_up();
    world.mend();
    world.json(0, &["act", "web", "restart"]);
    let said = std::fs::read_to_string(world.registry()).unwrap();
    let other = said.replace("per_day = 100", "per_day = 0");
    for text in [other.as_str(), "[[service"] {
        std::fs::write(world.registry(), text).unwrap();
        for arguments in [&["approve", "1"][..], &["act", "web", "restart"]] {
            let ran = world.run(arguments);
            assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
            assert!(ran.err.contains("services.toml"), "{}", ran.err);
        }
        assert_eq!(world.daemon.spawned("web"), before);
    }
    std::fs::write(world.registry(), said).unwrap();
    assert_eq!(world.json(0, &["approve", "1"])["outcome"], "healthy");
    assert_eq!(world.daemon.spawned("web"), before + 1);
}
