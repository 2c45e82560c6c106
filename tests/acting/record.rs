//! The audit: one chain, only added to, redacted, bounded, and whatever was done to it by hand is found
//! with what left the host.

use crate::platform::{Call, Played, now};
use crate::world::{World, door, lax, request};
use autofix::app::audit;
use autofix::model::recovery::{Caller, CallerKind, Permit, Policy};
use autofix::policy::Request;
use autofix::recover::ErrorKind;
use autofix::store::Head;
use rusqlite::{Connection, params};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const STATE: &str = "AUTOFIX_RECORD_TEST_STATE";
const AGENT: CallerKind = CallerKind::Agent;

/// A place with a dozen entries of all sorts.
fn written() -> World {
    let world = World::new(lax(), Played::ill());
    let done = world.ask(AGENT, "restart", &[]);
    world.finish(done.id);
    for verb in ["delete", "destroy", "restart"] {
        let _ = world.try_ask(request(AGENT, verb, &[]));
    }
    world.policy(Policy {
        permit: Permit::Approve,
        ..lax()
    });
    let waits = world.ask(CallerKind::Person, "scale", &[("to", "3")]);
    world.door().deny(waits.id, "root", "no").unwrap();
    let _ = world.door().approve(waits.id, "root");
    world
}

fn verified(world: &World) -> audit::Verified {
    audit::verify(&world.dir(), &[]).unwrap()
}

#[test]
fn an_audit_that_nobody_touched_is_whole_and_each_head_has_left() {
    let world = written();
    let found = verified(&world);
    assert_eq!(found.faults, []);
    assert!(found.entries >= 10, "{}", found.entries);
    assert_eq!(found.heads as u64, found.entries);
    // What was asked, by whom, why, and what came of it stands in it.
    let audit = world.audit();
    let events: Vec<&str> = audit
        .iter()
        .filter_map(|one| one["event"].as_str())
        .collect();
    assert_eq!(
        events,
        [
            "approved", "running", "watched", "done", "refused", "refused", "refused", "pending",
            "denied", "refused"
        ]
    );
    assert!(
        audit
            .iter()
            .all(|one| one["time"].is_string() && one["caller"].is_string())
    );
}

fn unguarded(world: &World) -> Connection {
    let db = world.sql();
    let triggers = "DROP TRIGGER audit_stays; DROP TRIGGER audit_is_kept;
                    DROP TRIGGER audit_is_added_to;";
    db.execute_batch(triggers).unwrap();
    db
}

#[test]
fn it_is_only_added_to() {
    let world = written();
    let db = world.sql();
    let last = verified(&world).entries;
    for sql in [
        "UPDATE audit SET json = '{}' WHERE entry = 3".to_owned(),
        "UPDATE audit SET made = 0".to_owned(),
        "UPDATE OR REPLACE audit SET entry = 2 WHERE entry = 3".to_owned(),
        "DELETE FROM audit WHERE entry = 3".to_owned(),
        format!("DELETE FROM audit WHERE entry = {last}"),
        "DELETE FROM audit".to_owned(),
        format!(
            "INSERT OR REPLACE INTO audit SELECT entry, made, kind, event, prev, hash, '{{}}'
             FROM audit WHERE entry = {last}"
        ),
        format!("REPLACE INTO audit VALUES ({last}, 0, 'agent', 'refused', '', '', '{{}}')"),
    ] {
        let refused = db.execute(&sql, []).unwrap_err().to_string();
        assert!(refused.contains("only added to"), "{sql}: {refused}");
    }
    assert_eq!(verified(&world).faults, []);
}

fn hash(prev: &str, json: &str) -> String {
    let digest = Sha256::digest(format!("{prev}\n{json}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the chain anew from an entry on, as somebody would who knows how it is made.
fn chain_anew(db: &Connection, from: i64) {
    let rows: Vec<(i64, String)> = db
        .prepare("SELECT entry, json FROM audit ORDER BY entry")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut prev = "0".repeat(64);
    for (entry, json) in rows {
        let hash = hash(&prev, &json);
        if entry >= from {
            let sql = "UPDATE audit SET prev = ?2, hash = ?3 WHERE entry = ?1";
            db.execute(sql, params![entry, prev, hash]).unwrap();
        }
        prev = hash;
    }
}

#[test]
fn whatever_is_changed_by_hand_is_found() {
    // With the next one, or the last with the first.
    let other = "(?1 % (SELECT max(entry) FROM audit) + 1)";
    let swap = format!(
        "UPDATE audit SET json = (SELECT json FROM audit AS b WHERE b.entry =
         CASE audit.entry WHEN ?1 THEN {other} ELSE ?1 END) WHERE entry IN (?1, {other})"
    );
    let ways = [
        (
            "changed",
            "UPDATE audit SET json = replace(json, 'cart', 'pay') WHERE entry = ?1",
        ),
        (
            "touched",
            "UPDATE audit SET json = json || ' ' WHERE entry = ?1",
        ),
        ("swapped", &swap),
        ("deleted", "DELETE FROM audit WHERE entry = ?1"),
        ("cut off", "DELETE FROM audit WHERE entry >= ?1"),
        ("cut off in front", "DELETE FROM audit WHERE entry <= ?1"),
    ];
    let world = written();
    let db = unguarded(&world);
    let whole = "CREATE TABLE whole AS SELECT * FROM audit";
    db.execute_batch(whole).unwrap();
    let count = verified(&world).entries as i64;
    let mut all = 0;
    for entry in 1..=count {
        for (what, sql) in ways {
            for anew in [false, true] {
                assert!(db.execute(sql, [entry]).unwrap() > 0);
                if anew {
                    chain_anew(&db, 1);
                }
                let found = verified(&world);
                assert!(!found.faults.is_empty(), "{what} {entry}, anew: {anew}");
                db.execute_batch("DELETE FROM audit; INSERT INTO audit SELECT * FROM whole")
                    .unwrap();
                assert_eq!(verified(&world).faults, []);
                all += 1;
            }
        }
    }
    println!("{all} changes by hand, all found");
}

#[test]
fn a_head_that_is_added_later_does_not_take_the_first_one_back() {
    let world = written();
    let db = unguarded(&world);
    let sql = "UPDATE audit SET json = json || ' ' WHERE entry = 2";
    db.execute(sql, []).unwrap();
    chain_anew(&db, 2);
    let mut forged = String::new();
    world
        .store()
        .audit(|one| {
            let line = serde_json::json!({"event": "audit", "entry": one.entry, "hash": one.hash});
            forged.push_str(&format!("{line}\n"));
            true
        })
        .unwrap();
    let path = world.dir().join("incidents.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    for both in [format!("{text}{forged}"), format!("{forged}{text}")] {
        std::fs::write(&path, both).unwrap();
        assert!(!verified(&world).faults.is_empty());
    }
}

#[test]
fn an_entry_that_never_was_is_found_by_its_head() {
    let world = written();
    let heads = [Head {
        entry: 99,
        hash: "0".repeat(64),
    }];
    let (_, faults) = world.store().verify_audit(&heads).unwrap();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].entry, 99);
}

const SECRETS: [&str; 3] = [
    "ghp_0123456789abcdefghijABCDEFGHIJ456789",
    "AKIAQ3EGSDFWTX7PLMNB",
    "hunter2-very-secret",
];

fn planted() -> String {
    format!(
        "token {} key {} password={} done",
        SECRETS[0], SECRETS[1], SECRETS[2]
    )
}

#[test]
fn secrets_in_whatever_others_wrote_do_not_reach_the_record() {
    let planted = planted();
    let world = World::new(lax(), Played::ill());
    let with = |request: Request| {
        let _ = world.try_ask(request);
    };
    for verb in ["restart", "delete"] {
        with(Request {
            why: planted.clone(),
            ..request(AGENT, verb, &[])
        });
    }
    for (verb, name) in [
        ("stop", "instance"),
        ("rollback", "to"),
        ("scale", "to"),
        ("scale", &planted),
    ] {
        with(request(AGENT, verb, &[(name, &planted)]));
    }
    with(request(AGENT, &planted, &[]));
    with(Request {
        caller: Caller {
            kind: AGENT,
            name: planted.clone(),
        },
        ..request(AGENT, "delete", &[])
    });
    for service in [planted.as_str(), SECRETS[0], SECRETS[1]] {
        with(Request {
            service: service.to_owned(),
            ..request(AGENT, "restart", &[])
        });
    }
    for fingerprint in [planted.as_str(), SECRETS[0], SECRETS[1]] {
        with(Request {
            fingerprint: Some(fingerprint.to_owned()),
            ..request(AGENT, "restart", &[])
        });
    }
    // What the platform says, in each call.
    for call in [Call::State, Call::Plan, Call::Begin, Call::Poll] {
        let world = World::new(lax(), Played::ill());
        world.platform.fails(call, 1, ErrorKind::Refused, &planted);
        if world.try_ask(request(AGENT, "restart", &[])).is_ok() {
            world.finish(autofix::model::recovery::ActionId(1));
        }
        clean(&world);
    }
    let deploying = World::new(lax(), Played::ill());
    let what = planted.clone();
    deploying.platform.set(|inner| {
        inner.state.instances[0].word = what.clone();
        inner.state.deploying = Some(what.clone());
        inner.state.kept_by = Some(what);
    });
    deploying.ask(AGENT, "restart", &[]);
    clean(&deploying);
    // What a person writes.
    world.policy(Policy {
        permit: Permit::Approve,
        ..lax()
    });
    world.finish(autofix::model::recovery::ActionId(1));
    let waits = world.ask(CallerKind::Person, "scale", &[("to", "3")]);
    world.door().deny(waits.id, &planted, &planted).unwrap();
    let _ = world.door().approve(waits.id, &planted);
    clean(&world);
}

fn clean(world: &World) {
    let mut text = std::fs::read_to_string(world.dir().join("incidents.jsonl")).unwrap();
    assert!(!text.is_empty());
    world
        .store()
        .audit(|one| {
            text.push_str(&one.to_json().to_string());
            true
        })
        .unwrap();
    for secret in SECRETS {
        let at = text.find(secret);
        let near = at.map(|at| &text[at.saturating_sub(300)..at + secret.len()]);
        assert_eq!(near, None);
    }
}

#[test]
fn a_flood_of_refused_requests_is_bounded_and_counted() {
    const FLOOD: u64 = 10_000;
    let world = World::new(lax(), Played::ill());
    let mut door = world.door();
    // Each of them waits for the disk; that is not what this test is about.
    door.store.settings("cart").unwrap();
    for n in 0..FLOOD {
        let verb = match n % 4 {
            0 => "restart",
            1 => "rollback",
            _ => &format!("verb{n}"),
        };
        let given = [("force", "yes")];
        door.ask(request(AGENT, verb, &given), false).unwrap();
    }
    let audit = world.audit();
    assert_eq!(audit.len(), 200);
    assert_eq!(world.counted("restart", AGENT, "refused"), FLOOD / 4);
    assert_eq!(world.counted("rollback", AGENT, "refused"), FLOOD / 4);
    // Names that callers make up are one row.
    assert_eq!(world.counted("(unknown)", AGENT, "refused"), FLOOD / 2);
    assert_eq!(world.store().act_counts().unwrap().len(), 3);
    assert_eq!(world.store().actions(None, 1_000).unwrap(), []);
    // The next entry says how many were left out, and nobody else's is.
    world.ask(CallerKind::Person, "restart", &[]);
    let last = world.audit().pop().unwrap();
    assert_eq!(last["event"], "approved");
    assert_eq!(last["left_out_before"], FLOOD - 200);
    assert_eq!(world.counted("restart", CallerKind::Person, "approved"), 1);
    assert_eq!(verified(&world).faults, []);
}

#[test]
fn after_a_flood_the_end_of_what_was_released_is_still_written_down() {
    let world = World::new(lax(), Played::ill());
    let action = world.ask(AGENT, "restart", &[]);
    let mut door = world.door();
    for _ in 0..250 {
        door.ask(request(AGENT, "delete", &[]), false).unwrap();
    }
    world
        .platform
        .set(|inner| inner.state.deploying = Some("7 to 8".to_owned()));
    world.finish(action.id);
    let last = world.audit().pop().unwrap();
    assert_eq!(
        (&last["event"], &last["action"]),
        (&"refused".into(), &action.id.0.into())
    );
    let actions = world.store().actions(None, 1_000).unwrap();
    assert!(actions.len() <= 201);
}

/// Is a process of its own where it is asked for.
#[test]
fn as_a_child() {
    let Ok(dir) = std::env::var(STATE) else {
        return;
    };
    let mut door = door(Path::new(&dir), &Played::ill());
    for _ in 0..60 {
        door.ask(request(AGENT, "delete", &[]), false).unwrap();
    }
}

fn child(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "record::as_a_child", "--test-threads=1"])
        .env(STATE, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn processes_that_write_at_once_keep_one_chain() {
    let world = World::new(lax(), Played::ill());
    let children: Vec<Child> = (0..3).map(|_| child(&world.dir())).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    world
        .store()
        .put_request(
            ("cart", "restart", true),
            &crate::world::by(AGENT),
            ("refused", "x"),
            now(),
        )
        .unwrap();
    let found = verified(&world);
    assert_eq!(found.faults, []);
    assert_eq!((found.entries, found.heads), (181, 181));
    let audit: Vec<Value> = world.audit();
    assert!(audit.iter().all(|one| one["event"] == "refused"));
    assert_eq!(world.counted("(unknown)", AGENT, "refused"), 180);
}
