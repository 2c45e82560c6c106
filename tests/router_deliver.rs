//! From a log in a real Fluent Bit to a pull request, over git's own server and a played GitHub, with
//! the router killed in the middle of it. Which routers are used says `router.rs`.

mod git;
mod host;
#[path = "played/github/mod.rs"]
mod played_github;
#[path = "router/running.rs"]
mod running;
#[path = "source/server.rs"]
#[allow(dead_code)] // It plays more than is needed here.
mod server;
#[path = "deliver/world.rs"]
#[allow(dead_code)] // The same.
mod world;

use autofix::model::Status;
use autofix::model::delivery::Delivery;
use running::{Place, Router, STARTED, routers};
use std::time::Duration;
use world::{NAME, World, crash, hurry, incidents, pulls};

/// The router's configuration for this world.
fn configured(router: &Router, place: &Place, world: &World) -> String {
    let registry = world.registry(&format!(
        "commit = \"{}\"\npath_prefixes = [\"/app\"]",
        world.commit
    ));
    let text = std::fs::read_to_string(&registry).unwrap();
    std::fs::write(&registry, text.replace("tag:app", "tag:app.*")).unwrap();
    let ours = format!(
        "{}\nServices {}\nMode pr\nForge_Token_File {}",
        place.state("state"),
        registry.display(),
        world.path("token").display()
    );
    place.configure(router, &["shop.log"], &[ours.as_str()])
}

#[test]
fn a_log_becomes_a_pull_request_in_a_real_router_that_is_killed_in_each_part_of_it() {
    let test = "a_log_becomes_a_pull_request_in_a_real_router_that_is_killed_in_each_part_of_it";
    for router in routers(test, (1, 9, 0)) {
        // Killed before the first call, in the middle, and after the branch is there.
        for calls in [1, 4, 7] {
            let world = World::new(1);
            let place = Place::new();
            let state = place.path("state");
            let configuration = configured(&router, &place, &world);
            world
                .github
                .set(|knobs| knobs.slow = Some(Duration::from_millis(100)));
            let mut running = place.start(&router, &configuration);
            running.wait_for(STARTED, 1);
            place.append("shop.log", &(crash(0) + "\nand on\n"));
            // What is no incident yet is lost with its process.
            running.wait("an incident, and a call to the code host", |_| {
                !incidents(&state).is_empty() && world.github.heard().len() + 1 >= calls
            });
            running.signal(libc::SIGKILL);
            running.child.wait().unwrap();
            world.github.set(|knobs| knobs.slow = None);

            let mut running = place.start(&router, &configuration);
            running.wait("an open request", |_| {
                hurry(&state);
                pulls(&state)
                    .first()
                    .is_some_and(|row| row.state == Delivery::Open)
            });
            running.end_well(&router);
            assert_eq!(world.github.pulls(NAME).len(), 1, "{router:?} {calls}");
            assert_eq!(world.github.branches(NAME).len(), 2, "{router:?} {calls}");
            let all = incidents(&state);
            assert_eq!(all.len(), 1, "{router:?} {calls}");
            assert_eq!(all[0].status, Status::Delivered, "{router:?} {calls}");
        }
    }
}
