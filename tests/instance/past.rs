//! What differs from a service's own past becomes an incident: errors that rise, a program that
//! restarts in a loop, a commit that is worse than the one before.

use super::{incidents, started, state_of, stop, text};
use autofix::app::bill::Item;
use autofix::app::look;
use autofix::model::{Incident, Kind, Timestamp};
use autofix::plugin::{Flush, Instance};
use autofix::record::encode::{self, Layout};
use std::fs;
use tempfile::TempDir;

/// A record at a second, with its fields.
type Record<'a> = (i64, Vec<(&'a str, &'a str)>);

const START: i64 = 1_767_225_600;

fn feed_at(instance: &Instance, records: &[Record<'_>]) {
    for part in records.chunks(5_000) {
        let mut bytes = Vec::new();
        for (second, fields) in part {
            let time = Timestamp::from_parts(START + second, 0);
            encode::record(&mut bytes, Layout::New, time, fields);
        }
        assert_eq!(instance.flush(b"app", &bytes), Flush::Taken);
    }
}

/// What an instance with these keys makes of the records.
fn made_of(
    keys: &[(&str, String)],
    records: &[Record<'_>],
    state: &std::path::Path,
) -> Vec<Incident> {
    let mut all = vec![("State_Dir", text(state))];
    all.extend_from_slice(keys);
    let (instance, _) = started(&all);
    feed_at(&instance, records);
    stop(&instance);
    incidents(state)
}

#[test]
fn errors_that_leave_their_own_past_behind_are_one_incident() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let mut records: Vec<Record> = Vec::new();
    for second in 0..12 * 3_600 {
        if second % 2 == 0 {
            records.push((second, vec![("log", "INFO order 17 shipped")]));
        }
        let often = if second > 11 * 3_600 { 2 } else { 120 };
        if second % often == 0 {
            records.push((
                second,
                vec![("log", "ERROR payment gateway timed out after 30 s")],
            ));
        }
    }
    let all = made_of(&[], &records, &state);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0].kind, Kind::Rate);
    assert!(
        all[0].title.contains("payment gateway timed out"),
        "{}",
        all[0].title
    );
    assert!(all[0].reason.contains("its own past"), "{}", all[0].reason);
}

#[test]
fn a_program_that_restarts_in_a_loop_is_one_incident() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let ids: Vec<String> = (0..7).map(|run| format!("{run:064x}")).collect();
    let mut records: Vec<Record> = Vec::new();
    let mut at = 0;
    for (run, id) in ids.iter().enumerate() {
        let who = |line| {
            vec![
                ("log", line),
                ("container_name", "/shop"),
                ("container_id", id.as_str()),
            ]
        };
        records.push((at, who("starting shop")));
        records.push((at + 1, who("process exited with code 3")));
        at += [10, 20, 40, 80, 160, 300, 300][run];
    }
    let all = made_of(&[], &records, &state);
    let loops: Vec<_> = all.iter().filter(|one| one.kind == Kind::Rate).collect();
    assert_eq!(loops.len(), 1, "{all:#?}");
    assert!(loops[0].reason.contains("restarted"), "{}", loops[0].reason);
}

#[test]
fn a_commit_that_is_worse_than_the_one_before_is_told_while_it_rolls_out() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let registry = folder.path().join("services.toml");
    let service = "[[service]]\nname = \"shop\"\nmatch = \"tag:app\"\nrepo = \"/nowhere\"\ncommit = \"field:sha\"\n";
    fs::write(&registry, service).unwrap();
    let (old, new) = ("1111111", "2222222");
    let mut records: Vec<Record> = Vec::new();
    for second in 0..7_200 {
        let sha = if second > 3_600 && second % 2 == 0 {
            new
        } else {
            old
        };
        let (status, line) = match (sha == new, second % 10) {
            (true, 0..=4) => ("500", "GET /orders failed"),
            _ => ("200", "GET /orders done"),
        };
        records.push((
            second,
            vec![("log", line), ("status", status), ("sha", sha)],
        ));
    }
    let keys = [
        ("Services", text(&registry)),
        ("Mode", "observe".to_owned()),
    ];
    let all = made_of(&keys, &records, &state);
    let worse = all
        .iter()
        .find(|one| one.watch.as_deref() == Some("deploy_worse:2222222"));
    assert!(worse.is_some(), "{all:#?}");
    let status = look::status(&state).unwrap().to_json().to_string();
    assert!(status.contains("\"worse\""), "{status}");
    let journal = fs::read_to_string(state.join("incidents.jsonl")).unwrap();
    let line = journal
        .lines()
        .find(|line| line.contains("\"event\":\"deploy\""));
    assert!(
        line.is_some_and(|line| !line.contains("orders")),
        "{journal}"
    );
}

#[test]
fn the_bill_counts_every_line_and_knows_which_were_in_an_incident() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let mut records: Vec<Record> = Vec::new();
    for second in 0..50 {
        records.push((second, vec![("log", "INFO cache is warm")]));
    }
    let trace = [
        "Traceback (most recent call last):",
        "  File \"/app/a.py\", line 5, in <module>",
        "    total()",
        "ValueError: no price",
    ];
    records.extend(trace.iter().map(|line| (60, vec![("log", *line)])));
    let all = made_of(&[], &records, &state);
    assert_eq!(all.len(), 1, "{all:#?}");
    let bill = &autofix::app::bill::bill(&state).unwrap()[0];
    assert_eq!(bill.lines, 54, "{bill:?}");
    let of = |part: &str| {
        let text = |item: &&Item| item.text.as_ref().is_some_and(|text| text.contains(part));
        bill.items.iter().find(text).expect(part)
    };
    assert!(!of("cache is warm").in_incident, "{bill:?}");
    let trace = of("Traceback");
    assert_eq!((trace.in_incident, trace.lines), (true, 4), "{bill:?}");
}
