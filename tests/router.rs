//! The library in real Fluent Bits: `fluent-bit`, `fluent-bit-1.9` and `fluent-bit-2.2` on PATH,
//! and those that AUTOFIX_FLUENT_BIT names (separated by colons). Without any of them these
//! tests print SKIPPED.

mod host;
#[expect(dead_code, reason = "`triage.rs` asks for more of it")]
#[path = "triage/played.rs"]
mod played;
#[path = "router/running.rs"]
mod running;

use host::{library, text};
use running::{PATIENCE, Place, STARTED, routers};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

fn crash(number: usize) -> String {
    format!(
        "Traceback (most recent call last):\n  File \"/app/shop/orders.py\", line {number}, in \
         total{number}\n    return price / count\nZeroDivisionError: division by zero\n"
    )
}

fn corpus(case: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/traces");
    fs::read_to_string(folder.join(case).join("output.txt")).unwrap()
}

#[test]
fn the_library_loads_in_every_way_that_a_router_has() {
    for router in routers(
        "the_library_loads_in_every_way_that_a_router_has",
        (1, 9, 0),
    ) {
        let place = Place::new();
        let plain = place.configure(&router, &["web.log"], &[&place.state("state")]);
        let mut running = place.start(&router, &plain);
        running.wait_for(STARTED, 1);
        running.end_well(&router);

        let plugins = format!("[PLUGINS]\n    Path {}\n", library().display());
        fs::write(place.path("plugins.conf"), plugins).unwrap();
        let file = plain.replace("[SERVICE]\n", "[SERVICE]\n    Plugins_File plugins.conf\n");
        fs::write(place.path("file.conf"), file).unwrap();
        let mut running = place.run(&router, &["-c", "file.conf"]);
        running.wait_for(STARTED, 2);
        running.end_well(&router);

        if router.version >= (3, 2, 0) {
            let yaml = format!(
                "plugins:\n  - {}\nservice:\n  flush: 1\npipeline:\n  inputs:\n    - name: dummy\n  \
                 outputs:\n    - name: autofix\n      match: '*'\n      state_dir: {}\n",
                library().display(),
                place.path("state").display()
            );
            fs::write(place.path("router.yaml"), yaml).unwrap();
            let mut running = place.run(&router, &["-c", "router.yaml"]);
            running.wait_for(STARTED, 3);
            running.end_well(&router);
        }
    }
}

#[test]
fn crashes_of_five_languages_in_tailed_logs_become_incidents() {
    let cases = [
        (
            "python",
            "python/uncaught",
            "KeyError",
            "/srv/app/shop.py",
            5,
        ),
        (
            "java",
            "java/uncaught",
            "java.lang.NullPointerException",
            "Shop.java",
            7,
        ),
        (
            "node",
            "javascript/uncaught",
            "TypeError",
            "/srv/app/shop.js",
            2,
        ),
        ("go", "go/nilmap", "panic", "/srv/app/main.go", 8),
        ("rust", "rust/index", "panic", "main.rs", 2),
    ];
    let names = cases.map(|(name, ..)| format!("{name}.log"));
    let tails = names.each_ref().map(String::as_str);
    for router in routers("crashes_of_five_languages", (1, 9, 0)) {
        let place = Place::new();
        let configuration = place.configure(&router, &tails, &[&place.state("state")]);
        let mut running = place.start(&router, &configuration);
        running.wait_for(STARTED, 1);
        for (name, case, ..) in cases {
            place.append(&format!("{name}.log"), &corpus(case));
        }
        running.wait("five incidents", |_| place.incidents("state").len() >= 5);
        running.end_well(&router);

        let found = place.incidents("state");
        assert_eq!(found.len(), 5, "{router:?} {found:#?}");
        for (name, _, exception, file, line) in cases {
            let one = found
                .iter()
                .find(|one| one["service"].as_str().is_some_and(|s| s.contains(name)))
                .unwrap_or_else(|| panic!("{router:?}: none of {name} in {found:#?}"));
            assert_eq!(one["exception"]["type"], exception, "{router:?} {one:#}");
            let frames = one["frames"].as_array().unwrap();
            assert!(
                frames
                    .iter()
                    .any(|frame| frame["file"] == file && frame["line"] == line),
                "{router:?} {one:#}"
            );
        }
    }
}

/// A repository with one commit of the sources that a corpus case was built from, and its id.
fn repository(language: &str, to: &Path) -> String {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus/crashes")
        .join(language)
        .join("repo");
    let run = |program: &str, arguments: &[&std::ffi::OsStr]| {
        let done = Command::new(program)
            .args(arguments)
            .env("HOME", to)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", text(&done.stderr));
        text(&done.stdout).trim().to_owned()
    };
    let (from, at) = (from.as_os_str(), to.as_os_str());
    run("cp", &["-r".as_ref(), from, at]);
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
        let mut all: Vec<&std::ffi::OsStr> = vec!["-C".as_ref(), at];
        all.extend(
            who.iter()
                .chain(arguments)
                .map(|word| -> &std::ffi::OsStr { word.as_ref() }),
        );
        run("git", &all)
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "All of it"]);
    git(&["rev-parse", "HEAD"])
}

#[test]
fn crashes_of_five_languages_are_found_in_their_repositories() {
    let cases = [
        ("python", "src/shop/pricing/cart.py", 12),
        ("java", "api/src/main/java/com/acme/shop/cart/Cart.java", 28),
        ("javascript", "services/web/src/lib/price.js", 7),
        ("go", "internal/cart/cart.go", 11),
        ("rust", "crates/cart/src/lib.rs", 7),
    ];
    let names = cases.map(|(name, ..)| format!("{name}.log"));
    let tails = names.each_ref().map(String::as_str);
    for router in routers("crashes_are_found_in_their_repositories", (1, 9, 0)) {
        let place = Place::new();
        let mut registry = String::new();
        for (name, ..) in cases {
            let repo = place.path(&format!("{name}-repo"));
            let commit = repository(name, &repo);
            registry += &format!(
                "[[service]]\nname = \"{name}\"\nmatch = \"tag:app.{name}\"\nrepo = \"{}\"\n\
                 commit = \"{commit}\"\n",
                repo.display()
            );
        }
        fs::write(place.path("services.toml"), registry).unwrap();
        let services = format!("Services {}", place.path("services.toml").display());
        let block = format!("{}\n{services}", place.state("state"));
        let configuration = place.configure(&router, &tails, &[&block]);
        let mut running = place.start(&router, &configuration);
        running.wait_for(STARTED, 1);
        for (name, ..) in cases {
            let output = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/corpus/crashes")
                .join(name)
                .join("output.txt");
            place.append(&format!("{name}.log"), &fs::read_to_string(output).unwrap());
        }
        running.wait("five reports", |_| {
            let all = place.incidents("state");
            all.iter().filter(|one| one["status"] == "reported").count() >= 5
        });
        running.end_well(&router);
        let found = place.incidents("state");
        for (name, file, line) in cases {
            let one = found.iter().find(|one| one["service"] == name);
            let one = one.unwrap_or_else(|| panic!("{router:?}: none of {name} in {found:#?}"));
            assert_eq!(one["location"]["file"], file, "{router:?} {one:#}");
            assert_eq!(one["location"]["line"], line, "{router:?} {one:#}");
        }
    }
}

#[test]
fn a_trace_that_is_the_last_line_before_sigterm_is_not_lost() {
    for router in routers("a_trace_that_is_the_last_line_before_sigterm", (1, 9, 0)) {
        let place = Place::new();
        let configuration = place.configure(&router, &["web.log"], &[&place.state("state")]);
        let mut running = place.start(&router, &configuration);
        running.wait_for(STARTED, 1);
        place.append("web.log", "up\n");
        running.wait_for("\"log\":\"up\"", 1);
        place.append("web.log", &crash(1));
        // The other output shows it: the router has read it, and our trace is still open.
        running.wait_for("ZeroDivisionError", 1);
        running.end_well(&router);
        let found = place.incidents("state");
        assert_eq!(found.len(), 1, "{router:?} {found:?}");
        assert_eq!(found[0]["exception"]["type"], "ZeroDivisionError");
    }
}

const WATCH: &str = r#"{"action":"watch","label":"declined_payments","match":{"field":"result","eq":"declined"},"window_seconds":60,"threshold":10,"summary":"Some payments are declined: watching for more"}"#;

/// Watches what is declined, and ignores the rest.
fn watching(question: &played::Question) -> played::Reply {
    let verdict = |entry: &&str| match entry.contains("declined") {
        true => WATCH,
        false => r#"{"action":"ignore"}"#,
    };
    let entries = question.entries();
    let all: Vec<&str> = entries.iter().map(verdict).collect();
    played::Reply::Says(match all.as_slice() {
        [one] => (*one).to_owned(),
        all => format!("[{}]", all.join(",")),
    })
}

#[test]
fn a_models_watch_fires_on_a_later_spike_and_why_tells_the_story_recorded_answer() {
    let payment = |result: &str, number: usize| {
        format!(
            "{{\"level\":\"info\",\"msg\":\"payment {number} done\",\"result\":\"{result}\"}}\n"
        )
    };
    let payments =
        |result: &str, count: usize| (0..count).map(|n| payment(result, n)).collect::<String>();
    for router in routers("a_models_watch_fires_on_a_later_spike", (1, 9, 0)) {
        let (place, model) = (Place::new(), played::Played::new(watching));
        let ours = format!(
            "{}\nService checkout\nTriage openai\nTriage_Url {}\nTriage_Batch_Seconds 1",
            place.state("state"),
            model.url
        );
        let configuration = place.configure(&router, &["pay.log"], &[&ours]);
        let mut running = place.start(&router, &configuration);
        running.wait_for(STARTED, 1);
        place.append("pay.log", &payments("ok", 20));
        place.append("pay.log", &payments("declined", 2));
        let listed = || {
            let done = Command::new(env!("CARGO_BIN_EXE_autofix"))
                .args(["watches", "list", "--state"])
                .arg(place.path("state"))
                .output()
                .unwrap();
            text(&done.stdout)
        };
        running.wait("watch of the model", |_| {
            listed().contains("declined_payments")
        });
        assert!(place.incidents("state").is_empty(), "{router:?}");
        place.append("pay.log", &payments("declined", 12));
        running.wait("incident", |_| !place.incidents("state").is_empty());
        let found = place.incidents("state");
        assert_eq!(
            found[0]["watch"], "declined_payments",
            "{router:?} {found:?}"
        );
        let why = Command::new(env!("CARGO_BIN_EXE_autofix"))
            .args(["why", "1", "--state"])
            .arg(place.path("state"))
            .output()
            .unwrap();
        let why = text(&why.stdout);
        for part in [
            "What a model read",
            "answered: watch",
            "qwen2.5:3b",
            "SHA-256",
            "threshold 10",
        ] {
            assert!(why.contains(part), "{part}\n{why}");
        }
        running.end_well(&router);
    }
}

#[test]
fn a_hot_reload_keeps_two_instances_working() {
    for router in routers("a_hot_reload_keeps_two_instances_working", (2, 2, 0)) {
        let place = Place::new();
        let ours = [place.state("one"), place.state("two")];
        let ours = ours.each_ref().map(String::as_str);
        let configuration = place.configure(&router, &["web.log"], &ours);
        let mut running = place.start(&router, &configuration);
        running.wait_for("[output:autofix:autofix.1] autofix", 1);
        place.append("web.log", &crash(1));
        running.wait_for("ZeroDivisionError", 1);
        for round in 2..4 {
            running.signal(libc::SIGHUP);
            running.wait_for("[output:autofix:autofix.1] autofix", round);
            place.append("web.log", &crash(round));
            running.wait_for("ZeroDivisionError", round);
        }
        running.end_well(&router);
        for state in ["one", "two"] {
            let found = place.incidents(state);
            assert_eq!(found.len(), 3, "{router:?} {state} {found:#?}");
        }
    }
}

#[test]
fn the_first_of_two_instances_works_on_a_host_before_2_0_7() {
    for router in routers("the_first_of_two_instances", (1, 9, 0)) {
        if router.version >= (2, 0, 7) {
            continue;
        }
        let place = Place::new();
        let ours = [place.state("one"), place.state("two")];
        let ours = ours.each_ref().map(String::as_str);
        let configuration = place.configure(&router, &["web.log"], &ours);
        let mut running = place.start(&router, &configuration);
        running.wait_for("[output:autofix:autofix.1] disabled", 1);
        place.append("web.log", &crash(1));
        running.wait_for("ZeroDivisionError", 1);
        // This host itself frees the plugin twice at its end, whatever the plugin does: what
        // counts is that the incident is kept.
        let (_, _, said) = running.terminate();
        assert_eq!(place.incidents("one").len(), 1, "{said}");
        assert!(place.incidents("two").is_empty());
    }
}

#[test]
fn kill_9_and_a_restart_neither_lose_nor_double_an_incident() {
    for router in routers("kill_9_and_a_restart", (1, 9, 0)) {
        let place = Place::new();
        let configuration = place.configure(&router, &["web.log"], &[&place.state("state")]);
        let mut running = place.start(&router, &configuration);
        running.wait_for(STARTED, 1);
        place.append("web.log", &(crash(1) + "started again\n"));
        running.wait("an incident", |_| !place.incidents("state").is_empty());
        running.signal(libc::SIGKILL);
        let _ = running.child.wait();
        let mut running = place.start(&router, &configuration);
        running.wait_for(STARTED, 2);
        place.append("web.log", "and on\n");
        running.wait_for("\"log\":\"and on\"", 1);
        running.end_well(&router);
        let found = place.incidents("state");
        assert_eq!(found.len(), 1, "{router:?} {found:#?}");
    }
}

#[test]
fn a_state_dir_that_cannot_be_used_harms_nobody() {
    for router in routers("a_state_dir_that_cannot_be_used", (1, 9, 0)) {
        let place = Place::new();
        fs::write(place.path("file"), "not a folder").unwrap();
        fs::create_dir(place.path("broken")).unwrap();
        fs::write(place.path("broken/autofix.db"), [0x5a; 9_000]).unwrap();
        for state in ["file", "broken"] {
            let name = format!("{state}.log");
            let configuration = place.configure(&router, &[&name], &[&place.state(state)]);
            let mut running = place.start(&router, &configuration);
            running.wait_for("[output:autofix:autofix.0]", 1);
            place.append(&name, &crash(1));
            running.wait_for("ZeroDivisionError", 1);
            running.end_well(&router);
            assert_eq!(fs::read(place.path("file")).unwrap(), b"not a folder");
            fs::remove_file(place.path("router.log")).unwrap();
        }
    }
}

#[test]
fn a_wrong_key_ends_the_start_only_where_the_host_survives_that() {
    for router in routers("a_wrong_key_ends_the_start", (1, 9, 0)) {
        let place = Place::new();
        let wrong = format!("{}\nMode nonsense", place.state("state"));
        let configuration = place.configure(&router, &["web.log"], &[&wrong]);
        let mut running = place.start(&router, &configuration);
        if router.version >= (2, 2, 1) {
            let until = Instant::now() + PATIENCE;
            let status = loop {
                if let Some(status) = running.child.try_wait().unwrap() {
                    break status;
                }
                assert!(Instant::now() < until, "{router:?}\n{}", running.said());
                std::thread::sleep(Duration::from_millis(20));
            };
            assert!(
                status.code().is_some_and(|code| code != 0),
                "{router:?} {status}"
            );
            assert!(running.said().contains("nonsense"), "{}", running.said());
        } else {
            running.wait_for("autofix is disabled", 1);
            place.append("web.log", "up\n");
            running.wait_for("\"log\":\"up\"", 1);
            running.end_well(&router);
        }
    }
}
