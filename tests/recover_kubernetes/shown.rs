//! What is shown of a Deployment: state, releases, lines.

use crate::world::World;
use autofix::model::recovery::InstanceState;

#[test]
fn a_deployment_that_is_well_is_shown_as_well_by_the_played_server() {
    let world = World::new();
    let state = world.state();
    assert_eq!(state.instances.len(), 2);
    assert!(state.is_well(), "{state:?}");
    assert_eq!(state.instances[0].state, InstanceState::Running);
}
