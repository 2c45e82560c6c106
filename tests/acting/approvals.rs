//! A yes is for one action as it was asked for, once, and only while all that it rests on is still so.

use crate::platform::{Call, Inner, Played, release};
use crate::world::{SERVICE, World, by, door, lax, request};
use autofix::model::recovery::{Action, ActionId, CallerKind, Permit, Policy, Stage};
use autofix::pipeline::acting::{Asked, Fault};
use autofix::recover::ErrorKind;
use std::sync::Barrier;
use std::time::Duration;

const PERSON: CallerKind = CallerKind::Person;

fn approving() -> Policy {
    Policy {
        permit: Permit::Approve,
        ..lax()
    }
}

fn waiting(verb: &str, parameters: &[(&str, &str)]) -> (World, Action) {
    let world = World::new(approving(), Played::ill());
    let action = world.ask(CallerKind::Model, verb, parameters);
    assert_eq!(action.stage, Stage::Pending, "{}", action.said);
    (world, action)
}

/// Nothing was done, however many steps come after it.
fn nothing_begins(world: &World, what: &str) {
    for _ in 0..3 {
        world.hurry();
        world.door().step(None).unwrap();
    }
    assert_eq!(world.platform.begun(), [], "{what}");
}

/// The newest entry says that somebody's approval was refused, and why.
fn said_no(world: &World, verb: &str, why: &str) {
    let last = world.audit().pop().unwrap();
    assert_eq!(last["event"], "refused", "{last}");
    assert_eq!(last["verb"], verb, "{last}");
    assert_eq!(
        (&last["caller_kind"], &last["caller"]),
        (&"person".into(), &"root".into())
    );
    let said = last["said"].as_str().unwrap();
    assert!(said.contains(why), "{why}: {said}");
    assert!(world.counted(verb, PERSON, "refused") > 0);
}

#[test]
fn it_is_good_once() {
    let (world, action) = waiting("restart", &[]);
    let approved = world.door().approve(action.id, "root").unwrap();
    assert_eq!(approved.stage, Stage::Approved);
    assert_eq!(approved.by.as_deref(), Some("root"));
    for stage in ["approved", "running", "watched"] {
        let fault = world.door().approve(action.id, "root").unwrap_err();
        assert!(matches!(fault, Fault::Unknown(_)));
        said_no(&world, "approve", stage);
        world.step(action.id);
    }
    world.finish(action.id);
    assert!(world.door().approve(action.id, "root").is_err());
    said_no(&world, "approve", "done");
    nothing_more(&world, 1);
}

fn nothing_more(world: &World, count: usize) {
    for _ in 0..3 {
        world.hurry();
        world.door().step(None).unwrap();
    }
    assert_eq!(world.platform.count(), count);
}

#[test]
fn of_many_that_come_at_once_one_is_taken() {
    for _ in 0..5 {
        let (world, action) = waiting("restart", &[]);
        let barrier = Barrier::new(6);
        let dir = world.dir();
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6)
                .map(|_| {
                    scope.spawn(|| {
                        let mut door = door(&dir, &world.platform);
                        barrier.wait();
                        let taken = door.approve(action.id, "root").is_ok();
                        for _ in 0..5 {
                            door.step(Some(action.id)).unwrap();
                        }
                        usize::from(taken)
                    })
                })
                .collect();
            threads.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(taken, 1);
        world.finish(action.id);
        nothing_more(&world, 1);
    }
}

#[test]
fn what_it_rests_on_is_looked_at_again() {
    type Change = fn(&World);
    let cases: [(&str, &str, Change); 12] = [
        ("another release runs", "as_asked_for", |world| {
            world
                .platform
                .set(|inner| inner.state.release = Some("8".to_owned()));
        }),
        ("no release runs", "as_asked_for", |world| {
            world.platform.set(|inner| inner.state.release = None);
        }),
        ("more instances are wanted", "as_asked_for", |world| {
            world.platform.set(|inner| inner.state.wanted = Some(3));
        }),
        ("the policy is another", "as_asked_for", |world| {
            world.policy(Policy {
                per_day: 9_999,
                ..approving()
            });
        }),
        ("it runs elsewhere", "as_asked_for", |world| {
            let mut policy = approving();
            policy.place.target = "other".to_owned();
            world.policy(policy);
        }),
        ("the verb is gone", "verb_allowed", |world| {
            world.policy(Policy {
                verbs: vec!["status".to_owned()],
                ..approving()
            });
        }),
        ("a deploy began", "no_deploy_under_way", |world| {
            world
                .platform
                .set(|inner| inner.state.deploying = Some("7 to 8".to_owned()));
        }),
        ("somebody else keeps it", "not_kept_by_another", |world| {
            world
                .platform
                .set(|inner| inner.state.kept_by = Some("Flux".to_owned()));
        }),
        ("it is well again", "unhealthy_now", |world| {
            world.platform.set(Inner::heal);
        }),
        (
            "the release turned out bad",
            "release_was_healthy",
            |world| {
                world
                    .platform
                    .set(|inner| inner.releases[1].good = Some(false));
            },
        ),
        ("the release is newer now", "release_was_healthy", |world| {
            world.platform.set(|inner| {
                inner.releases = vec![
                    release("6", 0, false, Some(true)),
                    release("7", 1, true, None),
                ];
            });
        }),
        ("the release is gone", "release_was_healthy", |world| {
            world.platform.set(|inner| {
                inner.releases.remove(1);
            });
        }),
    ];
    for (name, check, change) in cases {
        let (world, action) = waiting("rollback", &[]);
        change(&world);
        let settled = world.door().approve(action.id, "root").unwrap();
        assert_eq!(settled.stage, Stage::Refused, "{name}");
        assert_eq!(settled.by.as_deref(), Some("root"));
        let failed: Vec<&str> = settled
            .checks
            .iter()
            .filter(|one| !one.passed)
            .map(|one| one.name.as_str())
            .collect();
        assert!(failed.contains(&check), "{name}: {failed:?}");
        let last = world.audit().pop().unwrap();
        assert_eq!(
            (&last["event"], &last["by"]),
            (&"refused".into(), &"root".into())
        );
        assert!(last["checks_failed"].to_string().contains(check));
        // It is void, also when everything is as it was.
        assert!(world.door().approve(action.id, "root").is_err());
        nothing_begins(&world, name);
    }
}

#[test]
fn what_changes_between_the_yes_and_the_begin_counts_too() {
    type Change = fn(&World);
    let cases: [(&str, Change); 7] = [
        ("another release runs", |world| {
            world
                .platform
                .set(|inner| inner.state.release = Some("8".to_owned()));
        }),
        ("fewer instances are wanted", |world| {
            world.platform.set(|inner| inner.state.wanted = Some(1));
        }),
        ("the policy is another", |world| {
            world.policy(Policy {
                per_day: 9_999,
                ..approving()
            });
        }),
        ("there is no policy", |world| world.settings(SERVICE, None)),
        ("a deploy began", |world| {
            world
                .platform
                .set(|inner| inner.state.deploying = Some("7 to 8".to_owned()));
        }),
        ("it is well again", |world| world.platform.set(Inner::heal)),
        ("the release turned out bad", |world| {
            world
                .platform
                .set(|inner| inner.releases[1].good = Some(false));
        }),
    ];
    for (name, change) in cases {
        let (world, action) = waiting("rollback", &[]);
        world.door().approve(action.id, "root").unwrap();
        change(&world);
        let ended = world.finish(action.id);
        assert!(
            matches!(ended.stage, Stage::Refused | Stage::Failed),
            "{name}: {:?}",
            ended.stage
        );
        let last = world.audit().pop().unwrap();
        assert_eq!(last["event"], ended.stage.word(), "{name}");
        nothing_begins(&world, name);
    }
}

#[test]
fn what_never_began_is_not_held_against_the_next() {
    let (world, action) = waiting("restart", &[]);
    world.door().approve(action.id, "root").unwrap();
    world
        .platform
        .set(|inner| inner.state.deploying = Some("7 to 8".to_owned()));
    assert_eq!(world.finish(action.id).stage, Stage::Refused);
    world.platform.set(|inner| inner.state.deploying = None);
    world.policy(Policy {
        per_hour: 1,
        cool_down: Duration::from_secs(3_600),
        ..lax()
    });
    let next = world.ask(CallerKind::Rule, "restart", &[]);
    assert_eq!(next.stage, Stage::Approved, "{}", next.said);
    let fault = request(CallerKind::Rule, "restart", &[])
        .fingerprint
        .unwrap();
    let against = world.store().actions_against(SERVICE, &fault).unwrap();
    assert_eq!(against.len(), 1, "{against:?}");
}

#[test]
fn an_approval_that_was_not_acted_on_does_not_wait_for_ever() {
    // Nobody carried anything out for a long time: the process was gone.
    let (world, action) = waiting("restart", &[]);
    world.door().approve(action.id, "root").unwrap();
    let mut old = world.action(action.id);
    let long = Duration::from_secs(3 * 86_400);
    old.made = old.made.minus(long);
    old.expires = old.expires.minus(long);
    let json = serde_json::to_string(&old).unwrap();
    let sql = "UPDATE actions SET json = ?2 WHERE id = ?1";
    world
        .sql()
        .execute(sql, rusqlite::params![action.id.0, json])
        .unwrap();
    let ended = world.finish(action.id);
    assert_eq!(ended.stage, Stage::Refused, "{}", ended.said);
    nothing_begins(&world, "it is too late");
}

#[test]
fn after_its_time_it_is_void() {
    let world = World::new(
        Policy {
            approve_within: Duration::ZERO,
            ..approving()
        },
        Played::ill(),
    );
    let action = world.ask(CallerKind::Agent, "restart", &[]);
    let settled = world.door().approve(action.id, "root").unwrap();
    assert_eq!(settled.stage, Stage::Expired);
    assert!(world.door().approve(action.id, "root").is_err());
    said_no(&world, "approve", "expired");
    nothing_begins(&world, "expired");
    // Without anybody it is void as well, and that is written down.
    let action = world.ask(CallerKind::Agent, "restart", &[]);
    world.step(action.id);
    assert_eq!(world.action(action.id).stage, Stage::Expired);
    let last = world.audit().pop().unwrap();
    assert_eq!(
        (&last["event"], &last["action"]),
        (&"expired".into(), &action.id.0.into())
    );
    assert_eq!(world.counted("restart", CallerKind::Agent, "expired"), 2);
}

#[test]
fn an_approval_in_the_last_moment_is_carried_out_at_once() {
    // The step that lets it expire has taken the row, and finds it approved.
    let (world, action) = waiting("restart", &[]);
    let mut other = world.door();
    let claimed = other
        .store
        .claim_action(Some(action.id), &other.holder, action.expires);
    assert!(claimed.unwrap().is_some());
    world.door().approve(action.id, "root").unwrap();
    world.step(action.id);
    assert_eq!(world.platform.count(), 1);
}

#[test]
fn a_row_that_was_changed_by_hand_is_not_carried_out() {
    let changes = [
        (r#""to":"6""#, r#""to":"5""#),
        (r#""to":"6""#, r#""to":"7""#),
        (
            r#""verb":"rollback","to":"6""#,
            r#""verb":"stop","instance":"b""#,
        ),
        (
            r#""verb":"rollback","to":"6""#,
            r#""verb":"own","name":"flush","argv":["/bin/true"],"seconds":5"#,
        ),
        (r#""service":"cart""#, r#""service":"pay""#),
    ];
    for released in [false, true] {
        for (from, to) in changes {
            let (world, action) = waiting("rollback", &[]);
            world.settings("pay", Some(approving()));
            if released {
                world.door().approve(action.id, "root").unwrap();
            }
            let json = serde_json::to_string(&world.action(action.id)).unwrap();
            assert!(json.contains(from), "{json}");
            // The first is the action's own.
            let changed = json.replacen(from, to, 1);
            let sql = "UPDATE actions SET json = ?2 WHERE id = ?1";
            let changed = rusqlite::params![action.id.0, changed];
            world.sql().execute(sql, changed).unwrap();
            if !released {
                let settled = world.door().approve(action.id, "root");
                assert!(
                    settled
                        .as_ref()
                        .is_ok_and(|one| one.stage == Stage::Refused),
                    "{to}: {settled:?}"
                );
            }
            nothing_begins(&world, to);
            let event = &world.audit().pop().unwrap()["event"];
            assert_eq!(event, "refused", "{to}");
        }
    }
}

#[test]
fn what_was_denied_or_only_proposed_stays_so() {
    let (world, action) = waiting("restart", &[]);
    let denied = world.door().deny(action.id, "root", "not now").unwrap();
    assert_eq!(denied.stage, Stage::Denied);
    let last = world.audit().pop().unwrap();
    assert_eq!(
        (&last["event"], &last["by"]),
        (&"denied".into(), &"root".into())
    );
    assert!(last["said"].as_str().unwrap().contains("not now"));
    assert_eq!(world.counted("restart", CallerKind::Model, "denied"), 1);
    assert!(world.door().approve(action.id, "root").is_err());
    said_no(&world, "approve", "denied");
    assert!(world.door().deny(action.id, "root", "again").is_err());
    said_no(&world, "deny", "denied");
    nothing_begins(&world, "denied");

    let world = World::new(
        Policy {
            permit: Permit::Propose,
            ..lax()
        },
        Played::ill(),
    );
    let action = world.ask(CallerKind::Model, "restart", &[]);
    assert!(world.door().approve(action.id, "root").is_err());
    said_no(&world, "approve", "proposed");
    nothing_begins(&world, "proposed");
}

#[test]
fn what_does_not_exist_is_not_approved() {
    let (world, action) = waiting("restart", &[]);
    for id in [0, -1, action.id.0 + 1, i64::MAX, i64::MIN] {
        let id = ActionId(id);
        assert!(world.door().approve(id, "root").is_err());
        said_no(&world, "approve", "no action");
        assert!(world.door().deny(id, "root", "").is_err());
        said_no(&world, "deny", "no action");
        world.door().step(Some(id)).unwrap();
    }
    assert_eq!(world.action(action.id).stage, Stage::Pending);
    nothing_begins(&world, "ids");
}

#[test]
fn while_the_platform_does_not_answer_it_goes_on_waiting() {
    for call in [Call::State, Call::Releases, Call::Plan] {
        let (world, action) = waiting("rollback", &[]);
        world
            .platform
            .fails(call, 1, ErrorKind::Unreachable, "no answer");
        assert!(world.door().approve(action.id, "root").is_err());
        said_no(&world, "approve", "no answer");
        assert_eq!(world.action(action.id).stage, Stage::Pending);
        nothing_begins(&world, "no answer");
        assert_eq!(
            world.door().approve(action.id, "root").unwrap().stage,
            Stage::Approved
        );
    }
}

#[test]
fn the_same_that_waits_is_asked_for_once_and_counted_each_time() {
    let (world, action) = waiting("restart", &[]);
    for kind in CallerKind::ALL {
        let again = world.ask(kind, "restart", &[]);
        assert_eq!(again.id, action.id);
        let last = world.audit().pop().unwrap();
        assert_eq!(last["caller_kind"], kind.word(), "{last}");
        assert_eq!(last["action"], action.id.0, "{last}");
    }
    assert_eq!(world.store().actions(None, 10).unwrap().len(), 1);
    assert_eq!(world.counted("restart", CallerKind::Agent, "pending"), 1);
    assert_eq!(world.counted("restart", CallerKind::Model, "pending"), 2);
}

#[test]
fn what_waits_is_bounded() {
    let permits = [Permit::Approve, Permit::Propose];
    for permit in permits {
        let world = World::new(Policy { permit, ..lax() }, Played::ill());
        let mut door = world.door();
        for n in 0..300 {
            let mode = format!("m{n}");
            let given = [("shard", "3"), ("mode", mode.as_str()), ("kind", "soft")];
            let mut asked = request(CallerKind::Agent, "flush", &given);
            asked.caller = by(CallerKind::Agent);
            let Asked::Action(_) = door.ask(asked, false).unwrap() else {
                panic!()
            };
        }
        let open = world.store().actions(None, 1_000).unwrap();
        let open = open
            .iter()
            .filter(|one| matches!(one.stage, Stage::Pending | Stage::Proposed));
        let open = open.count();
        assert!((1..=50).contains(&open), "{open} wait ({permit:?})");
        let last = world.audit().pop().unwrap();
        assert!(
            last["checks_failed"].to_string().contains("few_wait"),
            "{last}"
        );
        nothing_begins(&world, "a flood");
    }
}

#[test]
fn what_a_person_writes_is_bounded() {
    let (world, action) = waiting("restart", &[]);
    let long = "x".repeat(1 << 20);
    let denied = world.door().deny(action.id, &long, &long).unwrap();
    let size = serde_json::to_string(&denied).unwrap().len();
    assert!(size < 16_000, "{size}");
}
