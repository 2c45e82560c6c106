//! Any sequence of requests, approvals, steps and changes of the platform, against a simple oracle that
//! knows the policy by heart: nothing begins that it does not allow, never two at once, never more than
//! so many an hour.

use crate::platform::{Call, Inner, Played, exit};
use crate::world::{World, lax, request};
use autofix::model::recovery::{
    ActionId, CallerKind, InstanceState, Permit, Policy, Stage, State, Task,
};
use autofix::pipeline::acting::Asked;
use autofix::recover::ErrorKind;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Move {
    Ask(CallerKind, &'static str, Vec<(&'static str, &'static str)>),
    Approve(usize),
    Deny(usize),
    Step,
    /// Everybody is gone for so long.
    Sleep(i64),
    Ill(usize),
    Well,
    Deploy(bool),
    Owner(bool),
    Own(bool),
    Release(&'static str),
    Hang(bool),
    Lie(bool),
    Lose(bool),
    Fault(Call, bool),
    PutOff,
    Verbs(&'static [&'static str]),
}

const ALL: &[&str] = &["restart", "rollback", "scale", "stop", "start"];

fn moves() -> impl Strategy<Value = Move> {
    let kind = prop::sample::select(CallerKind::ALL.to_vec());
    let what = prop::sample::select(vec![
        ("restart", vec![]),
        ("restart", vec![("instance", "a")]),
        ("rollback", vec![]),
        ("rollback", vec![("to", "5")]),
        ("rollback", vec![("to", "6")]),
        ("scale", vec![("to", "1")]),
        ("scale", vec![("to", "3")]),
        ("scale", vec![("to", "9")]),
        ("stop", vec![("instance", "a")]),
        ("start", vec![("instance", "a")]),
        ("delete", vec![]),
    ]);
    prop_oneof![
        20 => (kind, what).prop_map(|(kind, (verb, given))| Move::Ask(kind, verb, given)),
        3 => (0..4usize).prop_map(Move::Approve),
        1 => (0..4usize).prop_map(Move::Deny),
        16 => Just(Move::Step),
        3 => prop::sample::select(vec![60, 3_000, 90_000, 90_000]).prop_map(Move::Sleep),
        8 => (0..2usize).prop_map(Move::Ill),
        1 => Just(Move::Well),
        2 => prop::bool::weighted(0.12).prop_map(Move::Deploy),
        2 => prop::bool::weighted(0.12).prop_map(Move::Owner),
        2 => prop::bool::weighted(0.12).prop_map(Move::Own),
        1 => prop::sample::select(vec!["7", "7", "8"]).prop_map(Move::Release),
        2 => prop::bool::weighted(0.12).prop_map(Move::Hang),
        2 => prop::bool::weighted(0.12).prop_map(Move::Lie),
        1 => any::<bool>().prop_map(Move::Lose),
        1 => (prop::sample::select(vec![Call::State, Call::Poll, Call::Begin]), any::<bool>())
            .prop_map(|(call, refused)| Move::Fault(call, refused)),
        1 => Just(Move::PutOff),
        1 => prop::sample::select(vec![ALL, ALL, &["restart"]]).prop_map(Move::Verbs),
    ]
}

/// What the oracle knows of an action: what was asked, and when it was released, by the moves made.
struct Known {
    task: Task,
    caller: CallerKind,
    approved: bool,
}

/// What the platform was like at the moment of a begin.
struct Seen {
    state: State,
    task: Task,
}

/// Why an action should not have begun, by the policy as people read it.
fn wrong(policy: &Policy, seen: &Seen, known: &Known) -> Option<&'static str> {
    let state = &seen.state;
    let ill = state.instances.iter().any(|one| {
        one.state == InstanceState::Failed || one.exits.iter().any(|exit| exit.is_crash())
    });
    let person = known.caller == CallerKind::Person;
    let own = |id: &str| state.instances.iter().any(|one| one.own && one.id == id);
    let up = |one: &&autofix::model::recovery::Instance| one.state != InstanceState::Stopped;
    let running = state.instances.iter().filter(up).count() as u32;
    if known.task != seen.task {
        return Some("another task than was asked for");
    }
    if policy.permit == Permit::Approve && !known.approved {
        return Some("nobody approved it");
    }
    if !policy.verbs.iter().any(|verb| verb == seen.task.verb()) {
        return Some("the verb is not allowed");
    }
    if state.deploying.is_some() || state.kept_by.is_some() {
        return Some("others are at the service");
    }
    match &seen.task {
        Task::Restart { instance } => match instance {
            _ if !ill => Some("it is well"),
            Some(id) if own(id) => Some("its own"),
            None if policy.max_instances.is_some_and(|most| running > most) => Some("too many"),
            Some(_) | None => None,
        },
        Task::Rollback { to } => match to.as_str() {
            _ if !ill => Some("it is well"),
            // Release 5 ran badly, 7 and 8 are no earlier ones.
            "6" if state.release.as_deref() != Some("6") => {
                let many = policy.max_instances.is_some_and(|most| running > most);
                many.then_some("too many")
            }
            _ => Some("not a release that ran well"),
        },
        Task::Scale { from, to } => {
            let (least, most) = policy.scale.unwrap_or((0, 0));
            match () {
                () if !(least..=most).contains(to) => Some("out of bounds"),
                () if Some(*from) != state.wanted => Some("from another number"),
                () if !person && !ill => Some("it is well"),
                () => None,
            }
        }
        Task::Stop { instance } => match () {
            () if !ill => Some("it is well"),
            () if own(instance) => Some("its own"),
            () => None,
        },
        Task::Start { .. } => None,
        Task::Own { .. } => Some("no such verb is among them"),
    }
}

fn run(policy: Policy, moves: Vec<Move>) -> Result<usize, TestCaseError> {
    let world = World::new(policy.clone(), Played::ill());
    let mut policy = policy;
    let mut door = world.door();
    let mut known: BTreeMap<i64, Known> = BTreeMap::new();
    let mut judged = 0;
    // Begins in the last hour of the test's own time, which only `Sleep` moves.
    let mut clock = 0i64;
    let mut released: BTreeMap<i64, i64> = BTreeMap::new();
    let mut begun: Vec<i64> = Vec::new();
    for one in moves {
        let set = |change: &dyn Fn(&mut Inner)| world.platform.set(|inner| change(inner));
        // A begin changes the service, so what it was like is kept before each step.
        let before = world.platform.set(|inner| inner.state.clone());
        match one {
            Move::Ask(kind, verb, given) => {
                if let Ok(Asked::Action(answer)) = door.ask(request(kind, verb, &given), false) {
                    let action = answer.action;
                    known.entry(action.id.0).or_insert(Known {
                        task: action.task,
                        caller: kind,
                        approved: false,
                    });
                    if action.stage == Stage::Approved {
                        released.insert(action.id.0, clock);
                    }
                }
            }
            Move::Approve(back) | Move::Deny(back) => {
                let actions = world.store().actions(None, 10).unwrap();
                if let Some(action) = actions.get(back) {
                    if let Move::Deny(_) = one {
                        let _ = door.deny(action.id, "root", "no");
                    } else if let Ok(done) = door.approve(action.id, "root")
                        && done.stage == Stage::Approved
                    {
                        known.get_mut(&action.id.0).unwrap().approved = true;
                        released.insert(action.id.0, clock);
                    }
                }
            }
            Move::Step => {
                world.hurry();
                door.step(None).unwrap();
            }
            Move::Sleep(seconds) => {
                clock += seconds;
                let sql = "UPDATE actions SET released = released - ?1, ended = ended - ?1";
                world.sql().execute(sql, [seconds * 1_000_000_000]).unwrap();
            }
            Move::Ill(which) => set(&|inner| {
                if let Some(one) = inner.state.instances.get_mut(which) {
                    one.state = InstanceState::Failed;
                    one.exits = vec![exit(1)];
                }
            }),
            Move::Well => set(&Inner::heal),
            Move::Deploy(on) => set(&|inner| inner.state.deploying = on.then(|| "7 to 8".into())),
            Move::Owner(on) => set(&|inner| inner.state.kept_by = on.then(|| "Flux".into())),
            Move::Own(on) => set(&|inner| {
                if let Some(one) = inner.state.instances.first_mut() {
                    one.own = on;
                }
            }),
            Move::Release(id) => set(&|inner| {
                inner.state.release = Some(id.to_owned());
                for one in &mut inner.releases {
                    one.current = one.id == "7";
                }
            }),
            Move::Hang(on) => set(&|inner| inner.hangs = on),
            Move::Lie(on) => set(&|inner| inner.lies = on),
            Move::Lose(on) => set(&|inner| inner.loses = on),
            Move::Fault(call, refused) => {
                let kind = match refused {
                    true => ErrorKind::Refused,
                    false => ErrorKind::Unreachable,
                };
                world.platform.fails(call, 1, kind, "no");
            }
            Move::PutOff => {
                let later = ErrorKind::Limited(Duration::from_millis(1));
                world.platform.fails(Call::Begin, 1, later, "later");
            }
            Move::Verbs(verbs) => {
                policy.verbs = verbs.iter().map(|verb| (*verb).to_owned()).collect();
                world.policy(policy.clone());
            }
        }
        let all = world.platform.begun();
        for one in &all[judged..] {
            let id: i64 = one.mark.split('-').nth(1).unwrap().parse().unwrap();
            let seen_now = Seen {
                state: before.clone(),
                task: one.task.clone(),
            };
            let known = known.get(&id).expect("an action that nobody asked for");
            let why = wrong(&policy, &seen_now, known);
            prop_assert_eq!(why, None, "{:?}", one);
            prop_assert!(!begun.contains(&id), "{id} was begun twice");
            begun.push(id);
            let hour = begun
                .iter()
                .filter(|id| clock - released[*id] < 3_600)
                .count();
            prop_assert!(hour <= policy.per_hour as usize, "{hour} in an hour");
        }
        judged = all.len();
        let actions = world.store().actions(None, 500).unwrap();
        let under_way = actions
            .iter()
            .filter(|one| one.stage.is_under_way())
            .count();
        prop_assert!(under_way <= 1, "{under_way} at once");
    }
    // Everything comes to an end.
    world.platform.set(|inner| {
        inner.hangs = false;
        inner.faults.clear();
    });
    let all = world.store().actions(None, 500).unwrap();
    for action in all.iter().filter(|one| one.stage == Stage::Watched) {
        world.finish(ActionId(action.id.0));
    }
    let (_, faults) = world.store().verify_audit(&[]).unwrap();
    prop_assert_eq!(faults, vec![]);
    Ok(judged)
}

fn policies() -> impl Strategy<Value = Policy> {
    let permit = prop::sample::select(vec![Permit::Auto, Permit::Auto, Permit::Approve]);
    let most = prop::sample::select(vec![None, None, Some(1), Some(2)]);
    (permit, most, 1..4u32).prop_map(|(permit, max_instances, per_hour)| Policy {
        permit,
        max_instances,
        per_hour,
        verbs: ALL.iter().map(|verb| (*verb).to_owned()).collect(),
        own: Vec::new(),
        ..lax()
    })
}

#[test]
fn nothing_begins_that_the_policy_does_not_allow() {
    let cases = std::env::var("PROPTEST_CASES").ok();
    let cases = cases.and_then(|n| n.parse().ok()).unwrap_or(40);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    });
    let began = Mutex::new(0);
    let sequences = (policies(), prop::collection::vec(moves(), 40..90));
    runner
        .run(&sequences, |(policy, moves)| {
            *began.lock().unwrap() += run(policy, moves)?;
            Ok(())
        })
        .unwrap();
    let began = began.into_inner().unwrap();
    println!("{began} actions began, each as the policy allows");
    // Else nothing was held to anything.
    assert!(began * 4 > cases as usize, "{began} in {cases} sequences");
}
