//! Actions that take long, on platforms that hang, lie, lose answers and put things off, led by
//! processes that die: never two begins for one action, and always an end.

use crate::platform::{Call, Inner, Played, now};
use crate::world::{World, door, lax, logged, open, request};
use autofix::model::recovery::{ActionId, Aftermath, CallerKind, Permit, Policy, Stage, Verb};
use autofix::pipeline::acting::Asked;
use autofix::recover::{Error, ErrorKind};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const STATE: &str = "AUTOFIX_ACTING_TEST_STATE";
const CALL: &str = "AUTOFIX_ACTING_TEST_CALL";
const RULE: CallerKind = CallerKind::Rule;

fn world(change: impl FnOnce(&mut Policy), platform: impl FnOnce(&mut Inner)) -> World {
    let mut policy = lax();
    change(&mut policy);
    let world = World::new(policy, Played::ill());
    world.platform.set(platform);
    world
}

#[test]
fn an_answer_that_is_lost_ends_as_the_platform_shows() {
    // It was done, and the answer was lost.
    let world = world(|_| {}, |inner| inner.loses = true);
    let action = world.ask(RULE, "restart", &[]);
    let ended = world.finish(action.id);
    assert_eq!(
        (ended.stage, ended.aftermath),
        (Stage::Done, Some(Aftermath::Healthy))
    );
    assert_eq!(world.platform.count(), 1);
}

#[test]
fn a_question_that_never_arrived_ends_as_failed_and_is_not_repeated() {
    let world = world(|policy| policy.act_within = Duration::ZERO, |_| {});
    world
        .platform
        .fails(Call::Begin, 1, ErrorKind::Unreachable, "no answer");
    let action = world.ask(RULE, "restart", &[]);
    let ended = world.finish(action.id);
    assert_eq!(ended.stage, Stage::Failed, "{}", ended.said);
    let begins = world.platform.set(|inner| inner.calls.clone());
    assert_eq!(
        begins.iter().filter(|call| **call == Call::Begin).count(),
        1
    );
    assert_eq!(world.platform.begun(), []);
}

#[test]
fn one_that_hangs_ends_as_failed_and_is_not_repeated() {
    let world = world(
        |policy| policy.act_within = Duration::ZERO,
        |inner| inner.hangs = true,
    );
    let action = world.ask(RULE, "restart", &[]);
    let ended = world.finish(action.id);
    assert_eq!(ended.stage, Stage::Failed);
    assert!(ended.said.contains("it hangs"), "{}", ended.said);
    let last = world.audit().pop().unwrap();
    assert_eq!(
        (&last["event"], &last["action"]),
        (&"failed".into(), &1.into())
    );
    for _ in 0..5 {
        world.step(action.id);
        world.ask(RULE, "restart", &[]);
    }
    assert_eq!(world.platform.count(), 1);
    assert_eq!(world.counted("restart", RULE, "failed"), 1);
}

#[test]
fn a_platform_that_is_never_done_goes_on_until_its_time_is_over() {
    let world = world(|_| {}, |inner| inner.hangs = true);
    let action = world.ask(RULE, "restart", &[]);
    for _ in 0..10 {
        world.step(action.id);
    }
    assert_eq!(world.action(action.id).stage, Stage::Running);
    // It comes to its end after all.
    world.platform.set(|inner| {
        inner.hangs = false;
        inner.heal();
    });
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::Healthy));
    assert_eq!(world.platform.count(), 1);
}

#[test]
fn what_is_put_off_is_asked_anew_and_done_once() {
    let world = world(|_| {}, |_| {});
    let later = ErrorKind::Limited(Duration::from_millis(1));
    world
        .platform
        .fails(Call::Begin, 3, later, "asked too often");
    let action = world.ask(RULE, "restart", &[]);
    world.step(action.id);
    let waits = world.action(action.id);
    assert_eq!(waits.stage, Stage::Approved);
    assert!(waits.said.contains("put off"), "{}", waits.said);
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::Healthy));
    assert_eq!(world.platform.count(), 1);
}

#[test]
fn what_is_put_off_is_not_done_once_it_is_no_longer_right() {
    type Change = fn(&mut Inner);
    let changes: [Change; 3] = [
        |inner| inner.heal(),
        |inner| inner.state.deploying = Some("7 to 8".to_owned()),
        |inner| inner.state.release = Some("8".to_owned()),
    ];
    for change in changes {
        let world = world(|_| {}, |_| {});
        let later = ErrorKind::Limited(Duration::from_millis(1));
        world
            .platform
            .fails(Call::Begin, 1, later, "asked too often");
        let action = world.ask(RULE, "restart", &[]);
        world.step(action.id);
        world.platform.set(change);
        let ended = world.finish(action.id);
        assert_eq!(ended.stage, Stage::Refused, "{}", ended.said);
        assert_eq!(world.platform.begun(), []);
    }
}

#[test]
fn what_is_put_off_again_and_again_comes_to_an_end() {
    let hour = Duration::from_secs(3_600);
    for (kind, call) in [
        (ErrorKind::Limited(Duration::MAX), Call::Begin),
        (ErrorKind::Unreachable, Call::State),
    ] {
        let world = world(
            |policy| {
                policy.act_within = Duration::ZERO;
                policy.approve_within = Duration::from_millis(1_500);
                policy.well_within = Duration::ZERO;
            },
            |_| {},
        );
        let action = world.ask(RULE, "restart", &[]);
        world
            .platform
            .fails(call, u32::MAX, kind, "asked too often");
        world.step(action.id);
        assert_eq!(world.action(action.id).stage, Stage::Approved);
        let due: i64 = world
            .sql()
            .query_row("SELECT due FROM actions", [], |row| row.get(0))
            .unwrap();
        assert!(due < now().plus(hour).0, "it is put off for ever");
        while now() <= action.expires {
            std::thread::sleep(Duration::from_millis(50));
        }
        let ended = world.finish(action.id);
        assert_eq!(ended.stage, Stage::Refused, "{}", ended.said);
        assert!(ended.said.contains("in time"), "{}", ended.said);
        assert_eq!(world.platform.begun(), []);
    }
}

#[test]
fn what_the_platform_refuses_is_not_done_again() {
    let faults = [
        (ErrorKind::Refused, "the credentials have expired"),
        (ErrorKind::Missing, "no such service"),
        (ErrorKind::Invalid, "it does not fit"),
        (ErrorKind::Settings, "no token"),
        (ErrorKind::Unsupported, "it cannot do this"),
    ];
    for (kind, said) in faults {
        let world = world(|_| {}, |_| {});
        world.platform.fails(Call::Begin, 1, kind, said);
        let action = world.ask(RULE, "restart", &[]);
        let ended = world.finish(action.id);
        assert_eq!((ended.stage, ended.said.as_str()), (Stage::Failed, said));
        for _ in 0..3 {
            world.step(action.id);
        }
        assert_eq!(world.platform.begun(), []);
        assert_eq!(world.audit().pop().unwrap()["said"], said);
    }
}

#[test]
fn credentials_that_expire_while_it_runs_are_asked_with_again() {
    let world = world(|_| {}, |_| {});
    world.platform.fails(
        Call::Poll,
        2,
        ErrorKind::Refused,
        "the credentials have expired",
    );
    world
        .platform
        .fails(Call::Poll, 2, ErrorKind::Unreachable, "half an answer");
    let action = world.ask(RULE, "restart", &[]);
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::Healthy), "{}", ended.said);
    assert_eq!(world.platform.count(), 1);
}

#[test]
fn credentials_that_are_gone_while_it_runs_are_an_end_too() {
    let world = world(|policy| policy.act_within = Duration::ZERO, |_| {});
    world.platform.fails(
        Call::Poll,
        u32::MAX,
        ErrorKind::Refused,
        "the credentials have expired",
    );
    let action = world.ask(RULE, "restart", &[]);
    let ended = world.finish(action.id);
    assert_eq!(ended.stage, Stage::Failed);
    assert_eq!(world.platform.count(), 1);
}

#[test]
fn a_client_that_cannot_be_made_while_it_is_watched_is_an_end_too() {
    let world = world(|_| {}, |_| {});
    let action = world.ask(RULE, "restart", &[]);
    while world.action(action.id).stage != Stage::Watched {
        world.step(action.id);
    }
    for _ in 0..60 {
        world.hurry();
        let mut door = world.door();
        door.platforms = Box::new(|_| Err(Error::new(ErrorKind::Settings, "no token")));
        door.step(Some(action.id)).unwrap();
    }
    let ended = world.action(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::NoChange), "{}", ended.said);
    assert!(ended.said.contains("did not say"), "{}", ended.said);
}

#[test]
fn what_the_registry_does_not_know_any_more_is_left_as_it_is() {
    let world = world(|_| {}, |inner| inner.hangs = true);
    let action = world.ask(RULE, "restart", &[]);
    world.step(action.id);
    world.settings(crate::world::SERVICE, None);
    let ended = world.finish(action.id);
    assert_eq!(ended.stage, Stage::Failed);
    assert_eq!(world.platform.count(), 1);
}

#[test]
fn the_lease_of_who_died_is_taken_over_and_that_of_who_lives_is_not() {
    let world = world(|_| {}, |inner| inner.hangs = true);
    let action = world.ask(RULE, "restart", &[]);
    let mut first = world.door();
    let taken = first
        .store
        .claim_action(Some(action.id), &first.holder, now())
        .unwrap();
    assert!(taken.is_some());
    let mut second = world.door();
    for _ in 0..3 {
        second.step(Some(action.id)).unwrap();
        assert_eq!(world.platform.count(), 0);
    }
    drop(first);
    second.step(Some(action.id)).unwrap();
    assert_eq!(world.platform.count(), 1);
}

#[test]
fn who_stalls_past_the_end_of_his_lease_begins_nothing() {
    // It stalls in its last look at the platform, and another does the step meanwhile.
    let world = world(|_| {}, |inner| inner.hangs = true);
    let action = world.ask(RULE, "restart", &[]);
    let (dir, platform) = (world.dir(), world.platform.clone());
    let database = dir.join("autofix.db");
    let mut stalled = false;
    world.platform.set(|inner| {
        inner.meanwhile = Some(Box::new(move |call| {
            if call == Call::State && !stalled {
                stalled = true;
                let db = rusqlite::Connection::open(&database).unwrap();
                db.execute("UPDATE actions SET lease_until = 1, due = 0", [])
                    .unwrap();
                door(&dir, &platform).step(Some(ActionId(1))).unwrap();
            }
        }));
    });
    world.step(action.id);
    assert_eq!(world.platform.count(), 1);
    assert_eq!(world.action(action.id).stage, Stage::Running);
}

/// Is a process of its own where it is asked for: it asks for one action and leads it to its end, and
/// stops for ever in one of its calls to the platform.
#[test]
fn as_a_child() {
    let (Ok(dir), Ok(call)) = (std::env::var(STATE), std::env::var(CALL)) else {
        return;
    };
    let (dir, stop): (_, usize) = (Path::new(&dir), call.parse().unwrap());
    let platform = Played::kept(&dir.join("platform"));
    let mut calls = 0;
    platform.set(|inner| {
        inner.meanwhile = Some(Box::new(move |call| {
            calls += 1;
            if calls == stop {
                say(&format!("in {call:?}"));
                loop {
                    std::thread::park();
                }
            }
        }));
    });
    let mut door = door(&dir.join("state"), &platform);
    let Asked::Action(answer) = door.ask(request(RULE, "restart", &[]), false).unwrap() else {
        panic!()
    };
    while open(&dir.join("state"))
        .action(answer.action.id)
        .unwrap()
        .is_some_and(|action| action.stage.is_under_way())
    {
        door.step(Some(answer.action.id)).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    say("over");
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\nsays {what}\n").as_bytes())
        .unwrap();
    out.flush().unwrap();
}

fn child(dir: &Path, call: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "long::as_a_child",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(STATE, dir)
        .env(CALL, call.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn kill_9_in_each_call_to_the_platform_never_begins_twice() {
    let mut kinds = Vec::new();
    for call in 1.. {
        let mut world = World::new(lax(), Played::ill());
        let kept = world.folder.path().join("platform");
        let mut child = child(world.folder.path(), call);
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = out.lines().map_while(Result::ok);
        let said = lines.find_map(|line| line.strip_prefix("says ").map(str::to_owned));
        child.kill().unwrap();
        child.wait().unwrap();
        let said = said.expect("the child ended early");
        world.platform = Played::kept(&kept);
        // Where nothing was written down before the kill, nothing is done.
        let action = world.store().actions(None, 1).unwrap().pop();
        let done = world.platform.count();
        if let Some(action) = &action {
            // One that never began does not come to an end by itself before its time.
            let begins = done == 0 && action.stage == Stage::Running;
            if begins {
                world.step(action.id);
                assert_eq!(world.action(action.id).stage, Stage::Running);
                let sql = "UPDATE actions SET json = replace(json, '\"begun\":1', '\"begun\":-1')";
                world.sql().execute(sql, []).unwrap();
            }
            let ended = world.finish(action.id);
            match begins {
                true => assert_eq!(ended.stage, Stage::Failed, "{said}: {}", ended.said),
                false => assert_eq!(
                    ended.aftermath,
                    Some(Aftermath::Healthy),
                    "{said}: {}",
                    ended.said
                ),
            }
            assert_eq!(world.platform.count(), usize::from(!begins), "{said}");
            for _ in 0..3 {
                world.step(action.id);
            }
        } else {
            assert_eq!(done, 0, "{said}");
        }
        assert!(world.platform.count() <= 1, "{said}");
        let (_, faults) = world.store().verify_audit(&[]).unwrap();
        assert_eq!(faults, [], "{said}");
        if said == "over" {
            break;
        }
        kinds.push(said);
        assert!(call < 40, "no end: {kinds:?}");
    }
    for kind in ["in State", "in Plan", "in Begin", "in Begun", "in Poll"] {
        assert!(kinds.iter().any(|one| one == kind), "{kind}: {kinds:?}");
    }
    println!("killed in {} calls: {}", kinds.len(), kinds.join(", "));
}

#[test]
fn it_helped_when_the_platform_and_the_log_are_quiet() {
    let world = world(|_| {}, |_| {});
    let action = world.ask(RULE, "restart", &[]);
    let ended = world.finish(action.id);
    assert_eq!(
        (ended.stage, ended.aftermath),
        (Stage::Done, Some(Aftermath::Healthy))
    );
    let last = world.audit().pop().unwrap();
    assert_eq!(
        (&last["event"], &last["aftermath"]),
        (&"done".into(), &"healthy".into())
    );
    assert_eq!(world.counted("restart", RULE, "healthy"), 1);
}

/// An action for an incident that the log tells of.
fn for_incident(world: &World) -> autofix::model::recovery::Action {
    let mut store = world.store();
    store
        .record(&logged("total", crate::platform::ago(5)), now())
        .unwrap();
    let incident = store.incidents().unwrap().remove(0);
    let mut asked = request(RULE, "restart", &[]);
    asked.incident = Some(incident.id);
    asked.fingerprint = None;
    let Asked::Action(answer) = world.try_ask(asked).unwrap() else {
        panic!()
    };
    assert_eq!(answer.action.fingerprint, Some(incident.fingerprint));
    answer.action
}

#[test]
fn a_platform_that_says_well_is_not_believed_while_the_log_says_the_fault_again() {
    let world = world(
        |policy| policy.well_for = Duration::from_secs(3_600),
        |inner| inner.lies = true,
    );
    let action = for_incident(&world);
    while world.action(action.id).stage != Stage::Watched {
        world.step(action.id);
    }
    world
        .platform
        .set(|inner| inner.says = crate::platform::Says::Well);
    world.step(action.id);
    assert_eq!(world.action(action.id).stage, Stage::Watched);
    let mut store = world.store();
    store.record(&logged("total", now()), now()).unwrap();
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::NoChange), "{}", ended.said);
    assert!(ended.said.contains("logged 1 times"), "{}", ended.said);
    assert_eq!(world.counted("restart", RULE, "no_change"), 1);
    // Where the incident is shown, so is this.
    let events = store.events(action.incident.unwrap()).unwrap();
    assert!(events.iter().any(|one| one.detail.contains("no_change")));
}

#[test]
fn a_platform_that_lies_that_it_is_done_is_found_out() {
    let world = world(|_| {}, |inner| inner.lies = true);
    let action = world.ask(RULE, "restart", &[]);
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::NoChange), "{}", ended.said);
    assert_eq!(world.platform.count(), 1);
}

#[test]
fn a_platform_that_says_ill_for_ever_is_an_end_too() {
    let world = world(|_| {}, |inner| inner.says = crate::platform::Says::Ill);
    let action = world.ask(RULE, "restart", &[]);
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::NoChange), "{}", ended.said);
}

#[test]
fn fewer_that_run_than_before_is_worse() {
    let world = world(
        |_| {},
        |inner| {
            inner.cures.clear();
            inner.harms = vec![Verb::Restart];
        },
    );
    let action = world.ask(RULE, "restart", &[]);
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::Worse), "{}", ended.said);
    assert_eq!(world.counted("restart", RULE, "worse"), 1);
}

#[test]
fn a_platform_that_is_silent_afterwards_is_no_proof() {
    let world = world(|_| {}, |_| {});
    let action = world.ask(RULE, "restart", &[]);
    while world.action(action.id).stage != Stage::Watched {
        world.step(action.id);
    }
    world
        .platform
        .fails(Call::State, u32::MAX, ErrorKind::Unreachable, "no answer");
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::NoChange), "{}", ended.said);
}

#[test]
fn an_instance_that_was_stopped_as_asked_is_no_failure() {
    let world = world(|_| {}, |_| {});
    let action = world.ask(RULE, "stop", &[("instance", "a")]);
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::Healthy), "{}", ended.said);
    // One that runs again is.
    let world = self::world(|_| {}, |inner| inner.lies = true);
    let action = world.ask(RULE, "stop", &[("instance", "a")]);
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::NoChange), "{}", ended.said);
}

#[test]
fn what_comes_back_later_is_noted_with_its_time() {
    let world = world(|_| {}, |_| {});
    let action = for_incident(&world);
    let fault = action.fingerprint.clone().unwrap();
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::Healthy));
    let mut store = world.store();
    store.note_recurred("cart", now()).unwrap();
    assert_eq!(world.action(action.id).recurred, None);
    let again = now();
    store.record(&logged("total", again), again).unwrap();
    store.note_recurred("cart", now()).unwrap();
    assert_eq!(world.action(action.id).recurred, Some(again));
    // Another one later changes nothing.
    store.record(&logged("total", now()), now()).unwrap();
    store.note_recurred("cart", now()).unwrap();
    let against = store.actions_against("cart", &fault).unwrap();
    assert_eq!(against.len(), 1);
    assert_eq!(against[0].recurred, Some(again));
    assert_eq!(against[0].aftermath, Some(Aftermath::Healthy));
    assert_eq!(store.actions_against("cart", "v1:other").unwrap(), []);
    assert_eq!(store.actions_against("pay", &fault).unwrap(), []);
}

#[test]
fn a_row_that_is_damaged_holds_up_no_other() {
    let world = world(|policy| policy.permit = Permit::Approve, |_| {});
    let broken = world.ask(CallerKind::Person, "restart", &[]);
    let damage = format!(
        "UPDATE actions SET json = '{{', due = 0 WHERE id = {}",
        broken.id
    );
    world.sql().execute_batch(&damage).unwrap();
    let action = world.ask(CallerKind::Person, "rollback", &[]);
    world.door().approve(action.id, "root").unwrap();
    let ended = world.finish(action.id);
    assert_eq!(ended.stage, Stage::Done, "{}", ended.said);
    let listed = world.door().store.actions(None, 10).unwrap();
    assert_eq!(listed.len(), 1);
}
