//! What is asked for: looks, dry runs, what is refused, and what a person says to it.

use crate::ALL;
use crate::daemon::is_absent;
use crate::world::{World, keys};

const ACTION: [&str; 21] = [
    "id",
    "service",
    "verb",
    "task",
    "caller",
    "why",
    "incident",
    "fingerprint",
    "evidence",
    "risk",
    "checks",
    "hash",
    "stage",
    "said",
    "made",
    "expires",
    "by",
    "begun",
    "acted",
    "ended",
    "outcome",
];

/// The keys of an action in JSON, which scripts rely on.
fn is_action(value: &serde_json::Value, more: &[&str]) {
    let wanted: Vec<&str> = ACTION
        .iter()
        .copied()
        .chain(["recurred"])
        .chain(more.iter().copied())
        .collect();
    assert_eq!(keys(value), wanted);
}

#[test]
fn a_service_is_looked_at() {
    let test = "a_service_is_looked_at";
    if is_absent(test) {
        return;
    }
    let world = World::new(ALL);
    let before = world.given_up();
    let none = world.run(&["act"]);
    assert_eq!(none.status, 0);
    assert!(none.out.contains("no action yet"), "{}", none.out);

    let status = world.run(&["act", "web", "status"]);
    assert_eq!(status.status, 0, "{}", status.err);
    for part in [
        "service: web",
        "well: false",
        "release: r3",
        "word FATAL",
        "exit status 1",
        "mode: approve",
    ] {
        assert!(status.out.contains(part), "{part}\n{}", status.out);
    }
    let status = world.json(0, &["act", "web", "status"]);
    assert_eq!(
        keys(&status),
        [
            "service",
            "platform",
            "target",
            "well",
            "release",
            "wanted",
            "deploying",
            "kept_by",
            "instances",
            "trouble",
            "mode",
            "verbs",
            "actions"
        ]
    );
    assert_eq!(
        keys(&status["instances"][0]),
        [
            "id", "state", "word", "healthy", "release", "restarts", "started", "own"
        ]
    );
    assert_eq!(
        keys(&status["trouble"][0]),
        ["kind", "instance", "at", "text"]
    );
    assert_eq!(status["trouble"][0]["kind"], "crash");

    let logs = world.run(&["act", "web", "logs", "--lines", "1"]);
    assert_eq!(
        (logs.status, logs.out.matches("text up").count()),
        (0, 1),
        "{}",
        logs.out
    );
    let logs = world.json(0, &["act", "web", "logs"]);
    assert_eq!(keys(&logs), ["service", "lines"]);
    assert_eq!(keys(&logs["lines"][0]), ["at", "instance", "text"]);
    assert_eq!(logs["lines"].as_array().unwrap().len(), before);

    let releases = world.run(&["act", "web", "releases"]);
    assert!(
        releases.out.contains("id r3") && releases.out.contains("id r1"),
        "{}",
        releases.out
    );
    let releases = world.json(0, &["act", "web", "releases"]);
    assert_eq!(
        keys(&releases["releases"][0]),
        [
            "id",
            "name",
            "made",
            "current",
            "commit",
            "platform_says_good",
            "seen_well_seconds",
            "crashes_seen"
        ]
    );
    // What a look cannot take is refused.
    for wrong in [
        &["act", "web", "logs", "--lines", "0"][..],
        &["act", "web", "logs", "--lines", "-5"],
        &["act", "web", "logs", "--lines", "x"],
        &["act", "web", "logs", "--instance", "pair:pair_0"],
        &["act", "web", "status", "--set", "x=1"],
    ] {
        let refused = world.run(wrong);
        assert_ne!(refused.status, 0, "{wrong:?}\n{}", refused.out);
    }
}

#[test]
fn a_dry_run_says_everything_and_writes_nothing() {
    let test = "a_dry_run_says_everything_and_writes_nothing";
    if is_absent(test) {
        return;
    }
    let world = World::new(ALL);
    let spawned = world.given_up();
    let before = world.rows();
    let dry = world.run(&["act", "web", "restart", "--dry-run"]);
    assert_eq!(dry.status, 0, "{}{}", dry.out, dry.err);
    for part in [
        "supervisor.stopProcess(\"web:web\", true)",
        "supervisor.startProcess(\"web:web\", false)",
        "check passed  fact_of_platform",
        "check passed  unhealthy_now",
        "nothing was done or written down",
    ] {
        assert!(dry.out.contains(part), "{part}\n{}", dry.out);
    }
    let dry = world.json(0, &["act", "web", "restart", "--dry-run"]);
    is_action(&dry, &["plan", "dry_run"]);
    assert_eq!((&dry["dry_run"], &dry["id"]), (&true.into(), &0.into()));
    // Also of what is refused, and of what means nothing.
    assert_eq!(
        world.run(&["act", "pair", "restart", "--dry-run"]).status,
        1
    );
    assert_eq!(
        world
            .run(&["act", "web", "scale", "--to", "3", "--dry-run"])
            .status,
        1
    );
    let dry = world.run(&["act", "web", "rollback", "--to", "r1", "--dry-run"]);
    assert!(dry.out.contains("symlink "), "{}", dry.out);
    let after = world.rows();
    let new: Vec<&String> = after.iter().filter(|row| !before.contains(row)).collect();
    assert!(new.is_empty() && after.len() == before.len(), "{new:#?}");
    assert_eq!(world.daemon.spawned("web"), spawned);
}

#[test]
fn a_restart_waits_for_a_person_and_ends_healthy() {
    let test = "a_restart_waits_for_a_person_and_ends_healthy";
    if is_absent(test) {
        return;
    }
    let world = World::new(ALL);
    let before = world.given_up();
    world.mend();
    let asked = world.json(
        0,
        &[
            "act",
            "web",
            "restart",
            "--why",
            "it is down",
            "--who",
            "sam",
        ],
    );
    is_action(&asked, &["plan", "dry_run"]);
    assert_eq!(
        (&asked["stage"], &asked["id"]),
        (&"pending".into(), &1.into())
    );
    assert_eq!(asked["caller"]["name"], "sam");
    assert_eq!(
        world.daemon.spawned("web"),
        before,
        "nothing is done before a person says so"
    );
    // The very same again is the same one.
    let again = world.json(0, &["act", "web", "restart"]);
    assert_eq!(again["id"], 1);
    let list = world.run(&["act"]);
    assert!(
        list.out
            .contains("autofix approve 1   or   autofix deny 1 --reason TEXT"),
        "{}",
        list.out
    );
    let approved = world.run(&["approve", "1", "--who", "kim"]);
    assert_eq!(approved.status, 0, "{}{}", approved.out, approved.err);
    assert!(
        approved
            .out
            .contains("healthy  1 web: restart all instances"),
        "{}",
        approved.out
    );
    assert_eq!(world.daemon.spawned("web"), before + 1);
    let done = world.json(0, &["act", "--poll", "1"]);
    is_action(&done, &[]);
    assert_eq!(
        (&done["stage"], &done["outcome"], &done["by"]),
        (&"done".into(), &"healthy".into(), &"kim".into())
    );
    // Once is once.
    let replayed = world.run(&["approve", "1"]);
    assert_eq!(replayed.status, 2, "{}{}", replayed.out, replayed.err);
    assert_eq!(world.daemon.spawned("web"), before + 1);
    let listed = world.json(0, &["act"]);
    is_action(&listed, &[]);
}

#[test]
fn what_is_denied_stays_denied() {
    let test = "what_is_denied_stays_denied";
    if is_absent(test) {
        return;
    }
    let world = World::new(ALL);
    let before = world.given_up();
    world.json(0, &["act", "web", "restart"]);
    let without = world.run(&["deny", "1"]);
    assert_eq!(without.status, 2, "a reason is asked for: {}", without.err);
    let denied = world.json(0, &["deny", "1", "--reason", "not now", "--who", "kim"]);
    is_action(&denied, &[]);
    assert_eq!(
        (&denied["stage"], &denied["said"]),
        (&"denied".into(), &"denied by kim: not now".into())
    );
    for again in [&["approve", "1"][..], &["deny", "1", "--reason", "x"]] {
        let ran = world.run(again);
        assert_eq!(ran.status, 2, "{again:?}: {}{}", ran.out, ran.err);
        assert!(
            ran.err.contains("does not wait for approval"),
            "{}",
            ran.err
        );
    }
    assert_eq!(world.run(&["act", "--poll", "1"]).status, 1);
    assert_eq!(world.daemon.spawned("web"), before);
}

#[test]
fn what_is_unknown_or_not_allowed_has_its_status() {
    let test = "what_is_unknown_or_not_allowed_has_its_status";
    if is_absent(test) {
        return;
    }
    let world = World::new("mode = \"approve\"\nverbs = [\"restart\"]");
    for (status, arguments, part) in [
        (2, &["approve", "99"][..], "no action 99"),
        (2, &["deny", "99", "--reason", "x"], "no action 99"),
        (2, &["act", "--poll", "99"], "no action 99"),
        (2, &["act", "--poll", "99", "--wait"], "no action 99"),
        (2, &["approve", "x"], "number of an action"),
        (2, &["act", "nobody", "restart"], "no service nobody"),
        (
            2,
            &["act", "bare", "restart"],
            "nothing is allowed for bare",
        ),
        (2, &["act", "web"], "VERB"),
        (2, &["act", "web", "restart", "--wait"], "--wait"),
        (
            2,
            &["act", "web", "restart", "--incident", "5"],
            "no incident 5",
        ),
        (
            1,
            &["act", "web", "stop", "--instance", "web:web"],
            "verb_allowed",
        ),
        (1, &["act", "web", "status"], "verb_allowed"),
        (1, &["act", "web", "drop-tables"], "verb_allowed"),
        (1, &["act", "pair", "restart"], "fact_of_platform"),
        (
            1,
            &["act", "pair", "restart", "--instance", "web:web"],
            "no instance web:web",
        ),
        (
            1,
            &["act", "pair", "restart", "--set", "force=yes"],
            "parameters",
        ),
    ] {
        let ran = world.run(arguments);
        let all = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.status, status, "{arguments:?}\n{all}");
        assert!(all.contains(part), "{arguments:?}: {part}\n{all}");
    }
    assert_eq!(world.daemon.spawned("pair_0"), 1);
    let refused = world.json(1, &["act", "web", "stop", "--instance", "web:web"]);
    assert_eq!(keys(&refused), ["stage", "check", "said"]);
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let test = "control_characters_never_reach_the_terminal";
    if is_absent(test) {
        return;
    }
    let world = World::new(ALL);
    world.given_up();
    let evil = "x\u{1b}]0;owned\u{7}\u{1b}[2Jy\u{9b}31m\u{202e}z\r\nhealthy  9 web";
    let mut all = String::new();
    for arguments in [
        &["act", "web", "restart", "--why", evil, "--who", evil][..],
        &["act"],
        &["act", "--poll", "1"],
        &["act", "web", "status"],
        &["deny", "1", "--reason", evil, "--who", evil],
        &["act"],
        &["act", evil, "restart"],
        &["act", "web", evil],
        &["act", "web", "restart", "--instance", evil],
        &["act", "web", "rollback", "--to", evil],
        &["act", "web", "flush", "--set", &format!("{evil}=1")],
        &["act", "web", "logs", "--instance", evil],
    ] {
        let ran = world.run(arguments);
        all += &ran.out;
        all += &ran.err;
    }
    for bad in ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\r'] {
        assert!(!all.contains(bad), "{bad:?}\n{}", all.escape_debug());
    }
    assert!(
        !all.lines().any(|line| line.starts_with("healthy")),
        "{all}"
    );
}

#[test]
fn help_says_what_each_command_takes() {
    let place = crate::place::Place::new();
    for (arguments, parts) in [
        (
            &["act", "--help"][..],
            &["SERVICE", "--dry-run", "--poll", "--set", "--no-wait"][..],
        ),
        (&["approve", "--help"], &["ACTION", "--who"]),
        (&["deny", "--help"], &["--reason"]),
        (&["audit", "--help"], &["verify", "export"]),
        (&["audit", "verify", "--help"], &["--heads"]),
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.status, 0);
        for part in parts {
            assert!(ran.out.contains(part), "{arguments:?} {part}\n{}", ran.out);
        }
    }
}
