//! Each guard alone, where everything else is in order.

use crate::platform::{Call, Played, ago, exit, instance, now, release};
use crate::world::{SERVICE, World, lax, logged, request};
use autofix::incident::fingerprint;
use autofix::model::recovery::{
    Aftermath, CallerKind, Fact, FactKind, InstanceState, Permit, Policy, Quiet, Stage, Verb,
};
use autofix::pipeline::acting::{Asked, Fault, Recovery};
use autofix::recover::ErrorKind;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
use CallerKind::{Agent, Model, Person, Rule};

fn with(change: impl FnOnce(&mut Policy)) -> World {
    let mut policy = lax();
    change(&mut policy);
    World::new(policy, Played::ill())
}

#[test]
fn with_everything_in_order_each_verb_is_done_once() {
    let cases: [(&str, &[(&str, &str)]); 6] = [
        ("restart", &[]),
        ("restart", &[("instance", "a")]),
        ("rollback", &[]),
        ("scale", &[("to", "3")]),
        ("stop", &[("instance", "a")]),
        ("rollback", &[("to", "6")]),
    ];
    for (verb, parameters) in cases {
        let world = with(|_| {});
        let action = world.ask(Model, verb, parameters);
        assert_eq!(action.stage, Stage::Approved, "{verb}: {}", action.said);
        world.finish(action.id);
        assert_eq!(world.platform.count(), 1, "{verb}");
        assert_eq!(world.platform.begun()[0].task, action.task);
    }
}

#[test]
fn a_denied_verb_does_nothing_and_asks_the_platform_nothing() {
    for kind in CallerKind::ALL {
        let world = with(|policy| policy.verbs = vec!["status".to_owned()]);
        let asked = world.try_ask(request(kind, "restart", &[])).unwrap();
        let Asked::Refused(wrong) = asked else {
            panic!("{asked:?}")
        };
        assert_eq!(wrong.check, "verb_allowed");
        world.nothing_happened("restart", kind, "verb_allowed");
        assert_eq!(world.platform.set(|inner| inner.calls.len()), 0);
    }
}

#[test]
fn without_a_policy_nothing_is_done() {
    let world = with(|_| {});
    world.settings(SERVICE, None);
    let fault = world.try_ask(request(Person, "restart", &[])).unwrap_err();
    assert!(matches!(fault, Fault::Unknown(_)), "{fault}");
    let last = world.audit().pop().unwrap();
    assert_eq!(last["event"], "refused");
    assert!(last["said"].as_str().unwrap().contains("[service.recover]"));
    assert_eq!(world.counted("(unknown)", Person, "refused"), 1);
    assert_eq!(world.platform.begun(), []);
}

/// What was done to the service before, written down as it would have been.
fn helped_before(world: &World, kind: CallerKind) {
    let done = world.ask(kind, "restart", &[]);
    let done = world.finish(done.id);
    assert_eq!(done.aftermath, Some(Aftermath::Healthy), "{}", done.said);
    fall_ill(world);
}

fn fall_ill(world: &World) {
    world.platform.set(|inner| {
        inner.state.instances[0].state = InstanceState::Failed;
        inner.state.instances[0].exits = vec![exit(1)];
        inner.begun.clear();
    });
}

#[test]
fn pace_is_kept_by_whoever_asks() {
    let guards: [(&str, fn(&mut Policy)); 3] = [
        ("cool_down", |policy| policy.cool_down = HOUR),
        ("per_hour", |policy| policy.per_hour = 1),
        ("per_day", |policy| policy.per_day = 1),
    ];
    for (check, guard) in guards {
        for kind in CallerKind::ALL {
            let world = with(|_| {});
            helped_before(&world, Model);
            let mut policy = lax();
            guard(&mut policy);
            world.policy(policy);
            let action = world.ask(kind, "restart", &[]);
            assert_eq!(action.stage, Stage::Refused);
            world.nothing_happened("restart", kind, check);
        }
    }
}

#[test]
fn an_hour_and_a_day_later_it_is_allowed_again() {
    let shift = |world: &World, seconds: i64| {
        let sql = "UPDATE actions SET released = released - ?1, ended = ended - ?1";
        world.sql().execute(sql, [seconds * 1_000_000_000]).unwrap();
    };
    for (span, guard) in [
        (3_600, (|policy| policy.per_hour = 1) as fn(&mut Policy)),
        (86_400, |policy| policy.per_day = 1),
    ] {
        let world = with(guard);
        helped_before(&world, Model);
        shift(&world, span - 60);
        assert_eq!(world.ask(Rule, "restart", &[]).stage, Stage::Refused);
        shift(&world, 120);
        assert_eq!(world.ask(Rule, "restart", &[]).stage, Stage::Approved);
    }
}

#[test]
fn one_action_takes_down_no_more_than_its_radius() {
    for (verb, parameters) in [("restart", &[][..]), ("rollback", &[])] {
        let world = with(|policy| policy.max_instances = Some(1));
        assert_eq!(world.ask(Agent, verb, parameters).stage, Stage::Refused);
        world.nothing_happened(verb, Agent, "blast_radius");
    }
    let world = with(|policy| policy.scale = Some((2, 4)));
    world.ask(Agent, "stop", &[("instance", "a")]);
    world.nothing_happened("stop", Agent, "blast_radius");
    let world = with(|policy| policy.max_instances = Some(0));
    world.ask(Agent, "scale", &[("to", "1")]);
    world.nothing_happened("scale", Agent, "blast_radius");
}

#[test]
fn in_quiet_hours_auto_waits_for_a_person() {
    for quiet in [
        // All day but a minute, whatever time it is.
        vec![
            Quiet { from: 0, to: 720 },
            Quiet {
                from: 720,
                to: 1_439,
            },
            Quiet { from: 1_439, to: 0 },
        ],
        vec![Quiet { from: 600, to: 100 }, Quiet { from: 50, to: 650 }],
    ] {
        let world = with(|policy| policy.quiet = quiet);
        let action = world.ask(Rule, "restart", &[]);
        assert_eq!(action.stage, Stage::Pending, "{}", action.said);
        world.door().step(None).unwrap();
        assert_eq!(world.platform.begun(), []);
        assert!(action.said.contains("quiet hours"));
        let last = world.audit().pop().unwrap();
        assert_eq!(
            (&last["event"], &last["caller_kind"]),
            (&"pending".into(), &"rule".into())
        );
        assert_eq!(world.counted("restart", Rule, "pending"), 1);
        // A person may.
        world.door().approve(action.id, "root").unwrap();
        world.finish(action.id);
        assert_eq!(world.platform.count(), 1);
    }
}

#[test]
fn mode_propose_only_says() {
    let world = with(|policy| policy.permit = Permit::Propose);
    for kind in CallerKind::ALL {
        let action = world.ask(kind, "restart", &[]);
        assert_eq!(action.stage, Stage::Proposed);
        assert!(world.door().approve(action.id, "root").is_err());
        world.hurry();
        world.door().step(None).unwrap();
    }
    assert_eq!(world.platform.begun(), []);
}

#[test]
fn only_an_earlier_release_that_ran_well_and_is_not_too_old_is_gone_back_to() {
    let to = |to: &'static str, change: fn(&mut crate::platform::Inner)| {
        let world = with(|_| {});
        world.platform.set(|inner| {
            inner.releases.insert(0, release("8", 0, false, Some(true)));
            change(inner);
        });
        let parameters = [("to", to)];
        let given = if to.is_empty() { &[][..] } else { &parameters };
        let _ = world.try_ask(request(Model, "rollback", given)).unwrap();
        world
    };
    // Newer; the one that runs; one that ran badly; not there.
    for bad in ["8", "7", "5"] {
        to(bad, |_| {}).nothing_happened("rollback", Model, "release_was_healthy");
    }
    to("4", |_| {}).nothing_happened("rollback", Model, "parameters");
    // Too old.
    to("6", |inner| inner.releases[2].made = Some(ago(31 * 86_400))).nothing_happened(
        "rollback",
        Model,
        "release_was_healthy",
    );
    // Nobody says that it ran well, or how old it is.
    to("6", |inner| inner.releases[2].good = None).nothing_happened(
        "rollback",
        Model,
        "release_was_healthy",
    );
    to("6", |inner| inner.releases[2].made = None).nothing_happened(
        "rollback",
        Model,
        "release_was_healthy",
    );
    // None is chosen where none is named.
    to("", |inner| inner.releases[2].good = None).nothing_happened(
        "rollback",
        Model,
        "release_was_healthy",
    );
    // It is not known which one runs.
    to("6", |inner| inner.releases[1].current = false).nothing_happened(
        "rollback",
        Model,
        "release_was_healthy",
    );
}

#[test]
fn what_others_do_to_the_service_is_not_disturbed() {
    let world = with(|_| {});
    let deploy = |inner: &mut crate::platform::Inner| {
        inner.state.deploying = Some("7 to 8".to_owned());
    };
    world.platform.set(deploy);
    for kind in CallerKind::ALL {
        world.ask(kind, "restart", &[]);
        world.nothing_happened("restart", kind, "no_deploy_under_way");
    }
    let world = with(|_| {});
    let owner = |inner: &mut crate::platform::Inner| {
        inner.state.kept_by = Some("Argo CD".to_owned());
    };
    world.platform.set(owner);
    for kind in CallerKind::ALL {
        world.ask(kind, "scale", &[("to", "3")]);
        world.nothing_happened("scale", kind, "not_kept_by_another");
    }
}

#[test]
fn it_never_acts_on_the_instance_that_it_runs_in() {
    let cases: [(&str, &[(&str, &str)]); 2] = [
        ("stop", &[("instance", "a")]),
        ("restart", &[("instance", "a")]),
    ];
    for kind in CallerKind::ALL {
        for (verb, parameters) in cases {
            let world = with(|_| {});
            world
                .platform
                .set(|inner| inner.state.instances[0].own = true);
            world.ask(kind, verb, parameters);
            world.nothing_happened(verb, kind, "not_its_own");
        }
    }
    // Beside it others may be helped, and more of it may run.
    let world = with(|_| {});
    world
        .platform
        .set(|inner| inner.state.instances[1].own = true);
    let action = world.ask(Rule, "restart", &[("instance", "a")]);
    assert_eq!(action.stage, Stage::Approved, "{}", action.said);
    world.finish(action.id);
    fall_ill(&world);
    let action = world.ask(Person, "scale", &[("to", "3")]);
    assert_eq!(action.stage, Stage::Approved, "{}", action.said);
    // A sidecar's service is acted on as a whole: the platform replaces its instances.
    for verb in ["restart", "rollback"] {
        let world = with(|_| {});
        world
            .platform
            .set(|inner| inner.state.instances[0].own = true);
        let action = world.ask(Rule, verb, &[]);
        assert_eq!(action.stage, Stage::Approved, "{}", action.said);
    }
}

#[test]
fn while_one_is_under_way_no_other_begins() {
    for kind in CallerKind::ALL {
        let world = with(|_| {});
        world.platform.set(|inner| inner.hangs = true);
        let first = world.ask(Rule, "restart", &[]);
        for (verb, parameters) in [("restart", &[][..]), ("scale", &[("to", "3")])] {
            let second = world.ask(kind, verb, parameters);
            assert_eq!(second.stage, Stage::Refused);
            let last = world.audit().pop().unwrap();
            assert_eq!(last["event"], "refused");
            assert_eq!(last["caller_kind"], kind.word());
            assert_eq!(last["checks_failed"], serde_json::json!(["none_under_way"]));
            world.step(first.id);
        }
        assert_eq!(world.platform.count(), 1);
        assert_eq!(world.action(first.id).stage, Stage::Running);
    }
}

/// An action that did not help.
fn failed_before(world: &World) {
    world.platform.set(|inner| inner.lies = true);
    let done = world.ask(Person, "restart", &[]);
    let done = world.finish(done.id);
    assert_eq!(done.aftermath, Some(Aftermath::NoChange), "{}", done.said);
    world.platform.set(|inner| {
        inner.lies = false;
        inner.begun.clear();
    });
}

#[test]
fn after_one_that_did_not_help_only_a_person_goes_on() {
    for kind in [Rule, Model, Agent] {
        let world = with(|_| {});
        failed_before(&world);
        assert_eq!(
            world.ask(kind, "scale", &[("to", "3")]).stage,
            Stage::Refused
        );
        world.nothing_happened("scale", kind, "last_one_helped");
    }
    let world = with(|_| {});
    failed_before(&world);
    let action = world.ask(Person, "restart", &[]);
    assert_eq!(action.stage, Stage::Approved, "{}", action.said);
    world.finish(action.id);
    assert_eq!(world.platform.count(), 1);
}

#[test]
fn a_verb_that_failed_twice_for_a_fault_is_given_up_for_it_and_for_no_other() {
    for kind in [Rule, Model, Agent] {
        let world = with(|_| {});
        failed_before(&world);
        failed_before(&world);
        // The failure itself is no longer held against anybody.
        let day = "UPDATE actions SET ended = ended - 100000000000000";
        world.sql().execute(day, []).unwrap();
        assert_eq!(world.ask(kind, "restart", &[]).stage, Stage::Refused);
        world.nothing_happened("restart", kind, "not_given_up");
        // Another verb may be tried, and this one for another fault.
        let mut other = request(kind, "restart", &[]);
        other.fingerprint = Some("v1:fedcba9876543210".to_owned());
        let Asked::Action(other) = world.door().ask(other, true).unwrap() else {
            panic!()
        };
        assert_eq!(other.action.stage, Stage::Approved, "{}", other.action.said);
        let action = world.ask(kind, "rollback", &[]);
        assert_eq!(action.stage, Stage::Approved, "{}", action.said);
    }
    let world = with(|_| {});
    failed_before(&world);
    failed_before(&world);
    assert_eq!(world.ask(Person, "restart", &[]).stage, Stage::Approved);
}

#[test]
fn a_thousand_crashes_in_the_log_of_a_service_that_runs_well_move_nothing() {
    let world = World::new(lax(), Played::well());
    let mut store = world.store();
    for n in 0..10 {
        let signal = logged("total", ago(60 - n));
        store
            .record_times(&signal, 100, signal.last, now())
            .unwrap();
    }
    let incidents = store.incidents().unwrap();
    assert_eq!(incidents[0].count, 1_000);
    for kind in CallerKind::ALL {
        for (verb, parameters) in [
            ("restart", &[][..]),
            ("restart", &[("instance", "a")]),
            ("rollback", &[]),
            ("stop", &[("instance", "a")]),
        ] {
            let mut request = request(kind, verb, parameters);
            request.incident = Some(incidents[0].id);
            request.fingerprint = Some(fingerprint(&logged("total", now())));
            let Asked::Action(answer) = world.try_ask(request).unwrap() else {
                panic!()
            };
            assert_eq!(answer.action.stage, Stage::Refused);
            world.nothing_happened(verb, kind, "fact_of_platform");
        }
    }
    // Nor do the rules ask for anything.
    let mut recovery = Recovery::new(world.door(), None);
    while recovery.work().unwrap() {}
    assert_eq!(world.platform.begun(), []);
    assert_eq!(world.counted("restart", Rule, "approved"), 0);
}

#[test]
fn what_was_only_sent_to_us_moves_nothing() {
    // The forged facts come with each kind, and while the platform shows the service as ill in a way
    // that is no fact of its own: it does not run, but nothing says why.
    let world = World::new(lax(), Played::well());
    let mut store = world.store();
    for (n, kind) in FactKind::ALL.into_iter().cycle().take(50).enumerate() {
        let fact = Fact {
            service: SERVICE.to_owned(),
            kind,
            instance: "a".to_owned(),
            at: ago(n as u64 + 1),
            release: Some("7".to_owned()),
            text: "exit status 1".to_owned(),
            asked: false,
        };
        store.save_facts(&[fact], now()).unwrap();
    }
    for kind in CallerKind::ALL {
        for verb in ["restart", "rollback"] {
            world.ask(kind, verb, &[]);
            world.nothing_happened(verb, kind, "fact_of_platform");
        }
    }
    let mut recovery = Recovery::new(world.door(), None);
    while recovery.work().unwrap() {}
    assert_eq!(world.platform.begun(), []);
    world
        .platform
        .set(|inner| inner.state.instances[1].state = InstanceState::Stopped);
    for kind in [Rule, Model, Agent] {
        world.ask(kind, "start", &[("instance", "b")]);
        world.nothing_happened("start", kind, "fact_of_platform");
    }
}

#[test]
fn crashes_of_the_past_move_nothing_once_the_service_is_well() {
    let world = with(|_| {});
    // The platform's crashes are kept as facts.
    world
        .door()
        .look(&request(Person, "status", &[]), Verb::Status)
        .unwrap()
        .unwrap();
    world.platform.set(|inner| inner.heal());
    for kind in CallerKind::ALL {
        world.ask(kind, "restart", &[]);
        world.nothing_happened("restart", kind, "unhealthy_now");
    }
}

#[test]
fn a_platform_that_does_not_answer_is_left_alone() {
    let faults = [
        (ErrorKind::Unreachable, "no answer within 30 s"),
        (
            ErrorKind::Limited(Duration::from_secs(1)),
            "asked too often",
        ),
        (ErrorKind::Refused, "the credentials have expired"),
        (
            ErrorKind::Unreachable,
            "the answer is no JSON, or a part of it",
        ),
        (ErrorKind::Settings, "there is no token"),
    ];
    for (kind, said) in faults {
        for call in [Call::State, Call::Releases, Call::Plan] {
            let world = with(|_| {});
            world.platform.fails(call, u32::MAX, kind, said);
            let fault = world.try_ask(request(Model, "rollback", &[])).unwrap_err();
            assert!(matches!(fault, Fault::Platform(_)), "{fault}");
            world.nothing_happened("rollback", Model, said);
        }
    }
}

#[test]
fn an_instance_that_is_not_shown_any_more_is_not_named() {
    let world = with(|_| {});
    world.platform.set(|inner| {
        inner.state.instances[0] = instance("c", InstanceState::Failed);
    });
    let asked = world.try_ask(request(Agent, "stop", &[("instance", "a")]));
    assert!(matches!(asked.unwrap(), Asked::Refused(_)));
    world.nothing_happened("stop", Agent, "parameters");
}

#[test]
fn a_dry_run_writes_nothing_down_and_does_nothing() {
    let world = with(|_| {});
    let Asked::Action(answer) = world
        .door()
        .ask(request(Rule, "restart", &[]), true)
        .unwrap()
    else {
        panic!()
    };
    assert!(answer.dry && answer.action.stage == Stage::Approved);
    assert_eq!(answer.plan, ["POST /restart"]);
    assert!(!answer.action.checks.is_empty());
    world.hurry();
    world.door().step(None).unwrap();
    assert_eq!(world.store().actions(None, 10).unwrap(), []);
    assert_eq!(world.audit().len(), 0);
    assert_eq!(world.store().act_counts().unwrap(), []);
    assert_eq!(world.platform.begun(), []);
}

fn sent(at: autofix::model::Timestamp, kind: FactKind) -> Fact {
    Fact {
        service: SERVICE.to_owned(),
        kind,
        instance: "a".to_owned(),
        at,
        release: Some("6".to_owned()),
        text: "forged".to_owned(),
        asked: false,
    }
}

#[test]
fn what_was_sent_does_not_hide_what_the_platform_told() {
    // It has crashed and runs again: nothing but its ends tells of it.
    let world = with(|_| {});
    world.platform.set(|inner| {
        inner.state.instances[0].state = InstanceState::Running;
    });
    let mut store = world.store();
    let later = now().plus(HOUR);
    for n in 0..600 {
        let at = later.plus(Duration::from_secs(n));
        store
            .save_facts(&[sent(at, FactKind::Crash)], now())
            .unwrap();
    }
    let action = world.ask(Rule, "restart", &[]);
    assert_eq!(action.stage, Stage::Approved, "{}", action.said);
    let kept = store.facts_since(SERVICE, ago(3_600)).unwrap();
    assert_eq!(kept.iter().filter(|fact| fact.asked).count(), 3);
    assert!(kept.len() <= 500, "{}", kept.len());
    assert!(kept.is_sorted_by_key(|fact| fact.at));
}

#[test]
fn what_the_platform_told_takes_the_place_of_what_was_sent() {
    let world = with(|_| {});
    let mut store = world.store();
    let at = world
        .platform
        .set(|inner| inner.state.instances[0].exits[0].at);
    store
        .save_facts(&[sent(at, FactKind::Crash)], now())
        .unwrap();
    let status = request(Person, "status", &[]);
    world.door().look(&status, Verb::Status).unwrap().unwrap();
    let kept = store.facts_since(SERVICE, ago(3_600)).unwrap();
    let one = kept.iter().find(|fact| fact.at == at).unwrap();
    assert!(one.asked);
    assert_eq!(
        (one.release.as_deref(), one.text.as_str()),
        (Some("7"), "exit status 1")
    );
    // The other way round nothing changes.
    store
        .save_facts(&[sent(at, FactKind::Crash)], now())
        .unwrap();
    assert_eq!(store.facts_since(SERVICE, ago(3_600)).unwrap(), kept);
}

#[test]
fn who_looks_again_and_again_makes_no_new_facts() {
    let world = with(|_| {});
    let mut door = world.door();
    for _ in 0..50 {
        let status = request(Agent, "status", &[]);
        door.look(&status, Verb::Status).unwrap().unwrap();
    }
    let kept = world.store().facts_since(SERVICE, ago(3_600)).unwrap();
    // Three crashes, and that it is shown as failed.
    assert_eq!(kept.len(), 4, "{kept:?}");
    assert_eq!(world.counted("status", Agent, "looked"), 50);
}

#[test]
fn while_it_is_turned_off_nothing_is_asked_for_released_or_begun() {
    let switch = |world: &World| world.dir().join("OFF");
    for kind in CallerKind::ALL {
        let world = with(|_| {});
        std::fs::write(switch(&world), "").unwrap();
        assert!(world.try_ask(request(kind, "restart", &[])).is_err());
        world.nothing_happened("restart", kind, "turned off");
    }
    // What waits goes on waiting, and what was released does not begin.
    let world = with(|policy| policy.permit = Permit::Approve);
    let action = world.ask(Rule, "restart", &[]);
    std::fs::write(switch(&world), "").unwrap();
    assert!(world.door().approve(action.id, "root").is_err());
    let last = world.audit().pop().unwrap();
    assert_eq!(
        (&last["event"], &last["verb"]),
        (&"refused".into(), &"approve".into())
    );
    std::fs::remove_file(switch(&world)).unwrap();
    world.door().approve(action.id, "root").unwrap();
    std::fs::write(switch(&world), "").unwrap();
    for _ in 0..3 {
        world.step(action.id);
    }
    assert_eq!(world.platform.begun(), []);
    std::fs::remove_file(switch(&world)).unwrap();
    let ended = world.finish(action.id);
    assert_eq!(ended.aftermath, Some(Aftermath::Healthy), "{}", ended.said);
}
