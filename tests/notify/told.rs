//! Who is told of what, and how often: owners, events, storms, mutes.

use crate::world::{Hook, World, at, target};
use autofix::model::delivery::{Delivery, OutcomeKind};
use autofix::model::notify::{NoticeEvent, NotifyKind, Target};
use autofix::store::Mute;
use serde_json::Value;

fn json(name: &str, owner: Option<&str>) -> Target {
    target(name, NotifyKind::Json, owner)
}

/// `event service incident` of each notice.
fn brief(body: &Value) -> Vec<String> {
    let notices = body["notices"].as_array().unwrap();
    let brief = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap().to_owned();
        format!("{} {} {}", text("event"), text("service"), one["incident"])
    };
    notices.iter().map(brief).collect()
}

#[test]
fn what_is_one_owner_s_is_told_to_no_other() {
    let (shop, bank, nobody) = (Hook::new(), Hook::new(), Hook::new());
    let mut world = World::new();
    world.targets(&[
        (json("shop", Some("shop")), &shop),
        (json("bank", Some("bank")), &bank),
        (json("nobody", None), &nobody),
    ]);
    for service in ["cart", "ledger", "lone", "unregistered"] {
        world.fault(service, "Error", 0);
    }
    world.tell(60);
    assert_eq!(brief(&shop.body()), ["incident cart 1"]);
    assert_eq!(brief(&bank.body()), ["incident ledger 2"]);
    assert_eq!(
        brief(&nobody.body()),
        ["incident lone 3", "incident unregistered 4"]
    );
}

#[test]
fn a_wall_that_went_up_meanwhile_holds() {
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(json("shop", Some("shop")), &hook)]);
    world.fault("cart", "Error", 0);
    world.redact("cart", "bank", "x");
    world.tell(60);
    assert_eq!(hook.take().len(), 0);
}

#[test]
fn services_and_events_are_chosen() {
    let (mut world, hook) = (World::new(), Hook::new());
    let chosen = Target {
        services: vec!["ca*".to_owned()],
        events: vec![NoticeEvent::Proposed],
        ..json("shop", Some("shop"))
    };
    world.targets(&[(chosen, &hook)]);
    let cart = world.fault("cart", "Error", 0);
    let pay = world.fault("pay", "Error", 0);
    world.propose(cart, false, 1);
    world.propose(pay, false, 1);
    world.tell(60);
    let body = hook.body();
    assert_eq!(brief(&body), ["proposed cart 1"]);
    let to_do = body["notices"][0]["lines"][2].as_str().unwrap();
    assert_eq!(
        to_do,
        "The diff is on the host: autofix why 1. Nothing is changed by itself."
    );
}

#[test]
fn a_fault_is_told_once_and_so_is_its_fix() {
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(json("shop", Some("shop")), &hook)]);
    let id = world.fault("cart", "Error", 0);
    world.fault("cart", "Error", 1);
    world.propose(id, true, 2);
    // Not before the request is open.
    world.tell(60);
    assert_eq!(brief(&hook.body()), ["incident cart 1"]);
    world.opened("https://git.example/p/7", 61);
    world.opened("https://git.example/p/7", 62);
    world.fault("cart", "Error", 63);
    world.tell(130);
    let body = hook.body();
    assert_eq!(brief(&body), ["proposed cart 1"]);
    assert_eq!(body["notices"][0]["url"], "https://git.example/p/7");
    world.tell(1_000);
    assert_eq!(hook.take().len(), 0);
}

#[test]
fn what_came_back_is_told_in_place_of_its_new_incident() {
    let (mut world, hook) = (World::new(), Hook::new());
    let deaf = Hook::new();
    let new_only = Target {
        events: vec![NoticeEvent::Incident],
        ..json("new", Some("shop"))
    };
    world.targets(&[(json("shop", Some("shop")), &hook), (new_only, &deaf)]);
    let id = world.fault("cart", "Error", 0);
    world.propose(id, true, 2);
    world.opened("https://git.example/p/7", 3);
    world.pull(4, |row| row.state = Delivery::Merged);
    world.tell(60);
    assert_eq!(brief(&hook.body()), ["incident cart 1", "proposed cart 1"]);
    assert_eq!(brief(&deaf.body()), ["incident cart 1"]);
    // Long after: it is seen again, and so is that the fix is deployed.
    let again = world.fault("cart", "Error", 200_000);
    assert_ne!(again, id);
    world.pull(200_001, |row| {
        row.outcome = Some(OutcomeKind::CameBack);
        row.returned = 3;
    });
    world.tell(200_060);
    let body = hook.body();
    assert_eq!(brief(&body), [format!("came_back cart {again}")]);
    let lines = &body["notices"][0]["lines"];
    assert_eq!(
        lines[2],
        format!(
            "The fix is deployed and did not hold: https://git.example/p/7. To read more: autofix \
             why {again}."
        )
    );
    assert_eq!(brief(&deaf.body()), [format!("incident cart {again}")]);
}

#[test]
fn what_came_back_without_a_new_incident_opens_one_and_is_told() {
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(json("shop", Some("shop")), &hook)]);
    let id = world.fault("cart", "Error", 0);
    world.propose(id, true, 2);
    world.opened("https://git.example/p/7", 3);
    world.pull(4, |row| row.state = Delivery::Merged);
    world.tell(60);
    hook.take();
    world.pull(61, |row| row.outcome = Some(OutcomeKind::CameBack));
    world.tell(130);
    assert_eq!(brief(&hook.body()), ["came_back cart 2"]);
}

#[test]
fn a_muted_fault_is_told_to_nobody() {
    let mute = |service: &str, seconds| Mute {
        service: service.to_owned(),
        fingerprint: None,
        until: None,
        who: "jane".to_owned(),
        why: String::new(),
        made: at(seconds),
    };
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(json("shop", Some("shop")), &hook)]);
    world.store.mute(&mute("cart", 0), at(0)).unwrap();
    world.fault("cart", "Error", 1);
    // This one while its notice waits.
    world.fault("pay", "Error", 1);
    world.store.mute(&mute("pay", 2), at(2)).unwrap();
    world.tell(60);
    assert_eq!(hook.take().len(), 0);
    world.store.unmute("cart", None, "jane", at(61)).unwrap();
    world.fault("cart", "Another", 62);
    world.tell(130);
    assert_eq!(brief(&hook.body()), ["incident cart 3"]);
}

#[test]
fn a_storm_is_one_notice() {
    let (mut world, hook) = (World::with(true), Hook::new());
    let cart_only = Target {
        services: vec!["cart".to_owned()],
        ..json("shop", Some("shop"))
    };
    world.targets(&[(cart_only, &hook)]);
    for n in 0..30 {
        let service = if n % 2 == 0 { "cart" } else { "pay" };
        world.fault(service, &format!("Error{}", "x".repeat(n)), 0);
    }
    world.tell(60);
    let body = hook.body();
    let notices = body["notices"].as_array().unwrap();
    assert_eq!((notices.len(), &body["more"]), (1, &Value::from(0)));
    let title = notices[0]["title"].as_str().unwrap();
    assert!(title.starts_with("30 new faults in 5 minutes"), "{title}");
}

#[test]
fn a_target_that_is_gone_from_the_registry_is_told_nothing() {
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(json("shop", Some("shop")), &hook)]);
    world.fault("cart", "Error", 0);
    // Another registry of the same store changes nothing.
    world.store.set_targets("other", &[], at(1)).unwrap();
    world.tell(60);
    assert_eq!(hook.take().len(), 1);
    world.store.set_targets("r", &[], at(61)).unwrap();
    world.fault("cart", "Another", 62);
    world.tell(130);
    assert_eq!(hook.take().len(), 0);
}

#[test]
fn five_are_told_in_full_and_the_others_by_their_number() {
    let (mut world, hook) = (World::new(), Hook::new());
    let slack = Hook::new();
    world.targets(&[
        (json("shop", Some("shop")), &hook),
        (target("slack", NotifyKind::Slack, Some("shop")), &slack),
    ]);
    for n in 0..210 {
        world.fault("cart", &format!("Error{}", "x".repeat(n)), 0);
    }
    world.tell(60);
    let body = hook.body();
    assert_eq!(body["notices"].as_array().unwrap().len(), 5);
    assert_eq!((&body["more"], &body["dropped"]), (&195.into(), &10.into()));
    let text = slack.body()["text"].as_str().unwrap().to_owned();
    assert!(
        text.ends_with("\n\nand 195 more, 10 had no room; autofix incidents lists them"),
        "{text}"
    );
    // What had no room is said once.
    world.fault("cart", "Last", 61);
    world.tell(130);
    let body = hook.body();
    assert_eq!((&body["more"], &body["dropped"]), (&0.into(), &0.into()));
}
