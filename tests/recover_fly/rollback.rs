//! Rollback: leases, the image, and everything else as it was.

use crate::played_fly::machine::{Lease, V1, V2};
use crate::played_fly::wire::{Fault, Reply};
use crate::played_fly::{AUTHORIZATION, Fly as Played};
use crate::world::{at, begin, done, end, failed, fly, later, no_leases, rollback, token};
use autofix::recover::{ErrorKind, Platform};
use serde_json::{Value, json};

#[test]
fn every_machine_gets_the_image_and_keeps_the_rest() {
    let played = Played::serve(&["a1", "b2"]);
    let fly = at(&played, token(AUTHORIZATION), Some("a1"));
    let before: Vec<Value> = ["a1", "b2"].map(|id| played.machine(id).config).into();
    let task = rollback(V1);
    let deed = begin(&played, &fly, &task);
    deed.went_by_plan(&played);
    let ends: Vec<String> = played
        .asked()
        .iter()
        .map(|line| {
            let (method, rest) = line.split_once(' ').unwrap();
            format!("{method} {}", rest.rsplit("/machines/").next().unwrap())
        })
        .collect();
    assert_eq!(
        ends,
        [
            "POST b2/lease",
            "POST a1/lease",
            "GET b2",
            "GET a1",
            "POST b2",
            "GET b2/wait?state=started&timeout=30",
            "DELETE b2/lease",
            "POST a1",
            "DELETE a1/lease",
        ]
    );
    no_leases(&played);
    for (id, mut config) in ["a1", "b2"].into_iter().zip(before) {
        config["image"] = json!(V1);
        // Byte by byte, in the same order.
        assert_eq!(played.machine(id).config.to_string(), config.to_string());
    }
    assert_eq!(
        done(&end(&deed, &fly, &task)),
        "2 of 2 machines rolled back"
    );
    let state = fly.state(later()).unwrap();
    assert_eq!(
        (state.release.as_deref(), state.deploying),
        (Some(V1), None)
    );
    let releases = fly.releases(later()).unwrap();
    let ids: Vec<(&str, bool)> = releases
        .iter()
        .map(|one| (one.id.as_str(), one.current))
        .collect();
    assert_eq!(ids, [(V2, false), (V1, true)]);
}

#[test]
fn what_is_sent_is_what_the_plan_says() {
    let played = Played::serve(&["a1"]);
    let deed = begin(&played, &fly(&played), &rollback(V1));
    let plan = deed.plan.as_ref().unwrap();
    let base = format!("{}/v1/apps/my-shop/machines/a1", played.server.address);
    assert_eq!(
        plan,
        &[
            format!(r#"POST {base}/lease {{"description":"autofix rolls back","ttl":300}}"#),
            format!("GET {base}"),
            format!(
                r#"POST {base} {{"config":{{(as it is) "image":"{V1}"}},"region":(as it is),"skip_launch":false}}"#
            ),
            format!("DELETE {base}/lease"),
        ]
    );
    let calls = played.server.calls();
    assert_eq!(
        calls[0].body().unwrap(),
        json!({"description": "autofix rolls back", "ttl": 300})
    );
    let body = calls[2].body().unwrap();
    assert_eq!(
        (&body["skip_launch"], &body["region"]),
        (&json!(false), &json!("cdg"))
    );
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["config", "skip_launch", "region"]);
    assert!(calls[2].header("fly-machine-lease-nonce").is_some());
}

#[test]
fn machines_that_were_stopped_stay_so_and_those_that_crashed_run_again() {
    let played = Played::serve(&["a1", "b2"]);
    let now = played.now();
    played.set("a1", |machine| {
        machine.stop(now);
        while machine.advance(now) {}
    });
    played.set("b2", |machine| machine.crash(1, now));
    let fly = fly(&played);
    let task = rollback(V1);
    let deed = begin(&played, &fly, &task);
    deed.went_by_plan(&played);
    done(&end(&deed, &fly, &task));
    assert_eq!(played.machine("a1").state, "stopped");
    assert_eq!(played.machine("b2").state, "started");
    assert_eq!(played.machine("a1").config["image"], V1);
}

#[test]
fn an_old_release_that_fails_too_leaves_the_others_as_they_are() {
    let played = Played::serve(&["a1", "b2"]);
    played.state().bad.insert(V1.to_owned());
    let fly = fly(&played);
    let task = rollback(V1);
    let deed = begin(&played, &fly, &task);
    let error = deed.failed();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(
        error.what.contains("done before: update of machine a1"),
        "{error}"
    );
    assert!(
        error
            .what
            .contains("not done, or perhaps: update of machine b2"),
        "{error}"
    );
    assert_eq!(played.machine("b2").config["image"], V2);
    no_leases(&played);
    assert_eq!(
        failed(&end(&deed, &fly, &task)),
        "machine a1 is stopped (exit status 1)"
    );
}

#[test]
fn somebody_elses_lease_stops_it_before_anything_is_changed() {
    let played = Played::serve(&["a1", "b2"]);
    let expires = played.now() / 1000 + 100_000;
    played.set("b2", |machine| {
        machine.lease = Some(Lease {
            nonce: "theirs".to_owned(),
            owner: "ann".to_owned(),
            description: "deploy".to_owned(),
            expires,
        });
    });
    let fly = fly(&played);
    let deed = begin(&played, &fly, &rollback(V1));
    assert_eq!(
        deed.before.deploying.as_deref(),
        Some("ann holds the lease of machine b2: deploy")
    );
    let error = deed.failed();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(
        error.what.contains("somebody else holds the lease"),
        "{error}"
    );
    assert_eq!(played.changes(), Vec::<String>::new());
    assert!(played.machine("a1").lease.is_none() && played.machine("b2").lease.is_some());
    // A restart of it is refused as well.
    let deed = begin(&played, &fly, &crate::world::restart(Some("b2")));
    assert_eq!(deed.failed().kind, ErrorKind::Refused);
}

#[test]
fn a_machine_that_changed_meanwhile_is_left_alone() {
    let played = Played::serve(&["a1", "b2"]);
    let fly = fly(&played);
    let before = fly.state(later()).unwrap();
    let third = "registry.fly.io/my-shop:deployment-3";
    played.set("b2", |machine| machine.config["image"] = json!(third));
    let said = fly.begin(&rollback(V1), &before, "m", later()).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Invalid);
    assert!(
        said.what
            .contains("machine b2: meanwhile it has another release"),
        "{said}"
    );
    assert_eq!(played.machine("a1").config["image"], V2);
    no_leases(&played);
}

#[test]
fn a_release_that_is_neither_is_an_undone_rollback() {
    let played = Played::serve(&["a1", "b2"]);
    let fly = fly(&played);
    let task = rollback(V1);
    let deed = begin(&played, &fly, &task);
    played.settle();
    let third = "registry.fly.io/my-shop:deployment-3";
    played.set("b2", |machine| machine.config["image"] = json!(third));
    assert_eq!(
        failed(&deed.progress(&fly, &task)),
        format!("machine b2 was given {third} meanwhile")
    );
}

#[test]
fn each_failing_step_gives_the_leases_back() {
    let error = |status| Fault::Says(Reply::error(status, "no"));
    // (request that fails, how, whether a change may have been made)
    let cases = [
        ("GET", "/b2", error(500), false),
        ("GET", "/b2", error(404), false),
        ("GET", "/a1", Fault::Says(Reply::raw(200, b"[1")), false),
        (
            "GET",
            "/a1",
            Fault::Says(Reply::new(200, &json!({"id": "x"}))),
            false,
        ),
        ("GET", "/a1", Fault::Cut, false),
        ("GET", "/b2", Fault::Lost, false),
        ("POST", "/b2/lease", error(500), false),
        ("POST", "/b2/lease", error(401), false),
        ("POST", "/b2/lease", error(429), false),
        (
            "POST",
            "/b2/lease",
            Fault::Says(Reply::new(200, &json!({"data": {"nonce": "a\nb"}}))),
            false,
        ),
        ("POST", "/machines/a1", error(400), false),
        ("POST", "/machines/a1", error(429), false),
        ("POST", "/machines/a1", error(500), true),
        ("POST", "/machines/a1", Fault::Lost, true),
        ("POST", "/machines/a1", Fault::Cut, true),
        ("POST", "/machines/b2", error(400), true),
        ("POST", "/machines/b2", error(401), true),
        ("POST", "/machines/b2", error(429), true),
        ("POST", "/machines/b2", Fault::Lost, true),
        ("GET", "/wait", error(500), true),
        ("GET", "/wait", error(404), true),
    ];
    for (method, ending, fault, changed) in cases {
        let played = Played::serve(&["a1", "b2"]);
        played.server.next(method, ending, fault.clone());
        let deed = begin(&played, &fly(&played), &rollback(V1));
        let said = deed.failed();
        assert_eq!(
            played.server.faults_left(),
            0,
            "{method} {ending} {fault:?}"
        );
        no_leases(&played);
        if changed {
            assert_eq!(
                said.kind,
                ErrorKind::Unreachable,
                "{method} {ending} {fault:?}"
            );
        } else {
            let images = ["a1", "b2"].map(|id| played.machine(id).config["image"] == V2);
            assert_eq!(images, [true, true], "{method} {ending} {fault:?}");
        }
    }
}

#[test]
fn a_lease_that_cannot_be_given_back_is_told() {
    let played = Played::serve(&["a1"]);
    played
        .server
        .next("DELETE", "/lease", Fault::Says(Reply::error(500, "no")));
    let deed = begin(&played, &fly(&played), &rollback(V1));
    // The rollback itself is done.
    let handle = deed.outcome.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(handle["leases_left"], json!(["a1"]));
    assert_eq!(played.machine("a1").config["image"], V1);

    let played = Played::serve(&["a1"]);
    played.server.next("POST", "/lease", Fault::Lost);
    let deed = begin(&played, &fly(&played), &rollback(V1));
    let said = deed.failed();
    assert!(
        said.what
            .contains("a lease may hold for another 300 seconds on a1"),
        "{said}"
    );
}

#[test]
fn configurations_that_cannot_be_read_whole_are_not_written() {
    let played = Played::serve(&["a1"]);
    played.set("a1", |machine| machine.host_status = "unreachable");
    let deed = begin(&played, &fly(&played), &rollback(V1));
    assert!(
        deed.failed().what.contains("its host is away"),
        "{}",
        deed.failed()
    );
    assert_eq!(played.changes(), Vec::<String>::new());
    no_leases(&played);

    let played = Played::serve(&["a1"]);
    played.set("a1", |machine| {
        machine
            .config
            .as_object_mut()
            .unwrap()
            .shift_remove("image");
        machine.config["containers"] = json!([{"name": "app", "image": V2}]);
    });
    let deed = begin(&played, &fly(&played), &rollback(V1));
    assert_eq!(deed.failed().kind, ErrorKind::Unsupported);
    no_leases(&played);
}

#[test]
fn an_image_that_was_pruned_is_refused_and_nothing_is_done() {
    let played = Played::serve(&["a1", "b2"]);
    let gone = "registry.fly.io/my-shop:deployment-1";
    let deed = begin(&played, &fly(&played), &rollback(gone));
    assert_eq!(deed.failed().kind, ErrorKind::Refused);
    assert!(
        deed.failed().what.contains("manifest unknown"),
        "{}",
        deed.failed()
    );
    no_leases(&played);
}

#[test]
fn what_is_no_release_is_refused_before_anything_is_sent() {
    let played = Played::serve(&["a1"]);
    let fly = fly(&played);
    let long = format!("a:{}", "1".repeat(600));
    let other = "registry.fly.io/another-app:deployment-01HQ73A7BFFDF1B6WMGHFZZ4E7";
    for bad in [
        other,
        "docker.io/evil/miner:1",
        "",
        "latest",
        "my-shop:latest",
        "-x:1",
        "a b:1",
        "a:1\"}",
        "a:1\n",
        "$(x):1",
        "https://x/y:1",
        "a@sha256:12",
        "../x",
        &long,
        V2,
    ] {
        let deed = begin(&played, &fly, &rollback(bad));
        assert_eq!(deed.failed().kind, ErrorKind::Invalid, "{bad}");
        assert_eq!(played.asked().len(), 0, "{bad}");
    }
}
