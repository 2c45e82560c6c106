//! Each guard alone, where everything else is in order.

use crate::platform::{Call, Played, ago, exit, instance, now, release};
use crate::world::{FAULT, SERVICE, World, lax, logged, request};
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
