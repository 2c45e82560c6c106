//! A team's own verb: its parameters have types, and there is no shell.

use crate::ALL;
use crate::daemon::is_absent;
use crate::world::World;

const FLUSH: &str =
    "printf '%s\\n' \"$@\" >> {DIR}/flushed\nenv >> {DIR}/environment\nprintf 'done\\033[31m'\n";
const HANG: &str = "echo $$ >> {DIR}/hangs\nsleep 1000 &\necho $! >> {DIR}/hangs\nwait\n";

fn world() -> World {
    let world = World::new(&ALL.replace("approve", "auto"));
    let at = world.daemon.dir.path().display().to_string();
    for (name, text) in [("flush.sh", FLUSH), ("hang.sh", HANG)] {
        std::fs::write(world.daemon.path(name), text.replace("{DIR}", &at)).unwrap();
    }
    world
}

#[test]
fn it_runs_with_its_parameters_and_nothing_else() {
    let test = "it_runs_with_its_parameters_and_nothing_else";
    if is_absent(test) {
        return;
    }
    let world = world();
    let good = [
        "act",
        "pair",
        "flush",
        "--set",
        "shard=3",
        "--set",
        "mode=soft",
        "--set",
        "tag=a.b-c_1",
    ];
    let dry = world.run(&[&good[..], &["--dry-run"]].concat());
    assert!(
        dry.out.contains("\"--shard=3\" \"soft\" \"a.b-c_1\""),
        "{}",
        dry.out
    );
    assert!(!world.daemon.path("flushed").exists());
    let ran = world.run(&good);
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("healthy  1 pair: flush") && !ran.out.contains('\u{1b}'),
        "{}",
        ran.out
    );
    let flushed = std::fs::read_to_string(world.daemon.path("flushed")).unwrap();
    assert_eq!(flushed, "--shard=3\nsoft\na.b-c_1\n");
    let environment = std::fs::read_to_string(world.daemon.path("environment")).unwrap();
    assert!(!environment.contains("XDG_STATE_HOME"), "{environment}");

    let with = |shard: &str, mode: &str, tag: &str| {
        let all = [
            format!("shard={shard}"),
            format!("mode={mode}"),
            format!("tag={tag}"),
        ];
        let [shard, mode, tag] = &all;
        world.run(&[
            "act", "pair", "flush", "--set", shard, "--set", mode, "--set", tag,
        ])
    };
    for (shard, mode, tag) in [
        ("8", "soft", "a"),
        ("-1", "soft", "a"),
        ("+3", "soft", "a"),
        ("3 ", "soft", "a"),
        ("0x3", "soft", "a"),
        ("3;touch /tmp/x", "soft", "a"),
        ("٣", "soft", "a"),
        ("", "soft", "a"),
        ("99999999999999999999", "soft", "a"),
        ("3", "Soft", "a"),
        ("3", "soft hard", "a"),
        ("3", "", "a"),
        ("3", "soft", "-rf"),
        ("3", "soft", "../x"),
        ("3", "soft", "a b"),
        ("3", "soft", "$(id)"),
        ("3", "soft", "a\nb"),
        ("3", "soft", "{shard}"),
        ("3", "soft", "toolongaword"),
        ("3", "soft", "é"),
        ("3", "soft", ""),
    ] {
        let ran = with(shard, mode, tag);
        assert_eq!(
            ran.status, 1,
            "{shard:?} {mode:?} {tag:?}: {}{}",
            ran.out, ran.err
        );
        assert!(ran.out.contains("parameters"), "{}", ran.out);
    }
    for (status, wrong) in [
        (1, &["--set", "shard=3"][..]),
        (
            1,
            &[
                "--set",
                "shard=3",
                "--set",
                "mode=soft",
                "--set",
                "tag=a",
                "--set",
                "more=1",
            ],
        ),
        (2, &["--set", "shard"]),
        (2, &["--set", "=3"]),
        (2, &["--set", "shard=3", "--set", "shard=4"]),
    ] {
        let ran = world.run(&[&["act", "pair", "flush"][..], wrong].concat());
        assert_eq!(ran.status, status, "{wrong:?}: {}{}", ran.out, ran.err);
    }
    let flushed = std::fs::read_to_string(world.daemon.path("flushed")).unwrap();
    assert_eq!(flushed.lines().count(), 3, "{flushed}");
}

#[test]
fn one_that_hangs_is_ended_with_all_that_it_started() {
    let test = "one_that_hangs_is_ended_with_all_that_it_started";
    if is_absent(test) {
        return;
    }
    let world = world();
    let ran = world.run(&["act", "pair", "hang"]);
    assert_ne!(ran.status, 2, "{}", ran.err);
    assert!(
        ran.out.contains("did not end within 1 s"),
        "{}{}",
        ran.out,
        ran.err
    );
    let hangs = std::fs::read_to_string(world.daemon.path("hangs")).unwrap();
    assert_eq!(hangs.lines().count(), 2, "once: {hangs}");
    for id in hangs.lines() {
        // A zombie has no command line.
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        assert!(line.is_empty(), "{id} is still there");
    }
}
