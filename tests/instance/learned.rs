//! What an instance learns of its services, and the team's own watches: over restarts, from a
//! seed, and after an edit.

use super::{feed, incidents, started, state_of, stop, text, wait_for};
use autofix::app::{inspect, look};
use autofix::model::{Kind, Timestamp};
use autofix::plugin::Flush;
use autofix::record::encode::{self, Layout};
use std::fs;
use tempfile::TempDir;

fn templates(state: &std::path::Path) -> Vec<(Option<String>, String, String)> {
    let learnt = inspect::learnt(state).unwrap();
    let mut all: Vec<_> = learnt
        .into_iter()
        .map(|one| (one.service, one.id.to_string(), one.template))
        .collect();
    all.sort();
    all
}

#[test]
fn templates_outlive_a_restart_with_their_ids() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let keys = [("State_Dir", text(&state))];
    let (instance, _) = started(&keys);
    feed(
        &instance,
        "user 17 logged in\nuser 18 logged in\ncache is cold",
    );
    stop(&instance);
    let first = templates(&state);
    assert_eq!(first.len(), 2, "{first:?}");
    assert!(first.iter().all(|one| one.0.as_deref() == Some("app")));
    let (instance, _) = started(&keys);
    feed(&instance, "user 99 logged in\nqueue of 3 is full");
    stop(&instance);
    let second = templates(&state);
    assert_eq!(second.len(), 3, "{second:?}");
    assert!(first.iter().all(|one| second.contains(one)), "{second:?}");
}

#[test]
fn a_seed_names_templates_before_the_first_line() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, _) = started(&[("State_Dir", text(&state))]);
    feed(&instance, "user 17 logged in");
    stop(&instance);
    let learnt = inspect::learnt(&state).unwrap();
    let seed = folder.path().join("seed.jsonl");
    let line = serde_json::to_string(&learnt[0]).unwrap();
    fs::write(&seed, format!("{line}\n\nnot json\n")).unwrap();
    let other = folder.path().join("other");
    let keys = [("State_Dir", text(&other)), ("Templates_Seed", text(&seed))];
    let (instance, said) = started(&keys);
    stop(&instance);
    let said = said.lock().unwrap().join("\n");
    assert!(said.contains("1 templates taken up"), "{said}");
    assert!(said.contains("line 3: "), "{said}");
}

const WATCH: &str = r#"[{"label":"declined","match":{"field":"log","contains":"card declined"},
    "window_seconds":60,"threshold":3,"summary":"Cards are declined"}]"#;

#[test]
fn a_team_s_watch_fires_and_an_edit_takes_its_place() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let file = folder.path().join("watches.json");
    fs::write(&file, WATCH).unwrap();
    let keys = [("State_Dir", text(&state)), ("Watches", text(&file))];
    let (instance, said) = started(&keys);
    feed(&instance, &"card declined for order 5\n".repeat(3));
    let all = wait_for(&state, |all| !all.is_empty());
    assert_eq!(
        (all[0].kind, all[0].watch.as_deref()),
        (Kind::Watch, Some("declined"))
    );

    fs::write(&file, "[{\"label\":\"broken\"}]").unwrap();
    let heard = |part: &str| {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !said.lock().unwrap().iter().any(|line| line.contains(part)) {
            assert!(
                std::time::Instant::now() < end,
                "{part}: {:?}",
                said.lock().unwrap()
            );
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    heard("the old ones are kept");
    fs::write(&file, WATCH.replace("declined", "refused")).unwrap();
    heard("1 watches of the team installed");
    feed(&instance, &"card refused for order 5\n".repeat(3));
    let all = wait_for(&state, |all| all.len() == 2);
    assert_eq!(all[1].watch.as_deref(), Some("refused"));
    stop(&instance);
    assert_eq!(incidents(&state).len(), 2);
}

#[test]
fn clocks_that_jump_make_no_incident_and_no_panic() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, _) = started(&[("State_Dir", text(&state))]);
    let day = 86_400_000_000_000_i64;
    let start = 1_700_000_000_000_000_000_i64;
    let mut bytes = Vec::new();
    for step in 0..20_000_i64 {
        let jump = match step % 7 {
            0 => -start,
            1 => 400 * day,
            2 => -3 * day,
            3 => i64::from(u32::MAX) * 1_000_000_000 - start,
            4 => -1_000_000_000,
            _ => 0,
        };
        let time = Timestamp(start + step * 50_000_000 + jump);
        let line = format!("ERROR could not reach host {step}");
        encode::record(&mut bytes, Layout::New, time, &[("log", &line)]);
    }
    assert_eq!(instance.flush(b"app", &bytes), Flush::Taken);
    stop(&instance);
    let status = look::status(&state).unwrap();
    assert_eq!(status.counters["records_seen"], 20_000);
    assert_eq!(status.counters["panics"], 0);
    assert_eq!(incidents(&state).len(), 0, "{:?}", incidents(&state));
}

#[test]
fn a_watch_that_counts_values_apart_says_which_one_it_was() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let file = folder.path().join("watches.json");
    let watch = WATCH.replace("\"threshold\"", "\"group_by\":\"shop\",\"threshold\"");
    fs::write(&file, watch).unwrap();
    let keys = [("State_Dir", text(&state)), ("Watches", text(&file))];
    let (instance, _) = started(&keys);
    let line = |shop: &str| format!("{{\"msg\":\"card declined\",\"shop\":\"{shop}\"}}\n");
    feed(
        &instance,
        &[line("a"), line("b"), line("a"), line("b"), line("a")].concat(),
    );
    let all = wait_for(&state, |all| !all.is_empty());
    stop(&instance);
    assert_eq!((all.len(), all[0].count), (1, 1), "{all:?}");
    assert!(all[0].title.ends_with("(shop = a)"), "{}", all[0].title);
}
