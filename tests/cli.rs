//! The command line as its users meet it: the built program, its streams and its exit status.
//! Repositories are made by the test; nothing of the user's own configuration is read.

#[path = "cli/fate.rs"]
mod fate;
#[path = "cli/place.rs"]
mod place;
#[expect(dead_code, reason = "`triage.rs` asks for more of it")]
#[path = "triage/played.rs"]
mod played;
#[path = "cli/watches.rs"]
mod watches;

use place::{Place, ran};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;

const TRACE: &str = "\
Traceback (most recent call last):
  File \"/app/shop.py\", line 6, in handle
    return parse(order)
  File \"/app/shop.py\", line 2, in parse
    return int(order[\"n\"])
TypeError: 'int' object is not subscriptable
";

/// Every line is an object.
fn objects(text: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    text.lines().map(parse).collect()
}

#[test]
fn wrong_use_is_status_2_and_help_is_0() {
    let place = Place::new();
    for wrong in [
        vec![],
        vec!["nonsense"],
        vec!["check"],
        vec!["check", "--config", "a", "--services", "b"],
        vec!["why"],
        vec!["why", "x"],
        vec!["locate"],
        vec!["replay", "--format", "xml"],
        vec!["replay", "--set", "nothing"],
        vec!["replay", "--set", "Servce=a"],
        vec!["inspect", "traces", "--stream-key", "a"],
    ] {
        let ran = place.run(&wrong);
        assert_eq!(ran.status, 2, "{wrong:?}\n{}{}", ran.out, ran.err);
        assert_eq!(ran.out, "", "{wrong:?}");
        assert_ne!(ran.err, "", "{wrong:?}");
    }
    for right in [["--help"], ["--version"]] {
        assert_eq!(place.run(&right).status, 0);
    }
}

#[test]
fn what_cannot_be_finished_is_status_1() {
    let place = Place::new();
    for broken in [
        vec!["incidents"],
        vec!["status", "--json"],
        vec!["why", "1", "--state", "nowhere"],
        vec!["fix", "--pending"],
        vec!["replay", "gone.log"],
        vec!["inspect", "traces", "gone.log"],
        vec!["locate", "--tree", "gone.list", "gone.log"],
        vec!["init"],
    ] {
        let ran = place.run(&broken);
        assert_eq!(ran.status, 1, "{broken:?}\n{}{}", ran.out, ran.err);
        assert!(ran.err.starts_with("autofix: "), "{broken:?}\n{}", ran.err);
        assert_eq!(ran.out, "", "{broken:?}");
    }
}

#[test]
fn a_log_becomes_a_diff_that_applies() {
    let place = Place::new();
    let (shop, head) = place.shop();
    let log = place.write("crash.log", TRACE);
    let log = log.to_str().unwrap();
    let ran = place.run_in(&shop, &["replay", log, "--json", "--state", "../state"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let incidents = objects(&ran.out);
    assert_eq!(incidents.len(), 1, "{}", ran.out);
    let incident = &incidents[0];
    assert_eq!(incident["service"], "shop");
    assert_eq!(incident["commit"], head.as_str());
    assert_eq!(incident["location"]["file"], "shop.py");
    assert_eq!(incident["location"]["line"], 2);
    let patch = incident["proposal"]["patch"].as_str().unwrap();
    assert!(Path::new(patch).is_absolute(), "{patch}");
    place.git(&shop, &["apply", "--check", patch]);
    for said in ["assumed from the checkout", "read as text", "Commit"] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }

    let state = place.path("state");
    let state = state.to_str().unwrap();
    let listed = place.run(&["incidents", "--json", "--state", state]);
    assert_eq!(objects(&listed.out), incidents);
    let why = place.run(&["why", "#1", "--state", state]);
    assert_eq!(why.status, 0);
    for part in [
        "TypeError",
        "shop.py:2 in parse",
        "/app/shop.py:6 in handle",
        patch,
        "report.md",
    ] {
        assert!(why.out.contains(part), "{part}: {}", why.out);
    }
    let status = place.run(&["status", "--json", "--state", state]);
    let status = objects(&status.out);
    assert_eq!(status[0]["records"]["seen"], 6);
    assert_eq!(status[0]["incidents"]["proposed"], 1);
    let fix = place.run(&["fix", "--state", state]);
    assert_eq!(
        (fix.status, fix.out.as_str()),
        (0, ""),
        "nothing is left to do"
    );
}

#[test]
fn what_the_plugin_left_open_is_finished_by_fix() {
    let place = Place::new();
    let (shop, _) = place.shop();
    let log = place.write("crash.log", TRACE);
    let log = log.to_str().unwrap();
    let off = [
        "replay",
        log,
        "--set",
        "Fixer=off",
        "--set",
        "State_Dir=../state",
    ];
    let ran = place.run_in(&shop, &off);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("#1 open"), "{}", ran.out);
    let fix = place.run(&["fix", "1", "--json", "--state", "state"]);
    assert_eq!(fix.status, 0, "{}", fix.err);
    assert_ne!(objects(&fix.out)[0]["location"], Value::Null, "{}", fix.out);
}

#[test]
fn a_host_s_file_gives_the_settings_in_both_forms() {
    let place = Place::new();
    let (shop, head) = place.shop();
    let (shop, log) = (shop.display(), place.write("crash.log", TRACE));
    let classic = format!(
        "[OUTPUT]\n  Name autofix\n  Match *\n  Service cart\n  Repo {shop}\n  Commit {head}\n\
         [OUTPUT]\n  Name autofix\n  Alias two\n  Match b.*\n  Service other\n"
    );
    let yaml = format!(
        "pipeline:\n  outputs:\n    - name: autofix\n      match: '*'\n      service: cart\n\
         \x20     repo: {shop}\n      commit: '{head}'\n"
    );
    let classic = place.write("fb.conf", &classic);
    let yaml = place.write("fb.yaml", &yaml);
    let log = log.to_str().unwrap();
    let replay = |more: &[&str]| {
        let mut all = vec!["replay", log, "--json"];
        all.extend(more);
        place.run(&all)
    };
    let ran = replay(&["--config", classic.to_str().unwrap()]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.err.contains("several outputs") && ran.err.contains("Alias two"),
        "{}",
        ran.err
    );
    for more in [
        vec!["--config", classic.to_str().unwrap(), "--output", "1"],
        vec!["--config", yaml.to_str().unwrap()],
    ] {
        let ran = replay(&more);
        let incidents = objects(&ran.out);
        assert_eq!(incidents[0]["service"], "cart", "{}", ran.err);
        assert_eq!(incidents[0]["status"], "proposed", "{}", ran.err);
    }
    let set = ["--config", yaml.to_str().unwrap(), "--set", "mode=observe"];
    let ran = replay(&set);
    assert_eq!(objects(&ran.out)[0]["proposal"], Value::Null, "{}", ran.err);
}

#[test]
fn nothing_of_a_log_reaches_the_terminal_raw() {
    let place = Place::new();
    let hostile = "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}evil";
    let trace = TRACE.replace("not subscriptable", hostile);
    let log = place.write("crash.log", &trace);
    let log = log.to_str().unwrap();
    let runs = [
        place.run(&["replay", log, "--state", "state"]),
        place.run(&["incidents", "--state", "state"]),
        place.run(&["incidents", "--json", "--state", "state"]),
        place.run(&["why", "1", "--state", "state"]),
        place.run(&["inspect", "traces", log]),
        place.run(&["inspect", "traces", "--json", log]),
        place.run(&["check", "--config", log]),
        place.run(&["replay", "--set", "a\u{1b}b=c"]),
    ];
    for ran in runs {
        let all = format!("{}{}", ran.out, ran.err);
        let raw = |c: char| c.is_control() && c != '\n' && c != '\t' || c == '\u{202e}';
        assert!(!all.contains(raw), "{all:?}");
        assert_ne!(all, "");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_fault_but_a_full_disk_is() {
    let place = Place::new();
    let log = place.write("crash.log", &TRACE.repeat(5_000));
    let mut command = place.autofix();
    command.args(["inspect", "traces", "--json", log.to_str().unwrap()]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let done = ran(child.wait_with_output().unwrap());
    assert_eq!((done.status, done.err.as_str()), (0, ""));

    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = place.autofix();
    command.args(["inspect", "traces", "--json", log.to_str().unwrap()]);
    let done = ran(command.stdout(full).output().unwrap());
    assert_eq!(done.status, 1);
    assert!(done.err.contains("cannot write the result"), "{}", done.err);
}

#[test]
fn traces_of_json_lines_stream_by_stream() {
    let place = Place::new();
    let lines: Vec<&str> = TRACE.lines().collect();
    let mut text = String::new();
    for line in &lines {
        for side in ["a", "b"] {
            let object = serde_json::json!({"log": line, "pod": {"name": side}});
            text.push_str(&format!("{object}\n"));
        }
    }
    let mut command = place.autofix();
    command.args([
        "inspect",
        "traces",
        "--json",
        "--jsonl",
        "--stream-key",
        "pod.name",
    ]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let done = child.wait_with_output().unwrap();
    let traces = objects(&String::from_utf8(done.stdout).unwrap());
    let range = |trace: &Value| (trace["first"].as_u64(), trace["last"].as_u64());
    let mut ranges: Vec<_> = traces.iter().map(range).collect();
    ranges.sort_unstable();
    assert_eq!(ranges, [(Some(0), Some(10)), (Some(1), Some(11))]);
    assert_eq!(traces[0]["exception_type"], "TypeError");
    assert_eq!(traces[0]["frames"][1]["line"], 2);
}

#[test]
fn places_of_a_trace_in_a_repository_and_in_a_list() {
    let place = Place::new();
    let (shop, head) = place.shop();
    let log = place.write("crash.log", TRACE);
    let list = place.write("list", "README\nshop.py\n");
    let (log, list) = (log.to_str().unwrap(), list.to_str().unwrap());
    let in_repo = [
        "locate",
        "--json",
        "--repo",
        shop.to_str().unwrap(),
        "--commit",
        &head,
        log,
    ];
    for arguments in [
        in_repo.as_slice(),
        &["locate", "--json", "--tree", list, log],
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.status, 0, "{}", ran.err);
        let best = &objects(&ran.out)[0];
        assert_eq!(
            (&best["rank"], &best["file"], &best["line"]),
            (&1.into(), &"shop.py".into(), &2.into())
        );
        assert!(best["confidence"].is_f64() && best["why"].is_string());
    }
    let unknown = [
        "locate",
        "--repo",
        shop.to_str().unwrap(),
        "--commit",
        "0123456789",
        log,
    ];
    assert_eq!(place.run(&unknown).status, 1);
}

#[test]
fn a_log_without_a_trace_has_places_too() {
    let place = Place::new();
    let (shop, _) = place.shop();
    let said = place.write("shop.log", "ERROR nothing was parsed of \"x\"\n");
    let folder = shop.to_str().unwrap();
    place.write(
        "shop/said.py",
        "def f(x):\n    print(f'ERROR nothing was parsed of \"{x}\"')\n",
    );
    place.git(&shop, &["add", "."]);
    place.git(&shop, &["commit", "-qm", "Say what was not parsed"]);
    let ran = place.run(&["locate", "--json", "--repo", folder, said.to_str().unwrap()]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let best = &objects(&ran.out)[0];
    assert_eq!(
        (&best["file"], &best["line"]),
        (&"said.py".into(), &2.into()),
        "{}",
        ran.out
    );
    assert!(best["confidence"].as_f64().unwrap() < 0.5, "{best}");
    let keys: Vec<&String> = best.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["rank", "file", "line", "function", "confidence", "why"]
    );
    let empty = place.write("empty.log", "\n");
    let ran = place.run(&["locate", "--repo", folder, empty.to_str().unwrap()]);
    assert_eq!(ran.status, 1, "{}", ran.out);
}

#[test]
fn check_finds_faults_with_place_and_remedy() {
    let place = Place::new();
    let (shop, head) = place.shop();
    let services = format!(
        "[[service]]\nname = \"shop\"\nrepo = \"{}\"\ncommit = \"{head}\"\nroot = \"nowhere\"\n\
         [[service]]\nname = \"gone\"\nrepo = \"/nowhere/gone\"\ncommit = \"{head}\"\n\
         [[service]]\nname = \"old\"\nrepo = \"file://{}\"\ncommit = \"0123456789abcdef\"\n",
        shop.display(),
        shop.display()
    );
    let services = place.write("services.toml", &services);
    let config = format!(
        "[SERVICE]\n  Plugins_File plugins.conf\n[OUTPUT]\n  Name autofix\n  Match *\n\
         \x20 Stat_Dir /x\n  Services {}\n  State_Dir {}\n  Host example\n",
        services.display(),
        place.path("services.toml/state").display()
    );
    place.write(
        "plugins.conf",
        "[PLUGINS]\n  Path /opt/flb-out_autofix.so\n",
    );
    let config = place.write("fluent-bit.conf", &config);
    let ran = place.run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(ran.status, 1, "{}", ran.out);
    let at = |file: &str, line: u32| format!("{}:{line}: ", place.path(file).display());
    for (start, what) in [
        (
            at("fluent-bit.conf", 6),
            "unknown key `Stat_Dir`; did you mean `State_Dir`?",
        ),
        (at("fluent-bit.conf", 9), "`Host` is kept by the host"),
        (
            at("plugins.conf", 2),
            "begins with flb-; call it out_autofix.so",
        ),
        (
            at("services.toml", 1),
            "`root` nowhere is not in the repository",
        ),
        (
            at("services.toml", 6),
            "/nowhere/gone is not there; check the path",
        ),
        (at("services.toml", 10), "has no commit 0123456789abcdef"),
        (
            place.path("services.toml/state").display().to_string(),
            "is not a folder",
        ),
    ] {
        let found = ran
            .out
            .lines()
            .any(|line| line.contains(&start) && line.contains(what));
        assert!(found, "{start}{what}\n{}", ran.out);
    }
    assert_eq!(
        ran.out.lines().last(),
        Some("6 faults, 1 warning"),
        "{}",
        ran.out
    );
}

#[test]
fn init_writes_what_check_accepts() {
    let place = Place::new();
    let (shop, head) = place.shop();
    let ran = place.run_in(&shop, &["init"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let services = place.path("shop/services.toml");
    let mut text = fs::read_to_string(&services).unwrap();
    text.push_str(&format!("commit = \"{head}\"\n"));
    fs::write(&services, &text).unwrap();
    let again = place.run_in(&shop, &["init"]);
    assert!(again.out.contains("left as it is"), "{}", again.out);
    assert_eq!(fs::read_to_string(&services).unwrap(), text);

    // Both blocks, as printed, are complete configurations.
    let block = |from: &str| {
        let (_, rest) = ran.out.split_once(from).unwrap();
        let lines = rest.lines().skip(2).take_while(|line| !line.is_empty());
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let state = format!("State_Dir={}", place.path("state").display());
    for (name, text) in [
        ("init.conf", block("classic Fluent Bit file:")),
        ("init.yaml", block("YAML file:")),
    ] {
        let path = place.write(name, &text);
        let ran = place.run(&["check", "--config", path.to_str().unwrap(), "--set", &state]);
        assert_eq!(ran.status, 0, "{text}\n{}", ran.out);
        assert!(ran.out.contains("0 faults"), "{}", ran.out);
        assert!(
            ran.out.contains(&format!("commit {head} found")),
            "{}",
            ran.out
        );
    }
}

/// Answers a few paths as git hosts do, once for each request, and tells what was asked.
fn fake_git_host() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let token = request
                .to_ascii_lowercase()
                .contains("\nauthorization: basic ");
            let (status, kind) = match path.split('/').nth(1) {
                Some("good") => ("200 OK", "application/x-git-upload-pack-advertisement"),
                Some("private") if token => {
                    ("200 OK", "application/x-git-upload-pack-advertisement")
                }
                Some("private") => ("401 Unauthorized", "text/plain"),
                Some("moved") => ("301 Moved Permanently", "text/plain"),
                _ => ("200 OK", "text/html"),
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes());
            let _ = tell.send(request);
        }
    });
    (address, told)
}

#[test]
fn check_asks_the_server_of_the_model_unless_offline() {
    let model = played::Played::new(|_| played::Reply::Hangs);
    let place = Place::new();
    let url = format!("Triage_Url={}", model.url);
    let of = |url: &str, more: &[&str]| {
        let all = ["check", "--set", "Triage=openai", "--set", url];
        place.run(&[&all[..], more].concat())
    };
    // It lists no model.
    let ran = of(&url, &[]);
    assert!(ran.out.contains("Triage: "), "{}", ran.out);
    let ran = of("Triage_Url=http://127.0.0.1:9", &[]);
    assert_eq!(ran.status, 0, "a server may be started later\n{}", ran.out);
    assert!(
        ran.out.contains("is the server running there?"),
        "{}",
        ran.out
    );
    let ran = of("Triage_Url=http://127.0.0.1:9", &["--offline"]);
    assert!(!ran.out.contains("running there"), "{}", ran.out);
    assert_eq!(model.questions(), 0, "it is shown nothing");
}

#[test]
fn check_asks_remote_repositories_of_a_fake_host() {
    let place = Place::new();
    let (host, told) = fake_git_host();
    let block = |name: &str| {
        format!(
            "[[service]]\nname = \"{name}\"\nrepo = \"{host}/{name}\"\ncommit = \"field:sha\"\n"
        )
    };
    let all: String = ["good", "private", "moved", "page"].map(block).concat();
    let services = place.write("services.toml", &all);
    let services = services.to_str().unwrap();
    let ran = place.run(&["check", "--services", services]);
    assert_eq!(ran.status, 1, "{}", ran.out);
    for part in [
        format!("{host}/good: repository of good"),
        format!(
            "{host}/private is not there, or private; check the address, or set Forge_Token_Env"
        ),
        format!("{host}/moved points to another address"),
        format!("{host}/page is no git repository"),
        "3 faults, 0 warnings".to_owned(),
    ] {
        assert!(ran.out.contains(&part), "{part}\n{}", ran.out);
    }
    assert_eq!(told.try_iter().count(), 4);

    let offline = place.run(&["check", "--services", services, "--offline"]);
    assert_eq!(offline.status, 0, "{}", offline.out);
    assert_eq!(told.try_iter().count(), 0, "nothing is asked offline");

    let token = place.write("token", "t0ken\n");
    let (set, token) = (format!("Services={services}"), token.display().to_string());
    let token = format!("Forge_Token_File={token}");
    let ran = place.run(&["check", "--set", &set, "--set", &token]);
    assert!(
        ran.out
            .contains(&format!("{host}/private: repository of private")),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("t0ken"), "{}", ran.out);
}
