//! Two orders as a whole, beside what they are made of; and what belongs to an order but its body.

use crate::world::{World, change};
use autofix::deliver::order::{Earlier, Why, order};
use autofix::investigate::Onward;
use autofix::model::delivery::Order;
use std::path::PathBuf;

const PATH: &str = "orders/vouchers.py";

/// `UPDATE_GOLDEN=1` writes the files anew.
fn golden(name: &str, order: &Order) {
    let place = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/order/golden")
        .join(name);
    let text = format!(
        "{}\n====\n{}====\n{}",
        order.title, order.message, order.body
    );
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&place, &text).unwrap();
    }
    let wanted = std::fs::read_to_string(&place).unwrap();
    assert_eq!(text, wanted, "\n{text}");
}

#[test]
fn a_commit_is_taken_back() {
    let world = World::revert(&change(PATH));
    golden("revert.md", &order(&world.material()).unwrap());
}

#[test]
fn the_fix_of_a_model_is_proven() {
    let mut world = World::proven(&change(PATH));
    world.round = 1;
    world.earlier = vec![Earlier {
        pull: "https://git.example/acme/shop/pull/12".to_owned(),
        outcome: "merged, did not hold".to_owned(),
        came_back: 3,
    }];
    golden("proven.md", &order(&world.material()).unwrap());
}

#[test]
fn the_rest_of_an_order() {
    let mut world = World::proven(&change(PATH));
    world.settings.forge.reviewers = vec!["sam".to_owned(), "@-bad".to_owned()];
    world.settings.forge.labels = vec!["bot".to_owned()];
    world.settings.forge.base = Some("develop".to_owned());
    let made = order(&world.material()).unwrap();
    assert_eq!(
        made.branch,
        "autofix/orders-v1-00112233445566778899aabbccddeeff-r0"
    );
    assert_eq!(
        (made.reviewers, made.labels),
        (vec!["sam".to_owned()], vec!["bot".to_owned()])
    );
    assert_eq!(made.base.as_deref(), Some("develop"));
    assert!(made.body.contains("branch `develop`"));
    assert!(!made.body.contains("hunter2") && !made.body.contains("jane@"));
    world.codeowners = Some("*.py @org/python\n".to_owned());
    let owned = order(&world.material()).unwrap();
    assert_eq!(owned.reviewers, ["org/python"]);
    // The same for everybody, at any time.
    assert_eq!(order(&world.material()).unwrap(), owned);
}

#[test]
fn without_a_change_there_is_no_order() {
    let change = change(PATH);
    let why = |edit: fn(&mut World)| {
        let mut world = World::revert(&change);
        edit(&mut world);
        order(&world.material()).unwrap_err()
    };
    let found = why(|world| world.findings.patch = None);
    assert!(matches!(found, Why::NoChange(_)), "{found}");
    let found = why(|world| {
        world.findings.onward = Some(Onward::Conflict {
            why: "moved".to_owned(),
        });
    });
    assert!(found.to_string().contains("moved"), "{found}");
    assert!(matches!(
        why(|world| world.findings.onward = None),
        Why::NoChange(_)
    ));
    assert!(matches!(
        why(|world| world.files.clear()),
        Why::OtherFiles(_)
    ));
    assert!(matches!(
        why(|world| world.base = "0".repeat(40)),
        Why::OtherFiles(_)
    ));
    assert!(matches!(
        why(|world| world.incident.service = "a/b".to_owned()),
        Why::Service(_)
    ));
    let found = why(|world| world.incident.fingerprint = "v1:x".to_owned());
    assert!(matches!(found, Why::Fingerprint(_)), "{found}");
}
