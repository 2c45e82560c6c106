//! When messages are sent, and what becomes of one that is not taken.

use crate::world::{Hook, World, at, target};
use autofix::model::notify::{NotifyKind, Target};
use std::sync::Barrier;

fn json(name: &str) -> Target {
    target(name, NotifyKind::Json, Some("shop"))
}

#[test]
fn no_faster_than_every_minute() {
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(json("shop"), &hook)]);
    world.fault("cart", "Error", 0);
    world.tell(100);
    assert_eq!(hook.take().len(), 1);
    world.fault("cart", "Another", 110);
    for seconds in [111, 140, 159] {
        world.tell(seconds);
        assert_eq!(hook.take().len(), 0, "{seconds}");
    }
    world.fault("cart", "A third", 155);
    world.tell(160);
    assert_eq!(hook.body()["notices"].as_array().unwrap().len(), 2);
    // A clock that was set back holds nobody up.
    world.fault("cart", "A fourth", 161);
    world.tell(50);
    assert_eq!(hook.take().len(), 1);
}

#[test]
fn a_dead_target_keeps_no_other_waiting() {
    let (mut world, dead, live) = (World::new(), Hook::new(), Hook::new());
    dead.answer(&["500 No", "500 No", "500 No"]);
    world.targets(&[(json("a-dead"), &dead), (json("live"), &live)]);
    world.fault("cart", "Error", 0);
    world.tell(100);
    assert_eq!((dead.take().len(), live.take().len()), (1, 1));
    // 30 s, then 60 s, then 120 s.
    for (seconds, sent) in [(129, 0), (131, 1), (189, 0), (192, 1), (311, 0), (313, 1)] {
        world.tell(seconds);
        assert_eq!(dead.take().len(), sent, "{seconds}");
    }
    // It was taken now.
    world.tell(1_000);
    assert_eq!((dead.take().len(), live.take().len()), (0, 0));
    assert_eq!(world.said().len(), 1, "{:?}", world.said());
}

#[test]
fn a_webhook_that_is_gone_is_asked_once_an_hour() {
    let (mut world, hook) = (World::new(), Hook::new());
    hook.answer(&["410 Gone"]);
    world.targets(&[(json("shop"), &hook)]);
    world.fault("cart", "Error", 0);
    world.tell(0);
    for (seconds, sent) in [(3_590, 0), (3_610, 1)] {
        hook.take();
        world.tell(seconds);
        assert_eq!(hook.take().len(), sent, "{seconds}");
    }
    let said = world.said().join("\n");
    assert_eq!(
        said,
        "[[notify]] shop: there is no such webhook (answer 410); make a new one and set its \
         address; what is to be told waits"
    );
}

#[test]
fn settings_that_changed_are_tried_at_once() {
    let (mut world, hook) = (World::new(), Hook::new());
    hook.answer(&["404 Not Found"]);
    world.targets(&[(json("shop"), &hook)]);
    world.fault("cart", "Error", 0);
    world.tell(0);
    world.targets(&[(json("shop"), &hook)]);
    world.tell(10);
    assert_eq!(hook.take().len(), 1);
    let changed = Target {
        every: 30,
        ..json("shop")
    };
    world.targets(&[(changed, &hook)]);
    world.tell(20);
    assert_eq!(hook.take().len(), 1);
}

#[test]
fn a_pause_that_it_asks_for_is_made() {
    let (mut world, hook) = (World::new(), Hook::new());
    hook.answer(&["429 Slow\r\nRetry-After: 300"]);
    world.targets(&[(json("shop"), &hook)]);
    world.fault("cart", "Error", 0);
    world.tell(0);
    hook.take();
    world.tell(299);
    assert_eq!(hook.take().len(), 0);
    world.tell(302);
    assert_eq!(hook.take().len(), 1);
}

#[test]
fn nobody_is_sent_elsewhere() {
    let (mut world, hook, other) = (World::new(), Hook::new(), Hook::new());
    let location = format!("307 Elsewhere\r\nLocation: {}", other.url);
    hook.answer(&[&location]);
    world.targets(&[(json("shop"), &hook)]);
    world.fault("cart", "Error", 0);
    world.tell(0);
    assert_eq!((hook.take().len(), other.take().len()), (1, 0));
    assert!(world.said()[0].contains("answer 307"), "{:?}", world.said());
}

#[test]
fn two_at_once_send_once() {
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(json("shop"), &hook)]);
    for round in 0..10 {
        let now = round * 100;
        world.fault("cart", &format!("Error{}", "x".repeat(round as usize)), now);
        let (both, notifiers) = (Barrier::new(2), [world.notifier(), world.notifier()]);
        std::thread::scope(|scope| {
            for mut notifier in notifiers {
                let both = &both;
                scope.spawn(move || {
                    both.wait();
                    notifier.turn(at(now)).unwrap();
                });
            }
        });
        assert_eq!(hook.take().len(), 1, "{round}");
    }
}

#[test]
fn what_a_process_left_is_sent_by_the_next() {
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(json("shop"), &hook)]);
    world.fault("cart", "Error", 0);
    let holder = autofix::store::Holder::new(world.dir.path()).unwrap();
    let claimed = world
        .store
        .claim_notices("shop", 5, &holder, at(1))
        .unwrap();
    let waiting = claimed.unwrap();
    // It works on, within its term: nobody else does.
    world.tell(2);
    assert_eq!(hook.take().len(), 0);
    // It works on for too long: another does, and its own word counts no more.
    world.tell(62);
    assert_eq!(hook.take().len(), 1);
    let late = world.store.told(&waiting.lease, at(1), at(63)).unwrap_err();
    assert_eq!(late.kind, autofix::store::ErrorKind::LeaseLost);
    // It died.
    world.fault("cart", "Another", 64);
    let claimed = world
        .store
        .claim_notices("shop", 5, &holder, at(130))
        .unwrap();
    assert!(claimed.is_some());
    drop(holder);
    world.tell(131);
    assert_eq!(hook.take().len(), 1);
}

#[test]
fn a_target_whose_address_cannot_be_read_waits_and_says_so_once() {
    let (mut world, hook) = (World::new(), Hook::new());
    world
        .store
        .set_targets("r", &[json("shop")], at(0))
        .unwrap();
    world.fault("cart", "Error", 0);
    world.tell(0);
    world.tell(100);
    assert_eq!(
        world.said()[0],
        "[[notify]] shop: its address cannot be read; `autofix check` says why"
    );
    world.url("shop", &hook.url);
    world.tell(101);
    assert_eq!(hook.take().len(), 1);
}
