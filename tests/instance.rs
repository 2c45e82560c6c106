//! A whole instance behind its door, without a host: chunks in, incidents and files out. The
//! real hosts are in `router.rs`.

#[path = "instance/around.rs"]
mod around;
#[path = "instance/failures.rs"]
mod failures;
mod git;
#[path = "instance/learned.rs"]
mod learned;
#[path = "instance/past.rs"]
mod past;
#[path = "instance/storm.rs"]
mod storm;

use autofix::app::{fix, look};
use autofix::log::Log;
use autofix::model::{Incident, IncidentId, Kind, Status, Timestamp};
use autofix::plugin::{self, Flush, Host, Instance};
use autofix::record::encode::{self, Layout};
use git::git;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const CRASH: &str = "Traceback (most recent call last):
  File \"/app/app.py\", line 5, in handle
    return total(order)
  File \"/app/app.py\", line 2, in total
    return order[\"price\"] * order[\"count\"]
KeyError: 'count'";

type Lines = Arc<Mutex<Vec<String>>>;

fn started(pairs: &[(&str, String)]) -> (Box<Instance>, Lines) {
    let lines = Lines::default();
    let (said, pairs) = (Arc::clone(&lines), owned(pairs));
    let host = Host {
        property: Box::new(move |key| {
            let found = pairs.iter().find(|(name, _)| name == key);
            found.map(|(_, value)| value.clone())
        }),
        log: Log::new(move |_, line| said.lock().unwrap().push(line.to_owned())),
        start_disabled: None,
    };
    (plugin::start(host).expect("a right configuration"), lines)
}

fn owned(pairs: &[(&str, String)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect()
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(since.as_nanos() as i64)
}

fn chunk(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.lines() {
        encode::record(&mut bytes, Layout::New, now(), &[("log", line)]);
    }
    bytes
}

fn feed(instance: &Instance, text: &str) {
    assert_eq!(instance.flush(b"app", &chunk(text)), Flush::Taken);
}

fn incidents(state: &Path) -> Vec<Incident> {
    look::incidents(state).unwrap()
}

fn wait_for(state: &Path, ready: impl Fn(&[Incident]) -> bool) -> Vec<Incident> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let all = look::incidents(state).unwrap_or_default();
        if ready(&all) {
            return all;
        }
        assert!(Instant::now() < end, "not there in time: {all:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn stop(instance: &Instance) {
    instance.stop(Duration::from_secs(20));
}

fn state_of(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("state")
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A service whose second commit broke it; the id of that commit.
fn broken_service(repo: &Path) -> String {
    std::fs::create_dir_all(repo).unwrap();
    let source = "def total(order):\n    return order[\"price\"] * order[\"qty\"]\n\ndef handle(order):\n    return total(order)\n";
    git(repo, &["init", "-q", "-b", "main"]);
    std::fs::write(repo.join("app.py"), source).unwrap();
    git(repo, &["add", "."]);
    git(repo, &["commit", "-qm", "First version"]);
    std::fs::write(repo.join("app.py"), source.replace("qty", "count")).unwrap();
    git(repo, &["commit", "-qam", "Call it count"]);
    git(repo, &["rev-parse", "HEAD"])
}

/// An instance for that service, with these keys besides.
fn of_broken_service(state: &Path, repo: &Path, more: &[(&str, String)]) -> Box<Instance> {
    let mut keys = vec![
        ("State_Dir", text(state)),
        ("Service", "shop".into()),
        ("Repo", text(repo)),
        ("Commit", broken_service(repo)),
    ];
    keys.extend_from_slice(more);
    started(&keys).0
}

#[test]
fn a_crash_becomes_a_diff_that_git_applies() {
    let folder = TempDir::new().unwrap();
    let (state, repo) = (state_of(&folder), folder.path().join("repo"));
    let instance = of_broken_service(&state, &repo, &[]);
    feed(&instance, &format!("starting\n{CRASH}\nlater"));
    let all = wait_for(&state, |all| {
        all.first().is_some_and(|one| one.proposal.is_some())
    });
    stop(&instance);
    let place = all[0].location.as_ref().unwrap();
    assert_eq!((place.file.as_str(), place.line), ("app.py", Some(2)));
    let patch = &all[0].proposal.as_ref().unwrap().patch;
    git(&repo, &["apply", "--check", patch]);
    let report = std::fs::read_to_string(Path::new(patch).with_file_name("report.md")).unwrap();
    assert!(report.contains("Call it count"), "{report}");
    let json = std::fs::read_to_string(Path::new(patch).with_file_name("report.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["incident"]["proposal"]["patch"], patch.as_str());
    let status = look::status(&state).unwrap().to_json();
    assert_eq!(status["lanes"]["slow"]["proposals"], 1);
    assert!(git(&repo, &["status", "--porcelain"]).is_empty());
}

#[test]
fn a_trace_that_is_the_last_line_before_the_end_is_not_lost() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, _) = started(&[("State_Dir", text(&state))]);
    feed(&instance, CRASH);
    stop(&instance);
    let all = incidents(&state);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].kind, all[0].service.as_str()), (Kind::Crash, "app"));
}

#[test]
fn the_same_fault_is_one_incident_over_restarts_and_two_instances() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let keys = [("State_Dir", text(&state))];
    let (one, _) = started(&keys);
    let (two, _) = started(&keys);
    feed(&one, CRASH);
    feed(&two, CRASH);
    stop(&one);
    stop(&two);
    let (again, _) = started(&keys);
    feed(&again, &CRASH.replace("line 2", "line 3"));
    stop(&again);
    let all = incidents(&state);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0].count, 3);
}

#[test]
fn what_the_end_cut_short_is_open_again_and_finished_by_hand() {
    let folder = TempDir::new().unwrap();
    let (state, repo) = (state_of(&folder), folder.path().join("repo"));
    let instance = of_broken_service(&state, &repo, &[("Fixer", "off".into())]);
    feed(&instance, CRASH);
    stop(&instance);
    assert_eq!(incidents(&state)[0].status, Status::Open);
    let mut worked = Vec::new();
    fix::fix(
        &state,
        look::limits(),
        fix::Which::One(IncidentId(1)),
        Log::silent(),
        &mut |fixed| {
            worked.push(fixed);
            true
        },
    )
    .unwrap();
    let incident = &incidents(&state)[0];
    assert_eq!((worked.len(), incident.status), (1, Status::Reported));
    assert_eq!(incident.location.as_ref().unwrap().file, "app.py");
    assert!(incident.proposal.is_none());
}

#[test]
fn the_switch_file_turns_it_off_and_on_again() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, lines) = started(&[("State_Dir", text(&state))]);
    std::fs::write(state.join("OFF"), "").unwrap();
    let said = |what: &str| {
        let end = Instant::now() + Duration::from_secs(20);
        while !lines.lock().unwrap().iter().any(|line| line.contains(what)) {
            assert!(Instant::now() < end, "{what} was not said");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    said("turned off");
    feed(&instance, CRASH);
    std::fs::remove_file(state.join("OFF")).unwrap();
    said("on again");
    feed(&instance, "nothing to see");
    stop(&instance);
    assert!(incidents(&state).is_empty());
    let status = look::status(&state).unwrap().to_json();
    assert_eq!(status["records"]["dropped"], 6);
    assert_eq!(status["records"]["seen"], 1);
}

#[test]
fn a_changed_registry_is_read_again_and_a_broken_edit_keeps_the_old_one() {
    let folder = TempDir::new().unwrap();
    let (state, file) = (state_of(&folder), folder.path().join("services.toml"));
    std::fs::write(
        &file,
        "[[service]]\nname = \"first\"\nmatch = \"tag:app\"\n",
    )
    .unwrap();
    let (instance, lines) = started(&[("State_Dir", text(&state)), ("Services", text(&file))]);
    let said = |what: &str| {
        let end = Instant::now() + Duration::from_secs(20);
        while !lines.lock().unwrap().iter().any(|line| line.contains(what)) {
            assert!(Instant::now() < end, "{what}: {:?}", lines.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    feed(&instance, CRASH);
    wait_for(&state, |all| all.iter().any(|one| one.service == "first"));
    std::fs::write(&file, "[[service]]\nnam = \"second\"\n").unwrap();
    said("the old one is kept");
    std::fs::write(
        &file,
        "[[service]]\nname = \"second\"\nmatch = \"tag:app\"\n",
    )
    .unwrap();
    said("was read again");
    feed(&instance, CRASH);
    stop(&instance);
    let names: Vec<_> = incidents(&state)
        .into_iter()
        .map(|one| one.service)
        .collect();
    assert_eq!(names, ["first", "second"]);
}

#[test]
fn a_chunk_over_the_limit_is_dropped_and_counted() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, _) = started(&[("State_Dir", text(&state)), ("Queue_Limit", "4M".into())]);
    let line = format!("{}\n", "x".repeat(1 << 10));
    let huge = chunk(&line.repeat(5 << 10));
    assert_eq!(instance.flush(b"app", &huge), Flush::Taken);
    feed(&instance, "small");
    stop(&instance);
    let status = look::status(&state).unwrap().to_json();
    let dropped = status["records"]["dropped"].as_u64().unwrap();
    assert!(dropped.abs_diff(5 << 10) < 8, "{dropped}");
    assert_eq!(status["records"]["seen"], 1);
    assert_eq!(status["lanes"]["fast"]["chunks_dropped"], 1);
}

#[test]
fn garbage_is_counted_said_once_and_survived() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, lines) = started(&[("State_Dir", text(&state))]);
    for seed in 0..50u8 {
        let garbage: Vec<u8> = (0..2_000u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 ^ seed)
            .collect();
        assert_eq!(instance.flush(b"app", &garbage), Flush::Taken);
    }
    feed(&instance, CRASH);
    stop(&instance);
    assert_eq!(incidents(&state).len(), 1);
    let status = look::status(&state).unwrap().to_json();
    assert!(status["lanes"]["fast"]["decode_faults"].as_u64().unwrap() >= 50);
    assert_eq!(status["lanes"]["fast"]["panics"], 0);
    let lines = lines.lock().unwrap();
    let said = lines
        .iter()
        .filter(|line| line.contains("could not be read"));
    assert_eq!(said.count(), 1);
}

#[test]
fn a_state_folder_that_cannot_be_used_disables_and_says_why() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (instance, lines) = started(&[("State_Dir", text(&file.join("state")))]);
    feed(&instance, CRASH);
    stop(&instance);
    let lines = lines.lock().unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("disabled: State_Dir")),
        "{lines:?}"
    );
}

#[test]
fn our_own_tag_and_our_own_log_lines_make_no_incident() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, _) = started(&[("State_Dir", text(&state))]);
    assert_eq!(
        instance.flush(b"autofix.incidents", &chunk(CRASH)),
        Flush::Taken
    );
    feed(
        &instance,
        "[2026/03/01 12:00:00] [ info] [output:autofix:autofix.0] panic: made up",
    );
    stop(&instance);
    assert!(incidents(&state).is_empty());
}

#[test]
fn server_errors_count_in_a_window_and_single_ones_are_forgotten() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, _) = started(&[("State_Dir", text(&state))]);
    let line = |status| {
        format!("10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] \"GET /pay HTTP/1.1\" {status} 12\n")
    };
    feed(&instance, &line(500).repeat(9));
    feed(&instance, &line(404).repeat(50));
    std::thread::sleep(Duration::from_millis(600));
    assert!(incidents(&state).is_empty());
    feed(&instance, &line(503));
    stop(&instance);
    let all = incidents(&state);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(
        (all[0].kind, all[0].watch.as_deref()),
        (Kind::Watch, Some("http_5xx"))
    );
}

#[test]
fn past_the_hours_limit_faults_are_located_and_their_diffs_wait() {
    let folder = TempDir::new().unwrap();
    let (state, repo) = (state_of(&folder), folder.path().join("repo"));
    let instance = of_broken_service(&state, &repo, &[("Max_Fixes_Per_Hour", "1".into())]);
    let other = CRASH.replace("KeyError: 'count'", "TypeError: not a number");
    feed(&instance, &format!("{CRASH}\n--\n{other}\n--"));
    let all = wait_for(&state, |all| {
        all.len() == 2 && all.iter().all(|one| one.location.is_some())
    });
    stop(&instance);
    let status: Vec<_> = all.iter().map(|one| one.status).collect();
    assert_eq!(status, [Status::Proposed, Status::Open], "{all:#?}");
    assert!(all[1].reason.contains("Max_Fixes_Per_Hour"));
    assert!(!state.join("incidents/2/fix.patch").exists());
    let mut told = |_| true;
    let pending = fix::Which::Pending;
    fix::fix(&state, look::limits(), pending, Log::silent(), &mut told).unwrap();
    let all = incidents(&state);
    assert_eq!(all[1].status, Status::Proposed);
    assert!(!all[1].reason.contains("Max_Fixes_Per_Hour"));
}

#[test]
fn a_registry_finds_a_service_by_a_label_of_its_own() {
    let folder = TempDir::new().unwrap();
    let (state, file) = (state_of(&folder), folder.path().join("services.toml"));
    let registry = "[[service]]\nname = \"pay\"\nmatch = \"label:acme.example/unit=payments\"\n";
    std::fs::write(&file, registry).unwrap();
    let (instance, _) = started(&[("State_Dir", text(&state)), ("Services", text(&file))]);
    let mut bytes = Vec::new();
    for line in CRASH.lines() {
        encode::event(&mut bytes, Layout::New, now());
        encode::map(&mut bytes, 2);
        encode::text(&mut bytes, b"log");
        encode::text(&mut bytes, line.as_bytes());
        encode::text(&mut bytes, b"kubernetes");
        encode::map(&mut bytes, 1);
        encode::text(&mut bytes, b"labels");
        encode::map(&mut bytes, 1);
        encode::text(&mut bytes, b"acme.example/unit");
        encode::text(&mut bytes, b"payments");
    }
    assert_eq!(instance.flush(b"kube.x", &bytes), Flush::Taken);
    stop(&instance);
    let names: Vec<_> = incidents(&state)
        .into_iter()
        .map(|one| one.service)
        .collect();
    assert_eq!(names, ["pay"]);
}

#[test]
fn an_exit_notice_behind_a_crash_or_a_kill_is_no_fault_of_its_own() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, _) = started(&[("State_Dir", text(&state))]);
    feed(&instance, &format!("{CRASH}\napp exited with code 1"));
    let kinds = |state| -> Vec<Kind> { incidents(state).iter().map(|one| one.kind).collect() };
    wait_for(&state, |all| !all.is_empty());
    stop(&instance);
    assert_eq!(kinds(&state), [Kind::Crash]);
    let other = folder.path().join("other");
    let (instance, _) = started(&[("State_Dir", text(&other))]);
    feed(
        &instance,
        "Out of memory: Killed process 71 (java) total-vm:1kB\n\
         app.service: Failed with result 'oom-kill'.\n\
         app.service: Main process exited, code=killed, status=9/KILL",
    );
    stop(&instance);
    assert_eq!(kinds(&other), [Kind::Oom]);
}

#[test]
fn a_line_that_began_no_trace_keeps_its_level() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, _) = started(&[("State_Dir", text(&state))]);
    feed(
        &instance,
        "{\"level\":\"debug\",\"msg\":\"panic: handler disabled\"}\n\
         {\"level\":\"info\",\"msg\":\"next\"}",
    );
    stop(&instance);
    assert!(incidents(&state).is_empty(), "{:#?}", incidents(&state));
}
