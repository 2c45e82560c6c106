//! `autofix eval triage` as its users meet it: the shape of what it prints, its exit status, what
//! counts as found, and what it says of a scenario that is not right. The scores of the scenarios
//! that are shipped are not held here: they are what the command is there to tell.

#[path = "cli/place.rs"]
#[allow(
    dead_code,
    reason = "repositories are for other tests of the command line"
)]
mod place;

use place::{Place, Ran};
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::net::TcpListener;

const CRASH: &str = "\
2026-03-01T10:00:00Z INFO worker started
2026-03-01T10:01:00Z INFO order 1 packed
Traceback (most recent call last):
  File \"/app/pack.py\", line 6, in <module>
    pack(order)
  File \"/app/pack.py\", line 2, in pack
    return order[\"size\"]
KeyError: 'size'
";

const QUIET: &str = "\
2026-03-01T10:00:00Z INFO worker started
2026-03-01T10:01:00Z INFO order 1 packed
2026-03-01T10:02:00Z INFO order 2 packed
";

const HEAD: &str = "\
description = \"Packs orders.\"
[[service]]
name = \"pack\"
match = \"tag:app\"
[log]
file = \"app.log\"
made = \"by hand\"
";

fn decision(lines: &str) -> String {
    format!("{HEAD}[[decision]]\naction = \"investigate\"\n{lines}\n")
}

fn scenario(place: &Place, name: &str, toml: &str, log: &str) {
    place.write(&format!("set/{name}/scenario.toml"), toml);
    place.write(&format!("set/{name}/app.log"), log);
}

fn eval(place: &Place, more: &[&str]) -> Ran {
    place.run(&[&["eval", "triage", "--scenarios", "set"], more].concat())
}

fn objects(ran: &Ran) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    ran.out.lines().map(parse).collect()
}

/// Expected, found, missed, false.
fn counts(of: &Value) -> [u64; 4] {
    ["expected", "found", "missed", "false"].map(|key| of[key].as_u64().unwrap())
}

/// The counts of a single scenario, and the exit status.
fn one(toml: &str, log: &str) -> ([u64; 4], i32) {
    let place = Place::new();
    scenario(&place, "one", toml, log);
    let ran = eval(&place, &["--json"]);
    let objects = objects(&ran);
    assert_eq!(objects.len(), 1, "{}{}", ran.out, ran.err);
    (counts(&objects[0]), ran.status)
}

#[test]
fn what_is_right_is_found_and_status_0() {
    let by = "by = \"2026-03-01T10:02:00Z\"";
    for more in [
        "contains = \"KeyError\"",
        "contains = [\"nothing\", \"KeyError: 'size'\"]\nkind = \"crash\"\nservice = \"pack\"",
        "from = \"2026-03-01T10:00:30Z\"",
    ] {
        let toml = decision(&format!("{more}\n{by}"));
        assert_eq!(one(&toml, CRASH), ([1, 1, 0, 0], 0), "{more}");
    }
    // A watch that fires and a trace are both incidents; TOML's own times do as well.
    let watch = decision("by = 2026-03-01T10:02:00Z").replace("investigate", "watch");
    assert_eq!(one(&watch, CRASH), ([1, 1, 0, 0], 0));
    assert_eq!(one(HEAD, QUIET), ([0, 0, 0, 0], 0));
}

#[test]
fn what_does_not_happen_or_comes_late_is_missed() {
    let toml = decision("by = \"2026-03-01T10:02:00Z\"");
    assert_eq!(one(&toml, QUIET), ([1, 0, 1, 0], 1));
    // Too late is missed, and no false alarm: it is about the right thing.
    let toml = decision("by = \"2026-03-01T10:00:30Z\"");
    assert_eq!(one(&toml, CRASH), ([1, 0, 1, 0], 1));
}

#[test]
fn what_nobody_wants_is_false() {
    assert_eq!(one(HEAD, CRASH), ([0, 0, 0, 1], 1));
    let ignore = format!("{HEAD}[[decision]]\naction = \"ignore\"\ncontains = \"KeyError\"\n");
    assert_eq!(one(&ignore, CRASH), ([0, 0, 0, 1], 1));
    // Of another kind, another service, about something else, or before it began.
    for other in [
        "kind = \"oom\"",
        "service = \"ship\"",
        "contains = \"TypeError\"",
        "from = \"2026-03-01T10:01:30Z\"",
    ] {
        let toml = decision(&format!("{other}\nby = \"2026-03-01T10:02:00Z\""));
        assert_eq!(one(&toml, CRASH), ([1, 0, 1, 1], 1), "{other}");
    }
}

#[test]
fn an_incident_finds_one_decision_and_may_be_told_again() {
    let two = format!(
        "{CRASH}{}",
        CRASH.replace("KeyError: 'size'", "TypeError: size")
    );
    let once = "[[decision]]\naction = \"investigate\"\nby = \"2026-03-01T10:02:00Z\"\n";
    let of = |times: usize| format!("{HEAD}{}", once.repeat(times));
    assert_eq!(one(&of(2), CRASH), ([2, 1, 1, 0], 1));
    assert_eq!(one(&of(2), &two), ([2, 2, 0, 0], 0));
    assert_eq!(one(&of(1), &two), ([1, 1, 0, 0], 0));
}

#[test]
fn people_see_what_was_missed_and_what_was_false() {
    let place = Place::new();
    let toml =
        decision("kind = \"oom\"\nby = \"2026-03-01T10:02:00Z\"\nwhy = \"no \\u001b[31mred\"");
    scenario(&place, "one", &toml, CRASH);
    scenario(&place, "two", HEAD, QUIET);
    let ran = eval(&place, &[]);
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    for wanted in [
        "missed: investigate, oom, by 2026-03-01T10:02:00Z: no \\u{1b}[31mred",
        "false:  crash of pack at 2026-03-01T10:01:00Z: KeyError: 'size'",
        "2 scenarios",
    ] {
        assert!(ran.out.contains(wanted), "{wanted}\n{}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "{:?}", ran.out);
    let left = std::fs::read_dir(place.path("home")).unwrap();
    assert_eq!(left.count(), 0, "a state folder stayed behind");

    let ran = eval(&place, &["two", "--json"]);
    assert_eq!((objects(&ran).len(), ran.status), (1, 0), "{}", ran.out);
}

#[test]
fn everything_that_is_wrong_with_scenarios_is_told_at_once_and_nothing_runs() {
    let place = Place::new();
    let toml = "\
description = 7
logs = \"app.log\"
[[service]]
nam = \"pack\"
[log]
file = [\"gone.log\", \"../app.log\"]
format = \"xml\"
[[decision]]
action = \"investigat\"
[[decision]]
action = \"watch\"
kind = \"crsh\"
contains = \"\"
by = \"soon\"
[[decision]]
action = \"investigate\"
from = \"2026-03-01T10:02:00Z\"
by = \"2026-03-01T10:01:00Z\"
[[decision]]
action = \"ignore\"
by = \"2026-03-01T10:01:00Z\"
[[decision]]
action = \"investigate\"
";
    scenario(&place, "bad", toml, QUIET);
    scenario(&place, "empty", "", QUIET);
    scenario(&place, "torn", "description = \"", QUIET);
    scenario(&place, "good", HEAD, QUIET);
    let ran = eval(&place, &["--json"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{}", ran.err);
    for wanted in [
        "bad/scenario.toml:1: `description` must be a string, not a number; put it in quotes",
        "bad/scenario.toml:2: unknown key `logs` in this file; did you mean `log`?",
        "bad/scenario.toml:4: unknown key `nam` in [[service]]; did you mean `name`?",
        "bad/scenario.toml:5: [log] has no made; say how",
        "bad/scenario.toml:6: there is no log `gone.log` here; put it beside scenario.toml",
        "bad/scenario.toml:6: there is no log `../app.log` here",
        "bad/scenario.toml:7: `xml` is no format; write text, json, docker or cri",
        "bad/scenario.toml:9: `investigat` is no action; did you mean `investigate`?",
        "bad/scenario.toml:12: `crsh` is no kind; did you mean `crash`?",
        "bad/scenario.toml:13: an empty text stands in everything; take it out",
        "bad/scenario.toml:14: `soon` is no time; write it as 2026-03-01T10:05:00Z",
        "bad/scenario.toml:15: `from` is after `by`",
        "bad/scenario.toml:19: what is ignored is ignored at any time; take",
        "bad/scenario.toml:22: [[decision]] has no by; write the latest event time",
        "empty/scenario.toml:1: this file has no description; say what",
        "empty/scenario.toml:1: this file has no [[service]]; paste",
        "empty/scenario.toml:1: this file has no [log]; name the log",
        "torn/scenario.toml:1: not valid TOML",
    ] {
        assert!(ran.err.contains(wanted), "{wanted}\n{}", ran.err);
    }
    assert!(!ran.err.contains("good/"), "{}", ran.err);
}

#[test]
fn wrong_use_is_status_2_and_a_folder_without_scenarios_1() {
    let place = Place::new();
    for wrong in [
        vec!["eval"],
        vec!["eval", "fixes"],
        vec!["eval", "triage", "--scenarios"],
        vec!["eval", "triage", "no_such_scenario"],
    ] {
        let ran = place.run(&wrong);
        assert_eq!(ran.status, 2, "{wrong:?}\n{}{}", ran.out, ran.err);
        assert_eq!(ran.out, "", "{wrong:?}");
    }
    std::fs::create_dir(place.path("set")).unwrap();
    let ran = eval(&place, &[]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(
        ran.err.contains("no folder with a scenario.toml"),
        "{}",
        ran.err
    );
    assert_eq!(
        place.run(&["eval", "triage", "--scenarios", "gone"]).status,
        1
    );
}

/// As FireLens writes it: only what has a container is looked for in a task's metadata.
fn of_container(log: &str) -> String {
    let line = |line: &str| {
        let date = "2026-03-01T10:01:00Z";
        json!({"date": date, "container_name": "pack", "log": line}).to_string() + "\n"
    };
    log.lines().map(line).collect()
}

#[test]
fn a_pasted_registry_reaches_for_nothing_of_this_host() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    nobody.set_nonblocking(true).unwrap();
    let address = nobody.local_addr().unwrap();
    let sha = "3f9a1c2d7b3f9a1c2d7b3f9a1c2d7b3f9a1c2d7b";
    for commit in [sha, "env:COMMIT", "ecs-metadata"] {
        let pasted =
            format!("name = \"pack\"\nrepo = \"https://{address}/pack\"\ncommit = \"{commit}\"\n");
        let toml = decision("by = \"2026-03-01T10:02:00Z\"");
        let place = Place::new();
        let toml = toml.replace("name = \"pack\"\n", &pasted);
        scenario(&place, "one", &toml, &of_container(CRASH));
        let mut command = place.autofix();
        let ran = command
            .args(["eval", "triage", "--scenarios", "set", "--json"])
            .env("COMMIT", sha)
            .env("ECS_CONTAINER_METADATA_URI_V4", format!("http://{address}"))
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
        let called = nobody.accept().map(|_| ()).map_err(|fault| fault.kind());
        assert_eq!(called, Err(ErrorKind::WouldBlock), "{commit}: it was asked");
    }
}

#[test]
fn what_is_shipped_has_a_line_for_each_scenario() {
    let place = Place::new();
    let ran = place.run(&["eval", "triage", "--json"]);
    let objects = objects(&ran);
    assert!(objects.len() >= 20, "{} scenarios", objects.len());
    let mut expected = 0;
    for object in &objects {
        let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "name", "expected", "found", "missed", "false", "lines", "tokens", "seconds"
            ]
        );
        assert!(
            object["name"].is_string() && object["seconds"].is_f64(),
            "{object}"
        );
        assert!(object["lines"].as_u64() > Some(0), "{object}");
        assert_eq!(object["tokens"], 0, "the rules ask nobody");
        let [wanted, found, missed, _] = counts(object);
        assert_eq!(wanted, found + missed, "{object}");
        expected += wanted;
    }
    assert!(expected >= objects.len() as u64, "{expected} decisions");
    let right = |object: &Value| counts(object)[2] + counts(object)[3] == 0;
    assert_eq!(ran.status, i32::from(!objects.iter().all(right)));

    // What is built in is what stands in the folder.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let ran = place.run(&["eval", "triage", "--json", "--scenarios", folder]);
    assert_eq!(without_time(&self::objects(&ran)), without_time(&objects));
}

/// All but what differs from run to run.
fn without_time(objects: &[Value]) -> Vec<Value> {
    let mut objects = objects.to_vec();
    for object in &mut objects {
        object.as_object_mut().unwrap().remove("seconds");
    }
    objects
}
